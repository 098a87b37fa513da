//! The demo's mailbox and the mails with sample data.
#![expect(clippy::unwrap_used, reason = "a test: what is not there fails it")]

mod support;

use axum::http::Method;
use octroi_domain::{Moment, mail::Mail};
use support::{Answer, House, PUBLIC};

async fn read(house: &House, path: &str) -> Answer {
    house.send(Method::GET, path, &[("accept", "text/html"), ("accept-language", "en")], "").await
}

async fn write(house: &House, count: usize) {
    let mut tx = house.app.store().write().await.unwrap();
    for number in 1..=count {
        let mail = Mail {
            to: if number == 1 { "first@x.example".into() } else { "amina@x.example".into() },
            from: None,
            reply_to: None,
            subject: format!("Sujet {number} <script>alert(1)</script>"),
            preheader: "À faire".into(),
            text: "Texte <b>".into(),
            html: if number == 1 { String::new() } else { "<!DOCTYPE html><p>HTML</p>".into() },
        };
        tx.enqueue_mail(Moment::from_micros(0), &mail).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_mailbox_is_paged_narrowed_and_shows_each_mail_twice() {
    let house = House::open(PUBLIC, true).await;
    assert!(read(&house, "/dev/mailbox").await.text.contains("No mail."));
    write(&house, 30).await;
    let page = read(&house, "/dev/mailbox").await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains("Sujet 30 &#60;script&#62;") && page.text.contains("Sujet 6 ") && !page.text.contains("Sujet 5 "),
        "{}",
        page.text
    );
    let next = page.text.split("href=\"/dev/mailbox?cursor=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let older = read(&house, &format!("/dev/mailbox?cursor={next}")).await;
    assert!(older.text.contains("Sujet 5 ") && older.text.contains("Sujet 1 ") && !older.text.contains("Sujet 6 "), "{}", older.text);
    let narrowed = read(&house, "/dev/mailbox?to=First%40x.example").await;
    assert!(narrowed.text.contains("Sujet 1 ") && !narrowed.text.contains("Sujet 2 "), "{}", narrowed.text);

    let mail = read(&house, "/dev/mailbox/30").await;
    assert!(mail.text.contains("Texte &#60;b&#62;") && mail.text.contains("src=\"/dev/mailbox/30/html\""), "{}", mail.text);
    let html = read(&house, "/dev/mailbox/30/html").await;
    assert_eq!(html.text, "<!DOCTYPE html><p>HTML</p>");
    assert_eq!(html.headers["content-disposition"], "inline");
    let policy = html.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox allow-popups") && !policy.contains("script"), "{policy}");
    let plain = read(&house, "/dev/mailbox/1").await;
    assert!(plain.status == 200 && !plain.text.contains("<iframe"), "a mail without HTML");
    for absent in ["/dev/mailbox/1/html", "/dev/mailbox/99", "/dev/mailbox/x", "/dev/mailbox/-1/html"] {
        assert_eq!(read(&house, absent).await.status, 404, "{absent}");
    }

    let first = house.get("/api/v1/dev/mailbox?limit=2").await.json();
    assert_eq!((first["items"].as_array().unwrap().len(), &first["items"][0]["html"]), (2, &"<!DOCTYPE html><p>HTML</p>".into()));
    let second = house.get(&format!("/api/v1/dev/mailbox?limit=2&cursor={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!(second["items"][0]["id"], 28);
}

#[tokio::test]
async fn every_mail_is_shown_in_both_languages() {
    let house = House::open(PUBLIC, true).await;
    let list = read(&house, "/dev/mails").await;
    let links: Vec<String> = list
        .text
        .split("href=\"/dev/mails/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .filter(|link| link.len() > 3)
        .collect();
    assert!(links.len() >= 22, "{links:?}");
    for link in links {
        let page = read(&house, &format!("/dev/mails/{link}")).await;
        assert_eq!(page.status, 200, "{link}");
        let html = read(&house, &format!("/dev/mails/{link}/html")).await;
        assert!(html.text.contains(&format!("<html lang=\"{}\">", &link[..2])) && html.text.contains(PUBLIC), "{link}");
    }
    for absent in ["/dev/mails/fr/none", "/dev/mails/de/request-approved", "/dev/mails/fr/none/html"] {
        assert_eq!(read(&house, absent).await.status, 404, "{absent}");
    }
}

#[tokio::test]
async fn none_of_it_is_there_without_the_demo() {
    let house = House::open(PUBLIC, false).await;
    for path in [
        "/dev/mailbox",
        "/dev/mailbox/1",
        "/dev/mailbox/1/html",
        "/dev/mails",
        "/dev/mails/fr/request-approved",
        "/dev/mails/fr/request-approved/html",
        "/api/v1/dev/mailbox",
    ] {
        assert_eq!(read(&house, path).await.status, 404, "{path}");
    }
}
