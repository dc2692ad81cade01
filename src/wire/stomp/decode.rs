//! [`Decoder`]: reads frames of STOMP from pieces of any size, as TCP delivers them. It holds at most one incomplete frame,
//! within the limits below.
//!
//! Lines end in LF. In version 1.2 a CR before it belongs to the line's end. Before that it is part of the line, but a frame
//! whose command ends in CR is read as one with such line ends in every version, because no command contains a CR.

use super::frame::{Escapes, Frame, Version};

/// Maximum size of a frame's command and headers, in bytes.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Maximum number of a frame's headers.
pub const MAX_HEADERS: usize = 256;
/// Maximum number of bytes kept of a body; the rest is counted and left out.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Maximum size of a body, in bytes. A longer one ends the connection.
pub const MAX_SKIPPED_BYTES: u64 = 64 * 1024 * 1024;
/// Maximum length of what an error quotes, in characters.
const MAX_QUOTED_CHARS: usize = 40;
/// The commands that a server may send.
const COMMANDS: [&str; 4] = ["CONNECTED", "MESSAGE", "RECEIPT", "ERROR"];

/// What a decoder finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A frame.
    Frame(Frame),
    /// A line end between frames.
    HeartBeat,
}

/// Why what was received is not STOMP. The decoder cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not the command of a server.
    #[error("\"{0}\" is not a command of STOMP")]
    Command(String),
    /// The command and headers are too long.
    #[error("a frame with more than {MAX_HEAD_BYTES} bytes of headers")]
    HeadTooLong,
    /// Too many headers.
    #[error("a frame with more than {MAX_HEADERS} headers")]
    TooManyHeaders,
    /// The body is too long.
    #[error("a body of more than {MAX_SKIPPED_BYTES} bytes")]
    BodyTooLong,
    /// A header without a colon, or without a name.
    #[error("\"{0}\" is not a header")]
    Header(String),
    /// A frame ends before its body begins.
    #[error("a frame that ends within its headers")]
    EndsEarly,
    /// An escape that this version of the protocol does not have.
    #[error("\"\\{0}\" in a header is not an escape of this version of STOMP")]
    Escape(String),
    /// `content-length` is not a number.
    #[error("content-length \"{0}\" is not a number")]
    ContentLength(String),
    /// After `content-length` bytes of body there is no NUL.
    #[error("the body is longer than its content-length")]
    MissingNul,
}

/// Where in a frame the next byte belongs.
#[derive(Debug)]
enum State {
    /// Between frames; after a CR only a LF may follow.
    Between { after_cr: bool },
    /// In the command's line.
    Command,
    /// In a header's line, or the empty line after them.
    Headers,
    /// In a body with `content-length`: this many bytes are missing.
    Counted(u64),
    /// After a body with `content-length`: the NUL is missing.
    End,
    /// In a body that ends with the first NUL.
    UntilNul,
}

/// Reads frames. Give it every piece that was received, in order, until it is used up.
#[derive(Debug)]
pub struct Decoder {
    version: Option<Version>,
    commands: &'static [&'static str],
    state: State,
    /// The incomplete line.
    line: Vec<u8>,
    /// Size of the command and headers so far.
    head_bytes: usize,
    /// Whether the command's line ended in CRLF.
    has_crlf: bool,
    frame: Frame,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder::of(&COMMANDS)
    }
}

