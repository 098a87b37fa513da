//! Calls of the sign-on to its clients: their keys, and that a session ended. To addresses that were registered alone: over
//! TLS, on the public internet and where the operator says besides; no redirect is followed, and time and size are bounded.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, Uri, body::Bytes, header};
use hyper_util::rt::TokioIo;
use octroi_app::{
    App,
    sign_on::outgoing::{Answered, Ask, OutgoingPort},
};
use octroi_domain::network::Network;
use tokio::{net::TcpStream, sync::watch};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};
use url::{Host, Url};

use crate::clock::now;

/// Time for a whole call.
const PATIENCE: Duration = Duration::from_secs(8);
/// Bytes of an answer that are read.
const LARGEST: usize = 128 * 1024;
const JSON: &str = "application/json";
/// Between two looks at what waits to be told.
const PAUSE: Duration = Duration::from_secs(1);

/// Reaches clients.
pub struct Outgoing {
    tls: TlsConnector,
    reach: Reach,
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

impl Outgoing {
    /// # Errors
    /// When the TLS library lacks its protocol versions.
    pub fn reaching(reach: Reach) -> Result<Self, Fault> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), reach })
    }

    async fn call(&self, ask: Ask<'_>) -> Result<Answered, String> {
        let whole = async { self.send(ask).await.map_err(|error| error.to_string()) };
        tokio::time::timeout(PATIENCE, whole).await.unwrap_or_else(|_| Err(format!("no end after {} seconds", PATIENCE.as_secs())))
    }

    async fn send(&self, ask: Ask<'_>) -> Result<Answered, Fault> {
        let uri: Uri = ask.address.parse()?;
        let host = uri.host().ok_or("the address names no host")?;
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = connect(&name, port, secure, &self.reach).await?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let mut request = Request::builder()
            .method(if ask.form.is_some() { Method::POST } else { Method::GET })
            .uri(path)
            .header(header::HOST, authority)
            .header(header::USER_AGENT, "octroi")
            .header(header::ACCEPT, ask.accept);
        if let Some(authorization) = ask.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if ask.form.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::new(Bytes::from(ask.form.unwrap_or_default().to_owned())))?;
        if !secure {
            return exchange(stream, request).await;
        }
        let stream = self.tls.connect(ServerName::try_from(name)?, stream).await?;
        exchange(stream, request).await
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answered, Fault>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // The connection lives as long as the call: dropping the sender ends it.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, LARGEST).collect().await?.to_bytes();
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Ok(Answered { status: head.status.as_u16(), content_type, body: body.to_vec() })
}

/// Where clients may have their addresses, besides the public internet. Whoever registers a client would else send us to
/// services that trust whoever is near (OWASP: server-side request forgery).
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Networks of our own.
    pub networks: Vec<Network>,
    /// This machine, without TLS too: for the demo, and for trials at an address without TLS.
    pub this_machine: bool,
}
impl Reach {
    /// Asked of the address that a name leads to when it is called, whoever's name says so.
    fn allows(&self, address: IpAddr, secure: bool) -> bool {
        let address = address.to_canonical();
        // What a cloud keeps for its own secrets is nobody's network.
        let kept = match address {
            IpAddr::V4(address) => address.is_link_local() || address.is_broadcast() || address.is_multicast(),
            IpAddr::V6(address) => address.is_unicast_link_local() || address.is_multicast(),
        };
        if kept || address.is_unspecified() {
            return false;
        }
        let ours = self.networks.iter().any(|network| network.contains(address));
        if address.is_loopback() {
            return self.this_machine || ours;
        }
        secure && (ours || is_public(address))
    }
}

impl Reach {
    /// Is the host of this address a number, in any of its spellings (WHATWG URL, section 3.5), of a place that is never called?
    fn refuses(&self, address: &str) -> bool {
        let Ok(url) = Url::parse(address) else { return true };
        let number = match url.host() {
            Some(Host::Ipv4(number)) => IpAddr::V4(number),
            Some(Host::Ipv6(number)) => IpAddr::V6(number),
            _ => return false,
        };
        !self.allows(number, url.scheme() == "https")
    }
}

/// Networks that are not of the public internet (IANA's registries of special-purpose addresses).
const SPECIAL: [&str; 14] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
];

/// Of IPv6 only global unicast is, without what carries an IPv4 address inside (Teredo, 6to4) and examples.
fn is_public(address: IpAddr) -> bool {
    let within = |text: &str| text.parse::<Network>().is_ok_and(|network| network.contains(address));
    match address {
        IpAddr::V4(_) => !SPECIAL.into_iter().any(within),
        IpAddr::V6(_) => within("2000::/3") && !["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].into_iter().any(within),
    }
}

/// Connects to where the name leads.
async fn connect(name: &str, port: u16, secure: bool, reach: &Reach) -> Result<TcpStream, Fault> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((name, port)).await?.filter(|found| reach.allows(found.ip(), secure)).collect();
    if found.is_empty() {
        return Err("the address does not lead where clients may be".into());
    }
    Ok(TcpStream::connect(found.as_slice()).await?)
}

impl OutgoingPort for Outgoing {
    fn refuses(&self, address: &str) -> bool {
        self.reach.refuses(address)
    }

