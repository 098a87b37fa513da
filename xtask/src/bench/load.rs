//! The load: wrk, one thread, 64 connections, and what it reports.

use std::{path::Path, process::Command};

use crate::Result;

/// Connections that wrk keeps busy.
pub const CONNECTIONS: u32 = 64;

/// What wrk saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub requests: f64,
    pub requests_per_second: f64,
    /// Milliseconds, as `p99_ms`.
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// Fires at a URL for some seconds, from one core.
///
/// # Errors
/// When wrk cannot be run, or an answer was not 2xx: a refusal is quick, and would be measured as speed.
pub fn fire(wrk: &Path, core: &str, url: &str, headers: &[String], seconds: u32) -> Result<Seen> {
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(wrk).args([
        "-t1",
        &format!("-c{CONNECTIONS}"),
        &format!("-d{seconds}s"),
        "--timeout",
        "10s",
        "--latency",
    ]);
    for header in headers {
        command.args(["-H", header]);
    }
    let output = command.arg(url).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("wrk: {} {}", text.trim(), String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    parse(&text)
}

fn parse(text: &str) -> Result<Seen> {
    let line = |what: &str| text.lines().map(str::trim).find(|line| line.contains(what));
    for wrong in ["Non-2xx", "Socket errors"] {
        if let Some(line) = line(wrong) {
            return Err(format!("wrk: {line}").into());
        }
    }
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
    let requests = number(line(" requests in ").and_then(|line| line.split(' ').next()));
    let rate = number(line("Requests/sec:").and_then(|line| line.split_ascii_whitespace().last()));
    let percentile =
        |which: &str| text.lines().map(str::trim).find_map(|line| line.strip_prefix(which)).and_then(|time| milliseconds(time.trim()));
    match (requests, rate, percentile("50%"), percentile("99%")) {
        (Some(requests), Some(requests_per_second), Some(p50_ms), Some(p99_ms)) if requests > 0.0 => {
            Ok(Seen { requests, requests_per_second, p50_ms, p99_ms })
        }
        _ => Err(format!("wrk: its report is not what was expected: {}", text.trim()).into()),
    }
}

/// `1.31ms`, `840.00us`, `2.00s`.
fn milliseconds(text: &str) -> Option<f64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let scale = match unit {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 3s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.45ms  602.80us  12.69ms   81.40%
    Req/Sec    44.10k     2.50k   47.58k    83.33%
  Latency Distribution
     50%  840.00us
     75%    1.68ms
     90%    2.11ms
     99%    3.50ms
  131541 requests in 3.00s, 137.99MB read
Requests/sec:  43827.19
Transfer/sec:     45.98MB
";

    #[test]
    fn a_report_is_read() {
        let seen = parse(REPORT).unwrap();
        assert_eq!(seen, Seen { requests: 131_541.0, requests_per_second: 43_827.19, p50_ms: 0.84, p99_ms: 3.5 });
    }

    #[test]
    fn refusals_and_broken_connections_are_no_speed() {
        for wrong in ["  Non-2xx or 3xx responses: 12\n", "  Socket errors: connect 0, read 3, write 0, timeout 0\n"] {
            assert!(parse(&format!("{REPORT}{wrong}")).is_err());
        }
        assert!(parse("").is_err());
        assert!(parse(&REPORT.replace("131541", "0")).is_err());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(milliseconds("2.00s"), Some(2_000.0));
        assert_eq!(milliseconds("1.50m"), Some(90_000.0));
        assert_eq!(milliseconds("12"), None);
        assert_eq!(milliseconds("1.2h"), None);
    }
}
