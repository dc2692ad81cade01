//! Every sentence a person reads. One file per language fills the table [`Words`]; the compiler sees to it that none
//! is missing.

pub mod archive;
pub mod chat;
pub mod deep_link;
pub mod device_acts;
pub mod device_page;
pub mod devices;
pub mod doctor;
pub mod files;
pub mod keys;
pub mod local;
pub mod log;
pub mod mapping;
pub mod mqtt;
pub mod notices;
pub mod people;
pub mod plain;
pub mod private;
pub mod profiles;
pub mod proxy;
pub mod rich;
pub mod rooms;
pub mod routes;
pub mod search;
pub mod sheet;
pub mod socketio;
pub mod stomp;
pub mod topics;

mod en;
mod en_archive;
mod en_chat;
mod en_deep_link;
mod en_device_acts;
mod en_device_page;
mod en_devices;
mod en_doctor;
mod en_files;
mod en_keys;
mod en_link;
mod en_log;
mod en_mapping;
mod en_mqtt;
mod en_notices;
mod en_people;
mod en_plain;
mod en_private;
mod en_profiles;
mod en_proxy;
mod en_rich;
mod en_rooms;
mod en_routes;
mod en_search;
mod en_sheet;
mod en_socketio;
mod en_stomp;
mod en_topics;
mod ko;
mod ko_archive;
mod ko_chat;
mod ko_deep_link;
mod ko_device_acts;
mod ko_device_page;
mod ko_devices;
mod ko_doctor;
mod ko_files;
mod ko_keys;
mod ko_link;
mod ko_log;
mod ko_mapping;
mod ko_mqtt;
mod ko_notices;
mod ko_people;
mod ko_plain;
mod ko_private;
mod ko_profiles;
mod ko_proxy;
mod ko_rich;
mod ko_rooms;
mod ko_routes;
mod ko_search;
mod ko_sheet;
mod ko_socketio;
mod ko_stomp;
mod ko_topics;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::model::address::BadAddress;
use crate::model::banner::Banner;
use crate::model::chat::Unmade;
use crate::model::event::TestOutcome;
use crate::model::link_state::Why;
use crate::model::preferences::{Hours, LanguageChoice};
use crate::model::refusal::Refusal;
use crate::model::time::WallMs;

pub use device_acts::ActWords;
pub use device_page::PageWords;
pub use en::ENGLISH;
pub use ko::KOREAN;

/// A language the window speaks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// The language of a locale as the system names it (`ko-KR`, `ko_KR.UTF-8`); English where it is none of ours.
    pub fn of_locale(locale: &str) -> Language {
        match locale.split(['-', '_', '.', '@']).next() {
            Some(tag) if tag.eq_ignore_ascii_case("ko") || tag.eq_ignore_ascii_case("kor") => {
                Language::Korean
            }
            _ => Language::English,
        }
    }

    /// What a person has chosen, where the system speaks this.
    pub fn chosen(self, choice: LanguageChoice) -> Language {
        match choice {
            LanguageChoice::System => self,
            LanguageChoice::English => Language::English,
            LanguageChoice::Korean => Language::Korean,
        }
    }

    /// Its words.
    pub fn words(self) -> &'static Words {
        self.words_with(Hours::TwentyFour)
    }

    /// Its words, with the time of day written so.
    pub fn words_with(self, hours: Hours) -> &'static Words {
        match (self, hours) {
            (Language::English, Hours::TwentyFour) => &ENGLISH,
            (Language::English, Hours::Twelve) => &en::TWELVE_HOURS,
            (Language::Korean, Hours::TwentyFour) => &KOREAN,
            (Language::Korean, Hours::Twelve) => &ko::TWELVE_HOURS,
        }
    }
}

/// What a connection's state is called.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StateWord {
    /// Dialing or greeting.
    Connecting,
    /// Live.
    Online,
    /// Down for a short while; tries by itself.
    Waiting,
    /// Down for long; tries by itself.
    Suspended,
    /// Down until a person mends it.
    Stopped,
    /// Not asked to connect.
    Off,
}

impl StateWord {
    /// The word for a `LinkState::code`.
    pub fn of_code(code: &str) -> Option<StateWord> {
        match code {
            "connecting" => Some(StateWord::Connecting),
            "online" => Some(StateWord::Online),
            "waiting" => Some(StateWord::Waiting),
            "stopped" => Some(StateWord::Stopped),
            "off" => Some(StateWord::Off),
            _ => None,
        }
    }
}

