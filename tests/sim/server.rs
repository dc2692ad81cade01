//! The hub's end: real sessions over the hub's state; it may die at any output and between its disk and its answers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use duplex::frame::Frame;
use duplex::model::Refusal;
use duplex::wire::duplex::client::why_of_close;
use duplex::wire::duplex::server::{
    HubAnswer, HubChatRequest, HubRequest, Input as HubInput, Output as HubOutput,
};

use super::hub;
use super::laws;
use super::network::reset;
use super::world::{Happening, World};

impl World {
    pub(super) fn tell_session(&mut self, conn: u64, input: HubInput) {
        let now = self.hub_time();
        let mut pending = VecDeque::from([input]);
        while let Some(input) = pending.pop_front() {
            let Some(session) = self.conns.get_mut(&conn).and_then(|c| c.session.as_mut()) else {
                return;
            };
            session.handle(now, input);
            let mut sent = false;
            while let Some(output) = self.conns.get_mut(&conn).and_then(|c| c.session.as_mut()?.poll()) {
                match output {
                    HubOutput::Send(frame) => {
                        sent = true;
                        let me = self.conns.get(&conn).and_then(|c| c.session.as_ref()?.principal());
                        laws::what_is_acknowledged_is_on_disk(&self.disk, me, &frame);
                        laws::history_is_for_whom_it_is_told(&self.disk, me, &frame);
                        self.carry(conn, frame, false);
                    }
                    HubOutput::SendBatch(batch) => {
                        sent = true;
                        laws::what_is_told_is_on_disk(&self.disk, &batch);
                        let me = self.conns.get(&conn).and_then(|c| c.session.as_ref()?.principal());
                        laws::nobody_is_told_what_is_not_for_them(&self.disk, me, &batch.entries);
                        self.carry(conn, Frame::Text(batch.text().to_string()), false);
                    }
                    // Nobody here watches devices.
                    HubOutput::SendShared(_) => {}
                    // A transport answers pings by itself.
                    HubOutput::Compress => {}
                    HubOutput::Ping => {
                        let answers = self.conns.get(&conn).is_some_and(|c| c.client_open && !c.black_hole);
                        pending.extend(answers.then_some(HubInput::Alive));
                    }
                    HubOutput::Ask(ask) => pending.extend(self.asked(conn, ask).map(HubInput::Answer)),
                    HubOutput::Close(code, reason) => self.close_hub_side(conn, code, reason),
                }
                if self.mishap(1) {
                    self.crash_hub();
                }
            }
            if sent {
                self.socket_takes_it(conn);
            }
        }
        self.set_hub_tick(conn);
    }

    /// Usually soon; a slow reader takes its time, and what is acknowledged overtakes what is read from the log.
    fn socket_takes_it(&mut self, conn: u64) {
        let in_ms = if self.mishap(200) { self.rng.up_to(15_000) } else { self.rng.up_to(3) };
        let Some(c) = self.conns.get_mut(&conn) else { return };
        c.sent += 1;
        let sent = c.sent;
        self.at(in_ms, Happening::Drained { conn, sent });
    }

    pub(super) fn drained(&mut self, conn: u64, sent: u64) {
        if self.conns.get(&conn).is_some_and(|c| c.sent == sent) {
            self.tell_session(conn, HubInput::Drained);
        }
    }

    fn close_hub_side(&mut self, conn: u64, code: u16, reason: String) {
        let Some(c) = self.conns.get_mut(&conn) else { return };
        c.session = None;
        let in_ms = c.to_client_at.saturating_sub(self.now) + 1;
        let why = why_of_close(code, reason, None);
        self.at(in_ms, Happening::ClientSideClosed { conn, why });
    }

    pub(super) fn set_hub_tick(&mut self, conn: u64) {
        let Some(c) = self.conns.get_mut(&conn) else { return };
        let Some(deadline) = c.session.as_ref().and_then(|session| session.deadline()) else { return };
        if c.hub_tick_at.is_none_or(|at| deadline < at) {
            c.hub_tick_at = Some(deadline);
            let in_ms = deadline.since(self.hub_time().boot_ms);
            self.at(in_ms, Happening::HubTick { conn });
        }
    }

    pub(super) fn hub_tick(&mut self, conn: u64) {
        if let Some(c) = self.conns.get_mut(&conn) {
            c.hub_tick_at = None;
            self.tell_session(conn, HubInput::Tick);
        }
    }

