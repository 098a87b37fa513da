//! What operations answer: plain values, the same for pages and for the REST API.

use std::collections::BTreeMap;

use octroi_domain::{
    Moment,
    access_request::{AccessRequest, Kind},
    application::{Application, Subscription},
    credential::Credential,
    organization::Organization,
    permit::{Permit, StateRecord},
    user::User,
};
use octroi_store::{Listing, PermitSummary, RequestSummary};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One page of a list. `next` is the `cursor` of the following page.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}
impl<S, T: From<S>> From<Listing<S>> for List<T> {
    fn from(listing: Listing<S>) -> Self {
        Self { items: listing.items.into_iter().map(T::from).collect(), next: listing.next.map(|cursor| cursor.to_string()) }
    }
}

/// How many there are in each state: every state is there, with 0 where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateCounts {
    pub total: u64,
    pub states: Vec<StateCount>,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StateCount {
    pub state: String,
    pub count: u64,
}
impl StateCounts {
    pub(crate) fn new<S>(counts: impl IntoIterator<Item = (S, u64)>, name: impl Fn(S) -> &'static str) -> Self {
        let states: Vec<_> = counts.into_iter().map(|(state, count)| StateCount { state: name(state).to_owned(), count }).collect();
        Self { total: states.iter().map(|state| state.count).sum(), states }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OrganizationView {
    pub id: String,
    pub siret: String,
    pub name: String,
}
impl From<&Organization> for OrganizationView {
    fn from(organization: &Organization) -> Self {
        Self { id: organization.id.to_string(), siret: organization.siret.to_string(), name: organization.name.clone() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PersonView {
    pub id: String,
    pub name: String,
    pub email: String,
}
impl From<&User> for PersonView {
    fn from(user: &User) -> Self {
        Self { id: user.id.to_string(), name: user.full_name(), email: user.email.clone() }
    }
}

/// A request (demande d'habilitation) as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequestView {
    /// `D` and a number.
    pub id: String,
    /// `draft`, `submitted`, `changes_requested`, `approved`, `refused` or `archived`.
    pub state: String,
    /// `initial`, `amendment` or `stage_change`.
    pub kind: String,
    /// The permit that it amends, or whose stage it changes.
    pub of: Option<String>,
    pub definition: String,
    pub definition_version: i64,
    pub form: String,
    pub stage: Option<String>,
    pub applicant: PersonView,
    pub organization: OrganizationView,
    pub created_at: String,
    pub updated_at: String,
    /// Grows with each change; give it back when approving or editing.
    pub version: u32,
    /// SHA-256 of what is to be read: an approval binds it.
    pub content_hash: String,
    #[schema(value_type = Object)]
    pub answers: BTreeMap<String, Value>,
    /// The reviewer's last word, where the state has one.
    pub message: Option<String>,
    /// The permit that it led to.
    pub permit: Option<String>,
}
impl RequestView {
    #[must_use]
    pub fn new(request: &AccessRequest, applicant: &User, organization: &Organization) -> Self {
        let header = request.header();
        let (kind, of) = kind(&header.kind);
        Self {
            id: header.id.to_string(),
            state: request.state().as_str().to_owned(),
            kind,
            of,
            definition: header.definition.to_string(),
            definition_version: header.definition_version,
            form: header.form.to_string(),
            stage: header.stage.map(|stage| stage.to_string()),
            applicant: applicant.into(),
            organization: organization.into(),
            created_at: header.created_at.to_string(),
            updated_at: header.updated_at.to_string(),
            version: header.version,
            content_hash: header.content().to_string(),
            answers: header.answers.values().clone(),
            message: request.message().map(str::to_owned),
            permit: request.permit().map(|permit| permit.to_string()),
        }
    }
}

fn kind(kind: &Kind) -> (String, Option<String>) {
    match kind {
        Kind::Initial => ("initial".to_owned(), None),
        Kind::Amendment { of } => ("amendment".to_owned(), Some(of.to_string())),
        Kind::StageChange { from } => ("stage_change".to_owned(), Some(from.to_string())),
    }
}

/// A line of a list of requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RequestLine {
    pub id: String,
    pub state: String,
    pub kind: String,
    pub of: Option<String>,
    pub title: String,
    pub definition: String,
    pub provider: String,
    pub form: String,
    pub stage: Option<String>,
    pub applicant: String,
    pub organization: OrganizationView,
    pub version: u32,
    pub permit: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    /// The first time that it was; none: never.
    pub submitted_at: Option<String>,
}
impl From<RequestSummary> for RequestLine {
    fn from(summary: RequestSummary) -> Self {
        let (kind, of) = kind(&summary.kind);
        Self {
            id: summary.id.to_string(),
            state: summary.state.as_str().to_owned(),
            kind,
            of,
            title: summary.title,
            definition: summary.definition.to_string(),
            provider: summary.provider.to_string(),
            form: summary.form.to_string(),
            stage: summary.stage.map(|stage| stage.to_string()),
            applicant: summary.applicant_name,
            organization: OrganizationView {
                id: summary.organization.to_string(),
                siret: summary.siret.to_string(),
                name: summary.organization_name,
            },
            version: summary.version,
            permit: summary.permit.map(|permit| permit.to_string()),
            created_at: summary.created_at.to_string(),
            updated_at: summary.updated_at.to_string(),
            submitted_at: summary.submitted_at.map(|moment| moment.to_string()),
        }
    }
}

/// A permit (habilitation): frozen, but for its state.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PermitView {
    /// `H` and a number.
    pub id: String,
    /// `active`, `suspended`, `superseded`, `revoked` or `expired`.
    pub state: String,
    /// Why it is suspended or revoked.
    pub reason: Option<String>,
    /// The permit that superseded it.
    pub superseded_by: Option<String>,
    /// When it was suspended, superseded or revoked, or expired; none while it is in force.
    pub stopped_at: Option<String>,
    pub request: String,
    pub definition: String,
    pub definition_version: i64,
    pub form: String,
    /// None: it covers the sandbox and production.
    pub stage: Option<String>,
    pub organization: OrganizationView,
    pub applicant: PersonView,
    pub granted_at: String,
    pub expires_at: Option<String>,
    pub scopes: Vec<String>,
    pub modality: Option<String>,
    /// SHA-256 of what the reviewer read.
    pub content_hash: String,
    #[schema(value_type = Object)]
    pub answers: BTreeMap<String, Value>,
}
impl PermitView {
    #[must_use]
    pub fn new(permit: &Permit, applicant: &User, organization: &Organization) -> Self {
        use octroi_domain::permit::End;
        let (grant, record) = permit.to_parts();
        let stopped_at = record.stopped_at().map(|at| at.to_string());
        let (reason, superseded_by) = match record {
            StateRecord::Active | StateRecord::Ended { end: End::Expired { .. } } => (None, None),
            StateRecord::Suspended { reason, .. } | StateRecord::Ended { end: End::Revoked { reason, .. } } => (Some(reason), None),
            StateRecord::Ended { end: End::Superseded { by, .. } } => (None, Some(by.to_string())),
        };
        Self {
            id: grant.id.to_string(),
            state: permit.status().as_str().to_owned(),
            reason,
            superseded_by,
            stopped_at,
            request: grant.request.to_string(),
            definition: grant.definition.to_string(),
            definition_version: grant.definition_version,
            form: grant.form.to_string(),
            stage: grant.stage.map(|stage| stage.to_string()),
            organization: organization.into(),
            applicant: applicant.into(),
            granted_at: grant.granted_at.to_string(),
            expires_at: grant.expires_at.map(|moment| moment.to_string()),
            scopes: grant.scopes.iter().map(ToString::to_string).collect(),
            modality: grant.modality.clone(),
            content_hash: grant.content.to_string(),
            answers: grant.answers.values().clone(),
        }
    }
}

/// A permit that opens nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PermitStop {
    /// `H` and a number.
    pub permit: String,
    /// `suspended`, `superseded`, `revoked` or `expired`.
    pub state: String,
    /// What it was granted for, and what is asked for anew.
    pub definition: String,
    pub at: String,
    /// Why it was suspended or revoked.
    pub reason: Option<String>,
    pub superseded_by: Option<String>,
}
impl PermitStop {
    /// None while the permit is in force.
    #[must_use]
    pub fn of(permit: &Permit, now: Moment) -> Option<Self> {
        use octroi_domain::{feed::PermitStatus, permit::End};
        let (grant, record) = permit.to_parts();
        // Out of date is out of force, before anybody has written so.
        let overdue = grant.expires_at.filter(|end| matches!(record, StateRecord::Active) && *end <= now);
        let at = record.stopped_at().or(overdue)?;
        let (reason, superseded_by) = match record {
            StateRecord::Suspended { reason, .. } | StateRecord::Ended { end: End::Revoked { reason, .. } } => (Some(reason), None),
            StateRecord::Ended { end: End::Superseded { by, .. } } => (None, Some(by.to_string())),
            StateRecord::Active | StateRecord::Ended { end: End::Expired { .. } } => (None, None),
        };
        let state = if overdue.is_some() { PermitStatus::Expired } else { permit.status() };
        Some(Self {
            permit: grant.id.to_string(),
            state: state.as_str().to_owned(),
            definition: grant.definition.to_string(),
            at: at.to_string(),
            reason,
            superseded_by,
        })
    }

