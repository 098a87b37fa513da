//! A second reading of the bytes that a client sends, beside hyper's.
//!
//! hyper mends a head whose framing is said twice (it drops `Content-Length` beside
//! `Transfer-Encoding`, and a repeated equal `Content-Length`), and the `Uri` forgets a fragment.
//! Here the raw head is looked at while it passes, so that the service can refuse such a request
//! (RFC 9112 section 6.3: possible smuggling). Where the two readings disagree on how many requests
//! have come, the connection is closed too.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{denied::Reason, limits::monotonic_us};

/// Largest head, bytes; above it hyper answers 431.
pub(crate) const MAX_HEAD: usize = 32 * 1024;

/// What both the connection's task and the service see of the connection.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Heads that have passed whole.
    heads: AtomicU32,
    /// The number of the first faulty head, counted from 1; 0: none.
    faulty: AtomicU32,
    fault: AtomicU32,
    /// Requests that the service was given.
    requests: AtomicU32,
    /// Answers that have not ended.
    pub(crate) in_flight: AtomicU32,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    /// The peer takes nothing at the moment.
    pub(crate) stalled: AtomicBool,
    /// When the head began that has not ended yet ([`monotonic_us`]); 0: there is none.
    partial_since: AtomicU64,
    /// HTTP/2, or framing that we do not follow: nothing is known of heads.
    blind: AtomicBool,
}

/// Faults that only the raw bytes show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Fault {
    Framing = 1,
    LineEnd = 2,
    Fragment = 3,
    Disagreement = 4,
}
impl Fault {
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Framing => "the length of the body is said more than once",
            Self::LineEnd => "a line of the head does not end with CR LF",
            Self::Fragment => "the request target has a fragment",
            Self::Disagreement => "the framing of the connection is in doubt",
        }
    }
}

impl Watch {
    /// Has a head begun that has not ended?
    pub(crate) fn is_partial(&self) -> bool {
        self.partial_since.load(Relaxed) != 0
    }

    /// Called once for each request that hyper hands over.
    ///
    /// # Errors
    /// When the raw head of this request is faulty.
    pub(crate) fn next_request(&self) -> Result<(), Fault> {
        if self.blind.load(Relaxed) {
            return Ok(());
        }
        let number = self.requests.fetch_add(1, Relaxed).wrapping_add(1);
        let faulty = self.faulty.load(Relaxed);
        if faulty != 0 && number >= faulty {
            return Err(match self.fault.load(Relaxed) {
                1 => Fault::Framing,
                2 => Fault::LineEnd,
                3 => Fault::Fragment,
                _ => Fault::Disagreement,
            });
        }
        if self.heads.load(Relaxed) < number { Err(Fault::Disagreement) } else { Ok(()) }
    }
}

#[derive(Debug)]
enum State {
    /// Inside a head, or before one; what has come of it in earlier reads is in `Reader::held`.
    Head,
    Sized(u64),
    Chunked(Chunk),
    /// Not followed any more.
    Blind,
}

#[derive(Debug, Clone, Copy)]
enum Chunk {
    /// Digits of the size so far; `true` once an extension began.
    Size {
        value: u64,
        digits: u8,
        extension: bool,
    },
    Data(u64),
    /// The CR LF after the data.
    DataEnd,
    /// A trailer line, and how many bytes it has.
    Trailer(u32),
}

/// Follows requests through a stream of bytes.
struct Reader {
    state: State,
    held: Vec<u8>,
    watch: Arc<Watch>,
}

