//! Writes readings as comma-separated values (RFC 4180): one row per time, one column per metric. The source is read
//! piece by piece, so that memory stays bounded.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use chrono::{Local, SecondsFormat, TimeZone};

use super::export::{Failed, is_summary};
use crate::model::device::{Metric, MetricName, MetricType};
use crate::model::export::{MAX_EXPORT_BYTES, MAX_EXPORT_ROWS};
use crate::model::series::MINUTE_MS;
use crate::model::time::WallMs;
use crate::model::{Bucket, Number, SeriesPage, StateChange};
use crate::store::readings::Kept;

/// Maximum number of readings of one metric in memory.
const MAX_PIECE: usize = 20_000;
/// Minimum length of a piece, in milliseconds.
const MIN_PIECE_MS: i64 = 1_000;

/// Reading failed; the store's error.
#[derive(Debug)]
pub(super) struct Unread(pub(super) String);

/// A source of readings.
pub(super) trait Past {
    /// The stored readings of a metric, limited in number.
    fn kept(&mut self, metric: &MetricName, from: WallMs, to: WallMs, most: usize) -> Result<Kept, Unread>;
    /// Its text values, in order of time.
    fn states(&mut self, metric: &MetricName) -> Result<Vec<StateChange>, Unread>;
}

/// One column.
pub(super) struct Column {
    metric: MetricName,
    /// Its name and unit.
    name: String,
    unit: String,
    is_flag: bool,
    /// The server's readings where this disk has none.
    page: Option<SeriesPage>,
}

impl Column {
    /// `page`: the server's readings that are shown beyond what this disk has.
    pub(super) fn new(metric: &Metric, page: Option<SeriesPage>) -> Column {
        Column {
            metric: metric.name.clone(),
            name: metric.name.to_string(),
            unit: metric.unit.clone(),
            is_flag: metric.kind == MetricType::Flag,
            page: page.filter(is_summary),
        }
    }

    fn heading(&self, what: &str) -> String {
        let mut heading = self.name.clone();
        if !what.is_empty() {
            let _ = write!(heading, " {what}");
        }
        if !self.unit.is_empty() {
            let _ = write!(heading, " ({})", self.unit);
        }
        heading
    }
}

/// The result.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) rows: u64,
    /// The time at which it was truncated because the file was full.
    pub(super) cut_at: Option<WallMs>,
}

/// One cell.
#[derive(Clone, Debug)]
enum Cell {
    Number(Number),
    /// Mean, minimum and maximum of an interval.
    Stretch(f64, f64, f64),
    Text(Arc<str>),
}

/// A row's key: its time and the length of its interval in milliseconds; 0 for a single reading.
type Moment = (WallMs, i64);

/// Writes the table of all readings in a range.
pub(super) fn write(
    out: &mut impl Write,
    columns: &[Column],
    range: Range<WallMs>,
    past: &mut impl Past,
) -> Result<Written, Failed> {
    let mut words = Vec::new();
    for column in columns {
        words.push(within(past.states(&column.metric)?, &range));
    }
    let has_stretches = has_stretches(columns, &range, past)?;
    let mut file = Limited { out, bytes: 0, line: String::new() };
    file.heading(columns, has_stretches)?;
    let mut written = Written { rows: 0, cut_at: None };
    // A text value set before the range is still current when it begins.
    let earlier = words.iter().filter_map(|changes| changes.first()).map(|change| change.at).min();
    let mut from = range.start.min(earlier.unwrap_or(range.start));
    let mut piece = range.end.since(range.start).max(MIN_PIECE_MS);
    while from < range.end {
        let to = from.saturating_add(piece).min(range.end);
        let (rows, to) = match rows(columns, &words, from..to, range.start, past)? {
            Read::All(rows, to) => (rows, to),
            Read::TooMany => {
                piece = (piece / 4).max(MIN_PIECE_MS);
                continue;
            }
        };
        for (moment, cells) in rows {
            if written.rows >= MAX_EXPORT_ROWS || file.bytes >= MAX_EXPORT_BYTES {
                written.cut_at = Some(moment.0);
                return Ok(written);
            }
            file.row(columns, has_stretches, moment, &cells)?;
            written.rows += 1;
        }
        piece = piece.saturating_mul(2);
        from = to;
    }
    Ok(written)
}

