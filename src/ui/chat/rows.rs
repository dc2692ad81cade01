//! What the message list shows, as plain rows: copied out of the model under the lock, only around the anchor, and
//! prepared once per message.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::RoomKey;
use super::events;
use super::extras::{self, Extras, ReadBy};
use super::frames::{self, Frame};
use super::markup::{self, Markup};
use super::ordered::Plans;
use crate::model::content::{Content, Draft, GAP, UNCONFIRMED};
use crate::model::event::Paused;
use crate::model::features::Feature;
use crate::model::id::{MessageId, PrincipalId, RoomName};
use crate::model::known::Shown;
use crate::model::message::{Delivery, Message, OutboxItem, Position};
use crate::model::notices::SIGNS;
use crate::model::principal::Sender;
use crate::model::profile::Protocol;
use crate::model::reducer::{Connection, Model};
use crate::model::refusal::Refusal;
use crate::model::socket_row::{self, is_binary};
use crate::model::time::WallMs;
use crate::model::window::{Edge, Window};
use crate::ui::text::{Words, local};
use crate::ui::{bidi, harmless};

/// Messages by one author within this time stand under one name.
const GROUP_MS: i64 = 5 * 60 * 1_000;
/// Longest name of an author, in characters.
pub(super) const AUTHOR_CHARS: usize = 60;
/// Longest name of a room that is made, in characters.
const ROOM_CHARS: usize = 64;
/// A message of more lines is folded.
pub(super) const FOLD_LINES: usize = 40;
/// So many lines of a folded message are shown.
const FOLDED_LINES: usize = 20;
/// A message of more characters is folded.
pub(super) const FOLD_CHARS: usize = 4_000;
/// So many characters of a folded message are shown.
const FOLDED_CHARS: usize = 2_000;
/// A message that waits for longer says so in words.
pub(super) const PATIENCE_MS: i64 = 1_500;
/// Prepared rows are forgotten beyond this number.
const CACHE: usize = 1_000;

/// A row's place in the list.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// What stands before the first message.
    Head,
    /// A message of the log.
    Message(Position),
    /// A message of the outbox, by its number.
    Pending(u64),
}

/// What stands before the first message.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The room begins here.
    Begin,
    /// Older messages are being fetched, or will be.
    Loading,
    /// Older messages are at the server, which is out of reach.
    OnServer,
    /// The server gives no older messages.
    OutOfReach,
    /// A thread begins here.
    Thread,
}

/// Which part of a long message is shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fold {
    /// It is short.
    None,
    /// All of it has so many lines.
    Lines(usize),
    /// All of it has so many characters.
    Characters(usize),
    /// All of it has so many bytes.
    Bytes(usize),
}

/// How far a message has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// In the log; `live`: it came while we listened.
    Logged { live: bool },
    /// Ours, in the log.
    Ours,
    /// In the outbox, not yet given to the socket.
    Pending,
    /// Given to the socket.
    Attempted,
    /// Sent to a server that confirms nothing.
    Sent,
    /// It may not have arrived.
    Unsure,
    /// Taken by the hub.
    Acknowledged,
    /// Refused by the hub.
    Failed(Refusal),
}

impl Progress {
    /// Whether it goes no further by itself: the person sends it again or deletes it.
    pub(super) fn waits_for_the_person(&self) -> bool {
        matches!(self, Progress::Unsure | Progress::Failed(_))
    }

    /// Whether the server cannot have it, so that it may be changed.
    pub(super) fn can_be_changed(&self) -> bool {
        matches!(self, Progress::Pending | Progress::Failed(_))
    }
}

