//! What is done with messages in the window: replies and threads, edits, deletions, reactions and pins. By accessible names,
//! without a display.

use duplex::model::content::{Content, Draft};
use duplex::model::entry::Entry;
use duplex::model::event::{ChatEvent, ChoicesUpdate, Event, Page, Person, SearchUpdate, Update};
use duplex::model::id::{MessageId, Offset, PrincipalId};
use duplex::model::intent::{ChatIntent, Intent};
use duplex::model::lookup::{LookupFound, Revision, ThreadLine, Wanted};
use duplex::model::message::{Delivery, Message, OutboxItem, Position};
use duplex::model::preferences::{LanguageChoice, Preferences};
use duplex::model::principal::{Principal, PrincipalKind};
use duplex::model::refusal::Refusal;
use duplex::model::time::WallMs;
use duplex::model::{Feature, Features, LinkState, Receipt};
use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, general, id, message, sender};

fn entry(offset: u64, by: &str, content: Content) -> Entry {
    let mut entry = message(offset, "general", by, "");
    entry.draft.content = content;
    entry.sender = sender(by);
    entry
}

fn happen(window: &mut Window, entries: Vec<Entry>) {
    window.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
}

/// A room in which Mina said "first" and we said "second".
fn room() -> Window {
    let mut window = Window::online();
    happen(&mut window, vec![message(1, "general", "mina", "first"), message(2, "general", "me", "second")]);
    window.intents();
    window
}

fn korean(window: &mut Window) {
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    })));
}

fn sent(intents: Vec<Intent>) -> Vec<Content> {
    let content = |intent| match intent {
        Intent::Chat(ChatIntent::Send { content, .. }) => Some(content),
        _ => None,
    };
    intents.into_iter().filter_map(content).collect()
}

fn menu(window: &mut Window, text: &str, entry: &str) {
    window.harness.get_by_label(text).click_secondary();
    window.run();
    window.harness.get_by_role_and_label(Role::MenuItem, entry).click();
    window.run();
}

fn has(window: &Window, text: &str) -> bool {
    window.harness.query_by_label_contains(text).is_some()
}

fn react(target: MessageId, emoji: &str, off: bool) -> Intent {
    let emoji = emoji.to_owned();
    Intent::Chat(ChatIntent::React { connection: CONNECTION, room: general(), target, emoji, off })
}

#[test]
fn a_reply_quotes_what_it_answers() {
    let mut window = room();
    menu(&mut window, "first", "Reply");
    window.harness.get_by_label("Replying to mina: first");
    window.type_text("an answer");
    window.key(Key::Enter);
    assert_eq!(sent(window.intents()), [Content::reply("an answer", id(1), None)]);
    assert!(!has(&window, "Replying to"), "it is over");
    // It can be given up.
    menu(&mut window, "first", "Reply");
    window.click("Cancel reply");
    menu(&mut window, "first", "Reply");
    window.key(Key::Escape);
    window.type_text("a message");
    window.key(Key::Enter);
    assert_eq!(sent(window.intents()), [Content::text("a message")]);
}

#[test]
fn the_quote_leads_to_the_message() {
    let mut window = Window::online();
    window.entries(1..=80, true);
    happen(&mut window, vec![entry(81, "mina", Content::reply("see above", id(3), None))]);
    let quote = window.harness.get_by_role_and_label(Role::Link, "In reply to mina: message 3");
    assert!(window.harness.query_by_label("message 3").is_none());
    quote.click();
    window.run();
    window.harness.get_by_label("message 3");
    // A quote follows its message.
    happen(&mut window, vec![entry(82, "mina", Content::edit(id(3), "other words"))]);
    window.harness.get_by_label("other words");
    window.key_with(Modifiers::NONE, Key::End);
    window.harness.get_by_label("Messages").focus();
    window.run();
    window.key(Key::End);
    window.harness.get_by_role_and_label(Role::Link, "In reply to mina: other words");
    happen(&mut window, vec![entry(83, "mina", Content::delete(id(3)))]);
    window.harness.get_by_role_and_label(Role::Link, "In reply to mina: This message was deleted.");
}

