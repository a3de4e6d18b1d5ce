//! A load of writes that knows what it was promised.
//!
//! Each worker changes people and a group of its own, one request after the other, so that it knows
//! what must be there. A request that got no answer, or 503, may have been carried out or not: the
//! worker looks which, as soon as it can, and goes on from there. Any other answer fails the test.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::rounds;
use crate::harness::*;

/// Workers that write at the same time.
const WORKERS: usize = 4;

/// What a worker waits before it tries again.
const PAUSE: Duration = Duration::from_millis(30);

/// The licence tier of everybody, its seats, and how many more a longer run needs.
pub(super) const TIER: &str = "CX1";
const SEATS: u64 = 2_000;
const SEATS_OF_ROUND: u64 = 200;

/// A person, as the worker that wrote them knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) id: String,
    /// What was written last, in two attributes by one request.
    pub(super) stamp: String,
    /// Whether they are in the worker's group.
    pub(super) in_team: bool,
    /// Whether they were created together with a group of their own.
    pub(super) has_group: bool,
}

/// One request.
#[derive(Debug, Clone)]
enum Change {
    Create(String),
    CreateWithGroup(String),
    Stamp(String, String),
    Join(String),
    Leave(String),
    Delete(String),
}

/// There is nobody who answers, or 503.
#[derive(Debug)]
struct Away;

/// What a load has done so far.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) acknowledged: u64,
    /// Requests that were answered with 503.
    pub(super) turned_away: u64,
    /// Requests without an answer, or with 503, that were carried out all the same.
    pub(super) done_without_a_word: u64,
}

/// Who writes.
pub(super) struct Worker {
    name: String,
    team: String,
    next: usize,
    people: BTreeMap<String, Person>,
    /// What may have been carried out or not.
    pending: Option<Change>,
    tally: Tally,
}

/// All who write.
pub(super) struct Load {
    workers: Vec<Worker>,
    token: String,
    seats: i64,
}

impl Load {
    /// Makes the workers' groups, and limits the seats that their people take.
    #[track_caller]
    pub(super) fn prepare(server: &Server, scim: &Client) -> Self {
        let seats = SEATS + SEATS_OF_ROUND * rounds(0);
        Administrator::of(server, "acme").limit(TIER, seats);
        let seats = seats.cast_signed();
        let worker = |number| {
            let name = format!("w{number}");
            let team =
                scim.post("/Groups", &group(&format!("team of {name}"), &[])).expect(201).id();
            let (people, tally) = (BTreeMap::new(), Tally::default());
            Worker { name, team, next: 0, people, pending: None, tally }
        };
        Self { workers: (0..WORKERS).map(worker).collect(), token: scim.token().to_owned(), seats }
    }

    /// Writes to servers, by their base URLs, until `breakage` has ended.
    pub(super) fn run_while<T>(&mut self, servers: &[&str], breakage: impl FnOnce() -> T) -> T {
        let (ended, token) = (AtomicBool::new(false), self.token.clone());
        thread::scope(|scope| {
            for (worker, url) in self.workers.iter_mut().zip(servers.iter().cycle()) {
                let scim = Client::new(url, Some(&token));
                let ended = &ended;
                scope.spawn(move || worker.run(&scim, ended));
            }
            // Also where it panics: the workers would go on for ever.
            let _end = EndOnDrop(&ended);
            breakage()
        })
    }

    /// Waits until everything can be read, and finds out what became of what was not answered.
    #[track_caller]
    pub(super) fn settle(&mut self, scim: &Client, limit: Duration) {
        let start = Instant::now();
        for worker in &mut self.workers {
            while worker.settle(scim).is_err() {
                assert!(start.elapsed() < limit, "still not served after {limit:?}");
                thread::sleep(PAUSE);
            }
        }
    }

    /// Everybody who must be there, by `externalId`.
    pub(super) fn people(&self) -> BTreeMap<String, Person> {
        let all = self.workers.iter().flat_map(|worker| worker.people.clone());
        all.collect()
    }

