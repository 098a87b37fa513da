//! Signing in through another provider: there and back, what to do when it does not work, and the ways in of one's own account that
//! lead through providers.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use octroi_app::{
    Error,
    connections::{Arrived, Begin, ConnectionError},
};
use octroi_domain::{
    Id, Slug,
    connection::{Conflict, Connection, Identity},
};
use octroi_oauth::parameters::Parameters;

use super::{
    account::under,
    entering::{Afterwards, Entering, Refusal},
    hand_off,
    kit::{Alert, ButtonLink, Cell, Column, Field, Hidden, Link, PostButton, Table, Tone},
    page::{Page, PageAnswer, PageCall, Shell, local},
    session, sign_on,
};
use crate::problem::Failure;

/// How long the browser keeps the word of a flow: as long as the flow lasts.
const FLOW_SECONDS: i64 = octroi_domain::connection::FLOW_SECONDS;

#[derive(Template)]
#[template(path = "connection_problem.html")]
struct ProblemPage {
    shell: Shell,
    what: String,
    next: String,
    ways: Vec<Link>,
}

#[derive(Template)]
#[template(path = "account_identities.html")]
struct IdentitiesPage {
    shell: Shell,
    alert: Option<Alert>,
    identities: Table,
    add: Vec<PostButton>,
}

/// One cookie for each flow, so that two windows do not get in each other's way. It is bound to this host over TLS.
fn cookie_name(call: &PageCall, state: &str) -> Option<String> {
    let short: String = state.chars().take(8).collect();
    let good = short.len() == 8 && short.bytes().all(|b| b.is_ascii_alphanumeric());
    let start = if call.shared.https { "__Host-octroi-flow-" } else { "octroi_flow_" };
    good.then(|| format!("{start}{short}"))
}

fn flow_cookie(call: &PageCall, state: &str, word: &str) -> Option<HeaderValue> {
    let (name, age) = (cookie_name(call, state)?, if word.is_empty() { 0 } else { FLOW_SECONDS });
    let secure = if call.shared.https { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{name}={word}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")).ok()
}

fn slug(call: &PageCall) -> Result<Slug, Failure> {
    call.id("connection")
}

/// The buttons of the sign-in page: one for each provider.
pub async fn buttons(call: &PageCall, afterwards: &Afterwards, hint: &str) -> Vec<ButtonLink> {
    // A form that is to go on after the sign-in does not travel to a provider and back.
    if afterwards.resumes() {
        return Vec::new();
    }
    let all = call.app().portal_connections().await.unwrap_or_default();
    let button = |connection: &Connection| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(back) = &afterwards.return_to {
            query.append_pair("return_to", back);
        }
        if !hint.is_empty() {
            query.append_pair("login_hint", hint);
        }
        let query = query.finish();
        let path = format!("/auth/{}/login", connection.slug);
        let href = if query.is_empty() { path } else { format!("{path}?{query}") };
        ButtonLink::new(href, call.words.of("connection-sign-in").with("name", call.words.text(&connection.name))).secondary()
    };
    all.iter().map(button).collect()
}

/// `GET /auth/{connection}/login`
pub async fn login(call: PageCall) -> PageAnswer {
    let slug = slug(&call)?;
    let begin = Begin {
        return_to: call.query.get("return_to").and_then(local).map(str::to_owned),
        login_hint: call.query.some("login_hint").filter(|hint| hint.len() <= 254 && !hint.chars().any(char::is_control)),
        ..Begin::default()
    };
    let connection = match call.app().active_connection(&slug).await {
        Ok(connection) => connection,
        Err(error) => return failed(&call, &slug, None, &error),
    };
    let begin = match connection.product() {
        None => begin,
        Some(product) => match hand_off::wish(&call, product) {
            // Where people are handed over is registered: nothing of the address says it.
            Ok(extra) => Begin { return_to: None, extra, ..begin },
            Err(error) => return hand_off::refused(&call, &connection, error),
        },
    };
    let back = begin.return_to.clone();
    match call.app().begin_login(&slug, begin, call.now).await {
        Ok(begun) => Ok(with_flow(&call, Page::to(&begun.address), &begun.state, &begun.word)),
        Err(error) => failed(&call, &slug, back.as_deref(), &error),
    }
}

