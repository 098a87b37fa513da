//! Requests (demandes d'habilitation): from the first draft to the decision.

use std::collections::BTreeMap;

use octroi_app::{
    access_requests::{ApproveInput, NewRequest},
    query::{KindName, Page, RequestFilter, RequestSort},
    review::ReviewView,
    view::{ApprovalView, List, RequestLine, RequestView, StateCounts},
};
use octroi_domain::{
    Id, Number, Slug,
    access_request::{AccessRequest, State},
    canonical::Sha256Hash,
    stage::Stage,
    user::User,
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    call::{Answer, Call, Reply},
    problem::Failure,
    query::{Paging, from_text, several},
};

/// Where requests are; the path of one is this and its id.
pub const COLLECTION: &str = "/api/v1/access-requests";

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAccessRequest)]
pub struct Create {
    #[schema(value_type = String, example = "api-particulier")]
    definition: Slug,
    #[schema(value_type = String, example = "libre")]
    form: Slug,
    /// Id or SIRET; left out: the person's only organisation.
    organization: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EditAccessRequest)]
pub struct Edit {
    /// Field → answer; `null` takes an answer away. Fields that are not named stay.
    #[schema(value_type = Object)]
    answers: BTreeMap<String, Value>,
    /// The version that they were written against: 409 when another is there.
    version: Option<u32>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubmitAccessRequest)]
pub struct Submit {
    version: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What the applicant reads.
    message: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveAccessRequest)]
pub struct Approve {
    /// The version that was read: exactly that one is granted.
    version: u32,
    /// `content_hash` of what was read.
    #[schema(value_type = Option<String>)]
    content_hash: Option<Sha256Hash>,
    message: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferAccessRequest)]
pub struct Transfer {
    /// A colleague's address.
    email: String,
}

/// Which requests are asked for: the list, the counts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// One or several, separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>, example = "submitted,changes_requested")]
    state: Vec<State>,
    /// One or several, separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    definition: Vec<Slug>,
    /// One or several, separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    provider: Vec<Slug>,
    /// Id or SIRET.
    organization: Option<String>,
    /// Id of a person.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    applicant: Option<Id<User>>,
    /// `initial`, `amendment` or `stage_change`; several are separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    kind: Vec<KindName>,
    /// `sandbox` or `production`.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    stage: Vec<Stage>,
    /// Words, each the beginning of one in the title, the organisation's name and SIRET, the applicant's name and
    /// address; `D12` finds the number, `H12` what led to the permit or amends it.
    q: Option<String>,
    /// `changed` (the default), `submitted` (who has waited longest first) or `created`.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    sort: Option<RequestSort>,
}
impl Filter {
    async fn read(self, call: &Call) -> Result<RequestFilter, Failure> {
        Ok(RequestFilter {
            states: self.state,
            definitions: self.definition,
            providers: self.provider,
            organizations: call.wanted_organization(self.organization.as_deref()).await?,
            applicant: self.applicant,
            kinds: self.kind,
            stages: self.stage,
            text: self.q,
            sort: self.sort.unwrap_or_default(),
            ..RequestFilter::new()
        })
    }
}

fn id(call: &Call) -> Result<Number<AccessRequest>, Failure> {
    call.id("id")
}

/// Open a request
///
/// Opens a draft with the form's prefilled answers.
#[utoipa::path(post, path = "/api/v1/access-requests", tag = "access requests", request_body = Create, responses((status = 201, body = RequestView)))]
pub async fn create(call: Call, input: Create) -> Answer {
    let organization = call.own_organization(input.organization.as_deref()).await?;
    let new = NewRequest { definition: input.definition, form: input.form, organization };
    Ok(Reply::done(call.app().create_request(&call.context(), new).await?)?.located(COLLECTION).tagged())
}

/// List the requests that one may see
#[utoipa::path(get, path = "/api/v1/access-requests", tag = "access requests", params(Filter, Paging), responses((status = 200, body = List<RequestLine>)))]
pub async fn list(call: Call, input: Filter, page: Page) -> Answer {
    let filter = input.read(&call).await?;
    Reply::ok(&call.app().list_requests(&call.context(), filter, page).await?)
}

/// Count the requests that one may see, by state
///
/// The parameters of the list, but for the page; `state` and `sort` do not matter.
#[utoipa::path(get, path = "/api/v1/access-requests/counts", tag = "access requests", params(Filter), responses((status = 200, body = StateCounts)))]
pub async fn counts(call: Call, input: Filter) -> Answer {
    let filter = input.read(&call).await?;
    Reply::ok(&call.app().count_requests_by_state(&call.context(), filter).await?)
}