/// A message as shown: harmless, folded, with its local time.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: MessageId,
    /// With the id the key of what was prepared; the default for what is still in the outbox.
    pub(super) revision: Position,
    pub(super) author_key: PrincipalId,
    /// Told apart from others whose names look the same.
    pub(super) author: Shown,
    /// Of what was known of people when it was made.
    known: u64,
    pub(super) mine: bool,
    /// What is shown.
    pub(super) text: String,
    /// The same taken apart, where there is markup in it.
    pub(super) markup: Option<Markup>,
    /// Whether there is right-to-left text in it, and how that is painted.
    pub(super) rtl: bool,
    pub(super) plans: Plans,
    /// Whether somebody else names the person in it.
    pub(super) mention: bool,
    /// What was typed, of a message that is still ours to edit.
    pub(super) original: Option<String>,
    /// Whether it tells what became of the room or its members.
    pub(super) event: bool,
    /// Whether it stands for a room that is made.
    pub(super) makes_room: bool,
    pub(super) fold: Fold,
    pub(super) expanded: bool,
    pub(super) at: WallMs,
    /// Days since the common era, local.
    pub(super) day: i32,
    pub(super) clock: String,
    pub(super) progress: Progress,
    /// Where messages are frames: how this one is shown.
    pub(super) frame: Option<Frame>,
    /// What stands beside its words.
    pub(super) extras: Extras,
    /// Why it waits, where it is to be sent and the server takes nothing at the moment.
    pub(super) paused: Option<Paused>,
}

/// A row with what its neighbours make of it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) key: Key,
    pub(super) row: Option<Arc<Row>>,
    pub(super) head: Option<Head>,
    /// A gap before it, between these times.
    pub(super) gap: Option<Gap>,
    /// The first of its day.
    pub(super) new_day: bool,
    /// The first unread one.
    pub(super) divider: bool,
    /// Under the name of the row before it.
    pub(super) grouped: bool,
}

/// The rows around the anchor, oldest first, and what the list needs to know about the room.
#[derive(Debug, Default)]
pub(super) struct Slice {
    pub(super) items: Vec<Item>,
    /// The anchor's index in `items`; where it is gone, its nearest neighbour's.
    pub(super) anchor: usize,
    /// Whether the last item is the last of the window.
    pub(super) ends: bool,
    /// Whether the last item is the room's newest.
    pub(super) at_end: bool,
    pub(super) room_is_empty: bool,
}

/// Where to look.
#[derive(Copy, Clone, Debug)]
pub(super) enum Around {
    /// At the newest row.
    End,
    /// At this one.
    Key(Key, MessageId),
}

/// Prepared rows, by place.
#[derive(Default)]
pub(super) struct Cache {
    rows: HashMap<Key, Arc<Row>>,
    /// In which words their times are written.
    words: Option<&'static Words>,
    /// Whom they name where they name the person.
    me: String,
    /// Messages that are shown in full.
    pub(super) expanded: HashMap<MessageId, bool>,
    /// Messages whose JSON is to be on lines of its own, or not, other than in the rest of the room.
    pub(super) formatted: HashMap<MessageId, bool>,
    /// Whether that is so in the rest of the room.
    pub(super) formats_all: bool,
}

/// The context of a derivation: the read marker as of opening the room.
pub(super) struct View<'a> {
    pub(super) key: &'a RoomKey,
    /// The first message of a thread, where that alone is wanted.
    pub(super) thread: Option<MessageId>,
    pub(super) divider: Option<Position>,
    /// How many rows before the anchor are wanted, and how many after it.
    pub(super) before: usize,
    pub(super) after: usize,
    pub(super) words: &'static Words,
    /// The newest message of the person's that anybody has read.
    pub(super) read_by: Option<(Position, ReadBy)>,
}

impl View<'_> {
    /// Who has read the message at a place, where that is said of it.
    pub(super) fn read_by(&self, place: Position) -> Option<&ReadBy> {
        self.read_by.as_ref().filter(|(of, _)| *of == place).map(|(_, by)| by)
    }
}

/// Changes in the outbox, by the message that they change.
type Queued<'a> = BTreeMap<MessageId, Vec<&'a OutboxItem>>;

