//! `cargo xtask bench`: our speed beside its limits, in interleaved rounds. Ratios are firm, absolute figures are not.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod bare;
mod deployment;
mod figure;
mod limits;
mod load;
mod peers;
mod picture;
mod process;
mod report;
mod rows;
mod samples;
mod site;
mod wire;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;

use rows::Row;
use site::Site;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the release build of auth-system beside what limits it.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// Few short rounds: to see that it works, not how fast.
    #[arg(long)]
    quick: bool,
    /// Only these rows; nothing is written then.
    #[arg(long)]
    only: Vec<Row>,
    /// Only the gateway under load for so many minutes, and what becomes of its memory.
    #[arg(long, value_name = "MINUTES", conflicts_with = "only", value_parser = clap::value_parser!(u32).range(1..))]
    soak: Option<u32>,
    /// Serve the bare answers that ours are compared with.
    #[arg(long, hide = true)]
    bare: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.bare {
        Some(address) => bare::serve(address),
        None => measure(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let site = Site::open(arguments.quick, arguments.soak)?;
    let chosen = if arguments.soak.is_some() { vec![Row::Soak] } else { arguments.only.clone() };
    let rows = if chosen.is_empty() { Row::usual() } else { chosen.clone() };
    let mut figures = Vec::new();
    for row in rows {
        eprintln!("measuring {row:?} …");
        figures.extend(row.measure(&site)?);
    }
    println!("{}", report::table(&figures));
    if !arguments.quick && chosen.is_empty() {
        report::write(&figures, &site)?;
    }
    Ok(())
}
