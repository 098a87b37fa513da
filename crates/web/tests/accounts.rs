//! Accounts as people live them: open one, come in, forget, change, leave.
#![expect(clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod support;

use support::{
    EMAIL, House, PASSWORD, PUBLIC,
    browser::{Browser, code_of, link_of, mails, main},
};

const NEW: &str = "lea.martin@ville.example";
const GOOD: &str = "sept nuages sur le quai";

async fn sign_up<'a>(house: &'a House, email: &str) -> Browser<'a> {
    let mut lea = Browser::at(house);
    lea.get("/sign-up").await;
    lea.send("/sign-up", &[("email", email)]).await;
    let code = code_of(&mails(house, email).await[0]);
    lea.send("/sign-up/code", &[("code", &code)]).await;
    lea.post("/sign-up/finish", &[("given_name", "Léa"), ("family_name", "Martin"), ("password", GOOD)]).await;
    assert_eq!(lea.leads_to(), "/dashboard");
    lea
}

#[tokio::test]
async fn an_account_is_opened_with_a_proven_address() {
    let house = House::open(PUBLIC, true).await;
    let mut lea = Browser::at(&house);
    lea.get("/sign-up?return_to=%2Fapis").await;
    let bad = lea.post("/sign-up", &[("email", "lea@x@gouv.fr")]).await;
    assert!(bad.status == 422 && bad.text.contains("Write an e-mail address"), "{}", main(&bad.text));
    let page = lea.send("/sign-up", &[("email", " Lea.Martin@Ville.example ")]).await;
    assert!(page.text.contains(NEW) && page.text.contains("You can ask for another message in"));
    // No password, name or page before the address is proven.
    lea.get("/sign-up/finish").await;
    assert_eq!(lea.leads_to(), "/sign-up/code");
    let code = code_of(&mails(&house, NEW).await[0]);
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    lea.get("/sign-up/code").await;
    let again = lea.post("/sign-up/code", &[("code", wrong)]).await;
    assert!(again.status == 422 && again.text.contains("This code is wrong"), "{}", main(&again.text));
    // The code is worth nothing in another browser.
    let mut other = Browser::at(&house);
    other.get("/sign-up").await;
    assert_eq!(other.post("/sign-up/code", &[("code", &code)]).await.status, 422);
    lea.get("/sign-up/code").await;
    let spaced = format!("{} {}", &code[..4], &code[4..]);
    lea.send("/sign-up/code", &[("code", &spaced)]).await;
    for (password, why) in [
        ("court", "Give a password of 12 to 128"),
        ("motdepasse2026", "tried first"),
        ("je suis lea martin", "your name or address"),
        ("octroi pour toujours", "platform"),
    ] {
        let weak = lea.post("/sign-up/finish", &[("given_name", "Léa"), ("family_name", "Martin"), ("password", password)]).await;
        assert!(weak.status == 422 && weak.text.contains(why), "{password}: {}", main(&weak.text));
        assert!(weak.text.contains("value=\"Martin\"") && !weak.text.contains(password), "what was typed is kept, but the password");
    }
    lea.post("/sign-up/finish", &[("given_name", "Léa"), ("family_name", "Martin"), ("password", GOOD)]).await;
    let account = lea.get("/account").await;
    assert!(account.text.contains("Léa") && account.text.contains(NEW) && account.text.contains("verified"), "{}", main(&account.text));
    // Once is once.
    lea.get("/sign-up/finish").await;
    assert_eq!(lea.leads_to(), "/sign-up/code");
    Browser::at(&house).sign_in(NEW, GOOD).await;
}

/// Abuse case 14: enumeration.
#[tokio::test]
async fn no_page_tells_whether_an_address_has_an_account() {
    let house = House::open(PUBLIC, true).await;
    let plain = |text: &str, email: &str| {
        let text = main(text).replace(email, "ADDRESS").replace(&email.replace('@', "%40"), "ADDRESS");
        let mut kept = String::new();
        for (place, part) in text.split("name=\"_once\" value=\"").enumerate() {
            kept.push_str(if place == 0 { part } else { part.split_once('"').unwrap().1 });
        }
        kept
    };
    let nobody = "nobody@example.org";
    for steps in [
        &[("/sign-in", "")][..],
        &[("/sign-in", "wrong wrong wrong")],
        &[("/sign-in/mail", "")],
        &[("/sign-up", "")],
        &[("/reset-password", "")],
    ] {
        let mut seen = Vec::new();
        for email in [EMAIL, nobody] {
            let mut browser = Browser::at(&house);
            for (path, password) in steps {
                let typed = [("email", email), ("password", *password)];
                browser.post(path, if password.is_empty() { &typed[..1] } else { &typed }).await;
            }
            let last = browser.last.clone().unwrap();
            let mut answers = vec![(last.status, last.headers.get("location").cloned(), plain(&last.text, email))];
            if last.status == 303 {
                let to = browser.leads_to();
                let page = browser.get(&to).await;
                answers.push((page.status, None, plain(&page.text, email)));
                let page = browser.post(&format!("{to}/code").replace("/code/code", "/code"), &[("code", "12345678")]).await;
                answers.push((page.status, None, plain(&page.text, email)));
            }
            seen.push(answers);
        }
        assert_eq!(seen[0], seen[1], "{steps:?}");
    }
    // Only the mails differ: who has no account is written to where they asked for one, and nowhere else.
    let (known, unknown) = (mails(&house, EMAIL).await, mails(&house, nobody).await);
    assert!(known.len() == 3 && known.iter().any(|mail| mail.contains("You have an account already") || mail.contains("déjà un compte")));
    assert_eq!(unknown.len(), 1, "{unknown:?}");
}

