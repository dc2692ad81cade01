//! The design tokens: every colour, size and distance of the window, in light, dark and high contrast. Views
//! use no others.

#![expect(clippy::disallowed_methods, reason = "colours are made here and nowhere else")]

use std::sync::{Arc, OnceLock};

use egui::epaint::Shadow;
use egui::epaint::text::{FallbackRequest, FontInsert, FontPriority, InsertFontFamily};
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Vec2, Visuals};

use super::icons;
use crate::model::preferences;

/// Distances in points, on a grid of 4.
pub mod space {
    /// Between closely related elements.
    pub const TINY: f32 = 4.0;
    /// Between controls.
    pub const SMALL: f32 = 8.0;
    /// Around contents.
    pub const MEDIUM: f32 = 12.0;
    /// Between groups.
    pub const LARGE: f32 = 16.0;
    /// Around cards and dialogs.
    pub const HUGE: f32 = 24.0;
}

/// Sizes, in points.
pub mod size {
    /// Font size of times and hints.
    pub const SMALL: f32 = 12.0;
    /// Font size of messages and controls.
    pub const BODY: f32 = 14.0;
    /// Font size of room and server names.
    pub const HEADING: f32 = 16.0;
    /// Font size of titles of dialogs and empty panes.
    pub const TITLE: f32 = 20.0;
    /// Line height of messages.
    pub const BODY_LINE: f32 = 20.0;
    /// Font size of code blocks.
    pub const CODE: f32 = 13.0;
    /// Line height of code blocks.
    pub const CODE_LINE: f32 = 18.0;
    /// Line height of small text.
    pub const SMALL_LINE: f32 = 16.0;
    /// Height of a control.
    pub const CONTROL: f32 = 28.0;
    /// Height of the connection bar.
    pub const BAR: f32 = 44.0;
    /// Diameter of an author's avatar.
    pub const AVATAR: f32 = 32.0;
    /// From the left edge of the chat to the text.
    pub const GUTTER: f32 = 60.0;
    /// From the text to the right edge of the chat; contains the delivery mark.
    pub const TAIL: f32 = 36.0;
    /// Maximum width of a pane's content.
    pub const MEASURE: f32 = 860.0;
    /// Maximum width of a line of a message, about 100 letters: longer ones are hard to read.
    pub const READING: f32 = 700.0;
    /// Default maximum width of the chat beside devices; the rest of a wide window goes to the devices.
    pub const CHAT_WIDE: f32 = 880.0;
    /// Width of the scroll bar.
    pub const SCROLL: f32 = 8.0;
    /// Minimum length of the scroll bar's handle.
    pub const THUMB: f32 = 32.0;
    /// Width of the palette.
    pub const PALETTE: f32 = 560.0;
    /// Minimum width of a message field for the longer hint.
    pub const HINTED: f32 = 440.0;
    /// Width of a dialog.
    pub const DIALOG: f32 = 440.0;
    /// Width of the settings sheet with the categories beside the list.
    pub const SETTINGS: f32 = 720.0;
    /// Width of the shortcut sheet with several columns.
    pub const SHORTCUTS: f32 = 1_080.0;
    /// Windows narrower than this have smaller margins around dialogs.
    pub const CRAMPED_WIDTH: f32 = 560.0;
    /// Windows lower than this have smaller margins around dialogs.
    pub const CRAMPED_HEIGHT: f32 = 440.0;
    /// Width of a dialog with lists or commands to copy.
    pub const WIDE_DIALOG: f32 = 640.0;
    /// Width of a non-modal dialog.
    pub const ASK: f32 = 340.0;
    /// Size of an icon beside text.
    pub const ICON: f32 = 16.0;
    /// Default width of the room list.
    pub const ROOMS: f32 = 224.0;
    /// Minimum width of the room list.
    pub const ROOMS_LEAST: f32 = 140.0;
    /// Minimum width of the chat.
    pub const CHAT_LEAST: f32 = 320.0;
    /// Default width of the device pane.
    pub const DEVICES: f32 = 440.0;
    /// Minimum width of the device pane.
    pub const DEVICES_LEAST: f32 = 280.0;
    /// Height of a row of the connection log.
    pub const LOG_ROW: f32 = 22.0;
    /// Default height of the connection log.
    pub const LOG: f32 = 300.0;
    /// Minimum height of the connection log.
    pub const LOG_LEAST: f32 = 150.0;
    /// Default width of the search pane.
    pub const SEARCH: f32 = 360.0;
    /// Minimum width of the search pane.
    pub const SEARCH_LEAST: f32 = 280.0;
    /// Minimum width of a filter's button.
    pub const SEARCH_FILTER: f32 = 68.0;
    /// Height of a search result: author and room, and two lines of text.
    pub const HIT: f32 = 76.0;
    /// Size of a sparkline.
    pub const SPARK: egui::Vec2 = egui::vec2(72.0, 18.0);
    /// Minimum width of the window for panes side by side; a narrower one shows a single pane.
    pub const BESIDE: f32 = 800.0;
    /// Minimum width of the window for labels on the pane switch.
    pub const WORDY: f32 = 620.0;
    /// Windows narrower than this show only the essentials.
    pub const SLIM: f32 = 400.0;
}

