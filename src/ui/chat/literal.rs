//! A long text or bytes, line by line as they are: the lines are of equal height, and only those on screen are laid out, so
//! that a million characters cost no more than a screenful.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, FontId, Galley, Pos2, Ui, pos2};

use crate::ui::theme::size;

/// Bytes in one line of a dump, and in a narrow window.
const ROW_BYTES: (usize, usize) = (16, 8);
/// A longer text ends with a line that says so: a copy has all of it.
const MAX_LINES: usize = 150_000;
/// A tab is as wide as so many characters.
const TAB: f32 = 4.0;

/// What is shown.
#[derive(Debug)]
pub(super) enum Literal {
    /// Harmless text.
    Text { text: String, breaks: Breaks },
    /// Bytes as a dump: offset, hexadecimal digits, and the text beside them.
    Bytes(Vec<u8>),
}

/// Where a text's lines begin, as last laid out.
#[derive(Default)]
pub(super) struct Breaks(Mutex<Option<Broken>>);

/// For which width and scale, and where each line begins and ends.
type Broken = ([u32; 2], Arc<[Range<u32>]>);

impl std::fmt::Debug for Breaks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Breaks")
    }
}

/// The lines of a literal at a width.
pub(super) enum Lines {
    /// Of a text.
    Text(Arc<[Range<u32>]>),
    /// Of bytes: so many in a line, and so many lines.
    Bytes(usize, usize),
}

fn font() -> FontId {
    FontId::monospace(size::CODE)
}

impl Literal {
    pub(super) fn text(text: String) -> Literal {
        Literal::Text { text, breaks: Breaks::default() }
    }

    /// Breaks it into lines of a width.
    pub(super) fn lines(&self, ui: &Ui, width: f32) -> Lines {
        match self {
            Literal::Bytes(bytes) => {
                let digit = ui.fonts_mut(|fonts| fonts.glyph_width(&font(), '0'));
                let (wide, narrow) = ROW_BYTES;
                let per_row = if width >= digit * row_columns(wide) as f32 { wide } else { narrow };
                Lines::Bytes(per_row, bytes.len().div_ceil(per_row).min(MAX_LINES))
            }
            Literal::Text { text, breaks } => {
                let key = [width.to_bits(), ui.pixels_per_point().to_bits()];
                let mut known = breaks.0.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, lines)) = known.as_ref().filter(|(of, _)| *of == key) {
                    return Lines::Text(Arc::clone(lines));
                }
                let lines: Arc<[Range<u32>]> = ui.fonts_mut(|fonts| {
                    let ascii = fonts.glyph_width(&font(), '0');
                    let wide = |c: char| match c {
                        '\t' => TAB * ascii,
                        c if c.is_ascii() => ascii,
                        c => fonts.glyph_width(&font(), c),
                    };
                    break_lines(text, width, wide).into()
                });
                *known = Some((key, Arc::clone(&lines)));
                Lines::Text(lines)
            }
        }
    }

    /// The words of some lines.
    fn written(&self, lines: &Lines, which: Range<usize>) -> String {
        let mut out = String::new();
        match (self, lines) {
            (Literal::Text { text, .. }, Lines::Text(all)) => {
                for at in which {
                    let Some(range) = all.get(at) else { break };
                    out.push_str(&text[range.start as usize..range.end as usize]);
                    // Nothing that is left out is left out in silence.
                    out.push_str(if at + 1 == MAX_LINES { "…\n" } else { "\n" });
                }
            }
            (Literal::Bytes(bytes), Lines::Bytes(per_row, _)) => {
                for at in which {
                    let begin = at * per_row;
                    let Some(row) = bytes.get(begin..bytes.len().min(begin + per_row)) else { break };
                    if row.is_empty() {
                        break;
                    }
                    dump_row(&mut out, begin, row, *per_row);
                    out.push('\n');
                }
            }
            _ => {}
        }
        out.pop();
        out
    }

    /// Draws the lines that are on screen, with the first at `at`.
    pub(super) fn paint(&self, ui: &Ui, lines: &Lines, at: Pos2, colour: Color32) {
        let clip = ui.clip_rect();
        let line = |y: f32| ((y - at.y) / size::CODE_LINE).max(0.0) as usize;
        let first = line(clip.top());
        let last = (line(clip.bottom()) + 1).min(lines.count());
        if first >= last {
            return;
        }
        let galley = lay(ui, self.written(lines, first..last));
        ui.painter().galley(pos2(at.x, at.y + first as f32 * size::CODE_LINE), galley, colour);
    }
}

