//! The protocols on the wire: OAuth 2 (RFC 6749 and its family), JOSE (RFC 7515 to 7519), and the
//! shape of the secrets that are handed out. Pure: no I/O, no clock, and none of our business rules.

pub mod authorization_request;
pub mod certificate;
pub mod claims_request;
pub mod client_assertion;
pub mod client_metadata;
pub mod dpop;
pub mod error;
pub mod foreign;
pub mod id_token;
pub mod introspection;
pub mod jwk;
pub mod jwt;
pub mod parameters;
pub mod pkce;
pub mod redirect_uri;
pub mod relying_party;
pub mod seal;
pub mod secret;
pub mod token_request;
pub mod totp;
