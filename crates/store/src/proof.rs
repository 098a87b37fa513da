//! What is waited for in a browser: codes and links that were sent by mail, second factors; and the browsers that somebody signed in with.

use octroi_domain::{
    Id, Moment,
    account::{Proof, ProofKind},
    authentication::Method,
    user::User,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, OnConflict},
};

use crate::{
    Reader, Store, StoreError, Tx,
    error::At,
    row::{Row, plain, touched, word},
};

const TABLE: &str = "proof";
const KNOWN: &str = "known_browser";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "proof")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub kind: String,
        pub browser: Vec<u8>,
        pub user_id: Option<Uuid>,
        pub email: String,
        pub code: Option<Vec<u8>>,
        pub link: Option<Vec<u8>>,
        pub methods: String,
        pub tries: i64,
        pub created_at: i64,
        pub expires_at: i64,
        pub proven_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod known {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "known_browser")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub browser: Vec<u8>,
        pub last_used_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{ActiveModel, Column, Entity, Model};

fn proof(model: &Model) -> Result<Proof, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let digest = |column, bytes: Option<&Vec<u8>>| bytes.map(|bytes| row.bytes32(column, bytes)).transpose();
    Ok(Proof {
        id: Id::from_uuid(model.id),
        kind: row.word("kind", &model.kind)?,
        browser: row.bytes32("browser", &model.browser)?,
        user: model.user_id.map(Id::from_uuid),
        email: model.email.clone(),
        code: digest("code", model.code.as_ref())?,
        link: digest("link", model.link.as_ref())?,
        methods: model.methods.split_ascii_whitespace().map(|word| row.word("methods", word)).collect::<Result<_, _>>()?,
        tries: model.tries,
        created_at: Moment::from_micros(model.created_at),
        expires_at: Moment::from_micros(model.expires_at),
        proven_at: model.proven_at.map(Moment::from_micros),
    })
}

impl Reader {
    /// What this browser waits for, unless it is out of date at `now`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn proof_of_browser(&self, browser: &[u8; 32], kind: ProofKind, now: Moment) -> Result<Option<Proof>, StoreError> {
        let query = Entity::find().filter(Column::Browser.eq(browser.to_vec())).filter(Column::Kind.eq(kind.as_str()));
        let found = query.filter(Column::ExpiresAt.gt(now.micros())).one(&self.db()).await.at(TABLE)?;
        found.as_ref().map(proof).transpose()
    }

    /// What a link stands for, unless it is out of date at `now`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn proof_by_link(&self, link: &[u8; 32], now: Moment) -> Result<Option<Proof>, StoreError> {
        let query = Entity::find().filter(Column::Link.eq(link.to_vec())).filter(Column::ExpiresAt.gt(now.micros()));
        query.one(&self.db()).await.at(TABLE)?.as_ref().map(proof).transpose()
    }

    /// Did this person sign in with this browser before?
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn browser_is_known(&self, user: Id<User>, browser: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(known::Entity::find_by_id((user.uuid(), browser.to_vec())).one(&self.db()).await.at(KNOWN)?.is_some())
    }
}

impl Store {
    /// Counts a try of a code, in a transaction of its own; false when the proof has no tries left or is gone.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn proof_try(&self, id: Id<Proof>, most: i64) -> Result<bool, StoreError> {
        let tx = self.write().await?;
        let update = Entity::update_many()
            .col_expr(Column::Tries, Expr::col(Column::Tries).add(1))
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::Tries.lt(most));
        let counted = update.exec(&tx.db()).await.at(TABLE)?.rows_affected > 0;
        tx.commit().await?;
        Ok(counted)
    }
}

