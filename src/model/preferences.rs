//! [`Preferences`]: how a person wants the window to look and speak; and [`WindowPlace`], where it stood last.

use serde::{Deserialize, Serialize};

use super::notices::NoticePreferences;

/// In which language the window speaks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LanguageChoice {
    /// The system's, or English where that is none of ours.
    #[default]
    System,
    /// Always English.
    English,
    /// Always Korean.
    Korean,
}

/// In which colours the window is drawn.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Light or dark, as the system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
    /// Black, white and few strong colours.
    HighContrast,
}

/// How the time of day is written.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// From 00:00 to 23:59.
    #[default]
    TwentyFour,
    /// Twice from 12 to 11, as the language marks the halves of the day.
    Twelve,
}

/// Whether what comes by itself fades in.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Motion {
    /// Unless the system asks for less motion.
    #[default]
    System,
    /// It does.
    Full,
    /// It does not.
    Reduced,
}

/// How closely things stand.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Density {
    /// With room around them.
    #[default]
    Comfortable,
    /// As much on the screen as can be read.
    Compact,
}

/// What a person has chosen in the settings.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// The language.
    pub language: LanguageChoice,
    /// The colours.
    pub theme: Theme,
    /// How closely things stand.
    pub density: Density,
    /// Whether what comes by itself fades in.
    pub motion: Motion,
    /// How large everything is, in percent of the system's own scale. See [`Preferences::zoom`].
    pub zoom_percent: u16,
    /// What to be told of while looking elsewhere.
    pub notices: NoticePreferences,
    /// How the time of day is written.
    pub hours: Hours,
    /// Whether Enter sends a message; otherwise it breaks the line, and Ctrl or Command with Enter sends.
    pub enter_sends: bool,
    /// Whether saved connections are dialled when the app starts. Each can say no for itself.
    pub connect_at_start: bool,
    /// How much of the disk raw readings may take, in MiB. See [`Preferences::raw_readings_bytes`].
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
            connect_at_start: true,
            raw_readings_mib: 1024,
        }
    }
}

impl Preferences {
    /// The steps of the zoom, in percent.
    pub const ZOOMS: &[u16] = &[50, 67, 75, 80, 90, 100, 110, 125, 150, 175, 200, 250, 300];

    /// How much raw readings may take, in MiB.
    pub const RAW_READINGS: &[u16] = &[128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

    /// How many bytes of the disk raw readings may take: 64 MiB at least, whatever a file says.
    pub fn raw_readings_bytes(&self) -> u64 {
        u64::from(self.raw_readings_mib.max(64)) << 20
    }

    /// The zoom in percent, within 50 to 300 whatever a file says.
    pub fn zoom(&self) -> u16 {
        self.zoom_percent.clamp(50, 300)
    }

    /// The next larger zoom, or the largest.
    pub fn zoom_in(&self) -> u16 {
        Self::ZOOMS.iter().copied().find(|step| *step > self.zoom()).unwrap_or(300)
    }

    /// The next smaller zoom, or the smallest.
    pub fn zoom_out(&self) -> u16 {
        Self::ZOOMS.iter().rev().copied().find(|step| *step < self.zoom()).unwrap_or(50)
    }
}

/// Where the window stood and how large it was, in the system's points (without the person's zoom).
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// The inner width.
    pub width: f32,
    /// The inner height.
    pub height: f32,
    /// The outer upper left corner, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corner: Option<(f32, f32)>,
    /// Whether it filled the screen; the rest says what it was before.
    #[serde(default)]
    pub maximized: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zoom_goes_step_by_step_from_end_to_end_and_never_beyond() {
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
        // A value between two steps, as a file may have it, goes to the next.
        preferences.zoom_percent = 101;
        assert_eq!((preferences.zoom_in(), preferences.zoom_out()), (110, 100));
        preferences.zoom_percent = u16::MAX;
        assert_eq!(preferences.zoom(), 300);
    }
}
