//! [`Preferences`]: the settings of the app; and [`WindowPlace`]: the window's last position and size.

use serde::{Deserialize, Serialize};

use super::notices::NoticePreferences;

/// Language of the interface.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LanguageChoice {
    /// The system's language, or English if there is no translation.
    #[default]
    System,
    /// Always English.
    English,
    /// Always Korean.
    Korean,
}

/// Colour scheme.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Light or dark, following the system.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
    /// High contrast.
    HighContrast,
}

/// Format of times of day.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// 24-hour clock, 00:00 to 23:59.
    #[default]
    TwentyFour,
    /// 12-hour clock with the language's markers for morning and afternoon.
    Twelve,
}

/// Whether things that appear on their own fade in.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// Yes, unless the system asks for reduced motion.
    #[default]
    System,
    /// Always.
    Full,
    /// Never.
    Reduced,
}

/// Spacing of the interface.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Density {
    /// More space around things.
    #[default]
    Comfortable,
    /// As much on screen as is still readable.
    Compact,
}

/// The person's settings.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Language of the interface.
    pub language: LanguageChoice,
    /// Colour scheme.
    pub theme: Theme,
    /// Spacing of the interface.
    pub density: Density,
    /// Animations.
    pub motion: Motion,
    /// Interface scale in percent of the system's scale. See [`Preferences::zoom`].
    pub zoom_percent: u16,
    /// Notification settings.
    pub notices: NoticePreferences,
    /// Format of times of day.
    pub hours: Hours,
    /// Whether Enter sends a message. Otherwise it inserts a line break, and Ctrl+Enter or Command+Enter
    /// sends.
    pub enter_sends: bool,
    /// Whether others are told which messages the person has seen.
    pub tell_seen: bool,
    /// Whether saved connections connect at start. Each connection can opt out.
    pub connect_at_start: bool,
    /// Maximum disk space for raw readings, in MiB. See [`Preferences::raw_readings_bytes`].
    pub raw_readings_mib: u16,
}

impl Default for Preferences {
    fn default() -> Self {
        Preferences {
            language: LanguageChoice::System,
            theme: Theme::System,
            density: Density::Comfortable,
            motion: Motion::System,
            zoom_percent: 100,
            notices: NoticePreferences::default(),
            hours: Hours::TwentyFour,
            enter_sends: true,
            tell_seen: false,
            connect_at_start: true,
            raw_readings_mib: 1024,
        }
    }
}

impl Preferences {
    /// Steps of the zoom, in percent.
    pub const ZOOMS: &[u16] = &[50, 67, 75, 80, 90, 100, 110, 125, 150, 175, 200, 250, 300];

    /// Choices for the disk space of raw readings, in MiB.
    pub const RAW_READINGS: &[u16] = &[128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

    /// Maximum disk space for raw readings, in bytes; at least 64 MiB, whatever the file contains.
    pub fn raw_readings_bytes(&self) -> u64 {
        u64::from(self.raw_readings_mib.max(64)) << 20
    }

    /// Zoom in percent, limited to between 50 and 300, whatever the file contains.
    pub fn zoom(&self) -> u16 {
        self.zoom_percent.clamp(50, 300)
    }

    /// The next larger step of the zoom, or the largest.
    pub fn zoom_in(&self) -> u16 {
        Self::ZOOMS.iter().copied().find(|step| *step > self.zoom()).unwrap_or(300)
    }

    /// The next smaller step of the zoom, or the smallest.
    pub fn zoom_out(&self) -> u16 {
        Self::ZOOMS.iter().rev().copied().find(|step| *step < self.zoom()).unwrap_or(50)
    }
}

/// Position and size of the window, in the system's points (without the person's zoom).
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// Inner width.
    pub width: f32,
    /// Inner height.
    pub height: f32,
    /// Outer upper left corner, if the system reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corner: Option<(f32, f32)>,
    /// Whether it was maximized; the other values are those before that.
    #[serde(default)]
    pub maximized: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zoom_changes_in_steps_within_its_limits() {
        let mut preferences = Preferences { zoom_percent: 0, ..Preferences::default() };
        let mut seen = vec![preferences.zoom()];
        for _ in 0..20 {
            preferences.zoom_percent = preferences.zoom_in();
            seen.push(preferences.zoom());
        }
        seen.dedup();
        assert_eq!(seen, Preferences::ZOOMS);
        for _ in 0..20 {
            preferences.zoom_percent = preferences.zoom_out();
        }
        assert_eq!(preferences.zoom(), 50);
        // A file may contain a value between two steps; zooming goes to the next step.
        preferences.zoom_percent = 101;
        assert_eq!((preferences.zoom_in(), preferences.zoom_out()), (110, 100));
        preferences.zoom_percent = u16::MAX;
        assert_eq!(preferences.zoom(), 300);
    }
}
