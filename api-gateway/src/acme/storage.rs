//! The folder that makes restarts cheap: the account, the certificate with its key, and when orders were made. Nobody but
//! this user may read it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use instant_acme::AccountCredentials;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

const ACCOUNT: &str = "account.json";
/// The key, then the chain: in one file, which is replaced as a whole, they cannot fail to fit each other.
const CERTIFICATE: &str = "certificate.pem";
const ORDERS: &str = "orders.json";
/// All that is more in an address than in a host's name.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-');

/// What is kept of one authority.
#[derive(Debug)]
pub struct Storage(PathBuf);

impl Storage {
    /// Opens the part of `root` for the authority with this directory, and makes it if there is none: what a staging
    /// authority issued must never pass for the real one's.
    ///
    /// # Errors
    /// A sentence that names the folder.
    pub fn open(root: &Path, directory: &Url) -> Result<Self, String> {
        let folder = root.join(name_of(directory));
        let opening = || {
            if let Some(parent) = root.parent() {
                fs::create_dir_all(parent)?;
            }
            make_private(root)?;
            make_private(&folder)?;
            fs::set_permissions(&folder, Permissions::from_mode(0o700))
        };
        opening().map_err(|cause| format!("{}: cannot be used ({cause})", folder.display()))?;
        Ok(Self(folder))
    }

    /// The account, once one was made.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn account(&self) -> Result<Option<AccountCredentials>, String> {
        let Some(text) = self.read(ACCOUNT)? else { return Ok(None) };
        // The error would show what it stumbled over, and that may be the key.
        let account = serde_json::from_str(&text);
        account.map(Some).map_err(|_| format!("{}: is not what was written there", self.0.join(ACCOUNT).display()))
    }

    /// Keeps the account.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn keep_account(&self, account: &AccountCredentials) -> Result<(), String> {
        let text = serde_json::to_string(account).map_err(|_| "the account cannot be written down".to_owned())?;
        self.write(ACCOUNT, &text)
    }

    /// Forgets the account, for the authority does not know it any more.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn forget_account(&self) -> Result<(), String> {
        let path = self.0.join(ACCOUNT);
        fs::remove_file(&path).map_err(|cause| format!("{}: cannot be removed ({cause})", path.display()))
    }

    /// The key and the chain in PEM, once a certificate was had.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn certificate(&self) -> Result<Option<String>, String> {
        self.read(CERTIFICATE)
    }

    /// Keeps the key and the chain.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn keep_certificate(&self, pem: &str) -> Result<(), String> {
        self.write(CERTIFICATE, pem)
    }

    /// When orders were made, in seconds since 1970.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn orders(&self) -> Result<Vec<u64>, String> {
        let Some(text) = self.read(ORDERS)? else { return Ok(Vec::new()) };
        serde_json::from_str(&text).map_err(|cause| format!("{}: {cause}; remove it", self.0.join(ORDERS).display()))
    }

    /// Keeps when orders were made.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn keep_orders(&self, orders: &[u64]) -> Result<(), String> {
        let text = serde_json::to_string(orders).map_err(|cause| cause.to_string())?;
        self.write(ORDERS, &text)
    }

    fn read(&self, name: &str) -> Result<Option<String>, String> {
        let path = self.0.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(format!("{}: cannot be read ({cause})", path.display())),
        }
    }

    /// Whole or not at all, whenever the machine fails.
    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let (path, draft) = (self.0.join(name), self.0.join(format!("{name}.new")));
        let writing = || -> io::Result<()> {
            remove_if_there(&draft)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&self.0)?.sync_all()
        };
        writing().map_err(|cause| format!("{}: cannot be written ({cause})", path.display()))
    }
}

/// A folder's name that no two directories share.
fn name_of(directory: &Url) -> String {
    utf8_percent_encode(directory.as_str().trim_start_matches("https://"), ENCODED).to_string()
}

fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(cause) if cause.kind() != ErrorKind::AlreadyExists => Err(cause),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_kept_is_found_again_and_private_whatever_was_there() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("data/acme");
        let storage = Storage::open(&root, &url("https://ca.example/dir")).unwrap();
        assert_eq!((storage.certificate(), storage.orders()), (Ok(None), Ok(Vec::new())));
        // Left by a crash, readable by everybody.
        let draft = storage.0.join("certificate.pem.new");
        fs::write(&draft, "half").unwrap();
        fs::set_permissions(&draft, Permissions::from_mode(0o666)).unwrap();
        storage.keep_certificate("pem").unwrap();
        storage.keep_orders(&[1, 2]).unwrap();
        let again = Storage::open(&root, &url("https://ca.example/dir")).unwrap();
        assert_eq!((again.certificate(), again.orders()), (Ok(Some("pem".to_owned())), Ok(vec![1, 2])));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode(&root), mode(&again.0)], [0o700; 2]);
        for entry in fs::read_dir(&again.0).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }

    #[test]
    fn authorities_do_not_see_each_others_things() {
        let place = tempfile::tempdir().unwrap();
        let [one, other] = ["https://ca.example/dir", "https://ca.example/dir/"].map(url);
        Storage::open(place.path(), &one).unwrap().keep_certificate("pem").unwrap();
        assert_eq!(Storage::open(place.path(), &other).unwrap().certificate(), Ok(None));
    }

    #[test]
    fn a_broken_account_is_named_without_what_it_holds() {
        let place = tempfile::tempdir().unwrap();
        let storage = Storage::open(place.path(), &url("https://ca.example/dir")).unwrap();
        storage.write(ACCOUNT, "{\"id\": \"x\", \"key_pkcs8\": 5}").unwrap();
        let fault = storage.account().err().unwrap();
        assert!(fault.ends_with("account.json: is not what was written there"), "{fault}");
    }

    #[test]
    fn a_folder_that_cannot_be_had_is_named() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("acme"), "a file").unwrap();
        let fault = Storage::open(&place.path().join("acme"), &url("https://ca.example/dir")).unwrap_err();
        assert!(fault.contains("acme/ca.example"), "{fault}");
    }
}
