//! Headcount over HTTP: the SCIM endpoint `/scim/v2` (RFC 7644), and what administrators do besides at
//! `/admin/v1`.
//!
//! A request is authenticated (`authentication`), read in its connection's dialect, and runs one
//! rule in one unit of work of the store; the answer is projected and sent. `scim` has the table
//! of routes. Every refusal becomes an answer in `error`, and nowhere else.

mod admin;
mod answer;
mod authentication;
mod body;
pub mod clock;
mod cursor;
mod error;
mod json;
mod known;
mod login;
mod mail;
mod requests;
mod scim;
mod secret;
mod telemetry;
mod timers;
pub mod token;
mod unread;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use store::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore};
use tracing_actix_web::TracingLogger;

pub use cursor::CursorKey;
pub use mail::{MailError, Mailer, Transport};

use known::Known;
use login::hashing::Hasher;
use login::limits::Limits;
use requests::Queue;
use scim::{Places, Turns};

/// The path of the SCIM endpoint.
pub const BASE_PATH: &str = "/scim/v2";

/// The path of what administrators do with resources, besides changing them.
pub const ADMIN_PATH: &str = "/admin/v1";

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

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
    /// How mails are sent; none are, if there is no way.
    pub mailer: Option<Mailer>,
    /// How many requests of people who are not logged in are answered from one address in a minute; 0
    /// for as many as come.
    pub login_rate: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { public_url: None, mailer: None, login_rate: LOGIN_RATE }
    }
}

/// How many requests of people who are not logged in are answered from one address in a minute.
pub const LOGIN_RATE: u32 = 60;

/// Requests for links to other passwords that are worked on at once.
const ASKING: usize = 32;

pub(crate) struct State {
    store: Store,
    cursor_key: CursorKey,
    settings: Settings,
    bulk_turns: Turns,
    places: Places,
    known: Known,
    requests: Queue,
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

/// Serves on a listening socket until SIGTERM or SIGINT; then requests in flight finish, and what
/// was acknowledged is on disk.
///
/// # Errors
/// The socket cannot be used.
pub async fn serve(
    listener: TcpListener,
    store: Store,
    cursor_key: CursorKey,
    settings: Settings,
) -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    bound_stalls(&listener)?;
    let (bulk_turns, places, known) = (Turns::default(), Places::default(), Known::default());
    let requests = Queue::default();
    let (hasher, limits) = (Hasher::default(), Limits::new(settings.login_rate));
    let (mailer, asking) = (settings.mailer.clone(), Arc::new(Semaphore::new(ASKING)));
    let state = Data::new(State {
        store,
        cursor_key,
        settings,
        bulk_turns,
        places,
        known,
        requests,
        hasher,
        limits,
        asking,
    });
    let mail_ends = Arc::new(Notify::new());
    let mail = mailer.map(|mailer| {
        actix_web::rt::spawn(mail::run(state.clone(), mailer, Arc::clone(&mail_ends)))
    });
    let time = actix_web::rt::spawn(timers::run(state.clone()));
    let log_ends = Arc::new(Notify::new());
    let log = actix_web::rt::spawn(requests::run(state.clone(), Arc::clone(&log_ends)));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(from_fn(answer::finish))
            .wrap(NormalizePath::trim())
            .wrap(TracingLogger::<telemetry::Requests>::new())
            .configure(scim::routes)
            .configure(admin::routes)
            .configure(login::routes)
            .default_service(actix_web::web::to(error::no_such_path))
    });
    let server = server
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(SHUTDOWN_TIMEOUT)
        .disable_signals()
        .listen(listener)?
        .run();
    let (handle, stop) = (server.handle(), stop_signal()?);
    actix_web::rt::spawn(async move {
        stop.await;
        tracing::info!("stopping: requests in flight finish");
        handle.stop(true).await;
    });
    let served = server.await;
    time.abort();
    // It holds the store, which is to be closed before the process ends.
    let _ = time.await;
    if let Some(mail) = mail {
        mail_ends.notify_one();
        let _ = mail.await;
    }
    log_ends.notify_one();
    let _ = log.await;
    served
}

/// Ends connections whose clients take nothing of an answer any more, which actix waits for without
/// end. What a listening socket accepts inherits it.
#[cfg(target_os = "linux")]
fn bound_stalls(listener: &TcpListener) -> std::io::Result<()> {
    socket2::SockRef::from(listener).set_tcp_user_timeout(Some(STALL_TIMEOUT))
}

/// The first SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
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
