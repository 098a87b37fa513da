//! A demo with something of everything in it, and people signed in to it.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::{Mutex, OnceLock},
};

use serde_json::{Value, json};

use crate::{
    driver::Settings,
    harness::{Answer, Caller, Demo, Engine, QF, call, http},
    person::Person,
};

/// A demo and what is known of it.
pub struct World {
    pub demo: Demo,
    /// What stands for `{name}` in the table of pages.
    pub things: BTreeMap<&'static str, String>,
    cookies: Mutex<HashMap<String, Vec<(String, String)>>>,
}

/// The world of the tests that leave one another alone.
pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World::start(""))
}

/// Waits for what the REST API's side does.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap()).block_on(work)
}

impl World {
    /// A world in which every text that a person wrote ends with `mark`.
    pub fn start(mark: &str) -> Self {
        let demo = Demo::start(Engine::Sqlite);
        let things = wait(live(&demo, mark));
        Self { demo, things, cookies: Mutex::default() }
    }

    /// The e-mail address and the password of a role.
    pub fn account(&self, role: &str) -> (String, String) {
        let accounts = self.demo.file["accounts"].as_array().unwrap();
        let account = accounts.iter().find(|account| account["role"] == role).unwrap();
        (account["email"].as_str().unwrap().to_owned(), account["password"].as_str().unwrap().to_owned())
    }

    /// Nobody yet, at a browser.
    pub fn person(&self, settings: Settings) -> Person {
        Person::at(self.demo.portal(), settings)
    }

    /// Makes a person somebody of the demo, or nobody.
    pub fn dress(&self, person: &Person, role: Option<&str>) {
        person.is(&role.map(|role| self.cookies(role)).unwrap_or_default());
    }

    /// Through the REST API.
    pub fn program(&self, role: &str) -> Caller {
        wait(self.demo.sign_in(role))
    }

    /// A path of the table of pages, with this world's things.
    pub fn path(&self, path: &str) -> String {
        let mut path = path.to_owned();
        for (name, thing) in &self.things {
            path = path.replace(&format!("{{{name}}}"), thing);
        }
        assert!(!path.contains('{'), "{path} names what the world has not");
        path
    }

    /// The same path, for things that nobody has.
    pub fn nowhere(&self, path: &str) -> String {
        let mut path = path.to_owned();
        for (name, thing) in &self.things {
            let invented: String = match thing.split_at(1) {
                (letter @ ("D" | "H"), _) => format!("{letter}987654"),
                _ => thing.chars().map(|c| if c.is_ascii_hexdigit() { '7' } else { c }).collect(),
            };
            path = path.replace(&format!("{{{name}}}"), &invented);
        }
        path
    }

    /// Signs in once for each role: what is made slow is made slow for everybody.
    pub fn cookies(&self, role: &str) -> Vec<(String, String)> {
        let mut known = self.cookies.lock().unwrap();
        known.entry(role.to_owned()).or_insert_with(|| self.sign_in(role)).clone()
    }

