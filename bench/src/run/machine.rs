//! The machine on which something was measured.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// What of a machine decides how fast it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// The day of the run.
    pub day: String,
    /// The processor's name.
    pub processor: String,
    /// How many cores there are for this process.
    pub cores: usize,
    /// The memory.
    pub memory: String,
    /// The file system of the temporary folder, where the databases are.
    pub disk: String,
    /// The operating system's kernel.
    pub kernel: String,
    /// The version of PostgreSQL.
    pub postgres: String,
    /// The version of SQLite.
    pub sqlite: String,
    /// The version of the compiler.
    pub compiler: String,
}

impl Machine {
    /// Looks at the machine; what it does not tell is left out.
    pub fn look(programs: &Path) -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let folder = std::env::temp_dir();
        Self {
            day: today(),
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory: gibibytes(&field(&read("/proc/meminfo"), "MemTotal")),
            disk: printed("df", &["--output=fstype,size", "-h", &folder.to_string_lossy()]),
            kernel: printed("uname", &["-sr"]),
            postgres: printed(&programs.join("postgres").to_string_lossy(), &["--version"]),
            sqlite: rusqlite::version().to_owned(),
            compiler: printed("rustc", &["--version"]),
        }
    }
}

/// The value of the first line with a name, as in `name : value`.
fn field(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map(|rest| rest.trim_start_matches([':', '\t', ' ']).to_owned()).unwrap_or_default()
}

/// `24576 kB` for people.
fn gibibytes(text: &str) -> String {
    let kib: Option<f64> = text.split(' ').next().and_then(|number| number.parse().ok());
    kib.map(|kib| format!("{:.0} GiB", kib / 1024.0 / 1024.0)).unwrap_or_default()
}

/// The last line that a program prints.
fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    let line = text.lines().last().unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[allow(clippy::disallowed_methods, reason = "no rule depends on it")]
fn today() -> String {
    let days = UNIX_EPOCH.elapsed().unwrap_or_default().as_secs() / 86_400;
    let (year, month, day) = date(days);
    format!("{year}-{month:02}-{day:02}")
}

/// The date of a day since 1970, by Howard Hinnant's `civil_from_days`.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    (year + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(19_782), (2024, 2, 29));
        assert_eq!(date(20_779), (2026, 11, 22));
    }

    #[test]
    fn fields_are_read() {
        assert_eq!(field("a: 1\nmodel name\t: Fast\n", "model name"), "Fast");
        assert_eq!(gibibytes("25165824 kB"), "24 GiB");
    }
}
