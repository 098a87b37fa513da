//! `/auth/{connection}/choices/{word}`: the choice of the organisation, for a front that shows it itself.

use axum::response::Response;
use octroi_app::{Error, hand_off::Arrived};
use octroi_domain::{Slug, hand_off::Waits};
use serde::Deserialize;
use serde_json::json;

use super::{Asked, Cookie, add_cookie, answer, answer_refusal, may_ask, shared_with};
use crate::{dispatch::OpenCall, oidc::form::refusal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    organization_siret: String,
}

/// `GET`: what there is to choose from.
pub async fn show(call: OpenCall) -> Response {
    serve(call, false).await
}

/// `POST`: one of them. Where the browser goes then is in the answer.
pub async fn choose(call: OpenCall) -> Response {
    serve(call, true).await
}

async fn serve(call: OpenCall, choose: bool) -> Response {
    let asked = match Asked::read(call).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let (Some(slug), Some(word)) = (asked.param::<Slug>("connection"), asked.param::<String>("word")) else {
        return asked.error(Error::NotFound);
    };
    let app = &asked.shared.web.app;
    let connection = match app.product_connection(&slug).await {
        Ok(connection) => connection,
        Err(error) => return asked.error(error),
    };
    if !may_ask(&asked.shared, &asked.headers, &connection) {
        return answer_refusal(&refusal(403, "csrf", "ask from the product's own front"));
    }
    let answered = if choose { pick(&asked, &slug, &word).await } else { read(&asked, &slug, &word).await };
    let response = answered.unwrap_or_else(|error| asked.error(error));
    shared_with(response, &asked, Some(&connection))
}

async fn read(asked: &Asked, slug: &Slug, word: &str) -> Result<Response, Error> {
    let browser = Cookie::Way.of(&asked.shared, &asked.headers, slug);
    let visit = asked.shared.web.app.visit(slug, word, browser.as_deref(), asked.shared.now()).await?;
    if visit.waits != Waits::Organization {
        return Err(Error::NotFound);
    }
    let organizations: Vec<_> =
        visit.organizations.iter().map(|one| json!({ "siret": one.siret, "name": one.label, "is_external": one.is_external })).collect();
    Ok(answer(&json!({ "email": visit.email, "organizations": organizations })))
}

async fn pick(asked: &Asked, slug: &Slug, word: &str) -> Result<Response, Error> {
    let choice: Choice = match asked.members() {
        Ok(choice) => choice,
        Err(refusal) => return Ok(answer_refusal(&refusal)),
    };
    let app = &asked.shared.web.app;
    let browser = Cookie::Way.of(&asked.shared, &asked.headers, slug);
    let arrived = app.pick_organization(slug, word, browser.as_deref(), &choice.organization_siret, asked.shared.now()).await?;
    Ok(match arrived {
        Arrived::To(over) => {
            let mut response = answer(&json!({ "location": over.location }));
            if let Some(session) = &over.session {
                add_cookie(&mut response, &Cookie::Session.set(&asked.shared, slug, Some(session)));
            }
            response
        }
        Arrived::Wait { word, .. } => answer(&json!({ "location": format!("{}/auth/{slug}/next/{word}", asked.shared.public_url) })),
    })
}
