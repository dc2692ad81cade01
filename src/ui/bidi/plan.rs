//! [`Plan`]: a text with right-to-left parts, broken into lines and put into visual order. It has what egui
//! is to paint, and maps between characters and positions on screen.

use std::ops::Range;

use egui::text::{LayoutJob, LayoutSection, TextFormat};
use egui::{Galley, Pos2, Rect, Vec2, pos2};
use unicode_bidi::{BidiInfo, Direction, Level, get_base_direction};
use unicode_segmentation::UnicodeSegmentation as _;

use super::atoms::{self, Atom, Kind};
use super::{is_right_to_left, level};

/// Width of a laid out piece of text, and its glyphs from left to right.
pub(in crate::ui) struct Measured {
    /// Width, in points.
    pub(in crate::ui) width: f32,
    /// For each glyph: the first character it stands for, its x offset and its width, in points.
    pub(in crate::ui) glyphs: Vec<(char, f32, f32)>,
}

/// How a text is painted.
pub(in crate::ui) struct Plan {
    /// The job for egui, in visual order.
    pub(in crate::ui) job: LayoutJob,
    /// Whether the base direction is right to left.
    pub(in crate::ui) rtl: bool,
    lines: Vec<Line>,
}

/// A line on screen.
struct Line {
    /// Its characters, without the trailing line break.
    chars: Range<usize>,
    /// In logical order.
    pieces: Vec<Piece>,
    /// Its right end, in points.
    right: f32,
}

/// A positioned atom.
struct Piece {
    chars: Range<usize>,
    /// X positions of its character boundaries from the left edge of the text, in points.
    edges: Vec<f32>,
}

impl Piece {
    fn span(&self) -> (f32, f32) {
        let (first, last) = (self.edges[0], self.edges[self.edges.len() - 1]);
        (first.min(last), first.max(last))
    }
}

/// An atom with its width, and its character boundaries from its left edge.
struct Laid {
    atom: Atom,
    width: f32,
    edges: Vec<f32>,
}

/// Builds a plan.
struct Planner<'a, M> {
    text: &'a str,
    sections: &'a [(Range<usize>, TextFormat)],
    width: f32,
    measure: M,
    job: LayoutJob,
    lines: Vec<Line>,
    chars: usize,
    /// Number of lines before the paragraph.
    begun: usize,
}

impl Plan {
    /// Breaks a text into lines no wider than `width`, in points, and reorders them. The sections cover the
    /// text; `measure` lays out a part of it.
    pub(in crate::ui) fn new(
        text: &str,
        sections: &[(Range<usize>, TextFormat)],
        width: f32,
        measure: impl FnMut(&str, &TextFormat) -> Measured,
    ) -> Plan {
        let job = LayoutJob::default();
        let mut planner =
            Planner { text, sections, width, measure, job, lines: Vec::new(), chars: 0, begun: 0 };
        let rtl = is_right_to_left(text);
        let mut from = 0;
        for paragraph in text.split('\n') {
            if from > 0 {
                planner.append("\n", planner.section_at(from - 1), 0.0);
                planner.chars += 1;
            }
            planner.paragraph(from..from + paragraph.len(), rtl);
            from += paragraph.len() + 1;
        }
        let Planner { mut job, lines, .. } = planner;
        job.wrap.max_width = f32::INFINITY;
        Plan { job, rtl, lines }
    }

    /// Whether egui laid out the job as planned; false if the fonts have changed since.
    pub(in crate::ui) fn fits(&self, galley: &Galley) -> bool {
        let close = |(line, row): (&Line, &egui::epaint::text::PlacedRow)| {
            (line.right - row.pos.x - row.size.x).abs() < 2.0 || line.pieces.is_empty()
        };
        self.lines.len() == galley.rows.len() && self.lines.iter().zip(&galley.rows).all(close)
    }