/// A message of the log or of the outbox.
enum Source<'a> {
    Logged(&'a Message),
    Queued(&'a OutboxItem),
}

/// Copies out what is wanted. `None` when there is no such room.
pub(super) fn slice(model: &Model, view: &mut View, around: Around, cache: &mut Cache) -> Option<Slice> {
    let connection = model.connections.get(&view.key.0)?;
    let room = connection.chat.rooms.get(&view.key.1)?;
    view.read_by = view.thread.is_none().then(|| extras::read_by(connection, view.key, view.words)).flatten();
    let view = &*view;
    cache.renew(view, connection.chat.me.as_ref().map_or("", |me| me.name.as_str()));
    // A thread that is not read yet shows nothing.
    let Some(window) = room.window_of(view.thread) else { return Some(Slice::default()) };
    let at_end = window.after == Edge::End;
    let outbox: Vec<&OutboxItem> =
        if at_end { connection.chat.queued_in(&view.key.1, view.thread).collect() } else { Vec::new() };
    // One row more than wanted on each side: the first one's neighbour, and whether there is more behind the last.
    let (back, ahead) = (view.before + 1, view.after + 2);
    let mut rows: Vec<Source> = Vec::new();
    match find(window, &outbox, around) {
        Found::Message(position) => {
            rows.extend(window.until(position).rev().take(back).map(Source::Logged));
            rows.reverse();
        }
        Found::Pending(index) => {
            let first = index.saturating_sub(back);
            rows.extend(window.messages().rev().take(back - (index - first)).map(Source::Logged));
            rows.reverse();
            rows.extend(outbox[first..index].iter().map(|item| Source::Queued(item)));
        }
    }
    let mut anchor = rows.len();
    let reaches_first = anchor < back;
    match find(window, &outbox, around) {
        Found::Message(position) => {
            rows.extend(window.from(position).take(ahead).map(Source::Logged));
            let left = (anchor + ahead).saturating_sub(rows.len()).min(outbox.len());
            rows.extend(outbox[..left].iter().map(|item| Source::Queued(item)));
        }
        Found::Pending(index) => {
            rows.extend(outbox.iter().skip(index).take(ahead).map(|item| Source::Queued(item)));
        }
    }
    let ends = rows.len() < anchor + ahead;
    rows.truncate(anchor + view.after + 1);
    // Nearly always there is nothing.
    let queued = connection.chat.queued_changes(&view.key.1);
    let rows = rows.into_iter().map(|source| cache.row(source, connection, view, &queued)).collect();
    let mut items = join(rows, view.divider, room.hole, reaches_first);
    if reaches_first {
        items.insert(0, head_item(window, connection, view.thread));
        anchor += 1;
    } else {
        // The first row was there for its neighbour alone.
        anchor = anchor.saturating_sub(1);
    }
    if matches!(around, Around::Key(Key::Head, _)) {
        anchor = 0;
    }
    Some(Slice {
        anchor: anchor.min(items.len().saturating_sub(1)),
        items,
        ends,
        at_end: ends && at_end,
        room_is_empty: window.is_empty() && outbox.is_empty(),
    })
}

/// Where the rows begin that are laid out downwards.
enum Found {
    /// With this message.
    Message(Position),
    /// With the outbox's item of this index.
    Pending(usize),
}

fn find(window: &Window, outbox: &[&OutboxItem], around: Around) -> Found {
    let last_message = || window.last().map(|message| Found::Message(message.position));
    let end = || match outbox.len() {
        0 => last_message().unwrap_or(Found::Pending(0)),
        count => Found::Pending(count - 1),
    };
    match around {
        Around::End => end(),
        Around::Key(Key::Head, _) => match window.first() {
            Some(first) => Found::Message(first.position),
            None => Found::Pending(0),
        },
        Around::Key(Key::Message(position), _) => match window.from(position).next() {
            Some(message) => Found::Message(message.position),
            None => last_message().unwrap_or_else(end),
        },
        Around::Key(Key::Pending(seq), id) => match outbox.iter().position(|item| item.seq == seq) {
            Some(index) => Found::Pending(index),
            // It has arrived: the same message stands in the log now.
            None => {
                let arrived = window.messages().rev().find(|message| message.id == id);
                arrived.map_or_else(end, |message| Found::Message(message.position))
            }
        },
    }
}

fn head_item(window: &Window, connection: &Connection, thread: Option<MessageId>) -> Item {
    head(match window.before {
        Edge::End if thread.is_some() => Head::Thread,
        Edge::End => Head::Begin,
        Edge::Disk => Head::Loading,
        Edge::Hub if !connection.offers(Feature::History) => Head::OutOfReach,
        Edge::Hub if connection.link.is_online() => Head::Loading,
        Edge::Hub => Head::OnServer,
    })
}

/// Messages may be missing between two times.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) from: WallMs,
    pub(super) to: WallMs,
    /// They were not for the person when they came; otherwise the server's log began anew.
    pub(super) is_hole: bool,
}

