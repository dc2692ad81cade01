//! [`Receiving`]: a request for frames, from its beginning to its end.

use futures_util::future::BoxFuture;
use tokio::time::{Duration, Instant};

use super::course::Ask;
use super::requests::{Answered, MAX_REQUEST};
use crate::frame::Frame;
use crate::model::link_state::Why;
use crate::model::route::Route;
use crate::model::time::BootMs;
use crate::transport::http_requests::Reply;
use crate::wire::duplex::channel::Violation;
use crate::wire::duplex::channel::line::{self, LineDecoder};
use crate::wire::duplex::channel::sse::{Received, SseReader};

/// How soon a lasting response must begin.
const MAX_FIRST: Duration = Duration::from_secs(5);
/// How much longer than it is held a request may take.
const MAX_LATE: Duration = Duration::from_secs(4);

/// What came of it.
pub(super) enum Came {
    /// A sign of life.
    Nothing,
    /// Frames, with their numbers.
    Frames(Vec<(u64, Frame)>),
    /// Its end, and how many frames there were in all.
    End { frames: u64 },
    /// An answer without frames.
    Answered(Answered),
    /// It was not answered, or was cut off.
    Failed(Why),
    /// What came is no frame.
    Garbled(Violation),
}

enum State {
    Asking(BoxFuture<'static, Result<Answered, Why>>),
    Open(Box<Reply>),
}

enum Decoder {
    Lines(LineDecoder),
    Events(SseReader),
}

/// See the module.
pub(super) struct Receiving {
    pub(super) ask: Ask,
    pub(super) began: Instant,
    /// When it must have shown life.
    pub(super) by: Instant,
    state: State,
    decoder: Decoder,
    /// The number of the next line.
    next: u64,
    frames: u64,
    has_begun: bool,
    silent: Duration,
    /// What came before.
    first: Option<Vec<u8>>,
}

impl Receiving {
    /// A request that is made now.
    pub(super) fn new(
        ask: Ask,
        from: u64,
        answer: BoxFuture<'static, Result<Answered, Why>>,
        silent: Duration,
    ) -> Receiving {
        let now = Instant::now();
        let patience = match ask.route.is_lasting() {
            true => MAX_FIRST,
            false if ask.wait_ms > 0 => Duration::from_millis(ask.wait_ms) + MAX_LATE,
            false => MAX_REQUEST,
        };
        Receiving {
            ask,
            began: now,
            by: now + patience,
            state: State::Asking(answer),
            decoder: decoder(ask.route),
            next: from,
            frames: 0,
            has_begun: false,
            silent,
            first: None,
        }
    }

    /// The first lasting response of a channel, of which this piece was read.
    pub(super) fn begun(route: Route, reply: Box<Reply>, piece: Vec<u8>, silent: Duration) -> Receiving {
        let now = Instant::now();
        Receiving {
            ask: Ask { route, wait_ms: 0, at: BootMs(0) },
            began: now,
            by: now + silent,
            state: State::Open(reply),
            decoder: decoder(route),
            next: 1,
            frames: 0,
            has_begun: true,
            silent,
            first: Some(piece),
        }
    }

    /// Whether it may take its time although the server is there.
    pub(super) fn is_held(&self) -> bool {
        self.ask.wait_ms > 0
    }

    /// Whether the first of a response was read.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// What comes next. Cancel-safe.
    pub(super) async fn next(&mut self) -> Came {
        if let Some(piece) = self.first.take() {
            return self.piece(&piece);
        }
        match &mut self.state {
            State::Asking(answer) => match answer.await {
                Ok(Answered::Frames(reply)) => {
                    self.state = State::Open(reply);
                    Came::Nothing
                }
                Ok(answered) => Came::Answered(answered),
                Err(why) => Came::Failed(why),
            },
            State::Open(reply) => match reply.piece().await {
                Some(Ok(piece)) => self.piece(&piece),
                Some(Err(why)) => Came::Failed(why),
                None => Came::End { frames: self.frames },
            },
        }
    }

    fn piece(&mut self, piece: &[u8]) -> Came {
        self.has_begun = true;
        if self.ask.route.is_lasting() {
            self.by = Instant::now() + self.silent;
        } else {
            self.by = self.by.max(Instant::now() + MAX_LATE);
        }
        let mut frames = Vec::new();
        let read = match &mut self.decoder {
            Decoder::Lines(lines) => {
                let next = &mut self.next;
                lines.push(piece, |line| {
                    if !line.is_empty() {
                        frames.push((*next, line::read(line)?));
                        *next += 1;
                    }
                    Ok(())
                })
            }
            Decoder::Events(reader) => reader.push(piece).and_then(|all| events(all, &mut frames)),
        };
        if let Err(violation) = read {
            return Came::Garbled(violation);
        }
        self.frames += frames.len() as u64;
        if frames.is_empty() { Came::Nothing } else { Came::Frames(frames) }
    }
}

fn events(all: Vec<Received>, frames: &mut Vec<(u64, Frame)>) -> Result<(), Violation> {
    for received in all {
        if let Received::Event(event) = received {
            let number = event
                .id
                .parse()
                .map_err(|_| Violation::Unreadable { detail: "an event without a number".to_owned() })?;
            frames.push((number, line::read(event.data.as_bytes())?));
        }
    }
    Ok(())
}

fn decoder(route: Route) -> Decoder {
    match route {
        Route::WebSocket | Route::Sse => Decoder::Events(SseReader::default()),
        Route::Stream | Route::LongPoll | Route::Poll => Decoder::Lines(LineDecoder::default()),
    }
}
