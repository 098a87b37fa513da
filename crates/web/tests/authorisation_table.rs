//! Prints who may do what to `docs/authorisation-table.md`, from the policy and the routes. The file
//! is committed, so that a change of the rules is seen and reviewed: this fails when the file says
//! something else. `UPDATE=1 cargo test -p octroi-web --test authorisation_table` writes it anew.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test: what is not there fails it")]

use std::{fmt::Write as _, path::Path};

use octroi_domain::{
    Id, Slug,
    access_request::State,
    api::{ApiName, Visibility},
    application::SubscriptionState,
    feed::PermitStatus,
    organization::Organization,
    policy::{Action, Decision, Machine, Person, Principal, Subject, decide},
    user::{LinkLevel, Perimeter, Role, RoleGrant, User},
};
use uuid::Uuid;

/// The organisation that applies, and one that has nothing to do with it.
const OURS: u128 = 1;
const THEIRS: u128 = 2;
const APPLICANT: u128 = 10;

fn organization(n: u128) -> Id<Organization> {
    Id::from_uuid(Uuid::from_u128(n))
}
fn user(n: u128) -> Id<User> {
    Id::from_uuid(Uuid::from_u128(n))
}
fn slug(text: &str) -> Slug {
    Slug::new(text).unwrap()
}
fn api() -> ApiName {
    ApiName { provider: slug("provider"), api: slug("api") }
}

fn person(n: u128, memberships: &[(u128, LinkLevel)], roles: &[(Role, Perimeter)]) -> Principal {
    Principal::Person(Person {
        user: user(n),
        memberships: memberships.iter().map(|(n, level)| (organization(*n), *level)).collect(),
        roles: roles.iter().map(|(role, perimeter)| RoleGrant { role: *role, perimeter: perimeter.clone() }).collect(),
    })
}

/// The rows: what somebody may be to the thing that they act on.
fn principals() -> Vec<(&'static str, Principal)> {
    let definition = || Perimeter::Definition(slug("definition"));
    let at_theirs = [(THEIRS, LinkLevel::Verified)];
    let machine = |n| {
        Principal::Application(Machine {
            application: Id::from_uuid(Uuid::from_u128(30)),
            stage: octroi_domain::stage::Stage::Production,
            organization: organization(n),
        })
    };
    let holder = |role| person(20, &at_theirs, &[(role, definition())]);
    vec![
        ("anonymous", Principal::Anonymous),
        ("stranger, of another organisation", person(20, &at_theirs, &[])),
        ("member, not verified", person(20, &[(OURS, LinkLevel::Unverified)], &[])),
        ("colleague", person(20, &[(OURS, LinkLevel::Verified)], &[])),
        ("applicant", person(APPLICANT, &[(OURS, LinkLevel::Verified)], &[])),
        ("applicant, not verified", person(APPLICANT, &[(OURS, LinkLevel::Unverified)], &[])),
        ("former member who applied", person(APPLICANT, &at_theirs, &[])),
        ("observer", holder(Role::Observer)),
        ("subscriber alone", holder(Role::Subscriber)),
        ("developer", holder(Role::Developer)),
        ("reviewer", holder(Role::Reviewer)),
        ("reviewer, of the whole provider", person(20, &at_theirs, &[(Role::Reviewer, Perimeter::Provider(slug("provider")))])),
        ("reviewer, of another definition", person(20, &at_theirs, &[(Role::Reviewer, Perimeter::Definition(slug("other")))])),
        ("reviewer, of the same organisation", person(20, &[(OURS, LinkLevel::Verified)], &[(Role::Reviewer, definition())])),
        (
            "reviewer, of the same organisation, not verified",
            person(20, &[(OURS, LinkLevel::Unverified)], &[(Role::Reviewer, definition())]),
        ),
        ("reviewer who applied", person(APPLICANT, &[(OURS, LinkLevel::Verified)], &[(Role::Reviewer, definition())])),
        ("manager", holder(Role::Manager)),
        ("API administrator", person(20, &at_theirs, &[(Role::ApiAdministrator, Perimeter::Api(api()))])),
        (
            "API administrator, of the same organisation",
            person(20, &[(OURS, LinkLevel::Verified)], &[(Role::ApiAdministrator, Perimeter::Api(api()))]),
        ),
        ("operator", person(20, &[], &[(Role::Operator, Perimeter::Platform)])),
        ("management key of the organisation", machine(OURS)),
        ("management key of another", machine(THEIRS)),
    ]
}

