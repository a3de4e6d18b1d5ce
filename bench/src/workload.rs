//! The workloads: a line each in one table, and what each of them sends.

use anyhow::Result;
use serde::Deserialize;

use crate::bodies::{self, Newcomer};
use crate::client::{Call, encoded};
use crate::worker::Worker;
use crate::world::Person;

/// The resources of an index page.
const PAGE: u64 = 100;

/// What is sent again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    GetId,
    Lookup(By),
    CompoundName,
    CompoundChanged,
    /// Index pages, from a hundredth of all users on.
    Page(u64),
    CursorWalk,
    PatchActive,
    PatchAttribute,
    Put,
    /// One member of the group of this size.
    Member(u64),
    /// The group of this size, without its members.
    GroupAlone(u64),
    AddThousand,
    Bulk,
    InitialSync,
    HourlyDelta,
}

/// What a user is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    UserName,
    Email,
    ExternalId,
}

/// One workload.
#[derive(Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it sends.
    pub about: &'static str,
    /// How many resources a request is about.
    pub units: u64,
    /// The most connections that it uses.
    pub most_connections: usize,
    pub(crate) kind: Kind,
}

impl Workload {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, about, units: 1, most_connections: usize::MAX, kind }
    }

    /// A workload of one connection.
    const fn alone(name: &'static str, kind: Kind, units: u64, about: &'static str) -> Self {
        Self { name, about, units, most_connections: 1, kind }
    }

    /// The workload with a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLE.iter().find(|workload| workload.name == name)
    }

    /// Whether it fills groups that are made for it.
    pub(crate) fn is_mix(&self) -> bool {
        matches!(self.kind, Kind::InitialSync | Kind::HourlyDelta)
    }

    /// The size of the group that it needs.
    pub fn group(&self) -> Option<u64> {
        match self.kind {
            Kind::Member(size) | Kind::GroupAlone(size) => Some(size),
            _ => None,
        }
    }
}

/// All workloads, in the order in which they run.
pub static TABLE: [Workload; 28] = [
    Workload::new("get-id", Kind::GetId, "GET of a user by its identifier"),
    Workload::new("eq-userName", Kind::Lookup(By::UserName), "filter=userName eq …"),
    Workload::new("eq-email", Kind::Lookup(By::Email), "filter=emails.value eq …"),
    Workload::new("eq-externalId", Kind::Lookup(By::ExternalId), "filter=externalId eq …"),
    Workload::new(
        "compound-name",
        Kind::CompoundName,
        "filter=active eq true and userName sw …, first page",
    ),
    Workload::new(
        "compound-changed",
        Kind::CompoundChanged,
        "filter=meta.lastModified gt … and active eq false, first page",
    ),
    Workload::alone("page-first", Kind::Page(0), PAGE, "the first page of 100 users"),
    Workload::alone("page-50", Kind::Page(50), PAGE, "pages of 100 in order, from 50 % on"),
    Workload::alone("page-90", Kind::Page(90), PAGE, "pages of 100 in order, from 90 % on"),
    Workload::alone("cursor-walk", Kind::CursorWalk, 200, "all users once, in pages of 200"),
    Workload::new("create", Kind::Create, "POST of a user as Okta sends it"),
    Workload::new("patch-active", Kind::PatchActive, "PATCH of active, to false and back"),
    Workload::new("patch-attribute", Kind::PatchAttribute, "PATCH of one attribute"),
    Workload::new("put", Kind::Put, "PUT of a user as Okta sends it"),
    Workload::new("member-10", Kind::Member(10), "PATCH: one member to and from a group of 10"),
    Workload::new("member-1000", Kind::Member(1000), "the same for a group of 1,000"),
    Workload::new("member-100000", Kind::Member(100_000), "the same for a group of 100,000"),
    Workload::new("group-10", Kind::GroupAlone(10), "GET of a group of 10 without its members"),
    Workload::new("group-1000", Kind::GroupAlone(1000), "the same for a group of 1,000"),
    Workload::new("group-100000", Kind::GroupAlone(100_000), "the same for a group of 100,000"),
    Workload::alone("add-1000", Kind::AddThousand, 1000, "PATCH that adds 1,000 members"),
    Workload { units: 1000, ..Workload::new("bulk-1000", Kind::Bulk, "Bulk of 1,000 creates") },
    Workload::new(
        "initial-sync",
        Kind::InitialSync,
        "match by userName, create, add to a group: each request counts",
    ),
    Workload::new(
        "hourly-delta",
        Kind::HourlyDelta,
        "5 look-ups, 3 PATCHes of an attribute, 1 of active, 1 of a member",
    ),
    Workload::alone("create-alone", Kind::Create, 1, "create, by one connection"),
    Workload::alone("bulk-1000-alone", Kind::Bulk, 1000, "bulk-1000, by one connection"),
    Workload::alone("get-id-alone", Kind::GetId, 1, "get-id, by one connection"),
    Workload::alone("patch-alone", Kind::PatchAttribute, 1, "patch-attribute, by one connection"),
];

