//! Through a second Octroi: everything that the one says, the other reads. Each reaches the other's routes; nothing else stands between.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
};
use octroi_app::sign_on::outgoing::{Answered, Ask, OutgoingPort};
use serde_json::json;
use tower::ServiceExt;

use crate::{
    provider::parameter,
    support::{
        House, PUBLIC,
        browser::{Browser, code_of, mails, main},
    },
};

const SECOND: &str = "http://localhost:4000";
const ALICE: &str = "alice@ville.example";

#[derive(Default)]
struct Bridge {
    routers: Mutex<HashMap<&'static str, Router>>,
}

impl Bridge {
    async fn send(&self, ask: Ask<'_>) -> Result<Answered, String> {
        let routers = self.routers.lock().unwrap().clone();
        let (router, path) = routers
            .iter()
            .find_map(|(origin, router)| Some((router.clone(), ask.address.strip_prefix(origin)?)))
            .ok_or_else(|| format!("nothing is at {}", ask.address))?;
        let method = if ask.form.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, ask.accept);
        if let Some(authorization) = ask.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if ask.form.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let response = router.oneshot(request.body(Body::from(ask.form.unwrap_or_default().to_owned())).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let content_type = head.headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let body = axum::body::to_bytes(body, 1_000_000).await.unwrap().to_vec();
        Ok(Answered { status: head.status.as_u16(), content_type, body })
    }
}

impl OutgoingPort for Bridge {
    fn get<'a>(&'a self, address: &'a str) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>> {
        Box::pin(async move {
            let answered = self.send(Ask { address, form: None, authorization: None, accept: "application/json" }).await?;
            if answered.status == 200 { Ok(answered.body) } else { Err(format!("answered {}", answered.status)) }
        })
    }
    fn post_form<'a>(&'a self, address: &'a str, form: String) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + 'a>> {
        Box::pin(
            async move { Ok(self.send(Ask { address, form: Some(&form), authorization: None, accept: "application/json" }).await?.status) },
        )
    }
    fn ask<'a>(&'a self, ask: Ask<'a>) -> Pin<Box<dyn Future<Output = Result<Answered, String>> + Send + 'a>> {
        Box::pin(self.send(ask))
    }
}

/// Two portals; the second is the provider of the first, which authenticates by `method`.
async fn two(method: &str, signed: bool) -> (House, House) {
    let (first, second) = (House::open(PUBLIC, true).await, House::open(SECOND, true).await);
    let bridge = Arc::new(Bridge::default());
    bridge.routers.lock().unwrap().extend([(PUBLIC, first.router.clone()), (SECOND, second.router.clone())]);
    first.app.attach_outgoing(bridge.clone());
    second.app.attach_outgoing(bridge);
    let at = |end: &str| format!("{PUBLIC}/auth/second/{end}");
    let mut metadata = json!({
        "client_name": "Premier", "redirect_uris": [at("callback")], "token_endpoint_auth_method": method,
        "post_logout_redirect_uris": [at("logged-out")], "backchannel_logout_uri": at("backchannel-logout"),
    });
    if method == "private_key_jwt" {
        metadata["jwks_uri"] = json!(at("jwks"));
    }
    if signed {
        metadata["userinfo_signed_response_alg"] = json!("ES256");
    }
    let operator = second.sign_in().await;
    let client = second.post(&operator, "/api/v1/clients", &[], &json!({ "metadata": metadata, "first_party": true })).await;
    assert_eq!(client.status, 201, "{}", client.text);
    let client = client.json();
    let settings = json!({
        "name": { "fr": "Second", "en": "Second" }, "issuer": SECOND, "client_id": client["client_id"],
        "client_secret": client["client_secret"], "client_auth": method.replace("client_", ""), "scopes": ["openid", "email", "profile"],
        "signed_userinfo": signed, "trusts_mfa": true,
    });
    let operator = first.sign_in().await;
    let made = first.post(&operator, "/api/v1/connections", &[], &json!({ "slug": "second", "settings": settings })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    (first, second)
}

/// Alice opens an account at the provider.
async fn alice(second: &House) -> Browser<'_> {
    let mut alice = Browser::at(second);
    alice.get("/sign-up").await;
    alice.send("/sign-up", &[("email", ALICE)]).await;
    let code = code_of(&mails(second, ALICE).await[0]);
    alice.send("/sign-up/code", &[("code", &code)]).await;
    alice.post("/sign-up/finish", &[("given_name", "Alice"), ("family_name", "Martin"), ("password", "sept nuages sur le quai")]).await;
    assert_eq!(alice.leads_to(), "/dashboard");
    alice
}

/// From the first to the second and back, as a browser goes.
async fn come<'a>(first: &'a House, there: &mut Browser<'_>) -> Browser<'a> {
    let mut here = Browser::at(first);
    here.get("/auth/second/login").await;
    let mut address = here.leads_to();
    while let Some(path) = address.strip_prefix(SECOND).map(str::to_owned).or_else(|| address.starts_with('/').then(|| address.clone())) {
        there.get(&path).await;
        address = there.leads_to();
    }
    here.get(address.strip_prefix(PUBLIC).unwrap()).await;
    assert_eq!(here.leads_to(), "/dashboard");
    here
}

#[tokio::test]
async fn somebody_signs_in_through_a_second_octroi() {
    for (method, signed) in [("client_secret_basic", false), ("client_secret_post", false), ("private_key_jwt", true)] {
        let (first, second) = two(method, signed).await;
        let mut there = alice(&second).await;
        let mut here = come(&first, &mut there).await;
        let account = here.get("/account").await;
        for told in [ALICE, "Alice", "Martin"] {
            assert!(account.text.contains(told), "{method}: {told}: {}", main(&account.text));
        }
        assert!(!account.text.contains("is not verified"), "{method}");
    }
}

#[tokio::test]
async fn each_end_of_a_session_ends_the_other() {
    let (first, second) = two("client_secret_basic", false).await;
    let mut there = alice(&second).await;
    let mut here = come(&first, &mut there).await;
    assert!(here.is_in().await && there.is_in().await);
    there.post("/sign-out", &[]).await;
    assert_eq!(second.app.deliver_logouts(second.now()).await.unwrap(), 1);
    assert!(!here.is_in().await, "the provider's logout token ended the session");
    // And from here: the provider takes our hint, ends its own session, and sends the person back.
    there.sign_in(ALICE, "sept nuages sur le quai").await;
    let mut here = come(&first, &mut there).await;
    assert!(here.is_in().await);
    let out = here.post("/sign-out", &[]).await;
    let address = out.headers["refresh"].to_str().unwrap().strip_prefix("0; url=").unwrap();
    let state = parameter(address, "state").unwrap();
    there.get(address.strip_prefix(SECOND).unwrap()).await;
    assert_eq!(there.leads_to(), format!("{PUBLIC}/auth/second/logged-out?state={state}"));
    assert!(!there.is_in().await && !here.is_in().await);
}