#[test]
fn a_thread_stands_beside_its_room() {
    let mut window = room();
    window.resize(1_500.0, 720.0);
    menu(&mut window, "first", "Reply in thread");
    window.harness.get_by_role_and_label(Role::Heading, "Thread");
    read_thread(&mut window, vec![]);
    window.harness.get_by_label("Reply to thread");
    window.type_text("in the thread");
    window.key(Key::Enter);
    assert_eq!(sent(window.intents()), [Content::reply("in the thread", id(1), Some(id(1)))]);
    happen(&mut window, vec![entry(3, "jun", Content::reply("from jun", id(1), Some(id(1))))]);
    // In the thread alone.
    assert_eq!(window.harness.get_all_by_label("from jun").count(), 1);
    assert_eq!(window.harness.get_all_by_label("second").count(), 1, "what is not of the thread");
    let (connection, room, root) = (CONNECTION, general(), id(1));
    let position = Position { era: 1, offset: Offset(3) };
    let seen = Intent::Chat(ChatIntent::ReadThread { connection, room: room.clone(), root, position });
    assert!(window.intents().contains(&seen), "it is before the person");
    window.event(Event::Chat(ChatEvent::ThreadSeen { room: room.clone(), root, position }));
    window.click("Close thread");
    assert!(window.harness.query_by_label("from jun").is_none());
    // What comes while it is closed is new, and tells so.
    happen(&mut window, vec![entry(4, "jun", Content::reply("more", id(1), Some(id(1))))]);
    window.click("2 replies, 1 new");
    window.harness.get_by_role_and_label(Role::Heading, "Thread");
    window.check_names();
    // In a narrow window it has the place of the messages.
    window.resize(560.0, 500.0);
    assert!(window.harness.query_by_label("Message").is_none());
    window.click("Close thread");
    window.harness.get_by_label("Message");
}

/// The disk's answer to the question for the thread that begins with "first".
fn read_thread(window: &mut Window, replies: Vec<Entry>) {
    let (connection, room, root, before) = (CONNECTION, general(), id(1), None);
    let load = Intent::Chat(ChatIntent::LoadThread { connection, room: room.clone(), root, before });
    assert!(window.intents().contains(&load));
    let position = |entry: &Entry| Position { era: 1, offset: entry.offset };
    let first = message(1, "general", "mina", "first");
    let messages = std::iter::once(first).chain(replies);
    let messages = messages
        .map(|entry| {
            let at = position(&entry);
            Message::new(entry, at, false)
        })
        .collect();
    let page = Page { messages, older_on_disk: false, older_on_hub: false, newer_on_disk: false };
    window.event(Event::Chat(ChatEvent::ThreadPaged { room, root, is_end: true, page }));
}

#[test]
fn replies_stand_in_the_room_only_where_they_say_so_and_threads_and_pins_are_listed() {
    let mut window = room();
    window.resize(1_500.0, 720.0);
    let reply = |offset, text: &str| entry(offset, "jun", Content::reply(text, id(1), Some(id(1))));
    let mut both = reply(4, "for all");
    both.draft.content = both.draft.content.also_in_room();
    happen(&mut window, vec![reply(3, "aside"), both]);
    assert!(window.harness.query_by_label("aside").is_none());
    window.harness.get_by_label("for all");
    window.click("2 replies, 2 new");
    read_thread(&mut window, vec![reply(3, "aside"), reply(4, "for all")]);
    window.harness.get_by_label("aside");
    window.harness.get_by_role_and_label(Role::CheckBox, "Also send to the room").click();
    window.run();
    window.harness.get_by_label("Reply to thread").focus();
    window.run();
    window.type_text("to both");
    window.key(Key::Enter);
    assert_eq!(sent(window.intents()), [Content::reply("to both", id(1), Some(id(1))).also_in_room()]);
    window.click("Close thread");
    // The lists of the head are read from the disk.
    window.intents();
    window.click("Threads: 2 new replies");
    let looked = |window: &mut Window| {
        let asked = window.intents().into_iter().find_map(|intent| match intent {
            Intent::Chat(ChatIntent::LookUp(asked)) => Some(asked),
            _ => None,
        });
        asked.expect("a question")
    };
    let asked = looked(&mut window);
    assert_eq!(asked.wanted, Wanted::Threads);
    let first =
        Message::new(message(1, "general", "mina", "first"), Position { era: 1, offset: Offset(1) }, false);
    let lines = vec![ThreadLine { root: id(1), first: Some(first.clone()), unread: 2 }];
    window.update(Update::Search(SearchUpdate::LookedUp(asked.number, LookupFound::Threads(lines))));
    window.click("Mark all as read");
    let position = Position { era: 1, offset: Offset(4) };
    let seen = ChatIntent::ReadThread { connection: CONNECTION, room: general(), root: id(1), position };
    assert!(window.intents().contains(&Intent::Chat(seen)));
    window.key(Key::Escape);
    window.click("Pinned messages");
    let asked = looked(&mut window);
    assert_eq!(asked.wanted, Wanted::Pins);
    window.update(Update::Search(SearchUpdate::LookedUp(asked.number, LookupFound::Pins(vec![first]))));
    window.harness.get_by_label_contains("mina, first");
    window.click("Unpin from room");
    let off = ChatIntent::Pin { connection: CONNECTION, room: general(), target: id(1), off: true };
    assert!(window.intents().contains(&Intent::Chat(off)));
}