    /// Will it never open anything again?
    #[must_use]
    pub fn for_good(&self) -> bool {
        self.state != octroi_domain::feed::PermitStatus::Suspended.as_str()
    }
}

/// A line of a list of permits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PermitLine {
    pub id: String,
    pub state: String,
    pub request: String,
    pub definition: String,
    pub provider: String,
    pub stage: Option<String>,
    pub title: String,
    pub organization: OrganizationView,
    pub applicant: String,
    pub scopes: Vec<String>,
    pub granted_at: String,
    pub expires_at: Option<String>,
    /// When it was suspended, superseded or revoked, or expired; none while it is in force.
    pub stopped_at: Option<String>,
}
impl From<PermitSummary> for PermitLine {
    fn from(summary: PermitSummary) -> Self {
        Self {
            id: summary.id.to_string(),
            state: summary.status.as_str().to_owned(),
            request: summary.request.to_string(),
            definition: summary.definition.to_string(),
            provider: summary.provider.to_string(),
            stage: summary.stage.map(|stage| stage.to_string()),
            title: summary.title,
            organization: OrganizationView {
                id: summary.organization.to_string(),
                siret: summary.siret.to_string(),
                name: summary.organization_name,
            },
            applicant: summary.applicant_name,
            scopes: summary.scopes.iter().map(ToString::to_string).collect(),
            granted_at: summary.granted_at.to_string(),
            expires_at: summary.expires_at.map(|moment| moment.to_string()),
            stopped_at: summary.stopped_at.map(|moment| moment.to_string()),
        }
    }
}

