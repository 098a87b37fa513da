//! What somebody came for outlives every step on the way; and the operator's pages of relying parties.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test: what is not there fails it")]

mod support;

use serde_json::{Value, json};
use support::{
    EMAIL, House, PASSWORD, PUBLIC,
    browser::{Browser, code_of, link_of, mails, main},
};

/// A request of a service, and the path that asks about it.
async fn asked(house: &House, more: &str) -> (String, String) {
    let operator = house.sign_in().await;
    let metadata = json!({
        "client_name": "Cantine", "redirect_uris": ["https://cantine.example/retour"], "client_uri": "https://cantine.example/",
        "default_max_age": 900,
    });
    let made = house.post(&operator, "/api/v1/clients", &[], &json!({ "metadata": metadata })).await.json();
    let client = made["id"].as_str().unwrap().to_owned();
    let back = "https%3A%2F%2Fcantine.example%2Fretour";
    let mut browser = Browser::at(house);
    browser.get(&format!("/oauth/authorize?response_type=code&client_id={client}&redirect_uri={back}&scope=openid{more}")).await;
    (client, browser.leads_to())
}

fn encoded(path: &str) -> String {
    form_urlencoded::byte_serialize(path.as_bytes()).collect()
}

#[tokio::test]
async fn mails_lead_on_to_what_one_came_for() {
    let house = House::open(PUBLIC, true).await;
    let (_, there) = asked(&house, "").await;
    // A forgotten password: by the page, by the mail, and by the sign-in that follows.
    let mut lea = Browser::at(&house);
    let page = lea.get(&format!("/sign-in?return_to={}", encoded(&there))).await;
    assert!(page.text.contains("To go on to \u{201c}Cantine\u{201d}"), "{}", main(&page.text));
    lea.get(&format!("/reset-password?return_to={}", encoded(&there))).await;
    lea.post("/reset-password", &[("email", EMAIL)]).await;
    let mail = &mails(&house, EMAIL).await[0];
    let link = link_of(mail, "/reset-password/");
    lea.get(&link).await;
    lea.post(link.split('?').next().unwrap(), &[("password", "sept nuages sur le quai")]).await;
    let sign_in = lea.leads_to();
    lea.get(&sign_in).await;
    lea.post("/sign-in", &[("email", EMAIL), ("password", "sept nuages sur le quai")]).await;
    assert_eq!(lea.leads_to(), there);
    // An account that is there already, asked to be opened: its holder's mail leads to the same place.
    let mut known = Browser::at(&house);
    known.get(&format!("/sign-up?return_to={}", encoded(&there))).await;
    known.send("/sign-up", &[("email", EMAIL)]).await;
    let mail = &mails(&house, EMAIL).await[0];
    assert!(mail.contains(&format!("/sign-in?return_to={there}")), "{mail}");
    // A new one: the mail's link is the page that waits for the code.
    let mut new = Browser::at(&house);
    new.get(&format!("/sign-up?return_to={}", encoded(&there))).await;
    new.send("/sign-up", &[("email", "lea@ville.example")]).await;
    let mail = &mails(&house, "lea@ville.example").await[0];
    let link = link_of(mail, "/sign-up/code");
    new.get(&link).await;
    new.send("/sign-up/code", &[("code", &code_of(mail))]).await;
    new.post("/sign-up/finish", &[("given_name", "Léa"), ("family_name", "Martin"), ("password", "sept nuages sur le quai")]).await;
    assert_eq!(new.leads_to(), there);
}

#[tokio::test]
async fn nobody_is_led_to_another_site() {
    let house = House::open(PUBLIC, true).await;
    let mut lea = Browser::at(&house);
    for evil in ["https://evil.example/", "//evil.example/", "/\\evil.example"] {
        for page in ["/reset-password", "/sign-up", "/sign-in"] {
            let shown = lea.get(&format!("{page}?return_to={}", encoded(evil))).await;
            assert!(shown.status == 200 && !main(&shown.text).contains("evil"), "{page} {evil}");
        }
    }
}

#[tokio::test]
async fn a_second_factor_that_is_not_there_yet_is_set_up_on_the_way() {
    let house = House::open(PUBLIC, true).await;
    let (_, there) = asked(&house, "&acr_values=eidas0-mfa").await;
    let mut lea = Browser::at(&house);
    lea.sign_in(EMAIL, PASSWORD).await;
    lea.get(&there).await;
    let first = lea.leads_to();
    lea.get(&first).await;
    let set_up = lea.leads_to();
    assert_eq!(set_up, format!("/account/second-factor?return_to={}", encoded(&there)));
    let page = lea.get(&set_up).await;
    assert!(page.text.contains("Set one of these up to go on"), "{}", main(&page.text));
    lea.post("/account/totp/begin", &[]).await;
    assert_eq!(lea.leads_to(), format!("/account/totp?return_to={}", encoded(&there)));
}

