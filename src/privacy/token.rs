//! [`TokenOptions`]: where a program gets a token, the same for every command that takes one.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{environment, known};
use crate::model::profile::Secret;

/// Maximum size of a token or password file, in bytes.
const MAX_FILE_BYTES: u64 = 4096;
/// The expected content of a file, as named in errors.
const TOKEN: &str = "token";

/// The source of a token. Flatten it into a command's flags, and call [`TokenOptions::read`] once.
#[derive(Clone, Default, clap::Args)]
pub struct TokenOptions {
    /// The token. Prefer --token-file: other users of this computer can see a command line. (On Linux the token is
    /// overwritten there as soon as the program has read it; on other systems it stays.)
    ///
    /// Without --token and --token-file, the environment variable DUPLEX_TOKEN is used, or the file that
    /// DUPLEX_TOKEN_FILE names.
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    pub token: Option<String>,
    /// Read the token from this file; - is standard input. On Unix a file that others may read is refused.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// Omits the token.
impl std::fmt::Debug for TokenOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(Secret::new);
        f.debug_struct("TokenOptions").field("token", &token).field("token_file", &self.token_file).finish()
    }
}

/// Why there is no token or password to use. Each message is a sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file, or standard input, cannot be read.
    #[error("the {what} cannot be read from {place}: {error}")]
    Unreadable {
        /// "token" or "password".
        what: &'static str,
        /// The file's name, or "standard input".
        place: String,
        /// The system's error.
        error: io::Error,
    },
    /// Other users may read the file.
    #[error("{path} can be read by other users of this computer; make it yours alone: chmod 600 {path}")]
    Exposed {
        /// The file's name.
        path: String,
    },
    /// The file is empty, or contains more than one line.
    #[error("{place} does not hold a {what}: one line of at most {MAX_FILE_BYTES} bytes")]
    NoToken {
        /// "token" or "password".
        what: &'static str,
        /// The file's name, or "standard input".
        place: String,
    },
}

impl TokenOptions {
    /// Whether an option was given; ignores the environment.
    pub fn is_given(&self) -> bool {
        self.token.is_some() || self.token_file.is_some()
    }

    /// The token from an option or the environment. Logs mask it from then on.
    ///
    /// # Errors
    /// If the given file cannot be read, can be read by others, or contains no token.
    pub fn read(&self) -> Result<Option<Secret>, TokenError> {
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => Some(Secret::new(token.trim())),
            (None, Some(file)) => Some(token_in(file)?),
            (None, None) => match (environment::token(), environment::token_file()) {
                (Some(token), _) => Some(token),
                (None, Some(file)) => Some(token_in(&file)?),
                (None, None) => None,
            },
        };
        if let Some(token) = &token {
            known::add(token.reveal());
        }
        Ok(token)
    }

    /// Whether the token is read from standard input, which cannot be used for anything else then.
    pub fn takes_standard_input(&self) -> bool {
        self.token_file.as_deref() == Some(Path::new("-"))
    }
}

fn token_in(path: &Path) -> Result<Secret, TokenError> {
    Ok(Secret::new(line_in(path, TOKEN)?.trim()))
}

/// Reads the single line of a private file, or of standard input (`-`).
pub(super) fn line_in(path: &Path, what: &'static str) -> Result<String, TokenError> {
    if path == Path::new("-") {
        return read_line(io::stdin().lock(), "standard input", what);
    }
    let place = path.display().to_string();
    let unreadable = |error| TokenError::Unreadable { what, place: place.clone(), error };
    let file = File::open(path).map_err(unreadable)?;
    // Checks the open file, so that it cannot be replaced in between.
    if is_exposed(&file).map_err(unreadable)? {
        return Err(TokenError::Exposed { path: place });
    }
    read_line(file, &place, what)
}

fn read_line(source: impl Read, place: &str, what: &'static str) -> Result<String, TokenError> {
    let unreadable = |error| TokenError::Unreadable { what, place: place.to_owned(), error };
    let mut text = String::new();
    source.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    match (lines.next(), lines.next()) {
        (Some(line), None) if !line.contains(['\r', '\0']) && text.len() as u64 <= MAX_FILE_BYTES => {
            Ok(line.to_owned())
        }
        _ => Err(TokenError::NoToken { what, place: place.to_owned() }),
    }
}

/// Whether others may read a file. systemd credentials show the ACL of their reader as group permissions.
#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let metadata = file.metadata()?;
    // A terminal or a pipe stores nothing.
    let is_kept = !metadata.file_type().is_char_device() && !metadata.file_type().is_fifo();
    let mode = metadata.mode();
    let of_systemd = std::env::var_os("CREDENTIALS_DIRECTORY").is_some() && metadata.uid() == 0;
    let forbidden = if of_systemd && mode & 0o777 == 0o440 { 0o004 } else { 0o044 };
    Ok(is_kept && mode & forbidden != 0)
}

/// Access lists are not checked.
#[cfg(not(unix))]
fn is_exposed(_: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(file: &Path) -> TokenOptions {
        TokenOptions { token: None, token_file: Some(file.to_owned()) }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused_with_a_fix() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "  s3cret-of-jun \n").unwrap();
        for (mode, is_taken) in [
            (0o600, true),
            (0o400, true),
            (0o700, true),
            (0o640, false),
            (0o604, false),
            (0o644, false),
            (0o440, false),
        ] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            match options(&file).read() {
                Ok(token) => assert!(is_taken && token == Some(Secret::new("s3cret-of-jun")), "{mode:o}"),
                Err(error) => {
                    let sentence = error.to_string();
                    assert!(!is_taken && sentence.contains("chmod 600"), "{mode:o}: {sentence}");
                    assert!(!sentence.contains("s3cret"));
                }
            }
        }
    }

    #[test]
    fn a_file_must_contain_exactly_one_line() {
        let read = |text: &str| read_line(text.as_bytes(), "it", TOKEN).map_err(|error| error.to_string());
        assert_eq!(read("abc\r\n").as_deref(), Ok("abc"));
        assert_eq!(read(" a b \n").as_deref(), Ok(" a b "), "a password may begin or end with a space");
        let long = "x".repeat(5000);
        for bad in ["", " \n", "one\ntwo", long.as_str()] {
            assert!(
                read(bad).is_err_and(|sentence| sentence.starts_with("it does not hold a token")),
                "{bad}"
            );
        }
        let missing = options(Path::new("/nowhere/token")).read().unwrap_err().to_string();
        assert!(missing.starts_with("the token cannot be read from /nowhere/token"), "{missing}");
    }

    #[test]
    fn debug_output_omits_the_token() {
        let options = TokenOptions { token: Some("s3cret".into()), token_file: None };
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}