#[tokio::test]
async fn a_link_signs_in_once_and_at_once_only_where_it_was_asked_for() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.get("/sign-in").await;
    ada.post("/sign-in", &[("email", EMAIL)]).await;
    ada.send("/sign-in/mail", &[("email", EMAIL), ("return_to", "/applications")]).await;
    let link = link_of(&mails(&house, EMAIL).await[0], "/sign-in/link/");
    assert!(link.ends_with("?return_to=/applications"), "{link}");
    // A program that checks links, or somebody whom it was sent to: a button, and nothing is used up.
    for _ in 0..3 {
        let mut checker = Browser::at(&house);
        let page = checker.get(&link).await;
        assert!(page.status == 200 && page.text.contains("Sign me in here") && page.text.contains(EMAIL), "{}", main(&page.text));
        assert!(!checker.is_in().await);
    }
    ada.get(&link).await;
    assert_eq!(ada.leads_to(), "/applications");
    assert!(ada.is_in().await);
    for browser in [&mut Browser::at(&house), &mut ada] {
        let spent = browser.get(&link).await;
        assert!(spent.status == 404 && spent.text.contains("used already"), "{}", main(&spent.text));
        assert_eq!(browser.post(link.split('?').next().unwrap(), &[]).await.status, 404);
    }
    // Elsewhere, the button does it.
    house.wait(60);
    let mut asks = Browser::at(&house);
    asks.post("/sign-in/mail", &[("email", EMAIL)]).await;
    let link = link_of(&mails(&house, EMAIL).await[0], "/sign-in/link/");
    let mut phone = Browser::at(&house);
    phone.get(&link).await;
    phone.post(&link, &[]).await;
    assert!(phone.is_in().await && !asks.is_in().await);
    // The code of the mail, in the browser that asked; out of date after half an hour.
    house.wait(60);
    let mut by_code = Browser::at(&house);
    by_code.post("/sign-in/mail", &[("email", EMAIL)]).await;
    let code = code_of(&mails(&house, EMAIL).await[0]);
    let mut late = by_code.clone();
    by_code.get("/sign-in/mail").await;
    by_code.post("/sign-in/mail/code", &[("code", &code)]).await;
    assert!(by_code.is_in().await);
    assert_eq!(late.post("/sign-in/mail/code", &[("code", &code)]).await.status, 422, "once");
    house.wait(60);
    late.post("/sign-in/mail", &[("email", EMAIL)]).await;
    let (code, link) = {
        let mail = mails(&house, EMAIL).await.remove(0);
        (code_of(&mail), link_of(&mail, "/sign-in/link/"))
    };
    house.wait(31 * 60);
    assert_eq!(late.post("/sign-in/mail/code", &[("code", &code)]).await.status, 422);
    assert_eq!(late.get(&link).await.status, 404);
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail_and_every_session_ends() {
    let house = House::open(PUBLIC, true).await;
    let mut open = Browser::at(&house);
    open.sign_in(EMAIL, PASSWORD).await;
    let mut forgot = Browser::at(&house);
    forgot.get("/reset-password").await;
    let asked = forgot.post("/reset-password", &[("email", EMAIL)]).await;
    assert!(asked.status == 200 && asked.text.contains("If an account has the address"), "{}", main(&asked.text));
    let link = link_of(&mails(&house, EMAIL).await[0], "/reset-password/");
    let page = forgot.get(&link).await;
    assert!(page.text.contains(EMAIL));
    let weak = forgot.post(&link, &[("password", "azertyuiop12")]).await;
    assert!(weak.status == 422 && weak.text.contains("tried first"), "{}", main(&weak.text));
    forgot.post(&link, &[("password", GOOD)]).await;
    assert!(forgot.leads_to().starts_with("/sign-in"));
    assert!(!open.is_in().await, "sessions end");
    assert_eq!(forgot.get(&link).await.status, 404);
    assert_eq!(Browser::at(&house).post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await.status, 401);
    Browser::at(&house).sign_in(EMAIL, GOOD).await;
    let told = mails(&house, EMAIL).await.remove(0);
    assert!(told.contains("mot de passe a été remplacé"), "{told}");
}

