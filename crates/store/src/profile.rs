//! What is known of an organisation: the directory's facts, the official contact, e-mail domains.

use octroi_domain::{
    Id, Moment,
    directory::{Facts, Source, Standing},
    email_domain::EmailDomain,
    joining::{KnownDomain, Profile},
    organization::{Organization, RegistryId},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, Order, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Reader, StoreError, Tx,
    error::At,
    row::{Row, json, plain, touched, word},
};

const TABLE: &str = "organization_profile";
const DOMAIN: &str = "organization_domain";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "organization_profile")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        /// When the directory was last asked; 0: never.
        pub asked_at: i64,
        /// False: it answered that there is no such number.
        pub known: bool,
        pub source: Option<String>,
        pub facts: Option<String>,
        pub fetched_at: Option<i64>,
        pub official_contact: Option<String>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod domain {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "organization_domain")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub domain: String,
        pub state: String,
        pub set_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{ActiveModel, Column, Entity, Model};

/// Domains that are read of one organisation, at most.
const DOMAINS: u64 = 500;

fn profile(model: Model) -> Result<Profile, StoreError> {
    let row = Row::new(TABLE, &model.organization_id);
    let standing = match (&model.facts, &model.source, model.fetched_at) {
        (Some(facts), Some(source), Some(at)) => {
            let facts: Facts = row.json("facts", facts)?;
            let source: Source = row.word("source", source)?;
            Standing::Known { facts, source, fetched_at: Moment::from_micros(at) }
        }
        _ if !model.known => Standing::Unknown { asked_at: Moment::from_micros(model.asked_at) },
        _ => Standing::Unverified,
    };
    Ok(Profile { standing, official_contact: model.official_contact })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn profile(&self, organization: Id<Organization>) -> Result<Profile, StoreError> {
        let found = Entity::find_by_id(organization.uuid()).one(&self.db()).await.at(TABLE)?;
        Ok(found.map(profile).transpose()?.unwrap_or(Profile { standing: Standing::Unverified, official_contact: None }))
    }

    /// What is known of the organisation's domains, in the order of the alphabet.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn domains_of(&self, organization: Id<Organization>) -> Result<Vec<KnownDomain>, StoreError> {
        let query = domain::Entity::find().filter(domain::Column::OrganizationId.eq(organization.uuid()));
        let rows = query.order_by(domain::Column::Domain, Order::Asc).limit(DOMAINS).all(&self.db()).await.at(DOMAIN)?;
        let known = |model: domain::Model| {
            let row = Row::new(DOMAIN, &model.organization_id);
            let state = row.word("state", &model.state)?;
            Ok(KnownDomain { domain: row.parse("domain", &model.domain)?, state, set_at: Moment::from_micros(model.set_at) })
        };
        rows.into_iter().map(known).collect()
    }

    /// The organisations that the directory was not asked about since `before`, the longest ago first. Foreign ones never are.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn profiles_due(&self, before: Moment, limit: u64) -> Result<Vec<Organization>, StoreError> {
        let query = Entity::find().filter(Column::AskedAt.lt(before.micros())).order_by(Column::AskedAt, Order::Asc).limit(limit);
        let due = query.all(&self.db()).await.at(TABLE)?;
        let ids: Vec<Id<Organization>> = due.iter().map(|model| Id::from_uuid(model.organization_id)).collect();
        let mut found = self.organizations_by_ids(&ids).await?;
        found.sort_by_key(|organization| ids.iter().position(|id| *id == organization.id));
        Ok(found)
    }
}

