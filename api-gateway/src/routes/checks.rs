//! What routes must not be to one another.

use std::collections::HashMap;

use super::members::Faults;
use super::route::Entry;
use super::table::Key;

/// Reports routes of which only one could ever be found, and names that would mean two.
pub(super) fn refuse_conflicts(entries: &[Entry], faults: &Faults<'_>) {
    let mut matches: HashMap<Key, Vec<&Entry>> = HashMap::new();
    let mut names: HashMap<&str, &Entry> = HashMap::new();
    for entry in entries {
        let alike = matches.entry(entry.route.matches.key()).or_default();
        match alike.iter().find(|other| other.route.matches.shares_methods(&entry.route.matches)) {
            Some(other) => faults.report(
                entry.at,
                format!(
                    "{}: {} matches the same requests already: remove one, or tell them apart by methods or host",
                    entry.owner, other.owner
                ),
            ),
            None => {
                if let Some(other) = names.insert(&entry.route.name, entry) {
                    let name = &entry.route.name;
                    faults.report(
                        entry.at,
                        format!("{}: {} is called {name:?} already: give one another name", entry.owner, other.owner),
                    );
                }
            }
        }
        alike.push(entry);
    }
}