/// Sends what one turn of a workload sends; not for the walk by cursor, which has an end.
pub(crate) async fn turn(kind: Kind, worker: &mut Worker) -> Result<()> {
    match kind {
        Kind::Create => create(worker).await,
        Kind::GetId => get_id(worker).await,
        Kind::Lookup(by) => lookup(worker, by).await,
        Kind::CompoundName => compound_name(worker).await,
        Kind::CompoundChanged => compound_changed(worker).await,
        Kind::Page(percent) => page(worker, percent).await,
        Kind::PatchActive => patch_active(worker).await,
        Kind::PatchAttribute => patch_attribute(worker).await,
        Kind::Put => put(worker).await,
        Kind::Member(size) => {
            let group = worker.world.group(size)?.to_owned();
            member(worker, &group).await
        }
        Kind::GroupAlone(size) => group_alone(worker, size).await,
        Kind::AddThousand => add_thousand(worker).await,
        Kind::Bulk => bulk(worker).await,
        Kind::InitialSync => initial_sync(worker).await,
        Kind::HourlyDelta => hourly_delta(worker).await,
        Kind::CursorWalk => walk_page(worker).await,
    }
}

async fn create(worker: &mut Worker) -> Result<()> {
    let newcomer = worker.world.newcomer();
    let call = Call::post("/Users", newcomer.create().to_string());
    worker.ask(&call, &[201], &newcomer.user_name).await;
    Ok(())
}

async fn get_id(worker: &mut Worker) -> Result<()> {
    let id = worker.anybody().id.clone();
    worker.ask(&Call::get(format!("/Users/{id}")), &[200], &id).await;
    Ok(())
}

async fn lookup(worker: &mut Worker, by: By) -> Result<()> {
    let person = worker.anybody().clone();
    let filter = match by {
        By::UserName => equals("userName", &person.user_name),
        By::Email => equals("emails.value", person.address()),
        By::ExternalId => equals("externalId", person.external_id.as_deref().unwrap_or_default()),
    };
    worker.ask(&search(&filter, ""), &[200], &person.id).await;
    Ok(())
}

async fn compound_name(worker: &mut Worker) -> Result<()> {
    let person = worker.anybody().clone();
    let filter = format!("active eq true and userName sw \"{}\"", person.beginning());
    worker.ask(&search(&filter, "&count=100"), &[200], person.beginning()).await;
    Ok(())
}

async fn compound_changed(worker: &mut Worker) -> Result<()> {
    let since = &worker.world.since;
    let filter = format!("meta.lastModified gt \"{since}\" and active eq false");
    worker.ask(&search(&filter, "&count=100"), &[200], "\"totalResults\"").await;
    Ok(())
}

async fn page(worker: &mut Worker, percent: u64) -> Result<()> {
    let total = worker.world.total;
    let begin = total * percent / 100;
    let pages = ((total - begin) / PAGE).max(1);
    let number = if percent == 0 { 0 } else { worker.count() % pages };
    let call = Call::get(format!("/Users?startIndex={}&count={PAGE}", begin + number * PAGE + 1));
    worker.ask(&call, &[200], "\"userName\"").await;
    Ok(())
}

/// The next page of a walk; what follows from it stands in the worker.
async fn walk_page(worker: &mut Worker) -> Result<()> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        next_cursor: Option<String>,
    }
    let cursor = encoded(worker.cursor.as_deref().unwrap_or_default());
    let call = Call::get(format!("/Users?cursor={cursor}&count=200"));
    let reply = worker.ask(&call, &[200], "\"Resources\"").await;
    worker.cursor =
        reply.map(|reply| reply.json::<Page>()).transpose()?.and_then(|page| page.next_cursor);
    Ok(())
}

async fn patch_active(worker: &mut Worker) -> Result<()> {
    let turn = worker.toggles;
    worker.toggles += 1;
    let id = worker.own(turn / 2).id.clone();
    let body = bodies::set("active", turn % 2 == 1);
    worker.ask(&user_patch(&id, &body), &[200, 204], "").await;
    Ok(())
}

async fn patch_attribute(worker: &mut Worker) -> Result<()> {
    let title = worker.world.title();
    let turn = worker.count();
    let id = worker.own(turn).id.clone();
    worker.ask(&user_patch(&id, &bodies::set("title", title)), &[200, 204], "").await;
    Ok(())
}

async fn put(worker: &mut Worker) -> Result<()> {
    let turn = worker.count();
    let person = worker.own(turn).clone();
    let external_id = person.external_id.as_deref().unwrap_or_default();
    let title = worker.world.title();
    let body = bodies::put(&person.id, &person.user_name, external_id, &title, turn);
    let call = Call::put(format!("/Users/{}", person.id), body.to_string());
    worker.ask(&call, &[200], &person.id).await;
    Ok(())
}

