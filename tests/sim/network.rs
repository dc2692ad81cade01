//! The network: connections that are refused, lose and double frames, break at one end only, or swallow everything.

use duplex::engine::Input as AppInput;
use duplex::frame::Frame;
use duplex::link::Input as LinkInput;
use duplex::link::durable::Input;
use duplex::model::Why;
use duplex::model::time::BootMs;
use duplex::wire::Agreed;
use duplex::wire::duplex::server::{self, Input as HubInput, ServerSession};

use super::channels::Channel;
use super::clients::Client;
use super::world::{Happening, World};

pub struct Conn {
    pub client: usize,
    pub dial: u64,
    /// The hub's end, while it is open.
    pub session: Option<ServerSession>,
    pub client_open: bool,
    /// Nothing passes any more, and nobody is told.
    pub black_hole: bool,
    /// What carries the frames, where it is not a WebSocket.
    pub channel: Option<Box<Channel>>,
    /// Frames keep their order in each direction.
    pub to_hub_at: u64,
    pub to_client_at: u64,
    /// How often the hub's end gave its socket something.
    pub sent: u64,
    /// When the hub's end is told the time next.
    pub hub_tick_at: Option<BootMs>,
}

impl World {
    fn uses(&self, client: usize, conn: u64) -> bool {
        self.clients[client].running.as_ref().is_some_and(|running| running.conn == Some(conn))
    }

    pub(super) fn dialed(&mut self, client: usize, run: u64, dial: u64) {
        let is_same_run = self.apps[self.clients[client].app].run == run;
        let running = self.clients[client].running.as_mut();
        let Some(running) = running.filter(|running| is_same_run && running.dial == Some(dial)) else {
            return;
        };
        running.dial = None;
        let refused = match self.rng.up_to(99) {
            _ if self.healed => None,
            0..=3 => Some(Why::Http { status: 401, retry_after_ms: None }),
            4..=7 => Some(Why::Http { status: 503, retry_after_ms: Some(1_500) }),
            8..=11 => Some(Why::ConnectionRefused),
            _ => None,
        };
        if let Some(why) = refused.or((!self.hub_up).then_some(Why::ConnectionRefused)) {
            self.figures.refused_dials += 1;
            if matches!(why, Why::Http { status: 401, .. }) {
                self.figures.refused_credentials += 1;
                running.refused = true;
            }
            return self.tell(client, Input::Link(LinkInput::Closed { dial, why }));
        }
        self.next_conn += 1;
        let conn = self.next_conn;
        running.conn = Some(conn);
        let config =
            server::Config { proof: Some(([9; 32], "sim:1".into())), files: None, compresses: false };
        let mut session = ServerSession::new(config, self.hub_time());
        session.handle(self.hub_time(), HubInput::Opened(None));
        let channel = self.chance(50).then(Channel::new);
        self.figures.channels += u64::from(channel.is_some());
        self.conns.insert(
            conn,
            Conn {
                client,
                dial,
                session: Some(session),
                client_open: true,
                black_hole: false,
                channel,
                to_hub_at: self.now,
                to_client_at: self.now,
                sent: 0,
                hub_tick_at: None,
            },
        );
        self.set_hub_tick(conn);
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&self.rng.draw().to_le_bytes());
        self.tell(client, Input::Link(LinkInput::Opened { dial, entropy, agreed: Agreed::default() }));
    }

    pub(super) fn hang_up(&mut self, client: usize) {
        let Some(running) = &mut self.clients[client].running else { return };
        running.dial = None;
        let conn = running.conn.take();
        if let Some(conn) = conn {
            self.close_client_side(conn);
        }
    }

    pub(super) fn close_client_side(&mut self, conn: u64) {
        if let Some(c) = self.conns.get_mut(&conn) {
            c.client_open = false;
            let in_ms = c.to_hub_at.saturating_sub(self.now) + 1;
            if !c.black_hole {
                self.at(in_ms, Happening::HubSideClosed { conn });
            }
        }
    }

    pub(super) fn frame_to_client(&mut self, conn: u64, frame: Frame) {
        let open = self.conns.get(&conn).filter(|c| c.client_open && !c.black_hole);
        let Some((client, dial)) = open.map(|c| (c.client, c.dial)) else { return };
        if self.uses(client, conn) {
            self.received(client, LinkInput::Frame { dial, frame });
        }
    }

    pub(super) fn client_side_closed(&mut self, conn: u64, why: Why) {
        let Some(c) = self.conns.get_mut(&conn).filter(|c| c.client_open && !c.black_hole) else {
            return;
        };
        c.client_open = false;
        let (client, dial) = (c.client, c.dial);
        if self.uses(client, conn) {
            if let Some(running) = &mut self.clients[client].running {
                running.conn = None;
            }
            self.received(client, LinkInput::Closed { dial, why });
        }
    }

    /// Something comes over a client's socket.
    fn received(&mut self, client: usize, input: LinkInput) {
        let connection = Client::connection(client);
        self.drive(self.clients[client].app, AppInput::Received { connection, inputs: vec![input] });
    }

    pub(super) fn carry(&mut self, conn: u64, frame: Frame, to_hub: bool) {
        if self.carry_in_channel(conn, &frame, to_hub) {
            return;
        }
        let latency = 1 + self.rng.up_to(40);
        // No transport loses a frame without ending the connection; what is numbered is looked after all the same.
        let kinds = [r#"{"type":"lists""#, r#"{"type":"create_room""#];
        let is_numbered =
            !matches!(&frame, Frame::Text(text) if kinds.iter().any(|kind| text.starts_with(kind)));
        let copies = match self.rng.up_to(999) {
            0..=2 if !self.healed && is_numbered => 0,
            3..=5 if !self.healed => 2,
            _ => 1,
        };
        self.figures.lost += u64::from(copies == 0);
        self.figures.doubled += u64::from(copies == 2);
        let Some(c) = self.conns.get_mut(&conn) else { return };
        let at = if to_hub { &mut c.to_hub_at } else { &mut c.to_client_at };
        *at = (self.now + latency).max(*at);
        let in_ms = *at - self.now;
        for _ in 0..copies {
            let frame = frame.clone();
            self.at(
                in_ms,
                if to_hub { Happening::ToHub { conn, frame } } else { Happening::ToClient { conn, frame } },
            );
        }
    }

    fn any_conn(&mut self) -> Option<u64> {
        let open: Vec<u64> =
            self.conns.iter().filter(|(_, c)| c.client_open && !c.black_hole).map(|(k, _)| *k).collect();
        (!open.is_empty()).then(|| open[self.rng.up_to(open.len() as u64 - 1) as usize])
    }

    pub(super) fn disconnect_one(&mut self) {
        if let Some(conn) = self.any_conn() {
            self.figures.disconnects += 1;
            let in_ms = self.rng.up_to(30);
            self.at(in_ms, Happening::HubSideClosed { conn });
            let in_ms = self.rng.up_to(30);
            self.at(in_ms, Happening::ClientSideClosed { conn, why: reset() });
        }
    }

    pub(super) fn half_open_one(&mut self) {
        if let Some(c) = self.any_conn().and_then(|conn| self.conns.get_mut(&conn)) {
            c.black_hole = true;
            self.figures.half_open += 1;
        }
    }
}

pub fn reset() -> Why {
    Why::Lost { detail: "reset".into() }
}
