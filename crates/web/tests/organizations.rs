//! Joining organisations, as people meet it: what their address proves, codes, colleagues who vouch, invitations, the operator's
//! decision; and what leaving and closing take away.
#![expect(clippy::unwrap_used, reason = "a test: what is not there fails it")]

mod support;

use std::{collections::BTreeMap, sync::Arc};

use octroi_app::{Context, access_requests::NewRequest};
use octroi_domain::{
    policy::Principal,
    user::{LinkLevel, User},
};
use support::{
    EMAIL, House, NOW,
    scene::{COMMUNE, COMPANY, Scene, Somebody, Stub},
};

#[tokio::test]
async fn without_a_directory_the_number_is_kept_and_said_to_be_unverified() {
    let scene = Scene::open(None).await;
    let nora = scene.person("nora@rivebelle.fr").await;
    let page = scene.get(&nora, &format!("/organizations/join?siret={COMMUNE}")).await;
    assert!(page.status == 200 && page.text.contains("cannot be checked here"), "{}", page.text);
    let nameless = scene.post(&nora, "/organizations/join", &[("number", COMMUNE), ("note", "I work there")]).await;
    assert_eq!(nameless.status, 422);
    assert!(nameless.text.contains("I work there"), "nothing typed is lost");
    let there = scene.done(&nora, "/organizations/join", &[("number", COMMUNE), ("name", "Rivebelle")]).await;
    let page = scene.get(&nora, &there).await;
    assert!(page.text.contains("Number not verified") && page.text.contains("Your link is not verified"), "{}", page.text);
    assert!(!page.text.contains(EMAIL) && !page.text.contains("Members"), "colleagues are not shown to who is not sure");
    // The operator is told, and the wish waits in the queue.
    assert!(scene.mail(EMAIL).await.contains("Rivebelle"));
    assert!(scene.get(&scene.operator, "/operator/joining").await.text.contains("nora@rivebelle.fr"));
    // Once more changes nothing.
    assert_eq!(scene.post(&nora, "/organizations/join", &[("number", COMMUNE)]).await.status, 409);
    // Refused: what was let in on nothing goes.
    let queue = scene.get(&scene.operator, "/operator/joining").await.text;
    let wish = queue.split("/operator/joining/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = format!("/operator/joining/{wish}");
    assert_eq!(scene.post(&scene.operator, &path, &[("decision", "refuse")]).await.status, 422, "a reason is needed");
    scene.done(&scene.operator, &path, &[("decision", "refuse"), ("template", "proof")]).await;
    assert!(scene.mail("nora@rivebelle.fr").await.contains("can confirm it"));
    assert_eq!(scene.get(&nora, &there).await.status, 404);
    assert_eq!(scene.post(&nora, "/organizations/join", &[("number", COMMUNE)]).await.status, 409, "who was refused does not retry");
}

#[tokio::test]
async fn an_address_of_the_organisation_is_enough_and_members_are_told() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "7120", "42");
    let scene = Scene::open(Some(stub)).await;
    let ada = scene.person("ada@rivebelle.fr").await;
    let id = scene.with_member(COMMUNE, "Rivebelle", &ada).await;
    let domains = format!("/operator/organizations/{id}/domains");
    for bad in ["gmail.com", "rivebelle", "impots-gouv.fr"] {
        assert_eq!(scene.post(&scene.operator, &domains, &[("domain", bad), ("state", "verified")]).await.status, 422, "{bad}");
    }
    scene.done(&scene.operator, &domains, &[("domain", "@Rivebelle.FR"), ("state", "verified")]).await;
    scene.done(&scene.operator, &domains, &[("domain", "prestataire.example"), ("state", "external")]).await;

    let nora = scene.person("Nora+x@rivebelle.fr").await;
    let page = scene.get(&nora, &format!("/organizations/join?siret={COMMUNE}")).await;
    assert!(page.text.contains("VILLE DE RIVEBELLE") && page.text.contains("1 rue de la Paix"), "{}", page.text);
    assert_eq!(scene.join(&nora, COMMUNE).await, format!("/organizations/{id}"));
    assert_eq!(scene.level(&nora, id).await, Some((LinkLevel::Verified, "domain".into())));
    assert!(scene.mail("ada@rivebelle.fr").await.contains("nora+x@rivebelle.fr"), "members are told");
    assert!(scene.get(&nora, &format!("/organizations/{id}")).await.text.contains("ada@rivebelle.fr"));

    // A contractor is let in as one, and may not vouch or invite.
    let carl = scene.person("carl@prestataire.example").await;
    scene.join(&carl, COMMUNE).await;
    assert!(scene.house.app.store().read().membership(carl.id, id).await.unwrap().unwrap().external);
    assert_eq!(scene.post(&carl, &format!("/organizations/{id}/invitations"), &[("email", "x@y.example")]).await.status, 403);

    // What only looks like it is refused, and leaves nothing behind.
    for (email, why) in [
        ("eve@rivebelle.fr.evil.example", "looks like another"),
        ("eve@impots-gouv.fr", "looks like another"),
        ("eve@gmail.com", "A public service is joined with its own address"),
    ] {
        let eve = scene.person(email).await;
        let answer = scene.post(&eve, "/organizations/join", &[("number", COMMUNE)]).await;
        assert!(answer.status == 409 && answer.text.contains(why), "{email}: {}", answer.text);
        assert_eq!(scene.level(&eve, id).await, None, "{email}");
    }
}

