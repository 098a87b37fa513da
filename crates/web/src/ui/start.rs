//! Choosing what to ask for and how: `/start`.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{
    Done, Error,
    access_requests::NewRequest,
    request_forms::{Offer, OfferedForm},
};
use octroi_domain::{Id, Slug, organization::Organization};

use super::{
    errors,
    kit::{self, Alert, ButtonLink, Cell, Check, Control, ErrorSummary, Facts, Field, Filters, Link, Tag, Tile, Tiles, Tone},
    organizations,
    page::{Page, PageAnswer, PageCall, Shell},
    request_form::onward,
    review,
    words::Words,
};
use crate::problem::Failure;

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    shell: Shell,
    helper: ButtonLink,
    offers: Tiles,
}

#[derive(Template)]
#[template(path = "start_forms.html")]
struct FormsPage {
    shell: Shell,
    description: String,
    facts: Facts,
    by_use_case: Tiles,
    by_vendor: Tiles,
    free: Tiles,
    helper: Link,
}

#[derive(Template)]
#[template(path = "start_helper.html")]
struct HelperPage {
    shell: Shell,
    questions: Filters,
    /// None: nothing was answered yet.
    found: Option<Tiles>,
}

#[derive(Template)]
#[template(path = "start_form.html")]
struct FormPage {
    shell: Shell,
    summary: Option<ErrorSummary>,
    introduction: String,
    asked: Vec<String>,
    fixed: Vec<String>,
    /// None: nobody is signed in, or they belong to no organisation.
    begin: Option<Begin>,
    /// The way to an organisation, for who belongs to none.
    none_yet: Option<Alert>,
    sign_in: Option<ButtonLink>,
}

struct Begin {
    action: String,
    organization: Option<Field>,
}

fn trail(w: Words, offer: Option<&Offer>) -> Vec<Link> {
    let mut links = vec![Link::new("/start", w.of("start-title"))];
    links.extend(offer.map(|offer| Link::new(format!("/start/{}", offer.definition), w.text(&offer.name))));
    links
}

/// `GET /start`
pub async fn show(call: PageCall) -> PageAnswer {
    let w = call.words;
    let offers = call.app().offers(&call.context()).await?;
    let tile = |offer: &Offer| Tile {
        link: Link::new(format!("/start/{}", offer.definition), w.text(&offer.name)),
        text: w.text(&offer.description),
        tags: Vec::new(),
        note: w.of("start-offer-note").with("provider", w.text(&offer.provider)).with("count", offer.forms.len()).into(),
        level: 2,
    };
    let page = StartPage {
        offers: Tiles { tiles: offers.iter().map(tile).collect() },
        helper: ButtonLink::new("/start/helper", w.of("start-helper")).secondary(),
        shell: call.shell(w.of("start-title")),
    };
    call.render(&page)
}

/// As the stepper counts them: reading over is the last.
const fn steps(form: &OfferedForm) -> usize {
    form.asked.len() + 1
}

fn form_tile(w: Words, offer: &Offer, form: &OfferedForm, level: u8) -> Tile {
    let vendor = form.vendor.as_ref().map(|vendor| Tag::new(Tone::Info, vendor.name.clone()));
    let short = (!form.fixed.is_empty()).then(|| Tag::new(Tone::Good, w.of("start-form-short")));
    Tile {
        link: Link::new(format!("/start/{}/{}", offer.definition, form.slug), w.text(&form.name)),
        text: form.introduction.as_ref().map(|text| w.text(text)).unwrap_or_default(),
        tags: vendor.into_iter().chain(short).collect(),
        note: w.of("start-form-steps").with("count", steps(form)).into(),
        level,
    }
}

fn find<'a>(offers: &'a [Offer], call: &PageCall) -> Result<&'a Offer, Failure> {
    let wanted: Slug = call.id("definition")?;
    offers.iter().find(|offer| offer.definition == wanted).ok_or_else(|| Error::NotFound.into())
}

