//! What the people of a demonstration are called: mostly as people in Korea are, and some as no form expects it.

use super::dice::Dice;

/// A name as its owner writes it, and its parts in Latin letters for an address.
pub(super) struct Name {
    pub(super) display: String,
    pub(super) given: String,
    pub(super) family: &'static str,
    pub(super) origin: Origin,
}

/// Where a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Korea,
    Japan,
    Elsewhere,
}

const ORIGINS: &[(u32, Origin)] = &[(920, Origin::Korea), (30, Origin::Japan), (50, Origin::Elsewhere)];

/// Per ten thousand people in Korea, about as its census of 2015 counted.
const KOREAN_FAMILIES: &[(u32, (&str, &str))] = &[
    (2_150, ("김", "kim")),
    (1_473, ("이", "lee")),
    (844, ("박", "park")),
    (470, ("최", "choi")),
    (433, ("정", "jung")),
    (237, ("강", "kang")),
    (212, ("조", "cho")),
    (206, ("윤", "yoon")),
    (200, ("장", "jang")),
    (166, ("임", "lim")),
    (155, ("한", "han")),
    (153, ("오", "oh")),
    (151, ("서", "seo")),
    (149, ("신", "shin")),
    (142, ("권", "kwon")),
    (140, ("황", "hwang")),
    (138, ("안", "ahn")),
    (137, ("송", "song")),
    (129, ("유", "yoo")),
    (113, ("전", "jeon")),
    (112, ("홍", "hong")),
    (95, ("고", "ko")),
    (93, ("문", "moon")),
    (93, ("양", "yang")),
    (92, ("손", "son")),
    (81, ("배", "bae")),
    (77, ("백", "baek")),
    (66, ("허", "heo")),
    (51, ("노", "noh")),
    (51, ("남", "nam")),
    (51, ("심", "sim")),
    (47, ("하", "ha")),
    (41, ("곽", "kwak")),
    (40, ("성", "sung")),
    (39, ("차", "cha")),
    (38, ("주", "joo")),
    (37, ("우", "woo")),
    (37, ("구", "koo")),
    (34, ("민", "min")),
    (4, ("남궁", "namgung")),
    (2, ("황보", "hwangbo")),
    (2, ("제갈", "jegal")),
    (1, ("선우", "sunwoo")),
];

const KOREAN_FIRST: &[(&str, &str)] = &[
    ("민", "min"),
    ("서", "seo"),
    ("지", "ji"),
    ("현", "hyun"),
    ("수", "soo"),
    ("예", "ye"),
    ("도", "do"),
    ("하", "ha"),
    ("은", "eun"),
    ("윤", "yoon"),
    ("준", "jun"),
    ("우", "woo"),
    ("영", "young"),
    ("재", "jae"),
    ("승", "seung"),
    ("태", "tae"),
    ("동", "dong"),
    ("성", "sung"),
    ("경", "kyung"),
    ("채", "chae"),
    ("다", "da"),
    ("유", "yu"),
    ("시", "si"),
    ("건", "gun"),
    ("미", "mi"),
];

const KOREAN_SECOND: &[(&str, &str)] = &[
    ("준", "jun"),
    ("우", "woo"),
    ("서", "seo"),
    ("윤", "yoon"),
    ("호", "ho"),
    ("진", "jin"),
    ("민", "min"),
    ("현", "hyun"),
    ("연", "yeon"),
    ("은", "eun"),
    ("아", "ah"),
    ("영", "young"),
    ("희", "hee"),
    ("수", "soo"),
    ("훈", "hoon"),
    ("석", "seok"),
    ("원", "won"),
    ("빈", "bin"),
    ("율", "yul"),
    ("린", "rin"),
    ("정", "jung"),
    ("경", "kyung"),
    ("혁", "hyuk"),
    ("성", "sung"),
    ("주", "joo"),
];

const JAPANESE_FAMILIES: &[(&str, &str)] = &[
    ("佐藤", "sato"),
    ("鈴木", "suzuki"),
    ("高橋", "takahashi"),
    ("田中", "tanaka"),
    ("伊藤", "ito"),
    ("渡辺", "watanabe"),
    ("山本", "yamamoto"),
    ("中村", "nakamura"),
    ("小林", "kobayashi"),
    ("加藤", "kato"),
];

const JAPANESE_GIVEN: &[(&str, &str)] = &[
    ("陽菜", "hina"),
    ("蓮", "ren"),
    ("結衣", "yui"),
    ("大翔", "hiroto"),
    ("さくら", "sakura"),
    ("湊", "minato"),
    ("葵", "aoi"),
    ("健太", "kenta"),
    ("美咲", "misaki"),
    ("翔太", "shota"),
];

