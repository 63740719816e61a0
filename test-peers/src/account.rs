//! Whom servers run as: PostgreSQL refuses to be root, and a proxy has no need to be.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::PeerError;

/// Whom a server runs as when we are root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The first of these accounts that there is, to use in place of root. `None` if we, who made this folder, are not
    /// root.
    pub(crate) fn in_place_of_root(folder: &Path, names: &[&str]) -> Result<Option<Self>, PeerError> {
        let ours = fs::metadata(folder).map_err(PeerError::io("read the owner of our folder"))?.uid();
        if ours != 0 {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").map_err(PeerError::io("read /etc/passwd"))?;
        let account = names.iter().find_map(|name| find_account(&passwd, name));
        account.map(Some).ok_or_else(|| PeerError::NoAccount(names.join(", ")))
    }

    /// Gives a file or a folder to this account.
    pub(crate) fn own(self, path: &Path) -> Result<(), PeerError> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(PeerError::io("give a file to the server's account"))
    }

    /// Makes a command run as this account.
    pub(crate) fn run(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

fn find_account(passwd: &str, name: &str) -> Option<Account> {
    let fields: Vec<_> =
        passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
    Some(Account { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::find_account;

    #[test]
    fn account_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgresql:x:1:1:::\npostgres:x:101:104:,,,:/var/lib:/bin/sh\n";
        let account = find_account(passwd, "postgres").unwrap();
        assert_eq!((account.uid, account.gid), (101, 104));
        assert!(find_account(passwd, "nobody").is_none());
    }
}
