//! What every page and form does, whatever it is about: sign-in, guard, language, errors, files.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod support;

use axum::http::Method;
use support::{Answer, EMAIL, House, PASSWORD, PUBLIC};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn send(house: &House, path: &str, cookie: &str, extra: &[(&str, &str)], body: &str) -> Answer {
    let mut headers = vec![FORM, BROWSER, ("accept-language", "en"), ("cookie", cookie)];
    headers.extend(extra);
    house.send(Method::POST, path, &headers, body.to_owned()).await
}

async fn read(house: &House, path: &str, cookie: &str) -> Answer {
    house.send(Method::GET, path, &[BROWSER, ("accept-language", "en"), ("cookie", cookie)], "").await
}

fn sign_in_body(more: &str) -> String {
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("email", EMAIL).append_pair("password", PASSWORD).finish();
    format!("{body}{more}")
}

fn cookie(answer: &Answer) -> String {
    answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// The value of a hidden field of the page's content.
fn hidden<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    answer.text.split("<main").nth(1).unwrap().split(&start).nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn signing_in_leads_back_to_the_page_that_was_asked_for() {
    let house = House::open(PUBLIC, false).await;
    let asked = read(&house, "/dashboard?a=b%20c", "").await;
    assert_eq!(
        (asked.status.as_u16(), &asked.headers["location"]),
        (303, &"/sign-in?return_to=%2Fdashboard%3Fa%3Db%2520c".parse().unwrap())
    );
    let page = read(&house, "/sign-in?return_to=%2Fdashboard%3Fa%3Db%2520c", "").await;
    assert_eq!(hidden(&page, "return_to"), "/dashboard?a=b%20c");

    let wrong = send(&house, "/sign-in", "", &[], "email=who%40example.org&password=x&return_to=%2Fapplications").await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong.text.contains("value=\"who@example.org\"") && !wrong.text.contains("value=\"x\""),
        "the address is kept, the password is not"
    );
    assert_eq!(hidden(&wrong, "return_to"), "/applications");
    assert!(wrong.text.contains("role=\"alert\"") && wrong.text.contains("The e-mail address or the password is wrong"));
    assert!(!wrong.text.contains("needs your attention") && !wrong.text.contains("aria-invalid"), "which of the two is not said");

    let good = send(&house, "/sign-in", "", &[], &sign_in_body("&return_to=%2Fdashboard%3Fa%3Db%2520c")).await;
    assert_eq!((good.status.as_u16(), good.headers["location"].to_str().unwrap()), (303, "/dashboard?a=b%20c"));
    assert!(good.headers["set-cookie"].to_str().unwrap().contains("; HttpOnly; SameSite=Lax"));
    for evil in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "javascript%3Ax"] {
        let answer = send(&house, "/sign-in", "", &[], &sign_in_body(&format!("&return_to={evil}"))).await;
        assert_eq!(answer.headers["location"], "/dashboard", "{evil}");
    }
    let already = read(&house, "/sign-in", &cookie(&good)).await;
    assert_eq!(already.headers["location"], "/dashboard");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let house = House::open(PUBLIC, false).await;
    let signed = house.sign_in().await;
    for extra in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
    {
        for path in ["/sign-in", "/sign-out", "/language"] {
            let answer = send(&house, path, &signed.cookie, &[extra], "").await;
            assert_eq!(answer.status, 403, "{path} {extra:?}");
            assert!(answer.headers.get("set-cookie").is_none() && answer.text.contains("<h1>"), "{path}");
        }
    }
    // Without the token it is asked once more, by a page of ours.
    let asked = send(&house, "/sign-out", &signed.cookie, &[], "").await;
    assert!(
        asked.status == 403 && asked.headers.get("set-cookie").is_none() && asked.text.contains("action=\"/sign-out\""),
        "{}",
        asked.text
    );
    let token = hidden(&asked, "_csrf").to_owned();
    assert_eq!(token, signed.csrf, "the token of the REST API is the same");
    let out =
        send(&house, "/sign-out", &signed.cookie, &[("sec-fetch-site", "same-origin"), ("origin", PUBLIC)], &format!("_csrf={token}"))
            .await;
    assert_eq!((out.status.as_u16(), &out.headers["location"]), (303, &"/".parse().unwrap()));
    assert_eq!(read(&house, "/dashboard", &signed.cookie).await.status, 303, "the session is gone");
}

