//! What each mail says, in English and in Korean.

use jiff::{Timestamp, tz::TimeZone};
use service_kit::{language::Language, problem::Text};

use super::{Mail, Title, link::Purpose};
use crate::{db::Ts, users::Locale};

/// A mail's words in one language.
#[derive(Debug)]
pub struct Letter {
    /// The language's tag.
    pub language: &'static str,
    /// Its subject.
    pub subject: String,
    /// What stands before the link.
    pub before: Vec<String>,
    /// What the link does.
    pub action: Option<String>,
    /// What stands after it.
    pub after: Vec<String>,
}

/// Writes a mail to somebody who reads `locale`; `service` is who writes.
pub fn write(mail: &Mail, locale: Locale, service: &str) -> Letter {
    let language = match locale {
        Locale::En => Language::English,
        Locale::Ko => Language::Korean,
    };
    let in_language = |text: &Text| text.in_language(language).replace("{service}", service);
    Letter {
        language: locale.as_str(),
        subject: in_language(&subject(mail)),
        before: before(mail).iter().map(in_language).collect(),
        action: Purpose::of(mail).map(action).as_ref().map(in_language),
        after: after(mail).iter().map(in_language).collect(),
    }
}

const fn subject(mail: &Mail) -> Text {
    match mail {
        Mail::VerifyEmail => Text::new("Confirm your e-mail address", "이메일 주소를 확인해 주세요"),
        Mail::AlreadyRegistered => Text::new("You already have an account", "이미 가입된 계정이 있습니다"),
        Mail::ResetPassword => Text::new("Choose a new password", "새 비밀번호를 설정해 주세요"),
        Mail::ChangeEmail => Text::new("Confirm your new e-mail address", "새 이메일 주소를 확인해 주세요"),
        Mail::EmailChangeRequested { .. } => {
            Text::new("A change of your e-mail address was requested", "이메일 주소 변경이 요청되었습니다")
        }
        Mail::EmailChanged { .. } => Text::new("Your e-mail address was changed", "이메일 주소가 변경되었습니다"),
        Mail::Invitation => Text::new("You were invited to {service}", "{service}에 초대되었습니다"),
        Mail::NewDevice { .. } => Text::new("New login to your account", "새로운 기기에서 로그인했습니다"),
        Mail::PasswordChanged => Text::new("Your password was changed", "비밀번호가 변경되었습니다"),
        Mail::LinkIdentity { .. } => Text::new("Was this login yours?", "본인이 로그인하셨나요?"),
        Mail::IdentityLinked { .. } => Text::new("A new way to log in", "새로운 로그인 수단이 연결되었습니다"),
        Mail::IdentityUnlinked { .. } => Text::new("A way to log in was removed", "로그인 수단이 해제되었습니다"),
        Mail::SessionReuse => Text::new("We ended one of your sessions", "보안을 위해 세션을 종료했습니다"),
        Mail::DormancyNotice { .. } => Text::new("Your account will be closed", "계정이 곧 휴면 처리됩니다"),
    }
}

