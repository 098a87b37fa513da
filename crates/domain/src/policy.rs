//! Who may do what: the only place that says so. Default deny.
//!
//! Two questions are kept apart. This file says *who* may; the state of a request or a permit says
//! *when* (a move that its state does not have is a conflict, not a refusal).

use serde::{Deserialize, Serialize};

use crate::{
    Id, Slug,
    access_request::State,
    api::{ApiName, Visibility},
    application::Application,
    organization::Organization,
    stage::Stage,
    text::Text,
    user::{LinkLevel, Role, RoleGrant, User},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    Anonymous,
    Person(Person),
    Application(Machine),
}

/// A signed-in person, where they belong, and what they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub user: Id<User>,
    pub memberships: Vec<(Id<Organization>, LinkLevel)>,
    pub roles: Vec<RoleGrant>,
}

/// An application with management rights: it acts for its organisation, never as a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    pub application: Id<Application>,
    pub stage: Stage,
    pub organization: Id<Organization>,
}

impl Person {
    /// Is the person a member, however sure we are of it?
    #[must_use]
    pub fn belongs(&self, organization: Id<Organization>) -> bool {
        self.memberships.iter().any(|(held, _)| *held == organization)
    }

    /// Is the person a member beyond doubt? Only then are colleagues' matters shown.
    #[must_use]
    pub fn is_verified_member(&self, organization: Id<Organization>) -> bool {
        self.memberships.iter().any(|(held, level)| *held == organization && *level >= LinkLevel::Verified)
    }

    fn holds(&self, wanted: fn(Role) -> bool, covers: impl Fn(&RoleGrant) -> bool) -> bool {
        self.roles.iter().any(|grant| wanted(grant.role) && covers(grant))
    }

    /// Does the person hold such a role for the definition, or for its provider?
    #[must_use]
    pub fn for_definition(&self, wanted: fn(Role) -> bool, definition: &Slug, provider: &Slug) -> bool {
        self.holds(wanted, |grant| grant.perimeter.covers_definition(definition, provider))
    }

    fn runs_api(&self, api: &ApiName) -> bool {
        self.holds(|role| role == Role::ApiAdministrator, |grant| grant.perimeter.covers_api(api))
    }

    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.roles.iter().any(|grant| grant.role == Role::Operator)
    }
}

impl Principal {
    /// How the ledger names the principal.
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Person(person) => format!("user:{}", person.user),
            Self::Application(machine) => format!("application:{}", machine.application),
        }
    }

    /// The person, for an operation that only a person can do.
    #[must_use]
    pub const fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            _ => None,
        }
    }

    /// Does the principal act for this organisation?
    #[must_use]
    pub fn acts_for(&self, organization: Id<Organization>) -> bool {
        match self {
            Self::Anonymous => false,
            Self::Person(person) => person.is_verified_member(organization),
            Self::Application(machine) => machine.organization == organization,
        }
    }
}

/// Everything that a route can be for. A route names its action; a route without one does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    // Anyone.
    ReadPublic,
    SignIn,
    /// Of the pages; concerns this browser alone.
    ChooseLanguage,
    /// A client authenticates by itself at the OAuth endpoints.
    UseOAuthEndpoint,
    ReadDevMailbox,
    /// Call the sandbox from the page of a public API, with the key that everybody may know.
    TryApi,
    // Anyone who is known.
    SignOut,
    ReadSelf,
    /// Change one's own account, and what opens it.
    ManageAccount,
    // Requests.
    CreateRequest,
    ListRequests,
    ReadRequest,
    EditRequest,
    SubmitRequest,
    ArchiveRequest,
    TransferRequest,
    /// Write to the other side, and say that its messages were seen.
    WriteMessage,
    /// See it as those who decide do: beside the rules, what differs, and what else the organisation has.
    ReviewRequest,
    RequestChanges,
    RefuseRequest,
    ApproveRequest,
    // Permits.
    ListPermits,
    ReadPermit,
    AmendPermit,
    SuspendPermit,
    ResumePermit,
    RevokePermit,
    // Applications.
    CreateApplication,
    ListApplications,
    ReadApplication,
    SuspendApplication,
    Subscribe,
    ReadSubscription,
    EndSubscription,
    DecideSubscription,
    CreateCredential,
    RevokeCredential,
    /// See an API as who runs it does: upstreams, masks, subscribers, invitations.
    AdministerApi,
    AcceptInvitation,
    // Organisations.
    /// Find an organisation, ask to join it, and follow one's own wish.
    JoinOrganization,
    /// What members see of it: facts, members, who waits.
    ReadOrganization,
    LeaveOrganization,
    /// Confirm who waits, and invite.
    VouchForMember,
    // Calls.
    ReadTraces,
    AnonymiseTraces,
    // The platform.
    ReadApi,
    ReadLedger,
    ManagePlatform,
    ManageRoles,
}

