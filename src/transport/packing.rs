//! [`Packing`]: compression of a WebSocket's frames, where both ends of the conversation have agreed on it.

use std::sync::{Mutex, PoisonError};

use super::Compression;
use crate::frame::Frame;
use crate::model::link_state::Why;
use crate::wire::duplex::deflate::{Deflater, unpack};

/// What a connection does to its frames.
pub(super) struct Packing {
    /// Binary frames are compressed text.
    reads: bool,
    /// Maximum size of a frame, in bytes.
    max_frame: usize,
    /// What compresses, once the server reads that.
    deflater: Mutex<Option<Deflater>>,
}

impl Packing {
    pub(super) fn new(compression: Compression, max_frame: usize) -> Packing {
        let deflater = (compression == Compression::Agreed).then(Deflater::default);
        Packing { reads: compression != Compression::Off, max_frame, deflater: Mutex::new(deflater) }
    }

    /// The server reads compressed frames.
    pub(super) fn begin(&self) {
        self.deflater.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }

    /// A frame as it is sent.
    pub(super) fn pack(&self, frame: Frame) -> Frame {
        let mut deflater = self.deflater.lock().unwrap_or_else(PoisonError::into_inner);
        match (&frame, deflater.as_mut()) {
            (Frame::Text(text), Some(deflater)) => deflater.pack(text).map_or(frame, Frame::Binary),
            _ => frame,
        }
    }

    /// A frame as it was before it was compressed.
    pub(super) fn unpack(&self, frame: Frame) -> Result<Frame, Why> {
        match frame {
            Frame::Binary(bytes) if self.reads => match unpack(&bytes, self.max_frame) {
                Ok(text) => Ok(Frame::Text(text)),
                Err(error) => {
                    Err(Why::Violation { detail: format!("a compressed message could not be read: {error}") })
                }
            },
            frame => Ok(frame),
        }
    }
}
