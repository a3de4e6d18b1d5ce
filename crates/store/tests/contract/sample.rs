//! A resource type that no server has, with attributes of every data type: those of users and
//! groups are text, booleans and a few instants. None has a column of its own, so that all are
//! searched in the document; the resources are put into the table of the users past the rules.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use scim_protocol::filter::search_document;
use scim_protocol::schema::{Attribute, DataType, Extension, ResourceType, Schema};
use scim_protocol::{Object, resource};
use serde_json::{Value, json};

use crate::harness::{CALLER, Kind, TestDatabase, World, strict_body};
use crate::plan::{Both, listed, shared};
use crate::population::{runner, text};

const URN: &str = "urn:example:params:scim:schemas:core:2.0:Sample";
const EXTENSION: &str = "urn:example:params:scim:schemas:extension:more:2.0:Sample";

/// Enough that each value is there several times.
const SAMPLES: usize = 40;

/// Name, data type, and whether case counts.
const SIMPLE: [(&str, &str, bool); 8] = [
    ("text", "string", false),
    ("exact", "string", true),
    ("whole", "integer", false),
    ("decimal", "decimal", false),
    ("moment", "dateTime", false),
    ("flag", "boolean", false),
    ("bytes", "binary", true),
    ("link", "reference", true),
];

/// Of each data type a single attribute, a list, a part of a complex value and a part of the
/// elements of a list. The name is that of the users, in whose table they are.
pub(crate) fn sample() -> &'static ResourceType {
    static SAMPLE: OnceLock<&ResourceType> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let simple = |list: bool| {
            let of = move |(name, data_type, case_exact)| {
                let name = if list { format!("{name}s") } else { String::from(name) };
                json!({"name": name, "type": data_type, "caseExact": case_exact,
                       "multiValued": list})
            };
            SIMPLE.into_iter().map(of)
        };
        let mut of_element: Vec<Value> = simple(false).collect();
        of_element.push(json!({"name": "primary", "type": "boolean"}));
        let complex = [
            json!({"name": "one", "type": "complex",
                   "subAttributes": simple(false).collect::<Vec<_>>()}),
            json!({"name": "many", "type": "complex", "multiValued": true,
                   "subAttributes": of_element}),
        ];
        let own = simple(false).chain(simple(true)).chain(complex).collect::<Value>();
        let extended = [("rank", "integer", false), ("rates", "decimal", true)];
        let extended = extended
            .map(|(name, kind, list)| json!({"name": name, "type": kind, "multiValued": list}));
        Box::leak(Box::new(ResourceType {
            name: "User",
            endpoint: "/Samples",
            description: "Something of everything",
            schema: schema(URN, &own),
            extensions: vec![Extension {
                schema: schema(EXTENSION, &extended.into_iter().collect()),
                required: false,
            }],
        }))
    })
}

fn schema(urn: &str, attributes: &Value) -> Schema {
    let schema = json!({"id": urn, "name": urn, "description": "", "attributes": attributes});
    serde_json::from_value(schema).expect("it is a schema")
}

/// Numbers and instants that are likeliest to be read differently, at the edges and near to each
/// other: as values of resources, and as literals. None for other data types.
pub(crate) fn edges(data_type: DataType) -> Vec<Value> {
    const BEYOND_F64: i64 = (1 << 53) + 1;
    match data_type {
        DataType::Integer => {
            let edges = [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX];
            let near = [BEYOND_F64, BEYOND_F64 - 1, -BEYOND_F64, -1, 0, 1, 9, 10, 100];
            edges.into_iter().chain(near).map(Value::from).collect()
        }
        DataType::Decimal => {
            let whole = [0, 100, BEYOND_F64, -BEYOND_F64, i64::MIN, i64::MAX];
            let numbers = [
                0.0,
                -0.0,
                1.1,
                100.0,
                99.99,
                0.1 + 0.2,
                0.3,
                -1.5,
                1e-7,
                4.35,
                1e22,
                1e23,
                8.41e21,
                123_456_789.123_456_79,
                9_007_199_254_740_992.0,
                9_223_372_036_854_775_807.0,
                f64::MAX,
                f64::MIN,
                f64::MIN_POSITIVE,
                5e-324,
                1.234_567_890_123_456_7e-300,
                2.225_073_858_507_201e-308,
                1.797_693_134_862_315_5e308,
            ];
            let numbers = numbers.into_iter().map(Value::from);
            whole.into_iter().map(Value::from).chain(numbers).chain([u64::MAX.into()]).collect()
        }
        DataType::DateTime => [
            "2026-01-01T00:00:00Z",
            "2026-01-01T01:00:00+01:00",
            "2025-12-31T19:30:00.000-04:30",
            "2026-01-01T00:00:00.5Z",
            "2026-01-01T00:00:00.500000",
            "2026-01-01T00:00:00.1234567Z",
            "2026-01-01T00:00:00.123456Z",
            "2025-12-31T23:59:59.999999999Z",
            "1969-12-31T23:59:59.9999995Z",
            "1970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-30T22:00:00Z",
        ]
        .map(Value::from)
        .into(),
        _ => Vec::new(),
    }
}

