//! [`PasswordOptions`]: how a program is given the password of a WebSocket's user. No option takes the password itself: other
//! users of the computer can see a command line.

use std::path::{Path, PathBuf};

use super::token::line_in;
use super::{TokenError, environment, known};
use crate::model::profile::Secret;

/// Where a password comes from. Flatten it into a command's flags.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PasswordOptions {
    /// Read the user's password from this file; - is standard input. On Unix a file that others may read is refused.
    ///
    /// Without it, the password in the URL is used, or the environment variable DUPLEX_PASSWORD.
    #[arg(long, value_name = "FILE", help_heading = "With --protocol websocket")]
    pub password_file: Option<PathBuf>,
}

impl PasswordOptions {
    /// The password: of the file, else of the address, else of the environment. It is masked in logs from then on.
    ///
    /// # Errors
    /// When a file was named that cannot be read, that others may read, or that holds no password.
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

    /// Whether the password is to be read from standard input, which is then not there for anything else.
    pub fn takes_standard_input(&self) -> bool {
        self.password_file.as_deref() == Some(Path::new("-"))
    }
}