#[tokio::test]
async fn what_was_typed_outlives_the_session() {
    let house = House::open(PUBLIC, false).await;
    let typed = "name=Mon+%22app%22%0D%0A%3Cb%3E&_csrf=old&_once=1&scopes=a&scopes=b";
    let asked = send(&house, "/applications/new", "octroi_session=gone", &[], typed).await;
    assert_eq!(asked.status, 401);
    assert_eq!(hidden(&asked, "_resume_path"), "/applications/new");
    let kept = hidden(&asked, "_resume_body").replace("&amp;", "&").replace("&#38;", "&");
    assert_eq!(kept, "name=Mon+%22app%22%0A%3Cb%3E&scopes=a&scopes=b");
    let more = form_urlencoded::Serializer::new(String::new())
        .append_pair("_resume_path", "/applications/new")
        .append_pair("_resume_body", &kept)
        .finish();
    let resumed = send(&house, "/sign-in", "", &[], &sign_in_body(&format!("&{more}"))).await;
    assert_eq!(resumed.status, 200);
    assert!(resumed.headers.contains_key("set-cookie") && resumed.text.contains("action=\"/applications/new\""));
    assert_eq!(hidden(&resumed, "scopes"), "a");
    assert!(!resumed.text.contains("<b>"), "shown as it was typed, not as markup");
    let shown = resumed.text.split("What will be sent").nth(1).unwrap().split("<form").next().unwrap();
    assert!(shown.contains("Name") && shown.contains("Mon &#34;app&#34;") && shown.contains("scopes"), "{shown}");
    assert!(!shown.contains("_csrf"), "{shown}");
    let elsewhere = send(&house, "/sign-in", "", &[], &sign_in_body("&_resume_path=https%3A%2F%2Fevil.example&_resume_body=a%3Db")).await;
    assert_eq!(elsewhere.status, 303, "only a path of ours is gone on with");
}

#[tokio::test]
async fn the_language_is_the_readers() {
    let house = House::open(PUBLIC, false).await;
    let of = async |headers: &[(&str, &str)]| {
        let answer = house.send(Method::GET, "/sign-in", headers, "").await;
        answer.headers["content-language"].to_str().unwrap().to_owned()
    };
    assert_eq!(of(&[]).await, "fr", "French first");
    assert_eq!(of(&[("accept-language", "de")]).await, "fr");
    assert_eq!(of(&[("accept-language", "en-GB,fr;q=0.5")]).await, "en");
    let chosen = send(&house, "/language", "", &[], "language=fr&return_to=%2Fapis%3Fq%3Dx").await;
    assert_eq!((chosen.status.as_u16(), &chosen.headers["location"]), (303, &"/apis?q=x".parse().unwrap()));
    assert_eq!(of(&[("accept-language", "en"), ("cookie", &cookie(&chosen))]).await, "fr", "the choice is remembered");
    // Who is signed in is written to in that language, too.
    let signed = house.sign_in().await;
    send(&house, "/language", &signed.cookie, &[], "language=en").await;
    let user = house.app.store().read().user_by_email(EMAIL).await.unwrap().unwrap();
    assert_eq!(user.language, octroi_domain::text::Language::En);
}

