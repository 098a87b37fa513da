//! Organisations, people and roles: what the operator sets up, by command or by API.

use octroi_domain::{
    Id, Moment, Slug,
    definition::FieldError,
    organization::{Organization, RegistryId},
    policy::{Action, Forbidden, Subject},
    text::{Language, Text},
    user::{LinkLevel, LinkProof, Membership, Perimeter, Role, RoleGrant, User},
};
use octroi_store::{Page, Reader, StoredDefinition, Tx};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    password::{MAX_LENGTH, MIN_LENGTH},
    sessions::{MembershipView, RoleView},
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

/// Members shown of one organisation, at most.
const MEMBERS: usize = 200;
/// The longest text that is searched for, characters.
const MAX_SEARCH: usize = 200;

/// An organisation as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrganizationDetail {
    #[serde(flatten)]
    pub organization: OrganizationView,
    pub created_at: String,
    pub members: Vec<MemberView>,
    /// There are more members than these.
    pub more_members: bool,
}

/// A person of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberView {
    #[serde(flatten)]
    pub person: PersonView,
    /// `unverified`, `verified` or `certified`.
    pub level: String,
    pub since: String,
}

/// A person as the operator sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserDetail {
    #[serde(flatten)]
    pub person: PersonView,
    /// `fr` or `en`.
    pub language: String,
    pub created_at: String,
    pub organizations: Vec<MembershipView>,
    pub roles: Vec<RoleView>,
}

/// A definition that one has a role for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ManagedDefinition {
    pub slug: String,
    pub provider: String,
    #[schema(value_type = Object)]
    pub name: Text,
}

impl From<&StoredDefinition> for ManagedDefinition {
    fn from(stored: &StoredDefinition) -> Self {
        let definition = &stored.definition;
        Self { slug: stored.slug.to_string(), provider: definition.provider.to_string(), name: definition.name.clone() }
    }
}

/// Who holds a role, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HolderView {
    #[serde(flatten)]
    pub person: PersonView,
    pub role: String,
    /// `definition:<slug>` or `provider:<slug>`.
    pub perimeter: String,
}

fn bounded(text: Option<&str>) -> Option<&str> {
    text.map(|text| text.char_indices().nth(MAX_SEARCH).map_or(text, |(end, _)| text.get(..end).unwrap_or_default()))
}

async fn user_detail(reader: &Reader, user: &User) -> Result<UserDetail, Error> {
    let links = reader.memberships_of_user(user.id).await?;
    let organizations = reader.organizations_by_ids(&links.iter().map(|link| link.organization).collect::<Vec<_>>()).await?;
    let member = |link: &Membership| {
        let organization = organizations.iter().find(|organization| organization.id == link.organization)?;
        Some(MembershipView { organization: organization.into(), level: link.level.as_str().to_owned() })
    };
    let roles = reader.roles_of_user(user.id).await?;
    Ok(UserDetail {
        person: user.into(),
        language: if user.language == Language::Fr { "fr" } else { "en" }.to_owned(),
        created_at: user.created_at.to_string(),
        organizations: links.iter().filter_map(member).collect(),
        roles: roles.into_iter().map(|grant| RoleView { role: grant.role.to_string(), perimeter: grant.perimeter.to_string() }).collect(),
    })
}

