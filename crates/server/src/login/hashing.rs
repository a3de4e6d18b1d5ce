//! Hashes of passwords: Argon2id with the parameters that OWASP names, off the threads that answer
//! requests, and a few at a time - each takes 19 MiB and tens of milliseconds of a core.

use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use std::time::Duration;

use accounts::StorageError;
use actix_web::web::block;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::ApiError;

/// OWASP, Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How long a password waits for its turn, before the client is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// A hash of nobody's password: who does not exist takes as long as who does.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| hash("nobody's password"));

/// Computes hashes, a few at a time.
pub(crate) struct Hasher {
    turns: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        // Before anybody can measure how long it takes.
        LazyLock::force(&NOBODYS);
        let cores = available_parallelism().map_or(1, usize::from);
        Self { turns: Arc::new(Semaphore::new(cores)) }
    }
}

impl Hasher {
    /// The hash of a prepared password, as a PHC string.
    pub(crate) async fn hash(&self, password: String) -> Result<String, ApiError> {
        let turn = self.turn().await?;
        let hashed = block(move || {
            let _turn = turn;
            hash(&password)
        });
        let failed = || ApiError::internal("a password could not be hashed");
        hashed.await.ok().flatten().ok_or_else(failed)
    }

    /// Whether a prepared password has this hash; where there is none, it takes as long to say no.
    pub(crate) async fn verify(
        &self,
        password: String,
        expected: Option<String>,
    ) -> Result<bool, ApiError> {
        let turn = self.turn().await?;
        let verified = block(move || {
            let _turn = turn;
            let is_right = verify(&password, expected.as_deref().or(NOBODYS.as_deref()));
            is_right && expected.is_some()
        });
        verified.await.map_err(|_| ApiError::internal("a password could not be compared"))
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let busy = || StorageError::Unavailable("too many passwords at once".to_owned());
        turn.ok().and_then(Result::ok).ok_or_else(|| busy().into())
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

fn hash(password: &str) -> Option<String> {
    let hash: PasswordHash = argon2()?.hash_password(password.as_bytes()).ok()?;
    Some(hash.to_string())
}

fn verify(password: &str, expected: Option<&str>) -> bool {
    let expected = expected.and_then(|expected| PasswordHash::new(expected).ok());
    let (Some(expected), Some(argon2)) = (expected, argon2()) else { return false };
    argon2.verify_password(password.as_bytes(), &expected).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_password_has_its_own_hash_and_no_other() {
        let hasher = Hasher::default();
        let hash = hasher.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash("correct horse".to_owned()).await.unwrap(), "salted");
        let says = async |password: &str, hash: Option<&str>| {
            hasher.verify(password.to_owned(), hash.map(str::to_owned)).await.unwrap()
        };
        assert!(says("correct horse", Some(&hash)).await);
        assert!(!says("correct house", Some(&hash)).await);
        assert!(!says("correct horse", Some("")).await);
        assert!(!says("nobody's password", None).await, "nobody logs in as nobody");
    }
}
