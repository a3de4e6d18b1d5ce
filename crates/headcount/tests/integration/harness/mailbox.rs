//! Mails that a server writes into a folder, and the links in them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Administrator, Answer, Client, Database, PATIENCE, Server, TestDatabase};

/// The folder of a server's mails.
pub(crate) struct Mailbox {
    folder: PathBuf,
    read: BTreeSet<PathBuf>,
}

/// A mail.
pub(crate) struct Mail {
    pub(crate) text: String,
}

/// A server that writes its mails into a folder, a client of one tenant, and its administrator.
#[track_caller]
pub(crate) fn serve_mail(database: Database) -> (Server, Client, Administrator, Mailbox) {
    let database = TestDatabase::create(database);
    let (server, mailbox) = Mailbox::serve(&database, &[]);
    let scim = server.tenant("acme").client(super::Dialect::Standard);
    let admin = Administrator::of(&server, "acme");
    (server, scim, admin, mailbox)
}

impl Mailbox {
    /// Starts a server on a database that writes its mails into a folder, with more arguments.
    #[track_caller]
    pub(crate) fn serve(database: &Arc<TestDatabase>, more: &[&str]) -> (Server, Self) {
        let folder = database.folder().join("mails");
        let mail = format!("file:{}", folder.display());
        let arguments =
            ["serve", "--listen", "127.0.0.1:0", "--database", database.url(), "--mail", &mail];
        let server = Server::run(database, &[&arguments[..], more].concat(), &[]);
        (server, Self { folder, read: BTreeSet::new() })
    }

    fn unread(&self) -> Option<PathBuf> {
        let files = std::fs::read_dir(&self.folder).expect("the folder is there").flatten();
        let mut mails: Vec<_> = files
            .map(|file| file.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .filter(|path| !self.read.contains(path))
            .collect();
        mails.sort_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
        mails.into_iter().next()
    }

    /// The next mail, which must come in time.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Mail {
        let start = Instant::now();
        loop {
            if let Some(path) = self.unread() {
                // It may be half written.
                thread::sleep(Duration::from_millis(50));
                let text = std::fs::read_to_string(&path).expect("a mail can be read");
                self.read.insert(path);
                return Mail { text: text.replace("=\r\n", "").replace("=3D", "=") };
            }
            assert!(start.elapsed() < PATIENCE, "no mail within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits as long as several rounds of the server take, and finds no mail.
    #[track_caller]
    pub(crate) fn stays_empty(&self) {
        thread::sleep(Duration::from_millis(3500));
        assert_eq!(self.unread(), None, "a mail that nobody should get");
    }
}

impl Mail {
    /// The path of the link, behind the URL of the server.
    #[track_caller]
    pub(crate) fn link(&self) -> String {
        let line = self.text.lines().find(|line| line.starts_with("http")).expect("it has a link");
        let path = line.trim().splitn(4, '/').nth(3).expect("a link has a path");
        format!("/{path}")
    }
}

/// A client of the paths that are not below `/scim/v2`, without a token.
pub(crate) fn door(server: &Server) -> Client {
    Client::new(&server.base_url().replace("/scim/v2", ""), None)
}

/// The same with a token.
pub(crate) fn door_with(server: &Server, token: &str) -> Client {
    Client::new(&server.base_url().replace("/scim/v2", ""), Some(token))
}

impl Client {
    /// POST of plain JSON.
    #[track_caller]
    pub(crate) fn say(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(("application/json", &body.to_string())))
    }

    /// Logs in to the tenant `acme`.
    #[track_caller]
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Answer {
        let body = json!({"tenant": "acme", "userName": name, "password": password});
        self.say("/login", &body)
    }
}
