//! A browser of one person: it keeps cookies, reads forms, and gets its mail.

use axum::http::Method;
use serde_json::Value;

use super::{Answer, House};

#[derive(Clone)]
pub struct Browser<'a> {
    pub house: &'a House,
    pub cookies: Vec<(String, String)>,
    pub last: Option<std::rc::Rc<Answer>>,
}

impl<'a> Browser<'a> {
    pub fn at(house: &'a House) -> Self {
        Self { house, cookies: Vec::new(), last: None }
    }

    fn jar(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn keep(&mut self, answer: Answer) -> std::rc::Rc<Answer> {
        for set in answer.headers.get_all("set-cookie") {
            let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(found, _)| found != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let answer = std::rc::Rc::new(answer);
        self.last = Some(std::rc::Rc::clone(&answer));
        answer
    }

    pub async fn get(&mut self, path: &str) -> std::rc::Rc<Answer> {
        let jar = self.jar();
        let answer = self.house.send(Method::GET, path, &[("accept", "text/html"), ("accept-language", "en"), ("cookie", &jar)], "").await;
        self.keep(answer)
    }

    /// Sends a form, with the hidden fields of the page that was read last.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> std::rc::Rc<Answer> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let guards = self.last.as_ref().map(|page| hidden(&page.text)).unwrap_or_default();
        for (name, value) in guards.iter().filter(|(name, _)| !fields.iter().any(|(typed, _)| typed == name)) {
            form.append_pair(name, value);
        }
        for (name, value) in fields {
            form.append_pair(name, value);
        }
        let jar = self.jar();
        let headers =
            [("accept", "text/html"), ("accept-language", "en"), ("content-type", "application/x-www-form-urlencoded"), ("cookie", &jar)];
        let answer = self.house.send(Method::POST, path, &headers, form.finish()).await;
        self.keep(answer)
    }

    /// The same, and on to where it leads.
    pub async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> std::rc::Rc<Answer> {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", main(&answer.text));
        let to = answer.headers["location"].to_str().unwrap().to_owned();
        self.get(&to).await
    }

    #[track_caller]
    pub fn leads_to(&self) -> String {
        let last = self.last.as_ref().unwrap();
        assert_eq!(last.status, 303, "{}", main(&last.text));
        last.headers["location"].to_str().unwrap().to_owned()
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) {
        self.last = None;
        self.post("/sign-in", &[("email", email), ("password", password)]).await;
        assert_eq!(self.leads_to(), "/dashboard");
    }

    pub async fn is_in(&mut self) -> bool {
        self.get("/account/name").await.status == 200
    }
}

/// The hidden fields of the first form of a page's content that is the page's own.
fn hidden(html: &str) -> Vec<(String, String)> {
    let inside = main(html);
    let form = inside.split("<form ").nth(1).unwrap_or_default().split("</form>").next().unwrap_or_default();
    form.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .filter_map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"")?;
            let value = rest.split('"').next()?;
            Some((name.to_owned(), value.replace("&#38;", "&").replace("&amp;", "&")))
        })
        .collect()
}

pub fn main(html: &str) -> String {
    html.split("<main").nth(1).unwrap_or(html).split("</main>").next().unwrap_or_default().to_owned()
}

/// The texts of the mails to an address, the latest first.
pub async fn mails(house: &House, to: &str) -> Vec<String> {
    let answer = house.get(&format!("/api/v1/dev/mailbox?to={}", to.replace('+', "%2B"))).await;
    let list: Value = answer.json();
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| format!("{}\n{}", mail["subject"].as_str().unwrap(), mail["text"].as_str().unwrap()))
        .collect()
}

/// The code of a mail.
#[track_caller]
pub fn code_of(mail: &str) -> String {
    let digits = |part: &str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit());
    let words: Vec<&str> = mail.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let pair = words.windows(2).find(|pair| digits(pair[0]) && digits(pair[1]));
    pair.map(|pair| pair.concat()).unwrap_or_else(|| panic!("no code in {mail}"))
}

/// The path of the link of a mail that begins so.
#[track_caller]
pub fn link_of(mail: &str, start: &str) -> String {
    let place = mail.find(start).unwrap_or_else(|| panic!("no {start} in {mail}"));
    mail[place..].split_whitespace().next().unwrap().to_owned()
}