/// Writes an organisation and its ledger entry.
pub(crate) async fn add_organization(tx: &mut Tx, actor: &str, now: Moment, siret: RegistryId, name: &str) -> Result<Organization, Error> {
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
async fn add_user(tx: &mut Tx, actor: &str, now: Moment, new: &NewUser, password_hash: &str, verified: bool) -> Result<User, Error> {
    let user = User {
        id: Id::from_uuid(Uuid::new_v4()),
        email: new.email.trim().to_lowercase(),
        given_name: new.given_name.clone(),
        family_name: new.family_name.clone(),
        language: new.language,
        created_at: now,
        email_verified_at: verified.then_some(now),
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
        tx.membership_insert(&Membership::new(user.id, organization, level, LinkProof::Recorded, now)).await?;
        tx.record(now, actor, "membership.created", &subject, json!({ "organization": organization, "level": level }));
    }
    for grant in &new.roles {
        tx.role_add(user.id, grant, now).await?;
        tx.record(now, actor, "role.granted", &subject, json!({ "role": grant.role, "perimeter": grant.perimeter.to_string() }));
    }
    Ok(user)
}

/// Everything to mend at once.
///
/// `demo`: the accounts of the demo share a password that its pages tell, so it may be any.
fn check(new: &NewUser, demo: bool) -> Result<(), Error> {
    let mut errors = Vec::new();
    let mut wrong = |pointer: &str, fr: String, en: String| {
        errors.push(FieldError { pointer: pointer.to_owned(), code: "invalid".to_owned(), message: Text::new(fr, en) });
    };
    let names = [
        (&new.given_name, "/given_name", "Donnez un prénom de 1 à 120 caractères.", "Write a given name of 1 to 120 characters."),
        (
            &new.family_name,
            "/family_name",
            "Donnez un nom de famille de 1 à 120 caractères.",
            "Write a family name of 1 to 120 characters.",
        ),
    ];
    for (name, pointer, fr, en) in names {
        if name.trim().is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
            wrong(pointer, fr.to_owned(), en.to_owned());
        }
    }
    if !new.email.contains('@') || new.email.len() > 254 || new.email.chars().any(|c| c.is_control() || c.is_whitespace()) {
        let (fr, en) =
            ("Écrivez une adresse électronique, par exemple nom@exemple.fr.", "Write an e-mail address, for example name@example.org.");
        wrong("/email", fr.into(), en.into());
    }
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&new.password.chars().count()) {
        let fr = format!("Donnez un mot de passe de {MIN_LENGTH} à {MAX_LENGTH} caractères.");
        wrong("/password", fr, format!("Give a password of {MIN_LENGTH} to {MAX_LENGTH} characters."));
    } else if !demo
        && let Err(Error::Invalid(weak)) =
            crate::password::strong(&new.password, &[&new.given_name, &new.family_name, &new.email], "/password")
    {
        errors.extend(weak);
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
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
        check(&new, self.settings().demo)?;
        let hash = crate::password::hash(&new.password)?;
        let mut tx = self.inner.store.write().await?;
        let user = add_user(&mut tx, "operator-shell", now, &new, &hash, self.settings().demo).await?;
        tx.commit().await?;
        Ok(user)
    }

    pub async fn create_organization(&self, context: &Context, siret: RegistryId, name: &str) -> Result<Done<OrganizationView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(Error::field("/name", "invalid", "Donnez un nom de 1 à 200 caractères.", "Give a name of 1 to 200 characters."));
        }
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let organization = add_organization(&mut tx, &context.principal.actor(), context.now, siret, name).await?;
        self.finish(context, tx, 201, OrganizationView::from(&organization)).await
    }

    /// The newest first; with `text`, those whose name or SIRET has each of its words at the beginning of a word.
    pub async fn list_organizations(&self, context: &Context, text: Option<&str>, page: Page) -> Result<List<OrganizationView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let listing = self.inner.store.read().organization_list(bounded(text), page).await?;
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: listing.items.iter().map(OrganizationView::from).collect() })
    }

    pub async fn create_user(&self, context: &Context, new: NewUser) -> Result<Done<PersonView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        check(&new, self.settings().demo)?;
        let password = new.password.clone();
        let hash = self.password_hash(password).await?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        if let Some((organization, _)) = new.organization
            && tx.organization_by_id(organization).await?.is_none()
        {
            return Err(Error::field(
                "/organization",
                "unknown_organization",
                "Cette organisation n’existe pas.",
                "There is no such organisation.",
            ));
        }
        let user = add_user(&mut tx, &context.principal.actor(), context.now, &new, &hash, self.settings().demo).await?;
        self.finish(context, tx, 201, PersonView::from(&user)).await
    }

    /// The newest first; with `text`, those whose names or address have each of its words at the beginning of a word.
    pub async fn list_users(&self, context: &Context, text: Option<&str>, page: Page) -> Result<List<PersonView>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let listing = self.inner.store.read().user_list(bounded(text), page).await?;
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: listing.items.iter().map(PersonView::from).collect() })
    }

    /// An organisation and its members.
    pub async fn read_organization(&self, context: &Context, id: Id<Organization>) -> Result<OrganizationDetail, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let organization = reader.organization_by_id(id).await?.ok_or(Error::NotFound)?;
        let links = reader.memberships_of_organization(id).await?;
        let shown: Vec<Membership> = links.iter().take(MEMBERS).cloned().collect();
        let users = reader.users_by_ids(&shown.iter().map(|link| link.user).collect::<Vec<_>>()).await?;
        let member = |link: Membership| {
            let person = users.iter().find(|user| user.id == link.user)?;
            Some(MemberView { person: person.into(), level: link.level.as_str().to_owned(), since: link.created_at.to_string() })
        };
        Ok(OrganizationDetail {
            organization: (&organization).into(),
            created_at: organization.created_at.to_string(),
            more_members: links.len() > shown.len(),
            members: shown.into_iter().filter_map(member).collect(),
        })
    }

    /// A person, where they belong, and what they hold.
    pub async fn read_user(&self, context: &Context, id: Id<User>) -> Result<UserDetail, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let user = reader.user_by_id(id).await?.ok_or(Error::NotFound)?;
        user_detail(&reader, &user).await
    }

    /// Says how sure it is that a person belongs to an organisation; none ends the link.
    pub async fn set_membership(
        &self,
        context: &Context,
        user: Id<User>,
        organization: Id<Organization>,
        level: Option<LinkLevel>,
    ) -> Result<Done<UserDetail>, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        if context.person()?.user == user {
            return Err(Error::Forbidden(Forbidden::ConflictOfInterest));
        }
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let found = tx.user_by_id(user).await?.ok_or(Error::NotFound)?;
        if tx.organization_by_id(organization).await?.is_none() {
            return Err(Error::field(
                "/organization",
                "unknown_organization",
                "Cette organisation n’existe pas.",
                "There is no such organisation.",
            ));
        }
        let subject = format!("user:{user}");
        match level {
            Some(level) => {
                let by = context.person()?.user;
                let link = Membership::new(user, organization, level, LinkProof::Recorded, context.now);
                tx.membership_put(&Membership { proved_by: Some(by), ..link }).await?;
                let details = json!({ "organization": organization, "level": level });
                tx.record(context.now, &context.principal.actor(), "membership.set", &subject, details);
            }
            None if tx.membership_remove(user, organization).await? => {
                let details = json!({ "organization": organization });
                tx.record(context.now, &context.principal.actor(), "membership.ended", &subject, details);
            }
            None => {}
        }
        let view = user_detail(&tx, &found).await?;
        self.finish(context, tx, 200, view).await
    }

    /// The definitions whose roles one may give: of the perimeters that one manages; all of them for the operator.
    pub async fn managed_definitions(&self, context: &Context) -> Result<Vec<ManagedDefinition>, Error> {
        context.person()?;
        let stored = self.inner.store.read().definition_list().await?;
        let mine = stored.iter().filter(|stored| {
            let definition = Some((stored.slug.clone(), stored.definition.provider.clone()));
            context.require(Action::ManageRoles, &Subject::Perimeter { api: None, definition }).is_ok()
        });
        Ok(mine.map(Into::into).collect())
    }

    /// Who holds which role for a definition; those held for its whole provider are told too.
    pub async fn roles_of_definition(&self, context: &Context, slug: &Slug) -> Result<Vec<HolderView>, Error> {
        let reader = self.inner.store.read();
        let stored = reader.definition_current(slug).await?.ok_or(Error::NotFound)?;
        let provider = stored.definition.provider.clone();
        let subject = Subject::Perimeter { api: None, definition: Some((slug.clone(), provider.clone())) };
        context.require(Action::ManageRoles, &subject)?;
        let held = reader.roles_in(&[Perimeter::Definition(slug.clone()), Perimeter::Provider(provider)]).await?;
        let users = reader.users_by_ids(&held.iter().map(|(user, _)| *user).collect::<Vec<_>>()).await?;
        let holder = |(user, grant): (Id<User>, RoleGrant)| {
            let person = users.iter().find(|found| found.id == user)?;
            Some(HolderView { person: person.into(), role: grant.role.to_string(), perimeter: grant.perimeter.to_string() })
        };
        Ok(held.into_iter().filter_map(holder).collect())
    }

    /// The same as [`App::set_role`], for a person named by their address.
    pub async fn set_role_by_email(
        &self,
        context: &Context,
        email: &str,
        grant: RoleGrant,
        held: bool,
    ) -> Result<Done<Vec<RoleView>>, Error> {
        self.require_roles(context, &grant).await?;
        let found = self.inner.store.read().user_by_email(email).await?;
        let unknown = || {
            Error::field(
                "/email",
                "unknown_user",
                "Aucun compte n’a cette adresse : vérifiez-la, ou faites créer le compte.",
                "No account has this address: check it, or have the account created.",
            )
        };
        self.set_role(context, found.ok_or_else(unknown)?.id, grant, held).await
    }

    /// May one give this role there?
    async fn require_roles(&self, context: &Context, grant: &RoleGrant) -> Result<(), Error> {
        let definition = match &grant.perimeter {
            Perimeter::Definition(slug) => {
                let unknown = || {
                    Error::field("/perimeter", "unknown_definition", "Ce type d’habilitation n’existe pas.", "There is no such definition.")
                };
                let stored = self.inner.store.read().definition_current(slug).await?.ok_or_else(unknown)?;
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
        context.require(Action::ManageRoles, &subject)
    }

    /// Gives a role to a person, or takes it away. A manager does so within the perimeter, the
    /// operator everywhere; nobody changes their own roles.
    pub async fn set_role(&self, context: &Context, user: Id<User>, grant: RoleGrant, held: bool) -> Result<Done<Vec<RoleView>>, Error> {
        context.recent()?;
        self.require_roles(context, &grant).await?;
        if context.person()?.user == user {
            return Err(Error::Forbidden(Forbidden::ConflictOfInterest));
        }
        if (grant.role == Role::Operator) != (grant.perimeter == Perimeter::Platform) {
            return Err(Error::field(
                "/perimeter",
                "invalid",
                "Le rôle d’exploitant se donne pour platform, et lui seul.",
                "The role of operator is given for platform, and it alone.",
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
