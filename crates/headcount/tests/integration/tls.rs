//! TLS: versions, certificates that change, and those of clients (RFC 8705).

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

use crate::harness::*;

on_each_database!(
    rfc7644_7_2_tls_is_spoken_from_version_1_2_on,
    rfc8705_2_2_a_pinned_certificate_opens_its_tenant,
    rfc8705_2_1_a_subject_counts_if_a_trusted_authority_has_signed_it,
);

/// A certificate and its private key.
struct Identity {
    certificate: X509,
    key: PKey<Private>,
}

impl Identity {
    fn self_signed(name: &str) -> Self {
        Self::make(name, None)
    }

    fn make(name: &str, authority: Option<&Self>) -> Self {
        let key = PKey::from_rsa(Rsa::generate(2_048).unwrap()).unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_text("O", "Example").unwrap();
        subject.append_entry_by_text("CN", name).unwrap();
        let subject = subject.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let mut serial = BigNum::new().unwrap();
        serial.rand(64, openssl::bn::MsbOption::MAYBE_ZERO, false).unwrap();
        builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        builder.set_subject_name(&subject).unwrap();
        let issuer = authority.map_or(subject.as_ref(), |other| other.certificate.subject_name());
        builder.set_issuer_name(issuer).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
        if authority.is_none() {
            let ca = BasicConstraints::new().critical().ca().build().unwrap();
            builder.append_extension(ca).unwrap();
        }
        let names = SubjectAlternativeName::new().ip("127.0.0.1").dns("localhost").build(
            &builder.x509v3_context(authority.map(|other| other.certificate.as_ref()), None),
        );
        builder.append_extension(names.unwrap()).unwrap();
        let signing = authority.map_or(&key, |other| &other.key);
        builder.sign(signing, MessageDigest::sha256()).unwrap();
        Self { certificate: builder.build(), key }
    }

    fn certificate_pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    /// Puts both in files.
    fn write(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (certificate, key) = (folder.join("tls.pem"), folder.join("tls.key"));
        fs::write(&certificate, self.certificate_pem()).unwrap();
        fs::write(&key, self.key_pem()).unwrap();
        (certificate, key)
    }

    /// How a client shows it to a server with this certificate.
    fn shown_to(&self, server: &Self) -> TlsConfig {
        let certificate = Certificate::from_pem(&self.certificate_pem()).unwrap();
        let key = PrivateKey::from_pem(&self.key_pem()).unwrap();
        let shown = ClientCert::new_with_certs(&[certificate], key);
        trusting(server, Some(shown))
    }
}

/// How a client speaks to a server with this certificate.
fn trusting(server: &Identity, shown: Option<ClientCert>) -> TlsConfig {
    let certificate = Certificate::from_pem(&server.certificate_pem()).unwrap();
    TlsConfig::builder()
        .provider(TlsProvider::NativeTls)
        .root_certs(RootCerts::new_with_certs(&[certificate]))
        .client_cert(shown)
        .build()
}

/// A server that speaks TLS with this certificate.
#[track_caller]
fn serve_tls(database: Database, identity: &Identity, more: &[&str]) -> Server {
    let database = TestDatabase::create(database);
    let (certificate, key) = identity.write(database.folder());
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--database", database.url()];
    let tls = ["--tls-certificate", &certificate, "--tls-key", &key];
    Server::run(&database, &[&arguments[..], &tls, more].concat(), &[])
}

/// The address that a server listens on.
fn address(server: &Server) -> String {
    let (_, rest) = server.base_url().split_once("://").unwrap();
    rest.split('/').next().unwrap().to_owned()
}

/// The certificate that a server shows to a client of this version alone; none if it refuses that.
fn shown(server: &Server, version: Option<SslVersion>) -> Option<X509> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_min_proto_version(version).unwrap();
    builder.set_max_proto_version(version).unwrap();
    // So that nothing but the server refuses the old versions.
    builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    let stream = TcpStream::connect(address(server)).unwrap();
    let stream = builder.build().connect("localhost", stream).ok()?;
    stream.ssl().peer_certificate()
}

