//! Secrets in the environment: read once and removed, so that child processes do not inherit them.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::OnceLock;

use super::{block, known, memory};
use crate::model::profile::Secret;
use crate::model::proxy::Proxy;

/// Environment variable with a token, like `--token`.
const TOKEN: &str = "DUPLEX_TOKEN";
/// Environment variable with a token file, like `--token-file`.
const TOKEN_FILE: &str = "DUPLEX_TOKEN_FILE";
/// Environment variable with the password of a WebSocket user.
const PASSWORD: &str = "DUPLEX_PASSWORD";
/// Variables with proxies, which may have passwords.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// Prefix of this program's variables.
const PREFIX: &str = "DUPLEX_";
/// Words that mark a variable's name as secret.
const SECRET_WORDS: &[&str] = &["TOKEN", "SECRET", "PASSWORD", "INVITE"];

#[derive(Default)]
struct Taken {
    token: Option<Secret>,
    token_file: Option<PathBuf>,
    password: Option<Secret>,
}

static TAKEN: OnceLock<Taken> = OnceLock::new();

/// Removes all of this program's secret variables. Call it before the first thread starts.
pub(super) fn take() {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let token = of(TOKEN).map(|token| Secret::new(token.to_string_lossy().trim()));
    let password = of(PASSWORD).map(|password| Secret::new(password.to_string_lossy()));
    token.iter().chain(&password).for_each(|secret| known::add(secret.reveal()));
    // They stay in the environment: what this program starts needs the same proxies.
    let proxies = PROXIES.iter().filter_map(|name| Proxy::parse(&std::env::var(name).ok()?).ok()?.password);
    proxies.for_each(|password| known::add(password.reveal()));
    // Called once, by `main`.
    let _ = TAKEN.set(Taken { token, token_file: of(TOKEN_FILE).map(PathBuf::from), password });
    let secret: Vec<OsString> =
        std::env::vars_os().filter(|(name, value)| is_secret(name, value)).map(|(name, _)| name).collect();
    memory::remove_variables(&secret);
}

fn is_secret(name: &OsStr, value: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_named_so = || SECRET_WORDS.iter().any(|word| name.contains(word));
    name.starts_with(PREFIX) && (is_named_so() || block::holds_secret(&value.to_string_lossy()))
}

/// The token from the environment.
pub(super) fn token() -> Option<Secret> {
    TAKEN.get()?.token.clone()
}

/// The token file from the environment.
pub(super) fn token_file() -> Option<PathBuf> {
    TAKEN.get()?.token_file.clone()
}

/// The password from the environment.
pub(super) fn password() -> Option<Secret> {
    TAKEN.get()?.password.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_variables_with_secrets_are_removed() {
        let is_secret = |name: &str, value: &str| is_secret(OsStr::new(name), OsStr::new(value));
        assert!(is_secret("DUPLEX_TOKEN", "") && is_secret("DUPLEX_HUB_PASSWORD", "x"));
        assert!(is_secret("DUPLEX_URL", "wss://me:pass@hub.example"));
        assert!(is_secret("DUPLEX_URL", "wss://hub.example#invite=ABC"));
        assert!(is_secret("DUPLEX_AGENT_OPTIONS", "--name Pi --token abc"));
        for (name, value) in
            [("DUPLEX_URL", "wss://hub.example"), ("PATH", "/bin"), ("TOKEN", "x"), ("DUPLEX_DATA_DIR", "/x")]
        {
            assert!(!is_secret(name, value), "{name}");
        }
    }
}