impl Tx {
    /// A new organisation has a profile from its first moment: a foreign one is never due.
    pub(crate) async fn profile_begin(&mut self, organization: &Organization) -> Result<(), StoreError> {
        let model = Model {
            organization_id: organization.id.uuid(),
            asked_at: if matches!(organization.siret, RegistryId::Siret(_)) { 0 } else { i64::MAX },
            known: true,
            source: None,
            facts: None,
            fetched_at: None,
            official_contact: None,
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    async fn profile_set(&mut self, organization: Id<Organization>, model: ActiveModel) -> Result<(), StoreError> {
        let update = Entity::update_many().set(model).filter(Column::OrganizationId.eq(organization.uuid()));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// Keeps what the directory said.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the organisation is not there.
    pub async fn profile_facts(
        &mut self,
        organization: Id<Organization>,
        facts: &Facts,
        source: Source,
        at: Moment,
    ) -> Result<(), StoreError> {
        let model = ActiveModel {
            asked_at: Set(at.micros()),
            known: Set(true),
            source: Set(Some(word(&source))),
            facts: Set(Some(json(TABLE, facts)?)),
            fetched_at: Set(Some(at.micros())),
            ..Default::default()
        };
        self.profile_set(organization, model).await
    }

    /// Notes that the directory was asked; `known` is false where it knows no such number. Facts of before stay.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the organisation is not there.
    pub async fn profile_asked(&mut self, organization: Id<Organization>, known: bool, at: Moment) -> Result<(), StoreError> {
        let model = ActiveModel { asked_at: Set(at.micros()), known: Set(known), ..Default::default() };
        self.profile_set(organization, model).await
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the organisation is not there.
    pub async fn profile_contact(&mut self, organization: Id<Organization>, contact: Option<&str>) -> Result<(), StoreError> {
        let model = ActiveModel { official_contact: Set(contact.map(plain)), ..Default::default() };
        self.profile_set(organization, model).await
    }

    /// Writes what is known of a domain; none forgets it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the organisation is not there.
    pub async fn domain_put(
        &mut self,
        organization: Id<Organization>,
        name: &EmailDomain,
        state: Option<octroi_domain::joining::DomainState>,
        at: Moment,
    ) -> Result<(), StoreError> {
        domain::Entity::delete_by_id((organization.uuid(), name.to_string())).exec(&self.db()).await.at(DOMAIN)?;
        let Some(state) = state else { return Ok(()) };
        let model =
            domain::Model { organization_id: organization.uuid(), domain: name.to_string(), state: word(&state), set_at: at.micros() };
        domain::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(DOMAIN).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::joining::DomainState;

    use super::*;
    use crate::testing::{Town, at, each, organization};

    fn facts(label: &str) -> Facts {
        Facts {
            label: label.into(),
            legal_category: Some("7210".into()),
            activity: Some("84.11Z".into()),
            address: Some("Place de l’Hôtel de Ville".into()),
            commune: Some("75056".into()),
            active: true,
            workforce: octroi_domain::directory::Workforce::of_code("42"),
            is_public: true,
            official_contact: Some("mairie@paris.example".into()),
        }
    }

    #[test]
    fn what_the_directory_said_is_kept_and_asked_again_a_day_later() {
        each(async |store| {
            let town = Town::found(&store).await;
            let foreign = Organization { siret: "BE:national:0203201340".parse().unwrap(), ..organization("13002526500013", "Belge") };
            let mut tx = store.write().await.unwrap();
            tx.organization_insert(&foreign).await.unwrap();
            tx.commit().await.unwrap();
            let reader = store.read();
            assert_eq!(reader.organization_by_siret(&foreign.siret).await.unwrap(), Some(foreign));
            assert_eq!(reader.profile(town.hall.id).await.unwrap().standing, Standing::Unverified);
            let due: Vec<_> = reader.profiles_due(at(0), 9).await.unwrap().into_iter().map(|found| found.name).collect();
            assert_eq!(due.len(), 2, "{due:?}");

            let mut tx = store.write().await.unwrap();
            tx.profile_facts(town.hall.id, &facts("Paris"), Source::RechercheEntreprises, at(100)).await.unwrap();
            tx.profile_asked(town.other.id, false, at(50)).await.unwrap();
            assert!(tx.profile_asked(Id::from_uuid(uuid::Uuid::nil()), false, at(50)).await.unwrap_err().is_stale());
            tx.commit().await.unwrap();
            let kept = reader.profile(town.hall.id).await.unwrap();
            assert_eq!(kept.contact(), Some("mairie@paris.example"));
            let known = Standing::Known { facts: facts("Paris"), source: Source::RechercheEntreprises, fetched_at: at(100) };
            assert_eq!(kept.standing, known);
            assert_eq!(reader.profile(town.other.id).await.unwrap().standing, Standing::Unknown { asked_at: at(50) });
            let due = reader.profiles_due(at(101), 1).await.unwrap();
            assert_eq!(due.first().map(|found| found.id), Some(town.other.id));

            // The directory did not answer: what it said before stays. The operator's contact wins.
            let mut tx = store.write().await.unwrap();
            tx.profile_asked(town.hall.id, true, at(200)).await.unwrap();
            tx.profile_contact(town.hall.id, Some("cabinet@paris.example")).await.unwrap();
            tx.commit().await.unwrap();
            let kept = reader.profile(town.hall.id).await.unwrap();
            assert_eq!((kept.contact(), &kept.standing), (Some("cabinet@paris.example"), &known));
        });
    }

    #[test]
    fn a_domain_has_one_state_for_one_organisation() {
        each(async |store| {
            let town = Town::found(&store).await;
            let domain = |text: &str| text.parse::<EmailDomain>().unwrap();
            let mut tx = store.write().await.unwrap();
            tx.domain_put(town.hall.id, &domain("paris.example"), Some(DomainState::NotVerifiedYet), at(1)).await.unwrap();
            tx.domain_put(town.hall.id, &domain("paris.example"), Some(DomainState::Verified), at(2)).await.unwrap();
            tx.domain_put(town.hall.id, &domain("old.example"), Some(DomainState::Refused), at(2)).await.unwrap();
            tx.domain_put(town.hall.id, &domain("old.example"), None, at(3)).await.unwrap();
            tx.domain_put(town.other.id, &domain("paris.example"), Some(DomainState::Refused), at(3)).await.unwrap();
            tx.commit().await.unwrap();
            let known = KnownDomain { domain: domain("paris.example"), state: DomainState::Verified, set_at: at(2) };
            assert_eq!(store.read().domains_of(town.hall.id).await.unwrap(), [known]);
        });
    }
}
