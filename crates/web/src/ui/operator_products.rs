//! Who was handed over to a product, for the operator: accounts, accounts of before, and whose these may be.

use octroi_app::hand_off::{
    accounts::ProductAccountView,
    legacy::{DisputeView, LegacyUserView},
};
use octroi_domain::{Id, Slug, hand_off::Dispute, hand_off::ProductAccount, hand_off::ProductRole};

use super::{
    kit::{ButtonLink, Cell, Column, Link, PostButton, Table, Tag, Tone},
    operator::{OperatorPage, Place, ROWS, Section, pages},
    page::{Page, PageAnswer, PageCall},
};
use octroi_app::Error;

/// Disputes on one page: the next ones follow as these are decided.
const DISPUTES: u32 = 10;

fn home(slug: &Slug) -> String {
    format!("/operator/connections/{slug}/accounts")
}

fn way(call: &PageCall, slug: &Slug) -> Vec<Link> {
    vec![Link::new(format!("/operator/connections/{slug}"), call.words.of("products-connection").with("connection", slug.to_string()))]
}

/// `GET /operator/connections/{slug}/accounts`
pub async fn accounts(call: PageCall) -> PageAnswer {
    let slug: Slug = call.id("slug")?;
    let app = call.app();
    let found = app.list_product_accounts(&call.context(), &slug, call.page(ROWS)).await?;
    let disputes = app.list_disputes(&call.context(), &slug, octroi_app::query::Page::new(None, DISPUTES)).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Connections, w.of("products-accounts"), way(&call, &slug));
    page.actions.push(ButtonLink::new(format!("/operator/connections/{slug}/legacy-users"), w.of("products-legacy")));
    if !disputes.items.is_empty() {
        let rows = disputes.items.iter().map(|dispute| dispute_row(&call, &page, &slug, dispute)).collect();
        page.sections.push(Section {
            title: w.of("products-disputes").into(),
            text: w.of("products-disputes-text").into(),
            table: Some(Table {
                caption: w.of("products-disputes").into(),
                columns: [w.of("products-legacy-account"), w.of("products-claimed-by"), w.of("products-reason"), w.of("products-decision")]
                    .map(Column::text)
                    .into(),
                rows,
                empty: String::new(),
            }),
            ..Section::default()
        });
    }
    let rows = found.items.iter().map(|account| account_row(&call, &page, &slug, account)).collect();
    page.sections.push(Section {
        title: w.of("products-accounts").into(),
        table: Some(Table {
            caption: w.of("products-accounts").into(),
            columns: [
                w.of("products-person"),
                w.of("products-organization"),
                w.of("products-role"),
                w.of("products-last"),
                w.of("products-change"),
            ]
            .map(Column::text)
            .into(),
            rows,
            empty: w.of("products-none").into(),
        }),
        ..Section::default()
    });
    page.pages = pages(&call, found.next.as_deref());
    call.render(&page)
}

fn dispute_row(call: &PageCall, page: &OperatorPage, slug: &Slug, dispute: &DisputeView) -> Vec<Cell> {
    let w = call.words;
    let decide = |step: &str, label: String| {
        PostButton::new(format!("/operator/connections/{slug}/legacy-disputes/{}/{step}", dispute.id), label, page.shell.guard())
            .about(dispute.legacy_user.email.clone())
    };
    let named = dispute.organizations.iter().map(|one| one.siret.to_string()).collect();
    vec![
        Cell::coded(Cell::text(dispute.legacy_user.email.clone()), dispute.legacy_user.organization_siret.clone()),
        Cell::Lines(vec![Cell::Code(dispute.subject.clone()), Cell::Items(named)]),
        Cell::text(w.one_of("products-reason", &dispute.reason)),
        Cell::Actions(vec![decide("accept", w.of("products-accept").into()), decide("refuse", w.of("products-refuse").into()).danger()]),
    ]
}

