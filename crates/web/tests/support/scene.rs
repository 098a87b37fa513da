//! People and organisations of a portal, a directory that can be told what to know, and what they send and receive.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use octroi_app::{
    Context,
    organizations::{DirectoryFault, DirectoryPort},
    people::NewUser,
    sessions::Visitor,
};
use octroi_domain::{
    Id,
    directory::{Facts, Source, Workforce},
    organization::{Organization, Siret},
    policy::Principal,
    text::Language,
    user::{LinkLevel, User},
};

use super::{Answer, EMAIL, House, NOW, PASSWORD, PUBLIC};

pub const COMMUNE: &str = "21750001600019";
pub const COMPANY: &str = "35600000000048";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A directory of ours: what it knows can change, and it may fall silent.
#[derive(Default)]
pub struct Stub {
    pub known: Mutex<HashMap<String, Facts>>,
    pub silent: Mutex<bool>,
}
impl DirectoryPort for Stub {
    fn find<'a>(&'a self, siret: &'a Siret) -> Pin<Box<dyn Future<Output = Result<Option<Facts>, DirectoryFault>> + Send + 'a>> {
        let silent = *self.silent.lock().unwrap();
        let found = self.known.lock().unwrap().get(siret.as_str()).cloned();
        Box::pin(async move { if silent { Err(DirectoryFault("silent".into())) } else { Ok(found) } })
    }
    fn source(&self) -> Source {
        Source::RechercheEntreprises
    }
}
impl Stub {
    pub fn knows(&self, siret: &str, label: &str, category: &str, workforce: &str) {
        let facts = Facts {
            label: label.into(),
            legal_category: Some(category.into()),
            activity: Some("84.11Z".into()),
            address: Some("1 rue de la Paix".into()),
            commune: None,
            active: true,
            workforce: Workforce::of_code(workforce),
            is_public: Facts::public_category(category),
            official_contact: None,
        };
        self.known.lock().unwrap().insert(siret.into(), facts);
    }
    pub fn closes(&self, siret: &str) {
        self.known.lock().unwrap().get_mut(siret).unwrap().active = false;
    }
}

#[derive(Clone)]
pub struct Somebody {
    pub id: Id<User>,
    pub cookie: String,
    pub csrf: String,
    pub principal: Principal,
}

pub struct Scene {
    pub house: House,
    pub operator: Somebody,
}

pub async fn signed(house: &House, email: &str) -> Somebody {
    let found = house
        .app
        .sign_in(email, PASSWORD, None, Visitor { address: "192.0.2.7", agent: "", browser: None }, NOW)
        .await
        .unwrap()
        .signed_in()
        .unwrap();
    let principal = house.app.session(&found.session, NOW).await.unwrap().unwrap().principal;
    let id = principal.person().unwrap().user;
    Somebody { id, cookie: format!("octroi_session={}", found.session), csrf: found.csrf_token, principal }
}

impl Scene {
    pub async fn open(directory: Option<Arc<Stub>>) -> Self {
        let house = House::open(PUBLIC, true).await;
        if let Some(directory) = directory {
            house.app.attach_directory(directory);
        }
        let operator = signed(&house, EMAIL).await;
        Self { house, operator }
    }

    pub async fn person(&self, email: &str) -> Somebody {
        let new = NewUser {
            email: email.into(),
            given_name: "Nora".into(),
            family_name: email.split('@').next().unwrap().into(),
            language: Language::En,
            password: PASSWORD.into(),
            organization: None,
            roles: Vec::new(),
        };
        self.house.app.create_user(&self.as_operator(), new).await.unwrap();
        signed(&self.house, email).await
    }

    pub fn as_operator(&self) -> Context {
        Context::new(self.operator.principal.clone(), NOW)
    }

    /// An organisation that is there, with a member whose link the operator wrote down.
    pub async fn with_member(&self, siret: &str, name: &str, member: &Somebody) -> Id<Organization> {
        let siret: Siret = siret.parse().unwrap();
        self.house.app.create_organization(&self.as_operator(), siret.clone().into(), name).await.unwrap();
        let id = self.house.app.organization_of_siret(&siret.into()).await.unwrap().unwrap();
        self.house.app.set_membership(&self.as_operator(), member.id, id, Some(LinkLevel::Verified)).await.unwrap();
        id
    }

    pub async fn get(&self, who: &Somebody, path: &str) -> Answer {
        let headers = [("accept", "text/html"), ("accept-language", "en"), ("cookie", who.cookie.as_str())];
        self.house.send(Method::GET, path, &headers, "").await
    }

    pub async fn post(&self, who: &Somebody, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("_csrf", &who.csrf).extend_pairs(fields).finish();
        let headers = [("accept", "text/html"), FORM, ("accept-language", "en"), ("cookie", who.cookie.as_str()), ("origin", PUBLIC)];
        self.house.send(Method::POST, path, &headers, body).await
    }

    /// Sends a form that is good; where it leads to.
    pub async fn done(&self, who: &Somebody, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(who, path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        answer.headers["location"].to_str().unwrap().to_owned()
    }

    pub async fn join(&self, who: &Somebody, siret: &str) -> String {
        self.done(who, "/organizations/join", &[("number", siret)]).await
    }

    /// The text of the last mail to an address.
    pub async fn mail(&self, to: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
        let list = self.get(&self.operator, &format!("/dev/mailbox?{query}")).await.text;
        let id = list.split("href=\"/dev/mailbox/").nth(1).unwrap_or_else(|| panic_no_mail(to)).split('"').next().unwrap().to_owned();
        self.get(&self.operator, &format!("/dev/mailbox/{id}")).await.text
    }

    pub async fn mails(&self, to: &str) -> usize {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
        self.get(&self.operator, &format!("/dev/mailbox?{query}")).await.text.matches("href=\"/dev/mailbox/").count()
    }

    pub async fn level(&self, who: &Somebody, organization: Id<Organization>) -> Option<(LinkLevel, String)> {
        let found = self.house.app.store().read().membership(who.id, organization).await.unwrap();
        found.map(|held| (held.level, held.proof.as_str().to_owned()))
    }
}

#[track_caller]
fn panic_no_mail(to: &str) -> &'static str {
    assert_eq!(to, "somebody who received a mail");
    ""
}
