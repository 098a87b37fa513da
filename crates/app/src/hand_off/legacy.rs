//! Accounts of before: imported by the operator, kept apart, and given to their owners by proof.

use octroi_domain::{
    Id, Slug,
    hand_off::{Dispute, LegacyLink, LegacyUser, LinkProof, ProductAccount, ProductOrganization, ProductRole},
    organization::Siret,
    policy::{Action, Subject},
};
use octroi_store::{Page, Reader};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    mails::hand_off as mails,
    view::List,
};

/// Accounts of one import.
pub const MOST_AT_ONCE: usize = 500;

/// An account to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLegacyUser {
    pub email: String,
    pub organization_siret: String,
    pub role: String,
    /// A PHC string of Argon2; none: it can be linked otherwise only.
    pub password_hash: Option<String>,
    /// The product's own name of it.
    pub reference: Option<String>,
}

/// An account of before. Its password is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LegacyUserView {
    pub id: String,
    pub email: String,
    pub organization_siret: String,
    pub role: String,
    pub reference: Option<String>,
    pub has_password: bool,
    pub created_at: String,
    /// By what it was given to its owner: `password`, `verified_email` or `operator`; none: it waits.
    pub linked_by: Option<String>,
    pub linked_at: Option<String>,
}
impl From<LegacyUser> for LegacyUserView {
    fn from(user: LegacyUser) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email,
            organization_siret: user.organization.to_string(),
            role: user.role.as_str().to_owned(),
            reference: user.reference,
            has_password: user.has_password,
            created_at: user.created_at.to_string(),
            linked_by: user.link.as_ref().map(|link| link.proof.as_str().to_owned()),
            linked_at: user.link.as_ref().map(|link| link.at.to_string()),
        }
    }
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportView {
    pub items: Vec<LegacyUserView>,
}

/// Somebody who may own an account of before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DisputeView {
    pub id: String,
    pub legacy_user: LegacyUserView,
    pub issuer: String,
    pub subject: String,
    /// `policy`: the operator decides about each; `organization`: it is of another organisation.
    pub reason: String,
    #[schema(value_type = Vec<Object>)]
    pub organizations: Vec<ProductOrganization>,
    pub created_at: String,
}

fn operator(context: &Context) -> Result<(), Error> {
    context.require(Action::ManagePlatform, &Subject::Platform)
}

pub(super) async fn product_exists(reader: &Reader, slug: &Slug) -> Result<(), Error> {
    let found = reader.connection(slug).await?;
    if found.is_some_and(|stored| stored.connection.product().is_some()) { Ok(()) } else { Err(Error::NotFound) }
}

/// Reads one account of an import.
fn read(input: &NewLegacyUser, place: usize, slug: &Slug, context: &Context) -> Result<LegacyUser, Error> {
    let at = |member: &str| format!("/items/{place}/{member}");
    let email = input.email.trim().to_lowercase();
    if email.len() > 254
        || email.split_once('@').is_none_or(|(local, domain)| local.is_empty() || domain.is_empty())
        || !octroi_domain::text::is_plain(&email)
    {
        return Err(Error::field(at("email"), "invalid", "Écrivez une adresse électronique.", "Write an e-mail address."));
    }
    let organization = input.organization_siret.parse::<Siret>();
    let organization =
        organization.map_err(|_| Error::field(at("organization_siret"), "siret", "Ce n’est pas un SIRET.", "This is not a SIRET."))?;
    let role = ProductRole::read(&input.role);
    let role = role.ok_or_else(|| Error::field(at("role"), "unknown", "Écrivez USER ou ADMIN.", "Write USER or ADMIN."))?;
    if let Some(hash) = &input.password_hash {
        crate::password::importable(hash).map_err(|why| Error::field(at("password_hash"), "unsupported", why.fr, why.en))?;
    }
    let reference = input.reference.clone().filter(|reference| !reference.is_empty());
    if reference.as_deref().is_some_and(|text| text.len() > 200 || !octroi_domain::text::is_plain(text)) {
        return Err(Error::field(
            at("reference"),
            "length",
            "Au plus 200 caractères, sur une ligne.",
            "At most 200 characters, on one line.",
        ));
    }
    Ok(LegacyUser {
        id: Id::from_uuid(Uuid::now_v7()),
        connection: slug.clone(),
        reference,
        email,
        organization,
        role,
        has_password: input.password_hash.is_some(),
        created_at: context.now,
        link: None,
    })
}

