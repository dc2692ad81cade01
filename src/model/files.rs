//! [`Files`]: what the window shows of files: those that the person has added and that are not messages yet, those that are
//! here, and thumbnails.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use super::export::Picture;
use super::file::{FileHash, FileId, FileInfo};
use super::id::{ConnectionId, MessageId, RoomId};

/// Maximum number of files that are not messages yet, over all connections.
pub const MAX_PENDING: usize = 64;
/// Pictures up to this size are fetched by themselves, for their thumbnails, in bytes.
pub const MAX_AUTO_BYTES: u64 = 8 * 1024 * 1024;
/// Width and height of the place of a thumbnail, in points.
pub const THUMBNAIL_POINTS: (f32, f32) = (320.0, 220.0);
/// Maximum number of thumbnails in memory.
const MAX_THUMBNAILS: usize = 48;
/// Maximum number of files whose state is known.
const MAX_KNOWN: usize = 2_048;

/// Why a file was not transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileTrouble {
    /// The server cannot be reached; it is tried again.
    Unreachable,
    /// The file is larger than the server takes.
    TooLarge {
        /// The limit, in bytes.
        limit: Option<u64>,
    },
    /// The person's files take as much as they may at the server.
    Quota {
        /// The limit, in bytes.
        limit: Option<u64>,
    },
    /// The server has no space for files; it is tried again.
    ServerFull,
    /// There are as many files as there may be that are not messages yet.
    TooMany,
    /// The person may not.
    NotAllowed,
    /// The server takes no files.
    NotOffered,
    /// The server no longer keeps the file.
    Gone,
    /// The server does not have the file, or not for this person.
    NoSuchFile,
    /// What arrived is not what was sent.
    Checksum,
    /// A file here cannot be read or written.
    Disk {
        /// In the system's words.
        detail: String,
    },
    /// The server refused it otherwise.
    Refused {
        /// In the server's words.
        detail: String,
    },
}

/// How far a file has come that the person added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is copied into the data directory.
    Copying,
    /// It waits for the person to send it.
    Attached,
    /// It waits for its turn, or for the server.
    Waiting(Option<FileTrouble>),
    /// So many bytes are at the server.
    Uploading(u64),
    /// It is at the server; its message is being sent.
    Sending,
    /// It goes no further by itself.
    Failed(FileTrouble),
}

/// A file that is not a message yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingFile {
    /// What is told of it. Its size and checksum count only once it is copied.
    pub info: FileInfo,
    /// Into which room it goes.
    pub room: RoomId,
    /// Into which thread of it.
    pub thread: Option<MessageId>,
    /// How far it has come.
    pub stage: Stage,
}

/// A file of a message, on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// So many bytes are here.
    Loading(u64),
    /// All of it is here, and checked.
    Here,
    /// It could not be had.
    Failed(FileTrouble),
}

/// A small picture of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thumbnail {
    /// This.
    Picture(Picture),
    /// The file is no picture that can be shown: of another format, damaged, or too large to be decoded.
    None,
}

/// A picture that the person looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewed {
    /// By which connection it came.
    pub connection: ConnectionId,
    /// The file.
    pub info: FileInfo,
    /// The picture, once it is decoded; or there is none.
    pub picture: Option<Thumbnail>,
}

/// What changes [`Files`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileUpdate {
    /// Nothing is known of files that are not messages yet.
    Begin,
    /// A file was added or has come further.
    Pending(ConnectionId, PendingFile),
    /// It is a message now, or was given up.
    PendingOver(ConnectionId, FileId),
    /// What is known of a file's content here; nothing: it is not here.
    Held(FileHash, Option<Held>),
    /// A thumbnail is there.
    Thumbnail(FileHash, Thumbnail),
    /// The person looks at this.
    Viewed(Option<Viewed>),
    /// A file was saved for the person, or not.
    Saved(FileId, Result<PathBuf, FileTrouble>),
    /// There is nothing on this computer that lets a person pick files: a path is to be typed.
    NoPicker {
        /// For which room.
        connection: ConnectionId,
        /// For which room.
        room: RoomId,
        /// For which thread of it.
        thread: Option<MessageId>,
    },
}

