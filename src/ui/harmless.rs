//! Sanitizes foreign text before it is shown. Same rules as the console: [`crate::model::harmless`].

pub use crate::model::harmless::{line, text, verbatim};
