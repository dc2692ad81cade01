//! Korean in the connection log.

use super::log::LogWords;
use crate::model::log::{Counts, Way};

/// Korean in the connection log.
pub static KOREAN: LogWords = LogWords {
    title: "연결 로그",
    title_of: |name| format!("연결 로그: {name}"),
    hint: "이 연결의 트래픽 표시/숨기기",
    list: "프레임 및 알림",
    resize: "연결 로그 크기 조절",
    resize_line: "세부 정보 크기 조절",

    filter: "로그 필터",
    clear_filter: "필터 지우기",
    lines: |count| format!("{count}개 항목"),
    matches: |shown, all| format!("{all}개 중 {shown}개"),
    show: |what| format!("표시: {what}"),
    everything: "전체",
    only_received: "수신",
    only_sent: "송신",
    only_notes: "알림",
    kind: |kind| format!("종류: {kind}"),
    any_kind: "전체",

    pause: "일시 정지",
    go_on: "다시 시작",
    meanwhile: |count| format!("일시 정지됨: 새 항목 {count}개"),
    copy_all: "모두 복사",
    save: "파일로 저장",
    saved: |path| format!("저장했습니다: {path}"),
    not_saved: |detail| format!("로그를 저장하지 못했습니다: {detail}"),
    clear: "지우기",
    close: "로그 닫기",

    way: |way| match way {
        Way::Sent => "송신",
        Way::Received => "수신",
    },
    note: "알림",
    binary: "이진 데이터",
    no_kind: "종류 없음",
    counts,
    state: |word, cause| match cause {
        Some(cause) => format!("연결 상태: {word}. {cause}"),
        None => format!("연결 상태: {word}"),
    },
    malformed: |detail| format!("건너뜀: 형식이 잘못됨 ({detail})"),
    server_error: |code, detail| format!("서버 오류 {code}: {detail}"),
    cut: |size| format!("앞부분만 보관했습니다. 전체 크기: {size}"),
    copy_line: "항목 복사",
    close_line: "세부 정보 닫기",

    nothing_title: "아직 트래픽이 없습니다",
    nothing_text: |most| {
        format!(
            "지금부터 송수신한 내용이 여기에 표시됩니다. 토큰은 숨겨집니다. 로그가 열려 있는 동안 최근 프레임을 \
             {most}개까지 보관합니다."
        )
    },
    no_match: "필터와 일치하는 항목이 없습니다.",
};

fn counts(counts: &Counts) -> String {
    let mut text = format!("기기 {}대, 값 {}개", counts.devices, counts.values);
    if counts.left_out > 0 {
        text.push_str(&format!(", 앞서 {}개 생략", counts.left_out));
    }
    text
}
