//! The first call: ready-made code with the application's own identifiers.

use askama::Template;
use octroi_app::{Error, try_it::SandboxCall, usage::FirstCall, view::CredentialView};
use octroi_domain::{api::ApiName, credential::CredentialKind};

use super::{
    applications::{gateway_url, read, token_url, way},
    credentials::is_kind,
    kit::{Alert, Cell, Code, Facts, Link, Snippets, Tone},
    page::{PageAnswer, PageCall, Shell},
    permit,
    words::Words,
};

#[derive(Template)]
#[template(path = "application_start.html")]
struct StartPage {
    shell: Shell,
    facts: Facts,
    /// What the call still needs, or why it would be refused.
    needs: Alert,
    /// None: the secret is not there yet.
    export: Option<Code>,
    fill_in: Option<Alert>,
    snippets: Snippets,
    reference: Link,
    usage: Link,
}

/// The environment variable that the secret is in: a program's text is no place for it.
const fn variable(by_token: bool) -> &'static str {
    if by_token { "CLIENT_SECRET" } else { "API_KEY" }
}

/// The line that gives a program its secret.
pub(super) fn export(w: Words, kind: CredentialKind, secret: &str) -> Code {
    let variable = variable(kind == CredentialKind::ClientSecret);
    Code {
        label: w.of("first-call-export").into(),
        code: format!("export {variable}={}", for_shell(secret)),
        copy: w.of("copy").into(),
        copied: w.of("copied").into(),
    }
}

/// What a call needs: a credential, where there is none of the kind that the API takes.
fn needs(w: Words, here: &str, kind: CredentialKind, held: Option<&CredentialView>, first: &FirstCall) -> Alert {
    let text = w.of("first-call-secret-text").and("variable", variable(kind == CredentialKind::ClientSecret));
    match (&first.stop, held) {
        (Some(stop), _) => Alert::new(Tone::Bad, permit::stopped(w, stop), stop.reason.clone().unwrap_or_default())
            .link(format!("/permits/{}", stop.permit), w.of("permit-title").with("id", stop.permit.clone())),
        (None, Some(held)) => {
            let name = w.one_of("credential-kind", kind.as_str()).to_string();
            let title = w.of("first-call-held").with("kind", name).and("hint", &held.hint);
            Alert::new(Tone::Good, title, text).link(format!("{here}#credentials"), w.of("first-call-lost"))
        }
        (None, None) => {
            let title = w.of("first-call-secret").with("kind", w.one_of("credential-kind", kind.as_str()).to_string());
            Alert::new(Tone::Info, title, text).link(format!("{here}/credentials/new"), w.of("credential-new"))
        }
    }
}

/// `GET /applications/{id}/start?api=`
pub async fn show(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let api: ApiName = call.query.text("api").parse().map_err(|_| Error::NotFound)?;
    let first = call.app().first_call(&call.context(), id, &api).await?;
    let w = call.words;
    let here = format!("/applications/{id}");
    let of_kind = |kind| application.credentials.iter().find(|held| is_kind(held, kind));
    // A token is to be preferred; but the key that is there already does as well.
    let by_key = first.by_key && of_kind(CredentialKind::ApiKey).is_some() && of_kind(CredentialKind::ClientSecret).is_none();
    let by_token = first.by_token && !by_key;
    let kind = if by_token { CredentialKind::ClientSecret } else { CredentialKind::ApiKey };
    let held = of_kind(kind);
    let url = format!("{}{}", gateway_url(&call, &application.stage), first.call.target);
    let token = token_url(&call, &application.stage);
    let written = Written { call: &first.call, by_token, url: &url, token_url: &token, client_id: &application.client_id };
    let snippet =
        |label: &str, code: String| Code { label: label.to_owned(), code, copy: w.of("copy").into(), copied: w.of("copied").into() };
    call.render(&StartPage {
        facts: Facts::default()
            .with(w.of("subscription-api"), Cell::coded(Cell::text(w.text(&first.title)), api.to_string()))
            .text(w.of("application-stage"), w.one_of("stage", &application.stage))
            .with(w.of("first-call-call"), Cell::Code(format!("{} {}", first.call.method, first.call.target))),
        needs: needs(w, &here, kind, held, &first),
        export: (held.is_some() && first.stop.is_none()).then(|| export(w, kind, &w.of("first-call-your-secret").to_string())),
        fill_in: first.to_fill_in.then(|| Alert::new(Tone::Warning, w.of("first-call-fill-in"), w.of("first-call-fill-in-text"))),
        snippets: Snippets {
            id: "first-call".to_owned(),
            snippets: vec![
                snippet("curl", written.curl()),
                snippet("Python", written.python()),
                snippet("JavaScript", written.javascript()),
                snippet("Java", written.java()),
            ],
        },
        reference: Link::new(format!("/apis/{api}/reference"), w.of("first-call-reference")),
        usage: Link::new(format!("{here}/usage"), w.of("application-usage")),
        shell: call.shell(w.of("first-call-title").and("name", &application.name)).under(way(w, &application)),
    })
}

