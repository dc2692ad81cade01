//! The design's tokens: every colour, size and distance of the window, in light, dark and high contrast. Views take them from here
//! and from nowhere else.

#![expect(clippy::disallowed_methods, reason = "colours are made here and nowhere else")]

use std::sync::{Arc, OnceLock};

use egui::epaint::Shadow;
use egui::epaint::text::{FallbackRequest, FontInsert, FontPriority, InsertFontFamily};
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle, Vec2, Visuals};

use super::icons;
use crate::model::preferences;

/// Distances, on a grid of 4 points.
pub mod space {
    /// Between things that belong together.
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

/// Type scale, in points.
pub mod size {
    /// Times, hints.
    pub const SMALL: f32 = 12.0;
    /// Messages, controls.
    pub const BODY: f32 = 14.0;
    /// Names of rooms and servers.
    pub const HEADING: f32 = 16.0;
    /// Titles of dialogs and empty panes.
    pub const TITLE: f32 = 20.0;
    /// Line height of messages.
    pub const BODY_LINE: f32 = 20.0;
    /// Code in blocks.
    pub const CODE: f32 = 13.0;
    /// Line height of code in blocks.
    pub const CODE_LINE: f32 = 18.0;
    /// Line height of small text.
    pub const SMALL_LINE: f32 = 16.0;
    /// Height of a control.
    pub const CONTROL: f32 = 28.0;
    /// Height of the connection bar's line.
    pub const BAR: f32 = 44.0;
    /// Diameter of an author's disc.
    pub const AVATAR: f32 = 32.0;
    /// From the left edge of the chat to the text.
    pub const GUTTER: f32 = 60.0;
    /// From the right edge of the chat to the text: the delivery mark stands there.
    pub const TAIL: f32 = 36.0;
    /// Widest part of a pane that is read along.
    pub const MEASURE: f32 = 860.0;
    /// Widest line of a message, about 100 letters: longer ones are hard to read.
    pub const READING: f32 = 700.0;
    /// The chat beside devices, unless dragged: the rest of a wide window is theirs.
    pub const CHAT_WIDE: f32 = 880.0;
    /// Width of the scroll bar.
    pub const SCROLL: f32 = 8.0;
    /// Least length of the scroll bar's thumb.
    pub const THUMB: f32 = 32.0;
    /// Width of the palette.
    pub const PALETTE: f32 = 560.0;
    /// A message field of this width has room for a longer hint.
    pub const HINTED: f32 = 440.0;
    /// Width of a dialog.
    pub const DIALOG: f32 = 440.0;
    /// Width of the settings, where there is room for their categories beside them.
    pub const SETTINGS: f32 = 720.0;
    /// Width of the sheet of shortcuts, where there is room for columns.
    pub const SHORTCUTS: f32 = 1_080.0;
    /// A window narrower than this leaves dialogs less of an edge.
    pub const CRAMPED_WIDTH: f32 = 560.0;
    /// A window lower than this leaves dialogs less of an edge.
    pub const CRAMPED_HEIGHT: f32 = 440.0;
    /// The width of a dialog with lists or lines to copy.
    pub const WIDE_DIALOG: f32 = 640.0;
    /// Width of a dialog beside which everything else goes on.
    pub const ASK: f32 = 340.0;
    /// An icon beside text.
    pub const ICON: f32 = 16.0;
    /// Width of the list of rooms, unless dragged.
    pub const ROOMS: f32 = 224.0;
    /// It is never dragged to less.
    pub const ROOMS_LEAST: f32 = 140.0;
    /// The chat is never pressed to less.
    pub const CHAT_LEAST: f32 = 320.0;
    /// Width of the device pane, unless dragged.
    pub const DEVICES: f32 = 440.0;
    /// It is never dragged to less.
    pub const DEVICES_LEAST: f32 = 280.0;
    /// Height of a line of the connection log.
    pub const LOG_ROW: f32 = 22.0;
    /// Height of the connection log, unless dragged.
    pub const LOG: f32 = 300.0;
    /// It is never dragged to less.
    pub const LOG_LEAST: f32 = 150.0;
    /// Width of the search pane, unless dragged.
    pub const SEARCH: f32 = 360.0;
    /// It is never dragged to less.
    pub const SEARCH_LEAST: f32 = 280.0;
    /// Least width of a filter's button.
    pub const SEARCH_FILTER: f32 = 68.0;
    /// Height of a result: who and where, and two lines of its text.
    pub const HIT: f32 = 76.0;
    /// A sparkline.
    pub const SPARK: egui::Vec2 = egui::vec2(72.0, 18.0);
    /// From this width on panes have room beside each other; below, there is one at a time.
    pub const BESIDE: f32 = 800.0;
    /// From this width on the switch of the panes has room for words.
    pub const WORDY: f32 = 620.0;
    /// Below this width a window has room for what is needed most.
    pub const SLIM: f32 = 400.0;
}

/// How closely things stand: heights and distances that a person chooses together, in points.
#[derive(Debug, PartialEq)]
pub struct Rhythm {
    /// Height of a row in the list of rooms and in the palette.
    pub row: f32,
    /// Before the first message of an author.
    pub group: f32,
    /// Between messages of one author.
    pub little: f32,
    /// Height of a device's line.
    pub device: f32,
    /// Height of a device's card with what is around it.
    pub card: f32,
    /// Height of a connection's heading among devices.
    pub section: f32,
    /// Height of a group's heading among devices.
    pub heading: f32,
}

/// With room around things.
pub static COMFORTABLE: Rhythm =
    Rhythm { row: 32.0, group: 16.0, little: 4.0, device: 28.0, card: 136.0, section: 30.0, heading: 28.0 };

/// As much on the screen as can be read.
pub static COMPACT: Rhythm =
    Rhythm { row: 24.0, group: 8.0, little: 0.0, device: 24.0, card: 124.0, section: 26.0, heading: 24.0 };

/// How closely things stand, as the preference says.
pub fn rhythm(preference: preferences::Density) -> &'static Rhythm {
    match preference {
        preferences::Density::Comfortable => &COMFORTABLE,
        preferences::Density::Compact => &COMPACT,
    }
}

