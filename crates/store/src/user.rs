//! People, where they belong, and the roles they hold.

use octroi_domain::{
    Id, Moment, Slug,
    api::ApiName,
    authentication::Session,
    fold,
    organization::Organization,
    user::{Membership, Perimeter, Role, RoleGrant, User},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{OnConflict, Query},
};

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx,
    error::At,
    row::{CHUNK, Row, before, beginnings, plain, touched, word},
    session::table as session_table,
    visible::texts,
};

pub(crate) const TABLE: &str = "user";
const MEMBERSHIP: &str = "membership";
const ROLE: &str = "role_grant";

pub(crate) mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "user")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub email: String,
        pub given_name: String,
        pub family_name: String,
        pub language: String,
        pub password_hash: Option<String>,
        pub created_at: i64,
        pub search: String,
        pub email_verified_at: Option<i64>,
        pub deleted_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod membership {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "membership")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        pub level: String,
        pub created_at: i64,
        pub external: bool,
        pub proof: String,
        pub proved_at: i64,
        pub proved_by: Option<Uuid>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod role_grant {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "role_grant")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub role: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub perimeter: String,
        pub created_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

fn user(model: Model) -> Result<User, StoreError> {
    let language = Row::new(TABLE, &model.id).word("language", &model.language)?;
    Ok(User {
        id: Id::from_uuid(model.id),
        email: model.email,
        given_name: model.given_name,
        family_name: model.family_name,
        language,
        created_at: Moment::from_micros(model.created_at),
        email_verified_at: model.email_verified_at.map(Moment::from_micros),
    })
}

fn belongs(model: membership::Model) -> Result<Membership, StoreError> {
    let row = Row::new(MEMBERSHIP, &model.user_id);
    Ok(Membership {
        level: row.word("level", &model.level)?,
        proof: row.word("proof", &model.proof)?,
        user: Id::from_uuid(model.user_id),
        organization: Id::from_uuid(model.organization_id),
        external: model.external,
        created_at: Moment::from_micros(model.created_at),
        proved_at: Moment::from_micros(model.proved_at),
        proved_by: model.proved_by.map(Id::from_uuid),
    })
}

fn held(model: &role_grant::Model) -> Result<RoleGrant, StoreError> {
    let row = Row::new(ROLE, &model.user_id);
    Ok(RoleGrant { role: row.parse("role", &model.role)?, perimeter: row.parse("perimeter", &model.perimeter)? })
}

/// What a search looks through: names and address.
fn searched(user: &User) -> String {
    fold::folded(&format!("{} {}", user.full_name(), user.email))
}

