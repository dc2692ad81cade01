//! What comes to a message after it was written: [`Changes`], and [`Quote`] of what it replies to. Each part knows the place
//! of the entry it comes from, and the later place wins: in whichever order entries come, all ends show the same.

use serde::{Deserialize, Serialize};
use unicode_properties::UnicodeEmoji;
use unicode_segmentation::UnicodeSegmentation;

use super::content::Content;
pub use super::content::MAX_EMOJI_BYTES;
use super::entry::Entry;
use super::id::{MessageId, Position, PrincipalId};
use super::principal::Sender;
use super::time::WallMs;

/// Maximum number of different emoji on a message.
pub const MAX_EMOJI: usize = 32;
/// Maximum number of reactions to a message that are kept, those taken back included.
pub const MAX_REACTIONS: usize = 1_000;
/// Maximum length of what is quoted of a message, in characters.
pub const MAX_QUOTE_CHARS: usize = 200;

/// Whether a text is one emoji: of those that Unicode recommends, or one character that it calls so.
pub fn is_emoji(text: &str) -> bool {
    let is_part = |c: char| c.is_emoji_char_or_emoji_component() || matches!(c, '\u{200d}' | '\u{fe0f}');
    let is_one = || {
        text.graphemes(true).take(2).count() == 1
            && text.chars().next().is_some_and(|first| first.is_emoji_char() && !first.is_ascii())
            && text.chars().all(is_part)
    };
    text.len() <= MAX_EMOJI_BYTES && (emojis::get(text).is_some() || is_one())
}

/// What came to a message since it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Its last edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Mark>,
    /// Its deletion: nothing else of it is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Mark>,
    /// Whether it is pinned, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<Switch>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<(String, Vec<Switch>)>,
}

/// Who did something to a message, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Who.
    pub by: Sender,
    /// When, by the server's clock.
    pub at: WallMs,
    /// The place of the entry that says so.
    pub place: Position,
}

/// Something that is switched on and off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Switch {
    #[serde(flatten)]
    mark: Mark,
    on: bool,
}

/// An emoji on a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction<'a> {
    /// The emoji.
    pub emoji: &'a str,
    /// Who added it, in the order in which they did; at least one.
    pub by: Vec<&'a Mark>,
}

impl Reaction<'_> {
    /// Whether this person is among them.
    pub fn is_by(&self, who: &PrincipalId) -> bool {
        self.by.iter().any(|mark| mark.by.id == *who)
    }
}

/// A message that another one replies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Its id.
    pub id: MessageId,
    /// Where it is.
    pub position: Position,
    /// Its author.
    pub sender: Sender,
    /// Its beginning, at most [`MAX_QUOTE_CHARS`]; empty where it was deleted.
    pub text: String,
    /// Whether it was deleted.
    pub deleted: bool,
    /// See [`Message::revision`].
    pub revision: Position,
}

impl Quote {
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len() + self.sender.name.len() + self.sender.id.0.len()
    }
}

/// The messages of a thread, counted at its first message.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// How many there are beside the first.
    pub count: u32,
    /// The newest of them.
    pub newest: Position,
}

