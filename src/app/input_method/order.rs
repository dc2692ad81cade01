//! [`Order`]: keys, clicks and what the input method says, each exactly once and in the order in which they were made.
//! Without I/O and without a clock: events go in, [`Out`]s come out.
//!
//! A key is shown to the input method first; until it has answered, what came after the key waits. A click ends the
//! composition: its text is committed, and the input method forgets it.
//!
//! What acts (a click, Enter, Tab, Escape) is never in one frame with what is typed before or behind it: a field that sends
//! on Enter sends what was in it a frame ago, and what is typed behind Tab is for the next field.

use std::collections::VecDeque;

use super::keys::Press;
use crate::model::time::BootMs;

/// The longest that an input method may take over one key, in milliseconds. After that the key acts without it.
const MAX_ANSWER_MS: u64 = 1_000;
/// The longest that a click waits for the text that was being composed, in milliseconds.
const MAX_END_MS: u64 = 200;
/// Keys typed before a click may arrive after it, by another connection: the click waits until no key event has come for
/// this long, in milliseconds.
const QUIET_MS: u64 = 40;
/// Maximum number of events that wait for an input method; beyond it, it counts as hanging.
const MAX_WAITING: usize = 1_024;
/// Maximum number of keys that the input method took and may still hand back.
const MAX_TAKEN: usize = 16;

/// Through which way the window hears of the input method.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The window system: XIM on X11, text-input on Wayland.
    Window,
    /// The input method itself, over D-Bus.
    Bus,
}

/// An event of the window; `T` is what the window gets in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item<T> {
    /// A key that an input method may want.
    Key(Press, T),
    /// A click or the like: it may send, close or move what is being composed.
    Act(T),
    /// A key that the input method does not want.
    Free(Press, T),
    /// The window got the keyboard, or lost it.
    Focus(bool, T),
    /// What the window system says of the composition.
    Composed(Composed),
    /// Anything else that has a place in the order.
    Other(T),
}

/// What is said of a composition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Composed {
    /// What is being composed now, and the cursor in it, in bytes.
    Preedit(String, Option<usize>),
    /// What was composed.
    Commit(String),
    /// The window system ended it.
    Ended,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Out<T> {
    /// Give the event to the window.
    Pass(T),
    /// Show a composition in the focused field, with the cursor at a byte.
    Preedit(String, Option<usize>),
    /// Put a text into the focused field.
    Commit(String),
    /// Ask the input method for this key. It is to answer with the number.
    Ask(u64, Press),
    /// Have the input method forget its composition.
    Reset,
    /// Have the input method commit what it may be composing without telling. It says when it has.
    Flush,
    /// Have the window system end the composition.
    Interrupt,
    /// Tell the input method whether a field of ours is being typed into.
    Focus(bool),
}

/// What the events wait for.
#[derive(Debug)]
enum Hold<T> {
    /// For the answer for a key; whether the input method handed it back meanwhile.
    Answer { ticket: u64, press: Press, event: T, handed_back: bool, until: BootMs },
    /// For what the keys before have made, as long as that comes.
    Quiet { since: BootMs, until: BootMs },
    /// For what is being composed to be committed.
    End { until: BootMs },
    /// For the window to draw what was committed.
    Frame { until: BootMs },
}

/// The order of what is typed and clicked.
#[derive(Debug)]
pub(super) struct Order<T> {
    route: Route,
    /// The text field that has the focus within the window.
    field: Option<u64>,
    /// The window has the keyboard.
    window: bool,
    /// Something was typed that no frame has shown so far.
    typed: bool,
    /// Something acted that no frame has shown so far.
    acted: bool,
    hold: Option<Hold<T>>,
    waiting: VecDeque<Item<T>>,
    tickets: u64,
    /// The input method did not answer in time for this one: it is not asked until it has.
    stalled: Option<u64>,
    /// What the field shows as being composed.
    shown: String,
    /// The input method shows nothing any more, and may not have said yet what became of it.
    vanished: bool,
    /// The input method took letters and did not say what it makes of them: it shows the composition itself.
    hidden: bool,
    /// What was committed in the input method's place; the same again from it is late.
    committed: Option<String>,
    taken: VecDeque<(Press, T)>,
}