/// Motion, in seconds.
pub mod motion {
    /// What a person asked for is there with the next frame: nothing of it slides or fades.
    pub const CHANGE: f32 = 0.0;
    /// What comes by itself fades in, unless less motion is wanted.
    pub const FADE: f32 = 0.1;
}

/// Corner radii.
pub mod radius {
    /// Controls and rows.
    pub const CONTROL: u8 = 6;
    /// Cards and dialogs.
    pub const CARD: u8 = 10;
}

/// The colours of one appearance.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Behind messages.
    pub ground: Color32,
    /// Behind the bar and the list of rooms.
    pub panel: Color32,
    /// Cards, dialogs, text fields.
    pub raised: Color32,
    /// Thin lines.
    pub line: Color32,
    /// The outline of a control.
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
    /// Links, focus, the chosen thing.
    pub accent: Color32,
    /// The main button.
    pub accent_fill: Color32,
    /// Text on the main button and on counts.
    pub on_accent: Color32,
    /// All is well.
    pub good: Color32,
    /// Wait, or look.
    pub warn: Color32,
    /// Failed.
    pub bad: Color32,
    /// Behind a sentence of warning.
    pub warn_ground: Color32,
    /// Behind a sentence of failure.
    pub bad_ground: Color32,
    /// Behind selected text.
    pub selection: Color32,
    /// Behind code.
    pub code_ground: Color32,
    /// Behind a dialog.
    pub veil: Color32,
    /// The shadow of what lies above the window.
    pub shadow: Color32,
    /// The scroll bar's thumb.
    pub thumb: Color32,
    /// The scroll bar's thumb under the pointer.
    pub thumb_hover: Color32,
    /// Authors' names and discs.
    pub people: [Color32; 8],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// What a QR code is drawn on, and in: the same in every theme, since cameras read dark on light.
