//! Bodies of messages as values, and back.

use serde_json::Value;

use super::frame::Frame;
use crate::mapping::text_of;

/// How many bytes are shown of a body that is no text.
const MAX_SHOWN_BYTES: usize = 64;

/// The body of a message: what it is by its type, JSON where it can be read as such, else text.
pub(super) fn read(frame: &Frame) -> Value {
    let Ok(text) = std::str::from_utf8(&frame.body) else {
        // What was cut off may end within a character.
        let text = std::str::from_utf8(&frame.body[..valid_up_to(&frame.body)]).unwrap_or_default();
        return match frame.left_out > 0 && !text.is_empty() {
            true => Value::String(cut(text, frame.left_out)),
            false => Value::String(hexadecimal(&frame.body)),
        };
    };
    if frame.left_out > 0 {
        return Value::String(cut(text, frame.left_out));
    }
    let kind = frame.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let is_plain = kind.starts_with("text/plain") && !text.trim_start().starts_with(['{', '[']);
    if is_plain {
        return Value::String(text.to_owned());
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A message's type and body.
pub(super) fn write(args: &[Value]) -> (&'static str, Vec<u8>) {
    let content_type = match args {
        [] | [Value::String(_)] => "text/plain",
        _ => "application/json",
    };
    (content_type, text_of(args).into_bytes())
}

fn valid_up_to(bytes: &[u8]) -> usize {
    std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len)
}

fn cut(text: &str, left_out: u64) -> String {
    format!("{text}… ({left_out} bytes more)")
}

fn hexadecimal(bytes: &[u8]) -> String {
    let shown = data_encoding::HEXLOWER.encode(&bytes[..bytes.len().min(MAX_SHOWN_BYTES)]);
    let more = if bytes.len() > MAX_SHOWN_BYTES { "…" } else { "" };
    format!("({} bytes) {shown}{more}", bytes.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(kind: &str, bytes: &[u8]) -> Value {
        let mut frame = Frame::new("MESSAGE").with("content-type", kind);
        frame.body = bytes.to_vec();
        read(&frame)
    }

    #[test]
    fn a_body_is_json_or_text_or_bytes() {
        assert_eq!(body("application/json", b"{\"a\":1}"), json!({"a": 1}));
        assert_eq!(body("", b"21.5"), json!(21.5));
        assert_eq!(body("text/plain;charset=UTF-8", b"21.5"), json!("21.5"));
        assert_eq!(body("text/plain", b"{\"a\":1}"), json!({"a": 1}), "many senders do not say what it is");
        assert_eq!(body("", b"hello {"), json!("hello {"));
        assert_eq!(body("", b"\xff\x00"), json!("(2 bytes) ff00"));
        let mut cut = Frame { left_out: 9, ..Frame::new("MESSAGE") };
        cut.body = "a한".as_bytes()[..3].to_vec();
        assert_eq!(read(&cut), json!("a… (9 bytes more)"));
    }

    #[test]
    fn text_is_sent_as_text_and_the_rest_as_json() {
        assert_eq!(write(&[json!("hi")]), ("text/plain", b"hi".to_vec()));
        assert_eq!(write(&[json!({"a": "hi"})]), ("application/json", b"{\"a\":\"hi\"}".to_vec()));
        assert_eq!(write(&[json!("a"), json!(1)]), ("application/json", b"[\"a\",1]".to_vec()));
        assert_eq!(write(&[]).1, b"");
    }
}