/// Heights and distances set by the density preference, in points.
#[derive(Debug, PartialEq)]
pub struct Rhythm {
    /// Height of a row in the room list and the palette.
    pub row: f32,
    /// Space before the first message of an author.
    pub group: f32,
    /// Space between messages of the same author.
    pub little: f32,
    /// Height of a device's row.
    pub device: f32,
    /// Height of a device's card, including its margins.
    pub card: f32,
    /// Height of a connection's heading in the device list.
    pub section: f32,
    /// Height of a group's heading in the device list.
    pub heading: f32,
}

/// The comfortable density.
pub static COMFORTABLE: Rhythm =
    Rhythm { row: 32.0, group: 16.0, little: 4.0, device: 28.0, card: 136.0, section: 30.0, heading: 28.0 };

/// The compact density: as much on screen as is still readable.
pub static COMPACT: Rhythm =
    Rhythm { row: 24.0, group: 8.0, little: 0.0, device: 24.0, card: 124.0, section: 26.0, heading: 24.0 };

/// The spacing for a density preference.
pub fn rhythm(preference: preferences::Density) -> &'static Rhythm {
    match preference {
        preferences::Density::Comfortable => &COMFORTABLE,
        preferences::Density::Compact => &COMPACT,
    }
}

/// Durations of animations, in seconds.
pub mod motion {
    /// Responses to input are immediate: nothing slides or fades.
    pub const CHANGE: f32 = 0.0;
    /// Things that appear on their own fade in, unless reduced motion is preferred.
    pub const FADE: f32 = 0.1;
}

/// Corner radii, in points.
pub mod radius {
    /// Controls and rows.
    pub const CONTROL: u8 = 6;
    /// Cards and dialogs.
    pub const CARD: u8 = 10;
}

/// A colour scheme.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Background of messages.
    pub ground: Color32,
    /// Background of the connection bar and the room list.
    pub panel: Color32,
    /// Cards, dialogs, text fields.
    pub raised: Color32,
    /// Separators.
    pub line: Color32,
    /// Outline of a control.
    pub outline: Color32,
    /// A row or control under the pointer.
    pub hover: Color32,
    /// A message under the pointer.
    pub hover_ground: Color32,
    /// The selected room.
    pub selected: Color32,
    /// Text.
    pub text: Color32,
    /// Secondary text: times, hints.
    pub weak: Color32,
    /// Links, focus ring, selected option.
    pub accent: Color32,
    /// Fill of the primary button.
    pub accent_fill: Color32,
    /// Text on the primary button and on badges.
    pub on_accent: Color32,
    /// Success.
    pub good: Color32,
    /// Warning.
    pub warn: Color32,
    /// Error.
    pub bad: Color32,
    /// Background of a warning.
    pub warn_ground: Color32,
    /// Background of an error.
    pub bad_ground: Color32,
    /// Background of selected text.
    pub selection: Color32,
    /// Background of code.
    pub code_ground: Color32,
    /// Dims the window behind a dialog.
    pub veil: Color32,
    /// Shadow of popups and dialogs.
    pub shadow: Color32,
    /// The scroll bar's handle.
    pub thumb: Color32,
    /// The scroll bar's handle under the pointer.
    pub thumb_hover: Color32,
    /// Authors' names and avatars.
    pub people: [Color32; 8],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Background of a QR code. The same in every theme, since scanners expect dark on light.
