//! Finding out what is there, and making what is missing, over SCIM itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::bodies::{self, Newcomer};
use crate::client::{Call, Client, Target, encoded};
use crate::world::{Manifest, Person, World};

/// How many users are read to ask for them later.
const SAMPLE: u64 = 4000;
/// The resources of a page.
const PAGE: u64 = 100;
/// How many people the workloads may put into groups.
const OUTSIDERS: usize = 64;
/// How many groups the mixes fill.
const SYNC_GROUPS: usize = 8;
/// How long users are made one by one.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long users are read: a page of 100 takes some servers many seconds.
const READING: Duration = Duration::from_secs(60);
/// The members of one PATCH.
const MEMBERS: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    total_results: u64,
    #[serde(rename = "Resources", default)]
    resources: Vec<User>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: String,
    #[serde(rename = "userName")]
    name: Option<String>,
    external_id: Option<String>,
    #[serde(default)]
    emails: Vec<Email>,
}

#[derive(Deserialize)]
struct Email {
    value: Option<String>,
}

impl From<User> for Person {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            user_name: user.name.unwrap_or_default(),
            external_id: user.external_id,
            email: user.emails.into_iter().find_map(|email| email.value),
        }
    }
}

/// What is wanted of a server's data.
#[derive(Debug)]
pub struct Wish {
    /// In every name that is made.
    pub run: String,
    /// The fewest users.
    pub users: u64,
    /// The sizes of groups.
    pub groups: Vec<u64>,
    /// What is known already.
    pub manifest: Option<Manifest>,
}

/// Learns what is there and makes what is missing.
///
/// # Errors
/// If the server refuses something that the workloads cannot do without.
pub async fn prepare(target: &Arc<Target>, wish: Wish) -> Result<World> {
    let mut client = Client::connect(target).await?;
    let manifest = match wish.manifest {
        Some(manifest) => manifest,
        None => survey(&mut client, &wish.run, wish.users, &wish.groups).await?,
    };
    let (outsiders, since) = outsiders(&mut client, &wish.run).await?;
    let mut sync_groups = Vec::new();
    for number in 0..SYNC_GROUPS {
        match new_group(&mut client, &format!("bench {} sync {number}", wish.run)).await {
            Ok(group) => sync_groups.push(group),
            Err(error) => eprintln!("no group is made: {error:#}"),
        }
    }
    Ok(World::new(wish.run, manifest, outsiders, sync_groups, since))
}

/// Looks at the users and groups there are, after making those that are missing.
async fn survey(client: &mut Client, run: &str, users: u64, sizes: &[u64]) -> Result<Manifest> {
    let there = page(client, 1, 1).await?.total_results;
    if there < users {
        eprintln!("making {} users", users - there);
        make(client, &format!("{run}s"), users - there).await?;
    }
    let total = page(client, 1, 1).await?.total_results;
    ensure!(total > 0, "there are no users: give --users");
    let people = sample(client, total).await?;
    let mut groups = BTreeMap::new();
    for &size in sizes.iter().filter(|&&size| size <= total) {
        match group_of(client, run, size, total).await {
            Ok(group) => {
                groups.insert(size, group);
            }
            Err(error) => eprintln!("there is no group of {size}: {error:#}"),
        }
    }
    Ok(Manifest { users: people, groups, total })
}

async fn page(client: &mut Client, start: u64, count: u64) -> Result<List> {
    let path = format!("/Users?startIndex={start}&count={count}");
    client.expect(&Call::get(path)).await?.json()
}

/// Creates people through Bulk, or one by one where there is none.
async fn make(client: &mut Client, run: &str, number: u64) -> Result<()> {
    let begin = Instant::now();
    let mut next = 0;
    while next < number {
        let people: Vec<Newcomer> =
            (next..number.min(next + 1000)).map(|number| Newcomer::new(run, number)).collect();
        let reply = client.send(&Call::post("/Bulk", bodies::bulk(&people).to_string())).await?;
        if reply.status == 200 {
            let refused = bodies::refused(&reply)?;
            if let Some(first) = refused.first() {
                bail!("a bulk operation was refused: {first}");
            }
        } else if [400, 403, 404, 405, 413, 500, 501].contains(&reply.status) {
            for (made, person) in (next..).zip(&people) {
                if begin.elapsed() > PATIENCE {
                    eprintln!("no more than {made} users are made in {PATIENCE:?}");
                    return Ok(());
                }
                client.expect(&Call::post("/Users", person.create().to_string())).await?;
            }
        } else {
            bail!("POST /Bulk: {}", reply.story());
        }
        next += people.len() as u64;
        if next % 50_000 == 0 {
            eprintln!("made {next} of {number} users");
        }
    }
    Ok(())
}