#[tokio::test]
async fn a_code_goes_to_the_official_contact_and_is_tried_five_times() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "7210", "11");
    let scene = Scene::open(Some(stub)).await;
    let ada = scene.person("ada@elsewhere.example").await;
    let id = scene.with_member(COMMUNE, "Rivebelle", &ada).await;
    let contact = format!("/operator/organizations/{id}/contact");
    assert_eq!(scene.post(&scene.operator, &contact, &[("official_contact", "town hall")]).await.status, 422);
    scene.done(&scene.operator, &contact, &[("official_contact", "mairie@rivebelle.fr")]).await;

    let nora = scene.person("nora@gmail.com").await;
    let wish = scene.join(&nora, COMMUNE).await;
    assert!(wish.starts_with("/organizations/joining/"), "{wish}");
    assert_eq!(scene.level(&nora, id).await, None);
    assert_eq!(scene.post(&nora, &format!("{wish}/code"), &[("code", "0000000000")]).await.status, 422, "no code was sent yet");
    scene.done(&nora, &format!("{wish}/send-code"), &[]).await;
    let mail = scene.mail("mairie@rivebelle.fr").await;
    let words: Vec<&str> = mail.split(|c: char| !c.is_ascii_digit() && c != ' ').map(str::trim).collect();
    let code = *words.iter().find(|word| word.len() == 12 && word.replace(' ', "").len() == 10).unwrap();
    // Somebody else's wish is not there.
    assert_eq!(scene.post(&ada, &format!("{wish}/code"), &[("code", code)]).await.status, 404);
    assert_eq!(scene.get(&ada, &wish).await.status, 404);
    assert_eq!(scene.done(&nora, &format!("{wish}/code"), &[("code", code)]).await, format!("/organizations/{id}"));
    assert_eq!(scene.level(&nora, id).await, Some((LinkLevel::Verified, "official_contact_code".into())));
    assert_eq!(scene.post(&nora, &format!("{wish}/code"), &[("code", code)]).await.status, 409, "a code is good once");

    let eve = scene.person("eve@gmail.com").await;
    let wish = scene.join(&eve, COMMUNE).await;
    scene.done(&eve, &format!("{wish}/send-code"), &[]).await;
    for _ in 0..5 {
        assert_eq!(scene.post(&eve, &format!("{wish}/code"), &[("code", code)]).await.status, 422, "a code of another wish");
    }
    assert_eq!(scene.post(&eve, &format!("{wish}/code"), &[("code", "1111111111")]).await.status, 429);
    // The town hall is not flooded by one person, who uses up nobody else's codes either.
    for _ in 0..4 {
        scene.done(&eve, &format!("{wish}/send-code"), &[]).await;
    }
    assert_eq!(scene.post(&eve, &format!("{wish}/send-code"), &[]).await.status, 429);
    let leo = scene.person("leo@gmail.com").await;
    let wish = scene.join(&leo, COMMUNE).await;
    scene.done(&leo, &format!("{wish}/send-code"), &[]).await;

    // Who has the official address, or its domain, needs no code; the domain is known from then on.
    let clerk = scene.person("clerk@rivebelle.fr").await;
    scene.join(&clerk, COMMUNE).await;
    assert_eq!(scene.level(&clerk, id).await, Some((LinkLevel::Verified, "official_contact_domain".into())));
    let page = scene.get(&scene.operator, &format!("/operator/organizations/{id}")).await.text;
    assert!(page.contains("rivebelle.fr") && page.contains("The official contact"), "{page}");
}

