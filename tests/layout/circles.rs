//! Import circles between the files of a module: none where this is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::{Paths, module_path, rust_files};

/// What a file is called here: the path of its module, as in `model::devices::one`.
type Name = String;
/// The files that each file imports from.
type Imports = BTreeMap<Name, BTreeSet<Name>>;

/// Modules without a circle among their files. A file may always use those below it, and they may use it.
const STRAIGHT: &[&str] = &["frame", "model", "link", "clock", "privacy", "transport", "settings", "agent"];

#[test]
fn files_do_not_import_each_other_in_circles() -> io::Result<()> {
    for module in STRAIGHT {
        let files = imports_below(module)?;
        assert!(!files.is_empty(), "there is no module {module}");
        let circles: Vec<String> = circles(&files).iter().map(|circle| circle.join(", ")).collect();
        assert!(circles.is_empty(), "these files import each other in a circle:\n{}", circles.join("\n"));
    }
    Ok(())
}

#[test]
fn a_circle_is_found_also_over_what_is_passed_on() {
    let files = [
        ("m", "pub mod a; pub mod b; pub mod c; pub use a::A; pub use b::{B as Bee, Other};"),
        ("m::a", "mod below; use super::Bee; use below::f; pub struct A;"),
        ("m::a::below", "use super::A;"),
        ("m::b", "fn f() -> crate::m::c::C { todo!() } pub struct B;"),
        ("m::c", "use crate::m::A; #[cfg(test)] mod tests { use super::super::d::D; }"),
        ("m::d", "use super::{a::A, Other}; use std::fmt;"),
    ];
    let files = files.map(|(name, source)| (name.to_owned(), source.to_owned()));
    assert_eq!(circles(&imports(&files)), [["m::a", "m::b", "m::c"]]);
    assert_eq!(circles(&imports(&files[..3])), Vec::<Vec<Name>>::new());
}

fn imports_below(module: &str) -> io::Result<Imports> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for file in rust_files(&root)? {
        let here = module_path(file.strip_prefix(&root).unwrap_or(&file));
        if here.first().is_some_and(|first| first == module) && !here.iter().any(|name| name == "tests") {
            files.push((here.join("::"), fs::read_to_string(&file)?));
        }
    }
    Ok(imports(&files))
}

/// Which of these files imports from which other one.
fn imports(files: &[(Name, String)]) -> Imports {
    let parsed: Vec<(&Name, syn::File)> =
        files.iter().filter_map(|(name, source)| Some((name, syn::parse_file(source).ok()?))).collect();
    let passed_on: BTreeMap<String, String> =
        parsed.iter().flat_map(|(name, file)| passed_on(name, file)).collect();
    let mut all = Imports::new();
    for (name, file) in &parsed {
        let here: Vec<String> = name.split("::").map(str::to_owned).collect();
        // What it passes on it does not use itself.
        let own = syn::File {
            items: file.items.iter().filter(|item| !is_passing_on(item)).cloned().collect(),
            ..file.clone()
        };
        let named = Paths::of(&own, &here).into_iter().filter_map(|named| {
            let path = named.path.join("::");
            let below = format!("{name}::{path}");
            // A path may begin at a module below this file.
            let is_below =
                |(other, _): &(Name, String)| other != *name && super::is_at_or_below(&below, other);
            if named.ours { Some(path) } else { files.iter().any(is_below).then_some(below) }
        });
        let places = named.filter_map(|path| file_of(&path, &passed_on, files));
        let others = places.filter(|place| !super::is_at_or_below(place, name));
        all.entry((*name).clone()).or_default().extend(others);
    }
    all
}

fn is_passing_on(item: &syn::Item) -> bool {
    matches!(item, syn::Item::Use(import) if matches!(import.vis, syn::Visibility::Public(_)))
}

/// What a file passes on by `pub use`: its path there, and where it comes from.
fn passed_on(name: &str, file: &syn::File) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for item in &file.items {
        if let syn::Item::Use(import) = item
            && is_passing_on(item)
        {
            collect(name, &[], &import.tree, &mut pairs);
        }
    }
    pairs
}

fn collect(name: &str, before: &[String], tree: &syn::UseTree, pairs: &mut Vec<(String, String)>) {
    let mut add = |from: String, to: String| {
        let path: Vec<String> = before.iter().cloned().chain([from]).collect();
        let here: Vec<String> = name.split("::").map(str::to_owned).collect();
        let mut path = super::resolve(path, &here);
        if !path.ours {
            // Relative to the file: `pub use a::A`.
            path.path.splice(0..0, here);
        }
        pairs.push((format!("{name}::{to}"), path.path.join("::")));
    };
    match tree {
        syn::UseTree::Path(path) => {
            let before: Vec<String> = before.iter().cloned().chain([path.ident.to_string()]).collect();
            collect(name, &before, &path.tree, pairs);
        }
        syn::UseTree::Name(last) => add(last.ident.to_string(), last.ident.to_string()),
        syn::UseTree::Rename(last) => add(last.ident.to_string(), last.rename.to_string()),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| collect(name, before, tree, pairs)),
        syn::UseTree::Glob(_) => {}
    }
}

/// The file that a path leads to.
fn file_of(path: &str, passed_on: &BTreeMap<String, String>, files: &[(Name, String)]) -> Option<Name> {
    let mut path = path.to_owned();
    // What is passed on may be passed on again; more steps than files are a circle of its own.
    for _ in 0..=files.len() {
        let begins = |from: &&String| super::is_at_or_below(&path, from);
        let Some(from) = passed_on.keys().filter(begins).max_by_key(|from| from.len()) else { break };
        let next = format!("{}{}", passed_on[from], &path[from.len()..]);
        if next == path {
            break;
        }
        path = next;
    }
    let holds = files.iter().map(|(name, _)| name).filter(|name| super::is_at_or_below(&path, name));
    holds.max_by_key(|name| name.len()).cloned()
}

/// Groups of files of which each leads to every other one, by imports.
fn circles(imports: &Imports) -> Vec<Vec<Name>> {
    let reached: BTreeMap<&Name, BTreeSet<&Name>> =
        imports.keys().map(|name| (name, reachable(imports, name))).collect();
    let mut groups = BTreeSet::new();
    for (name, from) in &reached {
        let mutual = from.iter().filter(|other| reached.get(**other).is_some_and(|back| back.contains(name)));
        let group: Vec<Name> = mutual.map(|other| (*other).clone()).collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}

fn reachable<'a>(imports: &'a Imports, from: &'a Name) -> BTreeSet<&'a Name> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(name) = next.pop() {
        next.extend(imports.get(name).into_iter().flatten().filter(|to| found.insert(*to)));
    }
    found
}
