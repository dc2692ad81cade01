//! The console companion's commands, one file each.

mod agent;
mod args;
mod command;
mod device;
mod devices;
mod follow;
mod generate;
mod hub;
mod invite;
mod print;
mod send;
mod tail;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use crate::settings;
use args::{Args, Command};

/// Exit codes, documented in `--help`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Exit {
    /// Done.
    Done = 0,
    /// It failed; the last line says why.
    Failed = 1,
    // 2 is clap's: the words on the command line are wrong.
    /// The server refused it; trying again will not help.
    Refused = 3,
    /// Not delivered in time; the server never saw it.
    TimedOut = 4,
    /// Sent, and no answer came in time: it may be there or not. Sending it again with the same --id is safe.
    Unknown = 5,
}

/// Why a command failed: a sentence for the person, and the code to leave with.
struct Failure {
    exit: Exit,
    sentence: String,
}

impl Failure {
    fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Failure { exit, sentence: sentence.into() }
    }
}

/// Where a hub keeps everything unless told otherwise: beside the app's own.
fn default_hub_dir(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let usual = || settings::data_dir().map(|dir| dir.join("hub"));
    let unknown = || {
        Failure::new(Exit::Failed, "your home folder is not known; say where to keep data: --data-dir DIR")
    };
    given.or_else(usual).ok_or_else(unknown)
}

/// Runs the console companion with the program's arguments. `app`: the flags of the window's program, for `generate`.
#[allow(clippy::print_stderr)]
pub fn main(app: fn() -> clap::Command) -> ExitCode {
    let args = Args::parse();
    let level = if args.verbose { "info" } else { "warn" };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(level)).init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("duplexctl: the system gives no event loop: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = match args.command {
        Command::Hub(command) => runtime.block_on(hub::run(command)),
        Command::Invite(command) => invite::run(command),
        Command::Tail(command) => runtime.block_on(tail::run(command)),
        Command::Send(command) => runtime.block_on(send::run(command)),
        Command::Agent(command) => runtime.block_on(agent::run(command)),
        Command::Set(command) => runtime.block_on(command::run(command)),
        Command::Device(command) => device::run(command),
        Command::Generate { share } => generate::run(&share, app()),
    };
    // A closing handshake under way may take its moment.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { exit, sentence }) => {
            if !sentence.is_empty() {
                eprintln!("duplexctl: {sentence}");
            }
            ExitCode::from(exit as u8)
        }
    }
}
