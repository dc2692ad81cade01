//! [`TABLE`]: every setting, one row each. A new one is a row here, a field of [`Preferences`], and its words.

use super::control::{Choose, Control, Steps, Switch};
use crate::model::notices::{Level, NoticePreferences};
use crate::model::preferences::{Density, Hours, LanguageChoice, Preferences, Theme};
use crate::ui::text::Words;

/// Something said, in the language that the window speaks.
pub(super) type Text = fn(&Words) -> &'static str;

/// What belongs together, in the order of the sheet.
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

/// One setting.
pub(super) struct Setting {
    pub(super) group: Group,
    pub(super) name: Text,
    /// What it does, in one sentence.
    pub(super) sentence: Text,
    /// What else people call it, in either language: the search finds it by these too.
    pub(super) also: &'static str,
    pub(super) control: Control,
}

/// Every setting. Those of a group stand together.
pub(super) static TABLE: &[Setting] = &[
    Setting {
        group: Group::General,
        name: |words| words.sheet.language,
        sentence: |words| words.sheet.language_text,
        also: "locale translation Korean 한국말 영어 번역",
        // Each by its own name: whoever cannot read the window finds theirs.
        control: Control::Choice(&[
            Choose {
                name: |words| words.sheet.as_system,
                set: |preferences| preferences.language = LanguageChoice::System,
            },
            Choose { name: |_| "English", set: |preferences| preferences.language = LanguageChoice::English },
            Choose {
                name: |_| "한국어", set: |preferences| preferences.language = LanguageChoice::Korean
            },
        ]),
    },
    Setting {
        group: Group::General,
        name: |words| words.sheet.hours,
        sentence: |words| words.sheet.hours_text,
        also: "clock am pm 12h 24h format 시계 오전 오후 시간제",
        control: Control::Choice(&[
            Choose {
                name: |words| words.sheet.hours_twenty_four,
                set: |preferences| preferences.hours = Hours::TwentyFour,
            },
            Choose {
                name: |words| words.sheet.hours_twelve,
                set: |preferences| preferences.hours = Hours::Twelve,
            },
        ]),
    },
    Setting {
        group: Group::General,
        name: |words| words.sheet.reset_all,
        sentence: |words| words.sheet.reset_all_text,
        also: "defaults restore 기본값 초기화",
        control: Control::Reset,
    },
    Setting {
        group: Group::Appearance,
        name: |words| words.sheet.theme,
        sentence: |words| words.sheet.theme_text,
        also: "theme dark mode night 테마 다크 모드 야간 대비",
        control: Control::Choice(&[
            Choose {
                name: |words| words.sheet.as_system,
                set: |preferences| preferences.theme = Theme::System,
            },
            Choose {
                name: |words| words.sheet.theme_light,
                set: |preferences| preferences.theme = Theme::Light,
            },
            Choose {
                name: |words| words.sheet.theme_dark,
                set: |preferences| preferences.theme = Theme::Dark,
            },
            Choose {
                name: |words| words.sheet.theme_high_contrast,
                set: |preferences| preferences.theme = Theme::HighContrast,
            },
        ]),
    },
    Setting {
        group: Group::Appearance,
        name: |words| words.sheet.density,
        sentence: |words| words.sheet.density_text,
        also: "density compact spacing rows 밀도 여백 줄 간격",
        control: Control::Choice(&[
            Choose {
                name: |words| words.sheet.density_comfortable,
                set: |preferences| preferences.density = Density::Comfortable,
            },
            Choose {
                name: |words| words.sheet.density_compact,
                set: |preferences| preferences.density = Density::Compact,
            },
        ]),
    },
    Setting {
        group: Group::Appearance,
        name: |words| words.sheet.zoom,
        sentence: |words| words.sheet.zoom_text,
        also: "scale font size magnify 글자 크기 배율",
        control: Control::Steps(Steps {
            value: |preferences| &mut preferences.zoom_percent,
            steps: Preferences::ZOOMS,
            usual: 100,
            shown: |words, percent| (words.sheet.percent)(percent),
        }),
    },
    Setting {
        group: Group::Writing,
        name: |words| words.sheet.enter_sends,
        sentence: |words| words.sheet.enter_sends_text,
        also: "return ctrl+enter new line send 엔터 줄바꿈 전송",
        control: Control::Toggle(|preferences| &mut preferences.enter_sends),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.rooms,
        sentence: |words| words.notices.rooms_text,
        also: "notify alert mention ping desktop 알림 멘션 호출",
        control: Control::Choice(&[
            Choose {
                name: |words| (words.notices.level)(Level::All),
                set: |preferences| preferences.notices.rooms = Level::All,
            },
            Choose {
                name: |words| (words.notices.level)(Level::Mentions),
                set: |preferences| preferences.notices.rooms = Level::Mentions,
            },
            Choose {
                name: |words| (words.notices.level)(Level::Nothing),
                set: |preferences| preferences.notices.rooms = Level::Nothing,
            },
        ]),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.devices,
        sentence: |words| words.notices.devices_text,
        also: "silent alarm 무응답 경보",
        control: Control::Toggle(|preferences| &mut preferences.notices.devices),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.link,
        sentence: |words| words.notices.link_text,
        also: "outage network offline 장애 네트워크",
        control: Control::Toggle(|preferences| &mut preferences.notices.link),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.show_text,
        sentence: |words| words.notices.show_text_text,
        also: "privacy preview hide 사생활 미리보기 숨기기",
        control: Control::Toggle(|preferences| &mut preferences.notices.show_text),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.do_not_disturb,
        sentence: |words| words.notices.disturb_text,
        also: "silence mute focus 무음 집중",
        control: Control::Toggle(|preferences| &mut preferences.notices.do_not_disturb),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.quiet,
        sentence: |words| words.notices.quiet_text,
        also: "night sleep schedule 밤 야간 수면",
        control: Control::Toggle(|preferences| &mut preferences.notices.quiet),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.quiet_from,
        sentence: |words| words.notices.quiet_from_text,
        also: "night begin start 밤",
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
        also: "morning end 아침",
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
        also: "test example 시험 예",
        control: Control::TryNotice,
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.tray,
        sentence: |words| words.notices.tray_text,
        also: "menu bar status area badge icon 메뉴 막대 상태 배지",
        control: Control::Switch(Switch {
            flag: |preferences| &mut preferences.notices.tray,
            against: |words, around| (around.tray == Some(false)).then_some(words.notices.no_tray),
        }),
    },
    Setting {
        group: Group::Notices,
        name: |words| words.notices.close_to_tray,
        sentence: |words| words.notices.close_to_tray_text,
        also: "tray background hide quit exit 트레이 백그라운드 숨기기 종료",
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
        also: "auto connect startup launch 자동 연결 시작",
        control: Control::Toggle(|preferences| &mut preferences.connect_at_start),
    },
    Setting {
        group: Group::Connections,
        name: |words| words.profiles.transfer,
        sentence: |words| words.profiles.transfer_text,
        also: "export import backup profiles migrate 내보내기 가져오기 백업 프로필",
        control: Control::Transfer,
    },
    Setting {
        group: Group::Data,
        name: |words| words.sheet.raw_readings,
        sentence: |words| words.sheet.raw_readings_text,
        also: "disk space storage history retention keep 디스크 용량 저장 기록 보관",
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
        also: "directory path files location 디렉터리 경로 위치 파일",
        control: Control::Folder,
    },
    Setting {
        group: Group::About,
        name: |words| words.sheet.version,
        sentence: |words| words.sheet.version_text,
        also: "about license copyright credits font OFL 저작권 글꼴 버전 정보",
        control: Control::About,
    },
];