/// `GET /start/{definition}`
pub async fn forms(call: PageCall) -> PageAnswer {
    let w = call.words;
    let offers = call.app().offers(&call.context()).await?;
    let offer = find(&offers, &call)?;
    let tiles = |wanted: fn(&OfferedForm) -> bool| Tiles {
        tiles: offer.forms.iter().filter(|form| wanted(form)).map(|form| form_tile(w, offer, form, 3)).collect(),
    };
    let stages: Vec<String> = offer.stages.iter().map(|stage| w.one_of("stage", stage.as_str()).into()).collect();
    let mut facts = Facts::default().text(w.of("start-provider"), w.text(&offer.provider));
    if !stages.is_empty() {
        facts = facts.with(w.of("start-stages"), Cell::Items(stages));
    }
    if let Some(months) = offer.validity_months {
        facts = facts.text(w.of("start-validity"), w.of("months").with("count", months));
    }
    let page = FormsPage {
        description: w.text(&offer.description),
        facts,
        by_vendor: tiles(|form| form.vendor.is_some()),
        by_use_case: tiles(|form| form.vendor.is_none() && form.use_case.is_some()),
        free: tiles(|form| form.vendor.is_none() && form.use_case.is_none()),
        helper: Link::new("/start/helper", w.of("start-helper")),
        shell: call.shell(w.text(&offer.name)).under(trail(w, None)),
    };
    call.render(&page)
}

/// A use case is named by the form that serves it and is no vendor's.
fn use_cases(w: Words, offers: &[Offer]) -> Vec<(String, String)> {
    let mut cases: Vec<(String, String, bool)> = Vec::new();
    for form in offers.iter().flat_map(|offer| &offer.forms) {
        let Some(case) = form.use_case.as_ref().map(Slug::to_string) else { continue };
        let (name, vendors) = (w.text(&form.name), form.vendor.is_some());
        match cases.iter_mut().find(|(slug, ..)| *slug == case) {
            Some(held) if held.2 && !vendors => *held = (case, name, vendors),
            Some(_) => {}
            None => cases.push((case, name, vendors)),
        }
    }
    cases.into_iter().map(|(slug, name, _)| (slug, name)).collect()
}

/// `GET /start/helper`: two questions for who does not know the names.
pub async fn helper(call: PageCall) -> PageAnswer {
    let w = call.words;
    let offers = call.app().offers(&call.context()).await?;
    let (case, vendor) = (call.query.text("use_case").to_owned(), call.query.text("vendor").to_owned());
    let none = |words: String| (String::new(), words);
    let cases: Vec<(String, String)> = std::iter::once(none(w.of("helper-other-use").into())).chain(use_cases(w, &offers)).collect();
    let mut vendors: Vec<(String, String)> = vec![none(w.of("helper-no-vendor").into())];
    for held in offers.iter().flat_map(|offer| &offer.forms).filter_map(|form| form.vendor.as_ref()) {
        let siret = held.siret.to_string();
        if !vendors.iter().any(|(known, _)| *known == siret) {
            vendors.push((siret, held.name.clone()));
        }
    }
    let found = call.query.has("use_case").then(|| Tiles { tiles: answers(w, &offers, &case, &vendor) });
    let page = HelperPage {
        questions: Filters {
            label: w.of("helper-title").into(),
            action: "/start/helper".into(),
            fields: vec![
                Field::select("use_case", w.of("helper-use"), cases, case),
                Field::select("vendor", w.of("helper-vendor"), vendors, vendor),
            ],
            submit: w.of("helper-submit").into(),
            reset: None,
            found: found.as_ref().map(|found| w.of("helper-found").with("count", found.tiles.len()).into()).unwrap_or_default(),
        },
        found,
        shell: call.shell(w.of("helper-title")).under(trail(w, None)),
    };
    call.render(&page)
}