fn before(mail: &Mail) -> Vec<Text> {
    match mail {
        Mail::VerifyEmail => vec![Text::new(
            "Somebody, hopefully you, registered at {service} with this address. Open this link to confirm that it is yours.",
            "이 주소로 {service}에 가입 신청이 접수되었습니다. 본인이 신청했다면 아래 링크를 열어 주소를 확인해 주세요.",
        )],
        Mail::AlreadyRegistered => vec![Text::new(
            "Somebody, perhaps you, tried to register at {service} with this address. It has an account already, and nothing was changed.",
            "이 주소로 {service}에 다시 가입하려는 시도가 있었습니다. 이미 가입된 계정이 있으며 변경된 것은 없습니다.",
        )],
        Mail::ResetPassword => vec![Text::new(
            "A new password was asked for your account at {service}. Open this link to choose one.",
            "{service} 계정의 비밀번호 재설정이 요청되었습니다. 아래 링크를 열어 새 비밀번호를 설정해 주세요.",
        )],
        Mail::ChangeEmail => vec![Text::new(
            "This address was given as the new address of an account at {service}. Open this link to confirm it.",
            "이 주소가 {service} 계정의 새 이메일 주소로 입력되었습니다. 아래 링크를 열어 확인해 주세요.",
        )],
        Mail::EmailChangeRequested { to } => vec![told(
            format!(
                "Your account at {{service}} is about to get another e-mail address, {to}. It changes when that address is confirmed."
            ),
            format!(
                "{{service}} 계정의 이메일 주소를 {to}(으)로 바꾸는 요청이 접수되었습니다. 새 주소가 확인되면 변경됩니다."
            ),
        )],
        Mail::EmailChanged { to } => vec![told(
            format!(
                "The e-mail address of your account at {{service}} is now {to}. Mail for the account goes there from now on."
            ),
            format!(
                "{{service}} 계정의 이메일 주소가 {to}(으)로 변경되었습니다. 앞으로 계정 메일은 새 주소로 발송됩니다."
            ),
        )],
        Mail::Invitation => vec![Text::new(
            "An account was made for you at {service}. Open this link to choose its password.",
            "{service}에 회원님의 계정이 만들어졌습니다. 아래 링크를 열어 비밀번호를 설정해 주세요.",
        )],
        Mail::NewDevice { at, ip_address, device, .. } => new_device(*at, ip_address, device.as_deref()),
        Mail::PasswordChanged => vec![Text::new(
            "The password of your account at {service} was changed, and other devices were logged out.",
            "{service} 계정의 비밀번호가 변경되었고 다른 기기에서는 로그아웃되었습니다.",
        )],
        Mail::SessionReuse => vec![Text::new(
            "A key of one of your sessions at {service} was used twice. It may have been stolen, so we ended that session.",
            "{service} 로그인 세션의 키가 두 번 사용되었습니다. 유출되었을 수 있어 해당 세션을 종료했습니다.",
        )],
        Mail::LinkIdentity { provider, .. } => vec![was_it_you(provider)],
        Mail::IdentityLinked { provider } => vec![linked(provider)],
        Mail::IdentityUnlinked { provider } => vec![unlinked(provider)],
        Mail::DormancyNotice { locks_at } => vec![told(
            format!(
                "You have not used your account at {{service}} for a long time. It will be closed on {}. Log in before to keep it.",
                time(*locks_at)
            ),
            format!(
                "{{service}} 계정을 오랫동안 사용하지 않으셨습니다. {}에 휴면 처리될 예정입니다. 계속 사용하려면 그 전에 로그인해 주세요.",
                time(*locks_at)
            ),
        )],
    }
}

fn was_it_you(provider: &Title) -> Text {
    let Title { en, ko } = provider;
    told(
        format!(
            "Somebody logged in at {{service}} through {en} with this address, which has an account already. If that was you, open this link: from then on {en} opens your account too."
        ),
        format!(
            "이 주소를 사용하는 {ko} 계정으로 {{service}}에 로그인하려는 시도가 있었습니다. 이 주소에는 이미 계정이 있습니다. 본인이라면 아래 링크를 열어 주세요. 이후 {ko}(으)로도 로그인할 수 있습니다."
        ),
    )
}

fn linked(provider: &Title) -> Text {
    let Title { en, ko } = provider;
    told(
        format!("Your account at {{service}} can be entered through {en} from now on."),
        format!("이제 {ko}(으)로 {{service}} 계정에 로그인할 수 있습니다."),
    )
}

fn unlinked(provider: &Title) -> Text {
    let Title { en, ko } = provider;
    told(
        format!("Your account at {{service}} can no longer be entered through {en}."),
        format!("더 이상 {ko}(으)로 {{service}} 계정에 로그인할 수 없습니다."),
    )
}

fn new_device(at: Ts, ip_address: &str, device: Option<&str>) -> Vec<Text> {
    let (en, ko) = (device.unwrap_or("Unknown device"), device.unwrap_or("알 수 없는 기기"));
    vec![
        Text::new(
            "Somebody logged in to your account at {service} on a device that we did not know.",
            "처음 보는 기기에서 {service} 계정에 로그인했습니다.",
        ),
        told(format!("{}, {en}, address {ip_address}", time(at)), format!("{}, {ko}, IP 주소 {ip_address}", time(at))),
        Text::new(
            "If this was you, there is nothing to do. If it was not, open this link: it ends that session and sends you a mail to choose a new password.",
            "본인이라면 아무것도 하지 않으셔도 됩니다. 본인이 아니라면 아래 링크를 열어 주세요. 해당 세션을 종료하고 비밀번호 재설정 메일을 보내 드립니다.",
        ),
    ]
}

/// What a link does, on its button.
pub const fn action(purpose: Purpose) -> Text {
    match purpose {
        Purpose::VerifyEmail | Purpose::ChangeEmail => Text::new("Confirm the address", "이메일 주소 확인"),
        Purpose::ResetPassword | Purpose::Invitation | Purpose::ExpiredPassword => {
            Text::new("Choose a password", "비밀번호 설정")
        }
        Purpose::NotMe => Text::new("This was not me", "본인이 아닙니다"),
        Purpose::LinkIdentity => Text::new("This was me: link the account", "본인입니다. 계정을 연결합니다"),
    }
}

