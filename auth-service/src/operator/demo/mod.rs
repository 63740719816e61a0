//! Demonstrations: a database full of believable people, for whoever wants to see the console at work.
//!
//! People, and what they did, come from a seed and their place in the order, one chunk after the other: the same seed has
//! the same people, and two million of them take no more memory than a thousand. Times lie before now. Only secrets are
//! random, and nobody is told them, but for the password of one administrator.
//!
//! Nobody real can be reached or enter: addresses, networks and telephone numbers are nobody's, subjects at providers are
//! such as no provider gives, and no mail is left for a sender to take.

mod belongings;
mod devices;
mod dice;
mod entries;
mod names;
mod people;
mod rhythm;
mod rows;
mod setting;
mod store;
mod traces;

use std::{collections::BTreeMap, time::Duration};

use service_kit::config::Environment;

use super::{Operator, OperatorError, administrator, administrator::Administrator, administrator::Made};
use crate::{
    audit::{self, Event},
    db::{Db, DbError, Engine, dialect},
    ids::Entropy,
    statistics::{self, Open},
};
use dice::Dice;
use entries::Office;
use people::Person;
use rows::Chunk;
use setting::{Amounts, Setting, Staff};

/// The address of a demonstration's administrator.
pub const DEMO_ADMINISTRATOR: &str = "admin@demo.example.com";
/// The most people of one demonstration.
pub const MOST_DEMO_USERS: u64 = 2_000_000;

/// People of one transaction: SQLite has one writer, and a server that runs meanwhile waits for it.
const CHUNK: u64 = 1_000;
/// Time between two transactions on SQLite, whose writers wait for each other by looking now and then.
const GAP: Duration = Duration::from_millis(20);
/// Numbers in addresses begin here or above where others may have the low ones.
const HIGH_NUMBERS: u64 = 1_000_000_000;

/// Beside whom a demonstration may be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Beside people of earlier demonstrations alone.
    Demonstrations,
    /// Beside anybody.
    Anybody,
}

/// A demonstration to be.
#[derive(Clone, Copy, Debug)]
pub struct Demonstration {
    /// How many people, 1 to [`MOST_DEMO_USERS`].
    pub users: u64,
    /// What their names, and all else but secrets, come from.
    pub seed: u64,
    /// Beside whom.
    pub beside: Beside,
}

/// What was done.
pub struct Filled {
    /// Rows that were added, by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// What became of [`DEMO_ADMINISTRATOR`].
    pub administrator: Made,
}

/// Fills the database with a demonstration, and tells `watch` after each transaction how many people there are.
///
/// # Errors
/// [`OperatorError::Production`], [`OperatorError::OthersThere`], and nothing is changed; when the database fails, what was
/// committed stays.
pub async fn fill_demo(
    operator: &Operator<'_>,
    wish: Demonstration,
    mut watch: impl FnMut(u64),
) -> Result<Filled, OperatorError> {
    if operator.config.environment == Environment::Production {
        return Err(OperatorError::Production);
    }
    if !(1..=MOST_DEMO_USERS).contains(&wish.users) {
        let reason = format!("1 to {MOST_DEMO_USERS}");
        return Err(OperatorError::Invalid { member: "users", reason });
    }
    if wish.beside == Beside::Demonstrations && store::has_others(operator.db).await? {
        return Err(OperatorError::OthersThere);
    }
    let setting = prepare(operator, wish).await?;
    let wish_for_one = Administrator { email: DEMO_ADMINISTRATOR.to_owned(), username: None, password: None };
    let administrator = administrator::create_administrator(operator, wish_for_one).await?;
    store::widen_cache(&mut operator.db.write().await?).await?;
    let rows = fill(operator.db, &setting, &mut watch).await?;
    record(operator, &setting).await?;
    let mut conn = operator.db.write().await?;
    conn.run_script(dialect::TAKE_STOCK_OF_ALL.on(operator.db.engine())).await?;
    Ok(Filled { rows, administrator })
}

async fn prepare(operator: &Operator<'_>, wish: Demonstration) -> Result<Setting, OperatorError> {
    let Demonstration { users, seed, beside } = wish;
    let now = operator.now();
    // Whoever knew the password would know that of everybody; it is gone with this line.
    let (password_hash, _) = administrator::hash(operator, None, &[]).await?;
    let mut tx = operator.db.begin().await?;
    let is_first = !store::has_ever_been(&mut tx, DEMO_ADMINISTRATOR).await?;
    let roles = store::make_roles(&mut tx, now).await?;
    tx.commit().await?;
    let (arrivals, logins, attack) = Setting::rhythms(now);
    Ok(Setting {
        now,
        seed,
        users,
        first_number: match beside {
            Beside::Demonstrations if is_first => 0,
            Beside::Demonstrations | Beside::Anybody => {
                HIGH_NUMBERS + u64::from_be_bytes(Entropy.bytes()) % (8 * HIGH_NUMBERS)
            }
        },
        idle: operator.config.sessions.idle,
        password_hash,
        roles,
        staff: Staff::of(users),
        arrivals,
        logins,
        amounts: Amounts::of(users),
        attack,
    })
}

async fn fill(db: &Db, setting: &Setting, watch: &mut impl FnMut(u64)) -> Result<BTreeMap<&'static str, u64>, DbError> {
    let (mut rows, mut office, mut open) = (BTreeMap::new(), Office::default(), Open::default());
    let mut done = 0;
    while done < setting.users {
        let until = (done + CHUNK).min(setting.users);
        let mut chunk = Chunk::default();
        for place in done..until {
            add_person(place, &mut chunk, (&mut office, &mut open), setting);
        }
        if until == setting.users {
            office.act(&mut chunk, setting, &mut Dice::new(setting.seed, u64::MAX));
        }
        let mut tx = db.begin().await?;
        chunk.store(&mut tx, &mut rows).await?;
        if until == setting.users {
            statistics::add_past(&mut tx, &open, setting.logins.begins(), setting.now).await?;
        }
        tx.commit().await?;
        done = until;
        watch(done);
        match db.engine() {
            Engine::Sqlite => tokio::time::sleep(GAP).await,
            Engine::Postgres => {}
        }
    }
    Ok(rows)
}

fn add_person(place: u64, chunk: &mut Chunk, (office, open): (&mut Office, &mut Open), setting: &Setting) {
    let mut dice = Dice::new(setting.seed, place);
    let mut person = Person::new(setting, place, &mut dice);
    traces::leave(&mut person, chunk, open, setting, &mut dice);
    office.meet(&person, chunk, setting, &mut dice);
    belongings::leave(&person, chunk, setting, &mut dice);
    person.add_to(chunk, setting, &mut dice);
}

/// Notes in the audit log what was done.
async fn record(operator: &Operator<'_>, setting: &Setting) -> Result<(), DbError> {
    let mut tx = operator.db.begin().await?;
    let entry = audit::Entry::by_system(Event::UsersImported, None).detail("by", "operator");
    let entry = entry.detail("format", "demonstration").detail("added", setting.users);
    entry.record(&mut tx, operator.now()).await?;
    tx.commit().await
}
