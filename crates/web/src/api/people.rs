//! Organisations, people and roles: what the operator and managers set up.

use octroi_app::{
    Error,
    people::{HolderView, NewUser, OrganizationDetail, UserDetail},
    query::Cursor,
    sessions::RoleView,
    view::{List, OrganizationView, PersonView},
};
use octroi_domain::{
    Id, Slug,
    organization::Siret,
    text::Language,
    user::{LinkLevel, Perimeter, Role, RoleGrant, User},
};
use serde::{Deserialize, Deserializer, de};
use utoipa::{IntoParams, ToSchema};

use crate::{
    call::{Answer, Call, Reply},
    problem::{Failure, Problem},
    query::{Limit, from_text, page},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    #[schema(value_type = String, example = "13002526500013")]
    siret: Siret,
    name: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewUser)]
pub struct CreateUser {
    email: String,
    given_name: String,
    family_name: String,
    /// `fr` or `en`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    language: Language,
    password: String,
    /// Id or SIRET.
    organization: Option<String>,
    /// How sure the link is: `unverified`, `verified` (when left out) or `certified`.
    #[schema(value_type = Option<String>)]
    level: Option<LinkLevel>,
    #[serde(default)]
    roles: Vec<Grant>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RoleGrant)]
pub struct Grant {
    /// `reviewer`, `observer`, `subscriber`, `manager`, `developer`, `api_administrator` or `operator`.
    #[schema(value_type = String, example = "reviewer")]
    role: Role,
    /// `definition:<slug>`, `api:<provider>/<api>`, `provider:<slug>` or `platform`.
    #[serde(deserialize_with = "perimeter")]
    #[schema(value_type = String, example = "definition:api-particulier")]
    perimeter: Perimeter,
}

fn perimeter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Perimeter, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

