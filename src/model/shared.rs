//! [`SharedModel`]: the model behind its one lock. The worker writes in short batches; the window copies out what is
//! visible and paints with the lock released.

use std::sync::{Arc, Mutex, PoisonError};

use super::reducer::Model;

/// A handle to the one model.
#[derive(Clone, Default)]
pub struct SharedModel(Arc<Mutex<Model>>);

impl SharedModel {
    /// Shares a model.
    pub fn new(model: Model) -> Self {
        SharedModel(Arc::new(Mutex::new(model)))
    }

    /// Looks at the model. Copy out and return: never paint, wait or write in here.
    pub fn read<R>(&self, look: impl FnOnce(&Model) -> R) -> R {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the model.
    pub fn write<R>(&self, change: impl FnOnce(&mut Model) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
