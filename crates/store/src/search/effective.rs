//! What users hold in effect, as filters ask for it: of all users of a tenant at once.
//!
//! A side table is found as a whole. So the groups that have grants are looked at first, and those
//! in them, down to the users: there are far fewer groups than users.

use super::place::{Form, SideTable, column};

/// `held`: each user with each role that is live, the role that everybody has among them. A group
/// that is disabled confers nothing, nor does what it is in through it (rules R27, R29 and R73).
macro_rules! held {
    () => {
        "(WITH RECURSIVE conferring (group_id, role_id, scope_id) AS ( \
         SELECT gr.subject_id, gr.role_id, gr.scope_id FROM grants AS gr \
         JOIN \"groups\" AS g ON g.tenant_id = gr.tenant_id AND g.id = gr.subject_id \
         WHERE gr.is_group AND g.enabled AND gr.tenant_id = {tenant} \
         UNION SELECT m.member_id, conferring.role_id, conferring.scope_id FROM conferring \
         JOIN memberships AS m ON m.group_id = conferring.group_id \
         JOIN \"groups\" AS g ON g.tenant_id = m.tenant_id AND g.id = m.member_id \
         WHERE m.is_group AND g.enabled AND m.tenant_id = {tenant}), \
         held (user_id, role_id, scope_id) AS ( \
         SELECT gr.subject_id, gr.role_id, gr.scope_id FROM grants AS gr \
         WHERE NOT gr.is_group AND NOT gr.dormant AND gr.tenant_id = {tenant} \
         UNION ALL SELECT m.member_id, conferring.role_id, conferring.scope_id FROM conferring \
         JOIN memberships AS m ON m.group_id = conferring.group_id \
         WHERE NOT m.is_group AND m.tenant_id = {tenant} \
         UNION ALL SELECT u.id, employee.id, u.division_id FROM objects AS employee \
         JOIN users AS u ON u.tenant_id = employee.tenant_id \
         WHERE employee.resource_type = 'Role' AND employee.name_key = 'employee' \
         AND employee.deleted_at IS NULL AND employee.tenant_id = {tenant}) "
    };
}

/// Whether the permission of `rp`, a row of `role_permissions`, is blocked by the tier of `u`, a user.
/// The bits are in the order of the catalogue of tiers.
macro_rules! blocked_in_tier {
    () => {
        "(rp.blocked_tiers & CASE u.license_tier WHEN 'cx1' THEN 1 WHEN 'cx2d' THEN 2 \
         WHEN 'cx2' THEN 4 WHEN 'cx3d' THEN 8 WHEN 'cx3' THEN 16 WHEN 'cx4' THEN 32 END) <> 0"
    };
}

/// How many permissions a user has in vain (rule R14).
pub(super) const BLOCKED: SideTable = SideTable {
    from: concat!(
        held!(),
        "SELECT blocked.tenant_id, blocked.user_id, COUNT(*) AS total FROM ( \
         SELECT DISTINCT u.tenant_id, u.id AS user_id, rp.permission, \
         CASE WHEN rp.division_aware THEN held.scope_id END AS scope_id FROM held \
         JOIN role_permissions AS rp ON rp.role_id = held.role_id \
         JOIN users AS u ON u.tenant_id = rp.tenant_id AND u.id = held.user_id \
         WHERE rp.tenant_id = {tenant} AND ",
        blocked_in_tier!(),
        ") AS blocked GROUP BY blocked.tenant_id, blocked.user_id) AS side"
    ),
    owner: "side.user_id",
    of_connection: None,
    of_others: Some(column("0", Form::Integer)),
    columns: &[("blockedPermissionCount", column("side.total", Form::Integer))],
};

/// Nobody who is disabled holds a role in effect, and a role that is disabled gives nothing
/// (rule R31).
pub(super) const EFFECTIVE_ROLES: SideTable = SideTable {
    from: concat!(
        held!(),
        "SELECT u.tenant_id, u.id AS user_id, role.name_key FROM held \
         JOIN users AS u ON u.id = held.user_id \
         JOIN objects AS role ON role.tenant_id = u.tenant_id AND role.id = held.role_id \
         WHERE u.tenant_id = {tenant} AND u.active AND role.deleted_at IS NULL \
         AND COALESCE(role.search ->> 'state', '') <> 'disabled') AS side"
    ),
    owner: "side.user_id",
    of_connection: None,
    of_others: None,
    columns: &[("role", column("side.name_key", Form::Text))],
};

#[cfg(test)]
mod tests {
    use accounts::authorization::Tier;

    use super::BLOCKED;

    /// The bits of `role_permissions.blocked_tiers` are written in the order of `Tier::ALL`.
    #[test]
    fn r14_each_tier_has_the_bit_of_its_place_in_the_catalogue() {
        let bits: Vec<String> = Tier::ALL
            .iter()
            .enumerate()
            .map(|(at, tier)| {
                format!("WHEN '{}' THEN {}", tier.name().to_ascii_lowercase(), 1 << at)
            })
            .collect();
        assert!(BLOCKED.from.contains(&format!("license_tier {} END", bits.join(" "))));
    }
}
