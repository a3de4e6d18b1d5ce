//! The plans by which resources are found: what clients ask for again and again has an index.

use accounts::divisions::Divisions;
use accounts::objects;
use scim_protocol::cursor::{Key, Position};
use scim_protocol::dialect::{Dialect, Leniencies};
use scim_protocol::query::{Parameters, Query, Start};
use scim_protocol::schema::ResourceType;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{
    CALLER, Kind, TestDatabase, World, context, group, new_group, new_user, on_each_database,
    strict_body,
};

const USERS: usize = 300;
const GROUPS: usize = 150;
const DIVISIONS: usize = 30;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

/// Enough that reading all of it is not the best plan.
fn populate(database: &TestDatabase) -> (Uuid, Uuid) {
    let world = World::on(database);
    let created = world.write(|tx| {
        for number in 0..DIVISIONS {
            let name = json!({"name": format!("Division {number}")});
            let body = strict_body(ResourceType::division(), name);
            let context = context();
            objects::create::<Divisions>(tx, &context, (context.new_id)(), body)?;
        }
        let mut users = Vec::new();
        for number in 0..USERS {
            let body = json!({
                "userName": format!("user{number}"), "displayName": format!("User {number}"),
                "externalId": format!("x{number}"), "title": "Agent",
                "emails": [{"value": format!("user{number}@x.example"), "type": "work"},
                           {"value": format!("home{number}@x.example"), "type": "home"}],
                ENTERPRISE: {"employeeNumber": format!("e{number}"),
                             "manager": {"value": format!("m{number}")}},
                HEADCOUNT: {"division": format!("Division {}", number % DIVISIONS)},
            });
            let body = strict_body(ResourceType::user(), body);
            users.push(new_user(tx, &context(), body)?.id);
        }
        let mut groups = Vec::new();
        for (number, members) in users.chunks(USERS / GROUPS).enumerate() {
            let mut body = group(&format!("Group {number}"), members);
            body.insert("externalId".to_owned(), format!("x{number}").into());
            groups.push(new_group(tx, &context(), body, Dialect::Strict)?.id);
        }
        Ok::<_, accounts::Refusal>((users[7], groups[3]))
    });
    created.expect("nothing stands in the way")
}

/// A filter, and what its plan has to hold: the indexes, and by which columns they are read.
struct Expected {
    kind: &'static ResourceType,
    filter: String,
    sqlite: Vec<&'static str>,
    postgres: Vec<&'static str>,
}

const USER_BY_ID: &str =
    "SEARCH resource USING INDEX sqlite_autoindex_users_1 (tenant_id=? AND id=?)";
const GROUP_BY_ID: &str =
    "SEARCH resource USING INDEX sqlite_autoindex_groups_1 (tenant_id=? AND id=?)";

fn of_users(user: Uuid, group: Uuid) -> Vec<Expected> {
    let case = |filter: &str, sqlite: &[&'static str], postgres: &[&'static str]| Expected {
        kind: ResourceType::user(),
        filter: filter.to_owned(),
        sqlite: sqlite.to_vec(),
        postgres: postgres.to_vec(),
    };
    let by_email: (&[_], &[_]) = (
        &[USER_BY_ID, "user_emails_by_value (tenant_id=? AND value_key=?"],
        &["user_emails_by_value", "(value_key = ", "users_pkey", "(id = "],
    );
    vec![
        case(&format!("id eq \"{user}\""), &[USER_BY_ID], &["users_pkey", "(id = "]),
        case(
            &format!("id eq \"{user}\" and manager eq \"b\""),
            &[USER_BY_ID],
            &["users_pkey", "(id = "],
        ),
        case(
            "userName eq \"USER7\"",
            &["users_by_user_name (tenant_id=? AND user_name_key=?)"],
            &["users_by_user_name", "(user_name_key = "],
        ),
        case(
            "displayName eq \"user 7\"",
            &["users_by_display_name (tenant_id=? AND display_name_key=?)"],
            &["users_by_display_name", "(display_name_key = "],
        ),
        case(
            "externalId eq \"x7\"",
            &[
                USER_BY_ID,
                "external_ids_are_unique (tenant_id=? AND external_id=? AND connection_id=?",
            ],
            &["external_ids_are_unique", "(external_id = ", "users_pkey", "(id = "],
        ),
        case("emails.value eq \"user7@x.example\"", by_email.0, by_email.1),
        case("emails[type eq \"work\" and value eq \"user7@x.example\"]", by_email.0, by_email.1),
        case(
            &format!("groups.value eq \"{group}\""),
            &[USER_BY_ID, "SEARCH side USING PRIMARY KEY (tenant_id=? AND group_id=?)"],
            &["memberships_pkey", "(group_id = ", "users_pkey", "(id = "],
        ),
        case(
            &format!("{ENTERPRISE}:employeeNumber eq \"E7\""),
            &["users_by_employee_number (tenant_id=? AND employee_number_key=?)"],
            &["users_by_employee_number", "(employee_number_key = "],
        ),
        case(
            &format!("{HEADCOUNT}:divisionId eq \"{user}\""),
            &["users_by_division (tenant_id=? AND division_id=?)"],
            &["users_by_division", "(division_id = "],
        ),
        case(
            &format!("{HEADCOUNT}:division eq \"DIVISION 7\""),
            &["users_by_division (tenant_id=? AND division_id=?)", "objects_by_name (tenant_id=?"],
            &["users_by_division", "(division_id = "],
        ),
        case(
            &format!("{HEADCOUNT}:licenseTier eq \"CX4\""),
            &["users_by_license_tier (tenant_id=? AND license_tier=?)"],
            &["users_by_license_tier", "(license_tier = "],
        ),
        case(
            "meta.lastModified gt \"2099-01-01T00:00:00Z\"",
            &["users_by_modified (tenant_id=? AND modified_at>?)"],
            &["users_by_modified", "(modified_at > "],
        ),
    ]
}

