//! A run: days of a company, pushed by a provider to a service, and the comparison at the end.

use std::fmt;
use std::str::FromStr;

use crate::compare::{Before, Comparison, compare};
use crate::directory::{DAYS, Day, Directory};
use crate::entra::{Entra, Flavour};
use crate::http::{Endpoint, Request, Unreachable};
use crate::okta::{Application, Okta};
use crate::provider::{Provider, Watch};
use crate::report::{DayReport, Report};

/// Which provider, and how it is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Okta with a custom application: PUT.
    Okta,
    /// Okta with an application of its network: PATCH.
    OktaOin,
    /// Entra, as it is without further ado.
    Entra,
    /// Entra with `aadOptscim062020`.
    EntraCompliant,
}

impl Variant {
    /// Every variant, by its name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("okta", Self::Okta),
        ("okta-oin", Self::OktaOin),
        ("entra", Self::Entra),
        ("entra-compliant", Self::EntraCompliant),
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::OktaOin => "okta-oin",
            Self::Entra => "entra",
            Self::EntraCompliant => "entra-compliant",
        }
    }

    fn connect(self, endpoint: Endpoint) -> Box<dyn Provider> {
        match self {
            Self::Okta => Box::new(Okta::new(Application::Custom, endpoint)),
            Self::OktaOin => Box::new(Okta::new(Application::Network, endpoint)),
            Self::Entra => Box::new(Entra::new(Flavour::Default, endpoint)),
            Self::EntraCompliant => Box::new(Entra::new(Flavour::Compliant, endpoint)),
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Variant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, variant)| *variant).ok_or_else(|| format!("no such provider: {text}"))
    }
}

/// A provider, its company and the service, between the days.
pub struct Run {
    variant: Variant,
    users: usize,
    seed: u64,
    directory: Directory,
    provider: Box<dyn Provider>,
    before: Before,
    days: Vec<DayReport>,
    drift: u64,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("variant", &self.variant)
            .field("days", &self.days)
            .finish_non_exhaustive()
    }
}

impl Run {
    /// A company of so many people, and a provider that is connected to the service. Two of the
    /// people have an account there already, which the provider has to find.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn new(
        variant: Variant,
        endpoint: Endpoint,
        users: usize,
        seed: u64,
    ) -> Result<Self, Unreachable> {
        let directory = Directory::new(users, seed);
        let mut provider = variant.connect(endpoint);
        let before = Before::read(provider.client())?;
        for (_, person) in directory.active().skip(3).take(2) {
            let body = serde_json::json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": person.user_name,
            });
            provider.client().send(&Request::post(
                "somebody else creates a user",
                "/Users",
                body,
            ))?;
        }
        provider.connect(&directory)?;
        Ok(Self { variant, users, seed, directory, provider, before, days: Vec::new(), drift: 0 })
    }

    /// Pushes everything, lives through the days, begins anew, and compares.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn to_the_end(mut self, watch: &dyn Watch) -> Result<Report, Unreachable> {
        self.first_push(watch)?;
        self.live(DAYS, watch)?;
        self.start_over(watch)?;
        let comparison = self.compare(watch)?;
        Ok(self.report(comparison))
    }

    /// Pushes everybody and every group.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn first_push(&mut self, watch: &dyn Watch) -> Result<(), Unreachable> {
        let events = self.directory.everything();
        self.day("the first push", &events, watch)
    }

    /// Lives through days.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn live(&mut self, days: &[Day], watch: &dyn Watch) -> Result<(), Unreachable> {
        for day in days {
            let events = self.directory.live(day);
            self.day(day.title, &events, watch)?;
        }
        Ok(())
    }

    /// Lets the provider begin anew.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn start_over(&mut self, watch: &dyn Watch) -> Result<(), Unreachable> {
        let steps = self.directory.everything().len();
        watch.begin("beginning anew", steps);
        let before = self.provider.client().traffic.total();
        self.drift = self.provider.start_over(&self.directory, watch)?;
        let requests = self.provider.client().traffic.total() - before;
        self.days.push(DayReport { title: "beginning anew", changes: 0, requests });
        Ok(())
    }

    /// Compares what the provider believes with what the service holds.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn compare(&mut self, watch: &dyn Watch) -> Result<Comparison, Unreachable> {
        let (client, belief) = self.provider.client_and_belief();
        compare(client, belief, &self.before, watch)
    }

    /// The report.
    pub fn report(mut self, comparison: Comparison) -> Report {
        Report {
            provider: self.variant.as_str(),
            users: self.users,
            seed: self.seed,
            days: self.days,
            requests: self.provider.client().traffic.clone(),
            troubles: self.provider.troubles().to_vec(),
            drift: self.drift,
            notes: self.provider.notes(),
            comparison,
        }
    }

    fn day(
        &mut self,
        title: &'static str,
        events: &[crate::directory::Event],
        watch: &dyn Watch,
    ) -> Result<(), Unreachable> {
        watch.begin(title, events.len());
        let before = self.provider.client().traffic.total();
        self.provider.cycle(&self.directory, events, watch)?;
        let requests = self.provider.client().traffic.total() - before;
        self.days.push(DayReport { title, changes: events.len(), requests });
        Ok(())
    }
}