/// The changes within a range, and the last one before it. No cell where nothing is known.
fn within(changes: Vec<StateChange>, range: &Range<WallMs>) -> Vec<StateChange> {
    let first = changes.partition_point(|change| change.at < range.start);
    let begin = first.saturating_sub(1);
    let mut changes: Vec<StateChange> = changes.into_iter().skip(begin).collect();
    changes.retain(|change| change.at < range.end && change.value.is_some());
    changes
}

/// Whether a part of the range is only stored as intervals.
fn has_stretches(columns: &[Column], range: &Range<WallMs>, past: &mut impl Past) -> Result<bool, Unread> {
    for column in columns {
        if column.page.is_some() {
            return Ok(true);
        }
        // Only the beginning matters: the newest readings are stored one by one.
        let end = range.start.saturating_add(MINUTE_MS).min(range.end);
        match past.kept(&column.metric, range.start, end, MAX_PIECE)? {
            Kept::Minutes(_) | Kept::RawFrom(_) => return Ok(true),
            Kept::Raw(_) | Kept::TooMany => {}
        }
    }
    Ok(false)
}

/// The result of reading a piece.
enum Read {
    /// All of it, up to this time.
    All(BTreeMap<Moment, Vec<(usize, Cell)>>, WallMs),
    /// The piece is too long.
    TooMany,
}

/// The rows of a piece. `begins`: where numbers begin; only text values are older.
fn rows(
    columns: &[Column],
    words: &[Vec<StateChange>],
    piece: Range<WallMs>,
    begins: WallMs,
    past: &mut impl Past,
) -> Result<Read, Unread> {
    let mut to = piece.end;
    let from = piece.start.max(begins);
    let mut numbers = Vec::new();
    for column in columns {
        // A piece of minimum length is read completely, however many readings it has.
        let most = if piece.end - piece.start <= MIN_PIECE_MS { usize::MAX } else { MAX_PIECE };
        let kept = match past.kept(&column.metric, from, to, most)? {
            Kept::RawFrom(at) => {
                to = at.clamp(from + 1, to);
                past.kept(&column.metric, from, to, most)?
            }
            kept => kept,
        };
        match kept {
            Kept::TooMany => return Ok(Read::TooMany),
            kept => numbers.push(kept),
        }
    }
    let mut rows: BTreeMap<Moment, Vec<(usize, Cell)>> = BTreeMap::new();
    let mut put = |moment: Moment, place: usize, cell: Cell| {
        if moment.0 < to {
            rows.entry(moment).or_default().push((place, cell));
        }
    };
    for (place, (column, kept)) in columns.iter().zip(numbers).enumerate() {
        let own: Vec<Bucket> = match kept {
            Kept::Raw(points) => {
                let points = points.into_iter().filter(|point| point.value.is_finite());
                points.map(Bucket::of).collect()
            }
            Kept::Minutes(buckets) => buckets,
            Kept::TooMany | Kept::RawFrom(_) => Vec::new(),
        };
        for bucket in others(column, &own, from..to) {
            let step = column.page.as_ref().map_or(0, |page| page.step_ms);
            put((bucket.at, step), place, Cell::Stretch(bucket.mean, bucket.min, bucket.max));
        }
        for bucket in own {
            if bucket.count > 1 || bucket.min != bucket.max {
                put((bucket.at, MINUTE_MS), place, Cell::Stretch(bucket.mean, bucket.min, bucket.max));
            } else {
                put((bucket.at, 0), place, Cell::Number(Number::new(bucket.mean, bucket.off)));
            }
        }
    }
    for (place, changes) in words.iter().enumerate() {
        for change in changes.iter().filter(|change| piece.contains(&change.at)) {
            if let Some(value) = &change.value {
                put((change.at, 0), place, Cell::Text(Arc::clone(value)));
            }
        }
    }
    Ok(Read::All(rows, to))
}

