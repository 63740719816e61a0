//! What a password is made of: kinds of characters, and runs of them.

/// How many of the three kinds a text holds: letters of any script, digits, and all else.
pub(super) fn count_kinds(text: &str) -> usize {
    let kinds: [fn(char) -> bool; 3] =
        [|c| c.is_alphabetic(), |c| c.is_numeric(), |c| !c.is_alphabetic() && !c.is_numeric()];
    kinds.into_iter().filter(|is_kind| text.chars().any(is_kind)).count()
}

/// Whether a character stands three times in a row, or three Latin letters or digits follow each other, up or down.
pub(super) fn has_run(text: &str) -> bool {
    let folded: Vec<char> = text.chars().map(|c| c.to_ascii_lowercase()).collect();
    folded.windows(3).any(|three| {
        let steps = [step(three[0], three[1]), step(three[1], three[2])];
        matches!(steps, [Some(first), Some(second)] if first == second)
    })
}

/// By how much a character follows the one before: 0 for the same, 1 or -1 for a neighbour in the alphabet or in the
/// digits.
fn step(one: char, next: char) -> Option<i8> {
    if one == next {
        return Some(0);
    }
    let is_ordered =
        one.is_ascii_lowercase() && next.is_ascii_lowercase() || one.is_ascii_digit() && next.is_ascii_digit();
    match (next as i32) - (one as i32) {
        1 if is_ordered => Some(1),
        -1 if is_ordered => Some(-1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_letters_digits_and_all_else() {
        for (text, kinds) in [
            ("abcXYZ", 1),
            ("비밀번호", 1),
            ("1234", 1),
            ("!?", 1),
            ("a1", 2),
            ("비1", 2),
            ("a b", 2),
            ("a1!", 3),
            ("🦀1a", 3),
        ] {
            assert_eq!(count_kinds(text), kinds, "{text}");
        }
    }

    #[test]
    fn runs_are_three_of_the_same_or_three_that_follow_each_other() {
        for text in ["xaaa", "x111", "!!!", "가가가", "xABCx", "aBc", "321", "789", "zyx", "x890123"] {
            assert!(has_run(text), "{text}");
        }
        for text in ["aab", "aabb", "ace", "135", "9ab", "89a", "a1b2c3", "@AB", "가각갂", "", "ab"] {
            assert!(!has_run(text), "{text}");
        }
    }
}
