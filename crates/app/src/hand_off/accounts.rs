//! Accounts of a product, as the operator sees and changes them.

use octroi_domain::{
    Id, Slug,
    hand_off::{ProductAccount, ProductOrganization, ProductRole},
    policy::{Action, Subject},
};
use octroi_store::Page;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::legacy::product_exists;
use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    view::List,
};

/// An account of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProductAccountView {
    pub id: String,
    pub issuer: String,
    pub subject: String,
    pub email: String,
    pub email_verified: bool,
    pub given_name: String,
    pub family_name: String,
    pub organization_siret: String,
    #[schema(value_type = Vec<Object>)]
    pub organizations: Vec<ProductOrganization>,
    /// `USER` or `ADMIN`.
    pub role: String,
    pub active: bool,
    pub created_at: String,
    pub last_login_at: String,
    pub version: u32,
}
impl From<ProductAccount> for ProductAccountView {
    fn from(account: ProductAccount) -> Self {
        Self {
            id: account.id.to_string(),
            issuer: account.issuer,
            subject: account.subject,
            email: account.facts.email,
            email_verified: account.facts.email_verified,
            given_name: account.facts.given_name,
            family_name: account.facts.family_name,
            organization_siret: account.organization.to_string(),
            organizations: account.facts.organizations,
            role: account.role.as_str().to_owned(),
            active: account.active,
            created_at: account.created_at.to_string(),
            last_login_at: account.last_login_at.to_string(),
            version: account.version,
        }
    }
}

fn operator(context: &Context) -> Result<(), Error> {
    context.require(Action::ManagePlatform, &Subject::Platform)
}

impl App {
    /// Newest first.
    pub async fn list_product_accounts(&self, context: &Context, slug: &Slug, page: Page) -> Result<List<ProductAccountView>, Error> {
        operator(context)?;
        let reader = self.inner.store.read();
        product_exists(&reader, slug).await?;
        Ok(reader.product_account_list(slug, page).await?.into())
    }

    pub async fn read_product_account(&self, context: &Context, slug: &Slug, id: Id<ProductAccount>) -> Result<ProductAccountView, Error> {
        operator(context)?;
        let found = self.inner.store.read().product_account_by_id(id).await?;
        Ok(found.filter(|account| account.connection == *slug).ok_or(Error::NotFound)?.into())
    }

    /// Changes what somebody may do in a product, or stops them. What their logins were given ends at once.
    pub async fn change_product_account(
        &self,
        context: &Context,
        slug: &Slug,
        id: Id<ProductAccount>,
        expected: Option<u32>,
        role: Option<ProductRole>,
        active: Option<bool>,
    ) -> Result<Done<ProductAccountView>, Error> {
        operator(context)?;
        context.recent()?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let held = tx.product_account_by_id(id).await?.filter(|account| account.connection == *slug).ok_or(Error::NotFound)?;
        if expected.is_some_and(|expected| expected != held.version) {
            return Err(Error::Stale { current: held.version });
        }
        let changed = ProductAccount {
            role: role.unwrap_or(held.role),
            active: active.unwrap_or(held.active),
            version: held.version + 1,
            ..held.clone()
        };
        tx.product_account_save(&changed)
            .await
            .map_err(|error| if error.is_stale() { Error::Stale { current: held.version } } else { error.into() })?;
        let ended = tx.hand_off_end_of_account(id, None, context.now).await?;
        let details = json!({ "connection": slug, "role": changed.role, "active": changed.active, "logins_ended": ended });
        tx.record(context.now, &context.principal.actor(), "product_account.changed", &format!("product_account:{id}"), details);
        self.finish(context, tx, 200, changed.into()).await
    }

    /// Ends every login of somebody to a product.
    pub async fn end_product_account_logins(&self, context: &Context, slug: &Slug, id: Id<ProductAccount>) -> Result<Done<()>, Error> {
        operator(context)?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        tx.product_account_by_id(id).await?.filter(|account| account.connection == *slug).ok_or(Error::NotFound)?;
        let ended = tx.hand_off_end_of_account(id, None, context.now).await?;
        let details = json!({ "connection": slug, "reason": "operator", "logins_ended": ended });
        tx.record(context.now, &context.principal.actor(), "product_login.closed", &format!("product_account:{id}"), details);
        self.finish(context, tx, 204, ()).await
    }
}
