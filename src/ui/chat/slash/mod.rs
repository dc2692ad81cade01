//! Slash commands: what of a text is one, what may follow, and carrying it out. A text that really begins with a slash is
//! sent with two.

mod complete;
mod devices;

pub(super) use complete::complete;

use super::RoomKey;
use crate::model::Connection;
use crate::model::content::Content;
use crate::model::features::Feature;
use crate::model::id::{ConnectionId, PrincipalId};
use crate::model::intent::{ChatIntent, Intent};
use crate::model::name;
use crate::model::notices::SIGNS;
use crate::model::permit::MemberAct;
use crate::model::search::fold;
use crate::ui::text::chat::CommandName as Name;
use crate::ui::{Cx, harmless};

/// Longest part of a command that is said back to the person, in characters.
const MAX_SAID_CHARS: usize = 60;

impl Name {
    fn of(word: &str) -> Option<Name> {
        Name::ALL.into_iter().find(|name| name.word().eq_ignore_ascii_case(word))
    }

    /// Whether the server offers what it needs.
    fn is_offered(self, connection: &Connection) -> bool {
        match self {
            Name::Me => true,
            Name::Set => connection.offers(Feature::Commands),
            Name::Get => connection.offers(Feature::Devices),
            Name::Topic | Name::Rename | Name::Archive | Name::Unarchive => {
                connection.offers(Feature::RoomChanges)
            }
            Name::Leave | Name::Join => connection.offers(Feature::Membership),
            Name::Status => connection.offers(Feature::Status),
            Name::Msg | Name::Invite => connection.offers(Feature::PrivateRooms),
        }
    }
}

/// What a text is, before it is sent.
#[derive(Debug, PartialEq, Eq)]
enum Parsed<'a> {
    /// A message; of one that begins with two slashes, what is sent.
    Message(&'a str),
    /// A command, and what stands behind it.
    Command(Name, &'a str),
    /// What looks like a command and is none.
    Unknown(&'a str),
}

/// Whether a text begins like a command: a slash and a word. A path has further slashes and is none.
fn word_of(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    let word = &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())];
    (!word.is_empty() && word.chars().all(char::is_alphabetic)).then_some(word)
}

fn parse(text: &str) -> Parsed<'_> {
    if let Some(rest) = text.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
        // Two slashes before anything else are meant as they are: a comment in code, say.
        let is_escaped = word_of(rest).is_some() || rest.starts_with("//");
        return Parsed::Message(if is_escaped { rest } else { text });
    }
    let Some(word) = word_of(text) else { return Parsed::Message(text) };
    match Name::of(word) {
        Some(name) => Parsed::Command(name, text[1 + word.len()..].trim()),
        None => Parsed::Unknown(word),
    }
}

/// The words behind a command. Those in quotes may have spaces.
#[derive(Debug, PartialEq, Eq)]
struct Token {
    /// Where it begins, in characters.
    begins: usize,
    text: String,
    /// Whether something separates it from what comes next.
    ended: bool,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut open: Option<(Token, bool)> = None;
    for (at, c) in text.chars().enumerate() {
        match &mut open {
            None if c.is_whitespace() => {}
            None => {
                let is_quoted = c == '"';
                let text = if is_quoted { String::new() } else { c.to_string() };
                open = Some((Token { begins: at, text, ended: false }, is_quoted));
            }
            Some((_, is_quoted)) if if *is_quoted { c == '"' } else { c.is_whitespace() } => {
                tokens.extend(open.take().map(|(token, _)| Token { ended: true, ..token }));
            }
            Some((token, _)) => token.text.push(c),
        }
    }
    tokens.extend(open.map(|(token, _)| token));
    tokens
}

/// Where that begins, in characters, which the end of `before` stands in: a command, or what belongs to one. `before` is
/// the text up to the cursor.
pub(super) fn argument(before: &str) -> Option<usize> {
    if !before.starts_with('/') || before.contains('\n') {
        return None;
    }
    let word = &before[1..];
    if !word.contains(char::is_whitespace) {
        return word.chars().all(char::is_alphabetic).then_some(0);
    }
    let Parsed::Command(name, _) = parse(before) else { return None };
    let all = tokens(before);
    let last = all.iter().rfind(|token| !token.ended);
    let (place, begins) = match last {
        Some(last) => (all.len() - 1, last.begins),
        None => (all.len(), before.chars().count()),
    };
    complete::has_choices(name, place).then_some(begins)
}

