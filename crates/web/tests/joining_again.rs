//! Joining as somebody meets it who comes with no organisation: led to one from wherever they begin, told what waits, and not left waiting
//! for what is proved meanwhile.
#![expect(clippy::unwrap_used, reason = "a test: what is not there fails it")]

mod support;

use std::sync::Arc;

use octroi_domain::user::{LinkLevel, User};
use support::{
    EMAIL,
    scene::{COMMUNE, COMPANY, Scene, Somebody, Stub},
};

/// Somebody has another address from now on, proved like the one before.
async fn moves(scene: &Scene, who: &Somebody, email: &str) {
    let mut tx = scene.house.app.store().write().await.unwrap();
    let user = tx.user_by_id(who.id).await.unwrap().unwrap();
    tx.user_save(&User { email: email.into(), ..user }).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn who_has_no_organisation_is_led_to_one_and_told_what_waits() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMPANY, "ACME", "5710", "11");
    let scene = Scene::open(Some(stub)).await;
    let nora = scene.person("nora@acme.example").await;
    let dashboard = scene.get(&nora, "/dashboard").await.text;
    assert!(dashboard.contains("href=\"/organizations/join?return_to=%2Fdashboard\""), "{dashboard}");
    let applications = scene.get(&nora, "/applications").await.text;
    assert!(applications.contains("href=\"/organizations/join?return_to=%2Fapplications\""), "{applications}");
    // A form that nobody can send is not shown.
    let new = scene.get(&nora, "/applications/new?api=x").await;
    assert_eq!((new.status, new.headers["location"].to_str().unwrap()), (303.try_into().unwrap(), "/applications?api=x"));

    let wish = scene.join(&nora, COMPANY).await;
    for path in ["/dashboard", "/applications"] {
        let page = scene.get(&nora, path).await.text;
        assert!(page.contains("Your link to ACME is waiting") && page.contains(&wish), "{path}: {page}");
        assert!(!page.contains("/organizations/join?"), "{path}: it was asked for already");
    }
    let again = scene.post(&nora, "/organizations/join", &[("number", COMPANY)]).await;
    assert!(again.status == 409 && again.text.contains("See my requests to join") && again.text.contains("data-focus"), "{}", again.text);
    assert!(again.text.contains("356\u{a0}000\u{a0}000\u{a0}00048"), "the number is still in its field: {}", again.text);

    let path = wish.replace("/organizations/joining/", "/operator/joining/");
    scene.done(&scene.operator, &path, &[("decision", "refuse"), ("template", "proof"), ("may_reopen", "on")]).await;
    let dashboard = scene.get(&nora, "/dashboard").await.text;
    assert!(dashboard.contains("Your link to ACME is to be mended") && dashboard.contains(&wish), "{dashboard}");
    // The operator, who has no organisation either, has other things to do.
    assert!(!scene.get(&scene.operator, "/dashboard").await.text.contains("/organizations/join"));
}

#[tokio::test]
async fn a_number_is_read_as_it_stands_on_a_letterhead() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "7210", "11");
    let scene = Scene::open(Some(stub)).await;
    let nora = scene.person("nora@rivebelle.fr").await;
    for typed in
        ["217.500.016.00019", "217-500-016-00019", "SIRET : 217 500 016 00019", "siret%C2%A0217500016 00019", "N%C2%B0 21750001600019"]
    {
        let page = scene.get(&nora, &format!("/organizations/join?siret={}", typed.replace(' ', "+"))).await;
        assert!(page.status == 200 && page.text.contains("VILLE DE RIVEBELLE"), "{typed}: {}", page.text);
    }
    for typed in ["", "217500016", "21750001600018", "FR", "2175000160001X"] {
        let page = scene.get(&nora, &format!("/organizations/join?siret={typed}")).await;
        assert!(page.status == 422 && page.text.contains("href=\"#f-siret\""), "{typed}: {}", page.text);
    }
    assert_eq!(scene.get(&nora, "/organizations/join").await.status, 200);
}

