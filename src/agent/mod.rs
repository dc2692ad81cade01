//! This computer as a device: what it measures of itself, and the thread that says so. Whoever runs an [`Agent`] carries
//! what it says over a link; nothing in here knows one.

pub mod measure;
mod publisher;
mod sampler;

pub use publisher::{Agent, Given, Said};
pub use sampler::{INTERVAL, INTERVALS, Sampler, host_id, host_name};
