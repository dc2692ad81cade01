//! The D-Bus messages of fcitx5 and ibus.

use std::path::PathBuf;

use zbus::message::{Flags, Type};
use zbus::zvariant::{OwnedObjectPath, Value};
use zbus::{Connection, Message};

use super::keys::Press;

const FCITX: &str = "org.fcitx.Fcitx5";
const FCITX_PATH: &str = "/org/freedesktop/portal/inputmethod";
const FCITX_CONTEXT: &str = "org.fcitx.Fcitx.InputContext1";
const IBUS: &str = "org.freedesktop.IBus";
const IBUS_PATH: &str = "/org/freedesktop/IBus";
const IBUS_CONTEXT: &str = "org.freedesktop.IBus.InputContext";
const BUS: &str = "org.freedesktop.DBus";

/// fcitx5 capabilities: we draw the composition, and keep it when the focus is lost.
const FCITX_PREEDIT: u64 = 1 << 1;
const FCITX_FORMATTED_PREEDIT: u64 = 1 << 4;
const FCITX_CLIENT_UNFOCUS_COMMIT: u64 = 1 << 5;
/// Cursor positions are relative to the window.
const FCITX_RELATIVE_RECT: u64 = 1 << 24;
/// ibus capabilities: we draw the composition, and report the focus.
const IBUS_PREEDIT_TEXT: u32 = 1;
const IBUS_FOCUS: u32 = 1 << 3;
/// Flag of ibus for a key release.
const IBUS_RELEASE: u32 = 1 << 30;
/// Maximum length of one text, in bytes: far more than anyone composes.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The input method.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// fcitx5.
    Fcitx,
    /// ibus.
    Ibus,
}

/// A signal of an input method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Text was committed.
    Commit(String),
    /// The text being composed, with the cursor at a byte offset.
    Preedit(String, Option<usize>),
    /// The composition has ended.
    HidePreedit,
    /// A key that it had accepted takes effect after all.
    Key(Press),
    /// It was activated again, without a composition.
    Activated,
}

/// The parsed header of a message. zbus's own parser panics on the sender in ibus's signals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The object that sent the signal.
    pub(super) path: String,
    /// The signal's name.
    member: String,
    /// The serial of the message that this replies to.
    pub(super) reply_to: Option<u32>,
}

impl Head {
    /// `None` if the message has no readable header.
    pub(super) fn of(message: &Message) -> Option<Head> {
        type Raw<'m> = (u8, u8, u8, u8, u32, u32, Vec<(u8, Value<'m>)>);
        let ((.., fields), _) = message.data().deserialize::<Raw<'_>>().ok()?;
        let mut head = Head::default();
        for field in fields {
            match field {
                (1, Value::ObjectPath(path)) => head.path = path.to_string(),
                (3, Value::Str(member)) => head.member = member.to_string(),
                (5, Value::U32(serial)) => head.reply_to = Some(serial),
                _ => {}
            }
        }
        Some(head)
    }
}

