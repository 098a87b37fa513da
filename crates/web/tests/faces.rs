//! The faces over a real store and a gateway that is not there: credentials in every order, strict
//! requests, headers, idempotency, and the OAuth endpoints. The stories of several people are told
//! with the whole program, in `crates/octroi/tests`.

mod support;

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use octroi_domain::stage::Stage;
use serde_json::{Value, json};
use support::{EMAIL, House, PASSWORD, PUBLIC};

#[tokio::test]
async fn each_route_answers_and_every_answer_is_guarded() {
    let house = House::open(PUBLIC, true).await;
    let mut seen = BTreeSet::new();
    for route in octroi_web::routes() {
        let path = route
            .path
            .replace("{provider}", "p")
            .replace("{api}", "a")
            .replace("{slug}", "s")
            .replace("{file}", "index.css")
            .replace("{connection}", "s")
            .replace("{id}", "D1");
        let answer = house.send(route.method.clone(), &path, &[], "").await;
        let page = !["/api/", "/oauth/", "/token", "/.well-known/"].iter().any(|start| path.starts_with(start));
        match (route.action.is_public(), page, route.method == Method::GET) {
            (true, ..) => {}
            (false, false, _) => drop(answer.problem(401, "sign_in_required")),
            (false, true, true) => {
                assert_eq!(answer.status, 303, "{path}");
                assert!(answer.headers["location"].to_str().unwrap().starts_with("/sign-in?return_to=%2F"), "{path}");
            }
            // The form of somebody whose session ended: signing in comes first.
            (false, true, false) => assert_eq!(answer.status, 401, "{path}"),
        }
        seen.insert(answer.status.as_u16());
        assert!(answer.status != 405 && answer.status.as_u16() < 500, "{} {path}: {}", route.method, answer.status);
        for name in ["content-security-policy", "x-content-type-options", "referrer-policy", "cache-control", "x-request-id"] {
            assert!(answer.headers.contains_key(name), "{name} on {path}");
        }
        // Only what looks at no cookie may be read by pages of other origins, and never with credentials.
        let open = ["/oauth/", "/api/oauth/", "/token", "/authorize", "/.well-known/"].iter().any(|start| path.starts_with(start))
            || ["/auth/s/jwks", "/auth/s/backchannel-logout"].contains(&path.as_str());
        assert!(open || !answer.headers.contains_key("access-control-allow-origin"), "{path}");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{path}");
        assert!(!answer.headers.contains_key("strict-transport-security"));
        if path.starts_with("/api/v1") || path.starts_with("/oauth") {
            assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        }
    }
    assert!(seen.contains(&200) && seen.contains(&401), "{seen:?}");
}

#[tokio::test]
async fn what_is_no_route_is_a_problem() {
    let house = House::open(PUBLIC, false).await;
    house.get("/nowhere").await.problem(404, "unknown_route");
    house.get("/api/v1/permits/").await.problem(404, "unknown_route");
    house.get("/api/v1//permits").await.problem(400, "ambiguous_path");
    house.get("/api/v1/%70ermits").await.problem(400, "ambiguous_path");
    house.get("/api/v1/permits%2fH1").await.problem(400, "ambiguous_path");
    let wrong = house.send(Method::PUT, "/api/v1/permits", &[], "").await;
    wrong.problem(405, "method_not_allowed");
    assert_eq!(wrong.headers["allow"], "GET, HEAD");
    house.send(Method::OPTIONS, "/api/v1/session", &[("origin", "https://evil.example")], "").await.problem(405, "method_not_allowed");
    house.get("/api/v1/dev/mailbox").await.problem(404, "not_found");
    let head = house.send(Method::HEAD, "/", &[], "").await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    let french = house.send(Method::GET, "/nowhere", &[("accept-language", "fr-FR,fr"), ("x-request-id", "mine-1")], "").await;
    assert_eq!(french.problem(404, "unknown_route")["title"], "Introuvable");
    assert_eq!(french.headers["x-request-id"], "mine-1");
}