/// The answer to an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApprovalView {
    /// `H` and a number.
    pub permit: String,
    pub request: String,
    pub version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApplicationView {
    pub id: String,
    /// The OAuth `client_id`: the same as `id`.
    pub client_id: String,
    pub name: String,
    /// `sandbox` or `production`.
    pub stage: String,
    pub organization: OrganizationView,
    /// `active` or `suspended`.
    pub state: String,
    /// May its API keys use this REST API in the name of its organisation?
    pub management: bool,
    pub created_at: String,
    pub subscriptions: Vec<SubscriptionView>,
    pub credentials: Vec<CredentialView>,
}
impl ApplicationView {
    #[must_use]
    pub fn new(application: &Application, organization: &Organization, subscriptions: &[Subscription], credentials: &[Credential]) -> Self {
        use octroi_domain::application::ApplicationState;
        Self {
            id: application.id.to_string(),
            client_id: application.id.to_string(),
            name: application.name.clone(),
            stage: application.stage.to_string(),
            organization: organization.into(),
            state: match application.state {
                ApplicationState::Active => "active".to_owned(),
                ApplicationState::Suspended => "suspended".to_owned(),
            },
            management: application.management,
            created_at: application.created_at.to_string(),
            subscriptions: subscriptions.iter().map(SubscriptionView::from).collect(),
            credentials: credentials.iter().map(CredentialView::from).collect(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubscriptionView {
    pub id: String,
    pub application: String,
    /// `provider/api`.
    pub api: String,
    pub permit: Option<String>,
    pub plan: String,
    pub terms_accepted: Option<u32>,
    /// `pending`, `active`, `suspended` or `revoked`.
    pub state: String,
    pub created_at: String,
}
impl From<&Subscription> for SubscriptionView {
    fn from(subscription: &Subscription) -> Self {
        Self {
            id: subscription.id.to_string(),
            application: subscription.application.to_string(),
            api: subscription.api.to_string(),
            permit: subscription.permit.map(|permit| permit.to_string()),
            plan: subscription.plan.to_string(),
            terms_accepted: subscription.terms_accepted,
            state: subscription.state.as_str().to_owned(),
            created_at: subscription.created_at.to_string(),
        }
    }
}

/// A credential, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CredentialView {
    pub id: String,
    /// `client_secret` or `api_key`.
    pub kind: String,
    /// The first characters, to recognise it by.
    pub hint: String,
    pub created_at: String,
    pub last_used_at: Option<String>,
    pub revoked_at: Option<String>,
}
impl From<&Credential> for CredentialView {
    fn from(credential: &Credential) -> Self {
        Self {
            id: credential.id.to_string(),
            kind: credential.kind.as_str().to_owned(),
            hint: credential.hint.clone(),
            created_at: credential.created_at.to_string(),
            last_used_at: credential.last_used_at.map(|moment| moment.to_string()),
            revoked_at: credential.revoked_at.map(|moment| moment.to_string()),
        }
    }
}

/// A new credential: the only answer that ever shows the secret.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NewCredentialView {
    pub id: String,
    /// `client_secret` or `api_key`.
    pub kind: String,
    pub application: String,
    pub client_id: String,
    /// Shown once, in the first answer; none when that answer is repeated for the same `Idempotency-Key`.
    /// Only its digest is kept.
    pub secret: Option<String>,
    pub hint: String,
    pub created_at: String,
}
