//! What the two providers have in common.

use crate::belief::Belief;
use crate::directory::{Directory, Event};
use crate::http::{Client, Unreachable};
use crate::trouble::Trouble;

/// Told how far a run has come.
pub trait Watch {
    /// A part of the run begins, which has so many steps.
    fn begin(&self, title: &str, steps: usize);
    /// A step is done; so many requests were sent until now.
    fn step(&self, requests: u64);
}

/// Nobody looks.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn begin(&self, _: &str, _: usize) {}
    fn step(&self, _: u64) {}
}

/// An identity provider that is connected to one service.
pub trait Provider {
    /// What an administrator does first: test the connection, and read what is there.
    ///
    /// # Errors
    /// If there is no answer.
    fn connect(&mut self, directory: &Directory) -> Result<(), Unreachable>;

    /// Carries out what has happened in the directory.
    ///
    /// # Errors
    /// If there is no answer.
    fn cycle(
        &mut self,
        directory: &Directory,
        events: &[Event],
        watch: &dyn Watch,
    ) -> Result<(), Unreachable>;

    /// Begins anew, without what was remembered, and goes through everything; nothing should be to
    /// do. How many resources were changed by it.
    ///
    /// # Errors
    /// If there is no answer.
    fn start_over(&mut self, directory: &Directory, watch: &dyn Watch) -> Result<u64, Unreachable>;

    /// What its administrator is shown.
    fn troubles(&self) -> &[Trouble];

    /// What else there is to say, a line each.
    fn notes(&self) -> Vec<String>;

    /// Its client, and what it believes that the service holds.
    fn client_and_belief(&mut self) -> (&mut Client, &Belief);

    /// Its client.
    fn client(&mut self) -> &mut Client {
        self.client_and_belief().0
    }
}
