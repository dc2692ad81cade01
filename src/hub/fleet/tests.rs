//! The fleet alone.