#[tokio::test]
async fn a_colleague_vouches_and_the_operator_decides_where_nobody_can() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMPANY, "ACME", "5710", "32");
    let scene = Scene::open(Some(stub)).await;
    let ada = scene.person("ada@acme.example").await;
    let id = scene.with_member(COMPANY, "Acme", &ada).await;
    let stranger = scene.person("stranger@elsewhere.example").await;

    // A free address is asked once more, then a member vouches.
    let nora = scene.person("nora@gmail.com").await;
    let asked = scene.post(&nora, "/organizations/join", &[("number", COMPANY)]).await;
    assert!(asked.status == 422 && asked.text.contains("name=\"confirmed\""), "{}", asked.text);
    let wish = scene.done(&nora, "/organizations/join", &[("number", COMPANY), ("confirmed", "on"), ("ask_confirmation", "1")]).await;
    let before = scene.mails("ada@acme.example").await;
    for email in ["nobody@acme.example", "stranger@elsewhere.example", "ada@acme.example"] {
        assert_eq!(scene.done(&nora, &format!("{wish}/sponsor"), &[("email", email)]).await, wish, "the same answer for {email}");
    }
    assert_eq!((scene.mails("ada@acme.example").await - before, scene.mails("stranger@elsewhere.example").await), (1, 0));
    let confirm = format!("{wish}/confirm");
    for outsider in [&stranger, &nora, &scene.operator] {
        assert_eq!(scene.get(outsider, &confirm).await.status, 404);
        assert_eq!(scene.post(outsider, &confirm, &[]).await.status, 404);
    }
    assert!(scene.get(&ada, &format!("/organizations/{id}")).await.text.contains(&confirm), "who waits is shown to members");
    assert!(scene.get(&ada, &confirm).await.text.contains("nora@gmail.com"));
    scene.done(&ada, &confirm, &[]).await;
    assert_eq!(scene.level(&nora, id).await, Some((LinkLevel::Verified, "sponsor".into())));
    assert_eq!(scene.post(&ada, &confirm, &[]).await.status, 409, "once");

    // The operator refuses with a reason, and lets the person mend it; then accepts, and the domain with it.
    let carl = scene.person("carl@acme-sud.example").await;
    let wish = scene.join(&carl, COMPANY).await;
    let path = wish.replace("/organizations/joining/", "/operator/joining/");
    assert_eq!(scene.get(&carl, &path).await.status, 403);
    let fields = [("decision", "refuse"), ("template", "address"), ("message", "And hurry."), ("may_reopen", "on")];
    scene.done(&scene.operator, &path, &fields).await;
    assert!(scene.get(&carl, &wish).await.text.contains("And hurry."));
    assert_eq!(scene.post(&carl, "/organizations/join", &[("number", COMPANY)]).await.status, 409);
    scene.done(&carl, &format!("{wish}/reopen"), &[("note", "It is my address")]).await;
    assert!(scene.get(&scene.operator, &path).await.text.contains("It is my address"));
    let fields = [("decision", "accept"), ("level", "certified"), ("external", "no"), ("allow_domain", "on")];
    scene.done(&scene.operator, &path, &fields).await;
    assert_eq!(scene.level(&carl, id).await, Some((LinkLevel::Certified, "moderation".into())));
    assert_eq!(scene.post(&scene.operator, &path, &fields).await.status, 409);
    let second = scene.person("second@acme-sud.example").await;
    scene.join(&second, COMPANY).await;
    assert_eq!(scene.level(&second, id).await, Some((LinkLevel::Verified, "domain".into())));

    // One takes a wish back; it can be sent again, and nobody decides on themselves.
    let dora = scene.person("dora@elsewhere.example").await;
    let wish = scene.join(&dora, COMPANY).await;
    scene.done(&dora, &format!("{wish}/cancel"), &[]).await;
    assert_eq!(scene.post(&ada, &format!("{wish}/confirm"), &[]).await.status, 409);
    scene.join(&dora, COMPANY).await;
    let own = scene.join(&scene.operator, COMPANY).await.replace("/organizations/joining/", "/operator/joining/");
    assert_eq!(scene.post(&scene.operator, &own, &[("decision", "accept"), ("level", "verified")]).await.status, 403);
}

