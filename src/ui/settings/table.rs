//! [`TABLE`]: every setting, one row each. To add one, add a row here, a field of [`Preferences`], and its
//! texts.

use super::control::{ChoiceOption, Control, Steps, Switch};
use crate::model::notices::{Level, NoticePreferences};
use crate::model::preferences::{Density, Hours, LanguageChoice, Motion, Preferences, Theme};
use crate::ui::synonyms;
use crate::ui::text::Words;

/// A text in the language of the interface.
pub(super) type Text = fn(&Words) -> &'static str;

/// Categories of settings, in the order of the sheet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Group {
    General,
    Appearance,
    Writing,
    Notices,
    Connections,
    Data,
    About,
}

impl Group {
    /// All categories, in the order of the sheet.
    pub(super) const ALL: [Group; 7] = [
        Group::General,
        Group::Appearance,
        Group::Writing,
        Group::Notices,
        Group::Connections,
        Group::Data,
        Group::About,
    ];

    pub(super) fn name(self, words: &Words) -> &'static str {
        match self {
            Group::General => words.sheet.general,
            Group::Appearance => words.sheet.appearance,
            Group::Writing => words.sheet.writing,
            Group::Notices => words.notices.group,
            Group::Connections => words.connections,
            Group::Data => words.sheet.data,
            Group::About => words.sheet.about,
        }
    }
}

/// A setting.
pub(super) struct Setting {
    pub(super) group: Group,
    pub(super) name: Text,
    /// Its description, one sentence.
    pub(super) sentence: Text,
    /// Synonyms in both languages, for the search.
    pub(super) also: &'static str,
    pub(super) control: Control,
}

