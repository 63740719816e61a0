//! Files good and bad, and which certificate is served to whom.

use std::fs;

use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::*;

/// Writes a certificate for these names and its key.
fn issue(folder: &TempDir, file: &str, names: &[&str]) -> CertificateFiles {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    if file == "expired" {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let files = CertificateFiles {
        chain: folder.path().join(format!("{file}.pem")),
        key: folder.path().join(format!("{file}.key")),
    };
    fs::write(&files.chain, params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}

/// The names on the certificate that is served to `name`.
fn served(certificates: &Certificates, name: &str) -> String {
    let name = Some(name).filter(|name| !name.is_empty());
    certificates.0.table.load().find(name).map(|key| names(&key).join(" ")).unwrap_or_default()
}

#[test]
fn the_name_decides_then_the_wildcard_then_the_order() {
    let folder = TempDir::new().unwrap();
    let files = [("1", &["first.com"][..]), ("2", &["*.a.com", "a.com"]), ("3", &["x.a.com", "first.com"])];
    let files = files.map(|(file, names)| issue(&folder, file, names));
    let certificates = Certificates::load(&files).unwrap();
    for (name, expected) in [
        ("first.com", "first.com"),
        ("a.com", "*.a.com a.com"),
        ("y.a.com", "*.a.com a.com"),
        ("X.A.com", "x.a.com first.com"),
        ("z.y.a.com", "first.com"),
        ("unknown.com", "first.com"),
        ("com", "first.com"),
        ("", "first.com"),
    ] {
        assert_eq!(served(&certificates, name), expected, "{name}");
    }
}

#[test]
fn what_is_wrong_names_the_file_and_what_to_do() {
    let folder = TempDir::new().unwrap();
    let (good, other) = (issue(&folder, "good", &["a.com"]), issue(&folder, "other", &["b.com"]));
    let garbage = folder.path().join("garbage.pem");
    fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nno base64!\n-----END CERTIFICATE-----\n").unwrap();
    let missing = folder.path().join("missing.pem");
    for (chain, key, file, advice) in [
        (&missing, &good.key, "missing.pem", "check the path"),
        (&good.chain, &missing, "missing.pem", "check the path"),
        (&garbage, &good.key, "garbage.pem", "write the chain as PEM"),
        (&good.key, &good.key, "good.key", "write the chain as PEM"),
        (&good.chain, &good.chain, "good.pem", "write it as PEM"),
        (&good.chain, &other.key, "other.key", "replace both"),
    ] {
        let files = CertificateFiles { chain: chain.clone(), key: key.clone() };
        let reason = Certificates::load(&[files]).unwrap_err();
        assert!(reason.starts_with(&*folder.path().join(file).to_string_lossy()), "{reason}");
        assert!(reason.contains(advice), "{reason}");
    }
}

#[test]
fn an_expired_certificate_is_served_all_the_same() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::load(&[issue(&folder, "expired", &["a.com"])]).unwrap();
    assert_eq!(served(&certificates, "a.com"), "a.com");
}

#[test]
fn broken_files_leave_everything_as_it_was() {
    let folder = TempDir::new().unwrap();
    let files = [issue(&folder, "1", &["a.com"]), issue(&folder, "2", &["b.com"])];
    let certificates = Certificates::load(&files).unwrap();
    issue(&folder, "1", &["new.com"]);
    fs::write(&files[1].key, "garbage").unwrap();
    assert!(certificates.reload().unwrap_err().contains("2.key: holds no private key"));
    assert_eq!((served(&certificates, "a.com"), served(&certificates, "b.com")), ("a.com".into(), "b.com".into()));
    certificates.set(Vec::new());
    assert_eq!((served(&certificates, "a.com"), served(&certificates, "b.com")), ("a.com".into(), "b.com".into()));
    issue(&folder, "2", &["b.com"]);
    certificates.reload().unwrap();
    assert_eq!(served(&certificates, "new.com"), "new.com");
}

#[test]
fn added_certificates_survive_a_reload_and_yield_to_files() {
    let folder = TempDir::new().unwrap();
    let added = issue(&folder, "added", &["a.com", "b.com"]).read(&default_provider()).unwrap();
    let certificates = Certificates::load(&[]).unwrap();
    assert_eq!(served(&certificates, "a.com"), "");
    certificates.set(vec![added.clone()]);
    assert_eq!(served(&certificates, ""), "a.com b.com");
    let certificates = Certificates::load(&[issue(&folder, "file", &["a.com"])]).unwrap();
    certificates.set(vec![added]);
    certificates.reload().unwrap();
    assert_eq!(served(&certificates, "a.com"), "a.com");
    assert_eq!(served(&certificates, "b.com"), "a.com b.com");
    certificates.set(Vec::new());
    assert_eq!(served(&certificates, "b.com"), "a.com");
}

#[tokio::test(start_paused = true)]
async fn a_watched_file_is_read_again_when_it_changes_and_not_before() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::load(&[issue(&folder, "1", &["a.com"])]).unwrap();
    let (trigger, shutdown) = Shutdown::manual();
    let watching = tokio::spawn(certificates.clone().watch(shutdown));
    let before = certificates.0.table.load_full();
    tokio::time::sleep(5 * WATCH_EVERY).await;
    assert!(Arc::ptr_eq(&before, &certificates.0.table.load_full()), "read without a change");
    fs::write(folder.path().join("1.key"), "half").unwrap();
    tokio::time::sleep(3 * WATCH_EVERY).await;
    assert_eq!(served(&certificates, "a.com"), "a.com");
    issue(&folder, "1", &["b.com"]);
    tokio::time::sleep(3 * WATCH_EVERY).await;
    assert_eq!(served(&certificates, "b.com"), "b.com");
    trigger.request();
    watching.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reload_can_be_asked_for() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::load(&[issue(&folder, "1", &["a.com"])]).unwrap();
    let (_trigger, shutdown) = Shutdown::manual();
    tokio::spawn(certificates.clone().watch(shutdown));
    let before = certificates.0.table.load_full();
    certificates.request_reload();
    tokio::time::sleep(WATCH_EVERY / 2).await;
    assert!(!Arc::ptr_eq(&before, &certificates.0.table.load_full()));
}
