//! The policy: what a chosen password must be, and for how long it may be used.

use std::{fmt, io, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use service_kit::config::Env;

use super::{
    Weakness,
    breached::BreachedList,
    composition,
    estimate::{self, OwnWords},
    password::{MAX_CHARACTERS, MIN_CHARACTERS},
};
use crate::db::Ts;

const DAY: Duration = Duration::from_secs(86_400);
/// Characters from which `kisa-2019` is content with one kind.
pub const ENOUGH_OF_ONE_KIND: usize = 10;

/// Which rule passwords go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// NIST SP 800-63B: no demands of composition, but an estimate of the strength.
    #[default]
    Nist,
    /// KISA's guide of 2019: 8 characters of two kinds or 10 of one, no runs, nothing of one's own.
    Kisa2019,
    /// Letters, digits and special characters, as many regulations in Korea demanded before.
    Legacy8x3,
}

/// What a chosen password must be, and for how long it may be used.
#[derive(Clone, Default)]
pub struct Policy {
    preset: Preset,
    min_length: usize,
    breached: Option<Arc<BreachedList>>,
    expires_after_days: Option<u32>,
}

impl Preset {
    /// The preset's name in the configuration and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nist => "nist",
            Self::Kisa2019 => "kisa-2019",
            Self::Legacy8x3 => "legacy-8x3",
        }
    }
}

impl FromStr for Preset {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Nist, Self::Kisa2019, Self::Legacy8x3];
        all.into_iter().find(|preset| preset.as_str() == text).ok_or("write `nist`, `kisa-2019` or `legacy-8x3`")
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Policy {
    /// Reads the configuration, and looks into the list of breached passwords if there is one.
    pub fn read(env: &mut Env, min_length: usize) -> Self {
        let preset = env.parse(
            "PASSWORD_POLICY",
            "nist",
            "`nist`: length and strength; `kisa-2019`: 8 characters of two kinds or 10 of one; `legacy-8x3`: 8 of three kinds.",
        );
        let path: Option<PathBuf> = env.optional(
            "PASSWORD_BREACHED_FILE",
            "File of sorted SHA-1 hashes (`HASH` or `HASH:COUNT`, or their first 12 digits and more) of passwords to refuse.",
        );
        let breached = path.and_then(|path| match BreachedList::open(&path) {
            Ok(list) => Some(Arc::new(list)),
            Err(cause) => {
                env.refuse(format!("PASSWORD_BREACHED_FILE {}: {cause}", path.display()));
                None
            }
        });
        let expires_after_days = env.optional(
            "PASSWORD_EXPIRES_DAYS",
            "Days after which a password must be replaced at the next login, 1 to 3650; never without it.",
        );
        if expires_after_days.is_some_and(|days| !(1..=3650).contains(&days)) {
            env.refuse("PASSWORD_EXPIRES_DAYS must be 1 to 3650");
        }
        Self { preset, min_length, breached, expires_after_days }
    }

    /// Refuses a password that the policy does not take of somebody with these words.
    ///
    /// # Errors
    /// When the list of breached passwords cannot be read.
    pub(super) fn assess(&self, password: &str, own_words: &OwnWords) -> io::Result<Option<Weakness>> {
        if estimate::is_common(password) {
            return Ok(Some(Weakness::Common));
        }
        let by_preset = match self.preset {
            Preset::Nist => estimate::estimate(password, own_words),
            Preset::Kisa2019 => assess_kisa(password, own_words),
            Preset::Legacy8x3 if composition::count_kinds(password) < 3 => Err(Weakness::NeedsThreeKinds),
            Preset::Legacy8x3 => Ok(()),
        };
        if let Err(weakness) = by_preset {
            return Ok(Some(weakness));
        }
        let is_breached = self.breached.as_ref().map_or(Ok(false), |list| list.holds(password))?;
        Ok(is_breached.then_some(Weakness::Breached))
    }

    /// Whether a password that was chosen then must be replaced now.
    #[must_use]
    pub fn is_expired(&self, chosen_at: Ts, now: Ts) -> bool {
        self.expires_after_days.is_some_and(|days| now.since(chosen_at) >= DAY * days)
    }

    /// The policy as forms are told of it.
    #[must_use]
    pub fn to_wire(&self) -> auth_sdk::PasswordPolicy {
        let (min_kinds, any_kind_from_length) = match self.preset {
            Preset::Nist => (1, None),
            Preset::Kisa2019 => (2, Some(ENOUGH_OF_ONE_KIND)),
            Preset::Legacy8x3 => (3, None),
        };
        auth_sdk::PasswordPolicy {
            policy: self.preset.as_str().to_owned(),
            min_length: self.min_length.clamp(MIN_CHARACTERS, MAX_CHARACTERS),
            max_length: MAX_CHARACTERS,
            min_kinds,
            any_kind_from_length,
            refuses_runs: self.preset == Preset::Kisa2019,
            refuses_own_names: self.preset == Preset::Kisa2019,
            estimates_strength: self.preset == Preset::Nist,
            checks_common: true,
            checks_breached: self.breached.is_some(),
            expires_after_days: self.expires_after_days,
        }
    }
}

