//! The applications that one signed in to: what each was given, and taking it back.

use askama::Template;
use octroi_app::{Error, sign_on::consents::ConnectedClient};
use octroi_domain::sign_on::ClientId;

use super::{
    account::under,
    confirm::Confirm,
    kit::{ButtonLink, Cell, Facts, Link, Tag, Tone},
    organizations::number_words,
    page::{Page, PageAnswer, PageCall, Shell},
    sign_on::shared,
    words::Words,
};

#[derive(Template)]
#[template(path = "account_applications.html")]
struct ApplicationsPage {
    shell: Shell,
    applications: Vec<Application>,
}

struct Application {
    name: String,
    facts: Facts,
    disconnect: ButtonLink,
}

/// What is shared, each thing once, in words.
fn told(w: Words, scopes: &[String]) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for scope in scopes {
        let words = match scope.strip_prefix("claim:") {
            Some(claim) => w.one_of("sign-on-claim", claim).to_string(),
            None => shared(w, scope),
        };
        if !told.contains(&words) {
            told.push(words);
        }
    }
    told
}

fn facts(w: Words, client: &ConnectedClient) -> Facts {
    let mut facts = Facts::default();
    if let Some(owner) = &client.owner {
        facts = facts.text(
            w.of("sign-on-owner"),
            w.of("sign-on-with-number").with("name", owner.name.clone()).with("number", number_words(w, owner.siret.as_str())),
        );
    }
    facts = facts.with(w.of("connected-shared"), Cell::Items(told(w, &client.scopes)));
    if !client.organizations.is_empty() {
        let names = client.organizations.iter().map(|organization| organization.name.clone()).collect();
        facts = facts.with(w.of("connected-organizations"), Cell::Items(names));
    }
    let state =
        if client.active { Tag::new(Tone::Good, w.of("connected-active")) } else { Tag::new(Tone::Neutral, w.of("connected-agreed")) };
    facts = facts.with(w.of("connected-state"), Cell::Tag(state)).with(w.of("connected-since"), Cell::When(w.when(&client.since)));
    match &client.last_used {
        Some(at) => facts.with(w.of("connected-used"), Cell::When(w.when(at))),
        None => facts,
    }
}

/// `GET /account/applications`
pub async fn show(call: PageCall) -> PageAnswer {
    let found = call.app().connected_clients(&call.context()).await?;
    let w = call.words;
    let application = |client: &ConnectedClient| Application {
        name: client.name.clone(),
        facts: facts(w, client),
        disconnect: ButtonLink::new(
            format!("/account/applications/{}/disconnect", client.client_id),
            w.of("connected-disconnect-one").with("client", client.name.clone()),
        )
        .secondary(),
    };
    // The page stays small, however many there are.
    let applications = found.iter().take(50).map(application).collect();
    call.render(&ApplicationsPage { applications, shell: call.shell(w.of("connected-title")).under(under(&call)) })
}

async fn one(call: &PageCall) -> Result<ConnectedClient, Error> {
    let id: ClientId = call.id("client").map_err(|_| Error::NotFound)?;
    let found = call.app().connected_clients(&call.context()).await?;
    found.into_iter().find(|client| client.client_id == id.as_str()).ok_or(Error::NotFound)
}

/// `GET /account/applications/{client}/disconnect`
pub async fn ask(call: PageCall) -> PageAnswer {
    let client = one(&call).await?;
    let w = call.words;
    let mut way = under(&call);
    way.push(Link::new("/account/applications", w.of("connected-title")));
    call.render(&Confirm {
        text: w.of("connected-disconnect-text").with("client", client.name.clone()).into(),
        facts: Some(facts(w, &client)),
        summary: None,
        action: format!("/account/applications/{}/disconnect", client.client_id),
        fields: Vec::new(),
        button: w.of("connected-disconnect").into(),
        danger: true,
        back: Link::new("/account/applications", w.of("cancel")),
        shell: call.shell(w.of("connected-disconnect-title").with("client", client.name)).under(way),
    })
}

/// `POST /account/applications/{client}/disconnect`
pub async fn disconnect(call: PageCall) -> PageAnswer {
    let id: ClientId = call.id("client")?;
    call.app().disconnect_client(&call.context(), &id).await?;
    Ok(Page::to("/account/applications").flash("connected-disconnected", ""))
}
