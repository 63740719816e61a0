//! Keeps the direction of what people write to itself: a name in Arabic or Hebrew turns nothing around but itself.

/// Begin and end what stands apart from its sentence, in the direction of its first letter (Unicode UAX #9).
const APART: char = '\u{2068}';
const BACK: char = '\u{2069}';

/// What a person wrote, as it may stand in a sentence of a page. Nothing is put around what reads from the left as the
/// sentence does: it would stand in whatever is copied.
pub fn isolate(value: &str) -> String {
    let value = settle(value);
    if value.chars().any(reads_from_right) { format!("{APART}{value}{BACK}") } else { value }
}

/// What a person wrote without the marks by which it could turn what stands beside it, or get out of what is put around it.
pub fn settle(value: &str) -> String {
    value.chars().filter(|c| !is_mark(*c)).collect()
}

/// Marks that embed, override and isolate; and the end of a paragraph, at which every isolation ends.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2029}')
}

/// The blocks of scripts that are written from the right, as DerivedBidiClass has them, and the mark that is like one letter.
const fn reads_from_right(c: char) -> bool {
    matches!(c,
        '\u{200f}' | '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_from_the_left_stays_as_it_is() {
        for value in ["김민수", "alice", "Zoë 2", "manager", "+12%", "2026-11-26", "<b>", ""] {
            assert_eq!((isolate(value), settle(value)), (value.to_owned(), value.to_owned()));
        }
    }

    #[test]
    fn what_reads_from_the_right_stands_apart() {
        for value in ["עברית", "شركة (1)", "kim@דוגמה.example", "a\u{200f}b", "ߒߞߏ", "𞤀𞤣𞤤𞤢𞤥"]
        {
            assert_eq!(isolate(value), format!("\u{2068}{value}\u{2069}"));
            assert_eq!(settle(value), value);
        }
    }

    #[test]
    fn no_mark_gets_out_of_a_value() {
        for mark in "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{2029}".chars() {
            assert_eq!(isolate(&format!("a{mark}b")), "ab", "{mark:?}");
            assert_eq!(isolate(&format!("ש{mark}{mark}b")), "\u{2068}שb\u{2069}", "{mark:?}");
        }
    }
}
