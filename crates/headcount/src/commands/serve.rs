//! `headcount serve`

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use accounts::roles;
use actix_web::web::block;
use anyhow::{Context, ensure};
use scim_protocol::dialect::Dialect;
use server::clock;
use server::{BASE_PATH, Keys, Signals, Telemetry, Watch};
use store::Store;

use super::{open_url as open, tenant, token};
use crate::settings::Settings;

/// The tenant that the first start makes.
const DEMO: &str = "demo";

pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let telemetry = Telemetry::new();
    let watch = settings.telemetry_listen.as_deref().map(|address| watch(&telemetry, address));
    let watch = watch.transpose()?;
    let told = settings.of_server(telemetry)?;
    let (url, replica) = (settings.database()?, settings.read_database()?);
    // Meanwhile it is told that the service starts.
    let store = block(move || {
        store::check(&url)?;
        open(&url, replica.as_ref())
    });
    let store = store.await??;
    let listener = bind(&settings.listen, "--listen")?;
    let address = listener.local_addr()?;
    ensure!(
        told.tls.is_some() || address.ip().is_loopback() || !told.trusted_proxies.is_empty(),
        "plain HTTP on {address} would show every token on its way: give --tls-certificate and \
         --tls-key, listen on a loopback address such as 127.0.0.1:8080, or name the proxies in front \
         that end TLS with --trusted-proxies"
    );
    let keys = Keys::of_installation(&store).await?;
    store.write(|tx| roles::refresh(tx, clock::now(), clock::new_id)).await?;
    let token = first_start(&settings, &store).await?;
    let scheme = if told.tls.is_some() { "https" } else { "http" };
    let local = || format!("{scheme}://{}", reachable(address));
    let root = settings.public_url.clone().unwrap_or_else(local);
    let told = server::Settings { mailer: settings.mailer(&root)?, ..told };
    // Before anybody hears that it serves: who then ends it loses nothing.
    let signals = Signals::new()?;
    greet(&settings, &root, token.as_deref())?;
    server::serve(listener, store, keys, told, signals).await?;
    if let Some(watch) = watch {
        watch.stop().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Serves what operators ask, and says where.
fn watch(telemetry: &Telemetry, address: &str) -> anyhow::Result<Watch> {
    let listener = bind(address, "--telemetry-listen")?;
    let address = reachable(listener.local_addr()?);
    let watch = telemetry.listen(listener)?;
    writeln!(std::io::stdout(), "Telemetry: http://{address}/metrics")?;
    Ok(watch)
}

fn bind(address: &str, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address}: choose another address with {flag}"))
}

/// On an embedded database of nobody's choosing, without tenants: makes one to try things with.
async fn first_start(settings: &Settings, store: &Store) -> anyhow::Result<Option<String>> {
    if !tenant::all(store).await?.is_empty() {
        return Ok(None);
    }
    if settings.database.is_some() {
        eprintln!(
            "There is no tenant yet: headcount tenant create NAME, then token create --tenant NAME"
        );
        return Ok(None);
    }
    tenant::insert(store, DEMO.to_owned()).await?;
    let expires = token::expiry(&settings.expires, clock::now())?;
    let dialect = Dialect::default();
    let made =
        token::insert(store, DEMO.to_owned(), dialect.to_string(), dialect, None, expires).await?;
    Ok(Some(made))
}

fn greet(settings: &Settings, root: &str, token: Option<&str>) -> anyhow::Result<()> {
    let base = format!("{root}{BASE_PATH}");
    let mut out = std::io::stdout().lock();
    writeln!(out, "Headcount {} on {}", env!("CARGO_PKG_VERSION"), settings.database()?)?;
    writeln!(out, "Base URL: {base}")?;
    if let Some(token) = token {
        writeln!(out, "Token:    {token}")?;
        writeln!(out)?;
        writeln!(out, "The token is for the tenant \"{DEMO}\" and is shown only now. Try it:")?;
        writeln!(out)?;
        writeln!(out, "curl -H 'Authorization: Bearer {token}' '{base}/Users'")?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}

/// An address that stands for all of them is reached under the local one.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let local: std::net::IpAddr = if address.is_ipv4() {
        [127, 0, 0, 1].into()
    } else {
        std::net::Ipv6Addr::LOCALHOST.into()
    };
    SocketAddr::new(local, address.port())
}
