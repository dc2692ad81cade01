//! The system's clipboard, accessed from separate threads: the program that owns its content may take half a minute
//! to answer, which would freeze the window. Text typed after a paste waits for the paste, so that the order is
//! preserved.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use egui::{
    Context, Event, FullOutput, Key, Modifiers, OutputCommand, Plugin, PointerButton, Pos2, RawInput,
};

use crate::clock;
use crate::model::export::Picture;
use crate::model::time::BootMs;
use crate::ui::NotPasted;

/// Maximum time that a paste may delay later input, in milliseconds.
const MAX_WAIT_MS: u64 = 1_000;
/// Polling interval while an answer is pending.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Maximum number of threads waiting for an unresponsive owner; beyond it, pastes fail.
const MAX_READERS: usize = 4;
/// Maximum time that a closing window waits for its last copy to be written.
const MAX_GOODBYE: Duration = Duration::from_millis(500);
/// Maximum number of queued copies. Only the newest one matters.
const MAX_WRITES: usize = 16;

/// The clipboard, or the primary selection of X11 and Wayland.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// Text that was copied.
    Clipboard,
    /// The selected text, pasted with the middle button.
    Primary,
}

/// The system's clipboard. Both methods may block.
pub(super) trait System: Send + Sync + 'static {
    /// Its text; `None` if it contains no text.
    fn read(&self, from: Selection) -> Option<String>;
    /// Its picture; `None` if it contains none.
    fn picture(&self) -> Option<Picture>;
    /// Replaces its content.
    fn write(&self, to: Selection, text: String);
}

/// Replaces egui's own handling of copy and paste.
pub(super) struct Clipboard {
    order: Order,
    /// `None` once the window has closed.
    threads: Option<Threads>,
    answer: Option<Mutex<Receiver<Content>>>,
    troubles: Troubles,
    pictures: Pictures,
}

/// Pasted pictures, for the window to take.
pub(super) type Pictures = Arc<Mutex<Vec<Picture>>>;

/// Failed pastes, for display by the window.
pub(super) type Troubles = Arc<Mutex<Vec<NotPasted>>>;

/// The threads that wait on the window's behalf.
struct Threads {
    system: Arc<dyn System>,
    writes: SyncSender<(Selection, String)>,
    /// Disconnects when the writer thread has ended.
    written: Mutex<Receiver<()>>,
    /// Its reference count is the number of running readers plus one.
    readers: Arc<()>,
}

impl Clipboard {
    /// Starts the writer thread.
    pub(super) fn new(system: Arc<dyn System>) -> std::io::Result<Clipboard> {
        let (writes, jobs) = sync_channel::<(Selection, String)>(MAX_WRITES);
        let (done, written) = sync_channel::<()>(1);
        let writer = Arc::clone(&system);
        thread::Builder::new().name("clipboard".to_owned()).spawn(move || {
            for (to, text) in jobs {
                writer.write(to, text);
            }
            drop((writer, done));
        })?;
        let threads = Threads { system, writes, written: Mutex::new(written), readers: Arc::new(()) };
        let troubles = Troubles::default();
        let pictures = Pictures::default();
        Ok(Clipboard { order: Order::default(), threads: Some(threads), answer: None, troubles, pictures })
    }

    /// Pasted pictures, for the window to take.
    pub(super) fn pictures(&self) -> Pictures {
        Arc::clone(&self.pictures)
    }

    /// Failed pastes, for the window.
    pub(super) fn troubles(&self) -> Troubles {
        Arc::clone(&self.troubles)
    }

    /// Requests the clipboard's text. An unresponsive owner blocks a thread until its connection times out.
    fn ask(&mut self, from: Selection) {
        self.answer = None;
        let Some(threads) = &self.threads else { return };
        if Arc::strong_count(&threads.readers) > MAX_READERS {
            return log::warn!("paste failed: the program that owns the clipboard is not responding");
        }
        let (to, answer) = sync_channel(1);
        let (system, place) = (Arc::clone(&threads.system), Arc::clone(&threads.readers));
        let read = move || {
            let content = match system.read(from).filter(|text| !text.is_empty()) {
                Some(text) => Content::Text(text),
                // What the middle button pastes is always text.
                None if from == Selection::Primary => Content::Nothing,
                None => system.picture().map_or(Content::Nothing, Content::Picture),
            };
            // The receiver is gone if it took too long.
            let _ = to.send(content);
            drop((system, place));
        };
        match thread::Builder::new().name("paste".to_owned()).spawn(read) {
            Ok(_) => self.answer = Some(Mutex::new(answer)),
            Err(error) => log::warn!("paste failed: {error}"),
        }
    }

