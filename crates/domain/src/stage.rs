//! The two environments, which share nothing.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where an application lives and a call is made: credentials, upstreams and traces of one stage
/// are unknown to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Sandbox,
    Production,
}

impl Stage {
    pub const ALL: [Self; 2] = [Self::Sandbox, Self::Production];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }
}
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
/// The text names no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stage is `sandbox` or `production`")]
pub struct StageError;
impl FromStr for Stage {
    type Err = StageError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or(StageError)
    }
}
