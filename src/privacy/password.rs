//! [`PasswordOptions`]: where a program gets the password of a WebSocket user. No option takes the password itself,
//! because other users can see the command line.

use std::path::{Path, PathBuf};

use super::token::line_in;
use super::{TokenError, environment, known};
use crate::model::profile::Secret;

/// The source of a password. Flatten it into a command's flags.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PasswordOptions {
    /// Read the user's password from this file; - is standard input. On Unix a file that others may read is refused.
    ///
    /// Without it, the password in the URL is used, or the environment variable DUPLEX_PASSWORD.
    #[arg(long, value_name = "FILE", help_heading = "With --protocol websocket")]
    pub password_file: Option<PathBuf>,
}

impl PasswordOptions {
    /// The password from the file, the address or the environment, in this order. Logs mask it from then on.
    ///
    /// # Errors
    /// If the given file cannot be read, can be read by others, or contains no password.
    pub fn read(&self, of_address: Option<&Secret>) -> Result<Option<Secret>, TokenError> {
        let password = match &self.password_file {
            Some(file) => Some(Secret::new(line_in(file, "password")?)),
            None => of_address.cloned().or_else(environment::password),
        };
        if let Some(password) = &password {
            known::add(password.reveal());
        }
        Ok(password)
    }

    /// Whether the password is read from standard input, which cannot be used for anything else then.
    pub fn takes_standard_input(&self) -> bool {
        self.password_file.as_deref() == Some(Path::new("-"))
    }
}