fn of_vendor(form: &OfferedForm) -> Option<&str> {
    form.vendor.as_ref().map(|vendor| vendor.siret.as_str())
}

/// The forms of that use case, those of that vendor first; the free forms where nothing serves it.
fn answers(w: Words, offers: &[Offer], case: &str, vendor: &str) -> Vec<Tile> {
    let all: Vec<(&Offer, &OfferedForm)> = offers.iter().flat_map(|offer| offer.forms.iter().map(move |form| (offer, form))).collect();
    let fits = |form: &OfferedForm| {
        let served = !case.is_empty() && form.use_case.as_ref().is_some_and(|held| held.as_str() == case);
        let connected = !vendor.is_empty() && of_vendor(form) == Some(vendor);
        match of_vendor(form) {
            Some(_) => connected && (served || case.is_empty()),
            None => served,
        }
    };
    let mut fitting: Vec<&(&Offer, &OfferedForm)> = all.iter().filter(|(_, form)| fits(form)).collect();
    fitting.sort_by_key(|(_, form)| of_vendor(form).is_none());
    if fitting.is_empty() {
        fitting = all.iter().filter(|(_, form)| form.use_case.is_none() && form.vendor.is_none()).collect();
    }
    fitting
        .into_iter()
        .map(|(offer, form)| {
            let tile = form_tile(w, offer, form, 2);
            // Forms of several definitions may have one name.
            let name = w.of("helper-form").with("form", tile.link.text).with("definition", w.text(&offer.name));
            Tile {
                link: Link::new(tile.link.href, name),
                note: w.of("helper-of").with("provider", w.text(&offer.provider)).with("note", tile.note).into(),
                ..tile
            }
        })
        .collect()
}

async fn form_page(call: &PageCall, offer: &Offer, form: &OfferedForm, errors: &[kit::FieldError]) -> PageAnswer {
    let w = call.words;
    let memberships = call.me.as_ref().map(|me| me.organizations.as_slice()).unwrap_or_default();
    let error = errors.first().map(|error| error.message.clone()).unwrap_or_default();
    let organization = (memberships.len() > 1).then(|| {
        let chosen = call.form.get("organization").or_else(|| call.remembered(organizations::LAST)).unwrap_or_default();
        let check = |membership: &octroi_app::sessions::MembershipView| Check {
            value: membership.organization.id.clone(),
            label: membership.organization.name.clone(),
            hint: review::spaced(&membership.organization.siret),
            checked: membership.organization.id == chosen,
            locked: false,
        };
        let options = memberships.iter().map(check).collect();
        Field::new("organization", w.of("start-organization"), Control::Radios { options }).required().error(error.clone())
    });
    let path = format!("/start/{}/{}", offer.definition, form.slug);
    let alone = call.me.is_some() && memberships.is_empty();
    let none_yet = if alone { Some(organizations::none_yet(call, &path).await?) } else { None };
    let titles = |titles: &[octroi_domain::text::Text]| titles.iter().map(|title| w.text(title)).collect();
    let page = FormPage {
        summary: errors::summary(call, errors),
        introduction: form.introduction.as_ref().map(|text| w.text(text)).unwrap_or_default(),
        asked: titles(&form.asked),
        fixed: titles(&form.fixed),
        none_yet,
        begin: (!memberships.is_empty()).then(|| Begin { action: path.clone(), organization }),
        sign_in: call.me.is_none().then(|| ButtonLink::new(format!("/sign-in?return_to={path}"), w.of("start-sign-in"))),
        shell: call
            .shell(w.of("start-form-title").with("form", w.text(&form.name)).with("definition", w.text(&offer.name)))
            .under(trail(w, Some(offer))),
    };
    call.render(&page)
}

