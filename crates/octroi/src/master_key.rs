//! The master key: 32 bytes in a file of its own, beside the database and never in it.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use octroi_oauth::seal::MasterKey;
use octroi_store::Store;

use crate::cli::{CommandError, other};

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path}: a master key is exactly 32 bytes; restore the file from a backup")]
    Length { path: PathBuf },
    #[error("the system's random generator failed")]
    Random,
}

/// The master key of a store: made when there is none and nothing is sealed yet.
///
/// # Errors
/// When the file is missing although keys are sealed with it, or cannot be read or made.
pub async fn load(folder: &Path, store: &Store) -> Result<MasterKey, CommandError> {
    let path = folder.join("master.key");
    if !path.exists() && !store.read().signing_key_list(None).await?.is_empty() {
        return Err(other(format!("{}: missing, and the database holds keys sealed with it; restore it from a backup", path.display())));
    }
    Ok(load_or_create(folder)?)
}

/// Reads the master key; makes it, readable by the owner alone, when there is none.
///
/// # Errors
/// When the file cannot be read or made, or does not hold a key.
fn load_or_create(folder: &Path) -> Result<MasterKey, KeyFileError> {
    let path = folder.join("master.key");
    let file = |source| KeyFileError::File { path: path.clone(), source };
    match fs::read(&path) {
        Ok(bytes) => bytes.try_into().map(MasterKey::from_bytes).map_err(|_| KeyFileError::Length { path }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = MasterKey::generate().map_err(|_| KeyFileError::Random)?;
            fs::create_dir_all(folder).map_err(file)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut written = options.open(&path).map_err(file)?;
            written.write_all(key.bytes()).and_then(|()| written.sync_all()).map_err(file)?;
            Ok(key)
        }
        Err(error) => Err(file(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let made = load_or_create(folder.path()).unwrap();
        assert_eq!(load_or_create(folder.path()).unwrap().bytes(), made.bytes());
        fs::write(folder.path().join("master.key"), b"short").unwrap();
        assert!(matches!(load_or_create(folder.path()), Err(KeyFileError::Length { .. })));
    }
}