fn cell(decision: Decision, state_has_it: bool) -> String {
    match decision {
        Decision::Allow if state_has_it => "✓".to_owned(),
        Decision::Allow => "409".to_owned(),
        Decision::SignIn => "401".to_owned(),
        Decision::Hide => "404".to_owned(),
        Decision::Forbid(why) => format!("403 {}", why.code()),
    }
}

fn name(action: Action) -> String {
    serde_json::to_value(action).unwrap().as_str().unwrap().replace('_', " ")
}

/// One table: a row for each principal, a column for each action.
fn table(out: &mut String, actions: &[Action], judge: impl Fn(&Principal, Action) -> String) {
    let heads: Vec<String> = actions.iter().map(|action| name(*action)).collect();
    writeln!(out, "| | {} |", heads.join(" | ")).unwrap();
    writeln!(out, "|---|{}", "---|".repeat(actions.len())).unwrap();
    for (row, principal) in principals() {
        let cells: Vec<String> = actions.iter().map(|action| judge(&principal, *action)).collect();
        writeln!(out, "| {row} | {} |", cells.join(" | ")).unwrap();
    }
    out.push('\n');
}

fn requests(out: &mut String) {
    let subject = Subject::Request {
        applicant: user(APPLICANT),
        organization: organization(OURS),
        definition: slug("definition"),
        provider: slug("provider"),
    };
    out.push_str("## On a request\n\n");
    for state in State::ALL {
        writeln!(out, "### {}\n", state.as_str().replace('_', " ")).unwrap();
        table(out, &Action::ON_REQUEST, |principal, action| {
            cell(decide(principal, action, &subject), action.states().is_none_or(|states| states.contains(&state)))
        });
    }
}

/// The moves that the type of each state has (`domain/permit.rs`).
fn permit_has(status: PermitStatus, action: Action) -> bool {
    match action {
        Action::ReadPermit => true,
        Action::AmendPermit | Action::SuspendPermit => status == PermitStatus::Active,
        Action::ResumePermit => status == PermitStatus::Suspended,
        Action::RevokePermit => matches!(status, PermitStatus::Active | PermitStatus::Suspended),
        other => panic!("{other:?} is not on a permit"),
    }
}

fn permits(out: &mut String) {
    let subject = Subject::Permit {
        organization: organization(OURS),
        applicant: user(APPLICANT),
        definition: slug("definition"),
        provider: slug("provider"),
    };
    out.push_str("## On a permit\n\n");
    for (title, status) in [
        ("active", PermitStatus::Active),
        ("suspended", PermitStatus::Suspended),
        ("superseded, revoked or expired", PermitStatus::Revoked),
    ] {
        writeln!(out, "### {title}\n").unwrap();
        table(out, &Action::ON_PERMIT, |principal, action| cell(decide(principal, action, &subject), permit_has(status, action)));
    }
}

fn applications(out: &mut String) {
    out.push_str(
        "## On an application, its credentials and its subscriptions\n\nThe subscription is to an API that the API administrator runs.\n\n",
    );
    table(out, &Action::ON_APPLICATION, |principal, action| {
        let subject = match action {
            Action::ReadSubscription | Action::EndSubscription | Action::DecideSubscription => {
                Subject::Subscription { organization: organization(OURS), api: api() }
            }
            _ => Subject::Application { organization: organization(OURS) },
        };
        cell(decide(principal, action, &subject), true)
    });
    out.push_str("A subscription moves so, for whoever may move it:\n\n| from \\ to | active | suspended | revoked |\n|---|---|---|---|\n");
    use SubscriptionState::{Active, Pending, Revoked, Suspended};
    for from in [Pending, Active, Suspended, Revoked] {
        let cells = [Active, Suspended, Revoked].map(|to| if from.may_become(to) { "✓" } else { "409" });
        writeln!(out, "| {} | {} |", from.as_str(), cells.join(" | ")).unwrap();
    }
    out.push('\n');
}