fn with_flow(call: &PageCall, page: Page, state: &str, word: &str) -> Page {
    match flow_cookie(call, state, word) {
        Some(cookie) => page.with(header::SET_COOKIE, cookie),
        None => page,
    }
}

/// `GET /auth/{connection}/callback`
pub async fn callback(call: PageCall) -> PageAnswer {
    let slug = slug(&call)?;
    let Ok(parameters) = Parameters::read(call.raw_query.as_bytes()) else {
        return failed(&call, &slug, None, &ConnectionError::Over);
    };
    let state = parameters.get("state").unwrap_or_default().to_owned();
    let word = cookie_name(&call, &state).and_then(|name| call.remembered(&name).map(str::to_owned));
    let word = word.filter(|word| word.len() == 43);
    let finished = call.app().finish_login(&slug, &parameters, word.as_deref(), call.now).await;
    let page = match finished {
        Err(error) => failed(&call, &slug, None, &error),
        Ok((connection, flow, asserted)) if connection.is_portal() => {
            let afterwards = flow.return_to.as_deref().map(Afterwards::to).unwrap_or_default();
            match call.app().arrive(&call.context(), call.visitor(), (&connection, &flow, &asserted)).await {
                Ok(Arrived::Signed(step)) => session::go(call.clone(), afterwards, step).await,
                Ok(Arrived::Linked) => Ok(Page::to("/account/identities").flash("identity-linked", "")),
                Ok(Arrived::AskPassword) => Ok(Page::to(afterwards.path("/sign-in/existing-account"))),
                Ok(Arrived::Waiting) => waiting(&call, &connection),
                Ok(Arrived::Refused(why)) => conflict(&call, &connection, why),
                Err(error) => Err(error.into()),
            }
        }
        Ok((connection, flow, asserted)) => hand_off::arrived(&call, &connection, &flow.extra, asserted).await,
    };
    page.map(|page| with_flow(&call, page, &state, ""))
}

fn problem(call: &PageCall, status: StatusCode, mut page: ProblemPage) -> PageAnswer {
    // The address holds a code or an error: nothing leads back to it.
    page.shell.back = None;
    Ok(call.render(&page)?.status(status))
}

/// What to do when nobody comes in. The provider's own words are for the log.
fn failed(call: &PageCall, slug: &Slug, back: Option<&str>, error: &ConnectionError) -> PageAnswer {
    error.log(slug);
    let w = call.words;
    let again = Afterwards { return_to: back.map(str::to_owned), ..Afterwards::default() }.path(&format!("/auth/{slug}/login"));
    let mut ways = vec![Link::new(again, w.of("connection-again")), Link::new("/sign-in", w.of("connection-otherwise"))];
    let (status, title, what, next) = match error {
        ConnectionError::NotFound => return Err(Error::NotFound.into()),
        ConnectionError::Failed(Error::Unavailable(_)) => {
            (StatusCode::SERVICE_UNAVAILABLE, w.of("connection-down-title"), w.of("connection-ours-text"), w.of("connection-down-next"))
        }
        ConnectionError::Failed(_) => return Err(Error::Internal(error.to_string()).into()),
        ConnectionError::Over => {
            (StatusCode::BAD_REQUEST, w.of("connection-over-title"), w.of("connection-over-text"), w.of("connection-over-next"))
        }
        ConnectionError::MixUp => {
            ways.remove(0);
            (StatusCode::BAD_REQUEST, w.of("connection-doubt-title"), w.of("connection-mix-up-text"), w.of("connection-doubt-next"))
        }
        ConnectionError::Denied(code) if code == "access_denied" => {
            (StatusCode::BAD_REQUEST, w.of("connection-denied-title"), w.of("connection-denied-text"), w.of("connection-denied-next"))
        }
        ConnectionError::Denied(_) => {
            (StatusCode::BAD_REQUEST, w.of("connection-denied-title"), w.of("connection-refused-text"), w.of("connection-down-next"))
        }
        ConnectionError::Unreachable(_) => {
            (StatusCode::BAD_GATEWAY, w.of("connection-down-title"), w.of("connection-down-text"), w.of("connection-down-next"))
        }
        ConnectionError::NotBelieved(_) => {
            (StatusCode::BAD_GATEWAY, w.of("connection-doubt-title"), w.of("connection-doubt-text"), w.of("connection-doubt-next"))
        }
    };
    problem(call, status, ProblemPage { shell: call.shell(title), what: what.into(), next: next.into(), ways })
}