/// What happened, and what the person can do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    /// What happened.
    pub what: String,
    /// What to do.
    pub then: String,
}

/// All that is said in one language. Text from outside comes in harmless.
#[derive(Copy, Clone)]
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct Words {
    pub state: fn(StateWord) -> &'static str,
    pub countdown: fn(u64) -> String,
    pub now: &'static str,
    pub why: fn(&Why) -> Sentence,
    pub refusal: fn(&Refusal) -> Sentence,
    pub banner: fn(&Banner) -> Sentence,
    pub bad_address: fn(BadAddress) -> &'static str,
    pub test: fn(&TestOutcome) -> Sentence,

    // Connection bar
    pub retry_now: &'static str,
    pub connect: &'static str,
    pub disconnect: &'static str,
    pub catching_up: &'static str,
    pub round_trip: fn(u64) -> String,
    pub protocol_duplex: &'static str,
    pub protocol_websocket: &'static str,
    pub protocol_socketio: &'static str,
    pub protocol_stomp: &'static str,
    pub protocol_mqtt: &'static str,
    pub transport_websocket: &'static str,
    pub transport_tcp: &'static str,
    pub transport_ewebsock: &'static str,
    pub no_close_reasons: &'static str,
    pub no_connection: &'static str,
    pub state_of: fn(&str, &str) -> String,

    // Connections and rooms
    pub connections: &'static str,
    pub this_computer: &'static str,
    pub add_connection: &'static str,
    pub more: fn(&str) -> String,
    pub rooms_of: fn(&str) -> String,
    pub connection_bar: &'static str,
    pub edit_connection: &'static str,
    pub remove_connection: &'static str,
    pub remove_title: fn(&str) -> String,
    pub remove_text: &'static str,
    pub remove: &'static str,
    pub cancel: &'static str,
    pub new_room: &'static str,
    pub create: &'static str,
    pub room_name_rule: &'static str,
    /// In place of a message, where a room is made.
    pub making_room: fn(&str) -> String,
    /// Of a room in the list that the server does not know.
    pub unmade: fn(Unmade) -> &'static str,
    pub not_made: &'static str,
    pub unread: fn(u64) -> String,
    pub mentions: fn(u64) -> String,
    pub no_rooms: &'static str,
    /// Of a server that has more rooms than are shown.
    pub rooms_left_out: fn(usize) -> String,

    // Chat
    pub messages: &'static str,
    pub you: fn(&str) -> String,
    pub kind_admin: &'static str,
    pub kind_device: &'static str,
    /// A program that posts messages.
    pub kind_integration: &'static str,
    pub kind_hint: &'static str,
    pub said: fn(&str, &str) -> String,
    pub replayed: &'static str,
    /// In place of what was written, where this version cannot show it.
    pub unknown_content: &'static str,
    pub waiting_to_send: &'static str,
    /// Why nothing is sent at the moment, and when it goes on.
    pub paused: fn(&Refusal, &str) -> String,
    pub sending: &'static str,
    pub sent_unconfirmed: &'static str,
    pub may_not_have_arrived: &'static str,
    pub send_again: &'static str,
    pub not_sent: &'static str,
    pub retry: &'static str,
    pub edit: &'static str,
    pub delete: &'static str,
    pub copy: &'static str,
    pub show_lines: fn(usize) -> String,
    pub show_characters: fn(usize) -> String,
    pub show_less: &'static str,
    pub new_messages: &'static str,
    pub jump_to_newest: &'static str,
    pub new_count: fn(u64) -> String,
    pub loading_older: &'static str,
    pub older_on_server: &'static str,
    pub older_out_of_reach: &'static str,
    pub room_begins: fn(&str) -> String,
    pub empty_room: &'static str,
    pub nothing_open: &'static str,
    pub gap: fn(&str, &str) -> String,
    pub typing: fn(&[String]) -> String,
    pub people_online: fn(usize) -> String,
    pub people_online_or_more: fn(usize) -> String,
    pub scroll_bar: &'static str,
    pub today: &'static str,
    pub yesterday: &'static str,
    pub day: fn(WallMs) -> String,
    pub clock: fn(WallMs) -> String,
    pub day_and_clock: fn(WallMs) -> String,

    // Input
    pub message: &'static str,
    pub message_hint: fn(&str) -> String,
    pub send: &'static str,
    pub save: &'static str,
    pub sent_when_online: &'static str,
    pub too_large: fn(usize) -> String,
    pub editing: &'static str,
    pub sent_meanwhile: &'static str,

    // Dialog
    pub add_title: &'static str,
    pub edit_title: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub address: &'static str,
    pub address_hint: &'static str,
    pub address_taken_as: fn(&str) -> String,
    pub use_address: fn(&str) -> String,
    pub token: &'static str,
    pub token_hint_new: &'static str,
    pub token_hint_keep: &'static str,
    pub your_name: &'static str,
    pub your_name_hint: &'static str,
    pub your_name_needed: &'static str,
    pub your_name_rule: &'static str,
    pub invite_found: &'static str,
    pub advanced: &'static str,
    pub ca_file: &'static str,
    pub ca_file_hint: &'static str,
    pub join: &'static str,
    pub client_certificate: &'static str,
    pub client_certificate_hint: &'static str,
    pub client_key: &'static str,
    pub client_key_hint: &'static str,
    pub fingerprint: &'static str,
    pub fingerprint_hint: &'static str,
    pub bad_fingerprint: &'static str,
    pub socket: &'static str,
    pub socket_tungstenite: &'static str,
    pub socket_ewebsock: &'static str,
    pub ewebsock_limits: &'static str,
    pub connect_at_start: &'static str,
    pub test_button: &'static str,
    pub clear_text_warning: &'static str,

    // First steps
    pub first_title: &'static str,
    pub first_text: &'static str,
    pub first_stay: &'static str,
    pub first_stay_text: &'static str,
    pub first_join: &'static str,
    pub first_join_text: &'static str,
    pub first_later: &'static str,

    // Edges between panes
    pub resize_rooms: &'static str,
    pub resize_devices: &'static str,

    // Settings
    pub settings: &'static str,
    pub close: &'static str,

    // Before there is a window
    pub no_graphics: fn(&str) -> String,

    // Banners
    pub dismiss: &'static str,

    // Devices
    pub devices: &'static devices::DeviceWords,
    // Keys
    pub keys: &'static keys::KeyWords,
    // Links, code and selected messages
    pub rich: &'static rich::RichWords,
    // Rooms as such
    /// Where messages are saved as a file.
    pub archive: &'static archive::ArchiveWords,
    pub rooms: &'static rooms::RoomWords,
    // Writing messages
    pub chat: &'static chat::ChatWords,
    // Files and pictures
    pub files: &'static files::FileWords,
    // Links that the system hands over
    pub deep_link: &'static deep_link::DeepLinkWords,
    // Connection log
    pub log: &'static log::LogWords,
    // Notices and the tray
    pub notices: &'static notices::NoticeWords,
    // Searching, going to a date
    pub search: &'static search::SearchWords,
    // Settings
    pub sheet: &'static sheet::SheetWords,
    // Setting connections up
    pub profiles: &'static profiles::ProfileWords,
    // Who may come in at a server
    pub people: &'static people::PeopleWords,
    // Plain WebSockets
    pub plain: &'static plain::PlainWords,
    /// The mapping of a foreign server.
    pub mapping: &'static mapping::MappingWords,
    /// Socket.IO servers.
    pub socketio: &'static socketio::SocketIoWords,
    pub routes: &'static routes::RouteWords,
    pub doctor: &'static doctor::DoctorWords,
    pub private: &'static private::PrivateWords,
    // STOMP
    pub stomp: &'static stomp::StompWords,
    pub proxy: &'static proxy::ProxyWords,
    /// A broker's topics.
    pub topics: &'static topics::TopicWords,
    pub mqtt: &'static mqtt::MqttWords,
    // The page of one device
    pub device_acts: &'static ActWords,
    pub device_page: &'static PageWords,
}

impl Words {
    /// Whether they are of a language.
    pub fn is(&self, language: Language) -> bool {
        std::ptr::eq(self.chat, language.words().chat)
    }

    /// A stretch of time, for people.
    pub fn between(&self, times: Range<WallMs>) -> (String, String) {
        ((self.day_and_clock)(times.start), (self.day_and_clock)(times.end))
    }
}
