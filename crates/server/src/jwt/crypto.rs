//! The signatures of JWTs, checked by the OpenSSL that the service has anyway. None are made here.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Verifier as OpenSslVerifier};

/// The algorithms that are taken: public keys alone. `none` is no algorithm to the library, and with a
/// shared secret (HS256) the public key would be the secret.
pub(super) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// The shortest RSA key that is taken, in bits (RFC 7518 section 3.3).
const MIN_RSA_BITS: u32 = 2_048;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has the library use this.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    // It fails only where another is installed, and nothing else installs one.
    ONCE.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "so the library wants it")]
fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "so the library wants it")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if !ALGORITHMS.contains(algorithm) || key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let key = public_key(*algorithm, key.kind()).map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(PublicKey { algorithm: *algorithm, key }))
}

/// A public key for one algorithm.
struct PublicKey {
    algorithm: Algorithm,
    key: PKey<Public>,
}

fn public_key(
    algorithm: Algorithm,
    kind: &DecodingKeyKind,
) -> std::result::Result<PKey<Public>, ErrorStack> {
    match (algorithm, kind) {
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
            on_curve(Nid::X9_62_PRIME256V1, point)
        }
        (Algorithm::ES384, DecodingKeyKind::SecretOrDer(point)) => on_curve(Nid::SECP384R1, point),
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(bytes)) => {
            PKey::public_key_from_raw_bytes(bytes, Id::ED25519)
        }
        (_, DecodingKeyKind::RsaModulusExponent { n, e }) => {
            let (n, e) = (BigNum::from_slice(n)?, BigNum::from_slice(e)?);
            PKey::from_rsa(Rsa::from_public_components(n, e)?)
        }
        (_, DecodingKeyKind::SecretOrDer(der)) => {
            PKey::from_rsa(Rsa::public_key_from_der_pkcs1(der)?)
        }
    }
}

fn on_curve(curve: Nid, point: &[u8]) -> std::result::Result<PKey<Public>, ErrorStack> {
    let group = EcGroup::from_curve_name(curve)?;
    let point = EcPoint::from_bytes(&group, point, &mut *BigNumContext::new()?)?;
    let key = EcKey::from_public_key(&group, &point)?;
    key.check_key()?;
    PKey::from_ec_key(key)
}

impl PublicKey {
    fn has_signed(
        &self,
        message: &[u8],
        signature: &[u8],
    ) -> std::result::Result<bool, ErrorStack> {
        let digest = match self.algorithm {
            Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => MessageDigest::sha256(),
            Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => MessageDigest::sha384(),
            Algorithm::RS512 | Algorithm::PS512 => MessageDigest::sha512(),
            _ => {
                let mut verifier = OpenSslVerifier::new_without_digest(&self.key)?;
                return verifier.verify_oneshot(signature, message);
            }
        };
        let mut verifier = OpenSslVerifier::new(digest, &self.key)?;
        let is_rsa = self.key.id() == Id::RSA;
        if is_rsa && self.key.bits() < MIN_RSA_BITS {
            return Ok(false);
        }
        if matches!(self.algorithm, Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512) {
            verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        }
        if is_rsa {
            return verifier.verify_oneshot(signature, message);
        }
        // JWS has both numbers one after the other (RFC 7518 section 3.4), OpenSSL has them in DER.
        let half = if self.algorithm == Algorithm::ES256 { 32 } else { 48 };
        if signature.len() != 2 * half {
            return Ok(false);
        }
        let (r, s) = signature.split_at(half);
        let (r, s) = (BigNum::from_slice(r)?, BigNum::from_slice(s)?);
        let der = EcdsaSig::from_private_components(r, s)?.to_der()?;
        verifier.verify_oneshot(&der, message)
    }
}

impl Verifier<Vec<u8>> for PublicKey {
    fn verify(
        &self,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> std::result::Result<(), signature::Error> {
        match self.has_signed(message, signature) {
            Ok(true) => Ok(()),
            _ => Err(signature::Error::new()),
        }
    }
}

impl JwtVerifier for PublicKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
