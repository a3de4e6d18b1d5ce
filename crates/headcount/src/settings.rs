//! Settings: defaults, then a file, then the environment, then flags; the last one wins.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Uri;
use anyhow::{Context, anyhow, bail, ensure};
use config::{Config, Environment, File, FileFormat};
use ipnet::IpNet;
use jiff::SignedDuration;
use serde::Deserialize;
use server::{BASE_PATH, LOGIN_RATE, Mailer, Telemetry, Tls, Transport};
use store::DatabaseUrl;

use crate::arguments::{
    Arguments, CertificateArguments, Command, ConnectionArguments, CredentialCommand,
    IssuerArguments, ServeArguments, TokenArguments, TokenCommand,
};

/// The file that is read if there is one and no other is named.
const FILE: &str = "headcount.toml";

/// The database that is made where none is named.
const EMBEDDED: &str = "sqlite:headcount.db";

/// Who sends mails that go into files, if nobody says.
const MAIL_FROM: &str = "Headcount <headcount@localhost.localdomain>";

/// What is logged where nothing else is asked for. What actix says of requests that are no HTTP is
/// the clients' doing, and as much as they like.
const LOG: &str = "info,actix_server=warn,actix_http=off";

/// What a simulation logs: its server's requests would hide what it prints itself.
const LOG_OF_SIMULATION: &str = "error";

/// Every setting; the names are those of the flags.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) database: Option<String>,
    pub(crate) read_database: Option<String>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    pub(crate) log_personal_data: bool,
    pub(crate) listen: String,
    pub(crate) public_url: Option<String>,
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) tls_client_ca: Option<PathBuf>,
    pub(crate) tls_client_certificates: bool,
    pub(crate) trusted_proxies: Option<String>,
    pub(crate) telemetry_listen: Option<String>,
    pub(crate) otlp_endpoint: Option<String>,
    pub(crate) rate_limit: Option<u32>,
    pub(crate) request_timeout: Option<String>,
    pub(crate) max_connections: Option<u32>,
    pub(crate) drain_delay: Option<String>,
    pub(crate) mail: Option<String>,
    pub(crate) mail_from: Option<String>,
    pub(crate) mail_user: Option<String>,
    pub(crate) mail_password: Option<Hidden>,
    pub(crate) login_rate: u32,
    pub(crate) tenant: Option<String>,
    pub(crate) dialect: String,
    pub(crate) connection: Option<String>,
    pub(crate) scopes: Option<String>,
    pub(crate) expires: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// An object of JSON in each line, for programs.
    Json,
}

/// A setting that nothing prints.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What a file may hold: a name that is none of these is a mistake, and said to be one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read for its names alone")]
struct Names {
    database: Option<String>,
    read_database: Option<String>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    log_personal_data: Option<bool>,
    listen: Option<String>,
    public_url: Option<String>,
    tls_certificate: Option<String>,
    tls_key: Option<String>,
    tls_client_ca: Option<String>,
    tls_client_certificates: Option<bool>,
    trusted_proxies: Option<String>,
    telemetry_listen: Option<String>,
    otlp_endpoint: Option<String>,
    rate_limit: Option<u32>,
    request_timeout: Option<String>,
    max_connections: Option<u32>,
    drain_delay: Option<String>,
    mail: Option<String>,
    mail_from: Option<String>,
    mail_user: Option<String>,
    mail_password: Option<Hidden>,
    login_rate: Option<u32>,
    tenant: Option<String>,
    dialect: Option<String>,
    connection: Option<String>,
    scopes: Option<String>,
    expires: Option<String>,
}

impl Settings {
    pub(crate) fn load(arguments: &Arguments) -> anyhow::Result<Self> {
        let named =
            arguments.global.config.clone().or_else(|| std::env::var("HEADCOUNT_CONFIG").ok());
        let file =
            File::new(named.as_deref().unwrap_or(FILE), FileFormat::Toml).required(named.is_some());
        Config::builder()
            .add_source(file.clone())
            .build()
            .and_then(Config::try_deserialize::<Names>)
            .with_context(|| format!("settings file {}", named.as_deref().unwrap_or(FILE)))?;
        let simulates = matches!(arguments.command, Some(Command::Simulate(_)));
        let mut settings = Config::builder()
            .set_default("log", if simulates { LOG_OF_SIMULATION } else { LOG })?
            .set_default("log_format", "text")?
            .set_default("log_personal_data", false)?
            .set_default("listen", "127.0.0.1:8080")?
            .set_default("tls_client_certificates", false)?
            .set_default("login_rate", i64::from(LOGIN_RATE))?
            .set_default("dialect", "standard")?
            .set_default("expires", "90d")?
            .add_source(file)
            .add_source(Environment::with_prefix("HEADCOUNT").ignore_empty(true));
        for (name, flag) in flags(arguments) {
            settings = settings.set_override_option(name, flag)?;
        }
        let mut settings: Self =
            settings.build()?.try_deserialize().context("the settings cannot be read")?;
        settings.log_personal_data |= arguments.global.log_personal_data;
        settings.public_url = settings.public_url.as_deref().map(checked_url).transpose()?;
        Ok(settings)
    }

