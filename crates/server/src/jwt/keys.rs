//! The public keys of issuers (RFC 7517): fetched once, kept, and fetched again when a JWT names one
//! that is not among them.
//!
//! The URL is an administrator's, and of no other place is anything fetched: redirects are not
//! followed. What comes back is read as keys and shown to nobody.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accounts::credentials::{Keys, MAX_KEYS};
use actix_web::web::block;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use quick_cache::sync::Cache;
use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use crate::clock;

/// Issuers whose keys are kept at once.
const ISSUERS: usize = 1_000;

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long keys are good without asking again: an issuer that takes one back wants it gone.
const FRESH: SignedDuration = SignedDuration::from_mins(60);

/// How long keys are good when the issuer cannot be reached.
const STALE: SignedDuration = SignedDuration::from_hours(24);

/// How long the same URL is left alone, whatever clients send.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// The most keys of an issuer that are looked at.
const MAX_COUNT: usize = 100;

/// Keys by their URLs.
pub(crate) struct IssuerKeys {
    agent: ureq::Agent,
    sources: Cache<String, Arc<Source>>,
}

/// Where keys are fetched from.
#[derive(Default)]
struct Source {
    held: Mutex<Held>,
    /// Whoever has it fetches; others wait for that.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default, Clone)]
struct Held {
    keys: Option<(Arc<JwkSet>, Timestamp)>,
    tried: Option<Timestamp>,
}

impl Held {
    /// The key, if the keys are no older than this.
    fn key(&self, kid: Option<&str>, now: Timestamp, age: SignedDuration) -> Option<Jwk> {
        let (keys, fetched) = self.keys.as_ref()?;
        (now.duration_since(*fetched).abs() < age).then(|| pick(keys, kid))?
    }

    fn may_try(&self, now: Timestamp) -> bool {
        self.tried.is_none_or(|tried| now.duration_since(tried).abs() >= PAUSE)
    }
}

impl Source {
    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for IssuerKeys {
    fn default() -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .max_redirects_will_error(true)
            .tls_config(tls)
            .build()
            .new_agent();
        Self { agent, sources: Cache::new(ISSUERS) }
    }
}

impl IssuerKeys {
    /// The key that a JWT names, or the only one where it names none.
    pub(super) async fn find(&self, keys: &Keys, kid: Option<&str>) -> Option<Jwk> {
        let url = match keys {
            Keys::Jwks(keys) => return pick(&set(keys.clone())?, kid),
            Keys::JwksUrl(url) => url,
        };
        let source = self.sources.get(url).unwrap_or_else(|| {
            let source = Arc::<Source>::default();
            self.sources.insert(url.clone(), Arc::clone(&source));
            source
        });
        let now = clock::now();
        if let Some(key) = source.held().key(kid, now, FRESH) {
            return Some(key);
        }
        let _turn = source.turn.lock().await;
        let held = source.held().clone();
        if let Some(key) = held.key(kid, now, FRESH) {
            return Some(key);
        }
        if held.may_try(now) {
            source.held().tried = Some(now);
            self.fetch(url, &source, now).await;
        }
        let held = source.held().clone();
        held.key(kid, now, STALE)
    }

    /// Fetches the keys at a URL and keeps them, even if nobody waits for them any more; what is in the
    /// way is for the log.
    async fn fetch(&self, url: &str, source: &Arc<Source>, now: Timestamp) {
        let (agent, source, wanted) = (self.agent.clone(), Arc::clone(source), url.to_owned());
        let fetched = block(move || {
            let mut answer = agent.get(&wanted).call()?;
            let limit = u64::try_from(MAX_KEYS).unwrap_or(u64::MAX);
            let keys = set(answer.body_mut().with_config().limit(limit).read_json::<Value>()?);
            let has_keys = keys.is_some();
            if let Some(keys) = keys {
                source.held().keys = Some((Arc::new(keys), now));
            }
            Ok::<_, ureq::Error>(has_keys)
        });
        match fetched.await {
            Ok(Ok(true)) | Err(_) => {}
            Ok(Ok(false)) => tracing::warn!(url, "the keys of an issuer are none"),
            Ok(Err(error)) => {
                tracing::warn!(url, %error, "the keys of an issuer cannot be fetched");
            }
        }
    }
}

/// The keys of a set that can be read; those of kinds that are not known are passed over.
fn set(keys: Value) -> Option<JwkSet> {
    let Value::Object(mut members) = keys else { return None };
    let Value::Array(keys) = members.remove("keys")? else { return None };
    let known = keys.into_iter().take(MAX_COUNT).filter_map(|key| serde_json::from_value(key).ok());
    Some(JwkSet { keys: known.collect() })
}

fn pick(keys: &JwkSet, kid: Option<&str>) -> Option<Jwk> {
    match (kid, &keys.keys[..]) {
        (Some(kid), _) => keys.find(kid).cloned(),
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
    }
}

/// Whether a JSON Web Key set (RFC 7517) has any key that can be read.
pub fn has_keys(keys: &Value) -> bool {
    set(keys.clone()).is_some_and(|set| !set.keys.is_empty())
}
