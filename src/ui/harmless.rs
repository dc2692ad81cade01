//! Text from outside, made harmless before it is shown: the rule of [`crate::model::harmless`], the same as the console's.

pub use crate::model::harmless::{line, text, verbatim};
