//! How a server is told to stop.
//!
//! SIGTERM comes from whoever runs the service. What stands in front of it - a load balancer, an ingress -
//! learns a few seconds later that a server goes, and sends it requests until then. So it is told at once
//! (`/readyz`), and requests are taken in for as long as the operator says. SIGINT comes from somebody at a
//! terminal, who waits for nothing.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::telemetry::Life;

/// The signals that stop a server.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// Which of them came.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Terminate,
    Interrupt,
}

impl Signals {
    /// Hears them from now on. Until then they end the process.
    ///
    /// # Errors
    /// The system does not let it.
    pub fn new() -> std::io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    /// Waits until requests are to be taken in no more: so long after SIGTERM, or at SIGINT, or at the
    /// second signal, whatever it is.
    pub(crate) async fn stop(mut self, life: &Life, drain_delay: Duration) {
        let asked = self.next().await;
        if asked == Asked::Terminate && !drain_delay.is_zero() {
            life.drain();
            let seconds = drain_delay.as_secs();
            tracing::info!(seconds, "draining: requests are taken in until others get them");
            tokio::select! {
                () = sleep(drain_delay) => {}
                _ = self.next() => {}
            }
        }
        life.stop();
        tracing::info!("stopping: requests in flight finish");
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Terminate,
            _ = self.interrupt.recv() => Asked::Interrupt,
        }
    }
}
