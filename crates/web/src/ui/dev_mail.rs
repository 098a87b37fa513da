//! `/dev/mailbox` and `/dev/mails`: the mails that the demo has sent, and every mail there is, with sample data. Demo only.

use askama::Template;
use axum::http::{HeaderValue, header};
use octroi_app::{
    Error,
    mails::{MailView, Sample, samples},
};
use octroi_domain::{mail::Mail, text::Language};

use super::{
    kit::{Cell, Column, Facts, Field, Filters, Frame, Link, Pages, Table, Typed},
    page::{Page, PageAnswer, PageCall, Shell},
    words::Words,
};
use crate::problem::Failure;
/// For the HTML of a mail: nothing runs, nothing is fetched, its links open elsewhere, and only we show it in a frame.
const CSP_MAIL: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
);

#[derive(Template)]
#[template(path = "dev_mailbox.html")]
struct MailboxPage {
    shell: Shell,
    filters: Filters,
    table: Table,
    pages: Pages,
}

#[derive(Template)]
#[template(path = "dev_mails.html")]
struct MailsPage {
    shell: Shell,
    table: Table,
}

#[derive(Template)]
#[template(path = "dev_mail.html")]
struct MailPage {
    shell: Shell,
    facts: Facts,
    text: Typed,
    /// None: a mail without HTML.
    html: Option<Frame>,
}

fn demo_only(call: &PageCall) -> Result<(), Error> {
    if call.app().settings().demo { Ok(()) } else { Err(Error::NotFound) }
}

/// `GET /dev/mailbox`
pub async fn mailbox(call: PageCall) -> PageAnswer {
    demo_only(&call)?;
    let w = call.words;
    let to = call.query.some("to").map(|to| to.trim().to_lowercase());
    let list = call.app().mailbox(to.as_deref(), call.page(25), call.now).await?;
    let rows = list.items.iter().map(|mail| {
        vec![
            Cell::link(format!("/dev/mailbox/{}", mail.id), mail.subject.clone()),
            Cell::text(mail.to.clone()),
            Cell::text(from(w, mail.from.as_deref())),
            Cell::When(w.when(&mail.at)),
        ]
    });
    let table = Table {
        caption: w.of("mailbox-caption").into(),
        columns: vec![
            Column::text(w.of("mail-subject")),
            Column::text(w.of("mail-to")),
            Column::text(w.of("mail-from")),
            Column::text(w.of("mail-at")),
        ],
        rows: rows.collect(),
        empty: w.of("mailbox-empty").into(),
    };
    let filters = Filters {
        label: w.of("mailbox-search").into(),
        action: "/dev/mailbox".to_owned(),
        fields: vec![Field::line("to", w.of("mail-to"), to.clone().unwrap_or_default()).kind("email", "off")],
        submit: w.of("mailbox-submit").into(),
        reset: to.as_ref().map(|_| Link::new("/dev/mailbox", w.of("mailbox-reset"))),
        found: String::new(),
    };
    let later = call.query.some("cursor").is_some();
    let pages = Pages {
        label: w.of("mailbox-pages").into(),
        first: later.then(|| Link::new(call.here_with(&[]), w.of("mailbox-newest"))),
        next: list.next.as_ref().map(|next| Link::new(call.here_with(&[("cursor", next)]), w.of("mailbox-older"))),
    };
    let shell = call.shell(w.of("mailbox-title")).under(vec![Link::new("/", w.of("menu-home"))]);
    call.render(&MailboxPage { shell, filters, table, pages })
}

/// `GET /dev/mailbox/{id}`
pub async fn delivered(call: PageCall) -> PageAnswer {
    demo_only(&call)?;
    let w = call.words;
    let MailView { id, to, from: sender, reply_to, subject, preheader, text, html, at } = call.app().mailbox_mail(call.id("id")?).await?;
    let mut facts = facts(w, [&to, &from(w, sender.as_deref()), &preheader]).with(w.of("mail-at"), Cell::When(w.when(&at)));
    if let Some(reply_to) = reply_to {
        facts = facts.text(w.of("mail-reply-to"), reply_to);
    }
    let way = vec![Link::new("/", w.of("menu-home")), Link::new("/dev/mailbox", w.of("mailbox-title"))];
    let shell = call.shell(subject).under(way);
    let frame = (!html.is_empty()).then(|| format!("/dev/mailbox/{id}/html"));
    mail_page(&call, shell, facts, text, frame)
}

