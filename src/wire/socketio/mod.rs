//! Socket.IO over Engine.IO.

pub mod conversation;
pub mod engine;
mod json;
mod offset;
pub mod packet;
mod saved;
#[cfg(test)]
mod tests;
