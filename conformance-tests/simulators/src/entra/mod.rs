//! Microsoft Entra ID's provisioning service.
//!
//! It works in cycles: users first, then who leads whom, then groups. It looks for a user before it
//! creates one, reads one before it changes it, and writes what differs by PATCH. What is refused is
//! put aside and tried again, less often each time; if too much fails it stops.

mod escrow;
mod groups;
mod mapping;
mod patch;
mod quarantine;
mod references;
mod users;

use uuid::Uuid;

use crate::belief::Belief;
use crate::directory::{Directory, Event};
use crate::http::{Answer, Client, Endpoint, Request, Unreachable};
use crate::provider::{Provider, Watch};
use crate::trouble::{Trouble, Troubles};

use escrow::Escrows;
use quarantine::Quarantine;

const HEADERS: &[(&str, &str)] = &[("Accept", "application/scim+json")];

/// How it writes a PATCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// As it always did: `Replace`, and `"False"` for false.
    Default,
    /// With `?aadOptscim062020` behind the tenant's URL: as RFC 7644 says, or nearly.
    Compliant,
}

/// Microsoft Entra ID, connected to a service.
#[derive(Debug)]
pub struct Entra {
    flavour: Flavour,
    client: Client,
    belief: Belief,
    troubles: Troubles,
    escrows: Escrows,
    quarantine: Quarantine,
    rng: fastrand::Rng,
    cycles: u64,
    /// Resources that were written when everything was gone through anew.
    changed: u64,
    on_demand: u64,
}

impl Entra {
    /// Entra, with an application for a service.
    pub fn new(flavour: Flavour, endpoint: Endpoint) -> Self {
        Self {
            flavour,
            client: Client::new(endpoint, HEADERS),
            belief: Belief::default(),
            troubles: Troubles::default(),
            escrows: Escrows::default(),
            quarantine: Quarantine::default(),
            rng: fastrand::Rng::with_seed(0),
            cycles: 0,
            changed: 0,
            on_demand: 0,
        }
    }

    /// E1: a user whom nobody can know; the answer must be an empty list.
    fn probe(&mut self) -> Result<bool, Unreachable> {
        let nobody = uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes()).into_uuid();
        for path in [
            format!("/Users?filter=userName+eq+%22{nobody}%22"),
            format!("/Groups?excludedAttributes=members&filter=displayName+eq+%22{nobody}%22"),
        ] {
            let answer = self.client.send(&Request::get("test connection", path))?;
            let is_empty = answer.body["totalResults"] == 0 && answer.resources().is_empty();
            if answer.status != 200 || !is_empty {
                self.judge("test the connection", "the application", &answer);
                self.quarantine
                    .enter(format!("the connection test was answered with {}", answer.status));
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it was done; if not, the administrator reads of it in the provisioning log.
    fn judge(&mut self, action: &'static str, about: &str, answer: &Answer) -> bool {
        self.quarantine.count(answer.is_success());
        if answer.is_success() {
            return true;
        }
        if answer.status == 401 {
            self.quarantine.enter("the credentials are not accepted".to_owned());
        }
        let code = if answer.status == 409 {
            "EntryConflict"
        } else {
            "SystemForCrossDomainIdentityManagementServiceIncompatible"
        };
        let shown = format!(
            "Failed to {action} '{about}' in customappsso; Error: {code}; StatusCode: {}; \
             Message: {}. This operation will be retried.",
            answer.status,
            answer.detail()
        );
        self.troubles.add(action, about, (answer.status, answer.detail()), shown);
        false
    }

    fn carry_out(&mut self, directory: &Directory, event: Event) -> Result<(), Unreachable> {
        let done = match event {
            Event::Person(key) => self.sync_user(directory, key)?,
            Event::Group(key) => self.sync_group(directory, key)?,
            // Passwords never leave Entra.
            Event::Password(_) => true,
        };
        if done {
            self.escrows.release(event);
            self.troubles.settle(&name_of(directory, event));
        } else {
            self.escrows.put(event, self.cycles);
        }
        Ok(())
    }
}

impl Provider for Entra {
    fn connect(&mut self, _: &Directory) -> Result<(), Unreachable> {
        self.probe().map(drop)
    }

    fn cycle(
        &mut self,
        directory: &Directory,
        events: &[Event],
        watch: &dyn Watch,
    ) -> Result<(), Unreachable> {
        self.cycles += 1;
        self.quarantine.begin();
        if !self.probe()? {
            return Ok(());
        }
        // Between two cycles an administrator provisions somebody on demand.
        if let (Some(Event::Person(key)), true) = (events.first(), self.cycles > 1) {
            self.provision_on_demand(directory, *key)?;
        }
        let due = self.escrows.due(self.cycles);
        let is_user = |event: &&Event| matches!(event, Event::Person(_) | Event::Password(_));
        let all = || due.iter().chain(events.iter().filter(|event| !due.contains(event)));
        for event in all().filter(is_user) {
            self.carry_out(directory, *event)?;
            watch.step(self.client.traffic.total());
            if self.quarantine.cause().is_some() {
                return Ok(());
            }
        }
        self.sync_managers(directory)?;
        for event in all().filter(|event| !is_user(event)) {
            self.carry_out(directory, *event)?;
            watch.step(self.client.traffic.total());
        }
        Ok(())
    }

    fn start_over(&mut self, directory: &Directory, watch: &dyn Watch) -> Result<u64, Unreachable> {
        self.changed = 0;
        for (key, _) in directory.active() {
            self.match_again(directory, key)?;
            watch.step(self.client.traffic.total());
        }
        for (key, _) in directory.groups().filter(|(_, group)| group.exists) {
            self.match_group_again(directory, key)?;
            watch.step(self.client.traffic.total());
        }
        Ok(self.changed)
    }

    fn troubles(&self) -> &[Trouble] {
        self.troubles.list()
    }

    fn notes(&self) -> Vec<String> {
        let state = self
            .quarantine
            .cause()
            .map_or_else(|| "healthy".to_owned(), |cause| format!("in quarantine: {cause}"));
        let Self { cycles, on_demand, escrows, .. } = self;
        vec![format!(
            "{cycles} cycles, {on_demand} people provisioned on demand, {} in escrow; \
             the job is {state}",
            escrows.len()
        )]
    }

    fn client_and_belief(&mut self) -> (&mut Client, &Belief) {
        (&mut self.client, &self.belief)
    }
}

/// What Entra calls a user or a group when it speaks to its administrator.
fn name_of(directory: &Directory, event: Event) -> String {
    match event {
        Event::Person(key) | Event::Password(key) => directory.person(key).user_name.clone(),
        Event::Group(key) => directory.group(key).name.clone(),
    }
}

/// An object's identifier, as Entra writes it.
fn external_id(object: Uuid) -> String {
    object.to_string()
}
