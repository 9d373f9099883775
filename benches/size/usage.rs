//! What this process has used so far, as Linux tells it.

use std::fs;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Of all threads, in user and in system, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// The most memory that was resident at any time.
    pub(crate) peak_bytes: u64,
}

impl Usage {
    pub(crate) fn now() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        // The program's name stands in parentheses and may hold blanks.
        let (_, numbers) = stat.rsplit_once(") ").unwrap();
        let ticks: u64 = numbers
            .split(' ')
            .skip(11)
            .take(2)
            .map(|number| number.parse::<u64>().unwrap())
            .sum();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kibibytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        Self {
            // A hundred a second on every architecture that Linux runs on.
            cpu: Duration::from_millis(ticks * 10),
            peak_bytes: kibibytes << 10,
        }
    }
}
