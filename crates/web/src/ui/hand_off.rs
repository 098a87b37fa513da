//! On the way to a product: for which organisation, and whose the account of before is.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use octroi_app::{
    Error,
    hand_off::{Arrived, HandOver, Visit, settings, wish_of},
};
use octroi_domain::{
    Slug,
    connection::{Asserted, Connection, Product},
    definition::FieldError,
    hand_off::{Waits, Wish},
    text::Text,
};
use octroi_oauth::{parameters::Parameters, secret};

use super::{
    kit::{Alert, Check, Control, Field, Link, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
};
use crate::{headers::CSP_PAGE, problem::Failure, product::Cookie};

#[derive(Template)]
#[template(path = "hand_off_organization.html")]
struct OrganizationPage {
    shell: Shell,
    text: String,
    action: String,
    choice: Field,
}

#[derive(Template)]
#[template(path = "hand_off_legacy.html")]
struct LegacyPage {
    shell: Shell,
    notice: Option<Alert>,
    text: String,
    action: String,
    /// None: the operator decides.
    password: Option<Field>,
    apart: String,
}

#[derive(Template)]
#[template(path = "hand_off_problem.html")]
struct ProblemPage {
    shell: Shell,
    what: String,
    next: String,
    way: Option<Link>,
}

/// What a front wants of the login that it begins, as it is kept until they are back.
pub fn wish(call: &PageCall, product: &Product) -> Result<String, Error> {
    let malformed = |error: octroi_oauth::parameters::ParameterError| {
        Error::Invalid(vec![FieldError {
            pointer: "/query".to_owned(),
            code: "malformed".to_owned(),
            message: Text::new(error.to_string(), error.to_string()),
        }])
    };
    let parameters = Parameters::read(call.raw_query.as_bytes()).map_err(malformed)?;
    let wish = wish_of(product, &parameters)?;
    serde_json::to_string(&wish).map_err(|error| Error::Internal(error.to_string()))
}

/// A front that begins a login wrongly is told so, with words for its makers.
pub fn refused(call: &PageCall, connection: &Connection, error: Error) -> PageAnswer {
    let w = call.words;
    let Error::Invalid(found) = error else { return Err(error.into()) };
    let page = ProblemPage {
        shell: call.shell(w.of("hand-off-wrong-title")),
        what: found.first().map(|error| w.text(&error.message)).unwrap_or_default(),
        next: w.of("hand-off-wrong-next").with("product", w.text(&connection.name)).into(),
        way: None,
    };
    Ok(call.render(&page)?.status(StatusCode::BAD_REQUEST))
}

/// A provider said who somebody is: they go on to the product, or are asked something first.
pub async fn arrived(call: &PageCall, connection: &Connection, extra: &str, asserted: Asserted) -> PageAnswer {
    let wish: Wish = serde_json::from_str(extra).unwrap_or_default();
    let word = secret::random_word().map_err(Error::from)?;
    let page = match call.app().arrive_at_product(connection, asserted, wish, &word, call.now).await {
        Ok(arrived) => go(call, &connection.slug, arrived),
        Err(error) => return failed(call, &connection.slug, error).await,
    };
    Ok(page.cookie(&Cookie::Way.set(&call.shared, &connection.slug, Some(&word))))
}

fn go(call: &PageCall, slug: &Slug, arrived: Arrived) -> Page {
    match arrived {
        Arrived::To(HandOver { location, session, .. }) => {
            let page = quiet(Page::to(location));
            match session {
                Some(session) => page.cookie(&Cookie::Session.set(&call.shared, slug, Some(&session))),
                None => page,
            }
        }
        Arrived::Wait { pick: Some(pick), .. } => quiet(Page::to(pick)),
        Arrived::Wait { word, pick: None } => Page::to(format!("/auth/{slug}/next/{word}")),
    }
}

/// Where a browser goes from here is told to nobody and kept nowhere.
fn quiet(page: Page) -> Page {
    page.with(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
        .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

struct Here {
    slug: Slug,
    word: String,
    path: String,
    browser: Option<String>,
}
impl Here {
    fn of(call: &PageCall) -> Result<Self, Failure> {
        let (slug, word): (Slug, String) = (call.id("connection")?, call.id("word")?);
        let browser = Cookie::Way.among(&call.shared, &call.cookies, &slug);
        Ok(Self { path: format!("/auth/{slug}/next/{word}"), slug, word, browser })
    }
}

/// `GET /auth/{connection}/next/{word}`
pub async fn show(call: PageCall) -> PageAnswer {
    let here = Here::of(&call)?;
    match call.app().visit(&here.slug, &here.word, here.browser.as_deref(), call.now).await {
        Ok(visit) => ask(&call, &here, &visit, None),
        Err(error) => failed(&call, &here.slug, error).await,
    }
}

/// `POST /auth/{connection}/next/{word}`: what was chosen, or typed.
pub async fn answer(call: PageCall) -> PageAnswer {
    let here = Here::of(&call)?;
    let (app, browser, now) = (call.app(), here.browser.as_deref(), call.now);
    let done = match call.form.text("choice") {
        "organization" => app.pick_organization(&here.slug, &here.word, browser, call.form.text("organization_siret"), now).await,
        "password" => app.prove_legacy(&here.slug, &here.word, browser, call.form.text("password"), &call.address, now).await,
        "apart" => app.go_apart(&here.slug, &here.word, browser, now).await,
        _ => return show(call).await,
    };
    match done {
        Ok(arrived) => Ok(go(&call, &here.slug, arrived)),
        Err(error @ (Error::Invalid(_) | Error::WrongPassword | Error::TooManyAttempts { .. })) => {
            let visit = match app.visit(&here.slug, &here.word, browser, now).await {
                Ok(visit) => visit,
                Err(error) => return failed(&call, &here.slug, error).await,
            };
            let status = match error {
                Error::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            Ok(ask(&call, &here, &visit, Some(&error))?.status(status))
        }
        Err(error) => failed(&call, &here.slug, error).await,
    }
}

fn ask(call: &PageCall, here: &Here, visit: &Visit, wrong: Option<&Error>) -> PageAnswer {
    let page = match visit.waits {
        Waits::Organization => organization(call, here, visit, wrong.is_some()),
        Waits::Password { .. } => legacy(call, here, visit, true, wrong),
        Waits::Operator { .. } => legacy(call, here, visit, false, None),
    }?;
    Ok(page.with(header::CONTENT_SECURITY_POLICY, form_policy(&visit.origin)))
}

/// The answer of a form here leads to the product's front, and nowhere else.
fn form_policy(origin: &str) -> HeaderValue {
    let ours = CSP_PAGE;
    let wider = ours.to_str().unwrap_or_default().replace("form-action 'self'", &format!("form-action 'self' {origin}"));
    HeaderValue::try_from(wider).unwrap_or(ours)
}

fn organization(call: &PageCall, here: &Here, visit: &Visit, unchosen: bool) -> PageAnswer {
    let w = call.words;
    let checks = visit.organizations.iter().map(|organization| Check {
        value: organization.siret.to_string(),
        label: if organization.label.is_empty() {
            w.of("hand-off-siret").with("siret", organization.siret.to_string()).into()
        } else {
            organization.label.clone()
        },
        hint: if organization.label.is_empty() {
            String::new()
        } else {
            w.of("hand-off-siret").with("siret", organization.siret.to_string()).into()
        },
        checked: false,
        locked: false,
    });
    let field = Field::new("organization_siret", w.of("hand-off-organization"), Control::Radios { options: checks.collect() }).required();
    let field = if unchosen { field.error(w.of("hand-off-organization-choose")) } else { field };
    call.render(&OrganizationPage {
        shell: call.shell(w.of("hand-off-organization-title")),
        text: w.of("hand-off-organization-text").with("product", w.text(&visit.name)).into(),
        action: here.path.clone(),
        choice: field,
    })
}

fn legacy(call: &PageCall, here: &Here, visit: &Visit, by_password: bool, wrong: Option<&Error>) -> PageAnswer {
    let w = call.words;
    let product = w.text(&visit.name);
    let notice = match wrong {
        Some(Error::TooManyAttempts { retry_after }) => {
            Some(Alert::new(Tone::Warning, w.of("hand-off-wait"), w.of("hand-off-wait-text").with("minutes", retry_after.div_ceil(60))))
        }
        _ => None,
    };
    let password = by_password.then(|| {
        let field = Field::line("password", w.of("hand-off-password"), "").kind("password", "current-password").required();
        match wrong {
            Some(Error::WrongPassword) => field.error(w.of("hand-off-password-wrong")),
            _ => field,
        }
    });
    let text = if by_password {
        w.of("hand-off-legacy-text").with("product", product.clone()).with("email", visit.email.clone())
    } else {
        w.of("hand-off-legacy-operator").with("product", product.clone()).with("email", visit.email.clone())
    };
    call.render(&LegacyPage {
        shell: call.shell(w.of("hand-off-legacy-title")),
        notice,
        text: text.into(),
        action: here.path.clone(),
        password,
        apart: if by_password { w.of("hand-off-apart").into() } else { w.of("hand-off-meanwhile").into() },
    })
}

/// What cannot go on, explained, with the way back to the product.
async fn failed(call: &PageCall, slug: &Slug, error: Error) -> PageAnswer {
    let w = call.words;
    let (status, title, what, next) = match &error {
        Error::NotFound => (
            StatusCode::BAD_REQUEST,
            w.of("hand-off-over-title").to_string(),
            w.of("hand-off-over-text").to_string(),
            w.of("hand-off-over-next").to_string(),
        ),
        Error::Conflict { text, .. } => {
            (StatusCode::CONFLICT, w.of("hand-off-conflict-title").to_string(), w.text(text), w.of("hand-off-conflict-next").to_string())
        }
        _ => return Err(error.into()),
    };
    let front = match call.app().product_connection(slug).await {
        Ok(connection) => {
            connection.product().and_then(|product| settings::origin(product).ok()).map(|origin| (origin, w.text(&connection.name)))
        }
        // Nobody learns from here which connections there are.
        Err(Error::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let way = front.map(|(origin, name)| Link::new(format!("{origin}/"), w.of("hand-off-back").with("product", name)));
    let page = ProblemPage { shell: call.shell(title), what, next, way };
    Ok(call.render(&page)?.status(status))
}
