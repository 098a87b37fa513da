//! The upstream of every target: answers each request at once with the same 1 KB of JSON.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::Result;

/// What the upstream answers: 1,024 bytes of JSON in the shape of a household's data.
pub const ANSWER: &str = include_str!("../../bench/answer.json");

/// The largest request head that is read; a proxy that adds headers stays far below.
const HEAD: usize = 16 * 1024;

/// Serves on a port of the loopback until it is killed.
///
/// # Errors
/// When the port is taken.
pub fn serve(port: &str) -> Result<()> {
    let port: u16 = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let answer: Arc<[u8]> = answer().into_bytes().into();
        loop {
            let (stream, _) = listener.accept().await?;
            let answer = Arc::clone(&answer);
            // A connection that breaks is its proxy's business.
            tokio::spawn(async move { converse(stream, &answer).await });
        }
    })
}

fn answer() -> String {
    let length = ANSWER.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{ANSWER}")
}

/// Requests have no body here, so an empty line ends each.
async fn converse(mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0_u8; HEAD];
    let mut held = 0;
    loop {
        let read = match buffer.get_mut(held..) {
            Some(room) if !room.is_empty() => stream.read(room).await?,
            _ => return Ok(()),
        };
        if read == 0 {
            return Ok(());
        }
        held += read;
        while let Some(end) = buffer.get(..held).and_then(|bytes| bytes.windows(4).position(|four| four == b"\r\n\r\n")) {
            buffer.copy_within(end + 4..held, 0);
            held -= end + 4;
            stream.write_all(answer).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_one_kilobyte_of_json() {
        assert_eq!(ANSWER.len(), 1_024);
        assert!(serde_json::from_str::<serde_json::Value>(ANSWER).unwrap().is_object());
        assert!(answer().ends_with(ANSWER));
    }
}
