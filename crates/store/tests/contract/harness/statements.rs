//! What the store says to a database.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use store::DatabaseUrl;

use super::TestDatabase;

/// Statements by the database to which they are said; of databases that nobody listens to, none.
static HEARD: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

fn heard() -> MutexGuard<'static, BTreeMap<String, Vec<String>>> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hears what is said over one connection.
struct Ear {
    url: String,
}

impl Instrumentation for Ear {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                url.clone_into(&mut self.url);
            }
            InstrumentationEvent::StartQuery { query, .. } => {
                let mut heard = heard();
                let of_this = heard.iter_mut().find(|(database, _)| self.url.contains(*database));
                if let Some((_, statements)) = of_this {
                    let query = query.to_string();
                    let text = query.split(" -- binds: ").next().unwrap_or_default();
                    statements.push(text.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// Listens to a database. It is made before the store is opened.
pub(crate) struct Listener {
    database: String,
}

impl Listener {
    pub(crate) fn of(database: &TestDatabase) -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            set_default_instrumentation(|| Some(Box::new(Ear { url: String::new() })))
                .expect("nobody else sets it");
        });
        let database = match &database.url {
            DatabaseUrl::Sqlite(path) => path.to_str().expect("it is UTF-8").to_owned(),
            // The store's URLs have parameters; those of the test's own connections are not these.
            DatabaseUrl::Postgres(url) => {
                let name = url.split('?').next().and_then(|url| url.rsplit('/').next());
                format!("/{}?", name.expect("the URL names a database"))
            }
        };
        Self { database }
    }

    /// The statements that are run meanwhile and read or write rows.
    pub(crate) fn during(&self, work: impl FnOnce()) -> Vec<String> {
        heard().insert(self.database.clone(), Vec::new());
        work();
        let mut statements = heard().remove(&self.database).unwrap_or_default();
        let is_about_rows = |text: &String| {
            ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"]
                .iter()
                .any(|word| text.starts_with(word))
        };
        statements.retain(is_about_rows);
        statements
    }
}
