//! Rules called as the service calls them, on the database of a running server.

use accounts::tenancy::tenant_named;
use accounts::{Context, Refusal, Tx, parse_id};
use server::clock;
use store::Store;

use super::{Client, Database, Server, serve_admin};

/// A server on a database of its own, a client of one tenant in it that may do everything, and one
/// that provisions people.
pub(crate) fn serve_nouns(database: Database) -> (Server, Client, Client) {
    let (server, scim, admin) = serve_admin(database);
    (server, admin.scim, scim)
}

/// Runs a rule in one unit of work of the tenant `acme`, on behalf of the service itself.
pub(crate) fn by_rule<T: Send + 'static>(
    server: &Server,
    rule: impl Fn(&mut dyn Tx, &Context) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let url = server.database().url().parse().expect("the URL of the test's database");
    let store = Store::open(&url).expect("the database can be opened");
    actix_web::rt::System::new().block_on(store.write(move |tx| {
        let tenant = tenant_named(tx, "acme")?.id;
        rule(tx, &Context::of_system(tenant, clock::now(), clock::new_id))
    }))
}

/// Makes an account one whose person has logged in, as the login service will.
pub(crate) fn activate(server: &Server, path: &str) {
    let id = path.rsplit('/').next().and_then(parse_id).expect("the path of an account");
    by_rule(server, move |tx, context| {
        let before = tx.user_for_update(context.caller.scope(), id)?.expect("it is there");
        let mut after = before.clone();
        after.standing.activated = Some(context.now);
        tx.update_user(context.caller.tenant, &before, &after)?;
        Ok(())
    })
    .expect("nothing stands in the way");
}
