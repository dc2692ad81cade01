//! `duplexctl agent install`, `uninstall` and `status`: the agent as a service of systemd.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::timeout;

use super::agent_files::{self, Changes, Place, is_ours, is_there, quoted};
use super::args::{Access, AgentInstall, AgentPlace, AgentRoot, Server};
use super::follow::Follow;
use super::{Exit, Failure, print};
use crate::model::event::LinkEvent;
use crate::model::link_state::LinkState;
use crate::model::profile::Secret;
use crate::model::proxy::{Proxy, ProxyChoice};
use crate::model::{Address, DeviceId, Event, Offset, Principal, PrincipalKind};
use crate::privacy::TokenOptions;
use crate::wire::SavedState;

/// How long the server may take to welcome us.
const CHECK: Duration = Duration::from_secs(20);

pub(super) async fn install(command: AgentInstall) -> Result<(), Failure> {
    let place = Place::new(&command.place);
    check_rights(&place.root, "install")?;
    check_systemd(&place.root)?;
    let unit = place.packaged_unit()?;
    place.check_settings()?;
    let program = program(&place, unit.is_none())?;
    let ca = command.ca_file.as_deref().map(agent_files::read_ca).transpose()?;
    let token = token(&command)?;
    let (me, server) = check_server(&command, &token).await?;
    let settings = settings(&command, &token, &place)?;

    let had_settings = is_there(&place.settings());
    let mut changes = Changes::default();
    let mut apply = || {
        match &ca {
            Some(ca) => changes.write(&place.ca_file(), ca, 0o644)?,
            None => changes.remove(&place.ca_file())?,
        }
        changes.write(&place.settings(), settings.as_bytes(), 0o600)?;
        match unit {
            // One that an earlier install wrote would still start the program of then.
            Some(_) => changes.remove(&place.unit())?,
            None => {
                let text = agent_files::unit_for(&program);
                changes.write(&place.unit(), text.as_bytes(), 0o644)?;
            }
        }
        systemctl(&["daemon-reload"])?;
        systemctl(&["enable", &place.service()])?;
        systemctl(&["restart", &place.service()])
    };
    if let Err(failure) = apply() {
        undo(&place, changes, had_settings);
        let sentence = format!("{}; everything is as it was before", failure.sentence);
        return Err(Failure { sentence, ..failure });
    }
    changes.keep();
    let unit = unit.unwrap_or_else(|| place.unit());
    explain(&place, &unit, &me, command.id.as_ref(), &server)
}

/// Puts files and services back. What fails then was not running before either.
fn undo(place: &Place, changes: Changes, had_settings: bool) {
    if !had_settings {
        let _ = systemctl(&["disable", "--now", &place.service()]);
    }
    drop(changes);
    let _ = systemctl(&["daemon-reload"]);
    if had_settings {
        let _ = systemctl(&["restart", &place.service()]);
    }
}

fn explain(
    place: &Place,
    unit: &Path,
    me: &Principal,
    id: Option<&DeviceId>,
    server: &str,
) -> Result<(), Failure> {
    let name = place.service();
    let of_token = || (me.kind == PrincipalKind::Device).then(|| me.id.0.clone());
    let id = id.map(ToString::to_string).or_else(of_token);
    let id = id.unwrap_or_else(|| crate::agent::host_id().to_string());
    let service = name.trim_end_matches(".service");
    let option = match service.trim_start_matches("duplex-agent@") {
        "default" => String::new(),
        other => format!(" --service {other}"),
    };
    print::line(&format!(
        "this computer is the device {} of {} now, also after each start\n\
         settings:  {} (with the token; only root can read it)\n\
         unit:      {}\n\
         log:       journalctl -u {service}\n\
         remove it: sudo duplexctl agent uninstall{option}",
        print::harmless(&id),
        print::harmless(server),
        place.settings().display(),
        unit.display(),
    ))
}

