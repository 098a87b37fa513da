//! The people and organisations of the demo. All are invented but the two ministries' bodies.

use octroi_app::{App, Context, Error, people::NewUser};
use octroi_domain::{
    Id, Moment,
    organization::{Organization, RegistryId},
    policy::{Person, Principal},
    text::Language,
    user::{LinkLevel, Perimeter, Role, RoleGrant, User},
};

use super::file::Account;

/// One password for all, so that it can be typed.
pub const PASSWORD: &str = "octroi-demo-2026";

/// Somebody of the demo, ready to act.
#[derive(Clone)]
pub struct Someone {
    pub person: Person,
    pub organization: Option<Id<Organization>>,
}
impl Someone {
    pub fn at(&self, now: Moment) -> Context {
        Context::new(Principal::Person(self.person.clone()), now)
    }
}

pub struct People {
    pub applicant: Someone,
    pub stranger: Someone,
    pub ministry: Someone,
    pub vendor: Someone,
    pub agency: Someone,
    /// Those who try an API from its page.
    pub visitors: Someone,
    pub reviewer: Someone,
    pub tax_reviewer: Someone,
    pub accounts: Vec<Account>,
}

/// `(key, SIRET, name)`
const ORGANIZATIONS: [(&str, &str, &str); 8] = [
    ("town", "21340001300016", "Commune de Rivebelle"),
    ("other_town", "21590002800014", "Commune de Hautmoulin"),
    ("ministry", "11004501000011", "Ministère de l'Éducation (exemple)"),
    ("vendor", "81234567600017", "Logiciels du Clocher SAS"),
    ("agency", "49812345400015", "Voyages Horizon SARL"),
    ("visitors", "90000012600012", "Visiteurs du bac à sable"),
    ("dinum", "13002526500013", "Direction interministérielle du numérique"),
    ("dgfip", "13000495500105", "Direction générale des Finances publiques"),
];

struct Seed {
    role: &'static str,
    email: &'static str,
    names: (&'static str, &'static str),
    organization: Option<&'static str>,
    roles: &'static [(Role, &'static str)],
}

const SEEDS: [Seed; 14] = [
    Seed { role: "applicant", email: "applicant@rivebelle.example", names: ("Amina", "Benali"), organization: Some("town"), roles: &[] },
    Seed { role: "colleague", email: "colleague@rivebelle.example", names: ("Bruno", "Castel"), organization: Some("town"), roles: &[] },
    Seed {
        role: "stranger",
        email: "stranger@hautmoulin.example",
        names: ("Chloé", "Denis"),
        organization: Some("other_town"),
        roles: &[],
    },
    Seed {
        role: "reviewer",
        email: "reviewer@dinum.example",
        names: ("David", "Évrard"),
        organization: Some("dinum"),
        roles: &[
            (Role::Reviewer, "provider:dinum"),
            (Role::Subscriber, "provider:dinum"),
            (Role::Reviewer, "definition:api-impot-particulier"),
        ],
    },
    Seed {
        role: "observer",
        email: "observer@dinum.example",
        names: ("Elsa", "Faure"),
        organization: Some("dinum"),
        roles: &[(Role::Observer, "provider:dinum")],
    },
    Seed {
        role: "manager",
        email: "manager@dinum.example",
        names: ("Farid", "Guérin"),
        organization: Some("dinum"),
        roles: &[(Role::Manager, "provider:dinum"), (Role::Manager, "definition:api-particulier")],
    },
    Seed {
        role: "developer",
        email: "developer@dinum.example",
        names: ("Gaëlle", "Hubert"),
        organization: Some("dinum"),
        roles: &[(Role::Developer, "provider:dinum")],
    },
    Seed {
        role: "api_administrator",
        email: "api-administrator@dinum.example",
        names: ("Hugo", "Imbert"),
        organization: Some("dinum"),
        roles: &[
            (Role::ApiAdministrator, "provider:dinum"),
            (Role::ApiAdministrator, "provider:dila"),
            (Role::ApiAdministrator, "provider:cassation"),
        ],
    },
    Seed {
        role: "operator",
        email: "operator@octroi.example",
        names: ("Inès", "Joly"),
        organization: None,
        roles: &[(Role::Operator, "platform")],
    },
    Seed {
        role: "ministry_applicant",
        email: "applicant@education.example",
        names: ("Jules", "Kermarec"),
        organization: Some("ministry"),
        roles: &[],
    },
    Seed {
        role: "vendor_applicant",
        email: "applicant@clocher.example",
        names: ("Karim", "Leroy"),
        organization: Some("vendor"),
        roles: &[],
    },
    Seed {
        role: "agency_applicant",
        email: "applicant@horizon.example",
        names: ("Léa", "Marchand"),
        organization: Some("agency"),
        roles: &[],
    },
    Seed { role: "visitors", email: "visitors@octroi.example", names: ("Nora", "Olivier"), organization: Some("visitors"), roles: &[] },
    Seed {
        role: "tax_reviewer",
        email: "reviewer@dgfip.example",
        names: ("Marc", "Nguyen"),
        organization: Some("dgfip"),
        roles: &[(Role::Reviewer, "provider:dgfip"), (Role::ApiAdministrator, "provider:dgfip")],
    },
];

