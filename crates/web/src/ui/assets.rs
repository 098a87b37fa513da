//! Style sheets, scripts and pictures: carried inside, named by what they hold, compressed once, kept for ever.

use std::{collections::HashMap, io::Write};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use octroi_domain::canonical::Sha256Hash;
use rust_embed::RustEmbed;

use super::site::Site;
use crate::{dispatch::OpenCall, problem::Problem};

#[derive(RustEmbed)]
#[folder = "assets"]
struct Files;

struct Asset {
    /// The first of the digest: another content has another address.
    hash: String,
    content_type: &'static str,
    plain: Bytes,
    gzip: Bytes,
}

/// Every file, by its name.
pub struct Assets(HashMap<String, Asset>);

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

fn asset(name: &str, plain: Bytes) -> Asset {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let gzip = encoder.write_all(&plain).and_then(|()| encoder.finish()).unwrap_or_default();
    Asset {
        hash: Sha256Hash::of(&plain).to_string().chars().filter(char::is_ascii_hexdigit).take(16).collect(),
        content_type: content_type(name),
        plain,
        gzip: gzip.into(),
    }
}

impl Assets {
    pub fn new(site: &Site) -> Self {
        let mut all: HashMap<String, Asset> = Files::iter()
            .filter_map(|name| Files::get(&name).map(|file| (name.to_string(), asset(&name, file.data.into_owned().into()))))
            .collect();
        all.insert("theme.css".to_owned(), asset("theme.css", site.theme().into()));
        if let Some((name, content)) = &site.logo {
            all.insert(name.clone(), asset(name, content.clone()));
        }
        Self(all)
    }

    /// Where a file is asked for.
    pub fn path(&self, name: &str) -> String {
        let hash = self.0.get(name).map_or("none", |asset| asset.hash.as_str());
        format!("/assets/{hash}/{name}")
    }

    pub fn logo(&self) -> Option<String> {
        self.0.keys().find(|name| name.starts_with("logo.")).map(|name| self.path(name))
    }
}

/// `GET /assets/{hash}/{name}`
pub async fn show(call: OpenCall) -> Response {
    let of = |wanted: &str| call.params.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value.as_str());
    let Some(asset) = call.shared.assets.0.get(of("name")).filter(|asset| asset.hash == of("hash")) else {
        return Problem::not_found().respond(&call.facts);
    };
    let accepted = call.headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let gzip = !asset.gzip.is_empty() && accepted.split(',').any(|coding| coding.trim().split(';').next() == Some("gzip"));
    let mut response = Response::new(Body::from(if gzip { asset.gzip.clone() } else { asset.plain.clone() }));
    let headers = response.headers_mut();
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    // A picture is a document of its own when it is opened by itself.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}
