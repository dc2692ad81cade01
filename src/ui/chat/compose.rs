//! What is typed, in the order in which it was typed. On X11 a key that ends a composition, a space or Enter, can overtake
//! the syllable that it ends: it is held until the syllable is there. And what is typed behind an Enter that sends belongs
//! to the next message, however many keys come in one frame.

use std::collections::VecDeque;

use egui::{Event, ImeEvent, Key, Modifiers};

use crate::model::time::BootMs;

/// A composition that ended has its syllable by then, or it was deleted.
const WAIT_MS: u64 = 400;

/// Where a composition stands, and what waits.
#[derive(Default)]
pub(super) struct Compose {
    /// What is being composed.
    shown: String,
    /// A composition that ended without its text so far, and when.
    ended: Option<(String, BootMs)>,
    /// What overtook it.
    held: Vec<Event>,
    /// What came behind an Enter that sends: for the next frame.
    later: VecDeque<Event>,
}

impl Compose {
    /// Whether a syllable is being composed, or on its way.
    pub(super) fn is_composing(&self) -> bool {
        !self.shown.is_empty() || self.ended.is_some()
    }

    /// When what waits is let go at the latest.
    pub(super) fn deadline(&self, now: BootMs) -> Option<BootMs> {
        if self.later.is_empty() {
            self.ended.as_ref().map(|(_, at)| at.saturating_add(WAIT_MS))
        } else {
            Some(now)
        }
    }

    /// Puts the events of a frame in order, up to the first that `sends`.
    pub(super) fn sort(&mut self, now: BootMs, events: &mut Vec<Event>, sends: impl Fn(&Event) -> bool) {
        let mut queue = std::mem::take(&mut self.later);
        queue.extend(events.drain(..));
        if self.ended.as_ref().is_some_and(|(_, at)| now >= at.saturating_add(WAIT_MS)) {
            self.let_go(&mut queue);
        }
        while let Some(event) = queue.pop_front() {
            if self.ended.is_some() && self.overtakes(&event) {
                self.held.push(event);
                continue;
            }
            match event {
                Event::Ime(ImeEvent::Preedit { ref text, .. }) => {
                    if !text.is_empty() && self.ended.is_some() {
                        // The next one begins: what was awaited was deleted.
                        queue.push_front(event);
                        self.let_go(&mut queue);
                        continue;
                    }
                    let before = std::mem::replace(&mut self.shown, text.clone());
                    if text.is_empty() && !before.is_empty() {
                        self.ended = Some((before, now));
                    }
                }
                // A key that came by way of the input method.
                Event::Ime(ImeEvent::Commit(text)) if text == "\r" || text == "\n" => {
                    queue.push_front(enter());
                    continue;
                }
                Event::Ime(ImeEvent::Commit(_)) => {
                    self.shown.clear();
                    self.let_go(&mut queue);
                }
                _ => {}
            }
            let ends_message = !self.is_composing() && sends(&event);
            events.push(event);
            if ends_message {
                break;
            }
        }
        // The pointer and shortcuts are not the field's: they stay in the frame in which they came.
        let (later, others): (Vec<Event>, Vec<Event>) = queue.into_iter().partition(is_typed);
        self.later = later.into();
        events.extend(others);
    }

    /// Whether an event comes before the syllable that was typed before it.
    fn overtakes(&self, event: &Event) -> bool {
        match event {
            Event::Text(_) | Event::Key { key: Key::Enter, pressed: true, .. } => true,
            Event::Ime(ImeEvent::Commit(text)) => {
                text.is_ascii() && self.ended.as_ref().is_some_and(|(syllable, _)| syllable != text)
            }
            _ => false,
        }
    }

    /// Nothing is awaited any more: what was held comes next.
    fn let_go(&mut self, queue: &mut VecDeque<Event>) {
        self.ended = None;
        for event in self.held.drain(..).rev() {
            queue.push_front(event);
        }
    }
}