/// Read a request
#[utoipa::path(get, path = "/api/v1/access-requests/{id}", tag = "access requests", params(("id" = String, Path, example = "D1")), responses((status = 200, body = RequestView)))]
pub async fn read(call: Call) -> Answer {
    let id = id(&call)?;
    Ok(Reply::ok(&call.app().read_request(&call.context(), id).await?)?.tagged())
}

/// Read a request beside what it is judged by: the rules, what differs, the organisation, its other requests
#[utoipa::path(get, path = "/api/v1/access-requests/{id}/review", tag = "access requests", params(("id" = String, Path, example = "D1")), responses((status = 200, body = ReviewView)))]
pub async fn review(call: Call) -> Answer {
    let id = call.id("id")?;
    Reply::ok(&call.app().review_request(&call.context(), id).await?)
}

/// Fill in answers of a draft
#[utoipa::path(patch, path = "/api/v1/access-requests/{id}", tag = "access requests", params(("id" = String, Path, example = "D1")), request_body = Edit, responses((status = 200, body = RequestView)))]
pub async fn edit(call: Call, input: Edit) -> Answer {
    let (id, expected) = (id(&call)?, call.expected(input.version)?);
    Ok(Reply::done(call.app().edit_request(&call.context(), id, expected, input.answers).await?)?.tagged())
}

/// Submit a request to the reviewers
#[utoipa::path(post, path = "/api/v1/access-requests/{id}/submit", tag = "access requests", params(("id" = String, Path, example = "D1")), request_body = Option<Submit>, responses((status = 200, body = RequestView)))]
pub async fn submit(call: Call, input: Submit) -> Answer {
    let (id, expected) = (id(&call)?, call.expected(input.version)?);
    Ok(Reply::done(call.app().submit_request(&call.context(), id, expected).await?)?.tagged())
}

/// Give a request back to its applicant, with a reason
#[utoipa::path(post, path = "/api/v1/access-requests/{id}/request-changes", tag = "access requests", params(("id" = String, Path, example = "D1")), request_body = Message, responses((status = 200, body = RequestView)))]
pub async fn request_changes(call: Call, input: Message) -> Answer {
    let id = id(&call)?;
    Ok(Reply::done(call.app().request_changes(&call.context(), id, None, input.message).await?)?.tagged())
}

/// Refuse a request, with a reason
#[utoipa::path(post, path = "/api/v1/access-requests/{id}/refuse", tag = "access requests", params(("id" = String, Path, example = "D1")), request_body = Message, responses((status = 200, body = RequestView)))]
pub async fn refuse(call: Call, input: Message) -> Answer {
    let id = id(&call)?;
    Ok(Reply::done(call.app().refuse_request(&call.context(), id, None, input.message).await?)?.tagged())
}

/// Approve a request: grants a permit
///
/// Grants exactly the version that was read, and answers once the gateways know.
#[utoipa::path(post, path = "/api/v1/access-requests/{id}/approve", tag = "access requests", params(("id" = String, Path, example = "D1")), request_body = Approve, responses((status = 200, body = ApprovalView)))]
pub async fn approve(call: Call, input: Approve) -> Answer {
    let id = id(&call)?;
    call.expected(Some(input.version))?;
    let input = ApproveInput { version: input.version, content_hash: input.content_hash, message: input.message };
    Reply::done(call.app().approve_request(&call.context(), id, input).await?)
}

/// Put a request away
#[utoipa::path(post, path = "/api/v1/access-requests/{id}/archive", tag = "access requests", params(("id" = String, Path, example = "D1")), responses((status = 200, body = RequestView)))]
pub async fn archive(call: Call) -> Answer {
    let id = id(&call)?;
    Ok(Reply::done(call.app().archive_request(&call.context(), id).await?)?.tagged())
}

/// Hand a request to a colleague
#[utoipa::path(post, path = "/api/v1/access-requests/{id}/transfer", tag = "access requests", params(("id" = String, Path, example = "D1")), request_body = Transfer, responses((status = 200, body = RequestView)))]
pub async fn transfer(call: Call, input: Transfer) -> Answer {
    let id = id(&call)?;
    Ok(Reply::done(call.app().transfer_request(&call.context(), id, &input.email).await?)?.tagged())
}