pub(super) fn uninstall(place: AgentPlace) -> Result<(), Failure> {
    let place = Place::new(&place);
    check_rights(&place.root, "uninstall")?;
    // Without settings, the service cannot be ours, except for what a broken uninstall left.
    let settings = place.settings();
    if is_there(&settings) && !is_ours(&settings) {
        return print::line(&format!(
            "{} was not written by `duplexctl agent install`, and is left alone",
            settings.display()
        ));
    }
    let mut removed = Vec::new();
    let mut failure = None;
    let has_systemd = place.root.join("run/systemd/system").is_dir();
    if has_systemd && (is_there(&settings) || is_there(&place.link())) {
        match systemctl(&["disable", "--now", &place.service()]) {
            Ok(()) => removed.push(format!("the service {}", place.service())),
            Err(why) => failure = Some(why),
        }
    }
    let others = Place::all_settings(&place.root).iter().any(|other| *other != settings);
    let unit = Some(place.unit()).filter(|unit| is_ours(unit) && !others);
    for path in [Some(place.link()), Some(settings), Some(place.ca_file()), unit].into_iter().flatten() {
        match fs::remove_file(&path) {
            Ok(()) => removed.push(path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let sentence = format!("{} cannot be removed: {error}", path.display());
                failure = Some(Failure::new(Exit::Failed, sentence));
            }
        }
    }
    // It stays where it is not empty, as with a hub's settings.
    if !removed.is_empty() {
        let _ = fs::remove_dir(place.root.join("etc/duplex"));
    }
    if has_systemd && !removed.is_empty() {
        // A unit that failed would be listed on.
        let _ = systemctl(&["daemon-reload"]);
        let _ = systemctl(&["reset-failed", &place.service()]);
    }
    match failure {
        Some(failure) => Err(failure),
        None if removed.is_empty() => print::line("nothing was installed"),
        None => print::line(&format!("removed: {}", removed.join(", "))),
    }
}

pub(super) fn status(root: &AgentRoot) -> Result<(), Failure> {
    let all = Place::all_settings(&root.root);
    if all.is_empty() {
        return print::line("nothing is installed");
    }
    for settings in all {
        let name = settings.file_stem().unwrap_or_default().to_string_lossy();
        let name = name.trim_start_matches("agent-");
        let service = format!("duplex-agent@{name}.service");
        let state = Command::new("systemctl").args(["is-active", &service]).stderr(Stdio::null()).output();
        let state = state.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        let state = state.ok().filter(|state| !state.is_empty()).unwrap_or_else(|| "unknown".to_owned());
        // Only root may read it.
        let text = agent_files::read(&settings).unwrap_or_default();
        let url = text.lines().find_map(|line| line.strip_prefix("DUPLEX_URL=")).unwrap_or("");
        let url = Address::parse(url.trim_matches('"')).map(|address| address.url).unwrap_or_default();
        print::line(&print::columns(&[(name, 12), (&state, 10), (&url, 0)]))?;
    }
    Ok(())
}

fn check_rights(root: &Path, verb: &str) -> Result<(), Failure> {
    if root != Path::new("/") || rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let sentence = format!("this needs root: sudo duplexctl agent {verb} …");
    Err(Failure::new(Exit::Failed, sentence))
}

fn check_systemd(root: &Path) -> Result<(), Failure> {
    if root.join("run/systemd/system").is_dir() {
        return Ok(());
    }
    let sentence = "this system does not run systemd; have what starts its services run \
                    `duplexctl agent --url URL --token-file FILE`";
    Err(Failure::new(Exit::Failed, sentence))
}

/// The program that our unit would start.
fn program(place: &Place, is_needed: bool) -> Result<PathBuf, Failure> {
    let program = std::env::current_exe().and_then(fs::canonicalize);
    let program = program.map_err(|error| {
        Failure::new(Exit::Failed, format!("this program's own place is unknown: {error}"))
    })?;
    if is_needed && place.root == Path::new("/") {
        agent_files::check_program(&program)?;
    }
    Ok(program)
}

fn token(command: &AgentInstall) -> Result<Secret, Failure> {
    use std::io::IsTerminal as _;
    let options = TokenOptions { token: None, token_file: Some(command.token_file.clone()) };
    if options.takes_standard_input() && std::io::stdin().is_terminal() {
        print::explain("Paste the device's token, then press Enter and Ctrl+D:");
    }
    let failed = |sentence: &str| Failure::new(Exit::Failed, print::harmless(sentence));
    let token = options.read().map_err(|error| failed(&error.to_string()))?;
    let token = token.ok_or_else(|| failed("there is no token"))?;
    // A line break would begin another setting.
    if token.reveal().contains(char::is_control) {
        Err(failed("the token has a control character in it"))
    } else {
        Ok(token)
    }
}