#[tokio::test]
async fn an_invitation_is_for_one_address_and_one_use_and_dies_with_its_author() {
    let scene = Scene::open(None).await;
    let ada = scene.person("ada@acme.example").await;
    let id = scene.with_member(COMPANY, "Acme", &ada).await;
    let invite = format!("/organizations/{id}/invitations");
    let (nora, eve) = (scene.person("nora@gmail.com").await, scene.person("eve@gmail.com").await);
    assert_eq!(scene.post(&eve, &invite, &[("email", "eve@gmail.com")]).await.status, 404);
    assert_eq!(scene.post(&ada, &invite, &[("email", "nora@gmail.com@evil")]).await.status, 422);
    let invited = async |email: &str| {
        scene.done(&ada, &invite, &[("email", email)]).await;
        let mail = scene.mail(email).await;
        let word = mail.split("/organizations/invitations/").nth(1).unwrap();
        format!("/organizations/invitations/{}", word.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').next().unwrap())
    };
    let link = invited("nora@gmail.com").await;
    assert_eq!(scene.post(&ada, &invite, &[("email", "NORA@gmail.com")]).await.status, 422, "one open invitation for one address");
    assert_eq!(scene.get(&nora, &format!("{link}x")).await.status, 404, "an edited word");
    for method in [scene.get(&eve, &link).await, scene.post(&eve, &link, &[]).await] {
        assert!(method.status == 409 && !method.text.contains("nora@gmail.com"), "forwarded: {}", method.text);
    }
    assert!(scene.get(&nora, &link).await.text.contains("Acme"));
    assert_eq!(scene.done(&nora, &link, &[]).await, format!("/organizations/{id}"));
    assert_eq!(scene.level(&nora, id).await, Some((LinkLevel::Verified, "invitation".into())));
    assert_eq!(scene.post(&nora, &link, &[]).await.status, 409, "used");

    let late = invited("eve@gmail.com").await;
    let context = Context::new(eve.principal.clone(), NOW.plus_days(15));
    let word = late.rsplit('/').next().unwrap();
    let expired = scene.house.app.accept_member_invitation(&context, word).await.unwrap_err();
    assert!(expired.to_string().contains("invitation_ended"), "{expired}");
    // Its author leaves: what they promised goes with them.
    scene.done(&ada, &format!("/organizations/{id}/leave"), &[]).await;
    assert_eq!(scene.post(&eve, &late, &[]).await.status, 409);
    assert_eq!(scene.get(&ada, &format!("/organizations/{id}")).await.status, 404);
    assert_eq!(scene.level(&eve, id).await, None);
}

#[tokio::test]
async fn a_closed_or_unknown_establishment_is_joined_by_nobody() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "7210", "11");
    let scene = Scene::open(Some(stub.clone())).await;
    let nora = scene.person("nora@rivebelle.fr").await;
    let page = scene.get(&nora, &format!("/organizations/join?siret={COMPANY}")).await;
    assert!(page.text.contains("does not know this number") && !page.text.contains("name=\"note\""), "{}", page.text);
    assert_eq!(scene.post(&nora, "/organizations/join", &[("number", COMPANY), ("name", "X")]).await.status, 409);
    assert!(scene.house.app.organization_of_siret(&COMPANY.parse().unwrap()).await.unwrap().is_none(), "nothing is left behind");
    for bad in ["21750001600018", "abc", "2175000160001"] {
        assert_eq!(scene.get(&nora, &format!("/organizations/join?siret={bad}")).await.status, 422, "{bad}");
    }

    let ada = scene.person("ada@rivebelle.fr").await;
    let id = scene.with_member(COMMUNE, "Rivebelle", &ada).await;
    let app = &scene.house.app;
    assert_eq!(app.refresh_directory(NOW).await.unwrap(), 1);
    assert_eq!(app.refresh_directory(NOW).await.unwrap(), 0, "once a day");
    stub.closes(COMMUNE);
    *stub.silent.lock().unwrap() = true;
    let tomorrow = NOW.plus_days(1).plus_seconds(1);
    assert_eq!(app.refresh_directory(tomorrow).await.unwrap(), 1);
    assert!(app.store().read().profile(id).await.unwrap().standing.facts().unwrap().active, "silence takes nothing away");
    *stub.silent.lock().unwrap() = false;
    assert_eq!(app.refresh_directory(NOW.plus_days(3)).await.unwrap(), 1);
    assert!(app.store().read().profile(id).await.unwrap().standing.is_closed());
    assert_eq!(scene.post(&nora, "/organizations/join", &[("number", COMMUNE)]).await.status, 409);
    let page = scene.get(&ada, "/organizations").await.text;
    assert!(page.contains("Establishment closed"), "{page}");
    // An identity provider does not open it again.
    let asserted = app.link_asserted(nora.id, COMMUNE.parse().unwrap(), "proconnect", NOW).await.unwrap_err();
    assert!(asserted.to_string().contains("organization_closed"), "{asserted}");
}