    /// Where the data is.
    pub(crate) fn database(&self) -> anyhow::Result<DatabaseUrl> {
        Ok(self.database.as_deref().unwrap_or(EMBEDDED).parse()?)
    }

    /// Where a replica of the data is, if there is one.
    pub(crate) fn read_database(&self) -> anyhow::Result<Option<DatabaseUrl>> {
        let parsed = self.read_database.as_deref().map(str::parse).transpose();
        parsed.context("--read-database")
    }

    /// How TLS is spoken, if it is.
    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let (certificate, key) = match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            (None, None) => {
                let asks = self.tls_client_ca.is_some() || self.tls_client_certificates;
                ensure!(!asks, "certificates of clients need --tls-certificate and --tls-key");
                return Ok(None);
            }
            _ => bail!("--tls-certificate and --tls-key go together"),
        };
        let tls = Tls {
            certificate,
            key,
            client_ca: self.tls_client_ca.clone(),
            client_certificates: self.tls_client_certificates,
        };
        tls.check()?;
        Ok(Some(tls))
    }

    /// The proxies that are believed what they say of a request.
    fn trusted_proxies(&self) -> anyhow::Result<Vec<IpNet>> {
        let nets = self.trusted_proxies.as_deref().unwrap_or_default().split(',').map(str::trim);
        nets.filter(|net| !net.is_empty()).map(network).collect()
    }

    /// What the server is told.
    pub(crate) fn of_server(&self, telemetry: Telemetry) -> anyhow::Result<server::Settings> {
        let usual = server::Settings::default();
        let timeout = self.request_timeout.as_deref().map(request_timeout).transpose()?;
        let drain_delay = self.drain_delay.as_deref().map(drain_delay).transpose()?;
        let connections = self.max_connections.map(|most| most as usize);
        ensure!(connections != Some(0), "--max-connections 0: at least one must be");
        Ok(server::Settings {
            public_url: self.public_url.clone(),
            tls: self.tls()?,
            trusted_proxies: self.trusted_proxies()?,
            telemetry,
            rate_limit: self.rate_limit.map_or(usual.rate_limit, NonZeroU32::new),
            request_timeout: timeout.unwrap_or(usual.request_timeout),
            connections: connections.unwrap_or(usual.connections),
            drain_delay: drain_delay.unwrap_or(usual.drain_delay),
            mailer: None,
            login_rate: self.login_rate,
        })
    }

    /// How mails are sent whose links begin with `root`, if they are.
    pub(crate) fn mailer(&self, root: &str) -> anyhow::Result<Option<Mailer>> {
        let Some(mail) = &self.mail else { return Ok(None) };
        let password = self.mail_password.clone().map(|password| password.0);
        let transport = Transport::of(mail, self.mail_user.clone(), password)
            .with_context(|| format!("--mail {mail:?}"))?;
        ensure!(
            self.public_url.is_some() || !transport.is_smtp(),
            "--mail: links in mails begin with --public-url, which is missing"
        );
        ensure!(
            self.mail_from.is_some() || !transport.is_smtp(),
            "--mail: --mail-from says who sends mails, and is missing"
        );
        let from = self.mail_from.clone().unwrap_or_else(|| MAIL_FROM.to_owned());
        Ok(Some(Mailer { transport: Arc::new(transport), from, base: root.to_owned() }))
    }

    /// The tenant that a command is about.
    pub(crate) fn tenant(&self) -> anyhow::Result<&str> {
        self.tenant.as_deref().context("--tenant NAME is missing")
    }
}

