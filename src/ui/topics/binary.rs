//! CBOR and MessagePack, read as JSON so that people see what is in them.

use data_encoding::HEXLOWER;
use serde_json::{Map, Number, Value};

/// Maximum depth of what is read.
const MAX_DEPTH: usize = 32;
/// Maximum number of values that are read.
const MAX_VALUES: usize = 20_000;

/// Reads CBOR (RFC 8949): an array or map, to its end. `None` if it is none.
pub(super) fn cbor(bytes: &[u8]) -> Option<Value> {
    whole(bytes, |reader| reader.cbor(0))
}

/// Reads MessagePack: an array or map, to its end. `None` if it is none.
pub(super) fn message_pack(bytes: &[u8]) -> Option<Value> {
    whole(bytes, |reader| reader.message_pack(0))
}

fn whole(bytes: &[u8], read: impl FnOnce(&mut Reader<'_>) -> Option<Value>) -> Option<Value> {
    let mut reader = Reader { rest: bytes, left: MAX_VALUES };
    let value = read(&mut reader)?;
    let is_container = value.is_array() || value.is_object();
    (is_container && reader.rest.is_empty()).then_some(value)
}

struct Reader<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// A number of so many bytes, the highest first.
    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn text(&mut self, length: u64) -> Option<Value> {
        let bytes = self.take(usize::try_from(length).ok()?)?;
        Some(Value::String(std::str::from_utf8(bytes).ok()?.to_owned()))
    }

    fn bytes(&mut self, length: u64) -> Option<Value> {
        let bytes = self.take(usize::try_from(length).ok()?)?;
        Some(Value::String(format!("0x{}", HEXLOWER.encode(bytes))))
    }

    fn list(&mut self, count: u64, mut read: impl FnMut(&mut Self) -> Option<Value>) -> Option<Value> {
        (0..count).map(|_| read(self)).collect::<Option<Vec<Value>>>().map(Value::Array)
    }

    fn map(&mut self, count: u64, mut read: impl FnMut(&mut Self) -> Option<Value>) -> Option<Value> {
        let mut map = Map::new();
        for _ in 0..count {
            let key = read(self)?;
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            let value = read(self)?;
            map.insert(key, value);
        }
        Some(Value::Object(map))
    }

    fn begin(&mut self, depth: usize) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        (depth < MAX_DEPTH).then_some(())?;
        Some(self.take(1)?[0])
    }

    fn cbor(&mut self, depth: usize) -> Option<Value> {
        let first = self.begin(depth)?;
        let (major, low) = (first >> 5, first & 0x1f);
        if major == 7 {
            return self.cbor_simple(low);
        }
        let argument = match low {
            0..=23 => u64::from(low),
            24..=27 => self.number(1 << (low - 24))?,
            31 if matches!(major, 4 | 5) => return self.cbor_open(major == 5, depth),
            _ => return None,
        };
        match major {
            0 => Some(argument.into()),
            1 => Some((-1 - i64::try_from(argument).ok()?).into()),
            2 => self.bytes(argument),
            3 => self.text(argument),
            4 => self.list(argument, |reader| reader.cbor(depth + 1)),
            5 => self.map(argument, |reader| reader.cbor(depth + 1)),
            // A tag says what the value means; the value is shown.
            _ => self.cbor(depth + 1),
        }
    }

    /// An array or map of unknown length.
    fn cbor_open(&mut self, is_map: bool, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        while *self.rest.first()? != 0xff {
            items.push(self.cbor(depth + 1)?);
        }
        self.take(1)?;
        if !is_map {
            return Some(Value::Array(items));
        }
        let mut items = items.into_iter();
        let count = items.len() as u64;
        count.is_multiple_of(2).then_some(())?;
        self.map(count / 2, |_| items.next())
    }

    fn cbor_simple(&mut self, low: u8) -> Option<Value> {
        match low {
            20 => Some(false.into()),
            21 => Some(true.into()),
            22 | 23 => Some(Value::Null),
            25 => Some(float(half(u16::try_from(self.number(2)?).ok()?))),
            26 => Some(float(f32::from_bits(u32::try_from(self.number(4)?).ok()?).into())),
            27 => Some(float(f64::from_bits(self.number(8)?))),
            _ => None,
        }
    }

    fn message_pack(&mut self, depth: usize) -> Option<Value> {
        let first = self.begin(depth)?;
        let next = |reader: &mut Self| reader.message_pack(depth + 1);
        match first {
            0x00..=0x7f => Some(first.into()),
            0x80..=0x8f => self.map(u64::from(first & 0x0f), next),
            0x90..=0x9f => self.list(u64::from(first & 0x0f), next),
            0xa0..=0xbf => self.text(u64::from(first & 0x1f)),
            0xc0 => Some(Value::Null),
            0xc2 => Some(false.into()),
            0xc3 => Some(true.into()),
            0xc4..=0xc6 => self.number(1 << (first - 0xc4)).and_then(|length| self.bytes(length)),
            0xc7..=0xc9 => {
                let length = self.number(1 << (first - 0xc7))?;
                self.bytes(length.checked_add(1)?)
            }
            0xca => Some(float(f32::from_bits(u32::try_from(self.number(4)?).ok()?).into())),
            0xcb => Some(float(f64::from_bits(self.number(8)?))),
            0xcc..=0xcf => Some(self.number(1 << (first - 0xcc))?.into()),
            0xd0 => Some((self.number(1)? as u8 as i8).into()),
            0xd1 => Some((self.number(2)? as u16 as i16).into()),
            0xd2 => Some((self.number(4)? as u32 as i32).into()),
            0xd3 => Some((self.number(8)? as i64).into()),
            0xd4..=0xd8 => self.bytes((1 << (first - 0xd4)) + 1),
            0xd9..=0xdb => self.number(1 << (first - 0xd9)).and_then(|length| self.text(length)),
            0xdc | 0xdd => {
                let count = self.number(if first == 0xdc { 2 } else { 4 })?;
                self.list(count, next)
            }
            0xde | 0xdf => {
                let count = self.number(if first == 0xde { 2 } else { 4 })?;
                self.map(count, next)
            }
            0xe0..=0xff => Some((first as i8).into()),
            0xc1 => None,
        }
    }
}

