//! Which passwords are good enough (rule R64; domain model, section 2.13; NIST SP 800-63B).

use std::collections::HashSet;
use std::sync::LazyLock;

use scim_protocol::fold::fold;
use unicode_normalization::UnicodeNormalization;

use crate::policy::PasswordPolicy;
use crate::refusal::{Code, Refusal};

/// The longest password, in characters.
pub const MAX_LENGTH: usize = 400;

/// The passwords that are tried first by whoever tries: one in each line, folded.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

/// A part of a name that is shorter may be in any password.
const SHORTEST_NAME: usize = 4;

/// A password in the form in which it is hashed: whatever keyboard it comes from, it is the same
/// (RFC 8265 section 4, `OpaqueString`).
pub fn prepare(password: &str) -> String {
    password.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).nfc().collect()
}

/// Checks a prepared password of an account that has these names.
///
/// # Errors
/// [`Code::WeakPassword`], which says what is missing and not what was given.
pub fn check(policy: &PasswordPolicy, password: &str, names: &[&str]) -> Result<(), Refusal> {
    let weak = |detail: String| Err(Refusal::rule(Code::WeakPassword, detail));
    let length = password.chars().count();
    if i64::try_from(length).is_ok_and(|length| length < policy.min_length) {
        return weak(format!("the password must have {} characters or more", policy.min_length));
    }
    if length > MAX_LENGTH {
        return weak(format!("the password must have {MAX_LENGTH} characters at most"));
    }
    if policy.composition
        && let Some(missing) = missing_kind(password)
    {
        return weak(format!("the password must have {missing}"));
    }
    let folded = fold(password);
    if COMMON.contains(folded.trim()) {
        return weak("the password is one of the most common ones".to_owned());
    }
    if names.iter().any(|name| has_name(&folded, name)) {
        return weak("the password must not have the person's name or address in it".to_owned());
    }
    Ok(())
}

/// The first kind of character that the domain model asks for and that a password does not have.
fn missing_kind(password: &str) -> Option<&'static str> {
    type Is = fn(char) -> bool;
    const KINDS: [(Is, &str); 4] = [
        (|c| c.is_numeric(), "a digit"),
        (|c| c.is_lowercase(), "a lower-case letter"),
        (|c| c.is_uppercase(), "an upper-case letter"),
        (|c| !c.is_alphanumeric(), "a character that is neither a letter nor a digit"),
    ];
    KINDS.iter().find(|(is, _)| !password.chars().any(is)).map(|(_, name)| *name)
}

/// Whether a password has a name in it, or the part of an address before the `@`.
fn has_name(folded: &str, name: &str) -> bool {
    let name = fold(name.trim());
    let local = name.split_once('@').map_or(name.as_str(), |(local, _)| local);
    local.chars().count() >= SHORTEST_NAME && folded.contains(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: PasswordPolicy = PasswordPolicy::USUAL;

    fn refused(policy: &PasswordPolicy, password: &str) -> Option<String> {
        let names = ["ada.lovelace@example.com", "Ada Lovelace", "al"];
        let refusal = check(policy, &prepare(password), &names).err()?;
        assert_eq!(refusal.code(), Some(Code::WeakPassword));
        Some(refusal.to_string())
    }

    #[test]
    fn r64_a_password_has_what_the_tenant_asks_for() {
        for (password, told) in [
            ("aB3!aB3", "8 characters or more"),
            (&"aB3!".repeat(101), "400 characters at most"),
            ("abcD!efgh", "a digit"),
            ("ABC3!EFGH", "a lower-case letter"),
            ("abc3!efgh", "an upper-case letter"),
            ("abcD3efgh", "neither a letter nor a digit"),
            ("P@ssw0rd", "most common"),
            ("Passw0rd!", "most common"),
            ("xAda.Lovelace3!", "name or address"),
        ] {
            let found = refused(&USUAL, password).unwrap_or_default();
            assert!(found.contains(told), "{password}: {found}");
            assert!(!found.contains(password), "{found}");
        }
        for password in ["aB3!aB3x", &"aB3!".repeat(100), "Zähl3 die Vögel", "al-Ändert 3"] {
            assert_eq!(refused(&USUAL, password), None, "{password}");
        }
        let plain = PasswordPolicy { composition: false, min_length: 12, ..USUAL };
        assert_eq!(refused(&plain, "correct horse"), None);
        assert!(refused(&plain, "password1234").is_some(), "common ones stay refused");
        assert!(refused(&plain, "aB3!aB3!aB3").is_some(), "too short");
    }

    #[test]
    fn r64_a_password_is_the_same_from_every_keyboard() {
        assert_eq!(prepare("Zu\u{308}rich\u{a0}7"), prepare("Z\u{fc}rich 7"));
        assert_ne!(prepare("abc"), prepare("ABC"));
        assert_ne!(prepare("\u{fb01}"), prepare("fi"), "nothing else is changed");
    }

    #[test]
    fn the_common_ones_are_as_they_are_compared() {
        assert!(COMMON.len() > 100);
        for one in COMMON.iter() {
            assert_eq!(*one, fold(one.trim()));
        }
    }
}
