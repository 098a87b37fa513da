//! From the outbox to a mail server of our own, which is as kind or as unkind as each test wants.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use octroi_app::Settings;
use octroi_domain::{Moment, mail::Mail as Message};
use octroi_oauth::seal::MasterKey;
use octroi_store::{OutboxRow, OutboxState, Page, Store};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::*;
use crate::feed::NoGateway;

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// How the server behaves.
#[derive(Clone)]
struct Manner {
    tls: MailTls,
    auth: &'static str,
    mail: &'static str,
    /// Answers to recipients that begin with a word.
    recipients: &'static [(&'static str, &'static str)],
    /// The answer to a message; none: the connection is cut instead.
    message: Option<&'static str>,
    silent: bool,
}
const KIND: Manner =
    Manner { tls: MailTls::None, auth: "235 ok", mail: "250 ok", recipients: &[], message: Some("250 queued"), silent: false };

/// What one connection said.
#[derive(Debug, Clone, Default)]
struct Heard {
    /// Each command, with `tls ` before it when nobody else could read it.
    commands: Vec<String>,
    message: String,
}

struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
    manner: Arc<Mutex<Manner>>,
}

fn testdata(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/mail/testdata")).join(name)
}

fn acceptor() -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_file(testdata("localhost.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(testdata("localhost.key")).unwrap();
    TlsAcceptor::from(Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap()))
}

impl Server {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { port: listener.local_addr().unwrap().port(), heard: Arc::default(), manner: Arc::new(Mutex::new(manner)) };
        let (heard, manner) = (server.heard.clone(), server.manner.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = manner.lock().unwrap().clone();
                let place = {
                    let mut heard = heard.lock().unwrap();
                    heard.push(Heard::default());
                    heard.len() - 1
                };
                let heard = heard.clone();
                tokio::spawn(async move { converse(Box::new(stream), manner, &heard, place).await });
            }
        });
        server
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

