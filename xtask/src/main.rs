//! Developer tasks: `cargo xtask test`, `check`, `bench` and `gen`.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod bench;
mod check;
mod dependencies;
mod generated;
mod licence;
mod limits;
mod needs;
mod packages;
mod process;
mod test;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer tasks of auth-system.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what the tests need and lacks, then runs all tests.
    Test {
        /// Only list what is missing, and fail if anything is.
        #[arg(long)]
        no_install: bool,
        /// Run only tests whose names contain one of these.
        filters: Vec<String>,
    },
    /// Checks everything about a commit that is not a test.
    Check,
    /// Measures the release build beside what limits it, and writes docs/performance.
    Bench {
        /// Few short rounds: to see that it works, not how fast. Nothing is written.
        #[arg(long)]
        quick: bool,
        /// Only this row, such as me or login; may be repeated. Nothing is written.
        #[arg(long)]
        only: Vec<String>,
        /// Only the gateway under load for so many minutes, and what becomes of its memory. Nothing is written.
        #[arg(long, value_name = "MINUTES")]
        soak: Option<u32>,
    },
    /// Writes the files that are made from the program.
    Gen {
        /// Only compare, and fail if a file is not up to date.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    std::env::set_current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))?;
    match task {
        Task::Test { no_install: true, .. } => test::only_list(),
        Task::Test { no_install: false, filters } => test::install_and_run(&filters),
        Task::Check => check::run_all(),
        Task::Bench { quick, only, soak } => bench::build_and_run(quick, &only, soak),
        Task::Gen { check: true } => generated::compare().map(|summary| println!("{summary}")),
        Task::Gen { check: false } => generated::write(),
    }
}
