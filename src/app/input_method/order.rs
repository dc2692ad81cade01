//! [`Order`]: delivers keys, clicks and input method events exactly once, in the order in which they were made.
//! Without I/O and without a clock: events go in, [`Out`]s come out.
//!
//! A key is sent to the input method first; later events wait for its answer. A click ends the composition: its text
//! is committed, and the input method is reset.
//!
//! Events with an effect (a click, Enter, Tab, Escape) are never in the same frame as typed text before or after
//! them: a field that sends on Enter sends the content of the previous frame, and text typed after Tab belongs to the
//! next field.

use std::collections::VecDeque;

use super::keys::Press;
use crate::model::time::BootMs;

/// Maximum time an input method may take to answer one key, in milliseconds. After that, the key takes effect without
/// it.
const MAX_ANSWER_MS: u64 = 1_000;
/// Maximum time a click waits for the composed text, in milliseconds.
const MAX_END_MS: u64 = 200;
/// Keys typed before a click may arrive after it, over another connection: the click waits until no key event has
/// arrived for this long, in milliseconds.
const QUIET_MS: u64 = 40;
/// Maximum number of events waiting for an input method; beyond it, the input method is considered hung.
const MAX_WAITING: usize = 1_024;
/// Maximum number of keys that the input method accepted and may still return.
const MAX_TAKEN: usize = 16;

/// How the window communicates with the input method.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// By the window system: XIM on X11, text-input on Wayland.
    Window,
    /// Directly over D-Bus.
    Bus,
}

/// An event of the window; `T` is what the window finally receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item<T> {
    /// A key that the input method may use.
    Key(Press, T),
    /// A click or similar, which may send, close or move the composition.
    Act(T),
    /// A key that the input method does not use.
    Free(Press, T),
    /// The window gained or lost the keyboard focus.
    Focus(bool, T),
    /// A composition event of the window system.
    Composed(Composed),
    /// Any other event whose order matters.
    Other(T),
}

/// A composition event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Composed {
    /// The text being composed and the cursor in it, in bytes.
    Preedit(String, Option<usize>),
    /// The final text.
    Commit(String),
    /// The window system ended the composition.
    Ended,
}

/// What the caller must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Out<T> {
    /// Deliver the event to the window.
    Pass(T),
    /// Show a composition in the focused field, with the cursor at a byte offset.
    Preedit(String, Option<usize>),
    /// Insert text into the focused field.
    Commit(String),
    /// Send this key to the input method, which answers with the number.
    Ask(u64, Press),
    /// Discard the input method's composition.
    Reset,
    /// Have the input method commit a composition that it displays itself. It reports when that is done.
    Flush,
    /// Have the window system end the composition.
    Interrupt,
    /// Tell the input method whether a text field has the focus.
    Focus(bool),
}

/// What the queue is waiting for.
#[derive(Debug)]
enum Hold<T> {
    /// The answer for a key; whether the input method has returned it meanwhile.
    Answer { ticket: u64, press: Press, event: T, handed_back: bool, until: BootMs },
    /// The text of earlier keys, as long as it keeps arriving.
    Quiet { since: BootMs, until: BootMs },
    /// The composition to be committed.
    End { until: BootMs },
    /// A frame that shows the committed text.
    Frame { until: BootMs },
}