/// One connection; none when it ends early.
async fn converse(stream: Box<dyn Wire>, manner: Manner, heard: &Mutex<Vec<Heard>>, place: usize) -> Option<()> {
    if manner.silent {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let mut encrypted = manner.tls == MailTls::Tls;
    let mut stream: BufReader<Box<dyn Wire>> =
        BufReader::new(if encrypted { Box::new(acceptor().accept(stream).await.ok()?) } else { stream });
    stream.write_all(b"220 stub ESMTP\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let said = format!("{}{}", if encrypted { "tls " } else { "" }, line.trim_end());
        heard.lock().unwrap()[place].commands.push(said);
        let word = line.split_whitespace().next().unwrap_or_default().to_uppercase();
        let answer = match word.as_str() {
            "EHLO" if manner.tls == MailTls::Starttls && !encrypted => "250-stub\r\n250 STARTTLS",
            "EHLO" => "250-stub\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
            "STARTTLS" => {
                stream.write_all(b"220 go\r\n").await.ok()?;
                stream = BufReader::new(Box::new(acceptor().accept(stream.into_inner()).await.ok()?));
                encrypted = true;
                continue;
            }
            "AUTH" => manner.auth,
            "MAIL" => manner.mail,
            "RCPT" => {
                manner.recipients.iter().find(|(start, _)| line.contains(&format!("<{start}"))).map_or("250 ok", |(_, answer)| answer)
            }
            "DATA" => {
                stream.write_all(b"354 go\r\n").await.ok()?;
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut message).await.ok()?;
                }
                heard.lock().unwrap()[place].message = message;
                manner.message?
            }
            _ => "221 bye",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
}

/// A platform with an outbox, and its settings.
struct House {
    app: App,
    _folder: tempfile::TempDir,
}

fn settings(server: &Server) -> Mail {
    let tls = server.manner.lock().unwrap().tls;
    Mail {
        mode: MailMode::Smtp,
        host: "localhost".into(),
        port: Some(server.port),
        tls,
        ca: Some(testdata("ca.pem")),
        from: Some("Octroi <no-reply@octroi.example>".parse().unwrap()),
        timeout: 5,
        ..Mail::default()
    }
}

fn with_password(mut settings: Mail, folder: &tempfile::TempDir) -> Mail {
    let path = folder.path().join("password");
    std::fs::write(&path, "s3cret\n").unwrap();
    settings.username = Some("portal".into());
    settings.password_file = Some(path);
    settings
}

impl House {
    async fn build(mail: Mail) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}", folder.path().join("octroi.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        let mailer = Mailer::new(&mail, "https://portail.example:8443").unwrap();
        let mail = mailer.map_or(Mailing::Off, |mailer| Mailing::Smtp(Arc::new(mailer)));
        let settings = Settings {
            public_url: "https://portail.example:8443".into(),
            demo: false,
            trace_retention_days: 10,
            time_zone: octroi_domain::calendar::Zone::UTC,
            mail,
            second_factor: octroi_domain::account::SecondFactor::Optional,
        };
        let app = App::new(store, settings, Arc::new(NoGateway), MasterKey::from_bytes([7; 32])).unwrap();
        Self { app, _folder: folder }
    }

    async fn write(&self, mails: &[Message]) {
        let mut tx = self.app.store().write().await.unwrap();
        for mail in mails {
            tx.enqueue_mail(at(0), mail).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn outbox(&self) -> Vec<OutboxRow> {
        self.app.store().read().outbox_list(None, Page::first(9)).await.unwrap().items
    }
}

fn at(seconds: i64) -> Moment {
    Moment::from_micros(1_767_225_600_000_000).plus_seconds(seconds)
}

fn mail(to: &str) -> Message {
    let provider = |text: &str| Some(text.parse().unwrap());
    Message {
        to: to.into(),
        from: provider("Ville, l’été <aides@ville.example>"),
        reply_to: provider("contact@ville.example"),
        subject: "Votre demande D128 est acceptée".into(),
        preheader: "Abonnez".into(),
        text: "Bonjour,\n.\nVoilà : https://portail.example/permits/H57\n".into(),
        html: "<!DOCTYPE html><p>Voilà : <a href=\"https://portail.example/permits/H57\">é</a></p>".into(),
    }
}

/// What stands on a header's line, folded lines joined.
#[track_caller]
fn header(message: &str, name: &str) -> String {
    let head = message.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    let found: Vec<_> = head.lines().filter_map(|line| line.strip_prefix(&format!("{name}: "))).collect();
    assert_eq!(found.len(), 1, "{name}: {head}");
    found[0].to_owned()
}

#[tokio::test]
async fn a_mail_leaves_encrypted_signed_in_and_in_two_versions() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Manner { tls: MailTls::Starttls, ..KIND }).await;
    let house = House::build(with_password(settings(&server), &folder)).await;
    house.write(&[mail("amina@rivebelle.example")]).await;
    assert_eq!(house.app.deliver_mail(at(1)).await.unwrap(), Delivery::Next);
    assert_eq!(house.app.deliver_mail(at(2)).await.unwrap(), Delivery::Nothing);
    let [Heard { commands, message }] = &server.heard()[..] else { panic!() };
    let token = "AHBvcnRhbABzM2NyZXQ=";
    let expected = [
        "EHLO portail.example".to_owned(),
        "STARTTLS".to_owned(),
        "tls EHLO portail.example".to_owned(),
        format!("tls AUTH PLAIN {token}"),
        "tls MAIL FROM:<no-reply@octroi.example>".to_owned(),
        "tls RCPT TO:<amina@rivebelle.example>".to_owned(),
        "tls DATA".to_owned(),
        "tls QUIT".to_owned(),
    ];
    assert_eq!(commands[..], expected);
    for (name, value) in [
        ("To", "amina@rivebelle.example"),
        ("Sender", "Octroi <no-reply@octroi.example>"),
        ("Reply-To", "contact@ville.example"),
        ("Auto-Submitted", "auto-generated"),
        ("Message-ID", "<1767225600000000.1@portail.example>"),
        ("Date", "Thu, 01 Jan 2026 00:00:00 +0000"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(message, name), value);
    }
    assert!(header(message, "From").ends_with("<aides@ville.example>"), "{message}");
    assert!(header(message, "Subject").starts_with("Votre demande D128 est =?utf-8?"), "{message}");
    assert!(header(message, "Content-Type").starts_with("multipart/alternative"), "{message}");
    let (text, html) = (message.find("text/plain; charset=utf-8").unwrap(), message.find("text/html; charset=utf-8").unwrap());
    assert!(text < html && message.is_ascii(), "{message}");
    assert!(message.lines().all(|line| line.len() <= 998), "{message}");
    let [row] = &house.outbox().await[..] else { panic!() };
    assert_eq!((row.state, row.attempts, row.last_error.as_deref()), (OutboxState::Done, 1, None));
}

