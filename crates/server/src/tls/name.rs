//! The names of certificates as text (RFC 4514), as `openssl x509 -subject -nameopt RFC2253` prints them.

use openssl::x509::{X509NameEntryRef, X509NameRef};

/// The name, most special part first: `CN=okta,O=Example`.
pub(super) fn text(name: &X509NameRef) -> String {
    let mut parts: Vec<String> = name.entries().map(part).collect();
    parts.reverse();
    parts.join(",")
}

fn part(entry: &X509NameEntryRef) -> String {
    let object = entry.object();
    let kind = object.nid().short_name().map_or_else(|_| object.to_string(), ToOwned::to_owned);
    let value = entry.data().to_string().unwrap_or_default();
    format!("{kind}={}", escaped(&value))
}

/// Section 2.4.
fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(value.len());
    for (position, character) in value.chars().enumerate() {
        let is_special = ",+\"\\<>;".contains(character)
            || (position == 0 && (character == '#' || character == ' '))
            || (position == last && character == ' ');
        if is_special {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use openssl::x509::X509NameBuilder;

    use super::*;

    #[test]
    fn rfc4514_a_name_is_written_from_its_end_and_escaped() {
        let mut name = X509NameBuilder::new().unwrap();
        for (kind, value) in [("C", "DE"), ("O", "Müller, Söhne"), ("CN", " #okta ")] {
            name.append_entry_by_text(kind, value).unwrap();
        }
        let name = name.build();
        assert_eq!(text(&name), "CN=\\ #okta\\ ,O=Müller\\, Söhne,C=DE");
    }
}
