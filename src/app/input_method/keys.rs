//! [`Press`]: a key as sent to input methods: the X11 keysym, the key code and the modifiers.

use winit::event::KeyEvent;
use winit::keyboard::{Key, KeyLocation, ModifiersState, NamedKey, PhysicalKey};
use winit::platform::scancode::PhysicalKeyExtScancode as _;

const SHIFT: u32 = 1;
const CAPS_LOCK: u32 = 1 << 1;
const CONTROL: u32 = 1 << 2;
const ALT: u32 = 1 << 3;
const SUPER: u32 = 1 << 6;
/// Offset from Unicode to the keysyms of characters beyond Latin-1.
const UNICODE: u32 = 0x0100_0000;

/// A key press or release.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Press {
    /// The X11 keysym.
    pub(super) keyval: u32,
    /// The evdev key code, 8 less than in X11.
    pub(super) code: u32,
    /// The modifiers as an X11 bit mask.
    pub(super) state: u32,
    /// Whether it is a release.
    pub(super) released: bool,
}

impl Press {
    /// `None` for a key that input methods do not know.
    pub(super) fn of(event: &KeyEvent, modifiers: ModifiersState) -> Option<Press> {
        let keyval = keyval(&event.logical_key, event.location)?;
        let code = match event.physical_key {
            PhysicalKey::Code(code) => code.to_scancode(),
            unnamed @ PhysicalKey::Unidentified(_) => unnamed.to_scancode(),
        };
        let state = state(modifiers) | caps_lock(&event.logical_key, modifiers);
        Some(Press { keyval, code: code.unwrap_or(0), state, released: !event.state.is_pressed() })
    }

    /// Whether both are of the same key.
    pub(super) fn is_key(&self, other: &Press) -> bool {
        self.keyval == other.keyval && self.released == other.released
    }

    /// Whether it is a modifier such as Shift, which neither writes nor ends anything.
    pub(super) fn is_modifier(&self) -> bool {
        matches!(self.keyval, 0xffe1..=0xffee | 0xfe03)
    }

    /// Whether it takes effect on typed text or moves the focus: Enter, Tab, Escape.
    pub(super) fn acts(&self) -> bool {
        matches!(self.keyval, 0xff0d | 0xff8d | 0xff09 | 0xff1b) || self.state & (CONTROL | ALT | SUPER) != 0
    }

    /// Whether an input method may compose with it.
    pub(super) fn writes(&self) -> bool {
        self.state & (CONTROL | ALT | SUPER) == 0
            && self.letter().is_some_and(|letter| !letter.is_whitespace())
    }

    /// The character that the key produces without an input method.
    pub(super) fn letter(&self) -> Option<char> {
        let code = match self.keyval {
            code @ (0x20..=0x7e | 0xa0..=0xff) => code,
            code if code & 0xff00_0000 == UNICODE => code - UNICODE,
            _ => return None,
        };
        char::from_u32(code).filter(|letter| !letter.is_control())
    }
}

fn state(modifiers: ModifiersState) -> u32 {
    let bit = |set: bool, bit: u32| if set { bit } else { 0 };
    bit(modifiers.shift_key(), SHIFT)
        | bit(modifiers.control_key(), CONTROL)
        | bit(modifiers.alt_key(), ALT)
        | bit(modifiers.super_key(), SUPER)
}

/// winit does not report Caps Lock, but a letter's case does: input methods need to know whether Shift or Caps Lock
/// caused it.
fn caps_lock(key: &Key, modifiers: ModifiersState) -> u32 {
    let Key::Character(text) = key else { return 0 };
    match text.chars().next() {
        Some(letter) if letter.is_uppercase() && !modifiers.shift_key() => CAPS_LOCK,
        Some(letter) if letter.is_lowercase() && modifiers.shift_key() => CAPS_LOCK,
        _ => 0,
    }
}

fn keyval(key: &Key, location: KeyLocation) -> Option<u32> {
    match key {
        Key::Character(text) => {
            let letter = text.chars().next()?;
            let code = letter as u32;
            match location {
                // KP_0, KP_plus and so on.
                KeyLocation::Numpad if matches!(letter, '0'..='9' | '*'..='/' | '=') => Some(0xff80 + code),
                _ if code < 0x100 => Some(code),
                _ => Some(UNICODE + code),
            }
        }
        Key::Named(named) => named_keyval(*named, location),
        Key::Dead(_) | Key::Unidentified(_) => None,
    }
}

