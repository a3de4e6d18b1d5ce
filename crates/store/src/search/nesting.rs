//! Groups in groups: who is in a group is also in every group that holds it.

use uuid::Uuid;

use super::Pieces;

/// A statement that finds the users in a group of which a condition holds: `direct` of a row of
/// `side`, a membership of the user, or `above` of one, the membership of a group that holds the user.
/// A user who is a member of a group is not in it through others too.
///
/// It goes down from the groups, of which few are in others, and an index knows these. Two
/// conditions joined by OR would be looked up for every user of the tenant, as one statement they
/// are not.
pub(super) fn in_groups(tenant: Uuid, direct: Pieces, above: Pieces) -> Pieces {
    let mut pieces = Pieces::default();
    pieces.sql(
        "WITH RECURSIVE nested (top_id, under_id) AS ( \
         SELECT side.group_id, side.member_id FROM memberships AS side \
         WHERE side.is_group AND side.tenant_id = ",
    );
    pieces.id(tenant).sql(" AND ").extend(above).sql(
        " UNION SELECT nested.top_id, lower.member_id FROM nested \
         CROSS JOIN memberships AS lower \
         WHERE lower.is_group AND lower.group_id = nested.under_id AND lower.tenant_id = ",
    );
    pieces
        .id(tenant)
        .sql(") SELECT side.member_id FROM memberships AS side WHERE side.tenant_id = ");
    pieces.id(tenant).sql(" AND ").extend(direct).sql(
        " UNION ALL SELECT held.member_id FROM nested CROSS JOIN memberships AS held \
         WHERE held.group_id = nested.under_id AND held.tenant_id = ",
    );
    pieces.id(tenant).sql(
        " AND NOT EXISTS (SELECT 1 FROM memberships AS own \
         WHERE own.group_id = nested.top_id AND own.member_id = held.member_id \
         AND own.tenant_id = ",
    );
    pieces.id(tenant).sql(")");
    pieces
}