/// What is said beside the field.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) text: String,
    /// Whether nothing was done.
    pub(super) is_bad: bool,
    /// What is done once the person confirms it, and what that is called.
    pub(super) ask: Option<(String, Intent)>,
}

impl Notice {
    fn said(text: String) -> Self {
        Notice { text, is_bad: false, ask: None }
    }

    fn bad(text: impl Into<String>) -> Self {
        Notice { text: text.into(), is_bad: true, ask: None }
    }
}

/// What becomes of a text that is sent.
pub(super) enum Outcome {
    /// This is sent as a message.
    Send(Content),
    /// It was a command and is done; the text goes.
    Done(Option<Notice>),
    /// Nothing was done; the text stays.
    Failed(Notice),
}

/// Carries a command out, or says what is to be sent.
pub(super) fn run(cx: &mut Cx, key: &RoomKey, text: &str) -> Outcome {
    let words = cx.words.chat;
    let (name, rest) = match parse(text) {
        Parsed::Message(body) => return Outcome::Send(Content::text(body)),
        Parsed::Unknown(word) => {
            return Outcome::Failed(Notice::bad((words.unknown_command)(&harmless::line(
                word,
                MAX_SAID_CHARS,
            ))));
        }
        Parsed::Command(name, rest) => (name, rest),
    };
    let is_offered = cx
        .model
        .read(|model| model.connections.get(&key.0).is_some_and(|connection| name.is_offered(connection)));
    if !is_offered {
        return Outcome::Failed(Notice::bad((words.command_not_offered)(name.word())));
    }
    let usage = || Outcome::Failed(Notice::bad((words.command_usage)(name)));
    match name {
        Name::Me if rest.is_empty() => usage(),
        Name::Me => Outcome::Send(Content::text(in_italics(rest))),
        Name::Msg => message(cx, key.0, rest).unwrap_or_else(usage),
        Name::Invite => invite(cx, key, rest).unwrap_or_else(usage),
        Name::Set => devices::set(cx, key.0, rest).unwrap_or_else(usage),
        Name::Get => devices::get(cx, key.0, rest).unwrap_or_else(usage),
        _ => match of_room(name, key, rest) {
            Some(intent) => {
                cx.intents.push(Intent::Chat(intent));
                Outcome::Done(None)
            }
            None => usage(),
        },
    }
}

/// Sends a direct message; `None` if what stands behind the command does not fit.
fn message(cx: &mut Cx, connection: ConnectionId, rest: &str) -> Option<Outcome> {
    let name = tokens(rest).into_iter().next()?;
    let quotes = if rest.starts_with('"') { 2 } else { 0 };
    let body: String = rest.chars().skip(name.text.chars().count() + quotes).collect();
    let body = body.trim();
    if body.is_empty() {
        return None;
    }
    Some(match called(cx, connection, &name.text) {
        Ok(who) => {
            let content = Content::text(body);
            cx.intents.push(Intent::Chat(ChatIntent::SendDirect { connection, who, content }));
            Outcome::Done(None)
        }
        Err(notice) => Outcome::Failed(notice),
    })
}

/// Invites somebody into a private room; `None` if what stands behind the command does not fit.
fn invite(cx: &mut Cx, (connection, room): &RoomKey, rest: &str) -> Option<Outcome> {
    let all = tokens(rest);
    let [name] = all.as_slice() else { return None };
    let (connection, room) = (*connection, room.clone());
    let may = cx.model.read(|model| {
        let at = model.connections.get(&connection);
        at.is_some_and(|at| at.may_with_members(&room, MemberAct::Invite))
    });
    if !may {
        return Some(Outcome::Failed(Notice::bad(cx.words.private.cannot_invite)));
    }
    Some(match called(cx, connection, name.text.trim_start_matches(SIGNS)) {
        Ok(who) => {
            cx.intents.push(Intent::Chat(ChatIntent::InviteToRoom { connection, room, who }));
            Outcome::Done(None)
        }
        Err(notice) => Outcome::Failed(notice),
    })
}

