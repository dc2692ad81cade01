//! The connection log: decoded lines about one connection, for people. Bounded; secrets never reach it.

use std::collections::VecDeque;

use super::time::WallMs;

/// Most lines kept for a connection.
pub const CAPACITY: usize = 500;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: WallMs,
    /// What.
    pub note: Note,
}

/// Something worth a person's look that is neither chat nor a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The server sent something malformed; it was skipped.
    Malformed {
        /// What was wrong, with an excerpt.
        detail: String,
    },
    /// The server reported an error about something we asked.
    ServerError {
        /// The server's code.
        code: String,
        /// The server's words.
        detail: String,
    },
    /// A change of the link's state, by its code.
    State {
        /// `LinkState::code`, with `Why::code` where there is one.
        text: String,
    },
}

/// The newest [`CAPACITY`] lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    lines: VecDeque<Line>,
}

impl Log {
    /// Adds a line; the oldest makes room.
    pub fn push(&mut self, line: Line) {
        if self.lines.len() == CAPACITY {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = &Line> {
        self.lines.iter()
    }
}
