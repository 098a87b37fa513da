//! Calls of the sign-on to its clients: their keys, and that a session ended. To addresses that were registered alone: over
//! TLS, or on this machine; no redirect is followed, and time and size are bounded.

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
use tokio::{net::TcpStream, sync::watch};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs, pki_types::ServerName},
};

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
}

type Fault = Box<dyn std::error::Error + Send + Sync>;

impl Outgoing {
    /// # Errors
    /// When the TLS library lacks its protocol versions.
    pub fn new() -> Result<Self, Fault> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
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
        let stream = connect(&name, port, secure).await?;
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

/// Connects to where the name leads: without TLS to this machine alone, and never to an address that a cloud keeps for
/// its own secrets (169.254.0.0/16, fe80::/10), whoever's name says so.
async fn connect(name: &str, port: u16, secure: bool) -> Result<TcpStream, Fault> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((name, port)).await?.filter(|found| is_allowed(found.ip(), secure)).collect();
    if found.is_empty() {
        return Err("the address does not lead where clients may be".into());
    }
    Ok(TcpStream::connect(found.as_slice()).await?)
}

fn is_allowed(address: IpAddr, secure: bool) -> bool {
    let address = address.to_canonical();
    let kept = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast() || address.is_multicast(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_multicast(),
    };
    !kept && !address.is_unspecified() && (secure || address.is_loopback())
}

impl OutgoingPort for Outgoing {
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
    fn where_clients_may_be() {
        for (address, plain, secure) in [
            ("127.0.0.1", true, true),
            ("::1", true, true),
            ("10.0.0.1", false, true),
            ("192.0.2.1", false, true),
            ("169.254.169.254", false, false),
            ("::ffff:169.254.169.254", false, false),
            ("fe80::1", false, false),
            ("0.0.0.0", false, false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!((is_allowed(address, false), is_allowed(address, true)), (plain, secure), "{address}");
        }
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
            let outcome = Outgoing::new().unwrap().get(&address).await;
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