impl App {
    /// Imports accounts of before, all or none.
    pub async fn import_legacy_users(&self, context: &Context, slug: &Slug, input: Vec<NewLegacyUser>) -> Result<Done<ImportView>, Error> {
        operator(context)?;
        context.recent()?;
        if input.is_empty() || input.len() > MOST_AT_ONCE {
            return Err(Error::field(
                "/items",
                "count",
                format!("Donnez de 1 à {MOST_AT_ONCE} comptes."),
                format!("Give 1 to {MOST_AT_ONCE} accounts."),
            ));
        }
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        product_exists(&tx, slug).await?;
        let mut items = Vec::with_capacity(input.len());
        for (place, one) in input.iter().enumerate() {
            let user = read(one, place, slug, context)?;
            if tx.legacy_user_by_email(slug, &user.email).await?.is_some() {
                return Err(Error::field(
                    format!("/items/{place}/email"),
                    "taken",
                    "Ce produit a déjà un compte d’avant à cette adresse.",
                    "This product has an account of before with this address already.",
                ));
            }
            tx.legacy_user_insert(&user, one.password_hash.as_deref()).await?;
            let details = json!({ "connection": slug, "siret": user.organization, "role": user.role, "has_password": user.has_password });
            tx.record(context.now, &context.principal.actor(), "legacy_user.imported", &format!("legacy_user:{}", user.id), details);
            items.push(user.into());
        }
        self.finish(context, tx, 201, ImportView { items }).await
    }

    /// Newest first.
    pub async fn list_legacy_users(&self, context: &Context, slug: &Slug, page: Page) -> Result<List<LegacyUserView>, Error> {
        operator(context)?;
        let reader = self.inner.store.read();
        product_exists(&reader, slug).await?;
        Ok(reader.legacy_user_list(slug, page).await?.into())
    }

    /// Forgets an account of before.
    pub async fn delete_legacy_user(&self, context: &Context, slug: &Slug, id: Id<LegacyUser>) -> Result<Done<()>, Error> {
        operator(context)?;
        context.recent()?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        tx.legacy_user_by_id(id).await?.filter(|user| user.connection == *slug).ok_or(Error::NotFound)?;
        tx.legacy_user_delete(id).await?;
        tx.record(
            context.now,
            &context.principal.actor(),
            "legacy_user.deleted",
            &format!("legacy_user:{id}"),
            json!({ "connection": slug }),
        );
        self.finish(context, tx, 204, ()).await
    }

    /// Gives an account of before to who owns this account: the operator knows them.
    pub async fn link_legacy_user(
        &self,
        context: &Context,
        slug: &Slug,
        id: Id<LegacyUser>,
        account: Id<ProductAccount>,
    ) -> Result<Done<LegacyUserView>, Error> {
        operator(context)?;
        context.recent()?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let legacy = tx.legacy_user_by_id(id).await?.filter(|user| user.connection == *slug).ok_or(Error::NotFound)?;
        let owner = tx.product_account_by_id(account).await?.filter(|account| account.connection == *slug).ok_or(Error::NotFound)?;
        let linked = self.give_legacy(&mut tx, context, legacy, &owner.issuer, &owner.subject).await?;
        self.finish(context, tx, 200, linked.into()).await
    }

