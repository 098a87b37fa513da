//! Calls of the portal to the sandbox gateway, for visitors who try an API: one connection each, over the
//! gateway's own listener, so that they are met like any other call.

use std::{future::Future, net::SocketAddr, pin::Pin, time::Duration};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{Request, body::Bytes, header};
use hyper_util::rt::TokioIo;
use octroi_app::try_it::{SandboxAnswer, SandboxCall, SandboxFault, SandboxPort};
use tokio::{net::TcpStream, time::Instant};

/// Time for a whole call.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const LARGEST: usize = 256 * 1024;

/// The sandbox gateway's listener.
pub struct Sandbox {
    address: SocketAddr,
    /// Host and port of its public address.
    host: String,
}

impl Sandbox {
    #[must_use]
    pub fn new(mut address: SocketAddr, public_url: &str) -> Self {
        // A listener on every address is reached from here by the loopback.
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() { std::net::Ipv4Addr::LOCALHOST.into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
        }
        let host = public_url.split_once("://").map_or(public_url, |(_, host)| host).trim_end_matches('/').to_owned();
        Self { address, host }
    }

    async fn sent(&self, call: SandboxCall) -> Result<SandboxAnswer, SandboxFault> {
        let begun = Instant::now();
        let unreachable = |error: &dyn std::fmt::Display| {
            tracing::warn!(%error, "the sandbox gateway cannot be reached for a trial call");
            SandboxFault::Unreachable
        };
        let stream = TcpStream::connect(self.address).await.map_err(|error| unreachable(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
        // The connection lives as long as the call: dropping the sender ends it.
        tokio::spawn(connection);
        let mut request = Request::builder().method(call.method.as_str()).uri(&call.target).header(header::HOST, &self.host);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::from(call.body.unwrap_or_default()));
        let request = request.body(body).map_err(|error| unreachable(&error))?;
        let (head, body) = sender.send_request(request).await.map_err(|error| unreachable(&error))?.into_parts();
        let body = Limited::new(body, LARGEST)
            .collect()
            .await
            .map_err(|error| if error.is::<LengthLimitError>() { SandboxFault::TooLarge } else { unreachable(&error) })?;
        let header = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(SandboxAnswer {
            status: head.status.as_u16(),
            headers: head.headers.iter().map(header).collect(),
            body: body.to_bytes().to_vec(),
            took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl SandboxPort for Sandbox {
    fn call(&self, call: SandboxCall) -> Pin<Box<dyn Future<Output = Result<SandboxAnswer, SandboxFault>> + Send + '_>> {
        Box::pin(async move { tokio::time::timeout(PATIENCE, self.sent(call)).await.unwrap_or(Err(SandboxFault::TooSlow)) })
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    /// A gateway that answers once with these bytes; returns the answer that was read, and the head that it received.
    async fn told(answer: Vec<u8>) -> (Result<SandboxAnswer, SandboxFault>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = Sandbox::new(listener.local_addr().unwrap(), "http://sandbox.example:8081/");
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            // The reader may have enough before all is written.
            let _ = stream.write_all(&answer).await;
            String::from_utf8(head[..length].to_vec()).unwrap()
        });
        let call = SandboxCall {
            method: "POST".into(),
            target: "/a/b?c=d".into(),
            headers: vec![("X-Api-Key".into(), "k".into())],
            body: Some("{}".into()),
        };
        let answer = port.call(call).await;
        (answer, heard.await.unwrap())
    }

    #[tokio::test]
    async fn a_call_is_sent_as_it_is_and_its_answer_read() {
        let (answer, head) = told(b"HTTP/1.1 403 Forbidden\r\nOctroi-Error: scope_missing\r\nContent-Length: 2\r\n\r\n{}".to_vec()).await;
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (403, &b"{}"[..]));
        assert!(answer.headers.contains(&("octroi-error".into(), "scope_missing".into())));
        let head = head.to_ascii_lowercase();
        assert!(head.starts_with("post /a/b?c=d http/1.1\r\n") && head.contains("host: sandbox.example:8081\r\n"), "{head}");
        assert!(head.contains("x-api-key: k\r\n") && head.ends_with("\r\n\r\n{}"), "{head}");
    }

    #[tokio::test]
    async fn what_is_too_large_or_not_there_is_told_apart() {
        let mut large = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", LARGEST + 1).into_bytes();
        large.resize(large.len() + LARGEST + 1, b'a');
        assert_eq!(told(large).await.0, Err(SandboxFault::TooLarge));
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let call = SandboxCall { method: "GET".into(), target: "/".into(), headers: Vec::new(), body: None };
        assert_eq!(Sandbox::new(nobody, "http://s").call(call).await, Err(SandboxFault::Unreachable));
    }
}
