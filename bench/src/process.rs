//! A process that we started, and what the kernel says of it.

use std::fs;
use std::process::Child;

use anyhow::{Context, Result};

/// The kernel counts a process's time in hundredths of a second, whatever its own tick (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// A process that ends with this value.
pub struct Running(Child);

impl Running {
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    /// Seconds on a processor so far, of all its threads.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th word after it.
        let words = stat.rsplit_once(") ").context("/proc/PID/stat has no name")?.1.split(' ');
        let ticks: f64 = words.skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// MiB in memory, where pages that others map too count in part (PSS).
    pub fn memory_mib(&self) -> Result<f64> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0.id()))?;
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib: f64 = pss.context("smaps_rollup has no Pss")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whatever fails here has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
