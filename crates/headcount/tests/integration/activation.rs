//! Links to the first password (rules R60 to R63).

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::harness::*;
use crate::log_in::{GOOD, OTHER, OURS, actions, chosen, entries, mailed};

on_each_database!(
    r60_creation_sends_a_link_by_which_the_account_is_taken_into_use,
    r60_nothing_is_sent_for_a_write_that_is_rolled_back,
    r60_people_of_a_bulk_request_are_each_sent_a_link,
    r61_a_link_is_good_once_and_a_newer_one_voids_it,
    r61_a_link_ends,
    r61_who_leaves_has_no_link_any_more,
    r61_a_link_that_went_to_another_address_is_void,
    r62_a_link_is_sent_again_after_a_pause_and_not_to_who_is_in,
    r63_without_an_address_no_mail_is_sent,
);

fn r60_creation_sends_a_link_by_which_the_account_is_taken_into_use(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    let door = door(&server);
    let ada = create_user(&scim, &mailed("ada"));
    let ours = scim.get(&ada).expect(200)[OURS].clone();
    assert_eq!(ours["accountState"], "pendingActivation", "{ours}");
    let [sent, ends] = ["activationSentAt", "activationExpiresAt"]
        .map(|name| ours[name].as_str().unwrap().parse::<Timestamp>().unwrap());
    assert_eq!(ends.duration_since(sent), SignedDuration::from_hours(24 * 30));
    assert_eq!(ours["activationExpired"], false);
    let mail = mails.next();
    assert!(mail.text.contains("To: ada@x.example"), "{}", mail.text);
    assert!(mail.text.contains("Your account at acme"), "{}", mail.text);
    door.log_in("ada", GOOD).expect(401);
    // Looking at the link does not use it.
    let page = door.get(&mail.link()).expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert!(page.text.contains("<form method=\"post\">"), "{}", page.text);
    let form = ("application/x-www-form-urlencoded", "password=Zaunk%C3%B6nig+42!");
    let page = door.send("POST", &mail.link(), Some(form)).expect(200);
    assert!(page.text.contains("saved"), "{}", page.text);
    let after = scim.get(&ada).expect(200);
    let ours = &after[OURS];
    assert_eq!(ours["accountState"], "active", "{}", after.story());
    assert!(ours["activatedAt"].is_string() && ours["activationExpiresAt"].is_null());
    assert_eq!(after.version(), "W/\"2\"");
    let entered = door.log_in("ada@X.example", GOOD).expect(200);
    assert_eq!(entered["account"]["userName"], "ada", "{}", entered.story());
    assert_eq!(actions(&admin, &ada), ["create", "activate"]);
    let entry = entries(&admin, &ada).into_iter().find(|one| one["action"] == "activate").unwrap();
    assert_eq!(entry["actor"]["type"], "account", "{entry}");
    assert_eq!(entry["source"], "auth", "{entry}");
    // Its names are burned (R5).
    scim.patch(&ada, &replace("userName", "lovelace")).expect(200);
    let release = json!({"value": "ada", "reason": "x"});
    admin.act("/Users/release-identity", &release).expect_code(409, "claimBurned", Some("R5"));
}

fn r60_nothing_is_sent_for_a_write_that_is_rolled_back(database: Database) {
    let (_server, scim, admin, mut mails) = serve_mail(database);
    let mut wrong = mailed("eve");
    wrong["roles"] = json!([{"value": "nonsense"}]);
    scim.post("/Users", &wrong).expect(400);
    let mut asleep = mailed("bob");
    asleep["active"] = json!(false);
    let bob = create_user(&scim, &asleep);
    admin.policy("activation.autoInvite", false);
    create_user(&scim, &mailed("joan"));
    mails.stays_empty();
    admin.policy("activation.autoInvite", true);
    // Who is enabled later is sent the link then.
    let back = scim.patch(&bob, &replace("active", true)).expect(200);
    assert!(back[OURS]["activationSentAt"].is_string(), "{}", back.story());
    assert!(mails.next().text.contains("To: bob@x.example"));
}

fn r60_people_of_a_bulk_request_are_each_sent_a_link(database: Database) {
    let (_server, scim, _, mut mails) = serve_mail(database);
    let names = ["ada", "bob", "joan"];
    let operations = names.map(
        |name| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": mailed(name)}),
    );
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations});
    scim.post("/Bulk", &bulk).expect(200);
    let mut to = names.map(|_| {
        let mail = mails.next();
        mail.text.lines().find(|line| line.starts_with("To: ")).unwrap().to_owned()
    });
    to.sort();
    assert_eq!(to, names.map(|name| format!("To: {name}@x.example")));
}

fn r61_a_link_is_good_once_and_a_newer_one_voids_it(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    admin.policy("activation.resendCooldownSeconds", 0);
    let door = door(&server);
    let ada = create_user(&scim, &mailed("ada"));
    let first = mails.next().link();
    let sent = admin.act(&format!("{ada}/send-activation"), &json!({})).expect(202);
    assert_eq!(sent.version(), "W/\"2\"", "{}", sent.story());
    let second = mails.next().link();
    assert_ne!(first, second);
    door.say(&first, &chosen(GOOD)).expect_code(410, "linkEnded", Some("R61"));
    door.say(&second, &chosen(GOOD)).expect(204);
    door.say(&second, &chosen(OTHER)).expect_code(410, "linkEnded", Some("R61"));
    door.log_in("ada", OTHER).expect(401);
    door.log_in("ada", GOOD).expect(200);
    for nonsense in ["hci_x", "x", &second[12..40], &second[12..].replace("hci_", "hcr_")] {
        let path = format!("/activation/{nonsense}");
        door.say(&path, &chosen(GOOD)).expect_code(410, "linkEnded", Some("R61"));
    }
    assert_eq!(actions(&admin, &ada), ["create", "activationSent", "activate"]);
}

