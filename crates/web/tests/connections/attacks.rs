//! What somebody tries who wants to come in as another, or to bring another in as themselves.

use serde_json::json;

use crate::{
    provider::World,
    support::browser::{Browser, code_of, mails, main},
};

const OVER: &str = "The sign-in did not reach its end";

#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_explained_and_never_a_fault_of_ours() {
    let world = World::open(json!({})).await;
    let mut ada = Browser::at(&world.house);
    // #530 of catalogue-donnees: a callback with a code and nothing else was a 500.
    for query in [
        "",
        "?code=x",
        "?state=x&code=x",
        "?code=the-code&state=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "?error=access_denied",
        "?state=%00&code=%ff",
        "?state=a&state=b&code=c",
    ] {
        let answer = ada.get(&format!("/auth/idp/callback{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", main(&answer.text));
        assert!(answer.text.contains(OVER) && answer.text.contains("href=\"/auth/idp/login\""), "{}", main(&answer.text));
    }
    for path in ["/auth/nobody/login", "/auth/NOBODY/login", "/auth/nobody/jwks"] {
        assert_eq!(ada.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_answer_counts_once_in_the_browser_that_asked() {
    let world = World::open(json!({})).await;
    let mut ada = Browser::at(&world.house);
    ada.get("/auth/idp/login").await;
    let callback = world.provider.agree(&ada.leads_to());
    // Another browser: whoever sends somebody else their own answer signs nobody in (login CSRF).
    let mut victim = Browser::at(&world.house);
    assert_eq!(victim.get(&callback).await.status, 400);
    // Even with a flow of its own, begun in another window.
    victim.get("/auth/idp/login").await;
    assert_eq!(victim.get(&callback).await.status, 400);
    assert!(!victim.is_in().await);
    ada.get(&callback).await;
    assert_eq!(ada.leads_to(), "/dashboard");
    let again = ada.get(&callback).await;
    assert!(again.status == 400 && again.text.contains(OVER));
}

#[tokio::test]
async fn two_windows_do_not_get_in_each_others_way() {
    let world = World::open(json!({})).await;
    let mut ada = Browser::at(&world.house);
    ada.get("/auth/idp/login?return_to=%2Fapis").await;
    let first = ada.leads_to();
    ada.get("/auth/idp/login?return_to=%2Fregister").await;
    let second = ada.leads_to();
    for (address, back) in [(second, "/register"), (first, "/apis")] {
        ada.get(&world.provider.agree(&address)).await;
        assert_eq!(ada.leads_to(), back);
    }
}

#[tokio::test]
async fn a_flow_ends_after_ten_minutes() {
    let world = World::open(json!({})).await;
    let mut ada = Browser::at(&world.house);
    ada.get("/auth/idp/login").await;
    let callback = world.provider.agree(&ada.leads_to());
    world.house.wait(601);
    assert_eq!(ada.get(&callback).await.status, 400);
}

/// RFC 9207: a provider that answers in the name of another.
#[tokio::test]
async fn an_answer_of_another_provider_is_refused() {
    for iss in ["&iss=https%3A%2F%2Fevil.example", ""] {
        let world = World::open(json!({})).await;
        let mut ada = Browser::at(&world.house);
        ada.get("/auth/idp/login").await;
        let callback = world.provider.agree(&ada.leads_to()).replace("&iss=https%3A%2F%2Fidp.example", iss);
        let answer = ada.get(&callback).await;
        assert!(answer.status == 400 && answer.text.contains("another identity provider"), "{iss}: {}", main(&answer.text));
        assert!(world.provider.seen.lock().unwrap().is_empty(), "the code went nowhere");
    }
    // One that does not announce it need not say it.
    let world = World::open(json!({})).await;
    world.with(|manners| manners.document = json!({ "authorization_response_iss_parameter_supported": false }));
    let mut ada = Browser::at(&world.house);
    ada.get("/auth/idp/login").await;
    let callback = world.provider.agree(&ada.leads_to()).replace("&iss=https%3A%2F%2Fidp.example", "");
    ada.get(&callback).await;
    assert_eq!(ada.leads_to(), "/dashboard");
}

/// One connection's answer at another's address.
#[tokio::test]
async fn a_flow_belongs_to_its_connection() {
    let world = World::open(json!({})).await;
    assert_eq!(world.connect("other", json!({})).await.status, 201);
    let mut ada = Browser::at(&world.house);
    ada.get("/auth/idp/login").await;
    let callback = world.provider.agree(&ada.leads_to()).replace("/auth/idp/", "/auth/other/");
    assert_eq!(ada.get(&callback).await.status, 400);
}

#[tokio::test]
async fn who_says_no_and_who_is_down_are_explained() {
    let world = World::open(json!({})).await;
    let mut ada = Browser::at(&world.house);
    ada.get("/auth/idp/login").await;
    let denied = world.provider.agree(&ada.leads_to()).replace("code=the-code", "error=access_denied&error_description=%3Cb%3Eno");
    let answer = ada.get(&denied).await;
    assert!(answer.status == 400 && answer.text.contains("The sign-in was refused"), "{}", main(&answer.text));
    assert!(!answer.text.contains("<b>no") && !answer.text.contains("access_denied"));
    ada.get("/auth/idp/login").await;
    let callback = world.provider.agree(&ada.leads_to());
    world.with(|manners| manners.down = true);
    let answer = ada.get(&callback).await;
    assert!(answer.status == 502 && answer.text.contains("does not answer"), "{}", main(&answer.text));
    // Never asked before, and down: the button leads to an explanation.
    let fresh = World::open(json!({})).await;
    fresh.with(|manners| manners.down = true);
    let answer = Browser::at(&fresh.house).get("/auth/idp/login?return_to=%2Fapis").await;
    assert!(answer.status == 502 && answer.text.contains("/auth/idp/login?return_to=%2Fapis"), "{}", main(&answer.text));
}

#[tokio::test]
async fn where_one_goes_afterwards_is_here() {
    let world = World::open(json!({})).await;
    for bad in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let mut ada = Browser::at(&world.house);
        world.go(&mut ada, &format!("/auth/idp/login?return_to={bad}")).await;
        assert_eq!(ada.leads_to(), "/dashboard", "{bad}");
    }
}

/// SSRF: a document leads to addresses that are not to be asked, or is of another issuer.
#[tokio::test]
async fn a_document_cannot_lead_elsewhere() {
    for document in [
        json!({ "issuer": "https://evil.example" }),
        json!({ "token_endpoint": "http://169.254.169.254/latest/meta-data" }),
        json!({ "jwks_uri": "http://10.0.0.1/keys" }),
        json!({ "userinfo_endpoint": "file:///etc/passwd" }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "end_session_endpoint": "https://user:password@idp.example/end" }),
    ] {
        let world = World::open(json!({})).await;
        world.with(|manners| manners.document = document.clone());
        let answer = Browser::at(&world.house).get("/auth/idp/login").await;
        assert_eq!(answer.status, 502, "{document}: {}", main(&answer.text));
        assert!(!answer.headers.contains_key("location"));
    }
    let world = World::open(json!({})).await;
    for issuer in ["http://10.0.0.1", "http://169.254.169.254", "https://u:p@idp.example", "https://idp.example/?a=b", "gopher://x"] {
        let made = world.connect("bad", json!({ "issuer": issuer })).await;
        assert!(made.status == 422 && made.text.contains("/issuer"), "{issuer}: {}", made.text);
    }
}

/// Somebody opens an account through a provider that verifies nothing, with the address of another, and waits.
#[tokio::test]
async fn who_was_there_first_with_an_address_that_is_not_theirs_is_out_when_its_owner_comes() {
    let world = World::open(json!({ "link_policy": "verified_email" })).await;
    world.with(|manners| manners.userinfo["email_verified"] = json!(false));
    let (mut attacker, _) = world.come().await;
    assert_eq!(attacker.leads_to(), "/dashboard");
    assert!(attacker.get("/account").await.text.contains("is not verified"));
    // The owner of the mailbox signs in by mail.
    let mut owner = Browser::at(&world.house);
    owner.get("/sign-in").await;
    owner.send("/sign-in/mail", &[("email", "ada@rivebelle.example")]).await;
    let mail = mails(&world.house, "ada@rivebelle.example").await;
    let code = code_of(mail.iter().find(|mail| mail.contains("/sign-in/link/")).unwrap());
    owner.post("/sign-in/mail/code", &[("code", &code)]).await;
    assert_eq!(owner.leads_to(), "/dashboard");
    assert!(owner.get("/account/identities").await.text.contains("No provider opens your account"), "the attacker's way in is gone");
    assert!(!attacker.is_in().await, "and so is their session");
    let (mut again, answer) = world.come().await;
    assert_eq!(answer.status, 409, "{}", main(&answer.text));
    assert!(!again.is_in().await);
}

/// The other way round: an account whose address nobody proved is not given to whom a provider names.
#[tokio::test]
async fn an_account_with_an_unproven_address_is_not_linked() {
    for policy in ["verified_email", "confirm_by_password", "admin", "never"] {
        let world = World::open(json!({ "link_policy": policy })).await;
        world.with(|manners| manners.userinfo["email_verified"] = json!(false));
        world.come().await;
        world.with(|manners| {
            manners.userinfo["email_verified"] = json!(true);
            manners.userinfo["sub"] = json!("eve");
            manners.id_token = json!({ "sub": "eve" });
        });
        let (mut eve, answer) = world.come().await;
        assert_eq!(answer.status, 409, "{policy}: {}", main(&answer.text));
        assert!(!eve.is_in().await);
    }
}

/// The provider gives an address to somebody else: another subject is another person.
#[tokio::test]
async fn an_address_that_changed_hands_at_the_provider_takes_nothing_over() {
    for policy in ["never", "confirm_by_password", "verified_email"] {
        let world = World::open(json!({ "link_policy": policy })).await;
        let (ada, _) = world.come().await;
        assert_eq!(ada.leads_to(), "/dashboard");
        world.with(|manners| {
            manners.userinfo["sub"] = json!("successor");
            manners.id_token = json!({ "sub": "successor" });
        });
        let (mut successor, answer) = world.come().await;
        assert_eq!(answer.status, 409, "{policy}: {}", main(&answer.text));
        assert!(!successor.is_in().await);
    }
}
