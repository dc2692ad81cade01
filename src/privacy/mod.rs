//! Secrets outside of the model: where they come from (command line, environment, file), and measures that keep them
//! out of child environments, visible command lines and logs.

mod address_arg;
mod block;
mod environment;
pub mod known;
pub mod logging;
mod memory;
mod panics;
mod password;
mod plain;
mod token;

pub use address_arg::{AddressParser, bad_address, end_with, is_word, whole_address};
pub use known::mask;
pub use panics::{tell_plainly, without_places};
pub use password::PasswordOptions;
pub use plain::{Unencrypted, check_encrypted};
pub use token::{TokenError, TokenOptions};

/// Sets an environment variable of this process, which children inherit. Call it in `main` before the first thread
/// starts.
pub fn set_variable(name: &str, value: &str) {
    memory::set_variable(name, value);
}

/// Removes secrets from what others can read of this process: the environment, which children inherit, and the
/// command line. Call it in `main`, right after parsing the arguments and before the first thread starts.
pub fn seal() {
    environment::take();
    memory::hide_arguments();
}
