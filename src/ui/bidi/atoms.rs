//! [`Atom`]: the largest parts of a text that egui lays out in visual order: a right-to-left word,
//! left-to-right text between spaces, or a single character within right-to-left text. Pure.

use std::borrow::Cow;
use std::ops::Range;

use unicode_bidi::{BidiInfo, Level};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{is_rtl, mirrored};

/// What an atom consists of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space; a line may be broken after it.
    Space,
    /// Letters of a right-to-left script, which egui reverses and joins.
    Word,
    /// A single character in right-to-left text, or a digit that egui would reverse.
    Sign,
    /// Left-to-right text.
    Other,
}

/// A part of a text that is laid out as a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Atom {
    /// Its range in the text, in bytes.
    pub(super) bytes: Range<usize>,
    pub(super) kind: Kind,
    pub(super) level: Level,
    /// Index of its section.
    pub(super) section: usize,
}

impl Atom {
    /// The text given to egui.
    pub(super) fn painted<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let own = &text[self.bytes.clone()];
        match self.kind {
            Kind::Sign if self.level.is_rtl() => mirrored(own),
            _ => Cow::Borrowed(own),
        }
    }
}

/// The atoms of a text in logical order. `levels`: one for each byte. `sections`: where each section but the
/// first begins; no atom spans two sections.
pub(super) fn of(text: &str, levels: &[Level], sections: &[usize]) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    let mut section = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        while sections.get(section).is_some_and(|begins| *begins <= at) {
            section += 1;
        }
        let level = levels[at];
        let kind = kind(cluster, level);
        let end = at + cluster.len();
        if let Some(last) = atoms.last_mut()
            && (last.kind, last.level, last.section) == (kind, level, section)
            && kind != Kind::Sign
            && !cluster.starts_with('\t')
        {
            last.bytes.end = end;
        } else {
            atoms.push(Atom { bytes: at..end, kind, level, section });
        }
    }
    atoms
}

fn kind(cluster: &str, level: Level) -> Kind {
    let first = cluster.chars().next().unwrap_or(' ');
    match (first.is_whitespace(), is_rtl(first), level.is_rtl()) {
        // No-break spaces.
        (true, ..) if matches!(first, '\u{A0}' | '\u{202F}' | '\u{2007}') => Kind::Sign,
        (true, ..) => Kind::Space,
        (false, true, true) => Kind::Word,
        (false, true, false) | (false, false, true) => Kind::Sign,
        (false, false, false) => Kind::Other,
    }
}

/// The indices of a line's atoms in visual order, left to right (UAX #9, rules L1 and L2).
pub(super) fn order(line: &[Atom], base: Level) -> Vec<usize> {
    let mut levels: Vec<Level> = line.iter().map(|atom| atom.level).collect();
    let trailing = line.iter().rposition(|atom| atom.kind != Kind::Space).map_or(0, |last| last + 1);
    levels[trailing..].fill(base);
    BidiInfo::reorder_visual(&levels)
}
