//! [`SettingsFile`]: reads and writes `settings.json`. Written in one piece, with the last good one kept as
//! `settings.json.bak`; what cannot be read is set aside, and a later version is left untouched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::migrate::{self, STEPS, Unfit, VERSION};
use super::private_file::{self, beside};
use super::{FILE, Settings};
use crate::model::Banner;

/// Why settings were not written.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is of a later version of this program.
    #[error("{} is of a later version and is left as it is", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be written; it is as it was.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// The settings as they were found.
#[derive(Debug)]
pub struct OpenedSettings {
    /// Where to write them.
    pub file: SettingsFile,
    /// What they are.
    pub settings: Settings,
    /// What the person should know.
    pub banners: Vec<Banner>,
}

/// Where settings are written.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    path: PathBuf,
    is_newer: bool,
}

impl SettingsFile {
    /// Reads the settings in a data directory; there need not be any. Never fails: what cannot be read is set aside, and
    /// the backup is used where there is a readable one, else defaults.
    pub fn open(dir: &Path) -> OpenedSettings {
        let path = dir.join(FILE);
        let mut file = SettingsFile { path, is_newer: false };
        let mut banners = Vec::new();
        let settings = match fs::read(&file.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Settings::default(),
            Err(error) => file.unreadable(&error.to_string(), &mut banners),
            Ok(bytes) => match parse(&bytes) {
                Ok((settings, version)) => {
                    if version < migrate::current(STEPS) {
                        // Without it the old file is still there: it is only written when a setting changes.
                        let kept = private_file::write(
                            &beside(&file.path, &format!(".before-v{}", version + 1)),
                            &bytes,
                        );
                        if let Err(error) = kept {
                            log::warn!("the older settings could not be copied: {error}");
                        }
                    }
                    settings
                }
                Err(Unfit::Newer) => {
                    file.is_newer = true;
                    of_later_version(&bytes)
                }
                Err(Unfit::Unreadable(detail)) => file.unreadable(&detail, &mut banners),
            },
        };
        OpenedSettings { file, settings, banners }
    }

    /// Whether the file is of a later version: it was read as far as it could be understood, and is not written.
    pub fn is_newer(&self) -> bool {
        self.is_newer
    }

    /// Writes the settings. They are on disk when this returns. Blocks.
    pub fn save(&self, settings: &Settings) -> Result<(), SettingsError> {
        if self.is_newer {
            return Err(SettingsError::Newer { path: self.path.clone() });
        }
        self.write(settings).map_err(|source| SettingsError::Io { path: self.path.clone(), source })
    }

    fn write(&self, settings: &Settings) -> io::Result<()> {
        let mut map = Map::new();
        map.insert(VERSION.to_owned(), migrate::current(STEPS).into());
        if let Value::Object(fields) = serde_json::to_value(settings)? {
            map.extend(fields.into_iter().filter(|(name, _)| name != VERSION));
        }
        let mut text = serde_json::to_vec_pretty(&map)?;
        text.push(b'\n');
        match fs::read(&self.path) {
            Ok(old) if old == text => return Ok(()),
            Ok(old) if parse(&old).is_ok() => private_file::write(&beside(&self.path, ".bak"), &old)?,
            _ => {}
        }
        private_file::write(&self.path, &text)
    }

    fn unreadable(&self, detail: &str, banners: &mut Vec<Banner>) -> Settings {
        log::warn!("the settings cannot be read: {detail}");
        banners.push(match self.set_aside() {
            Ok(path) => Banner::SettingsSetAside { path },
            Err(error) => Banner::DiskReadOnly { detail: error.to_string() },
        });
        let backup = fs::read(beside(&self.path, ".bak")).ok();
        backup.and_then(|bytes| parse(&bytes).ok()).map(|(settings, _)| settings).unwrap_or_default()
    }

    fn set_aside(&self) -> io::Result<PathBuf> {
        let stamp = chrono::Utc::now().format("%Y%m%dT%H%M%SZ");
        let mut target = beside(&self.path, &format!(".damaged-{stamp}"));
        for again in 2.. {
            if !target.exists() {
                break;
            }
            target = beside(&self.path, &format!(".damaged-{stamp}-{again}"));
        }
        fs::rename(&self.path, &target)?;
        Ok(target)
    }
}

