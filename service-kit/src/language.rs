//! Which of the two languages a person reads, by `Accept-Language` (RFC 9110, section 12.5.4).

use http::{HeaderMap, HeaderValue, header};

/// A language that details are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English, also when nothing was asked for.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// The language preferred by the request; English when absent, unknown or malformed.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut preferred = (Self::English, 0.0);
        for line in headers.get_all(header::ACCEPT_LANGUAGE) {
            for range in line.to_str().unwrap_or_default().split(',') {
                if let Some((language, weight)) = parse_range(range)
                    && weight > preferred.1
                {
                    preferred = (language, weight);
                }
            }
        }
        preferred.0
    }

    /// The value of `Content-Language`.
    #[must_use]
    pub fn tag(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::English => "en",
            Self::Korean => "ko",
        })
    }
}

fn parse_range(range: &str) -> Option<(Language, f32)> {
    let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
    let primary = tag.trim().split('-').next()?;
    let language = if primary.eq_ignore_ascii_case("ko") {
        Language::Korean
    } else if primary.eq_ignore_ascii_case("en") || primary == "*" {
        Language::English
    } else {
        return None;
    };
    let weight = match parameters.trim().split_once('=') {
        None => 1.0,
        Some((_, value)) => value.trim().parse().ok()?,
    };
    Some((language, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(lines: &[&'static str]) -> Language {
        let values = lines.iter().map(|line| (header::ACCEPT_LANGUAGE, HeaderValue::from_static(line)));
        Language::of(&values.collect())
    }

    #[test]
    fn english_is_spoken_unless_korean_is_preferred() {
        assert_eq!(preferred(&[]), Language::English);
        assert_eq!(preferred(&["fr-FR, de;q=0.5"]), Language::English);
        assert_eq!(preferred(&["ko;q=0"]), Language::English);
        assert_eq!(preferred(&["en-US,en;q=0.9,ko;q=0.8"]), Language::English);
        assert_eq!(preferred(&["*, ko;q=0.9"]), Language::English);
        assert_eq!(preferred(&[";;;=,\t,q=,ko;q=x"]), Language::English);
    }

    #[test]
    fn korean_wins_by_weight_then_by_order_over_all_lines() {
        assert_eq!(preferred(&["ko-KR,ko;q=0.9,en-US;q=0.8"]), Language::Korean);
        assert_eq!(preferred(&["en;q=0.3, KO;q=0.7"]), Language::Korean);
        assert_eq!(preferred(&["en;q=0.3", "ko ; q=0.7"]), Language::Korean);
        assert_eq!(preferred(&["fr, ko;q=0.1"]), Language::Korean);
    }
}