/// Asks the server whether it takes the token: who we are there, and its name.
async fn check_server(command: &AgentInstall, token: &Secret) -> Result<(Principal, String), Failure> {
    let access = Access {
        token: TokenOptions { token: Some(token.reveal().to_owned()), token_file: None },
        insecure: command.insecure,
        data_dir: None,
        ca_file: command.ca_file.clone(),
        client_cert: None,
        client_key: None,
        proxy: command.proxy.clone(),
    };
    let mut server = Server::duplex(command.url.clone(), access);
    server.route = command.transport;
    let saved = SavedState { resume: None, since: Some(Offset::MAX) };
    let mut follow = Follow::start(&server, saved, false)?;
    let answer = timeout(CHECK, welcomed(&mut follow)).await;
    follow.end().await;
    let late = || Failure::new(Exit::TimedOut, "the server did not answer in time; nothing was installed");
    let (me, name) = answer.map_err(|_| late())??;
    match &command.id {
        Some(id) if me.kind == PrincipalKind::Device && me.id.0 != id.as_str() => {
            let sentence =
                format!("this token is for the device {} alone: leave out --id", print::harmless(&me.id.0));
            Err(Failure::new(Exit::Failed, sentence))
        }
        _ => Ok((me, name)),
    }
}

async fn welcomed(follow: &mut Follow) -> Result<(Principal, String), Failure> {
    loop {
        let (exit, why) = match follow.next().await {
            Event::Link(LinkEvent::Welcomed { me, server, .. }) => return Ok((me, server)),
            Event::Link(LinkEvent::State(LinkState::Stopped { why })) => (Exit::Refused, why),
            Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => (Exit::Failed, why),
            _ => continue,
        };
        let reason = follow.reason(&why);
        return Err(Failure::new(exit, format!("{}; nothing was installed", reason.trim_end_matches('.'))));
    }
}

/// What systemd reads as root before it starts the agent.
fn settings(command: &AgentInstall, token: &Secret, place: &Place) -> Result<String, Failure> {
    let address = Address { invite: None, ..command.url.clone() };
    let mut text = format!("{}DUPLEX_URL={}\n", agent_files::MARK, quoted(&address.to_string()));
    text += &format!("DUPLEX_TOKEN={}\n", quoted(token.reveal()));
    if let Some(name) = &command.name {
        text += &format!("DUPLEX_AGENT_NAME={}\n", quoted(name));
    }
    if let Some(id) = &command.id {
        text += &format!("DUPLEX_AGENT_ID={}\n", quoted(id.as_str()));
    }
    let mut options = Vec::new();
    match command.proxy.as_ref().map(|network| (&network.proxy, &network.proxy_password)) {
        Some((ProxyChoice::None, _)) => options.push("--proxy none".to_owned()),
        // A password is readable by root alone here; on the command line it would not be.
        Some((ProxyChoice::At(address), password)) => {
            let proxy = Proxy { address: address.clone(), password: password.clone() }.to_secret();
            text += &format!("ALL_PROXY={}\n", quoted(proxy.reveal()));
        }
        _ => {}
    }
    if command.ca_file.is_some() {
        options.push(format!("--ca-file {}", place.ca_option()));
    }
    if !command.transport.is_automatic() {
        options.push(format!("--transport {}", command.transport.name()));
    }
    if command.insecure {
        options.push("--insecure".to_owned());
    }
    text += &format!("DUPLEX_AGENT_OPTIONS={}\n", quoted(&options.join(" ")));
    Ok(text)
}

/// Runs systemctl, which PATH finds.
fn systemctl(words: &[&str]) -> Result<(), Failure> {
    let output = Command::new("systemctl").args(words).stdin(Stdio::null()).output();
    let why = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            if said.is_empty() { output.status.to_string() } else { said }
        }
        Err(error) => error.to_string(),
    };
    let sentence = format!("`systemctl {}` failed: {}", words.join(" "), print::harmless(&why));
    Err(Failure::new(Exit::Failed, sentence))
}
