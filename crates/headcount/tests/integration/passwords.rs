//! Passwords, and links to others (rules R64 and R67).

use serde_json::json;

use crate::harness::*;
use crate::log_in::{GOOD, OTHER, OURS, actions, activated, chosen, entries, mailed};

on_each_database!(
    r64_a_password_is_judged,
    r64_a_password_of_a_client_is_kept_where_the_tenant_wants_it,
    r64_a_password_of_a_client_can_take_the_account_into_use,
    r64_a_tenant_with_sso_has_no_passwords,
    r67_a_reset_by_link,
    r67_a_reset_by_force,
    r67_who_forgot_asks_for_a_link,
);

fn r64_a_password_is_judged(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    create_user(&scim, &mailed("ada.lovelace"));
    let link = mails.next().link();
    let door = door(&server);
    for weak in ["", "short1!", "nothing here 1", "Passw0rd!", "Ada.Lovelace 1!"] {
        let refused = door.say(&link, &chosen(weak));
        let refused = refused.expect_code(400, "weakPassword", Some("R64"));
        assert!(weak.is_empty() || !refused.text.contains(weak), "{}", refused.story());
    }
    door.say(&link, &json!({"password": 5})).expect(400);
    door.say(&link, &json!({"password": GOOD, "x": 1})).expect(400);
    door.say(&link, &chosen(&"aB3!".repeat(101))).expect(400);
    admin.policy("passwords.composition", false);
    admin.policy("passwords.minLength", 15);
    door.say(&link, &chosen("fourteen chars")).expect_code(400, "weakPassword", Some("R64"));
    door.say(&link, &chosen("fifteen letters")).expect(204);
    // The same letters from another keyboard.
    door.log_in("ada.lovelace", "fifteen\u{a0}letters").expect(200);
}

fn r64_a_password_of_a_client_is_kept_where_the_tenant_wants_it(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    let door = door(&server);
    let mut body = user("ada");
    body["password"] = json!(GOOD);
    let ada = create_user(&scim, &body);
    admin.act(&format!("{ada}/activate"), &json!({})).expect(200);
    door.log_in("ada", GOOD).expect(401);
    admin.policy("passwords.fromScim", "keep");
    let set = |password: &str| scim.patch(&ada, &replace("password", password));
    set("weak").expect_code(400, "weakPassword", Some("R64"));
    let changed = set(GOOD).expect(200);
    assert_eq!(changed.version(), "W/\"3\"", "{}", changed.story());
    let session = door.log_in("ada", GOOD).expect(200);
    body["password"] = json!(OTHER);
    let changed = scim.put(&ada, &body).expect(200);
    assert_eq!(changed.version(), "W/\"4\"");
    door.log_in("ada", GOOD).expect(401);
    door.log_in("ada", OTHER).expect(200);
    let old = door_with(&server, session["token"].as_str().unwrap());
    old.get("/session").expect(401);
    let entry = entries(&admin, &ada).into_iter().find(|one| one["versionAfter"] == 4);
    let entry = entry.expect("each version has an entry");
    assert!(entry.to_string().contains("\"password\""), "{entry}");
    // In a bulk request there is no time for it.
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "PUT", "path": ada, "data": body}]});
    let answer = scim.post("/Bulk", &bulk).expect(200);
    assert_eq!(answer["Operations"][0]["status"], "400", "{}", answer.story());
    let token = server.tenant_named("acme").token(&[
        "--connection",
        "few",
        "--scopes",
        "scim.users.read,scim.users.write",
    ]);
    let few = server.client_with_token(&token);
    few.patch(&ada, &replace("password", GOOD)).expect_code(403, "scopeMissing", None);
    door.log_in("ada", OTHER).expect(200);
}

fn r64_a_password_of_a_client_can_take_the_account_into_use(database: Database) {
    let (server, scim, admin) = serve_admin(database);
    admin.policy("passwords.fromScim", "activate");
    let mut body = user("ada");
    body["password"] = json!(GOOD);
    let ada = create_user(&scim, &body);
    assert_eq!(scim.get(&ada).expect(200)[OURS]["accountState"], "active");
    door(&server).log_in("ada", GOOD).expect(200);
    let bob = create_user(&scim, &user("bob"));
    assert_eq!(scim.get(&bob).expect(200)[OURS]["accountState"], "pendingActivation");
    let set = scim.patch(&bob, &replace("password", GOOD)).expect(200);
    assert_eq!(set[OURS]["accountState"], "active", "T5: {}", set.story());
    door(&server).log_in("bob", GOOD).expect(200);
}

