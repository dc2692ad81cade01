//! [`NoticeWords`]: what is said in notices, in the tray, and where a person chooses of what to be told; and
//! [`NoticeWords::say`], which makes a notice's title and text.

use crate::model::notices::{DAY_MINUTES, Gone, Level, Notice, NoticeContent};
use crate::ui::harmless;

/// Longest name in a notice, in characters.
const NAME_CHARS: usize = 40;
/// Longest text in a notice, in characters.
const TEXT_CHARS: usize = 200;

/// All that is said of notices in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct NoticeWords {
    // Notices
    pub message_in: fn(&str, &str) -> String,
    pub mention_in: fn(&str, &str) -> String,
    pub messages_in: fn(u64, &str) -> String,
    pub messages_in_rooms: fn(u64, usize) -> String,
    pub one_mentions_you: &'static str,
    pub hidden_text: &'static str,
    /// Who reacted, with what, and in which room.
    pub reaction_in: fn(&str, &str, &str) -> String,
    pub reactions_in: fn(u64, &str) -> String,
    pub hidden_reaction: &'static str,
    pub device_gone: fn(&str, Gone) -> String,
    pub devices_gone: fn(usize, Gone, &str) -> String,
    pub and_more: fn(&str, usize) -> String,
    pub link_lost: fn(&str) -> String,
    pub links_lost: fn(usize) -> String,
    pub link_lost_text: &'static str,
    pub trial_title: &'static str,
    pub trial_text: &'static str,

    // The tray
    pub open: &'static str,
    pub do_not_disturb: &'static str,
    pub quit: &'static str,
    pub tooltip: fn(u64) -> String,

    // Rooms and devices
    pub level: fn(Level) -> &'static str,
    /// Above what a room's menu offers.
    pub of_room: &'static str,
    pub as_all_rooms: fn(Level) -> String,
    pub room_is: fn(Level) -> &'static str,
    pub mute_device: &'static str,
    pub mute_device_text: &'static str,

    // Settings
    pub group: &'static str,
    pub rooms: &'static str,
    pub rooms_text: &'static str,
    pub threads: &'static str,
    pub threads_text: &'static str,
    pub reactions: &'static str,
    pub reactions_text: &'static str,
    pub devices: &'static str,
    pub devices_text: &'static str,
    pub link: &'static str,
    pub link_text: &'static str,
    pub show_text: &'static str,
    pub show_text_text: &'static str,
    pub disturb_text: &'static str,
    pub quiet: &'static str,
    pub quiet_text: &'static str,
    pub quiet_from: &'static str,
    pub quiet_from_text: &'static str,
    pub quiet_to: &'static str,
    pub quiet_to_text: &'static str,
    pub clock: fn(u16) -> String,
    pub tray: &'static str,
    pub tray_text: &'static str,
    pub close_to_tray: &'static str,
    pub close_to_tray_text: &'static str,
    pub trial: &'static str,
    pub trial_setting_text: &'static str,
    pub trial_button: &'static str,
    pub no_service: &'static str,
    pub no_tray: &'static str,
    pub cannot_hide: &'static str,
}

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What happened.
    pub title: String,
    /// More of it; may be empty.
    pub text: String,
}

