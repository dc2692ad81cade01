//! Korean about devices.

use super::devices::{Counts, DeviceWords, Span};
use crate::model::device::{Freshness, Status};

/// Korean about devices.
pub static KOREAN: DeviceWords = DeviceWords {
    status,
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
    counts,
    left_out: |count| format!("측정값 {count}개 생략: 한꺼번에 너무 많이 왔습니다"),
    devices_left_out: |count| format!("기기 {count}대만 표시합니다: 서버의 기기가 너무 많습니다"),
    not_kept: |count| format!("측정값 {count}개를 디스크에 남기지 못했습니다"),
    filter: "기기 찾기",
    clear_filter: "찾기 지우기",
    matches: |shown, all| format!("{all}개 중 {shown}개"),
    sort: |by| format!("정렬: {by}"),
    sort_name: "이름",
    sort_status: "상태",
    sort_changed: "최근 변화",
    group: |by| format!("묶음: {by}"),
    group_none: "없음",
    group_kind: "종류",
    group_status: "상태",
    no_kind: "기타",
    link_name: "연결 상태",
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
        _ => None,
    },
    link_down: |since| match since {
        Some(since) => format!("{since}부터 알 수 없음: 연결이 끊겼습니다"),
        None => "알 수 없음: 연결되지 않았습니다".to_owned(),
    },
    connecting: "연결 중…",
    asking: "서버에 기기를 묻는 중…",
    status_since: |word, since| format!("{word}, {since}부터"),
    last_spoke: |word, ago| format!("{word}, {ago}"),
    never_spoke: |word| format!("{word}, 아직 소식 없음"),

    none_title: "아직 기기가 없습니다",
    none_curl: "HTTP를 보낼 수 있으면 무엇이든 첫 측정값과 함께 기기가 됩니다:",
    none_curl_token: "서버가 있는 컴퓨터에서 ‘duplexctl device add’를 실행하면 기기의 토큰이 나옵니다.",
    none_agent: "라즈베리 파이처럼 이 서버에 닿는 컴퓨터는 이렇게 스스로 측정값을 보냅니다:",
    copy_line: |line| format!("복사: {line}"),
    copy: "복사",
    no_match: |filter| format!("“{filter}”에 맞는 기기가 없습니다."),
    no_connection: "연결이 생기면 기기가 여기에 보입니다.",
};

fn status(status: Status) -> &'static str {
    match status {
        Status::Online => "온라인",
        Status::Silent => "소식 없음",
        Status::Offline => "오프라인",
        Status::Unknown => "알 수 없음",
    }
}

fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Live => "실시간",
        Freshness::Replayed => "다시 받음",
        Freshness::Stale => "오래됨",
        Freshness::Unknown => "알 수 없음",
    }
}

fn counts(counts: &Counts) -> String {
    let all = [
        (counts.online, "온라인"),
        (counts.silent, "소식 없음"),
        (counts.offline, "오프라인"),
        (counts.unknown, "알 수 없음"),
    ];
    let some = all.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{word} {count}"));
    some.collect::<Vec<_>>().join(", ")
}