pub const PAPER: Color32 = rgb(0xFFFFFF);
/// Modules of a QR code.
pub const INK: Color32 = rgb(0x000000);

/// The light theme.
pub static LIGHT: Theme = Theme {
    ground: rgb(0xFFFFFF),
    panel: rgb(0xF4F5F7),
    raised: rgb(0xFFFFFF),
    line: rgb(0xE2E5EA),
    outline: rgb(0xC6CCD5),
    hover: rgb(0xEBEDF1),
    hover_ground: rgb(0xF6F7F9),
    selected: rgb(0xDFE7FB),
    text: rgb(0x1B1F26),
    weak: rgb(0x59616E),
    accent: rgb(0x2A55C9),
    accent_fill: rgb(0x2F5DD9),
    on_accent: rgb(0xFFFFFF),
    good: rgb(0x18703F),
    warn: rgb(0x855500),
    bad: rgb(0xB3261E),
    warn_ground: rgb(0xFFF4DC),
    bad_ground: rgb(0xFDECEA),
    selection: rgb(0xC7D8FB),
    code_ground: rgb(0xF1F3F6),
    veil: Color32::from_rgba_premultiplied(0, 0, 0, 90),
    shadow: Color32::from_rgba_premultiplied(0, 0, 0, 44),
    thumb: rgb(0xC6CCD5),
    thumb_hover: rgb(0x98A1AF),
    people: [
        rgb(0x2A55C9),
        rgb(0x8B3FB8),
        rgb(0xB0306A),
        rgb(0xA8401B),
        rgb(0x7A5C00),
        rgb(0x2C7032),
        rgb(0x0B6E75),
        rgb(0x525E9A),
    ],
};

/// The dark theme.
pub static DARK: Theme = Theme {
    ground: rgb(0x17191E),
    panel: rgb(0x1D2026),
    raised: rgb(0x24282F),
    line: rgb(0x2C3038),
    outline: rgb(0x434955),
    hover: rgb(0x272B33),
    hover_ground: rgb(0x1C1F25),
    selected: rgb(0x2B3958),
    text: rgb(0xE4E7EC),
    weak: rgb(0x9DA6B4),
    accent: rgb(0x8FB0FF),
    accent_fill: rgb(0x3A63D8),
    on_accent: rgb(0xFFFFFF),
    good: rgb(0x66CE92),
    warn: rgb(0xEDB54C),
    bad: rgb(0xFF8D84),
    warn_ground: rgb(0x33291A),
    bad_ground: rgb(0x3A2122),
    selection: rgb(0x2E4C8C),
    code_ground: rgb(0x1F2329),
    veil: Color32::from_rgba_premultiplied(0, 0, 0, 140),
    shadow: Color32::from_rgba_premultiplied(0, 0, 0, 130),
    thumb: rgb(0x434955),
    thumb_hover: rgb(0x6B7482),
    people: [
        rgb(0x8FB0FF),
        rgb(0xCE9CF0),
        rgb(0xF291BC),
        rgb(0xF2A07E),
        rgb(0xD9BC5B),
        rgb(0x8CCB90),
        rgb(0x6CC9CF),
        rgb(0xA9B4E6),
    ],
};

