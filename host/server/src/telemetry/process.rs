//! The process's own figures, as Linux tells them.

use prometheus::core::Collector;
use prometheus::{Counter, Gauge, IntGauge, Registry};
use std::time::{SystemTime, UNIX_EPOCH};

/// Linux reports processor time to user space in hundredths of a second on every architecture (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Names as every Prometheus client library gives them.
pub(super) struct Process {
    cpu: Counter,
    resident: IntGauge,
    threads: IntGauge,
    open_files: IntGauge,
}

impl Process {
    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let process = Self {
            cpu: Counter::new("process_cpu_seconds_total", "Processor time of this process, in seconds.")?,
            resident: IntGauge::new("process_resident_memory_bytes", "Resident memory of this process, in bytes.")?,
            threads: IntGauge::new("process_threads", "Threads of this process.")?,
            open_files: IntGauge::new("process_open_fds", "Open file descriptors of this process.")?,
        };
        let started =
            Gauge::new("process_start_time_seconds", "When this process started, in seconds since the epoch.")?;
        started.set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()));
        let collectors: [Box<dyn Collector>; 5] = [
            Box::new(process.cpu.clone()),
            Box::new(process.resident.clone()),
            Box::new(process.threads.clone()),
            Box::new(process.open_files.clone()),
            Box::new(started),
        ];
        collectors.into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(process)
    }

    /// Reads the figures anew. What cannot be read keeps its last value.
    pub(super) fn refresh(&self) {
        if let Some(seconds) = std::fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(cpu_seconds) {
            self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
        }
        if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
            if let Some(kibibytes) = status_number(&status, "VmRSS:") {
                self.resident.set(kibibytes.saturating_mul(1024));
            }
            if let Some(threads) = status_number(&status, "Threads:") {
                self.threads.set(threads);
            }
        }
        if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
            self.open_files.set(i64::try_from(entries.count()).unwrap_or(i64::MAX));
        }
    }
}

/// User and system time from `/proc/self/stat`. The command's name, in parentheses, may contain blanks and parentheses.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn status_number(status: &str, name: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_after_a_command_with_parentheses() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 100 1000 10";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7 S 1"), None);
        assert_eq!(cpu_seconds(""), None);
    }

    #[test]
    fn numbers_of_the_status_file_are_found_by_name() {
        let status = "Name:\tchm\nVmRSS:\t  12 kB\nThreads:\t4\n";
        assert_eq!(status_number(status, "VmRSS:"), Some(12));
        assert_eq!(status_number(status, "Threads:"), Some(4));
        assert_eq!(status_number(status, "VmSwap:"), None);
    }
}
