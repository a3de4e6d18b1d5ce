//! `headcount serve`

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use accounts::roles;
use anyhow::Context;
use scim_protocol::dialect::Dialect;
use server::clock;
use server::{BASE_PATH, CursorKey};
use store::Store;

use super::{open, tenant, token};
use crate::settings::Settings;

/// The tenant that the first start makes.
const DEMO: &str = "demo";

pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let store = open(&settings)?;
    let listener = TcpListener::bind(&settings.listen).with_context(|| {
        format!("cannot listen on {}: choose another address with --listen", settings.listen)
    })?;
    let address = listener.local_addr()?;
    let cursor_key = CursorKey::of_installation(&store).await?;
    store.write(|tx| roles::refresh(tx, clock::now(), clock::new_id)).await?;
    let token = first_start(&settings, &store).await?;
    let root =
        settings.public_url.clone().unwrap_or_else(|| format!("http://{}", reachable(address)));
    let mailer = settings.mailer(&root)?;
    greet(&settings, &root, token.as_deref())?;
    let (public_url, login_rate) = (settings.public_url.clone(), settings.login_rate);
    let of_server = server::Settings { public_url, mailer, login_rate };
    server::serve(listener, store, cursor_key, of_server).await?;
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