fn named_keyval(key: NamedKey, location: KeyLocation) -> Option<u32> {
    let right = u32::from(location == KeyLocation::Right);
    Some(match key {
        NamedKey::Enter if location == KeyLocation::Numpad => 0xff8d,
        NamedKey::Enter => 0xff0d,
        NamedKey::Tab => 0xff09,
        NamedKey::Space => 0x20,
        NamedKey::Backspace => 0xff08,
        NamedKey::Escape => 0xff1b,
        NamedKey::Delete => 0xffff,
        NamedKey::Home => 0xff50,
        NamedKey::ArrowLeft => 0xff51,
        NamedKey::ArrowUp => 0xff52,
        NamedKey::ArrowRight => 0xff53,
        NamedKey::ArrowDown => 0xff54,
        NamedKey::PageUp => 0xff55,
        NamedKey::PageDown => 0xff56,
        NamedKey::End => 0xff57,
        NamedKey::Insert => 0xff63,
        NamedKey::ContextMenu => 0xff67,
        NamedKey::Pause => 0xff13,
        NamedKey::PrintScreen => 0xff61,
        NamedKey::Shift => 0xffe1 + right,
        NamedKey::Control => 0xffe3 + right,
        NamedKey::Alt => 0xffe9 + right,
        NamedKey::Super | NamedKey::Meta => 0xffeb + right,
        NamedKey::AltGraph => 0xfe03,
        NamedKey::CapsLock => 0xffe5,
        NamedKey::NumLock => 0xff7f,
        NamedKey::ScrollLock => 0xff14,
        NamedKey::ModeChange => 0xff7e,
        NamedKey::Compose => 0xff20,
        other => return writing_keyval(other).or_else(|| function_keyval(other)),
    })
}

/// Keys of Korean and Japanese keyboards.
fn writing_keyval(key: NamedKey) -> Option<u32> {
    Some(match key {
        NamedKey::HangulMode => 0xff31,
        NamedKey::HanjaMode => 0xff34,
        NamedKey::JunjaMode => 0xff38,
        NamedKey::KanjiMode => 0xff21,
        NamedKey::NonConvert => 0xff22,
        NamedKey::Convert => 0xff23,
        NamedKey::Romaji => 0xff24,
        NamedKey::Hiragana => 0xff25,
        NamedKey::Katakana => 0xff26,
        NamedKey::HiraganaKatakana => 0xff27,
        NamedKey::Zenkaku => 0xff28,
        NamedKey::Hankaku => 0xff29,
        NamedKey::ZenkakuHankaku => 0xff2a,
        NamedKey::KanaMode => 0xff2d,
        NamedKey::Eisu => 0xff30,
        NamedKey::CodeInput => 0xff37,
        NamedKey::SingleCandidate => 0xff3c,
        NamedKey::AllCandidates => 0xff3d,
        NamedKey::PreviousCandidate => 0xff3e,
        _ => return None,
    })
}

fn function_keyval(key: NamedKey) -> Option<u32> {
    const KEYS: [NamedKey; 12] = [
        NamedKey::F1,
        NamedKey::F2,
        NamedKey::F3,
        NamedKey::F4,
        NamedKey::F5,
        NamedKey::F6,
        NamedKey::F7,
        NamedKey::F8,
        NamedKey::F9,
        NamedKey::F10,
        NamedKey::F11,
        NamedKey::F12,
    ];
    KEYS.iter().zip(0xffbe..).find(|(named, _)| **named == key).map(|(_, keyval)| keyval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keysyms_are_those_of_x11() {
        let at = |key, location| keyval(&key, location);
        let standard = |key| at(key, KeyLocation::Standard);
        assert_eq!(standard(Key::Character("r".into())), Some(0x72));
        assert_eq!(standard(Key::Character("é".into())), Some(0xe9));
        assert_eq!(standard(Key::Character("ㄱ".into())), Some(0x0100_3131));
        assert_eq!(standard(Key::Named(NamedKey::F12)), Some(0xffc9));
        assert_eq!(standard(Key::Named(NamedKey::HangulMode)), Some(0xff31));
        assert_eq!(at(Key::Named(NamedKey::Shift), KeyLocation::Right), Some(0xffe2));
        assert_eq!(at(Key::Character("7".into()), KeyLocation::Numpad), Some(0xffb7));
        assert_eq!(at(Key::Character("+".into()), KeyLocation::Numpad), Some(0xffab));
        assert_eq!(standard(Key::Dead(None)), None);
    }

    #[test]
    fn caps_lock_is_derived_from_a_letter() {
        let key = |text: &str| Key::Character(text.into());
        assert_eq!(caps_lock(&key("R"), ModifiersState::empty()), CAPS_LOCK);
        assert_eq!(caps_lock(&key("r"), ModifiersState::SHIFT), CAPS_LOCK);
        assert_eq!(caps_lock(&key("R"), ModifiersState::SHIFT), 0);
        assert_eq!(caps_lock(&key("1"), ModifiersState::SHIFT), 0);
    }

    #[test]
    fn a_keysym_contains_the_character() {
        let letter = |keyval| Press { keyval, code: 0, state: 0, released: false }.letter();
        assert_eq!(letter(0x41), Some('A'));
        assert_eq!(letter(0x0100_ac00), Some('가'));
        assert_eq!(letter(0xff0d), None);
    }
}