#[test]
fn all_versions_of_an_edited_message_can_be_seen() {
    let mut window = room();
    happen(&mut window, vec![entry(3, "mina", Content::edit(id(1), "1st"))]);
    window.intents();
    let edited = window.harness.get_by_role(Role::Link);
    edited.click();
    window.run();
    let asked = window.intents().into_iter().find_map(|intent| match intent {
        Intent::Chat(ChatIntent::LookUp(asked)) => Some(asked),
        _ => None,
    });
    let asked = asked.expect("a question");
    assert_eq!(asked.wanted, Wanted::Revisions(Position { era: 1, offset: Offset(1) }));
    let all = ["first", "1st"].map(|body| Revision { at: WallMs(1_000), body: body.to_owned() }).to_vec();
    window.update(Update::Search(SearchUpdate::LookedUp(asked.number, LookupFound::Revisions(all))));
    window.harness.get_by_role_and_label(Role::Dialog, "Edit history");
    window.harness.get_by_label("first");
    window.check_names();
}

#[test]
fn messages_are_marked_unread_from_one_on() {
    let mut window = room();
    menu(&mut window, "first", "Mark unread from here");
    let position = Position { era: 1, offset: Offset(1) };
    let unread = ChatIntent::MarkUnread { connection: CONNECTION, room: general(), position };
    assert!(window.intents().contains(&Intent::Chat(unread)));
    window.event(Event::Chat(ChatEvent::MarkedUnread { room: general(), offset: Offset(0) }));
    window.harness.get_by_label("New messages");
    let again = |intent: &Intent| matches!(intent, Intent::Chat(ChatIntent::MarkRead { .. }));
    assert!(!window.intents().iter().any(again), "looking at them changes nothing");
}

#[test]
fn what_a_draft_replies_to_and_what_is_typed_into_a_thread_is_kept() {
    let mut window = room();
    let (connection, room) = (CONNECTION, general());
    menu(&mut window, "first", "Reply");
    let kept = window.flush();
    let reply = Some(id(1));
    assert!(kept.contains(&Intent::Chat(ChatIntent::SaveReply { connection, room: room.clone(), reply })));
    menu(&mut window, "first", "Reply in thread");
    window.type_text("half a");
    let (root, text, reply) = (id(1), "half a".to_owned(), None);
    let draft = ChatIntent::SaveThreadDraft { connection, room: room.clone(), root, text, reply };
    assert!(window.flush().contains(&Intent::Chat(draft)));
    // After a restart.
    let mut window = self::room();
    let text = "half a".to_owned();
    window.event(Event::Chat(ChatEvent::ThreadDraft { room: room.clone(), root, text, reply: None }));
    window.event(Event::Chat(ChatEvent::DraftReply { room, reply: Some(id(1)) }));
    window.harness.get_by_label("Replying to mina: first");
    menu(&mut window, "first", "Reply in thread");
    assert_eq!(window.harness.get_by_label("Reply to thread").value().as_deref(), Some("half a"));
}

#[test]
fn what_a_message_on_screen_replies_to_is_read_where_it_is_not_in_memory() {
    let mut window = room();
    happen(&mut window, vec![entry(3, "mina", Content::reply("see above", id(77), None))]);
    let load = Intent::Chat(ChatIntent::LoadQuote {
        connection: CONNECTION,
        room: general(),
        position: Position { era: 1, offset: Offset(3) },
    });
    let asked = window.intents().into_iter().filter(|intent| *intent == load).count();
    assert_eq!(asked, 1, "once");
    let reply = entry(3, "mina", Content::reply("see above", id(77), None));
    let mut read = Message::new(reply, Position { era: 1, offset: Offset(3) }, false);
    let quoted = Message::new(message(77, "general", "jun", "long ago"), Position::default(), false);
    read.quote = Some(Box::new(duplex::model::change::Quote::of(&quoted)));
    window.event(Event::Chat(ChatEvent::Quoted { room: general(), message: Box::new(read) }));
    window.harness.get_by_role_and_label(Role::Link, "In reply to jun: long ago");
}

