//! [`Frame`]: a frame of STOMP 1.0, 1.1 and 1.2, and how it is written. [`super::decode`] reads it.

/// A version of the protocol.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Nothing is escaped; lines end in LF.
    V1_0,
    /// `\n`, `\c` and `\\` are escapes; lines end in LF.
    V1_1,
    /// `\r` is an escape, too; lines end in LF or CRLF.
    V1_2,
}

impl Version {
    /// All versions, the newest first.
    pub const ALL: [Version; 3] = [Version::V1_2, Version::V1_1, Version::V1_0];

    /// As in the headers `accept-version` and `version`.
    pub fn number(self) -> &'static str {
        match self {
            Version::V1_0 => "1.0",
            Version::V1_1 => "1.1",
            Version::V1_2 => "1.2",
        }
    }

    /// The WebSocket subprotocol.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Version::V1_0 => "v10.stomp",
            Version::V1_1 => "v11.stomp",
            Version::V1_2 => "v12.stomp",
        }
    }

    /// From the header `version`.
    pub fn of_number(number: &str) -> Option<Version> {
        Version::ALL.into_iter().find(|version| version.number() == number.trim())
    }

    /// From the subprotocol that a server chose.
    pub fn of_subprotocol(name: &str) -> Option<Version> {
        Version::ALL.into_iter().find(|version| version.subprotocol() == name)
    }
}

/// How the headers of a frame are escaped.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// Not at all: version 1.0, and `CONNECT` and `CONNECTED` in every version.
    None,
    /// `\n`, `\c`, `\\`.
    V1_1,
    /// The same, and `\r`.
    V1_2,
    /// As in 1.2, but what is not an escape stays as it is. For an `ERROR` that comes before a version is agreed on.
    Lenient,
}

impl Escapes {
    /// Of frames with this command. No version: none is agreed on yet.
    pub fn of(command: &str, version: Option<Version>) -> Escapes {
        match (command, version) {
            ("CONNECT" | "CONNECTED", _) | (_, Some(Version::V1_0)) => Escapes::None,
            (_, Some(Version::V1_1)) => Escapes::V1_1,
            (_, Some(Version::V1_2)) => Escapes::V1_2,
            (_, None) => Escapes::Lenient,
        }
    }

    /// Appends a header's name or value.
    fn write(self, text: &str, is_name: bool, out: &mut Vec<u8>) -> Result<(), Unencodable> {
        for byte in text.bytes() {
            let escaped: &[u8] = match (self, byte) {
                // A frame ends with NUL, and no version has an escape for it.
                (_, 0) => return Err(Unencodable::Nul),
                (Escapes::None, b'\n') => return Err(Unencodable::LineBreak),
                // The rest of the line would be read as the value.
                (Escapes::None, b':') if is_name => return Err(Unencodable::Colon),
                // Other implementations take a CR before the line's end as part of it.
                (Escapes::None | Escapes::V1_1, b'\r') => return Err(Unencodable::LineBreak),
                (Escapes::None, _) => &[byte],
                (_, b'\n') => b"\\n",
                (_, b'\r') => b"\\r",
                (_, b':') => b"\\c",
                (_, b'\\') => b"\\\\",
                _ => &[byte],
            };
            out.extend_from_slice(escaped);
        }
        Ok(())
    }

    /// Reverses [`Escapes::write`].
    pub(super) fn read(self, text: &str) -> Result<String, String> {
        if self == Escapes::None || !text.contains('\\') {
            return Ok(text.to_owned());
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character != '\\' {
                out.push(character);
                continue;
            }
            let escape = rest.clone().next();
            let meant = match (self, escape) {
                (_, Some('n')) => '\n',
                (_, Some('c')) => ':',
                (_, Some('\\')) => '\\',
                (Escapes::V1_2 | Escapes::Lenient, Some('r')) => '\r',
                (Escapes::Lenient, _) => {
                    out.push('\\');
                    continue;
                }
                // STOMP 1.2: "Undefined escape sequences such as \t MUST be treated as a fatal protocol error."
                (_, escape) => return Err(escape.map(String::from).unwrap_or_default()),
            };
            out.push(meant);
            rest.next();
        }
        Ok(out)
    }
}

/// Why a frame cannot be written in a version.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unencodable {
    /// A header contains a NUL.
    #[error("a header contains a NUL")]
    Nul,
    /// A header contains a line break that this version cannot escape.
    #[error("a header contains a line break, which this version of STOMP cannot send")]
    LineBreak,
    /// A header's name contains a colon that this version cannot escape.
    #[error("the name of a header contains a colon, which this version of STOMP cannot send")]
    Colon,
}

/// A frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The command, such as `MESSAGE`.
    pub command: String,
    /// The headers in order. Of repeated ones the first counts: [`Frame::header`].
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How many bytes of the body were left out because it was too long.
    pub left_out: u64,
}

impl Frame {
    /// A frame without headers and body.
    pub fn new(command: &str) -> Frame {
        Frame { command: command.to_owned(), ..Frame::default() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Frame {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The value of a header. STOMP 1.2: "If a client or a server receives repeated frame header entries, only the first
    /// header entry SHOULD be used."
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The frame's bytes, with its final NUL. The headers are written as they are: `content-length` is up to the caller.
    ///
    /// # Errors
    /// A header cannot be written in this version.
    pub fn encode(&self, version: Version) -> Result<Vec<u8>, Unencodable> {
        let escapes = Escapes::of(&self.command, Some(version));
        let mut out = Vec::with_capacity(self.command.len() + 64 * self.headers.len() + self.body.len() + 3);
        out.extend_from_slice(self.command.as_bytes());
        out.push(b'\n');
        for (name, value) in &self.headers {
            escapes.write(name, true, &mut out)?;
            out.push(b':');
            escapes.write(value, false, &mut out)?;
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend_from_slice(&self.body);
        out.push(0);
        Ok(out)
    }
}
