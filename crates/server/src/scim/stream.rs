//! Groups with many members, sent member after member: as one document they would take many times
//! the memory that they take as rows.

use std::vec::IntoIter;

use accounts::Member;
use accounts::groups::shown_member;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use futures_util::stream;
use scim_protocol::schema::{Attribute, ResourceType};
use serde_json::Value;

use super::render::add_address;
use crate::answer::{self, Rendered};
use crate::error::ApiError;

/// The members that are written at once.
const AT_ONCE: usize = 200;

/// The answer with a group that was rendered without its members, and with these.
///
/// # Errors
/// The group cannot be written, or groups have no members.
pub(super) fn group(
    found: Rendered,
    members: Vec<Member>,
    base: String,
) -> Result<HttpResponse, ApiError> {
    let attribute = ResourceType::group().attribute("members");
    let attribute = attribute.ok_or_else(|| ApiError::internal("groups have no members"))?;
    let mut answer = answer::of_resource(StatusCode::OK, &found);
    let text = found.body.map_err(|error| answer::unwritten(&error))?;
    let mut head = text.get().as_bytes().to_vec();
    // The members come last: in place of the brace that ends the group.
    head.pop();
    head.extend_from_slice(b",\"members\":[");
    let parts = Parts { head: Some(head), members: members.into_iter(), attribute, base };
    Ok(answer.streaming(stream::iter(parts)))
}

/// What is sent, piece by piece.
struct Parts {
    /// What comes before the members, and then whether something is still to come.
    head: Option<Vec<u8>>,
    members: IntoIter<Member>,
    attribute: &'static Attribute,
    base: String,
}

impl Iterator for Parts {
    type Item = Result<Bytes, serde_json::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut part = self.head.take()?;
        for member in self.members.by_ref().take(AT_ONCE) {
            if let Err(error) = write(&mut part, self.attribute, &member, &self.base) {
                return Some(Err(error));
            }
        }
        if self.members.len() == 0 {
            // The comma behind the last one gives way to the end.
            part.pop();
            part.extend_from_slice(b"]}");
        } else {
            self.head = Some(Vec::with_capacity(part.len()));
        }
        Some(Ok(part.into()))
    }
}

fn write(
    part: &mut Vec<u8>,
    attribute: &'static Attribute,
    member: &Member,
    base: &str,
) -> serde_json::Result<()> {
    let mut value = shown_member(member);
    if let (Value::Object(members), Some(reference)) = (&mut value, attribute.sub_attribute("$ref"))
    {
        add_address(attribute, reference, members, base);
    }
    serde_json::to_writer(&mut *part, &value)?;
    part.push(b',');
    Ok(())
}

#[cfg(test)]
mod tests {
    use accounts::MemberKind;
    use uuid::Uuid;

    use super::*;

    fn text(count: u128) -> String {
        let member = |number| Member {
            id: Uuid::from_u128(number),
            kind: MemberKind::User,
            display: (number > 1).then(|| "Ada".to_owned()),
        };
        let parts = Parts {
            head: Some(b"{\"members\":[".to_vec()),
            members: (1..=count).map(member).collect::<Vec<_>>().into_iter(),
            attribute: ResourceType::group().attribute("members").unwrap(),
            base: "https://x".to_owned(),
        };
        let parts: Vec<u8> = parts.flat_map(|part| part.unwrap().to_vec()).collect();
        String::from_utf8(parts).unwrap()
    }

    #[test]
    fn the_parts_are_one_document() {
        for count in [1, 199, 200, 201, 400] {
            let document: Value = serde_json::from_str(&text(count)).unwrap();
            let members = document["members"].as_array().unwrap();
            assert_eq!(members.len() as u128, count);
            let first = "00000000-0000-0000-0000-000000000001";
            assert_eq!(members[0]["value"], first);
            assert_eq!(members[0]["$ref"], format!("https://x/Users/{first}"));
        }
    }
}
