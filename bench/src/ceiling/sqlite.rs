//! One connection that runs the least SQL that an operation needs and commits each.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use rusqlite::{Connection, params};

use super::Texts;
use crate::bodies::Newcomer;
use crate::measure::{Figures, Tally};

const SETUP: &str = include_str!("../../sqlite.sql");

/// Where the numbers of what the operations make begin.
const FIRST: u64 = 1_000_000_000;
const TENANT: [u8; 16] = [1; 16];
/// A group of at most so many is there, as the service has one.
const LARGE_GROUP: u64 = 100_000;
const DIVISION: [u8; 16] = [7; 16];
const CONNECTION: [u8; 16] = [9; 16];
/// What the service's documentation of a row has as its instant.
const INSTANT: i64 = 1_795_000_000_000_000;

/// What is read of a user.
const USER: &str =
    "SELECT document, version, created_at, modified_at FROM users WHERE tenant_id = ?1 AND ";

/// The tables of the ceiling in a file.
pub struct Sqlite {
    conn: Connection,
    texts: Texts,
    /// Users with the numbers from 1 to this are there.
    rows: u64,
    /// The last number that anything else was given.
    made: u64,
    random: u64,
}

impl Sqlite {
    /// The operations that can be measured.
    pub const OPERATIONS: [&str; 9] = [
        "get-id",
        "eq-userName",
        "eq-email",
        "eq-externalId",
        "compound-name",
        "create",
        "patch-active",
        "patch-attribute",
        "add-1000",
    ];

