//! TLS.

use accounts::credentials::Certificate;
use jiff::Timestamp;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::x509::{X509, X509Ref};

use crate::token::hex;

/// The SHA-256 of the first certificate of a PEM text in lower-case hexadecimal digits, and when the
/// certificate ends.
///
/// # Errors
/// There is no certificate in it.
pub fn fingerprint(pem: &[u8]) -> Result<(String, Timestamp), ErrorStack> {
    let certificate = X509::from_pem(pem)?;
    Ok((digest(&certificate)?, instant(certificate.not_after())?))
}

fn digest(certificate: &X509Ref) -> Result<String, ErrorStack> {
    Ok(hex(&certificate.digest(MessageDigest::sha256())?))
}

fn instant(time: &Asn1TimeRef) -> Result<Timestamp, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since.days) * 86_400 + i64::from(since.secs);
    Ok(Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX))
}

/// A certificate that a client has shown while TLS began, and whose private key it has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    fingerprint: String,
    /// Its subject, if an authority has signed it that the server trusts.
    subject: Option<String>,
}

impl ClientCertificate {
    /// The SHA-256 of the certificate.
    pub(crate) fn digest(&self) -> &str {
        &self.fingerprint
    }

    /// By what the credentials are found that it may be.
    pub(crate) fn keys(&self) -> Vec<String> {
        let subject = self.subject.clone().map(Certificate::Subject);
        let fingerprint = Certificate::Fingerprint(self.fingerprint.clone());
        std::iter::once(fingerprint).chain(subject).map(|certificate| certificate.key()).collect()
    }
}
