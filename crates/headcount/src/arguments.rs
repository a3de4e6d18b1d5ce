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
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,

    /// The URL under which clients reach the service [default: http:// and the request's Host]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,

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

#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// The tenant's name
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,

    /// How the client is read: strict, standard, entra or okta [default: standard]
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Option<String>,

    /// The connection's name: one for each application of an identity provider [default: the dialect's]
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,

    /// What a new connection may do: scim.users.read, scim.users.write, scim.groups.read,
    /// scim.groups.write, scim.delete, scim.roles.assign, scim.license.assign,
    /// scim.password.set, login.report, which is for the login service, or admin, which is everything
    /// [default: all that begin with scim]
    #[arg(long, value_name = "LIST")]
    pub(crate) scopes: Option<String>,

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
