//! The protocols on the wire: OAuth 2, JOSE. Pure.