    /// The result of the read; `None` while it is pending.
    fn answered(&mut self) -> Option<Answer> {
        let Some(answer) = &mut self.answer else { return Some(Answer::Never) };
        let answer = answer.get_mut().unwrap_or_else(PoisonError::into_inner);
        match answer.try_recv() {
            Ok(Content::Text(text)) => Some(Answer::Text(text)),
            Ok(Content::Picture(picture)) => Some(Answer::Picture(picture)),
            Ok(Content::Nothing) => Some(Answer::NoText),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Answer::Never),
        }
    }
}

impl Plugin for Clipboard {
    fn debug_name(&self) -> &'static str {
        "Clipboard"
    }

    /// Writes the last copy to the system's clipboard before the window's display closes.
    fn on_exit(&mut self, _ctx: &Context) {
        let Some(Threads { writes, written, .. }) = self.threads.take() else { return };
        drop(writes);
        // Only the end of the thread, or the timeout, matters.
        let _ = lock(&written).recv_timeout(MAX_GOODBYE);
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        let now = clock::now().boot_ms;
        let mut events = std::mem::take(&mut input.events);
        loop {
            if self.order.waits() {
                let answer = self.answered();
                let answer = match answer {
                    Some(Answer::Picture(picture)) => {
                        lock(&self.pictures).push(picture);
                        Some(Answer::Taken)
                    }
                    answer => answer,
                };
                let trouble = self.order.answer(now, answer);
                lock(&self.troubles).extend(trouble);
            }
            let asked = self.order.sort(now, &mut events, &mut input.events);
            match asked {
                Some(from) => self.ask(from),
                None => break,
            }
        }
        if self.order.waits() {
            ctx.request_repaint_after(LOOK_AGAIN);
        }
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        output.platform_output.commands.retain_mut(|command| {
            let (to, text) = match command {
                OutputCommand::CopyText(text) => (Selection::Clipboard, text),
                OutputCommand::TextSelectionSettled(text) => (Selection::Primary, text),
                OutputCommand::CopyImage(_) | OutputCommand::OpenUrl(_) => return true,
            };
            let Some(threads) = &self.threads else { return false };
            match threads.writes.try_send((to, std::mem::take(text))) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => log::warn!("a copy was dropped: the clipboard does not answer"),
                Err(TrySendError::Disconnected(_)) => log::warn!("a copy was dropped: the clipboard is gone"),
            }
            false
        });
    }
}

/// What a clipboard holds.
enum Content {
    Text(String),
    Picture(Picture),
    Nothing,
}

/// Orders events: those after a paste wait for its text.
#[derive(Default)]
struct Order {
    paste: Option<Paste>,
    held: VecDeque<Event>,
}

/// The result of a read.
#[derive(Debug)]
enum Answer {
    Text(String),
    /// It contains a picture and no text.
    Picture(Picture),
    /// It was a picture, which goes another way.
    Taken,
    /// It contains no text.
    NoText,
    /// The read failed.
    Never,
}

/// A paste whose text is being read.
struct Paste {
    /// Where the middle button was pressed; `None` for a paste by keyboard.
    clicked: Option<Pos2>,
    asked_at: BootMs,
}

impl Order {
    fn waits(&self) -> bool {
        self.paste.is_some()
    }

