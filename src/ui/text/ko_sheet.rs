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
    writing: "글쓰기",
    data: "데이터",

    language: "언어",
    language_text: "창에 쓰는 언어입니다. 메시지와 이름은 쓰인 그대로 보입니다.",
    hours: "시각 표시",
    hours_text: "채팅을 비롯한 모든 곳에서 시각을 쓰는 방식입니다. 연결 로그만은 그대로입니다.",
    hours_twenty_four: "24시간제(21:07)",
    hours_twelve: "12시간제(오후 9:07)",
    reset_all: "모든 설정 초기화",
    reset_all_text: "이 창의 모든 설정이 처음 상태로 돌아갑니다. 연결과 메시지는 그대로 남습니다.",
    reset_question: "모든 설정을 초기화할까요?",
    reset_really: "초기화",

    theme: "색",
    theme_text: "창의 색입니다. 고대비는 검은색과 흰색에 몇 가지 강한 색만 씁니다.",
    theme_light: "밝게",
    theme_dark: "어둡게",
    theme_high_contrast: "고대비",
    english: "영어",
    korean: "한국어",
    density: "간격",
    density_text: "메시지, 방, 기기 둘레를 얼마나 띄울지 정합니다.",
    density_comfortable: "넉넉하게",
    density_compact: "촘촘하게",
    zoom: "확대/축소",
    zoom_text: "모든 것의 크기입니다. 어디서나 Ctrl과 함께 +, −, 0을 눌러도 됩니다. Mac에서는 Command를 씁니다.",
    percent: |percent| format!("{percent}%"),

    enter_sends: "Enter로 보내기",
    enter_sends_text: "Enter로 메시지를 보내고 Shift+Enter로 줄을 바꿉니다. 끄면 Enter로 줄을 바꾸고 Ctrl+Enter로 보냅니다(Mac에서는 Command+Enter).",

    connect_at_start: "시작할 때 연결",
    connect_at_start_text: "끄면 연결마다 정한 것과 상관없이 저장된 연결을 자동으로 맺지 않습니다.",

    raw_readings: "측정값 원본에 쓸 공간",
    raw_readings_text: "다 차면 오래된 원본부터 지웁니다. 1분마다의 최솟값, 평균, 최댓값은 1년 동안 남습니다.",

    folder: "데이터 폴더",
    folder_text: "메시지와 측정값, 설정이 있는 곳입니다. --data-dir로 다른 곳을 고를 수 있습니다.",
    folder_open: "폴더 열기",
    folder_copy: "경로 복사",

    about: "정보",
    version: "버전과 라이선스",
    version_text: "Duplex는 MIT와 Apache 2.0 가운데 원하는 라이선스로 쓸 수 있습니다. 들어 있는 것들의 라이선스는 설치 파일에 함께 있습니다.",
    version_copy: "버전 복사",
    font_licences: "글꼴과 아이콘의 라이선스 보기",

    less: |name| format!("{name}: 줄이기"),
    more: |name| format!("{name}: 늘리기"),
    usual: |name| format!("{name}: 원래대로"),
    reset: "원래대로",
};
