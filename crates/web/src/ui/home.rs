//! `/`: what runs, and where to read on.

use askama::Template;
use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use octroi_domain::text::Language;

use crate::{dispatch::OpenCall, headers::CSP_PAGE, problem::Problem};

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    french: bool,
    version: &'a str,
    portal: &'a str,
    production: &'a str,
    sandbox: &'a str,
    /// The example data is there, and its mailbox with it.
    demo: bool,
}

pub async fn show(call: OpenCall) -> Response {
    let web = &call.shared.web;
    let home = Home {
        french: call.facts.language == Language::Fr,
        version: env!("CARGO_PKG_VERSION"),
        portal: &call.shared.public_url,
        production: &web.production_url,
        sandbox: &web.sandbox_url,
        demo: web.app.settings().demo,
    };
    match home.render() {
        Ok(page) => {
            let mut response = Response::new(Body::from(page));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(if home.french { "fr" } else { "en" }));
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
            headers.insert(header::CONTENT_SECURITY_POLICY, CSP_PAGE);
            response
        }
        Err(error) => {
            tracing::error!(request_id = %call.facts.request_id, %error, "the home page does not render");
            Problem::internal().respond(&call.facts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_and_nothing_unescaped() {
        let page = |french| {
            Home { french, version: "1", portal: "http://p", production: "http://<g>", sandbox: "http://s", demo: true }.render().unwrap()
        };
        let (french, english) = (page(true), page(false));
        assert!(french.contains("<html lang=\"fr\">") && english.contains("<html lang=\"en\">"));
        for page in [&french, &english] {
            assert!(
                page.contains("/api/docs") && page.contains("http://s") && !page.contains("<g>") && !page.contains("<script"),
                "{page}"
            );
        }
    }
}