#[tokio::test]
async fn an_identity_provider_certifies_and_a_changed_address_takes_back_what_it_proved() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "7120", "42");
    let scene = Scene::open(Some(stub)).await;
    let nora = scene.person("nora@rivebelle.fr").await;
    let app = &scene.house.app;
    let id = app.link_asserted(nora.id, COMMUNE.parse().unwrap(), "proconnect", NOW).await.unwrap();
    assert_eq!(scene.level(&nora, id).await, Some((LinkLevel::Certified, "identity_provider".into())));

    let domain = [("domain", "rivebelle.fr"), ("state", "verified")];
    scene.done(&scene.operator, &format!("/operator/organizations/{id}/domains"), &domain).await;
    let dora = scene.person("dora@rivebelle.fr").await;
    scene.join(&dora, COMMUNE).await;
    for (email, level) in [("dora@gmail.com", LinkLevel::Unverified), ("dora2@rivebelle.fr", LinkLevel::Unverified)] {
        let mut tx = app.store().write().await.unwrap();
        let user = tx.user_by_id(dora.id).await.unwrap().unwrap();
        let user = User { email: email.into(), ..user };
        tx.user_save(&user).await.unwrap();
        octroi_app::proofs::address_changed(&mut tx, &user, NOW).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(scene.level(&dora, id).await.unwrap().0, level, "{email}");
    }
    // Back at an address that proves it, they say so again.
    scene.join(&dora, COMMUNE).await;
    assert_eq!(scene.level(&dora, id).await, Some((LinkLevel::Verified, "domain".into())));
    assert_eq!(scene.level(&nora, id).await.unwrap().0, LinkLevel::Certified, "nobody else is touched");
}

#[tokio::test]
async fn bodies_abroad_have_another_register_and_old_addresses_still_lead_somewhere() {
    let scene = Scene::open(Some(Arc::new(Stub::default()))).await;
    let nora = scene.person("nora@ville.example").await;
    let page = scene.get(&nora, "/organizations/join?country=BE&register=national&number=0203.201.340").await;
    assert!(page.status == 200 && page.text.contains("National register (BE) 0203201340"), "{}", page.text);
    assert_eq!(scene.get(&nora, "/organizations/join?country=FR&register=national&number=130025265").await.status, 422);
    assert_eq!(scene.get(&nora, "/organizations/join?country=DE&register=lei&number=1").await.status, 422);
    let there = scene.done(&nora, "/organizations/join", &[("number", "BE:national:0203201340"), ("name", "Ville de Mons")]).await;
    let page = scene.get(&nora, &there).await.text;
    assert!(page.contains("Ville de Mons") && page.contains("Number not verified"), "{page}");
    // Switching: the last one is proposed first.
    let chosen = scene.post(&nora, &format!("{there}/use"), &[]).await;
    let cookies: Vec<_> = chosen.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("octroi_organization=")), "{cookies:?}");

    for (from, to) in [
        ("/users/join-organization?siret_hint=21750001600019", "/organizations/join?siret=21750001600019"),
        ("/users/join-organization?siret_hint=%2F%2Fevil.example", "/organizations/join"),
        ("/users/join-organization", "/organizations/join"),
        ("/manage-organizations", "/organizations"),
        ("/users/personal-information", "/account"),
        ("/users/verify-email", "/account/email"),
    ] {
        let answer = scene.get(&nora, from).await;
        assert_eq!((answer.status.as_u16(), answer.headers["location"].to_str().unwrap()), (303, to), "{from}");
    }
}