    /// The cookies of a new session.
    pub fn sign_in(&self, role: &str) -> Vec<(String, String)> {
        let (email, password) = self.account(role);
        let url = format!("{}/api/v1/session", self.demo.portal());
        let answer = reqwest::blocking::Client::new().post(url).json(&json!({ "email": email, "password": password })).send().unwrap();
        assert_eq!(answer.status(), 200);
        let set = answer.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
        let pairs = set.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// One of everything.
async fn live(demo: &Demo, mark: &str) -> BTreeMap<&'static str, String> {
    let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
    let words = |text: &str| format!("{text} {mark}").trim_end().to_owned();
    let message = json!({ "message": words("Précisez la durée de conservation.") });
    let asked = marked(&applicant, &words).await;
    let mut things = BTreeMap::new();
    let created = applicant.post("/access-requests", json!({ "definition": "api-particulier", "form": "libre" })).await.ok(201);
    things.insert("empty", created["id"].as_str().unwrap().to_owned());
    things.insert("draft", applicant.draft("api-particulier", "libre", asked.clone()).await.0);
    for (name, act) in [("submitted", ""), ("returned", "request-changes"), ("refused", "refuse")] {
        let (id, _) = applicant.submitted("api-particulier", "libre", asked.clone()).await;
        if !act.is_empty() {
            reviewer.post(&format!("/access-requests/{id}/{act}"), message.clone()).await.ok(200);
        }
        things.insert(name, id);
    }
    let reason = json!({ "reason": words("Le service a fermé.") });
    for (request, permit, act) in [
        ("approved", "permit", ""),
        ("for_amending", "unamended", ""),
        ("for_suspended", "suspended", "suspend"),
        ("for_revoked", "revoked", "revoke"),
    ] {
        let (id, _) = applicant.submitted("api-particulier", "libre", asked.clone()).await;
        let granted = reviewer.approve(&id).await;
        if !act.is_empty() {
            reviewer.post(&format!("/permits/{granted}/{act}"), reason.clone()).await.ok(200);
        }
        things.insert(request, id);
        things.insert(permit, granted);
    }
    // Of the example data: for the sandbox, with production to follow.
    let staged = applicant.get("/permits?definition=api-impot-particulier&state=active").await.ok(200);
    things.insert("staged", staged["items"][0]["id"].as_str().unwrap().to_owned());
    let amendment = applicant.post(&format!("/permits/{}/amend", things["permit"]), json!({})).await.ok(201);
    let amendment = amendment["id"].as_str().unwrap().to_owned();
    applicant
        .patch(
            &format!("/access-requests/{amendment}"),
            json!({ "answers": { "purpose": words("Calculer aussi le tarif de la garderie.") } }),
        )
        .await
        .ok(200);
    applicant.post(&format!("/access-requests/{amendment}/submit"), json!({})).await.ok(200);
    things.insert("amendment", amendment);
    application(demo, &applicant, &words, &mut things).await;
    let operator = demo.sign_in("operator").await;
    // By their words: what the demo made in one instant is listed in any order.
    for (name, path) in [("person", "/users?q=Benali"), ("organization", "/organizations?q=13002526500013")] {
        let list = operator.get(path).await.ok(200);
        let [one] = &list["items"].as_array().unwrap()[..] else { panic!("{path}: {list}") };
        things.insert(name, one["id"].as_str().unwrap().to_owned());
    }
    let client = json!({ "metadata": { "client_name": words("Cantine"), "redirect_uris": ["https://cantine.example/retour"] } });
    let client = operator.post("/clients", client).await.ok(201);
    things.insert("client", client["id"].as_str().unwrap().to_owned());
    // A provider that is not there: nothing listens on port 1.
    let settings = json!({
        "name": { "fr": "Connexion des agents", "en": "Agents’ sign-on" }, "issuer": "http://127.0.0.1:1", "client_id": "octroi",
        "client_auth": "private_key_jwt", "link_policy": "admin",
    });
    operator.post("/connections", json!({ "slug": "nearby", "settings": settings })).await.ok(201);
    // A product, and an account of before.
    let settings = json!({
        "name": { "fr": "Carnet de notes", "en": "Notebook" }, "issuer": "http://127.0.0.1:1", "client_id": "octroi",
        "client_auth": "private_key_jwt", "purpose": { "product": { "front": "http://localhost:4000/", "hand_off": "code" } },
    });
    operator.post("/connections", json!({ "slug": "notebook", "settings": settings })).await.ok(201);
    let former = json!({ "items": [{ "email": "former@rivebelle.example", "organization_siret": "21750001600019", "role": "ADMIN" }] });
    operator.post("/connections/notebook/legacy-users", former).await.ok(201);
    let me = applicant.get("/me").await.ok(200);
    things.insert("own_organization", me["organizations"][0]["id"].as_str().unwrap().to_owned());
    let candidate = demo.sign_in("observer").await;
    things.insert("wish", wish(&candidate, me["organizations"][0]["siret"].as_str().unwrap()).await);
    let domain = format!("/operator/organizations/{}/domains", things["own_organization"]);
    page_form(&operator, &domain, &[("domain", "rivebelle.example"), ("state", "verified")]).await;
    sign_ons(demo, &things["client"].clone(), &mut things).await;
    let mailbox = demo.nobody().get("/dev/mailbox?to=applicant%40rivebelle.example").await.ok(200);
    things.insert("mail", mailbox["items"][0]["id"].to_string().trim_matches('"').to_owned());
    things
}

/// Asks to join an organisation, by its page; the wish that waits.
async fn wish(candidate: &Caller, siret: &str) -> String {
    let there = page_form(candidate, "/organizations/join", &[("number", siret), ("note", "J’y travaille.")]).await;
    there.path().strip_prefix("/organizations/joining/").unwrap().to_owned()
}

/// Sends the form of a page; where it leads.
async fn page_form(caller: &Caller, path: &str, fields: &[(&str, &str)]) -> reqwest::Url {
    let mut form = vec![("_csrf", caller.csrf.as_deref().unwrap())];
    form.extend(fields);
    let request = caller.http.post(format!("{}{path}", caller.portal)).header("Origin", &caller.portal).form(&form);
    let answer = request.header("Accept", "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.url());
    answer.url().clone()
}

/// People whom a service sends here, each at another question: the words of their addresses.
async fn sign_ons(demo: &Demo, client: &str, things: &mut BTreeMap<&'static str, String>) {
    let http = http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for (name, asked) in [
        ("sign_on", ""),
        ("sign_on_account", "&prompt=select_account"),
        ("sign_on_organization", "&prompt=select_organization"),
        ("sign_on_elsewhere", "&siret_hint=21590002800014"),
        ("sign_on_strong", "&acr_values=eidas1-mfa"),
    ] {
        let own = format!("response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fcantine.example%2Fretour");
        let url = format!("{}/oauth/authorize?{own}&scope=openid+profile+email+organization&state=x{asked}", demo.portal());
        let answer = Answer::read(http.get(url).header("Accept", "text/html").send().await.unwrap()).await;
        let word = answer.header("location").and_then(|to| to.strip_prefix("/oauth/authorize/")).unwrap_or_else(|| panic!("{answer:?}"));
        things.insert(name, word.to_owned());
    }
}

/// The example's answers, with marked words in every field that takes any.
async fn marked(applicant: &Caller, words: &impl Fn(&str) -> String) -> Value {
    let shown = applicant.get("/definitions/api-particulier").await.ok(200);
    let form = shown["forms"].as_array().unwrap().iter().find(|form| form["slug"] == "libre").unwrap();
    let mut answers = json!({});
    for field in form["fields"].as_array().unwrap() {
        let name = field["id"].as_str().unwrap();
        let mut answer = form["example"][name].clone();
        match field["type"].as_str().unwrap() {
            "text" | "long_text" if answer.is_string() => answer = json!(words(answer.as_str().unwrap())),
            "contact" => {
                for member in ["family_name", "given_name", "job"] {
                    answer[member] = json!(words(answer[member].as_str().unwrap()));
                }
            }
            _ => continue,
        }
        answers[name] = answer;
    }
    answers["title"] = json!(words("Tarifs de la piscine"));
    answers
}

/// An application that has called, with a subscription, a secret and a key.
async fn application(demo: &Demo, applicant: &Caller, words: &impl Fn(&str) -> String, things: &mut BTreeMap<&'static str, String>) {
    let created = applicant.post("/applications", json!({ "name": words("Portail des familles"), "stage": "sandbox" })).await.ok(201);
    let id = created["id"].as_str().unwrap().to_owned();
    let bare = applicant.post("/applications", json!({ "name": words("Essais"), "stage": "production" })).await.ok(201);
    things.insert("bare_application", bare["id"].as_str().unwrap().to_owned());
    let asked = json!({ "api": "dinum/api-particulier", "permit": things["permit"], "accept_terms": true });
    let subscription = applicant.post(&format!("/applications/{id}/subscriptions"), asked).await.ok(201);
    things.insert("subscription", subscription["id"].as_str().unwrap().to_owned());
    let credential = applicant.post(&format!("/applications/{id}/credentials"), json!({ "kind": "api_key" })).await.ok(201);
    things.insert("credential", credential["id"].as_str().unwrap().to_owned());
    let key = credential["secret"].as_str().unwrap();
    let url = format!("{}{QF}", demo.gateway("sandbox"));
    call(&url, &[("X-Api-Key", key)]).await.ok(200);
    call(&format!("{}/nowhere", url.split("/dss").next().unwrap()), &[("X-Api-Key", key)]).await;
    things.insert("application", id);
}