async fn chosen(call: &PageCall) -> Result<(Offer, OfferedForm), Failure> {
    let offers = call.app().offers(&call.context()).await?;
    let offer = find(&offers, call)?.clone();
    let wanted: Slug = call.id("form")?;
    let form = offer.forms.iter().find(|form| form.slug == wanted).cloned().ok_or(Error::NotFound)?;
    Ok((offer, form))
}

/// `GET /start/{definition}/{form}`
pub async fn form(call: PageCall) -> PageAnswer {
    let (offer, form) = chosen(&call).await?;
    form_page(&call, &offer, &form, &[]).await
}

/// `POST /start/{definition}/{form}`: opens the draft.
pub async fn begin(call: PageCall) -> PageAnswer {
    let (offer, form) = chosen(&call).await?;
    let organization: Option<Id<Organization>> = call.form.text("organization").parse().ok();
    let new = NewRequest { definition: offer.definition.clone(), form: form.slug.clone(), organization };
    match call.app().create_request(&call.once(), new).await {
        Ok(done) => {
            let id = created(done)?;
            let form = call.app().request_form(&call.context(), id.parse().map_err(|_| Error::NotFound)?).await?;
            let first = if form.steps.is_empty() { onward(&form) } else { super::request_form::path(&id, 0) };
            let page = Page::to(first).flash("request-created", &id);
            Ok(match organization {
                Some(organization) => page.remember(organizations::LAST, &organization.to_string()),
                None => page,
            })
        }
        Err(Error::Invalid(errors)) => {
            let errors = errors::fields(&call, &errors);
            Ok(form_page(&call, &offer, &form, &errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error) => Err(error.into()),
    }
}

/// The number of a request that was opened now, or by the first click of a double one.
pub(super) fn created(done: Done<octroi_app::view::RequestView>) -> Result<String, Error> {
    match done {
        Done::Now { value, .. } => Ok(value.id),
        Done::Before { body, .. } => {
            let body: Option<serde_json::Value> = body.and_then(|text| serde_json::from_str(&text).ok());
            let id = body.as_ref().and_then(|body| body.get("id")).and_then(serde_json::Value::as_str);
            id.map(str::to_owned).ok_or_else(|| Error::Internal("the first answer has no id".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::{
        definition::Vendor,
        text::{Language, Text},
    };

    use super::*;

    fn offers() -> Vec<Offer> {
        let form = |slug: &str, case: Option<&str>, vendor: bool| OfferedForm {
            slug: slug.parse().unwrap(),
            name: Text::new(slug, slug),
            introduction: None,
            use_case: case.map(|case| case.parse().unwrap()),
            vendor: vendor.then(|| Vendor { name: "V".into(), siret: "13002526500013".parse().unwrap() }),
            default: slug == "free",
            asked: Vec::new(),
            fixed: Vec::new(),
        };
        let text = Text::new("D", "D");
        vec![Offer {
            definition: "d".parse().unwrap(),
            name: text.clone(),
            description: text.clone(),
            provider: text,
            stages: Vec::new(),
            validity_months: None,
            forms: vec![form("free", None, false), form("vendors", Some("canteen"), true), form("canteen", Some("canteen"), false)],
        }]
    }

    #[test]
    fn two_questions_lead_to_the_forms_that_fit() {
        let w = Words::new(Language::En);
        for (case, vendor, expected) in [
            ("canteen", "", vec!["canteen"]),
            ("canteen", "13002526500013", vec!["vendors", "canteen"]),
            ("", "13002526500013", vec!["vendors"]),
            ("", "", vec!["free"]),
            ("unknown", "", vec!["free"]),
        ] {
            let found: Vec<String> = answers(w, &offers(), case, vendor).into_iter().map(|tile| tile.link.text).collect();
            let expected: Vec<String> = expected.into_iter().map(|form| format!("{form} (D)")).collect();
            assert_eq!(found, expected, "{case} {vendor}");
        }
        assert_eq!(use_cases(w, &offers()), [("canteen".to_owned(), "canteen".to_owned())], "named by the form that is no vendor's");
    }
}