#[test]
fn what_is_typed_into_a_thread_stays_there() {
    let mut window = room();
    window.type_message("for the room");
    menu(&mut window, "first", "Reply in thread");
    window.type_text("for the thread");
    window.click("Close thread");
    assert_eq!(window.message_text(), "for the room");
    menu(&mut window, "first", "Reply in thread");
    let thread = window.harness.get_by_label("Reply to thread");
    assert_eq!(thread.value().as_deref(), Some("for the thread"));
    let drafts = window.flush();
    assert!(drafts.iter().all(|intent| {
        !matches!(intent, Intent::Chat(ChatIntent::SaveDraft { text, .. }) if text.contains("thread"))
    }));
}

#[test]
fn ones_own_message_is_edited_by_menu_and_by_the_up_arrow() {
    let edit = |body: &str| {
        let (connection, room, target, body) = (CONNECTION, general(), id(2), body.to_owned());
        Intent::Chat(ChatIntent::EditSent { connection, room, target, body })
    };
    let mut window = room();
    menu(&mut window, "second", "Edit");
    window.harness.get_by_label("Editing message");
    assert_eq!(window.message_text(), "second");
    window.type_text("!");
    window.key(Key::Enter);
    assert!(window.intents().contains(&edit("second!")));
    assert_eq!(window.message_text(), "");
    window.key(Key::ArrowUp);
    assert_eq!(window.message_text(), "second");
    window.type_text("?");
    window.click("Save");
    assert!(window.intents().contains(&edit("second?")));
    // What is as it was is not sent.
    window.focus_message();
    window.key(Key::ArrowUp);
    window.key(Key::Enter);
    assert!(
        !window.intents().iter().any(|intent| matches!(intent, Intent::Chat(ChatIntent::EditSent { .. })))
    );
    // Nobody edits what others wrote.
    window.harness.get_by_label("first").click_secondary();
    window.run();
    assert!(window.harness.query_by_role_and_label(Role::MenuItem, "Edit").is_none());
}

#[test]
fn an_edit_shows_as_edited() {
    let mut window = room();
    happen(&mut window, vec![entry(3, "mina", Content::edit(id(1), "other words"))]);
    window.harness.get_by_label("other words");
    assert!(window.harness.query_by_label("first").is_none());
    window.harness.get_by_label_contains("Edited ");
}

/// A change of the person's in the outbox.
fn queue(window: &mut Window, content: Content, delivery: Delivery) -> MessageId {
    let item = OutboxItem {
        draft: Draft { id: id(500), room: general(), content, at: window.now().wall_ms },
        seq: 1,
        delivery,
    };
    window.event(Event::Chat(ChatEvent::Queued(item)));
    id(500)
}

#[test]
fn a_change_that_waits_or_was_refused_is_told_of() {
    let mut window = room();
    let change = queue(&mut window, Content::edit(id(2), "new words"), Delivery::Pending);
    window.harness.get_by_label("new words");
    window.harness.get_by_label("Edit not sent yet");
    window.event(Event::Chat(ChatEvent::Refused { id: change, refusal: Refusal::NotAllowed }));
    window.harness.get_by_label("second");
    window.harness.get_by_label_contains("Edit not saved. Your account isn't allowed");
    window.click("Retry");
    let resend = Intent::Chat(ChatIntent::Resend { connection: CONNECTION, id: change });
    assert!(window.intents().contains(&resend));
    window.click("Discard");
    let discard = Intent::Chat(ChatIntent::Discard { connection: CONNECTION, id: change });
    assert!(window.intents().contains(&discard));
    window.event(Event::Chat(ChatEvent::Unqueued(change)));
    assert!(!has(&window, "Edit not saved"));
    queue(&mut window, Content::delete(id(2)), Delivery::Attempted);
    window.harness.get_by_label("Deletion not sent yet");
    korean(&mut window);
    window.harness.get_by_label("삭제 요청을 아직 보내지 않음");
}

#[test]
fn whoever_is_offline_is_named_before_a_message_is_deleted() {
    let mut window = room();
    for (name, online) in [("Mina", true), ("Juno", false)] {
        let who = Principal {
            id: PrincipalId(format!("p-{name}")),
            kind: PrincipalKind::Person,
            name: name.into(),
            role: None,
        };
        window.event(Event::Chat(ChatEvent::Presence(Person { who, online, status: String::new() })));
    }
    menu(&mut window, "second", "Delete");
    assert!(has(&window, "Offline now: Juno. Their apps delete it"));
}