impl Speech {
    /// The input methods that the environment asks for, the most likely first. Empty if it asks for another or none.
    pub(super) fn wanted(get: impl Fn(&str) -> Option<String>) -> Vec<Speech> {
        let modifiers = get("XMODIFIERS").unwrap_or_default();
        let asked = modifiers.split('@').find_map(|part| part.strip_prefix("im="));
        let asked = asked
            .map(str::to_owned)
            .into_iter()
            .chain(["QT_IM_MODULE", "GTK_IM_MODULE", "QT_IM_MODULES"].into_iter().filter_map(get));
        let asked: Vec<String> = asked.filter(|name| !name.is_empty()).collect();
        if asked.is_empty() {
            return vec![Speech::Fcitx, Speech::Ibus];
        }
        let named = |name: &String| match name {
            name if name.contains("fcitx") => Some(Speech::Fcitx),
            name if name.contains("ibus") => Some(Speech::Ibus),
            _ => None,
        };
        asked.iter().find_map(named).into_iter().collect()
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Speech::Fcitx => "fcitx5",
            Speech::Ibus => "ibus",
        }
    }

    /// Whether it seems to be running, judging by files.
    pub(super) fn runs(self) -> bool {
        match self {
            Speech::Fcitx => {
                let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
                let name = |entry: std::fs::DirEntry| std::fs::read_to_string(entry.path().join("comm")).ok();
                processes.filter_map(name).any(|name| name.trim_end() == "fcitx5")
            }
            Speech::Ibus => ibus_address().is_some(),
        }
    }

    /// Connects to its bus; `None` if it is not running.
    pub(super) async fn connect(self) -> zbus::Result<Option<Connection>> {
        match self {
            Speech::Fcitx => {
                let connection = Connection::session().await?;
                let bus = zbus::fdo::DBusProxy::new(&connection).await?;
                let name = zbus::names::BusName::try_from(FCITX)?;
                Ok(bus.name_has_owner(name).await?.then_some(connection))
            }
            Speech::Ibus => match ibus_address() {
                Some(address) => {
                    Ok(Some(zbus::connection::Builder::address(address.as_str())?.build().await?))
                }
                None => Ok(None),
            },
        }
    }

    /// Creates an input context. Returns its path.
    pub(super) async fn create_context(self, connection: &Connection) -> zbus::Result<String> {
        match self {
            Speech::Fcitx => create_fcitx_context(connection).await,
            Speech::Ibus => create_ibus_context(connection).await,
        }
    }

    fn call(self, context: &str, method: &str) -> zbus::Result<zbus::message::Builder<'static>> {
        let (name, interface) = match self {
            Speech::Fcitx => (FCITX, FCITX_CONTEXT),
            Speech::Ibus => (IBUS, IBUS_CONTEXT),
        };
        let (context, method) = (context.to_owned(), method.to_owned());
        // Do not activate an input method that has exited.
        Message::method_call(context, method)?
            .destination(name)?
            .interface(interface)?
            .with_flags(Flags::NoAutoStart)
    }

    /// Asks whether it uses a key.
    pub(super) fn ask(self, context: &str, press: Press) -> zbus::Result<Message> {
        let call = self.call(context, "ProcessKeyEvent")?;
        match self {
            // fcitx5 uses X11 key codes.
            Speech::Fcitx => {
                call.build(&(press.keyval, press.code.saturating_add(8), press.state, press.released, 0_u32))
            }
            Speech::Ibus => {
                let release = if press.released { IBUS_RELEASE } else { 0 };
                call.build(&(press.keyval, press.code, press.state | release))
            }
        }
    }

    /// Discards the composition. ibus commits it first, then replies.
    pub(super) fn reset(self, context: &str) -> zbus::Result<Message> {
        self.call(context, "Reset")?.build(&())
    }

    /// Commits a composition that it displays itself. The reply to the last message follows the text.
    pub(super) fn flush(self, context: &str) -> Vec<zbus::Result<Message>> {
        let control = |method: &'static str| {
            Message::method_call("/controller", method)?
                .destination(FCITX)?
                .interface("org.fcitx.Fcitx.Controller1")?
                .build(&())
        };
        match self {
            // fcitx5's engines commit when the input method is switched, and at no other time.
            Speech::Fcitx => vec![control("Deactivate"), control("Activate")],
            Speech::Ibus => vec![self.reset(context)],
        }
    }

    /// Reports whether a text field has the focus.
    pub(super) fn focus(self, context: &str, focused: bool) -> zbus::Result<Message> {
        self.call(context, if focused { "FocusIn" } else { "FocusOut" })?.build(&())
    }

    /// Reports the cursor position.
    pub(super) fn spot(
        self,
        context: &str,
        [x, y, width, height]: [i32; 4],
        on_screen: bool,
    ) -> zbus::Result<Message> {
        let method = match (self, on_screen) {
            (Speech::Fcitx, _) => "SetCursorRect",
            (Speech::Ibus, true) => "SetCursorLocation",
            (Speech::Ibus, false) => "SetCursorLocationRelative",
        };
        self.call(context, method)?.build(&(x, y, width, height))
    }

    /// Destroys the context.
    pub(super) fn end(self, context: &str) -> zbus::Result<Message> {
        match self {
            Speech::Fcitx => self.call(context, "DestroyIC")?.build(&()),
            Speech::Ibus => Message::method_call(context.to_owned(), "Destroy")?
                .destination(IBUS)?
                .interface("org.freedesktop.IBus.Service")?
                .build(&()),
        }
    }

    /// Whether the message shows that the input method has exited.
    pub(super) fn is_end(self, head: &Head, message: &Message) -> bool {
        if self != Speech::Fcitx
            || message.message_type() != Type::Signal
            || head.member != "NameOwnerChanged"
        {
            return false;
        }
        let body = message.body();
        body.deserialize::<(&str, &str, &str)>().is_ok_and(|(name, _, new)| name == FCITX && new.is_empty())
    }

    /// Parses a signal of the context; `None` if it concerns something that we do not draw.
    pub(super) fn understand(self, head: &Head, message: &Message) -> Option<Word> {
        if message.message_type() != Type::Signal {
            return None;
        }
        let word = match self {
            Speech::Fcitx => fcitx_word(&head.member, message),
            Speech::Ibus => ibus_word(&head.member, message),
        };
        word.ok().flatten().filter(|word| match word {
            Word::Commit(text) | Word::Preedit(text, _) => text.len() <= MAX_TEXT_BYTES,
            Word::HidePreedit | Word::Key(_) | Word::Activated => true,
        })
    }
}

