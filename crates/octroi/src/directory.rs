//! The public directory of organisations: "Recherche d'entreprises", or Sirene by API Entreprise. One connection for each question,
//! bounded in time and size; a redirect is not followed.

use std::{future::Future, net::IpAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, body::Bytes, header};
use hyper_util::rt::TokioIo;
use octroi_app::organizations::{DirectoryFault, DirectoryPort};
use octroi_domain::{
    directory::{Facts, Source, Workforce},
    organization::Siret,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};

use crate::{
    cli::{CommandError, other},
    config::ConfigError,
};

/// Bytes of an answer that are read.
const LARGEST: usize = 512 * 1024;
/// Longest text that is kept of one member, characters.
const TEXT: usize = 300;

/// Which directory is asked about organisations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Directory {
    pub mode: Mode,
    /// Where it is; none: the public address of the mode.
    pub url: Option<String>,
    /// A file that holds the token of API Entreprise. The environment variable `OCTROI_DIRECTORY_TOKEN` wins.
    pub token_file: Option<PathBuf>,
    /// The SIRET that API Entreprise is asked for: the platform's own.
    pub recipient: Option<Siret>,
    /// Seconds that one question may take.
    pub timeout: u32,
}
impl Default for Directory {
    fn default() -> Self {
        Self { mode: Mode::Off, url: None, token_file: None, recipient: None, timeout: 5 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nobody is asked: numbers are kept unverified.
    Off,
    RechercheEntreprises,
    ApiEntreprise,
}
impl Mode {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::RechercheEntreprises => "recherche_entreprises",
            Self::ApiEntreprise => "api_entreprise",
        }
    }
}

impl Directory {
    fn address(&self) -> &str {
        let public = match self.mode {
            Mode::ApiEntreprise => "https://entreprise.api.gouv.fr",
            _ => "https://recherche-entreprises.api.gouv.fr",
        };
        self.url.as_deref().unwrap_or(public)
    }

    /// # Errors
    /// The first setting whose value cannot be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let bad = |name, why: &str| Err(ConfigError::Bad { name, why: why.to_owned() });
        if Place::read(self.address()).is_none() {
            return bad("directory.url", "write https://host, or http:// to this machine only");
        }
        if self.mode == Mode::ApiEntreprise && self.recipient.is_none() {
            return bad("directory.recipient", "API Entreprise must be told the SIRET of who asks");
        }
        if !(1..=30).contains(&self.timeout) {
            return bad("directory.timeout", "from 1 to 30 seconds");
        }
        Ok(())
    }
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    tls: bool,
    host: String,
    port: u16,
    /// What stands before the path of a question, without a `/` at its end.
    path: String,
}
impl Place {
    fn read(url: &str) -> Option<Self> {
        let (tls, rest) = match url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("http://")?),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, if tls { 443 } else { 80 }),
        };
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/".contains(&b));
        let here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        let good = !host.is_empty() && plain(host) && plain(path) && !host.contains('/') && (tls || here);
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        good.then(|| Self { tls, host: host.to_owned(), port, path })
    }
}

/// Asks one directory.
pub struct Asker {
    source: Source,
    place: Place,
    token: Option<String>,
    recipient: Option<Siret>,
    timeout: Duration,
    tls: TlsConnector,
}

impl Asker {
    /// The directory that the settings mean; none when nobody is asked.
    ///
    /// # Errors
    /// When the token cannot be read, or is missing where it is needed.
    pub fn new(settings: &Directory) -> Result<Option<Self>, CommandError> {
        let source = match settings.mode {
            Mode::Off => return Ok(None),
            Mode::RechercheEntreprises => Source::RechercheEntreprises,
            Mode::ApiEntreprise => Source::ApiEntreprise,
        };
        let place = Place::read(settings.address()).ok_or_else(|| other("setting `directory.url` is no address"))?;
        let token = match (std::env::var("OCTROI_DIRECTORY_TOKEN"), &settings.token_file) {
            (Ok(token), _) => Some(token),
            (Err(_), Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|error| other(format!("{}: {error}", file.display())))?;
                Some(text.trim().to_owned())
            }
            (Err(_), None) => None,
        };
        if source == Source::ApiEntreprise && token.is_none() {
            return Err(other("API Entreprise needs a token: set `directory.token_file` or OCTROI_DIRECTORY_TOKEN"));
        }
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| other(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Some(Self {
            source,
            place,
            token,
            recipient: settings.recipient.clone(),
            timeout: Duration::from_secs(u64::from(settings.timeout)),
            tls: TlsConnector::from(Arc::new(tls)),
        }))
    }

    fn target(&self, siret: &Siret) -> String {
        let path = &self.place.path;
        match self.source {
            Source::RechercheEntreprises => format!("{path}/search?q={siret}&page=1&per_page=1"),
            Source::ApiEntreprise => {
                let recipient = self.recipient.as_ref().map(Siret::as_str).unwrap_or_default();
                format!("{path}/v3/insee/sirene/etablissements/{siret}?context=Habilitations&object=Rattachement&recipient={recipient}")
            }
        }
    }

    async fn asked(&self, siret: &Siret) -> Result<Option<Facts>, DirectoryFault> {
        let stream = TcpStream::connect((self.place.host.as_str(), self.place.port)).await.map_err(fault)?;
        let (status, body) = if self.place.tls {
            let name = ServerName::try_from(self.place.host.clone()).map_err(fault)?;
            self.exchange(self.tls.connect(name, stream).await.map_err(fault)?, siret).await?
        } else {
            self.exchange(stream, siret).await?
        };
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK => {
                let answer: Value = serde_json::from_slice(&body).map_err(fault)?;
                match self.source {
                    Source::RechercheEntreprises => recherche(&answer, siret),
                    Source::ApiEntreprise => sirene(&answer, siret),
                }
            }
            status => Err(DirectoryFault(format!("the answer was {status}"))),
        }
    }

    async fn exchange<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        stream: S,
        siret: &Siret,
    ) -> Result<(StatusCode, Bytes), DirectoryFault> {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(fault)?;
        // The connection lives as long as the question: dropping the sender ends it.
        tokio::spawn(connection);
        let mut request = Request::get(self.target(siret))
            .header(
                header::HOST,
                if matches!(self.place.port, 80 | 443) {
                    self.place.host.clone()
                } else {
                    format!("{}:{}", self.place.host, self.place.port)
                },
            )
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("octroi/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(fault)?;
        let (head, body) = sender.send_request(request).await.map_err(fault)?.into_parts();
        let body = Limited::new(body, LARGEST).collect().await.map_err(fault)?;
        Ok((head.status, body.to_bytes()))
    }
}

