//! What the people of a demonstration log in with, and from where: addresses that are nobody's.

use super::dice::Dice;

/// A browser or an app, and what its owner calls the device.
pub(super) struct Model {
    pub(super) user_agent: &'static str,
    pub(super) device_name: Option<&'static str>,
}

/// A device of one person.
pub(super) struct Device {
    pub(super) model: &'static Model,
    pub(super) ip_address: String,
}

const MODELS: &[(u32, Model)] = &[
    (
        16,
        Model {
            user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            device_name: None,
        },
    ),
    (
        9,
        Model {
            user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            device_name: Some("사무실 PC"),
        },
    ),
    (
        4,
        Model {
            user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Whale/4.29.282.14 Safari/537.36",
            device_name: None,
        },
    ),
    (
        3,
        Model {
            user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
            device_name: None,
        },
    ),
    (
        5,
        Model {
            user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
            device_name: Some("MacBook Pro"),
        },
    ),
    (
        4,
        Model {
            user_agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            device_name: None,
        },
    ),
    (
        13,
        Model {
            user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
            device_name: Some("iPhone 15"),
        },
    ),
    (
        2,
        Model {
            user_agent: "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1",
            device_name: Some("거실 iPad"),
        },
    ),
    (
        9,
        Model {
            user_agent: "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S928N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
            device_name: Some("Galaxy S24 Ultra"),
        },
    ),
    (
        10,
        Model {
            user_agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
            device_name: None,
        },
    ),
    (
        8,
        Model {
            user_agent: "Mozilla/5.0 (Linux; Android 14; SM-S911N Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.81 Mobile Safari/537.36;KAKAOTALK 2411080",
            device_name: None,
        },
    ),
    (
        5,
        Model {
            user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 KAKAOTALK 11.0.3",
            device_name: None,
        },
    ),
    (
        6,
        Model {
            user_agent: "Mozilla/5.0 (Linux; Android 14; SM-A546S Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0.6778.81 Whale/1.0.0.0 Crosswalk/29.131.0.17 Mobile Safari/537.36 NAVER(inapp; search; 2000; 12.9.3)",
            device_name: None,
        },
    ),
    (
        3,
        Model {
            user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 NAVER(inapp; search; 2000; 12.9.2; 14PRO)",
            device_name: None,
        },
    ),
    (
        2,
        Model { user_agent: "DemoApp/3.4.1 (Android 14; SM-F946N) okhttp/4.12.0", device_name: Some("Galaxy Z Fold5") },
    ),
];

/// What an attack is made with.
pub(super) const ATTACKERS: &[&str] = &[
    "python-requests/2.31.0",
    "Go-http-client/1.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:78.0) Gecko/20100101 Firefox/78.0",
];
/// Where an attack comes from (RFC 5737).
pub(super) const ATTACKING: &[&str] =
    &["203.0.113.14", "203.0.113.15", "203.0.113.77", "203.0.113.201", "198.51.100.9", "198.51.100.23"];

impl Device {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self { model: dice.pick_weighted(MODELS), ip_address: address(dice) }
    }
}

/// Of a network that stands behind a carrier's (RFC 6598), that is kept for measurements (RFC 2544), or that documents
/// are written with (RFC 3849): whoever looks one up finds nobody.
fn address(dice: &mut Dice) -> String {
    let [a, b, c] = [dice.below(256), dice.below(256), 1 + dice.below(254)];
    match dice.below(10) {
        0..6 => format!("100.{}.{b}.{c}", 64 + a % 64),
        6..9 => format!("198.{}.{b}.{c}", 18 + a % 2),
        _ => format!("2001:db8:{:x}:{:x}::{c:x}", a + 1, b + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::client::browser_and_os;

    #[test]
    fn addresses_are_written_as_the_service_writes_them() {
        let mut dice = Dice::new(1, 1);
        for _ in 0..1_000 {
            let Device { ip_address, .. } = Device::new(&mut dice);
            assert_eq!(ip_address.parse::<IpAddr>().unwrap().to_string(), ip_address);
        }
        assert!(ATTACKING.iter().all(|address| address.parse::<IpAddr>().is_ok()));
    }

    #[test]
    fn user_agents_are_such_as_are_kept_and_nearly_all_are_known() {
        assert!(MODELS.iter().all(|(_, model)| model.user_agent.len() <= 500));
        let known = MODELS.iter().filter(|(_, model)| browser_and_os(Some(model.user_agent)).0.is_some()).count();
        assert!(known > MODELS.len() / 2, "{known}");
    }
}
