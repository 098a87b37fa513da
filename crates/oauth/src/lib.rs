//! The protocols on the wire: OAuth 2 (RFC 6749 and its family), JOSE (RFC 7515 to 7519), and the
//! shape of the secrets that are handed out. Pure: no I/O, no clock, and none of our business rules.

pub mod error;
pub mod introspection;
pub mod jwk;
pub mod jwt;
pub mod seal;
pub mod secret;
pub mod token_request;
