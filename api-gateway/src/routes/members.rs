//! Reading a TOML file so that everything wrong in it is told at once, each with its line: misspelt members too.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use service_kit::config::Period;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::values::spell;

/// What is wrong with a file, and where.
pub(crate) struct Faults<'a> {
    text: &'a str,
    found: RefCell<Vec<(usize, String)>>,
}

/// The members of one table. Whatever was not asked for by [`Members::finish`] is unknown.
pub(crate) struct Members<'a> {
    /// Whose they are, for messages: `route 3 (orders)`; nothing for those of the file.
    owner: String,
    /// What their names begin with: `match.` and the like.
    prefix: String,
    table: &'a DeTable<'a>,
    at: usize,
    asked: Vec<&'static str>,
    faults: &'a Faults<'a>,
}

/// Reads a file by its members.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub(crate) fn read_document<T>(text: &str, read: impl FnOnce(Members<'_>) -> T) -> Result<T, Vec<String>> {
    let faults = Faults { text, found: RefCell::default() };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        faults.report(error.span().map_or(0, |span| span.start), error.message().to_owned());
    }
    if !errors.is_empty() {
        // What could be read of it would be full of faults that are none.
        return Err(faults.finish());
    }
    let members = Members::new(String::new(), document.get_ref(), 0, &faults);
    let value = read(members);
    let faults = faults.finish();
    if faults.is_empty() { Ok(value) } else { Err(faults) }
}

/// Of `names` the one that `written` was probably meant to be, as the end of a sentence.
pub(crate) fn did_you_mean<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let distances = names.into_iter().map(|name| (strsim::osa_distance(written, name), name));
    match distances.min() {
        Some((edits, name)) if edits <= (name.len() / 3).clamp(1, 2) => format!("; did you mean {name}?"),
        _ => String::new(),
    }
}

impl Faults<'_> {
    /// Adds a sentence about the place at this byte.
    pub(crate) fn report(&self, at: usize, sentence: String) {
        self.found.borrow_mut().push((at, sentence));
    }

    fn finish(self) -> Vec<String> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(at, _)| *at);
        let line = |at: usize| 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        found.into_iter().map(|(at, sentence)| format!("line {}: {sentence}", line(at))).collect()
    }
}

impl<'a> Members<'a> {
    fn new(owner: String, table: &'a DeTable<'a>, at: usize, faults: &'a Faults<'a>) -> Self {
        Self { owner, prefix: String::new(), table, at, asked: Vec::new(), faults }
    }

    /// Where faults go that concern more than one table.
    pub(crate) fn faults(&self) -> &'a Faults<'a> {
        self.faults
    }

    /// Whose these are, for messages.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Adds a name to whose these are.
    pub(crate) fn call(&mut self, name: &str) {
        self.owner = format!("{} ({name})", self.owner);
    }

