//! Organisations as a program joins them: all that the pages do, by the REST API; and the abuse cases of joining (25) and of mails (44).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod support;

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use octroi_app::organizations::{DirectoryFault, DirectoryPort};
use octroi_domain::{
    directory::{Facts, Source, Workforce},
    organization::Siret,
};
use serde_json::{Value, json};
use support::{
    Answer, EMAIL, House, PASSWORD, PUBLIC,
    browser::{link_of, mails},
};

const COMMUNE: &str = "21750001600019";
const COMPANY: &str = "35600000000048";

struct Stub(Mutex<HashMap<&'static str, Facts>>);
impl DirectoryPort for Stub {
    fn find<'a>(&'a self, siret: &'a Siret) -> Pin<Box<dyn Future<Output = Result<Option<Facts>, DirectoryFault>> + Send + 'a>> {
        let found = self.0.lock().unwrap().get(siret.as_str()).cloned();
        Box::pin(async move { Ok(found) })
    }
    fn source(&self) -> Source {
        Source::RechercheEntreprises
    }
}

fn facts(label: &str, category: &str, workforce: &str) -> Facts {
    Facts {
        label: label.into(),
        legal_category: Some(category.into()),
        activity: None,
        address: None,
        commune: None,
        active: true,
        workforce: Workforce::of_code(workforce),
        is_public: Facts::public_category(category),
        official_contact: None,
    }
}

struct Scene {
    house: House,
    operator: Who,
}
struct Who {
    cookie: String,
    csrf: String,
}

impl Scene {
    async fn open() -> Self {
        let house = House::open(PUBLIC, true).await;
        let known = [(COMMUNE, facts("VILLE DE RIVEBELLE", "7210", "11")), (COMPANY, facts("ACME", "5710", "12"))];
        house.app.attach_directory(Arc::new(Stub(Mutex::new(known.into()))));
        let operator = Self::signed(&house, EMAIL).await;
        Self { house, operator }
    }

    async fn signed(house: &House, email: &str) -> Who {
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        let answer = house.send(Method::POST, "/api/v1/session", &[("content-type", "application/json")], body).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Who { cookie, csrf: answer.json()["csrf_token"].as_str().unwrap().to_owned() }
    }

    async fn person(&self, email: &str) -> Who {
        let new = json!({ "email": email, "given_name": "Nora", "family_name": "M", "password": PASSWORD });
        assert_eq!(self.post(&self.operator, "/users", new).await.status, 201);
        Self::signed(&self.house, email).await
    }

    async fn send(&self, who: &Who, method: Method, path: &str, body: Option<Value>) -> Answer {
        let headers = [("content-type", "application/json"), ("cookie", who.cookie.as_str()), ("x-csrf-token", who.csrf.as_str())];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.house.send(method, &format!("/api/v1{path}"), &headers, body).await
    }
    async fn get(&self, who: &Who, path: &str) -> Answer {
        self.send(who, Method::GET, path, None).await
    }
    async fn post(&self, who: &Who, path: &str, body: Value) -> Answer {
        self.send(who, Method::POST, path, Some(body)).await
    }
    async fn join(&self, who: &Who, number: &str) -> Value {
        let answer = self.post(who, "/joinings", json!({ "number": number })).await;
        assert!(matches!(answer.status.as_u16(), 200..=202), "{}", answer.text);
        answer.json()
    }

    /// The commune, with a member whose address proves it; the member and the id.
    async fn with_member(&self) -> (Who, String) {
        let ada = self.person("ada@rivebelle.fr").await;
        let new = json!({ "siret": COMMUNE, "name": "Rivebelle" });
        let id = self.post(&self.operator, "/organizations", new).await.json()["id"].as_str().unwrap().to_owned();
        let domain = json!({ "domain": "rivebelle.fr", "state": "verified" });
        let profile = self.send(&self.operator, Method::PUT, &format!("/organizations/{id}/domains"), Some(domain)).await;
        assert_eq!((profile.status.as_u16(), &profile.json()["domains"][0]["state"]), (200, &json!("verified")), "{}", profile.text);
        let joined = self.join(&ada, COMMUNE).await;
        assert_eq!((&joined["outcome"], &joined["level"]), (&json!("linked"), &json!("verified")));
        (ada, id)
    }
}

#[tokio::test]
async fn a_program_finds_joins_follows_and_leaves() {
    let scene = Scene::open().await;
    let nora = scene.person("nora@gmail.com").await;
    let found = scene.get(&nora, &format!("/directory/{COMMUNE}")).await.json();
    assert_eq!(
        (&found["name"], &found["standing"]["state"], &found["level"]),
        (&json!("VILLE DE RIVEBELLE"), &json!("active"), &json!(null))
    );
    assert_eq!(scene.get(&nora, "/directory/13002526500013").await.json()["standing"]["state"], "unknown");
    scene.get(&nora, "/directory/21750001600018").await.problem(404, "not_found");
    scene.house.get(&format!("/api/v1/directory/{COMMUNE}")).await.problem(401, "sign_in_required");
    assert_eq!(scene.get(&nora, "/directory/BE:national:0203201340").await.json()["standing"]["state"], "unverified");

    let (ada, id) = scene.with_member().await;
    scene.get(&nora, &format!("/organizations/{id}/members")).await.problem(404, "not_found");
    scene.get(&nora, &format!("/organizations/{id}/profile")).await.problem(403, "role_missing");
    // By the code of the official contact.
    let contact = json!({ "official_contact": "mairie@rivebelle.fr" });
    assert_eq!(scene.send(&scene.operator, Method::PUT, &format!("/organizations/{id}/contact"), Some(contact)).await.status, 200);
    let wish = scene.join(&nora, COMMUNE).await;
    assert_eq!(wish["outcome"], "pending");
    let wish = format!("/joinings/{}", wish["joining"].as_str().unwrap());
    assert_eq!(
        (&scene.get(&nora, &wish).await.json()["way"], &scene.get(&nora, &wish).await.json()["state"]),
        (&json!("code"), &json!("pending"))
    );
    assert_eq!(scene.get(&ada, &wish).await.status, 200, "a member may vouch");
    assert_eq!(scene.post(&nora, &format!("{wish}/send-code"), json!({})).await.status, 200);
    let mail = mails(&scene.house, "mairie@rivebelle.fr").await.remove(0);
    let parts = mail.split(|c: char| !c.is_ascii_digit() && c != ' ').map(|part| part.trim().replace(' ', ""));
    let code = parts.into_iter().find(|part| part.len() == 10).unwrap();
    scene.post(&nora, &format!("{wish}/code"), json!({ "code": "0000000000" })).await.problem(422, "invalid");
    scene.post(&ada, &format!("{wish}/code"), json!({ "code": code })).await.problem(404, "not_found");
    assert_eq!(scene.post(&nora, &format!("{wish}/code"), json!({ "code": code })).await.json()["state"], "accepted");
    let mine = scene.get(&nora, "/me/organizations").await.json();
    assert_eq!((&mine["links"][0]["level"], &mine["links"][0]["proof"]), (&json!("verified"), &json!("official_contact_code")));
    let members = scene.get(&nora, &format!("/organizations/{id}/members")).await.json();
    assert_eq!(members["members"].as_array().unwrap().len(), 2);
    // She leaves, and is nobody there.
    assert_eq!(scene.post(&nora, &format!("/organizations/{id}/leave"), json!({})).await.status, 200);
    scene.get(&nora, &format!("/organizations/{id}/members")).await.problem(404, "not_found");

    // By a member; and by the operator, who refuses, is asked again, and accepts.
    let dora = scene.person("dora@elsewhere.example").await;
    let wish = scene.join(&dora, COMMUNE).await;
    let wish = format!("/joinings/{}", wish["joining"].as_str().unwrap());
    scene.post(&nora, &format!("{wish}/vouch"), json!({})).await.problem(404, "not_found");
    assert_eq!(scene.post(&dora, &format!("{wish}/sponsor"), json!({ "email": "nobody@rivebelle.fr" })).await.status, 200);
    scene.post(&dora, "/joinings", json!({ "number": COMMUNE })).await.problem(409, "join_pending");
    assert_eq!(scene.post(&ada, &format!("{wish}/vouch"), json!({})).await.json()["state"], "accepted");
    let carl = scene.person("carl@elsewhere.example").await;
    let wish = format!("/joinings/{}", scene.join(&carl, COMPANY).await["joining"].as_str().unwrap());
    scene.get(&carl, "/joinings").await.problem(403, "role_missing");
    let queue = scene.get(&scene.operator, "/joinings?state=pending&limit=10").await.json();
    assert_eq!((queue["items"].as_array().unwrap().len(), &queue["items"][0]["email"]), (1, &json!("carl@elsewhere.example")));
    assert_eq!(scene.get(&scene.operator, &format!("{wish}/moderation")).await.json()["domain"], "elsewhere.example");
    scene.post(&scene.operator, &format!("{wish}/refuse"), json!({ "message": "" })).await.problem(422, "invalid");
    let refused = scene.post(&scene.operator, &format!("{wish}/refuse"), json!({ "message": "Who are you?", "may_reopen": true })).await;
    assert_eq!(refused.json()["state"], "refused");
    scene.post(&carl, "/joinings", json!({ "number": COMPANY })).await.problem(409, "join_to_mend");
    assert_eq!(scene.post(&carl, &format!("{wish}/reopen"), json!({ "note": "Carl" })).await.json()["state"], "pending");
    scene.post(&carl, &format!("{wish}/accept"), json!({})).await.problem(403, "role_missing");
    let accepted = scene.post(&scene.operator, &format!("{wish}/accept"), json!({ "level": "certified", "external": true })).await;
    assert_eq!(accepted.json()["state"], "accepted");
    let link = &scene.get(&carl, "/me/organizations").await.json()["links"][0];
    assert_eq!((&link["level"], &link["proof"], &link["is_external"]), (&json!("certified"), &json!("moderation"), &json!(true)));
    scene.post(&carl, &format!("{wish}/cancel"), json!({})).await.problem(409, "wrong_state");
}

/// Abuse case 25: an invitation is one address's, once, while who sent it may.
#[tokio::test]
async fn case_25_an_invitation_is_not_forwarded_edited_or_used_twice() {
    let scene = Scene::open().await;
    let (ada, id) = scene.with_member().await;
    let (nora, eve) = (scene.person("nora@gmail.com").await, scene.person("eve@gmail.com").await);
    let path = format!("/organizations/{id}/invitations");
    scene.post(&eve, &path, json!({ "email": "eve@gmail.com" })).await.problem(404, "not_found");
    scene.post(&ada, &path, json!({ "email": "nora@gmail.com", "level": "certified" })).await.problem(422, "invalid");
    let invited = scene.post(&ada, &path, json!({ "email": "nora@gmail.com" })).await;
    assert_eq!((invited.status.as_u16(), &invited.json()["state"]), (201, &json!("open")));
    assert!(invited.json().get("word").is_none(), "the mail holds the only copy");
    let link = link_of(&mails(&scene.house, "nora@gmail.com").await[0], "/organizations/invitations/");
    let word = link.rsplit('/').next().unwrap().to_owned();
    let accept = async |who: &Who, word: &str| scene.post(who, "/member-invitations/accept", json!({ "word": word })).await;
    accept(&eve, &word).await.problem(409, "other_address");
    accept(&nora, &word.to_uppercase()).await.problem(404, "not_found");
    accept(&nora, &format!("{word}A")).await.problem(404, "not_found");
    accept(&nora, "").await.problem(404, "not_found");
    assert_eq!(accept(&nora, &word).await.json()["siret"], COMMUNE);
    accept(&nora, &word).await.problem(409, "invitation_ended");
    let link = &scene.get(&nora, "/me/organizations").await.json()["links"][0];
    assert_eq!((&link["level"], &link["proof"]), (&json!("verified"), &json!("invitation")));
    // Withdrawn, and out of date with no cleaner that ran: the same.
    let second = scene.post(&ada, &path, json!({ "email": "eve@gmail.com" })).await.json();
    let link = link_of(&mails(&scene.house, "eve@gmail.com").await[0], "/organizations/invitations/");
    let word = link.rsplit('/').next().unwrap().to_owned();
    let withdraw = format!("{path}/{}", second["id"].as_str().unwrap());
    scene.send(&eve, Method::DELETE, &withdraw, None).await.problem(404, "not_found");
    assert_eq!(scene.send(&ada, Method::DELETE, &withdraw, None).await.json()["state"], "withdrawn");
    accept(&eve, &word).await.problem(409, "invitation_ended");
    scene.post(&ada, &path, json!({ "email": "eve@gmail.com" })).await;
    let link = link_of(&mails(&scene.house, "eve@gmail.com").await[0], "/organizations/invitations/");
    let word = link.rsplit('/').next().unwrap().to_owned();
    scene.house.wait(15 * 24 * 3_600 + 1);
    let eve = Scene::signed(&scene.house, "eve@gmail.com").await;
    accept(&eve, &word).await.problem(409, "invitation_ended");
}

/// Abuse case 25: who looks like it, who is refused, and who retries.
#[tokio::test]
async fn case_25_what_only_looks_like_an_address_of_the_organisation_joins_nothing() {
    let scene = Scene::open().await;
    let (_, id) = scene.with_member().await;
    for (email, code) in [
        ("eve@rivebelle.fr.evil.example", "look_alike_domain"),
        ("eve@xn--riveblle-g8g.fr", "look_alike_domain"),
        ("eve@gouv.fr.evil.example", "look_alike_domain"),
        ("eve@interieur-gouv.fr", "look_alike_domain"),
    ] {
        let eve = scene.person(email).await;
        let answer = scene.post(&eve, "/joinings", json!({ "number": COMMUNE })).await;
        answer.problem(409, code);
        assert_eq!(scene.get(&eve, "/me/organizations").await.json(), json!({ "links": [], "wishes": [] }), "{email}");
    }
    let eve = scene.person("eve@interieur.gouv.fr").await;
    scene.post(&eve, "/joinings", json!({ "number": COMPANY })).await.problem(409, "government_address");
    // Upper case and a plus are the same address to the eye of the domain; a sub-domain is not.
    for (email, outcome) in [("Dora+x@RIVEBELLE.fr", "linked"), ("dora@mail.rivebelle.fr", "pending")] {
        let dora = scene.person(email).await;
        assert_eq!(scene.join(&dora, COMMUNE).await["outcome"], outcome, "{email}");
    }
    // Refused for good: not again by the same door.
    let carl = scene.person("carl@elsewhere.example").await;
    let wish = scene.join(&carl, COMMUNE).await["joining"].as_str().unwrap().to_owned();
    scene.post(&scene.operator, &format!("/joinings/{wish}/refuse"), json!({ "message": "No." })).await;
    scene.post(&carl, "/joinings", json!({ "number": COMMUNE })).await.problem(409, "join_refused");
    scene.post(&carl, &format!("/joinings/{wish}/reopen"), json!({})).await.problem(409, "wrong_state");
    let members = scene.get(&scene.operator, &format!("/organizations/{id}/profile")).await.json()["members"].clone();
    assert_eq!(members.as_array().unwrap().len(), 2, "{members}");
    // The operator gives no domain that is everybody's, or only looks like the State's.
    for (domain, code) in [("gmail.com", "free_domain"), ("impots-gouv.fr", "look_alike_domain"), ("x", "invalid")] {
        let body = json!({ "domain": domain, "state": "verified" });
        let answer = scene.send(&scene.operator, Method::PUT, &format!("/organizations/{id}/domains"), Some(body)).await;
        assert_eq!(answer.problem(422, "invalid")["errors"][0]["code"], code, "{domain}");
    }
}

/// Abuse case 44: a member cannot fill somebody's mailbox by inviting and withdrawing.
#[tokio::test]
async fn case_44_invitations_are_no_bomb_of_mails() {
    let scene = Scene::open().await;
    let (ada, id) = scene.with_member().await;
    let path = format!("/organizations/{id}/invitations");
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let answer = scene.post(&ada, &path, json!({ "email": "victim@elsewhere.example" })).await;
        statuses.push(answer.status.as_u16());
        if let Some(invitation) = answer.json()["id"].as_str() {
            scene.send(&ada, Method::DELETE, &format!("{path}/{invitation}"), None).await;
        } else {
            assert!(answer.headers.contains_key("retry-after"));
            answer.problem(429, "too_many_attempts");
        }
    }
    assert_eq!(statuses, [201, 201, 201, 201, 201, 429, 429]);
    assert_eq!(mails(&scene.house, "victim@elsewhere.example").await.len(), 5);
    let mut sent = 3;
    for number in 0..40 {
        sent += usize::from(scene.post(&ada, &path, json!({ "email": format!("n{number}@elsewhere.example") })).await.status == 201);
    }
    assert!(sent <= 30, "{sent}");
}

