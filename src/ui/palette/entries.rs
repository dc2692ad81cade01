//! What the palette can open or do, prepared once when it opens: rooms, devices, connections, actions and settings.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::fuzzy::{Query, Text};
use crate::model::Connection;
use crate::model::device::DeviceId;
use crate::model::features::Feature;
use crate::model::id::{ConnectionId, PrincipalId, RoomId};
use crate::model::permit::RoomAct;
use crate::model::preferences::{Density, LanguageChoice, Theme};
use crate::ui::devices::{Act, can_merge};
use crate::ui::icons::Icon;
use crate::ui::keys::{Action, Scope as Heard, TABLE};
use crate::ui::members::Purpose;
use crate::ui::text::{Language, Words};
use crate::ui::{Cx, OpenRoom, harmless, people, room_menu, rooms, settings, synonyms, topics};

/// Where there are more entries than this, the palette opens before they are prepared to be looked through.
const MAX_PREPARED: usize = 12_000;

/// What choosing an entry leads to.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::ui) enum Target {
    /// This room.
    Room(OpenRoom),
    /// The page of this device.
    Device(ConnectionId, DeviceId),
    /// A connection: the first of its rooms.
    Connection(ConnectionId),
    /// Who may come in at a connection's server.
    People(ConnectionId),
    /// Something done with a device.
    DeviceAct(ConnectionId, DeviceId, Act),
    /// An invite to it.
    Invite(ConnectionId),
    /// A new device there.
    AddDevice(ConnectionId),
    /// What the person says of themselves there.
    SetStatus(ConnectionId),
    /// All rooms of it.
    Browse(ConnectionId),
    /// The direct message with somebody there.
    Direct(ConnectionId, PrincipalId),
    /// To choose people there.
    Choose(Purpose),
    /// Something done with a room.
    RoomAct((ConnectionId, RoomId), RoomAct),
    /// Another action.
    Act(Action),
    /// These colours.
    Theme(Theme),
    /// This language.
    Language(LanguageChoice),
    /// So close.
    Density(Density),
    /// A setting, by its place in the table.
    Setting(usize),
}

/// One line of the palette.
pub(super) struct Entry {
    pub(super) target: Target,
    pub(super) icon: Icon,
    /// What it is called.
    pub(super) name: String,
    /// What else is said of it, at the right.
    pub(super) note: String,
    /// Unread messages, of a room.
    pub(super) unread: u64,
    /// What else it is called, in both languages.
    also: String,
    /// Made with the entry, or where there are very many when they are first looked through.
    texts: OnceCell<(Text, Text, Text)>,
    /// How likely it is meant, among those that fit as well.
    likely: u32,
}

impl Entry {
    fn new(target: Target, icon: Icon, name: String, note: String, likely: u32) -> Entry {
        Entry { target, icon, name, note, unread: 0, also: String::new(), texts: OnceCell::new(), likely }
    }

    /// The same, also found by these words and by its name in the other language.
    fn called(mut self, also: &str, in_other_language: &str) -> Entry {
        self.also = format!("{in_other_language} {also}");
        self
    }

    /// Its name, its note and its other names, to be compared.
    fn texts(&self) -> &(Text, Text, Text) {
        let make = || (Text::new(&self.name), Text::new(&self.note), Text::new(&self.also));
        self.texts.get_or_init(make)
    }
}

