//! Which attribute of Okta's profile goes where.

use serde_json::{Value, json};

use crate::belief::Values;
use crate::directory::{Directory, Person};
use crate::place::Place;

type Line = (Place, fn(&Directory, &Person) -> Value);

/// The attribute mapping of the application, as Okta makes it for a new one, with the address, the
/// telephones and the enterprise extension that an administrator adds.
const MAPPING: &[Line] = &[
    (Place::Simple("userName"), |_, person| json!(person.user_name)),
    (Place::Part("name", "givenName"), |_, person| json!(person.given)),
    (Place::Part("name", "familyName"), |_, person| json!(person.family)),
    (Place::Typed("emails", "work", "primary"), |_, _| json!(true)),
    (Place::Typed("emails", "work", "value"), |_, person| json!(person.user_name)),
    (Place::Typed("emails", "home", "value"), |_, person| json!(person.home_mail)),
    (Place::Simple("displayName"), |_, person| json!(person.display_name())),
    (Place::Simple("title"), |_, person| json!(person.title)),
    (Place::Simple("locale"), |_, person| json!(person.office.language)),
    (Place::Simple("timezone"), |_, person| json!(person.office.timezone)),
    (Place::Simple("userType"), |_, _| json!("Employee")),
    (Place::Simple("externalId"), |_, person| json!(okta_id(person))),
    (Place::Typed("phoneNumbers", "work", "primary"), |_, _| json!(true)),
    (Place::Typed("phoneNumbers", "work", "value"), |_, person| json!(person.work_phone)),
    (Place::Typed("phoneNumbers", "mobile", "value"), |_, person| json!(person.mobile)),
    (Place::Typed("addresses", "work", "streetAddress"), |_, person| json!(person.office.street)),
    (Place::Typed("addresses", "work", "locality"), |_, person| json!(person.office.locality)),
    (Place::Typed("addresses", "work", "region"), |_, person| json!(person.office.region)),
    (Place::Typed("addresses", "work", "postalCode"), |_, person| json!(person.office.postal_code)),
    (Place::Typed("addresses", "work", "country"), |_, person| json!(person.office.country)),
    (Place::Enterprise("employeeNumber"), |_, person| json!(person.employee_number)),
    (Place::Enterprise("costCenter"), |_, person| json!(person.cost_center)),
    (Place::Enterprise("department"), |_, person| json!(person.department)),
    // What a profile calls `managerId` is whatever the directory behind Okta has: here a login.
    (Place::EnterprisePart("manager", "value"), |directory, person| {
        json!(person.manager.map(|manager| &directory.person(manager).user_name))
    }),
];

/// What Okta's profile of somebody has.
pub(super) fn values(directory: &Directory, person: &Person) -> Values {
    MAPPING.iter().map(|(place, of)| (*place, of(directory, person))).collect()
}

/// The identifier of somebody in Okta: 20 characters after `00u`.
pub(super) fn okta_id(person: &Person) -> String {
    format!("00u{}", &person.object.simple().to_string()[..17])
}
