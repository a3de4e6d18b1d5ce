//! The table `free_seats`: the seats of limited pools that nobody has.
//!
//! Taking a seat deletes its row, so that what is not there cannot be taken, and nobody waits for
//! a common row: each begins to look at another place and passes over what others are taking.

use accounts::authorization::Tier;
use accounts::{SeatCount, Seats, StorageResult};
use diesel::prelude::*;
use uuid::Uuid;

use super::posted::Write;
use super::statement::{CountRow, SeatsRow, Statement};
use super::users::tier_key;
use super::{ONE_OF_A_LIST, RANDOM_NUMBER, SKIP_LOCKED, Session, WAIT_FOR_LOCKED};
use crate::error::failed;
use crate::search::{Bind, Pieces};

/// Seats have numbers below this.
const NUMBERS: u64 = 1 << 53;

/// Seats that are made in one statement.
const BATCH: i64 = 100_000;

/// Where somebody begins to look for a seat.
fn place(near: Uuid) -> i64 {
    let (_, random) = near.as_u64_pair();
    (random % NUMBERS).cast_signed()
}

/// Takes the first seat from a number on.
fn taking(tenant: Uuid, tier: Tier, from: i64, lock: &'static str) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql("DELETE FROM free_seats WHERE tenant_id = ").id(tenant);
    pieces.sql(" AND license_tier = ").bind(Bind::Text(tier_key(tier)));
    pieces.sql(" AND number = (SELECT number FROM free_seats WHERE tenant_id = ").id(tenant);
    pieces.sql(" AND license_tier = ").bind(Bind::Text(tier_key(tier)));
    pieces.sql(" AND number >= ").bind(Bind::Integer(from));
    pieces.sql(" ORDER BY number LIMIT 1").sql(lock).sql(")");
    pieces
}

impl Seats for Session {
    fn take_seat(
        &mut self,
        tenant: Uuid,
        tier: Tier,
        near: Uuid,
        wait: bool,
    ) -> StorageResult<bool> {
        let mut take = |from, lock| -> StorageResult<bool> {
            let statement = Statement::fixed(taking(tenant, tier, from, lock));
            Ok(statement.execute(self.conn()?).map_err(failed)? == 1)
        };
        Ok(take(place(near), SKIP_LOCKED)?
            || take(0, SKIP_LOCKED)?
            || (wait && take(0, WAIT_FOR_LOCKED)?))
    }

    fn take_seat_at_end(&mut self, tenant: Uuid, tier: Tier, near: Uuid) -> StorageResult<bool> {
        if !self.is_ahead() {
            return Ok(false);
        }
        let taking = taking(tenant, tier, place(near), SKIP_LOCKED);
        self.post(Write::One("free_seats", taking))?;
        Ok(true)
    }

    fn has_free_seat(&mut self, tenant: Uuid, tier: Tier) -> StorageResult<bool> {
        let mut pieces = Pieces::default();
        pieces.sql("SELECT COUNT(*) AS total FROM (SELECT number FROM free_seats");
        pieces.sql(" WHERE tenant_id = ").id(tenant);
        pieces.sql(" AND license_tier = ").bind(Bind::Text(tier_key(tier)));
        pieces.sql(" LIMIT 1) AS free");
        let row =
            Statement::fixed(pieces).get_result::<CountRow>(self.reader()?).map_err(failed)?;
        Ok(row.total > 0)
    }

    fn put_seat(&mut self, tenant: Uuid, tier: Tier) -> StorageResult<()> {
        let mut pieces = Pieces::default();
        pieces.sql("INSERT INTO free_seats (tenant_id, license_tier, number) VALUES (").id(tenant);
        pieces.sql(", ").bind(Bind::Text(tier_key(tier))).sql(", ").sql(RANDOM_NUMBER);
        // A number that is there already is not added, and another is tried when the unit is run again.
        pieces.sql(") ON CONFLICT DO NOTHING");
        self.post(Write::One("free_seats", pieces))
    }

    fn seats(&mut self, tenant: Uuid, tier: Tier) -> StorageResult<SeatCount> {
        let mut pieces = Pieces::default();
        pieces.sql("SELECT (SELECT COUNT(*) FROM users WHERE active AND tenant_id = ").id(tenant);
        pieces.sql(" AND license_tier = ").bind(Bind::Text(tier_key(tier)));
        pieces.sql(") AS used, (SELECT COUNT(*) FROM free_seats WHERE tenant_id = ").id(tenant);
        pieces.sql(" AND license_tier = ").bind(Bind::Text(tier_key(tier))).sql(") AS free");
        let row = Statement::fixed(pieces).get_result::<SeatsRow>(self.conn()?).map_err(failed)?;
        Ok(SeatCount { used: row.used, free: row.free })
    }

    fn resize_pool(&mut self, tenant: Uuid, tier: Tier, by: i64) -> StorageResult<i64> {
        if by < 0 {
            return remove(self, tenant, tier, -by).map(|removed| -removed);
        }
        let mut added = 0;
        while added < by {
            // A number that is there already is not added, and another is tried.
            added += add(self, tenant, tier, (by - added).min(BATCH))?;
        }
        Ok(added)
    }
}

fn add(session: &mut Session, tenant: Uuid, tier: Tier, count: i64) -> StorageResult<i64> {
    let mut pieces = Pieces::default();
    pieces.sql("WITH RECURSIVE each (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < ");
    pieces.bind(Bind::Integer(count));
    pieces.sql(") INSERT INTO free_seats (tenant_id, license_tier, number) SELECT ").id(tenant);
    pieces.sql(", ").bind(Bind::Text(tier_key(tier))).sql(", ").sql(RANDOM_NUMBER);
    pieces.sql(" FROM each WHERE true ON CONFLICT DO NOTHING");
    let added = Statement::fixed(pieces).execute(session.conn()?).map_err(failed)?;
    Ok(i64::try_from(added).unwrap_or(i64::MAX))
}

/// As [`take`], from a place that nobody knows: where many are taken from the first on, whoever looks
/// for one there reads past all that PostgreSQL has not cleared away yet.
fn remove(session: &mut Session, tenant: Uuid, tier: Tier, count: i64) -> StorageResult<i64> {
    let removed = remove_from(session, tenant, tier, RANDOM_NUMBER, count)?;
    let left = count - removed;
    if left == 0 {
        return Ok(removed);
    }
    Ok(removed + remove_from(session, tenant, tier, "0", left)?)
}

/// The seats are chosen once, by themselves: a query with which each number is compared may be run for
/// each row that PostgreSQL looks at, and choose others.
fn remove_from(
    session: &mut Session,
    tenant: Uuid,
    tier: Tier,
    start: &'static str,
    count: i64,
) -> StorageResult<i64> {
    let (is_one_of, end) = ONE_OF_A_LIST;
    let mut pieces = Pieces::default();
    pieces.sql("DELETE FROM free_seats WHERE tenant_id = ").id(tenant);
    pieces.sql(" AND license_tier = ").bind(Bind::Text(tier_key(tier)));
    pieces.sql(" AND number").sql(is_one_of).sql("SELECT number FROM free_seats ");
    pieces.sql("WHERE tenant_id = ").id(tenant);
    pieces.sql(" AND license_tier = ").bind(Bind::Text(tier_key(tier)));
    pieces.sql(" AND number >= (SELECT ").sql(start).sql(") ORDER BY number LIMIT ");
    pieces.bind(Bind::Integer(count)).sql(SKIP_LOCKED).sql(end);
    let removed = Statement::fixed(pieces).execute(session.conn()?).map_err(failed)?;
    Ok(i64::try_from(removed).unwrap_or(i64::MAX))
}
