//! Figures of this process, named as in Prometheus client libraries.

use std::fmt::Write as _;

/// Figures of this process; unknown ones are omitted.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Figures {
    /// CPU time used, in seconds.
    pub cpu_seconds: Option<f64>,
    /// Resident memory, in bytes.
    pub resident_bytes: Option<u64>,
    /// Virtual memory, in bytes.
    pub virtual_bytes: Option<u64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
    /// Maximum number of open file descriptors.
    pub max_fds: Option<u64>,
    /// When the process started, in Unix seconds.
    pub started: Option<f64>,
}

impl Figures {
    /// Appends them as Prometheus text.
    pub(super) fn write(&self, text: &mut String) {
        let whole = |value: Option<u64>| value.map(|value| value as f64);
        for (name, kind, help, value) in [
            ("cpu_seconds_total", "counter", "User and system CPU time spent in seconds.", self.cpu_seconds),
            ("resident_memory_bytes", "gauge", "Resident memory size in bytes.", whole(self.resident_bytes)),
            ("virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", whole(self.virtual_bytes)),
            ("open_fds", "gauge", "Number of open file descriptors.", whole(self.open_fds)),
            ("max_fds", "gauge", "Maximum number of open file descriptors.", whole(self.max_fds)),
            ("start_time_seconds", "gauge", "Start time of the process in Unix seconds.", self.started),
        ] {
            if let Some(value) = value {
                // Writing to a `String` cannot fail.
                let _ = writeln!(
                    text,
                    "# HELP process_{name} {help}\n# TYPE process_{name} {kind}\nprocess_{name} {value}"
                );
            }
        }
    }
}

/// The current figures. Counting file descriptors is slow if there are thousands.
pub(super) async fn figures() -> Figures {
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

/// Maximum number of open file descriptors of this process.
pub(super) fn max_files() -> Option<u64> {
    #[cfg(unix)]
    return rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    None
}

#[cfg(target_os = "linux")]
fn look() -> Figures {
    let page = rustix::param::page_size() as u64;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let mut pages = statm.split(' ').map_while(|word| word.parse::<u64>().ok()).map(|count| count * page);
    let (virtual_bytes, resident_bytes) = (pages.next(), pages.next());
    Figures {
        cpu_seconds: Some(cpu_seconds()),
        resident_bytes,
        virtual_bytes,
        // Minus the descriptor of the directory that is being read.
        open_fds: std::fs::read_dir("/proc/self/fd").ok().map(|all| (all.count() as u64).saturating_sub(1)),
        max_fds: max_files(),
        started: started(),
    }
}

/// From the time since boot (proc_pid_stat(5), field 22), which is available even where the rest of `/proc` is hidden
/// from a service.
#[cfg(target_os = "linux")]
fn started() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name, in parentheses, may contain spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields.split_whitespace().nth(19)?.parse().ok()?;
    let after_boot_s = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    let now = crate::clock::now();
    Some(now.wall_ms.0 as f64 / 1e3 - (now.boot_ms.0 as f64 / 1e3 - after_boot_s))
}

#[cfg(unix)]
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(not(target_os = "linux"))]
fn look() -> Figures {
    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
    let pid = Pid::from_u32(std::process::id());
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
    let process = system.process(pid);
    Figures {
        #[cfg(unix)]
        cpu_seconds: Some(cpu_seconds()),
        resident_bytes: process.map(|process| process.memory()),
        virtual_bytes: process.map(|process| process.virtual_memory()),
        started: process.map(|process| process.start_time() as f64),
        max_fds: max_files(),
        ..Figures::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn figures_of_this_process_are_plausible() {
        let figures = look();
        assert!(figures.resident_bytes.unwrap() > 1_000_000);
        assert!(figures.virtual_bytes >= figures.resident_bytes);
        assert!(figures.open_fds.unwrap() >= 3 && figures.max_fds.unwrap() >= figures.open_fds.unwrap());
        let now = crate::clock::now().wall_ms.0 as f64 / 1e3;
        let age = now - figures.started.unwrap();
        assert!((-1.0..3600.0).contains(&age), "started {age} s ago");
    }
}
