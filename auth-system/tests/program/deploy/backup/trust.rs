//! Whom PostgreSQL's programs trust: the same as the server's own connection, whatever lies at home.

use std::fs;

use test_peers::{Certified, Postgres};

use super::{backup, files, place, restore};
use crate::support::{Engine, Workplace};

/// A PostgreSQL with TLS, and the address of a database of it, less its parameters; and the certificate of its authority.
fn encrypted() -> (Postgres, String, String) {
    let postgres = Postgres::start().unwrap();
    let Certified { authority, certificate, key } = Certified::issue().unwrap();
    let ask = |sql: &str| postgres.psql(&postgres.url("postgres"), ["-c", sql]).unwrap();
    for (name, pem) in [("server.crt", certificate), ("server.key", key)] {
        ask(&format!(
            "COPY (SELECT unnest(string_to_array('{pem}', E'\\n'))) TO PROGRAM 'umask 077; cat >{name}; chmod 600 {name}'"
        ));
    }
    ask("ALTER SYSTEM SET ssl = on");
    ask("SELECT pg_reload_conf()");
    let url = postgres.create_database().unwrap().replace("127.0.0.1", "localhost");
    (postgres, url, authority)
}

/// That a backup can be made and brought back, and leaves no file of authorities behind.
fn assert_works(place: &Workplace) {
    let file = backup(place);
    let restored = restore(place, &file, &["--replace"]);
    assert_eq!((restored.code, restored.err.as_str()), (Some(0), ""), "{restored:?}");
    assert_eq!(fs::read_dir(place.path("tmp")).unwrap().count(), 0);
}

#[test]
fn the_programs_trust_whom_the_servers_own_connection_trusts() {
    let (_postgres, url, authority) = encrypted();
    let place = place(Engine::Postgres);
    for folder in ["tmp", "home", "home/.postgresql"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    fs::write(place.path("ca.pem"), authority).unwrap();
    // What libpq would believe, left to itself.
    fs::write(place.path("home/.postgresql/root.crt"), Certified::issue().unwrap().authority).unwrap();
    let place = place.clone().set("HOME", place.path("home").to_str().unwrap());
    let place = place.clone().set("TMPDIR", place.path("tmp").to_str().unwrap());
    let at = |parameters: &str| place.clone().set("DB_PRIMARY_DB_URL", &format!("{url}?{parameters}"));

    let verified = at("sslmode=verify-full");
    let refused = verified.run(&["backup", "--to", "backups"]);
    assert!(refused.code == Some(1) && files(&place).is_empty(), "{refused:?}");
    let configured = verified.set("SSL_CERT_FILE", "ca.pem");
    assert_eq!(configured.run(&["migrate"]).code, Some(0));
    assert_works(&configured);
    assert_works(&at("sslmode=verify-full&sslrootcert=ca.pem"));
    assert_works(&at("sslmode=require"));
    assert_works(&at("sslmode=prefer"));
}
