//! A server of its own for a simulation, which is gone with it.

use std::net::TcpListener;
use std::time::Duration;

use accounts::roles;
use actix_web::rt::{self, task::JoinHandle, time::timeout};
use scim_protocol::dialect::Dialect;
use server::{BASE_PATH, Keys, ServeError, Signals, clock};
use simulators::http::Endpoint;
use store::{DatabaseUrl, Store};
use tempfile::TempDir;

use crate::arguments::Provider;
use crate::commands::{tenant, token};

const TENANT: &str = "demo";
/// How long a server takes to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server, its database and what it lets in.
pub(super) struct Demo {
    serving: JoinHandle<Result<(), ServeError>>,
    endpoint: Endpoint,
    /// Taken away with everything in it when the demo ends.
    _folder: TempDir,
}

impl Demo {
    /// Starts a server on a free port, with an empty SQLite database and a tenant.
    pub(super) async fn start(provider: Provider) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let url: DatabaseUrl =
            format!("sqlite:{}", folder.path().join("demo.db").display()).parse()?;
        let store = Store::open(&url)?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let base_url = format!("http://{}{BASE_PATH}", listener.local_addr()?);
        let keys = Keys::of_installation(&store).await?;
        store.write(|tx| roles::refresh(tx, clock::now(), clock::new_id)).await?;
        tenant::insert(&store, TENANT.to_owned()).await?;
        let dialect = dialect(provider);
        let expires = token::expiry("1d", clock::now())?;
        let token =
            token::insert(&store, TENANT.to_owned(), dialect.to_string(), dialect, None, expires)
                .await?;
        // A company's days are over in a minute.
        let settings = server::Settings { rate_limit: None, ..server::Settings::default() };
        let serving = rt::spawn(server::serve(listener, store, keys, settings, Signals::new()?));
        Ok(Self { serving, endpoint: Endpoint { base_url, token }, _folder: folder })
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// Waits until a server that does not answer any more has stopped, as it does after Ctrl-C.
    ///
    /// # Errors
    /// It has stopped, and why.
    pub(super) async fn stopped(self) -> anyhow::Result<()> {
        let Ok(stopped) = timeout(PATIENCE, self.serving).await else { return Ok(()) };
        stopped??;
        anyhow::bail!("its server was told to stop")
    }
}

fn dialect(provider: Provider) -> Dialect {
    match provider {
        Provider::Okta | Provider::OktaOin => Dialect::Okta,
        Provider::Entra | Provider::EntraCompliant | Provider::EntraValidator => Dialect::Entra,
    }
}