/// The high-contrast theme: at least 7:1 for all text.
pub static HIGH_CONTRAST: Theme = Theme {
    ground: rgb(0x000000),
    panel: rgb(0x000000),
    raised: rgb(0x000000),
    line: rgb(0xFFFFFF),
    outline: rgb(0xFFFFFF),
    hover: rgb(0x1E1E1E),
    hover_ground: rgb(0x141414),
    selected: rgb(0x00295C),
    text: rgb(0xFFFFFF),
    weak: rgb(0xE0E0E0),
    accent: rgb(0x8FD3FF),
    accent_fill: rgb(0xFFE45C),
    on_accent: rgb(0x000000),
    good: rgb(0x7CF29A),
    warn: rgb(0xFFD84D),
    bad: rgb(0xFFB3AB),
    warn_ground: rgb(0x241C00),
    bad_ground: rgb(0x2E0000),
    selection: rgb(0x00408F),
    code_ground: rgb(0x161616),
    veil: Color32::from_rgba_premultiplied(0, 0, 0, 190),
    shadow: Color32::from_rgba_premultiplied(0, 0, 0, 0),
    thumb: rgb(0xC8C8C8),
    thumb_hover: rgb(0xFFFFFF),
    people: [
        rgb(0x8FD3FF),
        rgb(0xE2B8FF),
        rgb(0xFFB0D5),
        rgb(0xFFC09E),
        rgb(0xFFE066),
        rgb(0xA5F0A9),
        rgb(0x86EDF2),
        rgb(0xC9D1FF),
    ],
};

impl Theme {
    /// An author's colour; always the same for the same key.
    pub fn person(&self, key: &str) -> Color32 {
        // FNV-1a. Its low bits depend mostly on the last letters, so the high bits are folded in.
        let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.people[(mixed >> 32) as usize % self.people.len()]
    }
}

/// The colours in use.
pub fn of(ui: &egui::Ui) -> &'static Theme {
    let visuals = ui.visuals();
    match (visuals.dark_mode, visuals.panel_fill == HIGH_CONTRAST.panel) {
        (false, _) => &LIGHT,
        (true, false) => &DARK,
        (true, true) => &HIGH_CONTRAST,
    }
}

/// Font of messages and controls.
pub fn body() -> FontId {
    FontId::proportional(size::BODY)
}

/// Font of times and hints.
pub fn small() -> FontId {
    FontId::proportional(size::SMALL)
}

/// Small monospace font, for shell commands.
pub fn mono_small() -> FontId {
    FontId::monospace(size::SMALL)
}

/// Font of payloads and other text whose letters must be told apart.
pub fn code() -> FontId {
    FontId::monospace(size::CODE)
}

/// Font of room and server names.
pub fn heading() -> FontId {
    strong(size::HEADING)
}

/// Bold font of this size, in points.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(STRONG.into()))
}

/// Font of titles.
pub fn title() -> FontId {
    strong(size::TITLE)
}

/// One family for Latin and Hangul, under the SIL Open Font License 1.1; the licence is in the same folder.
const PRETENDARD: &[u8] = include_bytes!("../../assets/fonts/Pretendard-Regular.otf");

/// Its bold weight. Not a subset: every Hangul syllable is included.
const PRETENDARD_BOLD: &[u8] = include_bytes!("../../assets/fonts/Pretendard-Bold.otf");
/// Font family of the bold weight.
const STRONG: &str = "strong";

/// egui's monochrome emoji fonts, the fallback if the system has none.
const EMOJI: [&str; 2] = ["NotoEmoji-Regular", "emoji-icon-font"];

/// Puts our font before egui's fonts, which remain for code; the system's fonts provide other scripts and
/// emoji. Font providers that take precedence over egui's emoji must already be in the context.
pub fn install_font(ctx: &egui::Context) {
    let mut fonts = egui::FontDefinitions::default();
    let name = "Pretendard";
    fonts.font_data.insert(name.to_owned(), Arc::new(egui::FontData::from_static(PRETENDARD)));
    fonts.families.entry(FontFamily::Proportional).or_default().insert(0, name.to_owned());
    let bold = "Pretendard Bold";
    fonts.font_data.insert(bold.to_owned(), Arc::new(egui::FontData::from_static(PRETENDARD_BOLD)));
    let mut strong = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    strong.insert(0, bold.to_owned());
    fonts.families.insert(FontFamily::Name(STRONG.into()), strong);
    fonts.font_data.insert(icons::FAMILY.to_owned(), Arc::new(egui::FontData::from_static(icons::FONT)));
    fonts.families.insert(FontFamily::Name(icons::FAMILY.into()), vec![icons::FAMILY.to_owned()]);
    let code = fonts.families.entry(FontFamily::Monospace).or_default();
    code.insert(code.len().min(1), name.to_owned());
    let emoji = EMOJI.map(|name| (name, fonts.font_data.remove(name)));
    for family in fonts.families.values_mut() {
        family.retain(|font| !EMOJI.contains(&font.as_str()));
    }
    ctx.set_fonts(fonts);
    for (name, data) in emoji {
        let Some(data) = data else { continue };
        let data = Arc::unwrap_or_clone(data);
        OWN_EMOJI.get_or_init(|| (name.to_owned(), data.clone()));
        let insert = move |_: &FallbackRequest| {
            Some(FontInsert { name: name.to_owned(), data: data.clone(), families: Vec::new() })
        };
        ctx.add_font_provider(Arc::new(insert));
    }
}

