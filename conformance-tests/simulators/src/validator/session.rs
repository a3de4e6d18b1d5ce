//! What the checks share: a client, random values, and what was made.

use serde_json::{Value, json};

use crate::http::{Answer, Client, Request, Unreachable, filtered};

/// Why a check did not pass.
#[derive(Debug)]
pub(super) enum Finding {
    Failed(String),
    Unreachable(Unreachable),
}

impl From<Unreachable> for Finding {
    fn from(error: Unreachable) -> Self {
        Self::Unreachable(error)
    }
}

pub(super) type Checked<T = ()> = Result<T, Finding>;

/// Fails the check, unless this is so.
pub(super) fn ensure(is_so: bool, failure: impl FnOnce() -> String) -> Checked {
    if is_so { Ok(()) } else { Err(Finding::Failed(failure())) }
}

/// Fails the check, unless the values are the same.
pub(super) fn same(what: &str, expected: &Value, found: &Value) -> Checked {
    ensure(expected == found, || format!("{what}: {expected} expected, {found} found"))
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    rng: fastrand::Rng,
    /// The paths of what was made.
    made: Vec<String>,
}

impl Session {
    pub(super) fn new(client: Client, seed: u64) -> Self {
        Self { client, rng: fastrand::Rng::with_seed(seed), made: Vec::new() }
    }

    /// Twelve capital letters, as the web validator writes them.
    pub(super) fn random(&mut self) -> String {
        std::iter::repeat_with(|| self.rng.uppercase()).take(12).collect()
    }

    /// An address that nobody has.
    pub(super) fn address(&mut self) -> String {
        format!("{}@{}.example.com", self.random().to_lowercase(), self.random().to_lowercase())
    }

    /// An identifier that nothing has.
    pub(super) fn nobody(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes()).into_uuid().to_string()
    }

    pub(super) fn send(&mut self, request: &Request) -> Checked<Answer> {
        Ok(self.client.send(request)?)
    }

    /// Sends a request that must be answered with one of these statuses.
    pub(super) fn expect(&mut self, request: &Request, statuses: &[u16]) -> Checked<Answer> {
        let answer = self.send(request)?;
        ensure(statuses.contains(&answer.status), || {
            let Request { method, path, .. } = request;
            format!("{method} {path}: {} and not {statuses:?}: {}", answer.status, answer.detail())
        })?;
        Ok(answer)
    }

    /// Creates something: its path.
    pub(super) fn make(&mut self, endpoint: &str, body: Value) -> Checked<(String, Answer)> {
        let answer = self.expect(&Request::post("create", endpoint, body), &[201])?;
        let Some(id) = answer.id() else {
            return Err(Finding::Failed(format!("{endpoint}: no id in the answer")));
        };
        let path = format!("{endpoint}/{id}");
        self.made.push(path.clone());
        Ok((path, answer))
    }

    pub(super) fn read(&mut self, path: &str) -> Checked<Value> {
        Ok(self.expect(&Request::get("read", path), &[200])?.body)
    }

    /// PATCH, and what is there afterwards.
    pub(super) fn patch(&mut self, path: &str, operations: Value) -> Checked<Value> {
        self.expect(&Request::patch("patch", path, operations), &[200, 204])?;
        self.read(path)
    }

    pub(super) fn delete(&mut self, path: &str, status: u16) -> Checked {
        self.expect(&Request::delete("delete", path), &[status]).map(drop)
    }

    /// What a filter finds.
    pub(super) fn find(&mut self, endpoint: &str, filter: &str) -> Checked<Vec<Value>> {
        let answer = self.expect(&Request::get("filter", filtered(endpoint, filter)), &[200])?;
        let found = answer.resources().to_vec();
        same("totalResults", &json!(found.len()), &answer.body["totalResults"])?;
        Ok(found)
    }

    /// What a filter finds, if that is one.
    pub(super) fn find_one(&mut self, endpoint: &str, filter: &str) -> Checked<Value> {
        let mut found = self.find(endpoint, filter)?;
        ensure(found.len() == 1, || format!("{filter}: {} found", found.len()))?;
        Ok(found.remove(0))
    }

    /// Deletes what was made, as far as it is still there; how much the service would not delete.
    pub(super) fn tidy(&mut self) -> Result<u64, Unreachable> {
        let mut kept = 0;
        for path in std::mem::take(&mut self.made).into_iter().rev() {
            let answer = self.client.send(&Request::delete("tidy up", path))?;
            kept += u64::from(!answer.is_success() && answer.status != 404);
        }
        Ok(kept)
    }
}