impl NoticeWords {
    /// A notice in words. `connections`: the names of those that it is about, harmless.
    pub fn say(&self, notice: &Notice, connections: &[String]) -> Said {
        let name = |text: &str| harmless::line(text, NAME_CHARS);
        let of = connections.first().map_or("", String::as_str);
        let (title, text) = match &notice.news {
            NoticeContent::Messages { room, count, sender, text, mention } => {
                let room = name(room.as_str());
                let sender = name(sender);
                let text = text.as_ref().map(|text| cut(text));
                match (mention, count) {
                    (true, _) => ((self.mention_in)(&sender, &room), text),
                    (false, 1) => ((self.message_in)(&sender, &room), text),
                    (false, _) => {
                        ((self.messages_in)(*count, &room), text.map(|text| format!("{sender}: {text}")))
                    }
                }
            }
            NoticeContent::ManyMessages { count, rooms, mention } => {
                let text = if *mention { self.one_mentions_you } else { "" };
                ((self.messages_in_rooms)(*count, *rooms), Some(text.to_owned()))
            }
            NoticeContent::Reactions { room, count, sender, emoji, text } => {
                let (room, sender, emoji) = (name(room.as_str()), name(sender), name(emoji));
                let text =
                    text.as_ref().map(|text| cut(text)).unwrap_or_else(|| self.hidden_reaction.to_owned());
                match count {
                    1 => ((self.reaction_in)(&sender, &emoji, &room), Some(text)),
                    _ => ((self.reactions_in)(*count, &room), Some(format!("{sender} {emoji}: {text}"))),
                }
            }
            NoticeContent::Devices { count: 1, names, gone } => {
                let device = names.first().map(|first| name(first)).unwrap_or_default();
                ((self.device_gone)(&device, *gone), Some(of.to_owned()))
            }
            NoticeContent::Devices { count, names, gone } => {
                let first = names.iter().map(|one| name(one)).collect::<Vec<_>>().join(", ");
                let text = match count - names.len() {
                    0 => first,
                    more => (self.and_more)(&first, more),
                };
                ((self.devices_gone)(*count, *gone, of), Some(text))
            }
            NoticeContent::LinkLost { connections: lost } if lost.len() == 1 => {
                ((self.link_lost)(of), Some(self.link_lost_text.to_owned()))
            }
            NoticeContent::LinkLost { connections: lost } => {
                ((self.links_lost)(lost.len()), Some(connections.join(", ")))
            }
            NoticeContent::Trial => (self.trial_title.to_owned(), Some(self.trial_text.to_owned())),
        };
        Said { title, text: text.unwrap_or_else(|| self.hidden_text.to_owned()) }
    }
}