/// The better of egui's own emoji fonts.
static OWN_EMOJI: OnceLock<(String, egui::FontData)> = OnceLock::new();

/// Takes all emoji from one font, even if other fonts have some too: this one, or egui's own.
pub fn prefer_emoji(ctx: &egui::Context, font: Option<FontInsert>) {
    let own = || {
        let (name, data) = OWN_EMOJI.get()?.clone();
        Some(FontInsert { name, data, families: Vec::new() })
    };
    let Some(mut font) = font.or_else(own) else { return };
    let families = [FontFamily::Proportional, FontFamily::Name(STRONG.into()), FontFamily::Monospace];
    // After our own fonts, and before fallback fonts found later.
    let last = |family| InsertFontFamily { family, priority: FontPriority::Lowest };
    font.families = families.map(last).into();
    ctx.add_font(font);
}

/// Applies the tokens to egui's own widgets.
pub fn apply(ctx: &egui::Context, preference: preferences::Theme) {
    let (follow, dark) = match preference {
        preferences::Theme::System => (egui::ThemePreference::System, &DARK),
        preferences::Theme::Light => (egui::ThemePreference::Light, &DARK),
        preferences::Theme::Dark => (egui::ThemePreference::Dark, &DARK),
        preferences::Theme::HighContrast => (egui::ThemePreference::Dark, &HIGH_CONTRAST),
    };
    ctx.set_theme(follow);
    for (theme, colours, base) in
        [(egui::Theme::Light, &LIGHT, Visuals::light()), (egui::Theme::Dark, dark, Visuals::dark())]
    {
        let mut style = (*ctx.style_of(theme)).clone();
        style.visuals = visuals(colours, base);
        style.text_styles = [
            (TextStyle::Small, small()),
            (TextStyle::Body, body()),
            (TextStyle::Button, body()),
            (TextStyle::Heading, title()),
            (TextStyle::Monospace, FontId::new(size::BODY, FontFamily::Monospace)),
        ]
        .into();
        style.spacing.item_spacing = Vec2::new(space::SMALL, space::TINY);
        style.spacing.button_padding = Vec2::new(space::MEDIUM, space::TINY);
        style.spacing.interact_size.y = size::CONTROL;
        style.spacing.menu_margin = Margin::same(6);
        style.spacing.window_margin = Margin::same(space::HUGE as i8);
        style.spacing.text_edit_width = size::DIALOG;
        style.spacing.tooltip_width = 360.0;
        style.interaction.tooltip_delay = 0.4;
        style.animation_time = motion::CHANGE;
        ctx.set_style_of(theme, style);
    }
}