#[tokio::test]
async fn an_address_changes_once_the_new_one_is_proven_and_both_are_told() {
    let house = House::open(PUBLIC, true).await;
    let mut lea = sign_up(&house, NEW).await;
    lea.get("/account/email").await;
    // That of somebody else: the page is the same, and its owner is told.
    let taken = lea.send("/account/email", &[("email", EMAIL)]).await;
    assert!(taken.status == 200 && taken.text.contains(EMAIL));
    assert_eq!(lea.post("/account/email/code", &[("code", "12345678")]).await.status, 422);
    assert!(mails(&house, EMAIL).await[0].contains("déjà un compte"));
    let fresh = "lea@region.example";
    lea.get("/account/email").await;
    lea.send("/account/email", &[("email", fresh)]).await;
    let code = code_of(&mails(&house, fresh).await[0]);
    lea.send("/account/email/code", &[("code", &code)]).await;
    assert!(lea.get("/account").await.text.contains(fresh));
    for told in [NEW, fresh] {
        assert!(mails(&house, told).await[0].contains("The address of your account has changed"), "{told}");
    }
    assert_eq!(Browser::at(&house).post("/sign-in", &[("email", NEW), ("password", GOOD)]).await.status, 401);
    Browser::at(&house).sign_in(fresh, GOOD).await;
}

#[tokio::test]
async fn names_passwords_and_sessions_are_ones_own() {
    let house = House::open(PUBLIC, true).await;
    let mut lea = sign_up(&house, NEW).await;
    let mut laptop = Browser::at(&house);
    laptop.sign_in(NEW, GOOD).await;
    lea.get("/account/name").await;
    let bad = lea.post("/account/name", &[("given_name", ""), ("family_name", "a\u{202e}b")]).await;
    assert!(bad.status == 422 && bad.text.matches("1 to 120").count() >= 2, "{}", main(&bad.text));
    lea.send("/account/name", &[("given_name", "Léo"), ("family_name", "Martin")]).await;
    assert!(lea.get("/account").await.text.contains("Léo"));
    // Another person's session is none of theirs.
    let mut operator = Browser::at(&house);
    operator.sign_in(EMAIL, PASSWORD).await;
    let theirs = session_ids(&operator.get("/account/sessions").await.text);
    let page = lea.get("/account/sessions").await;
    let other = session_ids(&page.text);
    assert!(page.text.contains("this one") && other.len() == 1, "{}", main(&page.text));
    assert!(theirs.is_empty(), "one's only session is this one");
    let unknown = lea.post("/account/sessions/00000000-0000-4000-8000-000000000000/end", &[]).await;
    assert_eq!(unknown.status, 404);
    lea.get("/account/sessions").await;
    lea.send(&format!("/account/sessions/{}/end", other[0]), &[]).await;
    assert!(!laptop.is_in().await && lea.is_in().await && operator.is_in().await);
    laptop.sign_in(NEW, GOOD).await;
    lea.get("/account/password").await;
    lea.send("/account/password", &[("password", "dix canards au bord du lac")]).await;
    assert!(lea.is_in().await && !laptop.is_in().await, "the others end");
    assert_eq!(Browser::at(&house).post("/sign-in", &[("email", NEW), ("password", GOOD)]).await.status, 401);
    let told: Vec<String> = mails(&house, NEW).await;
    assert!(told[0].contains("Your password has changed") && told[1].contains("The name of your account has changed"), "{told:?}");
}

fn session_ids(html: &str) -> Vec<String> {
    html.split("/account/sessions/")
        .skip(1)
        .filter_map(|rest| rest.split_once("/end\""))
        .map(|(id, _)| id.to_owned())
        .filter(|id| id.len() == 36)
        .collect()
}