/// One address, one spelling.
fn folded(email: &str) -> String {
    plain(email.trim()).to_lowercase()
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn user_by_id(&self, id: Id<User>) -> Result<Option<User>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.map(user).transpose()
    }

    /// Those of `ids` that exist, in no order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn users_by_ids(&self, ids: &[Id<User>]) -> Result<Vec<User>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(CHUNK) {
            let rows = Entity::find().filter(Column::Id.is_in(some.iter().map(|id| id.uuid()))).all(&self.db()).await.at(TABLE)?;
            for row in rows {
                found.push(user(row)?);
            }
        }
        Ok(found)
    }

    /// In any spelling of upper and lower case.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        Entity::find().filter(Column::Email.eq(folded(email))).one(&self.db()).await.at(TABLE)?.map(user).transpose()
    }

    /// The hash of the password; none when the person has no password or does not exist.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn user_password(&self, id: Id<User>) -> Result<Option<String>, StoreError> {
        Ok(Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.and_then(|model| model.password_hash))
    }

    /// Newest first; those whose names or address have each word of `text` at the beginning of a word.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn user_list(&self, text: Option<&str>, page: Page) -> Result<Listing<User>, StoreError> {
        let mut query = Entity::find().filter(beginnings(Column::Search, text.unwrap_or_default()));
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Id, (after.at, after.uuid())));
        }
        let query = query.order_by(Column::CreatedAt, Order::Desc).order_by(Column::Id, Order::Desc).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.created_at, row.id), user)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn memberships_of_user(&self, user: Id<User>) -> Result<Vec<Membership>, StoreError> {
        let query = membership::Entity::find().filter(membership::Column::UserId.eq(user.uuid()));
        let rows = query.order_by(membership::Column::CreatedAt, Order::Asc).all(&self.db()).await.at(MEMBERSHIP)?;
        rows.into_iter().map(belongs).collect()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn memberships_of_organization(&self, organization: Id<Organization>) -> Result<Vec<Membership>, StoreError> {
        let query = membership::Entity::find().filter(membership::Column::OrganizationId.eq(organization.uuid()));
        let rows = query.order_by(membership::Column::CreatedAt, Order::Asc).limit(10_000).all(&self.db()).await.at(MEMBERSHIP)?;
        rows.into_iter().map(belongs).collect()
    }

    /// The link between a person and an organisation, if there is one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn membership(&self, user: Id<User>, organization: Id<Organization>) -> Result<Option<Membership>, StoreError> {
        let found = membership::Entity::find_by_id((user.uuid(), organization.uuid())).one(&self.db()).await.at(MEMBERSHIP)?;
        found.map(belongs).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn roles_of_user(&self, user: Id<User>) -> Result<Vec<RoleGrant>, StoreError> {
        let query = role_grant::Entity::find().filter(role_grant::Column::UserId.eq(user.uuid()));
        let rows = query.order_by(role_grant::Column::CreatedAt, Order::Asc).all(&self.db()).await.at(ROLE)?;
        rows.iter().map(held).collect()
    }

    /// Everybody's roles, at most 10,000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn role_list(&self) -> Result<Vec<(Id<User>, RoleGrant)>, StoreError> {
        let query = role_grant::Entity::find().order_by(role_grant::Column::CreatedAt, Order::Asc).limit(10_000);
        let rows = query.all(&self.db()).await.at(ROLE)?;
        rows.iter().map(|row| Ok((Id::from_uuid(row.user_id), held(row)?))).collect()
    }

    /// Who holds which role in these perimeters, the longest held first, at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn roles_in(&self, perimeters: &[Perimeter]) -> Result<Vec<(Id<User>, RoleGrant)>, StoreError> {
        let query = role_grant::Entity::find().filter(role_grant::Column::Perimeter.is_in(texts(perimeters)));
        let rows = query.order_by(role_grant::Column::CreatedAt, Order::Asc).limit(1_000).all(&self.db()).await.at(ROLE)?;
        rows.iter().map(|row| Ok((Id::from_uuid(row.user_id), held(row)?))).collect()
    }

    /// The people who hold `role` in any of these perimeters, each once.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn role_holders(&self, role: Role, perimeters: &[Perimeter]) -> Result<Vec<User>, StoreError> {
        let query = role_grant::Entity::find()
            .filter(role_grant::Column::Role.eq(role.as_str()))
            .filter(role_grant::Column::Perimeter.is_in(texts(perimeters)));
        let rows = query.limit(10_000).all(&self.db()).await.at(ROLE)?;
        let mut ids: Vec<Id<User>> = rows.iter().map(|row| Id::from_uuid(row.user_id)).collect();
        ids.sort_unstable();
        ids.dedup();
        self.users_by_ids(&ids).await
    }

    /// The people who hold `role` for a definition, or for its whole provider.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn users_covering_definition(&self, role: Role, definition: &Slug, provider: &Slug) -> Result<Vec<User>, StoreError> {
        self.role_holders(role, &[Perimeter::Definition(definition.clone()), Perimeter::Provider(provider.clone())]).await
    }

    /// The people who hold `role` for an API, or for its whole provider.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn users_covering_api(&self, role: Role, api: &ApiName) -> Result<Vec<User>, StoreError> {
        self.role_holders(role, &[Perimeter::Api(api.clone()), Perimeter::Provider(api.provider.clone())]).await
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the address is taken.
    pub async fn user_insert(&mut self, user: &User, password_hash: Option<&str>) -> Result<(), StoreError> {
        let model = Model {
            id: user.id.uuid(),
            email: folded(&user.email),
            given_name: plain(&user.given_name),
            family_name: plain(&user.family_name),
            language: word(&user.language),
            password_hash: password_hash.map(str::to_owned),
            created_at: user.created_at.micros(),
            search: searched(user),
            email_verified_at: user.email_verified_at.map(Moment::micros),
            deleted_at: None,
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Somebody whom nobody else changes until this transaction ends; none when their account was deleted. What is changed of an account, or
    /// made for it, is decided on what is read here: on what was read before, one of two changes at once undoes the other.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn user_lock(&mut self, id: Id<User>) -> Result<Option<User>, StoreError> {
        let query = Entity::find_by_id(id.uuid()).filter(Column::DeletedAt.is_null()).lock_exclusive();
        query.one(&self.db()).await.at(TABLE)?.map(user).transpose()
    }

    /// The same, for who acts in a session; none when it ended meanwhile, too.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn user_lock_in(&mut self, id: Id<User>, session: Id<Session>) -> Result<Option<User>, StoreError> {
        let of = session_table::Column::UserId;
        let open =
            Query::select().column(of).from(session_table::Entity).and_where(session_table::Column::Id.eq(session.uuid())).to_owned();
        let query = Entity::find_by_id(id.uuid()).filter(Column::DeletedAt.is_null()).filter(Column::Id.in_subquery(open));
        let Some(found) = query.lock_exclusive().one(&self.db()).await.at(TABLE)? else { return Ok(None) };
        // PostgreSQL looks for the session before it waits for the lock.
        if self.db().get_database_backend() == DbBackend::Postgres && !self.session_is_there(session).await? {
            return Ok(None);
        }
        user(found).map(Some)
    }

    /// Names, language, address, and since when it is verified.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the address is taken, or the person is not there, or was deleted.
    pub async fn user_save(&mut self, user: &User) -> Result<(), StoreError> {
        let model = table::ActiveModel {
            email: Set(folded(&user.email)),
            given_name: Set(plain(&user.given_name)),
            family_name: Set(plain(&user.family_name)),
            language: Set(word(&user.language)),
            search: Set(searched(user)),
            email_verified_at: Set(user.email_verified_at.map(Moment::micros)),
            ..Default::default()
        };
        let there = Entity::update_many().set(model).filter(Column::Id.eq(user.id.uuid())).filter(Column::DeletedAt.is_null());
        touched(there.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the person is not there, or was deleted.
    pub async fn user_set_password(&mut self, id: Id<User>, hash: &str) -> Result<(), StoreError> {
        let model = table::ActiveModel { password_hash: Set(Some(hash.to_owned())), ..Default::default() };
        let there = Entity::update_many().set(model).filter(Column::Id.eq(id.uuid())).filter(Column::DeletedAt.is_null());
        touched(there.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// The same password under another hash; false when another was chosen meanwhile, which stays.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn user_rehash_password(&mut self, id: Id<User>, before: &str, hash: &str) -> Result<bool, StoreError> {
        let model = table::ActiveModel { password_hash: Set(Some(hash.to_owned())), ..Default::default() };
        let same = Entity::update_many().set(model).filter(Column::Id.eq(id.uuid())).filter(Column::PasswordHash.eq(before));
        Ok(same.exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// Whoever knew the password knows nothing now.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the person is not there.
    pub async fn user_forget_password(&mut self, id: Id<User>) -> Result<(), StoreError> {
        let model = table::ActiveModel { password_hash: Set(None), ..Default::default() };
        let result = Entity::update_many().set(model).filter(Column::Id.eq(id.uuid())).exec(&self.db()).await;
        touched(result.map(|result| result.rows_affected), TABLE)
    }

    /// Takes everything from an account that is not evidence: names, address, password, links, roles and all that opens it. The row and its id
    /// stay, for the requests and the ledger name it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the person is not there.
    pub async fn user_erase(&mut self, erased: &User, at: Moment) -> Result<(), StoreError> {
        self.user_save(erased).await?;
        let model = table::ActiveModel { password_hash: Set(None), deleted_at: Set(Some(at.micros())), ..Default::default() };
        let result = Entity::update_many().set(model).filter(Column::Id.eq(erased.id.uuid())).exec(&self.db()).await;
        touched(result.map(|result| result.rows_affected), TABLE)?;
        let (id, db) = (erased.id.uuid(), self.db());
        membership::Entity::delete_many().filter(membership::Column::UserId.eq(id)).exec(&db).await.at(MEMBERSHIP)?;
        role_grant::Entity::delete_many().filter(role_grant::Column::UserId.eq(id)).exec(&db).await.at(ROLE)?;
        self.session_delete_of_user(erased.id).await?;
        self.consent_delete_of_user(erased.id).await?;
        self.joining_erase_of_user(erased.id).await?;
        self.identities_erase_of_user(erased.id).await?;
        self.factors_delete_of_user(erased.id).await
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the link is there, or one of its ends is not.
    pub async fn membership_insert(&mut self, membership: &Membership) -> Result<(), StoreError> {
        let model = membership::Model {
            user_id: membership.user.uuid(),
            organization_id: membership.organization.uuid(),
            level: word(&membership.level),
            created_at: membership.created_at.micros(),
            external: membership.external,
            proof: word(&membership.proof),
            proved_at: membership.proved_at.micros(),
            proved_by: membership.proved_by.map(Id::uuid),
        };
        membership::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(MEMBERSHIP).map(|_| ())
    }

    /// Says how sure the link is, and by what; makes it when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of its ends is not there.
    pub async fn membership_put(&mut self, membership: &Membership) -> Result<(), StoreError> {
        let change = membership::ActiveModel {
            level: Set(word(&membership.level)),
            external: Set(membership.external),
            proof: Set(word(&membership.proof)),
            proved_at: Set(membership.proved_at.micros()),
            proved_by: Set(membership.proved_by.map(Id::uuid)),
            ..Default::default()
        };
        let update = membership::Entity::update_many()
            .set(change)
            .filter(membership::Column::UserId.eq(membership.user.uuid()))
            .filter(membership::Column::OrganizationId.eq(membership.organization.uuid()));
        if update.exec(&self.db()).await.at(MEMBERSHIP)?.rows_affected > 0 { Ok(()) } else { self.membership_insert(membership).await }
    }

    /// Ends a link; false when it was not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn membership_remove(&mut self, user: Id<User>, organization: Id<Organization>) -> Result<bool, StoreError> {
        let result = membership::Entity::delete_by_id((user.uuid(), organization.uuid())).exec(&self.db()).await.at(MEMBERSHIP)?;
        Ok(result.rows_affected > 0)
    }

    /// Gives a role; false when it was held already.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the person is not there.
    pub async fn role_add(&mut self, user: Id<User>, grant: &RoleGrant, at: Moment) -> Result<bool, StoreError> {
        let model = role_grant::Model {
            user_id: user.uuid(),
            role: grant.role.to_string(),
            perimeter: grant.perimeter.to_string(),
            created_at: at.micros(),
        };
        let insert = role_grant::Entity::insert(model.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.db())
            .await;
        match insert {
            Ok(rows) => Ok(rows > 0),
            Err(sea_orm::DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(error).at(ROLE),
        }
    }

    /// Takes a role back; false when it was not held.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn role_remove(&mut self, user: Id<User>, grant: &RoleGrant) -> Result<bool, StoreError> {
        let key = (user.uuid(), grant.role.to_string(), grant.perimeter.to_string());
        let result = role_grant::Entity::delete_by_id(key).exec(&self.db()).await.at(ROLE)?;
        Ok(result.rows_affected > 0)
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::{
        authentication::{Authentication, Method},
        user::{LinkLevel, LinkProof},
    };

    use super::*;
    use crate::testing::{Town, at, each, user as new_user};

    #[test]
    fn people_are_known_by_their_address_in_any_case() {
        each(async |store| {
            let town = Town::found(&store).await;
            let reader = store.read();
            assert_eq!(reader.user_by_email(" ADA@ville.EXAMPLE ").await.unwrap(), Some(town.applicant.clone()));
            assert_eq!(reader.user_by_id(town.applicant.id).await.unwrap(), Some(town.applicant.clone()));
            assert_eq!(reader.user_password(town.applicant.id).await.unwrap().as_deref(), Some("$argon2id$…"));
            assert_eq!(reader.user_by_email("nobody@ville.example").await.unwrap(), None);
            let mut tx = store.write().await.unwrap();
            let twin = User { email: "ADA@VILLE.example".into(), ..new_user("x", "A", "L") };
            assert!(tx.user_insert(&twin, None).await.unwrap_err().is_duplicate());
            drop(tx);
            let mut tx = store.write().await.unwrap();
            tx.user_set_password(town.applicant.id, "new").await.unwrap();
            tx.user_save(&User { family_name: "Byron".into(), ..town.applicant.clone() }).await.unwrap();
            assert!(tx.user_save(&twin).await.unwrap_err().is_stale());
            tx.commit().await.unwrap();
            assert_eq!(reader.user_password(town.applicant.id).await.unwrap().as_deref(), Some("new"));
            assert_eq!(reader.user_by_id(town.applicant.id).await.unwrap().unwrap().full_name(), "Ada Byron");
            let mut tx = store.write().await.unwrap();
            assert!(!tx.user_rehash_password(town.applicant.id, "old", "the old one again").await.unwrap(), "another was chosen since");
            assert!(tx.user_rehash_password(town.applicant.id, "new", "the new one again").await.unwrap());
            tx.commit().await.unwrap();
            assert_eq!(reader.user_list(None, Page::first(1)).await.unwrap().items.len(), 1);
            for (text, found) in [("ada BYRON", 1), ("ville.example", 1), ("lovelace", 0), ("example", 2)] {
                assert_eq!(reader.user_list(Some(text), Page::first(9)).await.unwrap().items.len(), found, "{text}");
            }
        });
    }

    /// What was read before the account ended is not written back over it.
    #[test]
    fn who_was_deleted_does_not_come_back() {
        each(async |store| {
            let town = Town::found(&store).await;
            let mut tx = store.write().await.unwrap();
            let before = tx.user_lock(town.applicant.id).await.unwrap().unwrap();
            let session = Session {
                id: Id::from_uuid(uuid::Uuid::now_v7()),
                user: town.applicant.id,
                authentication: Authentication { at: at(0), methods: vec![Method::Password] },
                created_at: at(0),
                last_seen_at: at(0),
                expires_at: at(99),
                address: String::new(),
                agent: String::new(),
            };
            assert_eq!(tx.user_lock_in(town.applicant.id, session.id).await.unwrap(), None);
            tx.session_insert(&[1; 32], &session).await.unwrap();
            assert_eq!(tx.user_lock_in(town.applicant.id, session.id).await.unwrap(), Some(before.clone()));
            tx.session_delete_by_id(session.id).await.unwrap();
            assert_eq!(tx.user_lock_in(town.applicant.id, session.id).await.unwrap(), None);
            tx.session_insert(&[1; 32], &session).await.unwrap();
            let erased = User { email: "gone@deleted.invalid".into(), given_name: "x".into(), ..before.clone() };
            tx.user_erase(&erased, at(9)).await.unwrap();
            tx.commit().await.unwrap();
            let mut tx = store.write().await.unwrap();
            assert_eq!(tx.user_lock(town.applicant.id).await.unwrap(), None);
            assert_eq!(tx.user_lock_in(town.applicant.id, session.id).await.unwrap(), None);
            assert!(tx.user_save(&before).await.unwrap_err().is_stale());
            drop(tx);
            let mut tx = store.write().await.unwrap();
            assert!(tx.user_set_password(town.applicant.id, "new").await.unwrap_err().is_stale());
            drop(tx);
            assert_eq!(store.read().user_by_id(town.applicant.id).await.unwrap().unwrap().email, "gone@deleted.invalid");
        });
    }

    #[test]
    fn memberships_and_roles() {
        each(async |store| {
            let town = Town::found(&store).await;
            let (ada, rex) = (town.applicant.id, town.reviewer.id);
            let grant = |role, perimeter: &str| RoleGrant { role, perimeter: perimeter.parse().unwrap() };
            let link = Membership::new(ada, town.hall.id, LinkLevel::Verified, LinkProof::Domain, at(2));
            let mut tx = store.write().await.unwrap();
            tx.membership_insert(&link).await.unwrap();
            for (user, role, perimeter, new) in [
                (rex, Role::Reviewer, "definition:canteen", true),
                (rex, Role::Reviewer, "definition:canteen", false),
                (rex, Role::Reviewer, "provider:dinum", true),
                (rex, Role::Subscriber, "provider:dinum", true),
                (ada, Role::ApiAdministrator, "api:dinum/family", true),
                (ada, Role::Operator, "platform", true),
            ] {
                assert_eq!(tx.role_add(user, &grant(role, perimeter), at(3)).await.unwrap(), new, "{perimeter}");
            }
            tx.commit().await.unwrap();
            let reader = store.read();
            assert_eq!(reader.memberships_of_user(ada).await.unwrap(), std::slice::from_ref(&link));
            assert_eq!(reader.memberships_of_organization(town.hall.id).await.unwrap(), [link]);
            assert_eq!(reader.roles_of_user(rex).await.unwrap().len(), 3);
            assert_eq!(reader.role_list().await.unwrap().len(), 5);
            assert_eq!(reader.roles_in(&["provider:dinum".parse().unwrap()]).await.unwrap().len(), 2);
            let (canteen, dinum) = (&town.definition, &"dinum".parse().unwrap());
            let covering = async |role, definition: &Slug| reader.users_covering_definition(role, definition, dinum).await.unwrap();
            assert_eq!(covering(Role::Reviewer, canteen).await, std::slice::from_ref(&town.reviewer));
            assert_eq!(covering(Role::Subscriber, &"other".parse().unwrap()).await, std::slice::from_ref(&town.reviewer));
            assert_eq!(covering(Role::Operator, canteen).await, []);
            assert_eq!(reader.users_covering_api(Role::ApiAdministrator, &town.api).await.unwrap(), [town.applicant]);
            let mut tx = store.write().await.unwrap();
            assert!(tx.role_remove(rex, &grant(Role::Subscriber, "provider:dinum")).await.unwrap());
            assert!(!tx.role_remove(rex, &grant(Role::Subscriber, "provider:dinum")).await.unwrap());
            tx.commit().await.unwrap();
            assert_eq!(covering(Role::Subscriber, canteen).await, []);
        });
    }

    #[test]
    fn a_link_is_made_once_and_changes() {
        each(async |store| {
            let town = Town::found(&store).await;
            let link = |level| Membership::new(town.applicant.id, town.hall.id, level, LinkProof::Recorded, at(2));
            let held = async || store.read().memberships_of_user(town.applicant.id).await.unwrap();
            for level in [LinkLevel::Unverified, LinkLevel::Certified] {
                let mut tx = store.write().await.unwrap();
                tx.membership_put(&link(level)).await.unwrap();
                tx.commit().await.unwrap();
                assert_eq!(held().await, [link(level)]);
            }
            let mut tx = store.write().await.unwrap();
            assert!(tx.membership_remove(town.applicant.id, town.hall.id).await.unwrap());
            assert!(!tx.membership_remove(town.applicant.id, town.hall.id).await.unwrap());
            tx.commit().await.unwrap();
            assert_eq!(held().await, []);
        });
    }
}
