//! Somebody at a browser that has been nowhere before.

use std::{
    ops::Deref,
    sync::{Mutex, PoisonError},
    thread,
};

use test_peers::{Browser, Outlook};

use super::tongue::Tongue;

/// Browsers that nobody is at: to start one takes longer than most tests. They end with this process.
static IDLE: Mutex<Vec<Browser>> = Mutex::new(Vec::new());

/// A browser for one test.
pub struct Visitor(Option<Browser>);

impl Visitor {
    /// Somebody who reads this language.
    pub fn come(tongue: Tongue) -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let visitor = Self(Some(idle.unwrap_or_else(|| Browser::start().unwrap())));
        visitor.forget_everything(tongue);
        visitor
    }

    /// Comes again as somebody else.
    pub fn forget_everything(&self, tongue: Tongue) {
        self.start_afresh_as(&Outlook { locale: tongue.locale(), ..Outlook::default() }).unwrap();
    }
}

impl Deref for Visitor {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        self.0.as_ref().unwrap()
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        // What a failed test leaves behind may be a browser that hangs.
        if let Some(browser) = self.0.take().filter(|_| !thread::panicking()) {
            IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(browser);
        }
    }
}
