//! The command line. Every flag is a setting too: see [`crate::settings`].

#![allow(clippy::doc_markdown, reason = "the doc comments are what --help prints")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A SCIM 2.0 provisioning service for contact centres
#[derive(Debug, Parser)]
#[command(name = "headcount", version, about, after_help = ENVIRONMENT)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,

    #[command(flatten)]
    pub(crate) serve: ServeArguments,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const ENVIRONMENT: &str = "\
Every flag but those of simulate can also be set in the environment (HEADCOUNT_DATABASE, HEADCOUNT_LISTEN, \
HEADCOUNT_PUBLIC_URL, ...) or in a TOML file (database = \"...\"), headcount.toml unless --config \
names another. Flags win over the environment, the environment over the file.";

#[derive(Debug, Args)]
pub(crate) struct GlobalArguments {
    /// Where the data is: sqlite:PATH or postgres://USER@HOST/DATABASE [default: sqlite:headcount.db]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,

    /// A TOML file with settings [default: headcount.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<String>,

    /// What is logged to standard error: error, warn, info, debug, or a tracing filter [default: info]
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,

    /// How it is logged: text or json [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,

    /// Log also what may name people: whole URLs, and what the database says of values
    #[arg(long, global = true)]
    pub(crate) log_personal_data: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,

    /// A standby of the database that answers what only reads, as soon as it has all that was acknowledged
    /// before: postgres://USER@HOST/DATABASE [default: none]
    #[arg(long, value_name = "URL")]
    pub(crate) read_database: Option<String>,

    /// The URL under which clients reach the service [default: http:// and the request's Host]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// The certificate to speak TLS with and those that vouch for it, in PEM; taken anew when it changes
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<String>,

    /// The private key of the certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<String>,

    /// Authorities whose certificates of clients are trusted by their subjects, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_client_ca: Option<String>,

    /// Ask clients for certificates, which connections pin one by one
    #[arg(long)]
    pub(crate) tls_client_certificates: bool,

    /// Proxies that end TLS: networks such as 10.0.0.0/8. What they say in Forwarded or X-Forwarded-* is
    /// believed, and plain HTTP is spoken for them on other addresses than loopback
    #[arg(long, value_name = "LIST")]
    pub(crate) trusted_proxies: Option<String>,
    /// The address of /healthz, /readyz and /metrics, for whoever watches the service; port 0 takes a
    /// free one [default: none]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) telemetry_listen: Option<String>,

    /// Where traces are sent, by OTLP over HTTP, such as http://localhost:4318 [default: nowhere]
    #[arg(long, value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,

    /// Requests a second of one connection, where its own rateLimit says nothing; 0 for no limit
    /// [default: 1000]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) rate_limit: Option<u32>,

    /// How long a request is worked at, such as 90s [default: 90s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) request_timeout: Option<String>,

    /// Connections at once; more wait until one ends [default: 8192]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_connections: Option<u32>,

    /// How long requests are still taken in after SIGTERM while /readyz says 503, such as 5s: until the load
    /// balancer in front sends them elsewhere [default: 0s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) drain_delay: Option<String>,

    /// Where mails go: smtp://HOST:PORT, smtps://HOST:PORT, or file:FOLDER to try things; user and
    /// password are mail_user and mail_password, in the environment or the file [default: none are sent]
    #[arg(long, value_name = "URL")]
    pub(crate) mail: Option<String>,

    /// Who sends mails: an address, or a name with one
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,