impl From<Grant> for RoleGrant {
    fn from(grant: Grant) -> Self {
        Self { role: grant.role, perimeter: grant.perimeter }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Words that must all be found, each at the beginning of a word.
    q: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Create an organisation
#[utoipa::path(post, path = "/api/v1/organizations", tag = "platform", request_body = NewOrganization, responses((status = 201, body = OrganizationView)))]
pub async fn create_organization(call: Call, input: NewOrganization) -> Answer {
    Reply::done(call.app().create_organization(&call.context(), input.siret.into(), &input.name).await?)
}

/// List the organisations
#[utoipa::path(get, path = "/api/v1/organizations", tag = "platform", params(Paging), responses((status = 200, body = List<OrganizationView>)))]
pub async fn list_organizations(call: Call, input: Paging) -> Answer {
    Reply::ok(&call.app().list_organizations(&call.context(), input.q.as_deref(), page(input.limit, input.cursor)).await?)
}

/// Create a person's account
#[utoipa::path(post, path = "/api/v1/users", tag = "platform", request_body = CreateUser, responses((status = 201, body = PersonView)))]
pub async fn create_user(call: Call, input: CreateUser) -> Answer {
    let link = link(&call, input.organization.as_deref(), input.level).await?;
    let new = NewUser {
        email: input.email,
        given_name: input.given_name,
        family_name: input.family_name,
        language: input.language,
        password: input.password,
        organization: link,
        roles: input.roles.into_iter().map(RoleGrant::from).collect(),
    };
    Reply::done(call.app().create_user(&call.context(), new).await?)
}

async fn link(
    call: &Call,
    organization: Option<&str>,
    level: Option<LinkLevel>,
) -> Result<Option<(Id<octroi_domain::organization::Organization>, LinkLevel)>, Failure> {
    let Some(text) = organization else {
        return match level {
            None => Ok(None),
            Some(_) => {
                Err(Problem::field("/level", "not_needed", "sans organisation, pas de lien", "without an organisation there is no link")
                    .into())
            }
        };
    };
    // Only the operator may learn which SIRETs are known here.
    if !call.principal.person().is_some_and(octroi_domain::policy::Person::is_operator) {
        return Err(Error::Forbidden(octroi_domain::policy::Forbidden::RoleMissing).into());
    }
    let unknown = || Problem::field("/organization", "unknown_organization", "organisation inconnue", "unknown organisation");
    let id = call.organization(text).await?.ok_or_else(unknown)?;
    Ok(Some((id, level.unwrap_or(LinkLevel::Verified))))
}

/// List the accounts
#[utoipa::path(get, path = "/api/v1/users", tag = "platform", params(Paging), responses((status = 200, body = List<PersonView>)))]
pub async fn list_users(call: Call, input: Paging) -> Answer {
    Reply::ok(&call.app().list_users(&call.context(), input.q.as_deref(), page(input.limit, input.cursor)).await?)
}

/// Read an organisation and its members
#[utoipa::path(get, path = "/api/v1/organizations/{id}", tag = "platform", params(("id" = String, Path)), responses((status = 200, body = OrganizationDetail)))]
pub async fn read_organization(call: Call) -> Answer {
    let id = call.id("id")?;
    Reply::ok(&call.app().read_organization(&call.context(), id).await?)
}

/// Read a person's account: where they belong, and what they hold
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "platform", params(("id" = String, Path)), responses((status = 200, body = UserDetail)))]
pub async fn read_user(call: Call) -> Answer {
    let id = call.id("id")?;
    Reply::ok(&call.app().read_user(&call.context(), id).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Id or SIRET.
    organization: String,
    /// How sure the link is: `unverified`, `verified` (when left out) or `certified`.
    #[schema(value_type = Option<String>)]
    level: Option<LinkLevel>,
}

async fn set_membership(call: Call, organization: &str, level: Option<LinkLevel>) -> Answer {
    let user: Id<User> = call.id("id")?;
    let link = link(&call, Some(organization), level).await?.map(|(organization, _)| organization);
    let organization = link.ok_or(Error::NotFound)?;
    Reply::done(call.app().set_membership(&call.context(), user, organization, level).await?)
}

/// Say how sure it is that a person belongs to an organisation
#[utoipa::path(put, path = "/api/v1/users/{id}/organizations", tag = "platform", params(("id" = String, Path)), request_body = Membership, responses((status = 200, body = UserDetail)))]
pub async fn link_organization(call: Call, input: Membership) -> Answer {
    set_membership(call, &input.organization, Some(input.level.unwrap_or(LinkLevel::Verified))).await
}

/// End a person's link with an organisation
#[utoipa::path(delete, path = "/api/v1/users/{id}/organizations", tag = "platform", params(("id" = String, Path)), request_body = LeftOrganization, responses((status = 200, body = UserDetail)))]
pub async fn leave_organization(call: Call, input: LeftOrganization) -> Answer {
    set_membership(call, &input.organization, None).await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOrganization {
    /// Id or SIRET.
    organization: String,
}

/// List who holds which role for a definition
#[utoipa::path(get, path = "/api/v1/definitions/{slug}/roles", tag = "platform", params(("slug" = String, Path)), responses((status = 200, body = Vec<HolderView>)))]
pub async fn definition_roles(call: Call) -> Answer {
    let slug: Slug = call.id("slug")?;
    Reply::ok(&call.app().roles_of_definition(&call.context(), &slug).await?)
}

async fn set_role(call: Call, grant: Grant, held: bool) -> Answer {
    let user: Id<User> = call.id("id")?;
    Reply::done(call.app().set_role(&call.context(), user, grant.into(), held).await?)
}

/// Give a role to a person; answers the roles that they hold now
#[utoipa::path(put, path = "/api/v1/users/{id}/roles", tag = "platform", params(("id" = String, Path)), request_body = Grant, responses((status = 200, body = Vec<RoleView>)))]
pub async fn grant_role(call: Call, input: Grant) -> Answer {
    set_role(call, input, true).await
}

/// Take a role away; answers the roles that are left
#[utoipa::path(delete, path = "/api/v1/users/{id}/roles", tag = "platform", params(("id" = String, Path)), request_body = Grant, responses((status = 200, body = Vec<RoleView>)))]
pub async fn withdraw_role(call: Call, input: Grant) -> Answer {
    set_role(call, input, false).await
}
