//! What makes a password one that is refused, and what to do about it.

/// What makes a password easy to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// On the list of the most used passwords.
    Common,
    /// On the operator's list of breached ones.
    Breached,
    /// Neither of two kinds of characters nor long enough for one.
    NeedsTwoKinds,
    /// Not of letters, digits and special characters.
    NeedsThreeKinds,
    /// Three of the same character, or three that follow each other.
    Run,
    /// Holds the person's own username, name, or part of their address.
    OwnName,
    /// Repeats characters or groups of them.
    Repeated,
    /// Runs along the alphabet, the digits, or a keyboard.
    Sequence,
    /// A date, or little more.
    Date,
    /// Common words or names, or the person's own, or simply too little.
    Guessable,
}

impl Weakness {
    /// Its stable name in answers.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Breached => "breached",
            Self::NeedsTwoKinds => "needs_two_kinds",
            Self::NeedsThreeKinds => "needs_three_kinds",
            Self::Run => "run_of_three",
            Self::OwnName => "contains_own_name",
            Self::Repeated => "repeated",
            Self::Sequence => "sequence",
            Self::Date => "date",
            Self::Guessable => "guessable",
        }
    }

    /// What to do about it, in English.
    pub fn english(self) -> &'static str {
        match self {
            Self::Common => "This is one of the most used passwords. Choose one that only you would think of.",
            Self::Breached => "This password is known from a data breach. Choose one that you use nowhere else.",
            Self::NeedsTwoKinds => {
                "Use two kinds of characters out of letters, digits and special characters, or at least 10 characters."
            }
            Self::NeedsThreeKinds => "Use letters, digits and special characters, all three.",
            Self::Run => "Do not use the same character three times in a row, or runs such as abc and 321.",
            Self::OwnName => "The password must not hold your username, name or e-mail address.",
            Self::Repeated => "Repeated characters or words are easy to guess. Use several different words.",
            Self::Sequence => "Runs such as abc, 1234 or qwerty are easy to guess. Use several unrelated words.",
            Self::Date => "Dates and years are easy to guess. Add words that have nothing to do with them.",
            Self::Guessable => {
                "This password is easy to guess. Make it longer with unrelated words; avoid names, and your own data."
            }
        }
    }

    /// What to do about it, in Korean.
    pub fn korean(self) -> &'static str {
        match self {
            Self::Common => "가장 많이 쓰이는 비밀번호 중 하나입니다. 나만 떠올릴 수 있는 비밀번호를 사용하세요.",
            Self::Breached => "유출된 적이 있는 비밀번호입니다. 다른 곳에서 쓰지 않는 비밀번호를 사용하세요.",
            Self::NeedsTwoKinds => "영문, 숫자, 특수문자 중 두 종류 이상을 쓰거나 10자 이상으로 만드세요.",
            Self::NeedsThreeKinds => "영문, 숫자, 특수문자를 모두 사용하세요.",
            Self::Run => "같은 글자를 세 번 이어 쓰거나 abc, 321처럼 이어지는 글자를 쓸 수 없습니다.",
            Self::OwnName => "비밀번호에 사용자 이름, 이름, 이메일 주소를 넣을 수 없습니다.",
            Self::Repeated => "반복되는 글자나 단어는 추측하기 쉽습니다. 서로 다른 단어를 여러 개 사용하세요.",
            Self::Sequence => {
                "abc, 1234, qwerty처럼 이어지는 글자는 추측하기 쉽습니다. 서로 관련 없는 단어를 여러 개 사용하세요."
            }
            Self::Date => "날짜나 연도는 추측하기 쉽습니다. 관련 없는 단어를 더하세요.",
            Self::Guessable => {
                "추측하기 쉬운 비밀번호입니다. 관련 없는 단어를 더해 길게 만들고, 이름이나 본인 정보는 피하세요."
            }
        }
    }
}
