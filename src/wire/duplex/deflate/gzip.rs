//! Writes gzip: whole bodies, and bodies that go on. Of those, an end keeps a checksum and a length, and nothing else.

use flate2::{Crc, FlushCompress};

use super::{Deflater, MIN_BYTES};

/// What a body begins with: no name, no time, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last block without anything in it, and filled up to a byte.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];
/// Maximum size of a stored block.
const MAX_STORED: usize = 0xffff;
/// Pieces shorter than this, in bytes, are stored.
const MIN_PIECE_BYTES: usize = 128;

impl Deflater {
    /// A whole body; `None` where it is short, or would hardly become shorter.
    pub fn gzip(&mut self, body: &[u8]) -> Option<Vec<u8>> {
        if body.len() < MIN_BYTES {
            return None;
        }
        let mut stream = GzipStream::default();
        let mut all = stream.piece(body, Some(self));
        all.extend(stream.end());
        (all.len() <= body.len() - body.len() / 8).then_some(all)
    }
}

/// A body that goes on. Each piece can be read as soon as it has come.
#[derive(Debug, Default)]
pub struct GzipStream {
    checksum: Crc,
    has_begun: bool,
}

impl GzipStream {
    /// The next piece. Without a compressor, or where that gains nothing, it is stored, and 5 bytes longer.
    pub fn piece(&mut self, piece: &[u8], deflater: Option<&mut Deflater>) -> Vec<u8> {
        self.checksum.update(piece);
        let mut out = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            out.extend(HEADER);
        }
        // It refers to nothing before this piece, so that the compressor need not know that.
        let packed = deflater
            .filter(|_| piece.len() >= MIN_PIECE_BYTES)
            .and_then(|deflater| deflater.deflate(piece, piece.len(), FlushCompress::Sync));
        match packed {
            Some(packed) => out.extend(packed),
            None => piece.chunks(MAX_STORED).for_each(|part| stored(&mut out, part)),
        }
        out
    }

    /// The end of the body.
    pub fn end(&self) -> Vec<u8> {
        let mut out = if self.has_begun { Vec::new() } else { HEADER.to_vec() };
        out.extend(LAST_BLOCK);
        out.extend(self.checksum.sum().to_le_bytes());
        out.extend(self.checksum.amount().to_le_bytes());
        out
    }
}

/// A stored block (RFC 1951 §3.2.4), where the one before ended at a whole byte.
fn stored(out: &mut Vec<u8>, part: &[u8]) {
    let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
    out.push(0);
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend_from_slice(part);
}