fn head(head: Head) -> Item {
    Item {
        key: Key::Head,
        row: None,
        head: Some(head),
        gap: None,
        new_day: false,
        divider: false,
        grouped: false,
    }
}

/// Gives each row what follows from its neighbours, and drops the first unless nothing stands before it.
///
/// `hole`: before which place messages are missing.
fn join(
    rows: Vec<(Key, Arc<Row>)>,
    divider: Option<Position>,
    hole: Option<Position>,
    reaches_first: bool,
) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::with_capacity(rows.len() + 1);
    let mut before: Option<(Key, Arc<Row>)> = None;
    for (key, row) in rows {
        let known = before.as_ref();
        let gap = known.and_then(|(before_key, before_row)| match (before_key, key) {
            (Key::Message(a), Key::Message(b)) => {
                let is_hole = hole.is_some_and(|hole| *a < hole && hole <= b);
                let gap = Gap { from: before_row.at, to: row.at, is_hole };
                (is_hole || a.era != b.era).then_some(gap)
            }
            _ => None,
        });
        let new_day = known.is_none_or(|(_, before_row)| before_row.day != row.day);
        let is_unread = |key: Key| match (key, divider) {
            (Key::Message(position), Some(read)) => position > read,
            _ => false,
        };
        let divider = is_unread(key) && !row.mine && known.is_none_or(|(key, _)| !is_unread(*key));
        let grouped = !new_day
            && gap.is_none()
            && !divider
            && known.is_some_and(|(_, other)| {
                let same_fate = row.frame.is_none() || other.progress == row.progress;
                same_fate
                    && other.author_key == row.author_key
                    && other.mine == row.mine
                    && (0..GROUP_MS).contains(&(row.at - other.at).abs())
            });
        // A line about the socket is by nobody.
        let grouped = grouped || row.is_about_socket() || row.event;
        before = Some((key, Arc::clone(&row)));
        items.push(Item { key, row: Some(row), head: None, gap, new_day, divider, grouped });
    }
    if !reaches_first && !items.is_empty() {
        items.remove(0);
    }
    items
}

impl Cache {
    /// Forgets what is prepared; it is made again when it is seen again.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// Forgets what is prepared where it is too much, or was prepared in other words or for somebody else.
    fn renew(&mut self, view: &View, me: &str) {
        let is_in_words = self.words.is_some_and(|words| std::ptr::eq(words, view.words));
        if self.rows.len() > CACHE || !is_in_words || self.me != me {
            self.rows.clear();
            self.words = Some(view.words);
            me.clone_into(&mut self.me);
        }
    }

    fn row(
        &mut self,
        source: Source,
        connection: &Connection,
        view: &View,
        queued: &Queued,
    ) -> (Key, Arc<Row>) {
        match source {
            Source::Logged(message) => {
                let queued = queued.get(&message.id).map_or(&[][..], Vec::as_slice);
                (Key::Message(message.position), self.message(message, connection, view, queued))
            }
            Source::Queued(item) => (Key::Pending(item.seq), self.pending(item, connection, view)),
        }
    }

