//! auth-system: the one program. Without a subcommand it starts every server.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks on these")]

mod cli;
mod commands;
mod settings;

use std::process::ExitCode;

use clap::Parser;

/// Memory goes back to the system after a burst, which musl's and glibc's own allocators are slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of a command line that cannot be read (sysexits `EX_USAGE`).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    // Before any thread: this changes the process's environment. Production takes its environment as it is given.
    settings::load_dotenv();
    // Both are set once, here; either would otherwise fail at its first use.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let command = match cli::Cli::try_parse() {
        Ok(cli) => cli.command.unwrap_or(cli::Command::Up),
        Err(usage) => return explain(&usage),
    };
    match commands::run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("auth-system: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn explain(usage: &clap::Error) -> ExitCode {
    // Nobody reads a closed terminal.
    drop(usage.print());
    if usage.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS }
}