    /// How many seats there are, free or taken.
    pub(super) fn seats(&self) -> i64 {
        self.seats
    }

    pub(super) fn tally(&self) -> Tally {
        self.workers.iter().fold(Tally::default(), |sum, worker| Tally {
            acknowledged: sum.acknowledged + worker.tally.acknowledged,
            turned_away: sum.turned_away + worker.tally.turned_away,
            done_without_a_word: sum.done_without_a_word + worker.tally.done_without_a_word,
        })
    }
}

/// Tells the workers to end.
struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Worker {
    fn run(&mut self, scim: &Client, ended: &AtomicBool) {
        while !ended.load(Ordering::Relaxed) {
            if self.settle(scim).and_then(|()| self.write(scim)).is_err() {
                thread::sleep(PAUSE);
            }
        }
    }

    /// Sends the next request.
    fn write(&mut self, scim: &Client) -> Result<(), Away> {
        let change = self.choose();
        self.next += 1;
        self.pending = Some(change.clone());
        let id = self.send(scim, &change)?;
        self.pending = None;
        self.tally.acknowledged += 1;
        self.apply(&change, id);
        Ok(())
    }

    /// What comes next: people are created, changed, put into the group and out of it, and deleted.
    fn choose(&self) -> Change {
        let key = format!("{}-{}", self.name, self.next);
        let found = |wanted: &dyn Fn(&Person) -> bool| {
            self.people.iter().find(|(_, person)| wanted(person)).map(|(key, _)| key.clone())
        };
        let somebody = self.people.keys().next_back().cloned();
        let chosen = match self.next % 6 {
            1 => somebody.map(|key| Change::Stamp(key, format!("changed {}", self.next))),
            2 => found(&|person| !person.in_team).map(Change::Join),
            3 => Some(Change::CreateWithGroup(key.clone())),
            4 => found(&|person| person.in_team).map(Change::Leave),
            5 if self.next % 4 == 1 => found(&|person| person.in_team).map(Change::Delete),
            _ => None,
        };
        chosen.unwrap_or(Change::Create(key))
    }

    /// Sends a request; the id of whom it created.
    fn send(&mut self, scim: &Client, change: &Change) -> Result<Option<String>, Away> {
        let id = |key: &String| self.people[key].id.clone();
        let team = format!("/Groups/{}", self.team);
        let (method, path, body) = match change {
            Change::Create(key) => ("POST", "/Users".to_owned(), newcomer(key)),
            Change::CreateWithGroup(key) => ("POST", "/Bulk".to_owned(), with_group(key)),
            Change::Stamp(key, stamp) => {
                let values = json!({"title": stamp, "nickName": stamp});
                let operations = json!([{"op": "replace", "value": values}]);
                ("PATCH", format!("/Users/{}", id(key)), patch(&operations))
            }
            Change::Join(key) => {
                let members = members_of(&[&id(key)]);
                let operations = json!([{"op": "add", "path": "members", "value": members}]);
                ("PATCH", team, patch(&operations))
            }
            Change::Leave(key) => {
                let path = format!("members[value eq \"{}\"]", id(key));
                ("PATCH", team, patch(&json!([{"op": "remove", "path": path}])))
            }
            Change::Delete(key) => ("DELETE", format!("/Users/{}", id(key)), Value::Null),
        };
        let answer = self.exchange(scim, method, &path, &body)?;
        if matches!(change, Change::CreateWithGroup(_)) {
            return created_in_bulk(&answer).map(Some);
        }
        let created = answer.status == 201;
        assert!(created || matches!(answer.status, 200 | 204), "{}", answer.story());
        Ok(created.then(|| answer.id()))
    }

    /// An answer that is one.
    fn exchange(
        &mut self,
        scim: &Client,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Away> {
        let text = body.to_string();
        let body = (!body.is_null()).then_some(("application/scim+json", text.as_str()));
        let answer = scim.try_send(method, path, body).map_err(|_| Away)?;
        if answer.status != 503 {
            return Ok(answer);
        }
        assert!(answer.header("retry-after").is_some(), "when to try again: {}", answer.story());
        self.tally.turned_away += 1;
        Err(Away)
    }

    /// Finds out what became of the request that was not answered.
    fn settle(&mut self, scim: &Client) -> Result<(), Away> {
        let Some(change) = self.pending.clone() else { return Ok(()) };
        let key = change.key().to_owned();
        let path = format!("/Users?filter=externalId%20eq%20%22{key}%22");
        let answer = self.exchange(scim, "GET", &path, &Value::Null)?.expect(200);
        let found = answer.resources().first().map(seen);
        let before = self.people.get(&key).cloned();
        self.pending = None;
        if found == before {
            return Ok(());
        }
        self.apply(&change, found.as_ref().map(|person| person.id.clone()));
        assert_eq!(found.as_ref(), self.people.get(&key), "neither before nor after {change:?}");
        self.tally.done_without_a_word += 1;
        Ok(())
    }

    /// What is so once a request has been carried out.
    fn apply(&mut self, change: &Change, id: Option<String>) {
        match change {
            Change::Create(key) | Change::CreateWithGroup(key) => {
                let has_group = matches!(change, Change::CreateWithGroup(_));
                let (id, stamp) = (id.unwrap_or_default(), "new".to_owned());
                let person = Person { id, stamp, in_team: false, has_group };
                self.people.insert(key.clone(), person);
            }
            Change::Stamp(key, stamp) => {
                self.people.entry(key.clone()).and_modify(|person| person.stamp.clone_from(stamp));
            }
            Change::Join(key) => {
                self.people.entry(key.clone()).and_modify(|person| person.in_team = true);
            }
            Change::Leave(key) => {
                self.people.entry(key.clone()).and_modify(|person| person.in_team = false);
            }
            Change::Delete(key) => {
                self.people.remove(key);
            }
        }
    }
}

impl Change {
    /// The `externalId` of the person whom it is about.
    fn key(&self) -> &str {
        match self {
            Self::Create(key)
            | Self::CreateWithGroup(key)
            | Self::Stamp(key, _)
            | Self::Join(key)
            | Self::Leave(key)
            | Self::Delete(key) => key,
        }
    }
}

/// A person as the service shows them.
pub(super) fn seen(resource: &Value) -> Person {
    let text = |member: &str| resource[member].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("title"), text("nickName"), "half a change: {resource}");
    let groups = strings(&resource["groups"], "display");
    let has_group = groups.contains(&group_of(&text("externalId")).as_str());
    let in_team = groups.iter().any(|name| name.starts_with("team of "));
    Person { id: text("id"), stamp: text("title"), in_team, has_group }
}