/// Every setting. Those of a category are contiguous.
pub(super) static TABLE: &[Setting] = &[
    Setting {
        group: Group::General,
        name: |words| words.sheet.language,
        sentence: |words| words.sheet.language_text,
        also: synonyms::LANGUAGE,
        // Each language by its own name, so that people can find theirs.
        control: Control::Choice(&[
            ChoiceOption {
                name: |words| words.sheet.as_system,
                set: |preferences| preferences.language = LanguageChoice::System,
            },
            ChoiceOption {
                name: |_| "English",
                set: |preferences| preferences.language = LanguageChoice::English,
            },
            ChoiceOption {
                name: |_| "한국어",
                set: |preferences| preferences.language = LanguageChoice::Korean,
            },
        ]),
    },
    Setting {
        group: Group::General,
        name: |words| words.sheet.hours,
        sentence: |words| words.sheet.hours_text,
        also: synonyms::HOURS,
        control: Control::Choice(&[
            ChoiceOption {
                name: |words| words.sheet.hours_twenty_four,
                set: |preferences| preferences.hours = Hours::TwentyFour,
            },
            ChoiceOption {
                name: |words| words.sheet.hours_twelve,
                set: |preferences| preferences.hours = Hours::Twelve,
            },
        ]),
    },
    Setting {
        group: Group::General,
        name: |words| words.sheet.autostart,
        sentence: |words| words.sheet.autostart_text,
        also: synonyms::AUTOSTART,
        control: Control::Autostart,
    },
    Setting {
        group: Group::General,
        name: |words| words.sheet.tell_seen,
        sentence: |words| words.sheet.tell_seen_text,
        also: synonyms::RECEIPTS,
        control: Control::Toggle(|preferences| &mut preferences.tell_seen),
    },
    Setting {
        group: Group::General,
        name: |words| words.sheet.reset_all,
        sentence: |words| words.sheet.reset_all_text,
        also: synonyms::RESET,
        control: Control::Reset,
    },
    Setting {
        group: Group::Appearance,
        name: |words| words.sheet.theme,
        sentence: |words| words.sheet.theme_text,
        also: synonyms::THEME,
        control: Control::Choice(&[
            ChoiceOption {
                name: |words| words.sheet.as_system,
                set: |preferences| preferences.theme = Theme::System,
            },
            ChoiceOption {
                name: |words| words.sheet.theme_light,
                set: |preferences| preferences.theme = Theme::Light,
            },
            ChoiceOption {
                name: |words| words.sheet.theme_dark,
                set: |preferences| preferences.theme = Theme::Dark,
            },
            ChoiceOption {
                name: |words| words.sheet.theme_high_contrast,
                set: |preferences| preferences.theme = Theme::HighContrast,
            },
        ]),
    },
    Setting {
        group: Group::Appearance,
        name: |words| words.sheet.density,
        sentence: |words| words.sheet.density_text,
        also: synonyms::DENSITY,
        control: Control::Choice(&[
            ChoiceOption {
                name: |words| words.sheet.density_comfortable,
                set: |preferences| preferences.density = Density::Comfortable,
            },
            ChoiceOption {
                name: |words| words.sheet.density_compact,
                set: |preferences| preferences.density = Density::Compact,
            },
        ]),
    },
    Setting {
        group: Group::Appearance,
        name: |words| words.sheet.zoom,
        sentence: |words| words.sheet.zoom_text,
        also: synonyms::ZOOM,
        control: Control::Steps(Steps {
            value: |preferences| &mut preferences.zoom_percent,
            steps: Preferences::ZOOMS,
            usual: 100,
            shown: |words, percent| (words.sheet.percent)(percent),
        }),
    },
    Setting {
        group: Group::Appearance,
        name: |words| words.sheet.motion,
        sentence: |words| words.sheet.motion_text,
        also: synonyms::MOTION,
        control: Control::Choice(&[
            ChoiceOption {
                name: |words| words.sheet.as_system,
                set: |preferences| preferences.motion = Motion::System,
            },
            ChoiceOption {
                name: |words| words.sheet.motion_full,
                set: |preferences| preferences.motion = Motion::Full,
            },
            ChoiceOption {
                name: |words| words.sheet.motion_reduced,
                set: |preferences| preferences.motion = Motion::Reduced,
            },
        ]),
    },
    Setting {
        group: Group::Writing,
        name: |words| words.sheet.enter_sends,
        sentence: |words| words.sheet.enter_sends_text,
        also: synonyms::ENTER,
        control: Control::Toggle(|preferences| &mut preferences.enter_sends),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.rooms,
        sentence: |words| words.notices.rooms_text,
        also: synonyms::ROOMS,
        control: Control::Choice(&[
            ChoiceOption {
                name: |words| (words.notices.level)(Level::All),
                set: |preferences| preferences.notices.rooms = Level::All,
            },
            ChoiceOption {
                name: |words| (words.notices.level)(Level::Mentions),
                set: |preferences| preferences.notices.rooms = Level::Mentions,
            },
            ChoiceOption {
                name: |words| (words.notices.level)(Level::Nothing),
                set: |preferences| preferences.notices.rooms = Level::Nothing,
            },
        ]),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.threads,
        sentence: |words| words.notices.threads_text,
        also: synonyms::THREAD_NOTICES,
        control: Control::Toggle(|preferences| &mut preferences.notices.threads),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.reactions,
        sentence: |words| words.notices.reactions_text,
        also: synonyms::REACTION_NOTICES,
        control: Control::Toggle(|preferences| &mut preferences.notices.reactions),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.devices,
        sentence: |words| words.notices.devices_text,
        also: synonyms::DEVICES,
        control: Control::Toggle(|preferences| &mut preferences.notices.devices),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.link,
        sentence: |words| words.notices.link_text,
        also: synonyms::LINK,
        control: Control::Toggle(|preferences| &mut preferences.notices.link),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.show_text,
        sentence: |words| words.notices.show_text_text,
        also: synonyms::SHOW_TEXT,
        control: Control::Toggle(|preferences| &mut preferences.notices.show_text),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.do_not_disturb,
        sentence: |words| words.notices.disturb_text,
        also: synonyms::DISTURB,
        control: Control::Toggle(|preferences| &mut preferences.notices.do_not_disturb),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.quiet,
        sentence: |words| words.notices.quiet_text,
        also: synonyms::QUIET,
        control: Control::Toggle(|preferences| &mut preferences.notices.quiet),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.quiet_from,
        sentence: |words| words.notices.quiet_from_text,
        also: synonyms::QUIET_FROM,
        control: Control::Steps(Steps {
            value: |preferences| &mut preferences.notices.quiet_from,
            steps: NoticePreferences::HALF_HOURS,
            usual: NoticePreferences::QUIET.0,
            shown: |words, minute| (words.notices.clock)(minute),
        }),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.quiet_to,
        sentence: |words| words.notices.quiet_to_text,
        also: synonyms::QUIET_TO,
        control: Control::Steps(Steps {
            value: |preferences| &mut preferences.notices.quiet_to,
            steps: NoticePreferences::HALF_HOURS,
            usual: NoticePreferences::QUIET.1,
            shown: |words, minute| (words.notices.clock)(minute),
        }),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.trial,
        sentence: |words| words.notices.trial_setting_text,
        also: synonyms::TRIAL,
        control: Control::TryNotice,
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.tray,
        sentence: |words| words.notices.tray_text,
        also: synonyms::TRAY,
        control: Control::Switch(Switch {
            flag: |preferences| &mut preferences.notices.tray,
            against: |words, around| (around.tray == Some(false)).then_some(words.notices.no_tray),
        }),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.close_to_tray,
        sentence: |words| words.notices.close_to_tray_text,
        also: synonyms::CLOSE_TO_TRAY,
        control: Control::Switch(Switch {
            flag: |preferences| &mut preferences.notices.close_to_tray,
            against: |words, around| match around.tray {
                Some(false) => Some(words.notices.no_tray),
                Some(true) if !around.can_hide => Some(words.notices.cannot_hide),
                _ => None,
            },
        }),
    },
    Setting {
        group: Group::Connections,
        name: |words| words.sheet.connect_at_start,
        sentence: |words| words.sheet.connect_at_start_text,
        also: synonyms::AT_START,
        control: Control::Toggle(|preferences| &mut preferences.connect_at_start),
    },
    Setting {
        group: Group::Connections,
        name: |words| words.profiles.transfer,
        sentence: |words| words.profiles.transfer_text,
        also: synonyms::TRANSFER,
        control: Control::Transfer,
    },
    Setting {
        group: Group::Data,
        name: |words| words.sheet.raw_readings,
        sentence: |words| words.sheet.raw_readings_text,
        also: synonyms::READINGS,
        control: Control::Steps(Steps {
            value: |preferences| &mut preferences.raw_readings_mib,
            steps: Preferences::RAW_READINGS,
            usual: 1024,
            shown: |_, mib| if mib < 1024 { format!("{mib} MiB") } else { format!("{} GiB", mib / 1024) },
        }),
    },
    Setting {
        group: Group::Data,
        name: |words| words.sheet.folder,
        sentence: |words| words.sheet.folder_text,
        also: synonyms::FOLDER,
        control: Control::Folder,
    },
    Setting {
        group: Group::Data,
        name: |words| words.sheet.logs,
        sentence: |words| words.sheet.logs_text,
        also: synonyms::LOGS,
        control: Control::Logs,
    },
    Setting {
        group: Group::About,
        name: |words| words.sheet.version,
        sentence: |words| words.sheet.version_text,
        also: synonyms::VERSION,
        control: Control::About,
    },
];
