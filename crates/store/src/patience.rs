//! How long units of work are waited for.

use std::time::Duration;

use accounts::StorageError;
use tokio::time::{Instant, timeout_at};

use crate::lane::unavailable;

tokio::task_local! {
    static UNTIL: Instant;
}

/// Does something, in which units of work are waited for until so much time has passed from now on. A unit
/// that has not begun by then is not run; one that has is finished, and its result is nobody's.
pub async fn within<F: Future>(patience: Duration, work: F) -> F::Output {
    UNTIL.scope(Instant::now() + patience, work).await
}

/// Waits for something as long as [`within`] says; without end outside of that.
///
/// # Errors
/// [`StorageError::Unavailable`] if it takes longer.
pub async fn in_time<F: Future>(work: F) -> Result<F::Output, StorageError> {
    match UNTIL.try_with(|until| *until) {
        Ok(until) => {
            timeout_at(until, work).await.map_err(|_| unavailable("the request took too long"))
        }
        Err(_) => Ok(work.await),
    }
}
