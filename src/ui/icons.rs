//! The icons: Lucide glyphs with one stroke weight on one grid, in a subset font made by
//! `assets/fonts/icons.sh`. They can be painted in any colour and size; accessible names come from the texts.

use egui::{Align2, Color32, FontFamily, FontId, Painter, Pos2, RichText};

/// Name of the icons' font family.
pub(super) const FAMILY: &str = "icons";
/// The icon font file.
pub(super) const FONT: &[u8] = include_bytes!("../../assets/fonts/icons.ttf");

/// An icon.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "the set is whole")]
pub(super) enum Icon {
    /// Room list.
    Rooms,
    /// Chat pane.
    Chat,
    /// Device pane.
    Devices,
    /// Chat and devices side by side.
    Both,
    /// Connection log.
    Log,
    /// Settings.
    Settings,
    /// Keyboard shortcuts.
    Keyboard,
    /// Add.
    Plus,
    /// Decrease.
    Minus,
    /// Opens a menu with further actions.
    More,
    /// Close.
    Close,
    /// Search.
    Search,
    /// Pick a date.
    Calendar,
    /// Back.
    Back,
    /// Go to, or a message being sent.
    Up,
    /// Scroll down to the newest.
    Down,
    /// Opens a menu.
    Unfold,
    /// Done, or delivered.
    Check,
    /// Waiting.
    Clock,
    /// Failed.
    Alert,
    /// A room.
    Room,
    /// Connection.
    Server,
    /// Retry.
    Again,
    /// Connect.
    Connect,
    /// Disconnect.
    Disconnect,
    /// Light or dark theme.
    Contrast,
    /// Language.
    Globe,
    /// Zoom in.
    ZoomIn,
    /// Zoom out.
    ZoomOut,
    /// Density, and lists.
    List,
    /// Emoji picker.
    Smile,
    /// React to a message.
    React,
    /// Reply to a message.
    Reply,
    /// Edit.
    Edit,
    /// Delete.
    Delete,
    /// Pin.
    Pin,
    /// Copy.
    Copy,
    /// A link.
    Link,
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Code.
    Code,
    /// Quote.
    Quote,
    /// Formatting.
    Format,
    /// A private room.
    Lock,
    /// People.
    People,
    /// A person.
    Person,
    /// A thread.
    Thread,
    /// Archive.
    Archive,
    /// Leave.
    Leave,
}

impl Icon {
    /// All icons.
    #[cfg(test)]
    const ALL: &[Icon] = &[
        Icon::Rooms,
        Icon::Chat,
        Icon::Devices,
        Icon::Both,
        Icon::Log,
        Icon::Settings,
        Icon::Keyboard,
        Icon::Plus,
        Icon::Minus,
        Icon::More,
        Icon::Close,
        Icon::Search,
        Icon::Calendar,
        Icon::Back,
        Icon::Up,
        Icon::Down,
        Icon::Unfold,
        Icon::Check,
        Icon::Clock,
        Icon::Alert,
        Icon::Room,
        Icon::Server,
        Icon::Again,
        Icon::Connect,
        Icon::Disconnect,
        Icon::Contrast,
        Icon::Globe,
        Icon::ZoomIn,
        Icon::ZoomOut,
        Icon::List,
        Icon::Smile,
        Icon::React,
        Icon::Reply,
        Icon::Edit,
        Icon::Delete,
        Icon::Pin,
        Icon::Copy,
        Icon::Link,
        Icon::Bold,
        Icon::Italic,
        Icon::Code,
        Icon::Quote,
        Icon::Format,
        Icon::Lock,
        Icon::People,
        Icon::Person,
        Icon::Thread,
        Icon::Archive,
        Icon::Leave,
    ];