fn of_groups(user: Uuid, group: Uuid) -> Vec<Expected> {
    let case = |filter: &str, sqlite: &[&'static str], postgres: &[&'static str]| Expected {
        kind: ResourceType::group(),
        filter: filter.to_owned(),
        sqlite: sqlite.to_vec(),
        postgres: postgres.to_vec(),
    };
    vec![
        case(&format!("id eq \"{group}\""), &[GROUP_BY_ID], &["groups_pkey", "(id = "]),
        case(
            "displayName eq \"group 7\"",
            &["groups_by_display_name (tenant_id=? AND display_name_key=?)"],
            &["groups_by_display_name", "(display_name_key = "],
        ),
        case(
            "externalId eq \"x7\"",
            &[GROUP_BY_ID, "external_ids_are_unique (tenant_id=? AND external_id=?"],
            &["external_ids_are_unique", "(external_id = ", "groups_pkey", "(id = "],
        ),
        case(
            &format!("members.value eq \"{user}\""),
            &[GROUP_BY_ID, "memberships_by_member (tenant_id=? AND member_id=?)"],
            &["memberships_by_member", "(member_id = ", "groups_pkey", "(id = "],
        ),
    ]
}

fn what_clients_look_up_has_an_index(database: &TestDatabase) {
    let (user, group) = populate(database);
    // PostgreSQL makes statistics by itself within a minute; SQLite never does.
    if database.kind == Kind::Sqlite {
        assert_indexed(database, user, group);
    }
    database.raw().execute("ANALYZE").expect("statistics are made");
    assert_indexed(database, user, group);
}

