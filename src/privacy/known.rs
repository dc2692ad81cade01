//! The secrets that this process knows, and [`mask`], which hides them, and whatever looks like one, in a text that a
//! person or a file is to see.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::mask;
use crate::model::profile::Secret;

/// Maximum number of secrets that are remembered; the oldest is forgotten first.
const MAX_KNOWN: usize = 256;

static KNOWN: Mutex<Vec<Secret>> = Mutex::new(Vec::new());

fn known() -> MutexGuard<'static, Vec<Secret>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers a secret, so that no log and no error names it. One that is too short to be a secret is left out.
pub fn add(secret: &str) {
    if secret.len() < mask::MIN_SECRET_BYTES {
        return;
    }
    let mut known = known();
    if known.iter().any(|known| known.reveal() == secret) {
        return;
    }
    if known.len() == MAX_KNOWN {
        known.remove(0);
    }
    known.push(Secret::new(secret));
}

/// A text without the secrets that this process knows, and without anything else that reads like one: passwords in URLs,
/// codes of invites, `Authorization`.
pub fn mask(text: &str) -> Cow<'_, str> {
    match hide_known(text) {
        Cow::Borrowed(text) => mask::hide_shapes(text),
        Cow::Owned(text) => Cow::Owned(mask::hide_shapes(&text).into_owned()),
    }
}

/// A text without the secrets that this process knows.
pub fn hide_known(text: &str) -> Cow<'_, str> {
    let known = known();
    let secrets: Vec<&str> = known.iter().map(Secret::reveal).collect();
    mask::hide(&secrets, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_process_knows_and_what_looks_like_a_secret_are_hidden() {
        add("hidden-by-the-registry");
        add("short");
        let text = "hidden-by-the-registry at wss://me:pass@hub.example#invite=ABC-DEF is short";
        assert_eq!(mask(text), "••• at wss://•••@hub.example#invite=••• is short");
        assert_eq!(hide_known("token=abc hidden-by-the-registry"), "token=abc •••");
    }
}