    fn asked(&mut self, conn: u64, ask: HubRequest) -> Option<HubAnswer> {
        if self.mishap(1) {
            self.figures.unavailable += 1;
            return Some(HubAnswer::Unavailable);
        }
        let me = self.conns.get(&conn).and_then(|c| c.session.as_ref()?.principal());
        if let Some(answer) = hub::answer(&self.disk, me, &ask) {
            return Some(answer);
        }
        if let HubRequest::Chat(HubChatRequest::Append { draft, sender, refusal, .. }) = ask {
            let refusal = refusal.or_else(|| self.hub_is_full(15));
            self.waiting.push_back(hub::Waiting { session: conn, draft, sender, refusal });
            if !std::mem::replace(&mut self.sync_due, true) {
                let in_ms = self.rng.up_to(15);
                let run = self.hub_run;
                self.at(in_ms, Happening::HubSync { run });
            }
        }
        None
    }

    /// A hub takes no messages now and then, and says for how long; it may well be longer.
    fn hub_is_full(&mut self, permille: u64) -> Option<Refusal> {
        if self.now >= self.full_until && self.mishap(permille) {
            self.full_until = self.now + self.rng.up_to(15_000);
        }
        let left_ms = self.full_until.checked_sub(self.now).filter(|left| *left > 0)?;
        self.figures.refused_for_a_while += 1;
        let retry_after_ms = if self.chance(70) { left_ms } else { self.rng.up_to(left_ms) };
        Some(if self.chance(50) {
            Refusal::SlowDown { retry_after_ms }
        } else {
            Refusal::Quota { retry_after_ms }
        })
    }

    pub(super) fn hub_sync(&mut self, run: u64) {
        if run != self.hub_run || !self.hub_up {
            return;
        }
        self.sync_due = false;
        let now = self.hub_time().wall_ms;
        let before = self.disk.log.len();
        self.refuse_while_full();
        let synced = hub::sync(&mut self.disk, &mut self.waiting, now);
        laws::once_and_in_order_at_the_hub(&self.disk, before, &self.clients);
        // On disk, and nobody has been told yet: the worst moment to die.
        if self.mishap(5) {
            return self.crash_hub();
        }
        if let Some(batch) = &synced.batch {
            for conn in self.open_sessions() {
                let me = self.conns.get(&conn).and_then(|c| c.session.as_ref()?.principal()).cloned();
                let seen = match me {
                    Some(me) => batch.seen(|entry| self.disk.access.sees(&me.id, entry)),
                    None => Arc::clone(batch),
                };
                self.tell_session(conn, HubInput::Committed(seen));
            }
        }
        for (conn, answer) in synced.answers {
            self.tell_session(conn, HubInput::Answer(answer));
        }
    }

    /// From some entry on, the hub takes none of its client's: what is behind it must not be stored first.
    fn refuse_while_full(&mut self) {
        let mut refused: BTreeMap<u64, Refusal> = BTreeMap::new();
        for append in std::mem::take(&mut self.waiting) {
            let earlier = refused.get(&append.session).cloned();
            // It may have been refused for a while when it was asked for.
            let own = append.refusal.clone().filter(|refusal| refusal.retry_after_ms().is_some());
            match earlier.or(own).or_else(|| self.hub_is_full(10)) {
                // It may be on disk all the same, since an earlier try.
                Some(refusal) => {
                    if !append.draft.content.is_room() {
                        refused.insert(append.session, refusal.clone());
                    }
                    let refusal = append.refusal.clone().unwrap_or(refusal);
                    self.waiting.push_back(hub::Waiting { refusal: Some(refusal), ..append });
                }
                None => self.waiting.push_back(append),
            }
        }
    }

    fn open_sessions(&self) -> Vec<u64> {
        self.conns.iter().filter(|(_, c)| c.session.is_some()).map(|(key, _)| *key).collect()
    }

    pub(super) fn crash_hub(&mut self) {
        if !self.hub_up || self.healed {
            return;
        }
        self.figures.hub_crashes += 1;
        self.hub_up = false;
        self.hub_run += 1;
        self.waiting.clear();
        self.sync_due = false;
        let power_loss = self.chance(30);
        for conn in self.open_sessions() {
            let in_ms = self.rng.up_to(100);
            let Some(c) = self.conns.get_mut(&conn) else { continue };
            c.session = None;
            if power_loss {
                c.black_hole = true;
            } else {
                self.at(in_ms, Happening::ClientSideClosed { conn, why: reset() });
            }
        }
        let back_in = self.rng.up_to(10_000);
        self.at(back_in, Happening::RestartHub);
    }

    /// The hub's disk is replaced by an older copy of itself.
    pub(super) fn restore(&mut self) {
        if let Some(backup) = self.backup.take() {
            self.crash_hub();
            let replaced = std::mem::replace(&mut self.disk, backup);
            let gone = replaced.known.into_keys().filter(|key| !self.disk.known.contains_key(key));
            self.taken.extend(gone);
            self.replaced = replaced.log;
            self.figures.taken_by_restores += self.taken.len() as u64;
            self.figures.restores += 1;
        }
    }
}
