//! Headcount over HTTP: the SCIM endpoint `/scim/v2` (RFC 7644), and what administrators do besides at
//! `/admin/v1`.
//!
//! A request is authenticated (`authentication`), read in its connection's dialect, and runs one
//! rule in one unit of work of the store; the answer is projected and sent. `scim` has the table
//! of routes. Every refusal becomes an answer in `error`, and nowhere else.

mod access_token;
mod admin;
mod answer;
mod authentication;
mod body;
pub mod clock;
mod cursor;
mod error;
mod json;
mod jwt;
mod known;
mod limits;
mod login;
mod mail;
mod oauth;
mod origin;
mod requests;
mod scim;
mod seal;
mod secret;
mod stop;
mod telemetry;
mod timers;
mod tls;
pub mod token;
mod unread;
mod uses;

use std::net::TcpListener;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use accounts::StorageError;
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use ipnet::IpNet;
use store::Store;
use tokio::sync::{Notify, Semaphore};
use tracing_actix_web::TracingLogger;

pub use jwt::has_keys;
pub use limits::USUAL_RATE;
pub use mail::{MailError, Mailer, Transport};
pub use stop::Signals;
pub use telemetry::{PERSONAL, Telemetry, Watch};
pub use tls::{Tls, TlsError, fingerprint};

use access_token::AccessTokenKey;
use body::Budget;
use cursor::CursorKey;
use jwt::IssuerKeys;
use known::Known;
use limits::{Rates, Strangers};
use login::hashing::Hasher;
use login::limits::Limits;
use login::sent::Unkept;
use requests::Queue;
use scim::{Places, Turns};
use uses::Uses;

/// The path of the SCIM endpoint.
pub const BASE_PATH: &str = "/scim/v2";

/// The path of what administrators do with resources, besides changing them.
pub const ADMIN_PATH: &str = "/admin/v1";

/// The path at which clients get access tokens (RFC 6749 section 3.2).
pub const TOKEN_PATH: &str = "/oauth/token";

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

/// The longest URL, in bytes from its path on: a filter as long as they may be, with each byte encoded, and
/// all else that goes with it.
pub(crate) const MAX_URL: usize = 56 * 1024;

/// How long a request is worked at, from its head on, unless an operator says otherwise. Identity
/// providers give up after a minute.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(90);

/// Connections at once, unless an operator says otherwise. More wait until one ends.
pub const CONNECTIONS: usize = 8_192;

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a client may take nothing of an answer that is sent.
#[cfg(target_os = "linux")]
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// How long requests in flight have to finish when the server is told to stop, in seconds.
const SHUTDOWN_TIMEOUT: u64 = 30;

/// What the server is told from outside.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL under which clients reach `/`, without a slash at its end; from the request's Host
    /// if there is none.
    pub public_url: Option<String>,
    /// TLS, where the service itself speaks it.
    pub tls: Option<Tls>,
    /// The proxies that are believed what they say of a request.
    pub trusted_proxies: Vec<IpNet>,
    /// What is counted, and told to whoever watches the server.
    pub telemetry: Telemetry,
    /// Requests a second of a connection whose own rate says nothing else; `None`: as many as come.
    pub rate_limit: Option<NonZeroU32>,
    /// How long a request is worked at, from its head on.
    pub request_timeout: Duration,
    /// Connections at once.
    pub connections: usize,
    /// How long requests are still taken in after SIGTERM, until whatever stands in front has heard of it.
    pub drain_delay: Duration,
    /// How mails are sent; none are, if there is no way.
    pub mailer: Option<Mailer>,
    /// How many requests of people who are not logged in are answered from one address in a minute; 0
    /// for as many as come.
    pub login_rate: u32,
}

/// Why the service does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket cannot be used.
    #[error(transparent)]
    Socket(#[from] std::io::Error),
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The keys that all servers of an installation share. It has no `Debug`: nothing may print them.
pub struct Keys {
    cursor: CursorKey,
    access_token: AccessTokenKey,
}

impl Keys {
    /// The keys that all servers on this database share; the first of them makes them.
    ///
    /// # Errors
    /// The store fails, or the system has no randomness to give.
    pub async fn of_installation(store: &Store) -> Result<Self, StorageError> {
        let cursor = CursorKey::of_installation(store).await?;
        let access_token = AccessTokenKey::of_installation(store).await?;
        Ok(Self { cursor, access_token })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            tls: None,
            trusted_proxies: Vec::new(),
            telemetry: Telemetry::new(),
            rate_limit: Some(USUAL_RATE),
            request_timeout: REQUEST_TIMEOUT,
            connections: CONNECTIONS,
            drain_delay: Duration::ZERO,
            mailer: None,
            login_rate: LOGIN_RATE,
        }
    }
}

/// How many requests of people who are not logged in are answered from one address in a minute.
pub const LOGIN_RATE: u32 = 60;