fn waiting(call: &PageCall, connection: &Connection) -> PageAnswer {
    let w = call.words;
    let name = w.text(&connection.name);
    let page = ProblemPage {
        shell: call.shell(w.of("connection-waiting-title")),
        what: w.of("connection-waiting-text").with("name", name).into(),
        next: w.of("connection-waiting-next").into(),
        ways: vec![Link::new("/sign-in", w.of("connection-otherwise")), Link::new("/", w.of("menu-home"))],
    };
    problem(call, StatusCode::OK, page)
}

fn conflict(call: &PageCall, connection: &Connection, why: Conflict) -> PageAnswer {
    let w = call.words;
    let name = w.text(&connection.name);
    let sign_in = Link::new("/sign-in?return_to=%2Faccount%2Fidentities", w.of("connection-sign-in-first"));
    let home = Link::new("/", w.of("menu-home"));
    let (title, what, next, ways) = match why {
        Conflict::AddressTaken => {
            (w.of("connection-taken-title"), w.of("connection-taken-text"), w.of("connection-taken-next"), vec![sign_in, home])
        }
        Conflict::NotVerified => {
            (w.of("connection-taken-title"), w.of("connection-unverified-text"), w.of("connection-taken-next"), vec![sign_in, home])
        }
        Conflict::NoAddress => (
            w.of("connection-no-address-title"),
            w.of("connection-no-address-text"),
            w.of("connection-no-address-next"),
            vec![Link::new("/sign-up", w.of("sign-in-no-account")), sign_in],
        ),
        Conflict::LinkedElsewhere => (
            w.of("connection-elsewhere-title"),
            w.of("connection-elsewhere-text"),
            w.of("connection-elsewhere-next"),
            vec![Link::new("/account/identities", w.of("identities-title"))],
        ),
        Conflict::OtherPerson => (
            w.of("connection-over-title"),
            w.of("connection-other-person-text"),
            w.of("connection-over-next"),
            vec![Link::new("/account/identities", w.of("identities-title"))],
        ),
        Conflict::Declined => {
            (w.of("connection-taken-title"), w.of("connection-declined-text"), w.of("connection-taken-next"), vec![sign_in, home])
        }
    };
    let what = what.with("name", name.clone()).into();
    let page = ProblemPage { shell: call.shell(title), what, next: next.with("name", name).into(), ways };
    problem(call, StatusCode::CONFLICT, page)
}

async fn existing_page(call: &PageCall, refusal: Option<Refusal>) -> PageAnswer {
    let afterwards = Afterwards::of(if call.posted { &call.form } else { &call.query });
    let Some(waiting) = call.app().waiting_link(call.visitor(), call.now).await? else {
        return Ok(Page::to(afterwards.path("/sign-in")));
    };
    let w = call.words;
    let name = w.text(&waiting.connection.name);
    let mut page = Entering::new(w.of("existing-title"), "/sign-in/existing-account", w.of("existing-confirm"));
    page.text = w.of("existing-text").with("email", waiting.email).with("name", name).into();
    page.hidden = afterwards.hidden();
    page.fields.push(Field::line("password", w.of("sign-in-password"), "").kind("password", "current-password").required());
    page.ways.push(Link::new(afterwards.path("/sign-in"), w.of("connection-otherwise")));
    page.show(call, refusal)
}

/// `GET /sign-in/existing-account`: the address has an account here, whose password is asked for.
pub async fn existing(call: PageCall) -> PageAnswer {
    existing_page(&call, None).await
}

