//! `duplexctl agent install` and `uninstall`, on a root of their own and with a `systemctl` that only writes down what it is
//! told to do.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use duplex::hub::{self, Handle, Options, Tls};

use super::{done, options};

const DUPLEXCTL: &str = env!("CARGO_BIN_EXE_duplexctl");
const SETTINGS: &str = "etc/duplex/agent-default.conf";
const UNIT: &str = "etc/systemd/system/duplex-agent@.service";
const PACKAGED_UNIT: &str = "usr/lib/systemd/system/duplex-agent@.service";
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >>"$SYSTEMCTL_LOG"
case $1 in
is-active) echo active ;;
"$SYSTEMCTL_FAILS") echo "it does not $1" >&2; exit 1 ;;
esac
"#;

/// A computer with systemd, a server, and the token of its device `shed`.
struct Machine {
    dir: tempfile::TempDir,
    hub: Handle,
    token: String,
}

impl Machine {
    fn new() -> Machine {
        let dir = tempfile::tempdir().unwrap();
        let hub = hub::spawn(options(&dir.path().join("hub"))).unwrap();
        let token = done(&dir.path().join("hub"), &["device", "add", "shed"]);
        let machine = Machine { dir, hub, token };
        machine.write("run/systemd/system/.here", "");
        fs::create_dir(machine.root().join("etc")).unwrap();
        let program = machine.dir.path().join("bin/systemctl");
        fs::create_dir(program.parent().unwrap()).unwrap();
        fs::write(&program, SYSTEMCTL).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        machine
    }

