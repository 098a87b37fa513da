//! The faces: REST API, OAuth endpoints, pages.
