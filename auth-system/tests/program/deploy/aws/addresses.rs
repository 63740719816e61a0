//! Passwords that spoil the address that they are part of, as those of base64 do.

use rstest::rstest;

use crate::support::Workplace;

#[rstest]
#[case::postgres("DB_PRIMARY_DB_URL", "postgresql://authadmin:", "@db.example.com:5432/authdb")]
#[case::replica("DB_REPLICA_DB_URL", "postgresql://authadmin:", "@db.example.com:5432/authdb")]
#[case::redis("REDIS_URL", "rediss://:", "@cache.example.com:6379/0")]
fn a_password_that_spoils_its_address_is_to_be_percent_encoded(
    #[case] variable: &str,
    #[case] before: &str,
    #[case] behind: &str,
) {
    // The second and the last leave an address that can be read, of a host that nobody meant.
    for password in ["pa/ss+word=", "12/secret+word=", "pa#ss", "pa?ss", "12?secret", "12#secret"] {
        let finished = Workplace::bare().set(variable, &format!("{before}{password}{behind}")).run(&[]);
        assert_eq!(finished.code, Some(1), "{password}: {finished:?}");
        for said in [variable, "percent-encode the password", "openssl rand -hex 32"] {
            assert!(finished.err.contains(said), "{password}: {said} is not in\n{}", finished.err);
        }
        assert!(!finished.err.contains(password), "{password} is repeated in\n{}", finished.err);
    }
}