fn assert_indexed(database: &TestDatabase, user: Uuid, group: Uuid) {
    let mut failures = Vec::new();
    let expected = of_users(user, group).into_iter().chain(of_groups(user, group));
    for Expected { kind, filter, sqlite, postgres } in expected {
        let parameters = Parameters { filter: Some(filter.clone()), ..Parameters::default() };
        let query = parameters.query(kind, &mut Leniencies::new(Dialect::Standard)).unwrap();
        let plan = store::explain(&database.url, kind, CALLER.scope(), &query).unwrap();
        // The groups in a group are few, and found by an index before they are gone through.
        let plan = plan.join("\n").replace("SCAN nested", "EACH nested");
        let (wanted, unwanted) = match database.kind {
            Kind::Sqlite => (sqlite, "SCAN "),
            Kind::Postgres => (postgres, "Seq Scan"),
        };
        let found = wanted.iter().all(|part| plan.contains(part));
        if !found || plan.contains(unwanted) {
            failures.push(format!("{} {filter}: wanted {wanted:?}\n{plan}", kind.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// An order, and what the plan of a page in the middle of it has to hold and must not.
struct Paged {
    kind: &'static ResourceType,
    sort_by: Option<&'static str>,
    descending: bool,
    key: Option<&'static str>,
    sqlite: Vec<&'static str>,
    postgres: Vec<&'static str>,
    /// Whether the index has just this order.
    is_ordered: bool,
}

fn paged() -> Vec<Paged> {
    let case =
        |kind, sort_by, descending, key, sqlite: &[&'static str], postgres: &[&'static str]| {
            let (sqlite, postgres) = (sqlite.to_vec(), postgres.to_vec());
            Paged { kind, sort_by, descending, key, sqlite, postgres, is_ordered: true }
        };
    let (users, groups) = (ResourceType::user(), ResourceType::group());
    vec![
        case(
            users,
            None,
            false,
            None,
            &["sqlite_autoindex_users_1 (tenant_id=? AND id>?)"],
            &["users_pkey", "(id > "],
        ),
        case(
            groups,
            None,
            false,
            None,
            &["sqlite_autoindex_groups_1 (tenant_id=? AND id>?)"],
            &["groups_pkey", "(id > "],
        ),
        case(
            users,
            Some("userName"),
            false,
            Some("user150"),
            &["users_by_user_name (tenant_id=? AND user_name_key>?)"],
            &["users_by_user_name", "(user_name_key >= "],
        ),
        case(
            users,
            Some("userName"),
            true,
            Some("user150"),
            &["users_by_user_name (tenant_id=? AND user_name_key<?)"],
            &["Index Scan Backward using users_by_user_name", "(user_name_key <= "],
        ),
        // What has no such name comes after what has one, in a range of its own.
        case(
            users,
            Some("displayName"),
            false,
            Some("user 150"),
            &[
                "users_by_display_name (tenant_id=? AND display_name_key>?)",
                "users_by_display_name (tenant_id=? AND display_name_key=?)",
            ],
            &["users_by_display_name", "(display_name_key >= ", "(display_name_key IS NULL)"],
        ),
        case(
            users,
            Some("displayName"),
            false,
            None,
            &["users_by_display_name (tenant_id=? AND display_name_key=? AND id>?)"],
            &["users_by_display_name", "(display_name_key IS NULL) AND (id > "],
        ),
        // What is sorted alike is put in order, and not much is.
        Paged {
            is_ordered: false,
            ..case(
                groups,
                Some("displayName"),
                false,
                Some("group 75"),
                &["groups_by_display_name (tenant_id=? AND display_name_key>?)"],
                &["groups_by_display_name", "(display_name_key >= "],
            )
        },
    ]
}

fn rfc9865_2_a_page_deep_in_a_list_is_a_range_of_an_index(database: &TestDatabase) {
    let (user, _) = populate(database);
    if database.kind == Kind::Sqlite {
        assert_ranges(database, user);
    }
    database.raw().execute("ANALYZE").expect("statistics are made");
    assert_ranges(database, user);
}

fn assert_ranges(database: &TestDatabase, user: Uuid) {
    let mut failures = Vec::new();
    for Paged { kind, sort_by, descending, key, sqlite, postgres, is_ordered } in paged() {
        let parameters = Parameters {
            sort_by: sort_by.map(ToOwned::to_owned),
            sort_order: descending.then(|| "descending".to_owned()),
            count: Some("5".to_owned()),
            ..Parameters::default()
        };
        let query = parameters.query(kind, &mut Leniencies::new(Dialect::Standard)).unwrap();
        let key = key.map(|key| Key::Text(key.to_owned()));
        let start = Start::After(Some(Position { id: user.to_string(), key }));
        let query = Query { start, ..query };
        let plan = store::explain(&database.url, kind, CALLER.scope(), &query).unwrap();
        let plan = plan.join("\n");
        let (wanted, sorting, unwanted) = match database.kind {
            Kind::Sqlite => (sqlite, "TEMP B-TREE", "SCAN "),
            Kind::Postgres => (postgres, "Sort", "Seq Scan"),
        };
        let found = wanted.iter().all(|part| plan.contains(part));
        if !found || plan.contains(unwanted) || (is_ordered && plan.contains(sorting)) {
            failures.push(format!("{} {sort_by:?}: wanted {wanted:?}\n{plan}", kind.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

on_each_database!(
    what_clients_look_up_has_an_index,
    rfc9865_2_a_page_deep_in_a_list_is_a_range_of_an_index,
);