#[test]
fn a_message_is_deleted_after_a_question_and_leaves_a_trace() {
    let mut window = room();
    menu(&mut window, "second", "Delete");
    window.harness.get_by_role_and_label(Role::Dialog, "Delete this message?");
    window.click("Cancel");
    assert_eq!(window.intents(), []);
    menu(&mut window, "second", "Delete");
    window.click("Delete");
    let delete = ChatIntent::DeleteSent { connection: CONNECTION, room: general(), target: id(2) };
    assert!(window.intents().contains(&Intent::Chat(delete)));
    happen(&mut window, vec![entry(3, "me", Content::delete(id(2)))]);
    assert!(window.harness.query_by_label("second").is_none());
    window.harness.get_by_label("This message was deleted.").click_secondary();
    window.run();
    assert!(window.harness.query_by_role_and_label(Role::MenuItem, "Reply").is_none());
    window.key(Key::Escape);
    korean(&mut window);
    window.harness.get_by_label("삭제된 메시지입니다.");
}

#[test]
fn reactions_are_counted_named_and_toggled() {
    let mut window = room();
    let thumbs = |by: &str, offset, off| entry(offset, by, Content::reaction(id(1), "👍", off));
    happen(&mut window, vec![thumbs("jun", 3, false), thumbs("mina", 4, false)]);
    let chip = window.harness.get_by_role_and_label(Role::Button, "jun and mina reacted with 👍");
    assert_eq!(chip.accesskit_node().toggled(), Some(Toggled::False));
    chip.click();
    window.run();
    assert!(window.intents().contains(&react(id(1), "👍", false)));
    // It shows at once, and is taken back by another click.
    queue(&mut window, Content::reaction(id(1), "👍", false), Delivery::Pending);
    let chip = window.harness.get_by_role_and_label(Role::Button, "You, jun and mina reacted with 👍");
    assert_eq!(chip.accesskit_node().toggled(), Some(Toggled::True));
    happen(&mut window, vec![thumbs("me", 5, false)]);
    window.event(Event::Chat(ChatEvent::Unqueued(id(500))));
    window.click("You, jun and mina reacted with 👍");
    assert!(window.intents().contains(&react(id(1), "👍", true)));
    let off = ["me", "jun", "mina"].into_iter().zip(6..).map(|(by, offset)| thumbs(by, offset, true));
    happen(&mut window, off.collect());
    assert!(!has(&window, "👍"));
}

#[test]
fn a_reaction_is_picked_from_all_emoji() {
    let mut window = room();
    menu(&mut window, "first", "Add reaction");
    window.type_text("rocket");
    window.key(Key::Enter);
    assert!(window.intents().contains(&react(id(1), "🚀", false)));
    assert_eq!(window.message_text(), "");
    korean(&mut window);
    menu(&mut window, "first", "반응 추가");
    window.type_text("로켓");
    window.key(Key::Enter);
    assert!(window.intents().contains(&react(id(1), "🚀", false)));
}

#[test]
fn a_pin_is_shown_and_taken_off() {
    let mut window = room();
    let pin =
        |off| Intent::Chat(ChatIntent::Pin { connection: CONNECTION, room: general(), target: id(1), off });
    menu(&mut window, "first", "Pin to room");
    assert!(window.intents().contains(&pin(false)));
    happen(&mut window, vec![entry(3, "jun", Content::pin(id(1), false))]);
    assert!(window.description("first").contains("Pinned by jun"));
    menu(&mut window, "first", "Unpin from room");
    assert!(window.intents().contains(&pin(true)));
}

