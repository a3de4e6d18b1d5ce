//! The table `dependencies`: what other systems say depends on people.

use accounts::{Dependencies, Dependency, StorageResult};
use diesel::prelude::*;
use uuid::Uuid;

use super::statement::{DependencyRow, Statement};
use super::{DIALECT, LATERAL, Session};
use crate::error::failed;
use crate::schema::dependencies;
use crate::search::{Bind, Dialect, Pieces};
use crate::types::Id;

/// People whom somebody manages are listed up to this number.
const MAX_MANAGED: u32 = 100;

/// What the dependency is called on a person whom somebody manages.
const MANAGER_OF: &str = "managerOf";

impl Dependencies for Session {
    fn dependencies_of(
        &mut self,
        tenant: Uuid,
        users: &[Uuid],
    ) -> StorageResult<Vec<(Uuid, Dependency)>> {
        let mut found = Vec::new();
        // SQLite is asked of one after the other, which costs no way there and back.
        let at_once = if LATERAL { users.len().max(1) } else { 1 };
        for some in users.chunks(at_once) {
            let statement = Statement::fixed(on(tenant, some));
            let rows = statement.load::<DependencyRow>(self.reader()?).map_err(failed)?;
            found.extend(rows.into_iter().filter_map(dependency));
        }
        // Of each kind in the order of their names, and last whom they manage.
        found.sort_by(|(user, one), (of, other)| {
            let by_kind =
                (one.kind == MANAGER_OF, &one.kind).cmp(&(other.kind == MANAGER_OF, &other.kind));
            user.cmp(of).then(by_kind).then_with(|| one.reference.cmp(&other.reference))
        });
        Ok(found)
    }

    fn put_dependency(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        dependency: &Dependency,
    ) -> StorageResult<()> {
        diesel::insert_into(dependencies::table)
            .values((
                dependencies::tenant_id.eq(Id(tenant)),
                dependencies::user_id.eq(Id(user)),
                dependencies::kind.eq(&dependency.kind),
                dependencies::reference.eq(&dependency.reference),
                dependencies::disposition.eq(&dependency.disposition),
            ))
            .on_conflict((
                dependencies::tenant_id,
                dependencies::user_id,
                dependencies::kind,
                dependencies::reference,
            ))
            .do_update()
            .set(dependencies::disposition.eq(&dependency.disposition))
            .execute(self.conn()?)
            .map_err(failed)?;
        Ok(())
    }

    fn remove_dependencies(
        &mut self,
        tenant: Uuid,
        user: Uuid,
        kind: &str,
        reference: Option<&str>,
    ) -> StorageResult<usize> {
        let of_kind = dependencies::table
            .filter(dependencies::tenant_id.eq(Id(tenant)))
            .filter(dependencies::user_id.eq(Id(user)))
            .filter(dependencies::kind.eq(kind));
        let removed = match reference {
            None => diesel::delete(of_kind).execute(self.conn()?),
            Some(reference) => {
                diesel::delete(of_kind.filter(dependencies::reference.eq(reference)))
                    .execute(self.conn()?)
            }
        };
        removed.map_err(failed)
    }
}

/// What depends on these people, and whom they manage.
fn on(tenant: Uuid, users: &[Uuid]) -> Pieces {
    let mut pieces = Pieces::default();
    if let [user] = users {
        on_each(&mut pieces, tenant, Some(*user));
        return pieces;
    }
    pieces.sql("SELECT held.* FROM ");
    DIALECT.ids(&mut pieces, users);
    pieces.sql(" AS holder CROSS JOIN LATERAL (");
    on_each(&mut pieces, tenant, None);
    pieces.sql(") AS held");
    pieces
}

/// What depends on one person, or on each of several, beside whom it stands as `holder`.
fn on_each(pieces: &mut Pieces, tenant: Uuid, user: Option<Uuid>) {
    pieces.sql(
        "SELECT d.user_id, d.kind, d.reference, d.disposition, NULL AS manager \
         FROM dependencies AS d WHERE d.disposition <> 'reassignedTo' AND d.tenant_id = ",
    );
    pieces.id(tenant).sql(" AND d.user_id = ");
    match user {
        Some(user) => pieces.id(user),
        None => pieces.sql("holder.id"),
    };
    pieces.sql(
        " UNION ALL SELECT * FROM (SELECT u.id, NULL, NULL, NULL, u.manager_key \
         FROM users AS u WHERE u.deleted_at IS NULL AND u.tenant_id = ",
    );
    pieces.id(tenant).sql(" AND u.manager_key = ");
    match user {
        Some(user) => pieces.bind(Bind::Text(user.to_string())),
        None => pieces.sql("CAST(holder.id AS text)"),
    };
    pieces.sql(format!(" ORDER BY u.id LIMIT {MAX_MANAGED}) AS held"));
}

fn dependency(row: DependencyRow) -> Option<(Uuid, Dependency)> {
    if let Some(manager) = row.manager {
        let manages = Dependency {
            kind: MANAGER_OF.to_owned(),
            reference: row.user_id.0.to_string(),
            disposition: "needsReassign".to_owned(),
        };
        return Some((Uuid::try_parse(&manager).ok()?, manages));
    }
    let (kind, reference, disposition) = (row.kind?, row.reference?, row.disposition?);
    Some((row.user_id.0, Dependency { kind, reference, disposition }))
}