/// What a general action is on, seen from the organisation that applies.
fn general_subject(action: Action, principal: &Principal) -> Subject {
    match action {
        Action::CreateRequest
        | Action::CreateApplication
        | Action::ListApplications
        | Action::ReadOrganization
        | Action::LeaveOrganization
        | Action::VouchForMember => Subject::Organization(organization(OURS)),
        Action::AnonymiseTraces => Subject::Perimeter { api: Some(api()), definition: None },
        Action::ManageRoles => Subject::Perimeter { api: None, definition: Some((slug("definition"), slug("provider"))) },
        Action::ReadApi => {
            Subject::Api { name: api(), visibility: Visibility::Private, subscribed: principal.acts_for(organization(OURS)) }
        }
        _ => Subject::Platform,
    }
}

fn general(out: &mut String) {
    out.push_str(
        "## Everything else\n\nOn the organisation that applies, its definition and its API; the API of `read api` is private, and that organisation is subscribed to it. \
         Lists and traces are narrowed to what one may see.\n\n",
    );
    let (public, known): (Vec<Action>, Vec<Action>) = Action::GENERAL.into_iter().partition(|action| action.is_public());
    let public: Vec<String> = public.into_iter().map(name).collect();
    writeln!(out, "Open to anyone: {}.\n", public.join(", ")).unwrap();
    for some in known.chunks(7) {
        table(out, some, |principal, action| cell(decide(principal, action, &general_subject(action, principal)), true));
    }
}

fn routes(out: &mut String) {
    out.push_str("## Routes\n\n| Route | Action | First check |\n|---|---|---|\n");
    for route in octroi_web::routes() {
        let first = match (route.action.is_public(), route.action.needs_person()) {
            (true, _) => "none",
            (false, true) => "a person",
            (false, false) => "a person or a management key",
        };
        writeln!(out, "| `{} {}` | {} | {first} |", route.method, route.path, name(route.action)).unwrap();
    }
}

fn printed() -> String {
    let mut out = String::from(
        "# Who may do what\n\n\
         Printed by `crates/web/tests/authorisation_table.rs` from `octroi_domain::policy` and the routes; do not edit.\n\n\
         ✓ allowed · 401 say who you are · 403 and why · 404 as if it did not exist · 409 allowed, but not in this state.\n\n\
         The request, permit, application and subscription belong to one organisation; the definition and the API to a provider.\n\n",
    );
    requests(&mut out);
    permits(&mut out);
    applications(&mut out);
    general(&mut out);
    routes(&mut out);
    out
}

#[test]
fn the_committed_table_is_the_policy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/authorisation-table.md");
    let printed = printed();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let first_difference = printed.lines().zip(committed.lines().chain(std::iter::repeat(""))).find(|(new, old)| new != old);
    assert!(committed == printed, "docs/authorisation-table.md differs: review it, then UPDATE=1. First difference: {first_difference:#?}");
}

#[test]
fn the_rules_that_must_never_move() {
    let request = Subject::Request {
        applicant: user(APPLICANT),
        organization: organization(OURS),
        definition: slug("definition"),
        provider: slug("provider"),
    };
    for (row, principal) in principals() {
        let ours = matches!(&principal, Principal::Person(person) if person.belongs(organization(OURS)) || person.user == user(APPLICANT));
        let decision = decide(&principal, Action::ApproveRequest, &request);
        if ours || matches!(principal, Principal::Application(_) | Principal::Anonymous) {
            assert_ne!(decision, Decision::Allow, "{row} approves");
        }
    }
    for row in [
        "stranger, of another organisation",
        "member, not verified",
        "former member who applied",
        "reviewer, of another definition",
        "API administrator",
        "operator",
    ] {
        let (_, principal) = principals().into_iter().find(|(name, _)| *name == row).unwrap();
        for action in Action::ON_REQUEST {
            assert_eq!(decide(&principal, action, &request), Decision::Hide, "{row}: {action:?}");
        }
    }
}