impl Action {
    /// Actions on one request, in the order of the table.
    pub const ON_REQUEST: [Self; 10] = [
        Self::ReadRequest,
        Self::EditRequest,
        Self::SubmitRequest,
        Self::ArchiveRequest,
        Self::TransferRequest,
        Self::WriteMessage,
        Self::ReviewRequest,
        Self::RequestChanges,
        Self::RefuseRequest,
        Self::ApproveRequest,
    ];
    /// Actions on one permit.
    pub const ON_PERMIT: [Self; 5] = [Self::ReadPermit, Self::AmendPermit, Self::SuspendPermit, Self::ResumePermit, Self::RevokePermit];
    /// Actions on one application, subscription or credential.
    pub const ON_APPLICATION: [Self; 8] = [
        Self::ReadApplication,
        Self::SuspendApplication,
        Self::Subscribe,
        Self::ReadSubscription,
        Self::EndSubscription,
        Self::DecideSubscription,
        Self::CreateCredential,
        Self::RevokeCredential,
    ];
    /// Everything else.
    pub const GENERAL: [Self; 26] = [
        Self::ReadPublic,
        Self::SignIn,
        Self::ChooseLanguage,
        Self::UseOAuthEndpoint,
        Self::ReadDevMailbox,
        Self::TryApi,
        Self::SignOut,
        Self::ReadSelf,
        Self::ManageAccount,
        Self::CreateRequest,
        Self::ListRequests,
        Self::ListPermits,
        Self::CreateApplication,
        Self::ListApplications,
        Self::AdministerApi,
        Self::AcceptInvitation,
        Self::JoinOrganization,
        Self::ReadOrganization,
        Self::LeaveOrganization,
        Self::VouchForMember,
        Self::ReadTraces,
        Self::AnonymiseTraces,
        Self::ReadApi,
        Self::ReadLedger,
        Self::ManagePlatform,
        Self::ManageRoles,
    ];

    /// May the action be done without saying who one is?
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(
            self,
            Self::ReadPublic | Self::SignIn | Self::ChooseLanguage | Self::UseOAuthEndpoint | Self::ReadDevMailbox | Self::TryApi
        )
    }

    /// Does the action need a person? An application's key is refused, never taken for somebody.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        !matches!(
            self,
            Self::ReadPublic
                | Self::UseOAuthEndpoint
                | Self::ReadDevMailbox
                | Self::ReadSelf
                | Self::ListRequests
                | Self::ReadRequest
                | Self::ListPermits
                | Self::ReadPermit
                | Self::CreateApplication
                | Self::ListApplications
                | Self::ReadApplication
                | Self::Subscribe
                | Self::ReadSubscription
                | Self::EndSubscription
                | Self::CreateCredential
                | Self::RevokeCredential
                | Self::ReadTraces
                | Self::ReadApi
        )
    }

    /// The state that a request must be in for the move to exist; none: any state.
    #[must_use]
    pub const fn states(self) -> Option<&'static [State]> {
        match self {
            Self::EditRequest | Self::SubmitRequest => Some(&[State::Draft, State::ChangesRequested]),
            Self::ArchiveRequest => Some(&[State::Draft, State::ChangesRequested, State::Refused]),
            Self::WriteMessage => Some(&[State::Draft, State::Submitted, State::ChangesRequested, State::Approved, State::Refused]),
            Self::RequestChanges | Self::RefuseRequest | Self::ApproveRequest => Some(&[State::Submitted]),
            _ => None,
        }
    }
}

