//! [`Known`]: the principals seen at one server, and how to distinguish those with similar names. Names are
//! chosen by their owners; ids are guaranteed by the server.

use std::collections::{HashMap, HashSet};

use super::device::Spec;
use super::event::Event;
use super::harmless;
use super::id::PrincipalId;
use super::message::Message;
use super::name::{self, Looks, looks_like};
use super::principal::{Principal, PrincipalKind};
use crate::model::event::{ChatEvent, DeviceEvent, LinkEvent};

/// Maximum number of principals tracked. Beyond it, principals not seen before are shown with their id.
pub const MAX_NAMES: usize = 4_096;
/// Maximum number of names tracked per principal; further names are shown with the id.
const MAX_NAMES_OF_ONE: usize = 4;
/// Maximum length of a tracked id, in bytes; principals with longer ids are shown with a short id.
const MAX_ID_BYTES: usize = 256;
/// Maximum number of principals with similar names whose ids are compared to find short ids.
const MAX_ALIKE: usize = 64;
/// Minimum length of a short id, in characters.
const MIN_SHORT_CHARS: usize = 4;
/// Maximum length of a device's id beside its title, in characters.
pub(super) const MAX_MARK_CHARS: usize = 64;
/// Precedes any annotation beside a person's name. Never shown within a name.
pub const MARK: &str = " ·";

/// The principals seen at one server.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Names of each principal, so that a known name costs nothing.
    names: HashMap<PrincipalId, Vec<String>>,
    /// Principals by the skeleton of their names, in the order in which they were seen.
    looks: HashMap<String, Vec<PrincipalId>>,
    /// Principals who share a skeleton with another one.
    alike: HashSet<PrincipalId>,
    /// Roles of the principals, as far as the server sent them.
    kinds: HashMap<PrincipalId, PrincipalKind>,
    version: u64,
}

/// A principal as shown, distinguishable from everyone else seen at the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Name, sanitized, on one line.
    pub name: String,
    /// Short form of the id, if the name alone is ambiguous.
    pub short_id: Option<String>,
    /// Role, if the server sent it.
    pub kind: Option<PrincipalKind>,
    /// Whether it is a program that posts messages, and not a person.
    pub is_integration: bool,
}