pub const PAPER: Color32 = rgb(0xFFFFFF);
/// Its modules.
pub const INK: Color32 = rgb(0x000000);

/// Light.
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

/// Dark.
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

/// High contrast: at least 7:1 for every text.
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
    /// An author's colour: the same for the same key, in every window.
    pub fn person(&self, key: &str) -> Color32 {
        // FNV-1a; only its spread matters. It leaves the last letters in the lowest bits, so what is above is folded in.
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

/// The font of messages and controls.
pub fn body() -> FontId {
    FontId::proportional(size::BODY)
}

/// The font of times and hints.
pub fn small() -> FontId {
    FontId::proportional(size::SMALL)
}

/// The font of what is typed into a shell.
pub fn mono_small() -> FontId {
    FontId::monospace(size::SMALL)
}

/// The font of names of rooms and servers.
pub fn heading() -> FontId {
    strong(size::HEADING)
}

/// The font of what is emphasised, in this size.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(STRONG.into()))
}

/// The font of titles.
pub fn title() -> FontId {
    strong(size::TITLE)
}

/// One family for Latin and Hangul, under the SIL Open Font License 1.1 (its text lies beside it).
const PRETENDARD: &[u8] = include_bytes!("../../assets/fonts/Pretendard-Regular.otf");

/// The same family's bold weight, for what is emphasised. Whole: each Hangul syllable has it.
const PRETENDARD_BOLD: &[u8] = include_bytes!("../../assets/fonts/Pretendard-Bold.otf");
/// The family of the bold weight.
const STRONG: &str = "strong";

/// egui's own emoji, in one colour: for where the system has none.
const EMOJI: [&str; 2] = ["NotoEmoji-Regular", "emoji-icon-font"];

/// Puts our font before egui's own: those keep code, and the system's fonts every other script and emoji. What providers
/// of fonts are to be asked before egui's emoji must be in the context already.
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

/// egui's own emoji, the better of two.
static OWN_EMOJI: OnceLock<(String, egui::FontData)> = OnceLock::new();

/// Lets all emoji come from one font, whatever other fonts have some of them too: this one, or else egui's own.
pub fn prefer_emoji(ctx: &egui::Context, font: Option<FontInsert>) {
    let own = || {
        let (name, data) = OWN_EMOJI.get()?.clone();
        Some(FontInsert { name, data, families: Vec::new() })
    };
    let Some(mut font) = font.or_else(own) else { return };
    let families = [FontFamily::Proportional, FontFamily::Name(STRONG.into()), FontFamily::Monospace];
    // After our own fonts, and before all that are found by and by.
    let last = |family| InsertFontFamily { family, priority: FontPriority::Lowest };
    font.families = families.map(last).into();
    ctx.add_font(font);
}

/// Dresses egui's own widgets in these tokens, as the preference says.
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
    // A blinking cursor would be drawn twice a second for ever.
    visuals.text_cursor.blink = false;
    let corner = CornerRadius::same(radius::CONTROL);
    let widgets = &mut visuals.widgets;
    for (widget, fill, line, text) in [
        (&mut widgets.noninteractive, colours.panel, colours.line, colours.text),
        (&mut widgets.inactive, colours.raised, colours.outline, colours.text),
        (&mut widgets.hovered, colours.hover, colours.outline, colours.text),
        // Also drawn by what has the focus after a click: the keyboard's focus has a mark of its own.
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
    fn people_spread_over_all_colours() {
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
        // The first few of a hub, which number their people, are told apart.
        let few: std::collections::HashSet<_> = ["p1", "p2", "p3"].map(|key| LIGHT.person(key)).into();
        assert_eq!(few.len(), 3);
    }

    #[test]
    fn all_text_stands_out_from_its_ground() {
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