impl Changes {
    /// The emoji on the message that stand, in the order in which they came, with who added them.
    pub fn reactions(&self) -> Vec<Reaction<'_>> {
        let mut all: Vec<Reaction<'_>> = self
            .reactions
            .iter()
            .map(|(emoji, by)| {
                let mut by: Vec<&Mark> =
                    by.iter().filter(|switch| switch.on).map(|switch| &switch.mark).collect();
                by.sort_by_key(|mark| mark.place);
                Reaction { emoji, by }
            })
            .filter(|reaction| !reaction.by.is_empty())
            .collect();
        all.sort_by_key(|reaction| reaction.by.first().map(|mark| mark.place));
        all
    }

    /// Who pinned the message, while it is.
    pub fn pinned(&self) -> Option<&Mark> {
        self.pin.as_ref().filter(|pin| pin.on).map(|pin| &pin.mark)
    }

    /// The newest place that something of it comes from.
    pub fn newest(&self) -> Position {
        let marks = [&self.edited, &self.deleted].into_iter().flatten().map(|mark| mark.place);
        let pin = self.pin.iter().map(|pin| pin.mark.place);
        let reactions = self.reactions.iter().flat_map(|(_, by)| by).map(|switch| switch.mark.place);
        marks.chain(pin).chain(reactions).max().unwrap_or_default()
    }

    /// A message that was deleted before it came here.
    pub fn deleted(by: Sender, at: WallMs, place: Position) -> Self {
        Changes { deleted: Some(Mark { by, at, place }), ..Changes::default() }
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let who = |mark: &Mark| mark.by.id.0.len() + mark.by.name.len();
        let marks: usize = [&self.edited, &self.deleted].into_iter().flatten().map(who).sum();
        let switch = |switch: &Switch| size_of::<Switch>() + who(&switch.mark);
        let reactions: usize = self
            .reactions
            .iter()
            .map(|(emoji, by)| emoji.len() + 48 + by.iter().map(switch).sum::<usize>())
            .sum();
        size_of::<Self>() + marks + self.pin.as_ref().map_or(0, switch) + reactions
    }

    /// Takes in what an entry says of the message, whose author this is. Returns whether that changed anything, and the
    /// message's new words, if they are others.
    pub(super) fn apply(
        &mut self,
        entry: &Entry,
        place: Position,
        author: &PrincipalId,
    ) -> (bool, Option<String>) {
        let mark = || Mark { by: entry.sender.clone(), at: entry.received, place };
        let is_later = |known: &Option<Mark>| known.as_ref().is_none_or(|known| known.place < place);
        match &entry.draft.content {
            // Nothing else is left of a message that was deleted. The first of two deletions counts.
            Content::Delete { .. } => {
                let is_first = self.deleted.as_ref().is_none_or(|known| place < known.place);
                if is_first {
                    *self = Changes { deleted: Some(mark()), ..Changes::default() };
                }
                (is_first, None)
            }
            _ if self.deleted.is_some() => (false, None),
            // Nobody puts words into somebody else's mouth, whatever a server says.
            Content::Edit { body, .. } if entry.sender.id == *author && is_later(&self.edited) => {
                self.edited = Some(mark());
                (true, Some(body.clone()))
            }
            Content::Pin { off, .. } => (set(&mut self.pin, Switch { mark: mark(), on: !off }), None),
            Content::Reaction { emoji, off, .. } => {
                (self.react(emoji, Switch { mark: mark(), on: !off }), None)
            }
            _ => (false, None),
        }
    }

    /// Takes in what else came to the same message, as [`Changes::apply`] would take in its entries. Returns whether the
    /// message's words are those of the other one.
    pub(super) fn merge(&mut self, other: Changes) -> bool {
        if let Some(theirs) = &other.deleted {
            let is_first = self.deleted.as_ref().is_none_or(|known| theirs.place < known.place);
            if is_first {
                *self = other;
            }
            return is_first;
        }
        if self.deleted.is_some() {
            return false;
        }
        let place = |mark: &Option<Mark>| mark.as_ref().map(|mark| mark.place);
        let is_edited_later = place(&other.edited) > place(&self.edited);
        if is_edited_later {
            self.edited = other.edited;
        }
        if let Some(pin) = other.pin {
            set(&mut self.pin, pin);
        }
        for (emoji, by) in other.reactions {
            for switch in by {
                self.react(&emoji, switch);
            }
        }
        is_edited_later
    }

    fn react(&mut self, emoji: &str, switch: Switch) -> bool {
        let kept: usize = self.reactions.iter().map(|(_, by)| by.len()).sum();
        let index = match self.reactions.iter().position(|(known, _)| known == emoji) {
            Some(index) => index,
            None if self.reactions.len() < MAX_EMOJI && kept < MAX_REACTIONS => {
                self.reactions.push((emoji.to_owned(), Vec::new()));
                self.reactions.len() - 1
            }
            None => return false,
        };
        let by = &mut self.reactions[index].1;
        match by.iter_mut().find(|known| known.mark.by.id == switch.mark.by.id) {
            Some(known) if known.mark.place < switch.mark.place => *known = switch,
            None if kept < MAX_REACTIONS => by.push(switch),
            _ => return false,
        }
        true
    }
}