    /// Index of the character boundary nearest to a point of the galley.
    pub(in crate::ui) fn char_at(&self, galley: &Galley, at: Vec2) -> usize {
        let last = galley.rows.len().saturating_sub(1);
        let row = galley.rows.iter().position(|row| at.y < row.pos.y + row.size.y).unwrap_or(last);
        let Some(line) = self.lines.get(row) else { return 0 };
        let distance = |piece: &&Piece| {
            let (left, right) = piece.span();
            (left - at.x).max(at.x - right).max(0.0)
        };
        let Some(piece) = line.pieces.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))) else {
            return line.chars.start;
        };
        let nearest = |(_, a): &(usize, &f32), (_, b): &(usize, &f32)| {
            (**a - at.x).abs().total_cmp(&(**b - at.x).abs())
        };
        let edge = piece.edges.iter().enumerate().min_by(nearest).map_or(0, |(edge, _)| edge);
        piece.chars.start + edge
    }

    /// The rectangles in which a range of characters is painted, as few as possible, from top to bottom, with
    /// their line numbers.
    pub(in crate::ui) fn rects(&self, galley: &Galley, chars: Range<usize>) -> Vec<(usize, Rect)> {
        let mut all = Vec::new();
        for (number, (line, row)) in self.lines.iter().zip(&galley.rows).enumerate() {
            if line.chars.end < chars.start || line.chars.start >= chars.end {
                continue;
            }
            let mut spans: Vec<(f32, f32)> = Vec::new();
            for piece in &line.pieces {
                let from = chars.start.max(piece.chars.start);
                let to = chars.end.min(piece.chars.end);
                if from < to {
                    let edge = |at: usize| piece.edges[at - piece.chars.start];
                    let (one, other) = (edge(from), edge(to));
                    spans.push((one.min(other), one.max(other)));
                }
            }
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut merged: Vec<(f32, f32)> = Vec::new();
            for span in spans {
                match merged.last_mut() {
                    Some(last) if span.0 <= last.1 + 0.5 => last.1 = last.1.max(span.1),
                    _ => merged.push(span),
                }
            }
            let (top, bottom) = (row.pos.y, row.pos.y + row.size.y);
            all.extend(
                merged
                    .into_iter()
                    .map(|(left, right)| (number, Rect::from_min_max(pos2(left, top), pos2(right, bottom)))),
            );
        }
        all
    }

    /// The characters of the line at a height of the galley.
    pub(in crate::ui) fn line_at(&self, galley: &Galley, at: Pos2) -> Range<usize> {
        let row = galley.rows.iter().position(|row| at.y < row.pos.y + row.size.y);
        let line = row.map_or(self.lines.last(), |row| self.lines.get(row));
        line.map_or(0..0, |line| line.chars.clone())
    }
}