    /// Completes the pending paste if its text is known. After [`MAX_WAIT_MS`] it fails. Returns the reason if the
    /// user should be told: middle clicks often paste nothing.
    fn answer(&mut self, now: BootMs, answer: Option<Answer>) -> Option<NotPasted> {
        let paste = self.paste.as_ref()?;
        let late = now.since(paste.asked_at) >= MAX_WAIT_MS;
        let text = match answer {
            Some(Answer::Text(text)) => Ok(text.replace("\r\n", "\n")),
            Some(Answer::Picture(_) | Answer::Taken) => {
                self.paste = None;
                return None;
            }
            Some(Answer::NoText) => Err(NotPasted::NoText),
            Some(Answer::Never) => Err(NotPasted::NoAnswer),
            None if late => {
                log::warn!("paste failed: the program that owns the clipboard did not respond in time");
                Err(NotPasted::NoAnswer)
            }
            None => return None,
        };
        let text = text.and_then(|text| if text.is_empty() { Err(NotPasted::NoText) } else { Ok(text) });
        let clicked = paste.clicked;
        self.paste = None;
        match text {
            Ok(text) => self.held.push_front(match clicked {
                Some(pos) => Event::MiddleClickPaste { pos, text },
                None => Event::Paste(text),
            }),
            Err(NotPasted::NoText) if clicked.is_some() => {}
            Err(trouble) => return Some(trouble),
        }
        None
    }

    /// Moves events from `input` to `output` up to a paste. Returns what to read for it; then call it again.
    fn sort(&mut self, now: BootMs, input: &mut Vec<Event>, output: &mut Vec<Event>) -> Option<Selection> {
        self.held.extend(input.drain(..));
        if self.waits() {
            // Pointer movement and window state do not need to keep their order.
            let held = std::mem::take(&mut self.held);
            let (waiting, passing): (Vec<_>, Vec<_>) = held.into_iter().partition(is_in_order);
            self.held = waiting.into();
            output.extend(passing);
            return None;
        }
        while let Some(event) = self.held.pop_front() {
            let asked = match &event {
                Event::Key { key, pressed: true, modifiers, .. } => match command(*key, *modifiers) {
                    Some(Command::Paste) => Some((Selection::Clipboard, None)),
                    Some(Command::Copy) => {
                        output.push(Event::Copy);
                        continue;
                    }
                    Some(Command::Cut) => {
                        output.push(Event::Cut);
                        continue;
                    }
                    None => None,
                },
                Event::PointerButton { pos, button: PointerButton::Middle, pressed: true, .. }
                    if HAS_PRIMARY =>
                {
                    Some((Selection::Primary, Some(*pos)))
                }
                _ => None,
            };
            let Some((from, clicked)) = asked else {
                output.push(event);
                continue;
            };
            if clicked.is_some() {
                // The click itself counts, whatever is pasted.
                output.push(event);
            }
            self.paste = Some(Paste { clicked, asked_at: now });
            return Some(from);
        }
        None
    }
}

/// Whether the system has a primary selection.
const HAS_PRIMARY: bool =
    cfg!(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))));

/// Whether an event must not overtake a paste.
fn is_in_order(event: &Event) -> bool {
    matches!(
        event,
        Event::Key { .. }
            | Event::Text(_)
            | Event::Ime(_)
            | Event::Paste(_)
            | Event::MiddleClickPaste { .. }
            | Event::Copy
            | Event::Cut
            | Event::PointerButton { .. }
    )
}

enum Command {
    Copy,
    Cut,
    Paste,
}

/// The clipboard command of a key combination.
fn command(key: Key, held: Modifiers) -> Option<Command> {
    let insert = Modifiers { shift: false, ..held }.is_none() && held.shift;
    match key {
        Key::Copy => Some(Command::Copy),
        Key::Cut => Some(Command::Cut),
        Key::Paste => Some(Command::Paste),
        Key::C if held.command_only() => Some(Command::Copy),
        Key::X if held.command_only() => Some(Command::Cut),
        Key::V if held.command_only() => Some(Command::Paste),
        // Older key combinations on Windows and Linux.
        Key::Insert if insert => Some(Command::Paste),
        Key::Insert if held.command_only() => Some(Command::Copy),
        Key::Delete if insert => Some(Command::Cut),
        _ => None,
    }
}

/// The clipboard of this computer's window system.
pub(super) struct Desktop {
    /// Keeps copied text available while the window is open: on X11 the owner provides it.
    own: Mutex<Option<arboard::Clipboard>>,
    #[cfg(all(unix, not(target_os = "macos")))]
    wayland: Option<Mutex<smithay_clipboard::Clipboard>>,
}

