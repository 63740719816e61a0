//! Which people an administrator asks for, and in which order.

use auth_sdk::UserStatus;

use crate::{
    db::Ts,
    fields::{Fault, Fields, parse_time},
    lists::{self, PageQuery, Sort, parse_flag},
    roles::RoleName,
    users::search,
};

/// What a list of people is asked for.
#[derive(Clone, Debug)]
pub struct Filter {
    pub search: Option<Search>,
    pub status: Option<UserStatus>,
    pub verified: Option<bool>,
    pub role: Option<RoleName>,
    pub created_after: Option<Ts>,
    pub last_login_before: Option<Ts>,
    pub deleted: bool,
    pub order: Order,
    pub page: PageQuery,
}

/// What is searched for, folded.
#[derive(Clone, Debug)]
pub enum Search {
    /// One or two characters: what an address or name begins with.
    Prefix(String),
    /// Three or more: what stands anywhere in one.
    Part(String),
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
    EmailAscending,
    EmailDescending,
    LastLoginAscending,
    LastLoginDescending,
}

impl Order {
    const ALL: [Self; 6] = [
        Self::OldestFirst,
        Self::NewestFirst,
        Self::EmailAscending,
        Self::EmailDescending,
        Self::LastLoginAscending,
        Self::LastLoginDescending,
    ];

    /// As the query names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OldestFirst => "created_at",
            Self::NewestFirst => "-created_at",
            Self::EmailAscending => "email",
            Self::EmailDescending => "-email",
            Self::LastLoginAscending => "last_login_at",
            Self::LastLoginDescending => "-last_login_at",
        }
    }

    /// With what its keys are.
    pub const fn sort(self) -> Sort {
        match self {
            Self::OldestFirst | Self::NewestFirst => Sort::ByTime(self.as_str()),
            Self::EmailAscending | Self::EmailDescending => Sort::ByText(self.as_str()),
            Self::LastLoginAscending | Self::LastLoginDescending => Sort::MaybeByTime(self.as_str()),
        }
    }
}

impl Filter {
    /// Takes the parameters.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let order = fields.optional("sort", |text| {
            let known = Order::ALL.into_iter().find(|order| order.as_str() == text);
            known.ok_or_else(|| one_of("created_at, -created_at, email, -email, last_login_at, -last_login_at"))
        });
        let order = order?.unwrap_or(Order::NewestFirst);
        let page = lists::page(fields, order.sort());
        let search = fields.optional("search", |text| Ok(Search::parse(text)));
        let status = fields.optional("status", parse_status);
        let verified = fields.optional("verified", parse_flag);
        let role = fields.optional("role", RoleName::parse);
        let created_after = fields.optional("created_after", parse_time);
        let last_login_before = fields.optional("last_login_before", parse_time);
        let deleted = fields.optional("deleted", parse_flag);
        Some(Self {
            search: search?.flatten(),
            status: status?,
            verified: verified?,
            role: role?,
            created_after: created_after?,
            last_login_before: last_login_before?,
            deleted: deleted?.unwrap_or(false),
            order,
            page: page?,
        })
    }
}

impl Search {
    /// What to look for; nothing in a text of nothing.
    fn parse(text: &str) -> Option<Self> {
        let folded = search::fold(text.trim());
        match folded.chars().count() {
            0 => None,
            1 | 2 => Some(Self::Prefix(folded)),
            _ => Some(Self::Part(folded)),
        }
    }
}

fn parse_status(text: &str) -> Result<UserStatus, Fault> {
    match text {
        "active" => Ok(UserStatus::Active),
        "disabled" => Ok(UserStatus::Disabled),
        "pending" => Ok(UserStatus::Pending),
        _ => Err(one_of("active, disabled, pending")),
    }
}

fn one_of(names: &'static str) -> Fault {
    let mut fault = Fault::new("unknown_value", names, names);
    fault.detail.en = format!("One of {names}.").into();
    fault.detail.ko = format!("{names} 중 하나여야 합니다.").into();
    fault
}
