//! What the migrations make, and how a database is brought up to date.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;

use store::{OpenError, Store};

use crate::harness::{Kind, TestDatabase, on_each_database};

/// `table:column` for the first column of every primary key and unique index.
const FIRST_COLUMNS_IN_SQLITE: &str = "
    SELECT tables.name || ':' || columns.name AS value
    FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND columns.pk = 1
    UNION
    SELECT tables.name || ':' || columns.name
    FROM sqlite_schema AS tables, pragma_index_list(tables.name) AS indexes,
      pragma_index_info(indexes.name) AS columns
    WHERE tables.type = 'table' AND indexes.\"unique\" = 1 AND columns.seqno = 0";

const FIRST_COLUMNS_IN_POSTGRES: &str = "
    SELECT tables.relname || ':' || columns.attname AS value
    FROM pg_index AS indexes
    JOIN pg_class AS tables ON tables.oid = indexes.indrelid
    JOIN pg_attribute AS columns
      ON columns.attrelid = tables.oid AND columns.attnum = indexes.indkey[0]
    WHERE indexes.indisunique AND tables.relnamespace = 'public'::regnamespace";

fn every_unique_key_is_led_by_the_tenant(database: &TestDatabase) {
    drop(Store::open(&database.url).expect("it opens"));
    let query = match database.kind {
        Kind::Sqlite => FIRST_COLUMNS_IN_SQLITE,
        Kind::Postgres => FIRST_COLUMNS_IN_POSTGRES,
    };
    let mut found: BTreeSet<String> = database.raw().texts(query).into_iter().collect();
    found.extend(database.raw_log().texts(query));
    let of_tenants = [
        "catalogue_versions",
        "change_log",
        "client_credentials",
        "credential_uses",
        "dependencies",
        "external_ids",
        "free_seats",
        "grants",
        "groups",
        "identity_claims",
        "last_logins",
        "leniency_uses",
        "logins",
        "mailed_links",
        "memberships",
        "objects",
        "provisioning_log",
        "role_permissions",
        "sessions",
        "skill_assignments",
        "tokens",
        "user_emails",
        "users",
    ];
    let expected: BTreeSet<String> = of_tenants
        .iter()
        .map(|table| format!("{table}:tenant_id"))
        .chain(
            [
                "installation_keys:purpose",
                "tenants:id",
                "tenants:name_key",
                "__diesel_schema_migrations:version",
            ]
            .map(Into::into),
        )
        .collect();
    assert_eq!(found, expected);
}

fn a_database_of_a_newer_program_is_refused(database: &TestDatabase) {
    assert!(!store::migrate(&database.url).expect("it is migrated").is_empty());
    assert!(store::migrate(&database.url).expect("it is up to date").is_empty());
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')";
    database.raw().execute(newer).expect("the step is written");

    for error in [
        Store::open(&database.url).err().expect("opening is refused"),
        store::migrate(&database.url).expect_err("migrating is refused"),
    ] {
        assert!(matches!(&error, OpenError::Newer(step) if step == "99999999999999"), "{error:?}");
    }
}

fn programs_started_together_on_an_empty_database_all_open_it(database: &TestDatabase) {
    const TOGETHER: usize = 4;
    let barrier = Barrier::new(TOGETHER);
    let open = || {
        barrier.wait();
        Store::open(&database.url)
    };
    thread::scope(|scope| {
        let stores: Vec<_> = (0..TOGETHER).map(|_| scope.spawn(open)).collect();
        for store in stores {
            store.join().expect("the thread ends").expect("the store opens");
        }
    });
}

on_each_database!(
    every_unique_key_is_led_by_the_tenant,
    a_database_of_a_newer_program_is_refused,
    programs_started_together_on_an_empty_database_all_open_it,
);

#[test]
fn programs_started_together_on_an_empty_file_open_it_however_they_meet() {
    // How they meet is chance, and a file is cheap.
    for _ in 0..20 {
        let database = TestDatabase::create(Kind::Sqlite);
        programs_started_together_on_an_empty_database_all_open_it(&database);
    }
}
