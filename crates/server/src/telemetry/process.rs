//! What the process takes of the machine, by the names that Prometheus has for it. On systems other
//! than Linux there is only when it started.

use std::fmt;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::states::gauge;

/// The process.
#[derive(Debug)]
pub(super) struct Process {
    /// When it started.
    pub(super) started: Timestamp,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let started = self.started.as_second();
        gauge(&mut encoder, "process_start_time_seconds", "When the process started", &started)?;
        #[cfg(target_os = "linux")]
        linux::encode(&mut encoder)?;
        Ok(())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fmt;

    use procfs::process::Process;
    use prometheus_client::encoding::DescriptorEncoder;

    use super::super::states::{counter, gauge};

    /// What cannot be read is left out.
    pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Ok(process) = Process::myself() else { return Ok(()) };
        if let Ok(stat) = process.stat() {
            #[allow(clippy::cast_precision_loss, reason = "centuries are left")]
            let seconds = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
            let cpu = "Processor time that the process took";
            counter(encoder, "process_cpu_seconds", cpu, &seconds)?;
            let resident = signed(stat.rss * procfs::page_size());
            gauge(encoder, "process_resident_memory_bytes", "Memory in use", &resident)?;
            gauge(encoder, "process_virtual_memory_bytes", "Address space", &signed(stat.vsize))?;
            gauge(encoder, "process_threads", "Threads", &stat.num_threads)?;
        }
        if let Ok(count) = process.fd_count() {
            gauge(
                encoder,
                "process_open_fds",
                "Open files and connections",
                &signed(count as u64),
            )?;
        }
        if let Some(limit) = file_limit(&process) {
            let help = "Open files and connections that the process may have";
            gauge(encoder, "process_max_fds", help, &signed(limit))?;
        }
        Ok(())
    }

    fn file_limit(process: &Process) -> Option<u64> {
        match process.limits().ok()?.max_open_files.soft_limit {
            procfs::process::LimitValue::Value(limit) => Some(limit),
            procfs::process::LimitValue::Unlimited => None,
        }
    }

    fn signed(number: u64) -> i64 {
        i64::try_from(number).unwrap_or(i64::MAX)
    }
}
