//! No function is longer than [`MAX_LINES`], unless its documentation says why.

use std::fs;
use std::io;
use std::path::Path;

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// Maximum number of lines between a function's braces.
const MAX_LINES: usize = 60;
/// What a line of documentation begins with that gives the reason for a longer function.
const REASON: &str = "Long: ";

#[test]
fn functions_are_short_or_say_why_not() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    for file in super::rust_files(&root)? {
        let place = file.strip_prefix(&root).unwrap_or(&file);
        if super::module_path(place).iter().any(|name| name == "tests") {
            continue;
        }
        let source = fs::read_to_string(&file)?;
        faults.extend(faults_in(&source).into_iter().map(|fault| format!("src/{}:{fault}", place.display())));
    }
    let advice = format!("shorten it, or begin a line of its documentation with `{REASON}` and the reason");
    assert!(faults.is_empty(), "{advice}:\n{}", faults.join("\n"));
    Ok(())
}

#[test]
fn a_long_function_is_found_and_a_reason_is_taken() {
    let function = |above: &str, lines: usize| {
        faults_in(&format!("struct S;\nimpl S {{\n{above}fn f() {{{}}}\n}}\n", "\n".repeat(lines + 1)))
    };
    assert_eq!(function("", MAX_LINES), Vec::<String>::new());
    assert_eq!(function("", MAX_LINES + 1), ["3: `f` has 61 lines"]);
    assert_eq!(function("/// Long: one arm for each variant.\n", 200), Vec::<String>::new());
    assert_eq!(function("/// Long:\n", 200), ["4: `f` has 200 lines"], "no reason");
    assert_eq!(function("/// It is Long: really.\n", 200), ["4: `f` has 200 lines"]);
    assert_eq!(function("#[cfg(test)]\n", 200), Vec::<String>::new());
}

/// Every function of a file that is too long and gives no reason: its line, name and length.
fn faults_in(source: &str) -> Vec<String> {
    let mut functions = Functions { faults: Vec::new() };
    if let Ok(file) = syn::parse_file(source)
        && !super::is_for_tests(&file.attrs)
    {
        functions.visit_file(&file);
    }
    functions.faults
}

struct Functions {
    faults: Vec<String>,
}

impl Functions {
    fn look_at(&mut self, attributes: &[syn::Attribute], signature: &syn::Signature, body: &syn::Block) {
        let braces = body.brace_token.span;
        let lines = braces.close().start().line.saturating_sub(braces.open().start().line + 1);
        if lines > MAX_LINES && !attributes.iter().any(is_reason) {
            let line = signature.span().start().line;
            self.faults.push(format!("{line}: `{}` has {lines} lines", signature.ident));
        }
    }
}

fn is_reason(attribute: &syn::Attribute) -> bool {
    let syn::Meta::NameValue(documentation) = &attribute.meta else { return false };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &documentation.value else {
        return false;
    };
    let reason = text.value().trim_start().strip_prefix(REASON).map(str::trim).map(str::to_owned);
    documentation.path.is_ident("doc") && reason.is_some_and(|reason| !reason.is_empty())
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !super::is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !super::is_for_tests(&function.attrs) {
            self.look_at(&function.attrs, &function.sig, &function.block);
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !super::is_for_tests(&function.attrs) {
            self.look_at(&function.attrs, &function.sig, &function.block);
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.look_at(&function.attrs, &function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}