const OTHER_FAMILIES: &[(&str, &str)] = &[
    ("Smith", "smith"),
    ("Johnson", "johnson"),
    ("O'Brien", "obrien"),
    ("García", "garcia"),
    ("Müller", "muller"),
    ("Nguyễn", "nguyen"),
    ("Dubois", "dubois"),
    ("Kowalski", "kowalski"),
    ("Ivanov", "ivanov"),
    ("van der Berg", "vanderberg"),
    ("Okafor", "okafor"),
    ("Taylor", "taylor"),
];

const OTHER_GIVEN: &[(&str, &str)] = &[
    ("Emma", "emma"),
    ("Liam", "liam"),
    ("Olivia", "olivia"),
    ("Noah", "noah"),
    ("Zoë", "zoe"),
    ("Lucas", "lucas"),
    ("Chloé", "chloe"),
    ("Daniel", "daniel"),
    ("Anna", "anna"),
    ("José", "jose"),
    ("Grace", "grace"),
    ("Mary-Jane", "maryjane"),
];

/// Names that break a page which does not expect them; a sound one shows each as it stands here.
const ODD: &[&str] = &[
    "<script>alert('demo')</script>",
    "\"><img src=x onerror=alert(1)>",
    "Robert'); DROP TABLE users;--",
    "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff Sr. of Philadelphia, Pennsylvania, United States",
    "가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나",
    "محمد عبد الله الأنصاري",
    "דוד כהן",
    // Turns what comes after it around.
    "\u{202e}nimda eht",
    "🦊 여우비 🌧️",
    "👩‍👩‍👧‍👦 우리집",
    "=HYPERLINK(\"http://example.com\";\"click\")",
    "{{7*7}} ${7*7} %s &amp; \\n",
    "Z\u{337}a\u{334}l\u{335}g\u{336}o\u{338}",
    "null",
    "ＫＩＭ　０１２",
];
/// Among the first people, every so many has an odd name.
const ODD_EVERY: u64 = 12;
/// Later on, this share of people.
const ODD_SHARE: f64 = 0.002;

/// What the person at this place is called.
pub(super) fn name(place: u64, dice: &mut Dice) -> Name {
    let origin = *dice.pick_weighted(ORIGINS);
    let name = match origin {
        Origin::Korea => {
            let (family, latin) = *dice.pick_weighted(KOREAN_FAMILIES);
            let (first, second) = (dice.pick(KOREAN_FIRST), dice.pick(KOREAN_SECOND));
            let (display, given) = (format!("{family}{}{}", first.0, second.0), format!("{}{}", first.1, second.1));
            Name { display, given, family: latin, origin }
        }
        Origin::Japan => foreign(JAPANESE_FAMILIES, JAPANESE_GIVEN, origin, dice),
        Origin::Elsewhere => foreign(OTHER_FAMILIES, OTHER_GIVEN, origin, dice),
    };
    match odd(place, dice) {
        Some(display) => Name { display: display.to_owned(), ..name },
        None => name,
    }
}

type Part = (&'static str, &'static str);

fn foreign(families: &[Part], givens: &[Part], origin: Origin, dice: &mut Dice) -> Name {
    let (family, given) = (dice.pick(families), dice.pick(givens));
    let display = match origin {
        Origin::Elsewhere => format!("{} {}", given.0, family.0),
        Origin::Japan | Origin::Korea => format!("{} {}", family.0, given.0),
    };
    Name { display, given: given.1.to_owned(), family: family.1, origin }
}

fn odd(place: u64, dice: &mut Dice) -> Option<&'static str> {
    let turn = (place / ODD_EVERY) as usize;
    if turn < ODD.len() {
        return (place % ODD_EVERY == ODD_EVERY - 1).then(|| ODD[turn]);
    }
    dice.chance(ODD_SHARE).then(|| *dice.pick(ODD))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::{DisplayName, Username};

    #[test]
    fn every_name_could_have_been_given_by_its_owner() {
        for odd in ODD {
            assert_eq!(DisplayName::parse(odd).unwrap().as_str(), *odd);
        }
        for place in 0..2_000 {
            let name = name(place, &mut Dice::new(1, place));
            assert!(DisplayName::parse(&name.display).is_ok(), "{}", name.display);
            assert!(Username::parse(&format!("{}.{}", name.given, name.family)).is_ok());
        }
    }

    #[test]
    fn every_odd_name_is_among_the_first_two_hundred() {
        let names: Vec<String> = (0..200).map(|place| name(place, &mut Dice::new(1, place)).display).collect();
        assert!(ODD.iter().all(|odd| names.iter().any(|name| name == odd)));
    }

    #[test]
    fn kim_is_the_name_of_one_in_five() {
        let kims = (0..10_000).filter(|place| name(*place, &mut Dice::new(1, *place)).family == "kim").count();
        assert!((1_800..2_300).contains(&kims), "{kims}");
    }
}
