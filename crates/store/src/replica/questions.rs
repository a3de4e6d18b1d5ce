//! Questions to the primary how far it is, each for all who wait for it.
//!
//! Whoever comes is served by a question that begins afterwards: one that is under way may have been
//! answered before a commit that is acknowledged meanwhile. So there are two at most for any number of
//! requests, the one that is under way and the next.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::watch::{Sender, channel};

use super::position::{Position, Primary};
use crate::lane::end_with_the_process;

/// The questions of one process.
pub(super) struct Questions {
    asked: Mutex<Asked>,
    /// A question is wanted, or none will be.
    changed: Condvar,
    answers: Sender<Answer>,
}

struct Asked {
    /// The number of the question that was begun last.
    begun: u64,
    /// The number of one that somebody waits for.
    wanted: u64,
    is_closed: bool,
}

#[derive(Clone)]
struct Answer {
    of: u64,
    /// Nothing if the primary did not say.
    position: Option<Position>,
}

/// Starts the thread that asks.
pub(super) fn start(mut primary: Primary) -> std::io::Result<Arc<Questions>> {
    let questions = Arc::new(Questions::new());
    let asking = Arc::clone(&questions);
    let ask = move || {
        while let Some(of) = asking.next() {
            let position = primary.position().ok();
            asking.answers.send_replace(Answer { of, position });
        }
    };
    thread::Builder::new().name("position".into()).spawn(|| end_with_the_process(ask))?;
    Ok(questions)
}

impl Questions {
    fn new() -> Self {
        Self {
            asked: Mutex::new(Asked { begun: 0, wanted: 0, is_closed: false }),
            changed: Condvar::new(),
            answers: channel(Answer { of: 0, position: None }).0,
        }
    }

    /// How far the primary was at a moment after this was called; nothing if it does not say. It may take
    /// as long as connecting does.
    pub(super) async fn position(&self) -> Option<Position> {
        let wanted = self.want();
        let mut answers = self.answers.subscribe();
        let answer = answers.wait_for(|answer| answer.of >= wanted).await;
        answer.ok()?.position.clone()
    }

    /// The number of the next question, which will be asked.
    fn want(&self) -> u64 {
        let mut asked = self.asked();
        asked.wanted = asked.begun + 1;
        self.changed.notify_one();
        asked.wanted
    }

    /// Waits until a question is wanted, and begins it; `None` once there are no more.
    fn next(&self) -> Option<u64> {
        let mut asked = self.asked();
        while asked.wanted <= asked.begun && !asked.is_closed {
            asked = self.changed.wait(asked).unwrap_or_else(PoisonError::into_inner);
        }
        asked.begun += 1;
        (!asked.is_closed).then_some(asked.begun)
    }

    /// No more will be wanted.
    pub(super) fn close(&self) {
        self.asked().is_closed = true;
        self.changed.notify_one();
    }

    /// Nothing here panics half-way.
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_while_a_question_is_under_way_waits_for_the_next() {
        let questions = Questions::new();
        let (one, two) = (questions.want(), questions.want());
        assert_eq!((one, two), (1, 1), "one question for all who wait");
        assert_eq!(questions.next(), Some(1));
        let (three, four) = (questions.want(), questions.want());
        assert_eq!((three, four), (2, 2), "not the one that is under way");
        assert_eq!(questions.next(), Some(2));
        questions.close();
        assert_eq!(questions.next(), None);
    }
}
