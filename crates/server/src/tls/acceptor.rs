//! How TLS is spoken: versions 1.2 and 1.3, with a certificate that can be exchanged while it is used.
//!
//! Each connection takes the certificate that is there when it begins. The files are looked at every few
//! seconds, and at once on SIGHUP; what cannot be used is logged, and the certificate before it stays.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use actix_web::rt::time::interval;
use actix_web::web::block;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    SniError, SslAcceptor, SslAcceptorBuilder, SslContext, SslMethod, SslVerifyMode, SslVersion,
};
use openssl::x509::{X509Name, X509StoreContextRef};
use tokio::signal::unix::{SignalKind, signal};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// The files that TLS needs, and whether clients are asked for certificates.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The server's certificate and those between it and an authority, in PEM.
    pub certificate: PathBuf,
    /// The private key of the certificate, in PEM.
    pub key: PathBuf,
    /// The authorities whose certificates of clients are trusted by their subjects, in PEM.
    pub client_ca: Option<PathBuf>,
    /// Whether clients are asked for certificates, which connections pin one by one.
    pub client_certificates: bool,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or used.
    #[error("{what} {}: {why}", file.display())]
    File {
        /// What the file is.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: ErrorStack,
    },
    /// A file cannot be read.
    #[error("the key {}: {why}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why it cannot be read.
        why: std::io::Error,
    },
    /// The key is not that of the certificate.
    #[error("the key {} is not that of the certificate", .0.display())]
    OtherKey(PathBuf),
    /// OpenSSL fails.
    #[error("OpenSSL: {0}")]
    OpenSsl(#[from] ErrorStack),
}

impl Tls {
    /// Checks that the files can be used.
    ///
    /// # Errors
    /// They cannot.
    pub fn check(&self) -> Result<(), TlsError> {
        self.builder().map(drop)
    }

    fn builder(&self) -> Result<SslAcceptorBuilder, TlsError> {
        let wrong = |what, file: &Path| {
            let file = file.to_owned();
            move |why| TlsError::File { what, file, why }
        };
        let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        // What a session was begun with is checked again: see `ClientCertificate`.
        builder.set_session_id_context(b"headcount")?;
        let file = self.certificate.as_path();
        builder.set_certificate_chain_file(file).map_err(wrong("the certificate", file))?;
        let file = self.key.as_path();
        let key =
            fs::read(file).map_err(|why| TlsError::Unreadable { file: file.to_owned(), why })?;
        let key = PKey::private_key_from_pem(&key).map_err(wrong("the key", file))?;
        builder.set_private_key(&key).map_err(|_| TlsError::OtherKey(self.key.clone()))?;
        builder.check_private_key().map_err(|_| TlsError::OtherKey(self.key.clone()))?;
        if let Some(file) = &self.client_ca {
            let names =
                X509Name::load_client_ca_file(file).map_err(wrong("the authorities", file))?;
            builder.set_client_ca_list(names);
            builder.set_ca_file(file).map_err(wrong("the authorities", file))?;
        }
        if self.client_certificates || self.client_ca.is_some() {
            builder.set_verify_callback(SslVerifyMode::PEER, take_any);
        }
        Ok(builder)
    }

    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.certificate, &self.key].into_iter().chain(self.client_ca.as_ref())
    }

    /// What changes when a file is changed or another one is put in its place.
    fn state(&self) -> State {
        let of = |file: &PathBuf| {
            let about = fs::metadata(file).ok()?;
            Some((about.modified().ok()?, about.len()))
        };
        self.files().map(of).collect()
    }
}

/// When each file was changed and how long it is; none for one that is not there.
type State = Vec<Option<(SystemTime, u64)>>;

/// Any certificate is taken here; whether an authority has signed it is noted by OpenSSL.
fn take_any(_is_right: bool, _: &mut X509StoreContextRef) -> bool {
    // What was wrong with it would be taken for a failure of what comes next.
    drop(ErrorStack::get());
    true
}

/// The certificate that new connections take.
#[derive(Clone)]
struct Current(Arc<RwLock<SslContext>>);

impl Current {
    fn get(&self) -> SslContext {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, context: SslContext) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = context;
    }
}

/// What looks at the files of an acceptor.
pub(crate) struct Reload {
    tls: Tls,
    current: Current,
    /// What the files were before they were read, so that no change of them is missed.
    before: State,
}

/// An acceptor whose connections take what is current, and what keeps that current.
///
/// # Errors
/// The files cannot be used.
pub(crate) fn acceptor(tls: Tls) -> Result<(SslAcceptorBuilder, Reload), TlsError> {
    let before = tls.state();
    let current = Current(Arc::new(RwLock::new(tls.builder()?.build().into_context())));
    let mut builder = tls.builder()?;
    let taken = current.clone();
    // OpenSSL calls this also for clients that name no server.
    builder.set_servername_callback(move |ssl, _| {
        ssl.set_ssl_context(&taken.get()).map_err(|_| SniError::ALERT_FATAL)
    });
    Ok((builder, Reload { tls, current, before }))
}

impl Reload {
    /// Takes what is in the files whenever they change, until it is aborted.
    ///
    /// # Errors
    /// The signal cannot be heard.
    pub(crate) async fn run(mut self) -> std::io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut every = interval(PERIOD);
        loop {
            let is_told = tokio::select! {
                _ = every.tick() => false,
                _ = hangup.recv() => true,
            };
            let (files, before) = (self.tls.clone(), self.before.clone());
            let looked = block(move || {
                let state = files.state();
                let is_due = is_told || state != before;
                (state, is_due.then(|| files.builder()))
            });
            let Ok((state, built)) = looked.await else { return Ok(()) };
            self.before = state;
            match built {
                Some(Ok(builder)) => {
                    self.current.set(builder.build().into_context());
                    tracing::info!("took the certificate anew");
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "the new certificate cannot be used; the one before stays");
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::x509::X509;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Puts a new certificate and its key in the files, and gives the certificate.
    fn write(tls: &Tls) -> Vec<u8> {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut builder = X509::builder().unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let certificate = builder.build();
        fs::write(&tls.certificate, certificate.to_pem().unwrap()).unwrap();
        fs::write(&tls.key, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        certificate.to_der().unwrap()
    }

    #[actix_web::test]
    async fn a_certificate_changed_before_the_first_look_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let tls = Tls {
            certificate: folder.path().join("tls.pem"),
            key: folder.path().join("tls.key"),
            client_ca: None,
            client_certificates: false,
        };
        let old = write(&tls);
        let (_, reload) = acceptor(tls.clone()).unwrap();
        let current = reload.current.clone();
        let shown = || current.get().certificate().unwrap().to_der().unwrap();
        assert_eq!(shown(), old);
        // The clock that files are stamped with may stand still for some milliseconds.
        sleep(Duration::from_millis(50)).await;
        let new = write(&tls);
        let reload = actix_web::rt::spawn(reload.run());
        let taken = async {
            while shown() != new {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(60), taken).await.expect("the new certificate is taken");
        reload.abort();
    }
}