/// `POST /sign-in/existing-account`
pub async fn confirm_existing(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().confirm_link(call.form.get("password").unwrap_or_default(), call.visitor(), call.now).await {
        Ok(step) => session::go(call, afterwards, step).await,
        Err(Error::NotFound) => Ok(Page::to(afterwards.path("/sign-in"))),
        Err(error) => existing_page(&call, Some(Refusal::of(&call, error)?)).await,
    }
}

/// `GET /auth/{connection}/logged-out`: the provider's session ended too.
pub async fn logged_out(call: PageCall) -> PageAnswer {
    let slug = slug(&call)?;
    if let Ok(connection) = call.app().active_connection(&slug).await
        && let Some(product) = connection.product()
    {
        return Ok(Page::to(product.details.after_logout.as_deref().unwrap_or(&product.front)));
    }
    Ok(Page::to("/").flash("signed-out", ""))
}

async fn identities_page(call: &PageCall, alert: Option<Alert>) -> PageAnswer {
    let identities = call.app().identities(&call.context()).await?;
    let connections = call.app().portal_connections().await?;
    let w = call.words;
    let shell = call.shell(w.of("identities-title")).under(under(call));
    let row = |identity: &octroi_app::connections::IdentityView| {
        let name = w.text(&identity.name);
        let path = format!("/account/identities/{}/unlink", identity.id);
        let unlink = PostButton::new(path, w.of("identity-unlink"), shell.guard()).about(name.clone()).danger();
        vec![
            Cell::text(name),
            Cell::text(w.date(&identity.created_at)),
            Cell::text(w.date(&identity.last_used_at)),
            Cell::Actions(vec![unlink]),
        ]
    };
    let add = connections.iter().map(|connection| {
        let button =
            PostButton::new("/account/identities/link", w.of("identity-link").with("name", w.text(&connection.name)), shell.guard());
        PostButton { hidden: vec![Hidden { name: "connection".into(), value: connection.slug.to_string() }], ..button }
    });
    let add = add.collect();
    let columns = [w.of("identity-name"), w.of("identity-since"), w.of("identity-last"), w.of("identity-do")].map(Column::text).into();
    let table = Table {
        caption: w.of("identities-title").into(),
        columns,
        rows: identities.iter().map(row).collect(),
        empty: w.of("identities-none").into(),
    };
    call.render(&IdentitiesPage { alert, identities: table, add, shell })
}

/// `GET /account/identities`
pub async fn identities(call: PageCall) -> PageAnswer {
    identities_page(&call, None).await
}

/// `POST /account/identities/link`: to the provider, and back as one more way in.
pub async fn link(call: PageCall) -> PageAnswer {
    call.app().recently(&call.context())?;
    let slug: Slug = call.form.text("connection").parse().map_err(|_| Error::NotFound)?;
    let user = call.context().principal.person().map(|person| person.user);
    let begin = Begin { user, return_to: Some("/account/identities".to_owned()), ..Begin::default() };
    match call.app().begin_login(&slug, begin, call.now).await {
        // A browser does not follow a form of ours to another site: a page leads there.
        Ok(begun) => Ok(with_flow(&call, sign_on::leave(&call, &begun.address)?, &begun.state, &begun.word)),
        Err(error) => failed(&call, &slug, None, &error),
    }
}

/// `POST /account/identities/{id}/unlink`
pub async fn unlink(call: PageCall) -> PageAnswer {
    let id: Id<Identity> = call.id("id")?;
    match call.app().unlink_identity(&call.context(), id).await {
        Ok(()) => Ok(Page::to("/account/identities").flash("identity-unlinked", "")),
        Err(Error::Conflict { text, .. }) => {
            let w = call.words;
            let alert = Alert::new(Tone::Bad, w.of("not-possible"), w.text(&text)).link("/account/email", w.of("account-verify"));
            Ok(identities_page(&call, Some(alert)).await?.status(StatusCode::CONFLICT))
        }
        Err(error) => Err(error.into()),
    }
}
