//! A real hub on loopback, and clients that speak to it frame by frame. Nothing here sleeps for a result: what is waited
//! for is named, and a guard of ten seconds turns a hang into a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

mod chat;
mod client;
mod commands;
mod devices;
mod door;
mod harm;
mod health;
mod hostile;
mod lan;
mod life;
mod limits;
mod names;
mod posts;
mod rights;
mod service;
mod upkeep;