impl Desktop {
    /// The clipboard of the window that is being created.
    pub(super) fn of(creation: &eframe::CreationContext<'_>) -> Desktop {
        #[cfg(all(unix, not(target_os = "macos")))]
        let wayland = wayland(creation);
        #[cfg(not(all(unix, not(target_os = "macos"))))]
        let _ = creation;
        Desktop {
            own: Mutex::new(None),
            #[cfg(all(unix, not(target_os = "macos")))]
            wayland,
        }
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    fn wayland(&self) -> Option<MutexGuard<'_, smithay_clipboard::Clipboard>> {
        Some(lock(self.wayland.as_ref()?))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wayland gives clipboard access to the focused window, so the window's own connection is used.
#[cfg(all(unix, not(target_os = "macos")))]
#[allow(unsafe_code)]
fn wayland(creation: &eframe::CreationContext<'_>) -> Option<Mutex<smithay_clipboard::Clipboard>> {
    use raw_window_handle::{HasDisplayHandle as _, RawDisplayHandle};
    let RawDisplayHandle::Wayland(display) = creation.display_handle().ok()?.as_raw() else { return None };
    // SAFETY: the display belongs to winit, which keeps it until its event loop ends. `Plugin::on_exit` runs before
    // that and drops this clipboard.
    Some(Mutex::new(unsafe { smithay_clipboard::Clipboard::new(display.display.as_ptr()) }))
}

impl System for Desktop {
    fn read(&self, from: Selection) -> Option<String> {
        #[cfg(all(unix, not(target_os = "macos")))]
        if let Some(wayland) = self.wayland() {
            let text = match from {
                Selection::Clipboard => wayland.load(),
                Selection::Primary => wayland.load_primary(),
            };
            return text.inspect_err(|error| log::debug!("nothing to paste: {error}")).ok();
        }
        // A separate one: the writer must not wait for it.
        let mut clipboard = arboard::Clipboard::new().ok()?;
        let text = match from {
            Selection::Clipboard => clipboard.get_text(),
            Selection::Primary => primary::get(&mut clipboard),
        };
        text.inspect_err(|error| log::debug!("nothing to paste: {error}")).ok()
    }

    /// The window's own connection to Wayland reads text alone; pictures come by another one, where the desktop has the
    /// data-control protocol, and else by way of Xwayland.
    fn picture(&self) -> Option<Picture> {
        let mut clipboard = arboard::Clipboard::new().ok()?;
        let image =
            clipboard.get_image().inspect_err(|error| log::debug!("nothing to paste: {error}")).ok()?;
        let (width, height) = (u32::try_from(image.width).ok()?, u32::try_from(image.height).ok()?);
        let is_whole = image.bytes.len() as u64 == 4 * u64::from(width) * u64::from(height);
        is_whole.then(|| Picture { width, height, rgba: Arc::from(&*image.bytes) })
    }

    fn write(&self, to: Selection, text: String) {
        #[cfg(all(unix, not(target_os = "macos")))]
        if let Some(wayland) = self.wayland() {
            return match to {
                Selection::Clipboard => wayland.store(text),
                Selection::Primary => wayland.store_primary(text),
            };
        }
        let mut own = lock(&self.own);
        if own.is_none() {
            *own = arboard::Clipboard::new().inspect_err(|error| log::warn!("no clipboard: {error}")).ok();
        }
        let Some(clipboard) = own.as_mut() else { return };
        let written = match to {
            Selection::Clipboard => clipboard.set_text(text),
            Selection::Primary => primary::set(clipboard, text),
        };
        if let Err(error) = written {
            log::warn!("copy failed: {error}");
        }
    }
}

/// The primary selection of X11.
#[cfg(all(unix, not(target_os = "macos")))]
mod primary {
    use arboard::{Clipboard, Error, GetExtLinux as _, LinuxClipboardKind, SetExtLinux as _};

    pub(super) fn get(clipboard: &mut Clipboard) -> Result<String, Error> {
        clipboard.get().clipboard(LinuxClipboardKind::Primary).text()
    }

    pub(super) fn set(clipboard: &mut Clipboard, text: String) -> Result<(), Error> {
        clipboard.set().clipboard(LinuxClipboardKind::Primary).text(text)
    }
}

/// Other systems have no primary selection.
#[cfg(not(all(unix, not(target_os = "macos"))))]
mod primary {
    use arboard::{Clipboard, Error};

    pub(super) fn get(_: &mut Clipboard) -> Result<String, Error> {
        Err(Error::ContentNotAvailable)
    }

    pub(super) fn set(_: &mut Clipboard, _: String) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: Key, modifiers: Modifiers) -> Event {
        Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
    }

    fn text(text: &str) -> Event {
        Event::Text(text.to_owned())
    }

    fn sort(order: &mut Order, now: BootMs, events: &[Event]) -> (Option<Selection>, Vec<Event>) {
        let mut sorted = Vec::new();
        let asked = order.sort(now, &mut events.to_vec(), &mut sorted);
        (asked, sorted)
    }

    #[test]
    fn input_after_a_paste_waits_for_it() {
        let mut order = Order::default();
        let (paste, enter) = (key(Key::V, Modifiers::COMMAND), key(Key::Enter, Modifiers::NONE));
        let (asked, sorted) = sort(&mut order, BootMs(0), &[text("a"), paste.clone(), text("b")]);
        assert_eq!((asked, sorted), (Some(Selection::Clipboard), vec![text("a")]));
        let moved = Event::PointerMoved(Pos2::ZERO);
        let (asked, sorted) = sort(&mut order, BootMs(5), &[enter.clone(), moved.clone()]);
        assert_eq!((asked, sorted), (None, vec![moved]), "pointer events are not delayed");
        order.answer(BootMs(10), None);
        assert!(order.waits());
        order.answer(BootMs(15), Some(Answer::Text("one\r\ntwo".to_owned())));
        let (asked, sorted) = sort(&mut order, BootMs(15), &[]);
        assert_eq!((asked, sorted), (None, vec![Event::Paste("one\ntwo".to_owned()), text("b"), enter]));
    }

    #[test]
    fn two_pastes_in_a_row_are_both_read() {
        let mut order = Order::default();
        let paste = key(Key::V, Modifiers::COMMAND);
        assert_eq!(sort(&mut order, BootMs(0), &[paste.clone(), paste]).0, Some(Selection::Clipboard));
        order.answer(BootMs(1), Some(Answer::Text("x".to_owned())));
        let (asked, sorted) = sort(&mut order, BootMs(1), &[]);
        assert_eq!((asked, sorted), (Some(Selection::Clipboard), vec![Event::Paste("x".to_owned())]));
    }

    #[test]
    fn an_unresponsive_owner_delays_input_by_at_most_a_second() {
        let mut order = Order::default();
        sort(&mut order, BootMs(0), &[key(Key::V, Modifiers::COMMAND), text("typed")]);
        assert_eq!(order.answer(BootMs(MAX_WAIT_MS - 1), None), None);
        assert!(order.waits());
        assert_eq!(order.answer(BootMs(MAX_WAIT_MS), None), Some(NotPasted::NoAnswer));
        assert_eq!(sort(&mut order, BootMs(MAX_WAIT_MS), &[]), (None, vec![text("typed")]));
    }

    #[test]
    fn copy_and_cut_are_recognised_by_their_keys() {
        let mut order = Order::default();
        let keys = [
            key(Key::C, Modifiers::COMMAND),
            key(Key::X, Modifiers::COMMAND),
            key(Key::Copy, Modifiers::NONE),
        ];
        assert_eq!(sort(&mut order, BootMs(0), &keys), (None, vec![Event::Copy, Event::Cut, Event::Copy]));
        let other = [key(Key::C, Modifiers::NONE), key(Key::V, Modifiers::COMMAND | Modifiers::SHIFT)];
        assert_eq!(sort(&mut order, BootMs(0), &other), (None, other.to_vec()));
    }

    #[test]
    fn an_empty_clipboard_pastes_nothing() {
        let mut order = Order::default();
        sort(&mut order, BootMs(0), &[key(Key::Insert, Modifiers::SHIFT)]);
        assert_eq!(order.answer(BootMs(1), Some(Answer::NoText)), Some(NotPasted::NoText));
        assert_eq!(sort(&mut order, BootMs(1), &[]), (None, vec![]));
    }
}
