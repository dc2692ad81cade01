//! The disk: [`ClientStore`] (`client.db`: history, outbox, resume points, read markers, drafts) and [`HubStore`]
//! (`hub.db`: the log, principals, invites). No window, no socket, no protocol.
//!
//! [`ReadingsStore`] (what devices said) lies in a file of its own beside each.
//!
//! The map. All stores are a handle over one writer thread and a few readers:
//!
//! - `writer`: the writer thread. It takes all that waits at once, so that one fsync serves many ([`ClientStore::commit`],
//!   [`HubStore::append`]).
//! - `readers`: a small pool of threads, each with a read-only connection.
//! - `migrate`: opens a database file and brings it to the current version, or refuses it untouched.
//! - `inspect`, `salvage`: what a file that may be damaged holds.
//! - `client`, `hub`, `readings`: what is written and read.

pub mod client;
pub mod hub;
pub mod readings;

mod error;
mod files;
mod inspect;
mod migrate;
mod readers;
mod salvage;
mod writer;

pub use client::{ClientStore, Commit, Health, Loaded, Opened, Write};
pub use error::StoreError;
pub use hub::{
    Append, Appended, Change, HubStore, HubStoreError, InviteRefused, LogLimits, LogTrouble, NotChanged,
    OwnerRefused, Quota, RedeemError,
};
pub use inspect::Findings;
pub use readings::ReadingsStore;
