//! Organisations, people and roles: what the operator sets up, by command or by API.

use octroi_domain::{
    Id, Moment,
    organization::{Organization, Siret},
    policy::{Action, Subject},
    text::Language,
    user::{LinkLevel, Membership, Perimeter, Role, RoleGrant, User},
};
use octroi_store::{Page, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    password::{MAX_LENGTH, MIN_LENGTH},
    sessions::RoleView,
    view::{List, OrganizationView, PersonView},
};

/// A person to create.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: String,
    pub given_name: String,
    pub family_name: String,
    pub language: Language,
    pub password: String,
    pub organization: Option<(Id<Organization>, LinkLevel)>,
    pub roles: Vec<RoleGrant>,
}

/// Writes an organisation and its ledger entry.
pub(crate) async fn add_organization(tx: &mut Tx, actor: &str, now: Moment, siret: Siret, name: &str) -> Result<Organization, Error> {
    let organization = Organization { id: Id::from_uuid(Uuid::new_v4()), siret, name: name.to_owned(), created_at: now };
    tx.organization_insert(&organization).await.map_err(|error| {
        if error.is_duplicate() {
            Error::conflict("already_exists", "Une organisation a déjà ce SIRET.", "An organisation already has this SIRET.")
        } else {
            error.into()
        }
    })?;
    tx.record(now, actor, "organization.created", &format!("organization:{}", organization.id), json!({ "siret": organization.siret }));
    Ok(organization)
}

/// Writes a person, their link and roles, and the ledger entries.
pub(crate) async fn add_user(tx: &mut Tx, actor: &str, now: Moment, new: &NewUser, password_hash: &str) -> Result<User, Error> {
    let user = User {
        id: Id::from_uuid(Uuid::new_v4()),
        email: new.email.trim().to_lowercase(),
        given_name: new.given_name.clone(),
        family_name: new.family_name.clone(),
        language: new.language,
        created_at: now,
    };
    tx.user_insert(&user, Some(password_hash)).await.map_err(|error| {
        if error.is_duplicate() {
            Error::conflict("already_exists", "Un compte a déjà cette adresse.", "An account already has this address.")
        } else {
            error.into()
        }
    })?;
    let subject = format!("user:{}", user.id);
    tx.record(now, actor, "user.created", &subject, json!({}));
    if let Some((organization, level)) = new.organization {
        tx.membership_insert(&Membership { user: user.id, organization, level, created_at: now }).await?;
        tx.record(now, actor, "membership.created", &subject, json!({ "organization": organization, "level": level }));
    }
    for grant in &new.roles {
        tx.role_add(user.id, grant, now).await?;
        tx.record(now, actor, "role.granted", &subject, json!({ "role": grant.role, "perimeter": grant.perimeter.to_string() }));
    }
    Ok(user)
}

fn check(new: &NewUser) -> Result<(), Error> {
    let length = new.password.chars().count();
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&length) {
        return Err(Error::field(
            "/password",
            "invalid",
            format!("mot de passe de {MIN_LENGTH} à {MAX_LENGTH} caractères attendu"),
            format!("expected a password of {MIN_LENGTH} to {MAX_LENGTH} characters"),
        ));
    }
    if !new.email.contains('@') || new.email.len() > 254 || new.email.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::field("/email", "invalid", "adresse électronique attendue", "expected an e-mail address"));
    }
    for (name, pointer) in [(&new.given_name, "/given_name"), (&new.family_name, "/family_name")] {
        if name.trim().is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
            return Err(Error::field(pointer, "invalid", "nom de 1 à 120 caractères attendu", "expected a name of 1 to 120 characters"));
        }
    }
    Ok(())
}

impl App {
    /// Creates an operator from the shell of the machine: the only account that nobody had to grant.
    pub async fn create_operator(
        &self,
        email: &str,
        given_name: &str,
        family_name: &str,
        password: &str,
        now: Moment,
    ) -> Result<User, Error> {
        let new = NewUser {
            email: email.to_owned(),
            given_name: given_name.to_owned(),
            family_name: family_name.to_owned(),
            language: Language::Fr,
            password: password.to_owned(),
            organization: None,
            roles: vec![RoleGrant { role: Role::Operator, perimeter: Perimeter::Platform }],
        };
        check(&new)?;
        let hash = crate::password::hash(&new.password)?;
        let mut tx = self.inner.store.write().await?;
        let user = add_user(&mut tx, "operator-shell", now, &new, &hash).await?;
        tx.commit().await?;
        Ok(user)
    }