async fn create_fcitx_context(connection: &Connection) -> zbus::Result<String> {
    let rule = format!("type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{}'", FCITX);
    connection.call_method(Some(BUS), "/org/freedesktop/DBus", Some(BUS), "AddMatch", &rule).await?;
    let wayland = std::env::var("WAYLAND_DISPLAY").ok().filter(|display| !display.is_empty());
    let display = match &wayland {
        Some(display) => format!("wayland:{display}"),
        None => format!("x11:{}", std::env::var("DISPLAY").unwrap_or_default()),
    };
    let about = vec![("program", "duplex"), ("display", display.as_str())];
    let made = connection
        .call_method(
            Some(FCITX),
            FCITX_PATH,
            Some("org.fcitx.Fcitx.InputMethod1"),
            "CreateInputContext",
            &about,
        )
        .await?;
    let (context, _): (OwnedObjectPath, Vec<u8>) = made.body().deserialize()?;
    let mut can = FCITX_PREEDIT | FCITX_FORMATTED_PREEDIT | FCITX_CLIENT_UNFOCUS_COMMIT;
    if wayland.is_some() {
        can |= FCITX_RELATIVE_RECT;
    }
    connection.call_method(Some(FCITX), context.as_str(), Some(FCITX_CONTEXT), "SetCapability", &can).await?;
    Ok(context.as_str().to_owned())
}

async fn create_ibus_context(connection: &Connection) -> zbus::Result<String> {
    let made =
        connection.call_method(Some(IBUS), IBUS_PATH, Some(IBUS), "CreateInputContext", &"duplex").await?;
    let context: OwnedObjectPath = made.body().deserialize()?;
    let can = IBUS_PREEDIT_TEXT | IBUS_FOCUS;
    connection.call_method(Some(IBUS), context.as_str(), Some(IBUS_CONTEXT), "SetCapabilities", &can).await?;
    Ok(context.as_str().to_owned())
}

fn fcitx_word(member: &str, message: &Message) -> zbus::Result<Option<Word>> {
    let body = message.body();
    Ok(match member {
        "CommitString" => Some(Word::Commit(body.deserialize()?)),
        "UpdateFormattedPreedit" => {
            let (parts, cursor): (Vec<(String, i32)>, i32) = body.deserialize()?;
            let text: String = parts.into_iter().map(|(part, _)| part).collect();
            let cursor = usize::try_from(cursor).ok().filter(|cursor| text.is_char_boundary(*cursor));
            Some(preedit(text, cursor))
        }
        "CurrentIM" => Some(Word::Activated),
        "ForwardKey" => {
            let (keyval, state, released) = body.deserialize()?;
            Some(Word::Key(Press { keyval, code: 0, state, released }))
        }
        _ => None,
    })
}