/// What the action is on, and the facts that the rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The platform as a whole, or a list that will be narrowed to what the principal may see.
    Platform,
    /// An organisation that something is done for.
    Organization(Id<Organization>),
    Request {
        applicant: Id<User>,
        organization: Id<Organization>,
        definition: Slug,
        provider: Slug,
    },
    Permit {
        organization: Id<Organization>,
        applicant: Id<User>,
        definition: Slug,
        provider: Slug,
    },
    Application {
        organization: Id<Organization>,
    },
    Subscription {
        organization: Id<Organization>,
        api: ApiName,
    },
    Api {
        name: ApiName,
        visibility: Visibility,
        subscribed: bool,
    },
    /// Traces of an API, or roles of a perimeter.
    Perimeter {
        api: Option<ApiName>,
        definition: Option<(Slug, Slug)>,
    },
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// Say who you are first.
    SignIn,
    /// For this principal it does not exist: the same answer as for an id that nobody has.
    Hide,
    Forbid(Forbidden),
}

/// Why somebody who may see a thing may not do this with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forbidden {
    /// The reviewer is the applicant, or belongs to the applicant's organisation.
    ConflictOfInterest,
    /// Only the applicant does this.
    NotTheApplicant,
    /// A role is missing.
    RoleMissing,
    /// A person must do it; the caller is an application.
    PersonRequired,
    /// Not a member of the organisation it would be done for.
    NotAMember,
    /// The caller is an application of the other stage.
    OtherStage,
}
impl Forbidden {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ConflictOfInterest => "conflict_of_interest",
            Self::NotTheApplicant => "not_the_applicant",
            Self::RoleMissing => "role_missing",
            Self::PersonRequired => "person_required",
            Self::NotAMember => "not_a_member",
            Self::OtherStage => "other_stage",
        }
    }

    #[must_use]
    pub fn text(self) -> Text {
        let (fr, en) = match self {
            Self::ConflictOfInterest => (
                "Vous appartenez à l’organisation qui demande : une autre personne doit décider.",
                "You belong to the organisation that applies: somebody else must decide.",
            ),
            Self::NotTheApplicant => (
                "Seule la personne qui a fait la demande peut le faire ; elle peut vous la transférer.",
                "Only the person who made the request may do this; they can transfer it to you.",
            ),
            Self::RoleMissing => (
                "Votre rôle ne permet pas cette action ; demandez-le à un responsable.",
                "Your role does not allow this; ask a manager for it.",
            ),
            Self::PersonRequired => (
                "Cette action demande une personne connectée, pas une clé d’application.",
                "This needs a signed-in person, not an application's key.",
            ),
            Self::OtherStage => (
                "Cette clé est celle d\'une application d\'une autre étape : les étapes ne partagent rien.",
                "This key belongs to an application of the other stage: the stages share nothing.",
            ),
            Self::NotAMember => (
                "Vous n’êtes pas membre de cette organisation, ou votre appartenance n’est pas vérifiée.",
                "You are not a member of this organisation, or your membership is not verified.",
            ),
        };
        Text::new(fr, en)
    }
}

/// Decides.
#[must_use]
pub fn decide(principal: &Principal, action: Action, subject: &Subject) -> Decision {
    if action.is_public() {
        return Decision::Allow;
    }
    match principal {
        Principal::Anonymous => Decision::SignIn,
        Principal::Application(machine) => machine_may(machine, action, subject),
        Principal::Person(person) => match subject {
            Subject::Platform => platform(person, action),
            Subject::Organization(organization) => for_organization(person, action, *organization),
            Subject::Request { applicant, organization, definition, provider } => {
                on_request(person, action, *applicant, *organization, definition, provider)
            }
            Subject::Permit { organization, applicant, definition, provider } => {
                on_permit(person, action, *organization, *applicant, definition, provider)
            }
            Subject::Application { organization } => on_application(person, action, *organization),
            Subject::Subscription { organization, api } => on_subscription(person, action, *organization, api),
            Subject::Api { name, visibility, subscribed } => on_api(person, action, name, *visibility, *subscribed),
            Subject::Perimeter { api, definition } => in_perimeter(person, action, api.as_ref(), definition.as_ref()),
        },
    }
}