impl Reader {
    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Blind => return,
                State::Head => self.head(bytes),
                State::Sized(left) => {
                    let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::Head } else { State::Sized(left) };
                    bytes.get(taken..).unwrap_or_default()
                }
                State::Chunked(chunk) => self.chunk(chunk, bytes),
            };
        }
    }

    fn head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        // Empty lines before a request are skipped (RFC 9112 section 2.2).
        if self.held.is_empty() {
            let skipped = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            if skipped > 0 {
                return bytes.get(skipped..).unwrap_or_default();
            }
            if let Some(end) = head_end(bytes, 0) {
                self.state = self.judge(bytes.get(..end).unwrap_or_default());
                return bytes.get(end..).unwrap_or_default();
            }
        }
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        match head_end(&self.held, before.saturating_sub(3)) {
            Some(end) => {
                let held = std::mem::take(&mut self.held);
                self.watch.partial_since.store(0, Relaxed);
                self.state = self.judge(held.get(..end).unwrap_or_default());
                bytes.get(end.saturating_sub(before)..).unwrap_or_default()
            }
            None => {
                if before == 0 {
                    self.watch.partial_since.store(monotonic_us(Instant::now()), Relaxed);
                }
                if self.held.len() > 2 * MAX_HEAD {
                    self.held = Vec::new();
                    self.state = State::Blind;
                }
                &[]
            }
        }
    }

    /// Looks at one whole head, and says what follows it.
    fn judge(&self, head: &[u8]) -> State {
        let number = self.watch.heads.fetch_add(1, Relaxed).wrapping_add(1);
        let mut fault = None;
        let (mut lengths, mut encodings) = (0_u8, 0_u8);
        let mut length = 0_u64;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', head) {
            let line = head.get(start..end).unwrap_or_default();
            let first = start == 0;
            start = end + 1;
            let Some((b'\r', line)) = line.split_last() else {
                fault.get_or_insert(Fault::LineEnd);
                continue;
            };
            if first {
                if line.contains(&b'#') {
                    fault.get_or_insert(Fault::Fragment);
                }
            } else if matches!(line.first(), Some(b'c' | b'C')) {
                if let Some(value) = field(line, b"content-length") {
                    lengths = lengths.saturating_add(1);
                    length = number_of(value).unwrap_or(0);
                }
            } else if matches!(line.first(), Some(b't' | b'T'))
                && let Some(value) = field(line, b"transfer-encoding")
            {
                encodings = encodings.saturating_add(1);
                if !value.eq_ignore_ascii_case(b"chunked") {
                    fault.get_or_insert(Fault::Framing);
                }
            }
        }
        if lengths > 1 || encodings > 1 || (lengths > 0 && encodings > 0) {
            fault.get_or_insert(Fault::Framing);
        }
        if let Some(fault) = fault
            && self.watch.faulty.load(Relaxed) == 0
        {
            self.watch.fault.store(fault as u32, Relaxed);
            self.watch.faulty.store(number, Relaxed);
        }
        match (encodings, length) {
            (0, 0) => State::Head,
            (0, length) => State::Sized(length),
            _ => State::Chunked(Chunk::Size { value: 0, digits: 0, extension: false }),
        }
    }

    fn chunk<'a>(&mut self, chunk: Chunk, bytes: &'a [u8]) -> &'a [u8] {
        if let Chunk::Data(left) = chunk {
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let left = left - taken as u64;
            self.state = State::Chunked(if left == 0 { Chunk::DataEnd } else { Chunk::Data(left) });
            return bytes.get(taken..).unwrap_or_default();
        }
        let Some((byte, rest)) = bytes.split_first() else { return &[] };
        self.state = match (chunk, *byte) {
            (Chunk::Size { value: 0, digits: 1.., .. }, b'\n') => State::Chunked(Chunk::Trailer(0)),
            (Chunk::Size { value, digits: 1.., .. }, b'\n') => State::Chunked(Chunk::Data(value)),
            (same @ Chunk::Size { digits: 1.., .. }, b'\r') => State::Chunked(same),
            (Chunk::Size { value, digits: digits @ 1.., .. }, b';' | b' ' | b'\t') => {
                State::Chunked(Chunk::Size { value, digits, extension: true })
            }
            (same @ Chunk::Size { extension: true, .. }, _) => State::Chunked(same),
            (Chunk::Size { value, digits: digits @ ..=15, extension: false }, digit) => match char::from(digit).to_digit(16) {
                Some(digit) => State::Chunked(Chunk::Size { value: value << 4 | u64::from(digit), digits: digits + 1, extension: false }),
                None => self.lost(),
            },
            (Chunk::DataEnd, b'\r') => State::Chunked(Chunk::DataEnd),
            (Chunk::DataEnd, b'\n') => State::Chunked(Chunk::Size { value: 0, digits: 0, extension: false }),
            (Chunk::Trailer(0), b'\n') => State::Head,
            (Chunk::Trailer(_), b'\n') => State::Chunked(Chunk::Trailer(0)),
            (same @ Chunk::Trailer(_), b'\r') => State::Chunked(same),
            (Chunk::Trailer(length), _) => State::Chunked(Chunk::Trailer(length.saturating_add(1))),
            _ => self.lost(),
        };
        rest
    }

    /// Framing that we cannot follow: whatever request comes after is refused.
    fn lost(&self) -> State {
        let next = self.watch.heads.load(Relaxed).wrapping_add(1);
        if self.watch.faulty.load(Relaxed) == 0 {
            self.watch.fault.store(Fault::Disagreement as u32, Relaxed);
            self.watch.faulty.store(next, Relaxed);
        }
        State::Blind
    }
}