#[tokio::test]
async fn pages() {
    let house = House::open("https://portail.example/", false).await;
    let home = house.send(Method::GET, "/", &[("accept-language", "fr")], "").await;
    assert!(home.text.contains("<html lang=\"fr\">"));
    assert_eq!(home.headers["strict-transport-security"], "max-age=31536000");
    assert_eq!(house.get("/api/docs").await.headers["location"], "/api/docs/");
    let docs = house.get("/api/docs/").await;
    assert!(docs.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(docs.headers["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
    assert!(!docs.text.contains("<script>") && !docs.text.contains("onload="), "nothing inline, which the policy would stop");
    assert!(house.get("/api/docs/swagger-initializer.js").await.text.contains("/api/v1/openapi.json"));
    house.get("/api/docs/swagger-ui.js").await.problem(404, "not_found");
    assert!(house.get("/api/v1/openapi.json").await.json()["paths"]["/api/v1/me"]["get"].is_object());
    let metadata = house.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["issuer"], "https://portail.example");
    assert_eq!(house.get("/.well-known/openid-configuration").await.json(), metadata);
}

#[tokio::test]
async fn a_session_from_sign_in_to_sign_out() {
    let house = House::open(PUBLIC, false).await;
    let sign_in = |email: &str, password: &str| json!({ "email": email, "password": password }).to_string();
    let json_type = ("content-type", "application/json");
    house.send(Method::POST, "/api/v1/session", &[json_type], sign_in(EMAIL, "not the password")).await.problem(401, "wrong_password");
    house
        .send(Method::POST, "/api/v1/session", &[json_type, ("origin", "https://evil.example")], sign_in(EMAIL, PASSWORD))
        .await
        .problem(403, "csrf");
    let answer =
        house.send(Method::POST, "/api/v1/session", &[json_type, ("cookie", "octroi_session=stale")], sign_in(EMAIL, PASSWORD)).await;
    assert_eq!(answer.status, 200);
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(
        cookie.starts_with("octroi_session=") && cookie.contains("; Path=/; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"),
        "{cookie}"
    );

    let signed = house.sign_in().await;
    let with = [("cookie", signed.cookie.as_str())];
    assert_eq!(house.send(Method::GET, "/api/v1/me", &with, "").await.json()["user"]["email"], EMAIL);
    house.send(Method::DELETE, "/api/v1/session", &with, "").await.problem(403, "csrf");
    let twice = format!("{0}; {0}", signed.cookie);
    house.send(Method::GET, "/api/v1/me", &[("cookie", &twice)], "").await.problem(401, "sign_in_required");
    let out = house.send(Method::DELETE, "/api/v1/session", &[with[0], ("x-csrf-token", &signed.csrf)], "").await;
    assert_eq!((out.status, out.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    house.send(Method::GET, "/api/v1/me", &with, "").await.problem(401, "sign_in_required");
    assert_eq!(house.send(Method::GET, "/api/v1/apis", &with, "").await.status, 200, "a public route looks past a bad cookie");

    let secure = House::open("https://portail.example", false).await;
    let signed = secure.send(Method::POST, "/api/v1/session", &[json_type], sign_in(EMAIL, PASSWORD)).await;
    let cookie = signed.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-octroi=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_key_that_is_shown_is_all_that_counts() {
    let house = House::open(PUBLIC, false).await;
    let signed = house.sign_in().await;
    let (cookie, csrf) = (("cookie", signed.cookie.as_str()), ("x-csrf-token", signed.csrf.as_str()));
    let bad: [(&str, &str); 4] =
        [("x-api-key", "bad"), ("authorization", "Bearer bad"), ("authorization", "Basic eDp5"), ("authorization", "")];
    for key in bad {
        for (method, path) in [
            (Method::GET, "/api/v1/me"),
            (Method::GET, "/api/v1/apis"),
            (Method::POST, "/api/v1/organizations"),
            (Method::DELETE, "/api/v1/session"),
            (Method::POST, "/api/v1/session"),
        ] {
            for extra in [&[][..], &[cookie], &[cookie, csrf]] {
                let headers: Vec<(&str, &str)> = extra.iter().copied().chain([key]).collect();
                house.send(method.clone(), path, &headers, "").await.problem(401, "invalid_credential");
            }
        }
    }
    house.send(Method::GET, "/api/v1/me", &[("x-api-key", "a"), ("authorization", "Bearer b")], "").await.problem(400, "two_credentials");
    // Nobody at all is 401 before anything else is looked at.
    house
        .send(Method::POST, "/api/v1/organizations", &[("origin", "https://evil.example")], "not json")
        .await
        .problem(401, "sign_in_required");
}

#[tokio::test]
async fn bodies_and_queries_are_strict() {
    let house = House::open(PUBLIC, false).await;
    let by = house.sign_in().await;
    let path = "/api/v1/organizations";
    let good = json!({ "siret": "13002526500013", "name": "Ville" });
    let raw = async |content_type: &str, body: &str| {
        let headers = [("content-type", content_type), ("cookie", by.cookie.as_str()), ("x-csrf-token", by.csrf.as_str())];
        house.send(Method::POST, path, &headers, body.to_owned()).await
    };
    raw("text/plain", &good.to_string()).await.problem(415, "unsupported_content_type");
    for malformed in ["", "[]", "{", "{\"siret\":\"1\",\"siret\":\"2\"}", "{} {}", "\u{feff}{}"] {
        raw("application/json", malformed).await.problem(400, "malformed_json");
    }
    raw("application/json", &" ".repeat(1_000_001)).await.problem(413, "too_large");
    let named = raw("application/json", r#"{"siret":"13002526500014","name":"x"}"#).await.problem(422, "invalid");
    assert_eq!(named["errors"][0]["pointer"], "/siret");
    let named = raw("application/json", r#"{"siret":"13002526500013","name":"x","colour":1}"#).await.problem(422, "invalid");
    assert_eq!((&named["errors"][0]["pointer"], &named["errors"][0]["code"]), (&json!("/colour"), &json!("unknown_field")));
    house.post(&by, "/api/v1/organizations?x=1", &[], &good).await.problem(422, "invalid");
    house.post(&by, path, &[("if-match", "\"1\"")], &good).await.problem(412, "no_version");
    assert_eq!(house.post(&by, path, &[("if-match", "*")], &good).await.status, 201);
    house.post(&by, path, &[], &good).await.problem(409, "already_exists");
    for (query, status) in
        [("limit=0", 422), ("limit=101", 422), ("cursor=x", 422), ("colour=red", 422), ("limit=1&limit=1", 400), ("limit=%", 400)]
    {
        let answer = house.send(Method::GET, &format!("{path}?{query}"), &[("cookie", &by.cookie)], "").await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
    }
    house.send(Method::GET, "/api/v1/me?x=1", &[("cookie", &by.cookie)], "").await.problem(422, "invalid");
}

#[tokio::test]
async fn lists_are_paged() {
    let house = House::open(PUBLIC, false).await;
    let by = house.sign_in().await;
    for siret in ["13002526500013", "21750001600019", "35600000000048"] {
        assert_eq!(house.post(&by, "/api/v1/organizations", &[], &json!({ "siret": siret, "name": siret })).await.status, 201);
    }
    let (mut names, mut path) = (BTreeSet::new(), "/api/v1/organizations?limit=2".to_owned());
    loop {
        let page = house.send(Method::GET, &path, &[("cookie", &by.cookie)], "").await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/organizations?limit=2&cursor={next}");
    }
    assert_eq!(names.len(), 3);
}

#[tokio::test]
async fn the_same_key_acts_once() {
    let house = House::open(PUBLIC, false).await;
    let by = house.sign_in().await;
    let (path, body) = ("/api/v1/organizations", json!({ "siret": "13002526500013", "name": "Ville" }));
    let key = [("idempotency-key", "k-1")];
    let first = house.post(&by, path, &key, &body).await;
    let again = house.post(&by, path, &key, &body).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201));
    assert_eq!(first.text, again.text, "byte for byte");
    assert_eq!((first.headers.get("idempotency-replayed"), &again.headers["idempotency-replayed"]), (None, &"true".parse().unwrap()));
    house.post(&by, path, &key, &json!({ "siret": "21750001600019", "name": "Ville" })).await.problem(422, "idempotency_key_reused");
    house.post(&by, path, &[("idempotency-key", "a b")], &body).await.problem(400, "invalid_idempotency_key");
}

#[tokio::test]
async fn roles_are_given_and_taken_away() {
    let house = House::open(PUBLIC, false).await;
    let by = house.sign_in().await;
    house.post(&by, "/api/v1/organizations", &[], &json!({ "siret": "13002526500013", "name": "Ville" })).await;
    let new = json!({ "email": "r@example.org", "given_name": "R", "family_name": "R", "password": PASSWORD, "organization": "13002526500013", "roles": [{ "role": "reviewer", "perimeter": "provider:p" }] });
    let user = house.post(&by, "/api/v1/users", &[], &new).await;
    assert_eq!(user.status, 201, "{}", user.text);
    let path = format!("/api/v1/users/{}/roles", user.json()["id"].as_str().unwrap());
    let grant = json!({ "role": "observer", "perimeter": "provider:p" }).to_string();
    let headers = [("content-type", "application/json"), ("cookie", by.cookie.as_str()), ("x-csrf-token", by.csrf.as_str())];
    for (method, count) in [(Method::PUT, 2), (Method::PUT, 2), (Method::DELETE, 1)] {
        let answer = house.send(method, &path, &headers, grant.clone()).await;
        assert_eq!(answer.json().as_array().map(Vec::len), Some(count), "{}", answer.text);
    }
    let bad = house.send(Method::PUT, &path, &headers, json!({ "role": "king", "perimeter": "provider:p" }).to_string()).await;
    assert_eq!(bad.problem(422, "invalid")["errors"][0]["pointer"], "/role");
    let unknown =
        json!({ "email": "s@example.org", "given_name": "S", "family_name": "S", "password": PASSWORD, "organization": "21750001600019" });
    assert_eq!(house.post(&by, "/api/v1/users", &[], &unknown).await.problem(422, "invalid")["errors"][0]["code"], "unknown_organization");
}

#[tokio::test]
async fn oauth_answers_in_the_form_of_its_rfc() {
    let house = House::open(PUBLIC, false).await;
    for path in ["/oauth/token", "/api/oauth/token", "/token"] {
        let answer = house.form(path, "grant_type=client_credentials").await;
        assert_eq!(answer.json(), json!({ "authorization": false, "length": 29 }), "{path}");
    }
    let long = house.form("/oauth/token", &"x".repeat(20_000)).await;
    assert_eq!((long.status.as_u16(), &long.json()["error"]), (400, &json!("invalid_request")));
    let (own, other, elsewhere) = ("client_id=a&client_secret=s", "client_id=b&client_secret=s", "client_id=p&client_secret=s");
    for path in ["/oauth/introspect", "/oauth/token/introspection"] {
        let told = house.form(path, &format!("{own}&token=t-a")).await.json();
        assert_eq!((&told["active"], &told["client_id"]), (&json!(true), &json!("a")));
        for hidden in [format!("{other}&token=t-a"), format!("{elsewhere}&token=t-a"), format!("{own}&token=other")] {
            assert_eq!(house.form(path, &hidden).await.json(), json!({ "active": false }), "{hidden}");
        }
    }
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let wrong = house.form(path, "client_id=a&client_secret=x&token=t-a").await;
        assert_eq!((wrong.status.as_u16(), &wrong.json()["error"]), (401, &json!("invalid_client")));
        assert_eq!(wrong.headers["www-authenticate"], "Basic realm=\"octroi\"");
        assert_eq!(house.form(path, own).await.json()["error"], "invalid_request");
        house.get(path).await.problem(405, "method_not_allowed");
    }
    for (who, revoked) in [(other, false), (elsewhere, false), (own, true), (own, true)] {
        assert_eq!(house.form("/oauth/revoke", &format!("{who}&token=t-a")).await.status, 200);
        assert_eq!(house.app.store().read().revoked_token_is("j", Stage::Sandbox).await.unwrap(), revoked, "{who}");
    }
    assert_eq!(house.form("/oauth/revoke", &format!("{own}&token=unknown")).await.status, 200);
    assert_eq!(house.get("/oauth/jwks").await.json()["keys"][0]["kid"], "k");
}

#[tokio::test]
async fn a_panic_is_one_answer_and_no_more() {
    let house = House::open(PUBLIC, false).await;
    let fallen = house.form("/oauth/introspect", "client_id=a&client_secret=s&token=panic").await;
    assert_eq!(fallen.problem(500, "internal")["detail"], Value::Null);
    assert!(fallen.headers.contains_key("content-security-policy"));
    assert_eq!(house.get("/oauth/jwks").await.status, 200);
}
