//! What a person reads if the program panics: a sentence without source locations, which mean nothing to them and
//! name directories of the build machine.

use std::borrow::Cow;
use std::io::Write as _;

/// Maximum length of the panic message, in characters.
const MAX_CHARS: usize = 500;

/// Installs a panic hook that prints one sentence. With `RUST_BACKTRACE` set, details for developers follow.
pub fn tell_plainly(program: &'static str) {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let said = info.payload_as_str().unwrap_or("no reason was given");
        let said: String = without_places(&super::mask(said)).chars().take(MAX_CHARS).collect();
        let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // Fails if standard error is closed.
        let _ = writeln!(
            std::io::stderr(),
            "{program}: a part of the program failed ({}). If this happens again, please report it.",
            said.trim()
        );
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            default(info);
        }
    }));
}

/// Removes source locations: `os error at /build/x/src/lib.rs:12:5: No such file` becomes `os error: No such file`.
pub fn without_places(text: &str) -> Cow<'_, str> {
    if !text.contains(".rs:") {
        return Cow::Borrowed(text);
    }
    let mut out: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let Some(at) = word.find(".rs:") else {
            out.push(word.to_owned());
            continue;
        };
        // The start of the path, perhaps after a bracket or quote, and the text after its line numbers.
        let begin = word[..at].rfind(['(', '[', '"', '\'', '`', '<']).map_or(0, |open| open + 1);
        let rest = word[at + 4..].trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = rest.strip_prefix(':').map_or(rest, |more| {
            let without = more.trim_start_matches(|c: char| c.is_ascii_digit());
            if without.len() < more.len() { without } else { rest }
        });
        if begin == 0 && out.last().is_some_and(|last| last == "at") {
            out.pop();
        }
        match (begin, out.last_mut()) {
            // What follows a location is appended to the word before it.
            (0, Some(last)) => last.push_str(rest),
            _ => out.push(format!("{}{rest}", &word[..begin])),
        }
    }
    Cow::Owned(out.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_locations_are_removed() {
        for (text, plain) in [
            (
                "os error at /root/.cargo/registry/src/x/winit-0.30/src/x11/mod.rs:1234: No such file",
                "os error: No such file",
            ),
            ("called at C:\\Users\\me\\src\\lib.rs:7:15", "called"),
            ("failed (src/main.rs:12:5) again", "failed () again"),
            ("nothing to hide: a.rs is a file", "nothing to hide: a.rs is a file"),
        ] {
            assert_eq!(without_places(text), plain);
        }
    }
}