#[test]
fn the_toolbar_of_the_message_under_the_pointer_does_the_same() {
    let mut window = room();
    assert!(window.harness.query_by_role_and_label(Role::Button, "Reply").is_none());
    let place = window.rect("first").center();
    window.harness.hover_at(place);
    window.run();
    let button = window.harness.get_by_role_and_label(Role::Button, "Reply").rect().center();
    // On the way there it stays.
    window.harness.hover_at(button);
    window.run();
    for pressed in [true, false] {
        window.harness.event(egui::Event::PointerButton {
            pos: button,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        window.run();
    }
    window.harness.get_by_label("Replying to mina: first");
}

#[test]
fn keys_act_on_the_selected_message() {
    let mut window = room();
    let choose = |window: &mut Window| {
        window.harness.get_by_label("Messages").focus();
        window.run();
        window.key_with(Modifiers::SHIFT, Key::ArrowUp);
    };
    choose(&mut window);
    window.key(Key::R);
    window.harness.get_by_label("Replying to me: second");
    window.click("Cancel reply");
    choose(&mut window);
    window.key(Key::E);
    assert_eq!(window.message_text(), "second");
    window.key(Key::Escape);
    choose(&mut window);
    window.key(Key::Delete);
    window.harness.get_by_role_and_label(Role::Dialog, "Delete this message?");
}

#[test]
fn only_what_the_server_offers_is_offered() {
    let mut window = room();
    let none = [Feature::Replies, Feature::Edits, Feature::Deletions, Feature::Reactions, Feature::Pins];
    window.offer(none.into_iter().fold(Features::all(), Features::without));
    window.harness.get_by_label("second").click_secondary();
    window.run();
    for entry in ["Reply", "Reply in thread", "Edit", "Delete", "Add reaction", "Pin to room"] {
        assert!(window.harness.query_by_role_and_label(Role::MenuItem, entry).is_none(), "{entry}");
    }
    window.harness.get_by_role_and_label(Role::MenuItem, "Copy text");
    window.key(Key::Escape);
    window.focus_message();
    window.key(Key::ArrowUp);
    assert_eq!(window.message_text(), "");
}

#[test]
fn who_has_read_is_said_at_the_newest_message_of_ones_own_that_anybody_has() {
    let mut window = room();
    for name in ["mina", "jun", "sora"] {
        let who = Principal {
            id: PrincipalId(name.into()),
            kind: PrincipalKind::Person,
            name: name.into(),
            role: None,
        };
        window.event(Event::Chat(ChatEvent::Presence(Person { who, online: true, status: String::new() })));
    }
    let asked = |intent: &Intent| matches!(intent, Intent::Chat(ChatIntent::AskReceipts { .. }));
    let receipt = |who: &str, first, last| Receipt {
        id: PrincipalId(who.into()),
        first: Offset(first),
        last: Offset(last),
    };
    let receipts = |by: Vec<Receipt>| Event::Chat(ChatEvent::Receipts { room: general(), by, all: false });
    assert!(window.harness.query_by_label_contains("Read by").is_none());
    window.event(receipts(vec![receipt("mina", 1, 1)]));
    assert!(window.harness.query_by_label_contains("Read by").is_none(), "that one is Mina's own");
    window.event(receipts(vec![receipt("mina", 1, 2)]));
    window.harness.get_by_label("Read by mina");
    happen(&mut window, vec![message(3, "general", "me", "third")]);
    window.harness.get_by_label("Read by mina");
    window.event(receipts(vec![receipt("jun", 3, 3), receipt("sora", 1, 3), receipt("gone", 1, 3)]));
    window.harness.get_by_label("Read by jun and sora");
    window.event(receipts(vec![receipt("mina", 1, 3)]));
    window.harness.get_by_label("Read by jun, mina and 1 other");
    window.check_names();
    korean(&mut window);
    window.harness.get_by_label("jun, mina 님 외 1명이 읽음");
    window.all_intents();
    let online = |since| LinkState::Online { since: WallMs(since), rtt_ms: None };
    window.link(online(1));
    assert!(window.all_intents().iter().any(asked), "of each connection anew");
    window.offer(Features::all().without(Feature::Receipts));
    window.link(online(2));
    assert!(!window.all_intents().iter().any(asked), "the server keeps none");
}

#[test]
fn others_are_told_what_was_seen_only_by_choice() {
    let mut window = room();
    let told = |window: &mut Window| {
        let seen = window.all_intents().into_iter().filter_map(|intent| match intent {
            Intent::Chat(ChatIntent::TellSeen { first, last, .. }) => Some((first.offset.0, last.offset.0)),
            _ => None,
        });
        seen.collect::<Vec<_>>()
    };
    window.pass(5_000);
    assert_eq!(told(&mut window), []);
    let preferences = Preferences { tell_seen: true, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(preferences)));
    window.run();
    assert_eq!(told(&mut window), [(1, 2)]);
    happen(&mut window, vec![message(3, "general", "mina", "third")]);
    window.pass(2_000);
    assert_eq!(told(&mut window), [(1, 3)]);
    window.focus_window(false);
    happen(&mut window, vec![message(4, "general", "mina", "fourth")]);
    window.pass(2_000);
    assert_eq!(told(&mut window), [], "nobody looks");
    window.focus_window(true);
    window.pass(2_000);
    assert_eq!(told(&mut window), [(1, 4)]);
}
