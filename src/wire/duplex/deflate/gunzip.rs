//! [`Gunzip`]: reads gzip as it comes, in pieces of bounded size, whoever wrote it.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::Unreadable;

/// Maximum size of a piece that is returned, in bytes.
const PIECE_BYTES: usize = 32 * 1024;
/// Maximum size of a header with the names and comments in it, in bytes.
const MAX_HEADER_BYTES: usize = 4 * 1024;
/// What each header begins with, and how long it is at least.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
const HEADER_BYTES: usize = 10;
const TRAILER_BYTES: usize = 8;
/// Flags (RFC 1952 §2.3.1).
const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

#[derive(Debug)]
enum Place {
    Header,
    Body,
    Trailer,
}

/// Unpacks a body. What is pushed is unpacked no further than it is asked for.
#[derive(Debug)]
pub struct Gunzip {
    place: Place,
    inflater: Decompress,
    checksum: Crc,
    /// What was pushed, and how much of it is done with.
    input: Vec<u8>,
    taken: usize,
    /// The last piece was as long as pieces are: there may be more without more input.
    is_full: bool,
}

impl Default for Gunzip {
    fn default() -> Self {
        Gunzip {
            place: Place::Header,
            inflater: Decompress::new(false),
            checksum: Crc::new(),
            input: Vec::new(),
            taken: 0,
            is_full: false,
        }
    }
}

impl Gunzip {
    /// Takes compressed bytes in. Call [`piece`](Self::piece) until there is nothing more.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.taken);
        self.taken = 0;
        self.input.extend_from_slice(bytes);
    }

    /// The next piece; `None` where more must be pushed first.
    ///
    /// # Errors
    /// Where what was pushed is not gzip.
    pub fn piece(&mut self) -> Result<Option<Vec<u8>>, Unreadable> {
        loop {
            let rest = &self.input[self.taken..];
            match self.place {
                Place::Header => {
                    let Some(length) = header_bytes(rest)? else { return Ok(None) };
                    self.taken += length;
                    self.inflater.reset(false);
                    (self.place, self.checksum) = (Place::Body, Crc::new());
                }
                Place::Body => {
                    if rest.is_empty() && !self.is_full {
                        return Ok(None);
                    }
                    let piece = self.inflate()?;
                    if !piece.is_empty() {
                        self.checksum.update(&piece);
                        return Ok(Some(piece));
                    }
                }
                Place::Trailer => {
                    let Some(trailer) = rest.first_chunk::<TRAILER_BYTES>() else { return Ok(None) };
                    let told = [self.checksum.sum().to_le_bytes(), self.checksum.amount().to_le_bytes()];
                    if *trailer.as_slice() != told.concat() {
                        return Err(Unreadable::Damaged);
                    }
                    self.taken += TRAILER_BYTES;
                    self.place = Place::Header;
                }
            }
        }
    }

    fn inflate(&mut self) -> Result<Vec<u8>, Unreadable> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let before = self.inflater.total_in();
        let inflated =
            self.inflater.decompress_vec(&self.input[self.taken..], &mut piece, FlushDecompress::None);
        let status = inflated.map_err(|_| Unreadable::Damaged)?;
        let taken = usize::try_from(self.inflater.total_in() - before).unwrap_or(usize::MAX);
        self.taken = self.taken.saturating_add(taken).min(self.input.len());
        let was_full = std::mem::replace(&mut self.is_full, piece.len() == piece.capacity());
        if status == Status::StreamEnd {
            (self.place, self.is_full) = (Place::Trailer, false);
        } else if taken == 0 && piece.is_empty() && !was_full {
            // There is input, and it leads nowhere.
            return Err(Unreadable::Damaged);
        }
        piece.shrink_to_fit();
        Ok(piece)
    }

    /// Whether what was pushed is a whole body, or nothing.
    pub fn is_whole(&self) -> bool {
        matches!(self.place, Place::Header) && self.taken == self.input.len()
    }
}

/// Unpacks a body of at most so many bytes.
///
/// # Errors
/// Where it is damaged or larger.
pub fn gunzip(packed: &[u8], most: usize) -> Result<Vec<u8>, Unreadable> {
    let (mut gunzip, mut all) = (Gunzip::default(), Vec::new());
    gunzip.push(packed);
    while let Some(piece) = gunzip.piece()? {
        if all.len() + piece.len() > most {
            return Err(Unreadable::TooLarge(most));
        }
        all.extend(piece);
    }
    if gunzip.is_whole() { Ok(all) } else { Err(Unreadable::Damaged) }
}

/// How long the header is that this begins with; `None` where it has not come as a whole.
fn header_bytes(bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
    let begins = bytes.iter().zip(&MAGIC).all(|(came, expected)| came == expected);
    if !begins || bytes.get(3).is_some_and(|flags| flags & RESERVED != 0) {
        return Err(Unreadable::Damaged);
    }
    match whole_header(bytes) {
        None if bytes.len() > MAX_HEADER_BYTES => Err(Unreadable::Damaged),
        length => Ok(length),
    }
}

fn whole_header(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut length = HEADER_BYTES;
    if flags & EXTRA != 0 {
        let extra: [u8; 2] = bytes.get(length..length + 2)?.try_into().ok()?;
        length += 2 + usize::from(u16::from_le_bytes(extra));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            length += memchr::memchr(0, bytes.get(length..)?)? + 1;
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        length += 2;
    }
    (bytes.len() >= length).then_some(length)
}
