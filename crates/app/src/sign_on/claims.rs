//! What a client is told of a person: by scope, or claim by claim; the organisation is the one of the grant.

use octroi_domain::{
    organization::Organization,
    sign_on::{Grant, GrantFacts},
    text::Language,
    user::User,
};
use octroi_oauth::claims_request::ClaimsRequest;
use octroi_store::Reader;
use serde_json::{Map, Value, json};

use super::Known;
use crate::error::Error;

/// Claim → the scopes that give it.
const GIVEN_BY: [(&str, &[&str]); 15] = [
    ("name", &["profile"]),
    ("given_name", &["profile", "given_name"]),
    ("family_name", &["profile"]),
    ("usual_name", &["usual_name"]),
    ("locale", &["profile"]),
    ("updated_at", &["profile"]),
    ("email", &["email"]),
    ("email_verified", &["email"]),
    ("uid", &["uid"]),
    ("siret", &["organization", "siret"]),
    ("label", &["organization"]),
    ("is_external", &["organization"]),
    ("organization_id", &["organization"]),
    ("organizations", &["organizations"]),
    ("phone_number", &["phone"]),
];

/// Every claim that clients may be told of: nobody's telephone is known.
pub fn names() -> impl Iterator<Item = &'static str> {
    GIVEN_BY.into_iter().map(|(name, _)| name).filter(|name| *name != "phone_number")
}

/// Do these claims or scopes tell of one organisation, so that one has to be chosen?
pub(super) fn needs_organization(scopes: &[String], claims: &ClaimsRequest) -> bool {
    let one = ["organization", "siret"];
    scopes.iter().any(|scope| one.contains(&scope.as_str()))
        || claims.userinfo.keys().chain(claims.id_token.keys()).any(|claim| ["siret", "label", "organization_id"].contains(&claim.as_str()))
}

/// What the client asked for; and in the ID token what the scopes give, for a client that reads it alone.
pub(super) fn asked(known: &Known, facts: &GrantFacts) -> ClaimsRequest {
    let mut claims: ClaimsRequest = serde_json::from_str(&facts.claims).unwrap_or_default();
    if known.metadata.claims_in_id_token {
        for (name, _) in GIVEN_BY.into_iter().filter(|(_, scopes)| scopes.iter().any(|scope| facts.has_scope(scope))) {
            claims.id_token.entry(name.to_owned()).or_default();
        }
    }
    claims
}

/// The claims asked for one by one that the client may have at all.
pub(super) fn asked_one_by_one(known: &Known, claims: &ClaimsRequest) -> Vec<&'static str> {
    let asked = |name: &str| claims.userinfo.contains_key(name) || claims.id_token.contains_key(name);
    let may = |scopes: &[&str]| scopes.iter().any(|scope| known.may_ask(scope));
    GIVEN_BY.into_iter().filter(|(name, scopes)| asked(name) && may(scopes)).map(|(name, _)| name).collect()
}

/// What is known of a person and of their organisations.
pub(super) struct Told {
    all: Map<String, Value>,
}
impl Told {
    /// Nothing is read where the ID token is to say nothing of the person; none when there is no such person any more.
    pub async fn for_id_token(reader: &Reader, grant: &Grant, claims: &ClaimsRequest) -> Result<Option<Self>, Error> {
        if claims.id_token.is_empty() {
            return Ok(Some(Self { all: Map::new() }));
        }
        let Some(user) = reader.user_by_id(grant.user).await? else { return Ok(None) };
        Self::read(reader, &user, &grant.facts).await.map(Some)
    }

    pub async fn read(reader: &Reader, user: &User, facts: &GrantFacts) -> Result<Self, Error> {
        let memberships = reader.memberships_of_user(user.id).await?;
        let ids: Vec<_> = memberships.iter().map(|membership| membership.organization).collect();
        let organizations = reader.organizations_by_ids(&ids).await?;
        let is_external =
            |organization: &Organization| memberships.iter().any(|held| held.organization == organization.id && held.external);
        let mut all = Map::from_iter([
            ("name".to_owned(), json!(user.full_name())),
            ("given_name".to_owned(), json!(user.given_name)),
            ("family_name".to_owned(), json!(user.family_name)),
            ("usual_name".to_owned(), json!(user.family_name)),
            ("locale".to_owned(), json!(if user.language == Language::Fr { "fr" } else { "en" })),
            ("updated_at".to_owned(), json!(user.created_at.seconds())),
            ("email".to_owned(), json!(user.email)),
            ("email_verified".to_owned(), json!(user.email_verified_at.is_some())),
            ("uid".to_owned(), json!(facts.subject)),
            (
                "organizations".to_owned(),
                organizations.iter().map(|organization| listed(organization, is_external(organization))).collect(),
            ),
        ]);
        // Who has left an organisation is no longer told of as its member.
        if let Some(chosen) = organizations.iter().find(|organization| Some(organization.id) == facts.organization) {
            all.extend([
                ("siret".to_owned(), json!(chosen.siret)),
                ("label".to_owned(), json!(chosen.name)),
                ("is_external".to_owned(), json!(is_external(chosen))),
                ("organization_id".to_owned(), json!(chosen.id)),
            ]);
        }
        all.retain(|_, value| !matches!(value, Value::String(text) if text.is_empty()));
        Ok(Self { all })
    }

    /// What the scopes give, and what was asked for one by one.
    pub fn userinfo(&self, known: &Known, facts: &GrantFacts, claims: &ClaimsRequest) -> Map<String, Value> {
        self.pick(known, |name, scopes| scopes.iter().any(|scope| facts.has_scope(scope)) || claims.userinfo.contains_key(name))
    }

    /// The organisation alone, as far as the scopes tell of it.
    pub fn organization(&self, known: &Known, facts: &GrantFacts) -> Map<String, Value> {
        const CLAIMS: [&str; 4] = ["siret", "label", "is_external", "organization_id"];
        self.pick(known, |name, scopes| CLAIMS.contains(&name) && scopes.iter().any(|scope| facts.has_scope(scope)))
    }

    /// What was asked for one by one.
    pub fn id_token(&self, known: &Known, claims: &ClaimsRequest) -> Map<String, Value> {
        self.pick(known, |name, _| claims.id_token.contains_key(name))
    }

    fn pick(&self, known: &Known, wanted: impl Fn(&str, &[&str]) -> bool) -> Map<String, Value> {
        let may = |scopes: &[&str]| scopes.iter().any(|scope| known.may_ask(scope));
        let given = GIVEN_BY.into_iter().filter(|(name, scopes)| wanted(name, scopes) && may(scopes));
        given.filter_map(|(name, _)| self.all.get(name).map(|value| (name.to_owned(), value.clone()))).collect()
    }
}

fn listed(organization: &Organization, is_external: bool) -> Value {
    json!({ "id": organization.id, "siret": organization.siret, "label": organization.name, "is_external": is_external })
}
