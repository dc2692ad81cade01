//! Addresses on a command line. Error messages never contain a password or invite code from the address.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::model::{Address, mask};

/// Parses an [`Address`]. A single word without scheme or port is rejected as a likely mistake.
#[derive(Copy, Clone, Debug)]
pub struct AddressParser;

impl TypedValueParser for AddressParser {
    type Value = Address;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Address, Error> {
        let text = value.to_string_lossy();
        whole_address(&text).map_err(|why| {
            let arg = arg.map_or_else(|| "URL".to_owned(), ToString::to_string);
            bad_address(&arg, &text, &why).with_cmd(command)
        })
    }
}

/// The error for an unusable address given for `arg`, with secrets masked.
pub fn bad_address(arg: &str, text: &str, why: &str) -> Error {
    let shown: String = mask::hide_address(text).chars().filter(|c| !c.is_control()).take(200).collect();
    Error::raw(ErrorKind::ValueValidation, format!("invalid value '{shown}' for '{arg}': {why}\n"))
}

/// Parses the address of a Duplex server on a command line.
///
/// # Errors
/// What is wrong with the address.
pub fn whole_address(text: &str) -> Result<Address, String> {
    let address = Address::parse(text).map_err(|bad| bad.to_string())?;
    if is_word(text) { Err(format!("write the whole address: {}", address.url)) } else { Ok(address) }
}

/// Whether a text is a single word without scheme, port or dot. `foo` could be a host, but is more often a misplaced
/// argument. A number may be an IPv4 address.
pub fn is_word(text: &str) -> bool {
    let bare = text.trim().split(['#', '/', '?']).next().unwrap_or_default();
    !text.contains("://") && !bare.contains(['.', ':', '[']) && !bare.eq_ignore_ascii_case("localhost")
}

/// Prints help as it is, or a usage error with secrets masked, and exits.
pub fn end_with(error: &Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let said = error.render().to_string();
    let mut clean = super::mask(&said).into_owned();
    for arg in std::env::args().skip(1).filter(|arg| arg.contains('@')) {
        clean = clean.replace(&arg, &mask::hide_address(&arg));
    }
    if clean == said {
        error.exit();
    }
    use std::io::Write as _;
    // Fails if standard error is closed.
    let _ = std::io::stderr().write_all(clean.as_bytes());
    std::process::exit(error.exit_code());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_must_be_complete_and_errors_mask_their_password() {
        for good in
            ["wss://hub.example", "hub.example", "nas:7870", "localhost", "::1", "ws://nas", "[::1]:1"]
        {
            assert!(whole_address(good).is_ok(), "{good}");
        }
        assert_eq!(whole_address("foo"), Err("write the whole address: wss://foo:7870/v1/socket".to_owned()));
        let command = Command::new("x").arg(Arg::new("url").value_parser(AddressParser));
        for bad in [
            "wss://me:hunter2@hub.test/",
            "wss://hunter2@hub.test",
            "me:hun#hunter2@hub.test",
            "ftp://a:hunter2@b",
        ] {
            let error = command.clone().try_get_matches_from(["x", bad]).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && error.contains("invalid value"), "{error}");
        }
    }
}
