//! The secrets known to this process, and [`mask`], which hides them and similar text before it is shown or written
//! to a file.

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

/// Registers a secret, so that logs and errors mask it. Texts too short to be a secret are ignored.
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

/// Masks the known secrets and everything that looks like one: passwords in URLs, invite codes, `Authorization`.
pub fn mask(text: &str) -> Cow<'_, str> {
    match hide_known(text) {
        Cow::Borrowed(text) => mask::hide_shapes(text),
        Cow::Owned(text) => Cow::Owned(mask::hide_shapes(&text).into_owned()),
    }
}

/// Masks the known secrets only.
pub fn hide_known(text: &str) -> Cow<'_, str> {
    let known = known();
    let secrets: Vec<&str> = known.iter().map(Secret::reveal).collect();
    mask::hide(&secrets, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_and_similar_text_are_masked() {
        add("hidden-by-the-registry");
        add("short");
        let text = "hidden-by-the-registry at wss://me:pass@hub.example#invite=ABC-DEF is short";
        assert_eq!(mask(text), "••• at wss://•••@hub.example#invite=••• is short");
        assert_eq!(hide_known("token=abc hidden-by-the-registry"), "token=abc •••");
    }
}
