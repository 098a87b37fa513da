//! Mails by SMTP (RFC 5321): one connection for each, so that nothing is left half said for the next.

#[cfg(test)]
mod tests;

use std::{
    future::Future,
    net::IpAddr,
    path::Path,
    pin::Pin,
    time::{Duration, Instant, SystemTime},
};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail as MailFrom, Rcpt},
        extension::{ClientId, Extension, MailParameter},
    },
};
use octroi_app::{
    App,
    mails::{Delivery, MailPort, MailRefusal, Mailing, Outgoing},
};
use octroi_domain::mail::Sender;
use tokio::sync::watch;

use crate::{
    cli::{CommandError, other},
    clock::now,
    config::{Mail, MailMode, MailTls},
};

/// Between two looks at an empty outbox; after the server failed us; after the database did.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(15), Duration::from_secs(5)];
/// How long the server has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why a mail has no form on the wire.
type Unwritable = Box<dyn std::error::Error + Send + Sync>;

/// Speaks to one mail server.
pub struct Mailer {
    host: String,
    port: u16,
    /// `host:port`.
    server: String,
    tls: MailTls,
    trust: Option<TlsParameters>,
    credentials: Option<Credentials>,
    sender: String,
    from: Mailbox,
    hello: ClientId,
    timeout: Duration,
}

impl Mailer {
    /// The mailer that the settings mean; none when mails are off.
    ///
    /// # Errors
    /// When a file cannot be read, or a sign-in has no password.
    pub fn new(settings: &Mail, public_url: &str) -> Result<Option<Self>, CommandError> {
        let (MailMode::Smtp, Some(from)) = (settings.mode, &settings.from) else { return Ok(None) };
        let password = std::env::var("OCTROI_SMTP_PASSWORD").ok();
        let credentials = match &settings.username {
            None => None,
            Some(name) => Some(Credentials::new(name.clone(), secret(password, settings.password_file.as_deref())?)),
        };
        let port = settings.port.unwrap_or(match settings.tls {
            MailTls::Starttls => 587,
            MailTls::Tls => 465,
            MailTls::None => 25,
        });
        let bad = |error: SmtpError| other(format!("setting `mail.ca`: {error}"));
        let trust = match settings.tls {
            MailTls::None => None,
            MailTls::Starttls | MailTls::Tls => {
                let mut trust = TlsParameters::builder(settings.host.clone());
                if let Some(path) = &settings.ca {
                    let pem = std::fs::read(path).map_err(|error| other(format!("setting `mail.ca`: {}: {error}", path.display())))?;
                    trust = trust.add_root_certificate(Certificate::from_pem(&pem).map_err(bad)?);
                }
                Some(trust.build().map_err(bad)?)
            }
        };
        Ok(Some(Self {
            server: format!("{}:{port}", settings.host),
            host: settings.host.clone(),
            port,
            tls: settings.tls,
            trust,
            credentials,
            sender: from.to_string(),
            from: mailbox(from).map_err(|error| other(format!("setting `mail.from`: {error}")))?,
            hello: hello(public_url),
            timeout: Duration::from_secs(u64::from(settings.timeout)),
        }))
    }

    async fn hand_over(&self, outgoing: &Outgoing<'_>) -> Result<(), MailRefusal> {
        let (to, message) = self.message(outgoing).map_err(|error| MailRefusal::Never(format!("the mail cannot be written: {error}")))?;
        let attempt = async {
            let mut connection = self.connect().await.map_err(unavailable)?;
            let handed = self.transaction(&mut connection, to, &message).await;
            Ok((connection, handed))
        };
        let (mut connection, handed) = match tokio::time::timeout(self.timeout, attempt).await {
            Ok(tried) => tried?,
            Err(_) => return Err(MailRefusal::Unavailable(format!("no end after {} seconds", self.timeout.as_secs()))),
        };
        // What was accepted is accepted, however the server says goodbye.
        let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
        handed
    }