/// The server's intervals for which this disk has nothing.
fn others<'a>(
    column: &'a Column,
    own: &'a [Bucket],
    piece: Range<WallMs>,
) -> impl Iterator<Item = &'a Bucket> {
    column.page.iter().flat_map(move |page| {
        let piece = piece.clone();
        page.buckets.iter().filter(move |bucket| {
            let ends = bucket.at.saturating_add(page.step_ms);
            let first = own.partition_point(|own| own.at < bucket.at);
            let is_covered = own.get(first).is_some_and(|own| own.at < ends);
            piece.contains(&bucket.at) && !is_covered && bucket.mean.is_finite()
        })
    })
}

/// A file with a length limit.
struct Limited<'a, W> {
    out: &'a mut W,
    bytes: u64,
    line: String,
}

impl<W: Write> Limited<'_, W> {
    fn heading(&mut self, columns: &[Column], has_stretches: bool) -> io::Result<()> {
        self.line.clear();
        self.line.push_str("time");
        if has_stretches {
            self.line.push_str(",averaged over (s)");
        }
        for column in columns {
            let all: &[&str] = if has_stretches { &["", "min", "max"] } else { &[""] };
            for what in all {
                self.line.push(',');
                text(&mut self.line, &column.heading(what));
            }
        }
        if !self.line.is_ascii() {
            // Without a byte order mark, spreadsheets misread non-ASCII text.
            self.line.insert(0, '\u{FEFF}');
        }
        self.end()
    }

    fn row(
        &mut self,
        columns: &[Column],
        has_stretches: bool,
        (at, step_ms): Moment,
        cells: &[(usize, Cell)],
    ) -> io::Result<()> {
        self.line.clear();
        match Local.timestamp_millis_opt(at.0).single() {
            Some(time) => self.line.push_str(&time.to_rfc3339_opts(SecondsFormat::Millis, false)),
            None => _ = write!(self.line, "{}", at.0),
        }
        if has_stretches {
            self.line.push(',');
            if step_ms > 0 {
                number(&mut self.line, step_ms as f64 / 1_000.0);
            }
        }
        for (place, column) in columns.iter().enumerate() {
            self.line.push(',');
            // Of two readings with the same time, the later one wins.
            let cell = cells.iter().rev().find(|(of, _)| *of == place).map(|(_, cell)| cell);
            self.cell(column, has_stretches, cell);
        }
        self.end()
    }

    fn cell(&mut self, column: &Column, has_stretches: bool, cell: Option<&Cell>) {
        let ends = match cell {
            None => None,
            Some(Cell::Text(said)) => {
                text(&mut self.line, said);
                None
            }
            Some(Cell::Number(value)) if column.is_flag => {
                self.line.push_str(if value.nearest() >= 0.5 { "true" } else { "false" });
                None
            }
            Some(Cell::Number(value)) => {
                match value.off() {
                    0 => number(&mut self.line, value.nearest()),
                    // With full precision.
                    _ => _ = write!(self.line, "{value}"),
                }
                None
            }
            Some(Cell::Stretch(mean, low, high)) => {
                number(&mut self.line, *mean);
                Some((*low, *high))
            }
        };
        if has_stretches {
            for end in [ends.map(|ends| ends.0), ends.map(|ends| ends.1)] {
                self.line.push(',');
                if let Some(end) = end {
                    number(&mut self.line, end);
                }
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.line.push_str("\r\n");
        self.bytes += self.line.len() as u64;
        self.out.write_all(self.line.as_bytes())
    }
}

/// A number in a format that every program reads.
fn number(line: &mut String, value: f64) {
    let _ = write!(line, "{}", Number::from(value));
}

/// A text, quoted if necessary. An apostrophe is put before what a spreadsheet would take for a formula.
fn text(line: &mut String, said: &str) {
    let is_formula = said.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || said.starts_with(['\t', '\r', '\n']);
    let mark = if is_formula { "'" } else { "" };
    let said: String = said.chars().filter(|c| *c != '\0').collect();
    if is_formula || said.contains([',', '"', '\n', '\r', ';', '\t']) || said.trim() != said {
        let _ = write!(line, "\"{mark}{}\"", said.replace('"', "\"\""));
    } else {
        line.push_str(&said);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::ShortName;
    use crate::model::series::Point;

    const START: WallMs = WallMs(1_760_529_600_000);

    /// Single readings from a time on, minutes before it.
    #[derive(Default)]
    struct Fake {
        points: Vec<(&'static str, i64, f64)>,
        words: Vec<(&'static str, i64, Option<&'static str>)>,
        raw_begins: WallMs,
        asked: usize,
    }

    impl Past for Fake {
        fn kept(
            &mut self,
            metric: &MetricName,
            from: WallMs,
            to: WallMs,
            most: usize,
        ) -> Result<Kept, Unread> {
            self.asked += 1;
            let own = self.points.iter().filter(|(name, ..)| *name == metric.as_str());
            let points: Vec<Point> = own
                .map(|(_, at, value)| Point::new(START + *at, *value))
                .filter(|point| (from..to).contains(&point.at))
                .collect();
            Ok(match () {
                () if points.len() > most => Kept::TooMany,
                () if from >= self.raw_begins => Kept::Raw(points),
                () if to > self.raw_begins => Kept::RawFrom(self.raw_begins),
                () => Kept::Minutes(
                    points.into_iter().map(|point| Bucket { count: 3, ..Bucket::of(point) }).collect(),
                ),
            })
        }

        fn states(&mut self, metric: &MetricName) -> Result<Vec<StateChange>, Unread> {
            let own = self.words.iter().filter(|(name, ..)| *name == metric.as_str());
            Ok(own.map(|(_, at, said)| StateChange { at: START + *at, value: said.map(Arc::from) }).collect())
        }
    }

    fn column(name: &str, kind: MetricType, unit: &str) -> Column {
        let metric = Metric { unit: unit.into(), ..Metric::new(ShortName::new(name).unwrap(), kind) };
        Column::new(&metric, None)
    }

    /// The lines, with times as milliseconds since the start.
    fn lines(columns: &[Column], range: Range<i64>, past: &mut Fake) -> (Vec<String>, Written) {
        let mut out = Vec::new();
        let range = START + range.start..START + range.end;
        let written = write(&mut out, columns, range, past).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("\r\n"));
        let lines = text.split_terminator("\r\n").enumerate().map(|(at, line)| match line.split_once(',') {
            Some((time, rest)) if at > 0 => {
                let time = chrono::DateTime::parse_from_rfc3339(time).unwrap();
                format!("{},{rest}", time.timestamp_millis() - START.0)
            }
            _ => line.to_owned(),
        });
        (lines.collect(), written)
    }

    #[test]
    fn a_whole_number_beyond_f64_keeps_its_digits() {
        struct One;
        impl Past for One {
            fn kept(&mut self, _: &MetricName, _: WallMs, _: WallMs, _: usize) -> Result<Kept, Unread> {
                let value = crate::model::Value::from(u64::MAX - 1);
                Ok(Kept::Raw(Point::of(START, &value).into_iter().collect()))
            }
            fn states(&mut self, _: &MetricName) -> Result<Vec<StateChange>, Unread> {
                Ok(Vec::new())
            }
        }
        let mut out = Vec::new();
        write(&mut out, &[column("serial", MetricType::Number, "")], START..START + 1, &mut One).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.trim_end().ends_with(",18446744073709551614"), "{text}");
    }

    #[test]
    fn a_row_has_all_that_was_said_at_one_moment() {
        let mut past = Fake {
            points: vec![
                ("temp", 0, 21.5),
                ("light", 0, 1.0),
                ("temp", 1_000, -3.0),
                ("light", 2_000, 0.0),
                ("temp", 9_000, 1.0),
            ],
            words: vec![
                ("mode", -9_000, Some("old")),
                ("mode", -5_000, Some("eco, \"quiet\"")),
                ("mode", 1_000, Some("=1+1")),
                ("mode", 1_500, None),
            ],
            ..Fake::default()
        };
        let columns = [
            column("temp", MetricType::Number, "°C"),
            column("light", MetricType::Flag, ""),
            column("mode", MetricType::Enum, ""),
        ];
        let (lines, written) = lines(&columns, 0..5_000, &mut past);
        assert_eq!(
            lines,
            [
                "\u{FEFF}time,temp (°C),light,mode",
                "-5000,,,\"eco, \"\"quiet\"\"\"",
                "0,21.5,true,",
                "1000,-3,,\"'=1+1\"",
                "2000,,false,",
            ]
        );
        assert_eq!(written, Written { rows: 4, cut_at: None });
    }

    #[test]
    fn many_readings_are_read_piece_by_piece_and_none_is_left_out() {
        let points = (0..100_000).map(|n| ("a", n * 10, n as f64)).collect();
        let mut past = Fake { points, ..Fake::default() };
        let (lines, written) = lines(&[column("a", MetricType::Number, "")], 0..1_000_000, &mut past);
        assert_eq!((lines.len(), written.rows), (100_001, 100_000));
        assert_eq!((lines[1].as_str(), lines[100_000].as_str()), ("0,0", "999990,99999"));
        assert!(past.asked > 5);
    }

    #[test]
    fn what_is_kept_as_minutes_says_so() {
        let points = vec![("a", 0, 1.0), ("a", 60_000, 2.0), ("a", 125_000, 3.0)];
        let mut past = Fake { points, raw_begins: START + 120_000, ..Fake::default() };
        let (lines, _) = lines(&[column("a", MetricType::Number, "V")], 0..200_000, &mut past);
        assert_eq!(
            lines,
            [
                "time,averaged over (s),a (V),a min (V),a max (V)",
                "0,60,1,1,1",
                "60000,60,2,2,2",
                "125000,,3,,",
            ]
        );
    }

    #[test]
    fn the_server_s_past_fills_what_this_disk_has_not() {
        let bucket = |at: i64, mean: f64| {
            let (min, max) = (mean - 1.0, mean + 1.0);
            Bucket { at: START + at, min, mean, max, count: 9, off: 0 }
        };
        let page = SeriesPage {
            from: START,
            to: START + 300_000,
            step_ms: 60_000,
            buckets: vec![bucket(0, 5.0), bucket(60_000, 6.0)],
        };
        let metric = Metric::new(ShortName::new("a").unwrap(), MetricType::Number);
        let mut past = Fake { points: vec![("a", 61_000, 7.0)], ..Fake::default() };
        let (lines, _) = lines(&[Column::new(&metric, Some(page))], 0..300_000, &mut past);
        assert_eq!(lines[1..], ["0,60,5,4,6", "61000,,7,,"]);
    }

    #[test]
    fn no_text_is_a_formula_or_breaks_a_row() {
        for (said, cell) in [
            ("plain", "plain"),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@x", "\"'@x\""),
            (" =x", "\"' =x\""),
            ("\tx", "\"'\tx\""),
            ("two\nlines\0", "\"two\nlines\""),
            ("a;b", "\"a;b\""),
        ] {
            let mut line = String::new();
            text(&mut line, said);
            assert_eq!(line, cell, "{said:?}");
        }
        let mut line = String::new();
        for value in [0.1, -0.0, 1e300, 1e-9, 9_007_199_254_740_993.0, i64::MIN as f64] {
            number(&mut line, value);
            line.push(' ');
        }
        assert_eq!(line, "0.1 -0 1e300 1e-9 9007199254740992 -9223372036854775808 ");
    }
}
