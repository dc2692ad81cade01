//! [`FileInfo`]: a file that belongs to a message, as its field `file` describes it. The file itself travels over HTTP.

use std::fmt;
use std::str::FromStr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use super::content::{Content, FILE};
use super::id::MessageId;

/// Maximum length of a file's name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 255;
/// Maximum length of a media type, in bytes.
pub const MAX_TYPE_BYTES: usize = 127;
/// Maximum size of one part of an upload, in bytes.
pub const MAX_PART_BYTES: u64 = 1024 * 1024;
/// Maximum width and height of a picture that is told, in pixels.
pub const MAX_SIDE_PIXELS: u32 = 1 << 20;
/// Names under which Windows reaches devices instead of files, whatever follows a dot.
const RESERVED: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// The same, with a digit behind them.
const RESERVED_NUMBERED: [&str; 2] = ["COM", "LPT"];

/// A file at a server: a UUID made by whoever uploads it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileId(pub Uuid);

impl FileId {
    /// Makes an id (version 4) of 16 random bytes.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        FileId(MessageId::from_random(bytes).0)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for FileId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(text).map(FileId)
    }
}

/// A SHA-256; 64 hexadecimal digits in JSON.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileHash(pub [u8; 32]);

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileHash({self})")
    }
}

impl FromStr for FileHash {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(FileHash).ok_or("a SHA-256 has 64 hexadecimal digits")
    }
}

impl Serialize for FileHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A file that belongs to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its id at the server.
    pub id: FileId,
    /// Its name as the sender told it. It is never a path; see [`save_name`].
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: FileHash,
    /// Its media type as the sender told it; may be empty.
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// The width of a picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// The height of a picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}

impl FileInfo {
    /// Whether every field is within its limits.
    pub fn is_valid(&self) -> bool {
        let is_side = |side: Option<u32>| side.is_none_or(|side| (1..=MAX_SIDE_PIXELS).contains(&side));
        !self.name.trim().is_empty()
            && self.name.len() <= MAX_NAME_BYTES
            && self.media_type.len() <= MAX_TYPE_BYTES
            && self.size < 1 << 53
            && is_side(self.width)
            && is_side(self.height)
            && self.width.is_some() == self.height.is_some()
    }

    /// Whether it is a picture that can be shown, by its media type. Its content may be something else.
    pub fn is_picture(&self) -> bool {
        picture_type(&self.name).is_some_and(|by_name| by_name == self.media_type)
            || PICTURES.iter().any(|(_, media_type)| *media_type == self.media_type)
    }
}

/// Endings of names of pictures that can be shown, and their media types.
const PICTURES: [(&str, &str); 5] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
];
/// Endings of names of other files, and their media types.
const OTHERS: [(&str, &str); 14] = [
    ("csv", "text/csv"),
    ("gz", "application/gzip"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("json", "application/json"),
    ("log", "text/plain"),
    ("md", "text/markdown"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
    ("wav", "audio/wav"),
    ("zip", "application/zip"),
];

/// The media type of a picture that can be shown, by the ending of its name.
pub fn picture_type(name: &str) -> Option<&'static str> {
    by_ending(&PICTURES, name)
}

/// The media type of a file, by the ending of its name.
pub fn media_type(name: &str) -> &'static str {
    by_ending(&PICTURES, name).or_else(|| by_ending(&OTHERS, name)).unwrap_or("application/octet-stream")
}

fn by_ending(known: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    known.iter().find(|(known, _)| *known == ending).map(|(_, media_type)| *media_type)
}

/// A name under which a file can be saved on any system, inside whatever folder is chosen: without separators, control and
/// bidi characters, leading dots, trailing dots and blanks, and names that Windows keeps for devices.
pub fn save_name(name: &str) -> String {
    // What stands before a separator is a folder, which is not the sender's to choose.
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim_matches(['.', ' ']).is_empty()).unwrap_or("");
    let is_kept = |c: char| {
        !c.is_control()
            && !super::harmless::is_ignorable(c)
            && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFB}')
    };
    let clean: String = last
        .chars()
        .filter(|c| is_kept(*c))
        .map(|c| if matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') { '_' } else { c })
        .collect();
    let is_edge = |c: char| c == '.' || c.is_whitespace();
    let clean = clean.trim_start_matches(is_edge).trim_end_matches(is_edge);
    let clean = shortened(clean);
    let stem = clean.split('.').next().unwrap_or("").trim_end().to_ascii_uppercase();
    let is_numbered = |word: &str| {
        stem.strip_prefix(word).is_some_and(|digit| {
            let mut digits = digit.chars();
            matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    };
    if clean.is_empty() {
        "file".to_owned()
    } else if RESERVED.contains(&stem.as_str()) || RESERVED_NUMBERED.into_iter().any(is_numbered) {
        format!("_{clean}")
    } else {
        clean
    }
}

/// A name cut to what every file system takes, with its ending.
fn shortened(name: &str) -> String {
    const MOST: usize = 200;
    if name.len() <= MOST {
        return name.to_owned();
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending).filter(|ending| ending.len() <= 16);
    let ending = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
    let mut end = MOST - ending.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", name[..end].trim_end_matches(['.', ' ']))
}

/// A size for people: `812 B`, `3.4 MB`, by 1000 as file managers count.
pub fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut size, mut unit) = (bytes as f64 / 1000.0, 0);
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// Why a server refuses something about a file: a word for programs, a sentence, and what goes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRefusal {
    /// A stable word; see PROTOCOL.md.
    #[serde(rename = "error")]
    pub code: String,
    /// For people.
    #[serde(default)]
    pub detail: String,
    /// How much of an upload the server has, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The limit that is reached, in bytes or items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// How far an upload has come, as the server says it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadState {
    /// The bytes that the server has on its disk.
    pub offset: u64,
    /// The size of the whole.
    pub size: u64,
    /// Whether the server has all of it and has checked it.
    pub complete: bool,
}