#[tokio::test]
async fn a_domain_that_is_accepted_lets_in_those_who_wait_under_it() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMPANY, "ACME", "5710", "11");
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "7210", "11");
    let scene = Scene::open(Some(stub)).await;
    let (ada, bob) = (scene.person("ada@acme.example").await, scene.person("bob@acme.example").await);
    let (other, moved) = (scene.person("other@acme.example.org").await, scene.person("moved@acme.example").await);
    let wish = scene.join(&ada, COMPANY).await;
    for who in [&bob, &other, &moved] {
        scene.join(who, COMPANY).await;
    }
    let elsewhere = scene.join(&bob, COMMUNE).await;
    moves(&scene, &moved, "moved@gmail.com").await;
    let path = wish.replace("/organizations/joining/", "/operator/joining/");
    scene.done(&scene.operator, &path, &[("decision", "accept"), ("level", "certified"), ("external", "no"), ("allow_domain", "on")]).await;
    let id = scene.house.app.organization_of_siret(&COMPANY.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(scene.level(&ada, id).await, Some((LinkLevel::Certified, "moderation".into())));
    assert_eq!(scene.level(&bob, id).await, Some((LinkLevel::Verified, "domain".into())), "the same domain");
    assert!(scene.mail("bob@acme.example").await.contains("ACME"), "he is told");
    assert_eq!(scene.level(&other, id).await, None, "another domain");
    assert_eq!(scene.level(&moved, id).await, None, "has another address by now");
    assert!(scene.get(&bob, &elsewhere).await.text.contains("Waiting"), "another organisation");

    // The same where the operator says it on the organisation's page, and no wish is granted for a domain that is refused.
    let domains = format!("/operator/organizations/{id}/domains");
    scene.done(&scene.operator, &domains, &[("domain", "acme.example.org"), ("state", "refused")]).await;
    assert_eq!(scene.level(&other, id).await, None);
    scene.done(&scene.operator, &domains, &[("domain", "acme.example.org"), ("state", "external")]).await;
    assert_eq!(scene.level(&other, id).await, Some((LinkLevel::Verified, "domain".into())));
    assert!(scene.house.app.store().read().membership(other.id, id).await.unwrap().unwrap().external);
}

#[tokio::test]
async fn who_mends_a_refused_wish_is_judged_anew_and_the_operators_are_told() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMPANY, "ACME", "5710", "11");
    let scene = Scene::open(Some(stub)).await;
    let (nora, carl) = (scene.person("nora@elsewhere.example").await, scene.person("carl@elsewhere.example").await);
    for who in [&nora, &carl] {
        let wish = scene.join(who, COMPANY).await;
        let path = wish.replace("/organizations/joining/", "/operator/joining/");
        scene.done(&scene.operator, &path, &[("decision", "refuse"), ("template", "address"), ("may_reopen", "on")]).await;
    }
    let id = scene.house.app.organization_of_siret(&COMPANY.parse().unwrap()).await.unwrap().unwrap();
    scene
        .done(&scene.operator, &format!("/operator/organizations/{id}/domains"), &[("domain", "acme.example"), ("state", "verified")])
        .await;
    moves(&scene, &nora, "nora@acme.example").await;
    let of = |page: String| page.split("/organizations/joining/").nth(1).unwrap().split(['"', '?']).next().unwrap().to_owned();
    let nora_wish = of(scene.get(&nora, "/organizations").await.text);
    let carl_wish = of(scene.get(&carl, "/organizations").await.text);
    let before = scene.mails(EMAIL).await;
    scene.done(&nora, &format!("/organizations/joining/{nora_wish}/reopen"), &[("note", "My own address now")]).await;
    assert_eq!(scene.level(&nora, id).await, Some((LinkLevel::Verified, "domain".into())), "the address proves it now");
    assert_eq!(scene.mails(EMAIL).await, before, "nothing is left to decide");
    assert!(scene.get(&nora, &format!("/organizations/joining/{nora_wish}")).await.text.contains("Accepted"));

    scene.done(&carl, &format!("/organizations/joining/{carl_wish}/reopen"), &[("note", "I am the caretaker")]).await;
    assert_eq!(scene.level(&carl, id).await, None);
    assert_eq!(scene.mails(EMAIL).await, before + 1, "the operator is told that it waits again");
    assert_eq!(scene.post(&carl, &format!("/organizations/joining/{carl_wish}/reopen"), &[("note", "")]).await.status, 409);
}