/// A request that could be submitted.
async fn ready(house: &House, who: &Somebody) -> octroi_app::view::RequestView {
    let principal = signed_again(house, who).await;
    let context = Context::new(principal, NOW);
    let definition = house.app.read_definition(&context, &"api-particulier".parse().unwrap()).await.unwrap();
    let form = definition.forms.iter().find(|form| form.slug == "cantine").unwrap();
    let input = NewRequest { definition: "api-particulier".parse().unwrap(), form: "cantine".parse().unwrap(), organization: None };
    let created = house.app.create_request(&context, input).await.unwrap().value().unwrap();
    let mut answers: BTreeMap<String, serde_json::Value> = serde_json::from_value(form.example.clone()).unwrap();
    answers.retain(|name, value| created.answers.get(name) != Some(value));
    house.app.edit_request(&context, created.id.parse().unwrap(), None, answers).await.unwrap().value().unwrap()
}

/// The person with the links of now.
async fn signed_again(house: &House, who: &Somebody) -> Principal {
    let cookie = who.cookie.strip_prefix("octroi_session=").unwrap();
    house.app.session(cookie, NOW).await.unwrap().unwrap().principal
}

#[tokio::test]
async fn a_closed_establishment_submits_nothing_and_an_unsure_member_sees_and_is_given_nothing_of_others() {
    let stub = Arc::new(Stub::default());
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "9220", "01");
    let scene = Scene::open(Some(stub.clone())).await;
    let house = &scene.house;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let catalogue = octroi_app::catalogue_files::read(&folder, NOW).unwrap();
    house.app.apply_catalogue(&catalogue, false, false, NOW).await.unwrap();
    let ada = scene.person("ada@rivebelle.fr").await;
    scene.with_member(COMMUNE, "Rivebelle", &ada).await;
    let request = ready(house, &ada).await;
    let path = format!("/access-requests/{}", request.id);

    // Of a small association, with a free address: let in, and shown nothing of others.
    let nora = scene.person("nora@gmail.com").await;
    scene.join(&nora, COMMUNE).await;
    assert_eq!(scene.get(&nora, &path).await.status, 404);
    assert!(!scene.get(&nora, "/access-requests").await.text.contains(&request.id));
    assert_eq!(scene.get(&nora, "/applications/new").await.headers["location"], "/applications", "which says what is missing");
    let given = scene.post(&ada, &format!("{path}/transfer"), &[("email", "nora@gmail.com")]).await;
    assert_eq!(given.status, 422, "{}", given.text);
    let own = ready(house, &nora).await;
    assert_eq!(scene.get(&nora, &format!("/access-requests/{}", own.id)).await.status, 200);

    stub.closes(COMMUNE);
    house.app.refresh_directory(NOW.plus_days(2)).await.unwrap();
    let context = Context::new(signed_again(house, &ada).await, NOW);
    let refused = house.app.submit_request(&context, request.id.parse().unwrap(), Some(request.version)).await.unwrap_err();
    assert!(refused.to_string().contains("organization_closed"), "{refused}");
    let input = NewRequest { definition: "api-particulier".parse().unwrap(), form: "cantine".parse().unwrap(), organization: None };
    let refused = house.app.create_request(&context, input).await.unwrap_err();
    assert!(refused.to_string().contains("organization_closed"), "{refused}");
    // Opened again, it goes.
    stub.knows(COMMUNE, "VILLE DE RIVEBELLE", "9220", "01");
    house.app.refresh_directory(NOW.plus_days(4)).await.unwrap();
    house.app.submit_request(&context, request.id.parse().unwrap(), Some(request.version)).await.unwrap();
}