    /// A second hub, and the certificate to trust for it.
    fn hub_with_certificate(&self) -> (Handle, PathBuf) {
        let dir = self.dir.path().join("secure");
        fs::create_dir(&dir).unwrap();
        let pair = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        fs::write(&cert, pair.cert.pem()).unwrap();
        fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let tls = Tls::Files { cert: cert.clone(), key };
        (hub::spawn(Options { tls, ..options(&dir) }).unwrap(), cert)
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Runs `duplexctl agent` with this on standard input; `fails`: what systemctl fails to do.
    fn run(&self, words: &[&str], input: &str, fails: &str) -> Output {
        let bin = self.dir.path().join("bin");
        let path = std::env::join_paths([bin.as_path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let mut child = Command::new(DUPLEXCTL)
            .arg("agent")
            .args(words)
            .arg("--root")
            .arg(self.root())
            .env_remove("DUPLEX_TOKEN")
            .env("HOME", self.dir.path().join("home"))
            .env("PATH", path)
            .env("SYSTEMCTL_LOG", self.dir.path().join("systemctl.log"))
            .env("SYSTEMCTL_FAILS", fails)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may end without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn install(&self, more: &[&str]) -> String {
        let words = [&["install", "--url", &self.hub.url][..], more].concat();
        succeeded(self.run(&words, &format!("{}\n", self.token), ""))
    }

    /// What systemctl was told since the last time.
    fn told(&self) -> Vec<String> {
        let log = self.dir.path().join("systemctl.log");
        let told = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(&log);
        told.lines().map(str::to_owned).collect()
    }

    /// Every file and folder of the root, with its permissions and content.
    fn tree(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut tree = BTreeMap::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
                let content = if path.is_dir() { Vec::new() } else { fs::read(&path).unwrap_or_default() };
                if path.is_dir() {
                    folders.push(path.clone());
                }
                tree.insert(path, (mode, content));
            }
        }
        tree
    }
}

fn succeeded(output: Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The exit code and the last line.
fn failed(output: &Output) -> (i32, String) {
    let said = String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said.lines().last().unwrap_or_default().to_owned())
}

#[test]
fn one_command_installs_the_agent_and_one_takes_all_of_it_back() {
    let machine = Machine::new();
    let before = machine.tree();
    let said = machine.install(&["--name", r#"The "big" $shed"#]);
    assert!(said.contains("device shed of") && said.contains("sudo duplexctl agent uninstall"), "{said}");
    assert!(!said.contains(&machine.token));
    let service = "duplex-agent@default.service";
    let started = ["daemon-reload".to_owned(), format!("enable {service}"), format!("restart {service}")];
    assert_eq!(machine.told(), started);
    let settings = machine.read(SETTINGS);
    assert!(settings.contains(&format!("\nDUPLEX_URL=\"{}", machine.hub.url)), "{settings}");
    assert!(settings.contains(&format!("\nDUPLEX_TOKEN=\"{}\"\n", machine.token)), "{settings}");
    assert!(settings.contains("\nDUPLEX_AGENT_NAME=\"The \\\"big\\\" \\$shed\"\n"), "{settings}");
    let mode = |path: &str| fs::metadata(machine.root().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(SETTINGS), mode(UNIT), mode("etc/duplex")), (0o600, 0o644, 0o755));
    let program = fs::canonicalize(DUPLEXCTL).unwrap();
    assert!(machine.read(UNIT).contains(&format!("\nExecStart={} agent --url ", program.display())));
    let listed = succeeded(machine.run(&["status"], "", ""));
    assert!(listed.starts_with("default") && listed.contains("active") && listed.contains(&machine.hub.url));
    machine.told();

    // Again, after a package brought its unit: the settings are the new ones alone.
    machine.write(PACKAGED_UNIT, "[Service]\nExecStart=/usr/bin/duplexctl agent --url ${DUPLEX_URL}\n");
    let (secure, ca_file) = machine.hub_with_certificate();
    let words = ["install", "--url", &secure.url, "--id", "shed", "--ca-file", ca_file.to_str().unwrap()];
    let token = done(&machine.dir.path().join("secure"), &["device", "add", "shed"]);
    succeeded(machine.run(&words, &token, ""));
    assert_eq!(machine.told(), started);
    let settings = machine.read(SETTINGS);
    assert!(settings.contains("\nDUPLEX_AGENT_ID=\"shed\"\n") && !settings.contains("NAME"), "{settings}");
    assert!(settings.contains("OPTIONS=\"--ca-file /etc/duplex/agent-default.pem\"\n"), "{settings}");
    assert_eq!(machine.read("etc/duplex/agent-default.pem"), fs::read_to_string(&ca_file).unwrap());
    assert!(!machine.root().join(UNIT).exists(), "the package's is the one that counts");
    machine.install(&["--service", "second"]);
    let said = succeeded(machine.run(&["uninstall", "--service", "second"], "", ""));
    assert!(said.contains("agent-second.conf") && machine.root().join(SETTINGS).exists(), "{said}");
    machine.told();

    let said = succeeded(machine.run(&["uninstall"], "", ""));
    assert!(said.contains("agent-default.conf") && said.contains("agent-default.pem"), "{said}");
    assert!(machine.told().contains(&format!("disable --now {service}")));
    fs::remove_dir_all(machine.root().join("usr")).unwrap();
    // systemd's own folder for units may be new.
    let left: Vec<_> = machine.tree().into_keys().filter(|path| !before.contains_key(path)).collect();
    assert_eq!(left, [machine.root().join("etc/systemd"), machine.root().join("etc/systemd/system")]);
    assert_eq!(succeeded(machine.run(&["uninstall"], "", "")).trim(), "nothing was installed");
    assert_eq!(succeeded(machine.run(&["status"], "", "")).trim(), "nothing is installed");
}

#[test]
fn an_installation_that_fails_leaves_everything_as_it_was() {
    let machine = Machine::new();
    let url = machine.hub.url.clone();
    let install = |url: &str, token: &str, fails: &str| {
        failed(&machine.run(&["install", "--url", url], &format!("{token}\n"), fails))
    };
    for again in [false, true] {
        if again {
            machine.install(&[]);
        }
        let before = machine.tree();
        machine.told();
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (code, why) = install(&format!("ws://{unused}"), &machine.token, "");
        assert!(code == 1 && why.contains("nothing was installed"), "{code} {why}");
        let (code, why) = install(&url, &"0".repeat(64), "");
        assert!(code == 3 && why.contains("nothing was installed"), "{code} {why}");
        for (token, expected) in
            [("", "token"), ("two\nlines", "line of at most"), ("a\tb", "control character")]
        {
            let (code, why) = install(&url, token, "");
            assert!(code == 1 && why.contains(expected), "{token:?}: {code} {why}");
        }
        let other = ["install", "--url", &url, "--id", "barn"];
        let (code, why) = failed(&machine.run(&other, &machine.token, ""));
        assert!(code == 1 && why.contains("leave out --id"), "{code} {why}");
        assert!(machine.told().is_empty(), "nothing was begun");
        for verb in ["daemon-reload", "enable", "restart"] {
            let (code, why) = install(&url, &machine.token, verb);
            assert!(code == 1 && why.contains(&format!("it does not {verb}")), "{code} {why}");
            assert!(why.contains("as it was") && !why.contains(&machine.token), "{why}");
        }
        assert_eq!(machine.tree(), before);
    }
}

#[test]
fn what_others_made_is_neither_replaced_nor_removed() {
    let url = "ws://127.0.0.1:9";
    let machine = Machine::new();
    let foreign = "[Service]\nExecStart=/bin/true\n";
    for path in [SETTINGS, UNIT, PACKAGED_UNIT, "etc/systemd/system/duplex-agent@default.service"] {
        machine.write(path, foreign);
        let before = machine.tree();
        let (code, why) = failed(&machine.run(&["install", "--url", url], &machine.token, ""));
        assert!(code == 1 && why.contains(path) && why.contains("move it away"), "{code} {why}");
        succeeded(machine.run(&["uninstall"], "", ""));
        assert_eq!(machine.tree(), before, "{path}");
        fs::remove_file(machine.root().join(path)).unwrap();
    }
    assert!(machine.told().is_empty());

    // A folder cannot be made, as on a file system that cannot be written to.
    fs::remove_dir_all(machine.root().join("etc")).unwrap();
    machine.write("etc", "");
    let before = machine.tree();
    let (code, why) = failed(&machine.run(&["install", "--url", &machine.hub.url], &machine.token, ""));
    assert!(code == 1 && why.contains("cannot be written") && why.contains("as it was"), "{code} {why}");
    assert_eq!(machine.tree(), before);

    fs::remove_dir_all(machine.root().join("run")).unwrap();
    let (code, why) = failed(&machine.run(&["install", "--url", url], &machine.token, ""));
    assert!(code == 1 && why.contains("does not run systemd"), "{code} {why}");
}

#[test]
fn the_agent_takes_its_id_from_the_environment_as_the_service_gives_it() {
    let machine = Machine::new();
    let home = machine.dir.path().join("home");
    let mut agent = Command::new(DUPLEXCTL)
        .args(["agent", "--url", &machine.hub.url])
        .env("HOME", home)
        .env("DUPLEX_TOKEN", hub::token(&machine.dir.path().join("hub")).unwrap().reveal())
        .env("DUPLEX_AGENT_ID", "barn")
        .env("DUPLEX_AGENT_NAME", "The \"big\" $barn")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(agent.stdout.take().unwrap()).lines();
    let online = lines.map_while(Result::ok).find(|line| line.starts_with("online: "));
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(online.as_deref().is_some_and(|line| line.contains("publishing barn at")), "{online:?}");
}

/// The service does not see the variables of the shell that installs it.
#[test]
fn the_service_goes_through_the_proxy_that_was_given() {
    let machine = Machine::new();
    machine.install(&["--proxy", "http://me:p%20w@proxy.example:3128"]);
    let settings = machine.read(SETTINGS);
    assert!(settings.contains("ALL_PROXY=\"http://me:p%20w@proxy.example:3128\"\n"), "{settings}");
    machine.install(&["--proxy", "none"]);
    let settings = machine.read(SETTINGS);
    assert!(settings.contains("--proxy none") && !settings.contains("ALL_PROXY"), "{settings}");
}
