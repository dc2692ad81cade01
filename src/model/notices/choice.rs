//! Notification settings: general ones ([`NoticePreferences`]), and those of individual rooms and devices
//! ([`NoticeChoices`]).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::device::DeviceId;
use crate::model::id::{ConnectionId, RoomId};
use crate::model::room::RoomInfo;

/// Minutes per day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// Notification level of a room.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// All messages.
    All,
    /// Only messages that mention the person.
    #[default]
    Mentions,
    /// None.
    Nothing,
}

impl Level {
    /// Whether to notify about a message, given whether it mentions the person.
    pub fn wants(self, mention: bool) -> bool {
        match self {
            Level::All => true,
            Level::Mentions => mention,
            Level::Nothing => false,
        }
    }
}

/// General notification settings.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoticePreferences {
    /// Level of rooms without their own setting.
    pub rooms: Level,
    /// Whether to notify about replies in threads that the person takes part in.
    pub threads: bool,
    /// Whether to notify about reactions to the person's messages.
    pub reactions: bool,
    /// Whether to notify when a device goes offline or silent.
    pub devices: bool,
    /// Whether to notify when a connection is down for a while.
    pub link: bool,
    /// Whether notifications include the message text, which others may see on the screen.
    pub show_text: bool,
    /// Whether quiet hours are enabled.
    pub quiet: bool,
    /// Start of the quiet hours, in minutes after local midnight. See [`NoticePreferences::is_quiet_at`].
    pub quiet_from: u16,
    /// End of the quiet hours, in minutes after local midnight.
    pub quiet_to: u16,
    /// Whether "do not disturb" is on.
    pub do_not_disturb: bool,
    /// Whether to show a tray icon.
    pub tray: bool,
    /// Whether closing the window keeps the app running in the tray.
    pub close_to_tray: bool,
}

impl NoticePreferences {
    /// Level of a room without a setting of its own. A direct message is for nobody else.
    pub fn of_room(&self, room: &RoomInfo) -> Level {
        if room.direct.is_some() { Level::All } else { self.rooms }
    }
}

impl Default for NoticePreferences {
    fn default() -> Self {
        NoticePreferences {
            rooms: Level::Mentions,
            threads: true,
            reactions: true,
            devices: true,
            link: true,
            show_text: true,
            quiet: false,
            quiet_from: Self::QUIET.0,
            quiet_to: Self::QUIET.1,
            do_not_disturb: false,
            tray: true,
            close_to_tray: false,
        }
    }
}

impl NoticePreferences {
    /// Default start and end of the quiet hours, in minutes after local midnight.
    pub const QUIET: (u16, u16) = (22 * 60, 7 * 60);

    /// The choices for start and end of the quiet hours, in minutes after local midnight.
    pub const HALF_HOURS: &[u16] = &{
        let mut all = [0; DAY_MINUTES as usize / 30];
        let mut at = 1;
        while at < all.len() {
            all[at] = all[at - 1] + 30;
            at += 1;
        }
        all
    };

    /// Whether a minute of the local day is within quiet hours. Hours that begin after they end span
    /// midnight. The end is exclusive, and equal ends mean no quiet hours.
    pub fn is_quiet_at(&self, minute: u16) -> bool {
        let (from, to) = (self.quiet_from % DAY_MINUTES, self.quiet_to % DAY_MINUTES);
        let within = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
        self.do_not_disturb || (self.quiet && within)
    }
}

/// Notification settings of individual rooms and devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, from = "Lists", into = "Lists")]
pub struct NoticeChoices {
    rooms: BTreeMap<ConnectionId, BTreeMap<RoomId, Level>>,
    muted: BTreeMap<ConnectionId, BTreeSet<DeviceId>>,
}

impl NoticeChoices {
    /// Level of a room; `None` for the default.
    pub fn room(&self, connection: ConnectionId, room: &RoomId) -> Option<Level> {
        self.rooms.get(&connection)?.get(room).copied()
    }

    /// Sets the level of a room; `None` for the default.
    pub fn set_room(&mut self, connection: ConnectionId, room: RoomId, level: Option<Level>) {
        let rooms = self.rooms.entry(connection).or_default();
        match level {
            Some(level) => rooms.insert(room, level),
            None => rooms.remove(&room),
        };
        self.rooms.retain(|_, rooms| !rooms.is_empty());
    }

