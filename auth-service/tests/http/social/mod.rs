//! Logins through providers, as apps, browsers and providers see them: stand-ins that speak each provider's own form.

mod answers;
mod codes;
mod flow;
mod kakao;
mod steps;
mod support;
mod unlinks;
mod webhooks;
