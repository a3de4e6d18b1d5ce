//! What is noted of a request while it is answered. It is with the request, where everything that
//! handles it finds it.

use std::ops::{Deref, DerefMut};

use accounts::Caller;
use accounts::provisioning_log::Operation;
use actix_web::{HttpMessage, HttpRequest};
use scim_protocol::dialect::{Leniencies, Leniency};
use tracing_actix_web::RequestId;
use uuid::Uuid;

/// What is noted of a request.
#[derive(Default)]
pub(crate) struct Noted {
    /// Who sent it, once that is known.
    pub(crate) caller: Option<Caller>,
    /// What it did beyond the RFC.
    pub(crate) leniencies: Vec<(Leniency, u64)>,
    /// The filter of a query.
    pub(crate) filter: Option<String>,
    /// How many resources a query found.
    pub(crate) found: Option<u64>,
    /// The one that it found, if it is one.
    pub(crate) only: Option<Uuid>,
    /// The operations of a bulk request.
    pub(crate) operations: Vec<Operation>,
    /// The identifier of the request.
    pub(crate) request_id: Option<Uuid>,
}

impl Noted {
    /// Changes what is noted of a request.
    pub(crate) fn with(request: &HttpRequest, change: impl FnOnce(&mut Self)) {
        let mut extensions = request.extensions_mut();
        if let Some(noted) = extensions.get_mut::<Self>() {
            return change(noted);
        }
        let mut noted = Self::default();
        change(&mut noted);
        extensions.insert(noted);
    }

    /// Takes what is noted of a request, if anything is.
    pub(super) fn take(request: &HttpRequest) -> Option<Self> {
        let mut extensions = request.extensions_mut();
        let mut noted = extensions.remove::<Self>()?;
        let id = extensions.get::<RequestId>();
        noted.request_id = id.map(|id| Uuid::from_bytes(*id.as_bytes()));
        Some(noted)
    }
}

/// The leniencies of a request while it is read. What was used is noted and logged when this is dropped,
/// also where the request is refused in between.
pub(crate) struct Reading<'a> {
    request: &'a HttpRequest,
    leniencies: Leniencies,
}

impl<'a> Reading<'a> {
    /// Those that the client is allowed, none of them used yet.
    pub(crate) fn of(request: &'a HttpRequest, caller: &Caller) -> Self {
        Self { request, leniencies: caller.leniencies() }
    }

    /// Goes on from what a unit of work has used besides.
    pub(crate) fn now(&mut self, leniencies: Leniencies) {
        self.leniencies = leniencies;
    }
}

impl Deref for Reading<'_> {
    type Target = Leniencies;

    fn deref(&self) -> &Leniencies {
        &self.leniencies
    }
}

impl DerefMut for Reading<'_> {
    fn deref_mut(&mut self) -> &mut Leniencies {
        &mut self.leniencies
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let fired: Vec<_> = self.leniencies.fired().collect();
        for (leniency, count) in &fired {
            tracing::info!(leniency = leniency.as_str(), count, "read leniently");
        }
        if !fired.is_empty() {
            Noted::with(self.request, |noted| noted.leniencies = fired);
        }
    }
}
