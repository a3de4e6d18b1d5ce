//! Texts that only this installation can make and read: AES-256-GCM under a key of its own.

use accounts::StorageError;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use store::Store;

use crate::clock;

const NONCE: usize = 12;
const TAG: usize = 16;

/// A key that seals. It has no `Debug`: nothing may print it.
pub(crate) struct SealingKey(pub(crate) [u8; 32]);

impl SealingKey {
    /// The key for this purpose that all servers on this database share; the first of them makes it.
    ///
    /// # Errors
    /// The store fails, or the system has no randomness to give.
    pub(crate) async fn of_installation(
        store: &Store,
        purpose: &'static str,
    ) -> Result<Self, StorageError> {
        let failed = |error: ErrorStack| StorageError::Failed(Box::new(error));
        let (mut fresh, now) = ([0; 32], clock::now());
        rand_bytes(&mut fresh).map_err(failed)?;
        let key = store.write(move |tx| tx.installation_key(purpose, &fresh, now)).await?;
        let key = key.try_into();
        key.map(Self).map_err(|_| StorageError::Failed(format!("no key for {purpose}").into()))
    }

    /// Bytes as a text of unreserved characters (RFC 3986 section 2.3), which opens only for the same
    /// audience. Under one key four billion random nonces can be used (NIST SP 800-38D section 8.3).
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub(crate) fn seal(&self, audience: &[u8], bytes: &[u8]) -> Result<String, ErrorStack> {
        let (mut nonce, mut tag) = ([0; NONCE], [0; TAG]);
        rand_bytes(&mut nonce)?;
        let cipher = Cipher::aes_256_gcm();
        let sealed = encrypt_aead(cipher, &self.0, Some(&nonce), audience, bytes, &mut tag)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &sealed, &tag].concat()))
    }

    /// What was sealed for this audience in a text of bounded length; `None` if nothing was.
    pub(crate) fn open(&self, audience: &[u8], text: &str, longest: usize) -> Option<Vec<u8>> {
        let text = (text.len() <= longest).then_some(text)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE>()?;
        let (sealed, tag) = rest.split_last_chunk::<TAG>()?;
        decrypt_aead(Cipher::aes_256_gcm(), &self.0, Some(nonce), audience, sealed, tag).ok()
    }
}
