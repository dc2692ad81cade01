//! Korean: the settings.

use super::sheet::SheetWords;

/// Korean.
pub(super) static KOREAN: SheetWords = SheetWords {
    search: "설정 검색",
    found: |count| format!("설정 {count}개"),
    nothing_found: "일치하는 설정이 없습니다.",
    as_system: "시스템 설정에 맞춤",
    categories: "설정 분류",

    general: "일반",
    appearance: "화면",
    writing: "메시지 작성",
    data: "데이터",

    language: "언어",
    language_text: "화면에 표시할 언어입니다. 메시지와 이름은 작성된 그대로 표시됩니다.",
    hours: "시간 형식",
    hours_text: "시각을 표시하는 방식입니다. 연결 로그에는 적용되지 않습니다.",
    hours_twenty_four: "24시간제(21:07)",
    hours_twelve: "12시간제(오후 9:07)",
    tell_seen: "읽음 확인 보내기",
    tell_seen_text: "내가 어떤 메시지를 읽었는지 방의 다른 사람이 볼 수 있습니다. 꺼도 이미 알려진 내용은 남습니다.",
    reset_all: "모든 설정 초기화",
    reset_all_text: "모든 설정을 기본값으로 되돌립니다. 연결과 메시지는 유지됩니다.",
    reset_question: "모든 설정을 초기화할까요?",
    reset_really: "초기화",

    theme: "테마",
    theme_text: "화면의 색상입니다. 고대비는 검은색과 흰색, 몇 가지 강한 색만 사용합니다.",
    theme_light: "라이트",
    theme_dark: "다크",
    theme_high_contrast: "고대비",
    english: "영어",
    korean: "한국어",
    density: "간격",
    density_text: "메시지, 방, 기기 주위의 여백을 정합니다.",
    density_comfortable: "넓게",
    density_compact: "좁게",
    zoom: "확대/축소",
    zoom_text: "화면 배율입니다. 어디서나 Ctrl과 함께 +, −, 0을 눌러 바꿀 수 있습니다(Mac에서는 Command).",
    percent: |percent| format!("{percent}%"),
    motion: "애니메이션",
    motion_text: "경고처럼 저절로 나타나는 내용을 서서히 표시할지 정합니다.",
    motion_full: "켜기",
    motion_reduced: "끄기",

    enter_sends: "Enter로 보내기",
    enter_sends_text: "Enter로 메시지를 보내고 Shift+Enter로 줄을 바꿉니다. 끄면 Enter로 줄을 바꾸고 Ctrl+Enter로 보냅니다(Mac에서는 Command+Enter).",

    connect_at_start: "시작할 때 연결",
    connect_at_start_text: "끄면 Duplex를 시작할 때 저장된 연결에 자동으로 연결하지 않습니다.",

    raw_readings: "측정값 원본 저장 공간",
    raw_readings_text: "공간이 가득 차면 오래된 원본부터 삭제합니다. 1분 단위의 최솟값, 평균, 최댓값은 1년 동안 보관됩니다.",

    folder: "데이터 폴더",
    folder_text: "메시지, 측정값, 설정이 저장되는 곳입니다. --data-dir 옵션으로 다른 폴더를 사용할 수 있습니다.",
    folder_open: "폴더 열기",
    folder_copy: "경로 복사",
    logs: "로그 파일",
    logs_text: "Duplex의 동작과 오류 기록입니다. 메시지와 토큰은 기록하지 않으며, 이 컴퓨터에만 최대 4 MiB까지 보관합니다.",
    logs_show: "로그 파일 보기",

    autostart: "로그인할 때 Duplex 시작",
    autostart_text: "트레이에서 시작해 자동으로 연결합니다. 트레이가 없으면 최소화된 상태로 시작합니다.",
    autostart_failed: |detail| format!("변경하지 못했습니다({detail})."),

    crash_title: "오류 보고서",
    crash_text: "이 보고서는 이 컴퓨터에만 저장되며 어디로도 전송되지 않습니다. 메시지와 토큰은 들어 있지 않습니다. 문제를 신고하려면 복사해서 사용하세요.",
    crash_show: "보기",
    crash_copy: "보고서 복사",

    about: "정보",
    version: "버전과 라이선스",
    version_text: "Duplex는 MIT와 Apache 2.0 중 원하는 라이선스로 사용할 수 있습니다. 구성 요소의 라이선스는 설치 파일에 들어 있습니다.",
    version_copy: "버전 복사",
    font_licences: "글꼴과 아이콘 라이선스 보기",

    less: |name| format!("{name}: 줄이기"),
    more: |name| format!("{name}: 늘리기"),
    usual: |name| format!("{name}: 기본값으로"),
    reset: "기본값으로",
};
