//! Nothing that was acknowledged is lost, and nothing is there by half, whatever ends meanwhile: the
//! server, the database, the disk.
//!
//! [`load`] writes and knows what it was promised, [`whole`] compares that with what is there. The
//! tests break something in between. They are short; `cargo xtask endure` runs them for longer, by
//! [`rounds`].

mod backups;
mod damaged;
mod database_away;
#[cfg(target_os = "linux")]
mod disk_full;
mod doctored;
mod killed;
mod load;
mod whole;

/// How often a test breaks something: a few times, or as often as `cargo xtask endure` says.
fn rounds(few: u64) -> u64 {
    let wanted = std::env::var("HEADCOUNT_TEST_ROUNDS").ok();
    wanted.map_or(few, |rounds| rounds.parse().expect("HEADCOUNT_TEST_ROUNDS is a number"))
}