fn assess_kisa(password: &str, own_words: &OwnWords) -> Result<(), Weakness> {
    let is_long = password.chars().count() >= ENOUGH_OF_ONE_KIND;
    if !is_long && composition::count_kinds(password) < 2 {
        return Err(Weakness::NeedsTwoKinds);
    }
    if composition::has_run(password) {
        return Err(Weakness::Run);
    }
    if own_words.is_named_in(password) { Err(Weakness::OwnName) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assess(preset: Preset, password: &str) -> Option<Weakness> {
        let policy = Policy { preset, ..Policy::default() };
        policy.assess(password, &OwnWords::new(["dalrae@example.com", "MoonLit"])).unwrap()
    }

    #[test]
    fn kisa_takes_eight_of_two_kinds_or_ten_of_one() {
        for password in ["hkwqprvm7", "hkwqprv!", "비밀번호 열쇠", "hkwqprvmzx", "8305927461", "비밀번호열쇠구멍바람"]
        {
            assert_eq!(assess(Preset::Kisa2019, password), None, "{password}");
        }
        for (password, weakness) in [
            ("hkwqprvm", Weakness::NeedsTwoKinds),
            ("hkwqprvmz", Weakness::NeedsTwoKinds),
            ("hkwq777prvm", Weakness::Run),
            ("hkwqabcprvm", Weakness::Run),
            ("hkwq321prvm", Weakness::Run),
            ("xxDalRae!92", Weakness::OwnName),
            ("!92moonlit", Weakness::OwnName),
            ("qwer1234", Weakness::Common),
        ] {
            assert_eq!(assess(Preset::Kisa2019, password), Some(weakness), "{password}");
        }
    }

    #[test]
    fn legacy_takes_three_kinds() {
        assert_eq!(assess(Preset::Legacy8x3, "dalrae1!"), None);
        assert_eq!(assess(Preset::Legacy8x3, "dalrae12"), Some(Weakness::NeedsThreeKinds));
        assert_eq!(assess(Preset::Legacy8x3, "correct horse battery"), Some(Weakness::NeedsThreeKinds));
        assert_eq!(assess(Preset::Legacy8x3, "p@ssw0rd"), Some(Weakness::Common));
    }

    #[test]
    fn a_password_expires_after_its_days_and_never_without_any() {
        let (chosen, policy) = (Ts::from_micros(0), Policy { expires_after_days: Some(90), ..Policy::default() });
        assert!(!policy.is_expired(chosen, chosen.plus(DAY * 90).minus(Duration::from_micros(1))));
        assert!(policy.is_expired(chosen, chosen.plus(DAY * 90)));
        assert!(!Policy::default().is_expired(chosen, Ts::from_micros(i64::MAX)));
    }
}
