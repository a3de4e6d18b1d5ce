//! What a cursor holds, as bytes: short ones, because they become part of a URL.

use openssl::sha::sha256;
use scim_protocol::cursor::{Key, Position};
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::Asked;

/// The first byte. What has another one was made by another version of the program.
const FORMAT: u8 = 1;

/// The longest text by which a page is found, in bytes: names, addresses and identifiers are
/// shorter. Of a longer one its digest is carried.
const MAX_KEY: usize = 1_024;

/// Where the page of a query ended, and what it was a page of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cursor {
    /// When it was made, in seconds since 1970.
    pub(crate) issued: i64,
    /// What was asked for.
    pub(crate) asked: Asked,
    /// How many resources the query had when its first page was read.
    pub(crate) total: u64,
    /// Where the page ended.
    pub(crate) mark: Mark,
}

/// The last resource of a page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    /// The name of its resource type.
    pub(crate) kind: &'static str,
    pub(crate) id: Uuid,
    key: Carried,
}

/// What the last resource of a page is sorted by.
#[derive(Debug, Clone, PartialEq)]
enum Carried {
    Nothing,
    Key(Key),
    Digest([u8; 32]),
}

impl Carried {
    fn of(key: Option<Key>) -> Self {
        match key {
            None => Self::Nothing,
            Some(Key::Text(text)) if text.len() > MAX_KEY => Self::Digest(sha256(text.as_bytes())),
            Some(key) => Self::Key(key),
        }
    }
}

impl Mark {
    /// The mark of a resource that is sorted by this.
    pub(crate) fn of(kind: &'static ResourceType, id: Uuid, key: Option<Key>) -> Self {
        Self { kind: kind.name, id, key: Carried::of(key) }
    }

    /// The position; none if its key was too long to be carried, so that it must be read again.
    pub(crate) fn position(&self) -> Option<Position> {
        let key = match &self.key {
            Carried::Nothing => None,
            Carried::Key(key) => Some(key.clone()),
            Carried::Digest(_) => return None,
        };
        Some(Position { id: self.id.to_string(), key })
    }
}

impl Cursor {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let kind = ResourceType::all().iter().position(|kind| kind.name == self.mark.kind);
        let mut bytes = vec![FORMAT];
        bytes.extend(self.issued.to_be_bytes());
        bytes.extend(self.asked.query);
        bytes.extend(self.asked.count.to_be_bytes());
        bytes.extend(self.total.to_be_bytes());
        bytes.push(kind.and_then(|kind| u8::try_from(kind).ok()).unwrap_or(u8::MAX));
        bytes.extend(self.mark.id.as_bytes());
        let (tag, key): (u8, &[u8]) = match &self.mark.key {
            Carried::Nothing => (0, &[]),
            Carried::Key(Key::Text(text)) => (1, text.as_bytes()),
            Carried::Key(Key::Boolean(truth)) => (2, &[u8::from(*truth)]),
            Carried::Key(Key::Integer(number)) => (3, &number.to_be_bytes()),
            Carried::Key(Key::Decimal(number)) => (4, &number.to_be_bytes()),
            Carried::Digest(digest) => (5, digest),
        };
        bytes.push(tag);
        bytes.extend(key);
        bytes
    }

    /// `None` if another version of the program made it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let [FORMAT] = take(&mut rest)? else { return None };
        let issued = i64::from_be_bytes(take(&mut rest)?);
        let query = take(&mut rest)?;
        let count = u32::from_be_bytes(take(&mut rest)?);
        let total = u64::from_be_bytes(take(&mut rest)?);
        let [kind] = take(&mut rest)?;
        let kind = ResourceType::all().get(usize::from(kind))?.name;
        let id = Uuid::from_bytes(take(&mut rest)?);
        let key = match take(&mut rest)? {
            [0] => Carried::Nothing,
            [1] => Carried::Key(Key::Text(std::str::from_utf8(rest).ok()?.to_owned())),
            [2] => Carried::Key(Key::Boolean(take(&mut rest)? == [1])),
            [3] => Carried::Key(Key::Integer(i64::from_be_bytes(take(&mut rest)?))),
            [4] => Carried::Key(Key::Decimal(f64::from_be_bytes(take(&mut rest)?))),
            [5] => Carried::Digest(take(&mut rest)?),
            _ => return None,
        };
        Some(Self { issued, asked: Asked { query, count }, total, mark: Mark { kind, id, key } })
    }
}

/// Takes the first bytes.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(*first)
}
