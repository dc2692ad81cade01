//! The files of the agent's service, below a root: where they are, whose they are, and changes of them that can be undone.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::args::AgentPlace;
use super::{Exit, Failure};
use crate::settings::private_file;

/// The first line of what `install` writes: it replaces and removes nothing else.
pub(super) const MARK: &str =
    "# Written by `duplexctl agent install`. `duplexctl agent uninstall` removes it.\n";
/// The unit as packages have it.
const UNIT: &str = include_str!("../../packaging/linux/duplex-agent@.service");
/// The program in [`UNIT`].
const PACKAGED_PROGRAM: &str = "/usr/bin/duplexctl";
/// Where packages and `install.sh --system` keep units, in systemd's order.
const UNIT_FOLDERS: [&str; 3] =
    ["usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"];
/// What systemd reads first.
const ETC_UNITS: &str = "etc/systemd/system";
const SETTINGS: &str = "etc/duplex";
/// Maximum number of bytes read of a unit or of settings.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// Maximum number of bytes of a CA certificate.
const MAX_CA_BYTES: u64 = 1024 * 1024;

/// Where one service keeps its files.
pub(super) struct Place {
    pub(super) root: PathBuf,
    service: String,
}

impl Place {
    pub(super) fn new(place: &AgentPlace) -> Place {
        Place { root: place.root.root.clone(), service: place.service.clone() }
    }

    /// The service's name for systemd.
    pub(super) fn service(&self) -> String {
        format!("duplex-agent@{}.service", self.service)
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.root.join(SETTINGS).join(format!("agent-{}.conf", self.service))
    }

    pub(super) fn ca_file(&self) -> PathBuf {
        self.root.join(SETTINGS).join(format!("agent-{}.pem", self.service))
    }

    /// The same path as the service sees it. The service's name has no spaces, and so it needs no quotes.
    pub(super) fn ca_option(&self) -> String {
        format!("/{SETTINGS}/agent-{}.pem", self.service)
    }

    /// Our unit, where no package brought one.
    pub(super) fn unit(&self) -> PathBuf {
        self.root.join(ETC_UNITS).join("duplex-agent@.service")
    }

    /// The link that enables the service.
    pub(super) fn link(&self) -> PathBuf {
        self.root.join(ETC_UNITS).join("multi-user.target.wants").join(self.service())
    }

    /// The unit that a package brought, or `None` if ours is needed.
    ///
    /// # Errors
    /// If a unit of the same name is somebody else's.
    pub(super) fn packaged_unit(&self) -> Result<Option<PathBuf>, Failure> {
        let own = self.root.join(ETC_UNITS).join(self.service());
        if is_there(&own) || (is_there(&self.unit()) && !is_ours(&self.unit())) {
            let foreign = if is_there(&own) { own } else { self.unit() };
            return Err(foreign_file(&foreign));
        }
        let Some(unit) = UNIT_FOLDERS
            .iter()
            .map(|folder| self.root.join(folder).join("duplex-agent@.service"))
            .find(|unit| is_there(unit))
        else {
            return Ok(None);
        };
        match read(&unit) {
            Ok(text) if text.contains("/duplexctl agent ") => Ok(Some(unit)),
            _ => Err(foreign_file(&unit)),
        }
    }

    /// # Errors
    /// If there are settings that somebody else wrote.
    pub(super) fn check_settings(&self) -> Result<(), Failure> {
        let settings = self.settings();
        if is_there(&settings) && !is_ours(&settings) { Err(foreign_file(&settings)) } else { Ok(()) }
    }

    /// Settings of all services that `install` wrote, in order of names.
    pub(super) fn all_settings(root: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(root.join(SETTINGS)) else { return Vec::new() };
        let is_of_agent = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("agent-") && name.ends_with(".conf")
        };
        let mut all: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_of_agent).collect();
        all.sort();
        all
    }
}

fn foreign_file(path: &Path) -> Failure {
    let path = path.display();
    let sentence = format!(
        "{path} is there already, and `duplexctl agent install` did not write it: move it away, or choose another --service"
    );
    Failure::new(Exit::Failed, sentence)
}

/// Whether there is anything, a link that leads nowhere included.
pub(super) fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether `install` wrote a file.
pub(super) fn is_ours(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
        && read(path).is_ok_and(|text| text.starts_with(MARK))
}

/// Reads a unit or settings.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MAX_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads a CA certificate.
pub(super) fn read_ca(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_CA_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 <= MAX_CA_BYTES => Ok(bytes),
        Ok(_) => {
            Err(Failure::new(Exit::Failed, format!("{} is too large for a certificate", path.display())))
        }
        Err(error) => Err(Failure::new(Exit::Failed, format!("{} cannot be read: {error}", path.display()))),
    }
}

/// Our unit for a program somewhere else.
pub(super) fn unit_for(program: &Path) -> String {
    format!("{MARK}{}", UNIT.replace(PACKAGED_PROGRAM, &program.to_string_lossy()))
}

/// Whether a service that runs as nobody in particular can start the program.
///
/// # Errors
/// Why not, and what to do.
pub(super) fn check_program(program: &Path) -> Result<(), Failure> {
    let is_open = |path: &Path, bits: u32| {
        fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & bits == bits)
    };
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'+');
    // The service has a /tmp of its own.
    let is_kept = !program.starts_with("/tmp") && !program.starts_with("/var/tmp");
    let is_reachable =
        is_open(program, 0o005) && program.ancestors().skip(1).all(|folder| is_open(folder, 0o001));
    if is_kept && is_reachable && program.to_string_lossy().bytes().all(is_plain) {
        return Ok(());
    }
    let program = program.display();
    let sentence = format!(
        "a service cannot use the program at {program}; put it where everybody can, and use that one: \
         sudo install -m 755 {program} /usr/local/bin/duplexctl"
    );
    Err(Failure::new(Exit::Failed, sentence))
}

