//! What the validators write: random text at every attribute.

use serde_json::{Value, json};

use super::session::Session;
use crate::place::{ENTERPRISE, Place};

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Every single value that may be anything: what the web validator replaces and adds, and the
/// Logic App sets to nothing. Of the enterprise extension `division` is not one, for a service may
/// know its divisions, and `manager` has checks of its own.
pub(super) const PLACES: &[Place] = &[
    Place::Simple("displayName"),
    Place::Simple("title"),
    Place::Simple("preferredLanguage"),
    Place::Simple("nickName"),
    Place::Simple("profileUrl"),
    Place::Simple("userType"),
    Place::Simple("locale"),
    Place::Simple("timezone"),
    Place::Simple("externalId"),
    Place::Part("name", "givenName"),
    Place::Part("name", "familyName"),
    Place::Part("name", "formatted"),
    Place::Part("name", "middleName"),
    Place::Part("name", "honorificPrefix"),
    Place::Part("name", "honorificSuffix"),
    Place::Typed("emails", "work", "value"),
    Place::Typed("emails", "other", "value"),
    Place::Typed("phoneNumbers", "work", "value"),
    Place::Typed("phoneNumbers", "mobile", "value"),
    Place::Typed("phoneNumbers", "fax", "value"),
    Place::Typed("addresses", "work", "formatted"),
    Place::Typed("addresses", "work", "streetAddress"),
    Place::Typed("addresses", "work", "locality"),
    Place::Typed("addresses", "work", "region"),
    Place::Typed("addresses", "work", "postalCode"),
    Place::Typed("addresses", "work", "country"),
    Place::Enterprise("employeeNumber"),
    Place::Enterprise("department"),
    Place::Enterprise("costCenter"),
    Place::Enterprise("organization"),
];

impl Session {
    /// What is written to a place: text that no service can expect there.
    pub(super) fn text_for(&mut self, place: Place) -> String {
        match place {
            Place::Typed("emails", ..) => self.address(),
            Place::Typed(_, _, "country") => "Gibraltar".to_owned(),
            Place::Typed(_, _, "postalCode") => "dk0 2uz".to_owned(),
            Place::Simple("preferredLanguage") => "lu".to_owned(),
            _ => self.random(),
        }
    }

    /// One operation for each place, and what is to be there afterwards.
    pub(super) fn verbose(&mut self, op: &str) -> (Value, Vec<(Place, Value)>) {
        let wanted: Vec<(Place, Value)> =
            PLACES.iter().map(|place| (*place, json!(self.text_for(*place)))).collect();
        let one = |(place, value): &(Place, Value)| json!({"op": op, "path": place.to_string(), "value": value});
        (wanted.iter().map(one).collect(), wanted)
    }

    /// The body of the web validator's POST, with its oddities.
    pub(super) fn full_user(&mut self) -> Value {
        let (name, telephone) = (self.address(), "48-0812-5555");
        json!({
            "userName": name, "active": true, "externalId": self.nobody(),
            "displayName": self.random(), "title": self.random(), "nickName": self.random(),
            "profileUrl": self.random(), "locale": self.random(), "timezone": self.random(),
            "userType": self.random(), "preferredLanguage": "lu",
                        "name": {"givenName": self.random(), "familyName": self.random(),
                "formatted": self.random(), "middleName": self.random(),
                "honorificPrefix": self.random(), "honorificSuffix": self.random()},
            "emails": [{"type": "work", "value": name, "primary": true}],
            "phoneNumbers": [{"type": "work", "value": telephone, "primary": true},
                {"type": "mobile", "value": telephone}, {"type": "fax", "value": telephone}],
            "addresses": [{"type": "work", "formatted": self.random(),
                "streetAddress": "1 Main Street",
                "locality": self.random(), "region": self.random(), "postalCode": "dk0 2uz",
                "primary": true, "country": "Belize"}],
            ENTERPRISE: {"employeeNumber": self.random(), "department": self.random(),
                "costCenter": self.random(), "organization": self.random(),
                // Nobody is called that.
                "manager": {"value": self.random()}},
            "schemas": [USER, ENTERPRISE],
        })
    }

    /// A user with nothing but a name.
    pub(super) fn bare_user(&mut self) -> Value {
        json!({"userName": self.address(), "schemas": [USER]})
    }

    pub(super) fn bare_group(&mut self) -> Value {
        json!({"schemas": [GROUP], "displayName": self.random(), "externalId": self.nobody()})
    }
}
