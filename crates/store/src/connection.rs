//! Providers that people sign in through, who is on the way to one, and whom their word stands for.

use octroi_domain::{
    Id, Moment, Slug,
    authentication::Session,
    connection::{Connection, Flow, Identity, LinkRequest, UpstreamSession},
    user::User,
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};

use crate::{
    Reader, StoreError, Tx,
    error::At,
    row::{Row, json, plain, touched},
};

const TABLE: &str = "connection";
const FLOW: &str = "connection_flow";
const PENDING: &str = "connection_pending";
const IDENTITY: &str = "identity";
const REQUEST: &str = "link_request";
const UPSTREAM: &str = "upstream_session";
/// Connections, ways in of one person, and open requests that are read at once.
const MOST: u64 = 200;

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "connection")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub slug: String,
        pub issuer: String,
        pub settings: String,
        pub secret: Option<Vec<u8>>,
        pub key: Option<Vec<u8>>,
        pub active: bool,
        pub created_at: i64,
        pub updated_at: i64,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod flow {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "connection_flow")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub connection: String,
        pub state: String,
        pub nonce: String,
        pub verifier: String,
        pub return_to: Option<String>,
        pub user_id: Option<Uuid>,
        pub extra: String,
        pub created_at: i64,
        pub expires_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod pending {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "connection_pending")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub connection: String,
        pub user_id: Uuid,
        pub sealed: Vec<u8>,
        pub expires_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod identity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "identity")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub issuer: String,
        pub subject: String,
        pub user_id: Uuid,
        pub connection: String,
        pub created_at: i64,
        pub last_used_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod request {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "link_request")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub connection: String,
        pub issuer: String,
        pub subject: String,
        pub user_id: Uuid,
        pub created_at: i64,
        pub decided_at: Option<i64>,
        pub accepted: bool,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod upstream {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "upstream_session")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub session_id: Uuid,
        pub connection: String,
        pub issuer: String,
        pub subject: String,
        pub sid: Option<String>,
        pub sealed: Vec<u8>,
        pub created_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A connection with what opens it, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConnection {
    pub connection: Connection,
    /// Our secret at the provider.
    pub secret: Option<Vec<u8>>,
    /// Our own key, for `private_key_jwt`.
    pub key: Option<Vec<u8>>,
}

/// What a provider said, kept until a password confirms it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLink {
    pub connection: Slug,
    pub user: Id<User>,
    pub sealed: Vec<u8>,
    pub expires_at: Moment,
}

fn stored(model: table::Model) -> Result<StoredConnection, StoreError> {
    let row = Row::new(TABLE, &model.slug);
    let read: Connection = row.json("settings", &model.settings)?;
    let connection = Connection { active: model.active, version: row.number("version", model.version)?, ..read };
    Ok(StoredConnection { connection, secret: model.secret, key: model.key })
}

fn model(stored: &StoredConnection) -> Result<table::Model, StoreError> {
    let connection = &stored.connection;
    Ok(table::Model {
        slug: connection.slug.to_string(),
        issuer: plain(&connection.issuer),
        settings: json(TABLE, connection)?,
        secret: stored.secret.clone(),
        key: stored.key.clone(),
        active: connection.active,
        created_at: connection.created_at.micros(),
        updated_at: connection.updated_at.micros(),
        version: i64::from(connection.version),
    })
}

fn way_in(model: &identity::Model) -> Result<Identity, StoreError> {
    Ok(Identity {
        id: Id::from_uuid(model.id),
        issuer: model.issuer.clone(),
        subject: model.subject.clone(),
        user: Id::from_uuid(model.user_id),
        connection: Row::new(IDENTITY, &model.id).parse("connection", &model.connection)?,
        created_at: Moment::from_micros(model.created_at),
        last_used_at: Moment::from_micros(model.last_used_at),
    })
}

fn asked(model: &request::Model) -> Result<LinkRequest, StoreError> {
    Ok(LinkRequest {
        id: Id::from_uuid(model.id),
        connection: Row::new(REQUEST, &model.id).parse("connection", &model.connection)?,
        issuer: model.issuer.clone(),
        subject: model.subject.clone(),
        user: Id::from_uuid(model.user_id),
        created_at: Moment::from_micros(model.created_at),
        decided_at: model.decided_at.map(Moment::from_micros),
        accepted: model.accepted,
    })
}

