//! Secrets outside the model: where they come from (command line, environment, file), and that they end nowhere else:
//! not in a child's environment, not in the command line that others see, not in a log.

mod address_arg;
mod block;
mod environment;
pub mod known;
pub mod logging;
mod memory;
mod plain;
mod token;

pub use address_arg::{AddressParser, end_with};
pub use known::mask;
pub use plain::{Unencrypted, check_encrypted};
pub use token::{TokenError, TokenOptions};

/// Takes secrets out of what others can read of this process: the environment, which children inherit, and the command
/// line. Call it in `main`, right after the arguments were parsed and before the first thread starts.
pub fn seal() {
    environment::take();
    memory::hide_arguments();
}
