//! `duplexctl hub`.

use super::args::Hub;
use super::{Exit, Failure, default_hub_dir, print};
use crate::hub::{self, HubError, Options, Tls};
use crate::model::device::COMMAND_MS;
use crate::settings;

pub(super) async fn run(command: Hub) -> Result<(), Failure> {
    let data_dir = default_hub_dir(command.data_dir)?;
    settings::private_file::create_dir(&data_dir).map_err(|error| {
        Failure::new(Exit::Failed, format!("{} cannot be used to keep data: {error}", data_dir.display()))
    })?;
    let tls = match (command.tls_cert, command.tls_key) {
        (Some(cert), Some(key)) => Tls::Files { cert, key },
        _ if command.tls_self_signed => Tls::SelfSigned,
        _ => Tls::Off,
    };
    let options = Options {
        data_dir: data_dir.clone(),
        listen: command.listen,
        name: command.name,
        tls,
        insecure: command.insecure,
        embedded: false,
        allowed_hosts: command.allow_host,
        allowed_origins: command.allow_origin,
        command_ms: COMMAND_MS,
        new_log: command.new_log,
        limits: command.limits.limits(),
    };
    let mut running = hub::start(options).await.map_err(failed)?;
    let mut lines = vec![format!("hub at {}", running.url)];
    lines.extend(running.fingerprint.iter().map(|hex| format!("certificate sha256 {hex}")));
    lines.push(format!("the admin's token is in {}", data_dir.join("token").display()));
    lines.push(format!("invite somebody: duplexctl invite --data-dir {}", data_dir.display()));
    // A hub serves on when nobody reads what it prints.
    let _ = print::line(&lines.join("\n"));
    #[cfg(target_os = "linux")]
    tell_systemd(sd_notify::NotifyState::Ready);
    let failure = tokio::select! {
        why = running.failure() => Some(why),
        stopped = stopped() => match stopped {
            Ok(()) => None,
            Err(error) => Some(format!("signals cannot be waited for: {error}")),
        },
    };
    #[cfg(target_os = "linux")]
    tell_systemd(sd_notify::NotifyState::Stopping);
    running.shutdown().await;
    match failure {
        None => Ok(()),
        Some(why) => Err(Failure::new(Exit::Failed, why)),
    }
}

/// Says how it goes to systemd, where that started it; to nobody otherwise.
#[cfg(target_os = "linux")]
fn tell_systemd(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        log::warn!("systemd cannot be told: {error}");
    }
}

/// Waits until somebody wants it to stop.
pub(super) async fn stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// A hub's errors say themselves what to do.
pub(super) fn failed(error: HubError) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}
