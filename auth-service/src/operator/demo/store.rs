//! SQL of a demonstration: who is in the database already, and the roles that it gives.

use uuid::Uuid;

use super::setting::Roles;
use crate::{
    db::{Conn, Db, DbError, Engine, Ts, run},
    ids::Entropy,
};

/// Accounts of one statement: it must end in time, however many there are.
const PAGE: i64 = 20_000;

/// Lets SQLite keep 256 MiB of its file in memory: rows of a month come in the order of people, not of time, so its
/// indexes grow at all ends.
const WIDEN_CACHE: &str = "PRAGMA cache_size = -262144";

/// Readies the connection that a demonstration writes by.
pub(super) async fn widen_cache(conn: &mut Conn) -> Result<(), DbError> {
    match conn.engine() {
        Engine::Sqlite => conn.run_script(WIDEN_CACHE).await,
        // Its memory is the server's affair.
        Engine::Postgres => Ok(()),
    }
}

const FIND_PAGE_END: &str = "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";
const COUNT_OTHERS: &str = "
    SELECT COUNT(*) FROM users
    WHERE id > $1 AND id <= $2
        AND NOT (COALESCE(email, '') LIKE '%.example' OR COALESCE(email, '') LIKE '%@example.com'
            OR COALESCE(email, '') LIKE '%.example.com' OR COALESCE(email, '') LIKE '%@example.net'
            OR COALESCE(email, '') LIKE '%@example.org'
            OR email IS NULL AND EXISTS (
                SELECT 1 FROM oauth_accounts WHERE user_id = users.id AND subject LIKE 'demo-%'))";

/// Whether there is anybody, deleted or not, who is no person of a demonstration: such have an address that is nobody's
/// (RFC 2606), or none and a subject at a provider that no provider gives.
pub(super) async fn has_others(db: &Db) -> Result<bool, DbError> {
    let mut conn = db.read().await?;
    let mut after = Uuid::nil();
    loop {
        let end: Option<(Uuid,)> = run!(&mut conn, fetch_optional, FIND_PAGE_END, after, PAGE - 1)?;
        let until = end.map_or(Uuid::max(), |(id,)| id);
        let (others,): (i64,) = run!(&mut conn, fetch_one, COUNT_OTHERS, after, until)?;
        if others > 0 || end.is_none() {
            return Ok(others > 0);
        }
        after = until;
    }
}

const COUNT_OF: &str = "SELECT COUNT(*) FROM users WHERE email = $1";

/// Whether somebody has or had this address.
pub(super) async fn has_ever_been(conn: &mut Conn, email: &str) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_OF, email)?;
    Ok(count > 0)
}

const INSERT_ROLE: &str = "
    INSERT INTO roles (id, name, description, is_system, created_at) VALUES ($1, $2, $3, FALSE, $4)
    ON CONFLICT (name) DO NOTHING";
const PERMIT: &str = "
    INSERT INTO role_permissions (role_id, permission_id) SELECT $1, id FROM permissions WHERE name = $2
    ON CONFLICT DO NOTHING";
const FIND_ROLE: &str = "SELECT id FROM roles WHERE name = $1";

/// The roles that a demonstration gives. Those that are missing are made; one that exists stays as it is.
pub(super) async fn make_roles(conn: &mut Conn, now: Ts) -> Result<Roles, DbError> {
    let support = make_role(conn, ("support", "고객 지원: looks people up"), &["users:read"], now).await?;
    let audit = ["audit:read", "roles:read", "users:read"];
    let auditor = make_role(conn, ("auditor", "Reads the audit log, and changes nothing"), &audit, now).await?;
    let tester = make_role(conn, ("beta-tester", "Sees what is new before others do"), &[], now).await?;
    let (user, manager) = (find_role(conn, "user").await?, find_role(conn, "manager").await?);
    Ok(Roles { user, manager, support, auditor, tester })
}

async fn make_role(
    conn: &mut Conn,
    (name, description): (&str, &str),
    permissions: &[&str],
    now: Ts,
) -> Result<Uuid, DbError> {
    let id = Entropy.uuid(now);
    if run!(&mut *conn, execute, INSERT_ROLE, id, name, description, now)? == 0 {
        return find_role(conn, name).await;
    }
    for permission in permissions {
        run!(&mut *conn, execute, PERMIT, id, *permission)?;
    }
    Ok(id)
}

async fn find_role(conn: &mut Conn, name: &str) -> Result<Uuid, DbError> {
    let (id,): (Uuid,) = run!(conn, fetch_one, FIND_ROLE, name)?;
    Ok(id)
}
