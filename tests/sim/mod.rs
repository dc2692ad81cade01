//! The simulated world, in reading order: [`world`] plans what goes wrong and runs it in time; [`apps`] are the
//! real engine and model, with the [`clients`] as their connections and persons over a [`disk`]; [`network`] carries frames between them, some of it in the requests of [`channels`]; [`server`] is the hub's end over
//! the state in [`hub`]; [`laws`] is what must hold, at every moment and in the end.

mod apps;
mod channels;
mod clients;
mod disk;
mod hub;
mod laws;
mod network;
mod server;
pub mod world;
