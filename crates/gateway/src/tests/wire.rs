//! Framing, paths and headers, by raw sockets.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use super::rig::Rig;

fn request(rig: &Rig, line: &str, more: &str) -> String {
    format!("{line}\r\nHost: gate\r\nX-Api-Key: {}\r\n{more}\r\n", rig.key)
}

#[tokio::test]
async fn ambiguous_framing_is_400_and_the_connection_ends() {
    let rig = Rig::start().await;
    let post = "POST /dila/open/v1/echo HTTP/1.1";
    let hidden = "GET /dila/open/v1/echo/hidden HTTP/1.1\r\nHost: gate\r\n\r\n";
    let cases = [
        request(&rig, post, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        request(&rig, post, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n",
        request(&rig, post, "Content-Length: 2\r\nContent-Length: 2\r\n") + "ab",
        request(&rig, post, "Content-Length: 2\r\nContent-Length: 3\r\n") + "abc",
        request(&rig, post, "Content-Length: +2\r\n") + "ab",
        request(&rig, post, "Content-Length: 2, 2\r\n") + "ab",
        request(&rig, post, "Content-Length: \r\n"),
        request(&rig, post, "Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n",
        request(&rig, post, "Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n",
        request(&rig, post, "Transfer-Encoding: chunked, identity\r\n") + "0\r\n\r\n",
        request(&rig, post, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        request(&rig, post, "Transfer-Encoding : chunked\r\n") + "0\r\n\r\n",
        request(&rig, post, "X: a\r\n Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        request(&rig, "POST /dila/open/v1/echo HTTP/1.0", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        request(&rig, "GET /dila/open/v1/echo#x HTTP/1.1", ""),
        request(&rig, "GET /dila/open/v1/echo HTTP/1.1", "X: a\nY: b\r\n"),
    ];
    for raw in cases {
        let mut wire = rig.connect().await;
        wire.write(&raw).await;
        wire.write(hidden).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 400, "{raw}");
        assert_eq!(answer.header("octroi-error"), Some("malformed_request"), "{raw}");
        assert!(wire.is_closed().await, "{raw}");
    }
    assert_eq!(rig.upstream.calls.load(SeqCst), 0);
}

#[tokio::test]
async fn the_second_request_of_a_connection_is_looked_at_too() {
    let rig = Rig::start().await;
    let post = "POST /dila/open/v1/echo HTTP/1.1";
    let bodies =
        [("Content-Length: 3\r\n", "abc"), ("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), ("Content-Length: 0\r\n", "")];
    for (framing, body) in bodies {
        let mut wire = rig.connect().await;
        wire.write(&(request(&rig, post, framing) + body)).await;
        assert_eq!(wire.answer().await.status, 200);
        let both = request(&rig, post, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
        for piece in both.as_bytes().chunks(40) {
            wire.write(std::str::from_utf8(piece).unwrap()).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(wire.answer().await.refusal(), (400, "malformed_request"));
        assert!(wire.is_closed().await);
    }
    assert_eq!(rig.upstream.calls.load(SeqCst), 3);
}

#[tokio::test]
async fn pipelined_requests_get_their_own_answers() {
    let rig = Rig::start().await;
    let mut wire = rig.connect().await;
    let one = |name: &str| request(&rig, &format!("GET /dila/open/v1/echo/{name} HTTP/1.1"), "");
    let post = request(&rig, "POST /dila/open/v1/echo HTTP/1.1", "Transfer-Encoding: chunked\r\n") + "2\r\nhi\r\n0\r\n\r\n";
    wire.write(&(one("a") + &post + &one("b") + &one("c"))).await;
    assert_eq!(wire.answer().await.json()["path"], "/base/v1/echo/a");
    assert_eq!(wire.answer().await.json()["body"], "hi");
    assert_eq!(wire.answer().await.json()["path"], "/base/v1/echo/b");
    assert_eq!(wire.answer().await.json()["path"], "/base/v1/echo/c");
    assert_eq!(rig.upstream.connections.load(SeqCst), 1, "one connection is used again");
}

#[tokio::test]
async fn paths_that_are_not_canonical_reach_nothing() {
    let rig = Rig::start().await;
    for path in [
        "/dila/open//v1/echo",
        "/dila/open/v1/../v1/echo",
        "/dila/open/v1/./echo",
        "/dila/open/v1/%2e%2e/v1/echo",
        "/dila/open/v1%2fecho",
        "/dila/open/v1%5cecho",
        "/dila/open/v1\\echo",
        "/dila/open/v1/echo;x=1",
        "/dila/open/v1/echo%00",
        "/dila/open/v1/%65cho",
        "/dila/open/v1/echo%252f",
        "/dila/open/v1/echo/%c0%ae",
        "//dila/open/v1/echo",
        "/dila/open/v1/echo?x=%zz",
        "http://gate/dila/open/v1/echo",
        "*",
    ] {
        let answer = rig.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert_eq!(answer.header("octroi-error"), Some("malformed_request"), "{path}");
    }
    for path in [
        "/dila/open/v1/echo/",
        "/dila/open/v1/ECHO",
        "/Dila/open/v1/echo",
        "/dila/open",
        "/dila/openv1/echo",
        "/",
        "/dila/open/v1/echo.",
        "/dila/open/v1/echo%20",
        "/dila/open/v1/%EF%BC%8Fecho",
    ] {
        assert_eq!(rig.get(path).await.refusal(), (404, "unknown_route"), "{path}");
    }
    assert_eq!(rig.get(&format!("/dila/open/v1/echo?{}", "x".repeat(8_200))).await.refusal(), (414, "uri_too_long"));
    assert_eq!(rig.upstream.calls.load(SeqCst), 0);
    let answer = rig.get("/dila/open/v1/echo/%C3%A9%20x?a=%2F&b[]=1").await.json();
    assert_eq!((answer["path"].as_str(), answer["query"].as_str()), (Some("/base/v1/echo/%C3%A9%20x"), Some("a=%2F&b[]=1")));
}

#[tokio::test]
async fn heads_are_bounded_and_hosts_are_one() {
    let rig = Rig::start().await;
    let get = "GET /dila/open/v1/echo HTTP/1.1";
    let many: String = (0..110).map(|n| format!("X-{n}: a\r\n")).collect();
    assert_eq!(rig.send(&request(&rig, get, &many)).await.refusal(), (431, "headers_too_large"));
    let large = format!("X: {}\r\n", "a".repeat(40_000));
    assert_eq!(rig.send(&request(&rig, get, &large)).await.refusal(), (431, "headers_too_large"));
    assert_eq!(rig.send(&request(&rig, get, "Host: other\r\n")).await.refusal(), (400, "malformed_request"));
    assert_eq!(rig.send(&format!("{get}\r\nX-Api-Key: {}\r\n\r\n", rig.key)).await.refusal(), (400, "malformed_request"));
    assert_eq!(rig.send(&request(&rig, "TRACE /dila/open/v1/echo HTTP/1.1", "")).await.refusal(), (405, "method_not_allowed"));
    assert_eq!(rig.send(&request(&rig, "DELETE /dila/open/v1/echo HTTP/1.1", "")).await.header("allow"), Some("GET, POST, PUT, HEAD"));
    for named in ["X-Api-Key", "close, Authorization", "X-Forwarded-For", "X-JWT-Assertion"] {
        assert_eq!(
            rig.send(&request(&rig, get, &format!("Connection: {named}\r\n"))).await.refusal(),
            (400, "malformed_request"),
            "{named}"
        );
    }
    assert_eq!(rig.upstream.calls.load(SeqCst), 0);
}

#[tokio::test]
async fn malformed_requests_are_traced_and_answered_as_problems() {
    let mut rig = Rig::start().await;
    let answer = rig.send("GARBAGE\r\n\r\n").await;
    assert_eq!(answer.refusal(), (400, "malformed_request"));
    assert_eq!(answer.json()["code"], "malformed_request");
    let traces = rig.traces(1).await;
    assert_eq!((traces[0].status, traces[0].refusal.as_deref(), traces[0].api.as_ref()), (400, Some("malformed_request"), None));
    assert_eq!(Some(traces[0].request_id.as_str()), answer.header("x-request-id"));
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_closed() {
    let rig = Rig::with(|settings| {
        settings.header_timeout = Duration::from_millis(300);
        settings.idle_timeout = Duration::from_millis(600);
    })
    .await;
    let mut silent = rig.connect().await;
    let mut slow = rig.connect().await;
    slow.write("GET /dila/open/v1/echo HT").await;
    let mut idle = rig.connect().await;
    idle.write(&request(&rig, "GET /dila/open/v1/echo HTTP/1.1", "")).await;
    assert_eq!(idle.answer().await.status, 200);
    let started = std::time::Instant::now();
    assert!(silent.is_closed().await && slow.is_closed().await);
    assert!(started.elapsed() < Duration::from_secs(3));
    assert!(idle.is_closed().await);
}

#[tokio::test]
async fn http2_is_spoken_by_prior_knowledge() {
    let mut rig = Rig::start().await;
    let stream = tokio::net::TcpStream::connect(rig.handle.local_addr()).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let mut call = |path: &str, key: &str| {
        let request = http::Request::builder().uri(format!("http://gate{path}")).header("x-api-key", key);
        sender.send_request(request.body(http_body_util::Empty::<bytes::Bytes>::new()).unwrap())
    };
    let (good, bad) = tokio::join!(call("/dila/open/v1/echo/two", &rig.key), call("/dila/open/v1/echo/two", "x"));
    assert_eq!(good.unwrap().status(), 200);
    assert_eq!(bad.unwrap().status(), 401);
    assert_eq!(call("/dila/open/../open/v1/echo", &rig.key).await.unwrap().status(), 400);
    assert_eq!(rig.traces(3).await.len(), 3);
}

#[tokio::test]
async fn a_gateway_that_drains_loses_no_call() {
    let rig = Rig::start().await;
    let mut idle = rig.connect().await;
    idle.write(&request(&rig, "GET /dila/open/v1/echo HTTP/1.1", "")).await;
    assert_eq!(idle.answer().await.status, 200);
    let mut busy = rig.connect().await;
    busy.write(&request(&rig, "GET /dila/open/v1/stream HTTP/1.1", "")).await;
    busy.until("first").await;
    let mut late = rig.connect().await;
    let (address, go_on) = (rig.handle.local_addr(), std::sync::Arc::clone(&rig.upstream.go_on));
    let late_request = request(&rig, "GET /dila/open/v1/echo HTTP/1.1", "");
    let shutdown = tokio::spawn(async move { rig.handle.shutdown(Duration::from_secs(5)).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    late.write(&late_request).await;
    assert_eq!(late.answer().await.status, 200);
    assert!(idle.is_closed().await);
    go_on.notify_waiters();
    busy.until("second").await;
    shutdown.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