/// Where the first head ends (after its empty line), looking from `from` on.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let tail = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', tail).find_map(|place| match tail.get(place + 1..)? {
        [b'\n', ..] => Some(from + place + 2),
        [b'\r', b'\n', ..] => Some(from + place + 3),
        _ => None,
    })
}

/// The trimmed value of the field `name` (in lower case), when the line is one.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    let (b':', value) = value.split_first()? else { return None };
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn number_of(digits: &[u8]) -> Option<u64> {
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

/// Writes the whole answer to a head that hyper could not read.
pub(crate) type Refuse = Box<dyn Fn(Reason) -> Vec<u8> + Send>;

/// hyper answers an unreadable head by itself, with a status and nothing more. It is known by the
/// request id that it lacks.
fn is_bare_refusal(bytes: &[u8]) -> Option<Reason> {
    let reason = match bytes.strip_prefix(b"HTTP/1.1 ").or_else(|| bytes.strip_prefix(b"HTTP/1.0 "))?.get(..3)? {
        b"400" => Reason::MalformedRequest,
        b"414" => Reason::UriTooLong,
        b"431" => Reason::HeadersTooLarge,
        _ => return None,
    };
    let has = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    (bytes.len() < 256 && bytes.ends_with(b"\r\n\r\n") && !has(b"x-request-id")).then_some(reason)
}

/// A client's connection, watched.
pub(crate) struct Guarded<T> {
    inner: T,
    reader: Reader,
    refuse: Refuse,
    /// Our refusal, as far as it is not written yet, and how many of hyper's bytes it stands for.
    refusal: Option<(Vec<u8>, usize)>,
}
impl<T> Guarded<T> {
    pub(crate) fn http1(inner: T, watch: Arc<Watch>, refuse: Refuse) -> Self {
        Self { inner, reader: Reader { state: State::Head, held: Vec::new(), watch }, refuse, refusal: None }
    }

    pub(crate) fn http2(inner: T, watch: Arc<Watch>, refuse: Refuse) -> Self {
        watch.blind.store(true, Relaxed);
        Self { inner, reader: Reader { state: State::Blind, held: Vec::new(), watch }, refuse, refusal: None }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        this.reader.watch.bytes_in.fetch_add(new.len() as u64, Relaxed);
        this.reader.feed(new);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Guarded<T> {
    /// Writes our refusal in the place of hyper's; `None` when these bytes are not one.
    fn poll_refusal(&mut self, cx: &mut Context<'_>, first: &[u8], length: usize) -> Option<Poll<io::Result<usize>>> {
        if self.refusal.is_none() {
            let watch = &self.reader.watch;
            if watch.in_flight.load(Relaxed) > 0 || !first.starts_with(b"HTTP/1.") {
                return None;
            }
            let reason = is_bare_refusal(first).filter(|_| first.len() == length)?;
            self.refusal = Some(((self.refuse)(reason), length));
        }
        let (rest, stands_for) = self.refusal.as_mut()?;
        while !rest.is_empty() {
            match Pin::new(&mut self.inner).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => drop(rest.drain(..count.min(rest.len()))),
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
        }
        let written = *stands_for;
        self.refusal = None;
        Some(Poll::Ready(Ok(written)))
    }

    fn written(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let watch = &self.reader.watch;
        match &result {
            Poll::Ready(Ok(count)) => {
                watch.bytes_out.fetch_add(*count as u64, Relaxed);
                watch.stalled.store(false, Relaxed);
            }
            Poll::Pending => watch.stalled.store(true, Relaxed),
            Poll::Ready(Err(_)) => {}
        }
        result
    }
}
impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(refused) = this.poll_refusal(cx, bytes, bytes.len()) {
            return this.written(refused);
        }
        let result = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.written(result)
    }
    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let length = slices.iter().map(|slice| slice.len()).sum();
        if let Some(refused) = this.poll_refusal(cx, slices.first().map_or(&[], |slice| slice), length) {
            return this.written(refused);
        }
        let result = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.written(result)
    }
    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

/// Decides, from looks at a connection that are far apart, whether it has been waited for long enough.
/// One timer per connection, re-armed every few seconds, instead of one per request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Time for a whole head.
    pub header: Duration,
    /// Time without a byte while nothing is owed by us.
    pub idle: Duration,
    moved: (u64, u64),
    moved_at: Instant,
}
impl Patience {
    pub(crate) const fn new(header: Duration, idle: Duration, now: Instant) -> Self {
        Self { header, idle, moved: (0, 0), moved_at: now }
    }

