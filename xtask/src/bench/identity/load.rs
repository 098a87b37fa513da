//! The load: 64 connections, each a thread that asks again when it is answered, and a person's browser as far as signing
//! in needs one. `wrk` cannot do it: a code is good once, and a refresh token is in the answer before.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::Result;

/// What one turn saw.
pub struct Seen {
    pub requests: usize,
    pub seconds: f64,
    /// Milliseconds, as `p99_ms`.
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// An answer.
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Reply {
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.head.lines().filter_map(|line| line.split_once(':'));
        pairs.filter(move |(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// # Errors
    /// When it is not 200, or is not JSON.
    pub fn json(&self) -> Result<Value> {
        if self.status != 200 {
            return Err(format!("answered {}: {}", self.status, self.body.chars().take(300).collect::<String>()).into());
        }
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// A connection that is kept, and the cookies of whoever uses it.
pub struct Connection {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
    pub cookies: Vec<(String, String)>,
}

impl Connection {
    pub const fn to(port: u16) -> Self {
        Self { port, stream: None, cookies: Vec::new() }
    }

    /// The next request has a connection of its own: this one may be closed by now.
    pub fn hang_up(&mut self) {
        self.stream = None;
    }

    /// # Errors
    /// When the connection breaks, or what comes back is not HTTP.
    pub fn ask(&mut self, method: &str, path: &str, headers: &str, form: &str) -> Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(30)))?;
                BufReader::new(stream)
            }
        };
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\n{headers}", self.port);
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            text.push_str(&format!("Cookie: {}\r\n", pairs.join("; ")));
        }
        if method == "POST" {
            text.push_str(&format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", form.len()));
        }
        text.push_str("\r\n");
        text.push_str(form);
        stream.get_mut().write_all(text.as_bytes())?;
        let reply = read(&mut stream)?;
        for line in reply.headers("set-cookie") {
            let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) else { continue };
            self.cookies.retain(|(found, _)| found != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        if !reply.headers("connection").any(|value| value.eq_ignore_ascii_case("close")) {
            self.stream = Some(stream);
        }
        Ok(reply)
    }

    /// Asks for a code, and signs in where a page asks for it: the address at the client that it ends at.
    ///
    /// # Errors
    /// When it does not end there.
    pub fn authorize(&mut self, path: &str, client: &str, credentials: &str) -> Result<String> {
        let mut path = path.to_owned();
        let mut reply = self.ask("GET", &path, "Accept: text/html\r\n", "")?;
        for _ in 0..8 {
            let to = reply.headers("location").next().map(str::to_owned);
            reply = match to {
                Some(to) if to.starts_with(client) => return Ok(to),
                Some(to) => {
                    let own = format!("http://localhost:{}", self.port);
                    path = to.strip_prefix(&own).unwrap_or(&to).to_owned();
                    self.ask("GET", &path, "Accept: text/html\r\n", "")?
                }
                None if reply.status == 200 => {
                    let (action, hidden) = form(&reply.body);
                    path = action.unwrap_or(path);
                    self.ask("POST", &path, "Accept: text/html\r\n", &format!("{credentials}{hidden}"))?
                }
                None => return Err(format!("{path}: {} {}", reply.status, reply.body.chars().take(300).collect::<String>()).into()),
            };
        }
        Err(format!("{path}: the sign-in does not end").into())
    }
}

/// Where the first form of a page's content goes, and its hidden fields, each with `&` before it.
fn form(page: &str) -> (Option<String>, String) {
    let content = page.split_once("<main").map_or(page, |(_, rest)| rest);
    let Some((head, rest)) = content.split_once("<form").and_then(|(_, rest)| rest.split_once('>')) else { return (None, String::new()) };
    let member = |tag: &str, name: &str| {
        Some(tag.split_once(&format!("{name}=\""))?.1.split('"').next()?.replace("&#38;", "&").replace("&amp;", "&"))
    };
    let inside = rest.split("</form").next().unwrap_or_default();
    let mut hidden = String::new();
    for tag in inside.split("<input").skip(1).filter_map(|tag| tag.split('>').next()).filter(|tag| tag.contains("\"hidden\"")) {
        if let (Some(name), Some(value)) = (member(tag, "name"), member(tag, "value")) {
            hidden.push_str(&format!("&{name}={}", encode(&value)));
        }
    }
    (member(head, "action"), hidden)
}

/// A value in a form or an address.
pub fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn read(stream: &mut BufReader<TcpStream>) -> Result<Reply> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err("the connection was closed".into());
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or("the answer is not HTTP")?;
    let mut reply = Reply { status, head, body: String::new() };
    let length = reply.headers("content-length").next().and_then(|text| text.parse::<usize>().ok());
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            stream.read_exact(&mut body)?;
        }
        None if reply.headers("transfer-encoding").any(|coding| coding.eq_ignore_ascii_case("chunked")) => loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16)?;
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk)?;
            if size == 0 {
                break;
            }
            chunk.truncate(size);
            body.append(&mut chunk);
        },
        None => {}
    }
    reply.body = String::from_utf8_lossy(&body).into_owned();
    Ok(reply)
}

/// Has every worker do its job again and again for some seconds, or until there is none left: `false`.
///
/// # Errors
/// The first refusal: what is refused is quick, and would be measured as speed.
pub fn fire<S: Send>(workers: &mut [S], seconds: f64, job: impl Fn(&mut S) -> Result<bool> + Sync) -> Result<Seen> {
    let together = Barrier::new(workers.len());
    let work = |worker: &mut S| -> std::result::Result<(Vec<f64>, f64), String> {
        together.wait();
        let (began, mut spent) = (Instant::now(), Vec::new());
        while began.elapsed().as_secs_f64() < seconds {
            let asked = Instant::now();
            if !job(worker).map_err(|error| error.to_string())? {
                break;
            }
            spent.push(asked.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok((spent, began.elapsed().as_secs_f64()))
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = workers.iter_mut().map(|worker| scope.spawn(|| work(worker))).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a worker panicked".to_owned()))).collect()
    });
    let (mut spent, mut longest) = (Vec::new(), 0.0_f64);
    for outcome in outcomes {
        let (mut own, took) = outcome?;
        spent.append(&mut own);
        longest = longest.max(took);
    }
    spent.sort_by(f64::total_cmp);
    let at = |share: usize| spent.get(spent.len() * share / 100).copied();
    match (at(50), at(99)) {
        (Some(p50_ms), Some(p99_ms)) => Ok(Seen { requests: spent.len(), seconds: longest, p50_ms, p99_ms }),
        _ => Err("nothing was answered".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read() {
        let page = r#"<form action="/other"></form><main><form method="post" action="/sign-in">
            <input type="hidden" name="return_to" value="/a?b=c&#38;d"><input name="email"></form></main>"#;
        assert_eq!(form(page), (Some("/sign-in".to_owned()), "&return_to=%2Fa%3Fb%3Dc%26d".to_owned()));
        assert_eq!(form("<form method=post><input name=a></form>"), (None, String::new()));
        assert_eq!(form("nothing"), (None, String::new()));
    }

    #[test]
    fn a_refusal_ends_the_turn() {
        let mut workers = [0, 0];
        let seen = fire(&mut workers, 5.0, |count| {
            *count += 1;
            Ok(*count <= 10)
        });
        assert_eq!(seen.unwrap().requests, 20);
        assert!(fire(&mut workers, 5.0, |_| Err("no".into())).is_err());
        assert!(fire(&mut workers, 5.0, |_| Ok(false)).is_err());
    }
}