/// The one other person of a name, or what is said where there is none or several.
fn called(cx: &Cx, connection: ConnectionId, name: &str) -> Result<PrincipalId, Notice> {
    let wanted = fold::folded_name(name);
    let found: Vec<PrincipalId> = cx.model.read(|model| {
        let Some(chat) = model.connections.get(&connection).map(|at| &at.chat) else { return Vec::new() };
        let me = chat.me.as_ref().map(|me| &me.id);
        let others = chat.people.values().map(|person| &person.who).filter(|who| who.kind.chats());
        let others = others.filter(|who| Some(&who.id) != me && fold::folded_name(&who.name) == wanted);
        others.map(|who| who.id.clone()).collect()
    });
    let (words, said) = (cx.words.private, harmless::line(name, MAX_SAID_CHARS));
    match found.as_slice() {
        [who] => Ok(who.clone()),
        [] => Err(Notice::bad((words.nobody_called)(&said))),
        _ => Err(Notice::bad((words.several_called)(&said))),
    }
}

/// What a command about a room or the person's status asks for; `None` if what stands behind it does not fit.
fn of_room(name: Name, (connection, room): &RoomKey, rest: &str) -> Option<ChatIntent> {
    let (connection, room) = (*connection, room.clone());
    let is_alone = rest.is_empty();
    match name {
        Name::Topic => Some(ChatIntent::SetTopic { connection, room, topic: rest.to_owned() }),
        Name::Status => Some(ChatIntent::SetStatus { connection, text: rest.to_owned() }),
        Name::Rename => Some(ChatIntent::RenameRoom { connection, room, name: name::make_room(rest).ok()? }),
        Name::Archive | Name::Unarchive => {
            let archived = name == Name::Archive;
            is_alone.then_some(ChatIntent::SetArchived { connection, room, archived })
        }
        Name::Leave => is_alone.then_some(ChatIntent::LeaveRoom { connection, room }),
        Name::Join => is_alone.then_some(ChatIntent::JoinRoom { connection, room }),
        Name::Me | Name::Set | Name::Get | Name::Msg | Name::Invite => None,
    }
}

/// What somebody does, as Markdown: each line in italics.
fn in_italics(text: &str) -> String {
    let line = |line: &str| match line.trim() {
        "" => String::new(),
        line if line.contains('*') => format!("_{line}_"),
        line => format!("*{line}*"),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_messages() {
        for (text, parsed) in [
            ("/me waves", Parsed::Command(Name::Me, "waves")),
            ("/SET a b c", Parsed::Command(Name::Set, "a b c")),
            ("/me", Parsed::Command(Name::Me, "")),
            ("/nonsense x", Parsed::Unknown("nonsense")),
            ("/방", Parsed::Unknown("방")),
            ("hello /me", Parsed::Message("hello /me")),
            ("/etc/passwd", Parsed::Message("/etc/passwd")),
            ("/", Parsed::Message("/")),
            ("/ me", Parsed::Message("/ me")),
            ("/3", Parsed::Message("/3")),
            ("//me waves", Parsed::Message("/me waves")),
            ("///me", Parsed::Message("//me")),
            ("// a comment", Parsed::Message("// a comment")),
        ] {
            assert_eq!(parse(text), parsed, "{text}");
        }
    }

    #[test]
    fn words_in_quotes_are_one() {
        let words = |text| tokens(text).into_iter().map(|token| token.text).collect::<Vec<_>>();
        assert_eq!(words(r#"/set "Laser cutter" power on"#), ["/set", "Laser cutter", "power", "on"]);
        assert_eq!(words("  a   나 "), ["a", "나"]);
        assert_eq!(words(r#"x "open to the end"#), ["x", "open to the end"]);
    }

    #[test]
    fn what_is_completed_is_what_the_cursor_stands_in() {
        for (before, at) in [
            ("/", Some(0)),
            ("/se", Some(0)),
            ("/set ", Some(5)),
            ("/set la", Some(5)),
            (r#"/set "laser c"#, Some(5)),
            (r#"/set "laser cutter" po"#, Some(20)),
            ("/set lamp power o", Some(16)),
            ("/get lamp temperature x", None),
            ("/me wa", None),
            ("/nonsense la", None),
            ("/etc/pa", None),
            ("//se", None),
            ("hi /se", None),
            ("/set a\nb", None),
        ] {
            assert_eq!(argument(before), at, "{before}");
        }
    }

    #[test]
    fn what_somebody_does_is_in_italics() {
        assert_eq!(in_italics("waves\n\nand 2 * 3"), "*waves*\n\n_and 2 * 3_");
    }
}
