//! What happened to a request and to its permit, from the ledger, as each reader may know it.

use std::collections::{BTreeMap, BTreeSet};

use octroi_domain::{Id, Number, access_request::AccessRequest, event::Event, ledger::Entry, policy::Action, user::User};
use octroi_store::{LedgerFilter, Order, Reader};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access_requests::{Loaded, load},
    context::{App, Context},
    error::Error,
    request_forms::reads,
};

/// Who did something. Whoever applies is told the side of a reviewer, not the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActorView {
    /// `applicant`, `reviewer` or `platform`.
    pub side: String,
    /// Left out where the reader is not told.
    pub name: Option<String>,
    /// The organisation that applies, or the provider that decides.
    pub organization: Option<String>,
    /// Is it the reader?
    pub you: bool,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimelineEntry {
    pub at: String,
    /// The ledger's word: `access_request.submitted`, `permit.granted`, …
    pub action: String,
    pub actor: ActorView,
    /// What the decision said.
    pub message: Option<String>,
    /// Who the request was handed to.
    pub to: Option<String>,
    /// The permit that it is about; of one that was superseded, the new one.
    pub permit: Option<String>,
}

/// Entries are read by pages of this size, and at most so many pages.
const PAGE: u32 = 1_000;
const PAGES: usize = 5;

/// The people of one request, and what the reader is told of them.
pub(crate) struct Cast {
    names: BTreeMap<Id<User>, String>,
    organization: String,
    provider: String,
    reader: Option<Id<User>>,
    knows_reviewers: bool,
}
impl Cast {
    pub(crate) async fn of(reader: &Reader, context: &Context, loaded: &Loaded, people: &BTreeSet<Id<User>>) -> Result<Self, Error> {
        let definition = &loaded.definition;
        let provider = reader.provider_by_slug(&definition.provider).await?;
        let people: Vec<Id<User>> = people.iter().copied().collect();
        let person = context.principal.person();
        Ok(Self {
            names: reader.users_by_ids(&people).await?.into_iter().map(|user| (user.id, user.full_name())).collect(),
            organization: loaded.organization.name.clone(),
            provider: provider.map_or_else(|| definition.provider.to_string(), |held| held.name.in_language(context.language).to_owned()),
            reader: person.map(|person| person.user),
            knows_reviewers: reads(&context.principal, definition),
        })
    }

    pub(crate) fn applicant(&self, user: Id<User>) -> ActorView {
        ActorView {
            side: "applicant".to_owned(),
            name: self.names.get(&user).cloned(),
            organization: Some(self.organization.clone()),
            you: self.reader == Some(user),
        }
    }

    pub(crate) fn reviewer(&self, user: Id<User>) -> ActorView {
        let you = self.reader == Some(user);
        ActorView {
            side: "reviewer".to_owned(),
            name: self.names.get(&user).filter(|_| self.knows_reviewers || you).cloned(),
            organization: Some(self.provider.clone()),
            you,
        }
    }
}

fn platform() -> ActorView {
    ActorView { side: "platform".to_owned(), name: None, organization: None, you: false }
}

fn user(actor: &str) -> Option<Id<User>> {
    actor.strip_prefix("user:")?.parse().ok()
}

impl App {
    /// What happened to a request and to the permit that it led to, the first thing first. Edits that
    /// follow each other are told once, and messages apart.
    pub async fn timeline(&self, context: &Context, id: Number<AccessRequest>) -> Result<Vec<TimelineEntry>, Error> {
        let reader = self.inner.store.read();
        let request = reader.access_request_by_number(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&reader, request).await?;
        context.require(Action::ReadRequest, &loaded.subject())?;
        let mut subjects = vec![id.to_string()];
        subjects.extend(loaded.request.permit().map(|permit| permit.to_string()));
        let told = read(&reader, subjects).await?;
        let mut people: BTreeSet<Id<User>> = told.iter().filter_map(|(entry, _)| user(&entry.actor)).collect();
        let mut applicants = BTreeSet::from([loaded.request.header().applicant]);
        for (entry, event) in &told {
            if let Event::RequestTransferred { from, to, .. } = event {
                people.extend([*from, *to]);
                applicants.extend([*from, *to]);
            }
            if matches!(event, Event::RequestCreated { .. } | Event::RequestTransferred { .. }) {
                applicants.extend(user(&entry.actor));
            }
        }
        let cast = Cast::of(&reader, context, &loaded, &people).await?;
        let mut lines: Vec<TimelineEntry> = Vec::with_capacity(told.len());
        for (entry, event) in told {
            let line = line(&entry, event, &cast, &applicants);
            let edit = line.action == "access_request.edited";
            match lines.last_mut().filter(|last| edit && last.action == line.action && last.actor == line.actor) {
                Some(last) => last.at = line.at,
                None => lines.push(line),
            }
        }
        Ok(lines)
    }
}

/// The moves in the ledger, the first one first. What an approval writes twice, for the request and for
/// the permit, is kept once; a message stands beside the ledger.
async fn read(reader: &Reader, subjects: Vec<String>) -> Result<Vec<(Entry, Event)>, Error> {
    let filter = LedgerFilter { subjects, ..LedgerFilter::default() };
    let (mut told, mut after) = (Vec::new(), None);
    for _ in 0..PAGES {
        let entries = reader.ledger_page(&filter, Order::Descending, after, PAGE).await?;
        let full = entries.len() >= PAGE as usize;
        after = entries.last().map(|entry| entry.seq);
        for entry in entries {
            match serde_json::from_value::<Event>(entry.details.clone()) {
                Ok(Event::RequestApproved { .. } | Event::MessageSent { .. }) | Err(_) => {}
                Ok(event) => told.push((entry, event)),
            }
        }
        if !full {
            break;
        }
    }
    told.reverse();
    Ok(told)
}

fn line(entry: &Entry, event: Event, cast: &Cast, applicants: &BTreeSet<Id<User>>) -> TimelineEntry {
    let applies = match &event {
        Event::RequestCreated { .. } | Event::RequestEdited { .. } | Event::RequestSubmitted { .. } | Event::RequestTransferred { .. } => {
            true
        }
        // Whoever applied may put away, and so may whoever decides.
        Event::RequestArchived { .. } => user(&entry.actor).is_some_and(|actor| applicants.contains(&actor)),
        _ => false,
    };
    let actor = match user(&entry.actor) {
        Some(actor) if applies => cast.applicant(actor),
        Some(actor) => cast.reviewer(actor),
        None => platform(),
    };
    let (message, to, permit) = match event {
        Event::ChangesRequested { message, .. } | Event::RequestRefused { message, .. } => (Some(message), None, None),
        Event::RequestTransferred { to, .. } => (None, cast.names.get(&to).cloned(), None),
        Event::PermitGranted { permit, message, .. } => (message, None, Some(permit)),
        Event::PermitSuspended { permit, reason } | Event::PermitRevoked { permit, reason } => (Some(reason), None, Some(permit)),
        Event::PermitResumed { permit } | Event::PermitExpired { permit } => (None, None, Some(permit)),
        Event::PermitSuperseded { by, .. } => (None, None, Some(by)),
        _ => (None, None, None),
    };
    TimelineEntry {
        at: entry.at.to_string(),
        action: entry.action.clone(),
        actor,
        message,
        to,
        permit: permit.map(|permit| permit.to_string()),
    }
}
