//! `duplexctl generate`: manual pages and shell completions for packages, generated from the flags.

use std::fs;
use std::io;
use std::path::Path;

use clap_complete::Shell;

use super::{Exit, Failure, help, print};

/// Where each shell looks below a `share` directory, and the file name it expects.
const SHELLS: [(Shell, &str, &str, &str); 3] = [
    (Shell::Bash, "bash-completion/completions", "", ""),
    (Shell::Zsh, "zsh/site-functions", "_", ""),
    (Shell::Fish, "fish/vendor_completions.d", "", ".fish"),
];

/// Writes the files for this program and for the window, `app`, below `share`.
pub(super) fn run(share: &Path, app: clap::Command) -> Result<(), Failure> {
    for command in [help::command(), app] {
        write(share, command).map_err(|error| {
            let place = print::harmless(&share.display().to_string());
            Failure::new(Exit::Failed, format!("{place} cannot be written to: {error}"))
        })?;
    }
    Ok(())
}

fn write(share: &Path, mut command: clap::Command) -> io::Result<()> {
    // First, and of a copy: generating completions builds the command with its `help`, which has no page.
    let manual = share.join("man/man1");
    fs::create_dir_all(&manual)?;
    clap_mangen::generate_to(command.clone(), &manual)?;
    let name = command.get_name().to_owned();
    for (shell, folder, before, after) in SHELLS {
        let folder = share.join(folder);
        fs::create_dir_all(&folder)?;
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, &name, &mut script);
        fs::write(folder.join(format!("{before}{name}{after}")), script)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generated() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let app = clap::Command::new("duplex").arg(clap::arg!(--url <URL> "Connect to this server alone"));
        run(dir.path(), app).map_err(|failure| failure.sentence).unwrap();
        dir
    }

    #[test]
    fn every_command_a_person_is_told_of_has_a_page_that_names_its_flags() {
        let dir = generated();
        let page = |name: &str| fs::read_to_string(dir.path().join("man/man1").join(name)).unwrap();
        for command in help::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let page = page(&format!("duplexctl-{}.1", command.get_name()));
            let flags = command.get_arguments().filter(|flag| !flag.is_hide_set());
            for flag in flags.filter_map(|flag| flag.get_long()) {
                assert!(
                    page.contains(&flag.replace('-', "\\-")),
                    "{} says nothing of --{flag}",
                    command.get_name()
                );
            }
        }
        assert!(page("duplexctl.1").contains("Exit codes"), "what stands below the help is there, too");
        assert!(page("duplex.1").contains("\\-\\-url"));
        for page in ["duplexctl-generate.1", "duplexctl-help.1", "duplexctl-device-help.1"] {
            assert!(!dir.path().join("man/man1").join(page).exists(), "{page} tells a person nothing");
        }
    }

    #[test]
    fn each_shell_finds_both_programs_where_it_looks() {
        let dir = generated();
        for program in ["duplex", "duplexctl"] {
            for file in [
                format!("bash-completion/completions/{program}"),
                format!("zsh/site-functions/_{program}"),
                format!("fish/vendor_completions.d/{program}.fish"),
            ] {
                let script = fs::read_to_string(dir.path().join(&file)).unwrap();
                assert!(script.contains(program), "{file}");
            }
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let failure = run(&file, clap::Command::new("duplex")).err().unwrap();
        assert!(failure.sentence.contains("file cannot be written to"), "{}", failure.sentence);
    }
}