#[tokio::test]
async fn refusals_are_pages_with_a_way_on() {
    let house = House::open(PUBLIC, false).await;
    let signed = house.sign_in().await;
    for (path, status) in [
        ("/permits/zzz", 404),
        ("/access-requests/%ff", 404),
        ("/applications/not-a-uuid", 404),
        ("/register.csv?colour=red", 422),
        ("/register.csv?q=a&q=b", 400),
        ("/register.csv?q=%ff", 400),
        ("/assets/0000000000000000/portal.css", 404),
        ("/permits//H1", 400),
        ("/permits%2fH1", 400),
    ] {
        for (language, title) in [("fr", "<html lang=\"fr\""), ("en", "<html lang=\"en\"")] {
            let headers = [BROWSER, ("accept-language", language), ("cookie", signed.cookie.as_str())];
            let answer = house.send(Method::GET, path, &headers, "").await;
            assert_eq!(
                (answer.status.as_u16(), &answer.headers["content-type"]),
                (status, &"text/html; charset=utf-8".parse().unwrap()),
                "{path}"
            );
            assert!(answer.text.contains(title) && answer.text.contains("href=\"/apis\""), "{path} has a way on\n{}", answer.text);
        }
        let program = house.send(Method::GET, path, &[("accept", "*/*"), ("cookie", signed.cookie.as_str())], "").await;
        let person = path.starts_with("/register") || path.starts_with("/assets") || status == 400;
        assert_eq!(program.headers["content-type"] == "application/problem+json", person, "{path}");
    }
    house.send(Method::GET, "/api/v1/permits/zzz", &[BROWSER, ("cookie", signed.cookie.as_str())], "").await.problem(404, "not_found");
    house.send(Method::GET, "/api/v1/nowhere", &[BROWSER], "").await.problem(404, "unknown_route");
    let lost = read(&house, "/nowhere/at/all", "").await;
    assert_eq!(lost.status, 404);
    for there in ["<h1>Page not found</h1>", "href=\"/apis\"", lost.headers["x-request-id"].to_str().unwrap()] {
        assert!(lost.text.contains(there), "{there}");
    }
    let wrong = send(&house, "/dashboard", &signed.cookie, &[], "").await;
    assert_eq!((wrong.status.as_u16(), &wrong.headers["allow"]), (405, &"GET, HEAD".parse().unwrap()));
    let json = house.send(Method::POST, "/sign-in", &[BROWSER, ("content-type", "application/json")], "{}").await;
    assert_eq!(json.status, 415);
    let long = send(&house, "/sign-in", "", &[], &format!("email={}", "a".repeat(400_001))).await;
    assert_eq!(long.status, 413);
    let back = house.send(Method::GET, "/nowhere", &[BROWSER, ("referer", &format!("{PUBLIC}/apis?q=1"))], "").await;
    assert!(back.text.contains("href=\"/apis?q=1\""));
    let evil = house.send(Method::GET, "/nowhere", &[BROWSER, ("referer", "https://evil.example/x")], "").await;
    assert!(!evil.text.contains("evil.example"));
}

#[tokio::test]
async fn a_password_is_not_kept_with_what_was_typed() {
    let house = House::open(PUBLIC, false).await;
    let typed = "given_name=L%C3%A9a&password=not+for+any+page&_csrf=old";
    let asked = send(&house, "/operator/people/new", "", &[], typed).await;
    assert_eq!(asked.status, 401);
    let kept = hidden(&asked, "_resume_body").replace("&#38;", "&");
    let more = form_urlencoded::Serializer::new(String::new())
        .append_pair("_resume_path", "/operator/people/new")
        .append_pair("_resume_body", &kept)
        .finish();
    let resumed = send(&house, "/sign-in", "", &[], &sign_in_body(&format!("&{more}"))).await;
    assert!(resumed.text.contains("Léa") && resumed.text.contains("The password was not kept"), "{}", resumed.text);
    let session = house.sign_in().await;
    let other = send(&house, "/operator/people/new", &session.cookie, &[], typed).await;
    assert!(other.status == 403 && other.text.contains("The password was not kept"), "{}", other.text);
    for page in [&asked, &resumed, &other] {
        assert!(!page.text.contains("not for any page") && !page.text.contains("not+for+any+page"), "{}", page.text);
    }
}