    fn message(
        &mut self,
        message: &Message,
        connection: &Connection,
        view: &View,
        queued: &[&OutboxItem],
    ) -> Arc<Row> {
        let key = Key::Message(message.position);
        let mine = connection.chat.me.as_ref().is_some_and(|me| me.id == message.sender.id);
        let expanded = self.expanded.contains_key(&message.id);
        let known = connection.chat.known.version();
        let has_frames = is_frame(connection, &message.content);
        let formatted = self.is_formatted(message.id);
        let new_replies = extras::new_replies(message, connection, view);
        let same = |row: &&Arc<Row>| {
            (row.id, row.revision) == (message.id, message.revision())
                && row.mine == mine
                && row.expanded == expanded
                && row.known == known
                && row.frame.as_ref().map(|frame| frame.formatted) == has_frames.then_some(formatted)
                && row.extras.new_replies == new_replies
                && row.extras.read_by.as_ref() == view.read_by(message.position)
                && row.extras.quotes(message)
                && row.extras.are_of(queued)
        };
        if let Some(row) = self.rows.get(&key).filter(same) {
            return Arc::clone(row);
        }
        let progress = match mine {
            // Such a server confirms nothing, or did not confirm this.
            true if has_frames || message.content.extra().get(UNCONFIRMED).is_some() => Progress::Sent,
            true => Progress::Ours,
            false => Progress::Logged { live: message.live },
        };
        if message.is_event() {
            let row = event_row(message, connection, mine, view);
            self.rows.insert(key, Arc::clone(&row));
            return row;
        }
        let author = (connection, &message.sender);
        let key_of_content = (message.id, message.revision());
        let mut row = match has_frames {
            true => {
                let shown =
                    frames::prepare(&message.content, message.received, expanded, formatted, view.words);
                of_frame(key_of_content, author, mine, shown, message.received, progress, expanded, view)
            }
            false => prepare(
                key_of_content,
                author,
                mine,
                match message.is_deleted() {
                    true => view.words.chat.deleted,
                    false if message.content.extra().get(GAP).is_some() => view.words.socketio.gap,
                    false => extras::waiting_words(queued).unwrap_or(message.content.caption()),
                },
                message.received,
                progress,
                expanded,
                view,
            ),
        };
        if let Some(row) = Arc::get_mut(&mut row).filter(|_| !has_frames) {
            row.extras = Extras::of(message, queued, connection, view);
        }
        self.rows.insert(key, Arc::clone(&row));
        row
    }

    fn pending(&mut self, item: &OutboxItem, connection: &Connection, view: &View) -> Arc<Row> {
        let key = Key::Pending(item.seq);
        let expanded = self.expanded.contains_key(&item.draft.id);
        let progress = match &item.delivery {
            Delivery::Pending => Progress::Pending,
            Delivery::Attempted => Progress::Attempted,
            Delivery::Sent => Progress::Sent,
            Delivery::Unsure => Progress::Unsure,
            Delivery::Acknowledged { .. } => Progress::Acknowledged,
            Delivery::Failed(refusal) => Progress::Failed(refusal.clone()),
        };
        let has_frames = connection.has_frames();
        let formatted = self.is_formatted(item.draft.id);
        let waits = matches!(progress, Progress::Pending | Progress::Attempted);
        let paused = connection.paused.clone().filter(|_| waits && connection.link.is_online());
        if let Some(row) = self.rows.get(&key) {
            let same = row.id == item.draft.id
                && row.progress == progress
                && row.expanded == expanded
                && row.paused == paused
                && row.known == connection.chat.known.version()
                && row.frame.as_ref().map(|frame| frame.formatted) == has_frames.then_some(formatted);
            if same && row.original.as_deref() == typed(&item.draft.content) {
                return Arc::clone(row);
            }
        }
        let author = match &connection.chat.me {
            Some(me) => Sender { id: me.id.clone(), name: me.name.clone() },
            None => Sender { id: PrincipalId(String::new()), name: String::new() },
        };
        let author = (connection, &author);
        let key_of_content = (item.draft.id, Position::default());
        let mut row = if has_frames {
            let shown = frames::prepare(&item.draft.content, item.draft.at, expanded, formatted, view.words);
            of_frame(key_of_content, author, true, shown, item.draft.at, progress, expanded, view)
        } else {
            prepare(
                key_of_content,
                author,
                true,
                &pending_text(&item.draft, author, view.words),
                item.draft.at,
                progress,
                expanded,
                view,
            )
        };
        if let Some(row) = Arc::get_mut(&mut row) {
            row.original = typed(&item.draft.content).map(str::to_owned);
            row.makes_room = item.draft.content.is_room();
            row.extras = Extras::of_queued(item, connection, view);
            row.paused = paused;
        }
        self.rows.insert(key, Arc::clone(&row));
        row
    }
}

