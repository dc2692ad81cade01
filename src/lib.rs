//! Duplex: chat and live devices over one persistent WebSocket connection to each server.
//!
//! The map, floor by floor. A module imports only from lower floors; `tests/layout.rs` holds the table.
//!
//! 1. [`model`], [`frame`]: what things are and what happens to them. Pure: no I/O, no clock.
//! 2. [`wire`], [`link`]: protocols and one connection's life, as sans-IO state machines. [`doctor`]: what a check of a connection
//!    found, in words.
//! 3. [`engine`]: what is decided about all connections, also sans-IO; [`clock`], [`privacy`], [`transport`], [`store`],
//!    [`settings`]: time, secrets, sockets, the disk.
//! 4. [`hub`], [`agent`]: the embedded server; this computer as a device.
//! 5. [`worker`], [`ui`]: the one impure owner of all of the above; the views.
//! 6. [`app`], [`cli`]: the window and the console commands.

pub mod frame;
pub mod model;

pub mod doctor;
pub mod link;
pub mod mapping;
pub mod wire;

pub mod engine;

pub mod clock;
pub mod privacy;
pub mod settings;
pub mod store;
pub mod transport;

pub mod agent;
pub mod hub;

pub mod ui;
pub mod worker;

pub mod app;
pub mod cli;
