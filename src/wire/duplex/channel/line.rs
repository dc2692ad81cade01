//! Frames in bodies of type `application/x-ndjson`: one a line. A text frame is the line; a binary frame is base64 in a JSON
//! string, which no text frame of the protocol is. A blank line is a sign of life.

use data_encoding::BASE64;

use super::{MAX_LINE_BYTES, Violation};
use crate::frame::Frame;

/// The media type.
pub const MEDIA_TYPE: &str = "application/x-ndjson";
/// A sign of life.
pub const ALIVE: &str = "\n";
/// Room that the decoder keeps for the next line, in bytes.
const MAX_IDLE_BYTES: usize = 8 * 1024;

/// Appends a text frame and the end of its line. JSON has line breaks only between its parts, where a blank does as well.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    for byte in &mut out[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.push(b'\n');
}

/// Appends a binary frame and the end of its line.
pub fn write_binary(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(BASE64.encode(bytes).as_bytes());
    out.extend_from_slice(b"\"\n");
}

/// Appends a frame and the end of its line.
pub fn write(out: &mut Vec<u8>, frame: &Frame) {
    match frame {
        Frame::Text(text) => write_text(out, text),
        Frame::Binary(bytes) => write_binary(out, bytes),
    }
}

/// Reads the line of a frame, without its end.
///
/// # Errors
/// Where it is no UTF-8, or a string that is no base64.
pub fn read(line: &[u8]) -> Result<Frame, Violation> {
    let unreadable = |detail: String| Violation::Unreadable { detail };
    if let Some(inner) = line.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) {
        return match BASE64.decode(inner) {
            Ok(bytes) => Ok(Frame::Binary(bytes)),
            Err(error) => Err(unreadable(format!("no base64: {error}"))),
        };
    }
    match std::str::from_utf8(line) {
        Ok(text) => Ok(Frame::Text(text.to_owned())),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// Takes bodies apart into lines, in pieces of any size.
#[derive(Debug, Default)]
pub struct LineDecoder {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// A carriage return ended the last line: a line feed right after it belongs to it.
    after_return: bool,
}

impl LineDecoder {
    /// Takes a piece in and passes each complete line, without its end, to `each`. Blank lines are passed, too.
    ///
    /// # Errors
    /// Where a line is longer than a frame may be, or what `each` returns.
    pub fn push(
        &mut self,
        mut piece: &[u8],
        mut each: impl FnMut(&[u8]) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        while !piece.is_empty() {
            if std::mem::take(&mut self.after_return) && piece[0] == b'\n' {
                piece = &piece[1..];
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', piece);
            let part = &piece[..end.unwrap_or(piece.len())];
            if self.begun.len() + part.len() > MAX_LINE_BYTES {
                let detail = format!("a line is longer than {MAX_LINE_BYTES} bytes");
                return Err(Violation::Unreadable { detail });
            }
            let Some(end) = end else {
                self.begun.extend_from_slice(part);
                break;
            };
            if self.begun.is_empty() {
                each(part)?;
            } else {
                self.begun.extend_from_slice(part);
                each(&self.begun)?;
                self.begun.clear();
                self.begun.shrink_to(MAX_IDLE_BYTES);
            }
            self.after_return = piece[end] == b'\r';
            piece = &piece[end + 1..];
        }
        Ok(())
    }

    /// The body has ended: what came after the last end of a line. A sender that ends its last line leaves nothing.
    pub fn rest(&mut self) -> Vec<u8> {
        self.after_return = false;
        std::mem::take(&mut self.begun)
    }
}