fn r61_a_link_ends(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    admin.policy("activation.linkTtlDays", 1);
    let ada = create_user(&scim, &mailed("ada"));
    let link = mails.next().link();
    // As if it had been sent two days ago.
    let id = accounts::parse_id(&ada["/Users/".len()..]).unwrap();
    by_rule(&server, move |tx, context| {
        let tenant = context.caller.tenant;
        let before = tx.user_for_update(context.caller.scope(), id)?.unwrap();
        let mut after = before.clone();
        let ended = context.now - SignedDuration::from_hours(24);
        after.standing.activation_sent = Some(ended - SignedDuration::from_hours(24));
        after.standing.activation_expires = Some(ended);
        tx.update_user(tenant, &before, &after)?;
        let mut old = tx.link(tenant, id, accounts::Purpose::Activation)?.unwrap();
        let hash = old.secret_hash.take().unwrap();
        old.expires = ended;
        tx.queue_link(tenant, &old)?;
        tx.set_link_secret(tenant, id, old.purpose, &hash)?;
        Ok(tx.put_off_link(tenant, (id, old.purpose), &hash, None)?)
    })
    .unwrap();
    door(&server).say(&link, &chosen(GOOD)).expect_code(410, "linkEnded", Some("R61"));
    let found = scim.get(&ada).expect(200);
    assert_eq!(found[OURS]["activationExpired"], true, "{}", found.story());
    assert_eq!(found[OURS]["accountState"], "pendingActivation");
    let ended = format!("{OURS}:activationExpiresAt lt \"{}\"", server::clock::now());
    scim.filter("/Users", &ended).expect_user_names(&["ada"]);
    admin.act(&format!("{ada}/send-activation"), &json!({})).expect(202);
    door(&server).say(&mails.next().link(), &chosen(GOOD)).expect(204);
}

fn r61_who_leaves_has_no_link_any_more(database: Database) {
    let (server, scim, _, mut mails) = serve_mail(database);
    let [ada, bob] = ["ada", "bob"].map(|name| create_user(&scim, &mailed(name)));
    let links = [mails.next().link(), mails.next().link()];
    let gone = scim.patch(&ada, &replace("active", false)).expect(200);
    assert!(gone[OURS]["activationSentAt"].is_null(), "{}", gone.story());
    scim.delete(&bob).expect(204);
    for link in &links {
        door(&server).say(link, &chosen(GOOD)).expect_code(410, "linkEnded", Some("R61"));
    }
    scim.patch(&ada, &replace("active", true)).expect(200);
    door(&server).say(&mails.next().link(), &chosen(GOOD)).expect(204);
}

fn r61_a_link_that_went_to_another_address_is_void(database: Database) {
    let (server, scim, _, mut mails) = serve_mail(database);
    let ada = create_user(&scim, &mailed("ada"));
    let wrong = mails.next().link();
    let mut right = mailed("ada");
    right["emails"][0]["value"] = json!("lovelace@x.example");
    scim.put(&ada, &right).expect(200);
    let mail = mails.next();
    assert!(mail.text.contains("To: lovelace@x.example"), "{}", mail.text);
    door(&server).say(&wrong, &chosen(GOOD)).expect(410);
    door(&server).say(&mail.link(), &chosen(GOOD)).expect(204);
}

fn r62_a_link_is_sent_again_after_a_pause_and_not_to_who_is_in(database: Database) {
    let (server, scim, admin, mut mails) = serve_mail(database);
    let ada = create_user(&scim, &mailed("ada"));
    let again = || admin.act(&format!("{ada}/send-activation"), &json!({}));
    again().expect_code(429, "cooldown", Some("R62"));
    door(&server).say(&mails.next().link(), &chosen(GOOD)).expect(204);
    again().expect_code(409, "alreadyActivated", Some("R62"));
    scim.patch(&ada, &replace("active", false)).expect(200);
    again().expect_code(409, "illegalTransition", None);
    verbs_of(&scim).json("POST", &format!("{ada}/send-activation"), &json!({})).expect(403);
}

fn r63_without_an_address_no_mail_is_sent(database: Database) {
    let (_server, scim, admin, mails) = serve_mail(database);
    let mut body = user("ada");
    body["emails"] = json!([{"value": "family@x.example", "type": "home"}]);
    let ada = create_user(&scim, &body);
    mails.stays_empty();
    assert!(scim.get(&ada).expect(200)[OURS]["activationSentAt"].is_null());
    let sent = admin.act(&format!("{ada}/send-activation"), &json!({}));
    sent.expect_code(409, "noEmail", Some("R63"));
    // Where no mail is sent at all, none waits until one is.
    let (_other, scim, admin) = serve_admin(database);
    let ada = create_user(&scim, &mailed("ada"));
    assert!(scim.get(&ada).expect(200)[OURS]["activationSentAt"].is_null());
    let sent = admin.act(&format!("{ada}/send-activation"), &json!({}));
    sent.expect_code(409, "noMail", None);
}
