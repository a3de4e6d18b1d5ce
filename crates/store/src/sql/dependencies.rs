//! The table `dependencies`: what other systems say depends on people.

use accounts::{Dependencies, Dependency, StorageResult};
use diesel::prelude::*;
use uuid::Uuid;

use super::Session;
use super::statement::{DependencyRow, Statement};
use crate::error::failed;
use crate::schema::dependencies;
use crate::search::{Bind, Pieces};
use crate::types::Id;

/// People whom somebody manages are listed up to this number.
const MAX_MANAGED: i64 = 100;

impl Dependencies for Session {
    fn dependencies_of(
        &mut self,
        tenant: Uuid,
        users: &[Uuid],
    ) -> StorageResult<Vec<(Uuid, Dependency)>> {
        let ids: Vec<Id> = users.iter().map(|id| Id(*id)).collect();
        let rows: Vec<(Id, String, String, String)> = dependencies::table
            .filter(dependencies::tenant_id.eq(Id(tenant)))
            .filter(dependencies::user_id.eq_any(ids))
            .filter(dependencies::disposition.ne("reassignedTo"))
            .order((dependencies::user_id, dependencies::kind, dependencies::reference))
            .select((
                dependencies::user_id,
                dependencies::kind,
                dependencies::reference,
                dependencies::disposition,
            ))
            .load(&mut self.0)
            .map_err(failed)?;
        let mut found: Vec<(Uuid, Dependency)> = rows
            .into_iter()
            .map(|(user, kind, reference, disposition)| {
                (user.0, Dependency { kind, reference, disposition })
            })
            .collect();
        for user in users {
            found.extend(managed(self, tenant, *user)?.into_iter().map(|one| (*user, one)));
        }
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
            .execute(&mut self.0)
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
            None => diesel::delete(of_kind).execute(&mut self.0),
            Some(reference) => {
                diesel::delete(of_kind.filter(dependencies::reference.eq(reference)))
                    .execute(&mut self.0)
            }
        };
        removed.map_err(failed)
    }
}

/// Whom a person manages.
fn managed(session: &mut Session, tenant: Uuid, user: Uuid) -> StorageResult<Vec<Dependency>> {
    let mut pieces = Pieces::default();
    pieces.sql(
        "SELECT u.id AS user_id FROM users AS u WHERE u.deleted_at IS NULL AND u.tenant_id = ",
    );
    pieces.id(tenant).sql(" AND u.manager_key = ").bind(Bind::Text(user.to_string()));
    pieces.sql(" ORDER BY u.id LIMIT ").bind(Bind::Integer(MAX_MANAGED));
    let rows = Statement::fixed(pieces).load::<DependencyRow>(&mut session.0).map_err(failed)?;
    let dependency = |row: DependencyRow| Dependency {
        kind: "managerOf".to_owned(),
        reference: row.user_id.0.to_string(),
        disposition: "needsReassign".to_owned(),
    };
    Ok(rows.into_iter().map(dependency).collect())
}