fn parse(bytes: &[u8]) -> Result<(Settings, u64), Unfit> {
    let (mut map, version) = migrate::read(bytes, STEPS)?;
    map.remove(VERSION);
    let settings =
        serde_json::from_value(Value::Object(map)).map_err(|error| Unfit::Unreadable(error.to_string()))?;
    Ok((settings, version))
}

/// What of a later version's settings still means the same.
fn of_later_version(bytes: &[u8]) -> Settings {
    serde_json::from_slice(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConnectionId, Profile};
    use crate::settings::{Theme, WindowSize};

    fn some() -> Settings {
        Settings {
            profiles: vec![Profile {
                id: ConnectionId(u64::MAX),
                name: "작업실".into(),
                urls: vec!["wss://hub.example/v1/socket".into()],
                protocol: Default::default(),
                socket: crate::model::profile::Socket::Ewebsock,
                ca_file: Some("/etc/ca.pem".into()),
                fingerprint: None,
                auto_connect: false,
            }],
            first_steps_done: true,
            display_name: "Ann".into(),
            theme: Theme::Dark,
            window: Some(WindowSize { width: 1280.0, height: 800.5 }),
            unknown: Map::new(),
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_written_is_read_again_and_the_last_one_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let opened = SettingsFile::open(dir.path());
        assert_eq!((&opened.settings, &opened.banners[..]), (&Settings::default(), &[][..]));
        opened.file.save(&some()).unwrap();
        assert_eq!(SettingsFile::open(dir.path()).settings, some());
        assert_eq!(names(dir.path()), [FILE]);
        let other = Settings { theme: Theme::Light, ..some() };
        opened.file.save(&other).unwrap();
        opened.file.save(&other).unwrap();
        assert_eq!(SettingsFile::open(dir.path()).settings, other);
        assert_eq!(names(dir.path()), [FILE, "settings.json.bak"]);
        assert_eq!(parse(&fs::read(dir.path().join("settings.json.bak")).unwrap()).unwrap().0, some());
    }

    #[test]
    fn fields_of_other_versions_survive_a_rewrite() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), r#"{"version":1,"font":{"size":14},"theme":"dark"}"#).unwrap();
        let opened = SettingsFile::open(dir.path());
        assert_eq!((opened.settings.theme, opened.settings.profiles.len()), (Theme::Dark, 0));
        opened.file.save(&Settings { display_name: "Bo".into(), ..opened.settings }).unwrap();
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["font"]["size"], &value["version"]), (&14.into(), &1.into()));
    }

    #[test]
    fn what_cannot_be_read_is_set_aside_and_the_backup_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let opened = SettingsFile::open(dir.path());
        opened.file.save(&some()).unwrap();
        opened.file.save(&Settings { first_steps_done: false, ..some() }).unwrap();
        for damage in ["{\"version\":1,", "{\"version\":1,\"theme\":7}"] {
            fs::write(dir.path().join(FILE), damage).unwrap();
            let opened = SettingsFile::open(dir.path());
            assert_eq!(opened.settings, some());
            let [Banner::SettingsSetAside { path }] = &opened.banners[..] else {
                panic!("{:?}", opened.banners)
            };
            assert_eq!(fs::read_to_string(path).unwrap(), damage);
        }
        assert!(!dir.path().join(FILE).exists());
        fs::remove_file(dir.path().join("settings.json.bak")).unwrap();
        fs::write(dir.path().join(FILE), "").unwrap();
        assert_eq!(SettingsFile::open(dir.path()).settings, Settings::default());
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_goes_and_never_written() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"{"version":99,"display_name":"Ann","theme":"dark"}"#;
        fs::write(dir.path().join(FILE), text).unwrap();
        let opened = SettingsFile::open(dir.path());
        assert!(opened.file.is_newer() && opened.banners.is_empty());
        assert_eq!((opened.settings.display_name.as_str(), opened.settings.theme), ("Ann", Theme::Dark));
        assert!(matches!(opened.file.save(&some()), Err(SettingsError::Newer { .. })));
        assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap(), text);
        assert_eq!(names(dir.path()), [FILE]);
    }
}
