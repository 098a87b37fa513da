//! Pages: one file per page, with a typed view of its template in `pages/`.

pub mod home;