#[tokio::test]
async fn the_operator_changes_a_client_by_its_page() {
    let house = House::open(PUBLIC, true).await;
    let (client, _) = asked(&house, "").await;
    let mut ines = Browser::at(&house);
    ines.sign_in(EMAIL, PASSWORD).await;
    let path = format!("/operator/clients/{client}/edit");
    let page = ines.get(&path).await;
    assert!(page.text.contains("https://cantine.example/retour"), "{}", main(&page.text));
    let fields = [
        ("name", "Cantine scolaire"),
        ("redirects", "https://cantine.example/retour\r\nhttps://cantine.example/autre"),
        ("told", "https://cantine.example/fin"),
        ("method", "client_secret_post"),
        ("acr", "eidas1-mfa"),
        ("algorithm", "RS256"),
        ("userinfo", "ES256"),
        ("access", "600"),
        ("refresh", "true"),
        ("claims_in_id_token", "true"),
    ];
    let wrong = ines.post(&path, &[("name", ""), ("redirects", ""), ("method", "none"), ("access", "1")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("Give at least one address") || wrong.text.contains("Write the name"), "{}", main(&wrong.text));
    ines.get(&path).await;
    ines.post(&path, &fields).await;
    assert_eq!(ines.leads_to(), format!("/operator/clients/{client}"));
    let operator = house.sign_in().await;
    let read = house.send(axum::http::Method::GET, &format!("/api/v1/clients/{client}"), &[("cookie", &operator.cookie)], "").await.json();
    let metadata = &read["metadata"];
    for (member, value) in [
        ("client_name", json!("Cantine scolaire")),
        ("redirect_uris", json!(["https://cantine.example/retour", "https://cantine.example/autre"])),
        ("backchannel_logout_uri", json!("https://cantine.example/fin")),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("default_acr_values", json!(["eidas1-mfa"])),
        ("claims_in_id_token", json!(true)),
        ("id_token_signed_response_alg", json!("RS256")),
        ("userinfo_signed_response_alg", json!("ES256")),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        // Not asked for by the page: as it was.
        ("client_uri", json!("https://cantine.example/")),
        ("default_max_age", json!(900)),
    ] {
        assert_eq!(metadata[member], value, "{member}: {metadata}");
    }
    assert_eq!((&read["access_token_seconds"], &read["client_secret"]), (&json!(600), &Value::Null));
    // Somebody else changed it meanwhile: nothing is overwritten unseen, and nothing typed is lost.
    ines.get(&path).await;
    let late = ines.post(&path, &[&fields[1..], &[("name", "Restauration"), ("version", "1")]].concat()).await;
    assert_eq!(late.status, 409);
    assert!(late.text.contains("Restauration") && late.text.contains("changed meanwhile"), "{}", main(&late.text));
}

/// Many libraries accept RS256 alone unless they are told: whoever registers a client reads it before the service fails.
#[tokio::test]
async fn the_operator_reads_what_the_service_has_to_be_told() {
    let house = House::open(PUBLIC, true).await;
    let mut ines = Browser::at(&house);
    ines.sign_in(EMAIL, PASSWORD).await;
    for (algorithm, told) in [("ES256", true), ("RS256", false)] {
        let page = ines.get("/operator/clients/new").await;
        assert!(page.text.contains("Choose RS256 for them, or set them to ES256"), "{}", main(&page.text));
        let fields = [
            ("name", "Cantine"),
            ("redirects", "https://cantine.example/retour"),
            ("method", "client_secret_basic"),
            ("algorithm", algorithm),
        ];
        let made = ines.post("/operator/clients/new", &fields).await;
        assert_eq!(made.status, 200, "{}", main(&made.text));
        let says = format!("Tell the service that ID tokens are signed with {algorithm}");
        assert_eq!(made.text.contains(&says), told, "{}", main(&made.text));
        let id = made.text.split("<dd>sso_").nth(1).unwrap().split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned();
        let kept = ines.get(&format!("/operator/clients/sso_{id}")).await;
        let discovery = format!("{PUBLIC}/.well-known/openid-configuration");
        for text in [discovery.as_str(), "client_secret_basic", algorithm, "offline_access"] {
            assert!(made.text.contains(text) && kept.text.contains(text), "{text}: {}", main(&kept.text));
        }
    }
}