    /// When to look again; `None`: close the connection.
    pub(crate) fn look(&mut self, watch: &Watch, now: Instant) -> Option<Duration> {
        let moved = (watch.bytes_in.load(Relaxed), watch.bytes_out.load(Relaxed));
        if moved != self.moved {
            self.moved = moved;
            self.moved_at = now;
        }
        let mine_to_move = watch.in_flight.load(Relaxed) > 0 && !watch.stalled.load(Relaxed);
        if !mine_to_move && now.duration_since(self.moved_at) >= self.idle {
            return None;
        }
        let mut next = self.header;
        let since = watch.partial_since.load(Relaxed);
        if since != 0 {
            let waited = Duration::from_micros(monotonic_us(now).saturating_sub(since));
            next = self.header.checked_sub(waited).filter(|left| !left.is_zero())?;
        }
        Some(next.min(self.idle).max(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &str, piece: usize) -> (u32, Vec<Option<Fault>>) {
        let watch = Arc::new(Watch::default());
        let mut reader = Reader { state: State::Head, held: Vec::new(), watch: Arc::clone(&watch) };
        for piece in stream.as_bytes().chunks(piece) {
            reader.feed(piece);
        }
        let heads = watch.heads.load(Relaxed);
        (heads, (0..heads.max(1)).map(|_| watch.next_request().err()).collect())
    }
    #[track_caller]
    fn check(stream: &str, expected: &[Option<Fault>]) {
        for piece in [1, 2, 3, 7, 10_000] {
            let (heads, faults) = read(stream, piece);
            assert_eq!((heads as usize, faults.as_slice()), (expected.len(), expected), "in pieces of {piece}");
        }
    }

    #[test]
    fn framing_that_is_said_twice_is_seen() {
        let framing = Some(Fault::Framing);
        check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &[None]);
        check("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n", &[None, None]);
        check("POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", &[framing]);
        check("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n", &[framing]);
        check("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", &[framing]);
        check("POST / HTTP/1.1\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n", &[framing]);
        check("GET /a#b HTTP/1.1\r\n\r\n", &[Some(Fault::Fragment)]);
        check("GET / HTTP/1.1\nHost: a\n\n", &[Some(Fault::LineEnd)]);
        check("GET / HTTP/1.1\r\nHost: a\n\r\n", &[Some(Fault::LineEnd)]);
    }

    #[test]
    fn bodies_are_stepped_over() {
        let twice = "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        // A body that looks like a faulty head is a body.
        check(&format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{twice}GET / HTTP/1.1\r\n\r\n", twice.len()), &[None, None]);
        check(&format!("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc{twice}"), &[None, Some(Fault::Framing)]);
        let chunked = |body: &str| format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
        check(
            &format!("{}{twice}", chunked("3;x=\"y\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")),
            &[None, Some(Fault::Framing)],
        );
        check(&format!("{}GET / HTTP/1.1\r\n\r\n", chunked(&format!("{:x}\r\n{twice}\r\n0\r\n\r\n", twice.len()))), &[None, None]);
    }

    #[test]
    fn a_request_that_was_not_seen_is_in_doubt() {
        let watch = Arc::new(Watch::default());
        assert_eq!(watch.next_request(), Err(Fault::Disagreement));
        let (heads, faults) = read("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 100);
        assert_eq!((heads, faults), (1, vec![None]));
    }

    #[test]
    fn patience_ends_for_a_slow_head_and_for_an_idle_peer() {
        let watch = Watch::default();
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut patience = Patience::new(Duration::from_secs(10), Duration::from_secs(75), start);
        assert_eq!(patience.look(&watch, at(0)), Some(Duration::from_secs(10)));
        watch.partial_since.store(monotonic_us(at(4)), Relaxed);
        assert_eq!(patience.look(&watch, at(10)), Some(Duration::from_secs(4)));
        assert_eq!(patience.look(&watch, at(14)), None);
        watch.partial_since.store(0, Relaxed);
        watch.bytes_in.store(1, Relaxed);
        assert!(patience.look(&watch, at(80)).is_some());
        watch.in_flight.store(1, Relaxed);
        assert!(patience.look(&watch, at(300)).is_some());
        watch.stalled.store(true, Relaxed);
        assert_eq!(patience.look(&watch, at(301)), None);
    }
}
