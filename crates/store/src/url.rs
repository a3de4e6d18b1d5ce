//! Which database: `sqlite:PATH` or `postgres://…`.

use std::path::PathBuf;
use std::str::FromStr;

use crate::error::OpenError;

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A database of PostgreSQL, as libpq reads it.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            // `sqlite:///var/lib/x` and `sqlite:/var/lib/x` are the same file.
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.is_empty() && path != ":memory:" {
                return Ok(Self::Sqlite(PathBuf::from(path)));
            }
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(OpenError::Url(without_password(text)))
    }
}

/// For messages and logs.
impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

/// The URL without its user, password and parameters: what is between `://` and the last `@`, and
/// behind `?`. A password may hold either character: what is in doubt is left out.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.split(['?', '@']).next().unwrap_or_default().to_owned();
    };
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if parameters.contains('@') {
        return format!("{scheme}://...");
    }
    let place = place.rsplit_once('@').map_or(place, |(_, after)| after);
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_apart() {
        for (text, path) in [("sqlite:a.db", "a.db"), ("sqlite:///tmp/a.db", "/tmp/a.db")] {
            assert_eq!(text.parse::<DatabaseUrl>().unwrap(), DatabaseUrl::Sqlite(path.into()));
        }
        assert!("postgres://u@h/d".parse::<DatabaseUrl>().is_ok());
        for wrong in ["a.db", "sqlite:", "sqlite::memory:", "mysql://h/d", ""] {
            assert!(wrong.parse::<DatabaseUrl>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgres://u:secret@h/d",
            "postgres://u@h/d?password=secret&sslmode=require",
            "postgres://u:p@secret@h/d",
            "postgres://u:sec?secret@h/d",
            "postgres://u@h/d?password=a@secret",
            "mysql://u:secret@h/d",
        ] {
            let shown = match url.parse::<DatabaseUrl>() {
                Ok(url) => url.to_string(),
                Err(error) => error.to_string(),
            };
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