impl Lines {
    pub(super) fn count(&self) -> usize {
        match self {
            Lines::Text(lines) => lines.len(),
            Lines::Bytes(_, count) => *count,
        }
    }

    /// How high all of them are.
    pub(super) fn height(&self) -> f32 {
        self.count() as f32 * size::CODE_LINE
    }
}

fn lay(ui: &Ui, text: String) -> Arc<Galley> {
    let format = TextFormat {
        font_id: font(),
        line_height: Some(size::CODE_LINE),
        color: Color32::PLACEHOLDER,
        ..TextFormat::default()
    };
    let mut job = LayoutJob::single_section(text, format);
    job.wrap.max_width = f32::INFINITY;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// Where each line of a text begins and ends, none wider than `width`.
fn break_lines(text: &str, width: f32, mut wide: impl FnMut(char) -> f32) -> Vec<Range<u32>> {
    let mut lines = Vec::new();
    let (mut begin, mut used) = (0, 0.0);
    let mut push = |range: Range<usize>| {
        // No text here is longer than a frame.
        lines.push(range.start as u32..range.end as u32);
        lines.len() < MAX_LINES
    };
    for (at, c) in text.char_indices() {
        if c == '\n' {
            if !push(begin..at) {
                return lines;
            }
            (begin, used) = (at + 1, 0.0);
            continue;
        }
        let more = wide(c);
        if used + more > width && at > begin {
            if !push(begin..at) {
                return lines;
            }
            (begin, used) = (at, 0.0);
        }
        used += more;
    }
    push(begin..text.len());
    lines
}

/// How many characters a row of so many bytes has.
fn row_columns(bytes: usize) -> usize {
    8 + 2 + 3 * bytes + 1 + 1 + bytes
}

/// Bytes as a dump of full rows, for a screen reader and for short ones.
pub(super) fn dump(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (at, row) in bytes.chunks(ROW_BYTES.0).enumerate() {
        dump_row(&mut out, at * ROW_BYTES.0, row, ROW_BYTES.0);
        out.push('\n');
    }
    out.pop();
    out
}

fn dump_row(out: &mut String, offset: usize, row: &[u8], per_row: usize) {
    let _ = write!(out, "{offset:08x}  ");
    for at in 0..per_row {
        if at == per_row / 2 && per_row == ROW_BYTES.0 {
            out.push(' ');
        }
        let _ = match row.get(at) {
            Some(byte) => write!(out, "{byte:02x} "),
            None => write!(out, "   "),
        };
    }
    out.push(' ');
    out.extend(row.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_dumped_with_their_offset_and_text() {
        assert_eq!(
            dump(b"Hello, \x00\xff\x1b[31m world!"),
            "00000000  48 65 6c 6c 6f 2c 20 00  ff 1b 5b 33 31 6d 20 77  Hello, ...[31m w\n\
             00000010  6f 72 6c 64 21                                    orld!"
        );
        assert_eq!(dump(b""), "");
        let literal = Literal::Bytes((0..=255).collect());
        let narrow = literal.written(&Lines::Bytes(8, 32), 31..40);
        assert_eq!(narrow, "000000f8  f8 f9 fa fb fc fd fe ff  ........");
    }

    #[test]
    fn no_line_is_wider_than_its_place_and_nothing_is_left_out() {
        let wide = |c: char| if c.is_ascii() { 1.0 } else { 2.0 };
        let lines = |text: &str| {
            let ranges = break_lines(text, 4.0, wide);
            ranges.into_iter().map(|r| text[r.start as usize..r.end as usize].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(lines("abcdef"), ["abcd", "ef"]);
        assert_eq!(lines("한글이다"), ["한글", "이다"]);
        assert_eq!(lines("a\n\nb"), ["a", "", "b"]);
        assert_eq!(lines(""), [""]);
        assert_eq!(lines("abcd\n"), ["abcd", ""]);
        let long = "x".repeat(1_000_000);
        assert_eq!(break_lines(&long, 100.0, wide).len(), 10_000);
        assert_eq!(break_lines(&"\n".repeat(1_000_000), 100.0, wide).len(), MAX_LINES);
    }
}
