//! `--proxy`.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::{Arg, Command, Error};

use super::print;
use crate::model::profile::NetworkOptions;
use crate::model::proxy::{ProxyChoice, ProxySource, ProxyUsed};
use crate::privacy;

/// Parses `none`, `automatic`, or the address of a proxy.
#[derive(Copy, Clone, Debug)]
pub(super) struct ProxyParser;

impl TypedValueParser for ProxyParser {
    type Value = NetworkOptions;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<NetworkOptions, Error> {
        let text = value.to_string_lossy();
        let read = ProxyChoice::parse(&text);
        let (proxy, proxy_password) = read.map_err(|bad| {
            let arg = arg.map_or_else(|| "--proxy".to_owned(), ToString::to_string);
            privacy::bad_address(&arg, &text, &bad.to_string()).with_cmd(command)
        })?;
        proxy_password.iter().for_each(|password| privacy::known::add(password.reveal()));
        Ok(NetworkOptions { proxy, proxy_password, ..NetworkOptions::default() })
    }
}

/// Says on standard error through which proxy a connection goes.
pub(super) fn tell(used: &ProxyUsed) {
    let by = match &used.source {
        ProxySource::Chosen => String::new(),
        ProxySource::Variable(name) => format!(" ({name})"),
        ProxySource::System => " (the system's settings)".to_owned(),
    };
    print::error(&format!("connected through the proxy {}{by}", used.address));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_an_address_or_a_word_and_errors_hide_passwords() {
        let read = |text: &str| ProxyParser.parse_ref(&Command::new("x"), None, OsStr::new(text));
        assert_eq!(read("none").unwrap().proxy, ProxyChoice::None);
        assert_eq!(read("automatic").unwrap(), NetworkOptions::default());
        let with_login = read("socks5://me:hunter2@proxy.example").unwrap();
        assert_eq!(with_login.proxy.text(), "socks5://me@proxy.example:1080");
        assert_eq!(with_login.proxy_password.unwrap().reveal(), "hunter2");
        let error = read("gopher://me:hunter2@proxy.example").unwrap_err().to_string();
        assert!(error.contains("http://") && !error.contains("hunter2"), "{error}");
    }
}