impl DirectoryPort for Asker {
    fn find<'a>(&'a self, siret: &'a Siret) -> Pin<Box<dyn Future<Output = Result<Option<Facts>, DirectoryFault>> + Send + 'a>> {
        Box::pin(async move {
            let late = || Err(DirectoryFault("the answer took too long".to_owned()));
            tokio::time::timeout(self.timeout, self.asked(siret)).await.unwrap_or_else(|_| late())
        })
    }

    fn source(&self) -> Source {
        self.source
    }
}

fn fault(error: impl std::fmt::Display) -> DirectoryFault {
    DirectoryFault(error.to_string())
}

/// A text of an answer, as one line; none when it is empty, `[ND]` (kept from the public) or no text.
fn text(value: &Value, path: &str) -> Option<String> {
    let found = value.pointer(path)?.as_str()?;
    let line: String = found.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT).collect();
    let line = line.trim().to_owned();
    (!line.is_empty() && line != "[ND]" && line != "[NON-DIFFUSIBLE]").then_some(line)
}

/// `GET /search`: one company, its seat, and those of its establishments that the words match.
fn recherche(answer: &Value, siret: &Siret) -> Result<Option<Facts>, DirectoryFault> {
    let results = answer.get("results").and_then(Value::as_array).ok_or_else(|| DirectoryFault("no `results`".to_owned()))?;
    let here = |place: &&Value| place.get("siret").and_then(Value::as_str) == Some(siret.as_str());
    let mut all = results.iter().flat_map(|company| {
        let others = company.get("matching_etablissements").and_then(Value::as_array).into_iter().flatten();
        company.get("siege").into_iter().chain(others).map(move |place| (company, place))
    });
    let Some((company, place)) = all.find(|(_, place)| here(place)) else { return Ok(None) };
    let legal_category = text(company, "/nature_juridique");
    let by_category = legal_category.as_deref().is_some_and(Facts::public_category);
    let workforce = text(place, "/tranche_effectif_salarie").or_else(|| text(company, "/tranche_effectif_salarie"));
    Ok(Some(Facts {
        label: text(company, "/nom_complet").or_else(|| text(company, "/nom_raison_sociale")).unwrap_or_else(|| siret.to_string()),
        activity: text(place, "/activite_principale").or_else(|| text(company, "/activite_principale")),
        address: text(place, "/adresse"),
        commune: text(place, "/commune"),
        active: place.get("etat_administratif").and_then(Value::as_str) != Some("F"),
        workforce: workforce.as_deref().and_then(Workforce::of_code),
        is_public: company.pointer("/complements/est_service_public").and_then(Value::as_bool).unwrap_or(by_category),
        legal_category,
        official_contact: None,
    }))
}

/// `GET /v3/insee/sirene/etablissements/{siret}`.
fn sirene(answer: &Value, siret: &Siret) -> Result<Option<Facts>, DirectoryFault> {
    let data = answer.get("data").filter(|data| data.is_object()).ok_or_else(|| DirectoryFault("no `data`".to_owned()))?;
    if data.get("siret").and_then(Value::as_str) != Some(siret.as_str()) {
        return Err(DirectoryFault("the answer is about another establishment".to_owned()));
    }
    let whole = |path: &str| text(data, path);
    let person =
        [whole("/unite_legale/personne_physique_attributs/prenom_usuel"), whole("/unite_legale/personne_physique_attributs/nom_naissance")];
    let person = person.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let label = whole("/unite_legale/personne_morale_attributs/raison_sociale").or_else(|| (!person.is_empty()).then_some(person));
    let lines: Vec<String> = (4..=7).filter_map(|n| whole(&format!("/adresse/acheminement_postal/l{n}"))).collect();
    let legal_category = whole("/unite_legale/forme_juridique/code");
    let workforce = whole("/tranche_effectif_salarie/code").or_else(|| whole("/unite_legale/tranche_effectif_salarie/code"));
    Ok(Some(Facts {
        label: label.unwrap_or_else(|| siret.to_string()),
        activity: whole("/activite_principale/code"),
        address: (!lines.is_empty()).then(|| lines.join(", ")),
        commune: whole("/adresse/code_commune"),
        active: data.get("etat_administratif").and_then(Value::as_str) != Some("F"),
        workforce: workforce.as_deref().and_then(Workforce::of_code),
        is_public: legal_category.as_deref().is_some_and(Facts::public_category),
        legal_category,
        official_contact: None,
    }))
}

#[cfg(test)]
mod tests;
