//! The public register: as JSON, a page at a time, and whole, as CSV.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use octroi_app::{
    App, Context, Error,
    query::Page,
    register::{Register, RegisterEntry, RegisterFilter},
};
use octroi_domain::{Moment, Slug, policy::Principal};
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::IntoParams;

use crate::{
    call::{Answer, Call, Reply},
    dispatch::OpenCall,
    problem::{Failure, Problem},
    query::{self, Paging, several},
};

/// Whole registers that are written at the same time, at most.
static EXPORTS: Semaphore = Semaphore::const_new(2);
/// Rows of the register that are read at once.
const ROWS: u32 = 500;

/// Which permits in force.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Words, each the beginning of one in the title or the organisation's name and SIRET; `H12` finds the number.
    q: Option<String>,
    /// One or several, separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    definition: Vec<Slug>,
    /// One or several, separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    provider: Vec<Slug>,
}
impl From<Filter> for RegisterFilter {
    fn from(filter: Filter) -> Self {
        Self { text: filter.q, definitions: filter.definition, providers: filter.provider }
    }
}

/// List the permits in force
///
/// Everybody may know them, without the people behind them. `/register.csv` gives all of them as CSV (RFC 4180) and takes the same
/// parameters, but for `limit` and `cursor`.
#[utoipa::path(get, path = "/api/v1/register", tag = "public", params(Filter, Paging), responses((status = 200, body = Register)))]
pub async fn list(call: Call, input: Filter, page: Page) -> Answer {
    Reply::ok(&call.app().register(&call.context(), input.into(), page).await?)
}

/// `GET /register.csv`
pub async fn csv(call: OpenCall) -> Response {
    match export(call.shared.web.app.clone(), call.shared.now(), call.query).await {
        Ok(response) => response,
        Err(failure) => failure.into_problem(&call.facts, false).respond(&call.facts),
    }
}

async fn export(app: App, now: Moment, query: Option<String>) -> Result<Response, Failure> {
    let filter: RegisterFilter = query::parse::<Filter>(query.as_deref())?.into();
    let Ok(place) = EXPORTS.try_acquire() else {
        let busy = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Le registre est déjà en cours d’écriture pour d’autres ; réessayez dans une minute.",
            "The register is being written for others; try again in a minute.",
        );
        return Err(busy.with(header::RETRY_AFTER, HeaderValue::from_static("60")).into());
    };
    let context = Context::new(Principal::Anonymous, now);
    // The first rows are read before the answer begins, so that a failure has its own.
    let first = app.register(&context, filter.clone(), Page::first(ROWS)).await?;
    let (sender, body) = Channel::new(1);
    tokio::spawn(write(app, context, filter, first, sender, place));
    let mut response = Response::new(Body::new(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"register.csv\""));
    Ok(response)
}

/// Sends page after page, as fast as they are read. When the store fails, the answer breaks off: it does not end as if it were whole.
async fn write(
    app: App,
    context: Context,
    filter: RegisterFilter,
    first: Register,
    mut sender: Sender<Bytes, Error>,
    _place: SemaphorePermit<'static>,
) {
    let mut register = first;
    let mut text = String::from(HEADER);
    loop {
        for entry in &register.items {
            line(&mut text, entry);
        }
        if sender.send_data(std::mem::take(&mut text).into()).await.is_err() {
            return;
        }
        let Some(cursor) = register.next.and_then(|next| next.parse().ok()) else { return };
        register = match app.register(&context, filter.clone(), Page::new(Some(cursor), ROWS)).await {
            Ok(register) => register,
            Err(error) => return sender.abort(error),
        };
    }
}

const HEADER: &str =
    "id,definition,provider,stage,organization,siret,title,scopes,legal_basis,legal_basis_url,purpose,granted_at,expires_at\r\n";

fn line(text: &mut String, entry: &RegisterEntry) {
    let scopes = entry.scopes.join(" ");
    let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
    let cells = [
        entry.id.clone(),
        entry.definition.clone(),
        entry.provider.clone(),
        or_empty(&entry.stage),
        entry.organization.clone(),
        entry.siret.clone(),
        entry.title.clone(),
        scopes,
        or_empty(&entry.legal_basis),
        or_empty(&entry.legal_basis_url),
        or_empty(&entry.purpose),
        entry.granted_at.clone(),
        or_empty(&entry.expires_at),
    ];
    text.push_str(&cells.map(|cell| cell_of(&cell)).join(","));
    text.push_str("\r\n");
}

/// A cell (RFC 4180 section 2). What a spreadsheet would take for a formula gets an apostrophe before it.
fn cell_of(text: &str) -> String {
    let formula = text.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n', ';', '\t']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_text_and_nothing_else() {
        for (text, expected) in [
            ("Cantine", "Cantine"),
            ("", ""),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("=1+1", "'=1+1"),
            (" =1", "' =1"),
            ("+33 1", "'+33 1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\t=1\""),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
            ("=HYPERLINK(\"x\";\"y\")", "\"'=HYPERLINK(\"\"x\"\";\"\"y\"\")\""),
        ] {
            assert_eq!(cell_of(text), expected, "{text}");
        }
    }
}
