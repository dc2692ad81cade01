//! The console companion's commands, one file each.

mod admin;
mod agent;
#[cfg(target_os = "linux")]
mod agent_files;
#[cfg(target_os = "linux")]
mod agent_service;
mod archive;
mod args;
mod change;
mod command;
mod device;
mod devices;
mod doctor;
mod file;
mod follow;
mod generate;
mod health;
mod help;
mod hook;
mod hub;
mod invite;
mod limits;
mod mqtt;
mod notify;
mod people;
mod print;
mod proxy;
mod read_one;
mod reason;
mod room;
mod send;
mod send_frame;
mod send_mapped;
mod socketio;
mod tail;
mod tail_frames;
mod transport;
mod upkeep;
mod values;
mod websocket;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::{privacy, settings};
use args::{Args, Command};

/// Exit codes, documented in `--help`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Exit {
    /// Success.
    Done = 0,
    /// Failure; the last line says why.
    Failed = 1,
    // 2 is clap's code for an invalid command line.
    /// The server refused it; trying again does not help.
    Refused = 3,
    /// Not delivered in time; the server has not received it.
    TimedOut = 4,
    /// Sent without an answer in time, so the outcome is unknown. Sending it again with the same --id is safe.
    Unknown = 5,
    /// Sent to a server that confirms nothing; the server has sent something since.
    Unconfirmed = 6,
    /// The server was not reached, or nothing that Duplex speaks leads to it.
    NoTransport = 7,
}

/// Why a command failed: a sentence, and the exit code.
struct Failure {
    exit: Exit,
    sentence: String,
}

impl Failure {
    fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Failure { exit, sentence: sentence.into() }
    }
}

/// The default data directory of a hub, beside the app's.
fn default_hub_dir(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    match given {
        Some(dir) => Ok(dir),
        None => Ok(app_dir()?.join("hub")),
    }
}

/// The data directory of the hub on this computer: `duplexctl hub`'s or the app's own, whichever exists; if both exist,
/// the one that is running.
fn hub_dir_here(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    match given {
        Some(dir) => Ok(dir),
        None => hub_dir_in(&app_dir()?),
    }
}

fn hub_dir_in(app: &Path) -> Result<PathBuf, Failure> {
    let (own, apps) = (app.join("hub"), app.to_owned());
    match (crate::hub::is_there(&own), crate::hub::is_there(&apps)) {
        (true, false) => Ok(own),
        (false, true) => Ok(apps),
        (false, false) => Err(Failure::new(
            Exit::Failed,
            "there is no hub on this computer yet: start Duplex or `duplexctl hub`, or say where it keeps its data: \
             --data-dir DIR",
        )),
        (true, true) => match (crate::hub::is_running(&own), crate::hub::is_running(&apps)) {
            (true, false) => Ok(own),
            (false, true) => Ok(apps),
            _ => Err(Failure::new(
                Exit::Failed,
                format!(
                    "there are two hubs on this computer: say which, --data-dir {} (of duplexctl hub) or \
                     --data-dir {} (the app's own)",
                    own.display(),
                    apps.display()
                ),
            )),
        },
    }
}

/// The app's data directory.
fn app_dir() -> Result<PathBuf, Failure> {
    let unknown = "your home folder is not known; say where to keep data: --data-dir DIR";
    settings::data_dir().ok_or_else(|| Failure::new(Exit::Failed, unknown))
}

/// Runs the program with its arguments. `app`: the window's flags, for `generate`.
pub fn main(app: fn() -> clap::Command) -> ExitCode {
    let args = Args::read();
    privacy::tell_plainly("duplexctl");
    // First, while there are no other threads.
    privacy::seal();
    privacy::logging::start(if args.verbose { "info" } else { "warn" });
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::error(&format!("the system gives no event loop: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let result = match args.command {
        Command::Hub(args::Hub { upkeep: Some(command), .. }) => upkeep::run(command),
        Command::Hub(command) => runtime.block_on(hub::run(command)),
        Command::Invite(command) => runtime.block_on(invite::run(command)),
        Command::People(command) => runtime.block_on(people::run(command)),
        Command::Room(command) => runtime.block_on(room::run(command)),
        Command::Tail(command) => runtime.block_on(tail::run(command)),
        Command::Send(command) => runtime.block_on(send::run(command)),
        Command::File(command) => runtime.block_on(file::run(command)),
        Command::React(command) => runtime.block_on(change::react(command)),
        Command::Edit(command) => runtime.block_on(change::edit(command)),
        Command::Delete(command) => runtime.block_on(change::delete(command)),
        Command::Agent(command) => runtime.block_on(agent::run(command)),
        Command::Set(command) => runtime.block_on(command::run(command)),
        Command::ReadOne(command) => runtime.block_on(read_one::run(command)),
        Command::Publish(command) => runtime.block_on(mqtt::publish(command)),
        Command::Device(command) => runtime.block_on(device::run(command)),
        Command::Hook(command) => hook::run(command),
        Command::Notify(command) => notify::run(command),
        Command::Export(command) => runtime.block_on(archive::run_export(command)),
        Command::Import(command) => runtime.block_on(archive::run_import(command)),
        Command::Doctor(command) => runtime.block_on(doctor::run(command)),
        Command::Health(command) => runtime.block_on(health::run(command)),
        Command::Generate { share } => generate::run(&share, app()),
    };
    // Leaves time for a close handshake.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { exit, sentence }) => {
            if !sentence.is_empty() {
                print::error(&sentence);
            }
            ExitCode::from(exit as u8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hub_of_this_computer_is_found_wherever_it_is() {
        let app = tempfile::tempdir().unwrap();
        let found = || hub_dir_in(app.path()).map_err(|failure| failure.sentence);
        assert!(found().unwrap_err().contains("no hub on this computer"));
        let start = |dir: &Path| crate::hub::spawn(crate::hub::Options::embedded(dir)).unwrap();
        start(app.path()).shutdown();
        assert_eq!(found(), Ok(app.path().to_owned()), "the app's own, whether it runs or not");
        let own = start(&app.path().join("hub"));
        assert_eq!(found(), Ok(app.path().join("hub")), "the one that runs");
        own.shutdown();
        let apps = start(app.path());
        assert_eq!(found(), Ok(app.path().to_owned()));
        apps.shutdown();
        assert!(found().unwrap_err().contains("two hubs"), "nobody knows which is meant");
    }
}
