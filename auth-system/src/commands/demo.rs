//! `auth-system demo`: fills the database with people who are nobody, for whoever wants to see the console at work.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use auth_service::operator::{self, Beside, DEMO_ADMINISTRATOR, Demonstration, Filled, Made, Operator};
use service_kit::clock::Clock;

use super::{block_on, users};
use crate::{cli::Demo, settings::Settings};

/// Time between two lines that say how far it is.
const LINES: Duration = Duration::from_secs(5);

/// Fills, and prints what was done and who may look at it.
///
/// # Errors
/// In production; where others are in the database, unless they may be; when the database fails.
pub fn run(options: &Demo) -> anyhow::Result<ExitCode> {
    let service = Settings::load()?.service;
    let beside = if options.append { Beside::Anybody } else { Beside::Demonstrations };
    let wish = Demonstration { users: options.users, seed: options.seed, beside };
    block_on(async {
        let db = users::open(&service).await?;
        let operator = Operator { db: &db, config: &service, clock: &Clock::System };
        let (began, mut last) = (Instant::now(), Instant::now());
        let filled = operator::fill_demo(&operator, wish, |done| {
            if last.elapsed() >= LINES {
                last = Instant::now();
                eprintln!("{done} of {} people", options.users);
            }
        });
        print_summary(&filled.await?, began.elapsed());
        Ok(ExitCode::SUCCESS)
    })?
}

fn print_summary(Filled { rows, administrator }: &Filled, took: Duration) {
    for (table, count) in rows {
        println!("{count:>10}  {table}");
    }
    println!("{} rows in {:.1} s", rows.values().sum::<u64>(), took.as_secs_f64());
    match administrator {
        Made::Created(Some(password)) | Made::TakenOver(Some(password)) => {
            println!("log in as {DEMO_ADMINISTRATOR} with this password, which is shown only now:\n\n  {password}\n");
        }
        Made::Created(None) | Made::TakenOver(None) | Made::Promoted { .. } | Made::Unchanged => {
            println!("{DEMO_ADMINISTRATOR} was there already, with the password that was shown then");
        }
    }
    println!("nobody else can log in: nobody knows the password of any of them");
}
