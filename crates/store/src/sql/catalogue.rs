//! The catalogue, as the session's unit of work may read it from memory.

use std::sync::Arc;

use accounts::tenancy::Credential;
use accounts::{Resource, Scope, StorageResult};
use diesel::deserialize::{self, QueryableByName};
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{OptionalExtension, RunQueryDsl};
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::resources::Row;
use super::statement::Statement;
use super::{Conn, Db, Session, holdings};
use crate::catalogue::{OfTenant, Wanted};
use crate::error::failed;
use crate::look_up::Beside;
use crate::search::Pieces;
use crate::types::{Guid, Id};

/// The types whose writes do not count up the catalogue's version, as the triggers say: clients make
/// these, and as many as they like.
const APART: [&str; 1] = ["RehireCase"];

/// What is asked about a tenant.
pub(super) struct TenantRow(pub(super) OfTenant);

/// The version of a catalogue, and whether groups are in others, as one number: a query in a column gives
/// one value, and each such query costs about as much as the row beside which it stands.
const OF_TENANT: &str = "catalogue.version * 2 + CASE WHEN catalogue.nests THEN 1 ELSE 0 END";

/// What is asked about the tenant of a resource, as a column beside those of the resource.
pub(super) fn of_tenant(pieces: &mut Pieces) {
    pieces.sql(", (SELECT ").sql(OF_TENANT);
    pieces.sql(
        " FROM catalogue_versions AS catalogue \
         WHERE catalogue.tenant_id = resource.tenant_id) AS of_tenant",
    );
}

impl QueryableByName<Db> for TenantRow {
    fn build<'a>(row: &impl NamedRow<'a, Db>) -> deserialize::Result<Self> {
        let known = NamedRow::get::<Nullable<BigInt>, Option<i64>>(row, "of_tenant")?;
        // What nobody has looked at may be anything.
        let nests = known.is_none_or(|known| known % 2 == 1);
        Ok(Self(OfTenant { version: known.map(|known| known / 2), nests }))
    }
}

/// A resource's row with what is asked about its tenant, and what it holds.
pub(super) struct WithTenant<R> {
    row: R,
    tenant: TenantRow,
    holdings: Option<(Id, Option<String>)>,
}

impl<R: Row> QueryableByName<Db> for WithTenant<R> {
    fn build<'a>(row: &impl NamedRow<'a, Db>) -> deserialize::Result<Self> {
        let mut holdings = None;
        if R::HOLDS {
            let holder = NamedRow::get::<Guid, _>(row, "id")?;
            holdings = Some((holder, NamedRow::get::<Nullable<Text>, _>(row, "holdings")?));
        }
        Ok(Self { row: R::build(row)?, tenant: TenantRow::build(row)?, holdings })
    }
}

impl<R: Row> Row for WithTenant<R> {
    type Read = (R::Read, Beside);

    fn more(pieces: &mut Pieces, scope: Scope) {
        R::more(pieces, scope);
        of_tenant(pieces);
        if R::HOLDS {
            holdings::of_resource(pieces);
        }
    }

    fn version(&self) -> i64 {
        self.row.version()
    }

    fn read(self) -> StorageResult<Self::Read> {
        let tenant = self.tenant.0;
        let holdings = self.holdings.filter(|_| !tenant.nests);
        let read =
            |(id, found): (Id, Option<String>)| Ok((id.0, holdings::read(found.as_deref())?));
        let holdings = holdings.map(read).transpose()?;
        Ok((self.row.read()?, Beside { tenant, holdings }))
    }
}

impl Session {
    /// The version of a tenant's catalogue; none if this unit of work may not use what is in memory.
    pub(super) fn catalogue_version(&mut self, tenant: Uuid) -> StorageResult<Option<i64>> {
        if self.view.has_written() {
            return Ok(None);
        }
        if let Some(version) = self.view.known(tenant) {
            return Ok(Some(version));
        }
        let mut pieces = Pieces::default();
        pieces.sql("SELECT ").sql(OF_TENANT).sql(" AS of_tenant FROM catalogue_versions ");
        pieces.sql("AS catalogue WHERE catalogue.tenant_id = ").id(tenant);
        let found = Statement::fixed(pieces).get_result::<TenantRow>(self.reader()?).optional();
        let found = found.map_err(failed)?.map(|TenantRow(of_tenant)| of_tenant);
        Ok(found.and_then(|of_tenant| self.view.learned(tenant, of_tenant, of_tenant.version)))
    }

    /// The resources that are wanted, each from memory if it is there; `load` gives the others, each
    /// with what it was wanted as.
    pub(super) fn of_catalogue(
        &mut self,
        tenant: Uuid,
        kind: &'static ResourceType,
        wanted: Vec<Wanted>,
        load: impl FnOnce(&mut Conn, &[Wanted]) -> StorageResult<Vec<(Wanted, Resource)>>,
    ) -> StorageResult<Vec<Arc<Resource>>> {
        let version =
            if APART.contains(&kind.name) { None } else { self.catalogue_version(tenant)? };
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for wanted in wanted {
            match version.and_then(|version| self.view.get(tenant, version, wanted.clone())) {
                Some(kept) => found.extend(kept.iter().cloned()),
                None => missing.push(wanted),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let loaded = load(self.reader()?, &missing)?;
        let loaded: Vec<_> =
            loaded.into_iter().map(|(as_what, one)| (as_what, Arc::new(one))).collect();
        for wanted in missing {
            let own = loaded.iter().filter(|(as_what, _)| *as_what == wanted);
            let own: Vec<Arc<Resource>> = own.map(|(_, one)| Arc::clone(one)).collect();
            // What is not there is not kept: clients choose what they ask for.
            let is_kept = !own.is_empty() || matches!(wanted, Wanted::All(_));
            if let Some(version) = version.filter(|_| is_kept) {
                self.view.keep(tenant, version, wanted, &own);
            }
            found.extend(own);
        }
        Ok(found)
    }

    /// What a token stands for, if that is in memory and still so.
    pub(super) fn known_credential(&mut self, token_id: &str) -> StorageResult<Option<Credential>> {
        let Some((version, credential)) = self.view.credential(token_id) else { return Ok(None) };
        let current = self.catalogue_version(credential.token.tenant)?;
        Ok((current == Some(version)).then(|| Credential::clone(&credential)))
    }
}
