//! `duplexctl hub`.

use super::args::Hub;
use super::{Exit, Failure, default_hub_dir, print};
use crate::hub::{self, HubError, Options, Tls};
use crate::model::device::COMMAND_MS;
use crate::settings;

pub(super) async fn run(command: Hub) -> Result<(), Failure> {
    // Installed first, so that a signal during the start also ends the hub in order.
    let mut signals = Signals::new().map_err(unheard)?;
    let listener = handed_over()?;
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
        announce: command.announce,
        allowed_hosts: command.allow_host,
        allowed_origins: command.allow_origin,
        trusted_proxies: command.trusted_proxy,
        command_ms: COMMAND_MS,
        new_log: command.new_log,
        limits: command.limits.limits(),
        write_readings_every: command.write_readings_every,
        compresses: !command.no_compression,
    };
    let mut running = hub::start_on(options, listener).await.map_err(failed)?;
    let mut lines = vec![format!("hub at {}", running.url)];
    lines.extend(running.fingerprint.iter().map(|hex| format!("certificate sha256 {hex}")));
    lines.push(format!("the admin's token is in {}", data_dir.join("token").display()));
    lines.push(format!("invite somebody: duplexctl invite --data-dir {}", data_dir.display()));
    // The hub keeps running even if nobody reads its output.
    let _ = print::line(&lines.join("\n"));
    systemd::say(systemd::State::Ready);
    let failure = serve(&mut running, &mut signals).await;
    systemd::say(systemd::State::Stopping);
    running.shutdown().await;
    match failure {
        None => Ok(()),
        Some(why) => Err(Failure::new(Exit::Failed, why)),
    }
}

/// Runs until told to stop, or until it fails.
async fn serve(running: &mut hub::Running, signals: &mut Signals) -> Option<String> {
    loop {
        let watchdog = async {
            match systemd::watchdog() {
                // Twice as often as systemd checks.
                Some(within) => tokio::time::sleep(within / 2).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            why = running.failure() => return Some(why),
            signal = signals.next() => match signal {
                Signal::Stop => return None,
                Signal::Reload => {
                    systemd::say(systemd::State::Reloading);
                    running.reload().await;
                    systemd::say(systemd::State::Ready);
                }
            },
            // Reported by the loop that serves all connections.
            () = watchdog => systemd::say(systemd::State::Alive),
        }
    }
}

fn unheard(error: std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("signals cannot be waited for: {error}"))
}

/// The socket passed by systemd, if there is one.
#[cfg(not(unix))]
fn handed_over() -> Result<Option<std::net::TcpListener>, Failure> {
    Ok(None)
}

/// The socket passed by systemd, if there is one.
#[cfg(unix)]
fn handed_over() -> Result<Option<std::net::TcpListener>, Failure> {
    let mut sockets = listenfd::ListenFd::from_env();
    let failure =
        |what: &str| Failure::new(Exit::Failed, format!("the socket that systemd hands over: {what}"));
    match sockets.len() {
        0 => Ok(None),
        1 => sockets.take_tcp_listener(0).map_err(|error| failure(&error.to_string())),
        _ => Err(failure("a hub takes one; leave a single ListenStream= in the .socket unit")),
    }
}

/// Notifications for systemd, if it started the hub.
#[cfg(target_os = "linux")]
mod systemd {
    use std::time::Duration;

    use sd_notify::NotifyState;

    /// The hub's state.
    #[derive(Copy, Clone)]
    pub(super) enum State {
        /// It is serving.
        Ready,
        /// It is reloading its certificate.
        Reloading,
        /// It is stopping.
        Stopping,
        /// It is still alive.
        Alive,
    }

    pub(super) fn say(state: State) {
        let told = match state {
            State::Ready => sd_notify::notify(&[NotifyState::Ready]),
            State::Reloading => NotifyState::monotonic_usec_now()
                .and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now])),
            State::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
            State::Alive => sd_notify::notify(&[NotifyState::Watchdog]),
        };
        if let Err(error) = told {
            log::warn!("systemd cannot be told: {error}");
        }
    }

    /// The watchdog interval that systemd expects.
    pub(super) fn watchdog() -> Option<Duration> {
        sd_notify::watchdog_enabled()
    }
}

#[cfg(not(target_os = "linux"))]
mod systemd {
    #[derive(Copy, Clone)]
    pub(super) enum State {
        Ready,
        Reloading,
        Stopping,
        Alive,
    }

    pub(super) fn say(_: State) {}

    pub(super) fn watchdog() -> Option<std::time::Duration> {
        None
    }
}

/// A request from a person or the system.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Signal {
    /// Stop.
    Stop,
    /// Reload the certificate.
    Reload,
}

/// The signals that a hub handles.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    /// Started in a terminal: nobody is there any more after it hangs up.
    in_terminal: bool,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            in_terminal: print::is_at_terminal(),
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hangup.recv() => if self.in_terminal { Signal::Stop } else { Signal::Reload },
        }
    }
}

/// Console events that a hub handles: Ctrl+C, closing the window, shutdown.
#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::windows;
        Ok(Signals {
            interrupt: windows::ctrl_c()?,
            close: windows::ctrl_close()?,
            shutdown: windows::ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.close.recv() => Signal::Stop,
            _ = self.shutdown.recv() => Signal::Stop,
        }
    }
}

/// Waits for a request to stop. For programs that have nothing to reload, a hang-up counts as one.
pub(super) async fn stopped() -> std::io::Result<()> {
    Signals::new()?.next().await;
    Ok(())
}

/// A hub's errors contain what to do.
pub(super) fn failed(error: HubError) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}
