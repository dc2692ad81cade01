//! What stands beside a message's words, derived under the model's lock: what it replies to, its reactions, edits and pin,
//! its thread, and changes of the person's that the server does not have yet.

use super::RoomKey;
use super::rows::{AUTHOR_CHARS, View};
use crate::model::change::Quote;
use crate::model::content::Content;
use crate::model::file::FileInfo;
use crate::model::id::{MessageId, PrincipalId};
use crate::model::message::{Delivery, Message, OutboxItem, Position};
use crate::model::principal::Sender;
use crate::model::reducer::Connection;
use crate::model::refusal::Refusal;
use crate::ui::harmless;
use crate::ui::text::Words;
use crate::ui::text::chat::ChangeKind;

/// Longest quote, in characters: it is on one line.
const MAX_QUOTE_CHARS: usize = 160;
/// Longest emoji, in characters: family and flags are made of several.
const MAX_EMOJI_CHARS: usize = 24;
/// Maximum number of people who are named at a reaction.
const MAX_NAMED: usize = 20;

/// Maximum number of people who are named in the line that says who has read a message.
const MAX_READERS_IN_LINE: usize = 2;
/// So many messages, the newest first, are looked at to find the last one of the person's that anybody has read.
const MAX_LOOKED_AT: usize = 200;

/// What stands beside a message's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extras {
    /// What it replies to.
    pub(super) quote: Option<QuoteLine>,
    /// When it was edited last, by the clock on the wall.
    pub(super) edited: Option<String>,
    pub(super) deleted: bool,
    /// Who pinned it.
    pub(super) pinned: Option<String>,
    pub(super) chips: Vec<Chip>,
    /// Its place, where it was edited: its versions are on the disk.
    pub(super) place: Option<Position>,
    /// How many messages its thread has.
    pub(super) replies: u32,
    /// How many of them the person has not read.
    pub(super) new_replies: u64,
    /// The first message of the thread that it belongs to.
    pub(super) thread: Option<MessageId>,
    /// The file that belongs to it.
    pub(super) file: Option<FileInfo>,
    /// Who has read it, of the newest message of the person's that anybody has.
    pub(super) read_by: Option<ReadBy>,
    /// A change that waits, or that the server does not take.
    pub(super) change: Option<Change>,
    /// Of which changes in the outbox it was made.
    queued: Vec<(u64, Delivery)>,
}

/// The line that quotes what a message replies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuoteLine {
    /// On one line.
    pub(super) text: String,
    /// Where it is, if that is known.
    pub(super) to: Option<(Position, MessageId)>,
}

/// Who has read a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadBy {
    /// On one line.
    pub(super) text: String,
    /// The same with all names that are shown at once.
    pub(super) all: String,
}

/// A reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chip {
    pub(super) emoji: String,
    pub(super) count: usize,
    /// Whether the person is among those who added it.
    pub(super) mine: bool,
    /// Whether that is not at the server yet.
    pub(super) waits: bool,
    /// Who added it, as a sentence.
    pub(super) who: String,
}

/// A change of the person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Its id in the outbox.
    pub(super) id: MessageId,
    pub(super) kind: ChangeKind,
    /// Why the server does not take it; none: it waits.
    pub(super) refused: Option<Refusal>,
}

/// How far the changes in the outbox have come.
fn state(queued: &[&OutboxItem]) -> Vec<(u64, Delivery)> {
    queued.iter().map(|item| (item.seq, item.delivery.clone())).collect()
}

impl Extras {
    /// Whether these are made of the same changes in the outbox.
    pub(super) fn are_of(&self, queued: &[&OutboxItem]) -> bool {
        self.queued.len() == queued.len()
            && self
                .queued
                .iter()
                .zip(queued)
                .all(|((seq, delivery), item)| *seq == item.seq && *delivery == item.delivery)
    }

