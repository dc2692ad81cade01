//! A real hub on loopback, and clients that exchange single frames with it. Nothing here sleeps for a result: each
//! wait names its event, and a timeout of ten seconds turns a hang into a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

#[path = "../common/hello.rs"]
mod hello;

mod access;
mod channel_client;
mod channels;
mod chat;
mod client;
mod commands;
mod compression;
mod devices;
mod every_route;
mod files;
mod harm;
mod health;
mod hooks;
mod hostile;
mod http2;
mod lan;
mod life;
mod limits;
mod names;
mod posts;
mod private;
mod rights;
mod rooms;
mod service;
mod upkeep;