fn rfc7644_7_2_tls_is_spoken_from_version_1_2_on(database: Database) {
    let identity = Identity::self_signed("scim.example.com");
    let server = serve_tls(database, &identity, &[]);
    assert!(server.base_url().starts_with("https://127.0.0.1"), "{}", server.base_url());
    let token = server.tenant("acme").token(&[]);
    let scim = server.client_with_token(&token).with_tls(trusting(&identity, None));
    let ada = scim.post("/Users", &user("ada")).expect(201);
    let location = ada.header("location").unwrap_or_default().to_owned();
    assert!(location.starts_with("https://"), "{location}");
    assert_eq!(ada.header("strict-transport-security"), Some("max-age=31536000"));
    let refused = server.anonymous().with_tls(trusting(&identity, None)).get("/Users");
    let refused = refused.expect_error(401, None);
    assert!(refused.header("strict-transport-security").is_some(), "on errors too");
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        assert!(shown(&server, Some(version)).is_some(), "{version:?}");
    }
    assert!(shown(&server, Some(SslVersion::TLS1_1)).is_none(), "TLS 1.1 is too old");
    let plain = Client::new(&server.base_url().replace("https:", "http:"), Some(&token));
    assert!(plain.try_send("GET", "/Users", None).is_err(), "there is no plain HTTP");
}

#[test]
fn a_certificate_is_exchanged_while_the_server_runs() {
    let (old, new) = (Identity::self_signed("old"), Identity::self_signed("new"));
    let server = serve_tls(Database::Sqlite, &old, &[]);
    let folder = server.database().folder().to_owned();
    let shows = |identity: &Identity| {
        let found = shown(&server, None).expect("a certificate");
        found.to_der().unwrap() == identity.certificate.to_der().unwrap()
    };
    assert!(shows(&old));
    new.write(&folder);
    soon("the new certificate is shown because the file changed", || shows(&new));
    // What cannot be used changes nothing, and is said.
    fs::write(folder.join("tls.pem"), old.certificate_pem()).unwrap();
    soon("the log says what is wrong", || server.stderr().contains("cannot be used"));
    assert!(shows(&new));
    fs::write(folder.join("tls.key"), old.key_pem()).unwrap();
    server.signal("-HUP");
    soon("the old certificate is shown again", || shows(&old));
    assert!(server.stderr().contains("took the certificate anew"), "{}", server.stderr());
}

fn rfc8705_2_2_a_pinned_certificate_opens_its_tenant(database: Database) {
    let identity = Identity::self_signed("scim.example.com");
    let server = serve_tls(database, &identity, &["--tls-client-certificates"]);
    let (okta, other) = (Identity::self_signed("okta"), Identity::self_signed("okta"));
    let token = server.tenant("acme").token(&["--connection", "token"]);
    server.tenant("globex");
    let file = server.database().folder().join("okta.pem");
    fs::write(&file, okta.certificate_pem()).unwrap();
    let pin = [
        "credential",
        "certificate",
        "--tenant",
        "acme",
        "--connection",
        "mutual",
        "--certificate",
        file.to_str().unwrap(),
    ];
    server.command(&pin).succeeded();
    let with = |config| server.anonymous().with_tls(config);
    let mutual = with(okta.shown_to(&identity));
    mutual.post("/Users", &user("ada")).expect(201);
    mutual.get("/Users").expect_user_names(&["ada"]);
    with(other.shown_to(&identity)).get("/Users").expect_error(401, None);
    with(trusting(&identity, None)).get("/Users").expect_error(401, None);
    // Who shows a token is whose token it is.
    let both = server.client_with_token(&token).with_tls(okta.shown_to(&identity));
    both.get("/Users").expect_user_names(&["ada"]);
    let wrong = server.client_with_token("hc_x").with_tls(okta.shown_to(&identity));
    wrong.get("/Users").expect_error(401, None);
    // Two tenants cannot mean the same certificate.
    let again = [&pin[..3], &["globex"], &pin[4..]].concat();
    let refused = server.command(&again).failed();
    assert!(refused.stderr.contains("trusts this already"), "{}", refused.stderr);
    let listed = server.command(&["credential", "list", "--tenant", "acme"]).succeeded().stdout;
    let line = listed.lines().find(|line| line.contains("certificate")).expect("it is listed");
    let id = line.split_whitespace().next().unwrap();
    assert!(!line.contains("certificate  never"), "it ends when the certificate does: {line}");
    server.command(&["credential", "revoke", id]).succeeded();
    soon("the certificate is refused", || mutual.get("/Users").status == 401);
}

