//! Korean about devices.

use super::devices::{DeviceWords, Span};
use crate::model::device::{Freshness, Status};

/// Korean about devices.
pub static KOREAN: DeviceWords = DeviceWords {
    status,
    faulty: "이상",
    no_value: |metric| format!("{metric} 값 없음"),
    freshness,
    on: "켜짐",
    off: "꺼짐",
    missing: "—",
    thousands: ',',
    point: '.',
    ago: |span| match span {
        Span::Moment => "방금".to_owned(),
        Span::Seconds(count) => format!("{count}초 전"),
        Span::Minutes(count) => format!("{count}분 전"),
        Span::Hours(count) => format!("{count}시간 전"),
        Span::Days(count) => format!("{count}일 전"),
    },
    duration: |seconds| {
        let minutes = seconds / 60;
        let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
        if days > 0 { format!("{days}일 {hours}시간") } else { format!("{hours}시간 {minutes}분") }
    },

    devices: "기기",
    device_list: "기기 목록",
    count: |word, count| format!("{word} {count}"),
    left_out: |count| format!("측정값 {count}개 생략됨: 한꺼번에 너무 많이 수신되었습니다"),
    devices_left_out: |count| format!("기기 {count}대만 표시합니다: 서버의 기기가 너무 많습니다"),
    not_kept: |count| format!("측정값 {count}개를 디스크에 저장하지 못했습니다"),
    filter: "기기 검색",
    clear_filter: "필터 지우기",
    matches: |shown, all| format!("{all}대 중 {shown}대"),
    sort: |by| format!("정렬: {by}"),
    sort_name: "이름순",
    sort_trouble: "문제 우선",
    sort_changed: "최근 변경순",
    group: |by| format!("그룹: {by}"),
    group_none: "없음",
    group_kind: "종류",
    group_status: "상태",
    no_kind: "기타",
    pinned: "고정됨",
    not_grouped: "기타 기기",
    group_own: "내 그룹",
    all_hidden: "모든 기기가 숨겨져 있습니다.",
    show_hidden: "숨긴 기기 표시",
    hidden: |count| format!("숨김 {count}대"),
    hide_hidden: |count| format!("숨긴 기기 {count}대 표시 중"),
    layout: |name| format!("보기: {name}"),
    layout_auto: "자동",
    layout_rows: "목록",
    layout_table: "표",
    layout_cards: "카드",
    column_name: "이름",
    column_state: "상태",
    column_kind: "종류",
    column_others: "값",
    columns: "열 선택",
    columns_left_out: |count| format!("열 선택 (공간이 부족해 {count}개 숨김)"),
    find_column: "열 검색",
    no_column: "일치하는 항목이 없습니다",
    usual_columns: "기본 열로 되돌리기",
    devices_with: |count| format!("기기 {count}대에 있음"),
    sort_by: |column| format!("{column} 기준 정렬"),
    column_width: |column| format!("{column} 열 너비"),
    connection_to: |server| format!("{server} 연결"),
    open_connection: |server| format!("{server} 연결 상세 보기"),
    age_unknown: "시점 알 수 없음",
    last_heard: |ago| format!("마지막 수신 {ago}"),
    link_kind: "연결",
    link_metric: |metric| match metric {
        "state" => Some("상태"),
        "round_trip" => Some("왕복 시간"),
        "reconnects" => Some("재연결"),
        "received" => Some("받음"),
        "sent" => Some("보냄"),
        "queue" => Some("대기 중"),
        "readings" => Some("측정값"),
        "conflated" => Some("생략"),
        "last_heard" => Some("마지막 수신"),
        _ => None,
    },
    link_down: |since| match since {
        Some(since) => format!("{since}부터 연결 끊김: 기기 상태를 알 수 없음"),
        None => "연결되지 않음: 기기 상태를 알 수 없음".to_owned(),
    },
    connecting: "연결 중…",
    asking: "기기 불러오는 중…",
    status_since: |word, since| format!("{word}, {since}부터"),
    last_spoke: |word, ago| format!("{word}, {ago}"),
    never_spoke: |word| format!("{word}, 아직 데이터 없음"),
    no_data_yet: "아직 데이터 없음",

    none_title: "아직 기기가 없습니다",
    none_curl: "HTTP 요청을 보낼 수 있으면 첫 측정값을 보내는 순간 기기로 등록됩니다:",
    none_curl_token: "서버 컴퓨터에서 ‘duplexctl device add’를 실행하면 기기용 토큰이 만들어집니다.",
    none_agent: "라즈베리 파이 같은 컴퓨터의 상태를 보려면 그 컴퓨터에서 실행하세요:",
    copy_line: |line| format!("복사: {line}"),
    copy: "복사",
    no_match: |filter| format!("“{filter}”와(과) 일치하는 기기가 없습니다."),
    no_connection: "서버에 연결하면 기기가 여기에 표시됩니다.",
};

fn status(status: Status) -> &'static str {
    match status {
        Status::Online => "온라인",
        Status::Asleep => "절전 중",
        Status::Silent => "무응답",
        Status::Offline => "오프라인",
        Status::Unknown => "알 수 없음",
    }
}

fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Live => "실시간",
        Freshness::Replayed => "마지막 값",
        Freshness::Stale => "오래됨",
        Freshness::Unknown => "알 수 없음",
    }
}