fn impossible(what: impl std::fmt::Display) -> Error {
    Error::Internal(format!("demo: {what}"))
}

/// Creates everybody, through the operations that an operator uses.
pub async fn create(app: &App, now: Moment) -> Result<People, Error> {
    let shell = app.create_operator("shell@octroi.example", "Demo", "Shell", PASSWORD, now).await?;
    let operator =
        Person { user: shell.id, memberships: Vec::new(), roles: vec![RoleGrant { role: Role::Operator, perimeter: Perimeter::Platform }] };
    let context = Context::new(Principal::Person(operator), now);
    let mut organizations: Vec<(&str, Id<Organization>, &str, &str)> = Vec::new();
    for (key, siret, name) in ORGANIZATIONS {
        let parsed: RegistryId = siret.parse().map_err(impossible)?;
        let view = app.create_organization(&context, parsed, name).await?.value().ok_or_else(|| impossible("organisation"))?;
        organizations.push((key, view.id.parse().map_err(impossible)?, name, siret));
    }
    let mut everybody = Vec::new();
    let mut accounts = Vec::new();
    for seed in &SEEDS {
        let home = seed.organization.and_then(|key| organizations.iter().find(|(found, ..)| *found == key));
        let mut roles = Vec::new();
        for (role, perimeter) in seed.roles {
            roles.push(RoleGrant { role: *role, perimeter: perimeter.parse().map_err(impossible)? });
        }
        let level = LinkLevel::Verified;
        let new = NewUser {
            email: seed.email.to_owned(),
            given_name: seed.names.0.to_owned(),
            family_name: seed.names.1.to_owned(),
            language: Language::Fr,
            password: PASSWORD.to_owned(),
            organization: home.map(|(_, id, ..)| (*id, level)),
            roles: roles.clone(),
        };
        let view = app.create_user(&context, new).await?.value().ok_or_else(|| impossible("user"))?;
        let user: Id<User> = view.id.parse().map_err(impossible)?;
        let memberships = home.map(|(_, id, ..)| (*id, level)).into_iter().collect();
        everybody.push((seed.role, Someone { person: Person { user, memberships, roles }, organization: home.map(|(_, id, ..)| *id) }));
        accounts.push(Account {
            role: seed.role.to_owned(),
            email: seed.email.to_owned(),
            password: PASSWORD.to_owned(),
            organization: home.map_or_else(String::new, |(_, _, name, _)| (*name).to_owned()),
            siret: home.map(|(.., siret)| (*siret).to_owned()),
        });
    }
    let find =
        |role: &str| everybody.iter().find(|(found, _)| *found == role).map(|(_, someone)| someone.clone()).ok_or_else(|| impossible(role));
    Ok(People {
        applicant: find("applicant")?,
        stranger: find("stranger")?,
        ministry: find("ministry_applicant")?,
        vendor: find("vendor_applicant")?,
        agency: find("agency_applicant")?,
        visitors: find("visitors")?,
        reviewer: find("reviewer")?,
        tax_reviewer: find("tax_reviewer")?,
        accounts,
    })
}
