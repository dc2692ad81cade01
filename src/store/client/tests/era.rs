//! The store against the model.
