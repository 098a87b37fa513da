//! Messages on a request: the applicant on one side, those who decide on the other.

use std::collections::BTreeSet;

use octroi_domain::{
    Id, Number,
    access_request::AccessRequest,
    canonical::Sha256Hash,
    event::Event,
    mail::Mail,
    message::{MAX_MESSAGES, Message, Side},
    policy::Action,
    user::{Role, User},
};
use octroi_store::Reader;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    access_requests::{Loaded, checked_message, load, wrong_state},
    context::{App, Begin, Context, Done},
    error::Error,
    mails,
    timeline::{ActorView, Cast},
};

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageView {
    pub id: String,
    pub author: ActorView,
    pub text: String,
    pub at: String,
    /// When the other side saw it.
    pub read_at: Option<String>,
}

/// The messages of a request, the first written first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessagesView {
    pub items: Vec<MessageView>,
    /// May the reader write one now?
    pub may_write: bool,
    /// How many of the other side's wait to be seen by the reader's side; 0 for one who may only read.
    pub unread: u64,
}

/// How many messages were seen just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SeenView {
    pub seen: u64,
}

/// The side that the person speaks for, who is known to speak for one.
fn side(context: &Context, loaded: &Loaded) -> Side {
    let applicant = loaded.request.header().applicant;
    let applies = context.principal.person().is_some_and(|person| person.user == applicant);
    if applies { Side::Applicant } else { Side::Reviewer }
}

fn may_write_now(context: &Context, loaded: &Loaded) -> bool {
    let open = Action::WriteMessage.states().is_none_or(|states| states.contains(&loaded.request.state()));
    open && loaded.definition.features.messaging && context.require(Action::WriteMessage, &loaded.subject()).is_ok()
}

async fn views(reader: &Reader, context: &Context, loaded: &Loaded, messages: Vec<Message>) -> Result<Vec<MessageView>, Error> {
    let authors: BTreeSet<Id<User>> = messages.iter().map(|message| message.author).collect();
    let cast = Cast::of(reader, context, loaded, &authors).await?;
    let view = |message: Message| MessageView {
        id: message.id.to_string(),
        author: match message.side {
            Side::Applicant => cast.applicant(message.author),
            Side::Reviewer => cast.reviewer(message.author),
        },
        text: message.text,
        at: message.at.to_string(),
        read_at: message.read_at.map(|moment| moment.to_string()),
    };
    Ok(messages.into_iter().map(view).collect())
}

impl App {
    /// The messages of a request, for whoever may read it. Reading them here marks nothing.
    pub async fn list_messages(&self, context: &Context, id: Number<AccessRequest>) -> Result<MessagesView, Error> {
        let reader = self.inner.store.read();
        let request = reader.access_request_by_number(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&reader, request).await?;
        context.require(Action::ReadRequest, &loaded.subject())?;
        let messages = reader.messages_of_request(id).await?;
        let speaks = context.require(Action::WriteMessage, &loaded.subject()).is_ok();
        let theirs = side(context, &loaded).other();
        let unread = messages.iter().filter(|message| speaks && message.side == theirs && message.read_at.is_none()).count();
        Ok(MessagesView {
            items: views(&reader, context, &loaded, messages).await?,
            may_write: may_write_now(context, &loaded),
            unread: u64::try_from(unread).unwrap_or(u64::MAX),
        })
    }

    /// Writes to the other side. Its own messages count as seen: they are answered.
    pub async fn send_message(&self, context: &Context, id: Number<AccessRequest>, text: String) -> Result<Done<MessageView>, Error> {
        let text = checked_message("/text", text)?;
        let author = context.person()?.user;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let request = tx.access_request_lock(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&tx, request).await?;
        context.require(Action::WriteMessage, &loaded.subject())?;
        if !loaded.definition.features.messaging {
            return Err(Error::conflict(
                "messaging_disabled",
                "Ce type d’habilitation n’a pas de messagerie : écrivez à son assistance.",
                "This definition has no messages: write to its support.",
            ));
        }
        if !may_write_now(context, &loaded) {
            return Err(wrong_state(&loaded.request, Action::WriteMessage));
        }
        if tx.message_count(id).await? >= MAX_MESSAGES {
            return Err(Error::conflict(
                "too_many_messages",
                format!("Cette demande a déjà {MAX_MESSAGES} messages : poursuivez par un autre moyen."),
                format!("This request has {MAX_MESSAGES} messages already: go on by another way."),
            ));
        }
        let side = side(context, &loaded);
        let message = Message { id: Id::from_uuid(Uuid::now_v7()), request: id, side, author, text, at: context.now, read_at: None };
        tx.message_insert(&message).await?;
        tx.messages_read(id, side.other(), context.now).await?;
        let event = Event::MessageSent { request: id, side, text: Sha256Hash::of(message.text.as_bytes()) };
        tx.record(context.now, &context.principal.actor(), event.action(), &event.subject(), event.details());
        let told = self.told_of_message(&tx, &loaded, &message).await?;
        mails::send(&mut tx, context.now, &loaded.definition.provider, told).await?;
        let view = views(&tx, context, &loaded, vec![message]).await?.pop();
        let view = view.ok_or_else(|| Error::Internal("the message has no view".to_owned()))?;
        self.finish(context, tx, 201, view).await
    }

    /// The mails of a message: to the applicant, or to whoever subscribed to the definition.
    async fn told_of_message(&self, reader: &Reader, loaded: &Loaded, message: &Message) -> Result<Vec<Mail>, Error> {
        let (definition, settings) = (&loaded.definition, self.settings());
        match message.side {
            Side::Reviewer => {
                let to = &loaded.applicant;
                let provider = reader.provider_by_slug(&definition.provider).await?;
                let from = provider.map_or_else(|| definition.provider.to_string(), |held| held.name.in_language(to.language).to_owned());
                Ok(vec![mails::message(loaded, to, &from, false, settings)])
            }
            Side::Applicant => {
                let subscribers = reader.users_covering_definition(Role::Subscriber, &definition.slug, &definition.provider).await?;
                let others = subscribers.iter().filter(|subscriber| subscriber.id != message.author);
                Ok(others.map(|to| mails::message(loaded, to, &loaded.organization.name, true, settings)).collect())
            }
        }
    }

    /// Says that the reader's side saw what the other side wrote.
    pub async fn see_messages(&self, context: &Context, id: Number<AccessRequest>) -> Result<Done<SeenView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let request = tx.access_request_by_number(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&tx, request).await?;
        context.require(Action::WriteMessage, &loaded.subject())?;
        let seen = tx.messages_read(id, side(context, &loaded).other(), context.now).await?;
        self.finish(context, tx, 200, SeenView { seen }).await
    }
}