#[tokio::test]
async fn tls_from_the_first_byte_and_a_mail_without_html() {
    let server = Server::start(Manner { tls: MailTls::Tls, ..KIND }).await;
    let house = House::build(settings(&server)).await;
    house.write(&[Message { html: String::new(), from: None, ..mail("a@x.example") }]).await;
    assert_eq!(house.app.deliver_mail(at(1)).await.unwrap(), Delivery::Next);
    let [Heard { commands, message }] = &server.heard()[..] else { panic!() };
    assert!(commands.iter().all(|command| command.starts_with("tls ")), "{commands:?}");
    assert_eq!(header(message, "From"), "Octroi <no-reply@octroi.example>");
    assert!(header(message, "Content-Type").starts_with("text/plain") && !message.contains("Sender:"), "{message}");
}

#[tokio::test]
async fn what_cannot_be_trusted_gets_nothing() {
    for (manner, change) in [
        // A server that does not offer to encrypt: somebody on the way may have removed the offer.
        (KIND, (|settings: &mut Mail| settings.tls = MailTls::Starttls) as fn(&mut Mail)),
        // A certificate that no authority that we know has signed.
        (Manner { tls: MailTls::Starttls, ..KIND }, |settings| settings.ca = None),
        (Manner { tls: MailTls::Tls, ..KIND }, |settings| settings.ca = None),
        // Another machine's certificate.
        (Manner { tls: MailTls::Tls, ..KIND }, |settings| settings.host = "127.0.0.1".into()),
    ] {
        let server = Server::start(manner).await;
        let mut settings = settings(&server);
        change(&mut settings);
        let house = House::build(settings).await;
        house.write(&[mail("a@x.example")]).await;
        assert_eq!(house.app.deliver_mail(at(1)).await.unwrap(), Delivery::Wait);
        let said = server.heard().iter().flat_map(|heard| heard.commands.clone()).collect::<Vec<_>>().join("\n");
        assert!(!said.contains("MAIL") && !said.contains("AUTH"), "{said}");
        let [row] = &house.outbox().await[..] else { panic!() };
        assert_eq!((row.state, row.attempts), (OutboxState::Waiting, 1));
        assert!(row.last_error.is_some());
    }
}

#[tokio::test]
async fn a_recipient_refused_for_good_is_given_up_and_holds_up_nobody() {
    let recipients = &[("gone", "550 5.1.1 no such user"), ("later", "451 4.7.1 greylisted"), ("shut", "421 closing")];
    let server = Server::start(Manner { recipients, ..KIND }).await;
    let house = House::build(settings(&server)).await;
    house.write(&["gone@x.example", "later@x.example", "good@x.example", "not an address", "shut@x.example"].map(mail)).await;
    for expected in [Delivery::Next, Delivery::Next, Delivery::Next, Delivery::Next, Delivery::Wait, Delivery::Nothing] {
        assert_eq!(house.app.deliver_mail(at(1)).await.unwrap(), expected);
    }
    let states = |rows: Vec<OutboxRow>| rows.iter().rev().map(|row| row.state).collect::<Vec<_>>();
    use OutboxState::{Done, Failed, Waiting};
    assert_eq!(states(house.outbox().await), [Failed, Waiting, Done, Failed, Waiting]);
    assert!(house.outbox().await.last().unwrap().last_error.as_ref().unwrap().contains("no such user"));
    server.manner.lock().unwrap().recipients = &[];
    assert_eq!(house.app.deliver_mail(at(10)).await.unwrap(), Delivery::Nothing, "not yet");
    for expected in [Delivery::Next, Delivery::Next, Delivery::Nothing] {
        assert_eq!(house.app.deliver_mail(at(11)).await.unwrap(), expected);
    }
    assert_eq!(states(house.outbox().await), [Failed, Done, Done, Failed, Done]);
}