/// What is shown of something in the outbox.
fn pending_text<'a>(
    draft: &'a Draft,
    (connection, me): (&Connection, &Sender),
    words: &Words,
) -> Cow<'a, str> {
    match &draft.content {
        Content::Text { .. } => Cow::Borrowed(draft.content.caption()),
        Content::Room { .. } => {
            let name = draft.room_name().unwrap_or_else(|| RoomName::of_id(&draft.room));
            Cow::Owned((words.making_room)(&harmless::line(name.as_str(), ROOM_CHARS)))
        }
        Content::RoomChange { .. } | Content::Member { .. } => {
            match events::sentence(&draft.content, me, connection, words) {
                Some(sentence) => Cow::Owned(sentence),
                None => Cow::Borrowed(words.chat.changing_room),
            }
        }
        Content::Edit { .. }
        | Content::Delete { .. }
        | Content::Reaction { .. }
        | Content::Pin { .. }
        | Content::Unknown(_) => Cow::Borrowed(words.unknown_content),
    }
}

impl Cache {
    fn is_formatted(&self, id: MessageId) -> bool {
        self.formatted.get(&id).copied().unwrap_or(self.formats_all)
    }
}

impl Row {
    /// Whether it says something of the socket.
    pub(super) fn is_about_socket(&self) -> bool {
        matches!(&self.frame, Some(Frame { kind: frames::Kind::Socket(_), .. }))
    }
}

/// What was typed into the input, and can be changed there.
fn typed(content: &Content) -> Option<&str> {
    match content {
        // Bytes were typed as digits, with blanks that are gone.
        Content::Text { extra, .. } if is_binary(extra) => None,
        Content::Text { body, .. } => Some(body),
        _ => None,
    }
}

/// The row of a frame: as it came, by whichever way it went.
#[allow(clippy::too_many_arguments)] // Each is one field of the row.
fn of_frame(
    (id, revision): (MessageId, Position),
    (connection, author): (&Connection, &Sender),
    mine: bool,
    shown: frames::Prepared,
    at: WallMs,
    progress: Progress,
    expanded: bool,
    view: &View,
) -> Arc<Row> {
    let is_about_socket = matches!(shown.frame.kind, frames::Kind::Socket(_));
    // By the side that it is from, so that it begins a group of its own after a line about the socket.
    let author_key = if is_about_socket { PrincipalId(String::new()) } else { author.id.clone() };
    let name = frames::direction(mine, &progress, view.words).to_owned();
    Arc::new(Row {
        id,
        revision,
        author_key,
        author: Shown { name, short_id: None, kind: None, is_integration: false },
        known: connection.chat.known.version(),
        mine,
        original: None,
        event: false,
        makes_room: false,
        markup: None,
        rtl: shown.frame.literal.is_none() && bidi::is_needed(&shown.text),
        plans: Plans::default(),
        mention: false,
        text: shown.text,
        fold: shown.fold,
        expanded,
        at,
        day: local::day_number(at),
        clock: (view.words.clock)(at),
        progress,
        frame: Some(shown.frame),
        extras: Extras::default(),
        paused: None,
    })
}