/// Everything there is. `recent`: the rooms that were open, the newest last; the one that is open is of no use.
///
/// Long: one kind of entry after the other.
pub(super) fn all(
    cx: &Cx,
    open: Option<&OpenRoom>,
    recent: &[OpenRoom],
    device: Option<&(ConnectionId, DeviceId)>,
) -> Vec<Entry> {
    let mut all = actions(cx.words);
    if topics::brokers(cx).is_empty() {
        all.retain(|entry| entry.target != Target::Act(Action::ShowTopics));
    }
    all.extend(open.into_iter().flat_map(|place| room_acts(cx, place)));
    all.extend(device.into_iter().flat_map(|(connection, device)| device_acts(cx, *connection, device)));
    cx.model.read(|model| {
        let several = model.connections.len() > 1;
        for (id, connection) in &model.connections {
            let of = rooms::name_of(connection, cx.words);
            for (id_of_room, room) in connection.chat.rooms_by_name() {
                let place = OpenRoom { connection: *id, room: Some(id_of_room.clone()) };
                let known = recent.iter().rposition(|other| *other == place).map_or(0, |at| 200 + at as u32);
                let likely = match open == Some(&place) {
                    true => 0,
                    false if room.shown_unread() > 0 => 1_000,
                    false => 600 + known,
                };
                let shown = match connection.has_frames() {
                    true => cx.words.plain.room.to_owned(),
                    false => harmless::line(room.name.as_str(), 64),
                };
                let state = match (room.info.left, room.info.archived) {
                    (true, _) => cx.words.rooms.is_left,
                    (_, true) => cx.words.rooms.is_archived,
                    _ => "",
                };
                let parts = [state, if several { of.as_str() } else { "" }];
                let note = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
                let likely = if state.is_empty() { likely } else { likely.min(310) };
                let icon = match (&room.info.direct, room.info.private) {
                    (Some(_), _) => Icon::Person,
                    (None, true) => Icon::Lock,
                    (None, false) => Icon::Room,
                };
                let mut entry = Entry::new(Target::Room(place), icon, shown, note, likely);
                entry.unread = room.shown_unread();
                all.push(entry);
            }
            for device in connection.devices.iter().filter(|device| !device.is_local()) {
                let mut note = harmless::line(&device.spec.kind, 40);
                if several {
                    note.push_str(if note.is_empty() { "" } else { " · " });
                    note.push_str(&of);
                }
                let target = Target::Device(*id, device.spec.id.clone());
                let name = connection.device_title(device, 80);
                all.push(Entry::new(target, Icon::Devices, name, note, 300));
            }
            all.extend(private(cx, *id, connection, &of));
            if connection.offers(Feature::Membership) {
                let name = cx.words.rooms.browse.to_owned();
                all.push(
                    Entry::new(Target::Browse(*id), Icon::Rooms, name, of.clone(), 346)
                        .called(synonyms::BROWSE, other(cx.words).rooms.browse),
                );
            }
            if connection.offers(Feature::Status) {
                let name = cx.words.people.set_status.to_owned();
                let entry = Entry::new(Target::SetStatus(*id), Icon::Person, name, of.clone(), 346);
                all.push(entry.called(synonyms::STATUS, other(cx.words).people.set_status));
            }
            if people::is_offered(connection) {
                let (target, name) = (Target::People(*id), cx.words.people.menu.to_owned());
                all.push(Entry::new(target, Icon::Server, name, of.clone(), 340));
                let invite = (Target::Invite(*id), Icon::Plus, cx.words.people.invite);
                let add_device = (Target::AddDevice(*id), Icon::Devices, cx.words.people.add_device);
                let invite = Some(invite).filter(|_| people::has_invites(connection));
                for (target, icon, name) in invite.into_iter().chain([add_device]) {
                    all.push(Entry::new(target, icon, name.to_owned(), of.clone(), 345));
                }
            }
            let note = cx.words.keys.connection.to_owned();
            all.push(Entry::new(Target::Connection(*id), Icon::Server, of, note, 350));
        }
    });
    if all.len() <= MAX_PREPARED {
        all.iter().for_each(|entry| _ = entry.texts());
    }
    all
}

/// People with whom there is no direct message yet, and what makes private rooms.
fn private(cx: &Cx, id: ConnectionId, connection: &Connection, of: &str) -> Vec<Entry> {
    if !connection.offers(Feature::PrivateRooms) {
        return Vec::new();
    }
    let (words, in_other, chat) = (cx.words.private, other(cx.words).private, &connection.chat);
    let direct: HashSet<&PrincipalId> = chat
        .rooms
        .values()
        .filter(|room| !room.info.unlisted)
        .filter_map(|room| room.info.direct.as_ref())
        .collect();
    let me = chat.me.as_ref().map(|me| &me.id);
    let people = chat.people.values().map(|person| &person.who);
    let others = people.filter(|who| who.kind.chats() && Some(&who.id) != me && !direct.contains(&who.id));
    let mut all: Vec<Entry> = others
        .map(|who| {
            let (target, name) =
                (Target::Direct(id, who.id.clone()), chat.known.shown(&who.id, &who.name, 64).name);
            Entry::new(target, Icon::Person, name, words.is_direct.to_owned(), 305)
        })
        .collect();
    for (purpose, name, in_other) in [
        (Purpose::Direct(id), words.new_direct, in_other.new_direct),
        (Purpose::NewRoom(id, false), cx.words.new_room, other(cx.words).new_room),
        (Purpose::NewRoom(id, true), words.new_private_room, in_other.new_private_room),
    ] {
        let entry = Entry::new(Target::Choose(purpose), Icon::Plus, name.to_owned(), of.to_owned(), 347);
        all.push(entry.called("", in_other));
    }
    all
}