const fn allow_if(good: bool, otherwise: Decision) -> Decision {
    if good { Decision::Allow } else { otherwise }
}

fn platform(person: &Person, action: Action) -> Decision {
    match action {
        // Who holds the link of an invitation proves it by its word.
        Action::AcceptInvitation => Decision::Allow,
        // Lists are narrowed to what the person may see.
        Action::SignOut
        | Action::ReadSelf
        | Action::ManageAccount
        | Action::ListRequests
        | Action::ListPermits
        | Action::ListApplications
        | Action::ReadTraces
        | Action::JoinOrganization
        | Action::AdministerApi => Decision::Allow,
        Action::ReadLedger | Action::ManagePlatform | Action::AnonymiseTraces | Action::ManageRoles => {
            allow_if(person.is_operator(), Decision::Forbid(Forbidden::RoleMissing))
        }
        _ => Decision::Forbid(Forbidden::RoleMissing),
    }
}

fn for_organization(person: &Person, action: Action, organization: Id<Organization>) -> Decision {
    let member = match action {
        // Who is no member does not learn that it is there.
        Action::ReadOrganization | Action::LeaveOrganization => return allow_if(person.belongs(organization), Decision::Hide),
        Action::VouchForMember if !person.belongs(organization) => return Decision::Hide,
        Action::VouchForMember => person.is_verified_member(organization),
        // An unverified member may prepare a request; the reviewer sees how sure the link is.
        Action::CreateRequest => person.belongs(organization),
        Action::CreateApplication | Action::ListApplications | Action::ReadTraces => person.is_verified_member(organization),
        _ => false,
    };
    allow_if(member, Decision::Forbid(Forbidden::NotAMember))
}

fn on_request(
    person: &Person,
    action: Action,
    applicant: Id<User>,
    organization: Id<Organization>,
    definition: &Slug,
    provider: &Slug,
) -> Decision {
    let is_applicant = person.user == applicant && person.belongs(organization);
    let colleague = person.is_verified_member(organization);
    let reads = person.for_definition(Role::reads_requests, definition, provider);
    if !(is_applicant || colleague || reads) {
        return Decision::Hide;
    }
    match action {
        Action::ReadRequest => Decision::Allow,
        Action::EditRequest | Action::SubmitRequest => allow_if(is_applicant, Decision::Forbid(Forbidden::NotTheApplicant)),
        Action::ArchiveRequest => {
            let decides = person.for_definition(Role::decides, definition, provider) && !person.belongs(organization);
            allow_if(is_applicant || decides, Decision::Forbid(Forbidden::NotTheApplicant))
        }
        Action::TransferRequest => allow_if(is_applicant || colleague, Decision::Forbid(Forbidden::NotTheApplicant)),
        // Two sides speak: who applies, and who decides. Colleagues and observers read.
        Action::WriteMessage => {
            let decides =
                person.for_definition(Role::decides, definition, provider) && person.user != applicant && !person.belongs(organization);
            let refusal = if colleague { Forbidden::NotTheApplicant } else { Forbidden::RoleMissing };
            allow_if(is_applicant || decides, Decision::Forbid(refusal))
        }
        Action::ReviewRequest => allow_if(reads, Decision::Forbid(Forbidden::RoleMissing)),
        Action::RequestChanges | Action::RefuseRequest | Action::ApproveRequest => {
            if !person.for_definition(Role::decides, definition, provider) {
                Decision::Forbid(Forbidden::RoleMissing)
            } else {
                allow_if(person.user != applicant && !person.belongs(organization), Decision::Forbid(Forbidden::ConflictOfInterest))
            }
        }
        _ => Decision::Forbid(Forbidden::RoleMissing),
    }
}