#[tokio::test]
async fn a_refused_domain_is_passed_by_no_invitation_and_members_are_not_invited() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMPANY, "ACME", "5710", "11");
    let scene = Scene::open(Some(stub)).await;
    let ada = scene.person("ada@acme.example").await;
    let id = scene.with_member(COMPANY, "Acme", &ada).await;
    let eve = scene.person("eve@acme-jobs.example").await;
    let invitations = format!("/organizations/{id}/invitations");
    scene.done(&ada, &invitations, &[("email", "eve@acme-jobs.example")]).await;
    let link = scene.mail("eve@acme-jobs.example").await;
    let word =
        link.split("/organizations/invitations/").nth(1).unwrap().split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap().to_owned();
    let domains = format!("/operator/organizations/{id}/domains");
    scene.done(&scene.operator, &domains, &[("domain", "acme-jobs.example"), ("state", "refused")]).await;
    let answer = scene.post(&eve, &format!("/organizations/invitations/{word}"), &[]).await;
    assert!(answer.status == 409 && answer.text.contains("not accepted for this organisation"), "{}", answer.text);
    assert_eq!(scene.level(&eve, id).await, None);
    let answer = scene.post(&ada, &invitations, &[("email", "mallory@acme-jobs.example")]).await;
    assert!(answer.status == 422 && answer.text.contains("not accepted for this organisation"), "{}", answer.text);
    for own in ["ada@acme.example", " ADA@acme.example"] {
        let answer = scene.post(&ada, &invitations, &[("email", own)]).await;
        assert!(answer.status == 422 && answer.text.contains("a member’s already"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_prepared_reason_is_in_the_language_of_who_reads_it() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMPANY, "ACME", "5710", "11");
    let scene = Scene::open(Some(stub)).await;
    let nora = scene.person("nora@elsewhere.example").await;
    let path = scene.join(&nora, COMPANY).await.replace("/organizations/joining/", "/operator/joining/");
    // The operator works in French; the person reads English.
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("_csrf", scene.operator.csrf.as_str()),
            ("decision", "refuse"),
            ("template", "address"),
            ("message", "Bonne journée."),
        ])
        .finish();
    let headers = [
        ("accept", "text/html"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept-language", "fr"),
        ("cookie", scene.operator.cookie.as_str()),
        ("origin", support::PUBLIC),
    ];
    assert_eq!(scene.house.send(axum::http::Method::POST, &path, &headers, body).await.status, 303);
    let mail = scene.mail("nora@elsewhere.example").await;
    assert!(mail.contains("Ask again with the e-mail address") && mail.contains("Bonne journée."), "{mail}");
}

#[tokio::test]
async fn the_code_of_the_town_hall_is_sent_first_and_typed_in_then() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "7210", "11");
    let scene = Scene::open(Some(stub)).await;
    let ada = scene.person("ada@elsewhere.example").await;
    let id = scene.with_member(COMMUNE, "Rivebelle", &ada).await;
    scene.done(&scene.operator, &format!("/operator/organizations/{id}/contact"), &[("official_contact", "mairie@orange.fr")]).await;
    let nora = scene.person("nora@gmail.com").await;
    let wish = scene.join(&nora, COMMUNE).await;
    let page = scene.get(&nora, &wish).await.text;
    assert!(page.contains("Send a code to the official contact") && !page.contains("name=\"code\""), "nothing to type in yet: {page}");
    assert!(page.contains("open to all"), "the reason is the free address: {page}");
    scene.done(&nora, &format!("{wish}/send-code"), &[]).await;
    let page = scene.get(&nora, &wish).await.text;
    assert!(page.contains("name=\"code\"") && page.contains("A code has left"), "{page}");
    assert!(page.find("name=\"code\"").unwrap() < page.find("Send another code").unwrap(), "typing it in comes first");
    for _ in 0..4 {
        scene.done(&nora, &format!("{wish}/send-code"), &[]).await;
    }
    // Too many: the wish stays in sight.
    let answer = scene.post(&nora, &format!("{wish}/send-code"), &[]).await;
    assert!(answer.status == 429 && answer.headers.contains_key("retry-after"), "{}", answer.text);
    assert!(
        answer.text.contains("60 minutes") && answer.text.contains("name=\"code\"") && answer.text.contains("data-focus"),
        "{}",
        answer.text
    );
}