    /// Makes the tables in a new file, with the settings that the service has.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(file: &Path) -> Result<Self> {
        let conn = Connection::open(file)?;
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA temp_store = MEMORY;",
        )?;
        conn.execute_batch(SETUP)?;
        conn.set_prepared_statement_cache_capacity(64);
        conn.execute_batch("BEGIN")?;
        for number in 0..200_000 {
            conn.prepare_cached("INSERT INTO free_seats VALUES (?1, 'cx1', ?2)")?
                .execute(params![TENANT, number])?;
        }
        conn.execute_batch("COMMIT")?;
        Ok(Self { conn, texts: Texts::new(), rows: 0, made: FIRST, random: 0x9E37_79B9_7F4A_7C15 })
    }

    /// Sees to it that there are so many users.
    ///
    /// # Errors
    /// If the database refuses.
    pub fn grow(&mut self, rows: u64) -> Result<()> {
        while self.rows < rows {
            self.conn.execute_batch("BEGIN")?;
            for _ in 0..(rows - self.rows).min(10_000) {
                self.rows += 1;
                self.insert_user(self.rows)?;
                if self.rows <= LARGE_GROUP {
                    self.insert_member(&id(0), &id(self.rows))?;
                }
            }
            self.conn.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// Repeats an operation.
    ///
    /// # Errors
    /// If it is not known, or the database refuses.
    pub fn measure(&mut self, operation: &str, seconds: f64) -> Result<Figures> {
        let start = Instant::now();
        let mut tally = Tally::default();
        while start.elapsed().as_secs_f64() < seconds {
            let turn = Instant::now();
            self.once(operation)?;
            tally.answered(turn.elapsed(), 200);
        }
        Ok(tally.figures(start.elapsed()))
    }

    fn once(&mut self, operation: &str) -> Result<()> {
        let number = self.anybody();
        match operation {
            "get-id" => self.read("id = ?2", &id(number)),
            "eq-userName" => self.read("user_name_key = ?2", &name(number)),
            "eq-email" => self.read(
                "id IN (SELECT user_id FROM emails WHERE tenant_id = ?1 AND value_key = ?2)",
                &name(number),
            ),
            "eq-externalId" => self.read(
                "id IN (SELECT user_id FROM external_ids WHERE tenant_id = ?1 AND external_id = ?2)",
                &external_id(number),
            ),
            "compound-name" => self.compound(number),
            "create" => self.transaction(Self::create_user),
            "patch-attribute" => self.transaction(|this| this.change_user(number, "")),
            "patch-active" => self.transaction(|this| this.switch(number)),
            "add-1000" => self.transaction(Self::add_thousand),
            _ => bail!("{operation:?} is not known"),
        }
    }

    fn transaction(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.conn.execute_batch("BEGIN IMMEDIATE")?;
        work(self)?;
        Ok(self.conn.execute_batch("COMMIT")?)
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<()> {
        self.conn.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    fn read(&self, condition: &str, value: &dyn rusqlite::ToSql) -> Result<()> {
        let mut statement = self.conn.prepare_cached(&format!("{USER}{condition}"))?;
        let mut rows = statement.query(params![TENANT, value])?;
        let mut length = 0;
        while let Some(row) = rows.next()? {
            length += row.get_ref(0)?.as_str()?.len();
        }
        anyhow::ensure!(length > 0, "nobody was found where {condition}");
        Ok(())
    }

    /// The first page, and the total that RFC 7644 section 3.4.2 wants with it.
    fn compound(&self, number: u64) -> Result<()> {
        let name = name(number);
        let beginning = name.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        let condition = "active AND user_name_key >= ?2 AND user_name_key < ?2 || '/'";
        self.read(&format!("{condition} ORDER BY id LIMIT 100"), &beginning)?;
        let count = format!("SELECT count(*) FROM users WHERE tenant_id = ?1 AND {condition}");
        let mut statement = self.conn.prepare_cached(&count)?;
        let _total: i64 = statement.query_row(params![TENANT, beginning], |row| row.get(0))?;
        Ok(())
    }

    fn create_user(&mut self) -> Result<()> {
        self.made += 1;
        self.insert_user(self.made)?;
        self.take_seat()
    }

    fn take_seat(&self) -> Result<()> {
        self.run(
            "DELETE FROM free_seats WHERE (tenant_id, license_tier, number) IN (SELECT tenant_id, \
             license_tier, number FROM free_seats WHERE tenant_id = ?1 AND license_tier = 'cx1' \
             LIMIT 1)",
            params![TENANT],
        )
    }

    fn insert_user(&self, number: u64) -> Result<()> {
        let (id, name, texts) = (id(number), name(number), &self.texts);
        let display = name.replace('.', " ");
        self.run(
            "INSERT INTO users VALUES (?1, ?2, ?3, ?4, 1, ?5, 'cx1', ?6, ?7, 1, ?8, ?8)",
            params![TENANT, id, name, display, DIVISION, texts.document, texts.search, INSTANT],
        )?;
        self.run("INSERT INTO emails VALUES (?1, ?2, 0, ?3)", params![TENANT, id, name])?;
        for kind in ["userName", "email"] {
            self.run(
                "INSERT INTO claims VALUES (?1, ?2, ?3, ?4, 0)",
                params![TENANT, kind, hash(number), id],
            )?;
        }
        let external_id = external_id(number);
        self.run(
            "INSERT INTO external_ids VALUES (?1, ?2, ?3, ?4)",
            params![TENANT, id, CONNECTION, external_id],
        )?;
        self.entry(number, &id, 1, &texts.changes)
    }

    fn change_user(&mut self, number: u64, more: &str) -> Result<()> {
        self.made += 1;
        let (id, made) = (id(number), self.made);
        self.read("id = ?2", &id)?;
        self.run(
            &format!(
                "UPDATE users SET {more}document = ?3, search = ?4, version = ?5, modified_at = ?6 \
                 WHERE tenant_id = ?1 AND id = ?2"
            ),
            params![TENANT, id, self.texts.document, self.texts.search, made, INSTANT],
        )?;
        self.entry(made, &id, made, &self.texts.change)
    }

    /// Who is active leaves, with the names that are nobody else's from then on, and gives a seat back;
    /// who is not comes back and takes one.
    fn switch(&mut self, number: u64) -> Result<()> {
        self.change_user(number, "active = NOT active, ")?;
        let active = "SELECT active FROM users WHERE tenant_id = ?1 AND id = ?2";
        let mut statement = self.conn.prepare_cached(active)?;
        if statement.query_row(params![TENANT, id(number)], |row| row.get(0))? {
            return self.take_seat();
        }
        self.run(
            "UPDATE claims SET burned = 1 WHERE tenant_id = ?1 AND value_hash = ?2 AND NOT burned",
            params![TENANT, hash(number)],
        )?;
        self.run("INSERT INTO free_seats VALUES (?1, 'cx1', ?2)", params![TENANT, self.made])
    }

    /// A thousand members, spread over those who are in a group already, in a new group; and its entry.
    fn add_thousand(&mut self) -> Result<()> {
        self.made += 1;
        let group = id(self.made);
        let step = (self.rows.min(LARGE_GROUP) / 1000).max(1);
        for place in 0..1000 {
            self.insert_member(&group, &id(1 + place * step))?;
        }
        self.entry(self.made, &group, 1, &self.texts.change)
    }

    fn insert_member(&self, group: &[u8], member: &[u8]) -> Result<()> {
        self.run(
            "INSERT INTO memberships VALUES (?1, ?2, ?3, 0, ?4)",
            params![TENANT, group, member, INSTANT],
        )
    }

    fn entry(&self, number: u64, resource: &[u8], version: u64, changes: &str) -> Result<()> {
        self.run(
            "INSERT INTO change_log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![TENANT, id(number), INSTANT, resource, version, changes, hash(number)],
        )
    }

    /// The number of somebody by chance.
    fn anybody(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % self.rows.max(1) + 1
    }
}

/// Identifiers ascend, as the service's do.
fn id(number: u64) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

fn name(number: u64) -> String {
    Newcomer::new("ceiling", number).user_name
}

fn external_id(number: u64) -> String {
    format!("ceiling{number}")
}

/// Bytes in no order, as many as a hash has.
fn hash(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut word = number;
    for chunk in bytes.chunks_mut(8) {
        // The finaliser of MurmurHash3: no two numbers become one.
        word = (word ^ (word >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        word = (word ^ (word >> 33)).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        word ^= word >> 33;
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_runs() {
        let folder = std::env::temp_dir().join(format!("ceiling-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut sqlite = Sqlite::create(&folder.join("ceiling.db")).unwrap();
        sqlite.grow(1000).unwrap();
        for operation in Sqlite::OPERATIONS {
            sqlite.once(operation).unwrap();
            assert!(crate::workload::Workload::named(operation).is_some(), "{operation}");
        }
        assert!(sqlite.once("nothing").is_err());
        let count = |table: &str| -> u64 {
            let sql = format!("SELECT count(*) FROM {table}");
            sqlite.conn.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!((count("users"), count("claims"), count("memberships")), (1001, 2002, 2000));
        assert_eq!(count("free_seats"), 200_000, "one taken, one given back");
        assert_eq!(count("change_log"), 1004);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
