//! `duplex`: the desktop app. See [`duplex::app`].

// On Windows no console window opens beside the app's own.
#![cfg_attr(windows, windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    duplex::app::main()
}