    /// Of a message of the log.
    pub(super) fn of(
        message: &Message,
        queued: &[&OutboxItem],
        connection: &Connection,
        view: &View,
    ) -> Extras {
        let words = view.words;
        let me = connection.chat.me.as_ref().map(|me| &me.id);
        let deleted = message.is_deleted();
        let (quote, pinned) = match deleted {
            true => (None, None),
            false => (
                quote_of(&message.content, message.quote.as_deref(), connection, view),
                message.pinned().map(|mark| connection.chat.shown(&mark.by, AUTHOR_CHARS).label()),
            ),
        };
        Extras {
            quote,
            edited: message.edited().filter(|_| !deleted).map(|mark| (words.day_and_clock)(mark.at)),
            deleted,
            pinned,
            chips: chips(message, queued, connection, me, words),
            place: message.edited().map(|_| message.position),
            replies: message.replies.count,
            new_replies: new_replies(message, connection, view),
            thread: message.content.thread(),
            file: message.content.file().filter(|_| !deleted),
            read_by: view.read_by(message.position).cloned(),
            change: change(queued),
            queued: state(queued),
        }
    }

    /// Whether the quote is there if the message has it: it may be read from the disk later.
    pub(super) fn quotes(&self, message: &Message) -> bool {
        self.quote.as_ref().is_none_or(|line| line.to.is_some() == message.quote.is_some())
    }

    /// Of a message in the outbox.
    pub(super) fn of_queued(item: &OutboxItem, connection: &Connection, view: &View) -> Extras {
        let content = &item.draft.content;
        let room = connection.chat.rooms.get(&item.draft.room);
        let quoted = content.reply_to().and_then(|id| room?.message(id)).map(Quote::of);
        let quote = quote_of(content, quoted.as_ref(), connection, view);
        Extras { quote, thread: content.thread(), file: content.file(), ..Extras::default() }
    }
}

/// The newest message of the person's in a room that anybody has read, and who has.
pub(super) fn read_by(connection: &Connection, key: &RoomKey, words: &Words) -> Option<(Position, ReadBy)> {
    let chat = &connection.chat;
    let (room, me) = (chat.rooms.get(&key.1)?, chat.me.as_ref()?);
    let last = chat.receipts.last(&key.1)?;
    let newest = room.window.messages().rev().take(MAX_LOOKED_AT);
    let mut mine = newest.filter(|message| message.sender.id == me.id && message.position.offset <= last);
    let (place, readers) = mine.find_map(|message| {
        let readers = chat.readers(&key.1, message.position);
        (!readers.is_empty() && !message.is_deleted()).then_some((message.position, readers))
    })?;
    let said = |most: usize| {
        let named =
            readers.iter().take(most).map(|who| Sender { id: who.id.clone(), name: who.name.clone() });
        let names: Vec<String> = named.map(|who| chat.shown(&who, AUTHOR_CHARS).label()).collect();
        (words.chat.read_by)(&names, readers.len() - names.len())
    };
    let is_direct = room.info.direct.is_some();
    let text = if is_direct { words.chat.read.to_owned() } else { said(MAX_READERS_IN_LINE) };
    Some((place, ReadBy { text, all: said(MAX_NAMED) }))
}

/// How many replies in the thread that a message begins the person has not read.
pub(super) fn new_replies(message: &Message, connection: &Connection, view: &View) -> u64 {
    let room = connection.chat.rooms.get(&view.key.1);
    room.and_then(|room| room.threads.get(&message.id)).map_or(0, |thread| thread.unread)
}

/// The words that the person gave a message and that the server does not have yet.
pub(super) fn waiting_words<'a>(queued: &[&'a OutboxItem]) -> Option<&'a str> {
    let is_meant = |item: &&&OutboxItem| !matches!(item.delivery, Delivery::Failed(_));
    queued.iter().rev().filter(is_meant).find_map(|item| match &item.draft.content {
        Content::Edit { body, .. } => Some(body.as_str()),
        _ => None,
    })
}