fn after(mail: &Mail) -> Vec<Text> {
    let ignore = Text::new(
        "If you did not ask for this, ignore this mail: nothing will change.",
        "요청하지 않으셨다면 이 메일을 무시하세요. 변경되는 것은 없습니다.",
    );
    let reset = Text::new(
        "If this was not you, choose a new password at once: ask for one where you log in.",
        "본인이 아니라면 즉시 로그인 화면에서 비밀번호를 재설정해 주세요.",
    );
    match mail {
        Mail::VerifyEmail | Mail::ChangeEmail => {
            vec![
                Text::new("The link is good once, for 24 hours.", "링크는 24시간 동안 한 번만 사용할 수 있습니다."),
                ignore,
            ]
        }
        Mail::ResetPassword | Mail::LinkIdentity { .. } => {
            vec![
                Text::new("The link is good once, for 15 minutes.", "링크는 15분 동안 한 번만 사용할 수 있습니다."),
                ignore,
            ]
        }
        Mail::Invitation => {
            vec![Text::new("The link is good once, for 7 days.", "링크는 7일 동안 한 번만 사용할 수 있습니다.")]
        }
        Mail::NewDevice { .. } => {
            vec![Text::new("The link is good for 7 days.", "링크는 7일 동안 사용할 수 있습니다.")]
        }
        Mail::AlreadyRegistered => vec![Text::new(
            "If this was you, log in; if you have forgotten your password, ask for a new one where you log in. If it was not you, there is nothing to do.",
            "본인이라면 로그인해 주세요. 비밀번호를 잊으셨다면 로그인 화면에서 재설정할 수 있습니다. 본인이 아니라면 아무것도 하지 않으셔도 됩니다.",
        )],
        Mail::EmailChangeRequested { .. }
        | Mail::EmailChanged { .. }
        | Mail::PasswordChanged
        | Mail::IdentityUnlinked { .. }
        | Mail::SessionReuse => vec![reset],
        Mail::IdentityLinked { .. } => vec![Text::new(
            "If this was not you, log in, remove it among your ways to log in, and choose a new password.",
            "본인이 아니라면 로그인하여 해당 로그인 수단을 해제하고 비밀번호를 변경해 주세요.",
        )],
        Mail::DormancyNotice { .. } => Vec::new(),
    }
}

fn told(en: String, ko: String) -> Text {
    Text { en: en.into(), ko: ko.into() }
}

fn time(at: Ts) -> String {
    Timestamp::from(at).to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SessionId;

    fn all() -> Vec<Mail> {
        let (to, at) = ("k***@example.com".to_owned(), Ts::from_micros(1_767_225_600_000_000));
        let (session, ip_address) = (SessionId(uuid::Uuid::nil()), "203.0.113.7".to_owned());
        let provider = Title { en: "Kakao".to_owned(), ko: "카카오".to_owned() };
        vec![
            Mail::VerifyEmail,
            Mail::AlreadyRegistered,
            Mail::ResetPassword,
            Mail::ChangeEmail,
            Mail::EmailChangeRequested { to: to.clone() },
            Mail::EmailChanged { to },
            Mail::Invitation,
            Mail::NewDevice { session, at, ip_address, device: None },
            Mail::PasswordChanged,
            Mail::SessionReuse,
            Mail::LinkIdentity { identity: uuid::Uuid::nil(), provider: provider.clone() },
            Mail::IdentityLinked { provider: provider.clone() },
            Mail::IdentityUnlinked { provider: provider.clone() },
            Mail::DormancyNotice { locks_at: at },
        ]
    }

    #[test]
    fn every_mail_is_written_in_english_and_in_korean() {
        for mail in all() {
            let (en, ko) = (write(&mail, Locale::En, "Example"), write(&mail, Locale::Ko, "Example"));
            let words = |letter: &Letter| {
                let Letter { subject, before, action, after, .. } = letter;
                let parts = before.iter().chain(action).chain(after);
                format!("{subject}\n{}", parts.map(String::as_str).collect::<Vec<_>>().join("\n"))
            };
            for letter in [&en, &ko] {
                assert!(!letter.before.is_empty() && !words(letter).contains(['{', '}']), "{letter:?}");
                assert_eq!(letter.action.is_some(), Purpose::of(&mail).is_some(), "{letter:?}");
                assert!(words(letter).contains("Example"), "{letter:?}");
            }
            assert!(words(&en).is_ascii(), "{en:?}");
            assert!(words(&ko).lines().all(|line| line.chars().any(|c| ('가'..='힣').contains(&c))), "{ko:?}");
        }
    }

    #[test]
    fn what_is_queued_is_read_again() {
        for mail in all() {
            let text = serde_json::to_string(&mail).unwrap();
            assert!(text.contains(&format!("\"kind\":\"{}\"", mail.kind())), "{text}");
            assert_eq!(serde_json::from_str::<Mail>(&text).unwrap(), mail);
        }
    }
}