#[tokio::test]
async fn a_server_that_fails_us_is_left_alone_and_a_repeated_mail_can_be_told() {
    let folder = tempfile::tempdir().unwrap();
    for (manner, expected) in [
        (Manner { auth: "535 5.7.8 bad credentials", ..KIND }, Delivery::Wait),
        (Manner { mail: "550 5.7.1 sender not allowed", ..KIND }, Delivery::Wait),
        (Manner { message: Some("554 5.7.1 spam"), ..KIND }, Delivery::Next),
        (Manner { message: None, ..KIND }, Delivery::Wait),
    ] {
        let server = Server::start(manner).await;
        let house = House::build(with_password(settings(&server), &folder)).await;
        house.write(&[mail("a@x.example")]).await;
        assert_eq!(house.app.deliver_mail(at(1)).await.unwrap(), expected);
        let [row] = &house.outbox().await[..] else { panic!() };
        assert_eq!(row.state == OutboxState::Waiting, expected == Delivery::Wait, "{row:?}");
        assert!(!row.last_error.as_ref().unwrap().contains("s3cret"));
        if expected == Delivery::Wait {
            *server.manner.lock().unwrap() = KIND;
            assert_eq!(house.app.deliver_mail(at(11)).await.unwrap(), Delivery::Next);
            let messages: Vec<_> = server.heard().into_iter().map(|heard| heard.message).filter(|message| !message.is_empty()).collect();
            assert!(messages.iter().all(|message| header(message, "Message-ID") == header(&messages[0], "Message-ID")));
        }
    }
}

#[tokio::test]
async fn a_silent_server_and_no_server_cost_a_bounded_time() {
    let server = Server::start(Manner { silent: true, ..KIND }).await;
    let house = House::build(Mail { timeout: 1, ..settings(&server) }).await;
    house.write(&[mail("a@x.example")]).await;
    let begun = std::time::Instant::now();
    assert_eq!(house.app.deliver_mail(at(1)).await.unwrap(), Delivery::Wait);
    assert!(begun.elapsed() < Duration::from_secs(5));
    // Nobody listens on a port that was just given back.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let house = House::build(Mail { port: Some(port), ..settings(&server) }).await;
    house.write(&[mail("a@x.example")]).await;
    assert_eq!(house.app.deliver_mail(at(1)).await.unwrap(), Delivery::Wait);
}

#[tokio::test]
async fn no_header_can_be_slipped_in() {
    let server = Server::start(KIND).await;
    let house = House::build(settings(&server)).await;
    let evil = "x\r\nBcc: spy@evil.example\r\n\r\nbody";
    house.write(&[Message { subject: evil.into(), text: "a\r\n.\r\nMAIL FROM:<x@y.example>\r\n".into(), ..mail("a@x.example") }]).await;
    house.write(&[Message { to: "a@x.example>\r\nRCPT TO:<spy@evil.example".into(), ..mail("") }]).await;
    house.app.deliver_mail(at(1)).await.unwrap();
    house.app.deliver_mail(at(1)).await.unwrap();
    let [Heard { commands, message }] = &server.heard()[..] else { panic!() };
    assert!(!message.lines().any(|line| line.starts_with("Bcc")), "{message}");
    assert_eq!(commands.iter().filter(|command| command.starts_with("MAIL") || command.starts_with("RCPT")).count(), 2, "{commands:?}");
    assert_eq!(house.outbox().await[0].state, OutboxState::Failed);
}

#[tokio::test]
async fn without_a_server_mails_wait() {
    let house = House::build(Mail::default()).await;
    house.write(&[mail("a@x.example")]).await;
    assert_eq!(house.app.deliver_mail(at(1)).await.unwrap(), Delivery::Nothing);
    assert_eq!(house.outbox().await[0].state, OutboxState::Waiting);
    assert!(matches!(house.app.mailbox(None, Page::first(1), at(1)).await, Err(octroi_app::Error::NotFound)));
}

#[test]
fn a_password_is_somewhere_or_the_settings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "from file\n").unwrap();
    assert_eq!(secret(Some("from environment".into()), Some(&path)).unwrap(), "from environment");
    assert_eq!(secret(None, Some(&path)).unwrap(), "from file");
    assert!(secret(None, None).unwrap_err().to_string().contains("mail.username"));
    assert!(secret(None, Some(&folder.path().join("none"))).unwrap_err().to_string().contains("mail.password_file"));
}

#[test]
fn we_present_ourselves_by_the_portals_name() {
    for (url, name) in [
        ("https://portail.example", "portail.example"),
        ("http://localhost:3000", "localhost"),
        ("http://127.0.0.1:3000", "[127.0.0.1]"),
        ("http://[::1]:3000", "[IPv6:::1]"),
    ] {
        assert_eq!(hello(url).to_string(), name);
    }
}