/// A first call, to be written in several languages.
struct Written<'a> {
    call: &'a SandboxCall,
    by_token: bool,
    url: &'a str,
    token_url: &'a str,
    client_id: &'a str,
}

/// A text in quotes, as Python, JavaScript and Java read it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// A text in quotes, as a shell reads it.
fn for_shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

impl Written<'_> {
    /// Headers of the call but for its credential.
    fn headers(&self) -> impl Iterator<Item = &(String, String)> {
        self.call.headers.iter()
    }

    fn body(&self) -> Option<&str> {
        self.call.body.as_deref().filter(|body| !body.is_empty())
    }

    fn curl(&self) -> String {
        let mut code = String::new();
        let credential = if self.by_token {
            let (url, client) = (for_shell(self.token_url), self.client_id);
            code.push_str(&format!(
                "TOKEN=$(curl -sS {url} -u \"{client}:$CLIENT_SECRET\" -d grant_type=client_credentials \\\n  | sed -E 's/.*\"access_token\":\"([^\"]+)\".*/\\1/')\n"
            ));
            "Authorization: Bearer $TOKEN"
        } else {
            "X-Api-Key: $API_KEY"
        };
        let method = &self.call.method;
        let method = if method == "GET" { String::new() } else { format!(" -X {method}") };
        code.push_str(&format!("curl -i{method} {} \\\n  -H \"{credential}\"", for_shell(self.url)));
        for (name, value) in self.headers() {
            code.push_str(&format!(" \\\n  -H {}", for_shell(&format!("{name}: {value}"))));
        }
        if let Some(body) = self.body() {
            code.push_str(&format!(" \\\n  --data-raw {}", for_shell(body)));
        }
        code
    }

    fn python(&self) -> String {
        let mut code = "import os\nimport requests\n\n".to_owned();
        let credential = if self.by_token {
            code.push_str(&format!(
                "token = requests.post(\n    {},\n    auth=({}, os.environ[\"CLIENT_SECRET\"]),\n    data={{\"grant_type\": \"client_credentials\"}},\n    timeout=10,\n).json()[\"access_token\"]\n",
                quoted(self.token_url),
                quoted(self.client_id)
            ));
            "\"Authorization\": f\"Bearer {token}\""
        } else {
            "\"X-Api-Key\": os.environ[\"API_KEY\"]"
        };
        let headers: String = self.headers().map(|(name, value)| format!(", {}: {}", quoted(name), quoted(value))).collect();
        let body = self.body().map(|body| format!("    data={}.encode(),\n", quoted(body))).unwrap_or_default();
        code.push_str(&format!(
            "answer = requests.request(\n    {},\n    {},\n    headers={{{credential}{headers}}},\n{body}    timeout=30,\n)\nprint(answer.status_code, answer.text)",
            quoted(&self.call.method),
            quoted(self.url)
        ));
        code
    }

    fn javascript(&self) -> String {
        let mut code = String::new();
        let credential = if self.by_token {
            code.push_str(&format!(
                "const basic = Buffer.from({} + process.env.CLIENT_SECRET).toString(\"base64\");\nconst {{ access_token: token }} = await (await fetch({}, {{\n  method: \"POST\",\n  headers: {{ Authorization: `Basic ${{basic}}` }},\n  body: new URLSearchParams({{ grant_type: \"client_credentials\" }}),\n}})).json();\n",
                quoted(&format!("{}:", self.client_id)),
                quoted(self.token_url),
            ));
            "Authorization: `Bearer ${token}`"
        } else {
            "\"X-Api-Key\": process.env.API_KEY"
        };
        let headers: String = self.headers().map(|(name, value)| format!(", {}: {}", quoted(name), quoted(value))).collect();
        let body = self.body().map(|body| format!("  body: {},\n", quoted(body))).unwrap_or_default();
        code.push_str(&format!(
            "const answer = await fetch({}, {{\n  method: {},\n  headers: {{ {credential}{headers} }},\n{body}}});\nconsole.log(answer.status, await answer.text());",
            quoted(self.url),
            quoted(&self.call.method)
        ));
        code
    }

    fn java(&self) -> String {
        let mut code =
            "import java.net.URI;\nimport java.net.http.*;\nimport java.net.http.HttpResponse.BodyHandlers;\nimport java.util.Base64;\n\nvar client = HttpClient.newHttpClient();\n"
                .to_owned();
        let credential = if self.by_token {
            code.push_str(&format!(
                "var basic = Base64.getEncoder().encodeToString(({} + System.getenv(\"CLIENT_SECRET\")).getBytes());\nvar grant = HttpRequest.newBuilder(URI.create({}))\n    .header(\"Authorization\", \"Basic \" + basic)\n    .header(\"Content-Type\", \"application/x-www-form-urlencoded\")\n    .POST(HttpRequest.BodyPublishers.ofString(\"grant_type=client_credentials\")).build();\nvar token = client.send(grant, BodyHandlers.ofString()).body().replaceAll(\".*\\\"access_token\\\":\\\"([^\\\"]+)\\\".*\", \"$1\");\n",
                quoted(&format!("{}:", self.client_id)),
                quoted(self.token_url)
            ));
            "\"Authorization\", \"Bearer \" + token"
        } else {
            "\"X-Api-Key\", System.getenv(\"API_KEY\")"
        };
        let headers: String = self.headers().map(|(name, value)| format!("\n    .header({}, {})", quoted(name), quoted(value))).collect();
        let body = self.body().map_or_else(|| "noBody()".to_owned(), |body| format!("ofString({})", quoted(body)));
        code.push_str(&format!(
            "var call = HttpRequest.newBuilder(URI.create({}))\n    .header({credential}){headers}\n    .method({}, HttpRequest.BodyPublishers.{body}).build();\nvar answer = client.send(call, BodyHandlers.ofString());\nSystem.out.println(answer.statusCode() + \" \" + answer.body());",
            quoted(self.url),
            quoted(&self.call.method)
        ));
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(body: Option<&str>) -> SandboxCall {
        SandboxCall {
            method: if body.is_some() { "POST" } else { "GET" }.to_owned(),
            target: "/p/a/v1/things?name=l%27eau".to_owned(),
            headers: vec![("Accept".to_owned(), "application/json".to_owned())],
            body: body.map(str::to_owned),
        }
    }

    #[test]
    fn every_snippet_has_the_identifiers_and_never_the_secret() {
        for by_token in [true, false] {
            let call = first(Some("{\"q\":\"l'été \\\"$(x)\\\"\"}"));
            let written =
                Written { call: &call, by_token, url: "https://g/p/a/v1/things", token_url: "https://g/api/oauth/token", client_id: "c-1" };
            for code in [written.curl(), written.python(), written.javascript(), written.java()] {
                assert!(code.contains("https://g/p/a/v1/things") && code.contains(variable(by_token)), "{code}");
                assert_eq!(by_token, code.contains("c-1") && code.contains("https://g/api/oauth/token"), "{code}");
                assert!(code.contains("Accept"), "{code}");
            }
        }
    }

    #[test]
    fn a_quote_ends_no_string() {
        let call = first(Some("it's"));
        let written = Written { call: &call, by_token: false, url: "https://g/'", token_url: "", client_id: "" };
        assert!(written.curl().contains("--data-raw 'it'\\''s'") && written.curl().contains("'https://g/'\\'''"), "{}", written.curl());
        assert!(!written.python().contains("token"));
    }
}
