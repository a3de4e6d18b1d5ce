//! The table of refusals says what is answered: each is provoked, by an identity provider's request.

use serde_json::json;

use crate::harness::*;

const PAGE: &str = include_str!("../../../../../docs/troubleshooting.md");

/// Provokes every refusal of the table, each in a tenant of its own.
pub(super) fn provoke_all(database: Database) {
    let server = Server::start(database);
    let (_, table) = PAGE.split_once("| Code | Status | scimType |").expect("the table is there");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).collect();
    assert!(rows.len() > 20, "the table has rows");
    for row in rows {
        let [code, scim_type] = [row[1], row[3]].map(|cell| cell.trim_matches('`'));
        let answer = provoke(&server, code);
        assert_eq!(answer.status.to_string(), row[2], "{code}: {}", answer.story());
        assert_eq!(answer["scimType"].as_str().unwrap_or_default(), scim_type, "{code}");
        assert_eq!(answer[HEADCOUNT_ERROR]["code"], code, "{}", answer.story());
    }
}

fn provoke(server: &Server, code: &str) -> Answer {
    let tenant = server.tenant(code);
    let scim = tenant.client(Dialect::Standard);
    let admin = Administrator::of(server, code);
    match code {
        "userNameTaken" | "identityReserved" | "externalIdTaken" | "employeeNumberTaken" => {
            taken(&scim, code)
        }
        "rehireConfirmationRequired" => {
            let path = create_user(&scim, &user("ada@example.com"));
            scim.delete(&path).expect(204);
            scim.post("/Users", &user("ada@example.com"))
        }
        "groupNameTaken" => {
            scim.post("/Groups", &group("Agents", &[])).expect(201);
            scim.post("/Groups", &group("AGENTS", &[]))
        }
        "unknownRole" => having(&scim, "roles", json!([{"value": "wizard"}])),
        "unknownDivision" => having_ours(&scim, "division", "Atlantis"),
        "unknownSkill" => having_ours(&scim, "skillSet", "Juggling=5"),
        "unknownCapacityRule" => having_ours(&scim, "capacityRule", "Everything"),
        "unknownTemplate" => having_ours(&scim, "template", "Nobody"),
        "disabledObject" => {
            admin.create_as("/Skills", &json!({"name": "Billing", "state": "disabled"}));
            having_ours(&scim, "skillSet", "Billing=5")
        }
        "tooManySkills" => {
            admin.policy("skills.maxPerUser", 1);
            admin.create("/Skills", "Billing");
            admin.create("/Skills", "Sales");
            having_ours(&scim, "skillSet", "Billing=5;Sales=1")
        }
        "stillAgent" => {
            admin.create("/Skills", "Billing");
            let path = create_user(&scim, &user("ada"));
            let set = |name: &str| format!("{HEADCOUNT}:{name}");
            scim.patch(&path, &replace(&set("agent"), true)).expect(200);
            scim.patch(&path, &replace(&set("skillSet"), "Billing=5")).expect(200);
            scim.patch(&path, &replace(&set("agent"), false))
        }
        "repeatedType" => {
            let work = |value: &str| json!({"type": "work", "value": value});
            having(&scim, "emails", json!([work("a@example.com"), work("b@example.com")]))
        }
        "managerCycle" => {
            let (ada, bob) = (create_user(&scim, &user("ada")), create_user(&scim, &user("bob")));
            let manager = format!("{ENTERPRISE}:manager");
            let lead = |path: &str, by: &str| {
                scim.patch(path, &replace(&manager, by.trim_start_matches("/Users/")))
            };
            lead(&ada, &bob).expect(200);
            lead(&bob, &ada)
        }
        "incomplete" => {
            admin.policy("provisioning.strictRequired", true);
            scim.post("/Users", &user("ada"))
        }
        "scopeMissing" => {
            let arguments = ["--connection", "reader", "--scopes", "scim.users.read"];
            let reader = server.client_with_token(&tenant.token(&arguments));
            reader.post("/Users", &user("ada"))
        }
        "roleNotGrantable" => having(&scim, "roles", json!([{"value": "master-admin"}])),
        "seatLimitExceeded" => {
            admin.limit("CX1", 0);
            scim.post("/Users", &user("ada"))
        }
        "downgradeRequiresApproval" => {
            let tier = format!("{HEADCOUNT}:licenseTier");
            let path = create_user(&scim, &user("ada"));
            scim.patch(&path, &replace(&tier, "CX2")).expect(200);
            scim.patch(&path, &replace(&tier, "CX1"))
        }
        "lastMasterAdmin" => {
            let mut body = user("ada");
            body["roles"] = json!([{"value": "master-admin"}]);
            let path = create_user(&admin.scim, &body);
            scim.patch(&path, &replace("active", false))
        }
        "deprovisionGuard" => {
            admin.policy("deprovisionGuard.minCount", 1);
            admin.policy("deprovisionGuard.maxPercent", 1);
            let people = ["ada", "bob"].map(|name| create_user(&scim, &user(name)));
            scim.patch(&people[0], &replace("active", false)).expect(200);
            scim.patch(&people[1], &replace("active", false))
        }
        other => panic!("nothing provokes {other}"),
    }
}

/// A second account with what belongs to the first.
fn taken(scim: &Client, code: &str) -> Answer {
    let with = |name: &str| {
        let mut body = user(name);
        match code {
            "identityReserved" => body["emails"] = json!([{"type": "work", "value": "a@b.c"}]),
            "externalIdTaken" => body["externalId"] = json!("17"),
            "employeeNumberTaken" => body[ENTERPRISE] = json!({"employeeNumber": "17"}),
            _ => body["userName"] = json!("ada"),
        }
        body
    };
    scim.post("/Users", &with("first")).expect(201);
    scim.post("/Users", &with("second"))
}

fn having(scim: &Client, attribute: &str, value: serde_json::Value) -> Answer {
    let mut body = user("ada");
    body[attribute] = value;
    scim.post("/Users", &body)
}

fn having_ours(scim: &Client, attribute: &str, value: &str) -> Answer {
    having(scim, HEADCOUNT, json!({ attribute: value }))
}
