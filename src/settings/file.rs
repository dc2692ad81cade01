//! [`Settings`]: typed access to `settings.json`. It is written in one piece, with the last good one kept as
//! `settings.json.bak`; what cannot be read is set aside, and a later version is left untouched.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::FILE;
use super::kept_profiles::KeptProfiles;
use super::migrate::{self, STEPS, Unfit, VERSION};
use super::private_file::{self, beside};
use crate::model::address;
use crate::model::profile::{NewerProfile, Secret};
use crate::model::proxy::{self, Proxy, ProxyChoice};
use crate::model::{
    Banner, ConnectionId, DeviceChoices, LanChoice, NoticeChoices, Panes, Preferences, Profile, WindowPlace,
};

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

/// Ids below this one have a meaning of their own ([`ConnectionId::OWN_HUB`], [`ConnectionId::COMMAND_LINE`]).
const FIRST_ID: u64 = 3;

/// The settings, and the file that they are in. A change is kept once [`Settings::save`] says so.
#[derive(Clone, Debug)]
pub struct Settings {
    path: PathBuf,
    is_newer: bool,
    content: Content,
}

/// What is in the file. Fields of later versions of this program are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Content {
    /// The servers, in the person's order.
    profiles: KeptProfiles,
    /// The highest id that a connection ever had: an id is never given twice, since it is a key into the database.
    last_connection: u64,
    first_steps_done: bool,
    display_name: String,
    #[serde(flatten)]
    preferences: Preferences,
    notice_choices: NoticeChoices,
    #[serde(skip_serializing_if = "DeviceChoices::is_empty")]
    device_choices: DeviceChoices,
    /// Whether the own server is open to the local network.
    lan: LanChoice,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<WindowPlace>,
    panes: Panes,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Settings {
    /// Reads the settings in a data directory; there need not be any. Never fails: what cannot be read is set aside, and
    /// the backup is used where there is a readable one, else defaults. The banner says so.
    pub fn load(dir: &Path) -> (Settings, Option<Banner>) {
        let mut settings = Settings { path: dir.join(FILE), is_newer: false, content: Content::default() };
        let mut banner = None;
        match fs::read(&settings.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => banner = Some(settings.fall_back(&error.to_string())),
            Ok(bytes) => match parse(&bytes) {
                Ok((content, version)) => {
                    settings.content = content;
                    settings.back_up(&bytes, version);
                }
                Err(Unfit::Newer) => {
                    settings.is_newer = true;
                    // What of a later version's settings still means the same.
                    settings.content = serde_json::from_slice(&bytes).unwrap_or_default();
                }
                Err(Unfit::Unreadable(detail)) => banner = Some(settings.fall_back(&detail)),
            },
        }
        (settings, banner)
    }

    /// What the settings say about the window, before it opens. Touches nothing: damage is [`Settings::load`]'s to mend.
    pub fn glance(dir: &Path) -> (Preferences, Option<WindowPlace>, Panes) {
        let path = dir.join(FILE);
        let read = |path: &Path| Some(parse(&fs::read(path).ok()?).ok()?.0);
        let content = read(&path).or_else(|| read(&beside(&path, ".bak"))).unwrap_or_default();
        (content.preferences, content.window, content.panes)
    }

    /// Whether the file is of a later version: it was read as far as it could be understood, and is not written.
    pub fn is_newer(&self) -> bool {
        self.is_newer
    }

    /// The servers, in the person's order.
    pub fn profiles(&self) -> Vec<&Profile> {
        self.content.profiles.known().collect()
    }

    /// The servers that a newer version of this program set up.
    pub fn newer_profiles(&self) -> Vec<NewerProfile> {
        self.content.profiles.newer()
    }

    /// Takes passwords out of the addresses, where somebody wrote them into the file, for the keyring to keep. Then
    /// [`Settings::save_without_copy`] takes them off the disk.
    pub fn take_passwords(&mut self) -> Vec<(ConnectionId, Secret)> {
        let mut taken = Vec::new();
        for profile in self.content.profiles.known_mut() {
            if profile.protocol.has_login() {
                for userinfo in profile.urls.iter_mut().filter_map(address::take_userinfo) {
                    profile.websocket.user = userinfo.user;
                    taken.extend(userinfo.password.map(|password| (profile.id, password)));
                }
                continue;
            }
            let passwords = profile.urls.iter_mut().filter_map(address::take_password);
            taken.extend(passwords.map(|password| (profile.id, password)));
        }
        taken
    }

    /// The same for passwords of proxies.
    pub fn take_proxy_passwords(&mut self) -> Vec<(ConnectionId, Proxy)> {
        let taken = self.content.profiles.known_mut().filter_map(|profile| {
            let password = Some(proxy::take_password(&mut profile.network.proxy)?);
            let ProxyChoice::At(address) = profile.network.proxy.clone() else { return None };
            Some((profile.id, Proxy { address, password }))
        });
        taken.collect()
    }

    /// Adds a server, or changes the one with this id.
    pub fn set_profile(&mut self, profile: Profile) {
        self.content.last_connection = self.content.last_connection.max(profile.id.0);
        self.content.profiles.set(profile);
    }

    /// Takes a server out.
    pub fn remove_profile(&mut self, id: ConnectionId) {
        self.content.profiles.remove(id);
    }

    /// An id for a new server: one that no server ever had here.
    pub fn new_connection_id(&self) -> ConnectionId {
        let known = self.content.profiles.highest_id();
        ConnectionId(known.max(self.content.last_connection).saturating_add(1).max(FIRST_ID))
    }

    /// Whether the first steps were taken or put off.
    pub fn first_steps_done(&self) -> bool {
        self.content.first_steps_done
    }

    /// The first steps were taken or put off.
    pub fn set_first_steps_done(&mut self) {
        self.content.first_steps_done = true;
    }

    /// The name to propose to servers; empty until the person chose one.
    pub fn display_name(&self) -> &str {
        &self.content.display_name
    }

    /// Changes the name to propose to servers.
    pub fn set_display_name(&mut self, name: impl Into<String>) {
        self.content.display_name = name.into();
    }

    /// How the person wants the window to be.
    pub fn preferences(&self) -> Preferences {
        self.content.preferences
    }

    /// Changes how the window is to be.
    pub fn set_preferences(&mut self, preferences: Preferences) {
        self.content.preferences = preferences;
    }

    /// Of what the person wants to be told otherwise than usual.
    pub fn notice_choices(&self) -> &NoticeChoices {
        &self.content.notice_choices
    }

    /// For changing that.
    pub fn notice_choices_mut(&mut self) -> &mut NoticeChoices {
        &mut self.content.notice_choices
    }

    /// What the person has chosen for single devices.
    pub fn device_choices(&self) -> &DeviceChoices {
        &self.content.device_choices
    }

    /// For changing that.
    pub fn device_choices_mut(&mut self) -> &mut DeviceChoices {
        &mut self.content.device_choices
    }

    /// Whether the own server is to be open to the local network, and at which port.
    pub fn lan(&self) -> LanChoice {
        self.content.lan
    }

    /// Changes that.
    pub fn set_lan(&mut self, choice: LanChoice) {
        self.content.lan = choice;
    }

    /// Where the window stood when it was last closed.
    pub fn window(&self) -> Option<WindowPlace> {
        self.content.window
    }

    /// Notes where the window stands.
    pub fn set_window(&mut self, place: WindowPlace) {
        self.content.window = Some(place);
    }

    /// Notes how the panes stand.
    pub fn set_panes(&mut self, panes: Panes) {
        self.content.panes = panes;
    }

    /// Writes the settings, unless the file says the same already. They are on disk when this returns. Blocks.
    pub fn save(&self) -> Result<(), SettingsError> {
        if self.is_newer {
            return Err(SettingsError::Newer { path: self.path.clone() });
        }
        self.write().map_err(|source| SettingsError::Io { path: self.path.clone(), source })
    }

    /// Writes the settings, and nothing of the last good ones stays in the copy beside them. Blocks.
    pub fn save_without_copy(&self) -> Result<(), SettingsError> {
        self.save()?;
        let copied =
            fs::read(&self.path).and_then(|text| private_file::write(&beside(&self.path, ".bak"), &text));
        copied.map_err(|source| SettingsError::Io { path: self.path.clone(), source })
    }

    fn write(&self) -> io::Result<()> {
        let mut map = Map::new();
        map.insert(VERSION.to_owned(), migrate::current(STEPS).into());
        if let Value::Object(fields) = serde_json::to_value(&self.content)? {
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

    /// Keeps a copy of an older version's file. The file itself is only written when a setting changes.
    fn back_up(&self, bytes: &[u8], version: u64) {
        if version < migrate::current(STEPS) {
            let copy = beside(&self.path, &format!(".before-v{}", version + 1));
            if let Err(error) = private_file::write(&copy, bytes) {
                log::warn!("the older settings could not be copied: {error}");
            }
        }
    }

    fn fall_back(&mut self, detail: &str) -> Banner {
        log::warn!("the settings cannot be read: {detail}");
        if let Ok(bytes) = fs::read(beside(&self.path, ".bak"))
            && let Ok((content, _)) = parse(&bytes)
        {
            self.content = content;
        }
        match self.set_aside() {
            Ok(path) => Banner::SettingsSetAside { path },
            Err(error) => Banner::DiskReadOnly { detail: error.to_string() },
        }
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

fn parse(bytes: &[u8]) -> Result<(Content, u64), Unfit> {
    let (mut map, version) = migrate::read(bytes, STEPS)?;
    map.remove(VERSION);
    let content =
        serde_json::from_value(Value::Object(map)).map_err(|error| Unfit::Unreadable(error.to_string()))?;
    Ok((content, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::panes::Middle;
    use crate::model::profile::Protocol;
    use crate::model::{DeviceChange, DeviceId, LanguageChoice, Level, NoticePreferences, RoomId, Theme};

    fn dressed(theme: Theme) -> Preferences {
        Preferences { theme, ..Preferences::default() }
    }

    fn profile(id: u64) -> Profile {
        Profile {
            id: ConnectionId(id),
            name: "작업실".into(),
            urls: vec!["wss://hub.example/v1/socket".into()],
            protocol: Default::default(),
            socket: crate::model::profile::Socket::Ewebsock,
            route: Default::default(),
            ca_file: Some("/etc/ca.pem".into()),
            fingerprint: None,
            auto_connect: false,
            websocket: Default::default(),
            network: Default::default(),
        }
    }

    fn load(dir: &Path) -> Settings {
        let (settings, banner) = Settings::load(dir);
        assert_eq!(banner, None);
        settings
    }

    fn filled(dir: &Path) -> Settings {
        let mut settings = load(dir);
        settings.set_profile(profile(3));
        settings.set_first_steps_done();
        settings.set_display_name("Ann");
        settings.set_preferences(dressed(Theme::Dark));
        settings.set_window(WindowPlace {
            width: 1280.0,
            height: 800.5,
            corner: Some((-20.0, 40.0)),
            maximized: true,
        });
        settings.save().unwrap();
        settings
    }

    #[test]
    fn a_password_that_was_written_into_an_address_leaves_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        let file = dir.path().join(FILE);
        let text = fs::read_to_string(&file).unwrap().replace("wss://hub", "wss://me:s3cret@hub");
        fs::write(&file, &text).unwrap();
        let mut settings = load(dir.path());
        assert_eq!(settings.take_passwords(), [(ConnectionId(3), Secret::new("s3cret"))]);
        assert_eq!(settings.profiles(), [&profile(3)]);
        settings.save_without_copy().unwrap();
        for name in names(dir.path()) {
            let text = fs::read_to_string(dir.path().join(&name)).unwrap();
            assert!(!text.contains("s3cret"), "{name}");
        }
        assert_eq!(settings.take_passwords(), []);
        assert_eq!(load(dir.path()).profiles(), [&profile(3)]);
    }

    #[test]
    fn so_does_one_in_the_address_of_a_proxy() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = filled(dir.path());
        let (choice, _) = ProxyChoice::parse("http://me@proxy.example:3128").unwrap();
        let mut with_proxy = profile(3);
        with_proxy.network.proxy = choice;
        settings.set_profile(with_proxy.clone());
        settings.save().unwrap();
        let file = dir.path().join(FILE);
        let text = fs::read_to_string(&file).unwrap().replace("http://me@proxy", "http://me:s3cret@proxy");
        fs::write(&file, &text).unwrap();
        let mut settings = load(dir.path());
        let proxy = Proxy::parse("http://me:s3cret@proxy.example:3128").unwrap();
        assert_eq!(settings.take_proxy_passwords(), [(ConnectionId(3), proxy)]);
        settings.save_without_copy().unwrap();
        for name in names(dir.path()) {
            let text = fs::read_to_string(dir.path().join(&name)).unwrap();
            assert!(!text.contains("s3cret"), "{name}");
        }
        assert_eq!(load(dir.path()).profiles(), [&with_proxy]);
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
        let mut settings = filled(dir.path());
        assert_eq!(load(dir.path()).content, settings.content);
        assert_eq!(names(dir.path()), [FILE]);
        let first = settings.content.clone();
        settings.set_preferences(dressed(Theme::Light));
        settings.save().unwrap();
        settings.save().unwrap();
        assert_eq!(load(dir.path()).preferences().theme, Theme::Light);
        assert_eq!(names(dir.path()), [FILE, "settings.json.bak"]);
        assert_eq!(parse(&fs::read(dir.path().join("settings.json.bak")).unwrap()).unwrap().0, first);
    }

    #[test]
    fn an_id_is_never_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = load(dir.path());
        assert_eq!(settings.new_connection_id(), ConnectionId(FIRST_ID));
        settings.set_profile(profile(3));
        settings.set_profile(Profile { name: "other".into(), ..profile(3) });
        settings.set_profile(profile(4));
        assert_eq!(settings.profiles().len(), 2);
        settings.remove_profile(ConnectionId(4));
        settings.save().unwrap();
        assert_eq!(load(dir.path()).new_connection_id(), ConnectionId(5));
    }

    #[test]
    fn connections_of_a_newer_version_stay_in_the_file_and_keep_their_ids() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        let file = dir.path().join(FILE);
        let mut value: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let newer = serde_json::json!({"id": 9, "name": "Broker", "protocol": "amqp", "amqp": {"qos": 2}});
        value["profiles"].as_array_mut().unwrap().push(newer.clone());
        fs::write(&file, value.to_string()).unwrap();
        let mut settings = load(dir.path());
        assert_eq!(settings.profiles(), [&profile(3)]);
        assert_eq!(settings.newer_profiles()[0].name, "Broker");
        assert_eq!(settings.new_connection_id(), ConnectionId(10));
        settings.set_display_name("Bo");
        settings.save().unwrap();
        let value: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(value["profiles"][1], newer);
        settings.remove_profile(ConnectionId(9));
        settings.save().unwrap();
        assert!(!fs::read_to_string(&file).unwrap().contains("amqp"));
    }

    #[test]
    fn a_plain_websockets_password_leaves_the_disk_and_its_user_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = load(dir.path());
        let urls = vec!["ws://me:s3cret@echo.example/".into()];
        settings.set_profile(Profile { urls, protocol: Protocol::WebSocket, ..profile(3) });
        assert_eq!(settings.take_passwords(), [(ConnectionId(3), Secret::new("s3cret"))]);
        let kept = settings.profiles()[0];
        assert_eq!((kept.urls[0].as_str(), kept.websocket.user.as_str()), ("ws://echo.example/", "me"));
    }

    #[test]
    fn fields_of_other_versions_survive_a_rewrite() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), r#"{"version":1,"font":{"size":14},"theme":"dark"}"#).unwrap();
        let mut settings = load(dir.path());
        assert_eq!((settings.preferences().theme, settings.profiles().len()), (Theme::Dark, 0));
        settings.set_display_name("Bo");
        settings.save().unwrap();
        let value: Value = serde_json::from_slice(&fs::read(dir.path().join(FILE)).unwrap()).unwrap();
        assert_eq!((&value["font"]["size"], &value["version"]), (&14.into(), &1.into()));
    }

    #[test]
    fn what_cannot_be_read_is_set_aside_and_the_backup_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = filled(dir.path());
        let good = settings.content.clone();
        settings.set_display_name("Bo");
        settings.save().unwrap();
        for damage in ["{\"version\":1,", "{\"version\":1,\"theme\":7}"] {
            fs::write(dir.path().join(FILE), damage).unwrap();
            let (settings, banner) = Settings::load(dir.path());
            assert_eq!(settings.content, good);
            let Some(Banner::SettingsSetAside { path }) = banner else { panic!("{banner:?}") };
            assert_eq!(fs::read_to_string(path).unwrap(), damage);
        }
        assert!(!dir.path().join(FILE).exists());
        fs::remove_file(dir.path().join("settings.json.bak")).unwrap();
        fs::write(dir.path().join(FILE), "").unwrap();
        assert_eq!(Settings::load(dir.path()).0.content, Content::default());
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_goes_and_never_written() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"{"version":99,"display_name":"Ann","theme":"dark"}"#;
        fs::write(dir.path().join(FILE), text).unwrap();
        let settings = load(dir.path());
        assert!(settings.is_newer());
        assert_eq!((settings.display_name(), settings.preferences().theme), ("Ann", Theme::Dark));
        assert!(matches!(settings.save(), Err(SettingsError::Newer { .. })));
        assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap(), text);
        assert_eq!(names(dir.path()), [FILE]);
    }

    #[test]
    fn a_glance_sees_what_was_chosen_and_touches_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Settings::glance(dir.path()), (Preferences::default(), None, Panes::default()));
        let mut settings = filled(dir.path());
        let chosen = Preferences {
            language: LanguageChoice::Korean,
            zoom_percent: 150,
            ..dressed(Theme::HighContrast)
        };
        let panes = Panes {
            middle: Middle::Devices,
            rooms: false,
            devices_width: Some(420.0),
            room: Some((ConnectionId(3), RoomId::general())),
            ..Panes::default()
        };
        settings.set_preferences(chosen);
        settings.set_panes(panes.clone());
        settings.save().unwrap();
        assert_eq!(Settings::glance(dir.path()), (chosen, settings.window(), panes.clone()));
        settings.set_display_name("Bea");
        settings.save().unwrap();
        fs::write(dir.path().join(FILE), "{").unwrap();
        assert_eq!(Settings::glance(dir.path()), (chosen, settings.window(), panes));
        assert_eq!(fs::read_to_string(dir.path().join(FILE)).unwrap(), "{");
    }

    #[test]
    fn a_file_from_before_the_preferences_has_the_usual_ones() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            dir.path().join(FILE),
            r#"{"version":1,"theme":"dark","window":{"width":900.0,"height":700.0}}"#,
        )
        .unwrap();
        let settings = load(dir.path());
        assert_eq!(settings.preferences(), dressed(Theme::Dark));
        let place = WindowPlace { width: 900.0, height: 700.0, corner: None, maximized: false };
        assert_eq!(settings.window(), Some(place));
        assert_eq!(settings.notice_choices(), &NoticeChoices::default());
    }

    #[test]
    fn what_to_be_told_of_is_kept_and_what_a_file_leaves_out_is_as_usual() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = load(dir.path());
        let room = crate::model::RoomId::general();
        settings.notice_choices_mut().set_room(ConnectionId(3), room.clone(), Some(Level::All));
        let mut preferences = settings.preferences();
        preferences.notices.quiet = true;
        settings.set_preferences(preferences);
        settings.save().unwrap();
        let settings = load(dir.path());
        assert_eq!(settings.notice_choices().room(ConnectionId(3), &room), Some(Level::All));
        assert_eq!(settings.preferences(), preferences);

        fs::write(dir.path().join(FILE), r#"{"version":1,"notices":{"devices":false}}"#).unwrap();
        let notices = load(dir.path()).preferences().notices;
        assert_eq!(notices, NoticePreferences { devices: false, ..NoticePreferences::default() });
    }

    #[test]
    fn what_was_chosen_for_devices_is_kept_and_an_older_file_has_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = filled(dir.path());
        let text = fs::read_to_string(dir.path().join(FILE)).unwrap();
        assert!(!text.contains("device_choices"), "{text}");
        let kiln = DeviceId::new("kiln").unwrap();
        settings.device_choices_mut().change(ConnectionId(3), kiln, DeviceChange::Name("가마".into()));
        settings.save().unwrap();
        assert_eq!(load(dir.path()).device_choices(), settings.device_choices());
        // One that no version understands does no harm to the rest.
        let file = dir.path().join(FILE);
        let text = fs::read_to_string(&file).unwrap().replace(r#""device": "kiln""#, r#""device": 7"#);
        fs::write(&file, text).unwrap();
        let settings = load(dir.path());
        assert_eq!((settings.display_name(), settings.device_choices().len()), ("Ann", 0));
        settings.save().unwrap();
        assert!(fs::read_to_string(&file).unwrap().contains("가마"));
    }
}
