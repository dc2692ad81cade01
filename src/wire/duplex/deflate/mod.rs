//! Compression: a text frame of a session as raw DEFLATE (RFC 1951) in a binary frame, and bodies of HTTP requests and
//! answers as gzip (RFC 1952). PROTOCOL.md, "Compression", is the same from the outside.
//!
//! Each frame and each piece of a body is compressed by itself, so that no connection keeps a compressor: one, of some
//! 300 KB, serves them all. What is unpacked is bounded, however small its compressed form is.

mod gunzip;
mod gzip;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

pub use gunzip::{Gunzip, gunzip};
pub use gzip::GzipStream;

/// The word in `features` of a hello and a welcome.
pub const WORD: &str = "deflate";
/// The coding of HTTP bodies.
pub const GZIP: &str = "gzip";
/// Frames shorter than this, in bytes, are sent as they are: there is little to gain.
pub const MIN_BYTES: usize = 1_024;

/// Why something could not be unpacked.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is larger than allowed.
    #[error("what was compressed is larger than {0} bytes")]
    TooLarge(usize),
    /// The compressed data is damaged, or incomplete.
    #[error("the compressed data is damaged")]
    Damaged,
    /// What was compressed is no text.
    #[error("what was compressed is not UTF-8")]
    NotUtf8,
}

/// Compresses frames and bodies, one after the other.
#[derive(Debug)]
pub struct Deflater(Compress);

impl Default for Deflater {
    fn default() -> Self {
        // Higher levels take several times as long, and save a few percent more.
        Deflater(Compress::new(Compression::fast(), false))
    }
}

impl Deflater {
    /// The compressed form of a frame; `None` where it is short, or would hardly become shorter.
    pub fn pack(&mut self, text: &str) -> Option<Vec<u8>> {
        let most = text.len() - text.len() / 8;
        (text.len() >= MIN_BYTES).then(|| self.deflate(text.as_bytes(), most, FlushCompress::Finish))?
    }

    /// The compressed form; `None` where it would be larger than `most` bytes.
    fn deflate(&mut self, bytes: &[u8], most: usize, flush: FlushCompress) -> Option<Vec<u8>> {
        self.0.reset();
        let mut out = Vec::with_capacity(most);
        let status = self.0.compress_vec(bytes, &mut out, flush).ok()?;
        let is_whole = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            // It ends only where there is room left.
            _ => self.0.total_in() == bytes.len() as u64 && out.len() < out.capacity(),
        };
        out.shrink_to_fit();
        is_whole.then_some(out)
    }
}

/// Unpacks a frame of at most so many bytes.
///
/// # Errors
/// Where it is damaged, larger, or no text.
pub fn unpack(packed: &[u8], most: usize) -> Result<String, Unreadable> {
    let mut inflater = Decompress::new(false);
    let mut out = Vec::with_capacity(packed.len().saturating_mul(4).clamp(256, most + 1));
    loop {
        let before = (inflater.total_in(), out.len());
        let taken = usize::try_from(before.0).unwrap_or(usize::MAX).min(packed.len());
        // Not all at once: then what does not fit could not go on.
        let inflated = inflater.decompress_vec(&packed[taken..], &mut out, FlushDecompress::None);
        let status = inflated.map_err(|_| Unreadable::Damaged)?;
        if out.len() > most {
            return Err(Unreadable::TooLarge(most));
        }
        match status {
            Status::StreamEnd if inflater.total_in() == packed.len() as u64 => break,
            Status::StreamEnd => return Err(Unreadable::Damaged),
            _ if out.len() == out.capacity() => out.reserve_exact(out.len().min(most + 1 - out.len())),
            _ if (inflater.total_in(), out.len()) != before => {}
            _ => return Err(Unreadable::Damaged),
        }
    }
    String::from_utf8(out).map_err(|_| Unreadable::NotUtf8)
}

#[cfg(test)]
mod tests;