fn set(known: &mut Option<Switch>, switch: Switch) -> bool {
    let is_later = known.as_ref().is_none_or(|known| known.mark.place < switch.mark.place);
    if is_later {
        *known = Some(switch);
    }
    is_later
}

#[cfg(test)]
mod tests {
    use super::super::content::Draft;
    use super::super::id::RoomId;
    use super::super::message::Message;
    use super::*;
    use crate::model::id::Offset;

    fn at(offset: u64) -> Position {
        Position { era: 1, offset: Offset(offset) }
    }

    fn id(number: u8) -> MessageId {
        MessageId::from_random([number; 16])
    }

    fn entry(offset: u64, who: &str, content: Content) -> Entry {
        let sender = Sender { id: PrincipalId(who.to_owned()), name: who.to_uppercase() };
        let draft =
            Draft { id: id((100 + offset % 100) as u8), room: RoomId::general(), content, at: WallMs(0) };
        Entry { draft, offset: Offset(offset), sender, received: WallMs(offset as i64) }
    }

    fn message() -> Message {
        let mut said = entry(5, "ann", Content::reply("five", id(1), None));
        said.draft.id = id(5);
        Message::new(said, at(5), true)
    }

    /// What ends up on a message to which these come in every order.
    fn in_every_order(entries: &[Entry]) -> Message {
        fn visit(rest: &[Entry], taken: &mut Vec<Entry>, ends: &mut Vec<Message>) {
            if rest.is_empty() {
                let mut one = message();
                taken.iter().for_each(|entry| _ = one.change(entry, at(entry.offset.0)));
                // Once more changes nothing.
                assert!(taken.iter().all(|entry| !one.change(entry, at(entry.offset.0))));
                ends.push(one);
            }
            for index in 0..rest.len() {
                let mut rest = rest.to_vec();
                taken.push(rest.remove(index));
                visit(&rest, taken, ends);
                taken.pop();
            }
        }
        let mut ends = Vec::new();
        visit(entries, &mut Vec::new(), &mut ends);
        assert!(ends.iter().all(|end| {
            (end.body(), end.edited(), end.deleted(), end.pinned(), end.reactions(), end.revision())
                == (
                    ends[0].body(),
                    ends[0].edited(),
                    ends[0].deleted(),
                    ends[0].pinned(),
                    ends[0].reactions(),
                    ends[0].revision(),
                )
        }));
        ends.swap_remove(0)
    }

    #[test]
    fn two_copies_of_a_message_that_know_different_changes_become_one_that_knows_all() {
        let edit = |offset, words| entry(offset, "ann", Content::edit(id(5), words));
        let react = |offset, off| entry(offset, "bob", Content::reaction(id(5), "👍", off));
        let pin = entry(8, "bob", Content::pin(id(5), false));
        let delete = |offset| entry(offset, "boss", Content::delete(id(5)));
        let all = [edit(6, "six"), react(7, false), pin, edit(9, "nine"), react(10, true)];
        let with_deletions = [edit(6, "six"), delete(7), edit(9, "nine"), delete(10)];
        for entries in [&all[..], &with_deletions] {
            let of = |is_known: &dyn Fn(usize) -> bool| {
                let mut one = message();
                let known = entries.iter().enumerate().filter(|(index, _)| is_known(*index));
                known.for_each(|(_, entry)| _ = one.change(entry, at(entry.offset.0)));
                one
            };
            let expected = of(&|_| true);
            for known in 0..1 << entries.len() {
                let mut one = of(&|index| known >> index & 1 == 0);
                one.merge(of(&|index| known >> index & 1 == 1));
                assert_eq!(one, expected, "the other one knows {known:b}");
                one.merge(of(&|index| known >> index & 1 == 0));
                assert_eq!(one, expected, "once more changes nothing");
            }
        }
    }

    #[test]
    fn the_last_edit_counts_and_only_its_authors() {
        let end = in_every_order(&[
            entry(6, "ann", Content::edit(id(5), "six")),
            entry(7, "bob", Content::edit(id(5), "seven")),
            entry(8, "ann", Content::edit(id(5), "eight")),
            entry(4, "ann", Content::edit(id(5), "of another log")),
            entry(9, "ann", Content::edit(id(6), "of another message")),
        ]);
        assert_eq!((end.body(), end.revision()), ("eight", at(8)));
        assert_eq!(end.edited().map(|mark| mark.at), Some(WallMs(8)));
        assert_eq!(end.content.reply_to(), Some(id(1)), "what it replies to stays");
    }