impl<T> Default for Order<T> {
    fn default() -> Order<T> {
        Order {
            route: Route::Window,
            field: None,
            window: false,
            typed: false,
            acted: false,
            hold: None,
            waiting: VecDeque::new(),
            tickets: 0,
            stalled: None,
            shown: String::new(),
            vanished: false,
            hidden: false,
            committed: None,
            taken: VecDeque::new(),
        }
    }
}

impl<T: Clone> Order<T> {
    /// Takes an event of the window.
    pub(super) fn event(&mut self, now: BootMs, item: Item<T>, out: &mut Vec<Out<T>>) {
        match (item, &self.hold) {
            // It is what the click waits for.
            (Item::Composed(composed), Some(Hold::End { .. })) => self.composed(composed, out),
            (Item::Composed(composed), Some(Hold::Quiet { until, .. })) => {
                self.hold = Some(Hold::Quiet { since: now, until: *until });
                self.composed(composed, out);
            }
            (item, _) => self.waiting.push_back(item),
        }
        if self.waiting.len() > MAX_WAITING {
            self.give_up(out);
        }
        self.go_on(now, out);
    }

    /// Whether the focused field shows something as being composed.
    pub(super) fn is_composing(&self) -> bool {
        !self.shown.is_empty()
    }

    /// Whether the input method has not answered in time and keys go past it.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.is_some()
    }

    /// When [`Order::tick`] has something to do at the latest.
    pub(super) fn deadline(&self) -> Option<BootMs> {
        self.hold.as_ref().map(|hold| match hold {
            Hold::Answer { until, .. } | Hold::End { until } | Hold::Frame { until } => *until,
            Hold::Quiet { since, until } => since.saturating_add(QUIET_MS).min(*until),
        })
    }

    /// Lets go of what has waited for too long.
    pub(super) fn tick(&mut self, now: BootMs, out: &mut Vec<Out<T>>) {
        if self.deadline().is_some_and(|until| now >= until) {
            if matches!(self.hold, Some(Hold::Quiet { .. })) && !self.shown.is_empty() {
                self.hold = Some(Hold::End { until: now.saturating_add(MAX_END_MS) });
                out.push(Out::Interrupt);
                return;
            }
            self.give_up(out);
            self.go_on(now, out);
        }
    }

    /// The window has drawn a frame with all that was passed to it. `moves`: the focus goes to another field with the
    /// next one, and what is typed is for that.
    pub(super) fn drawn(&mut self, now: BootMs, moves: bool, out: &mut Vec<Out<T>>) {
        (self.typed, self.acted) = (false, moves);
        if moves {
            return;
        }
        if self.hold.take_if(|hold| matches!(hold, Hold::Frame { .. })).is_some() {
            self.go_on(now, out);
        }
    }

    /// Which field has the focus after a frame. `interrupted`: the field wants no more of the composition.
    pub(super) fn field(&mut self, field: Option<u64>, interrupted: bool, out: &mut Vec<Out<T>>) {
        if field == self.field {
            if interrupted && self.keep_shown(out) {
                self.reset(out);
            }
            return;
        }
        if !self.shown.is_empty() {
            // It stays as text in the field that it was composed in.
            self.committed = Some(std::mem::take(&mut self.shown));
            self.hold.take_if(|hold| matches!(hold, Hold::End { .. } | Hold::Quiet { .. }));
            if self.route == Route::Bus && field.is_some() {
                out.push(Out::Reset);
            }
        }
        let had_one = self.field.is_some();
        self.field = field;
        if had_one != field.is_some() {
            self.tell_focus(out);
        }
    }

    /// The input method can be asked from now on.
    pub(super) fn connected(&mut self, out: &mut Vec<Out<T>>) {
        if self.route == Route::Window {
            self.keep_shown(out);
            self.hidden = false;
            self.route = Route::Bus;
            self.tell_focus(out);
        }
    }

    /// The input method is gone.
    pub(super) fn disconnected(&mut self, now: BootMs, out: &mut Vec<Out<T>>) {
        if self.route == Route::Bus {
            self.give_up(out);
            self.keep_shown(out);
            self.route = Route::Window;
            self.stalled = None;
            self.go_on(now, out);
        }
    }

    /// The input method's answer for a key: whether it took it.
    pub(super) fn answer(&mut self, now: BootMs, ticket: u64, handled: bool, out: &mut Vec<Out<T>>) {
        if self.stalled == Some(ticket) {
            self.stalled = None;
            // The key acted without it: what it made of it would be there twice.
            out.push(Out::Reset);
        }
        let asked =
            self.hold.take_if(|hold| matches!(hold, Hold::Answer { ticket: asked, .. } if *asked == ticket));
        let Some(Hold::Answer { press, event, handed_back, .. }) = asked else { return };
        if std::mem::take(&mut self.vanished) {
            // Backspace deletes what is composed; a letter does not, nor does a key that the input method did not take.
            if handled && !handed_back && !press.writes() {
                self.composed(Composed::Preedit(String::new(), None), out);
            } else {
                self.keep_shown(out);
            }
        }
        if !(press.released || handled && press.is_modifier()) {
            let writes = handled && !handed_back && press.writes();
            self.hidden = self.shown.is_empty() && (writes || handled && self.hidden);
        }
        if !handled || handed_back {
            self.waiting.push_front(Item::Free(press, event));
        } else {
            self.taken.push_back((press, event));
            if self.taken.len() > MAX_TAKEN {
                self.taken.pop_front();
            }
        }
        self.go_on(now, out);
    }

    /// The input method hands back a key that it took.
    pub(super) fn handed_back(&mut self, now: BootMs, press: Press, out: &mut Vec<Out<T>>) {
        if let Some(Hold::Answer { press: asked, handed_back, .. }) = &mut self.hold
            && asked.is_key(&press)
        {
            *handed_back = true;
        } else if let Some(index) = self.taken.iter().rposition(|(taken, _)| taken.is_key(&press)) {
            let taken = self.taken.remove(index);
            self.waiting.extend(taken.map(|(press, event)| Item::Free(press, event)));
            self.waiting.rotate_right(1);
            self.go_on(now, out);
        } else if let Some(letter) = press.letter().filter(|_| !press.released && self.field.is_some()) {
            self.commit(letter.to_string(), out);
        }
    }

    /// What the input method says over the bus.
    pub(super) fn said(&mut self, composed: Composed, out: &mut Vec<Out<T>>) {
        if self.route != Route::Bus || self.stalled.is_some() || self.field.is_none() {
            return;
        }
        let asked = matches!(self.hold, Some(Hold::Answer { .. }));
        match composed {
            Composed::Preedit(text, _) if text.is_empty() && asked => self.vanished = !self.shown.is_empty(),
            // No key did that: it lost the focus to another window, which we hear of later.
            Composed::Preedit(text, _) if text.is_empty() => {
                self.keep_shown(out);
            }
            composed => {
                self.vanished = false;
                self.composed(composed, out);
            }
        }
    }

    /// The input method was activated again in our field, and no longer knows what it composed before.
    pub(super) fn activated(&mut self, out: &mut Vec<Out<T>>) {
        if self.route == Route::Bus && self.stalled.is_none() {
            self.keep_shown(out);
        }
    }

    /// The input method has committed what it had.
    pub(super) fn flushed(&mut self, now: BootMs, out: &mut Vec<Out<T>>) {
        self.hidden = false;
        if self.hold.take_if(|hold| matches!(hold, Hold::End { .. })).is_some() {
            self.go_on(now, out);
        }
    }

    fn is_active(&self) -> bool {
        self.field.is_some() && self.window
    }

    fn tell_focus(&self, out: &mut Vec<Out<T>>) {
        out.push(Out::Focus(self.is_active()));
    }

    /// Passes on what waits, up to the next thing to be waited for.
    fn go_on(&mut self, now: BootMs, out: &mut Vec<Out<T>>) {
        while self.hold.is_none() {
            let Some(item) = self.waiting.pop_front() else { return };
            match item {
                Item::Key(press, event) => self.key(now, press, event, out),
                Item::Free(press, event) => self.free(now, press, event, out),
                Item::Act(event) => self.act(now, event, out),
                Item::Focus(false, event) if self.hidden => self.flush(now, Item::Focus(false, event), out),
                Item::Focus(has, event) => {
                    if !has {
                        self.keep_shown(out);
                    }
                    self.window = has;
                    self.tell_focus(out);
                    out.push(Out::Pass(event));
                }
                Item::Composed(composed) => {
                    if self.route == Route::Window {
                        self.composed(composed, out);
                    }
                }
                Item::Other(event) => out.push(Out::Pass(event)),
            }
        }
    }

    fn key(&mut self, now: BootMs, press: Press, event: T, out: &mut Vec<Out<T>>) {
        let presses = !press.released && !press.is_modifier();
        if presses && self.acted {
            return self.wait_for_frame(now, Item::Key(press, event));
        }
        if presses {
            self.committed = None;
        }
        if self.route == Route::Window || !self.is_active() || self.stalled.is_some() {
            return self.free(now, press, event, out);
        }
        self.tickets += 1;
        let (ticket, until) = (self.tickets, now.saturating_add(MAX_ANSWER_MS));
        self.hold = Some(Hold::Answer { ticket, press, event, handed_back: false, until });
        out.push(Out::Ask(ticket, press));
    }

    fn free(&mut self, now: BootMs, press: Press, event: T, out: &mut Vec<Out<T>>) {
        let presses = !press.released && !press.is_modifier();
        if presses && (self.acted || self.typed && press.acts()) {
            return self.wait_for_frame(now, Item::Free(press, event));
        }
        self.acted |= presses && press.acts();
        self.typed |= presses && !press.acts();
        out.push(Out::Pass(event));
    }

    /// The item comes again once a frame was drawn.
    fn wait_for_frame(&mut self, now: BootMs, item: Item<T>) {
        self.waiting.push_front(item);
        self.hold = Some(Hold::Frame { until: now.saturating_add(MAX_END_MS) });
    }

    fn commit(&mut self, text: String, out: &mut Vec<Out<T>>) {
        self.typed = true;
        out.push(Out::Commit(text));
    }

    fn act(&mut self, now: BootMs, event: T, out: &mut Vec<Out<T>>) {
        if self.hidden {
            self.flush(now, Item::Act(event), out);
            return;
        }
        if !self.shown.is_empty() && self.route == Route::Window {
            self.waiting.push_front(Item::Act(event));
            self.hold = Some(Hold::Quiet { since: now, until: now.saturating_add(MAX_END_MS) });
            return;
        }
        if self.keep_shown(out) {
            self.reset(out);
        }
        if self.typed {
            return self.wait_for_frame(now, Item::Act(event));
        }
        self.acted = true;
        out.push(Out::Pass(event));
    }

    /// Has what is composed out of sight committed before the item acts.
    fn flush(&mut self, now: BootMs, item: Item<T>, out: &mut Vec<Out<T>>) {
        self.hidden = false;
        self.waiting.push_front(item);
        // It answers: what it commits later than the click acts would be in another room.
        self.hold = Some(Hold::End { until: now.saturating_add(MAX_ANSWER_MS) });
        out.push(Out::Flush);
    }

    fn composed(&mut self, composed: Composed, out: &mut Vec<Out<T>>) {
        match composed {
            Composed::Preedit(text, cursor) => {
                let ending = matches!(self.hold, Some(Hold::End { .. }));
                if ending && text.is_empty() {
                    // Its text follows, or else what was shown last is kept.
                    return;
                }
                if !text.is_empty() {
                    self.committed = None;
                }
                self.shown.clone_from(&text);
                self.typed = true;
                out.push(Out::Preedit(text, cursor));
            }
            Composed::Commit(text) => {
                if self.committed.take().is_some_and(|committed| committed == text) {
                    return;
                }
                self.shown.clear();
                self.commit(text, out);
                if let Some(Hold::End { until }) = self.hold {
                    self.hold = Some(Hold::Frame { until });
                }
            }
            Composed::Ended => {
                if self.hold.is_none() {
                    self.keep_shown(out);
                }
            }
        }
    }

    fn reset(&self, out: &mut Vec<Out<T>>) {
        if self.route == Route::Bus {
            out.push(Out::Reset);
        }
    }

    /// Commits what is shown as being composed, in the input method's place. Returns whether there was anything.
    fn keep_shown(&mut self, out: &mut Vec<Out<T>>) -> bool {
        if self.shown.is_empty() {
            return false;
        }
        self.vanished = false;
        let text = std::mem::take(&mut self.shown);
        self.committed = Some(text.clone());
        self.commit(text, out);
        true
    }

    fn give_up(&mut self, out: &mut Vec<Out<T>>) {
        match self.hold.take() {
            Some(Hold::Answer { ticket, press, event, .. }) => {
                self.stalled = Some(ticket);
                self.keep_shown(out);
                self.waiting.push_front(Item::Free(press, event));
            }
            Some(Hold::End { .. } | Hold::Quiet { .. }) => {
                self.keep_shown(out);
            }
            // Nothing is drawn: what waits need not wait for it.
            Some(Hold::Frame { .. }) => (self.typed, self.acted) = (false, false),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outs = Vec<Out<&'static str>>;

    fn press(letter: char) -> Press {
        Press { keyval: letter as u32, code: 0, state: 0, released: false }
    }

    fn preedit(text: &str) -> Composed {
        Composed::Preedit(text.to_owned(), Some(text.len()))
    }

    fn commit(text: &str) -> Composed {
        Composed::Commit(text.to_owned())
    }

    /// A focused field, with the input method on the bus or not.
    fn order(route: Route) -> Order<&'static str> {
        let mut order = Order::default();
        let mut out = Vec::new();
        order.event(0, Item::Focus(true, "focus"), &mut out);
        order.field(Some(1), true, &mut out);
        if route == Route::Bus {
            order.connected(&mut out);
            assert_eq!(out.pop(), Some(Out::Focus(true)));
        }
        order
    }

    /// What comes of it.
    fn after(
        order: &mut Order<&'static str>,
        with: impl FnOnce(&mut Order<&'static str>, &mut Outs),
    ) -> Outs {
        let mut out = Vec::new();
        with(order, &mut out);
        out
    }

    /// What the field holds of what came out, with the composition that it shows; `Pass` is what a key writes.
    fn field(outs: &Outs) -> String {
        let (mut text, mut shown) = (String::new(), "");
        for out in outs {
            match out {
                Out::Preedit(preedit, _) => shown = preedit,
                Out::Commit(commit) => {
                    text.push_str(commit);
                    shown = "";
                }
                Out::Pass(event) => text.push_str(event),
                _ => {}
            }
        }
        text + shown
    }

    #[test]
    fn a_key_waits_for_its_answer_and_what_comes_behind_waits_for_the_key() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.event(0, Item::Key(press('r'), "r"), out);
            order.event(1, Item::Key(press('k'), "k"), out);
            order.event(2, Item::Other("motion"), out);
        });
        assert_eq!(out, [Out::Ask(1, press('r'))]);
        let out = after(&mut order, |order, out| {
            order.said(preedit("ㄱ"), out);
            order.answer(3, 1, true, out);
            order.answer(4, 2, false, out);
        });
        let wanted = [
            Out::Preedit("ㄱ".into(), Some(3)),
            Out::Ask(2, press('k')),
            Out::Pass("k"),
            Out::Pass("motion"),
        ];
        assert_eq!(out, wanted);
    }

    #[test]
    fn a_click_acts_once_the_composition_is_text_and_drawn() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.event(5, Item::Act("press"), out);
            order.event(6, Item::Other("release"), out);
        });
        let wanted = [Out::Preedit("요".into(), Some(3)), Out::Commit("요".into()), Out::Reset];
        assert_eq!(out, wanted);
        // What the input method says late is what we said already.
        let out = after(&mut order, |order, out| order.said(commit("요"), out));
        assert_eq!(out, []);
        let out = after(&mut order, |order, out| order.drawn(20, false, out));
        assert_eq!(out, [Out::Pass("press"), Out::Pass("release")]);
        // The same syllable typed again is another one.
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.said(commit("요"), out);
        });
        assert_eq!(out[1], Out::Commit("요".into()));
    }

    #[test]
    fn what_is_composed_out_of_sight_is_committed_before_the_click() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.event(0, Item::Key(press('y'), "y"), out);
            order.answer(1, 1, true, out);
            order.event(2, Item::Act("|"), out);
            assert_eq!(out.last(), Some(&Out::Flush));
            order.said(commit("요"), out);
            order.flushed(3, out);
            order.drawn(4, false, out);
        });
        assert_eq!(field(&out), "요|");
        // A key that writes nothing leaves nothing to be committed.
        let out = after(&mut order, |order, out| {
            order.drawn(5, false, out);
            order.event(5, Item::Key(Press { keyval: 0xff31, ..press('h') }, "hangul"), out);
            order.answer(6, 2, true, out);
            order.event(7, Item::Act("|"), out);
        });
        assert_eq!(out.last(), Some(&Out::Pass("|")));
    }

    #[test]
    fn a_composition_that_the_input_method_drops_by_itself_is_kept() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            // Another window has the focus already, and ours does not know it yet.
            order.said(preedit(""), out);
            order.said(commit("요"), out);
            order.event(1, Item::Focus(false, ""), out);
        });
        assert_eq!(field(&out), "요");
        assert!(!out.contains(&Out::Reset), "it would take the focus back");
    }

    #[test]
    fn a_composition_that_was_dropped_before_the_key_was_looked_at_is_kept() {
        for knows in [true, false] {
            let mut order = order(Route::Bus);
            let out = after(&mut order, |order, out| {
                order.said(preedit("댈"), out);
                order.event(0, Item::Key(press('h'), "h"), out);
                // It lost the focus while the key was on its way, and gets it again with the key.
                order.said(preedit(""), out);
                if knows {
                    order.activated(out);
                    order.said(preedit("ㅗ"), out);
                }
                order.answer(1, 1, knows, out);
            });
            assert_eq!(field(&out), if knows { "댈ㅗ" } else { "댈h" });
        }
    }

    #[test]
    fn a_composition_that_a_key_turns_into_text_is_there_once() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("댈"), out);
            order.event(0, Item::Key(press('h'), "h"), out);
            order.said(preedit(""), out);
            order.said(commit("대"), out);
            order.said(preedit("로"), out);
            order.answer(1, 1, true, out);
        });
        assert_eq!(field(&out), "대로");
    }

    #[test]
    fn a_composition_that_a_key_deletes_is_gone() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("ㅇ"), out);
            order.event(0, Item::Key(Press { keyval: 0xff08, ..press('b') }, "backspace"), out);
            order.said(preedit(""), out);
            order.answer(1, 1, true, out);
            order.event(2, Item::Focus(false, ""), out);
        });
        assert_eq!(field(&out), "");
    }

    #[test]
    fn a_window_that_is_not_drawn_holds_a_click_for_a_moment_only() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.event(5, Item::Act("press"), out);
            order.tick(5 + MAX_END_MS - 1, out);
        });
        assert!(!out.contains(&Out::Pass("press")));
        assert_eq!(order.deadline(), Some(5 + MAX_END_MS));
        let out = after(&mut order, |order, out| order.tick(5 + MAX_END_MS, out));
        assert_eq!(out, [Out::Pass("press")]);
    }

    #[test]
    fn a_click_waits_for_the_key_before_it() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("ㅇ"), out);
            order.event(0, Item::Key(press('y'), "y"), out);
            order.event(0, Item::Act("press"), out);
            order.said(preedit("요"), out);
            order.answer(1, 1, true, out);
            order.drawn(2, false, out);
        });
        assert_eq!(out.last(), Some(&Out::Pass("press")));
        assert_eq!(field(&out), "요press");
    }

    #[test]
    fn another_window_taking_the_focus_leaves_the_composition_as_text() {
        for route in [Route::Bus, Route::Window] {
            let mut order = order(route);
            let out = after(&mut order, |order, out| {
                match route {
                    Route::Bus => order.said(preedit("요"), out),
                    Route::Window => order.event(0, Item::Composed(preedit("요")), out),
                }
                order.event(1, Item::Focus(false, ""), out);
                order.event(2, Item::Composed(Composed::Ended), out);
                order.event(3, Item::Focus(true, ""), out);
                order.event(3, Item::Composed(commit("요")), out);
                order.said(commit("요"), out);
            });
            assert_eq!(field(&out), "요", "{route:?}");
        }
    }

    #[test]
    fn the_window_system_commits_before_the_click_or_we_do() {
        for in_time in [true, false] {
            let mut order = order(Route::Window);
            let out = after(&mut order, |order, out| {
                order.event(0, Item::Composed(preedit("요")), out);
                order.event(1, Item::Act("|"), out);
                // The key before the click had not been looked at yet.
                order.event(30, Item::Composed(preedit("욕")), out);
                order.tick(1 + QUIET_MS, out);
                assert_ne!(out.last(), Some(&Out::Interrupt));
                order.tick(30 + QUIET_MS, out);
                assert_eq!(out.last(), Some(&Out::Interrupt));
                order.event(80, Item::Composed(preedit("")), out);
                if in_time {
                    order.event(81, Item::Composed(commit("욕")), out);
                }
                order.tick(30 + QUIET_MS + MAX_END_MS, out);
                order.drawn(300, false, out);
                if !in_time {
                    order.event(900, Item::Composed(commit("욕")), out);
                }
            });
            assert_eq!(field(&out), "욕|", "in time: {in_time}");
        }
    }

    #[test]
    fn a_focus_that_moves_leaves_the_composition_where_it_is() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.field(Some(2), true, out);
            order.said(commit("요"), out);
        });
        assert_eq!(out, [Out::Preedit("요".into(), Some(3)), Out::Reset]);
    }

    #[test]
    fn a_field_that_is_focused_anew_keeps_what_is_composed_in_it() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.field(Some(1), true, out);
            order.field(Some(1), true, out);
        });
        assert_eq!(out, [Out::Preedit("요".into(), Some(3)), Out::Commit("요".into()), Out::Reset]);
    }

    #[test]
    fn a_key_that_is_handed_back_acts_once() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.event(0, Item::Key(press('1'), "1"), out);
            order.said(commit("요"), out);
            order.handed_back(0, press('1'), out);
            order.answer(1, 1, true, out);
            order.event(2, Item::Key(press('2'), "2"), out);
            order.answer(3, 2, true, out);
            order.handed_back(4, press('2'), out);
        });
        assert_eq!(field(&out), "요12");
    }

    #[test]
    fn what_acts_has_a_frame_of_its_own() {
        for route in [Route::Window, Route::Bus] {
            let mut order = order(route);
            let enter = Press { keyval: 0xff0d, ..press('r') };
            let typed = after(&mut order, |order, out| {
                order.event(0, Item::Key(press('a'), "a"), out);
                order.event(0, Item::Key(enter, "enter"), out);
                order.event(0, Item::Key(press('b'), "b"), out);
                order.event(0, Item::Act("click"), out);
                order.answer(1, 1, false, out);
                order.answer(2, 2, false, out);
            });
            assert_eq!(field(&typed), "a", "{route:?}");
            let frames = [("enter", 3), ("b", 4), ("click", 5)].map(|(_, now)| {
                after(&mut order, |order, out| {
                    order.drawn(now, false, out);
                    order.answer(now, 3, false, out);
                })
            });
            assert_eq!(frames.map(|out| field(&out)), ["enter", "b", "click"], "{route:?}");
        }
    }

    #[test]
    fn what_is_typed_while_the_focus_moves_is_for_the_next_field() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.field(None, false, out);
            order.drawn(0, true, out);
            order.event(1, Item::Key(press('d'), "d"), out);
        });
        assert_eq!(out, [Out::Focus(false)]);
        let out = after(&mut order, |order, out| {
            order.field(Some(2), false, out);
            order.drawn(2, false, out);
        });
        assert_eq!(out, [Out::Focus(true), Out::Ask(1, press('d'))]);
    }

    #[test]
    fn an_input_method_that_hangs_costs_nothing_typed() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.event(0, Item::Key(press('a'), "a"), out);
            order.event(1, Item::Key(press('b'), "b"), out);
            order.tick(MAX_ANSWER_MS, out);
            order.event(1_100, Item::Key(press('c'), "c"), out);
            // It comes to itself: what it makes of those keys is not wanted any more.
            order.said(preedit("ㅁ"), out);
            order.answer(1_200, 1, true, out);
        });
        assert_eq!(field(&out), "요abc");
        assert_eq!(out.last(), Some(&Out::Reset));
        let out = after(&mut order, |order, out| order.event(1_300, Item::Key(press('d'), "d"), out));
        assert_eq!(out, [Out::Ask(2, press('d'))]);
    }

    #[test]
    fn an_input_method_that_dies_costs_nothing_typed() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.event(0, Item::Key(press('a'), "a"), out);
            order.event(0, Item::Key(press('b'), "b"), out);
            order.disconnected(1, out);
        });
        assert_eq!(field(&out), "요ab");
    }

    #[test]
    fn events_that_wait_are_bounded() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.event(0, Item::Key(press('a'), "a"), out);
            for _ in 0..=MAX_WAITING {
                order.event(0, Item::Other("m"), out);
            }
        });
        assert_eq!(out.len(), MAX_WAITING + 3);
        assert_eq!(out[1], Out::Pass("a"));
    }

    #[test]
    fn without_a_field_keys_are_nobody_elses() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.field(None, false, out);
            order.event(0, Item::Key(press('j'), "j"), out);
        });
        assert_eq!(out, [Out::Focus(false), Out::Pass("j")]);
    }
}