    /// Those that wait for a decision, newest first.
    pub async fn list_disputes(&self, context: &Context, slug: &Slug, page: Page) -> Result<List<DisputeView>, Error> {
        operator(context)?;
        let reader = self.inner.store.read();
        product_exists(&reader, slug).await?;
        let listing = reader.dispute_list(slug, page).await?;
        let mut items = Vec::with_capacity(listing.items.len());
        for dispute in listing.items {
            let legacy = reader.legacy_user_by_id(dispute.legacy).await?.ok_or(Error::NotFound)?;
            items.push(view(dispute, legacy));
        }
        Ok(List { items, next: listing.next.map(|cursor| cursor.to_string()) })
    }

    /// Decides whose an account of before is.
    pub async fn decide_dispute(
        &self,
        context: &Context,
        slug: &Slug,
        id: Id<Dispute>,
        accept: bool,
    ) -> Result<Done<LegacyUserView>, Error> {
        operator(context)?;
        context.recent()?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let dispute = tx.dispute_by_id(id).await?.filter(|dispute| dispute.connection == *slug).ok_or(Error::NotFound)?;
        let legacy = tx.legacy_user_by_id(dispute.legacy).await?.ok_or(Error::NotFound)?;
        tx.dispute_decide(id, accept, context.now).await.map_err(|error| if error.is_stale() { taken() } else { error.into() })?;
        let legacy = if accept {
            self.give_legacy(&mut tx, context, legacy, &dispute.issuer, &dispute.subject).await?
        } else {
            let details = json!({ "connection": slug });
            tx.record(
                context.now,
                &context.principal.actor(),
                "legacy_user.dispute_refused",
                &format!("legacy_user:{}", legacy.id),
                details,
            );
            legacy
        };
        self.finish(context, tx, 200, legacy.into()).await
    }

    async fn give_legacy(
        &self,
        tx: &mut octroi_store::Tx,
        context: &Context,
        legacy: LegacyUser,
        issuer: &str,
        subject: &str,
    ) -> Result<LegacyUser, Error> {
        if legacy.link.is_some() || tx.legacy_user_of(&legacy.connection, issuer, subject).await?.is_some() {
            return Err(taken());
        }
        let link = LegacyLink { issuer: issuer.to_owned(), subject: subject.to_owned(), at: context.now, proof: LinkProof::Operator };
        tx.legacy_user_link(legacy.id, &link).await?;
        let mut ended = 0;
        if let Some(account) = tx.product_account(&legacy.connection, issuer, subject).await? {
            let account = ProductAccount { role: legacy.role, version: account.version + 1, ..account };
            tx.product_account_save(&account).await?;
            ended = tx.hand_off_end_of_account(account.id, None, context.now).await?;
        }
        let details = json!({ "connection": legacy.connection, "proof": "operator", "role": legacy.role, "logins_ended": ended });
        tx.record(context.now, &context.principal.actor(), "legacy_user.linked", &format!("legacy_user:{}", legacy.id), details);
        if let Some(product) = tx.connection(&legacy.connection).await? {
            let mail = mails::linked(&legacy, &product.connection.name, LinkProof::Operator, &self.settings().public_url);
            tx.enqueue_mail(context.now, &mail).await?;
        }
        Ok(LegacyUser { link: Some(link), has_password: false, ..legacy })
    }
}

fn view(dispute: Dispute, legacy: LegacyUser) -> DisputeView {
    DisputeView {
        id: dispute.id.to_string(),
        legacy_user: legacy.into(),
        issuer: dispute.issuer,
        subject: dispute.subject,
        reason: dispute.reason.as_str().to_owned(),
        organizations: dispute.organizations,
        created_at: dispute.created_at.to_string(),
    }
}

fn taken() -> Error {
    Error::conflict(
        "legacy_user_linked",
        "Ce compte d’avant a déjà son propriétaire, ou cette personne en a déjà un.",
        "This account of before has its owner already, or this person has another one.",
    )
}