/// What a server takes in files. Told in its welcome.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLimits {
    /// Maximum size of a file, in bytes; 0: no limit.
    pub max_bytes: u64,
    /// Maximum size of one part of an upload, in bytes.
    pub max_part_bytes: u64,
    /// For how long files are kept, in milliseconds; 0: as long as their messages.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub keep_ms: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Content {
    /// The file that belongs to this message. None where there is none, or it is not described as it should be.
    pub fn file(&self) -> Option<FileInfo> {
        let Content::Text { extra, .. } = self else { return None };
        FileInfo::deserialize(extra.get(FILE)?).ok().filter(FileInfo::is_valid)
    }

    /// Whether a file belongs to this message, described rightly or not.
    pub fn names_file(&self) -> bool {
        matches!(self, Content::Text { extra, .. } if extra.get(FILE).is_some())
    }

    /// The same message with a file.
    pub fn with_file(mut self, file: &FileInfo) -> Self {
        if let (Content::Text { extra, .. }, Ok(value)) = (&mut self, serde_json::to_value(file)) {
            extra.insert(FILE, value);
        }
        self
    }

    /// What the person wrote with a file: nothing where the words only repeat its name and size.
    pub fn caption(&self) -> &str {
        match self.file() {
            Some(file) if self.body() == file_body(&file.name, file.size) => "",
            _ => self.body(),
        }
    }
}

/// The words of a message whose sender wrote none: they make sense to whoever knows nothing of files.
pub fn file_body(name: &str, size: u64) -> String {
    format!("{name} ({})", size_text(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str) -> FileInfo {
        FileInfo {
            id: FileId::from_random([7; 16]),
            name: name.to_owned(),
            size: 2_500_000,
            sha256: FileHash([0xab; 32]),
            media_type: media_type(name).to_owned(),
            width: None,
            height: None,
        }
    }

    #[test]
    fn a_message_carries_its_file_and_makes_sense_without_it() {
        let file = info("pump.JPG");
        let content = Content::text(file_body(&file.name, file.size)).with_file(&file);
        assert_eq!(content.body(), "pump.JPG (2.5 MB)");
        assert_eq!(content.file(), Some(file.clone()));
        assert_eq!(content.caption(), "");
        assert!(file.is_picture());
        let json = content.fields_json().unwrap();
        let read = Content::from_fields("message", None, super::super::Extra::from_json(&json)).unwrap();
        assert_eq!(read.file(), Some(file.clone()));
        assert_eq!(Content::text("Look at this").with_file(&file).caption(), "Look at this");
        assert_eq!(content.deleted(None).file(), None, "a deleted message has no file");
    }

    #[test]
    fn what_is_not_described_as_it_should_be_is_no_file() {
        for bad in [
            r#"{"file": 7}"#,
            r#"{"file": {"id": "x", "name": "a", "size": 1, "sha256": "00"}}"#,
            r#"{"file": {"id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "name": "", "size": 1, "sha256": "abababababababababababababababababababababababababababababababab"}}"#,
            r#"{"file": {"id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "name": "a", "size": -1, "sha256": "abababababababababababababababababababababababababababababababab"}}"#,
            r#"{"file": {"id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "name": "a", "size": 1, "width": 5, "sha256": "abababababababababababababababababababababababababababababababab"}}"#,
        ] {
            let content = Content::Text { body: "x".into(), extra: super::super::Extra::from_json(bad) };
            assert_eq!(content.file(), None, "{bad}");
            assert!(content.names_file());
        }
    }

    #[test]
    fn a_saved_name_stays_inside_its_folder_on_every_system() {
        for (name, saved) in [
            ("photo.png", "photo.png"),
            ("보고서 최종.pdf", "보고서 최종.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system.ini", "system.ini"),
            ("C:\\autoexec.bat", "autoexec.bat"),
            ("a:b", "a_b"),
            ("..", "file"),
            ("../", "file"),
            ("", "file"),
            (".bashrc", "bashrc"),
            ("...hidden", "hidden"),
            (". .profile", "profile"),
            ("name. . ", "name"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("nul .txt", "_nul .txt"),
            ("COM1.log", "_COM1.log"),
            ("lpt¹", "_lpt¹"),
            ("COM10", "COM10"),
            ("console", "console"),
            ("invoice\u{202E}fdp.exe", "invoicefdp.exe"),
            ("a\u{0}b\n.txt", "ab.txt"),
            ("what?*.txt", "what__.txt"),
        ] {
            assert_eq!(save_name(name), saved, "{name:?}");
        }
        let long = save_name(&format!("{}.tar", "한".repeat(200)));
        assert!(long.len() <= 200 && long.ends_with(".tar"), "{long}");
    }

    #[test]
    fn sizes_are_read_at_a_glance() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (209_715_200, "209.7 MB")]
        {
            assert_eq!(size_text(bytes), text);
        }
    }
}
