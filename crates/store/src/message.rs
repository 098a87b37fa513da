//! Messages on requests: written once, then seen by the other side.

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::AccessRequest,
    message::{MAX_MESSAGES, Message, Side},
    user::User,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, IntoActiveModel, JoinType, Order, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait,
    sea_query::{Expr, Func},
};

use crate::{
    Page, Reader, StoreError, Tx,
    access_request::table as access_request,
    error::At,
    organization::table as organization,
    row::{Row, plain},
    visible::texts,
};

const TABLE: &str = "message";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "message")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub request_id: i64,
        pub side: String,
        pub author_id: Uuid,
        pub text: String,
        pub at: i64,
        pub read_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::access_request::table::Entity",
            from = "Column::RequestId",
            to = "crate::access_request::table::Column::Id"
        )]
        Request,
    }
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model, Relation};

fn message(model: Model) -> Result<Message, StoreError> {
    let side = Row::new(TABLE, &model.id).word("side", &model.side)?;
    Ok(Message {
        id: Id::from_uuid(model.id),
        request: Number::new(model.request_id),
        side,
        author: Id::from_uuid(model.author_id),
        text: model.text,
        at: Moment::from_micros(model.at),
        read_at: model.read_at.map(Moment::from_micros),
    })
}

/// Whom messages wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaited {
    /// This person, on the requests that they made.
    Applicant(Id<User>),
    /// Those who decide for any of these.
    Reviewers { definitions: Vec<Slug>, providers: Vec<Slug> },
}
impl Awaited {
    fn condition(&self) -> Condition {
        use access_request::Column as Request;
        let (from, condition) = match self {
            Self::Applicant(user) => (Side::Reviewer, Condition::all().add(Request::ApplicantId.eq(user.uuid()))),
            Self::Reviewers { definitions, providers } => {
                let mine =
                    Condition::any().add(Request::Definition.is_in(texts(definitions))).add(Request::Provider.is_in(texts(providers)));
                (Side::Applicant, mine)
            }
        };
        Condition::all().add(Column::ReadAt.is_null()).add(Column::Side.eq(from.as_str())).add(condition)
    }
}

/// A request on which messages wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub request: Number<AccessRequest>,
    pub title: String,
    pub organization: String,
    pub messages: u64,
    /// Of the latest.
    pub at: Moment,
}

#[derive(FromQueryResult)]
struct Line {
    request_id: i64,
    title: String,
    name: String,
    messages: i64,
    latest: i64,
}