#[tokio::test]
async fn an_account_ends_and_leaves_no_name_behind() {
    let house = House::open(PUBLIC, true).await;
    let mut lea = sign_up(&house, NEW).await;
    let id = lea.house.app.store().read().user_by_email(NEW).await.unwrap().unwrap().id;
    lea.get("/account/delete").await;
    assert_eq!(lea.post("/account/delete", &[("email", EMAIL)]).await.status, 422);
    lea.post("/account/delete", &[("email", NEW)]).await;
    assert_eq!(lea.leads_to(), "/");
    assert!(!lea.is_in().await);
    assert_eq!(Browser::at(&house).post("/sign-in", &[("email", NEW), ("password", GOOD)]).await.status, 401);
    let erased = house.app.store().read().user_by_id(id).await.unwrap().unwrap();
    assert_eq!((erased.email, erased.email_verified_at), (format!("{id}@deleted.invalid"), None));
    assert!(!erased.given_name.contains("Léa"));
    assert!(matches!(house.app.store().verify_ledger(|_| ()).await.unwrap(), octroi_store::Verdict::Sound(_)), "the evidence stays");
    // The address is free again; the last operator cannot go.
    sign_up_again(&house).await;
    let mut operator = Browser::at(&house);
    operator.sign_in(EMAIL, PASSWORD).await;
    operator.get("/account/delete").await;
    let kept = operator.post("/account/delete", &[("email", EMAIL)]).await;
    assert!(kept.status == 409 && kept.text.contains("give the role to somebody else"), "{}", main(&kept.text));
}

async fn sign_up_again(house: &House) {
    sign_up(house, NEW).await;
}

/// Requests of one session that arrive together: each finds the account as the one before it left it.
#[tokio::test]
async fn what_comes_at_once_does_not_undo_what_was_done() {
    let house = House::open(PUBLIC, true).await;
    let mut lea = sign_up(&house, NEW).await;
    let id = house.app.store().read().user_by_email(NEW).await.unwrap().unwrap().id;
    // A code for another address counts once, and a new name does not bring the old address back.
    const OTHER: &str = "lea@ville.example";
    lea.get("/account/email").await;
    lea.send("/account/email", &[("email", OTHER)]).await;
    let code = code_of(&mails(&house, OTHER).await[0]);
    let confirm = async |mut lea: Browser<'_>| lea.post("/account/email/code", &[("code", &code)]).await.status.as_u16();
    let rename = async |mut lea: Browser<'_>, name: &str| {
        lea.get("/account/name").await;
        lea.post("/account/name", &[("given_name", name), ("family_name", "Martin")]).await.status.as_u16()
    };
    let (a, b, c, d, ..) = tokio::join!(
        confirm(lea.clone()),
        confirm(lea.clone()),
        confirm(lea.clone()),
        confirm(lea.clone()),
        rename(lea.clone(), "Lea"),
        rename(lea.clone(), "Léo")
    );
    let mut statuses = [a, b, c, d];
    statuses.sort_unstable();
    assert!(statuses[0] == 303 && statuses[1..].iter().all(|status| *status >= 400), "one of them: {statuses:?}");
    let told = mails(&house, OTHER).await.iter().filter(|mail| mail.contains("The address of your account has changed")).count();
    assert_eq!(told, 1);
    assert_eq!(house.app.store().read().user_by_id(id).await.unwrap().unwrap().email, OTHER);
    // Who deletes the account while a name is sent, or while somebody signs in, has deleted it.
    lea.get("/account/delete").await;
    let delete = async |mut lea: Browser<'_>| lea.post("/account/delete", &[("email", OTHER)]).await.status.as_u16();
    let sign_in = async || {
        let mut other = Browser::at(&house);
        other.post("/sign-in", &[("email", OTHER), ("password", GOOD)]).await;
        other.is_in().await
    };
    let (deleted, _, _, in_one, in_other) =
        tokio::join!(delete(lea.clone()), rename(lea.clone(), "Lia"), rename(lea.clone(), "Lio"), sign_in(), sign_in());
    assert_eq!(deleted, 303);
    assert_eq!(house.app.store().read().user_by_id(id).await.unwrap().unwrap().email, format!("{id}@deleted.invalid"));
    assert!(house.app.store().read().sessions_of_user(id, house.now()).await.unwrap().is_empty(), "{in_one} {in_other}");
}

/// A password that was right when it was looked at, and is no longer, opens nothing.
#[tokio::test]
async fn a_reset_ends_the_sign_ins_that_are_on_their_way() {
    let house = House::open(PUBLIC, true).await;
    sign_up(&house, NEW).await;
    let id = house.app.store().read().user_by_email(NEW).await.unwrap().unwrap().id;
    let mut lea = Browser::at(&house);
    lea.get("/reset-password").await;
    lea.post("/reset-password", &[("email", NEW)]).await;
    let link = link_of(&mails(&house, NEW).await[0], "/reset-password/");
    lea.get(&link).await;
    let reset = async |mut lea: Browser<'_>| lea.post(&link, &[("password", "dix canards au bord du lac")]).await.status.as_u16();
    let sign_in = async || {
        let mut other = Browser::at(&house);
        other.post("/sign-in", &[("email", NEW), ("password", GOOD)]).await;
    };
    let (done, ..) = tokio::join!(reset(lea.clone()), sign_in(), sign_in(), sign_in(), sign_in());
    assert_eq!(done, 303);
    assert!(house.app.store().read().sessions_of_user(id, house.now()).await.unwrap().is_empty());
}
