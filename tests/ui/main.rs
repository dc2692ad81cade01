//! The window, driven as a person or a screen reader would: by accessible names. No display, no network. One program, so
//! that the window is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

mod support;

mod access;
mod ask;
mod bounds;
mod compose;
mod deep_link;
mod device_page;
mod devices;
mod doctor;
mod files;
mod keys;
mod lan;
mod layout;
mod log;
mod messages;
mod mqtt;
mod notify;
mod people;
mod people_here;
mod plain;
mod private;
mod rooms;
mod search;
mod settings;
mod stomp;
mod text;
mod topics;
mod window;
#[cfg(unix)]
mod zones;