    /// Whether a device is muted.
    pub fn is_muted(&self, connection: ConnectionId, device: &DeviceId) -> bool {
        self.muted.get(&connection).is_some_and(|muted| muted.contains(device))
    }

    /// Mutes or unmutes a device.
    pub fn mute(&mut self, connection: ConnectionId, device: DeviceId, muted: bool) {
        let devices = self.muted.entry(connection).or_default();
        if muted {
            devices.insert(device);
        } else {
            devices.remove(&device);
        }
        self.muted.retain(|_, devices| !devices.is_empty());
    }

    /// Removes the settings of a connection's rooms and devices.
    pub fn forget(&mut self, connection: ConnectionId) {
        self.rooms.remove(&connection);
        self.muted.remove(&connection);
    }
}

/// [`NoticeChoices`] as stored in a file.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Lists {
    rooms: Vec<RoomChoice>,
    muted_devices: Vec<MutedDevice>,
}

#[derive(Clone, Serialize, Deserialize)]
struct RoomChoice {
    connection: ConnectionId,
    room: RoomId,
    level: Level,
}

#[derive(Clone, Serialize, Deserialize)]
struct MutedDevice {
    connection: ConnectionId,
    device: DeviceId,
}

impl From<Lists> for NoticeChoices {
    fn from(lists: Lists) -> Self {
        let mut choices = NoticeChoices::default();
        for RoomChoice { connection, room, level } in lists.rooms {
            choices.set_room(connection, room, Some(level));
        }
        for MutedDevice { connection, device } in lists.muted_devices {
            choices.mute(connection, device, true);
        }
        choices
    }
}

impl From<NoticeChoices> for Lists {
    fn from(choices: NoticeChoices) -> Self {
        let mut lists = Lists::default();
        for (connection, rooms) in choices.rooms {
            let choice = |(room, level)| RoomChoice { connection, room, level };
            lists.rooms.extend(rooms.into_iter().map(choice));
        }
        for (connection, devices) in choices.muted {
            let muted = |device| MutedDevice { connection, device };
            lists.muted_devices.extend(devices.into_iter().map(muted));
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_span_midnight_and_end_on_the_minute() {
        let hours = |from, to| NoticePreferences {
            quiet: true,
            quiet_from: from,
            quiet_to: to,
            ..NoticePreferences::default()
        };
        let night = hours(22 * 60, 7 * 60);
        let quiet: Vec<u16> = (0..DAY_MINUTES).filter(|minute| night.is_quiet_at(*minute)).collect();
        assert_eq!((quiet.len(), quiet[0], quiet[419], quiet[420]), (9 * 60, 0, 419, 22 * 60));
        let noon = hours(12 * 60, 13 * 60);
        assert_eq!([719, 720, 779, 780].map(|minute| noon.is_quiet_at(minute)), [false, true, true, false]);
        assert!((0..DAY_MINUTES).all(|minute| !hours(600, 600).is_quiet_at(minute)));
        // Out-of-range values in a file wrap around the day.
        assert!(hours(DAY_MINUTES + 60, 120).is_quiet_at(60));
        let off = NoticePreferences { quiet: false, ..night };
        assert!(!off.is_quiet_at(0));
        assert!(NoticePreferences { do_not_disturb: true, ..off }.is_quiet_at(720));
    }

    #[test]
    fn choices_survive_a_round_trip() {
        let (one, room) = (ConnectionId(3), RoomId::general());
        let pump = DeviceId::new("pump").unwrap();
        let mut choices = NoticeChoices::default();
        choices.set_room(one, room.clone(), Some(Level::Nothing));
        choices.mute(one, pump.clone(), true);
        let text = serde_json::to_string(&choices).unwrap();
        assert_eq!(
            text,
            r#"{"rooms":[{"connection":3,"room":"general","level":"nothing"}],"muted_devices":[{"connection":3,"device":"pump"}]}"#
        );
        assert_eq!(serde_json::from_str::<NoticeChoices>(&text).unwrap(), choices);
        assert_eq!(serde_json::from_str::<NoticeChoices>("{}").unwrap(), NoticeChoices::default());
        assert_eq!(choices.room(one, &room), Some(Level::Nothing));
        assert!(choices.is_muted(one, &pump) && !choices.is_muted(ConnectionId(4), &pump));
        choices.forget(one);
        assert_eq!(choices, NoticeChoices::default());
    }
}
