//! What can go wrong with an operation, in terms that every face can show.

use octroi_domain::{
    definition::FieldError,
    policy::{Decision, Forbidden},
    text::Text,
};
use octroi_oauth::secret::RandomError;
use octroi_store::StoreError;

/// Why an operation was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody said who they are.
    #[error("sign in first")]
    SignIn,
    /// The credential is unknown, out of date or revoked: one answer for all three.
    #[error("the credential is not valid")]
    InvalidCredential,
    #[error("e-mail address or password is wrong")]
    WrongPassword,
    /// The last proof of who stands there is too long ago for this.
    #[error("sign in again first")]
    SignInAgain,
    /// A second factor is asked for: the account has one, or its roles demand one.
    #[error("a second factor is needed")]
    SecondFactor,
    #[error("forbidden: {}", .0.code())]
    Forbidden(Forbidden),
    /// It does not exist, or not for this principal.
    #[error("not found")]
    NotFound,
    /// The state that it is in does not have this move.
    #[error("{code}: {}", text.en)]
    Conflict { code: &'static str, text: Text },
    /// Somebody changed it since it was read.
    #[error("version {current} is there")]
    Stale { current: u32 },
    /// Fields to mend.
    #[error("{} field(s) to mend", .0.len())]
    Invalid(Vec<FieldError>),
    /// The same idempotency key came with another request.
    #[error("this idempotency key was used for another request")]
    IdempotencyMismatch,
    #[error("too many attempts; try again in {retry_after} s")]
    TooManyAttempts { retry_after: u32 },
    /// The store, or the system, cannot serve now.
    #[error("unavailable")]
    Unavailable(#[source] StoreError),
    /// A row, a key or the system is not as it must be. Logged, never shown.
    #[error("internal: {0}")]
    Internal(String),
}

impl Error {
    pub(crate) fn conflict(code: &'static str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Conflict { code, text: Text::new(fr, en) }
    }

    /// One field to mend.
    pub(crate) fn field(pointer: impl Into<String>, code: &str, fr: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { pointer: pointer.into(), code: code.to_owned(), message: Text::new(fr, en) }])
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Locked { .. } => Self::Unavailable(error),
            other => Self::Internal(other.to_string()),
        }
    }
}
impl From<RandomError> for Error {
    fn from(error: RandomError) -> Self {
        Self::Internal(error.to_string())
    }
}

/// A decision of the policy, as the start of an operation.
pub(crate) trait Require {
    /// # Errors
    /// The refusal that the decision stands for.
    fn require(self) -> Result<(), Error>;
}
impl Require for Decision {
    fn require(self) -> Result<(), Error> {
        match self {
            Self::Allow => Ok(()),
            Self::SignIn => Err(Error::SignIn),
            Self::Hide => Err(Error::NotFound),
            Self::Forbid(why) => Err(Error::Forbidden(why)),
        }
    }
}