impl<M: FnMut(&str, &TextFormat) -> Measured> Planner<'_, M> {
    /// Index of the section that contains a byte.
    fn section_at(&self, byte: usize) -> usize {
        self.sections.partition_point(|(range, _)| range.end <= byte).min(self.sections.len().max(1) - 1)
    }

    fn format(&self, section: usize) -> TextFormat {
        self.sections.get(section).map(|(_, format)| format.clone()).unwrap_or_default()
    }

    fn append(&mut self, text: &str, section: usize, leading_space: f32) {
        let from = self.job.text.len();
        self.job.text.push_str(text);
        self.job.sections.push(LayoutSection {
            leading_space,
            byte_range: from.into()..self.job.text.len().into(),
            format: self.format(section),
        });
    }

    fn paragraph(&mut self, bytes: Range<usize>, rtl: bool) {
        let text = &self.text[bytes.clone()];
        let rtl = match get_base_direction(text) {
            Direction::Rtl => true,
            Direction::Ltr => false,
            Direction::Mixed => rtl,
        };
        let info = BidiInfo::new(text, Some(level(rtl)));
        let first = self.section_at(bytes.start);
        let begins: Vec<usize> = self.sections[(first + 1).min(self.sections.len())..]
            .iter()
            .map(|(range, _)| range.start.saturating_sub(bytes.start))
            .take_while(|begins| *begins < text.len())
            .collect();
        let mut atoms = atoms::of(text, &info.levels, &begins);
        for atom in &mut atoms {
            atom.section += first;
            atom.bytes = atom.bytes.start + bytes.start..atom.bytes.end + bytes.start;
        }
        self.lines_of(atoms, level(rtl));
    }

    /// Fills lines with words. A word wider than a line is split at the line's end.
    fn lines_of(&mut self, atoms: Vec<Atom>, base: Level) {
        self.begun = self.lines.len();
        let mut line: Vec<Laid> = Vec::new();
        let (mut used, mut word): (f32, Vec<Laid>) = (0.0, Vec::new());
        let mut rest = atoms.into_iter().peekable();
        while let Some(atom) = rest.next() {
            let laid = self.lay(atom);
            let is_space = laid.atom.kind == Kind::Space;
            word.push(laid);
            let ends = is_space && rest.peek().is_none_or(|next| next.kind != Kind::Space);
            if !ends && rest.peek().is_some() {
                continue;
            }
            let ink = |laid: &&Laid| laid.atom.kind != Kind::Space;
            let width: f32 = word.iter().filter(ink).map(|laid| laid.width).sum();
            if used + width > self.width && !line.is_empty() && width > 0.0 {
                self.finish(std::mem::take(&mut line), base);
                used = 0.0;
            }
            for laid in word.drain(..) {
                self.take(laid, &mut line, &mut used, base);
            }
        }
        if !line.is_empty() || self.lines.len() == self.begun {
            self.finish(line, base);
        }
    }

    /// Adds an atom to the line; splits it if it is wider than an empty line.
    fn take(&mut self, laid: Laid, line: &mut Vec<Laid>, used: &mut f32, base: Level) {
        let mut laid = laid;
        while laid.atom.kind != Kind::Space && *used + laid.width > self.width {
            let room = self.width - *used;
            match self.cut(&laid, room, line.is_empty()) {
                Some((head, tail)) => {
                    line.push(head);
                    laid = tail;
                }
                None if line.is_empty() => break,
                None => {}
            }
            self.finish(std::mem::take(line), base);
            *used = 0.0;
        }
        *used += laid.width;
        line.push(laid);
    }

    /// Splits an atom after as many characters as fit; with `must`, after at least one.
    fn cut(&mut self, laid: &Laid, room: f32, must: bool) -> Option<(Laid, Laid)> {
        let text = &self.text[laid.atom.bytes.clone()];
        let begins = laid.edges[0];
        let (mut chars, mut best) = (0, None);
        for (at, cluster) in text.grapheme_indices(true) {
            let fits = (laid.edges[chars] - begins).abs() <= room;
            if at > 0 && (fits || (must && best.is_none())) {
                best = Some(at);
            }
            if !fits && best.is_some() {
                break;
            }
            chars += cluster.chars().count();
        }
        let at = laid.atom.bytes.start + best?;
        let head = Atom { bytes: laid.atom.bytes.start..at, ..laid.atom.clone() };
        let tail = Atom { bytes: at..laid.atom.bytes.end, ..laid.atom.clone() };
        Some((self.lay(head), self.lay(tail)))
    }

    fn lay(&mut self, atom: Atom) -> Laid {
        let format = self.format(atom.section);
        let own = &self.text[atom.bytes.clone()];
        let measured = (self.measure)(&atom.painted(self.text), &format);
        let edges = match atom.kind {
            Kind::Word => edges_of_word(own, &measured),
            _ => edges(own, &measured, atom.kind != Kind::Other && atom.level.is_rtl()),
        };
        Laid { width: measured.width, edges, atom }
    }

    /// Reorders a line and appends it to the job.
    fn finish(&mut self, line: Vec<Laid>, base: Level) {
        if self.lines.len() > self.begun {
            self.append("\n", line.first().map_or(0, |laid| laid.atom.section), 0.0);
        }
        let atoms: Vec<Atom> = line.iter().map(|laid| laid.atom.clone()).collect();
        let order = atoms::order(&atoms, base);
        // Trailing spaces get no width: they would shift right-aligned text.
        let shown = atoms.iter().rposition(|atom| atom.kind != Kind::Space).map_or(0, |last| last + 1);
        let width: f32 = line[..shown].iter().map(|laid| laid.width).sum();
        let left = if shown > 0 && base.is_rtl() { (self.width - width).max(0.0).floor() } else { 0.0 };
        let mut places = vec![if base.is_rtl() { left } else { left + width }; line.len()];
        let mut x = left;
        for at in order.into_iter().filter(|at| *at < shown) {
            let leading_space = if x == left { left } else { 0.0 };
            self.append(&atoms[at].painted(self.text), atoms[at].section, leading_space);
            places[at] = x;
            x += line[at].width;
        }
        let (begins, right) = (self.chars, left + width);
        let mut pieces = Vec::with_capacity(line.len());
        for (at, laid) in line.into_iter().enumerate() {
            let count = laid.edges.len() - 1;
            let edge = |edge: f32| if at < shown { places[at] + edge } else { places[at] };
            let edges = laid.edges.into_iter().map(edge).collect();
            pieces.push(Piece { chars: self.chars..self.chars + count, edges });
            self.chars += count;
        }
        self.lines.push(Line { chars: begins..self.chars, pieces, right });
    }
}