fn rfc8705_2_1_a_subject_counts_if_a_trusted_authority_has_signed_it(database: Database) {
    let identity = Identity::self_signed("scim.example.com");
    let (authority, stranger) = (Identity::self_signed("CA"), Identity::self_signed("CA"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, authority.certificate_pem()).unwrap();
    let server = serve_tls(database, &identity, &["--tls-client-ca", file.to_str().unwrap()]);
    server.tenant("acme");
    let pin = ["credential", "certificate", "--tenant", "acme", "--subject", "CN=okta,O=Example"];
    server.command(&pin).succeeded();
    let with =
        |shown: &Identity| server.anonymous().with_tls(shown.shown_to(&identity)).get("/Users");
    with(&Identity::make("okta", Some(&authority))).expect(200);
    with(&Identity::make("okta", Some(&authority))).expect(200);
    with(&Identity::make("entra", Some(&authority))).expect_error(401, None);
    with(&Identity::make("okta", Some(&stranger))).expect_error(401, None);
    with(&Identity::self_signed("okta")).expect_error(401, None);
}

#[test]
fn plain_http_is_spoken_on_loopback_or_behind_a_named_proxy_alone() {
    let database = TestDatabase::create(Database::Sqlite);
    let serve = |more: &[&str]| {
        let fixed = ["serve", "--listen", "0.0.0.0:0", "--database", database.url()];
        [&fixed[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let refused = serve(&[]);
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    let refused = headcount(&refused).failed();
    for way_out in ["--tls-certificate", "127.0.0.1", "--trusted-proxies"] {
        assert!(refused.stderr.contains(way_out), "{}", refused.stderr);
    }
    let behind = serve(&["--trusted-proxies", "10.0.0.0/8, fd00::/8"]);
    let behind: Vec<&str> = behind.iter().map(String::as_str).collect();
    let server = Server::run(&database, &behind, &[]);
    server.anonymous().get("/ServiceProviderConfig").expect(200);
    for wrong in [
        ["--trusted-proxies", "everybody"],
        ["--tls-certificate", "/nowhere.pem"],
        ["--tls-client-ca", "/nowhere.pem"],
    ] {
        headcount(
            &[&["serve", "--listen", "127.0.0.1:0", "--database", database.url()], &wrong[..]]
                .concat(),
        )
        .failed();
    }
}

#[test]
fn a_key_that_is_another_certificates_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = Identity::self_signed("a").write(folder.path());
    fs::write(&key, Identity::self_signed("b").key_pem()).unwrap();
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let refused =
        headcount(&["serve", "--tls-certificate", &certificate, "--tls-key", &key]).failed();
    assert!(refused.stderr.contains("is not that of the certificate"), "{}", refused.stderr);
}

#[test]
fn what_a_proxy_says_is_believed_of_named_proxies_alone() {
    for (trusted, is_believed) in [("127.0.0.1", true), ("10.0.0.0/8", false)] {
        let database = TestDatabase::create(Database::Sqlite);
        let server = Server::run(
            &database,
            &[
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--database",
                database.url(),
                "--trusted-proxies",
                trusted,
            ],
            &[],
        );
        let scim = server.tenant("acme").client(Dialect::Standard);
        let scim = scim
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", "scim.example.com")
            .with_header("X-Forwarded-For", "192.0.2.77");
        let ada = scim.post("/Users", &user("ada")).expect(201);
        let location = ada.header("location").unwrap_or_default().to_owned();
        let expected =
            if is_believed { "https://scim.example.com/scim/v2/" } else { server.base_url() };
        assert!(location.starts_with(expected), "{location}");
        assert_eq!(ada.header("strict-transport-security").is_some(), is_believed);
        let client = if is_believed { "client=192.0.2.77 " } else { "client=127.0.0.1 " };
        soon("the log has the request", || server.stderr().contains(client));
    }
}