/// A message's text, short and harmless, on its own lines.
fn cut(text: &str) -> String {
    let text = harmless::text(text.trim());
    let mut cut: String = text.chars().take(TEXT_CHARS).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// A minute of the day on a clock of 24 hours.
pub(super) fn clock(minute: u16) -> String {
    let minute = minute % DAY_MINUTES;
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notices::{ClickTarget, Topic};
    use crate::model::{ConnectionId, RoomId, RoomName};
    use crate::ui::text::{ENGLISH, KOREAN};

    const HUB: ConnectionId = ConnectionId(3);

    fn said(words: &NoticeWords, topic: Topic, news: NoticeContent) -> (String, String) {
        let notice = Notice { topic, news, target: ClickTarget::Window };
        let Said { title, text } = words.say(&notice, &["Workshop".to_owned(), "Lab".to_owned()]);
        (title, text)
    }

    fn messages(count: u64, text: Option<&str>, mention: bool) -> NoticeContent {
        NoticeContent::Messages {
            room: RoomName::general(),
            count,
            sender: "Mina".into(),
            text: text.map(str::to_owned),
            mention,
        }
    }

    fn both(topic: &Topic, news: &NoticeContent) -> [(String, String); 2] {
        [&ENGLISH, &KOREAN].map(|words| said(words.notices, topic.clone(), news.clone()))
    }

    fn pair(title: &str, text: &str) -> (String, String) {
        (title.to_owned(), text.to_owned())
    }

    /// All that is said without anything in it. A new one is missing here until it is named.
    fn plain(words: &NoticeWords) -> Vec<&'static str> {
        macro_rules! all {
            ($($field:ident)*; $($other:ident)*) => {{
                let NoticeWords { $($field,)* $($other: _,)* } = words;
                vec![$(*$field),*]
            }};
        }
        let mut all = all![
            one_mentions_you hidden_text hidden_reaction threads threads_text reactions reactions_text link_lost_text trial_title trial_text open do_not_disturb quit
            mute_device mute_device_text of_room group rooms rooms_text devices devices_text link link_text
            show_text show_text_text disturb_text quiet quiet_text quiet_from quiet_from_text quiet_to
            quiet_to_text tray tray_text close_to_tray close_to_tray_text trial trial_setting_text
            trial_button no_service no_tray cannot_hide;
            message_in mention_in messages_in messages_in_rooms reaction_in reactions_in device_gone devices_gone and_more link_lost
            links_lost tooltip level as_all_rooms room_is clock
        ];
        let levels = [Level::All, Level::Mentions, Level::Nothing];
        all.extend(levels.map(words.level));
        all.extend(levels.map(words.room_is));
        all
    }

    #[test]
    fn both_languages_say_everything_in_their_own_letters() {
        let hangul = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        assert!(plain(ENGLISH.notices).iter().all(|text| !text.trim().is_empty() && !hangul(text)));
        assert!(plain(KOREAN.notices).iter().all(|text| hangul(text)));
        for words in [ENGLISH.notices, KOREAN.notices] {
            let told = [(words.tooltip)(0), (words.tooltip)(1), (words.tooltip)(1_234)];
            assert!(told[2].contains("1234") && told[0] != told[1]);
            assert_eq!([0, 75, 1_439, 1_500].map(words.clock), ["00:00", "01:15", "23:59", "01:00"]);
            let usual = [Level::All, Level::Mentions, Level::Nothing].map(words.as_all_rooms);
            assert!(usual[0] != usual[1] && usual[1] != usual[2]);
        }
    }

    #[test]
    fn a_message_says_who_and_where() {
        let room = Topic::Room(HUB, RoomId::general());
        assert_eq!(
            both(&room, &messages(1, Some("hello\nyou"), false)),
            [pair("Mina in general", "hello\nyou"), pair("Mina, general", "hello\nyou")]
        );
        assert_eq!(
            both(&room, &messages(3, Some("hello"), false)),
            [
                pair("3 new messages in general", "Mina: hello"),
                pair("general에 새 메시지 3개", "Mina: hello")
            ]
        );
        assert_eq!(
            both(&room, &messages(3, None, true)),
            [
                pair("Mina mentioned you in general", "New message"),
                pair("Mina 님이 general에서 나를 언급했습니다", "새 메시지")
            ]
        );
    }

    #[test]
    fn what_comes_from_outside_is_short_and_harmless() {
        let room = Topic::Room(HUB, RoomId::general());
        let news = NoticeContent::Messages {
            room: RoomName::general(),
            count: 1,
            sender: "Mi\nna".into(),
            text: Some(format!("\u{202E}{}", "x".repeat(1_000))),
            mention: false,
        };
        let (title, text) = said(ENGLISH.notices, room, news);
        assert_eq!(title, "Mi␊na in general");
        assert!(
            text.starts_with("⟨U+202E⟩x") && text.ends_with("x…") && text.chars().count() == 201,
            "{text}"
        );
    }

    #[test]
    fn devices_and_links_are_counted() {
        let devices = Topic::Devices(HUB);
        let gone = |count, gone| NoticeContent::Devices {
            count,
            names: ["Pump", "Lamp", "Fan"].into_iter().take(count).map(str::to_owned).collect(),
            gone,
        };
        assert_eq!(
            both(&devices, &gone(1, Gone::Silent)),
            [pair("No data from Pump", "Workshop"), pair("Pump: 무응답", "Workshop")]
        );
        assert_eq!(
            both(&devices, &gone(12, Gone::Offline)),
            [
                pair("12 devices went offline in Workshop", "Pump, Lamp, Fan and 9 more"),
                pair("Workshop의 기기 12대가 오프라인이 되었습니다", "Pump, Lamp, Fan 외 9대")
            ]
        );
        let lost =
            |count: u64| NoticeContent::LinkLost { connections: (3..3 + count).map(ConnectionId).collect() };
        let [english, korean] = both(&Topic::Links, &lost(1));
        assert_eq!(
            (english.0.as_str(), korean.0.as_str()),
            ("No connection to Workshop", "Workshop에 연결되어 있지 않습니다")
        );
        assert_eq!(both(&Topic::Links, &lost(2)).map(|(_, text)| text), ["Workshop, Lab", "Workshop, Lab"]);
    }
}