impl Shown {
    /// Name with short id, such as `Jun ·3f2a`.
    pub fn label(&self) -> String {
        match &self.short_id {
            Some(short) => format!("{}{MARK}{short}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether the principal is an admin.
    pub fn is_admin(&self) -> bool {
        self.kind == Some(PrincipalKind::Admin)
    }
}

/// Compares what is known, not the version.
impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        (&self.names, &self.looks, &self.kinds) == (&other.names, &other.looks, &other.kinds)
    }
}

impl Eq for Known {}

impl Known {
    /// Changes when anybody may have to be shown differently.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Records the principals that an event names.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Link(LinkEvent::Welcomed { me, people, .. }) => {
                // A principal who is not listed, or not yet, is shown without a role.
                let listed = [me].into_iter().chain(people.iter().map(|person| &person.who));
                let listed = listed.filter(|who| who.id.0.len() <= MAX_ID_BYTES).take(MAX_NAMES);
                let kinds = listed.map(|who| (who.id.clone(), who.kind)).collect();
                if self.kinds != kinds {
                    self.kinds = kinds;
                    self.version += 1;
                }
                people.iter().for_each(|person| self.see(&person.who.id, &person.who.name));
                self.see(&me.id, &me.name);
            }
            Event::Chat(ChatEvent::Presence(person)) => self.list(&person.who),
            Event::Chat(ChatEvent::Listed(listed)) => {
                listed.people.iter().for_each(|person| self.list(&person.who))
            }
            Event::Chat(ChatEvent::Entries { entries, .. })
            | Event::Chat(ChatEvent::History { entries, .. }) => {
                entries.iter().for_each(|entry| self.see(&entry.sender.id, &entry.sender.name));
            }
            Event::Chat(ChatEvent::Typing { who, .. }) => self.see(&who.id, &who.name),
            Event::Device(DeviceEvent::Commanded(command)) => self.see(&command.by.id, &command.by.name),
            Event::Chat(ChatEvent::Restored(stored)) => {
                stored.me.iter().for_each(|me| self.list(me));
                stored.rooms.iter().for_each(|room| self.read(&room.messages));
            }
            Event::Chat(ChatEvent::Paged { page, .. }) | Event::Chat(ChatEvent::Jumped { page, .. }) => {
                self.read(&page.messages)
            }
            _ => {}
        }
    }

    /// Records the devices that an event names, by their titles.
    pub fn hear_devices(&mut self, event: &Event) {
        let mut see = |spec: &Spec| self.see(&PrincipalId(spec.id.to_string()), spec.title());
        match event {
            Event::Device(DeviceEvent::Listed { devices, .. })
            | Event::Device(DeviceEvent::Restored(devices)) => {
                devices.iter().for_each(|device| see(&device.spec));
            }
            Event::Device(DeviceEvent::Announced(device)) => see(&device.spec),
            _ => {}
        }
    }

    /// The id to show beside a device's title if the title looks like another device's. `None` if the title
    /// is the id itself.
    pub fn device_mark(&self, spec: &Spec) -> Option<String> {
        let id = PrincipalId(spec.id.to_string());
        let is_alike = || self.shown(&id, spec.title(), MAX_MARK_CHARS).short_id.is_some();
        (spec.title() != spec.id.as_str() && is_alike()).then(|| person_line(&id.0, MAX_MARK_CHARS))
    }

    fn read(&mut self, messages: &[Message]) {
        messages.iter().for_each(|message| self.see(&message.sender.id, &message.sender.name));
    }

    /// Records a principal listed by the server, with their role.
    pub fn list(&mut self, who: &Principal) {
        let has_room = who.id.0.len() <= MAX_ID_BYTES && self.kinds.len() < MAX_NAMES;
        if self.kinds.get(&who.id) != Some(&who.kind) && (has_room || self.kinds.contains_key(&who.id)) {
            self.kinds.insert(who.id.clone(), who.kind);
            // Only a principal seen before can be on screen.
            self.version += u64::from(self.names.contains_key(&who.id));
        }
        self.see(&who.id, &who.name);
    }

    /// Records the name under which a principal acted.
    pub fn see(&mut self, id: &PrincipalId, name: &str) {
        let name = name::compared(name);
        if self.is_seen(id, name) || self.is_full(id) {
            return;
        }
        self.names.entry(id.clone()).or_default().push(name.to_owned());
        for key in Looks::of(name).keys() {
            let alike = self.looks.entry(key.to_owned()).or_default();
            if alike.len() < MAX_ALIKE && !alike.contains(id) {
                alike.push(id.clone());
                if alike.len() > 1 {
                    self.alike.extend(alike.iter().cloned());
                    self.version += 1;
                }
            }
        }
    }

    /// Whether the server listed this principal.
    pub fn is_listed(&self, id: &PrincipalId) -> bool {
        self.kinds.contains_key(id)
    }

    /// How to show a principal, with at most `most` characters of their name.
    pub fn shown(&self, id: &PrincipalId, name: &str, most: usize) -> Shown {
        let is_alone = self.is_seen(id, name::compared(name)) && !self.alike.contains(id);
        let others = if is_alone { Vec::new() } else { self.alike(id, name) };
        let is_missed = self.is_full(id) && !self.is_seen(id, name::compared(name));
        let short_id = (!others.is_empty() || is_missed).then(|| short_id(id, &others));
        Shown {
            name: person_line(name, most),
            short_id,
            kind: self.kinds.get(id).copied(),
            is_integration: id.is_integration(),
        }
    }

    /// Like [`Known::shown`]; principals that the server does not list are always shown with their id.
    pub fn shown_in_doubt(&self, id: &PrincipalId, name: &str, most: usize) -> Shown {
        let mut shown = self.shown(id, name, most);
        if !self.is_listed(id) {
            shown.short_id = shown.short_id.or_else(|| Some(short_id(id, &[])));
        }
        shown
    }

    fn is_seen(&self, id: &PrincipalId, name: &str) -> bool {
        self.names.get(id).is_some_and(|names| names.iter().any(|known| known == name))
    }

    /// Whether the limit of names of this principal is reached.
    fn is_full(&self, id: &PrincipalId) -> bool {
        if id.0.len() > MAX_ID_BYTES {
            return true;
        }
        match self.names.get(id) {
            Some(names) => names.len() >= MAX_NAMES_OF_ONE,
            None => self.names.len() >= MAX_NAMES,
        }
    }

    /// Other principals seen under a name that looks like this one.
    fn alike(&self, id: &PrincipalId, name: &str) -> Vec<&PrincipalId> {
        let looks = Looks::of(name);
        let alike = looks.keys().filter_map(|key| self.looks.get(key)).flatten();
        let mut others: Vec<&PrincipalId> = alike.filter(|other| *other != id).collect();
        others.sort();
        others.dedup();
        others
    }
}

