//! The desktop app's arguments.

use std::path::PathBuf;

use clap::Parser;

use crate::privacy::TokenOptions;

/// Chat and live devices side by side, over one persistent connection to each server.
#[derive(Debug, Parser)]
#[command(
    name = "duplex",
    version,
    after_help = "\
Examples:
  duplex                                     your rooms, and a hub of your own
  duplex --url wss://hub.example --token-file FILE
                                             one server, for this run alone
  duplex --data-dir /tmp/second              a second window beside the first
  duplex --screenshot window.png --after 3   draw for three seconds, save, leave
  duplex --quit                              close the window that is open"
)]
pub(super) struct Args {
    /// Keep everything in this folder instead of the usual one.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// Connect to this server alone, and start no hub.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    #[command(flatten)]
    pub(super) token: TokenOptions,
    /// Send the token over ws:// to another computer: it and all messages can be read on the way.
    #[arg(long, requires = "url")]
    pub(super) insecure: bool,
    /// Save a picture of the window to this file, and leave.
    #[arg(long, value_name = "FILE.png")]
    pub(super) screenshot: Option<PathBuf>,
    /// With --screenshot: how long to draw first.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) after: Option<f64>,
    /// Close the window that runs on this data, and wait until it has saved everything and ended.
    #[arg(long, conflicts_with_all = ["url", "screenshot"])]
    pub(super) quit: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=3_600.0).contains(&seconds) => Ok(seconds),
        _ => Err("a number of seconds from 0 to 3600".to_owned()),
    }
}