/// The ordered queue of typed and clicked events.
#[derive(Debug)]
pub(super) struct Order<T> {
    route: Route,
    /// The focused text field of the window.
    field: Option<u64>,
    /// Whether the window has the keyboard focus.
    window: bool,
    /// Text was typed that has not been drawn yet.
    typed: bool,
    /// An event took effect that has not been drawn yet.
    acted: bool,
    hold: Option<Hold<T>>,
    waiting: VecDeque<Item<T>>,
    tickets: u64,
    /// The key for which the input method missed its deadline: it is not asked again until it has answered.
    stalled: Option<u64>,
    /// The composition shown in the field.
    shown: String,
    /// The composition disappeared, and the input method may not have reported its outcome yet.
    vanished: bool,
    /// The input method accepted letters without reporting a composition: it displays the composition itself.
    hidden: bool,
    /// Text committed in the input method's place; the same text from it is then a late duplicate.
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
    /// Handles an event of the window.
    pub(super) fn event(&mut self, now: BootMs, item: Item<T>, out: &mut Vec<Out<T>>) {
        match (item, &self.hold) {
            // The click is waiting for this.
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

    /// Whether the focused field shows a composition.
    pub(super) fn is_composing(&self) -> bool {
        !self.shown.is_empty()
    }

    /// Whether the input method missed its deadline, so that keys bypass it.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.is_some()
    }

    /// The latest time at which [`Order::tick`] must run.
    pub(super) fn deadline(&self) -> Option<BootMs> {
        self.hold.as_ref().map(|hold| match hold {
            Hold::Answer { until, .. } | Hold::End { until } | Hold::Frame { until } => *until,
            Hold::Quiet { since, until } => since.saturating_add(QUIET_MS).min(*until),
        })
    }

    /// Releases events that have waited too long.
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

    /// A frame was drawn with everything delivered so far. `moves`: the focus moves to another field in the next
    /// frame, and typed text belongs to that one.
    pub(super) fn drawn(&mut self, now: BootMs, moves: bool, out: &mut Vec<Out<T>>) {
        (self.typed, self.acted) = (false, moves);
        if moves {
            return;
        }
        if self.hold.take_if(|hold| matches!(hold, Hold::Frame { .. })).is_some() {
            self.go_on(now, out);
        }
    }

    /// The focused field after a frame. `interrupted`: the field ends the composition.
    pub(super) fn field(&mut self, field: Option<u64>, interrupted: bool, out: &mut Vec<Out<T>>) {
        if field == self.field {
            if interrupted && self.keep_shown(out) {
                self.reset(out);
            }
            return;
        }
        if !self.shown.is_empty() {
            // The text stays in the field in which it was composed.
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

    /// The input method is available from now on.
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

    /// The input method's answer for a key: whether it used it.
    pub(super) fn answer(&mut self, now: BootMs, ticket: u64, handled: bool, out: &mut Vec<Out<T>>) {
        if self.stalled == Some(ticket) {
            self.stalled = None;
            // The key has already taken effect without it: using its result would duplicate the text.
            out.push(Out::Reset);
        }
        let asked =
            self.hold.take_if(|hold| matches!(hold, Hold::Answer { ticket: asked, .. } if *asked == ticket));
        let Some(Hold::Answer { press, event, handed_back, .. }) = asked else { return };
        if std::mem::take(&mut self.vanished) {
            // Backspace deletes the composition; letters and unused keys do not.
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

    /// The input method returns a key that it had accepted.
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

    /// A composition event over D-Bus.
    pub(super) fn said(&mut self, composed: Composed, out: &mut Vec<Out<T>>) {
        if self.route != Route::Bus || self.stalled.is_some() || self.field.is_none() {
            return;
        }
        let asked = matches!(self.hold, Some(Hold::Answer { .. }));
        match composed {
            Composed::Preedit(text, _) if text.is_empty() && asked => self.vanished = !self.shown.is_empty(),
            // Not caused by a key: it lost the focus to another window, which is reported later.
            Composed::Preedit(text, _) if text.is_empty() => {
                self.keep_shown(out);
            }
            composed => {
                self.vanished = false;
                self.composed(composed, out);
            }
        }
    }

    /// The input method was activated again in our field and has lost its earlier composition.
    pub(super) fn activated(&mut self, out: &mut Vec<Out<T>>) {
        if self.route == Route::Bus && self.stalled.is_none() {
            self.keep_shown(out);
        }
    }

    /// The input method has committed its composition.
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

    /// Delivers waiting events up to the next one that must wait.
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

    /// The item is processed again after the next frame.
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

    /// Has a composition that the input method displays committed before the item takes effect.
    fn flush(&mut self, now: BootMs, item: Item<T>, out: &mut Vec<Out<T>>) {
        self.hidden = false;
        self.waiting.push_front(item);
        // It responds: text committed after the click took effect would be in another room.
        self.hold = Some(Hold::End { until: now.saturating_add(MAX_ANSWER_MS) });
        out.push(Out::Flush);
    }

    fn composed(&mut self, composed: Composed, out: &mut Vec<Out<T>>) {
        match composed {
            Composed::Preedit(text, cursor) => {
                let ending = matches!(self.hold, Some(Hold::End { .. }));
                if ending && text.is_empty() {
                    // Its text follows, otherwise the last shown composition is kept.
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

    /// Commits the shown composition in the input method's place. Returns whether there was one.
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
            // Nothing is drawn, so waiting for a frame is pointless.
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

    /// A focused field, with the input method on D-Bus or not.
    fn order(route: Route) -> Order<&'static str> {
        let mut order = Order::default();
        let mut out = Vec::new();
        order.event(BootMs(0), Item::Focus(true, "focus"), &mut out);
        order.field(Some(1), true, &mut out);
        if route == Route::Bus {
            order.connected(&mut out);
            assert_eq!(out.pop(), Some(Out::Focus(true)));
        }
        order
    }

    /// The output of an action.
    fn after(
        order: &mut Order<&'static str>,
        with: impl FnOnce(&mut Order<&'static str>, &mut Outs),
    ) -> Outs {
        let mut out = Vec::new();
        with(order, &mut out);
        out
    }

    /// The field's content after these outputs, with the composition shown; `Pass` writes the key.
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
    fn a_key_waits_for_its_answer_and_later_events_wait_for_the_key() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.event(BootMs(0), Item::Key(press('r'), "r"), out);
            order.event(BootMs(1), Item::Key(press('k'), "k"), out);
            order.event(BootMs(2), Item::Other("motion"), out);
        });
        assert_eq!(out, [Out::Ask(1, press('r'))]);
        let out = after(&mut order, |order, out| {
            order.said(preedit("ㄱ"), out);
            order.answer(BootMs(3), 1, true, out);
            order.answer(BootMs(4), 2, false, out);
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
    fn a_click_takes_effect_after_the_composition_is_committed_and_drawn() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.event(BootMs(5), Item::Act("press"), out);
            order.event(BootMs(6), Item::Other("release"), out);
        });
        let wanted = [Out::Preedit("요".into(), Some(3)), Out::Commit("요".into()), Out::Reset];
        assert_eq!(out, wanted);
        // A late commit of the input method duplicates ours.
        let out = after(&mut order, |order, out| order.said(commit("요"), out));
        assert_eq!(out, []);
        let out = after(&mut order, |order, out| order.drawn(BootMs(20), false, out));
        assert_eq!(out, [Out::Pass("press"), Out::Pass("release")]);
        // The same syllable typed again is not a duplicate.
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.said(commit("요"), out);
        });
        assert_eq!(out[1], Out::Commit("요".into()));
    }

    #[test]
    fn a_hidden_composition_is_committed_before_the_click() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.event(BootMs(0), Item::Key(press('y'), "y"), out);
            order.answer(BootMs(1), 1, true, out);
            order.event(BootMs(2), Item::Act("|"), out);
            assert_eq!(out.last(), Some(&Out::Flush));
            order.said(commit("요"), out);
            order.flushed(BootMs(3), out);
            order.drawn(BootMs(4), false, out);
        });
        assert_eq!(field(&out), "요|");
        // A key that writes nothing leaves nothing to commit.
        let out = after(&mut order, |order, out| {
            order.drawn(BootMs(5), false, out);
            order.event(BootMs(5), Item::Key(Press { keyval: 0xff31, ..press('h') }, "hangul"), out);
            order.answer(BootMs(6), 2, true, out);
            order.event(BootMs(7), Item::Act("|"), out);
        });
        assert_eq!(out.last(), Some(&Out::Pass("|")));
    }

    #[test]
    fn a_composition_dropped_by_the_input_method_is_kept() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            // Another window has the focus, but ours has not been told yet.
            order.said(preedit(""), out);
            order.said(commit("요"), out);
            order.event(BootMs(1), Item::Focus(false, ""), out);
        });
        assert_eq!(field(&out), "요");
        assert!(!out.contains(&Out::Reset), "a reset would take the focus back");
    }

    #[test]
    fn a_composition_dropped_before_the_key_was_processed_is_kept() {
        for knows in [true, false] {
            let mut order = order(Route::Bus);
            let out = after(&mut order, |order, out| {
                order.said(preedit("댈"), out);
                order.event(BootMs(0), Item::Key(press('h'), "h"), out);
                // It lost the focus while the key was in transit, and regains it with the key.
                order.said(preedit(""), out);
                if knows {
                    order.activated(out);
                    order.said(preedit("ㅗ"), out);
                }
                order.answer(BootMs(1), 1, knows, out);
            });
            assert_eq!(field(&out), if knows { "댈ㅗ" } else { "댈h" });
        }
    }

    #[test]
    fn a_composition_committed_by_a_key_appears_once() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("댈"), out);
            order.event(BootMs(0), Item::Key(press('h'), "h"), out);
            order.said(preedit(""), out);
            order.said(commit("대"), out);
            order.said(preedit("로"), out);
            order.answer(BootMs(1), 1, true, out);
        });
        assert_eq!(field(&out), "대로");
    }

    #[test]
    fn a_composition_deleted_by_a_key_is_removed() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("ㅇ"), out);
            order.event(BootMs(0), Item::Key(Press { keyval: 0xff08, ..press('b') }, "backspace"), out);
            order.said(preedit(""), out);
            order.answer(BootMs(1), 1, true, out);
            order.event(BootMs(2), Item::Focus(false, ""), out);
        });
        assert_eq!(field(&out), "");
    }

    #[test]
    fn a_window_that_is_not_drawn_delays_a_click_only_briefly() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.event(BootMs(5), Item::Act("press"), out);
            order.tick(BootMs(5 + MAX_END_MS - 1), out);
        });
        assert!(!out.contains(&Out::Pass("press")));
        assert_eq!(order.deadline(), Some(BootMs(5 + MAX_END_MS)));
        let out = after(&mut order, |order, out| order.tick(BootMs(5 + MAX_END_MS), out));
        assert_eq!(out, [Out::Pass("press")]);
    }

    #[test]
    fn a_click_waits_for_the_key_before_it() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("ㅇ"), out);
            order.event(BootMs(0), Item::Key(press('y'), "y"), out);
            order.event(BootMs(0), Item::Act("press"), out);
            order.said(preedit("요"), out);
            order.answer(BootMs(1), 1, true, out);
            order.drawn(BootMs(2), false, out);
        });
        assert_eq!(out.last(), Some(&Out::Pass("press")));
        assert_eq!(field(&out), "요press");
    }

    #[test]
    fn losing_the_focus_commits_the_composition() {
        for route in [Route::Bus, Route::Window] {
            let mut order = order(route);
            let out = after(&mut order, |order, out| {
                match route {
                    Route::Bus => order.said(preedit("요"), out),
                    Route::Window => order.event(BootMs(0), Item::Composed(preedit("요")), out),
                }
                order.event(BootMs(1), Item::Focus(false, ""), out);
                order.event(BootMs(2), Item::Composed(Composed::Ended), out);
                order.event(BootMs(3), Item::Focus(true, ""), out);
                order.event(BootMs(3), Item::Composed(commit("요")), out);
                order.said(commit("요"), out);
            });
            assert_eq!(field(&out), "요", "{route:?}");
        }
    }

    #[test]
    fn the_composition_is_committed_before_the_click_by_either_side() {
        for in_time in [true, false] {
            let mut order = order(Route::Window);
            let out = after(&mut order, |order, out| {
                order.event(BootMs(0), Item::Composed(preedit("요")), out);
                order.event(BootMs(1), Item::Act("|"), out);
                // The key before the click had not been processed yet.
                order.event(BootMs(30), Item::Composed(preedit("욕")), out);
                order.tick(BootMs(1 + QUIET_MS), out);
                assert_ne!(out.last(), Some(&Out::Interrupt));
                order.tick(BootMs(30 + QUIET_MS), out);
                assert_eq!(out.last(), Some(&Out::Interrupt));
                order.event(BootMs(80), Item::Composed(preedit("")), out);
                if in_time {
                    order.event(BootMs(81), Item::Composed(commit("욕")), out);
                }
                order.tick(BootMs(30 + QUIET_MS + MAX_END_MS), out);
                order.drawn(BootMs(300), false, out);
                if !in_time {
                    order.event(BootMs(900), Item::Composed(commit("욕")), out);
                }
            });
            assert_eq!(field(&out), "욕|", "in time: {in_time}");
        }
    }

    #[test]
    fn moving_the_focus_leaves_the_composition_in_its_field() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.field(Some(2), true, out);
            order.said(commit("요"), out);
        });
        assert_eq!(out, [Out::Preedit("요".into(), Some(3)), Out::Reset]);
    }

    #[test]
    fn a_refocused_field_keeps_its_composition() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.field(Some(1), true, out);
            order.field(Some(1), true, out);
        });
        assert_eq!(out, [Out::Preedit("요".into(), Some(3)), Out::Commit("요".into()), Out::Reset]);
    }

    #[test]
    fn a_returned_key_takes_effect_once() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.event(BootMs(0), Item::Key(press('1'), "1"), out);
            order.said(commit("요"), out);
            order.handed_back(BootMs(0), press('1'), out);
            order.answer(BootMs(1), 1, true, out);
            order.event(BootMs(2), Item::Key(press('2'), "2"), out);
            order.answer(BootMs(3), 2, true, out);
            order.handed_back(BootMs(4), press('2'), out);
        });
        assert_eq!(field(&out), "요12");
    }

    #[test]
    fn events_with_an_effect_have_their_own_frame() {
        for route in [Route::Window, Route::Bus] {
            let mut order = order(route);
            let enter = Press { keyval: 0xff0d, ..press('r') };
            let typed = after(&mut order, |order, out| {
                order.event(BootMs(0), Item::Key(press('a'), "a"), out);
                order.event(BootMs(0), Item::Key(enter, "enter"), out);
                order.event(BootMs(0), Item::Key(press('b'), "b"), out);
                order.event(BootMs(0), Item::Act("click"), out);
                order.answer(BootMs(1), 1, false, out);
                order.answer(BootMs(2), 2, false, out);
            });
            assert_eq!(field(&typed), "a", "{route:?}");
            let frames = [("enter", 3), ("b", 4), ("click", 5)].map(|(_, now)| {
                after(&mut order, |order, out| {
                    order.drawn(BootMs(now), false, out);
                    order.answer(BootMs(now), 3, false, out);
                })
            });
            assert_eq!(frames.map(|out| field(&out)), ["enter", "b", "click"], "{route:?}");
        }
    }

    #[test]
    fn text_typed_while_the_focus_moves_goes_to_the_next_field() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.field(None, false, out);
            order.drawn(BootMs(0), true, out);
            order.event(BootMs(1), Item::Key(press('d'), "d"), out);
        });
        assert_eq!(out, [Out::Focus(false)]);
        let out = after(&mut order, |order, out| {
            order.field(Some(2), false, out);
            order.drawn(BootMs(2), false, out);
        });
        assert_eq!(out, [Out::Focus(true), Out::Ask(1, press('d'))]);
    }

    #[test]
    fn nothing_typed_is_lost_if_the_input_method_hangs() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.event(BootMs(0), Item::Key(press('a'), "a"), out);
            order.event(BootMs(1), Item::Key(press('b'), "b"), out);
            order.tick(BootMs(MAX_ANSWER_MS), out);
            order.event(BootMs(1_100), Item::Key(press('c'), "c"), out);
            // It recovers: its results for those keys are no longer wanted.
            order.said(preedit("ㅁ"), out);
            order.answer(BootMs(1_200), 1, true, out);
        });
        assert_eq!(field(&out), "요abc");
        assert_eq!(out.last(), Some(&Out::Reset));
        let out = after(&mut order, |order, out| order.event(BootMs(1_300), Item::Key(press('d'), "d"), out));
        assert_eq!(out, [Out::Ask(2, press('d'))]);
    }

    #[test]
    fn nothing_typed_is_lost_if_the_input_method_exits() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.said(preedit("요"), out);
            order.event(BootMs(0), Item::Key(press('a'), "a"), out);
            order.event(BootMs(0), Item::Key(press('b'), "b"), out);
            order.disconnected(BootMs(1), out);
        });
        assert_eq!(field(&out), "요ab");
    }

    #[test]
    fn waiting_events_are_bounded() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.event(BootMs(0), Item::Key(press('a'), "a"), out);
            for _ in 0..=MAX_WAITING {
                order.event(BootMs(0), Item::Other("m"), out);
            }
        });
        assert_eq!(out.len(), MAX_WAITING + 3);
        assert_eq!(out[1], Out::Pass("a"));
    }

    #[test]
    fn without_a_focused_field_keys_bypass_the_input_method() {
        let mut order = order(Route::Bus);
        let out = after(&mut order, |order, out| {
            order.field(None, false, out);
            order.event(BootMs(0), Item::Key(press('j'), "j"), out);
        });
        assert_eq!(out, [Out::Focus(false), Out::Pass("j")]);
    }
}