impl Reader {
    /// The messages of a request, the first written first; at most [`MAX_MESSAGES`].
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn messages_of_request(&self, request: Number<AccessRequest>) -> Result<Vec<Message>, StoreError> {
        let query = Entity::find().filter(Column::RequestId.eq(request.get()));
        let query = query.order_by_asc(Column::At).order_by_asc(Column::Id).limit(MAX_MESSAGES);
        query.all(&self.db()).await.at(TABLE)?.into_iter().map(message).collect()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn message_count(&self, request: Number<AccessRequest>) -> Result<u64, StoreError> {
        Entity::find().filter(Column::RequestId.eq(request.get())).count(&self.db()).await.at(TABLE)
    }

    /// The requests on which messages of the other side were not seen yet, the latest written first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn messages_waiting(&self, awaited: &Awaited, limit: u32) -> Result<Vec<Waiting>, StoreError> {
        let latest = Func::max(Expr::col((Entity, Column::At)));
        let query = Entity::find()
            .select_only()
            .column(Column::RequestId)
            .column(access_request::Column::Title)
            .column(organization::Column::Name)
            .column_as(Column::Id.count(), "messages")
            .expr_as(latest.clone(), "latest")
            .join(JoinType::InnerJoin, Relation::Request.def())
            .join(JoinType::InnerJoin, access_request::Relation::Organization.def())
            .filter(awaited.condition())
            .group_by(Column::RequestId)
            .group_by(access_request::Column::Title)
            .group_by(organization::Column::Name)
            .order_by(Expr::expr(latest), Order::Desc)
            .limit(u64::from(limit.clamp(1, Page::MAX)));
        let rows = query.into_model::<Line>().all(&self.db()).await.at(TABLE)?;
        let waiting = |line: Line| Waiting {
            request: Number::new(line.request_id),
            title: line.title,
            organization: line.name,
            messages: u64::try_from(line.messages).unwrap_or(0),
            at: Moment::from_micros(line.latest),
        };
        Ok(rows.into_iter().map(waiting).collect())
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the request or the author is not there.
    pub async fn message_insert(&mut self, message: &Message) -> Result<(), StoreError> {
        let model = Model {
            id: message.id.uuid(),
            request_id: message.request.get(),
            side: message.side.as_str().to_owned(),
            author_id: message.author.uuid(),
            text: plain(&message.text),
            at: message.at.micros(),
            read_at: message.read_at.map(Moment::micros),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// The other side saw what `from` wrote; how many messages it had not seen before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn messages_read(&mut self, request: Number<AccessRequest>, from: Side, at: Moment) -> Result<u64, StoreError> {
        let query = Entity::update_many()
            .col_expr(Column::ReadAt, Expr::value(at.micros()))
            .filter(Column::RequestId.eq(request.get()))
            .filter(Column::Side.eq(from.as_str()))
            .filter(Column::ReadAt.is_null());
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::access_request::StateRecord;
    use uuid::Uuid;

    use super::*;
    use crate::testing::{Town, at, each};

    #[test]
    fn a_message_waits_until_the_other_side_saw_it() {
        each(async |store| {
            let town = Town::found(&store).await;
            let (one, two) = (town.request(&store, 10, StateRecord::Draft).await, town.request(&store, 11, StateRecord::Draft).await);
            let (one, two) = (one.header().id, two.header().id);
            let write = async |request, side, author, text: &str, second| {
                let written = Message {
                    id: Id::from_uuid(Uuid::now_v7()),
                    request,
                    side,
                    author,
                    text: text.to_owned(),
                    at: at(second),
                    read_at: None,
                };
                let mut tx = store.write().await.unwrap();
                tx.message_insert(&written).await.unwrap();
                tx.commit().await.unwrap();
                written
            };
            let (ada, rex) = (town.applicant.id, town.reviewer.id);
            let first = write(one, Side::Applicant, ada, "a\0b", 20).await;
            let second = write(one, Side::Reviewer, rex, "answer", 21).await;
            write(one, Side::Applicant, ada, "again", 22).await;
            write(two, Side::Applicant, ada, "other", 30).await;
            let reader = store.read();
            let held = reader.messages_of_request(one).await.unwrap();
            assert_eq!(held.len(), 3);
            assert_eq!(held.first(), Some(&Message { text: "a\u{fffd}b".into(), ..first }));
            assert_eq!(held.get(1), Some(&second));
            assert_eq!(reader.message_count(one).await.unwrap(), 3);
            let waiting = async |awaited: &Awaited| -> Vec<(Number<AccessRequest>, u64)> {
                let found = store.read().messages_waiting(awaited, 10).await.unwrap();
                found.into_iter().map(|waiting| (waiting.request, waiting.messages)).collect()
            };
            let reviewers = |definition: &str, provider: &str| Awaited::Reviewers {
                definitions: vec![definition.parse().unwrap()],
                providers: vec![provider.parse().unwrap()],
            };
            assert_eq!(waiting(&reviewers("canteen", "none")).await, [(two, 1), (one, 2)]);
            assert_eq!(waiting(&reviewers("none", "dinum")).await, [(two, 1), (one, 2)]);
            assert_eq!(waiting(&reviewers("other", "none")).await, []);
            assert_eq!(waiting(&Awaited::Applicant(ada)).await, [(one, 1)]);
            assert_eq!(waiting(&Awaited::Applicant(rex)).await, []);
            let mut tx = store.write().await.unwrap();
            assert_eq!(tx.messages_read(one, Side::Applicant, at(40)).await.unwrap(), 2);
            assert_eq!(tx.messages_read(one, Side::Applicant, at(41)).await.unwrap(), 0);
            tx.commit().await.unwrap();
            assert_eq!(waiting(&reviewers("canteen", "dinum")).await, [(two, 1)]);
            let seen: Vec<Option<Moment>> =
                store.read().messages_of_request(one).await.unwrap().into_iter().map(|message| message.read_at).collect();
            assert_eq!(seen, [Some(at(40)), None, Some(at(40))]);
        });
    }
}