fn flags(arguments: &Arguments) -> Vec<(&'static str, Option<String>)> {
    let mut flags = vec![
        ("database", arguments.global.database.clone()),
        ("log", arguments.global.log.clone()),
        ("log_format", arguments.global.log_format.clone()),
    ];
    let mut serve = |serve: &ServeArguments| {
        flags.push(("read_database", serve.read_database.clone()));
        flags.push(("listen", serve.listen.clone()));
        flags.push(("public_url", serve.public_url.clone()));
        flags.push(("tls_certificate", serve.tls_certificate.clone()));
        flags.push(("tls_key", serve.tls_key.clone()));
        flags.push(("tls_client_ca", serve.tls_client_ca.clone()));
        let asks = serve.tls_client_certificates.then(|| "true".to_owned());
        flags.push(("tls_client_certificates", asks));
        flags.push(("trusted_proxies", serve.trusted_proxies.clone()));
        flags.push(("telemetry_listen", serve.telemetry_listen.clone()));
        flags.push(("otlp_endpoint", serve.otlp_endpoint.clone()));
        flags.push(("rate_limit", serve.rate_limit.map(|rate| rate.to_string())));
        flags.push(("request_timeout", serve.request_timeout.clone()));
        flags.push(("max_connections", serve.max_connections.map(|most| most.to_string())));
        flags.push(("drain_delay", serve.drain_delay.clone()));
        flags.push(("mail", serve.mail.clone()));
        flags.push(("mail_from", serve.mail_from.clone()));
        flags.push(("login_rate", serve.login_rate.map(|rate| rate.to_string())));
    };
    serve(&arguments.serve);
    match &arguments.command {
        Some(Command::Serve(arguments)) => serve(arguments),
        Some(
            Command::Token { command: TokenCommand::Create(token) }
            | Command::Credential { command: CredentialCommand::Secret(token) },
        ) => {
            let TokenArguments { of, expires } = token;
            flags.extend(of_connection(of));
            flags.push(("expires", expires.clone()));
        }
        Some(Command::Credential {
            command:
                CredentialCommand::Issuer(IssuerArguments { of, .. })
                | CredentialCommand::Certificate(CertificateArguments { of, .. }),
        }) => {
            flags.extend(of_connection(of));
        }
        Some(
            Command::Token { command: TokenCommand::List { tenant } }
            | Command::Credential { command: CredentialCommand::List { tenant } }
            | Command::VerifyLog { tenant },
        ) => {
            flags.push(("tenant", tenant.clone()));
        }
        _ => {}
    }
    flags
}

fn of_connection(of: &ConnectionArguments) -> [(&'static str, Option<String>); 4] {
    let ConnectionArguments { tenant, dialect, connection, scopes } = of;
    [
        ("tenant", tenant.clone()),
        ("dialect", dialect.clone()),
        ("connection", connection.clone()),
        ("scopes", scopes.clone()),
    ]
}

/// A network, or one address.
fn network(text: &str) -> anyhow::Result<IpNet> {
    let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map_err(|_| anyhow!("--trusted-proxies {text:?}: give networks such as 10.0.0.0/8"))
}

/// How long a request may take.
fn request_timeout(text: &str) -> anyhow::Result<Duration> {
    duration(text, ONE_SECOND..=ONE_HOUR).with_context(|| {
        format!("--request-timeout {text:?}: give a duration such as 90s, at most an hour")
    })
}

/// How long requests are still taken in after SIGTERM.
fn drain_delay(text: &str) -> anyhow::Result<Duration> {
    duration(text, Duration::ZERO..=FIVE_MINUTES).with_context(|| {
        format!("--drain-delay {text:?}: give a duration such as 5s, at most five minutes")
    })
}

fn duration(text: &str, range: RangeInclusive<Duration>) -> Option<Duration> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|time| time.try_into().ok());
    parsed.filter(|time| range.contains(time))
}

const ONE_SECOND: Duration = Duration::from_secs(1);
const ONE_HOUR: Duration = Duration::from_secs(3_600);
const FIVE_MINUTES: Duration = Duration::from_secs(300);

/// The URL above the endpoint, without a slash at its end; it may have a path.
fn checked_url(url: &str) -> anyhow::Result<String> {
    let url = url.trim_end_matches('/');
    let parsed: Option<Uri> = url.parse().ok();
    let is_url = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
    });
    ensure!(
        is_url && !url.contains('#') && !url.ends_with(BASE_PATH),
        "--public-url {url:?}: give the URL above {BASE_PATH}, such as https://scim.example.com"
    );
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_a_second_to_an_hour() {
        assert_eq!(request_timeout("90s").unwrap().as_secs(), 90);
        assert_eq!(request_timeout("2m").unwrap().as_secs(), 120);
        for refused in ["", "90", "0s", "-1s", "999ms", "2h", "soon"] {
            assert!(request_timeout(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_server_drains_for_five_minutes_at_most() {
        assert_eq!(drain_delay("0s").unwrap(), Duration::ZERO);
        assert_eq!(drain_delay("5s").unwrap().as_secs(), 5);
        for refused in ["", "5", "-1s", "301s", "soon"] {
            assert!(drain_delay(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_public_url_is_one_above_the_endpoint() {
        for (given, kept) in [
            ("https://scim.example.com", "https://scim.example.com"),
            ("https://scim.example.com/", "https://scim.example.com"),
            ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
            ("https://idp.example.com/prefix/", "https://idp.example.com/prefix"),
        ] {
            assert_eq!(checked_url(given).unwrap(), kept);
        }
        for refused in [
            "",
            "/",
            "scim.example.com",
            "https://",
            "ftp://scim.example.com",
            "https://user:secret@scim.example.com",
            "https://scim.example.com?x=1",
            "https://scim.example.com#x",
            "https://scim.example.com/a b",
            "https://scim.example.com/scim/v2",
        ] {
            assert!(checked_url(refused).is_err(), "{refused}");
        }
    }
}