    #[test]
    fn reactions_are_a_set_of_people_and_emoji() {
        let end = in_every_order(&[
            entry(6, "bob", Content::reaction(id(5), "👍", false)),
            entry(7, "cy", Content::reaction(id(5), "🎉", false)),
            entry(8, "bob", Content::reaction(id(5), "👍", false)),
            entry(9, "ann", Content::reaction(id(5), "👍", false)),
            entry(10, "cy", Content::reaction(id(5), "🎉", true)),
        ]);
        let shown = end.reactions();
        let [thumbs] = shown.as_slice() else { panic!("{shown:?}") };
        let who: Vec<_> = thumbs.by.iter().map(|mark| mark.by.name.as_str()).collect();
        assert_eq!((thumbs.emoji, who), ("👍", vec!["BOB", "ANN"]));
        assert!(thumbs.is_by(&PrincipalId("ann".into())) && !thumbs.is_by(&PrincipalId("cy".into())));
    }

    #[test]
    fn nothing_is_left_of_what_was_deleted() {
        let end = in_every_order(&[
            entry(6, "ann", Content::edit(id(5), "six")),
            entry(7, "bob", Content::reaction(id(5), "👍", false)),
            entry(8, "bob", Content::pin(id(5), false)),
            entry(9, "boss", Content::delete(id(5))),
            entry(10, "ann", Content::edit(id(5), "ten")),
        ]);
        assert_eq!((end.body(), end.edited(), end.pinned()), ("", None, None));
        assert!(end.is_deleted() && end.reactions().is_empty());
        assert_eq!(end.deleted().map(|mark| mark.by.name.as_str()), Some("BOSS"));
    }

    #[test]
    fn a_pin_is_taken_off_and_put_on_again() {
        let pins = [false, true, false].map(|off| Content::pin(id(5), off));
        let entries: Vec<_> = pins.into_iter().zip(6..).map(|(pin, n)| entry(n, "bob", pin)).collect();
        assert!(in_every_order(&entries).pinned().is_some());
        assert!(in_every_order(&entries[..2]).pinned().is_none());
    }

    #[test]
    fn what_one_message_takes_is_bounded() {
        let mut one = message();
        for number in 0..3_000 {
            let emoji = ["👍", "🎉", "🔥"][number % 3];
            let who = format!("p-{number}");
            one.change(&entry(6 + number as u64, &who, Content::reaction(id(5), emoji, false)), at(9_000));
        }
        assert_eq!(one.reactions().iter().map(|reaction| reaction.by.len()).sum::<usize>(), MAX_REACTIONS);
        let mut one = message();
        for number in 0..200 {
            let emoji = format!("e{number}");
            one.change(&entry(6, "bob", Content::reaction(id(5), emoji, false)), at(6 + number));
        }
        assert_eq!(one.reactions().len(), MAX_EMOJI);
    }

    #[test]
    fn an_emoji_is_one_that_unicode_knows() {
        for emoji in ["👍", "👍🏽", "❤️", "❤", "1️⃣", "🇰🇷", "👩🏽‍❤️‍💋‍👨🏿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]
        {
            assert!(is_emoji(emoji), "{emoji}");
        }
        let long = "👨‍".repeat(12);
        for other in ["", "a", "1", "👍👍", "👍 ", "+1", ":+1:", "가", "\u{200d}", "🏽x", long.as_str()]
        {
            assert!(!is_emoji(other), "{other:?}");
        }
    }

    #[test]
    fn changes_are_kept_as_json() {
        let mut one = message();
        for (number, content) in
            [Content::edit(id(5), "six"), Content::reaction(id(5), "👍", false), Content::pin(id(5), true)]
                .into_iter()
                .enumerate()
        {
            one.change(&entry(6 + number as u64, "ann", content), at(6 + number as u64));
        }
        let changes = *one.changes.unwrap();
        let json = serde_json::to_string(&changes).unwrap();
        assert_eq!(serde_json::from_str::<Changes>(&json).unwrap(), changes, "{json}");
    }
}