/// What can be done with the room that is open.
fn room_acts(cx: &Cx, place: &OpenRoom) -> Vec<Entry> {
    let Some(room) = &place.room else { return Vec::new() };
    let (key, words) = ((place.connection, room.clone()), cx.words.rooms);
    let name = cx.room_title(place.connection, room, 64);
    let entry = |act: RoomAct| {
        let target = Target::RoomAct(key.clone(), act);
        let in_other = (other(cx.words).rooms.act)(act);
        Entry::new(target, Icon::Room, (words.act_on)(act, &name), String::new(), 415)
            .called(synonyms::of_room(act), in_other)
    };
    let may = room_menu::offered(cx, &key).into_iter().filter(|(_, denied)| denied.is_none());
    may.map(|(act, _)| entry(act)).collect()
}

/// What can be done with the device whose page is open.
fn device_acts(cx: &Cx, connection: ConnectionId, device: &DeviceId) -> Vec<Entry> {
    let words = cx.words.device_acts;
    let found = cx.model.read(|model| {
        let of = model.connections.get(&connection)?;
        let found = of.devices.get(device.as_str()).filter(|device| !device.is_local())?;
        let choice = of.device_choice(device).cloned().unwrap_or_default();
        let muted = model.notice_choices.is_muted(connection, device);
        Some((of.device_title(found, 80), choice, muted, can_merge(of)))
    });
    let Some((title, choice, muted, can_merge)) = found else { return Vec::new() };
    let entry = |(name, act)| {
        let target = Target::DeviceAct(connection, device.clone(), act);
        Entry::new(target, Icon::Devices, (words.act_on)(name, &title), String::new(), 420)
    };
    let mute = if muted { cx.words.device_acts.unmute } else { cx.words.notices.mute_device };
    [
        (words.rename, Act::Rename),
        (words.group, Act::Group),
        (words.readings, Act::Readings),
        (if choice.pinned { words.unpin } else { words.pin }, Act::Pin(!choice.pinned)),
        (if choice.hidden { words.unhide } else { words.hide }, Act::Hide(!choice.hidden)),
        (mute, Act::Mute(!muted)),
        (words.copy_id, Act::CopyId),
    ]
    .into_iter()
    .chain(can_merge.then_some((words.merge, Act::Merge)))
    .map(entry)
    .collect()
}

/// The actions that work from anywhere.
fn with_shortcuts() -> impl Iterator<Item = Action> {
    let anywhere = |place| matches!(place, Heard::Window | Heard::Everywhere);
    // From pane to pane goes who is in one; and it is open already.
    let is_of_use = |action| !matches!(action, Action::Palette | Action::NextPane | Action::PreviousPane);
    TABLE.iter().filter(move |row| anywhere(row.place) && is_of_use(row.action)).map(|row| row.action)
}

fn of_action(words: &'static Words, other: &'static Words, action: Action) -> Entry {
    let name = (words.keys.action)(action).to_owned();
    let entry = Entry::new(Target::Act(action), icon(action), name, String::new(), likely(action));
    entry.called(synonyms::of(action), (other.keys.action)(action))
}

