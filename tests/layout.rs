//! Holds the layout of the house: who may import whom, and what a floor must never name. `HOUSE` is the
//! allow-list; a module that is not in it fails. Only what ships is looked at: tests may import more.
#![allow(clippy::panic, reason = "a test that fails should say so at once")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

#[path = "layout/circles.rs"]
mod circles;
#[path = "layout/functions.rs"]
mod functions;

/// The top-level modules of `src/`: floor, what each imports besides itself, what it must not name of std and
/// other crates. Imports come from lower floors, or where `SAME_FLOOR` says so from the same; `wire::duplex`
/// allows that part of `wire` alone. To allow more, change the table and say why. Engine.IO is a transport: what of it needs no socket is in `wire::socketio`.
/// Channels and compression are, too.
const HOUSE: &str = "
    model     | 1 |                                                                                  | pure
    frame     | 1 |                                                                                  | pure
    mapping   | 2 | model                                                                            | pure
    doctor    | 2 | model                                                                            | pure
    wire      | 2 | model frame mapping                                                              | pure
    link      | 2 | model frame wire                                                                 | pure
    engine    | 3 | model frame wire link                                                            | pure
    clock     | 3 | model                                                                            | window
    privacy   | 3 | model                                                                            | window
    transport | 3 | model frame wire::socketio wire::duplex::channel wire::duplex::deflate           | window
    store     | 3 | model frame wire link                                                            | window
    settings  | 3 | model                                                                            | window
    hub       | 4 | model frame wire::duplex clock transport store settings                          | window
    agent     | 4 | model frame wire link clock transport store settings                             | window
    worker    | 5 | model frame mapping wire link engine clock privacy transport store settings hub agent |
    ui        | 5 | model settings doctor mapping                                                    | doing
    app       | 6 | model frame wire link clock privacy transport store settings hub agent worker ui |
    cli       | 6 | model frame doctor mapping wire link engine clock privacy transport store settings hub agent worker |
";

/// Time, chance and the world outside are arguments here.
const OUTSIDE: &[&str] = &[
    "std::time::Instant",
    "std::time::SystemTime",
    "chrono::Local",
    "chrono::Utc::now",
    "getrandom",
    "std::env",
];
/// A view draws and says what the person wants, and does nothing itself. (An address is a value: not all of
/// `std::net` is here.)
const DOING: &[&str] = &[
    "std::fs",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::process",
    "std::thread",
    "axum",
    "rusqlite",
    "tokio",
];
const WINDOW: &[&str] = &["eframe", "egui"];

/// Who may import from its own floor.
const SAME_FLOOR: &[(&str, &str)] = &[("link", "wire"), ("wire", "mapping")];

#[test]
fn modules_import_only_what_the_table_allows() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut faults = Vec::new();
    for file in rust_files(&root.join("src"))? {
        let place = file.strip_prefix(root.join("src")).unwrap_or(&file);
        let here = module_path(place);
        if is_program_or_root(place) || here.iter().any(|name| name == "tests") {
            continue;
        }
        let source = fs::read_to_string(&file)?;
        faults.extend(
            faults_in(&here, &source).into_iter().map(|fault| format!("src/{}: {fault}", place.display())),
        );
    }
    assert!(faults.is_empty(), "the layout is broken in {} places:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

#[test]
fn every_file_opens_by_saying_what_it_is() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut silent = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for file in rust_files(&root.join(folder))? {
            if !fs::read_to_string(&file)?.starts_with("//!") {
                silent.push(file.strip_prefix(root).unwrap_or(&file).display().to_string());
            }
        }
    }
    assert!(silent.is_empty(), "these files do not open with `//!`: {}", silent.join(", "));
    Ok(())
}

#[test]
fn the_table_itself_looks_only_down() {
    let house = house();
    assert_eq!(house.len(), HOUSE.trim().lines().count(), "every line of the table is a row");
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for module in &house {
        let is_there = src.join(module.name).is_dir() || src.join(module.name).with_extension("rs").is_file();
        assert!(is_there, "there is no module {}", module.name);
        for import in &module.imports {
            let imported = import.split("::").next().unwrap_or(import);
            let floor = house.iter().find(|other| other.name == imported).map(|other| other.floor);
            assert!(
                floor.is_some_and(|floor| floor < module.floor)
                    || SAME_FLOOR.contains(&(module.name, imported)),
                "{} on floor {} may not import {imported} on {floor:?}",
                module.name,
                module.floor,
            );
        }
    }
}