/// All that the window shows of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Those that are not messages yet, in the order in which they were added.
    pub pending: BTreeMap<ConnectionId, Vec<PendingFile>>,
    /// What is here of the files of messages, as far as that was asked.
    pub held: BTreeMap<FileHash, Held>,
    thumbnails: VecDeque<(FileHash, Thumbnail)>,
    /// The picture that the person looks at.
    pub viewed: Option<Viewed>,
    /// The file that was saved last.
    pub saved: Option<(FileId, Result<PathBuf, FileTrouble>)>,
    /// The room for which a path is to be typed.
    pub asks_path: Option<(ConnectionId, RoomId, Option<MessageId>)>,
    /// Grows with every change that a row of the message list may show.
    pub version: u64,
}

impl Files {
    /// Takes one change in.
    pub fn apply(&mut self, update: FileUpdate) {
        self.version += 1;
        match update {
            FileUpdate::Begin => self.pending.clear(),
            FileUpdate::Pending(connection, file) => {
                let pending = self.pending.entry(connection).or_default();
                match pending.iter_mut().find(|known| known.info.id == file.info.id) {
                    Some(known) => *known = file,
                    None => pending.push(file),
                }
            }
            FileUpdate::PendingOver(connection, id) => {
                if let Some(pending) = self.pending.get_mut(&connection) {
                    pending.retain(|file| file.info.id != id);
                }
            }
            FileUpdate::Held(hash, held) => {
                match held {
                    Some(held) => _ = self.held.insert(hash, held),
                    None => _ = self.held.remove(&hash),
                }
                while self.held.len() > MAX_KNOWN {
                    // It is asked for again when it is seen again.
                    self.held.pop_first();
                }
            }
            FileUpdate::Thumbnail(hash, thumbnail) => {
                self.thumbnails.retain(|(known, _)| *known != hash);
                self.thumbnails.push_back((hash, thumbnail));
                if self.thumbnails.len() > MAX_THUMBNAILS {
                    self.thumbnails.pop_front();
                }
            }
            FileUpdate::Viewed(viewed) => self.viewed = viewed,
            FileUpdate::Saved(id, saved) => self.saved = Some((id, saved)),
            FileUpdate::NoPicker { connection, room, thread } => {
                self.asks_path = Some((connection, room, thread));
            }
        }
    }

    /// The thumbnail of a file, if it is in memory.
    pub fn thumbnail(&self, hash: &FileHash) -> Option<&Thumbnail> {
        self.thumbnails.iter().find(|(known, _)| known == hash).map(|(_, thumbnail)| thumbnail)
    }

    /// Files that are not messages yet, of a room or of a thread in it.
    pub fn pending_in<'a>(
        &'a self,
        connection: ConnectionId,
        room: &'a RoomId,
        thread: Option<MessageId>,
    ) -> impl Iterator<Item = &'a PendingFile> {
        let all = self.pending.get(&connection).into_iter().flatten();
        all.filter(move |file| file.room == *room && file.thread == thread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(n: u8) -> FileInfo {
        FileInfo {
            id: FileId::from_random([n; 16]),
            name: "a".into(),
            size: 1,
            sha256: FileHash([n; 32]),
            media_type: String::new(),
            width: None,
            height: None,
        }
    }

    #[test]
    fn files_keep_their_order_and_memory_is_bounded() {
        let mut files = Files::default();
        let at = ConnectionId(5);
        let pending = |n, stage| PendingFile { info: info(n), room: RoomId::general(), thread: None, stage };
        files.apply(FileUpdate::Pending(at, pending(1, Stage::Copying)));
        files.apply(FileUpdate::Pending(at, pending(2, Stage::Attached)));
        files.apply(FileUpdate::Pending(at, pending(1, Stage::Uploading(7))));
        let general = RoomId::general();
        let stages: Vec<_> = files.pending_in(at, &general, None).map(|file| file.stage.clone()).collect();
        assert_eq!(stages, [Stage::Uploading(7), Stage::Attached]);
        files.apply(FileUpdate::PendingOver(at, info(1).id));
        assert_eq!(files.pending_in(at, &general, None).count(), 1);
        for n in 0..200 {
            files.apply(FileUpdate::Thumbnail(FileHash([n; 32]), Thumbnail::None));
        }
        assert!(files.thumbnail(&FileHash([199; 32])).is_some());
        assert!(files.thumbnail(&FileHash([0; 32])).is_none());
    }
}
