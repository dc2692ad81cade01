//! `duplexctl hub check`, `repair` and `backup`.

use std::path::Path;

use super::args::Upkeep;
use super::hub::failed;
use super::{Exit, Failure, hub_dir_here, print};
use crate::hub;

pub(super) fn run(command: Upkeep) -> Result<(), Failure> {
    match command {
        Upkeep::Check { data_dir } => check(&hub_dir_here(data_dir)?),
        Upkeep::Repair { data_dir } => repair(&hub_dir_here(data_dir)?),
        Upkeep::Backup { to, data_dir } => backup(&hub_dir_here(data_dir)?, &to),
    }
}

fn check(data_dir: &Path) -> Result<(), Failure> {
    let found = hub::check(data_dir).map_err(failed)?;
    for line in found.notes.iter().chain(&found.problems) {
        print::line(&print::harmless(line))?;
    }
    let place = data_dir.display();
    match found.problems.len() {
        0 => print::line(&format!("{place}: nothing is wrong")),
        1 => Err(problems(&format!("{place}: a problem was found"), data_dir)),
        count => Err(problems(&format!("{place}: {count} problems were found"), data_dir)),
    }
}

fn problems(sentence: &str, data_dir: &Path) -> Failure {
    let advice = format!(
        "{sentence}; stop the hub and run `duplexctl hub repair --data-dir {}`, or restore a backup",
        data_dir.display()
    );
    Failure::new(Exit::Failed, advice)
}

fn repair(data_dir: &Path) -> Result<(), Failure> {
    match hub::repair(data_dir).map_err(failed)? {
        None => print::line(&format!("{}: nothing is wrong, and nothing was changed", data_dir.display())),
        Some(lines) => lines.iter().try_for_each(|line| print::line(&print::harmless(line))),
    }
}

fn backup(data_dir: &Path, to: &Path) -> Result<(), Failure> {
    let names = hub::backup(data_dir, to).map_err(failed)?;
    print::line(&format!("{}: {}, checked", to.display(), names.join(", ")))?;
    print::line(&format!(
        "to restore it: stop the hub, move {} away, copy {} to its place, start the hub",
        data_dir.display(),
        to.display()
    ))
}
