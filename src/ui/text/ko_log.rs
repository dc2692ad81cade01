//! Korean in the connection log.

use super::log::LogWords;
use crate::model::log::{Counts, Way};

/// Korean in the connection log.
pub static KOREAN: LogWords = LogWords {
    title: "연결 로그",
    title_of: |name| format!("연결 로그: {name}"),
    hint: "이 연결로 오가는 내용 보이기/숨기기",
    list: "프레임과 알림",
    resize: "연결 로그 크기 조절",
    resize_line: "열린 줄 크기 조절",

    filter: "로그 거르기",
    clear_filter: "거르기 지우기",
    lines: |count| format!("{count}줄"),
    matches: |shown, all| format!("{all}줄 중 {shown}줄"),
    show: |what| format!("보기: {what}"),
    everything: "전체",
    only_received: "받은 것",
    only_sent: "보낸 것",
    only_notes: "알림",
    kind: |kind| format!("종류: {kind}"),
    any_kind: "모두",

    pause: "일시 정지",
    go_on: "계속",
    meanwhile: |count| format!("일시 정지됨: 그동안 {count}줄 들어옴"),
    copy_all: "모두 복사",
    save: "파일로 저장",
    saved: |path| format!("저장했습니다: {path}"),
    not_saved: |detail| format!("저장하지 못했습니다: {detail}"),
    clear: "비우기",
    close: "로그 닫기",

    way: |way| match way {
        Way::Sent => "보냄",
        Way::Received => "받음",
    },
    note: "알림",
    binary: "이진 데이터",
    no_kind: "종류 없음",
    counts,
    state: |text| format!("연결 상태: {text}"),
    malformed: |detail| format!("알 수 없는 내용이라 건너뜀: {detail}"),
    server_error: |code, detail| format!("서버 오류 {code}: {detail}"),
    cut: |size| format!("앞부분만 보관했습니다. 전체 크기: {size}"),
    copy_line: "이 줄 복사",
    close_line: "이 줄 닫기",

    nothing_title: "아직 오간 내용이 없습니다",
    nothing_text: |most| {
        format!(
            "지금부터 보내고 받는 내용이 여기에 나타납니다. 토큰은 가려집니다. 로그가 열려 있는 동안 최근 프레임 \
             {most}개까지 보관합니다."
        )
    },
    no_match: "거르기에 맞는 줄이 없습니다.",
};

fn counts(counts: &Counts) -> String {
    let mut text = format!("기기 {}대, 값 {}개", counts.devices, counts.values);
    if counts.left_out > 0 {
        text.push_str(&format!(", 앞서 {}개 생략", counts.left_out));
    }
    text
}