/// Requests for links to other passwords that are worked on at once.
const ASKING: usize = 32;

pub(crate) struct State {
    store: Store,
    cursor_key: CursorKey,
    access_token_key: AccessTokenKey,
    settings: Settings,
    bulk_turns: Turns,
    places: Places,
    known: Known,
    unkept: Unkept,
    issuers: IssuerKeys,
    uses: Uses,
    requests: Queue,
    rates: Rates,
    strangers: Strangers,
    bodies: Budget,
    hasher: Hasher,
    limits: Limits,
    /// Turns of those who ask for a link to another password.
    asking: Arc<Semaphore>,
}

impl State {
    /// Whether mails are sent here.
    fn sends_mail(&self) -> bool {
        self.settings.mailer.is_some()
    }
}

/// Serves on a listening socket until SIGTERM, and [`Settings::drain_delay`] longer, or until SIGINT; then
/// requests in flight finish, and what was acknowledged is on disk.
///
/// # Errors
/// The socket or the files of TLS cannot be used.
pub async fn serve(
    listener: TcpListener,
    store: Store,
    keys: Keys,
    settings: Settings,
    signals: Signals,
) -> Result<(), ServeError> {
    #[cfg(target_os = "linux")]
    bound_stalls(&listener)?;
    jwt::install();
    let (rate, connections) = (settings.rate_limit, settings.connections);
    let drain_delay = settings.drain_delay;
    let workers = available_parallelism().map_or(1, NonZeroUsize::get);
    let (tls, telemetry) = (settings.tls.clone(), settings.telemetry.clone());
    let (mailer, limits) = (settings.mailer.clone(), Limits::new(settings.login_rate));
    let state = Data::new(State {
        store,
        cursor_key: keys.cursor,
        access_token_key: keys.access_token,
        settings,
        bulk_turns: Turns::default(),
        places: Places::default(),
        unkept: Unkept::default(),
        known: Known::default(),
        issuers: IssuerKeys::default(),
        uses: Uses::default(),
        requests: Queue::default(),
        rates: Rates::new(rate),
        strangers: Strangers::default(),
        bodies: Budget::default(),
        hasher: Hasher::default(),
        limits,
        asking: Arc::new(Semaphore::new(ASKING)),
    });
    telemetry.life().serve(&state);
    let mail_ends = Arc::new(Notify::new());
    let mail = mailer.map(|mailer| {
        actix_web::rt::spawn(mail::run(state.clone(), mailer, Arc::clone(&mail_ends)))
    });
    let time = actix_web::rt::spawn(timers::run(state.clone()));
    let log_ends = Arc::new(Notify::new());
    let log = actix_web::rt::spawn(requests::run(state.clone(), Arc::clone(&log_ends)));
    let uses_end = Arc::new(Notify::new());
    let uses = actix_web::rt::spawn(uses::run(state.clone(), Arc::clone(&uses_end)));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(from_fn(answer::finish))
            .wrap(NormalizePath::trim())
            .wrap(TracingLogger::<telemetry::Requests>::new())
            .configure(scim::routes)
            .configure(admin::routes)
            .configure(oauth::routes)
            .configure(login::routes)
            .default_service(actix_web::web::to(error::no_such_path))
    });
    let server = server
        .workers(workers)
        .max_connections(connections.div_ceil(workers))
        .client_request_timeout(HEAD_TIMEOUT)
        .tls_handshake_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(SHUTDOWN_TIMEOUT)
        .disable_signals()
        .on_connect(tls::note);
    let (server, reload) = match tls {
        Some(tls) => {
            let (acceptor, reload) = tls::acceptor(tls)?;
            let reload = actix_web::rt::spawn(reload.run());
            (server.listen_openssl(listener, acceptor)?, Some(reload))
        }
        None => (server.listen(listener)?, None),
    };
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(async move {
        signals.stop(telemetry.life(), drain_delay).await;
        handle.stop(true).await;
    });
    let served = server.await;
    time.abort();
    if let Some(reload) = reload {
        reload.abort();
    }
    // It holds the store, which is to be closed before the process ends.
    let _ = time.await;
    if let Some(mail) = mail {
        mail_ends.notify_one();
        let _ = mail.await;
    }
    log_ends.notify_one();
    uses_end.notify_one();
    let _ = tokio::join!(log, uses);
    Ok(served?)
}

/// Ends connections whose clients take nothing of an answer any more, which actix waits for without
/// end. What a listening socket accepts inherits it.
#[cfg(target_os = "linux")]
fn bound_stalls(listener: &TcpListener) -> std::io::Result<()> {
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(STALL_TIMEOUT))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn connections_end_if_their_clients_take_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        bound_stalls(&listener).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        let timeout = socket2::SockRef::from(&accepted).tcp_user_timeout().unwrap();
        assert_eq!(timeout, Some(STALL_TIMEOUT));
    }
}