    /// Connects, encrypts and signs in; each refusal here is of us, not of a mail.
    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let at_once = if self.tls == MailTls::Tls { self.trust.clone() } else { None };
        let address = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(address, Some(self.timeout), &self.hello, at_once, None).await?;
        if self.tls == MailTls::Starttls
            && let Some(trust) = &self.trust
        {
            connection.starttls(trust.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    async fn transaction(&self, connection: &mut AsyncSmtpConnection, to: Address, message: &[u8]) -> Result<(), MailRefusal> {
        let mut parameters = Vec::new();
        if !AsRef::<str>::as_ref(&to).is_ascii() {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(MailRefusal::Never("the server does not take an address with letters beyond ASCII".to_owned()));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        // The platform answers for what it sends, whichever provider speaks: refusals come back to it.
        connection.command(MailFrom::new(Some(self.from.email.clone()), parameters)).await.map_err(unavailable)?;
        connection.command(Rcpt::new(to, Vec::new())).await.map_err(refusal)?;
        connection.command(Data).await.map_err(refusal)?;
        connection.message(message).await.map_err(refusal)?;
        Ok(())
    }

    fn message(&self, outgoing: &Outgoing<'_>) -> Result<(Address, Vec<u8>), Unwritable> {
        let mail = outgoing.mail;
        let to: Address = mail.to.parse()?;
        let written = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(outgoing.at.micros()).unwrap_or(0));
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let mut builder = Message::builder()
            .to(Mailbox::new(None, to.clone()))
            .subject(&mail.subject)
            .date(written)
            .message_id(Some(outgoing.message_id.clone()))
            .raw_header(automatic);
        builder = match &mail.from {
            Some(from) => builder.from(mailbox(from)?).sender(self.from.clone()),
            None => builder.from(self.from.clone()),
        };
        if let Some(reply_to) = &mail.reply_to {
            builder = builder.reply_to(mailbox(reply_to)?);
        }
        let text = SinglePart::plain(mail.text.clone());
        let message = if mail.html.is_empty() {
            builder.singlepart(text)?
        } else {
            builder.multipart(MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(mail.html.clone())))?
        };
        Ok((to, message.formatted()))
    }
}

impl MailPort for Mailer {
    fn send<'a>(&'a self, outgoing: &'a Outgoing<'a>) -> Pin<Box<dyn Future<Output = Result<(), MailRefusal>> + Send + 'a>> {
        Box::pin(self.hand_over(outgoing))
    }

    fn server(&self) -> &str {
        &self.server
    }

    fn sender(&self) -> &str {
        &self.sender
    }
}

fn unavailable(error: SmtpError) -> MailRefusal {
    MailRefusal::Unavailable(error.to_string())
}

/// What a server's answer about one mail means. 421 is of the server itself (RFC 5321 section 3.8).
fn refusal(error: SmtpError) -> MailRefusal {
    let closing = error.status().is_some_and(|code| code.to_string() == "421");
    if error.is_permanent() {
        MailRefusal::Never(error.to_string())
    } else if error.is_transient() && !closing {
        MailRefusal::Later(error.to_string())
    } else {
        unavailable(error)
    }
}

fn mailbox(sender: &Sender) -> Result<Mailbox, Unwritable> {
    Ok(Mailbox::new(sender.name().map(str::to_owned), sender.address().parse()?))
}

/// How we present ourselves: by the name of the portal.
fn hello(public_url: &str) -> ClientId {
    let (_, host) = public_url.split_once("://").unwrap_or_default();
    let host = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(host, _)| host);
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(host.to_owned()),
    }
}

fn secret(from_environment: Option<String>, file: Option<&Path>) -> Result<String, CommandError> {
    match (from_environment, file) {
        (Some(password), _) => Ok(password),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| other(format!("setting `mail.password_file`: {}: {error}", path.display()))),
        (None, None) => Err(other("setting `mail.username`: its password is missing: set OCTROI_SMTP_PASSWORD, or `mail.password_file`")),
    }
}

/// Delivers what waits in the outbox, until told to stop. What is being sent is finished.
pub async fn deliver(app: App, mut stopped: watch::Receiver<bool>) {
    if matches!(app.settings().mail, Mailing::Off) {
        tracing::warn!("mail.mode is off: mails wait in the outbox, and nobody is told of anything");
        return;
    }
    let [empty, refused, broken] = PAUSES;
    while !*stopped.borrow() {
        let begun = Instant::now();
        let (pause, error) = match app.deliver_mail(now()).await {
            Ok(Delivery::Next) => continue,
            Ok(Delivery::Nothing) => (empty, None),
            Ok(Delivery::Wait) => (refused, None),
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read or written; it is tried again");
                (broken, Some(error.to_string()))
            }
        };
        app.job_ran("mails", now(), begun.elapsed(), error);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }
}
