//! The applications that a person signed in to: they are told of, and what they hold can be taken back.

use axum::http::Method;
use octroi_oauth::id_token::LOGOUT_EVENT;
use serde_json::{Value, json};

use crate::{
    relying::{World, hidden, location, parameter, request},
    support::{Answer, PUBLIC},
};

const LOGOUT: &str = "https://rp.example/logout";

async fn list(world: &World, cookie: &str) -> Value {
    let answer = world.house.send(Method::GET, "/api/v1/me/connected-applications", &[("cookie", cookie)], "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].clone()
}

async fn delete(world: &World, id: &str) -> Answer {
    let csrf = octroi_app::sessions::csrf_token(world.alice.split_once('=').unwrap().1);
    let headers = [("cookie", world.alice.as_str()), ("x-csrf-token", csrf.as_str()), ("origin", PUBLIC)];
    world.house.send(Method::DELETE, &format!("/api/v1/me/connected-applications/{id}"), &headers, "").await
}

/// The story on pages: what is shared with whom, since when; taken back, everything ends at once.
#[tokio::test]
async fn access_is_taken_back_on_a_page() {
    let world = World::open().await;
    let empty = world.get("/account/applications", &world.alice).await;
    assert!(empty.status == 200 && empty.text.contains("No application is connected"), "{}", empty.text);
    let owner = json!({ "organization": "13002526500013" });
    let members = json!({
        "client_name": "Cantine <b>", "grant_types": ["authorization_code", "refresh_token"], "backchannel_logout_uri": LOGOUT,
        "scope": "openid email organization offline_access",
    });
    let rp = world.client_with(members, owner).await;
    let tokens = world.tokens(&rp, &[("scope", "openid email organization offline_access")]).await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let page = world.get("/account/applications", &world.alice).await;
    for shown in ["Cantine &#60;b&#62;", "DINUM", "Ville de Paris", "Your e-mail address", "connected"] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    let place = format!("/account/applications/{}/disconnect", rp.id);
    let asked = world.get(&place, &world.alice).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    let forged = world.form(&place, &world.alice, &[("_csrf", "x")]).await;
    assert_ne!(forged.status, 303, "not by another site's form");
    assert_eq!(world.userinfo(access).await.status, 200);
    let done = world.form(&place, &world.alice, &[("_csrf", &hidden(&asked.text, "_csrf"))]).await;
    assert_eq!(location(&done), "/account/applications");
    assert_eq!(world.userinfo(access).await.status, 401, "its tokens are dead");
    let again = world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(again.json()["error"], "invalid_grant", "those that outlive the session too");
    assert_eq!(list(&world, &world.alice).await, json!([]));
    // The client is told: whose session, with a token that it can check.
    assert_eq!(world.house.app.deliver_logouts(world.house.now()).await.unwrap(), 1);
    let (address, form) = world.web.posted.lock().unwrap().remove(0);
    let claims = world.claims(form.strip_prefix("logout_token=").unwrap()).await;
    let id_token = world.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!((address.as_str(), &claims["sub"], &claims["sid"]), (LOGOUT, &id_token["sub"], &id_token["sid"]));
    assert!(claims["events"].get(LOGOUT_EVENT).is_some());
    // The person is still here, and is asked again.
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("scope", "openid email")])).await);
    assert!(world.get(&asked, &world.alice).await.text.contains("Agree and go on"));
    let silent = world.through(&world.alice, &request(&rp, &[("scope", "openid email"), ("prompt", "none")])).await;
    assert_eq!(parameter(&silent, "error").as_deref(), Some("consent_required"));
    let ledger = world.house.send(Method::GET, "/api/v1/ledger?action=grant.withdrawn", &[("cookie", &world.operator.cookie)], "").await;
    assert!(ledger.text.contains("grant.withdrawn") && ledger.text.contains(&rp.id) && !ledger.text.contains("Cantine"), "{}", ledger.text);
}

#[tokio::test]
async fn programs_read_the_list_and_take_access_back() {
    let world = World::open().await;
    world.join().await;
    let (one, other) = (
        world.client(json!({ "client_name": "One", "grant_types": ["authorization_code", "refresh_token"] })).await,
        world.client(json!({ "client_name": "Other" })).await,
    );
    let tokens = world.tokens(&one, &[]).await;
    world.house.wait(100);
    world.tokens(&other, &[]).await;
    world.house.wait(100);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(world.token(&one, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await.status, 200);
    let found = list(&world, &world.alice).await;
    let names: Vec<&str> = found.as_array().unwrap().iter().map(|found| found["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["One", "Other"], "the last used first");
    assert_eq!((&found[0]["scopes"], &found[0]["active"]), (&json!(["openid", "email"]), &json!(true)));
    assert_eq!(found[0]["last_used"], json!(world.house.now().to_string()));
    // After a day nothing is held any more, but for what was agreed to.
    assert_eq!(delete(&world, &other.id).await.status, 204);
    delete(&world, &other.id).await.problem(404, "not_found");
    delete(&world, "sso_aaaaaaaaaaaaaaaaaaaaaa").await.problem(404, "not_found");
    delete(&world, "nothing").await.problem(404, "not_found");
    // Nobody sees, or ends, what is another's.
    let operator = world.operator_cookie().await;
    assert_eq!(list(&world, &operator).await, json!([]));
    assert_eq!(world.get(&format!("/account/applications/{}/disconnect", one.id), &operator).await.status, 404);
    world.house.send(Method::GET, "/api/v1/me/connected-applications", &[], "").await.problem(401, "sign_in_required");
    assert_eq!(list(&world, &world.alice).await.as_array().unwrap().len(), 1);
}
