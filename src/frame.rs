//! [`Frame`]: the unit that a protocol and a transport share. Control frames (ping, close) stay inside a transport.

/// One message of a connection, in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// UTF-8 text.
    Text(String),
    /// Bytes of a protocol's own meaning.
    Binary(Vec<u8>),
}

impl Frame {
    /// Size of the payload in bytes.
    pub fn len(&self) -> usize {
        match self {
            Frame::Text(text) => text.len(),
            Frame::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether the payload is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