/// A value in a file of variables for systemd (systemd.exec(5), EnvironmentFile=).
pub(super) fn quoted(value: &str) -> String {
    let mut quoted = String::from('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '`' | '$') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Changes of files. Dropped before [`Changes::keep`], they are undone.
#[derive(Default)]
pub(super) struct Changes(Vec<Undo>);

enum Undo {
    /// Write this content again, with these permissions.
    Restore(PathBuf, Vec<u8>, u32),
    Remove(PathBuf),
    RemoveFolder(PathBuf),
}

impl Changes {
    /// Writes a file with exactly these permissions, on disk when this returns.
    pub(super) fn write(&mut self, path: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
        let failed =
            |error| Failure::new(Exit::Failed, format!("{} cannot be written: {error}", path.display()));
        self.make_folders(path).map_err(failed)?;
        self.0.push(match before(path).map_err(failed)? {
            Some((content, mode)) => Undo::Restore(path.to_owned(), content, mode),
            None => Undo::Remove(path.to_owned()),
        });
        put(path, content, mode).map_err(failed)
    }

    /// Removes a file, if it is there.
    pub(super) fn remove(&mut self, path: &Path) -> Result<(), Failure> {
        let failed =
            |error| Failure::new(Exit::Failed, format!("{} cannot be removed: {error}", path.display()));
        if let Some((content, mode)) = before(path).map_err(failed)? {
            fs::remove_file(path).map_err(failed)?;
            self.0.push(Undo::Restore(path.to_owned(), content, mode));
        }
        Ok(())
    }

    /// The changes stay.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }

    /// The folders that a file needs, open to everybody as /etc is.
    fn make_folders(&mut self, path: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = path.ancestors().skip(1).take_while(|folder| !folder.exists()).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder)?;
            self.0.push(Undo::RemoveFolder(folder.to_owned()));
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        for undo in self.0.drain(..).rev() {
            let undone = match &undo {
                Undo::Restore(path, content, mode) => put(path, content, *mode),
                Undo::Remove(path) => match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                },
                Undo::RemoveFolder(path) => fs::remove_dir(path),
            };
            let (Undo::Restore(path, ..) | Undo::Remove(path) | Undo::RemoveFolder(path)) = &undo;
            if let Err(error) = undone {
                log::warn!("{} could not be put back as it was: {error}", path.display());
            }
        }
    }
}

/// A file's content and permissions; `None` if it is not there.
fn before(path: &Path) -> io::Result<Option<(Vec<u8>, u32)>> {
    match fs::read(path) {
        Ok(content) => Ok(Some((content, fs::metadata(path)?.permissions().mode() & 0o7777))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Replaces a file atomically; others cannot read it before it has its permissions.
fn put(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    private_file::write(path, content)?;
    if mode == 0o600 { Ok(()) } else { fs::set_permissions(path, fs::Permissions::from_mode(mode)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_as_systemd_reads_them() {
        assert_eq!(quoted("Workshop Pi"), r#""Workshop Pi""#);
        assert_eq!(quoted(r#"a "b" $c `d` \e # 작업실"#), r#""a \"b\" \$c \`d\` \\e # 작업실""#);
    }

    #[test]
    fn our_unit_is_the_packages_with_another_program() {
        let unit = unit_for(Path::new("/opt/duplex/bin/duplexctl"));
        assert!(unit.starts_with(MARK));
        assert!(unit.contains(
            "\nExecStart=/opt/duplex/bin/duplexctl agent --url ${DUPLEX_URL} $DUPLEX_AGENT_OPTIONS\n"
        ));
        assert!(unit.contains("\nDynamicUser=yes\n") && !unit.contains(PACKAGED_PROGRAM));
    }

    #[test]
    fn a_program_that_only_its_owner_can_start_is_refused() {
        for bad in ["/tmp/duplexctl", "/nowhere/duplexctl", "/proc/self/mem"] {
            assert!(
                check_program(Path::new(bad)).is_err_and(|why| why.sentence.contains("sudo install")),
                "{bad}"
            );
        }
        let shell = fs::canonicalize("/bin/sh").unwrap();
        assert!(check_program(&shell).is_ok());
    }

    #[test]
    fn changes_that_are_not_kept_are_undone() {
        let root = tempfile::tempdir().unwrap();
        let (old, other, new) =
            (root.path().join("old"), root.path().join("other"), root.path().join("a/b/new"));
        for path in [&old, &other] {
            fs::write(path, "before").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let change = || {
            let mut changes = Changes::default();
            changes.write(&old, b"after", 0o600).ok().unwrap();
            changes.write(&new, b"after", 0o644).ok().unwrap();
            changes.remove(&other).ok().unwrap();
            changes.remove(Path::new("/nowhere/at/all")).ok().unwrap();
            changes
        };
        drop(change());
        assert_eq!((fs::read(&old).unwrap(), mode(&old)), (b"before".to_vec(), 0o640));
        assert_eq!((fs::read(&other).unwrap(), mode(&other)), (b"before".to_vec(), 0o640));
        assert!(!root.path().join("a").exists());
        change().keep();
        assert_eq!((fs::read(&old).unwrap(), mode(&old)), (b"after".to_vec(), 0o600));
        assert_eq!((mode(&new), mode(&root.path().join("a/b")), other.exists()), (0o644, 0o755, false));
    }
}