impl Tx {
    /// Waits for it in its browser, instead of what that browser waited for of the same kind.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn proof_put(&mut self, proof: &Proof) -> Result<(), StoreError> {
        let same = Condition::all().add(Column::Browser.eq(proof.browser.to_vec())).add(Column::Kind.eq(proof.kind.as_str()));
        Entity::delete_many().filter(same).exec(&self.db()).await.at(TABLE)?;
        let methods: Vec<String> = proof.methods.iter().map(|method: &Method| word(method)).collect();
        let model = Model {
            id: proof.id.uuid(),
            kind: proof.kind.as_str().to_owned(),
            browser: proof.browser.to_vec(),
            user_id: proof.user.map(Id::uuid),
            email: plain(&proof.email),
            code: proof.code.map(|code| code.to_vec()),
            link: proof.link.map(|link| link.to_vec()),
            methods: methods.join(" "),
            tries: proof.tries,
            created_at: proof.created_at.micros(),
            expires_at: proof.expires_at.micros(),
            proven_at: proof.proven_at.map(Moment::micros),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Notes that the address was proven; the proof may be gone on from until `expires`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it had been, or is gone: two that prove at once do it once.
    pub async fn proof_proven(&mut self, id: Id<Proof>, at: Moment, expires: Moment) -> Result<(), StoreError> {
        let model = ActiveModel { proven_at: Set(Some(at.micros())), expires_at: Set(expires.micros()), ..Default::default() };
        let update = Entity::update_many().set(model).filter(Column::Id.eq(id.uuid())).filter(Column::ProvenAt.is_null());
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// Uses a proof up.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it was used: two that come at once are one.
    pub async fn proof_use(&mut self, id: Id<Proof>) -> Result<(), StoreError> {
        touched(Entity::delete_by_id(id.uuid()).exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// What was sent for an account and not used: a password that changed, an address that did.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn proof_delete_of_user(&mut self, user: Id<User>) -> Result<(), StoreError> {
        Entity::delete_many().filter(Column::UserId.eq(user.uuid())).exec(&self.db()).await.at(TABLE).map(drop)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn proof_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        Ok(Entity::delete_many().filter(Column::ExpiresAt.lte(now.micros())).exec(&self.db()).await.at(TABLE)?.rows_affected)
    }

    /// This person signs in with this browser.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn browser_put(&mut self, user: Id<User>, browser: &[u8; 32], at: Moment) -> Result<(), StoreError> {
        let model = known::Model { user_id: user.uuid(), browser: browser.to_vec(), last_used_at: at.micros() };
        let newer =
            OnConflict::columns([known::Column::UserId, known::Column::Browser]).update_column(known::Column::LastUsedAt).to_owned();
        known::Entity::insert(model.into_active_model()).on_conflict(newer).exec_without_returning(&self.db()).await.at(KNOWN).map(drop)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn browser_delete_of_user(&mut self, user: Id<User>) -> Result<(), StoreError> {
        known::Entity::delete_many().filter(known::Column::UserId.eq(user.uuid())).exec(&self.db()).await.at(KNOWN).map(drop)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn browser_purge(&mut self, last_used_before: Moment) -> Result<u64, StoreError> {
        let query = known::Entity::delete_many().filter(known::Column::LastUsedAt.lt(last_used_before.micros()));
        Ok(query.exec(&self.db()).await.at(KNOWN)?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::account::CODE_TRIES;

    use super::*;
    use crate::testing::{Town, at, each};

    #[test]
    fn a_proof_is_waited_for_tried_and_used_once() {
        each(async |store| {
            let town = Town::found(&store).await;
            let proof = |id: u128, link| Proof {
                id: Id::from_uuid(uuid::Uuid::from_u128(id)),
                kind: ProofKind::SignIn,
                browser: [1; 32],
                user: Some(town.applicant.id),
                email: "ada@ville.example".into(),
                code: Some([2; 32]),
                link: Some(link),
                methods: vec![Method::Password],
                tries: 0,
                created_at: at(0),
                expires_at: at(100),
                proven_at: None,
            };
            let mut tx = store.write().await.unwrap();
            tx.proof_put(&proof(1, [3; 32])).await.unwrap();
            tx.proof_put(&proof(2, [4; 32])).await.unwrap();
            tx.commit().await.unwrap();
            let reader = store.read();
            // The second took the place of the first.
            assert_eq!(reader.proof_by_link(&[3; 32], at(0)).await.unwrap(), None);
            let kept = reader.proof_of_browser(&[1; 32], ProofKind::SignIn, at(0)).await.unwrap().unwrap();
            assert_eq!((&kept, reader.proof_by_link(&[4; 32], at(99)).await.unwrap()), (&proof(2, [4; 32]), Some(kept.clone())));
            assert_eq!(reader.proof_by_link(&[4; 32], at(100)).await.unwrap(), None);
            assert_eq!(reader.proof_of_browser(&[1; 32], ProofKind::Reset, at(0)).await.unwrap(), None);
            for _ in 0..CODE_TRIES {
                assert!(store.proof_try(kept.id, CODE_TRIES).await.unwrap());
            }
            assert!(!store.proof_try(kept.id, CODE_TRIES).await.unwrap());
            let mut tx = store.write().await.unwrap();
            tx.proof_proven(kept.id, at(5), at(200)).await.unwrap();
            assert!(tx.proof_proven(kept.id, at(6), at(200)).await.unwrap_err().is_stale());
            tx.proof_use(kept.id).await.unwrap();
            assert!(tx.proof_use(kept.id).await.unwrap_err().is_stale());
            tx.proof_put(&proof(3, [5; 32])).await.unwrap();
            assert_eq!(tx.proof_purge(at(99)).await.unwrap(), 0);
            assert_eq!(tx.proof_purge(at(100)).await.unwrap(), 1);
            tx.browser_put(town.applicant.id, &[7; 32], at(1)).await.unwrap();
            tx.browser_put(town.applicant.id, &[7; 32], at(9)).await.unwrap();
            assert!(tx.browser_is_known(town.applicant.id, &[7; 32]).await.unwrap());
            assert!(!tx.browser_is_known(town.reviewer.id, &[7; 32]).await.unwrap());
            assert_eq!(tx.browser_purge(at(9)).await.unwrap(), 0);
            assert_eq!(tx.browser_purge(at(10)).await.unwrap(), 1);
            tx.commit().await.unwrap();
        });
    }
}