    /// Where the table begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Whether there is a member of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A text that `parse` understands.
    pub(crate) fn text<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.ask(name)?;
        let Some(text) = value.get_ref().as_str() else {
            return self.is_not(name, value, "a text in quotes");
        };
        parse(text).map_err(|error| self.wrong(name, error)).ok()
    }

    /// A text of those here.
    pub(crate) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.text(name, |text| {
            let chosen = choices.iter().find(|(choice, _)| *choice == text).map(|(_, value)| *value);
            chosen.ok_or_else(|| {
                let names: Vec<String> = choices.iter().map(|(choice, _)| format!("{choice:?}")).collect();
                format!("write {}", names.join(" or "))
            })
        })
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.ask(name)?;
        value.get_ref().as_bool().or_else(|| self.is_not(name, value, "true or false"))
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &'static str, allowed: RangeInclusive<u32>) -> Option<u32> {
        let value = self.ask(name)?;
        let Some(integer) = value.get_ref().as_integer() else {
            return self.is_not(name, value, "a whole number");
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| allowed.contains(n));
        if number.is_none() {
            self.wrong(name, format!("write a number from {} to {}", allowed.start(), allowed.end()));
        }
        number
    }

    /// A span of time.
    pub(crate) fn period(&mut self, name: &'static str, allowed: RangeInclusive<Duration>) -> Option<Duration> {
        self.text(name, |text| {
            let period = text.parse::<Period>().map_err(str::to_owned)?.get();
            let within = allowed.contains(&period).then_some(period);
            within.ok_or_else(|| format!("write from {} to {}", spell(*allowed.start()), spell(*allowed.end())))
        })
    }

    /// A list as [`Members::list`] reads it, which must not be empty: that could mean nobody as well as anybody.
    pub(crate) fn filled_list<T: PartialEq, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        if self.find(name).and_then(|value| value.get_ref().as_array()).is_some_and(|items| items.is_empty()) {
            self.wrong(name, "the list is empty: fill it or leave it out");
        }
        self.list(name, parse)
    }

    /// A list of texts that `parse` understands, none of them twice; nothing when there is no such member.
    pub(crate) fn list<T: PartialEq, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let Some(value) = self.ask(name) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.is_not::<()>(name, value, "a list of texts: [\"…\"]");
            return Vec::new();
        };
        let mut list = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str().map(&parse) {
                Some(Ok(item_value)) if list.contains(&item_value) => {
                    self.wrong_at(item.span().start, name, "the list says one thing twice");
                }
                Some(Ok(value)) => list.push(value),
                Some(Err(error)) => self.wrong_at(item.span().start, name, error),
                None => self.wrong_at(item.span().start, name, "write texts in quotes"),
            }
        }
        list
    }

    /// A table within; its members are called `name.…`.
    pub(crate) fn table(&mut self, name: &'static str) -> Option<Self> {
        let value = self.ask(name)?;
        let Some(table) = value.get_ref().as_table() else {
            return self.is_not(name, value, "a table");
        };
        let members = Self::new(self.owner.clone(), table, value.span().start, self.faults);
        Some(Self { prefix: format!("{}{name}.", self.prefix), ..members })
    }

    /// Tables in a row, called `name 1` and so on.
    pub(crate) fn tables(&mut self, name: &'static str) -> Vec<Self> {
        let Some(value) = self.ask(name) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.is_not::<()>(name, value, "tables in a row");
            return Vec::new();
        };
        let numbered = items.iter().enumerate().map(|(index, item)| (format!("{name} {}", index + 1), item));
        numbered.filter_map(|(owner, item)| self.inner(owner, item)).collect()
    }

    /// Tables by names that the file chooses, called `name.NAME`.
    pub(crate) fn named_tables(&mut self, name: &'static str) -> Vec<(&'a str, Self)> {
        let Some(value) = self.ask(name) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.is_not::<()>(name, value, "a table");
            return Vec::new();
        };
        let inner = |(key, item): (&'a Spanned<_>, _)| {
            let key: &'a std::borrow::Cow<'a, str> = key.get_ref();
            Some((&**key, self.inner(format!("{name}.{key}"), item)?))
        };
        table.iter().filter_map(inner).collect()
    }

    /// Reports a member that must be there.
    pub(crate) fn need(&self, name: &str, form: &str) {
        if !self.has(name) {
            self.fault(name, format!("{}{name} is missing: write {form}", self.prefix));
        }
    }

    /// Reports what is wrong with a member.
    pub(crate) fn wrong(&self, name: &str, what: impl Display) {
        self.fault(name, format!("{}{name}: {what}", self.prefix));
    }

    /// Reports a whole sentence, at a member or else at the table.
    pub(crate) fn fault(&self, name: &str, sentence: impl Display) {
        let at = self.find(name).map_or(self.at, |value| value.span().start);
        self.fault_at(at, sentence);
    }

    /// Reports the members that nobody asked for.
    pub(crate) fn finish(self) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !self.asked.contains(&name) {
                let meant = did_you_mean(name, self.asked.iter().copied());
                self.fault_at(key.span().start, format!("there is no member {}{name}{meant}", self.prefix));
            }
        }
    }

    fn wrong_at(&self, at: usize, name: &str, what: impl Display) {
        self.fault_at(at, format!("{}{name}: {what}", self.prefix));
    }

    fn fault_at(&self, at: usize, sentence: impl Display) {
        let mark = if self.owner.is_empty() { "" } else { ": " };
        self.faults.report(at, format!("{}{mark}{sentence}", self.owner));
    }

    fn is_not<T>(&self, name: &str, value: &Spanned<DeValue<'_>>, form: &str) -> Option<T> {
        self.wrong_at(value.span().start, name, format!("write {form}, not {}", kind_of(value.get_ref())));
        None
    }

    fn inner(&self, owner: String, item: &'a Spanned<DeValue<'a>>) -> Option<Self> {
        let at = item.span().start;
        match item.get_ref().as_table() {
            Some(table) => Some(Self::new(owner, table, at, self.faults)),
            None => {
                self.faults.report(at, format!("{owner}: write a table, not {}", kind_of(item.get_ref())));
                None
            }
        }
    }

    fn ask(&mut self, name: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.push(name);
        self.find(name)
    }

    fn find(&self, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
    }
}

fn kind_of(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    format!("{} {kind}", if kind.starts_with(['a', 'i']) { "an" } else { "a" })
}
