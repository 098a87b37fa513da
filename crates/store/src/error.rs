//! What can go wrong with the store. Nothing here ever shows SQL.

use std::{fmt, io, path::PathBuf};

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// Any failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection, an I/O error, a time-out, a deadlock: trying again later may work.
    #[error("the database does not answer")]
    Unavailable(#[source] Cause),
    /// The write contradicts what is stored.
    #[error("`{table}`: {why}")]
    Conflict { table: &'static str, why: Why },
    /// A stored row that the domain refuses.
    #[error("`{table}`, row {row}: column `{column}` cannot be read")]
    Corrupt { table: &'static str, column: &'static str, row: String },
    /// Another process serves this database file.
    #[error("`{}` is in use by another octroi process: stop it first", path.display())]
    Locked { path: PathBuf },
    /// The database was migrated by a later version of the program.
    #[error("the database has schema {found}, this program knows schemas up to {known}: use a later version of octroi")]
    NewerSchema { found: i64, known: i64 },
    /// The database was not migrated yet.
    #[error("the database has schema {found}, this program needs schema {known}: run `octroi migrate`")]
    OlderSchema { found: i64, known: i64 },
    /// The address of the database cannot be used.
    #[error("the address of the database {0}")]
    Url(&'static str),
    /// The database refused, for a reason that is a fault of ours.
    #[error("the database refused an operation on `{table}`")]
    Other {
        table: &'static str,
        #[source]
        cause: Cause,
    },
}

impl StoreError {
    /// Something with the same unique key is there already.
    #[must_use]
    pub const fn is_duplicate(&self) -> bool {
        matches!(self, Self::Conflict { why: Why::Duplicate, .. })
    }

    /// The row changed since it was read.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        matches!(self, Self::Conflict { why: Why::Stale, .. })
    }

    pub(crate) const fn stale(table: &'static str) -> Self {
        Self::Conflict { table, why: Why::Stale }
    }

    pub(crate) fn io(error: io::Error) -> Self {
        Self::Unavailable(Cause(Inner::Io(error)))
    }
}

/// Which contradiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The row is not in the state or version that the writer read.
    Stale,
    /// A unique key is taken.
    Duplicate,
    /// The row points at something that is not there.
    Reference,
}
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stale => "it changed since it was read",
            Self::Duplicate => "it exists already",
            Self::Reference => "it points at something that is not there",
        })
    }
}

/// The engine's own words, for a log.
#[derive(Debug)]
pub struct Cause(Inner);
#[derive(Debug)]
enum Inner {
    Database(DbErr),
    Io(io::Error),
    Said(&'static str),
}
impl Cause {
    pub(crate) const fn said(what: &'static str) -> Self {
        Self(Inner::Said(what))
    }
}
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Database(error) => error.fmt(f),
            Inner::Io(error) => error.fmt(f),
            Inner::Said(what) => f.write_str(what),
        }
    }
}
impl std::error::Error for Cause {}

/// Names the table that an engine's error came from.
pub(crate) trait At<T> {
    fn at(self, table: &'static str) -> Result<T, StoreError>;
}
impl<T> At<T> for Result<T, DbErr> {
    fn at(self, table: &'static str) -> Result<T, StoreError> {
        self.map_err(|error| classify(error, table))
    }
}

fn classify(error: DbErr, table: &'static str) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => return StoreError::Conflict { table, why: Why::Duplicate },
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => return StoreError::Conflict { table, why: Why::Reference },
        _ => {}
    }
    let passing = match &error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner)) => is_passing(inner),
        _ => false,
    };
    let cause = Cause(Inner::Database(error));
    if passing { StoreError::Unavailable(cause) } else { StoreError::Other { table, cause } }
}

/// Is it the kind of failure that passes by itself?
fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(inner) => {
            let code = inner.code().unwrap_or_default();
            if inner.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                // Primary result codes (the low byte): BUSY, LOCKED, IOERR, FULL, CANTOPEN.
                code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13 | 14))
            } else {
                // SQLSTATE classes: connection, resources, operator intervention; serialisation, deadlock, lock not available.
                code.starts_with("08")
                    || code.starts_with("53")
                    || code.starts_with("57")
                    || matches!(code.as_ref(), "40001" | "40P01" | "55P03")
            }
        }
        _ => false,
    }
}
