//! Accounts of products, accounts of before, and whose these may be.

use octroi_app::{
    hand_off::{
        accounts::ProductAccountView,
        legacy::{DisputeView, ImportView, LegacyUserView, NewLegacyUser},
    },
    query::Cursor,
    view::List,
};
use octroi_domain::{Id, Slug, hand_off::ProductAccount, hand_off::ProductRole};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    call::{Answer, Call, Reply},
    problem::Problem,
    query::{Limit, from_text, page},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// An account of before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegacyUserInput)]
pub struct LegacyInput {
    email: String,
    organization_siret: String,
    /// `USER` or `ADMIN`; `USER` when left out.
    role: Option<String>,
    /// A hash of Argon2 in PHC form. Other hashes cannot be verified here: leave them out.
    password_hash: Option<String>,
    /// The product's own name of it: given back with who logs in.
    reference: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegacyImportInput)]
pub struct ImportInput {
    /// 1 to 500; all are imported, or none.
    items: Vec<LegacyInput>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegacyLinkInput)]
pub struct LinkInput {
    /// The account whose owner it is.
    account: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LegacyDecisionInput)]
pub struct DecisionInput {
    /// Is it theirs?
    accept: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductAccountInput)]
pub struct AccountInput {
    /// `USER` or `ADMIN`; as it is when left out.
    role: Option<String>,
    /// False stops it: nobody logs in with it any more.
    active: Option<bool>,
    /// The version that the change was written against; `If-Match` says the same.
    version: Option<u32>,
}

/// List the accounts of a product, newest first
#[utoipa::path(get, path = "/api/v1/connections/{slug}/accounts", tag = "products", params(("slug" = String, Path), Filter), responses((status = 200, body = List<ProductAccountView>)))]
pub async fn list_accounts(call: Call, input: Filter) -> Answer {
    let slug: Slug = call.id("slug")?;
    Reply::ok(&call.app().list_product_accounts(&call.context(), &slug, page(input.limit, input.cursor)).await?)
}

/// Read an account of a product
#[utoipa::path(get, path = "/api/v1/connections/{slug}/accounts/{id}", tag = "products", params(("slug" = String, Path), ("id" = String, Path)), responses((status = 200, body = ProductAccountView)))]
pub async fn read_account(call: Call) -> Answer {
    let (slug, id): (Slug, _) = (call.id("slug")?, call.id("id")?);
    Ok(Reply::ok(&call.app().read_product_account(&call.context(), &slug, id).await?)?.tagged())
}

/// Change what somebody may do in a product, or stop them; their logins end
#[utoipa::path(patch, path = "/api/v1/connections/{slug}/accounts/{id}", tag = "products", params(("slug" = String, Path), ("id" = String, Path)), request_body = AccountInput, responses((status = 200, body = ProductAccountView)))]
pub async fn change_account(call: Call, input: AccountInput) -> Answer {
    let (slug, id): (Slug, _) = (call.id("slug")?, call.id("id")?);
    let expected = call.expected(input.version)?;
    let unknown = || Problem::field("/role", "unknown", "USER ou ADMIN", "USER or ADMIN");
    let role = input.role.map(|role| ProductRole::read(&role).ok_or_else(unknown)).transpose()?;
    let done = call.app().change_product_account(&call.context(), &slug, id, expected, role, input.active).await?;
    Ok(Reply::done(done)?.tagged())
}

/// End every login of somebody to a product
#[utoipa::path(delete, path = "/api/v1/connections/{slug}/accounts/{id}/logins", tag = "products", params(("slug" = String, Path), ("id" = String, Path)), responses((status = 204)))]
pub async fn end_logins(call: Call) -> Answer {
    let (slug, id): (Slug, _) = (call.id("slug")?, call.id("id")?);
    call.app().end_product_account_logins(&call.context(), &slug, id).await?;
    Ok(Reply::no_content())
}

/// Import accounts of before: kept apart until their owners prove that they are theirs
#[utoipa::path(post, path = "/api/v1/connections/{slug}/legacy-users", tag = "products", params(("slug" = String, Path)), request_body = ImportInput, responses((status = 201, body = ImportView)))]
pub async fn import(call: Call, input: ImportInput) -> Answer {
    let slug: Slug = call.id("slug")?;
    let items = input.items.into_iter().map(|one| NewLegacyUser {
        email: one.email,
        organization_siret: one.organization_siret,
        role: one.role.unwrap_or_else(|| ProductRole::User.as_str().to_owned()),
        password_hash: one.password_hash,
        reference: one.reference,
    });
    Reply::done(call.app().import_legacy_users(&call.context(), &slug, items.collect()).await?)
}

/// List the accounts of before, newest first
#[utoipa::path(get, path = "/api/v1/connections/{slug}/legacy-users", tag = "products", params(("slug" = String, Path), Filter), responses((status = 200, body = List<LegacyUserView>)))]
pub async fn list_legacy(call: Call, input: Filter) -> Answer {
    let slug: Slug = call.id("slug")?;
    Reply::ok(&call.app().list_legacy_users(&call.context(), &slug, page(input.limit, input.cursor)).await?)
}

/// Forget an account of before
#[utoipa::path(delete, path = "/api/v1/connections/{slug}/legacy-users/{id}", tag = "products", params(("slug" = String, Path), ("id" = String, Path)), responses((status = 204)))]
pub async fn remove_legacy(call: Call) -> Answer {
    let (slug, id): (Slug, _) = (call.id("slug")?, call.id("id")?);
    call.app().delete_legacy_user(&call.context(), &slug, id).await?;
    Ok(Reply::no_content())
}

/// Give an account of before to the owner of an account
#[utoipa::path(post, path = "/api/v1/connections/{slug}/legacy-users/{id}/link", tag = "products", params(("slug" = String, Path), ("id" = String, Path)), request_body = LinkInput, responses((status = 200, body = LegacyUserView)))]
pub async fn link_legacy(call: Call, input: LinkInput) -> Answer {
    let (slug, id): (Slug, _) = (call.id("slug")?, call.id("id")?);
    let unknown = || Problem::field("/account", "unknown", "compte inconnu", "unknown account");
    let account: Id<ProductAccount> = input.account.parse().map_err(|_| unknown())?;
    Reply::done(call.app().link_legacy_user(&call.context(), &slug, id, account).await?)
}

/// List who may own an account of before and waits for a decision
#[utoipa::path(get, path = "/api/v1/connections/{slug}/legacy-disputes", tag = "products", params(("slug" = String, Path), Filter), responses((status = 200, body = List<DisputeView>)))]
pub async fn disputes(call: Call, input: Filter) -> Answer {
    let slug: Slug = call.id("slug")?;
    Reply::ok(&call.app().list_disputes(&call.context(), &slug, page(input.limit, input.cursor)).await?)
}

/// Decide whose an account of before is
#[utoipa::path(post, path = "/api/v1/connections/{slug}/legacy-disputes/{id}/decide", tag = "products", params(("slug" = String, Path), ("id" = String, Path)), request_body = DecisionInput, responses((status = 200, body = LegacyUserView)))]
pub async fn decide(call: Call, input: DecisionInput) -> Answer {
    let (slug, id): (Slug, _) = (call.id("slug")?, call.id("id")?);
    Reply::done(call.app().decide_dispute(&call.context(), &slug, id, input.accept).await?)
}
