//! `dateTime` values (RFC 7643 section 2.3.5).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads an `xsd:dateTime`; one without a zone is taken as UTC. `None` if it is no date-time of
/// the years 1 to 9999, which every database can hold.
pub fn parse(text: &str) -> Option<Timestamp> {
    if text.starts_with(['-', '+']) || text.starts_with("0000") {
        return None;
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let local: DateTime = text.contains(['T', 't']).then(|| text.parse().ok())??;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Microseconds since 1970, the resolution in which instants are kept and compared.
pub fn micros(instant: Timestamp) -> i64 {
    instant.as_microsecond()
}

/// As it stands in a resource: `2026-11-22T08:30:00.123456Z`, without a fraction that is zero.
pub fn format(instant: Timestamp) -> String {
    instant.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_fractions_are_one_instant() {
        let utc = parse("2015-10-10T21:38:21.8617979Z");
        assert!(utc.is_some());
        assert_eq!(parse("2015-10-10T14:38:21.8617979-07:00"), utc);
        assert_eq!(parse("2015-10-10T21:38:21.8617979"), utc);
    }

    #[test]
    fn dates_alone_and_nonsense_are_refused() {
        for text in [
            "2015-10-10",
            "yesterday",
            "",
            "2015-13-10T00:00:00Z",
            "-005000-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
