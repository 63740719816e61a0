//! One JSON document of any size: an array of people, or objects that hold one under `users`.

use std::{fmt, io::BufRead, ops::ControlFlow, rc::Rc};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    row::Refusal,
    source::{Damage, Ending, Input, Mapper, Position, Record, Sink},
};

/// The member under which Keycloak and Firebase keep their people.
const USERS: &str = "users";
/// Ends the parse when the sink has had enough.
const ENOUGH: &str = "enough";

/// What is done with each person, wherever in the document they stand.
struct People<'a, 'b> {
    mapper: &'a Mapper<'b>,
    sink: &'a mut Sink<'b>,
    position: Rc<Position>,
    is_enough: bool,
    seen_users: bool,
}

/// Where in the document the parser is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its outermost value: an array of people, or the object that holds one.
    Outermost,
    /// In the array under `users`.
    Users,
}

struct Seed<'p, 'a, 'b> {
    people: &'p mut People<'a, 'b>,
    place: Place,
}

/// Reads a document; of what is not people nothing is kept.
pub(super) fn read<'b>(input: impl BufRead, mapper: &Mapper<'b>, sink: &mut Sink<'b>) -> Result<Ending, Damage> {
    let input = Input::new(input);
    let position = Rc::clone(&input.position);
    let mut people = People { mapper, sink, position: Rc::clone(&position), is_enough: false, seen_users: false };
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let outcome = Seed { people: &mut people, place: Place::Outermost }.deserialize(&mut deserializer);
    match outcome.and_then(|()| deserializer.end()) {
        Ok(()) if people.seen_users => Ok(Ending::default()),
        Ok(()) => Err(Damage::new(1, "there are no users in this document")),
        Err(_) if people.is_enough => Ok(Ending::default()),
        Err(fault) if fault.is_eof() => Err(Damage::new(position.line(), "the document ends in its midst")),
        Err(fault) => Err(Damage::new(position.line(), fault.to_string())),
    }
}

impl People<'_, '_> {
    fn take(&mut self, value: Value) -> ControlFlow<()> {
        let content = match value {
            Value::Object(members) => (self.mapper)(members),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(Refusal::new("malformed", "this is no JSON object"))
            }
        };
        (self.sink)(Record { line: self.position.line(), bytes: self.position.bytes(), content })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of users")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if self.place == Place::Users {
            return Err(A::Error::custom("`users` is no list"));
        }
        while let Some(name) = members.next_key::<String>()? {
            if name == USERS {
                self.people.seen_users = true;
                members.next_value_seed(Seed { people: self.people, place: Place::Users })?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.people.position.expect_record();
        while let Some(value) = items.next_element::<Value>()? {
            self.people.seen_users = true;
            if self.people.take(value).is_break() {
                self.people.is_enough = true;
                return Err(A::Error::custom(ENOUGH));
            }
            self.people.position.expect_record();
        }
        self.people.seen_users = true;
        self.people.position.expect_anything();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{keycloak, source::MAX_RECORD};

    fn people(document: &str) -> (Vec<String>, Result<Ending, String>) {
        let mut seen = Vec::new();
        let outcome = read(document.as_bytes(), &keycloak::read, &mut |record| {
            seen.push(
                record.content.map_or_else(|refusal| refusal.code.to_owned(), |raw| raw.email.unwrap_or_default()),
            );
            ControlFlow::Continue(())
        });
        (seen, outcome.map_err(|damage| damage.to_string()))
    }

    #[test]
    fn people_are_found_in_an_array_and_under_users_and_nowhere_else() {
        for document in [
            r#"[{"email":"a@b.co"},{"email":"c@d.co"}]"#,
            r#"{"realm":"x","clients":[{"email":"no@no.no"}],"users":[{"email":"a@b.co"},{"email":"c@d.co"}],"z":{"users":[1]}}"#,
        ] {
            assert_eq!(people(document), (vec!["a@b.co".to_owned(), "c@d.co".to_owned()], Ok(Ending::default())));
        }
        for document in [r#"{"realm":"x"}"#, "5", r#"{"users":{"a":1}}"#, ""] {
            assert!(people(document).1.is_err(), "{document}");
        }
        assert_eq!(people(r#"{"users":[]}"#), (vec![], Ok(Ending::default())));
    }

    #[test]
    fn a_document_cut_short_or_damaged_keeps_who_came_before() {
        let (seen, outcome) = people(r#"{"users":[{"email":"a@b.co"},5,{"email":"c@"#);
        assert_eq!(seen, ["a@b.co", "malformed"]);
        assert_eq!(outcome.unwrap_err(), "line 1: the document ends in its midst");
        assert!(people("{\"users\":[{\"email\":\"a@b.co\"}\n\n,}]}").1.unwrap_err().starts_with("line 3"));
    }

    #[test]
    fn one_person_as_long_as_a_book_ends_the_reading() {
        let book = format!(r#"{{"users":[{{"email":"a@b.co"}},{{"email":"{}"}}]}}"#, "x".repeat(4 * MAX_RECORD));
        let (seen, outcome) = people(&book);
        assert_eq!(seen, ["a@b.co"]);
        assert!(outcome.unwrap_err().contains("256 KiB"));
        let prologue = format!(r#"{{"clients":"{}","users":[{{"email":"a@b.co"}}]}}"#, "x".repeat(4 * MAX_RECORD));
        assert_eq!(people(&prologue).0, ["a@b.co"], "what is not kept may be of any size");
    }
}