fn visuals(colours: &Theme, base: Visuals) -> Visuals {
    let mut visuals = base;
    visuals.panel_fill = colours.panel;
    visuals.window_fill = colours.raised;
    visuals.window_stroke = Stroke::new(1.0, colours.outline);
    visuals.popup_shadow = Shadow { offset: [0, 6], blur: 20, spread: 0, color: colours.shadow };
    visuals.window_corner_radius = CornerRadius::same(radius::CARD);
    visuals.menu_corner_radius = CornerRadius::same(radius::CARD);
    visuals.extreme_bg_color = colours.raised;
    visuals.text_edit_bg_color = Some(colours.raised);
    visuals.faint_bg_color = colours.panel;
    visuals.code_bg_color = colours.hover;
    visuals.hyperlink_color = colours.accent;
    visuals.warn_fg_color = colours.warn;
    visuals.error_fg_color = colours.bad;
    visuals.weak_text_color = Some(colours.weak);
    visuals.selection.bg_fill = colours.selection;
    visuals.selection.stroke = Stroke::new(1.5, colours.accent);
    visuals.text_cursor.stroke = Stroke::new(2.0, colours.accent);
    // A blinking cursor would cause two repaints per second.
    visuals.text_cursor.blink = false;
    let corner = CornerRadius::same(radius::CONTROL);
    let widgets = &mut visuals.widgets;
    for (widget, fill, line, text) in [
        (&mut widgets.noninteractive, colours.panel, colours.line, colours.text),
        (&mut widgets.inactive, colours.raised, colours.outline, colours.text),
        (&mut widgets.hovered, colours.hover, colours.outline, colours.text),
        // Also used for a widget focused by a click; keyboard focus has its own ring.
        (&mut widgets.active, colours.selected, colours.outline, colours.text),
        (&mut widgets.open, colours.hover, colours.outline, colours.text),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, line);
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = corner;
        widget.expansion = 0.0;
    }
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: Color32) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(colour.r()) + 0.7152 * channel(colour.g()) + 0.0722 * channel(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn people_are_spread_over_all_colours() {
        for keys in [
            (0..400).map(|n| format!("person-{n}")).collect::<Vec<_>>(),
            (0..400).map(|n| format!("{n:08x}-5f1e-4c3a-9d20-6b1c2d3e4f50")).collect(),
            ('가'..).take(400).map(String::from).collect(),
        ] {
            let mut counts = std::collections::HashMap::<_, usize>::new();
            for key in &keys {
                *counts.entry(LIGHT.person(key)).or_default() += 1;
            }
            let even = keys.len() / LIGHT.people.len();
            assert_eq!(counts.len(), LIGHT.people.len(), "{}", keys[0]);
            assert!(counts.values().all(|count| *count > even / 2 && *count < even * 2), "{counts:?}");
        }
        // The first few people of a server, which numbers them, get distinct colours.
        let few: std::collections::HashSet<_> = ["p1", "p2", "p3"].map(|key| LIGHT.person(key)).into();
        assert_eq!(few.len(), 3);
    }

    #[test]
    fn all_text_has_enough_contrast() {
        for (name, theme, least) in
            [("light", &LIGHT, 4.5), ("dark", &DARK, 4.5), ("high contrast", &HIGH_CONTRAST, 7.0)]
        {
            let grounds = [
                theme.ground,
                theme.hover_ground,
                theme.panel,
                theme.raised,
                theme.hover,
                theme.selected,
                theme.code_ground,
            ];
            let mut pairs = vec![
                ("on accent", theme.on_accent, theme.accent_fill),
                ("warn", theme.warn, theme.warn_ground),
                ("text on warn", theme.text, theme.warn_ground),
                ("weak on warn", theme.weak, theme.warn_ground),
                ("bad", theme.bad, theme.bad_ground),
                ("text on bad", theme.text, theme.bad_ground),
                ("selected text", theme.text, theme.selection),
            ];
            for ground in grounds {
                pairs.push(("text", theme.text, ground));
                pairs.push(("weak", theme.weak, ground));
                pairs.push(("accent", theme.accent, ground));
            }
            for ground in [theme.ground, theme.panel, theme.raised, theme.hover] {
                pairs.push(("good", theme.good, ground));
                pairs.push(("warn", theme.warn, ground));
                pairs.push(("bad", theme.bad, ground));
            }
            for person in theme.people {
                pairs.push(("person", person, theme.ground));
                pairs.push(("person on hover", person, theme.hover_ground));
            }
            for (what, text, ground) in pairs {
                let ratio = contrast(text, ground);
                assert!(ratio >= least, "{name}: {what} {text:?} on {ground:?} is {ratio:.2}:1");
            }
        }
    }
}
