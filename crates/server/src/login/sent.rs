//! Passwords in the bodies of SCIM requests (rule R64): hashed before the unit of work, if they are
//! kept.

use std::sync::Arc;

use accounts::Context;
use accounts::login::{by_client, password};
use jiff::{SignedDuration, Timestamp};
use quick_cache::sync::Cache;
use scim_protocol::Object;
use scim_protocol::patch::{Edit, Op};
use serde_json::Value;
use uuid::Uuid;

use crate::error::ApiError;
use crate::known::SECONDS;
use crate::{State, clock};

/// Tenants that were found to keep no passwords that clients send, so that not each of these asks
/// the database. As of who is calling, what this server changes counts at once, and what another
/// process changes within [`SECONDS`]; the unit of work decides in any case.
pub(crate) struct Unkept(Cache<Uuid, (Timestamp, u64)>);

/// Tenants that are remembered at once.
const TENANTS: usize = 10_000;

impl Default for Unkept {
    fn default() -> Self {
        Self(Cache::new(TENANTS))
    }
}

impl Unkept {
    fn is_known(&self, tenant: Uuid, now: Timestamp, changes: u64) -> bool {
        self.0.get(&tenant).is_some_and(|(read, after)| {
            now.duration_since(read).abs() < SignedDuration::from_secs(SECONDS) && after == changes
        })
    }
}

/// The context with the hash of the password that a body sets, if it is kept.
pub(crate) async fn with_password(
    state: &State,
    context: Context,
    account: Option<Uuid>,
    body: &Object,
) -> Result<Context, ApiError> {
    match body.get("password").and_then(Value::as_str) {
        Some(clear) => hashed(state, context, account, body.clone(), clear).await,
        None => Ok(context),
    }
}

/// The same of the edits of a PATCH.
pub(crate) async fn with_password_of(
    state: &State,
    context: Context,
    account: Uuid,
    edits: &[Edit],
) -> Result<Context, ApiError> {
    let sets = |edit: &&Edit| edit.op != Op::Remove && edit.targets("password").is_some();
    // The last one is the one that stays.
    let clear = edits.iter().rev().find(sets).and_then(|edit| edit.value.as_str());
    match clear {
        Some(clear) => hashed(state, context, Some(account), Object::new(), clear).await,
        None => Ok(context),
    }
}

async fn hashed(
    state: &State,
    context: Context,
    account: Option<Uuid>,
    body: Object,
    clear: &str,
) -> Result<Context, ApiError> {
    let tenant = context.caller.tenant;
    let (now, changes) = (clock::now(), state.store.catalogue_changes());
    if state.unkept.is_known(tenant, now, changes) {
        return Ok(context);
    }
    let (caller, clear) = (context.caller, password::prepare(clear));
    let given = clear.clone();
    let store = state.store.of(tenant);
    let is_kept =
        store.read(move |tx| by_client::is_kept(tx, &caller, account, &body, &given)).await?;
    if !is_kept {
        state.unkept.0.insert(tenant, (now, changes));
        return Ok(context);
    }
    let hash = state.hasher.hash(clear).await?;
    Ok(Context { password: Some(Arc::from(hash)), ..context })
}
