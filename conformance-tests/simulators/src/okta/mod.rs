//! Okta's SCIM client.
//!
//! A custom application writes users and groups by PUT; an application of the integration network
//! writes what changes of a group, and whether a user is active, by PATCH. Okta looks for a user
//! before it creates one, deactivates and never deletes users, and shows its administrator a task
//! for whatever is refused.

mod entitlements;
mod groups;
mod import;
mod mapping;
mod users;

use crate::belief::Belief;
use crate::directory::{Directory, Event, PersonKey};
use crate::http::{Answer, Client, Endpoint, Request, Unreachable};
use crate::provider::{Provider, Watch};
use crate::trouble::{Trouble, Troubles};

const HEADERS: &[(&str, &str)] = &[
    ("User-Agent", "Okta SCIM Client 1.0.0"),
    ("Accept", "application/scim+json"),
    ("Accept-Charset", "utf-8"),
];

/// Which kind of application it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// A custom application, made with the wizard: PUT.
    Custom,
    /// An application of the Okta Integration Network: PATCH.
    Network,
}

/// Okta, connected to a service.
#[derive(Debug)]
pub struct Okta {
    application: Application,
    client: Client,
    belief: Belief,
    troubles: Troubles,
    /// What failed and is tried again when an administrator says so.
    tasks: Vec<Event>,
    rng: fastrand::Rng,
    entitlements: entitlements::Discovered,
    imported: import::Imported,
}

impl Okta {
    /// Okta, with an application for a service.
    pub fn new(application: Application, endpoint: Endpoint) -> Self {
        Self {
            application,
            client: Client::new(endpoint, HEADERS),
            belief: Belief::default(),
            troubles: Troubles::default(),
            tasks: Vec::new(),
            rng: fastrand::Rng::with_seed(0),
            entitlements: entitlements::Discovered::default(),
            imported: import::Imported::default(),
        }
    }

    fn carry_out(&mut self, directory: &Directory, event: Event) -> Result<(), Unreachable> {
        let done = match event {
            Event::Person(key) => self.sync_user(directory, key)?,
            Event::Password(key) => self.sync_password(directory, key)?,
            Event::Group(key) => self.push_group(directory, key)?,
        };
        if !done && !self.tasks.contains(&event) {
            self.tasks.push(event);
        }
        Ok(())
    }

    /// Whether it was done; if not, the administrator is shown a task.
    fn judge(&mut self, action: &'static str, about: &str, answer: &Answer) -> bool {
        if answer.is_success() {
            self.troubles.settle(about);
            return true;
        }
        let reason = reason(answer.status);
        let shown = format!(
            "Automatic provisioning of {about} to app Headcount failed: Error while trying to \
             {action}: {reason}. Errors reported by remote server: {}",
            answer.detail()
        );
        self.complain(action, about, answer, shown);
        false
    }

    fn complain(&mut self, action: &'static str, about: &str, answer: &Answer, shown: String) {
        self.troubles.add(action, about, (answer.status, answer.detail()), shown);
    }

    fn name_of(directory: &Directory, key: PersonKey) -> String {
        directory.person(key).user_name.clone()
    }
}

impl Provider for Okta {
    fn connect(&mut self, directory: &Directory) -> Result<(), Unreachable> {
        let test =
            self.client.send(&Request::get("test connection", "/Users?startIndex=1&count=2"))?;
        self.judge("test the connection", "the connector", &test);
        self.discover_entitlements()?;
        self.import(directory)
    }

    fn cycle(
        &mut self,
        directory: &Directory,
        events: &[Event],
        watch: &dyn Watch,
    ) -> Result<(), Unreachable> {
        // The administrator retries what has failed, before the day begins.
        for task in std::mem::take(&mut self.tasks) {
            self.carry_out(directory, task)?;
        }
        for event in events {
            self.carry_out(directory, *event)?;
            watch.step(self.client.traffic.total());
        }
        Ok(())
    }

    fn start_over(&mut self, directory: &Directory, watch: &dyn Watch) -> Result<u64, Unreachable> {
        self.import(directory)?;
        watch.step(self.client.traffic.total());
        Ok(self.imported.changed)
    }

    fn troubles(&self) -> &[Trouble] {
        self.troubles.list()
    }

    fn notes(&self) -> Vec<String> {
        vec![self.imported.note(), self.entitlements.note()]
    }

    fn client_and_belief(&mut self) -> (&mut Client, &Belief) {
        (&mut self.client, &self.belief)
    }
}

/// What Okta calls a status.
fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        429 => "Too Many Requests",
        _ => "Internal Server Error",
    }
}