    /// Its code point in the font, the same as in Lucide.
    const fn glyph(self) -> char {
        match self {
            Icon::Rooms => '\u{E12A}',      // panel-left
            Icon::Chat => '\u{E117}',       // message-square
            Icon::Devices => '\u{E1BF}',    // gauge
            Icon::Both => '\u{E098}',       // columns-2
            Icon::Log => '\u{E417}',        // arrow-right-left
            Icon::Settings => '\u{E29A}',   // sliders-horizontal
            Icon::Keyboard => '\u{E284}',   // keyboard
            Icon::Plus => '\u{E13D}',       // plus
            Icon::Minus => '\u{E11C}',      // minus
            Icon::More => '\u{E0B6}',       // ellipsis
            Icon::Close => '\u{E1B2}',      // x
            Icon::Search => '\u{E151}',     // search
            Icon::Calendar => '\u{E063}',   // calendar
            Icon::Back => '\u{E048}',       // arrow-left
            Icon::Up => '\u{E04A}',         // arrow-up
            Icon::Down => '\u{E042}',       // arrow-down
            Icon::Unfold => '\u{E06D}',     // chevron-down
            Icon::Check => '\u{E06C}',      // check
            Icon::Clock => '\u{E087}',      // clock
            Icon::Alert => '\u{E077}',      // circle-alert
            Icon::Room => '\u{E0EF}',       // hash
            Icon::Server => '\u{E153}',     // server
            Icon::Again => '\u{E149}',      // rotate-cw
            Icon::Connect => '\u{E37F}',    // plug
            Icon::Disconnect => '\u{E45D}', // unplug
            Icon::Contrast => '\u{E09D}',   // contrast
            Icon::Globe => '\u{E0E8}',      // globe
            Icon::ZoomIn => '\u{E1B6}',     // zoom-in
            Icon::ZoomOut => '\u{E1B7}',    // zoom-out
            Icon::List => '\u{E106}',       // list
            Icon::Smile => '\u{E164}',      // smile
            Icon::React => '\u{E301}',      // smile-plus
            Icon::Reply => '\u{E22A}',      // reply
            Icon::Edit => '\u{E1F9}',       // pencil
            Icon::Delete => '\u{E18E}',     // trash-2
            Icon::Pin => '\u{E259}',        // pin
            Icon::Copy => '\u{E09E}',       // copy
            Icon::Link => '\u{E102}',       // link
            Icon::Bold => '\u{E05D}',       // bold
            Icon::Italic => '\u{E0FB}',     // italic
            Icon::Code => '\u{E093}',       // code
            Icon::Quote => '\u{E49E}',      // text-quote
            Icon::Format => '\u{E198}',     // type
            Icon::Lock => '\u{E10B}',       // lock
            Icon::People => '\u{E1A4}',     // users
            Icon::Person => '\u{E19F}',     // user
            Icon::Thread => '\u{E40D}',     // messages-square
            Icon::Archive => '\u{E041}',    // archive
            Icon::Leave => '\u{E10E}',      // log-out
        }
    }
}

/// Paints an icon around its centre. `size` is the side of its grid, in points.
pub(super) fn paint(painter: &Painter, centre: Pos2, icon: Icon, size: f32, colour: Color32) {
    painter.text(centre, Align2::CENTER_CENTER, icon.glyph(), font(size), colour);
}

/// An icon as text, for use in a button next to words.
pub(super) fn text(icon: Icon, size: f32) -> RichText {
    RichText::new(icon.glyph()).font(font(size))
}

/// The icon font at this size, in points.
fn font(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(FAMILY.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_icon_is_in_the_font_and_has_its_own_glyph() {
        let ctx = egui::Context::default();
        crate::ui::theme::install_font(&ctx);
        let mut output = ctx.run_ui(egui::RawInput::default(), |_| {});
        output.textures_delta.clear();
        for icon in Icon::ALL {
            assert!(ctx.fonts_mut(|fonts| fonts.has_glyph(&font(16.0), icon.glyph())), "{icon:?}");
        }
        let mut glyphs: Vec<_> = Icon::ALL.iter().map(|icon| icon.glyph()).collect();
        glyphs.sort_unstable();
        glyphs.dedup();
        assert_eq!(glyphs.len(), Icon::ALL.len());
    }
}
