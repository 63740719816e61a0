//! Logins through providers, as apps, browsers and providers see them: stand-ins that speak each provider's own form.

mod answers;
mod apple;
mod closed;
mod codes;
mod configured;
mod doctor;
mod flow;
mod github;
mod identities;
mod kakao;
mod last_way_in;
mod native;
mod openid;
mod operators;
mod personal_data;
mod proposals;
mod providers;
mod replaced;
mod session_links;
mod steps;
mod support;
mod takeover;
mod tokens;
mod unlinks;
mod webhooks;