#[allow(clippy::too_many_arguments)] // Each is one field of the row.
fn prepare(
    (id, revision): (MessageId, Position),
    (connection, author): (&Connection, &Sender),
    mine: bool,
    body: &str,
    at: WallMs,
    progress: Progress,
    expanded: bool,
    view: &View,
) -> Arc<Row> {
    let (part, fold) = fold(body);
    let shown = harmless::text(if expanded { body } else { part });
    let shown = shown.trim_end_matches('\n');
    let day = local::day_number(at);
    let (markup, mention) = match connection.chat.me.as_ref().filter(|_| !mine && shown.contains(SIGNS)) {
        Some(me) => markup::with_mentions(shown, markup::parse(shown), &me.name),
        None => (markup::parse(shown), false),
    };
    Arc::new(Row {
        id,
        revision,
        author_key: author.id.clone(),
        author: connection.chat.shown(author, AUTHOR_CHARS),
        known: connection.chat.known.version(),
        mine,
        original: None,
        event: false,
        makes_room: false,
        markup,
        rtl: bidi::is_needed(shown),
        plans: Plans::default(),
        mention,
        text: shown.to_owned(),
        fold,
        expanded,
        at,
        day,
        clock: (view.words.clock)(at),
        progress,
        frame: None,
        extras: Extras::default(),
        paused: None,
    })
}

/// Whether it is shown as what came on a socket. What is said of the socket itself stays so once messages are recognized.
fn is_frame(connection: &Connection, content: &Content) -> bool {
    let is_plain = connection.profile.protocol == Protocol::WebSocket;
    connection.has_frames() || is_plain && socket_row::is_socket(content.extra())
}

/// The row that tells what became of the room. It is by nobody, so that no message is grouped under it.
fn event_row(message: &Message, connection: &Connection, mine: bool, view: &View) -> Arc<Row> {
    let text = events::sentence(&message.content, &message.sender, connection, view.words);
    let author = (connection, &message.sender);
    let key = (message.id, message.revision());
    let progress = Progress::Logged { live: message.live };
    let mut row = prepare(key, author, mine, "", message.received, progress, false, view);
    if let Some(row) = Arc::get_mut(&mut row) {
        row.text = text.unwrap_or_else(|| view.words.unknown_content.to_owned());
        row.rtl = bidi::is_needed(&row.text);
        row.author_key = PrincipalId(String::new());
        row.event = true;
    }
    row
}

/// The part of a message that is shown while it is folded.
pub(super) fn fold(body: &str) -> (&str, Fold) {
    // Most messages are shorter than any limit: bytes bound both counts.
    if body.len() <= FOLD_LINES {
        return (body, Fold::None);
    }
    let lines = body.trim_end_matches('\n').split('\n').count();
    let (mut part, mut fold) = (body, Fold::None);
    if lines > FOLD_LINES {
        fold = Fold::Lines(lines);
        if let Some((end, _)) = body.match_indices('\n').nth(FOLDED_LINES - 1) {
            part = &body[..end];
        }
    }
    let characters = if body.len() > FOLD_CHARS { body.chars().count() } else { 0 };
    if characters > FOLD_CHARS {
        if let Some((end, _)) = part.char_indices().nth(FOLDED_CHARS) {
            part = &part[..end];
            if fold == Fold::None {
                fold = Fold::Characters(characters);
            }
        } else if fold == Fold::None {
            fold = Fold::Characters(characters);
        }
    }
    (part, fold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_folded_by_lines_or_characters() {
        assert_eq!(fold("short"), ("short", Fold::None));
        let forty = vec!["x"; FOLD_LINES].join("\n");
        assert_eq!(fold(&forty), (forty.as_str(), Fold::None));
        let more = vec!["x"; FOLD_LINES + 1].join("\n");
        let (part, kind) = fold(&more);
        assert_eq!(kind, Fold::Lines(FOLD_LINES + 1));
        assert_eq!(part.lines().count(), FOLDED_LINES);
        let wall = "한".repeat(20_000);
        let (part, kind) = fold(&wall);
        assert_eq!(kind, Fold::Characters(20_000));
        assert_eq!(part.chars().count(), FOLDED_CHARS);
    }
}
