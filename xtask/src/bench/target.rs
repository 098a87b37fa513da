//! What is measured: a process, and requests that it answers.

use std::path::Path;

use super::{http, process::Process, upstream::ANSWER};
use crate::Result;

/// How the answer must look for the measurement to mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The upstream's answer, byte for byte.
    Whole,
    /// The fields of the granted scopes, and no other.
    Masked,
}

/// One row of the table.
pub struct Target {
    pub name: &'static str,
    /// Place of its process among the contenders.
    pub process: usize,
    pub port: u16,
    pub path: &'static str,
    /// As they go on the wire: `Name: value`.
    pub headers: Vec<String>,
    pub expected: Expected,
}

/// Everything that runs and is ready to be measured, and what could not be.
#[derive(Default)]
pub struct Contenders {
    pub processes: Vec<Process>,
    pub targets: Vec<Target>,
    /// Name and reason.
    pub absent: Vec<(String, String)>,
    /// Name and version.
    pub versions: Vec<(String, String)>,
}

impl Contenders {
    pub fn is_absent(&mut self, name: &str, why: impl std::fmt::Display) {
        self.absent.push((name.to_owned(), why.to_string()));
    }
}

impl Target {
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.path)
    }

    /// Asks once: the answer is the expected one, and without the credential there is none.
    ///
    /// # Errors
    /// When it is not so.
    pub fn check(&self) -> Result<()> {
        let answer = http::call(self.port, "GET", self.path, &self.headers, None)?;
        let good = answer.status == 200
            && match self.expected {
                Expected::Whole => answer.body == ANSWER,
                Expected::Masked => is_masked(&answer.json()?),
            };
        if !good {
            return Err(format!("{}: an unexpected answer {}: {}", self.name, answer.status, answer.start()).into());
        }
        if !self.headers.is_empty() {
            let refused = http::call(self.port, "GET", self.path, &[], None)?;
            if refused.status != 401 {
                return Err(format!("{}: without a credential it answers {} instead of 401", self.name, refused.status).into());
            }
        }
        Ok(())
    }
}

/// The quotient is whole, of each child only what the scope opens, and nothing of parents and address.
fn is_masked(answer: &serde_json::Value) -> bool {
    let Ok(whole) = serde_json::from_str::<serde_json::Value>(ANSWER) else { return false };
    let same = |pointer: &str| answer.pointer(pointer).is_some() && answer.pointer(pointer) == whole.pointer(pointer);
    let shown =
        ["/data/quotient_familial", "/data/enfants/0/prenoms", "/data/enfants/1/date_naissance", "/links", "/meta"].into_iter().all(same);
    let hidden = ["/data/allocataires", "/data/adresse", "/data/enfants/0/nom_naissance"]
        .into_iter()
        .all(|pointer| answer.pointer(pointer).is_none());
    shown && hidden
}

/// Fills a template in: `@NAME@` by its value.
#[must_use]
pub fn fill(template: &str, run: &Path, port: u16, upstream: u16) -> String {
    template.replace("@PORT@", &port.to_string()).replace("@UPSTREAM@", &upstream.to_string()).replace("@RUN@", &run.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_answer_is_told_from_a_whole_one() {
        let mut answer: serde_json::Value = serde_json::from_str(ANSWER).unwrap();
        assert!(!is_masked(&answer));
        answer["data"].as_object_mut().unwrap().retain(|name, _| matches!(name.as_str(), "quotient_familial" | "enfants"));
        for child in answer["data"]["enfants"].as_array_mut().unwrap() {
            child.as_object_mut().unwrap().retain(|name, _| matches!(name.as_str(), "prenoms" | "date_naissance"));
        }
        assert!(is_masked(&answer));
        answer["meta"] = serde_json::Value::Null;
        assert!(!is_masked(&answer));
    }
}