impl Decoder {
    /// Accepts these commands only: whatever else answers at an address is recognized by its first line.
    pub fn of(commands: &'static [&'static str]) -> Decoder {
        Decoder {
            version: None,
            commands,
            state: State::Between { after_cr: false },
            line: Vec::new(),
            head_bytes: 0,
            has_crlf: false,
            frame: Frame::default(),
        }
    }

    /// Frames from now on are of this version.
    pub fn set_version(&mut self, version: Version) {
        self.version = Some(version);
    }

    /// Reads on until the next item is complete, and moves `input` behind it. `None`: `input` is used up.
    ///
    /// # Errors
    /// This is not STOMP. Nothing more can be read.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Item>, Malformed> {
        while let Some(&byte) = input.first() {
            match self.state {
                State::Between { after_cr } => match (after_cr, byte) {
                    (_, b'\n') => {
                        *input = &input[1..];
                        self.state = State::Between { after_cr: false };
                        return Ok(Some(Item::HeartBeat));
                    }
                    (false, b'\r') => {
                        *input = &input[1..];
                        self.state = State::Between { after_cr: true };
                    }
                    (true, _) => return Err(Malformed::Command(quoted(&input[..input.len().min(40)]))),
                    (false, _) => self.begin(),
                },
                State::Command | State::Headers => {
                    if let Some(line) = self.take_line(input)? {
                        self.line(line)?;
                    }
                }
                State::Counted(missing) => {
                    let size = usize::try_from(missing).unwrap_or(usize::MAX).min(input.len());
                    self.body(&input[..size])?;
                    *input = &input[size..];
                    let missing = missing - size as u64;
                    self.state = if missing == 0 { State::End } else { State::Counted(missing) };
                }
                State::End if byte == 0 => {
                    *input = &input[1..];
                    return Ok(Some(self.end()));
                }
                State::End => return Err(Malformed::MissingNul),
                State::UntilNul => {
                    let end = memchr::memchr(0, input);
                    self.body(&input[..end.unwrap_or(input.len())])?;
                    *input = &input[end.map_or(input.len(), |end| end + 1)..];
                    if end.is_some() {
                        return Ok(Some(self.end()));
                    }
                }
            }
        }
        Ok(None)
    }

    fn begin(&mut self) {
        self.state = State::Command;
        self.head_bytes = 0;
        self.line.clear();
        self.frame = Frame::default();
    }

    fn end(&mut self) -> Item {
        self.state = State::Between { after_cr: false };
        Item::Frame(std::mem::take(&mut self.frame))
    }

    /// The line up to the next LF, without line end; `None` if there is none in `input`, which is used up then.
    fn take_line(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        let end = memchr::memchr2(b'\n', 0, input);
        let piece = &input[..end.unwrap_or(input.len())];
        let left = MAX_HEAD_BYTES - self.head_bytes;
        self.line.extend_from_slice(&piece[..piece.len().min(left)]);
        if matches!(self.state, State::Command) && !self.may_be_command() {
            return Err(Malformed::Command(quoted(&self.line)));
        }
        if piece.len() >= left {
            return Err(Malformed::HeadTooLong);
        }
        self.head_bytes += piece.len();
        let Some(end) = end else {
            *input = &[];
            return Ok(None);
        };
        if input[end] == 0 {
            return Err(Malformed::EndsEarly);
        }
        self.head_bytes += 1;
        *input = &input[end + 1..];
        Ok(Some(std::mem::take(&mut self.line)))
    }

    /// Whether the line so far may become a command.
    fn may_be_command(&self) -> bool {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        self.commands.iter().any(|command| command.as_bytes().starts_with(line))
    }

    /// A complete line of the head.
    fn line(&mut self, mut line: Vec<u8>) -> Result<(), Malformed> {
        if matches!(self.state, State::Command) {
            self.has_crlf = line.pop_if(|byte| *byte == b'\r').is_some();
            let command = self.commands.iter().find(|command| command.as_bytes() == line);
            self.frame.command = match command {
                Some(command) => (*command).to_owned(),
                None => return Err(Malformed::Command(quoted(&line))),
            };
            self.state = State::Headers;
            return Ok(());
        }
        if self.has_crlf || self.version == Some(Version::V1_2) {
            line.pop_if(|byte| *byte == b'\r');
        }
        if line.is_empty() {
            return self.head_ends();
        }
        if self.frame.headers.len() >= MAX_HEADERS {
            return Err(Malformed::TooManyHeaders);
        }
        // Not UTF-8: no version has such headers; what can be read of it is.
        let text = String::from_utf8_lossy(&line);
        let (name, value) = match text.split_once(':') {
            Some((name, value)) if !name.is_empty() => (name, value),
            _ => return Err(Malformed::Header(quoted(&line))),
        };
        let escapes = Escapes::of(&self.frame.command, self.version);
        let read = |text| escapes.read(text).map_err(|escape| Malformed::Escape(quoted(escape.as_bytes())));
        self.frame.headers.push((read(name)?, read(value)?));
        Ok(())
    }

    fn head_ends(&mut self) -> Result<(), Malformed> {
        self.state = match self.frame.header("content-length") {
            None => State::UntilNul,
            Some(text) => {
                let digits = text.trim();
                let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                match digits.parse::<u64>() {
                    Ok(0) if is_number => State::End,
                    Ok(length) if is_number && length <= MAX_SKIPPED_BYTES => State::Counted(length),
                    _ if is_number => return Err(Malformed::BodyTooLong),
                    _ => return Err(Malformed::ContentLength(quoted(text.as_bytes()))),
                }
            }
        };
        Ok(())
    }

    /// The next piece of the body, as far as there is room for it.
    fn body(&mut self, piece: &[u8]) -> Result<(), Malformed> {
        let kept = piece.len().min(MAX_BODY_BYTES - self.frame.body.len());
        self.frame.body.extend_from_slice(&piece[..kept]);
        self.frame.left_out += (piece.len() - kept) as u64;
        if self.frame.left_out > MAX_SKIPPED_BYTES {
            return Err(Malformed::BodyTooLong);
        }
        Ok(())
    }
}

/// The beginning of something, for an error.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MAX_QUOTED_CHARS)]);
    text.chars().take(MAX_QUOTED_CHARS).collect()
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