/// Some of the users, spread over all of them, in no particular order.
async fn sample(client: &mut Client, total: u64) -> Result<Vec<Person>> {
    let pages = total.div_ceil(PAGE);
    let read = pages.min(SAMPLE / PAGE);
    let (begin, mut people) = (Instant::now(), Vec::new());
    // In long steps, so that they are spread over all of them also where not all are read.
    for number in (0..8).flat_map(|first| (first..read).step_by(8)) {
        if begin.elapsed() > READING && !people.is_empty() {
            eprintln!("no more than {} users are read in {READING:?}", people.len());
            break;
        }
        let start = pages * number / read * PAGE + 1;
        people.extend(page(client, start, PAGE).await?.resources.into_iter().map(Person::from));
    }
    ensure!(!people.is_empty(), "the list of users is empty");
    Ok(people)
}

/// A group with so many members: the one that an earlier run made, or a new one.
async fn group_of(client: &mut Client, run: &str, size: u64, total: u64) -> Result<String> {
    let name = format!("bench group of {size}");
    let filter = encoded(&format!("displayName eq \"{name}\""));
    let path = format!("/Groups?filter={filter}&excludedAttributes=members");
    let found: List = client.expect(&Call::get(path)).await?.json()?;
    if let Some(group) = found.resources.into_iter().next() {
        return Ok(group.id);
    }
    // Named when it is full, so that an interrupted run leaves no half of it to later ones.
    let group = new_group(client, &format!("{name} {run}")).await?;
    let mut start = 1;
    let mut missing = size as usize;
    while missing > 0 && start <= total {
        let mut ids = Vec::new();
        while ids.len() < MEMBERS.min(missing) && start <= total {
            ids.extend(page(client, start, PAGE).await?.resources.into_iter().map(|user| user.id));
            start += PAGE;
        }
        ids.truncate(missing);
        missing -= ids.len();
        let body = bodies::add_members(ids.iter().map(String::as_str)).to_string();
        client.expect(&Call::patch(format!("/Groups/{group}"), body)).await?;
    }
    let rename = bodies::set("displayName", name).to_string();
    client.expect(&Call::patch(format!("/Groups/{group}"), rename)).await?;
    Ok(group)
}

/// Makes a group of these people.
///
/// # Errors
/// If the server refuses.
pub async fn full_group(target: &Arc<Target>, name: &str, people: &[Person]) -> Result<String> {
    let mut client = Client::connect(target).await?;
    let group = new_group(&mut client, name).await?;
    for some in people.chunks(MEMBERS) {
        let body = bodies::add_members(some.iter().map(|person| person.id.as_str())).to_string();
        client.expect(&Call::patch(format!("/Groups/{group}"), body)).await?;
    }
    Ok(group)
}

async fn new_group(client: &mut Client, name: &str) -> Result<String> {
    client.expect(&Call::post("/Groups", bodies::group(name).to_string())).await?.id()
}

/// People who are in no group, and the server's instant before them.
async fn outsiders(client: &mut Client, run: &str) -> Result<(Vec<String>, String)> {
    #[derive(Deserialize)]
    struct Created {
        id: String,
        meta: Meta,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta {
        last_modified: String,
    }
    let (mut ids, mut since) = (Vec::new(), None);
    for number in 0..OUTSIDERS as u64 {
        let newcomer = Newcomer::new(&format!("{run}o"), number);
        // Some do not work yet, so that who was switched off lately is not nobody.
        let body = if number % 8 == 7 { newcomer.create_inactive() } else { newcomer.create() };
        let created: Created =
            client.expect(&Call::post("/Users", body.to_string())).await?.json()?;
        since.get_or_insert(created.meta.last_modified);
        ids.push(created.id);
    }
    Ok((ids, since.context("nobody was made")?))
}
