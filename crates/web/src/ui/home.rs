//! `/`: what this is, and three doors; and what lies behind two of them.

use askama::Template;
use octroi_app::showcase::CatalogueSearch;

use super::{
    kit::{Cell, Facts, Figure, Figures, Link, Tile, Tiles},
    page::{PageAnswer, PageCall, Shell},
};

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    shell: Shell,
    doors: Tiles,
    figures: Figures,
    /// Where programs call.
    addresses: Facts,
}

/// `GET /`
pub async fn show(call: PageCall) -> PageAnswer {
    let w = call.words;
    let context = call.context();
    let catalogue = call.app().search_catalogue(&context, &CatalogueSearch::default()).await?;
    let in_force = call.app().statistics(&context).await?.permits_in_force;
    let door = |href: &str, title: String, text: String| Tile {
        link: Link::new(href, title),
        text,
        tags: Vec::new(),
        note: String::new(),
        level: 2,
    };
    let figure = |value: String, name: String, href: &str| Figure { value, name, href: Some(href.to_owned()) };
    let web = &call.shared.web;
    let page = Home {
        doors: Tiles {
            tiles: vec![
                door("/apis", w.of("home-need").into(), w.of("home-need-text").into()),
                door("/provide", w.of("home-provide").into(), w.of("home-provide-text").into()),
                door("/my-data", w.of("home-mine").into(), w.of("home-mine-text").into()),
            ],
        },
        figures: Figures {
            figures: vec![
                figure(w.number(catalogue.total as u64), w.of("home-apis").with("count", catalogue.total).into(), "/apis"),
                figure(w.number(in_force), w.of("home-permits").with("count", in_force).into(), "/register"),
            ],
        },
        addresses: Facts::default()
            .text(w.of("home-portal"), &call.shared.public_url)
            .text(w.of("home-sandbox"), &web.sandbox_url)
            .text(w.of("home-production"), &web.production_url),
        shell: call.shell(w.of("home-title")),
    };
    call.render(&page)
}

#[derive(Template)]
#[template(path = "provide.html")]
struct Provide {
    shell: Shell,
    /// Where to write to; none: the operator set nothing.
    contact: Option<Cell>,
    /// Do the legal notices say who publishes?
    published: bool,
}

/// An address of mail or of the web can be followed; anything else is read.
fn contact(text: &str) -> Option<Cell> {
    let text = text.trim();
    let mail =
        !text.contains(char::is_whitespace) && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    match text {
        "" => None,
        text if text.starts_with("https://") => Some(Cell::link(text, text)),
        text if mail => Some(Cell::link(format!("mailto:{text}"), text)),
        text => Some(Cell::text(text)),
    }
}

/// `GET /provide`
pub async fn provide(call: PageCall) -> PageAnswer {
    let w = call.words;
    let site = &call.shared.web.site;
    call.render(&Provide {
        contact: contact(&site.contact),
        published: !site.publisher.trim().is_empty(),
        shell: call.shell(w.of("provide-title")).under(vec![Link::new("/", w.of("menu-home"))]),
    })
}

#[derive(Template)]
#[template(path = "my_data.html")]
struct MyData {
    shell: Shell,
    contact: String,
}

/// `GET /my-data`
pub async fn my_data(call: PageCall) -> PageAnswer {
    let w = call.words;
    call.render(&MyData {
        contact: call.shared.web.site.contact.clone(),
        shell: call.shell(w.of("my-data-title")).under(vec![Link::new("/", w.of("menu-home"))]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_a_link_where_it_can_be_one() {
        for (text, expected) in [
            ("", None),
            (" api@town.example ", Some(Cell::link("mailto:api@town.example", "api@town.example"))),
            ("https://town.example/contact", Some(Cell::link("https://town.example/contact", "https://town.example/contact"))),
            ("javascript:alert(1)", Some(Cell::text("javascript:alert(1)"))),
            ("Town hall, api@town.example", Some(Cell::text("Town hall, api@town.example"))),
        ] {
            assert_eq!(contact(text), expected, "{text}");
        }
    }
}