/// A short id that differs from those of the others: a prefix of a hexadecimal id, as lists of people show
/// it, or of a hash of any other id.
fn short_id(id: &PrincipalId, others: &[&PrincipalId]) -> String {
    let own = digits(id);
    let others: Vec<String> = others.iter().map(|other| digits(other)).collect();
    let is_own = |length: &usize| others.iter().all(|other| other.get(..*length) != own.get(..*length));
    let length = (MIN_SHORT_CHARS..own.len()).find(is_own).unwrap_or(own.len());
    own[..length].to_owned()
}

fn digits(id: &PrincipalId) -> String {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if id.0.len() == 16 && id.0.bytes().all(is_hex) {
        return id.0.clone();
    }
    // FNV-1a: only its distribution matters.
    let hash = id.0.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:016x}", (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// A device's title on one line, sanitized, followed by its id if needed.
pub fn device_label(title: &str, mark: Option<&str>, most: usize) -> String {
    let title = person_line(title, most);
    match mark {
        Some(mark) => format!("{title}{MARK}{mark}"),
        None => title,
    }
}

/// A person's name on one line, sanitized, without anything that resembles an annotation.
pub fn person_line(name: &str, most: usize) -> String {
    let line = harmless::line(name, most);
    if !line.contains(is_dot) {
        return line;
    }
    let mut out = String::with_capacity(line.len() + 16);
    for (at, c) in line.char_indices() {
        if is_dot(c) && !is_within_a_word(&line[..at], &line[at + c.len_utf8()..]) {
            out.push_str(&harmless::number(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// A character that looks like a middle dot.
fn is_dot(c: char) -> bool {
    !c.is_ascii() && (looks_like(c, '·') || matches!(c, '•' | '・' | '･' | '⦁' | '●' | '◦' | '⚫' | '⬤'))
}

/// Catalan and Japanese names have such dots between letters. A dot before what could be a short id or a role
/// is not accepted.
fn is_within_a_word(before: &str, after: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let word: String = after.chars().take_while(|c| c.is_alphanumeric()).collect();
    let is_id = word.len() >= MIN_SHORT_CHARS && word.bytes().all(|b| b.is_ascii_hexdigit());
    let is_kind = ["admin", "bot", "device", "관리자", "기기", "봇"]
        .iter()
        .any(|kind| Looks::of(kind).is_like(&Looks::of(&word)));
    is_letter(before.chars().next_back()) && is_letter(after.chars().next()) && !is_id && !is_kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DeviceId;

    fn id(text: &str) -> PrincipalId {
        PrincipalId(text.to_owned())
    }

    const A: &str = "3f2a000000000001";
    const B: &str = "3f2b000000000002";

    fn person(id: &str, name: &str, kind: PrincipalKind) -> Principal {
        Principal { id: PrincipalId(id.to_owned()), kind, name: name.to_owned(), role: None }
    }

    #[test]
    fn equal_names_get_a_short_id_and_a_unique_one_does_not() {
        let mut known = Known::default();
        known.list(&person(A, "Jun", PrincipalKind::Person));
        assert_eq!(known.shown(&id(A), "Jun", 40).label(), "Jun");
        let before = known.version();
        known.list(&person(B, "JUN", PrincipalKind::Person));
        assert!(known.version() > before);
        assert_eq!(known.shown(&id(A), "Jun", 40).label(), "Jun ·3f2a");
        assert_eq!(known.shown(&id(B), "JUN", 40).label(), "JUN ·3f2b");
        assert_eq!(known.shown(&id("p-9"), "Mina", 40).label(), "Mina");
        let stranger = known.shown(&id("p-9"), "\u{FF2A}un", 40);
        assert!(stranger.short_id.is_some(), "also for somebody who was not seen yet");
    }

    #[test]
    fn unlisted_principals_are_shown_with_their_id() {
        let mut known = Known::default();
        known.list(&person(A, "Jun", PrincipalKind::Admin));
        known.see(&id(B), "Mina");
        let of = |who: &str, name: &str| known.shown_in_doubt(&id(who), name, 40);
        assert_eq!((of(A, "Jun").label(), of(A, "Jun").is_admin()), ("Jun".to_owned(), true));
        assert_eq!((of(B, "Mina").label(), of(B, "Mina").is_admin()), ("Mina ·3f2b".to_owned(), false));
    }

    #[test]
    fn short_ids_are_as_short_as_possible() {
        let mut known = Known::default();
        for (id, name) in
            [("aaaa000000000001", "Jun"), ("aaaa100000000001", "Jun"), ("bbbb000000000001", "Jun")]
        {
            known.list(&person(id, name, PrincipalKind::Person));
        }
        let short = |who: &str| known.shown(&id(who), "Jun", 40).short_id.unwrap();
        assert_eq!(
            [short("aaaa000000000001"), short("aaaa100000000001"), short("bbbb000000000001")],
            ["aaaa0", "aaaa1", "bbbb"]
        );
        let (one, other) = (short("p-17"), short("p-18"));
        assert!(one != other && one.bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn a_renamed_person_is_compared_by_both_names() {
        let mut known = Known::default();
        known.list(&person(A, "Jun", PrincipalKind::Person));
        known.list(&person(A, "Jay", PrincipalKind::Person));
        known.list(&person(B, "jay", PrincipalKind::Person));
        assert!(known.shown(&id(B), "jay", 40).short_id.is_some());
        assert!(known.shown(&id(B), "Jun", 40).short_id.is_some());
    }

    #[test]
    fn devices_with_equal_titles_show_their_ids() {
        let spec = |id: &str, name: &str| {
            let mut spec = Spec::unannounced(DeviceId::new(id).unwrap());
            spec.name = name.to_owned();
            spec
        };
        let mut known = Known::default();
        let all = [
            spec("a", "Shed"),
            spec("b", "\u{405}hed"),
            spec("c", "Kiln"),
            spec("pump", ""),
            spec("d", "pump"),
        ];
        for spec in &all {
            known.see(&PrincipalId(spec.id.to_string()), spec.title());
        }
        let marks: Vec<_> = all.iter().map(|spec| known.device_mark(spec)).collect();
        let mark = |id: &str| Some(id.to_owned());
        assert_eq!(marks, [mark("a"), mark("b"), None, None, mark("d")]);
    }

    #[test]
    fn a_name_cannot_imitate_an_annotation() {
        for (name, shown) in [
            ("Jun ·3f2a", "Jun ⟨U+00B7⟩3f2a"),
            ("Jun·3f2a", "Jun⟨U+00B7⟩3f2a"),
            ("Jun·face", "Jun⟨U+00B7⟩face"),
            ("Jun \u{2022}admin", "Jun ⟨U+2022⟩admin"),
            ("Jun·\u{430}dmin", "Jun⟨U+00B7⟩\u{430}dmin"),
            ("Gal·la", "Gal·la"),
            ("ジョン・スミス", "ジョン・スミス"),
        ] {
            assert_eq!(person_line(name, 60), shown);
        }
    }

    #[test]
    fn tracking_is_bounded_and_beyond_it_ids_are_shown() {
        let mut known = Known::default();
        for k in 0..MAX_NAMES + 100 {
            known.see(&id(&format!("p{k}")), &format!("name {k}"));
        }
        assert_eq!(known.names.len(), MAX_NAMES);
        assert!(known.shown(&id("p7"), "name 7", 40).short_id.is_none());
        assert!(known.shown(&id("late"), "Jun", 40).short_id.is_some());
        let mut known = Known::default();
        (0..100).for_each(|k| known.see(&id("p"), &format!("name {k}")));
        assert_eq!(known.names[&id("p")].len(), MAX_NAMES_OF_ONE);
        known.see(&id("q"), &"x".repeat(100_000));
        known.see(&id(&"q".repeat(100_000)), "Jun");
        assert!(known.names[&id("q")][0].len() < 1_000 && known.names.len() == 2);
    }
}
