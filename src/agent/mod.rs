//! This computer as a device: what it measures, and the thread that publishes it. The owner of an [`Agent`] sends its
//! output over a link; this module knows nothing about links.

mod board;
pub mod measure;
mod publisher;
mod sampler;

pub use publisher::{Agent, AgentMessage, Given};
pub use sampler::{INTERVAL, INTERVALS, Sampler, host_id, host_name};
