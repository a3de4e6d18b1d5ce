//! What discovery says of a tenant (RFC 7643 section 7, `canonicalValues`).

use accounts::objects::{self, ObjectType};
use accounts::roles::Roles;
use accounts::skills::Skills;
use accounts::{Context, Refusal, Resource, Rights};
use scim_protocol::discovery::{self, View};
use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    CALLER, Listener, TestDatabase, World, context, on_each_database, strict_body,
};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const HEADCOUNT: &str = "urn:ietf:params:scim:schemas:extension:headcount:2.0:User";

on_each_database!(
    rfc7643_7_of_many_names_the_database_finds_only_those_that_are_listed,
    rfc7643_7_roles_are_listed_that_the_caller_may_grant,
);

fn create<T: ObjectType>(world: &World, kind: &'static ResourceType, body: Value) -> Uuid {
    let body = strict_body(kind, body);
    let created = world.write(move |tx| {
        let context = context();
        objects::create::<T>(tx, &context, (context.new_id)(), body.clone())
    });
    created.expect("nothing stands in the way").id
}

fn provisioning() -> Context {
    let mut context = context();
    context.caller.rights = Rights::of_provisioning();
    context
}

fn view(world: &World, context: fn() -> Context) -> View {
    let view = world.read(move |tx| accounts::discovery::view(tx, &context()));
    view.expect("it can be read")
}

/// The canonical values of a sub-attribute.
fn names(view: &View, urn: &str, attribute: &str, sub: &str) -> Vec<String> {
    let schema = discovery::schema(urn, "https://scim.example", view).expect("it is known");
    let of = |list: &Value, name: &str| -> Value {
        let mut all = list.as_array().into_iter().flatten();
        all.find(|one| one["name"] == name).expect("the schema has it").clone()
    };
    let sub = of(&of(&schema["attributes"], attribute)["subAttributes"], sub);
    let values = sub["canonicalValues"].as_array().into_iter().flatten();
    values.map(|value| value.as_str().unwrap_or_default().to_owned()).collect()
}

fn rfc7643_7_of_many_names_the_database_finds_only_those_that_are_listed(database: &TestDatabase) {
    let listener = Listener::of(database);
    let (world, mut raw) = (World::on(database), database.raw());
    create::<Skills>(&world, ResourceType::skill(), json!({"name": "Off", "state": "disabled"}));
    create::<Skills>(&world, ResourceType::skill(), json!({"name": "Sales"}));
    let kind = database.kind;
    let changed = [
        ("id", kind.numbered_id(1)),
        ("name_key", "name_key || n".to_owned()),
        ("document", kind.numbered_text("document", "Sales", "json")),
    ];
    raw.copy("objects", "name_key = 'sales'", 1_200, &changed);

    let mut found = View::default();
    let statements = listener.during(|| found = view(&world, context));
    let skills = names(&found, HEADCOUNT, "skills", "value");
    assert_eq!(skills.len(), 1_000);
    assert!(!skills.contains(&"Off".to_owned()), "nobody can be given it");

    // The settings of the tenant are read as a whole; they are few.
    let is_of_names = |text: &&String| text.contains("objects") && !text.contains("Tenant");
    let of_names: Vec<&String> = statements.iter().filter(is_of_names).collect();
    assert_eq!(of_names.len(), 5, "roles, divisions, skills, rules, templates: {statements:#?}");
    for text in of_names {
        assert!(text.contains("LIMIT"), "{text}");
    }
}

fn rfc7643_7_roles_are_listed_that_the_caller_may_grant(database: &TestDatabase) {
    let world = World::on(database);
    let role = |body| create::<Roles>(&world, ResourceType::role(), body);
    role(json!({"name": "Night Watch", "privileged": true}));
    role(json!({"name": "Off", "state": "disabled"}));
    let desk = role(json!({"name": "Help Desk"}));
    let listed = |context| names(&view(&world, context), USER, "roles", "value");

    let of_admin = listed(context);
    assert!(of_admin.contains(&"Night Watch".to_owned()) && of_admin.contains(&"admin".to_owned()));
    let of_client = listed(provisioning);
    let unprivileged = ["supervisor", "agent", "employee", "read-only", "trusted-external-user"];
    assert_eq!(of_client, [&unprivileged[..], &["Help Desk"]].concat());
    assert!(of_admin.len() > of_client.len() && !of_admin.contains(&"Off".to_owned()));

    // The list of a connection has names in any case, and identifiers; it may name what is not.
    let grantable = json!(["NIGHT watch", desk, "Help desk", "off", "nobody", Uuid::from_u128(9)]);
    let connection = Resource {
        id: CALLER.connection,
        version: 1,
        created: context().now,
        last_modified: context().now,
        attributes: json!({"name": "Okta", "grantableRoles": grantable})
            .as_object()
            .cloned()
            .unwrap_or_default(),
    };
    let inserted = world.write(move |tx| {
        let kind = ResourceType::connection();
        Ok::<_, Refusal>(tx.insert_object(CALLER.tenant, kind, None, &connection)?)
    });
    assert!(inserted.expect("it is new"));
    assert_eq!(listed(provisioning), ["Night Watch", "Help Desk"]);
}