#[tokio::test]
async fn too_much_too_often_and_our_own_faults_are_pages_too() {
    let house = House::open(PUBLIC, false).await;
    let signed = house.sign_in().await;
    let in_language = async |path: &str, language: &str, body: String| {
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let headers = [FORM, BROWSER, ("accept-language", language), ("cookie", signed.cookie.as_str())];
        house.send(method, path, &headers, body).await
    };
    for (language, title, next) in [("fr", "<h1>Envoi trop grand", "bouton retour"), ("en", "<h1>Too large", "back button")] {
        let long = in_language("/applications/new", language, format!("name={}", "a".repeat(400_001))).await;
        assert!(
            long.status == 413 && long.text.contains(title) && long.text.contains(next) && long.text.contains("/dashboard"),
            "{}",
            long.text
        );
        let many = in_language("/applications/new", language, "a=&".repeat(2_001)).await;
        assert!(many.status == 413 && many.text.contains(title), "{}", many.text);
    }
    // Of one account; another one may still sign in from there.
    for language in ["fr", "en"] {
        let mut last = None;
        for _ in 0..20 {
            let answer = in_language("/sign-in", language, format!("email={language}%40example.org&password=wrong")).await;
            let refused = answer.status == 429;
            last = Some(answer);
            if refused {
                break;
            }
        }
        let often = last.unwrap();
        assert_eq!((often.status.as_u16(), often.headers["retry-after"].to_str().unwrap()), (429, "61"));
        let (title, next) = if language == "fr" {
            ("Trop d’essais", "Réessayez dans 61 secondes")
        } else {
            ("Too many attempts", "Try again in 61 seconds")
        };
        assert!(often.text.contains("role=\"alert\"") && often.text.contains(title) && often.text.contains(next), "{}", often.text);
        assert!(often.text.contains(&format!("value=\"{language}@example.org\"")) && !often.text.contains("needs your attention"));
    }
    for (language, title, next) in [("fr", "<h1>Erreur de notre côté", "référence"), ("en", "<h1>An error on our side", "reference")] {
        house.fault();
        let fault = in_language("/dashboard", language, String::new()).await;
        assert!(
            fault.status == 500 && fault.text.contains(title) && fault.text.contains(next) && fault.text.contains("/apis"),
            "{}",
            fault.text
        );
        assert!(fault.text.contains(fault.headers["x-request-id"].to_str().unwrap()) && !fault.text.contains("for this test"));
    }
    house.app.store().close().await.unwrap();
    for (language, title, next) in [("fr", "<h1>Service indisponible", "Rechargez"), ("en", "<h1>Service unavailable", "Reload")] {
        for (path, body) in
            [("/dashboard", ""), ("/register", ""), ("/applications/new", "name=x"), ("/sign-in", "email=a%40b.example&password=x")]
        {
            let gone = in_language(path, language, body.to_owned()).await;
            assert!(gone.status == 503 && gone.headers.contains_key("retry-after"), "{path} {}", gone.text);
            assert!(gone.text.contains(title) && gone.text.contains(next) && gone.text.contains("href=\"/apis\""), "{path} {}", gone.text);
        }
    }
}

#[tokio::test]
async fn files_are_compressed_and_kept_for_ever() {
    let house = House::open(PUBLIC, false).await;
    let page = house.get("/sign-in").await;
    let style = page.text.split("href=\"").find(|rest| rest.contains("portal.css")).unwrap().split('"').next().unwrap();
    let plain = house.get(style).await;
    assert_eq!((plain.status.as_u16(), &plain.headers["content-type"]), (200, &"text/css; charset=utf-8".parse().unwrap()));
    assert!(plain.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let packed = house.send(Method::GET, style, &[("accept-encoding", "br, gzip;q=0.9")], "").await;
    assert_eq!(packed.headers["content-encoding"], "gzip");
    assert!(house.get("/assets/0000000000000000/portal.css").await.status == 404 && house.get("/assets/x/%2e%2e").await.status == 400);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
    assert!(
        !page.text.contains("<script>")
            && !page.text.contains(" style=")
            && !page.text.contains("http://")
            && !page.text.contains("https://")
    );
}

#[tokio::test]
async fn pages_of_the_demo_are_in_the_demo_alone() {
    let (open, demo) = (House::open(PUBLIC, false).await, House::open(PUBLIC, true).await);
    for path in ["/dev/components", "/dev/mails", "/dev/mailbox"] {
        assert_eq!(read(&open, path, "").await.status, 404, "{path}");
        assert_eq!(read(&demo, path, "").await.status, 200, "{path}");
    }
}
