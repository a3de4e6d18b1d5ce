//! How two strings are compared when an attribute is not `caseExact`.

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

/// The key under which a string is compared without case: NFKC, full Unicode case folding, NFKC.
///
/// Two values of an attribute with `caseExact: false` are equal exactly if their keys are
/// (RFC 7643 section 2.2). Idempotent. Keys compare by code point.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let compatible: String = text.nfkc().collect();
    UniCase::unicode(compatible).to_folded_case().nfkc().collect()
}

/// Whether two strings have one key.
pub(crate) fn equal_folded(a: &str, b: &str) -> bool {
    // Nearly always the case, and without a copy of each text.
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    fold(a) == fold(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc7643_2_2_case_and_width_do_not_distinguish() {
        assert_eq!(fold("BJensen@Example.COM"), "bjensen@example.com");
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("ＡＢＣ"), "abc");
        assert_eq!(fold("É"), fold("e\u{301}"));
        assert_ne!(fold("resume"), fold("résumé"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC*") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
