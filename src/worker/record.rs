//! [`Recorder`]: turns frames into lines of the connection log for connections whose log is open. Secrets are masked
//! here.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;

use crate::frame::Frame;
use crate::model::ConnectionId;
use crate::model::log::json::{self, HIDDEN};
use crate::model::log::{Passed, TEXT_BYTES, Way};
use crate::model::mask::{self, MIN_SECRET_BYTES};
use crate::model::profile::Protocol;
use crate::wire::{Describe, Described, describer};

/// Maximum length of a kept `type`, in characters.
const KIND_CHARS: usize = 40;

/// The connections whose frames are recorded.
#[derive(Default)]
pub(super) struct Recorder {
    watched: BTreeMap<ConnectionId, Box<dyn Describe>>,
}

impl Recorder {
    /// Starts recording a connection's frames, described by its protocol.
    pub(super) fn watch(&mut self, id: ConnectionId, protocol: Protocol) {
        self.watched.insert(id, describer(protocol));
    }

    /// Stops recording.
    pub(super) fn end(&mut self, id: ConnectionId) {
        self.watched.remove(&id);
    }

    /// Whether any log is open.
    pub(super) fn watches(&self, id: ConnectionId) -> bool {
        self.watched.contains_key(&id)
    }

    /// A masked frame; `None` while its log is not open. None of `secrets` appears in it.
    pub(super) fn passed(
        &mut self,
        id: ConnectionId,
        secrets: &[&str],
        way: Way,
        frame: &Frame,
    ) -> Option<Passed> {
        let describer = self.watched.get_mut(&id)?;
        Some(match frame {
            Frame::Text(text) => passed_text(&mut **describer, secrets, way, text),
            Frame::Binary(bytes) => binary(secrets, way, bytes),
        })
    }
}

fn passed_text(describer: &mut dyn Describe, secrets: &[&str], way: Way, text: &str) -> Passed {
    // Mask before truncating: half a secret would not be recognized.
    let clean = mask::hide(secrets, text);
    let beginning = &clean[..clean.floor_char_boundary(TEXT_BYTES)];
    let private = describer.private_members(&clean);
    let Described { kind, counts, secret } = describer.describe(&clean);
    let hidden: Vec<&str> = secret.iter().copied().chain(private.iter().map(String::as_str)).collect();
    Passed {
        way,
        bytes: text.len(),
        kind: kind.chars().take(KIND_CHARS).collect(),
        binary: false,
        counts,
        text: json::hide(beginning, &hidden).into_owned(),
        cut: beginning.len() < clean.len(),
    }
}