fn actions(words: &'static Words) -> Vec<Entry> {
    let other = other(words);
    let mut all: Vec<Entry> = with_shortcuts().map(|action| of_action(words, other, action)).collect();
    /// What an entry is called in one language.
    type Said = fn(&Words) -> [&'static str; 2];
    let mut choose = |target, icon, said: Said, note: &str, also| {
        let called = |words| said(words).join(": ");
        all.push(Entry::new(target, icon, called(words), note.to_owned(), 400).called(also, &called(other)));
    };
    let themes: [(Theme, Said); 4] = [
        (Theme::System, |words| [words.sheet.theme, words.sheet.as_system]),
        (Theme::Light, |words| [words.sheet.theme, words.sheet.theme_light]),
        (Theme::Dark, |words| [words.sheet.theme, words.sheet.theme_dark]),
        (Theme::HighContrast, |words| [words.sheet.theme, words.sheet.theme_high_contrast]),
    ];
    for (theme, said) in themes {
        choose(Target::Theme(theme), Icon::Contrast, said, "", synonyms::THEME);
    }
    let note = |called: &'static str, name| if called == name { "" } else { called };
    let languages: [(LanguageChoice, Said, &str); 3] = [
        (LanguageChoice::System, |words| [words.sheet.language, words.sheet.as_system], ""),
        (
            LanguageChoice::English,
            |words| [words.sheet.language, "English"],
            note(words.sheet.english, "English"),
        ),
        (
            LanguageChoice::Korean,
            |words| [words.sheet.language, "한국어"],
            note(words.sheet.korean, "한국어"),
        ),
    ];
    for (language, said, note) in languages {
        choose(Target::Language(language), Icon::Globe, said, note, synonyms::LANGUAGE);
    }
    let densities: [(Density, Said); 2] = [
        (Density::Comfortable, |words| [words.sheet.density, words.sheet.density_comfortable]),
        (Density::Compact, |words| [words.sheet.density, words.sheet.density_compact]),
    ];
    for (density, said) in densities {
        choose(Target::Density(density), Icon::List, said, "", synonyms::DENSITY);
    }
    for ((at, group, name, also), (.., in_other, _)) in settings::all(words).zip(settings::all(other)) {
        let note = format!("{} · {group}", words.settings);
        let entry = Entry::new(Target::Setting(at), Icon::Settings, name.to_owned(), note, 320);
        all.push(entry.called(also, in_other));
    }
    all
}

/// The words of the language that the window does not speak.
fn other(words: &Words) -> &'static Words {
    let english = Language::English.words();
    if words.settings == english.settings { Language::Korean.words() } else { english }
}

/// What has a place of its own to click on comes after what has none; a step along the rooms is seldom looked for.
fn likely(action: Action) -> u32 {
    match action {
        Action::RoomAbove | Action::RoomBelow | Action::UnreadAbove | Action::UnreadBelow => 100,
        Action::ZoomIn | Action::ZoomOut | Action::ZoomReset => 450,
        _ => 500,
    }
}

fn icon(action: Action) -> Icon {
    match action {
        Action::RoomAbove | Action::UnreadAbove => Icon::Up,
        Action::RoomBelow | Action::UnreadBelow => Icon::Down,
        Action::ToggleRooms => Icon::Rooms,
        Action::ShowChat => Icon::Chat,
        Action::ShowDevices | Action::ToggleDevices => Icon::Devices,
        Action::ShowTopics => Icon::List,
        Action::ShowBoth => Icon::Both,
        Action::ZoomIn => Icon::ZoomIn,
        Action::ZoomOut => Icon::ZoomOut,
        Action::ToggleLog => Icon::Log,
        Action::RetryNow | Action::ZoomReset => Icon::Again,
        Action::AddConnection => Icon::Plus,
        Action::Settings => Icon::Settings,
        Action::SearchRoom | Action::SearchEverywhere => Icon::Search,
        Action::GoToDate => Icon::Calendar,
        _ => Icon::Keyboard,
    }
}

/// The places of those that fit, the likeliest first.
pub(super) fn find(all: &[Entry], query: &Query) -> Vec<usize> {
    let score = |entry: &Entry| {
        if query.is_empty() {
            Some(entry.likely)
        } else {
            // Better by a sixtieth of a whole match for what is likelier.
            let (name, note, also) = entry.texts();
            query.score_called(name, note, also).map(|score| score + entry.likely / 5)
        }
    };
    let scored = all.iter().enumerate().filter_map(|(at, entry)| Some((score(entry)?, at)));
    let mut found: Vec<(u32, usize)> = scored.collect();
    found.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
    found.into_iter().map(|(_, at)| at).collect()
}
