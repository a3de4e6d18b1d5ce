//! Throw-away clusters of `PostgreSQL`: each has a directory and a socket of its own, and goes when
//! its value does. One can be stopped, started and followed by a standby.

mod cluster;
mod machine;
mod programs;

pub use cluster::{Cluster, Stop};
pub use machine::{capture, is_root, name, succeeds};
pub use programs::{COMPLETE, complete, find_on_machine};