/// A number, or its name where JSON has none for it.
fn float(value: f64) -> Value {
    Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number)
}

/// A number of 16 bits.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let value = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1_024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -value } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        HEXLOWER.decode(hex.as_bytes()).unwrap()
    }

    /// Examples of RFC 8949, appendix A.
    #[test]
    fn cbor_is_read() {
        let cases = [
            ("83010203", json!([1, 2, 3])),
            ("8301820203820405", json!([1, [2, 3], [4, 5]])),
            ("a26161016162820203", json!({"a": 1, "b": [2, 3]})),
            ("9f018202039f0405ffff", json!([1, [2, 3], [4, 5]])),
            ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
            ("81f93c00", json!([1.0])),
            ("81fb3ff199999999999a", json!([1.1])),
            ("823863f6", json!([-100, null])),
            ("8144010203 04".replace(' ', "").as_str(), json!(["0x01020304"])),
            ("81c11a514b67b0", json!([1_363_896_240])),
        ]
        .map(|(hex, value)| (bytes(hex), value));
        for (bytes, value) in cases {
            assert_eq!(cbor(&bytes), Some(value));
        }
        assert_eq!(cbor(&bytes("8301")), None);
        assert_eq!(cbor(&bytes("830102030 4".replace(' ', "").as_str())), None, "something follows");
    }

    #[test]
    fn message_pack_is_read() {
        let cases = [
            ("82a7636f6d70616374c3a6736368656d6100", json!({"compact": true, "schema": 0})),
            ("93ff cc80 d1ff00".replace(' ', "").as_str(), json!([-1, 128, -256])),
            ("92c0cb3ff199999999999a", json!([null, 1.1])),
            ("91c4020102", json!(["0x0102"])),
        ]
        .map(|(hex, value)| (bytes(hex), value));
        for (bytes, value) in cases {
            assert_eq!(message_pack(&bytes), Some(value));
        }
        assert_eq!(message_pack(b"\xddffff"), None, "it promises more than there is");
    }

    proptest! {
        #[test]
        fn anything_is_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (cbor(&bytes), message_pack(&bytes));
        }

        #[test]
        fn deep_nesting_is_refused(depth in 40usize..2_000) {
            let (mut one, mut other) = (vec![0x81; depth], vec![0x91; depth]);
            one.push(0);
            other.push(0);
            prop_assert_eq!((cbor(&one), message_pack(&other)), (None, None));
        }
    }
}