fn on_permit(
    person: &Person,
    action: Action,
    organization: Id<Organization>,
    applicant: Id<User>,
    definition: &Slug,
    provider: &Slug,
) -> Decision {
    let is_applicant = person.user == applicant && person.belongs(organization);
    let colleague = person.is_verified_member(organization);
    let reads = person.for_definition(Role::reads_requests, definition, provider);
    if !(is_applicant || colleague || reads) {
        return Decision::Hide;
    }
    match action {
        Action::ReadPermit => Decision::Allow,
        Action::AmendPermit => allow_if(is_applicant || colleague, Decision::Forbid(Forbidden::NotAMember)),
        Action::SuspendPermit | Action::RevokePermit => {
            allow_if(person.for_definition(Role::decides, definition, provider), Decision::Forbid(Forbidden::RoleMissing))
        }
        // To give back is to decide: not for one's own organisation.
        Action::ResumePermit => {
            if !person.for_definition(Role::decides, definition, provider) {
                Decision::Forbid(Forbidden::RoleMissing)
            } else {
                allow_if(!person.belongs(organization), Decision::Forbid(Forbidden::ConflictOfInterest))
            }
        }
        _ => Decision::Forbid(Forbidden::RoleMissing),
    }
}

fn on_application(person: &Person, action: Action, organization: Id<Organization>) -> Decision {
    if !person.is_verified_member(organization) {
        return allow_if(person.is_operator() && matches!(action, Action::SuspendApplication), Decision::Hide);
    }
    match action {
        Action::ReadApplication
        | Action::Subscribe
        | Action::AcceptInvitation
        | Action::CreateCredential
        | Action::RevokeCredential
        | Action::SuspendApplication
        | Action::ReadSubscription => Decision::Allow,
        _ => Decision::Forbid(Forbidden::RoleMissing),
    }
}

fn on_subscription(person: &Person, action: Action, organization: Id<Organization>, api: &ApiName) -> Decision {
    let member = person.is_verified_member(organization);
    let runs = person.runs_api(api);
    match action {
        Action::ReadSubscription | Action::EndSubscription => allow_if(member || runs, Decision::Hide),
        Action::DecideSubscription if runs => allow_if(!person.belongs(organization), Decision::Forbid(Forbidden::ConflictOfInterest)),
        Action::DecideSubscription if member => Decision::Forbid(Forbidden::RoleMissing),
        _ => Decision::Hide,
    }
}

fn on_api(person: &Person, action: Action, name: &ApiName, visibility: Visibility, subscribed: bool) -> Decision {
    match action {
        Action::ReadApi => {
            allow_if(visibility == Visibility::Public || subscribed || person.runs_api(name) || person.is_operator(), Decision::Hide)
        }
        _ => Decision::Forbid(Forbidden::RoleMissing),
    }
}

fn in_perimeter(person: &Person, action: Action, api: Option<&ApiName>, definition: Option<&(Slug, Slug)>) -> Decision {
    let good = match action {
        // What only its administrator sees of an API does not exist for others.
        Action::AdministerApi => return allow_if(api.is_some_and(|api| person.runs_api(api)), Decision::Hide),
        Action::ReadTraces => api.is_some_and(|api| person.runs_api(api)),
        Action::AnonymiseTraces => person.is_operator() || api.is_some_and(|api| person.runs_api(api)),
        Action::ManageRoles => {
            person.is_operator()
                || definition
                    .is_some_and(|(definition, provider)| person.for_definition(|role| role == Role::Manager, definition, provider))
        }
        _ => false,
    };
    allow_if(good, Decision::Forbid(Forbidden::RoleMissing))
}

/// An application acts for its organisation and nothing else: it reads, and it runs its own organisation's applications.
fn machine_may(machine: &Machine, action: Action, subject: &Subject) -> Decision {
    if action.needs_person() {
        return Decision::Forbid(Forbidden::PersonRequired);
    }
    let own = |organization: &Id<Organization>| allow_if(*organization == machine.organization, Decision::Hide);
    match subject {
        Subject::Platform => Decision::Allow,
        Subject::Organization(organization) => allow_if(*organization == machine.organization, Decision::Forbid(Forbidden::NotAMember)),
        Subject::Request { organization, .. }
        | Subject::Permit { organization, .. }
        | Subject::Application { organization }
        | Subject::Subscription { organization, .. } => own(organization),
        Subject::Api { visibility, subscribed, .. } => allow_if(*visibility == Visibility::Public || *subscribed, Decision::Hide),
        Subject::Perimeter { .. } => Decision::Forbid(Forbidden::RoleMissing),
    }
}
