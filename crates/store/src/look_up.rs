//! What a unit of work asks first, where that is known before it runs: one user, by its identifier or
//! by a filter that finds one. Such units are short, and those that wait together can be asked for
//! together.

use accounts::{Account, Scope};
use scim_protocol::query::{Query, Start};
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use crate::catalogue::OfTenant;
use crate::search::{Table, finds_one};
use crate::unit::Holdings;

/// The one user that a unit of work looks up first. It must ask the same, or is asked anew.
#[derive(Debug, Clone, PartialEq)]
pub struct LookUp {
    pub(crate) scope: Scope,
    pub(crate) by: By,
}

/// How somebody is looked up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum By {
    /// By the identifier.
    Id(Uuid),
    /// By a filter on what only one has.
    Filter(Box<Query>),
}

impl LookUp {
    /// The resource with an identifier, if it is a user.
    pub fn by_id(kind: &'static ResourceType, scope: Scope, id: Uuid) -> Option<Self> {
        (Table::of(kind) == Table::Users).then_some(Self { scope, by: By::Id(id) })
    }

    /// What a query finds, if that is one user at most.
    pub fn by_query(kind: &'static ResourceType, scope: Scope, query: &Query) -> Option<Self> {
        let is_one = Table::of(kind) == Table::Users
            && finds_one(Table::Users, query.filter.as_ref())
            && matches!(query.start, Start::Index(_));
        is_one.then(|| Self { scope, by: By::Filter(Box::new(query.clone())) })
    }
}

/// What came with a resource that was read.
pub(crate) struct Beside {
    /// What is asked about its tenant.
    pub(crate) tenant: OfTenant,
    /// Its identifier and what it holds; none if that was not asked, or if there is more to it.
    pub(crate) holdings: Option<(Uuid, Holdings)>,
}

/// What a look-up finds: two where a filter finds several.
pub(crate) type Found = Vec<(Account, Beside)>;

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use scim_protocol::dialect::{Dialect, Leniencies};
    use scim_protocol::query::Parameters;

    use super::*;

    const SCOPE: Scope =
        Scope { tenant: Uuid::nil(), connection: Uuid::nil(), now: Timestamp::UNIX_EPOCH };

    fn by_query(filter: Option<&str>, start: Start) -> bool {
        let mut leniencies = Leniencies::new(Dialect::Strict);
        let parameters = Parameters { filter: filter.map(str::to_owned), ..Parameters::default() };
        let query = parameters.query(ResourceType::user(), &mut leniencies).unwrap();
        LookUp::by_query(ResourceType::user(), SCOPE, &Query { start, ..query }).is_some()
    }

    #[test]
    fn a_look_up_is_of_one_user() {
        assert!(LookUp::by_id(ResourceType::user(), SCOPE, Uuid::nil()).is_some());
        assert_eq!(LookUp::by_id(ResourceType::group(), SCOPE, Uuid::nil()), None);
        for filter in ["userName eq \"a\"", "externalId eq \"a\"", "emails.value eq \"a\""] {
            assert!(by_query(Some(filter), Start::Index(1)), "{filter}");
            assert!(!by_query(Some(filter), Start::After(None)), "{filter}");
        }
        for filter in [None, Some("userName sw \"a\""), Some("active eq true")] {
            assert!(!by_query(filter, Start::Index(1)), "{filter:?}");
        }
    }
}
