use accounts::connections::Switches;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use scim_protocol::cursor::Key;
use scim_protocol::dialect::Dialect;
use scim_protocol::error::ScimType;
use scim_protocol::schema::ResourceType;
use uuid::Uuid;

use super::*;

const CALLER: Caller = Caller {
    tenant: Uuid::from_u128(1),
    connection: Uuid::from_u128(2),
    rights: accounts::Rights::ALL,
    genesys: false,
    switches: Switches::NONE,
    person: None,
    dialect: Dialect::Standard,
    now: Timestamp::UNIX_EPOCH,
};

fn key() -> CursorKey {
    CursorKey(SealingKey([7; 32]))
}

fn asked() -> Asked {
    Asked::of("/Users", &Parameters::default(), 10)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn cursor(key: Option<Key>) -> Cursor {
    let mark = Mark::of(ResourceType::group(), Uuid::from_u128(9), key);
    Cursor { issued: 1_000_000, asked: asked(), total: 77, mark }
}

#[test]
fn rfc9865_2_what_is_sealed_is_opened() {
    for sorted_by in [
        None,
        Some(Key::Text(String::new())),
        Some(Key::Text("straße".to_owned())),
        Some(Key::Text("é".repeat(512))),
        Some(Key::Boolean(true)),
        Some(Key::Boolean(false)),
        Some(Key::Integer(i64::MIN)),
        Some(Key::Decimal(0.1)),
    ] {
        let cursor = cursor(sorted_by.clone());
        let text = key().seal(&CALLER, &cursor).unwrap();
        assert!(text.len() <= MAX_TEXT, "{}", text.len());
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        assert!(text.bytes().all(unreserved), "{text}");
        let opened = key().open(&CALLER, &text, &asked(), at(1_000_001)).unwrap();
        assert_eq!(opened, cursor);
        assert_eq!(opened.mark.position().unwrap().key, sorted_by);
    }
}

#[test]
fn rfc9865_2_a_key_that_is_too_long_for_a_url_is_not_in_it() {
    let cursor = |text: String| cursor(Some(Key::Text(text)));
    let long = cursor("x".repeat(60_000));
    let text = key().seal(&CALLER, &long).unwrap();
    assert!(text.len() < 256, "{}", text.len());
    let opened = key().open(&CALLER, &text, &asked(), at(1_000_000)).unwrap();
    assert_eq!((opened.mark.position(), &opened.mark), (None, &long.mark));
    assert_ne!(opened.mark, cursor("x".repeat(60_001)).mark, "it is told from others");
}

#[test]
fn rfc9865_5_2_a_cursor_tells_nothing_and_no_two_are_alike() {
    let cursor = cursor(Some(Key::Text("grace.hopper@example.com".to_owned())));
    let texts = [(); 2].map(|()| key().seal(&CALLER, &cursor).unwrap());
    assert_ne!(texts[0], texts[1]);
    for text in texts {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        assert!(!bytes.windows(5).any(|window| window == b"grace"));
    }
}

#[track_caller]
fn assert_refused(text: &str, caller: &Caller, of: &CursorKey, expected: ScimType) -> Error {
    let error = of.open(caller, text, &asked(), at(1_000_000)).unwrap_err();
    assert_eq!(error.scim_type, expected, "{text}");
    error
}

#[test]
fn rfc9865_5_2_what_this_caller_was_not_given_is_invalid_in_the_same_words() {
    let text = key().seal(&CALLER, &cursor(None)).unwrap();
    let invalid =
        |text: &str, caller: &Caller| assert_refused(text, caller, &key(), ScimType::InvalidCursor);
    let garbage = invalid("garbage", &CALLER);
    let tenant = Caller { tenant: Uuid::from_u128(3), ..CALLER };
    let connection = Caller { connection: Uuid::from_u128(3), ..CALLER };
    assert_eq!(invalid(&text, &tenant), garbage);
    assert_eq!(invalid(&text, &connection), garbage);
    assert_eq!(
        assert_refused(&text, &CALLER, &CursorKey(SealingKey([8; 32])), ScimType::InvalidCursor),
        garbage
    );
    let long = "A".repeat(1 << 20);
    for text in [".", "é", "A", "AAAA", "====", &"A".repeat(38), &long, &format!("{text}A")] {
        assert_eq!(invalid(text, &CALLER), garbage);
    }
}

#[test]
fn rfc9865_5_2_a_cursor_that_was_changed_anywhere_is_invalid() {
    let text = key().seal(&CALLER, &cursor(Some(Key::Text("ada".to_owned())))).unwrap();
    for at in 0..text.len() {
        for other in ['A', 'B', 'Q', '_', '=', '+'] {
            let mut changed = text.clone().into_bytes();
            if changed[at] == other as u8 {
                continue;
            }
            changed[at] = other as u8;
            let changed = String::from_utf8(changed).unwrap();
            assert_refused(&changed, &CALLER, &key(), ScimType::InvalidCursor);
        }
        assert_refused(&text[..at], &CALLER, &key(), ScimType::InvalidCursor);
    }
}

#[test]
fn rfc9865_4_a_cursor_expires() {
    let text = key().seal(&CALLER, &cursor(None)).unwrap();
    let open = |second: i64| {
        let opened = key().open(&CALLER, &text, &asked(), at(second));
        opened.map(drop).map_err(|error| error.scim_type)
    };
    let last = 1_000_000 + i64::from(CURSOR_TIMEOUT);
    assert_eq!(open(last), Ok(()));
    assert_eq!(open(last + 1), Err(ScimType::ExpiredCursor));
    assert_eq!(open(999_990), Ok(()), "the clock of another server may be behind");
}

#[test]
fn rfc9865_2_1_all_parameters_are_to_be_repeated() {
    let text = key().seal(&CALLER, &cursor(None)).unwrap();
    let refused = |asked: Asked| {
        let error = key().open(&CALLER, &text, &asked, at(1_000_000)).unwrap_err();
        error.scim_type
    };
    let mut filtered = Parameters::default();
    filtered.set("filter", "title pr".to_owned());
    assert_eq!(refused(Asked::of("/Users", &filtered, 10)), ScimType::InvalidCursor);
    let same = Parameters::default();
    assert_eq!(refused(Asked::of("/Groups", &same, 10)), ScimType::InvalidCursor);
    assert_eq!(refused(Asked::of("", &same, 10)), ScimType::InvalidCursor);
    assert_eq!(refused(Asked::of("/Users", &same, 11)), ScimType::InvalidCount);
}

#[test]
fn what_another_version_made_is_no_cursor() {
    let bytes = cursor(Some(Key::Integer(1))).to_bytes();
    assert_eq!(Cursor::from_bytes(&bytes), Some(cursor(Some(Key::Integer(1)))));
    for cut in 0..bytes.len() {
        assert_eq!(Cursor::from_bytes(&bytes[..cut]), None, "{cut}");
    }
    for (at, byte) in [(0, 2), (53, u8::MAX), (70, 6)] {
        let mut other = bytes.clone();
        other[at] = byte;
        assert_eq!(Cursor::from_bytes(&other), None, "{at}");
    }
}
