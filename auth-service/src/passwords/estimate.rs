//! How easily a chosen password is guessed: the lists of common ones, then an estimate that weighs its owner's words.

use zxcvbn::feedback::Warning;
use zxcvbn::{Score, zxcvbn};

use super::weakness::Weakness;

/// The most used passwords of eight characters and more, in lower case, one a line.
const COMMON_PASSWORDS: &str = include_str!("../../data/common-passwords.txt");
/// Words of common Korean passwords, one a line: as spelt, and as the keys of a Korean keyboard leave them in Latin.
const KOREAN_WORDS: &str = include_str!("../../data/korean-words.txt");
/// Characters that the estimate looks at. What makes a password strong shows in these; the time to find out that a text
/// full of symbols is strong grows with the square of its length (hostile text: 66 ms at 32, 0.7 s at 100).
const ESTIMATED_CHARACTERS: usize = 32;
/// A shorter name stands in many a word by chance.
const SHORTEST_NAME: usize = 3;

/// What an attacker who knows the person would try first.
pub struct OwnWords {
    /// Addresses, names, and their parts.
    words: Vec<String>,
    /// Names and the local parts of addresses, in lower case.
    names: Vec<String>,
}

impl OwnWords {
    /// Takes the texts about a person (e-mail, username, display name), whole and in parts.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut words, mut names) = (Vec::new(), Vec::new());
        for text in texts {
            words.push(text.to_owned());
            words.extend(text.split('@').map(str::to_owned));
            words.extend(text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
            names.extend(text.split('@').next().map(str::to_lowercase));
        }
        words.retain(|word| word.chars().count() > 1);
        words.sort_unstable();
        words.dedup();
        names.retain(|name| name.chars().count() >= SHORTEST_NAME);
        Self { words, names }
    }

    /// Whether a text holds one of the person's names, in any case.
    pub(super) fn is_named_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.names.iter().any(|name| text.contains(name))
    }
}

/// Refuses a password whose estimate stays below "safely unguessable" (score 3 of 4).
pub(super) fn estimate(password: &str, own_words: &OwnWords) -> Result<(), Weakness> {
    let start: String = password.chars().take(ESTIMATED_CHARACTERS).collect();
    let words: Vec<&str> = own_words.words.iter().map(String::as_str).chain(KOREAN_WORDS.lines()).collect();
    let estimate = zxcvbn(&start, &words);
    if estimate.score() >= Score::Three {
        return Ok(());
    }
    Err(estimate.feedback().and_then(|feedback| feedback.warning()).map_or(Weakness::Guessable, Weakness::from))
}

impl From<Warning> for Weakness {
    fn from(warning: Warning) -> Self {
        match warning {
            Warning::ThisIsATop10Password | Warning::ThisIsATop100Password | Warning::ThisIsACommonPassword => {
                Self::Common
            }
            Warning::RepeatsLikeAaaAreEasyToGuess | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => {
                Self::Repeated
            }
            Warning::StraightRowsOfKeysAreEasyToGuess
            | Warning::ShortKeyboardPatternsAreEasyToGuess
            | Warning::SequencesLikeAbcAreEasyToGuess => Self::Sequence,
            Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess => Self::Date,
            Warning::ThisIsSimilarToACommonlyUsedPassword
            | Warning::AWordByItselfIsEasyToGuess
            | Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
            | Warning::CommonNamesAndSurnamesAreEasyToGuess => Self::Guessable,
        }
    }
}

/// Whether a password is on the list of the most used ones, in any case. A search line by line takes some 20 µs, next to
/// milliseconds of hashing.
pub(super) fn is_common(password: &str) -> bool {
    let folded = password.to_lowercase();
    COMMON_PASSWORDS.lines().any(|common| common == folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assess(password: &str, own_words: &[&str]) -> Result<(), Weakness> {
        if is_common(password) {
            return Err(Weakness::Common);
        }
        estimate(password, &OwnWords::new(own_words.iter().copied()))
    }

    #[test]
    fn passwords_of_the_deployment_guide_pass() {
        assert_eq!(assess("TestPass123!", &["test@example.com", "testuser"]), Ok(()));
        assert_eq!(assess("SecurePass123!", &["prodtest@example.com", "produser"]), Ok(()));
    }

    #[test]
    fn strong_passwords_of_any_script_and_length_pass() {
        for password in ["correct horse battery", "xK9#qL2$vB7@", "담쟁이 넝쿨 위로 걷는 달팽이", "🦀🍎🚲🎻🌋🧊🪁🦉🍋"]
        {
            assert_eq!(assess(password, &[]), Ok(()), "{password}");
        }
        assert_eq!(assess(&"4@8({[<369!1|70$5+%2".repeat(7)[..128], &[]), Ok(()));
    }

    #[test]
    fn common_passwords_fail_in_any_case() {
        for password in ["password1!", "PassWord1!", "qwerty123", "iloveyou1", "1q2w3e4r5t"] {
            assert_eq!(assess(password, &[]), Err(Weakness::Common), "{password}");
        }
    }

    #[test]
    fn patterns_fail_with_their_reason() {
        for (password, weakness) in [
            ("aaaaaaaa", Weakness::Common),
            ("zzzzzzzzzzzzz", Weakness::Repeated),
            ("사랑해사랑해사랑해", Weakness::Repeated),
            ("bcdefghijk", Weakness::Sequence),
            ("2019-03-07", Weakness::Date),
        ] {
            assert_eq!(assess(password, &[]), Err(weakness), "{password}");
        }
    }

    #[test]
    fn own_words_weigh_in_the_estimate_but_are_not_banned() {
        assert_eq!(assess("testuser123", &["test@example.com", "testuser"]), Err(Weakness::Guessable));
        assert_eq!(assess("gildong.hong1", &["gildong.hong@corp.example", "hong"]), Err(Weakness::Guessable));
        assert!(assess("김달래2024!", &["김달래"]).is_err());
        assert_eq!(assess("gildong rides a purple tram", &["gildong@example.com"]), Ok(()));
    }

    #[test]
    fn korean_classics_fail_as_spelt_and_as_typed_on_a_latin_layout() {
        for password in [
            "비밀번호1234",
            "사랑해요1004",
            "안녕하세요123!",
            "dkssud123",
            "dkssudgktpdy",
            "qlalfqjsgh1234",
            "Qlalfqjsgh1!",
            "tkfkdgo1004!",
            "eogksalsrnr1",
            "rhksflwk123!",
            "saranghae1004",
        ] {
            assert!(assess(password, &[]).is_err(), "{password}");
        }
    }

    #[test]
    fn lists_are_in_the_form_they_are_searched_in() {
        for word in COMMON_PASSWORDS.lines() {
            assert!(word.chars().count() >= 8 && word == word.to_lowercase() && word == word.trim(), "{word}");
        }
        assert!(COMMON_PASSWORDS.lines().is_sorted());
        assert!(KOREAN_WORDS.lines().all(|word| !word.is_empty() && word == word.trim()));
    }

    #[test]
    fn own_words_are_the_texts_and_their_parts() {
        let words = OwnWords::new(["a.hong@corp.example", "홍 길동"]).words;
        assert_eq!(
            words,
            ["a.hong", "a.hong@corp.example", "corp", "corp.example", "example", "hong", "길동", "홍 길동"]
        );
    }
}
