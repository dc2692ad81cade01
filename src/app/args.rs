//! Command line of the desktop app.

use std::path::PathBuf;

use clap::Parser;

use crate::model::{Address, deep_link};
use crate::privacy::{AddressParser, TokenOptions};

/// Chat and live devices side by side, over one persistent connection to each server.
#[derive(Debug, Parser)]
#[command(
    name = "duplex",
    version,
    after_help = "\
Examples:
  duplex
  duplex duplex://hub.example/general
  duplex --url wss://hub.example --token-file hub.token
  duplex --data-dir /tmp/second
  duplex --screenshot window.png --after 3
  duplex --quit

Log files and reports of crashes are in the folder logs of the data directory; Settings, Data shows
where that is. They hold no messages and no tokens, and are never sent.

Exit codes:
  0  the window was closed
  1  the window could not open, or failed; the last line says why
  2  the command line is wrong"
)]
pub(super) struct Args {
    /// A duplex:// link or an invite to open. If Duplex is running already, its window opens it. Nothing is connected or sent
    /// before you confirm it.
    #[arg(value_name = "LINK", value_parser = link, conflicts_with_all = ["url", "screenshot", "quit"])]
    pub(super) link: Option<String>,
    /// Keep all data in this directory instead of the usual one.
    #[arg(long, value_name = "DIR", value_parser = dir)]
    pub(super) data_dir: Option<PathBuf>,
    /// Connect only to this server, and start no server of your own.
    #[arg(long, value_name = "URL", value_parser = AddressParser)]
    pub(super) url: Option<Address>,
    #[command(flatten)]
    pub(super) token: TokenOptions,
    /// Allow ws:// to another computer: anyone on the network can read the token and all messages.
    #[arg(long, requires = "url")]
    pub(super) insecure: bool,
    /// Start in the tray, without showing the window; minimized where there is no tray.
    #[arg(long, conflicts_with_all = ["screenshot", "quit", "link"])]
    pub(super) hidden: bool,
    /// Save a screenshot of the window to this file, and exit.
    #[arg(long, value_name = "FILE.png", value_parser = picture)]
    pub(super) screenshot: Option<PathBuf>,
    /// With --screenshot: how long to draw first.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) after: Option<f64>,
    /// Close the window that is open on this data, and wait until it has saved everything.
    #[arg(long, conflicts_with_all = ["url", "screenshot"])]
    pub(super) quit: bool,
}

/// A link to open. Links that the system hands over are checked by the window, which tells the person what is wrong; only
/// what is plainly no link is a mistake on the command line.
fn link(text: &str) -> Result<String, String> {
    if deep_link::is_link(text) {
        return Ok(text.to_owned());
    }
    let invite = Address::parse(text).ok().filter(|address| address.invite.is_some());
    let link = invite.and_then(|_| deep_link::invite_link(text));
    link.ok_or_else(|| "a link that begins with duplex://, or an invite".to_owned())
}

/// A directory that may not exist yet.
fn dir(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.metadata() {
        _ if text.is_empty() => Err("the name of a directory".to_owned()),
        Ok(known) if !known.is_dir() => Err("this is a file, not a directory".to_owned()),
        _ => Ok(path),
    }
}

/// An image file in an existing directory.
fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_png = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png"));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        _ if !is_png => Err("a file name that ends in .png".to_owned()),
        Some(folder) if !folder.is_dir() => Err("there is no such directory".to_owned()),
        _ => Ok(path),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=3_600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to 3600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_help_has_exit_codes_and_valid_examples() {
        let help = Args::command().render_help().to_string();
        assert!(help.contains("\nExit codes:\n  0  "), "{help}");
        let examples: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  duplex")).collect();
        assert!(examples.len() >= 5);
        for example in examples {
            let words = std::iter::once("duplex").chain(example.split_whitespace());
            assert!(Args::try_parse_from(words).is_ok(), "duplex{example}");
        }
    }

    #[test]
    fn invalid_arguments_are_rejected() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let file = file.path().to_str().unwrap();
        for words in [
            &["duplex", "foo"][..],
            &["duplex", "wss://hub.example"],
            &["duplex", "duplex://a.example/x", "--url", "wss://b.example"],
            &["duplex", "duplex://a.example/x", "duplex://a.example/y"],
        ] {
            assert!(Args::try_parse_from(words).is_err(), "{words:?}");
        }
        for (link, opened) in [
            ("duplex://a.example/x", "duplex://a.example/x"),
            ("duplex:nonsense", "duplex:nonsense"),
            ("wss://a.example:7870/v1/socket#invite=ABC", "duplex://a.example/#invite=ABC"),
        ] {
            let args = Args::try_parse_from(["duplex", link]).unwrap();
            assert_eq!(args.link.as_deref(), Some(opened));
        }
        for bad in [
            ["--url", "foo"],
            ["--url", "wss://me:hunter2@hub.test"],
            ["--data-dir", file],
            ["--screenshot", "window.jpg"],
            ["--screenshot", "/nowhere/at/all/window.png"],
            ["--after", "-1"],
        ] {
            let error = Args::try_parse_from(["duplex", bad[0], bad[1]]).expect_err(bad[1]);
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
