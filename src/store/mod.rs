//! The disk: [`ClientStore`] (`client.db`: history, outbox, resume points, read markers, drafts) and [`HubStore`]
//! (`hub.db`: the log, principals, invites). No window, no sockets, no protocols.
//!
//! [`ReadingsStore`] (readings of devices) has its own file beside each of them.
//!
//! All stores are a handle to one writer thread and a few readers:
//!
//! - `writer`: the writer thread. It takes all queued jobs at once, so that one fsync serves many
//!   ([`ClientStore::commit`], [`HubStore::append`]).
//! - `readers`: a small pool of threads, each with a read-only connection.
//! - `migrate`: opens a database file and migrates it to the current version, or refuses it unchanged.
//! - `inspect`, `salvage`: check and recover files that may be damaged.
//! - `client`, `hub`, `readings`: the three stores.

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
    Access, Append, Appended, Change, HubStore, HubStoreError, InviteRefused, LogLimits, LogTrouble,
    NotChanged, OwnerRefused, Quota, RedeemError, Stretch,
};
pub use inspect::Findings;
pub use readings::ReadingsStore;