/// The name of the group that somebody was created with.
pub(super) fn group_of(key: &str) -> String {
    format!("group of {key}")
}

fn newcomer(key: &str) -> Value {
    json!({
        "schemas": [USER], "userName": format!("{key}@example.com"), "externalId": key,
        "title": "new", "nickName": "new", "roles": [{"value": "supervisor"}],
        "emails": [{"value": format!("{key}@example.com"), "type": "work", "primary": true}],
    })
}

/// A person and a group with them in it, which are one unit of work.
fn with_group(key: &str) -> Value {
    let members = json!([{"value": "bulkId:person"}]);
    let group = json!({"schemas": [GROUP], "displayName": group_of(key), "members": members});
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "person", "data": newcomer(key)},
        {"method": "POST", "path": "/Groups", "bulkId": "group", "data": group},
    ]})
}

fn patch(operations: &Value) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": operations})
}

/// The id of the person whom a bulk request created.
fn created_in_bulk(answer: &Answer) -> Result<String, Away> {
    assert_eq!(answer.status, 200, "{}", answer.story());
    let operations = &answer["Operations"];
    match strings(operations, "status")[..] {
        ["201", "201"] => {
            let location = operations[0]["location"].as_str().unwrap_or_default();
            Ok(location.rsplit('/').next().unwrap_or_default().to_owned())
        }
        ["503", "503"] => Err(Away),
        _ => panic!("all or nothing: {}", answer.story()),
    }
}
