//! The console changes who may come in: it asks the hub that runs, and changes the database while none does. It speaks with
//! servers that are not Duplex, too: see `websocket`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

#[cfg(target_os = "linux")]
#[path = "console/agent.rs"]
mod agent;
#[path = "console/files.rs"]
mod files;
#[path = "common/proxies.rs"]
mod proxies;
#[path = "console/proxies.rs"]
mod through_proxies;
#[path = "console/websocket.rs"]
mod websocket;
#[allow(dead_code, reason = "some of its servers are for other tests")]
#[path = "common/ws_server.rs"]
mod ws_server;

use std::path::Path;
use std::process::{Command, Output};

use duplex::hub::{self, Options, Tls};
use serde_json::Value;

/// Runs the console on a hub's data directory.
fn run(dir: &Path, words: &[&str]) -> Output {
    let home = dir.join("home");
    Command::new(env!("CARGO_BIN_EXE_duplexctl"))
        .args(words)
        .arg("--data-dir")
        .arg(dir)
        .env_remove("DUPLEX_TOKEN")
        .env("HOME", home)
        .output()
        .unwrap()
}

/// The names of the commands in a help text.
fn commands(help: &str) -> Vec<String> {
    let listed = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let is_name = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let names = listed.lines().take_while(|line| !line.is_empty()).filter(is_name);
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn help_is_printed_to_standard_output_as_it_is_written() {
    let mut waiting: Vec<Vec<String>> = vec![Vec::new()];
    let mut count = 0;
    while let Some(words) = waiting.pop() {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duplexctl"));
        let output = command.args(&words).arg("--help").output().unwrap();
        let [help, said] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success() && said.is_empty() && help.contains("Usage:"), "{words:?}: {said}");
        assert!(!help.contains('•'), "{words:?}: something in it is masked");
        waiting.extend(commands(&help).into_iter().map(|name| [words.clone(), vec![name]].concat()));
        count += 1;
    }
    assert!(count > 40, "only {count} commands were found");
}

/// What it prints where it does what it was told.
fn done(dir: &Path, words: &[&str]) -> String {
    let output = run(dir, words);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words:?}: {said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// With which code it leaves, and why.
fn fails(dir: &Path, words: &[&str]) -> (i32, String) {
    let output = run(dir, words);
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn listed(dir: &Path, words: &[&str]) -> Vec<Value> {
    let lines = done(dir, &[words, &["--json"]].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn people(dir: &Path) -> Vec<(String, String)> {
    let of = |person: &Value, field: &str| person[field].as_str().unwrap().to_owned();
    listed(dir, &["people", "list"]).iter().map(|one| (of(one, "id"), of(one, "name"))).collect()
}

fn options(dir: &Path) -> Options {
    Options::embedded(dir)
}

#[test]
fn all_of_it_works_beside_a_hub_and_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    hub::spawn(options(dir)).unwrap().shutdown();
    for running in [false, true, false] {
        let hub = running.then(|| hub::spawn(options(dir)).unwrap());
        let (owner, _) = people(dir)[0].clone();
        done(dir, &["people", "rename", &owner, &format!("Jun {running}")]);
        assert_eq!(people(dir)[0].1, format!("Jun {running}"));
        done(dir, &["people", "rename", &format!("Jun {running}"), "Jun"]);
        let (code, why) = fails(dir, &["people", "remove", "Jun"]);
        assert!(code == 3 && why.contains("last admin"), "{code} {why}");
        let (code, why) = fails(dir, &["people", "remove", "Nobody"]);
        assert!(code == 1 && why.contains("people list"), "{code} {why}");

        let before = hub::token(dir).unwrap();
        let token = done(dir, &["people", "token", "rotate", "Jun"]);
        assert_eq!(hub::token(dir).unwrap().reveal(), token, "the owner's is in the directory as well");
        assert_ne!(before.reveal(), token);

        let first = done(dir, &["device", "add", "shed", "--name", "Shed"]);
        let second = done(dir, &["device", "token", "rotate", "shed"]);
        assert!(first.len() == 64 && second.len() == 64 && first != second);
        done(dir, &["device", "rename", "shed", "The shed"]);
        assert_eq!(done(dir, &["device", "list"]), "shed  The shed");
        assert_eq!(done(dir, &["device", "remove", "shed"]), "shed has no token any more");
        assert_eq!(done(dir, &["device", "remove", "shed"]), "shed had no token");
        assert_eq!(done(dir, &["device", "list"]), "");

        let link = done(dir, &["invite", "--url", "wss://hub.example:7870", "--expires", "7d"]);
        assert!(link.starts_with("wss://hub.example:7870/v1/socket#invite="), "{link}");
        let invites = listed(dir, &["invite", "list"]);
        assert_eq!((invites.len(), invites[0]["by"]["name"].as_str()), (1, Some("Jun")));
        done(dir, &["invite", "remove", invites[0]["id"].as_str().unwrap()]);
        assert_eq!(done(dir, &["invite", "list"]), "");
        assert_eq!(fails(dir, &["invite", "remove", "0123456789"]).0, 3);
        if let Some(hub) = hub {
            hub.shutdown();
        }
    }
}

#[test]
fn a_hub_with_a_certificate_is_asked_by_its_directory_alone() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let pair = rcgen::generate_simple_self_signed(vec!["hub.example".to_owned()]).unwrap();
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    std::fs::write(&cert, pair.cert.pem()).unwrap();
    std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    // A name that leads nowhere, and an authority that nobody knows.
    let named = Options { allowed_hosts: vec!["hub.example".to_owned()], ..options(dir) };
    for tls in [Tls::SelfSigned, Tls::Files { cert, key }] {
        let hub = hub::spawn(Options { tls, ..named.clone() }).unwrap();
        assert!(hub.url.starts_with("wss://hub.example:"));
        assert_eq!(people(dir).len(), 1);
        hub.shutdown();
    }
}

#[test]
fn a_directory_without_a_hub_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (code, why) = fails(dir.path(), &["people", "list"]);
    assert!(code == 1 && why.contains("no hub"), "{code} {why}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
