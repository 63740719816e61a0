//! Texts in the two languages, by key: `locales/en.ftl` and `locales/ko.ftl`. What the API says in English itself is only
//! in `locales/api.ko.ftl`.

use std::borrow::Cow;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use service_kit::language::Language;
use unic_langid::LanguageIdentifier;

const ENGLISH: (&str, &[&str]) = ("en", &[include_str!("../locales/en.ftl")]);
const KOREAN: (&str, &[&str]) = ("ko", &[include_str!("../locales/ko.ftl"), include_str!("../locales/api.ko.ftl")]);

/// The texts of one language.
pub struct Texts {
    bundle: FluentBundle<FluentResource>,
    language: Language,
}

impl Texts {
    /// Reads the texts of a language.
    ///
    /// # Errors
    /// What is wrong with the file; a test reads both.
    pub fn read(language: Language) -> Result<Self, String> {
        let (id, sources) = match language {
            Language::English => ENGLISH,
            Language::Korean => KOREAN,
        };
        let id: LanguageIdentifier = id.parse().map_err(|_| format!("{id} is no language"))?;
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // Numbers and dates need none: what people write is isolated where it is put in.
        bundle.set_use_isolating(false);
        for source in sources {
            let resource =
                FluentResource::try_new((*source).to_owned()).map_err(|(_, errors)| format!("{errors:?}"))?;
            bundle.add_resource(resource).map_err(|errors| format!("{errors:?}"))?;
        }
        Ok(Self { bundle, language })
    }

    /// Which language it is.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// As in the attribute `lang`.
    #[must_use]
    pub const fn tag(&self) -> &'static str {
        match self.language {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }

    /// The text with this key; the key itself where there is none, which a test rules out.
    #[must_use]
    pub fn get<'a>(&'a self, key: &'a str) -> Cow<'a, str> {
        self.format(key, None)
    }

    /// The same with values in it.
    #[must_use]
    pub fn with<'a>(&'a self, key: &'a str, values: &[(&'a str, FluentValue<'a>)]) -> Cow<'a, str> {
        let args: FluentArgs = values.iter().cloned().collect();
        Cow::Owned(self.format(key, Some(&args)).into_owned())
    }

    /// Whether there is a text with this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    fn format<'a>(&'a self, key: &'a str, args: Option<&FluentArgs>) -> Cow<'a, str> {
        let mut errors = Vec::new();
        let pattern = self.bundle.get_message(key).and_then(|message| message.value());
        let text = pattern.map(|pattern| self.bundle.format_pattern(pattern, args, &mut errors).into_owned());
        text.map_or(Cow::Borrowed(key), Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;
    use crate::system::said;

    fn keys(source: &str) -> BTreeSet<&str> {
        let starts = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
        source.lines().filter(starts).filter_map(|line| line.split_once(" =")).map(|(key, _)| key).collect()
    }

    fn walk(folder: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else {
                files.push(fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn both_languages_say_the_same() {
        for language in [Language::English, Language::Korean] {
            Texts::read(language).unwrap();
        }
        assert_eq!(keys(ENGLISH.1[0]), keys(KOREAN.1[0]));
    }

    #[test]
    fn every_text_is_used_and_every_key_has_a_text() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        walk(&root.join("src"), &mut files);
        walk(&root.join("templates"), &mut files);
        let all = files.concat();
        let known = keys(ENGLISH.1[0]);
        for called in ["t(\"", "t1(\"", "tn(\"", "get(\"", "with(\"", "has(\""] {
            for (at, _) in all.match_indices(called) {
                let key = all[at + called.len()..].split('"').next().unwrap();
                let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                let is_key = key.contains('-') && key.chars().all(is_name) && !key.starts_with("x-");
                assert!(!is_key || known.contains(key), "no text for {key}");
            }
        }
        for key in known {
            // Those of a family are made of a prefix and a name of the API's.
            let is_of_family = key
                .match_indices('-')
                .map(|(at, _)| &key[..at])
                .any(|family| all.contains(&format!("\"{family}-{{")) || all.contains(&format!("\"{family}\"")));
            assert!(all.contains(&format!("\"{key}\"")) || is_of_family, "nobody says {key}");
        }
    }

    #[test]
    fn what_the_api_says_in_english_has_a_korean_text() {
        let documented = include_str!("../../docs/configuration.md");
        let sections = documented.lines().filter_map(|line| line.strip_prefix("## ")).map(said::section);
        let settings = documented.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let settings = settings.map(|(name, _)| said::setting(name));
        let subjects = [
            "signing key",
            "disk",
            "cors",
            "redis",
            "mail",
            "database",
            "schema",
            "indexes",
            "clock",
            "login provider",
        ];
        let codes = auth_sdk::CHECK_CODES.into_iter().map(said::finding);
        let lacks = auth_sdk::PROVIDER_FAULT_CODES.into_iter().map(said::lack);
        let all = sections.chain(settings).chain(subjects.map(said::subject)).chain(codes).chain(lacks);
        let expected: BTreeSet<String> = all.collect();
        assert!(expected.len() > 150, "{expected:?}");
        let (fixes, others): (BTreeSet<_>, BTreeSet<_>) =
            keys(KOREAN.1[1]).into_iter().map(str::to_owned).partition(|key| key.starts_with(&said::fix("")));
        assert_eq!(others, expected);
        let fixable = auth_sdk::CHECK_CODES.map(said::fix);
        assert!(fixes.iter().all(|key| fixable.contains(key)), "{fixes:?}");
    }

    #[test]
    fn plurals_are_those_of_the_language() {
        let texts = Texts::read(Language::English).unwrap();
        let say = |n: i64| texts.with("users-count", &[("n", n.into()), ("shown", n.to_string().into())]).into_owned();
        assert_eq!((say(1), say(2)), ("1 person".to_owned(), "2 people".to_owned()));
    }
}
