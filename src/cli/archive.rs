//! `duplexctl export` and `duplexctl import`.

use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write};
use std::path::Path;

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, TimeZone as _};

use super::args::{Export, ExportFormat, ExportOnly, Import};
use super::{Exit, Failure, default_hub_dir, hub_dir_here, print};
use crate::hub::{Csv, HubError, Importer, Line, Wanted, export};
use crate::model::time::WallMs;

/// Maximum length of a line that is imported, in bytes. An entry has at most 64 KiB of text, six times as long in JSON.
const MAX_LINE_BYTES: u64 = 2 * 1024 * 1024;

pub(super) async fn run_export(command: Export) -> Result<(), Failure> {
    let dir = hub_dir_here(command.data_dir)?;
    let wanted = Wanted {
        from: command.from.unwrap_or(WallMs::MIN),
        to: command.to.unwrap_or(WallMs::MAX),
        rooms: command.room,
        messages: command.only != Some(ExportOnly::Readings),
        readings: command.only != Some(ExportOnly::Messages),
    };
    let mut out = output(command.output.as_deref())?;
    let mut csv = Csv::default();
    if command.format == ExportFormat::Csv {
        written(writeln!(out, "{}", Csv::HEAD))?;
    }
    let written_all = export(&dir, &wanted, |line| {
        let text = match command.format {
            ExportFormat::Jsonl => Some(serde_json::to_string(&line).map_err(|error| {
                Failure::new(Exit::Failed, format!("an entry cannot be written: {error}"))
            })?),
            ExportFormat::Csv => csv.row(&line),
        };
        text.map_or(Ok(()), |text| written(writeln!(out, "{text}")))
    });
    written_all.await?;
    written(out.flush())
}

/// To this file, which must not be there yet, or to the standard output.
fn output(path: Option<&Path>) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = path else { return Ok(Box::new(BufWriter::new(print::output()))) };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| {
        let path = print::harmless(&path.display().to_string());
        Failure::new(Exit::Failed, format!("{path} cannot be created: {error}"))
    })?;
    Ok(Box::new(BufWriter::new(file)))
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        // Whoever reads has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::new(Exit::Failed, "")),
        Err(error) => Err(Failure::new(Exit::Failed, format!("the export cannot be written: {error}"))),
        Ok(()) => Ok(()),
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Failure {
        super::hub::failed(error)
    }
}

/// A moment on the command line: a date, a date and a time here, or a time with its offset.
pub(super) fn moment(text: &str) -> Result<WallMs, String> {
    let wrong = || "a date such as 2026-11-03, or a time such as 2026-11-03T14:00".to_owned();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(WallMs(time.timestamp_millis()));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let time = || {
        ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|pattern| NaiveDateTime::parse_from_str(text, pattern).ok())
    };
    let local = day.or_else(time).ok_or_else(wrong)?;
    Local.from_local_datetime(&local).earliest().map(|time| WallMs(time.timestamp_millis())).ok_or_else(wrong)
}

pub(super) async fn run_import(command: Import) -> Result<(), Failure> {
    let dir = default_hub_dir(command.data_dir)?;
    let mut from = input(&command.file)?;
    let mut importer = Importer::open(&dir)?;
    let (mut number, mut text) = (0_u64, String::new());
    loop {
        text.clear();
        number += 1;
        let read = (&mut from).take(MAX_LINE_BYTES).read_line(&mut text);
        let read = read.map_err(|error| at_line(number, &error.to_string()))?;
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE_BYTES {
            return Err(at_line(number, "it is too long"));
        }
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| at_line(number, &error.to_string()))?;
        importer.take(line).await?;
    }
    let imported = importer.finish().await?;
    let mut said = format!("{} new, {} there already", imported.new, imported.known);
    if imported.refused > 0 {
        said.push_str(&format!(", {} not taken", imported.refused));
    }
    print::line(&said)
}

fn at_line(number: u64, why: &str) -> Failure {
    let why = print::harmless(why);
    let sentence = format!("line {number} is not of an export: {why}; what came before it is imported");
    Failure::new(Exit::Failed, sentence)
}

fn input(path: &Path) -> Result<Box<dyn io::BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = std::fs::File::open(path).map_err(|error| {
        let path = print::harmless(&path.display().to_string());
        Failure::new(Exit::Failed, format!("{path} cannot be read: {error}"))
    })?;
    Ok(Box::new(BufReader::new(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_or_times() {
        assert_eq!(moment("2026-11-03T14:00:00+09:00"), Ok(WallMs(1_793_682_000_000)));
        let day = moment("2026-11-03").unwrap();
        assert_eq!(moment("2026-11-03T00:00"), Ok(day));
        assert_eq!(moment("2026-11-03T00:00:30"), Ok(day + 30_000));
        for wrong in ["", "yesterday", "2026-13-01", "2026-11-03T25:00"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
