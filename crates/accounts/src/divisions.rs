//! Divisions: an account is in exactly one, and a grant counts in one or in all.

use scim_protocol::schema::ResourceType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::names;
use crate::objects::{self, ObjectType};
use crate::policy::DefaultDivision;
use crate::refusal::{Code, Refusal};
use crate::rights::Right;
use crate::tenants;
use crate::tx::{Resource, Tx};
use crate::{Caller, Context};

/// The name that the division has with which a tenant begins.
pub const HOME: &str = "Home";

const HOME_DIVISION: &str = "homeDivision";

/// `/Divisions`
pub struct Divisions;

impl ObjectType for Divisions {
    const READ: Right = Right::ReadUsers;
    const MAX_NAME: usize = 500;

    fn resource_type() -> &'static ResourceType {
        ResourceType::division()
    }

    fn check(
        tx: &mut dyn Tx,
        context: &Context,
        before: Option<&Resource>,
        after: &mut Resource,
    ) -> Result<(), Refusal> {
        after.attributes.entry(HOME_DIVISION).or_insert(Value::Bool(false));
        match before {
            Some(_) => Ok(()),
            None => check_room(tx, context),
        }
    }

    /// Rules R23 and R24.
    fn removable(tx: &mut dyn Tx, context: &Context, division: &Resource) -> Result<(), Refusal> {
        if division.attributes.get(HOME_DIVISION) == Some(&Value::Bool(true)) {
            return Err(Refusal::rule(
                Code::HomeDivision,
                "the home division cannot be deleted: give it another name instead",
            ));
        }
        check_not_default(tx, context, division)?;
        let (users, grants) =
            tx.count_in_division(context.caller.tenant, division.id, context.now)?;
        if users == 0 && grants == 0 {
            return Ok(());
        }
        Err(Refusal::rule(
            Code::DivisionInUse,
            format!(
                "{users} accounts and {grants} grants are in the division: move the accounts to \
                 another one and revoke the grants first"
            ),
        ))
    }

    fn complete(
        tx: &mut dyn Tx,
        caller: &Caller,
        divisions: &mut [Resource],
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        if !wants("objectCounts") {
            return Ok(());
        }
        for division in divisions {
            let (users, grants) = tx.count_in_division(caller.tenant, division.id, caller.now)?;
            let counts = json!({"users": users, "grants": grants});
            division.attributes.insert("objectCounts".to_owned(), counts);
        }
        Ok(())
    }
}

/// Brings a deleted division back (rule R24). Nothing is in it: it was empty when it was deleted.
///
/// # Errors
/// Refuses an identifier of which no division is deleted, a name that another division has
/// meanwhile, and one division more than the tenant's policy has room for.
pub fn restore(tx: &mut dyn Tx, context: &Context, id: Uuid) -> Result<Resource, Refusal> {
    objects::restore::<Divisions>(tx, context, id)
}

/// New accounts would be refused if they went to a division that is no more.
fn check_not_default(
    tx: &mut dyn Tx,
    context: &Context,
    division: &Resource,
) -> Result<(), Refusal> {
    let policy = tenants::policy(tx, &context.caller)?;
    match &policy.default_division {
        DefaultDivision::Named(name) if names::means(name, division) => Err(Refusal::rule(
            Code::DivisionInUse,
            "new accounts go to the division: change provisioning.defaultDivision of the tenant \
             first",
        )),
        _ => Ok(()),
    }
}

fn check_room(tx: &mut dyn Tx, context: &Context) -> Result<(), Refusal> {
    let tenant = context.caller.tenant;
    let max = tenants::policy(tx, &context.caller)?.max_divisions;
    // Two that come at the same time must not both find the last place.
    objects::hold_type_alone::<Divisions>(tx, context)?;
    let there = tx.all_objects(tenant, ResourceType::division())?.len();
    if i64::try_from(there).is_ok_and(|there| there < max) {
        return Ok(());
    }
    Err(Refusal::rule(
        Code::TooManyDivisions,
        format!(
            "the tenant has {there} divisions, and its policy divisions.max is {max}: delete one \
             or raise it"
        ),
    ))
}