    pub async fn create_organization(&self, context: &Context, siret: Siret, name: &str) -> Result<Done<OrganizationView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(Error::field("/name", "invalid", "nom de 1 à 200 caractères attendu", "expected a name of 1 to 200 characters"));
        }
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let organization = add_organization(&mut tx, &context.principal.actor(), context.now, siret, name).await?;
        self.finish(context, tx, 201, OrganizationView::from(&organization)).await
    }

    pub async fn list_organizations(&self, context: &Context, page: Page) -> Result<List<OrganizationView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let listing = self.inner.store.read().organization_list(page).await?;
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: listing.items.iter().map(OrganizationView::from).collect() })
    }

    pub async fn create_user(&self, context: &Context, new: NewUser) -> Result<Done<PersonView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        check(&new)?;
        let password = new.password.clone();
        let hash = tokio::task::spawn_blocking(move || crate::password::hash(&password))
            .await
            .map_err(|error| Error::Internal(error.to_string()))??;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        if let Some((organization, _)) = new.organization
            && tx.organization_by_id(organization).await?.is_none()
        {
            return Err(Error::field("/organization", "unknown_organization", "organisation inconnue", "unknown organisation"));
        }
        let user = add_user(&mut tx, &context.principal.actor(), context.now, &new, &hash).await?;
        self.finish(context, tx, 201, PersonView::from(&user)).await
    }

    pub async fn list_users(&self, context: &Context, page: Page) -> Result<List<PersonView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let listing = self.inner.store.read().user_list(page).await?;
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: listing.items.iter().map(PersonView::from).collect() })
    }

    /// Gives a role to a person, or takes it away. A manager does so within the perimeter, the
    /// operator everywhere; nobody changes their own roles.
    pub async fn set_role(&self, context: &Context, user: Id<User>, grant: RoleGrant, held: bool) -> Result<Done<Vec<RoleView>>, Error> {
        let reader = self.inner.store.read();
        let definition = match &grant.perimeter {
            Perimeter::Definition(slug) => {
                let unknown = || Error::field("/perimeter", "unknown_definition", "type d'habilitation inconnu", "unknown definition");
                let stored = reader.definition_current(slug).await?.ok_or_else(unknown)?;
                Some((slug.clone(), stored.definition.provider.clone()))
            }
            _ => None,
        };
        // Managers give the roles of a definition; wider perimeters and the operator's role are the operator's.
        let narrow = matches!(grant.role, Role::Reviewer | Role::Observer | Role::Subscriber | Role::Manager | Role::Developer);
        let subject = match definition {
            Some(definition) if narrow => Subject::Perimeter { api: None, definition: Some(definition) },
            _ => Subject::Platform,
        };
        context.require(Action::ManageRoles, &subject)?;
        if context.person()?.user == user {
            return Err(Error::Forbidden(octroi_domain::policy::Forbidden::ConflictOfInterest));
        }
        if (grant.role == Role::Operator) != (grant.perimeter == Perimeter::Platform) {
            return Err(Error::field(
                "/perimeter",
                "invalid",
                "le rôle operator vaut pour `platform`, et lui seul",
                "the role operator is held on `platform`, and only that role",
            ));
        }
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        if tx.user_by_id(user).await?.is_none() {
            return Err(Error::NotFound);
        }
        let changed = if held { tx.role_add(user, &grant, context.now).await? } else { tx.role_remove(user, &grant).await? };
        if changed {
            let action = if held { "role.granted" } else { "role.withdrawn" };
            let details = json!({ "role": grant.role, "perimeter": grant.perimeter.to_string() });
            tx.record(context.now, &context.principal.actor(), action, &format!("user:{user}"), details);
        }
        let roles = tx.roles_of_user(user).await?;
        let view =
            roles.into_iter().map(|grant| RoleView { role: grant.role.to_string(), perimeter: grant.perimeter.to_string() }).collect();
        self.finish(context, tx, 200, view).await
    }
}