fn account_row(call: &PageCall, page: &OperatorPage, slug: &Slug, account: &ProductAccountView) -> Vec<Cell> {
    let w = call.words;
    let step = |name: &str, label: String| {
        PostButton::new(format!("/operator/connections/{slug}/accounts/{}/{name}", account.id), label, page.shell.guard())
            .about(account.email.clone())
    };
    let role = if account.role == ProductRole::Admin.as_str() {
        step("user", w.of("products-make-user").into())
    } else {
        step("admin", w.of("products-make-admin").into())
    };
    let state =
        if account.active { step("stop", w.of("products-stop").into()).danger() } else { step("resume", w.of("products-resume").into()) };
    let name = format!("{} {}", account.given_name, account.family_name);
    let person = vec![Cell::text(account.email.clone()), Cell::text(name.trim().to_owned()), Cell::Code(account.subject.clone())];
    let tone = if account.active { Tone::Good } else { Tone::Warning };
    let label = if account.active { w.one_of("products-role", &account.role).to_string() } else { w.of("products-stopped").to_string() };
    vec![
        Cell::Lines(person),
        Cell::Code(account.organization_siret.clone()),
        Cell::Tag(Tag::new(tone, label)),
        Cell::When(w.when(&account.last_login_at)),
        Cell::Actions(vec![role, state]),
    ]
}

/// `GET /operator/connections/{slug}/legacy-users`
pub async fn legacy(call: PageCall) -> PageAnswer {
    let slug: Slug = call.id("slug")?;
    let found = call.app().list_legacy_users(&call.context(), &slug, call.page(ROWS)).await?;
    let w = call.words;
    let mut under = way(&call, &slug);
    under.push(Link::new(home(&slug), w.of("products-accounts")));
    let mut page = OperatorPage::new(&call, Place::Connections, w.of("products-legacy"), under);
    let row = |user: &LegacyUserView| {
        let state = match &user.linked_by {
            Some(proof) => Tag::new(Tone::Good, w.one_of("products-linked", proof)),
            None => Tag::new(Tone::Info, w.of("products-waits")),
        };
        vec![
            Cell::text(user.email.clone()),
            Cell::Code(user.organization_siret.clone()),
            Cell::text(w.one_of("products-role", &user.role)),
            Cell::Tag(state),
        ]
    };
    page.sections.push(Section {
        text: w.of("products-legacy-text").into(),
        table: Some(Table {
            caption: w.of("products-legacy").into(),
            columns: [w.of("products-email"), w.of("products-organization"), w.of("products-role"), w.of("products-owner")]
                .map(Column::text)
                .into(),
            rows: found.items.iter().map(row).collect(),
            empty: w.of("products-legacy-none").into(),
        }),
        ..Section::default()
    });
    page.pages = pages(&call, found.next.as_deref());
    call.render(&page)
}

/// `POST /operator/connections/{slug}/accounts/{id}/{step}`
pub async fn change(call: PageCall) -> PageAnswer {
    let (slug, id, step): (Slug, Id<ProductAccount>, String) = (call.id("slug")?, call.id("id")?, call.id("step")?);
    let (role, active) = match step.as_str() {
        "admin" => (Some(ProductRole::Admin), None),
        "user" => (Some(ProductRole::User), None),
        "stop" => (None, Some(false)),
        "resume" => (None, Some(true)),
        _ => return Err(Error::NotFound.into()),
    };
    call.app().change_product_account(&call.context(), &slug, id, None, role, active).await?;
    Ok(Page::to(home(&slug)).flash("products-changed", ""))
}

/// `POST /operator/connections/{slug}/legacy-disputes/{id}/{step}`
pub async fn decide(call: PageCall) -> PageAnswer {
    let (slug, id, step): (Slug, Id<Dispute>, String) = (call.id("slug")?, call.id("id")?, call.id("step")?);
    let accept = match step.as_str() {
        "accept" => true,
        "refuse" => false,
        _ => return Err(Error::NotFound.into()),
    };
    call.app().decide_dispute(&call.context(), &slug, id, accept).await?;
    Ok(Page::to(home(&slug)).flash("products-decided", ""))
}
