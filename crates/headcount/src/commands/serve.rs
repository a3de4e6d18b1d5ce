//! `headcount serve`

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use accounts::roles;
use anyhow::{Context, ensure};
use scim_protocol::dialect::Dialect;
use server::clock;
use server::{BASE_PATH, Keys};
use store::Store;

use super::{open, tenant, token};
use crate::settings::Settings;

/// The tenant that the first start makes.
const DEMO: &str = "demo";

pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    store::check(&settings.database()?)?;
    let (tls, trusted_proxies) = (settings.tls()?, settings.trusted_proxies()?);
    let store = open(&settings)?;
    let listener = TcpListener::bind(&settings.listen).with_context(|| {
        format!("cannot listen on {}: choose another address with --listen", settings.listen)
    })?;
    let address = listener.local_addr()?;
    ensure!(
        tls.is_some() || address.ip().is_loopback() || !trusted_proxies.is_empty(),
        "plain HTTP on {address} would show every token on its way: give --tls-certificate and \
         --tls-key, listen on a loopback address such as 127.0.0.1:8080, or name the proxies in front \
         that end TLS with --trusted-proxies"
    );
    let keys = Keys::of_installation(&store).await?;
    store.write(|tx| roles::refresh(tx, clock::now(), clock::new_id)).await?;
    let token = first_start(&settings, &store).await?;
    greet(&settings, address, tls.is_some(), token.as_deref())?;
    let public_url = settings.public_url.clone();
    let settings = server::Settings { public_url, tls, trusted_proxies };
    server::serve(listener, store, keys, settings).await?;
    tracing::info!("stopped");
    Ok(())
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

fn greet(
    settings: &Settings,
    address: SocketAddr,
    speaks_tls: bool,
    token: Option<&str>,
) -> anyhow::Result<()> {
    let scheme = if speaks_tls { "https" } else { "http" };
    let local = || format!("{scheme}://{}", reachable(address));
    let root = settings.public_url.clone().unwrap_or_else(local);
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
