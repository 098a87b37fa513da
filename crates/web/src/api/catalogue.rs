//! The catalogue: APIs and definitions, public but for private APIs.

use std::str::FromStr;

use octroi_app::{
    catalogue::{ApiView, DefinitionLine, DefinitionView},
    showcase::{CatalogueSearch, CatalogueView},
    view::List,
};
use octroi_domain::{
    Slug,
    api::{ApiName, Theme},
};
use serde::{Deserialize, Deserializer, de};
use utoipa::IntoParams;

use crate::{
    call::{Answer, Call, Reply},
    problem::Failure,
    query::{Limit, from_text},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CataloguePage {
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: After,
}

/// The name that the page before ended with; an API's is written with `:` in place of its `/`.
#[derive(Default)]
struct After(Option<String>);
impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let good = !text.is_empty() && text.split(':').count() <= 2 && text.split(':').all(|part| Slug::from_str(part).is_ok());
        if good {
            Ok(Self(Some(text.replace(':', "/"))))
        } else {
            Err(de::Error::custom("not a cursor: use the one that the previous page gave"))
        }
    }
}

/// Cuts a page out of a list that is short enough to be read whole.
fn cut<T>(mut items: Vec<T>, page: &CataloguePage, name: impl Fn(&T) -> String) -> List<T> {
    items.sort_by_cached_key(&name);
    if let Some(after) = &page.cursor.0 {
        items.retain(|item| name(item) > *after);
    }
    let limit = page.limit.0 as usize;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| name(last).replace('/', ":"));
    List { items, next }
}

/// List the APIs
#[utoipa::path(get, path = "/api/v1/apis", tag = "catalogue", params(CataloguePage), responses((status = 200, body = List<ApiView>)))]
pub async fn list_apis(call: Call, page: CataloguePage) -> Answer {
    let apis = call.app().list_apis(&call.context()).await?;
    Reply::ok(&cut(apis, &page, |api| api.name.clone()))
}

pub(super) fn api_name(call: &Call) -> Result<ApiName, Failure> {
    Ok(ApiName { provider: call.id("provider")?, api: call.id("api")? })
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFilter {
    /// Words, each the beginning of one of what the API says of itself; case and accents do not count.
    q: Option<String>,
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    provider: Option<Slug>,
    /// One of the themes of the catalogue: `family_and_social`, `tax`, …
    #[param(value_type = Option<String>)]
    theme: Option<Theme>,
    #[param(value_type = Option<String>)]
    access: Option<Mode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Open,
    Approval,
    Permit,
}

/// Search the public APIs, with how many each filter would leave
#[utoipa::path(get, path = "/api/v1/catalogue", tag = "catalogue", params(CatalogueFilter), responses((status = 200, body = CatalogueView)))]
pub async fn search(call: Call, filter: CatalogueFilter) -> Answer {
    let access = filter.access.map(|mode| match mode {
        Mode::Open => "open".to_owned(),
        Mode::Approval => "approval".to_owned(),
        Mode::Permit => "permit".to_owned(),
    });
    let search = CatalogueSearch { words: filter.q.unwrap_or_default(), provider: filter.provider, theme: filter.theme, access };
    Reply::ok(&call.app().search_catalogue(&call.context(), &search).await?)
}

/// Read an API: how it is reached, what opens it, its plans and terms
#[utoipa::path(get, path = "/api/v1/apis/{provider}/{api}", tag = "catalogue", params(("provider" = String, Path), ("api" = String, Path)), responses((status = 200, body = ApiView)))]
pub async fn read_api(call: Call) -> Answer {
    let name = api_name(&call)?;
    Reply::ok(&call.app().read_api(&call.context(), &name).await?)
}

/// Read the OpenAPI document of an API
#[utoipa::path(get, path = "/api/v1/apis/{provider}/{api}/openapi", tag = "catalogue", params(("provider" = String, Path), ("api" = String, Path)), responses((status = 200, body = Object)))]
pub async fn read_api_document(call: Call) -> Answer {
    let name = api_name(&call)?;
    Reply::ok(&call.app().read_api_document(&call.context(), &name).await?)
}

/// List the definitions: what can be applied for
#[utoipa::path(get, path = "/api/v1/definitions", tag = "catalogue", params(CataloguePage), responses((status = 200, body = List<DefinitionLine>)))]
pub async fn list_definitions(call: Call, page: CataloguePage) -> Answer {
    let definitions = call.app().list_definitions(&call.context()).await?;
    Reply::ok(&cut(definitions, &page, |definition| definition.slug.clone()))
}

/// Read a definition: blocks, fields, scopes with their rules, and for each form the JSON Schema of its answers with a complete example
#[utoipa::path(get, path = "/api/v1/definitions/{slug}", tag = "catalogue", params(("slug" = String, Path)), responses((status = 200, body = DefinitionView)))]
pub async fn read_definition(call: Call) -> Answer {
    let slug: Slug = call.id("slug")?;
    Reply::ok(&call.app().read_definition(&call.context(), &slug).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_short_list() {
        let page = |limit, after: Option<&str>| CataloguePage { limit: Limit(limit), cursor: After(after.map(str::to_owned)) };
        let cut = |limit, after| {
            let list = cut(vec!["c/x".to_owned(), "a/x".to_owned(), "b/x".to_owned()], &page(limit, after), Clone::clone);
            (list.items.join(" "), list.next)
        };
        assert_eq!(cut(2, None), ("a/x b/x".into(), Some("b:x".into())));
        assert_eq!(cut(2, Some("b/x")), ("c/x".into(), None));
        assert_eq!(cut(3, None), ("a/x b/x c/x".into(), None));
        assert_eq!(cut(3, Some("z")), (String::new(), None));
    }
}
