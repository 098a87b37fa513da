//! The legal notices, and the accessibility statement.

use askama::Template;

use super::{
    kit::{Facts, Link, Typed},
    page::{PageAnswer, PageCall, Shell},
};

#[derive(Template)]
#[template(path = "legal.html")]
struct Notices {
    shell: Shell,
    /// Empty: the operator has not said.
    publisher: Option<Typed>,
    contact: String,
    software: Facts,
    trace_days: u16,
}

/// `GET /legal`
pub async fn notices(call: PageCall) -> PageAnswer {
    let w = call.words;
    let site = &call.shared.web.site;
    let page = Notices {
        publisher: (!site.publisher.trim().is_empty()).then(|| Typed { text: site.publisher.clone() }),
        contact: site.contact.clone(),
        software: Facts::default()
            .text(w.of("legal-software-name"), "Octroi")
            .text(w.of("legal-software-version"), env!("CARGO_PKG_VERSION"))
            .text(w.of("legal-software-licence"), env!("CARGO_PKG_LICENSE")),
        trace_days: call.app().settings().trace_retention_days,
        shell: call.shell(w.of("footer-legal")).under(vec![Link::new("/", w.of("menu-home"))]),
    };
    call.render(&page)
}

#[derive(Template)]
#[template(path = "accessibility.html")]
struct Accessibility {
    shell: Shell,
    contact: String,
}

/// `GET /accessibility`
pub async fn accessibility(call: PageCall) -> PageAnswer {
    let w = call.words;
    call.render(&Accessibility {
        contact: call.shared.web.site.contact.clone(),
        shell: call.shell(w.of("accessibility-title")).under(vec![Link::new("/", w.of("menu-home"))]),
    })
}
