//! Statements past the store.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use store::DatabaseUrl;

use super::Kind;

/// A connection that knows nothing of the store.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Text)]
    value: String,
}

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresStep {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    detail: String,
}

impl Raw {
    pub(crate) fn open(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Sqlite(path) => {
                let conn = SqliteConnection::establish(path.to_str().expect("it is UTF-8"));
                let mut conn = conn.expect("the file can be opened");
                conn.batch_execute("PRAGMA busy_timeout = 5000").expect("it can be set");
                Self::Sqlite(conn)
            }
            DatabaseUrl::Postgres(url) => {
                Self::Postgres(PgConnection::establish(url).expect("the database answers"))
            }
        }
    }

    /// The column `value` of a query.
    #[track_caller]
    pub(crate) fn texts(&mut self, query: &str) -> Vec<String> {
        let query = diesel::sql_query(query);
        let rows: QueryResult<Vec<Row>> = match self {
            Self::Sqlite(conn) => query.load(conn),
            Self::Postgres(conn) => query.load(conn),
        };
        rows.expect("the query is right").into_iter().map(|row| row.value).collect()
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    /// The columns of a table, in their order.
    pub(crate) fn columns(&mut self, table: &str) -> Vec<String> {
        let query = match self {
            Self::Sqlite(_) => {
                format!("SELECT name AS value FROM pragma_table_info('{table}') ORDER BY cid")
            }
            Self::Postgres(_) => format!(
                "SELECT column_name::text AS value FROM information_schema.columns \
                 WHERE table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        self.texts(&query)
    }

    /// Where a text is, in any case: every column of every table is looked through.
    pub(crate) fn places_of(&mut self, text: &str) -> Vec<String> {
        let tables = self.texts(match self {
            Self::Sqlite(_) => "SELECT name AS value FROM sqlite_schema WHERE type = 'table'",
            Self::Postgres(_) => {
                "SELECT table_name::text AS value FROM information_schema.tables \
                 WHERE table_schema = 'public'"
            }
        });
        let mut places = Vec::new();
        for table in tables {
            for column in self.columns(&table) {
                // Bytes are looked through as they are, and in hexadecimal.
                let found = self.texts(&match self {
                    Self::Sqlite(_) => format!(
                        "SELECT '{table}.{column}' AS value FROM \"{table}\" \
                         WHERE instr(lower(CAST(\"{column}\" AS TEXT)), lower('{text}')) > 0 \
                         OR instr(hex(\"{column}\"), hex('{text}')) > 0"
                    ),
                    Self::Postgres(_) => format!(
                        "SELECT '{table}.{column}' AS value FROM \"{table}\" \
                         WHERE strpos(lower(\"{column}\"::text), lower('{text}')) > 0 \
                         OR strpos(\"{column}\"::text, encode('{text}', 'hex')) > 0"
                    ),
                });
                places.extend(found);
            }
        }
        places
    }

    /// The plan of a statement, a line for each step: one that is good for all values alike.
    pub(crate) fn plan(&mut self, statement: &str) -> Vec<String> {
        match self {
            Self::Sqlite(conn) => {
                let query = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
                let steps: QueryResult<Vec<SqliteStep>> = query.load(conn);
                let steps = steps.unwrap_or_else(|error| panic!("{statement}: {error}"));
                steps.into_iter().map(|step| step.detail).collect()
            }
            Self::Postgres(conn) => {
                let is_bound = |at: &u16| statement.contains(&format!("${at}"));
                let values = (1..=u16::MAX).take_while(is_bound).count();
                let values = vec!["NULL"; values].join(", ");
                let values = if values.is_empty() { values } else { format!("({values})") };
                let prepare = format!(
                    "SET plan_cache_mode = force_generic_plan; PREPARE told AS {statement}"
                );
                let prepared = conn.batch_execute(&prepare);
                prepared.unwrap_or_else(|error| panic!("{statement}: {error}"));
                let query = diesel::sql_query(format!("EXPLAIN EXECUTE told {values}"));
                let steps: Vec<PostgresStep> = query.load(conn).expect("it is prepared");
                conn.batch_execute("DEALLOCATE told").expect("it is prepared");
                steps.into_iter().map(|step| step.detail).collect()
            }
        }
    }

    /// Runs a statement; what the database says against it, if anything.
    pub(crate) fn execute(&mut self, statement: &str) -> Result<(), String> {
        let done = match self {
            Self::Sqlite(conn) => conn.batch_execute(statement),
            Self::Postgres(conn) => conn.batch_execute(statement),
        };
        done.map_err(|error| error.to_string())
    }
}