fn ibus_word(member: &str, message: &Message) -> zbus::Result<Option<Word>> {
    let body = message.body();
    Ok(match member {
        "CommitText" => ibus_text(&body.deserialize()?).map(Word::Commit),
        "UpdatePreeditText" => {
            let (text, cursor, visible): (Value<'_>, u32, bool) = body.deserialize()?;
            ibus_preedit(&text, cursor, visible)
        }
        "UpdatePreeditTextWithMode" => {
            let (text, cursor, visible, _): (Value<'_>, u32, bool, u32) = body.deserialize()?;
            ibus_preedit(&text, cursor, visible)
        }
        "HidePreeditText" => Some(Word::HidePreedit),
        "ForwardKeyEvent" => {
            let (keyval, code, state): (u32, u32, u32) = body.deserialize()?;
            Some(Word::Key(Press { keyval, code, state, released: state & IBUS_RELEASE != 0 }))
        }
        _ => None,
    })
}

fn preedit(text: String, cursor: Option<usize>) -> Word {
    if text.is_empty() { Word::HidePreedit } else { Word::Preedit(text, cursor) }
}

fn ibus_preedit(text: &Value<'_>, cursor: u32, visible: bool) -> Option<Word> {
    if !visible {
        return Some(Word::HidePreedit);
    }
    let text = ibus_text(text)?;
    let cursor = text.char_indices().nth(cursor as usize).map_or(text.len(), |(byte, _)| byte);
    Some(preedit(text, Some(cursor)))
}

/// The text of a serialised IBusText: `("IBusText", attachments, text, attributes)`, in variants or not.
fn ibus_text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Value(inner) => ibus_text(inner),
        Value::Structure(text) => match text.fields() {
            [Value::Str(name), _, Value::Str(text), ..] if name.as_str() == "IBusText" => {
                Some(text.to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The address of ibus: from the environment, or from its file for this display.
fn ibus_address() -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(address) = set("IBUS_ADDRESS") {
        return Some(address);
    }
    let machine = ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .find_map(|file| std::fs::read_to_string(file).ok())?;
    let config = set("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(directories::BaseDirs::new()?.config_dir().to_owned()))?;
    let displays = [set("WAYLAND_DISPLAY"), set("DISPLAY")];
    let file = |display: &String| {
        config.join("ibus/bus").join(format!("{}-{}", machine.trim(), ibus_display(display)))
    };
    let files =
        set("IBUS_ADDRESS_FILE").map(PathBuf::from).into_iter().chain(displays.iter().flatten().map(file));
    files.filter_map(|file| std::fs::read_to_string(file).ok()).find_map(|record| {
        let field = |name: &str| record.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let runs = field("IBUS_DAEMON_PID")
            .is_some_and(|pid| std::path::Path::new("/proc").join(pid.trim()).exists());
        field("IBUS_ADDRESS").filter(|_| runs).map(str::to_owned)
    })
}

/// A display as in the name of ibus's file: `:1.0` is `unix-1`.
fn ibus_display(display: &str) -> String {
    match display.split_once(':') {
        Some((host, number)) => {
            let host = if host.is_empty() { "unix" } else { host };
            format!("{host}-{}", number.split('.').next().unwrap_or(number))
        }
        None => format!("unix-{display}"),
    }
}

#[cfg(test)]
mod tests {
    use zbus::zvariant::Structure;

    use super::*;

    fn wanted(set: &[(&str, &str)]) -> Vec<Speech> {
        Speech::wanted(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_environment_selects_the_input_method() {
        assert_eq!(wanted(&[("XMODIFIERS", "@im=fcitx")]), [Speech::Fcitx]);
        assert_eq!(wanted(&[("XMODIFIERS", "@im=ibus")]), [Speech::Ibus]);
        assert_eq!(wanted(&[("XMODIFIERS", "@im=none")]), []);
        assert_eq!(wanted(&[("XMODIFIERS", "@im=kime"), ("GTK_IM_MODULE", "kime")]), []);
        assert_eq!(wanted(&[("QT_IM_MODULE", "fcitx")]), [Speech::Fcitx]);
        assert_eq!(wanted(&[("QT_IM_MODULES", "wayland;ibus")]), [Speech::Ibus]);
        assert_eq!(wanted(&[]), [Speech::Fcitx, Speech::Ibus]);
    }

    #[test]
    fn displays_are_named_as_ibus_names_them() {
        let named =
            [(":0", "unix-0"), (":1.0", "unix-1"), ("far:2", "far-2"), ("wayland-1", "unix-wayland-1")];
        for (display, name) in named {
            assert_eq!(ibus_display(display), name);
        }
    }

    fn signal<B: serde::Serialize + zbus::zvariant::DynamicType>(
        interface: &str,
        member: &str,
        body: &B,
    ) -> Message {
        Message::signal("/context/1", interface.to_owned(), member.to_owned()).unwrap().build(body).unwrap()
    }

    #[test]
    fn a_header_is_parsed_whatever_its_sender() {
        let call = Message::method_call("/there", "Do").unwrap().build(&()).unwrap();
        let answer = Message::method_return(&call.header()).unwrap().build(&true).unwrap();
        let serial = call.primary_header().serial_num().get();
        assert_eq!(Head::of(&answer).unwrap().reply_to, Some(serial));
        let said = Head::of(&signal(IBUS_CONTEXT, "CommitText", &7_u32)).unwrap();
        assert_eq!(said, Head { path: "/context/1".into(), member: "CommitText".into(), reply_to: None });
    }

    #[test]
    fn fcitx_signals_are_parsed() {
        let say = |message: &Message| Speech::Fcitx.understand(&Head::of(message).unwrap(), message);
        assert_eq!(say(&signal(FCITX_CONTEXT, "CommitString", &"요")), Some(Word::Commit("요".into())));
        let preedit = signal(FCITX_CONTEXT, "UpdateFormattedPreedit", &(vec![("요", 8_i32)], 3_i32));
        assert_eq!(say(&preedit), Some(Word::Preedit("요".into(), Some(3))));
        let inside = signal(FCITX_CONTEXT, "UpdateFormattedPreedit", &(vec![("요", 8_i32)], 1_i32));
        assert_eq!(say(&inside), Some(Word::Preedit("요".into(), None)), "not between characters");
        let none = signal(FCITX_CONTEXT, "UpdateFormattedPreedit", &(Vec::<(&str, i32)>::new(), 0_i32));
        assert_eq!(say(&none), Some(Word::HidePreedit));
        let begins = signal(FCITX_CONTEXT, "CurrentIM", &("Hangul", "hangul", "ko"));
        assert_eq!(say(&begins), Some(Word::Activated));
        assert_eq!(say(&signal(FCITX_CONTEXT, "UpdateClientSideUI", &7_u32)), None);
        assert_eq!(say(&signal(FCITX_CONTEXT, "CommitString", &7_u32)), None, "an unexpected type");
        let long = "가".repeat(MAX_TEXT_BYTES);
        assert_eq!(say(&signal(FCITX_CONTEXT, "CommitString", &long)), None);
    }

    #[test]
    fn ibus_signals_are_parsed() {
        let text = |text: &str| {
            let none = std::collections::HashMap::<String, Value<'_>>::new();
            let attributes =
                Value::from(Structure::from(("IBusAttrList", none.clone(), Vec::<Value<'_>>::new())));
            Value::from(Structure::from(("IBusText", none, text.to_owned(), attributes)))
        };
        let say = |message: &Message| Speech::Ibus.understand(&Head::of(message).unwrap(), message);
        assert_eq!(say(&signal(IBUS_CONTEXT, "CommitText", &text("요"))), Some(Word::Commit("요".into())));
        let preedit =
            |visible: bool| signal(IBUS_CONTEXT, "UpdatePreeditText", &(text("요"), 1_u32, visible));
        assert_eq!(say(&preedit(true)), Some(Word::Preedit("요".into(), Some(3))));
        assert_eq!(say(&preedit(false)), Some(Word::HidePreedit));
        let key = signal(IBUS_CONTEXT, "ForwardKeyEvent", &(0xff0d_u32, 28_u32, IBUS_RELEASE));
        assert!(matches!(say(&key), Some(Word::Key(press)) if press.released && press.keyval == 0xff0d));
        assert_eq!(say(&signal(IBUS_CONTEXT, "CommitText", &Value::from("요"))), None, "no IBusText");
    }
}
