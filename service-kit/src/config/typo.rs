//! Misspelt variables: a name near one of ours is told apart from a name that is somebody else's.

/// The documented name that `unknown` was probably meant to be; `None` when it is known itself, or nothing of ours.
pub(super) fn meant<'a>(unknown: &str, documented: &[&'a str]) -> Option<&'a str> {
    // A known name is never a misspelling, however near it is to another known one.
    if documented.iter().any(|name| is_named(unknown, name)) {
        return None;
    }
    let upper = unknown.to_ascii_uppercase();
    let distance = |name: &&'a str| (strsim::osa_distance(&upper, name), *name);
    let near = documented.iter().filter(|name| !name.contains('<')).map(distance);
    let (edits, name) = near.min()?;
    (edits <= edits_allowed(name)).then_some(name)
}

/// What stands for the `<…>` of `pattern` in `name`, when it fits: upper case, digits and `_`.
pub(super) fn variable_part<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let (prefix, rest) = pattern.split_once('<')?;
    let (_, suffix) = rest.split_once('>')?;
    let part = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (!part.is_empty() && part.chars().all(plain)).then_some(part)
}

fn is_named(name: &str, documented: &str) -> bool {
    name == documented || variable_part(documented, name).is_some()
}

/// Two edits turn a short name into almost any other short name (`ENV` into `PWD` takes three), so those get fewer.
fn edits_allowed(name: &str) -> usize {
    match name.len() {
        0..=4 => 0,
        5..=7 => 1,
        _ => 2,
    }
}
