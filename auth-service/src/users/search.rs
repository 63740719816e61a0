//! What people are found by: their address and names, folded so that no spelling hides them.

use unicode_normalization::UnicodeNormalization;

/// Folds a text: compatibility forms, case.
pub fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfc().collect()
}

/// All that an account is found by, a line each.
pub fn text(email: Option<&str>, username: Option<&str>, display_name: Option<&str>) -> String {
    let parts = [email, username, display_name];
    fold(&parts.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one() {
        assert_eq!(fold("É"), fold("e\u{301}"));
        assert_eq!(fold("김민수"), fold("\u{1100}\u{1175}\u{11b7}\u{1106}\u{1175}\u{11ab}\u{1109}\u{116e}"));
        assert_eq!(fold("ＫＩＭ"), "kim");
        assert_eq!(text(Some("a@b.co"), None, Some("Kim")), "a@b.co\nkim");
        assert_eq!(text(None, Some("kim1"), Some("Kim")), "kim1\nkim");
        assert_eq!(text(None, None, None), "");
    }
}