/// Sources with exactly one fault each, which the checker must find.
const BROKEN: &str = r#"
    model/chat.rs         | use crate::store::Row;
    model.rs              | fn f( {
    model.rs              | fn f() { assert!(g(crate::store::row(1))); }
    model.rs              | fn f() -> crate::ui::Row { todo!() }
    wire/mod.rs           | use crate::{frame, link::Link, model::{self}};
    transport/tcp.rs      | use crate::wire::duplex;
    hub/server.rs         | use crate::wire::{duplex::Codec, mqtt};
    hub.rs                | use crate::wire;
    ui/chat.rs            | use crate::{model::Row, settings::Theme, worker};
    ui/chat.rs            | use super::super::store::Row;
    ui.rs                 | mod inner { mod more { use super::super::super::store::Row; } }
    cli.rs                | use crate as everything;
    cli.rs                | use crate::*;
    link.rs               | #[cfg(not(test))] mod real { use crate::store::Row; }
    link.rs               | use std::time::{Duration, Instant};
    link.rs               | use std::time; fn f() { time::SystemTime::now(); }
    wire/duplex/codec.rs  | fn f() { ::std::fs::read(p) }
    wire/duplex/codec.rs  | fn f() { tokio::select! {} }
    model.rs              | use egui::Color32;
    store/db.rs           | fn f(ctx: &egui::Context) {}
    ui/chat.rs            | use std::{fmt, net::TcpStream};
    plugins/mod.rs        |
    cli.rs                | use crate::plugins::Plugin;
"#;

/// Sources without a fault; `\n` stands for a new line.
const SOUND: &str = r##"
    link.rs               | use crate::{frame::Frame, link::backoff, model as m, wire::{Session, *}};
    hub.rs                | use crate::wire::duplex::{self, Codec}; use std::time::Instant;
    wire/mod.rs           | pub mod duplex; use duplex::Codec; use self::duplex::Hello;
    wire/duplex/hub.rs    | use super::codec; pub(in crate::wire) fn f() {}
    ui.rs                 | mod inner { use super::store_card; }
    model.rs              | // crate::store\n/* use crate::ui; /* tokio::x */ */ fn f() {}
    model.rs              | const A: &str = "crate::store \" tokio::x"; const B: &str = r#"" tokio::x"#;
    model.rs              | fn f<'a>(x: &'a u8) -> impl Fn() + use<'a> { ('"', '\'', b'"'); }
    link.rs               | #[cfg(test)] mod tests { use crate::store::Row; fn f() { {} } }
    link.rs               | #[cfg(test)]\n#[path = "x.rs"]\nmod tests; #[cfg(test)] use std::fs::{self};
    model/address.rs      | use std::net::{IpAddr, Ipv4Addr};
    link.rs               | #![cfg(test)] use crate::store::Row;
"##;

fn cases(table: &'static str) -> impl Iterator<Item = (&'static str, Vec<String>)> {
    table.trim().lines().map(|line| {
        let (file, source) = line.split_once('|').unwrap_or((line, ""));
        let here = module_path(Path::new(file.trim()));
        (line, faults_in(&here, &source.replace("\\n", "\n")))
    })
}

#[test]
fn what_is_broken_is_found() {
    for (case, faults) in cases(BROKEN) {
        assert_eq!(faults.len(), 1, "{case}: {faults:?}");
    }
}

#[test]
fn what_is_sound_is_left_alone() {
    for (case, faults) in cases(SOUND) {
        assert!(faults.is_empty(), "{case}: {faults:?}");
    }
}

#[test]
fn a_fault_says_what_to_do() {
    let faults = |file: &str, source: &str| faults_in(&module_path(Path::new(file)), source).join("\n");
    assert_eq!(faults("model.rs", "use crate::store::Row;"), "`model` may not import `crate::store::Row`");
    assert_eq!(faults("link.rs", "use std::fs;"), "`link` may not name `std::fs`");
    assert!(faults("plugins.rs", "").starts_with("add `plugins` to the table HOUSE in tests/layout.rs"));
}

/// A row of `HOUSE`.
struct Module {
    name: &'static str,
    floor: u8,
    imports: Vec<&'static str>,
    never: Vec<&'static str>,
}

fn house() -> Vec<Module> {
    let rows = HOUSE.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    rows.filter_map(|row| match row[..] {
        [name, floor, imports, never] => Some(Module {
            name,
            floor: floor.parse().unwrap_or(0),
            imports: imports.split_whitespace().collect(),
            never: never.split_whitespace().flat_map(never_named).collect(),
        }),
        _ => None,
    })
    .collect()
}

fn never_named(word: &str) -> Vec<&'static str> {
    match word {
        "pure" => [OUTSIDE, DOING, WINDOW].concat(),
        "window" => WINDOW.to_vec(),
        "doing" => DOING.to_vec(),
        other => panic!("{other} says nothing in the last column of HOUSE"),
    }
}

/// Every `.rs` file below `folder`, sorted; none where there is no such folder.
fn rust_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The programs and `lib.rs` stand above the floors and may name all of them.
fn is_program_or_root(place: &Path) -> bool {
    place.starts_with("bin") || place == Path::new("lib.rs") || place == Path::new("main.rs")
}

/// `ui/chat/list.rs` is the module `ui::chat::list`, `ui/mod.rs` is `ui`.
fn module_path(place: &Path) -> Vec<String> {
    let mut path: Vec<String> =
        place.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    path.pop_if(|name| name == "mod");
    path
}

