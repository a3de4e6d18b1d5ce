//! TLS, and the certificates that clients show while it begins (RFC 8705).
//!
//! A certificate is asked for where the operator wants that, and never demanded. Any is taken: whose it
//! is, is a matter of what connections have pinned, which is looked up for each request.

mod acceptor;
mod name;

use std::any::Any;
use std::sync::Arc;

use accounts::credentials::Certificate;
use actix_tls::accept::openssl::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use jiff::Timestamp;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::ssl::SslRef;
use openssl::x509::{X509, X509Ref, X509VerifyResult};

pub(crate) use acceptor::acceptor;
pub use acceptor::{Tls, TlsError};

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

/// Marks a connection that TLS protects.
pub(crate) struct Protected;

/// Notes of a connection that is new what its requests need to know.
pub(crate) fn note(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else { return };
    data.insert(Protected);
    if let Some(certificate) = ClientCertificate::of(stream.ssl()) {
        data.insert(Arc::new(certificate));
    }
}

/// A certificate that a client has shown while TLS began, and whose private key it has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    fingerprint: String,
    /// Its subject, if an authority has signed it that the operator trusts.
    subject: Option<String>,
}

impl ClientCertificate {
    fn of(ssl: &SslRef) -> Option<Self> {
        let certificate = ssl.peer_certificate()?;
        let is_trusted = ssl.verify_result() == X509VerifyResult::OK;
        let subject = is_trusted.then(|| name::text(certificate.subject_name()));
        Some(Self { fingerprint: digest(&certificate).ok()?, subject })
    }

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
