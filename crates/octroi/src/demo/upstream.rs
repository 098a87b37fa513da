//! The upstream of the demonstration: what a provider's own server would be.
//!
//! It answers from the mocks of the APIs that it is given, each below its mount, and `/echo` (alone or below any path)
//! shows what reached it: that is where one sees which headers the gateway strips and adds.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use octroi_domain::api::ApiDocument;
use octroi_gateway::mock::{MockError, MockRequest, Mocks};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Bodies larger than this are answered 413.
const LARGEST_BODY: usize = 1024 * 1024;

struct Upstream {
    /// Mount → mocks; the longest mount first.
    apis: Vec<(String, Mocks)>,
}

/// Serves HTTP/1.1 and HTTP/2 (without TLS) on `listener` until it is dropped.
///
/// # Errors
/// Before the first connection, when the mocks of a document cannot be used.
pub async fn serve(listener: TcpListener, documents: Vec<Arc<ApiDocument>>) -> Result<(), MockError> {
    let mut apis = Vec::new();
    for document in &documents {
        apis.push((document.api.mount.clone(), Mocks::build(document)?));
    }
    apis.sort_by_key(|(mount, _)| std::cmp::Reverse(mount.len()));
    let upstream = Arc::new(Upstream { apis });
    loop {
        let connection = match listener.accept().await {
            Ok((connection, _)) => connection,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to be given back.
                tracing::warn!(%error, "the demonstration's upstream could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let upstream = Arc::clone(&upstream);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let upstream = Arc::clone(&upstream);
                async move { Ok::<_, Infallible>(upstream.answer(request).await) }
            });
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(60));
            if let Err(error) = builder.serve_connection(TokioIo::new(connection), service).await {
                tracing::debug!(%error, "a connection to the demonstration's upstream ended badly");
            }
        });
    }
}

impl Upstream {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large or was cut short."),
        };
        let path = head.uri.path();
        if path.ends_with("/echo") {
            return json_answer(StatusCode::OK, &echo(&head, &body));
        }
        let below = |mount: &str| path.strip_prefix(mount).filter(|below| below.starts_with('/'));
        let Some((below, mocks)) = self.apis.iter().find_map(|(mount, mocks)| Some((below(mount)?, mocks))) else {
            return refusal(StatusCode::NOT_FOUND, "api_not_found", "No API is mounted at this path.");
        };
        let Some((operation, path_params)) = mocks.route(head.method.as_str(), below) else {
            return refusal(StatusCode::NOT_FOUND, "operation_not_found", "The API has no such operation.");
        };
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let answer = mocks.answer(
            operation,
            &MockRequest {
                path_params: &path_params,
                query: head.uri.query(),
                content_type: header(CONTENT_TYPE.as_str()),
                body: &body,
                mock_params: header("octroi-mock-params"),
            },
        );
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answered(status, &answer.content_type, answer.body)
    }
}

/// What was received: `{method, path, query, headers: {name: [values]}, body}`.
fn echo(head: &hyper::http::request::Parts, body: &[u8]) -> Value {
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in &head.headers {
        headers.entry(name.as_str()).or_default().push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query(),
        "headers": headers,
        "body": String::from_utf8_lossy(body),
    })
}

fn refusal(status: StatusCode, code: &str, detail: &str) -> Response<Full<Bytes>> {
    json_answer(status, &json!({ "errors": [{ "code": code, "title": status.canonical_reason(), "detail": detail }] }))
}

fn json_answer(status: StatusCode, value: &Value) -> Response<Full<Bytes>> {
    answered(status, "application/json", value.to_string().into())
}

fn answered(status: StatusCode, content_type: &str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type)
        && !content_type.is_empty()
    {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use octroi_domain::api::MockCase;

    use super::*;

    fn document(mount: &str, payload: &str) -> Arc<ApiDocument> {
        let api = serde_json::from_value(json!({
            "slug": "things", "provider": "town", "name": { "fr": "Choses", "en": "Things" }, "description": { "fr": "", "en": "" },
            "mount": mount, "visibility": "public", "access": { "mode": "open" }, "plans": [], "backends": {}, "contracts": []
        }));
        let case = MockCase {
            operation: "GET /v1/{id}".parse().unwrap(),
            source: "f/1.yaml".into(),
            params: [("id".to_owned(), json!(7)), ("name".to_owned(), json!(["A", "B"]))].into(),
            status: 206,
            payload: payload.into(),
        };
        let openapi = json!({ "openapi": "3.0.0", "paths": { "/v1/{id}": { "get": {} } } });
        Arc::new(ApiDocument { api: api.unwrap(), openapi, mocks: vec![case] })
    }

    async fn started() -> (String, reqwest::Client) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, vec![document("/town/things", r#"{"n":1}"#), document("/town/things/more", r#"{"n":2}"#)]));
        (base, reqwest::Client::new())
    }

    #[tokio::test]
    async fn it_answers_from_the_mocks_of_the_closest_mount() {
        let (base, client) = started().await;
        let get = async |path: &str| {
            let answer = client.get(format!("{base}{path}")).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        assert_eq!(get("/town/things/v1/7?name[]=A&name[]=B").await, (206, json!({ "n": 1 })));
        assert_eq!(get("/town/things/more/v1/7?name[]=A&name[]=B").await, (206, json!({ "n": 2 })));
        for (path, code) in [
            ("/town/things/v1/8", "mock_case_not_found"),
            ("/town/things/v2", "operation_not_found"),
            ("/town/thingsmore/v1/7", "api_not_found"),
            ("/", "api_not_found"),
        ] {
            let (status, body) = get(path).await;
            assert_eq!((status, &body["errors"][0]["code"]), (404, &json!(code)), "{path}");
        }
    }

    #[tokio::test]
    async fn it_echoes_what_it_received() {
        let (base, _) = started().await;
        for client in [reqwest::Client::builder(), reqwest::Client::builder().http2_prior_knowledge()] {
            let request = client.build().unwrap().put(format!("{base}/any/echo?a=%20")).header("x-a", "1").header("x-a", "2").body("text");
            let seen: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!((&seen["method"], &seen["path"], &seen["query"]), (&json!("PUT"), &json!("/any/echo"), &json!("a=%20")));
            assert_eq!((&seen["headers"]["x-a"], &seen["body"]), (&json!(["1", "2"]), &json!("text")));
        }
    }

    #[tokio::test]
    async fn a_large_body_is_refused() {
        let (base, client) = started().await;
        let answer = client.post(format!("{base}/echo")).body(vec![b'a'; LARGEST_BODY + 1]).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 413);
    }
}
