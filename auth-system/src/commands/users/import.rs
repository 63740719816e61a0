//! `auth-system users import`: shows how far it is, and what became of the records.

use std::{
    io::{IsTerminal, stderr},
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use auth_service::{
    db::Db,
    import::{self, Format, Mode, Options, Outcome, Seen, SignerKey},
};
use indicatif::{ProgressBar, ProgressStyle};
use service_kit::clock::Clock;

use crate::cli::Import;

/// Exit code of an import that refused records.
const SOME_REFUSED: u8 = 2;
/// Time between two lines where no terminal shows a bar.
const LINES: Duration = Duration::from_secs(5);

/// Imports, and prints a summary.
///
/// # Errors
/// When the import could not go on; what it had stored stays.
pub async fn run(db: &Db, options: Import) -> anyhow::Result<ExitCode> {
    let mode = match (options.dry_run, options.resume) {
        (true, _) => Mode::DryRun,
        (false, true) => Mode::Resume,
        (false, false) => Mode::Add,
    };
    let firebase = signer_key(&options)?;
    let Import { file: path, format, report, .. } = options;
    let mut display = Display::new();
    let began = Instant::now();
    let import = Options { path, format, mode, report, firebase };
    let outcome = import::run(db, &Clock::System, import, |seen| display.show(seen)).await;
    display.clear();
    let outcome = outcome?;
    print_summary(&outcome, mode, began.elapsed());
    if let Some(damage) = outcome.damage {
        return Err(anyhow!("{damage}; what stands before it is done"));
    }
    Ok(if outcome.seen.refused > 0 { ExitCode::from(SOME_REFUSED) } else { ExitCode::SUCCESS })
}

fn signer_key(options: &Import) -> anyhow::Result<Option<SignerKey>> {
    let Some(key) = &options.firebase_signer_key else { return Ok(None) };
    if options.format != Format::Firebase {
        return Err(anyhow!("--firebase-signer-key is for --format firebase alone"));
    }
    let Import { firebase_salt_separator: separator, firebase_rounds, firebase_mem_cost, .. } = options;
    let key = SignerKey::parse(key, separator, *firebase_rounds, *firebase_mem_cost);
    key.map(Some).map_err(|fault| anyhow!("Firebase's hash parameters: {fault}"))
}

fn print_summary(outcome: &Outcome, mode: Mode, took: Duration) {
    let Outcome { seen, resumed_after, reasons, is_unfinished, .. } = outcome;
    let added = match mode {
        Mode::DryRun => "would be added",
        Mode::Add | Mode::Resume => "added",
    };
    println!("{} records: {} {added}, {} refused", seen.records, seen.added, seen.refused);
    for (code, count) in reasons {
        println!("  {count:>10}  {code}");
    }
    if seen.without_password > 0 {
        println!("{} of them have no password: they set one by a reset mail", seen.without_password);
    }
    if *resumed_after > 0 {
        println!("{resumed_after} records were done by an earlier run");
    }
    if *is_unfinished {
        println!("note: the last line has no line end; the file may have been cut short");
    }
    if mode == Mode::DryRun {
        println!("nothing was changed");
    }
    let rate = (seen.records - resumed_after) as f64 / took.as_secs_f64().max(0.001);
    println!("{:.1} s, {rate:.0} records a second", took.as_secs_f64());
}

/// A bar on a terminal, and otherwise a line now and then.
enum Display {
    Bar(ProgressBar),
    Lines(Instant),
}

impl Display {
    fn new() -> Self {
        if !stderr().is_terminal() {
            return Self::Lines(Instant::now());
        }
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta} left");
        Self::Bar(ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    fn show(&mut self, seen: &Seen) {
        let text = format!("{} added, {} refused", seen.added, seen.refused);
        match self {
            Self::Bar(bar) => {
                bar.set_length(seen.size);
                bar.set_position(seen.bytes);
                bar.set_message(text);
            }
            Self::Lines(last) if last.elapsed() >= LINES => {
                *last = Instant::now();
                eprintln!("{} % read: {text}", seen.bytes * 100 / seen.size.max(1));
            }
            Self::Lines(_) => {}
        }
    }

    fn clear(&self) {
        match self {
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines(_) => {}
        }
    }
}