/// `GET /dev/mailbox/{id}/html`
pub async fn delivered_html(call: PageCall) -> PageAnswer {
    demo_only(&call)?;
    let mail = call.app().mailbox_mail(call.id("id")?).await?;
    html_alone(mail.html)
}

/// `GET /dev/mails`
pub async fn all(call: PageCall) -> PageAnswer {
    demo_only(&call)?;
    let w = call.words;
    let all = samples(&call.app().settings().public_url);
    let rows = all.iter().filter(|sample| sample.language == w.language()).map(|sample| {
        let link = |language: Language| {
            let words = match language {
                Language::Fr => w.of("mails-in-french"),
                Language::En => w.of("mails-in-english"),
            };
            Link::new(sample_path(language, sample.name), words.with("name", sample.name))
        };
        vec![
            Cell::text(sample.mail.subject.clone()),
            Cell::text(sample.mail.preheader.clone()),
            Cell::Links(vec![link(Language::Fr), link(Language::En)]),
        ]
    });
    let table = Table {
        caption: w.of("mails-caption").into(),
        columns: vec![Column::text(w.of("mail-subject")), Column::text(w.of("mail-preheader")), Column::text(w.of("mails-versions"))],
        rows: rows.collect(),
        empty: String::new(),
    };
    let shell = call.shell(w.of("mails-title")).under(vec![Link::new("/", w.of("menu-home"))]);
    call.render(&MailsPage { shell, table })
}

/// `GET /dev/mails/{language}/{name}`
pub async fn sample(call: PageCall) -> PageAnswer {
    demo_only(&call)?;
    let w = call.words;
    let Sample { name, language, mail: Mail { to, from: sender, subject, preheader, text, .. } } = wanted(&call)?;
    let sender = sender.map(|sender| sender.to_string());
    let facts = facts(w, [&to, &from(w, sender.as_deref()), &preheader]);
    let way = vec![Link::new("/", w.of("menu-home")), Link::new("/dev/mails", w.of("mails-title"))];
    let shell = call.shell(subject).under(way);
    mail_page(&call, shell, facts, text, Some(format!("{}/html", sample_path(language, name))))
}

/// `GET /dev/mails/{language}/{name}/html`
pub async fn sample_html(call: PageCall) -> PageAnswer {
    demo_only(&call)?;
    html_alone(wanted(&call)?.mail.html)
}

fn wanted(call: &PageCall) -> Result<Sample, Failure> {
    let (language, name): (String, String) = (call.id("language")?, call.id("name")?);
    let found = samples(&call.app().settings().public_url).into_iter();
    found.into_iter().find(|sample| sample.name == name && code(sample.language) == language).ok_or_else(|| Error::NotFound.into())
}

const fn code(language: Language) -> &'static str {
    match language {
        Language::Fr => "fr",
        Language::En => "en",
    }
}

fn sample_path(language: Language, name: &str) -> String {
    format!("/dev/mails/{}/{name}", code(language))
}

fn from(w: Words, sender: Option<&str>) -> String {
    sender.map_or_else(|| w.of("mail-from-platform").into(), str::to_owned)
}

fn facts(w: Words, [to, from, preheader]: [&str; 3]) -> Facts {
    Facts::default().text(w.of("mail-from"), from).text(w.of("mail-to"), to).text(w.of("mail-preheader"), preheader)
}

fn mail_page(call: &PageCall, shell: Shell, facts: Facts, text: String, frame: Option<String>) -> PageAnswer {
    let w = call.words;
    let html = frame.map(|src| Frame { title: w.of("mail-html").into(), src });
    call.render(&MailPage { shell, facts, text: Typed { text }, html })
}

fn html_alone(html: String) -> PageAnswer {
    if html.is_empty() {
        return Err(Error::NotFound.into());
    }
    let page = Page::file("text/html; charset=utf-8", "", html);
    Ok(page.with(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline")).with(header::CONTENT_SECURITY_POLICY, CSP_MAIL))
}