fn is_typed(event: &Event) -> bool {
    match event {
        Event::Text(_) | Event::Ime(_) | Event::Paste(_) => true,
        Event::Key { modifiers, .. } => !modifiers.alt && !modifiers.command && !modifiers.ctrl,
        _ => false,
    }
}

fn enter() -> Event {
    Event::Key {
        key: Key::Enter,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preedit(text: &str) -> Event {
        Event::Ime(ImeEvent::Preedit { text: text.into(), active_range_chars: None })
    }

    fn commit(text: &str) -> Event {
        Event::Ime(ImeEvent::Commit(text.into()))
    }

    /// What comes out of frames 16 ms apart, but for empty compositions.
    fn sorted(frames: &[&[Event]]) -> Vec<Event> {
        let mut compose = Compose::default();
        let mut all = Vec::new();
        for (frame, now) in frames.iter().zip((0..).step_by(16)) {
            let mut events = frame.to_vec();
            compose.sort(BootMs(now), &mut events, |event| *event == enter());
            all.append(&mut events);
        }
        all.retain(|event| *event != preedit(""));
        all
    }

    #[test]
    fn what_is_in_order_stays_so() {
        let typed = [preedit("는"), preedit(""), commit("는"), Event::Text(" ".into()), enter()];
        assert_eq!(sorted(&[&typed]), [preedit("는"), commit("는"), Event::Text(" ".into()), enter()]);
        let plain = [Event::Text("a".into()), enter()];
        assert_eq!(sorted(&[&plain]), plain);
    }

    #[test]
    fn a_key_that_overtakes_its_syllable_waits_for_it() {
        let frames: [&[Event]; 3] =
            [&[preedit("번")], &[preedit(""), commit(" ")], &[preedit(""), commit("번")]];
        assert_eq!(sorted(&frames), [preedit("번"), commit("번"), commit(" ")]);
        let frames: [&[Event]; 3] = [&[preedit("다")], &[preedit(""), enter()], &[commit("다")]];
        assert_eq!(sorted(&frames), [preedit("다"), commit("다"), enter()]);
        let frames: [&[Event]; 2] =
            [&[preedit("요")], &[preedit(""), commit("\r"), preedit(""), commit("요")]];
        assert_eq!(sorted(&frames), [preedit("요"), commit("요"), enter()]);
    }

    #[test]
    fn what_is_typed_behind_enter_is_for_the_next_frame() {
        let mut compose = Compose::default();
        let mut events = vec![preedit("쯤"), preedit(""), commit("쯤"), enter(), preedit("ㅇ")];
        compose.sort(BootMs(0), &mut events, |event| *event == enter());
        assert_eq!(events, [preedit("쯤"), preedit(""), commit("쯤"), enter()]);
        assert!(!compose.is_composing());
        assert_eq!(compose.deadline(BootMs(0)), Some(BootMs(0)));
        let mut events = vec![preedit("우")];
        compose.sort(BootMs(16), &mut events, |event| *event == enter());
        assert_eq!(events, [preedit("ㅇ"), preedit("우")]);
        let mut events =
            vec![Event::Text("a".into()), enter(), Event::Text("b".into()), enter(), Event::Copy];
        let mut compose = Compose::default();
        compose.sort(BootMs(0), &mut events, |event| *event == enter());
        assert_eq!(events, [Event::Text("a".into()), enter(), Event::Copy]);
    }

    #[test]
    fn what_was_deleted_is_not_waited_for_long() {
        let mut frames: Vec<&[Event]> = vec![&[]; 30];
        let (begun, after) = ([preedit("ㅎ")], [preedit(""), enter()]);
        frames[0] = &begun;
        frames[1] = &after;
        assert_eq!(sorted(&frames), [preedit("ㅎ"), enter()]);
        let again = [preedit("ㅎ"), preedit(""), Event::Text("1".into()), preedit("나")];
        assert_eq!(sorted(&[&again]), [preedit("ㅎ"), Event::Text("1".into()), preedit("나")]);
    }
}