fn quote_of(
    content: &Content,
    quote: Option<&Quote>,
    connection: &Connection,
    view: &View,
) -> Option<QuoteLine> {
    let words = view.words;
    // Beside its thread nobody needs to be told what all of it replies to.
    content.reply_to().filter(|id| view.thread != Some(*id))?;
    let Some(quote) = quote else {
        return Some(QuoteLine { text: words.chat.quote_unknown.to_owned(), to: None });
    };
    let author = connection.chat.shown(&quote.sender, AUTHOR_CHARS).label();
    let text = match quote.deleted {
        true => words.chat.deleted.to_owned(),
        false => one_line(&quote.text),
    };
    Some(QuoteLine { text: format!("{author}: {text}"), to: Some((quote.position, quote.id)) })
}

/// A message's words on one line, without marks of Markdown.
pub(super) fn one_line(text: &str) -> String {
    let bare = super::plain_text(text);
    harmless::line(bare.as_deref().unwrap_or(text), MAX_QUOTE_CHARS)
}

fn chips(
    message: &Message,
    queued: &[&OutboxItem],
    connection: &Connection,
    me: Option<&PrincipalId>,
    words: &Words,
) -> Vec<Chip> {
    if message.is_deleted() {
        return Vec::new();
    }
    // What the person wants of their own reactions, the last wish last.
    let wishes = queued.iter().filter(|item| !matches!(item.delivery, Delivery::Failed(_)));
    let wishes: Vec<(&str, bool)> = wishes
        .filter_map(|item| match &item.draft.content {
            Content::Reaction { emoji, off, .. } => Some((emoji.as_str(), !*off)),
            _ => None,
        })
        .collect();
    let wish = |emoji: &str| wishes.iter().rev().find(|(wanted, _)| *wanted == emoji).map(|(_, on)| *on);
    let mut chips = Vec::new();
    let mut seen = Vec::new();
    for reaction in message.reactions() {
        seen.push(reaction.emoji);
        let was_mine = me.is_some_and(|me| reaction.is_by(me));
        let wish = wish(reaction.emoji);
        let mine = wish.unwrap_or(was_mine);
        let others = reaction.by.iter().filter(|mark| Some(&mark.by.id) != me);
        let count = reaction.by.len() - usize::from(was_mine) + usize::from(mine);
        if count == 0 {
            continue;
        }
        let mut names: Vec<String> = others
            .clone()
            .take(MAX_NAMED)
            .map(|mark| connection.chat.shown(&mark.by, AUTHOR_CHARS).label())
            .collect();
        if mine {
            names.insert(0, words.chat.yourself.to_owned());
        }
        let more = count - names.len();
        chips.push(chip(
            reaction.emoji,
            count,
            (mine, wish.is_some_and(|wish| wish != was_mine)),
            &names,
            more,
            words,
        ));
    }
    for (emoji, on) in &wishes {
        if *on && !seen.contains(emoji) && wish(emoji) == Some(true) {
            seen.push(emoji);
            chips.push(chip(emoji, 1, (true, true), &[words.chat.yourself.to_owned()], 0, words));
        }
    }
    chips
}

fn chip(
    emoji: &str,
    count: usize,
    (mine, waits): (bool, bool),
    names: &[String],
    more: usize,
    words: &Words,
) -> Chip {
    let emoji = harmless::line(emoji, MAX_EMOJI_CHARS);
    let who = (words.chat.reacted)(&emoji, names, more);
    Chip { emoji, count, mine, waits, who }
}

/// The change that is to be told of: one that was refused before one that waits. A reaction that waits shows as one.
fn change(queued: &[&OutboxItem]) -> Option<Change> {
    let of = |item: &OutboxItem| {
        let kind = match &item.draft.content {
            Content::Edit { .. } => ChangeKind::Edit,
            Content::Delete { .. } => ChangeKind::Delete,
            Content::Reaction { .. } => ChangeKind::Reaction,
            Content::Pin { .. } => ChangeKind::Pin,
            _ => return None,
        };
        let refused = match &item.delivery {
            Delivery::Failed(refusal) => Some(refusal.clone()),
            _ if matches!(kind, ChangeKind::Reaction) => return None,
            _ => None,
        };
        Some(Change { id: item.draft.id, kind, refused })
    };
    let all = || queued.iter().rev().filter_map(|item| of(item));
    all().find(|change| change.refused.is_some()).or_else(|| all().next())
}
