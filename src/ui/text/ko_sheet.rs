//! Korean: the settings.

use super::sheet::SheetWords;

/// Korean.
pub(super) static KOREAN: SheetWords = SheetWords {
    search: "설정 검색",
    found: |count| format!("설정 {count}개"),
    nothing_found: "이 낱말이 든 설정이 없습니다.",
    as_system: "시스템 설정대로",

    general: "일반",
    appearance: "모양",

    language: "언어",
    language_text: "창에 쓰는 언어입니다. 메시지와 이름은 쓰인 그대로 보입니다.",

    theme: "색",
    theme_text: "창의 색입니다. 고대비는 검은색과 흰색에 몇 가지 강한 색만 씁니다.",
    theme_light: "밝게",
    theme_dark: "어둡게",
    theme_high_contrast: "고대비",
    zoom: "확대/축소",
    zoom_text: "모든 것의 크기입니다. 어디서나 Ctrl과 함께 +, −, 0을 눌러도 됩니다. Mac에서는 Command를 씁니다.",
    percent: |percent| format!("{percent}%"),

    less: |name| format!("{name}: 줄이기"),
    more: |name| format!("{name}: 늘리기"),
    usual: |name| format!("{name}: 원래대로"),
    reset: "원래대로",
};
