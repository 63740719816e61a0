//! A process that we started, and what the kernel says of it.

use std::fs;
use std::process::Child;

use anyhow::{Context, Result};

/// The kernel counts a process's time in hundredths of a second, whatever its own tick (proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// A process that ends with this value.
pub struct Running(Child);

/// Reads off the kernel what a process and its children take: nginx serves from children.
#[derive(Clone, Copy)]
pub struct Meter {
    process: u32,
}

impl Running {
    pub fn new(child: Child) -> Self {
        Self(child)
    }

    pub fn meter(&self) -> Meter {
        Meter::of(self.0.id())
    }
}

impl Meter {
    pub fn of(process: u32) -> Self {
        Self { process }
    }

    /// Seconds on a processor so far, of all threads.
    pub fn cpu_seconds(self) -> Result<f64> {
        self.sum(cpu_seconds)
    }

    /// MiB in memory, where pages that others map too count in part (PSS).
    pub fn memory_mib(self) -> Result<f64> {
        self.sum(|process| memory_mib(process, "Pss:"))
    }

    /// MiB in memory, where pages that others map too count in full (RSS).
    pub fn resident_mib(self) -> Result<f64> {
        self.sum(|process| memory_mib(process, "Rss:"))
    }

    fn sum(self, of: impl Fn(u32) -> Result<f64>) -> Result<f64> {
        let parent = self.process;
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
        let children = children.split_whitespace().map(|child| of(child.parse()?));
        [of(parent)].into_iter().chain(children).sum()
    }
}

fn cpu_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th word after it.
    let words = stat.rsplit_once(") ").context("/proc/PID/stat has no name")?.1.split(' ');
    let ticks: f64 = words.skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS_PER_SECOND)
}

fn memory_mib(process: u32, kind: &str) -> Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let size = rollup.lines().find_map(|line| line.strip_prefix(kind));
    let kib: f64 =
        size.with_context(|| format!("smaps_rollup has no {kind}"))?.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}

impl Drop for Running {
    fn drop(&mut self) {
        // Whatever fails here has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn memory_of_children_counts() {
        // The child, a shell too, ends with its input.
        let script = "exec 3<&0; sh -c 'echo started; read -r _' <&3 & wait";
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        let (parent, _input) = (child.id(), child.stdin.take());
        let running = Running::new(child);
        let all = running.meter().memory_mib().unwrap();
        assert!(all > memory_mib(parent, "Pss:").unwrap(), "{all}");
    }
}
