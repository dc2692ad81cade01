//! Finds secrets in the system's block of arguments or environment variables: NUL-terminated strings.

use crate::model::mask;

/// Overwrites each byte of a secret, so that the block's length stays the same.
const FILLER: u8 = b'x';
/// Options followed by a secret: a token, a header of a WebSocket handshake, what a Socket.IO server is told to sign in.
const OPTIONS: [&[u8]; 3] = [b"--token", b"--header", b"--auth"];

/// Overwrites tokens, headers, passwords in URLs and invite codes in a program's arguments.
pub(super) fn hide_arguments(block: &mut [u8]) {
    let mut is_secret = false;
    for argument in block.split_mut(|byte| *byte == 0) {
        let equals = argument.iter().position(|byte| *byte == b'=');
        if std::mem::replace(&mut is_secret, OPTIONS.contains(&&*argument)) {
            argument.fill(FILLER);
        } else if let Some(equals) = equals.filter(|equals| OPTIONS.contains(&&argument[..*equals])) {
            argument[equals + 1..].fill(FILLER);
        } else {
            let spans = std::str::from_utf8(argument).map(mask::spans).unwrap_or_default();
            for (start, end) in spans {
                argument[start..end].fill(FILLER);
            }
        }
    }
}

/// Overwrites whole variables, including their names.
pub(super) fn erase_variables(block: &mut [u8], names: &[&[u8]]) {
    for variable in block.split_mut(|byte| *byte == 0) {
        let name = variable.split(|byte| *byte == b'=').next().unwrap_or_default();
        if names.contains(&name) {
            variable.fill(0);
        }
    }
}

/// Whether a variable's value contains options or a URL with a secret.
pub(super) fn holds_secret(value: &str) -> bool {
    let is_option = |word: &str| word == "--token" || word.starts_with("--token=");
    value.split_whitespace().any(is_option) || !mask::spans(value).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(arguments: &[&str]) -> String {
        let mut block = arguments.join("\0").into_bytes();
        block.push(0);
        let length = block.len();
        hide_arguments(&mut block);
        assert_eq!(block.len(), length);
        String::from_utf8(block).unwrap().replace('\0', " ")
    }

    #[test]
    fn only_secrets_in_arguments_are_overwritten() {
        assert_eq!(
            hidden(&["duplexctl", "tail", "--token", "s3cret", "wss://hub.example", "--token-file", "f"]),
            "duplexctl tail --token xxxxxx wss://hub.example --token-file f "
        );
        assert_eq!(hidden(&["duplexctl", "--token=s3", "--json"]), "duplexctl --token=xx --json ");
        assert_eq!(
            hidden(&["d", "--token", "--token=a"]),
            "d --token xxxxxxxxx ",
            "whatever the token looks like"
        );
        assert_eq!(
            hidden(&["duplex", "--url", "wss://me:p@h.example/v1#invite=ABC&sha256=0f"]),
            "duplex --url wss://xxxx@h.example/v1#invite=xxx&sha256=0f "
        );
        assert_eq!(hidden(&["d", "--token"]), "d --token ");
        assert_eq!(hidden(&["d", "--header", "X: s3", "--header=Y:"]), "d --header xxxxx --header=xx ");
    }

    #[test]
    fn variables_are_overwritten_by_name() {
        let mut block = b"A=1\0DUPLEX_TOKEN=s3\0DUPLEX_TOKENS=no\0".to_vec();
        erase_variables(&mut block, &[b"DUPLEX_TOKEN"]);
        assert_eq!(block, b"A=1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0DUPLEX_TOKENS=no\0");
    }
}
