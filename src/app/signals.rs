//! Signals that end a program, as at sign-out: the window closes as if the person had closed it, so that everything is
//! saved and the next start finds no sign of a crash.

/// Calls back when a signal asks the program to end, once.
#[cfg(unix)]
pub(super) fn on_end(call: impl FnOnce() + Send + 'static) {
    use tokio::signal::unix::{SignalKind, signal};
    let wait = async move {
        let (Ok(mut terminate), Ok(mut hang_up), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()), signal(SignalKind::interrupt()))
        else {
            return log::warn!("signals end the program at once");
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = interrupt.recv() => {}
        }
        call();
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let started = runtime.and_then(|runtime| {
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(wait))
    });
    if let Err(error) = started {
        log::warn!("signals end the program at once: {error}");
    }
}

/// Windows has no signals.
#[cfg(not(unix))]
pub(super) fn on_end(_call: impl FnOnce() + Send + 'static) {}