/// One's sessions, by a program: seen and ended by their owner alone, after a recent sign-in.
#[tokio::test]
async fn sessions_are_seen_and_ended_by_their_owner() {
    let scene = Scene::open().await;
    let nora = scene.person("nora@gmail.com").await;
    let phone = Scene::signed(&scene.house, "nora@gmail.com").await;
    let listed = scene.get(&nora, "/me/sessions").await.json();
    let all = listed.as_array().unwrap();
    assert_eq!((all.len(), all.iter().filter(|session| session["current"] == true).count()), (2, 1), "{listed}");
    assert_eq!(all[0]["methods"], json!(["password"]));
    assert!(!listed.to_string().contains(nora.cookie.split_once('=').unwrap().1), "an id is not what opens it");
    let other = all.iter().find(|session| session["current"] == false).unwrap()["id"].as_str().unwrap().to_owned();
    let theirs = scene.get(&scene.operator, "/me/sessions").await.json()[0]["id"].as_str().unwrap().to_owned();
    scene.send(&nora, Method::DELETE, &format!("/me/sessions/{theirs}"), None).await.problem(404, "not_found");
    assert_eq!(scene.send(&nora, Method::DELETE, &format!("/me/sessions/{other}"), None).await.status, 204);
    scene.get(&phone, "/me").await.problem(401, "sign_in_required");
    let phone = Scene::signed(&scene.house, "nora@gmail.com").await;
    assert_eq!(scene.post(&nora, "/me/sessions/end-others", json!({})).await.status, 204);
    scene.get(&phone, "/me").await.problem(401, "sign_in_required");
    assert_eq!(scene.get(&scene.operator, "/me").await.status, 200);
    scene.house.wait(16 * 60);
    scene.get(&nora, "/me/sessions").await.problem(403, "recent_sign_in_required");
    scene.post(&nora, "/me/sessions/end-others", json!({})).await.problem(403, "recent_sign_in_required");
}