    fn get<'a>(&'a self, address: &'a str) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>> {
        Box::pin(async move {
            let answered = self.call(Ask { address, form: None, authorization: None, accept: JSON }).await?;
            if answered.status == 200 { Ok(answered.body) } else { Err(format!("answered {}", answered.status)) }
        })
    }

    fn post_form<'a>(&'a self, address: &'a str, form: String) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + 'a>> {
        Box::pin(async move {
            self.call(Ask { address, form: Some(&form), authorization: None, accept: JSON }).await.map(|answered| answered.status)
        })
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> Pin<Box<dyn Future<Output = Result<Answered, String>> + Send + 'a>> {
        Box::pin(self.call(ask))
    }
}

/// Tells clients of sessions that ended, until told to stop.
pub async fn deliver_logouts(app: App, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let begun = std::time::Instant::now();
        let error = match app.deliver_logouts(now()).await {
            Ok(0) => None,
            Ok(_) => continue,
            Err(error) => {
                tracing::error!(%error, "clients cannot be told of logouts; it is tried again");
                Some(error.to_string())
            }
        };
        app.job_ran("logouts", now(), begun.elapsed(), error);
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn a_number_that_is_never_called_is_refused_where_it_is_written() {
        let nowhere = Reach::default();
        for address in [
            "https://169.254.169.254/latest",
            "https://10.0.0.1/x",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "http://93.184.216.34/",
        ] {
            assert!(nowhere.refuses(address), "{address}");
        }
        for address in ["https://93.184.216.34/", "https://rp.example/keys", "https://[2606:2800:220:1::1]/"] {
            assert!(!nowhere.refuses(address), "{address}");
        }
        let demo = Reach { networks: Vec::new(), this_machine: true };
        assert!(!demo.refuses("http://127.0.0.1:4000/logout") && demo.refuses("http://10.0.0.1/"));
    }

    #[test]
    fn where_clients_may_be() {
        let nowhere = Reach::default();
        let ours = Reach { networks: vec!["10.1.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()], this_machine: false };
        let demo = Reach { networks: Vec::new(), this_machine: true };
        for (address, public, within, here) in [
            ("93.184.216.34", true, true, true),
            ("2606:2800:220:1::1", true, true, true),
            ("10.1.2.3", false, true, false),
            ("10.2.2.3", false, false, false),
            ("fd00:1::1", false, true, false),
            ("fd00:2::1", false, false, false),
            ("192.168.1.1", false, false, false),
            ("172.31.0.1", false, false, false),
            ("100.64.0.1", false, false, false),
            ("198.18.0.1", false, false, false),
            ("240.0.0.1", false, false, false),
            ("64:ff9b::a01:203", false, false, false),
            ("2002:a01:203::1", false, false, false),
            ("2001:0:a01:203::1", false, false, false),
            ("::ffff:10.1.2.3", false, true, false),
            ("127.0.0.1", false, false, true),
            ("127.8.8.8", false, false, true),
            ("::1", false, false, true),
            ("::ffff:127.0.0.1", false, false, true),
            ("169.254.169.254", false, false, false),
            ("::ffff:169.254.169.254", false, false, false),
            ("fe80::1", false, false, false),
            ("224.0.0.1", false, false, false),
            ("0.0.0.0", false, false, false),
            ("::", false, false, false),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert_eq!((nowhere.allows(ip, true), ours.allows(ip, true), demo.allows(ip, true)), (public, within, here), "{address}");
            // Without TLS nowhere but on this machine, in the demo.
            assert_eq!(
                (nowhere.allows(ip, false), ours.allows(ip, false), demo.allows(ip, false)),
                (false, false, ip.to_canonical().is_loopback()),
                "{address}"
            );
        }
    }

    /// Who registers a client does not get to call the services of this machine.
    #[tokio::test]
    async fn the_services_of_this_machine_are_not_called() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for name in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "0x7f000001", "2130706433"] {
            for scheme in ["http", "https"] {
                let outcome =
                    Outgoing::reaching(Reach::default()).unwrap().post_form(&format!("{scheme}://{name}:{port}/"), "a=b".into()).await;
                assert!(outcome.is_err(), "{scheme}://{name}");
            }
        }
        let knocked = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(knocked.is_err(), "nobody connected");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed_and_an_answer_is_bounded() {
        let answer = async |bytes: Vec<u8>| {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}/keys?a=b", listener.local_addr().unwrap());
            let heard = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 4096];
                let length = stream.read(&mut head).await.unwrap();
                let _ = stream.write_all(&bytes).await;
                String::from_utf8(head[..length].to_vec()).unwrap()
            });
            let outcome = Outgoing::reaching(Reach { this_machine: true, ..Reach::default() }).unwrap().get(&address).await;
            (outcome, heard.await.unwrap())
        };
        let (good, head) = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec()).await;
        assert_eq!(good, Ok(b"{}".to_vec()));
        assert!(head.starts_with("GET /keys?a=b HTTP/1.1\r\n"), "{head}");
        let (moved, _) = answer(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec()).await;
        assert_eq!(moved, Err("answered 302".to_owned()));
        let mut large = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", LARGEST + 1).into_bytes();
        large.resize(large.len() + LARGEST + 1, b'a');
        assert!(answer(large).await.0.is_err());
    }
}