fn r64_a_tenant_with_sso_has_no_passwords(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let pending = create_user(&scim, &mailed("bob"));
    let link = mails.next().link();
    let session = door(&server).log_in("ada", GOOD).expect(200);
    admin.policy("ssoRequired", true);
    door(&server).log_in("ada", GOOD).expect_code(401, "loginFailed", Some("R65"));
    door_with(&server, session["token"].as_str().unwrap()).get("/session").expect(401);
    door(&server).say(&link, &chosen(GOOD)).expect(410);
    let mode = json!({"mode": "link"});
    let disabled = admin.act(&format!("{ada}/reset-password"), &mode);
    disabled.expect_code(403, "passwordsDisabled", Some("R64"));
    let disabled = admin.act(&format!("{pending}/send-activation"), &json!({}));
    disabled.expect_code(403, "passwordsDisabled", Some("R64"));
    create_user(&scim, &mailed("joan"));
    mails.stays_empty();
    // One that a client sends is refused where it would be kept.
    scim.patch(&ada, &replace("password", OTHER)).expect(200);
    admin.policy("passwords.fromScim", "keep");
    let refused = scim.patch(&ada, &replace("password", OTHER));
    refused.expect_code(403, "passwordsDisabled", Some("R64"));
}

fn r67_a_reset_by_link(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    admin.policy("lock.maxFailures", 3);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let door = door(&server);
    let session = door.log_in("ada", GOOD).expect(200);
    let session = door_with(&server, session["token"].as_str().unwrap());
    session.get("/session").expect(200);
    let reset = admin.act(&format!("{ada}/reset-password"), &json!({"mode": "link"})).expect(202);
    assert_eq!(reset.version(), "W/\"3\"", "{}", reset.story());
    session.get("/session").expect(401);
    door.log_in("ada", GOOD).expect(401);
    let mail = mails.next();
    assert!(mail.text.contains("Another password at acme"), "{}", mail.text);
    let page = door.get(&mail.link()).expect(200);
    assert!(page.text.contains("<form"), "{}", page.text);
    door.say(&mail.link(), &chosen(OTHER)).expect(204);
    door.say(&mail.link(), &chosen(GOOD)).expect_code(410, "linkEnded", Some("R61"));
    door.log_in("ada", OTHER).expect(200);
    // It ends a lock, too.
    for _ in 0..3 {
        door.log_in("ada", "wrong").expect(401);
    }
    assert_eq!(scim.get(&ada).expect(200)[OURS]["accountState"], "locked");
    let reset = admin.act(&format!("{ada}/reset-password"), &json!({"mode": "link"})).expect(202);
    assert_eq!(reset[OURS]["accountState"], "active", "{}", reset.story());
    assert_eq!(
        actions(&admin, &ada),
        ["create", "activate", "passwordReset", "passwordReset", "lock", "passwordReset"]
    );
    let bob = create_user(&scim, &mailed("bob"));
    let early = admin.act(&format!("{bob}/reset-password"), &json!({"mode": "link"}));
    early.expect_code(409, "illegalTransition", None);
    admin.act(&format!("{ada}/reset-password"), &json!({"mode": "guess"})).expect(400);
}

fn r67_a_reset_by_force(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    let ada = activated(&server, &scim, &mut mails, "ada");
    let door = door(&server);
    let force = || admin.act(&format!("{ada}/reset-password"), &json!({"mode": "forceChange"}));
    force().expect(202);
    door.log_in("ada", "wrong").expect(401);
    let told = door.log_in("ada", GOOD);
    told.expect_code(403, "passwordChangeRequired", Some("R67"));
    let change = |new: &str| {
        let body =
            json!({"tenant": "acme", "userName": "ada", "password": GOOD, "newPassword": new});
        door.say("/login", &body)
    };
    change("weak").expect_code(400, "weakPassword", Some("R64"));
    change(OTHER).expect(200);
    door.log_in("ada", GOOD).expect(401);
    door.log_in("ada", OTHER).expect(200);
    let bob = create_user(&scim, &mailed("bob"));
    admin.act(&format!("{bob}/activate"), &json!({})).expect(200);
    let none = admin.act(&format!("{bob}/reset-password"), &json!({"mode": "forceChange"}));
    none.expect_code(409, "illegalTransition", None);
}

fn r67_who_forgot_asks_for_a_link(database: Database) {
    let (server, scim, _, mut mails) = serve_mail(database);
    activated(&server, &scim, &mut mails, "ada");
    create_user(&scim, &mailed("bob"));
    mails.next();
    let door = door(&server);
    let ask = |tenant: &str, name: &str| {
        door.say("/password-reset", &json!({"tenant": tenant, "userName": name})).expect(202).text
    };
    // Who is not there, or has nothing to forget, is answered alike.
    let answers = [("nobody", "ada"), ("acme", "eve"), ("acme", "bob")].map(|(t, n)| ask(t, n));
    mails.stays_empty();
    assert_eq!(answers, [ask("acme", "ada"), ask("acme", "ada"), ask("acme", "ADA@x.example")]);
    let mail = mails.next();
    assert!(mail.text.contains("To: ada@x.example"), "{}", mail.text);
    // Until it is used, nothing has changed; and one mail is enough.
    door.log_in("ada", GOOD).expect(200);
    mails.stays_empty();
    door.say(&mail.link(), &chosen(OTHER)).expect(204);
    door.log_in("ada", GOOD).expect(401);
    door.log_in("ada", OTHER).expect(200);
}