/// What is wrong with the imports of the file of module `here`, a sentence each.
fn faults_in(here: &[String], source: &str) -> Vec<String> {
    let house = house();
    let name = here.first().map_or("", String::as_str);
    let Some(module) = house.iter().find(|module| module.name == name) else {
        return vec![no_row(name)];
    };
    let file = match syn::parse_file(source) {
        Ok(file) => file,
        Err(error) => return vec![format!("is not Rust: {error}")],
    };
    let named = Paths::of(&file, here);
    let mut faults: Vec<String> = named.iter().filter_map(|named| fault_of(&house, module, named)).collect();
    faults.sort();
    faults.dedup();
    faults
}

fn no_row(name: &str) -> String {
    format!(
        "add `{name}` to the table HOUSE in tests/layout.rs with its floor, or, if it is no module, \
         import it from the module it lives in"
    )
}

fn fault_of(house: &[Module], module: &Module, named: &Named) -> Option<String> {
    let path = named.path.join("::");
    if !named.ours {
        let forbidden = module.never.iter().any(|never| names(&path, never));
        return forbidden.then(|| format!("`{}` may not name `{path}`", module.name));
    }
    let top = match named.path.first().map_or("", String::as_str) {
        "" | "*" => return Some(format!("`{}` may not import the crate as a whole", module.name)),
        top => top,
    };
    if top == module.name {
        return None;
    }
    if !house.iter().any(|other| other.name == top) {
        return Some(no_row(top));
    }
    let allowed = module.imports.iter().any(|import| is_at_or_below(&path, import));
    (!allowed).then(|| format!("`{}` may not import `crate::{path}`", module.name))
}

fn is_at_or_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Also by a shorter path: after `use std::time`, `time::Instant` names `std::time::Instant`.
fn names(path: &str, never: &str) -> bool {
    let by_its_end =
        never.match_indices("::").map(|(at, _)| &never[at + 2..]).filter(|end| end.contains("::"));
    is_at_or_below(path, never) || by_its_end.into_iter().any(|end| is_at_or_below(path, end))
}

/// A path that a file names.
struct Named {
    /// Of this crate: then `path` starts at its root.
    ours: bool,
    path: Vec<String>,
}

/// Collects every import of a file, and every path of two or more parts that it names, leaving out what is for tests only.
struct Paths {
    here: Vec<String>,
    found: Vec<Named>,
}

impl Paths {
    fn of(file: &syn::File, here: &[String]) -> Vec<Named> {
        let mut paths = Paths { here: here.to_vec(), found: Vec::new() };
        if !is_for_tests(&file.attrs) {
            paths.visit_file(file);
        }
        paths.found
    }

    fn add(&mut self, path: Vec<String>) {
        self.found.push(resolve(path, &self.here));
    }

    fn add_use_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |part: String| before.iter().cloned().chain([part]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.add_use_tree(&with(path.ident.to_string()), &path.tree),
            syn::UseTree::Name(name) => self.add(with(name.ident.to_string())),
            syn::UseTree::Rename(rename) => self.add(with(rename.ident.to_string())),
            syn::UseTree::Glob(_) => self.add(with("*".to_owned())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_use_tree(before, tree)),
        }
    }

    /// What a macro is given is no syntax tree: its paths are words with `::` between them.
    fn add_from_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let add = |paths: &mut Self, path: Vec<String>| {
            if path.len() > 1 {
                paths.add(path);
            }
        };
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        add(self, std::mem::take(&mut path));
                    }
                    path.push(word.to_string());
                    colons = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    add(self, std::mem::take(&mut path));
                    self.add_from_tokens(group.stream());
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    add(self, std::mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        add(self, path);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_for_tests(&module.attrs) {
            return;
        }
        self.here.push(module.ident.to_string());
        syn::visit::visit_item_mod(self, module);
        self.here.pop();
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        if !is_for_tests(&import.attrs) {
            self.add_use_tree(&[], &import.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.visit_path(&called.path);
        self.add_from_tokens(called.tokens.clone());
    }

    /// `pub(in crate::wire)` names what contains the module, and attributes name no module of ours.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

/// Whether one of the attributes is `cfg(test)`, also beside other conditions, but not `cfg(not(test))`.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let syn::Meta::List(condition) = &attribute.meta else { return false };
        let words = words(condition.tokens.clone());
        words.iter().any(|word| word == "test") && !words.iter().any(|word| word == "not")
    })
}

fn words(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(word) => vec![word.to_string()],
            TokenTree::Group(group) => words(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        })
        .collect()
}

/// Follows `crate`, `self` and `super` from module `here`.
fn resolve(mut path: Vec<String>, here: &[String]) -> Named {
    path.pop_if(|last| last == "self"); // `use a::{self}`
    match path.first().map_or("", String::as_str) {
        "crate" => Named { ours: true, path: path.split_off(1) },
        "self" | "super" | "" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let start = &here[..here.len().saturating_sub(ups)];
            let rest = path.into_iter().skip_while(|part| part == "super" || part == "self");
            Named { ours: true, path: start.iter().cloned().chain(rest).collect() }
        }
        _ => Named { ours: false, path },
    }
}
