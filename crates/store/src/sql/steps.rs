//! The table in which diesel keeps the steps of the schema that were applied.

use accounts::StorageResult;
use diesel::prelude::*;

use super::Session;
use super::statement::Statement;
use crate::error::failed;
use crate::lane::Steps;
use crate::search::Pieces;

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

impl Steps for Session {
    fn steps(&mut self) -> StorageResult<Vec<String>> {
        let mut pieces = Pieces::default();
        pieces.sql("SELECT version FROM __diesel_schema_migrations");
        let steps = Statement::fixed(pieces).load::<Step>(self.conn()?).map_err(failed)?;
        Ok(steps.into_iter().map(|step| step.version).collect())
    }
}
