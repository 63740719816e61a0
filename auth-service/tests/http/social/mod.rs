//! Logins through providers, as apps, browsers and providers see them: stand-ins that speak each provider's own form.

mod kakao;
mod support;
mod unlinks;
mod webhooks;