    /// How many requests of people who are not logged in are answered from one address in a minute; 0 for
    /// as many as come, as behind a proxy whose address all share [default: 60]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) login_rate: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve (what happens without a command)
    Serve(ServeArguments),
    /// Bring the database up to date and exit
    Migrate,
    /// Indexes with which parts of names are found in milliseconds among a million users: PostgreSQL only
    ///
    /// They cost a tenth of each create and as much of each change of a user. Without them the indexes of
    /// the names are read, in half a second. The service goes on while they are made, which takes a minute
    /// for a million users.
    Trigrams {
        #[command(subcommand)]
        command: TrigramCommand,
    },
    /// Copy an SQLite database while the service goes on: into FILE, and its provisioning log into the
    /// file FILE-log beside it
    ///
    /// Both copies are checked in full. They hold the installation's keys: keep them as safe as the
    /// database. PostgreSQL is backed up by pg_dump or its like.
    Backup(CopyArguments),
    /// Make an SQLite database what it was when FILE was made by backup; the service must be stopped
    Restore(CopyArguments),
    /// Ask a server for a page, such as http://127.0.0.1:9464/readyz; the exit status is 1 unless it is there
    ///
    /// It is for health checks where there is no other program, as in the container image.
    Probe {
        /// The page
        url: String,
    },
    /// Check that the change log is whole; what is wrong is printed, and the exit status is 1 then
    VerifyLog {
        /// Only the log of this tenant
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
    /// Drive a service as an identity provider would for days, then compare what both hold
    ///
    /// Without --base-url it is a service of its own, on an empty database that is gone afterwards. The exit
    /// status is 1 if anything differs from what the provider believes, or if a check fails.
    Simulate(SimulateArguments),
    /// Tenants: organisations that see nothing of each other
    Tenant {
        #[command(subcommand)]
        command: TenantCommand,
    },
    /// Tokens: what an identity provider authenticates with
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Credentials: what a client proves itself with besides tokens
    Credential {
        #[command(subcommand)]
        command: CredentialCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CopyArguments {
    /// The backup
    pub(crate) file: PathBuf,

    /// Overwrite what is there
    #[arg(long)]
    pub(crate) overwrite: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrigramCommand {
    /// Make those that are not there, with PostgreSQL's extensions pg_trgm and btree_gin
    Create,
    /// Take them away; the extensions stay
    Drop,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant
    Create {
        /// Its name, unique without case
        name: String,
    },
    /// List the tenants
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and its connection where there is none; standard output gets the token alone
    Create(TokenArguments),
    /// List a tenant's tokens, without their secrets
    List {
        /// The tenant's name
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
    /// Revoke a token
    Revoke {
        /// The token's id: what stands between `hc_` and the next `_`
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialCommand {
    /// Make a secret, which a client gives for access tokens at /oauth/token; it is shown once
    Secret(TokenArguments),
    /// Trust an issuer whose JWTs say who the client is, such as Microsoft Entra ID
    Issuer(IssuerArguments),
    /// Pin a certificate that the client shows while TLS begins
    Certificate(CertificateArguments),
    /// List a tenant's credentials, without their secrets
    List {
        /// The tenant's name
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
    },
    /// Revoke a credential
    Revoke {
        /// The credential's id, as it is listed
        id: String,
    },
}

/// Of which connection a credential is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConnectionArguments {
    /// The tenant's name
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,

    /// How the client is read: strict, standard, entra or okta [default: standard]
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Option<String>,

    /// The connection's name, made where there is none: one for each application of an identity provider
    /// [default: the dialect's]
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,

    /// What a new connection may do: scim.users.read, scim.users.write, scim.groups.read,
    /// scim.groups.write, scim.delete, scim.roles.assign, scim.license.assign,
    /// scim.password.set, login.report, which is for the login service, or admin, which is everything
    /// [default: all that begin with scim]
    #[arg(long, value_name = "LIST")]
    pub(crate) scopes: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct IssuerArguments {
    #[command(flatten)]
    pub(crate) of: ConnectionArguments,

    /// What its JWTs are for: assertion, to get access tokens with; bearer, to be sent with each request
    #[arg(long = "for", value_name = "USAGE", default_value = "assertion")]
    pub(crate) usage: Usage,

    /// The claim iss
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: String,

    /// What is in the claim aud
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: String,

    /// What the subject claim says
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: String,

    /// The claim that names the client: sub, client_id, azp, appid, ...
    #[arg(long, value_name = "CLAIM", default_value = "sub")]
    pub(crate) subject_claim: String,

    /// Where its public keys are
    #[arg(long, value_name = "URL", conflicts_with = "jwks_file")]
    pub(crate) jwks_url: Option<String>,

    /// A file with its public keys, a JSON Web Key set, where they cannot be fetched
    #[arg(long, value_name = "FILE")]
    pub(crate) jwks_file: Option<PathBuf>,
}

/// What an issuer's JWTs are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Usage {
    Assertion,
    Bearer,
}

impl From<Usage> for accounts::credentials::Usage {
    fn from(usage: Usage) -> Self {
        match usage {
            Usage::Assertion => Self::Assertion,
            Usage::Bearer => Self::Bearer,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CertificateArguments {
    #[command(flatten)]
    pub(crate) of: ConnectionArguments,

    /// The certificate in a PEM file; it counts until it ends, whoever signed it
    #[arg(long, value_name = "FILE", conflicts_with = "subject")]
    pub(crate) certificate: Option<PathBuf>,

    /// The subject of certificates that an authority of --tls-client-ca has signed: CN=okta,O=Example
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    #[command(flatten)]
    pub(crate) of: ConnectionArguments,

    /// How long the token lives, such as 12h or 90d; at most ten years [default: 90d]
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SimulateArguments {
    /// Who provisions
    pub(crate) provider: Provider,

    /// How many people the company has in the beginning
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(10..=20_000))]
    pub(crate) users: u16,

    /// What the company follows from; a service that was driven before needs another one
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// The base URL of the service to drive; that of Headcount ends in /scim/v2 [default: one of its own]
    #[arg(long, value_name = "URL", requires = "token")]
    pub(crate) base_url: Option<String>,

    /// The bearer token that the service accepts
    #[arg(long, value_name = "TOKEN", env = "HEADCOUNT_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,

    /// Where to write the report, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// Who provisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// Okta with a custom application: PUT
    Okta,
    /// Okta with an application of its network: PATCH
    OktaOin,
    /// Microsoft Entra ID
    Entra,
    /// Microsoft Entra ID with aadOptscim062020
    EntraCompliant,
    /// The checks of Microsoft's validators
    EntraValidator,
}