/// Character boundaries of a laid out text; `turned`: from right to left.
fn edges(text: &str, measured: &Measured, turned: bool) -> Vec<f32> {
    let count = text.chars().count();
    if measured.glyphs.len() != count || turned {
        return evenly(text, measured.width, turned);
    }
    let begins = measured.glyphs.iter().map(|(_, x, _)| *x);
    begins.chain([measured.width]).collect()
}

/// Character boundaries of a word that egui reversed. Glyphs are matched to characters from the right end; a
/// ligature is divided evenly among its letters.
fn edges_of_word(text: &str, measured: &Measured) -> Vec<f32> {
    let chars: Vec<char> = text.chars().collect();
    // The character that each visible glyph begins with.
    let mut found: Vec<(usize, f32, f32)> = Vec::new();
    let mut from = 0;
    for (c, x, advance) in measured.glyphs.iter().rev().filter(|(.., advance)| *advance > 0.0) {
        let Some(at) = chars[from..].iter().position(|other| other == c) else {
            return evenly(text, measured.width, true);
        };
        found.push((from + at, *x, *advance));
        from += at + 1;
    }
    if found.first().is_none_or(|(at, ..)| *at != 0) {
        return evenly(text, measured.width, true);
    }
    let mut edges = Vec::with_capacity(chars.len() + 1);
    for (number, (begins, x, advance)) in found.iter().enumerate() {
        let ends = found.get(number + 1).map_or(chars.len(), |(next, ..)| *next);
        let cluster: String = chars[*begins..ends].iter().collect();
        let mut inner = evenly(&cluster, *advance, true);
        inner.pop();
        edges.extend(inner.into_iter().map(|edge| x + edge));
    }
    edges.push(0.0);
    // Glyphs are snapped to pixels: the word starts where its neighbour ends.
    edges[0] = measured.width;
    edges
}