async fn member(worker: &mut Worker, group: &str) -> Result<()> {
    let turn = worker.moves;
    worker.moves += 1;
    let outsider = worker.outsider();
    let body = if turn.is_multiple_of(2) {
        bodies::add_members([outsider])
    } else {
        bodies::remove_member(outsider)
    };
    let call = Call::patch(format!("/Groups/{group}"), body.to_string());
    worker.ask(&call, &[200, 204], "").await;
    Ok(())
}

async fn group_alone(worker: &mut Worker, size: u64) -> Result<()> {
    let id = worker.world.group(size)?.to_owned();
    let call = Call::get(format!("/Groups/{id}?excludedAttributes=members"));
    worker.ask(&call, &[200], &id).await;
    Ok(())
}

/// The group is made before, which does not count, and deleted at the end: its ceiling deletes none
/// either. Its members are spread over all who are known, as there.
async fn add_thousand(worker: &mut Worker) -> Result<()> {
    let group = bodies::group(&format!("bench {} {}", worker.world.run, worker.world.number()));
    let id = worker.silently(&Call::post("/Groups", group.to_string())).await?.id()?;
    let people = &worker.world.people;
    let some = people.iter().step_by((people.len() / 1000).max(1)).take(1000);
    let members = bodies::add_members(some.map(|person| person.id.as_str())).to_string();
    worker.left.push(format!("/Groups/{id}"));
    worker.ask(&Call::patch(format!("/Groups/{id}"), members), &[200, 204], "").await;
    Ok(())
}

async fn bulk(worker: &mut Worker) -> Result<()> {
    let people: Vec<Newcomer> = (0..1000).map(|_| worker.world.newcomer()).collect();
    let call = Call::post("/Bulk", bodies::bulk(&people).to_string());
    let Some(reply) = worker.ask(&call, &[200], "").await else { return Ok(()) };
    let refused = bodies::refused(&reply)?;
    if let Some(first) = refused.first() {
        worker.tally.failed(|| format!("{} of 1000 operations, such as {first}", refused.len()));
    }
    Ok(())
}

async fn initial_sync(worker: &mut Worker) -> Result<()> {
    let newcomer = worker.world.newcomer();
    let filter = equals("userName", &newcomer.user_name);
    worker.ask(&search(&filter, ""), &[200], "\"totalResults\":0").await;
    let create = Call::post("/Users", newcomer.create().to_string());
    let Some(created) = worker.ask(&create, &[201], &newcomer.user_name).await else {
        return Ok(());
    };
    let group = worker.sync_group().to_owned();
    let id = created.id()?;
    let body = bodies::add_members([id.as_str()]).to_string();
    worker.ask(&Call::patch(format!("/Groups/{group}"), body), &[200, 204], "").await;
    Ok(())
}

async fn hourly_delta(worker: &mut Worker) -> Result<()> {
    match worker.count() % 10 {
        0..5 => lookup(worker, By::UserName).await,
        5..8 => patch_attribute(worker).await,
        8 => patch_active(worker).await,
        _ => {
            let group = worker.sync_group().to_owned();
            member(worker, &group).await
        }
    }
}

fn equals(attribute: &str, value: &str) -> String {
    format!("{attribute} eq \"{value}\"")
}

fn search(filter: &str, more: &str) -> Call {
    Call::get(format!("/Users?filter={}{more}", encoded(filter)))
}

fn user_patch(id: &str, body: &serde_json::Value) -> Call {
    Call::patch(format!("/Users/{id}"), body.to_string())
}

impl Person {
    /// The e-mail address; whoever has none is known by the user name, which mostly is one.
    fn address(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.user_name)
    }

    /// What a user name begins with up to the second dot, or its first six characters.
    fn beginning(&self) -> &str {
        let name = &self.user_name;
        let dots = name.match_indices('.').nth(1).map(|(at, _)| at);
        let end = dots.or_else(|| name.char_indices().nth(6).map(|(at, _)| at));
        &name[..end.unwrap_or(name.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_workload_has_a_name_of_its_own() {
        for workload in &TABLE {
            assert!(std::ptr::eq(Workload::named(workload.name).unwrap(), workload));
        }
        assert!(Workload::named("nothing").is_none());
    }

    #[test]
    fn a_name_is_searched_by_its_beginning() {
        let person = |name: &str| Person {
            id: "1".to_owned(),
            user_name: name.to_owned(),
            external_id: None,
            email: None,
        };
        assert_eq!(person("mira.berg.x1.0001@example.com").beginning(), "mira.berg");
        assert_eq!(person("someone@example").beginning(), "someon");
        assert_eq!(person("ada").beginning(), "ada");
    }
}
