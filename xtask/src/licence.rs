//! SPDX licence expressions.

use std::iter::Peekable;
use std::vec::IntoIter;

type Words = Peekable<IntoIter<String>>;

/// Whether an expression can be satisfied by allowed licences alone; what is no expression cannot.
pub(crate) fn permits(expression: &str, allowed: &[String]) -> bool {
    // Manifests before SPDX expressions wrote `MIT/Apache-2.0` for a choice.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().map(str::to_owned).collect::<Vec<_>>().into_iter().peekable();
    choice(&mut words, allowed).is_some_and(|permitted| permitted && words.next().is_none())
}

fn choice(words: &mut Words, allowed: &[String]) -> Option<bool> {
    let mut permitted = conjunction(words, allowed)?;
    while words.next_if(|word| word == "OR").is_some() {
        permitted |= conjunction(words, allowed)?;
    }
    Some(permitted)
}

fn conjunction(words: &mut Words, allowed: &[String]) -> Option<bool> {
    let mut permitted = term(words, allowed)?;
    while words.next_if(|word| word == "AND").is_some() {
        permitted &= term(words, allowed)?;
    }
    Some(permitted)
}

fn term(words: &mut Words, allowed: &[String]) -> Option<bool> {
    let mut licence = words.next()?;
    if licence == "(" {
        let permitted = choice(words, allowed)?;
        return words.next_if(|word| word == ")").map(|_| permitted);
    }
    if words.next_if(|word| word == "WITH").is_some() {
        licence = format!("{licence} WITH {}", words.next()?);
    }
    Some(allowed.contains(&licence))
}

#[cfg(test)]
mod tests {
    use super::permits;

    #[test]
    fn expression_is_satisfied_by_allowed_licences_alone() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for expression in [
            "MIT",
            "MIT/GPL-3.0",
            "MIT OR GPL-3.0",
            "GPL-3.0 OR MIT AND Apache-2.0",
            "(GPL-3.0 OR MIT) AND Apache-2.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(permits(expression, &allowed), "{expression}");
        }
        for expression in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT MIT", "MIT WITH exception", "MIT OR"] {
            assert!(!permits(expression, &allowed), "{expression}");
        }
    }
}
