//! Which attribute of Entra's user goes where.

use serde_json::{Value, json};

use super::Flavour;
use crate::belief::Values;
use crate::directory::Person;
use crate::place::Place;

type Line = (Place, fn(&Person) -> Value);

/// The default mapping of an application that is not in the gallery, without `active`, roles and
/// the manager, which have ways of their own.
const MAPPING: &[Line] = &[
    (Place::Simple("userName"), |person| json!(person.user_name)),
    (Place::Simple("displayName"), |person| json!(person.display_name())),
    (Place::Simple("title"), |person| json!(person.title)),
    (Place::Typed("emails", "work", "value"), |person| json!(person.user_name)),
    (Place::Typed("emails", "other", "value"), |person| json!(person.alias)),
    (Place::Simple("preferredLanguage"), |person| json!(person.office.language)),
    (Place::Part("name", "givenName"), |person| json!(person.given)),
    (Place::Part("name", "familyName"), |person| json!(person.family)),
    (Place::Part("name", "formatted"), |person| json!(person.display_name())),
    (Place::Typed("addresses", "work", "formatted"), |person| json!(person.desk)),
    (Place::Typed("addresses", "work", "streetAddress"), |person| json!(person.office.street)),
    (Place::Typed("addresses", "work", "locality"), |person| json!(person.office.locality)),
    (Place::Typed("addresses", "work", "region"), |person| json!(person.office.region)),
    (Place::Typed("addresses", "work", "postalCode"), |person| json!(person.office.postal_code)),
    (Place::Typed("addresses", "work", "country"), |person| json!(person.office.country)),
    (Place::Typed("addresses", "other", "formatted"), |person| json!(person.office.locality)),
    (Place::Typed("phoneNumbers", "work", "value"), |person| json!(person.work_phone)),
    (Place::Typed("phoneNumbers", "mobile", "value"), |person| json!(person.mobile)),
    (Place::Typed("phoneNumbers", "fax", "value"), |person| json!(person.fax)),
    (Place::Enterprise("employeeNumber"), |person| json!(person.employee_number)),
    (Place::Enterprise("department"), |person| json!(person.department)),
];

/// What Entra's user has.
pub(super) fn values(flavour: Flavour, person: &Person) -> Values {
    let mut values: Values = MAPPING.iter().map(|(place, of)| (*place, of(person))).collect();
    values.push((Place::Simple("externalId"), external_id(flavour, person)));
    values
}

/// By default the name of the mailbox; administrators who read the documentation to its end map the
/// object's identifier.
fn external_id(flavour: Flavour, person: &Person) -> Value {
    match flavour {
        Flavour::Default => json!(person.mail_nickname),
        Flavour::Compliant => json!(person.object),
    }
}

/// The path as Entra's mapping names it: some names have a capital letter.
pub(super) fn target(place: Place) -> String {
    match place {
        Place::Typed(name, "other", "value") => format!("{name}[type eq \"other\"].Value"),
        Place::Typed(name, "other", "formatted") => format!("{name}[type eq \"other\"].Formatted"),
        place => place.to_string(),
    }
}
