//! Transcripts: what is said to one end of a connection, and all that it does about it, in order. Each line begins with
//! its kind:
//!
//! | | |
//! |---|---|
//! | `<` | received from the other end |
//! | `>` | sent to it |
//! | `!` | an event |
//! | `@` | told from inside: by the person, the disk, the hub |
//! | `*` | asked of the inside |
//! | `+25s` | time passes (`ms` or `s`), and due ticks come |
//! | `#` | a remark |
//!
//! Nothing may happen that is not written down. `…` at the end of an expected line stands for the rest of it. Messages
//! are abbreviated as `words` says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

mod client;
mod devices;
mod durable;
mod link;
mod server;
mod session;
mod words;

use std::collections::VecDeque;

use duplex::model::Time;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;

/// What a transcript is replayed through.
trait Peer {
    /// Takes a `<` or `@` line in.
    fn take(&mut self, now: Time, line: &str);
    /// Its deadline has come.
    fn tick(&mut self, now: Time);
    /// When it wants that.
    fn deadline(&self) -> Option<BootMs>;
    /// The next thing it does, as a `>`, `!` or `*` line.
    fn poll(&mut self) -> Option<String>;
}

/// Boot and wall time at which every transcript begins.
const BEGIN: Time = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_790_000_000_000) };

/// Replays a transcript; what was said before is repeated when it fails.
fn replay(peer: impl Peer, transcript: &str) {
    Replay { peer, now: BEGIN, done: VecDeque::new() }.run(transcript);
}

struct Replay<P> {
    peer: P,
    now: Time,
    /// What it did and the transcript has not told yet.
    done: VecDeque<String>,
}

impl<P: Peer> Replay<P> {
    fn run(mut self, transcript: &str) {
        let mut told = String::new();
        for line in transcript.lines().map(str::trim).filter(|line| !line.is_empty()) {
            told.push_str(line);
            told.push('\n');
            match line.split_at(1) {
                ("#", _) => {}
                ("<" | "@", _) => {
                    self.nothing_untold(&told);
                    self.peer.take(self.now, line);
                    self.drain();
                }
                ("+", span) => {
                    self.nothing_untold(&told);
                    self.pass(milliseconds(span));
                }
                (">" | "!" | "*", _) => match self.done.pop_front() {
                    Some(did) => {
                        assert!(matches(line, &did), "{told}\nbut it did: {did}\nand then: {:#?}", self.done)
                    }
                    None => panic!("{told}\nbut it did nothing"),
                },
                _ => panic!("no such line: {line}"),
            }
        }
        self.nothing_untold(&told);
    }

    fn drain(&mut self) {
        self.done.extend(std::iter::from_fn(|| self.peer.poll()));
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now.boot_ms + ms;
        for _ in 0..1_000 {
            let Some(due) = self.peer.deadline().filter(|due| *due <= end) else {
                self.now = self.now.plus(end - self.now.boot_ms);
                return;
            };
            self.now = self.now.plus(due.since(self.now.boot_ms));
            self.peer.tick(self.now);
            self.drain();
        }
        panic!("its deadline does not move on");
    }

    fn nothing_untold(&self, told: &str) {
        assert!(self.done.is_empty(), "{told}\nbut before the last line it did: {:#?}", self.done);
    }
}

fn matches(expected: &str, did: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(beginning) => did.starts_with(beginning.trim_end()),
        None => did == expected,
    }
}

fn milliseconds(span: &str) -> u64 {
    let (number, unit) = span.split_at(span.find(char::is_alphabetic).expect("a unit"));
    number.trim().parse::<u64>().expect("a number") * if unit == "s" { 1_000 } else { 1 }
}