fn binary(secrets: &[&str], way: Way, bytes: &[u8]) -> Passed {
    let holds = |secret: &&str| {
        secret.len() >= MIN_SECRET_BYTES && bytes.windows(secret.len()).any(|part| part == secret.as_bytes())
    };
    let beginning = &bytes[..bytes.len().min(TEXT_BYTES / 3)];
    let text = if secrets.iter().any(holds) {
        HIDDEN.to_owned()
    } else {
        let digits: Vec<String> = beginning.chunks(1).map(|byte| HEXLOWER.encode(byte)).collect();
        digits.join(" ")
    };
    let cut = beginning.len() < bytes.len();
    Passed { way, bytes: bytes.len(), kind: String::new(), binary: true, counts: None, text, cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::Counts;
    use crate::model::profile::Secret;
    use crate::model::rights::ManageAnswer;
    use crate::model::time::WallMs;
    use crate::wire::duplex::message::{ClientMessage, Hello, HubMessage, Redeem, encode};

    fn passed(secrets: &[&str], frame: &Frame) -> Passed {
        let mut recorder = Recorder::default();
        recorder.watch(ConnectionId(1), Protocol::Duplex);
        recorder.passed(ConnectionId(1), secrets, Way::Sent, frame).unwrap()
    }

    fn hello() -> Hello {
        Hello {
            versions: (1, 1),
            client: "Duplex".into(),
            features: Default::default(),
            token: None,
            invite: None,
            challenge: None,
            resume: None,
            since: None,
        }
    }

    #[test]
    fn no_secret_of_a_handshake_is_kept_even_if_nobody_knows_it_as_one() {
        let redeem = Redeem { code: "INVITE7".into(), name: "Mina".into(), token: "aa".repeat(32) };
        let code = Secret::new("INVITE7");
        let invited = ManageAnswer::Invited {
            code,
            expires: WallMs(1),
            url: String::new(),
            fingerprint: None,
            also: Vec::new(),
        };
        for (frame, secret) in [
            (
                encode(&ClientMessage::Hello(Hello { token: Some("t0ps3cret".into()), ..hello() })),
                "t0ps3cret",
            ),
            (encode(&ClientMessage::Auth { token: "t0ps3cret".into() }), "t0ps3cret"),
            (encode(&HubMessage::Managed { id: 1, managed: invited }), "INVITE7"),
            (encode(&ClientMessage::Hello(Hello { invite: Some(redeem.clone()), ..hello() })), "INVITE7"),
            (encode(&ClientMessage::Hello(Hello { invite: Some(redeem), ..hello() })), "aaaa"),
            (encode(&HubMessage::Proof { mac: "0badcafe".into() }), "0badcafe"),
        ] {
            let Frame::Text(text) = &frame else { panic!("a frame of text") };
            assert!(text.contains(secret), "the frame itself has it");
            let kept = passed(&[], &frame);
            assert!(!kept.text.contains(secret) && kept.text.contains(HIDDEN), "{kept:?}");
            assert_eq!(kept.bytes, text.len());
        }
    }

    #[test]
    fn a_secret_that_a_server_repeats_is_hidden_wherever_it_stands() {
        let token = Secret::new("pa\"ss word");
        let secrets = [token.reveal()];
        let told = |detail: &str| {
            encode(&HubMessage::Error { code: "bad_token".into(), detail: format!("no {detail} here") })
        };
        let kept = passed(&secrets, &told(token.reveal()));
        assert_eq!(kept.text, r#"{"type":"error","code":"bad_token","detail":"no ••• here"}"#);
        // Across the point of truncation.
        let long = format!("{}{}", "x".repeat(TEXT_BYTES - 60), token.reveal());
        let kept = passed(&secrets, &told(&long));
        assert!(!kept.text.contains("pa"), "{}", &kept.text[TEXT_BYTES - 80..]);
        let in_type = Frame::Text(format!(r#"{{"type":{:?}}}"#, token.reveal()));
        assert_eq!(passed(&secrets, &in_type).kind, HIDDEN);
        let bytes = Frame::Binary(b"\x01pa\"ss word\x02".to_vec());
        assert_eq!(passed(&secrets, &bytes).text, HIDDEN);
    }

    #[test]
    fn a_long_frame_is_cut_and_tells_its_size() {
        let text = format!(r#"{{"type":"log","x":"{}"}}"#, "한".repeat(TEXT_BYTES));
        let kept = passed(&[], &Frame::Text(text.clone()));
        assert_eq!((kept.bytes, kept.kind.as_str(), kept.cut), (text.len(), "log", true));
        assert!(kept.text.len() <= TEXT_BYTES && text.starts_with(&kept.text));
        let kept = passed(&[], &Frame::Binary(vec![0xAB; 10_000]));
        assert!(kept.cut && kept.binary && kept.bytes == 10_000 && kept.text.len() <= TEXT_BYTES);
        assert!(kept.text.starts_with("ab ab "));
        let kept = passed(&[], &Frame::Text("no JSON".into()));
        assert_eq!((kept.kind.as_str(), kept.text.as_str(), kept.cut), ("", "no JSON", false));
    }

    #[test]
    fn readings_are_counted() {
        let sample = |device: &str, values: &str| {
            format!(r#"{{"device":"{device}","at":1,"received":2,"values":{{{values}}}}}"#)
        };
        let samples =
            [sample("pump", r#""flow":1,"on":true"#), sample("oven", r#""t":2"#), sample("pump", "")];
        let text = format!(r#"{{"type":"readings","samples":[{}],"conflated":4}}"#, samples.join(","));
        let kept = passed(&[], &Frame::Text(text));
        assert_eq!(kept.counts, Some(Counts { devices: 2, values: 3, left_out: 4 }));
        let publish = r#"{"type":"publish","samples":[{"device":"oven","values":{"t":1,"on":true}}]}"#;
        let kept = passed(&[], &Frame::Text(publish.into()));
        assert_eq!(kept.counts, Some(Counts { devices: 1, values: 2, left_out: 0 }));
        assert_eq!(passed(&[], &encode(&ClientMessage::Watch)).counts, None);
    }

    #[test]
    fn only_what_somebody_looks_at_is_recorded() {
        let mut recorder = Recorder::default();
        recorder.watch(ConnectionId(3), Protocol::Duplex);
        assert!(recorder.watches(ConnectionId(3)) && !recorder.watches(ConnectionId(4)));
        recorder.end(ConnectionId(3));
        assert!(!recorder.watches(ConnectionId(3)));
    }
}
