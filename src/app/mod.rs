//! The desktop app: its command line, its window, and error messages if it cannot start.

mod args;
mod clipboard;
mod crash;
mod desktop;
mod display;
mod fonts;
mod frame_log;
#[cfg_attr(not(all(unix, not(target_os = "macos"))), path = "input_method_system.rs")]
mod input_method;
mod instance;
mod outside;
mod place;
mod repaint;
mod screens;
mod screenshot;
mod signals;
mod window;

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::{CommandFactory as _, Parser as _};

use crate::model::profile::{Profile, Protocol, Secret, Socket};
use crate::model::{Address, ConnectionId, Model, SharedModel};
use crate::settings::log_folder::LogFile;
use crate::ui::text::Language;
use crate::worker::{self, Worker};
use crate::{clock, privacy, settings};

use args::Args;
use desktop::Desktop;
use instance::Instance;
use repaint::RepaintLimiter;

/// The desktop app's command line, for the manual page.
pub fn command() -> clap::Command {
    Args::command()
}

/// The system's language, or English if it is not supported.
fn system_language() -> Language {
    Language::of_locale(&sys_locale::get_locale().unwrap_or_default())
}

/// Runs the desktop app with the program's arguments.
pub fn main() -> ExitCode {
    display::find_console();
    let args = Args::try_parse().unwrap_or_else(|error| privacy::end_with(&error));
    privacy::tell_plainly("duplex");
    // First of all, while no other thread runs.
    privacy::seal();
    input_method::prepare();
    privacy::logging::start("warn,duplex=info");
    // `--quit` is used by programs such as the installer, which read the exit code and inform the user themselves.
    let tell = if args.quit { display::print } else { display::tell };
    let ran = run(args);
    privacy::logging::flush_file();
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            tell(&privacy::without_places(&privacy::mask(&sentence)));
            ExitCode::FAILURE
        }
    }
}

/// Runs the app. The error is a sentence for the user.
fn run(args: Args) -> Result<(), String> {
    if args.screenshot.is_none() && args.after.is_some() {
        return Err("--after needs --screenshot FILE.png.".to_owned());
    }
    let only = args.url.clone().map(|url| command_line_profile(url, &args)).transpose()?;
    let data_dir = match args.data_dir {
        Some(dir) => dir,
        None => settings::data_dir()
            .ok_or("Your home folder is not known. Say where to keep data: --data-dir DIR.")?,
    };
    if args.quit {
        return instance::close(&data_dir);
    }
    settings::private_file::create_dir(&data_dir).map_err(|error| {
        format!(
            "{} cannot be used to keep data: {error}. Choose another folder with --data-dir DIR.",
            data_dir.display()
        )
    })?;
    if let Err(error) = settings::private_file::close(&data_dir) {
        log::warn!("cannot restrict access to {}: {error}", data_dir.display());
    }
    let is_apart = only.is_some() || args.screenshot.is_some();
    let claimed = Instance::claim(&data_dir, args.link.as_deref(), is_apart)?;
    let Some(instance) = claimed else { return Ok(()) };
    match LogFile::open(&data_dir).and_then(|file| privacy::logging::to_file(file, clock::utc_text)) {
        Ok(()) => log::info!("Duplex {} starts", env!("CARGO_PKG_VERSION")),
        Err(error) => log::warn!("no log files are written: {error}"),
    }
    let (_running, left_behind) = crash::Running::begin(&data_dir);
    display::check()?;
    display::end_with_the_display();

    // Before the window opens, so that it appears as configured.
    let (preferences, place, panes) = settings::Settings::glance(&data_dir);
    let banners = left_behind.into_iter().collect();
    let model =
        SharedModel::new(Model { preferences, banners, data_dir: data_dir.clone(), ..Model::default() });
    let gate: Arc<OnceLock<RepaintLimiter>> = Arc::default();
    let wake = {
        let gate = Arc::clone(&gate);
        // Before the window exists no repaint is needed: its first frame shows the model's state.
        Arc::new(move |news| {
            if let Some(gate) = gate.get() {
                gate.ask(news)
            }
        })
    };
    let language = system_language();
    // A screenshot shows the window only.
    let desktop = args.screenshot.is_none().then(|| Desktop::start(language));
    let tell = desktop.as_ref().and_then(|desktop| desktop.teller(model.clone()));
    let worker = Worker::spawn(worker::Options { data_dir, only, tell }, model.clone(), wake)
        .map_err(|error| format!("Cannot start a thread: {error}."))?;
    let shot = args.screenshot.map(|file| screenshot::Plan { file, after: args.after.unwrap_or(2.0) });
    let start = window::Start { place, panes, link: args.link, is_hidden: args.hidden };
    window::open(model, worker, gate, instance, desktop, shot, start)
}

fn command_line_profile(address: Address, args: &Args) -> Result<(Profile, Option<Secret>), String> {
    let token = args.token.read().map_err(|error| format!("{error}."))?;
    if let Some(warning) =
        privacy::check_encrypted(&address.url, args.insecure).map_err(|error| format!("{error}."))?
    {
        log::warn!("{warning}");
    }
    let profile = Profile {
        id: ConnectionId::COMMAND_LINE,
        name: String::new(),
        urls: vec![address.url],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: address.fingerprint,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    };
    Ok((profile, token))
}