/// Literals for a number that no resource has.
pub(crate) fn other_numbers() -> impl Iterator<Item = Value> {
    [0.5, -0.5, 9.0, 1e19, -1e19, -9_223_372_036_854_775_808.0].map(Value::from).into_iter()
}

fn simple(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    let texts = |texts: &'static [&str]| prop::sample::select(texts).prop_map(Value::from).boxed();
    match attribute.data_type {
        DataType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        DataType::Binary => texts(&["", "AQID", "aqid", "YQ==", "YWI", "+/+/", "-_-_"]),
        DataType::Reference => texts(&["", "urn:a", "urn:A", "https://x.example/%41?a=b#c", "/é"]),
        DataType::Decimal => prop_oneof![
            3 => prop::sample::select(edges(DataType::Decimal)),
            1 => any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()).prop_map(Value::from),
        ]
        .boxed(),
        DataType::String => text().prop_map(Value::from).boxed(),
        other => prop::sample::select(edges(other)).boxed(),
    }
}

fn values(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    let value = if attribute.is_complex() {
        members(&attribute.sub_attributes).boxed()
    } else {
        simple(attribute)
    };
    if attribute.multi_valued {
        return prop::collection::vec(value, 0..4).prop_map(Value::Array).boxed();
    }
    value
}

pub(crate) fn members(attributes: &'static [Attribute]) -> impl Strategy<Value = Value> {
    let each: Vec<_> = attributes.iter().map(|a| prop::option::weighted(0.7, values(a))).collect();
    each.prop_map(move |values| {
        let members = attributes.iter().zip(values);
        members.filter_map(|(a, value)| Some((a.name.clone(), value?))).collect()
    })
}

/// In the form in which they are kept.
fn samples() -> Vec<Object> {
    let kind = sample();
    let own = members(&kind.schema.attributes);
    let more = prop::option::of(members(&kind.extensions[0].schema.attributes));
    let strategy = (own, more).prop_map(|(mut body, more)| {
        if let Some(more) = more {
            body[EXTENSION] = more;
        }
        let mut primary_found = false;
        for element in body.get_mut("many").and_then(Value::as_array_mut).into_iter().flatten() {
            if resource::is_primary(element) && std::mem::replace(&mut primary_found, true) {
                element["primary"] = false.into();
            }
        }
        strict_body(sample(), body)
    });
    let all = prop::collection::vec(strategy, SAMPLES).new_tree(&mut runner(1));
    all.expect("they can be made").current()
}

impl Both {
    /// Samples in the place of the users.
    pub(crate) fn of_samples() -> Arc<Self> {
        static SHARED: Mutex<Weak<Both>> = Mutex::new(Weak::new());
        shared(&SHARED, Self::populate_with_samples)
    }

    fn populate_with_samples() -> Self {
        let samples = samples();
        let databases = [Kind::Sqlite, Kind::Postgres].map(TestDatabase::create);
        let worlds = [&databases[0], &databases[1]].map(|database| {
            let world = World::on(database);
            let statements: Vec<String> =
                samples.iter().zip(0..).map(|(s, at)| insertion(database.kind, s, at)).collect();
            database.raw().execute(&statements.concat()).expect("they can be inserted");
            (database.kind, world)
        });
        let [one, other] = worlds.each_ref().map(|(_, world)| listed(world, sample()));
        assert_eq!(one, other);
        assert_eq!(one.len(), SAMPLES);
        let (groups, nouns) = (Vec::new(), BTreeMap::new());
        Self { worlds, users: one, groups, nouns, _databases: databases }
    }
}

fn insertion(database: Kind, one: &Object, at: u128) -> String {
    let (tenant, id) = (CALLER.tenant.simple(), 0x0191_0000_0000_7000_8000_0000_0000_0000 + at);
    let [tenant, id] = [format!("{tenant}"), format!("{id:032x}")].map(|hex| match database {
        Kind::Sqlite => format!("X'{hex}'"),
        Kind::Postgres => format!("'{hex}'"),
    });
    let now = match database {
        Kind::Sqlite => "1700000000000000",
        Kind::Postgres => "'2023-11-14T22:13:20Z'",
    };
    let mut search = search_document(sample(), one);
    search.insert("schemas".to_owned(), resource::schemas(sample(), one).into());
    let [document, search] = [one.clone(), search]
        .map(|document| Value::Object(document).to_string().replace('\'', "''"));
    format!(
        "INSERT INTO users (tenant_id, id, user_name_key, display, active, seat_since, \
         division_id, license_tier, is_agent, is_employee_number_unique, document, search, \
         version, created_at, modified_at) VALUES ({tenant}, {id}, '', '', true, {now}, {id}, \
         'cx1', false, false, '{document}', '{search}', 1, {now}, {now});\n"
    )
}
