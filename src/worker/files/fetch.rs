//! Files on their way here: fetched into the cache, shown, saved.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::spawn_blocking;

use super::super::downloads::{folder, names};
use super::super::driver::{Driver, TaskResult};
use super::super::picker::Chosen;
use super::super::pictures::{self, MAX_VIEW, THUMBNAIL};
use super::{
    CACHE, FETCH_PATIENCE, Fetch, FileResult, Then, expect_room, make_folder, retried, touch, trim_cache,
};
use crate::model::ConnectionId;
use crate::model::file::{FileHash, FileId, FileInfo, save_name};
use crate::model::files::{FileTrouble, FileUpdate, Held};

/// Maximum number of saved files of one name.
const MAX_OF_A_NAME: u32 = 1_000;

impl Driver {
    /// Has a file here, and does something with it then.
    pub(super) fn fetch_file(&mut self, connection: ConnectionId, info: &FileInfo, then: Vec<Then>) {
        let hash = info.sha256;
        if let Some(fetch) = self.files.fetches.get_mut(&hash) {
            return fetch.then.extend(then);
        }
        let path = self.files.cached(hash);
        if fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == info.size) {
            touch(&path);
            self.show_file(FileUpdate::Held(hash, Some(Held::Here)));
            return self.use_file(hash, then);
        }
        let servers = self.file_servers(connection);
        let (places, done) = (Arc::clone(&self.files.places), self.done.clone());
        let (dir, now, info) = (self.files.dir.join(CACHE), Arc::clone(&self.files.retry_now), info.clone());
        let task = self.file_task(async move {
            let _place = places.acquire().await;
            let fetched = async {
                make_folder(&dir)?;
                expect_room(&dir, info.size)?;
                let reached = AtomicU64::new(0);
                let told = |bytes| {
                    reached.fetch_max(bytes, Ordering::Relaxed);
                    // What does not fit into the queue is overtaken by what follows.
                    let _ = done.try_send(TaskResult::File(FileResult::Fetching(hash, bytes)));
                };
                let part = path.with_extension("part");
                retried(
                    &servers,
                    Some(FETCH_PATIENCE),
                    &now,
                    || reached.load(Ordering::Relaxed),
                    |_| {},
                    async |server| server.download(info.id, info.size, hash, &part, &told).await,
                )
                .await?;
                let disk = |error: io::Error| FileTrouble::Disk { detail: error.to_string() };
                fs::rename(&part, &path).map_err(disk)?;
                // Nobody waits for it.
                drop(spawn_blocking(move || trim_cache(&dir)));
                Ok(())
            };
            FileResult::Fetched(hash, fetched.await)
        });
        self.files.fetches.insert(hash, Fetch { task, connection, then });
        self.show_file(FileUpdate::Held(hash, Some(Held::Loading(0))));
    }

    pub(super) fn end_fetch(&mut self, hash: FileHash) {
        if let Some(fetch) = self.files.fetches.remove(&hash) {
            fetch.task.abort();
            self.show_file(FileUpdate::Held(hash, None));
        }
    }

    pub(super) fn fetched(&mut self, hash: FileHash, fetched: Result<(), FileTrouble>) {
        let Some(fetch) = self.files.fetches.remove(&hash) else { return };
        match fetched {
            Ok(()) => {
                self.show_file(FileUpdate::Held(hash, Some(Held::Here)));
                self.use_file(hash, fetch.then);
            }
            Err(trouble) => {
                log::info!("a file of connection {:?} was not fetched: {trouble:?}", fetch.connection);
                for then in fetch.then {
                    if let Then::Save(info) | Then::SaveAt(info, _) = then {
                        self.show_file(FileUpdate::Saved(info.id, Err(trouble.clone())));
                    }
                }
                self.show_file(FileUpdate::Held(hash, Some(Held::Failed(trouble))));
            }
        }
    }

    /// Files that could not be reached are asked for again when they are seen.
    pub(super) fn forget_unreachable(&mut self) {
        let is_one = |held: &Held| matches!(held, Held::Failed(FileTrouble::Unreachable));
        let all: Vec<FileHash> = self.model.read(|model| {
            model.files.held.iter().filter(|(_, held)| is_one(held)).map(|(hash, _)| *hash).collect()
        });
        all.into_iter().for_each(|hash| self.show_file(FileUpdate::Held(hash, None)));
    }

    fn use_file(&mut self, hash: FileHash, then: Vec<Then>) {
        let path = self.files.cached(hash);
        for then in then {
            match then {
                Then::Thumbnail => {
                    if self.files.decoding.insert(hash) {
                        self.decode(path.clone(), move |path| {
                            FileResult::Thumbnail(hash, pictures::decode(path, THUMBNAIL))
                        });
                    }
                }
                Then::View => {
                    self.decode(path.clone(), move |path| {
                        FileResult::Decoded(hash, pictures::decode(path, (MAX_VIEW, MAX_VIEW)))
                    });
                }
                Then::Save(info) => self.save_file(info.id, path.clone(), move |path| save(path, &info)),
                Then::SaveAt(info, to) => {
                    self.save_file(info.id, path.clone(), move |path| save_at(path, to));
                }
            }
        }
    }

    fn save_file(
        &self,
        id: FileId,
        path: PathBuf,
        save: impl FnOnce(&Path) -> Result<PathBuf, FileTrouble> + Send + 'static,
    ) {
        self.file_task(async move {
            let saved = spawn_blocking(move || save(&path)).await;
            let saved = saved.unwrap_or_else(|e| Err(FileTrouble::Disk { detail: e.to_string() }));
            FileResult::Saved(id, saved)
        });
    }

    /// Has the person choose where a file is saved.
    pub(super) fn choose_place(&mut self, connection: ConnectionId, info: FileInfo) {
        let name = save_name(&info.name);
        self.file_task(async move {
            FileResult::Chosen(connection, info, super::super::picker::choose(name).await)
        });
    }

    pub(super) fn place_chosen(&mut self, connection: ConnectionId, info: FileInfo, chosen: Chosen) {
        let then = match chosen {
            Chosen::At(None) => return,
            Chosen::At(Some(path)) => Then::SaveAt(info.clone(), path),
            Chosen::NoPicker => Then::Save(info.clone()),
        };
        self.fetch_file(connection, &info, vec![then]);
    }

    fn decode(&self, path: PathBuf, decode: impl FnOnce(&Path) -> FileResult + Send + 'static) {
        let (decoder, done) = (Arc::clone(&self.files.decoder), self.done.clone());
        tokio::spawn(async move {
            let _turn = decoder.acquire().await;
            if let Ok(result) = spawn_blocking(move || decode(&path)).await {
                // The receiver is gone if the worker has ended.
                let _ = done.send(TaskResult::File(result)).await;
            }
        });
    }
}

