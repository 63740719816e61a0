//! Accounts with bcrypt hashes, brought from a CSV file into an empty database.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;
use auth_token::Algorithm;

use crate::deployment::{Deployment, Engine};
use crate::figure::{Figure, Goals};
use crate::samples::Samples;
use crate::site::Site;

const ACCOUNTS: u32 = 200_000;
const HASH: &str = "$2b$10$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy";

pub fn measure(site: &Site) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("people.csv");
    fs::write(&file, people()?)?;
    let import = ["users", "import", &file.display().to_string(), "--format", "csv"].map(str::to_owned);
    let mut figures = Vec::new();
    for (engine, name) in [(Engine::Sqlite, "SQLite"), (Engine::Postgres, "PostgreSQL")] {
        let rates = (0..site.rounds.min(3)).map(|_| {
            let deployment = Deployment::new(site, engine, Algorithm::Rs256)?;
            deployment.run(&["migrate".to_owned()])?;
            Ok(f64::from(ACCOUNTS) / deployment.run(&import)?.as_secs_f64())
        });
        figures.push(
            Figure::new(format!("import, {name}"), "accounts/s", rates.collect::<Result<Samples>>()?)
                .with(Goals::AtLeast(5_000.0, 20_000.0, 40_000.0)),
        );
    }
    Ok(figures)
}

/// Addresses in no order, as another system's ids leave them.
fn people() -> Result<String> {
    let mut file = String::from("email,username,display_name,password_hash,email_verified,locale,created_at\n");
    for number in 0..ACCOUNTS {
        let place = number.wrapping_mul(2_654_435_761);
        writeln!(file, "p{place:08x}@mail{}.example.com,user{place},Person {number},{HASH},true,ko,", place % 50)?;
    }
    Ok(file)
}