fn opened(model: &upstream::Model) -> Result<UpstreamSession, StoreError> {
    Ok(UpstreamSession {
        session: Id::from_uuid(model.session_id),
        connection: Row::new(UPSTREAM, &model.session_id).parse("connection", &model.connection)?,
        issuer: model.issuer.clone(),
        subject: model.subject.clone(),
        sid: model.sid.clone(),
        sealed: model.sealed.clone(),
        created_at: Moment::from_micros(model.created_at),
    })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn connection(&self, slug: &Slug) -> Result<Option<StoredConnection>, StoreError> {
        table::Entity::find_by_id(slug.as_str()).one(&self.db()).await.at(TABLE)?.map(stored).transpose()
    }

    /// All of them, by name, at most 200.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn connection_list(&self) -> Result<Vec<StoredConnection>, StoreError> {
        let query = table::Entity::find().order_by_asc(table::Column::Slug).limit(MOST);
        query.all(&self.db()).await.at(TABLE)?.into_iter().map(stored).collect()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<Identity>, StoreError> {
        let query = identity::Entity::find()
            .filter(identity::Column::Issuer.eq(plain(issuer)))
            .filter(identity::Column::Subject.eq(plain(subject)));
        query.one(&self.db()).await.at(IDENTITY)?.as_ref().map(way_in).transpose()
    }

    /// The oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn identities_of_user(&self, user: Id<User>) -> Result<Vec<Identity>, StoreError> {
        let query = identity::Entity::find().filter(identity::Column::UserId.eq(user.uuid()));
        let rows = query.order_by_asc(identity::Column::CreatedAt).limit(MOST).all(&self.db()).await.at(IDENTITY)?;
        rows.iter().map(way_in).collect()
    }

    /// How many people come in by this connection's provider.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn identity_count(&self, issuer: &str) -> Result<u64, StoreError> {
        identity::Entity::find().filter(identity::Column::Issuer.eq(plain(issuer))).count(&self.db()).await.at(IDENTITY)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn link_request(&self, id: Id<LinkRequest>) -> Result<Option<LinkRequest>, StoreError> {
        request::Entity::find_by_id(id.uuid()).one(&self.db()).await.at(REQUEST)?.as_ref().map(asked).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn link_request_of(&self, issuer: &str, subject: &str) -> Result<Option<LinkRequest>, StoreError> {
        let query =
            request::Entity::find().filter(request::Column::Issuer.eq(plain(issuer))).filter(request::Column::Subject.eq(plain(subject)));
        query.one(&self.db()).await.at(REQUEST)?.as_ref().map(asked).transpose()
    }

    /// Those that nobody decided, the oldest first, at most 200.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn link_requests_open(&self, connection: &Slug) -> Result<Vec<LinkRequest>, StoreError> {
        let query = request::Entity::find()
            .filter(request::Column::Connection.eq(connection.as_str()))
            .filter(request::Column::DecidedAt.is_null())
            .order_by_asc(request::Column::CreatedAt);
        query.limit(MOST).all(&self.db()).await.at(REQUEST)?.iter().map(asked).collect()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn upstream_session(&self, session: Id<Session>) -> Result<Option<UpstreamSession>, StoreError> {
        upstream::Entity::find_by_id(session.uuid()).one(&self.db()).await.at(UPSTREAM)?.as_ref().map(opened).transpose()
    }

    /// The sessions that a provider's word opened: of one of its sessions, or of a subject, or of both.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn upstream_sessions_of(
        &self,
        issuer: &str,
        subject: Option<&str>,
        sid: Option<&str>,
    ) -> Result<Vec<UpstreamSession>, StoreError> {
        if subject.is_none() && sid.is_none() {
            return Ok(Vec::new());
        }
        let mut query = upstream::Entity::find().filter(upstream::Column::Issuer.eq(plain(issuer)));
        if let Some(subject) = subject {
            query = query.filter(upstream::Column::Subject.eq(plain(subject)));
        }
        if let Some(sid) = sid {
            query = query.filter(upstream::Column::Sid.eq(plain(sid)));
        }
        query.limit(1_000).all(&self.db()).await.at(UPSTREAM)?.iter().map(opened).collect()
    }

    /// What waits in this browser for a password, unless it is out of date.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pending_link(&self, digest: &[u8; 32], now: Moment) -> Result<Option<PendingLink>, StoreError> {
        let found = pending::Entity::find_by_id(digest.to_vec()).one(&self.db()).await.at(PENDING)?;
        let Some(model) = found.filter(|model| model.expires_at > now.micros()) else { return Ok(None) };
        Ok(Some(PendingLink {
            connection: Row::new(PENDING, &model.connection).parse("connection", &model.connection)?,
            user: Id::from_uuid(model.user_id),
            sealed: model.sealed,
            expires_at: Moment::from_micros(model.expires_at),
        }))
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn connection_insert(&mut self, new: &StoredConnection) -> Result<(), StoreError> {
        table::Entity::insert(model(new)?.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(drop)
    }

    /// Compare-and-set: `connection.version` is the new one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it changed meanwhile.
    pub async fn connection_save(&mut self, changed: &StoredConnection) -> Result<(), StoreError> {
        let row = model(changed)?;
        let before = row.version.saturating_sub(1);
        let set = table::ActiveModel {
            slug: NotSet,
            created_at: NotSet,
            issuer: Set(row.issuer),
            settings: Set(row.settings),
            secret: Set(row.secret),
            key: Set(row.key),
            active: Set(row.active),
            updated_at: Set(row.updated_at),
            version: Set(row.version),
        };
        let query =
            table::Entity::update_many().set(set).filter(table::Column::Slug.eq(row.slug)).filter(table::Column::Version.eq(before));
        touched(query.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// With who is on the way; the ways in of people stay, for a connection to the same provider. False when it is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn connection_delete(&mut self, slug: &Slug) -> Result<bool, StoreError> {
        Ok(table::Entity::delete_by_id(slug.as_str()).exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// Keeps it under the digest of the browser's word.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn flow_insert(&mut self, digest: &[u8; 32], new: &Flow) -> Result<(), StoreError> {
        let row = flow::Model {
            digest: digest.to_vec(),
            connection: new.connection.to_string(),
            state: plain(&new.state),
            nonce: plain(&new.nonce),
            verifier: plain(&new.verifier),
            return_to: new.return_to.as_deref().map(plain),
            user_id: new.user.map(Id::uuid),
            extra: plain(&new.extra),
            created_at: new.created_at.micros(),
            expires_at: new.expires_at.micros(),
        };
        flow::Entity::insert(row.into_active_model()).exec_without_returning(&self.db()).await.at(FLOW).map(drop)
    }

    /// Takes it away: nobody comes back twice. None when it is not there or out of date.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn flow_take(&mut self, digest: &[u8; 32], now: Moment) -> Result<Option<Flow>, StoreError> {
        let Some(row) = flow::Entity::find_by_id(digest.to_vec()).one(&self.db()).await.at(FLOW)? else { return Ok(None) };
        let gone = flow::Entity::delete_by_id(digest.to_vec()).exec(&self.db()).await.at(FLOW)?.rows_affected;
        if gone == 0 || row.expires_at <= now.micros() {
            return Ok(None);
        }
        Ok(Some(Flow {
            connection: Row::new(FLOW, &row.connection).parse("connection", &row.connection)?,
            state: row.state,
            nonce: row.nonce,
            verifier: row.verifier,
            return_to: row.return_to,
            user: row.user_id.map(Id::from_uuid),
            extra: row.extra,
            created_at: Moment::from_micros(row.created_at),
            expires_at: Moment::from_micros(row.expires_at),
        }))
    }

    /// Out of date: who never came back, and what nobody confirmed. And sessions that ended long ago.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn connection_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        let late = now.micros();
        let flows = flow::Entity::delete_many().filter(flow::Column::ExpiresAt.lte(late)).exec(&self.db()).await.at(FLOW)?;
        let waiting = pending::Entity::delete_many().filter(pending::Column::ExpiresAt.lte(late)).exec(&self.db()).await.at(PENDING)?;
        let old = upstream::Column::CreatedAt.lte(now.plus_days(-2).micros());
        let sessions = upstream::Entity::delete_many().filter(old).exec(&self.db()).await.at(UPSTREAM)?;
        Ok(flows.rows_affected + waiting.rows_affected + sessions.rows_affected)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn pending_link_put(&mut self, digest: &[u8; 32], new: &PendingLink) -> Result<(), StoreError> {
        self.pending_link_delete(digest).await?;
        let row = pending::Model {
            digest: digest.to_vec(),
            connection: new.connection.to_string(),
            user_id: new.user.uuid(),
            sealed: new.sealed.clone(),
            expires_at: new.expires_at.micros(),
        };
        pending::Entity::insert(row.into_active_model()).exec_without_returning(&self.db()).await.at(PENDING).map(drop)
    }

    /// False when somebody else used it up.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pending_link_delete(&mut self, digest: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(pending::Entity::delete_by_id(digest.to_vec()).exec(&self.db()).await.at(PENDING)?.rows_affected > 0)
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the provider's subject stands for somebody already.
    pub async fn identity_insert(&mut self, new: &Identity) -> Result<(), StoreError> {
        let row = identity::Model {
            id: new.id.uuid(),
            issuer: plain(&new.issuer),
            subject: plain(&new.subject),
            user_id: new.user.uuid(),
            connection: new.connection.to_string(),
            created_at: new.created_at.micros(),
            last_used_at: new.last_used_at.micros(),
        };
        identity::Entity::insert(row.into_active_model()).exec_without_returning(&self.db()).await.at(IDENTITY).map(drop)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn identity_used(&mut self, id: Id<Identity>, at: Moment) -> Result<(), StoreError> {
        let set = identity::ActiveModel { last_used_at: Set(at.micros()), ..Default::default() };
        let query = identity::Entity::update_many().set(set).filter(identity::Column::Id.eq(id.uuid()));
        query.exec(&self.db()).await.at(IDENTITY).map(drop)
    }

    /// False when this person has no such way in.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn identity_delete(&mut self, user: Id<User>, id: Id<Identity>) -> Result<bool, StoreError> {
        let query = identity::Entity::delete_many().filter(identity::Column::Id.eq(id.uuid()));
        Ok(query.filter(identity::Column::UserId.eq(user.uuid())).exec(&self.db()).await.at(IDENTITY)?.rows_affected > 0)
    }

    /// All that ties an erased person to providers.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn identities_erase_of_user(&mut self, user: Id<User>) -> Result<(), StoreError> {
        for identity in self.identities_of_user(user).await? {
            let of = upstream::Column::Issuer.eq(plain(&identity.issuer)).and(upstream::Column::Subject.eq(plain(&identity.subject)));
            upstream::Entity::delete_many().filter(of).exec(&self.db()).await.at(UPSTREAM)?;
        }
        let (id, db) = (user.uuid(), self.db());
        identity::Entity::delete_many().filter(identity::Column::UserId.eq(id)).exec(&db).await.at(IDENTITY)?;
        request::Entity::delete_many().filter(request::Column::UserId.eq(id)).exec(&db).await.at(REQUEST)?;
        flow::Entity::delete_many().filter(flow::Column::UserId.eq(id)).exec(&db).await.at(FLOW)?;
        pending::Entity::delete_many().filter(pending::Column::UserId.eq(id)).exec(&db).await.at(PENDING).map(drop)
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the same is asked already.
    pub async fn link_request_insert(&mut self, new: &LinkRequest) -> Result<(), StoreError> {
        let row = request::Model {
            id: new.id.uuid(),
            connection: new.connection.to_string(),
            issuer: plain(&new.issuer),
            subject: plain(&new.subject),
            user_id: new.user.uuid(),
            created_at: new.created_at.micros(),
            decided_at: new.decided_at.map(Moment::micros),
            accepted: new.accepted,
        };
        request::Entity::insert(row.into_active_model()).exec_without_returning(&self.db()).await.at(REQUEST).map(drop)
    }

    /// False when it was decided before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn link_request_decide(&mut self, id: Id<LinkRequest>, accepted: bool, at: Moment) -> Result<bool, StoreError> {
        let set = request::ActiveModel { decided_at: Set(Some(at.micros())), accepted: Set(accepted), ..Default::default() };
        let query = request::Entity::update_many().set(set).filter(request::Column::Id.eq(id.uuid()));
        Ok(query.filter(request::Column::DecidedAt.is_null()).exec(&self.db()).await.at(REQUEST)?.rows_affected > 0)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn link_request_delete(&mut self, id: Id<LinkRequest>) -> Result<(), StoreError> {
        request::Entity::delete_by_id(id.uuid()).exec(&self.db()).await.at(REQUEST).map(drop)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn upstream_session_put(&mut self, new: &UpstreamSession) -> Result<(), StoreError> {
        let row = upstream::Model {
            session_id: new.session.uuid(),
            connection: new.connection.to_string(),
            issuer: plain(&new.issuer),
            subject: plain(&new.subject),
            sid: new.sid.as_deref().map(plain),
            sealed: new.sealed.clone(),
            created_at: new.created_at.micros(),
        };
        let again = OnConflict::column(upstream::Column::SessionId)
            .update_columns([upstream::Column::Sid, upstream::Column::Sealed, upstream::Column::CreatedAt])
            .to_owned();
        upstream::Entity::insert(row.into_active_model()).on_conflict(again).exec_without_returning(&self.db()).await.at(UPSTREAM).map(drop)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn upstream_session_delete(&mut self, session: Id<Session>) -> Result<(), StoreError> {
        upstream::Entity::delete_by_id(session.uuid()).exec(&self.db()).await.at(UPSTREAM).map(drop)
    }
}

#[cfg(test)]
mod tests;
