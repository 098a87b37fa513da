//! One request of the REST API, ready for a handler; and what a handler answers.

use std::{str::FromStr, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_app::{App, Context, Done, Error, Idempotency, sessions::Visitor};
use octroi_domain::{Id, Moment, organization::Organization, organization::RegistryId, policy::Principal, text::Language};
use serde::Serialize;
use serde_json::Value;

use crate::{
    idempotency,
    principal::Session,
    problem::{Failure, Problem},
    state::Shared,
};

/// What a handler answers, or why it does not.
pub type Answer = Result<Reply, Failure>;

/// A request: who asks, when, for what.
pub struct Call {
    pub shared: Arc<Shared>,
    pub principal: Principal,
    /// The session that the principal came by.
    pub session: Option<Session>,
    pub now: Moment,
    pub language: Language,
    pub idempotency: Option<Idempotency>,
    /// The version that `If-Match` names; 0, which no version is, when it names something else.
    pub if_match: Option<u32>,
    /// The client's network address.
    pub address: String,
    /// What it says of itself.
    pub agent: String,
    /// The word that the browser is known by, where a page gave it one.
    pub browser: Option<String>,
    /// What the braces of the route matched.
    pub params: Vec<(String, String)>,
}

impl Call {
    pub fn app(&self) -> &App {
        &self.shared.web.app
    }

    /// Where somebody signs in from.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor { address: &self.address, agent: &self.agent, browser: self.browser.as_deref() }
    }

    pub fn context(&self) -> Context {
        let mut context = Context::new(self.principal.clone(), self.now);
        context.language = self.language;
        context.session = self.session.as_ref().map(|session| session.held.clone());
        context.idempotency = self.idempotency;
        context
    }

    /// Are the person's roles held back until a second factor is shown?
    pub fn lacks_second_factor(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.second_factor_required)
    }

    /// What a brace of the route matched.
    ///
    /// # Errors
    /// 404 when it cannot be an id: no such thing exists.
    pub fn id<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        let text = self.params.iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str());
        text.and_then(|text| text.parse().ok()).ok_or_else(|| Error::NotFound.into())
    }

    /// The version that the change was written against, from `If-Match` or the body.
    ///
    /// # Errors
    /// 412 when both are there and differ.
    pub fn expected(&self, body: Option<u32>) -> Result<Option<u32>, Failure> {
        match (self.if_match, body) {
            (Some(header), Some(body)) if header != body => Err(Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "stale_version",
                "If-Match et version ne nomment pas la même version.",
                "If-Match and version do not name the same version.",
            )
            .into()),
            (header, body) => Ok(header.or(body)),
        }
    }

    /// The organisation that an id or a SIRET names; `None` when there is none.
    ///
    /// # Errors
    /// 422 when the text is neither.
    pub async fn organization(&self, text: &str) -> Result<Option<Id<Organization>>, Failure> {
        if let Ok(id) = text.parse() {
            return Ok(Some(id));
        }
        let Ok(siret) = text.parse::<RegistryId>() else {
            return Err(Problem::field("/organization", "invalid", "identifiant ou SIRET attendu", "expected an id or a SIRET").into());
        };
        Ok(self.app().organization_of_siret(&siret).await?)
    }

    /// The same, for something that is done in the name of the organisation: one that does not exist
    /// answers like one that the principal does not belong to.
    pub async fn own_organization(&self, text: Option<&str>) -> Result<Option<Id<Organization>>, Failure> {
        let Some(text) = text else { return Ok(None) };
        let found = self.organization(text).await?;
        found.map(Some).ok_or_else(|| Error::Forbidden(octroi_domain::policy::Forbidden::NotAMember).into())
    }

    /// The organisation that a list is narrowed to. Nobody has anything of one that does not exist.
    ///
    /// # Errors
    /// 422 when the text is neither an id nor a SIRET.
    pub async fn wanted_organization(&self, text: Option<&str>) -> Result<Vec<Id<Organization>>, Failure> {
        let Some(text) = text else { return Ok(Vec::new()) };
        Ok(vec![self.organization(text).await?.unwrap_or(Id::from_uuid(uuid::Uuid::nil()))])
    }
}

/// An answer of the REST API.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    /// JSON.
    body: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    pub fn json(status: StatusCode, value: &impl Serialize) -> Answer {
        let body = serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { status, body: Some(body), headers: Vec::new() })
    }

    pub fn ok(value: &impl Serialize) -> Answer {
        Self::json(StatusCode::OK, value)
    }

    pub const fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, headers: Vec::new() }
    }

    /// The outcome of a write, made now or before.
    pub fn done<T: Serialize>(done: Done<T>) -> Answer {
        let code = |status: u16| StatusCode::from_u16(status).map_err(|error| Error::Internal(error.to_string()));
        match done {
            Done::Now { status, value } => Self::json(code(status)?, &value),
            Done::Before { status, body } => {
                let once = || {
                    let detail =
                        "The secret was shown once, in the first answer, and is not kept. Revoke it and make another if it was lost.";
                    serde_json::json!({ "replayed": true, "detail": detail }).to_string()
                };
                let headers = vec![(idempotency::REPLAYED, HeaderValue::from_static("true"))];
                Ok(Self { status: code(status)?, body: Some(body.unwrap_or_else(once)), headers })
            }
        }
    }

    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn member(&self, name: &str) -> Option<Value> {
        let value: Value = serde_json::from_str(self.body.as_deref()?).ok()?;
        value.get(name).cloned()
    }

    /// Adds `Location` to a 201: the collection's path and the new thing's id.
    pub fn located(self, collection: &str) -> Self {
        let id = (self.status == StatusCode::CREATED).then(|| self.member("id")).flatten();
        let location = id.as_ref().and_then(Value::as_str).and_then(|id| HeaderValue::from_str(&format!("{collection}/{id}")).ok());
        match location {
            Some(location) => self.with(header::LOCATION, location),
            None => self,
        }
    }

    /// Adds the `ETag` that `If-Match` is compared with: the version, quoted (RFC 9110 section 8.8.3).
    pub fn tagged(self) -> Self {
        let version = self.member("version").and_then(|version| version.as_u64());
        match version.and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok()) {
            Some(tag) => self.with(header::ETAG, tag),
            None => self,
        }
    }

    pub fn respond(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        if let Some(body) = self.body {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = Body::from(body);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_replay_is_told_apart() {
        let now =
            Reply::done(Done::Now { status: 201, value: json!({"id": "D1", "version": 1}) }).unwrap().located("/x").tagged().respond();
        let before: Done<Value> = Done::Before { status: 201, body: Some(json!({"id": "D1", "version": 1}).to_string()) };
        let before = Reply::done(before).unwrap().located("/x").tagged().respond();
        for (response, replayed) in [(&now, None), (&before, Some("true"))] {
            assert_eq!(response.status(), 201);
            assert_eq!(response.headers()["location"], "/x/D1");
            assert_eq!(response.headers()["etag"], "\"1\"");
            assert_eq!(response.headers().get("idempotency-replayed").map(|value| value.to_str().unwrap()), replayed);
        }
    }

    #[test]
    fn a_secret_is_not_shown_again() {
        let secret: Done<Value> = Done::Before { status: 201, body: None };
        let reply = Reply::done(secret).unwrap();
        assert_eq!(reply.member("replayed"), Some(Value::Bool(true)));
        assert_eq!(reply.located("/x").respond().headers().get("location"), None);
    }
}