/// Distributes the width evenly over the visible characters.
fn evenly(text: &str, width: f32, turned: bool) -> Vec<f32> {
    let clusters = text.graphemes(true).count().max(1);
    let place = |number: usize| {
        let x = width * number as f32 / clusters as f32;
        if turned { width - x } else { x }
    };
    let mut edges = Vec::new();
    for (number, cluster) in text.graphemes(true).enumerate() {
        // Combining marks have no width of their own.
        edges.push(place(number));
        edges.extend(std::iter::repeat_n(place(number + 1), cluster.chars().count() - 1));
    }
    edges.push(place(clusters));
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every character is ten points wide; right-to-left words are reversed, as egui lays them out.
    fn measure(text: &str, _: &TextFormat) -> Measured {
        let mut chars: Vec<char> = text.chars().collect();
        if crate::ui::bidi::is_needed(text) && !text.starts_with(|c: char| c.is_numeric()) {
            chars.reverse();
        }
        let glyphs = chars.iter().enumerate().map(|(at, c)| (*c, at as f32 * 10.0, 10.0)).collect();
        Measured { width: chars.len() as f32 * 10.0, glyphs }
    }

    fn plan(text: &str, width: f32) -> Plan {
        Plan::new(text, &[(0..text.len(), TextFormat::default())], width, measure)
    }

    /// The characters of each line from left to right, according to their planned positions.
    fn painted(text: &str, width: f32) -> Vec<String> {
        let plan = plan(text, width);
        let chars: Vec<char> = text.chars().collect();
        let line = |line: &Line| {
            let mut found: Vec<(f32, char)> = Vec::new();
            for piece in &line.pieces {
                for (at, edges) in piece.edges.windows(2).enumerate() {
                    if edges[0] != edges[1] {
                        found.push((edges[0].min(edges[1]), chars[piece.chars.start + at]));
                    }
                }
            }
            found.sort_by(|a, b| a.0.total_cmp(&b.0));
            found.into_iter().map(|(_, c)| c).collect()
        };
        plan.lines.iter().map(line).collect()
    }

    #[test]
    fn lines_are_broken_before_they_are_reordered() {
        assert_eq!(painted("אבג דהו", 1000.0), ["והד גבא"]);
        assert_eq!(painted("אבג דהו זחט", 75.0), ["והד גבא", "טחז"]);
        assert_eq!(painted("ab אבג דהו cd", 1000.0), ["ab והד גבא cd"]);
        assert_eq!(painted("אבג ab cd דהו", 1000.0), ["והד ab cd גבא"]);
        assert_eq!(painted("אבג 12.5 דהו", 1000.0), ["והד 12.5 גבא"]);
        // Each paragraph has its own direction; one without letters uses that of the whole text.
        assert_eq!(painted("אב\nab אב\n12 34", 1000.0), ["בא", "ab בא", "34 12"]);
    }

    #[test]
    fn brackets_are_mirrored_and_words_are_left_to_egui() {
        let job = plan("אבג (דה)", 1000.0).job;
        assert_eq!(job.text, "(דה) אבג");
        let job = plan("say אבג! ok", 1000.0).job;
        assert_eq!(job.text, "say אבג! ok");
        let job = plan("אבג!", 1000.0).job;
        assert_eq!(job.text, "!אבג");
    }

    #[test]
    fn right_to_left_paragraphs_are_right_aligned() {
        let two = plan("אבג\nab אב", 100.0);
        assert!(two.rtl);
        assert_eq!(two.job.sections[0].leading_space, 70.0);
        let spans: Vec<_> = two.lines.iter().map(|line| line.pieces[0].span()).collect();
        assert_eq!(spans, [(70.0, 100.0), (0.0, 20.0)]);
        assert_eq!(two.lines[1].chars, 4..9);
    }

    #[test]
    fn a_word_wider_than_the_line_is_split() {
        assert_eq!(painted("אבגדהוז", 30.0), ["גבא", "והד", "ז"]);
        assert_eq!(painted("אב https://x.example", 60.0), ["בא", "https:", "//x.ex", "ample"]);
        assert_eq!(painted("אב", 3.0), ["א", "ב"]);
    }

    #[test]
    fn a_ligature_is_divided_among_its_letters() {
        // One glyph for lam and alef at the left end of the word.
        let measured = Measured { width: 30.0, glyphs: vec![('ل', 0.0, 20.0), ('س', 20.0, 10.0)] };
        assert_eq!(edges_of_word("سلا", &measured), [30.0, 20.0, 10.0, 0.0]);
        let marked = Measured { width: 10.0, glyphs: vec![('\u{5B0}', 10.0, 0.0), ('ש', 0.0, 10.0)] };
        assert_eq!(edges_of_word("ש\u{5B0}", &marked), [10.0, 0.0, 0.0]);
    }
}