/// Copies a file from the cache into the folder of downloads, under a name that nothing has there. Blocks.
fn save(from: &Path, info: &FileInfo) -> Result<PathBuf, FileTrouble> {
    let disk = |error: io::Error| FileTrouble::Disk { detail: error.to_string() };
    let folder = folder().ok_or_else(|| disk(io::Error::other("there is no folder for downloads")))?;
    save_in(&folder, from, info).map_err(disk)
}

/// Copies a file from the cache to where the person wants it, whatever is there: beside it first, so that nothing is lost
/// if that fails. Blocks.
fn save_at(from: &Path, to: PathBuf) -> Result<PathBuf, FileTrouble> {
    let disk = |error: io::Error| FileTrouble::Disk { detail: error.to_string() };
    let mut part = to.clone().into_os_string();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let mut target = OpenOptions::new().write(true).create_new(true).open(&part).map_err(disk)?;
    let copied = fs::File::open(from).and_then(|mut source| io::copy(&mut source, &mut target));
    let saved = copied.and_then(|_| target.sync_all()).and_then(|()| fs::rename(&part, &to));
    if let Err(error) = saved {
        super::remove(&part);
        return Err(disk(error));
    }
    Ok(to)
}

fn save_in(folder: &Path, from: &Path, info: &FileInfo) -> io::Result<PathBuf> {
    let name = save_name(&info.name);
    let (stem, ending) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).unwrap_or((&name, ""));
    for name in names(stem, ending, MAX_OF_A_NAME) {
        let path = folder.join(name.trim_end_matches('.'));
        let mut target = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        let copied = fs::File::open(from).and_then(|mut source| io::copy(&mut source, &mut target));
        return match copied.and_then(|_| target.sync_all()) {
            Ok(()) => Ok(path),
            Err(error) => {
                super::remove(&path);
                Err(error)
            }
        };
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::file::FileId;

    #[test]
    fn a_file_is_saved_where_the_person_wants_it_or_what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("cached"), dir.path().join("plan.txt"));
        fs::write(&from, "pump").unwrap();
        for before in [None, Some("older")] {
            before.iter().for_each(|before| fs::write(&to, before).unwrap());
            assert_eq!(save_at(&from, to.clone()), Ok(to.clone()));
            assert_eq!(fs::read_to_string(&to).unwrap(), "pump");
        }
        fs::write(&to, "older").unwrap();
        assert!(save_at(&dir.path().join("gone"), to.clone()).is_err());
        assert_eq!(fs::read_to_string(&to).unwrap(), "older");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no part is left");
    }

    #[test]
    fn a_file_is_saved_under_a_free_name_in_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (from, folder) = (dir.path().join("cached"), dir.path().join("folder"));
        fs::write(&from, "pump").unwrap();
        fs::create_dir(&folder).unwrap();
        let named = |name: &str| {
            let info = FileInfo {
                id: FileId::from_random([1; 16]),
                name: name.to_owned(),
                size: 4,
                sha256: FileHash([1; 32]),
                media_type: String::new(),
                width: None,
                height: None,
            };
            let path = save_in(&folder, &from, &info).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "pump");
            path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(named("../../evil.txt"), "evil.txt");
        assert_eq!(named("evil.txt"), "evil-2.txt");
        assert_eq!(named("Makefile"), "Makefile");
        assert_eq!(named("Makefile"), "Makefile-2");
    }
}
