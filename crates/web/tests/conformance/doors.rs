//! Guessing the secret of a client: counted, slowed down, and of no use against a client whose own address is known.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::Method;
use serde_json::json;

use crate::{
    relying::{ASSERTION, FORM, Rp, World, basic, encoded},
    support::Answer,
};

const OFFICE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77));

fn stranger(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(198, 51, 100, number))
}

async fn client(world: &World) -> Rp {
    world.client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await
}

async fn try_at(world: &World, from: IpAddr, path: &str, authorization: &str) -> Answer {
    let headers = [FORM, ("authorization", authorization)];
    world.house.send_from(from, Method::POST, path, &headers, encoded(&[("grant_type", "client_credentials"), ("token", "x")])).await
}

fn wrong(rp: &Rp) -> String {
    basic(&Rp { id: rp.id.clone(), secret: "oct_sso_secret_wrong".into(), key: None })
}

/// Ten are looked at; then everybody waits, longer each time, whatever they show.
#[tokio::test]
async fn guesses_are_slowed_down_at_every_door() {
    let world = World::open().await;
    for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/par"] {
        let rp = client(&world).await;
        let from = stranger(u8::try_from(path.len()).unwrap());
        for guess in 0..10 {
            assert_eq!(try_at(&world, from, path, &wrong(&rp)).await.status, 401, "{path} {guess}");
        }
        let late = try_at(&world, from, path, &wrong(&rp)).await;
        assert_eq!((late.status.as_u16(), late.json()["error"].as_str().unwrap()), (429, "temporarily_unavailable"), "{path}");
        let first: i64 = late.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=61).contains(&first), "{first}");
        assert_eq!(try_at(&world, from, path, &basic(&rp)).await.status, 429, "{path}: not even the right one is told apart");
        world.house.wait(first);
        assert_eq!(try_at(&world, from, path, &wrong(&rp)).await.status, 401);
        let second: i64 = try_at(&world, from, path, &wrong(&rp)).await.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(second > first, "it grows: {first}, {second}");
        world.house.wait(second);
        assert!(try_at(&world, from, path, &basic(&rp)).await.status.as_u16() < 401, "{path}: the right one, in time");
    }
}

#[tokio::test]
async fn at_once_is_no_way_around() {
    let world = World::open().await;
    let rp = client(&world).await;
    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let (router, wrong) = (world.house.router.clone(), wrong(&rp));
            tokio::spawn(async move {
                let request = axum::http::Request::post("/oauth/token").header("authorization", wrong).header(FORM.0, FORM.1);
                let request = request.body(axum::body::Body::from("grant_type=client_credentials")).unwrap();
                tower::ServiceExt::oneshot(router, request).await.unwrap().status().as_u16()
            })
        })
        .collect();
    let mut told = 0;
    for task in tasks {
        match task.await.unwrap() {
            401 => told += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!(told, 10, "the others were told nothing");
}

/// A stranger makes a client wait nowhere but where the stranger is.
#[tokio::test]
async fn a_stranger_does_not_shut_a_client_out() {
    let world = World::open().await;
    let rp = client(&world).await;
    assert_eq!(try_at(&world, OFFICE, "/oauth/token", &basic(&rp)).await.status, 200);
    for number in 0..8 {
        for _ in 0..9 {
            try_at(&world, stranger(number), "/oauth/token", &wrong(&rp)).await;
        }
    }
    assert_eq!(try_at(&world, stranger(100), "/oauth/token", &wrong(&rp)).await.status, 429, "from many addresses, it is one client");
    assert_eq!(try_at(&world, OFFICE, "/oauth/token", &basic(&rp)).await.status, 200, "where the client is known, it goes on");
    let other = client(&world).await;
    assert_eq!(try_at(&world, stranger(101), "/oauth/token", &basic(&other)).await.status, 200, "and so does another client");
    // One address that tries all clients waits as well.
    let from = stranger(200);
    let mut last = 401;
    for number in 0..101 {
        let somebody = Rp { id: format!("sso_{number:022}"), secret: "x".into(), key: None };
        last = try_at(&world, from, "/oauth/token", &basic(&somebody)).await.status.as_u16();
    }
    assert_eq!(last, 429);
}

/// An application's credentials are guessed no faster.
#[tokio::test]
async fn applications_are_held_to_it_too() {
    let world = World::open().await;
    let application = |secret: &str| basic(&Rp { id: "a".into(), secret: secret.into(), key: None });
    for _ in 0..10 {
        assert_eq!(try_at(&world, OFFICE, "/oauth/introspect", &application("x")).await.status, 401);
    }
    assert_eq!(try_at(&world, OFFICE, "/oauth/introspect", &application("s")).await.status, 429);
    world.house.wait(61);
    assert_eq!(try_at(&world, OFFICE, "/oauth/introspect", &application("s")).await.status, 200);
}

/// Behind a proxy the caller counts, not the proxy.
#[tokio::test]
async fn behind_a_proxy_the_caller_counts() {
    let world = World::open().await;
    let rp = client(&world).await;
    let send = async |caller: &str, authorization: String| {
        let headers = [FORM, ("authorization", authorization.as_str()), ("x-forwarded-for", caller)];
        world.house.send_from(crate::support::PROXY, Method::POST, "/oauth/token", &headers, "grant_type=client_credentials").await
    };
    for _ in 0..10 {
        send("198.51.100.1", wrong(&rp)).await;
    }
    assert_eq!(send("198.51.100.1", basic(&rp)).await.status, 429);
    assert_eq!(send("198.51.100.2", basic(&rp)).await.status, 200);
}

/// A signature is not guessed: strangers who know nothing but the client's name make it wait nowhere.
#[tokio::test]
async fn wrong_assertions_from_everywhere_do_not_shut_a_client_out() {
    let world = World::open().await;
    let rp = world.signing_client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await;
    let assertion = |signature: &str| {
        let signed = rp.key.as_ref().unwrap().sign("JWT", &world.assertion(&rp)).unwrap();
        if signature.is_empty() { signed } else { format!("{}.{signature}", signed.rsplit_once('.').unwrap().0) }
    };
    let show = async |from: IpAddr, assertion: String| {
        let form = encoded(&[("grant_type", "client_credentials"), ("client_assertion_type", ASSERTION), ("client_assertion", &assertion)]);
        world.house.send_from(from, Method::POST, "/oauth/token", &[FORM], form).await
    };
    for number in 0..40 {
        let wrong = show(stranger(number), assertion(&"A".repeat(86))).await;
        assert_eq!(wrong.status, 401, "{}", wrong.text);
    }
    let right = show(OFFICE, assertion("")).await;
    assert_eq!(right.status, 200, "{}", right.text);
}
