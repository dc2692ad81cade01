//! Korean for searching.

use super::search::SearchWords;
use crate::model::search::{Fault, Filter};

/// Korean for searching.
pub static KOREAN: SearchWords = SearchWords {
    button: "이 방에서 검색",
    field: "메시지 검색",
    hint_room: |room| format!("#{room}에서 검색"),
    hint_everywhere: "모든 방에서 검색",
    this_room: "이 방",
    everywhere: "전체",
    close: "검색 닫기",

    help_title: "이 컴퓨터에 저장된 메시지 검색",
    help_text: "단어나 단어의 일부를 입력하세요. 여러 단어를 입력하면 모두 포함된 메시지를 찾습니다. 다음 조건으로 좁힐 수 있습니다.",
    help: [
        ("from:", "보낸 사람 — from:미나, from:나 (보낸이:도 가능)"),
        ("in:", "방 — in:온실 (방:도 가능)"),
        ("is:", "고정된 메시지 — is:고정, 스레드의 메시지 — in:스레드"),
        ("before:", "그날 이전 — before:2026-11-03, before:어제"),
        ("after:", "그날부터 — after:월요일, after:11월3일"),
        ("has:file", "파일이나 사진이 있는 메시지 (포함:파일도 가능)"),
        ("\"", "정확히 일치하는 구절 — \"반쯤 열림\""),
    ],
    fault,

    results: "검색 결과",
    count: |count, more| {
        if more { format!("결과 {count}개 이상") } else { format!("결과 {count}개") }
    },
    hit: |author, place, when, text| format!("{author}, {place}, {when}: {text}"),
    not_sent: "아직 보내지 않음",
    older: "이전 결과 더 보기",
    no_older: "더 오래된 결과는 없습니다.",
    time_up: |when| match when {
        Some(when) => format!("{when}까지 거슬러 찾은 결과입니다. 조건을 좁히거나"),
        None => "평소보다 오래 걸립니다. 조건을 좁히거나".to_owned(),
    },
    further: "더 거슬러 찾기",

    nothing: "검색 결과가 없습니다",
    nothing_text: "단어를 줄이거나 다른 표기로 검색해 보세요. 영문 두 글자 이하는 단어의 첫머리에서만 찾습니다.",
    nothing_here: "이 방에는 결과가 없습니다",
    nobody: "그런 이름으로 시작하는 사람이 없습니다. from: 뒤를 확인하세요.",
    no_room: "그런 이름의 방이 없습니다. in: 뒤를 확인하세요.",
    indexing: |percent| {
        format!("이전 메시지를 색인하는 중입니다({percent} %). 빠진 결과가 있을 수 있습니다.")
    },
    more_at_hub: "이 컴퓨터에 있는 메시지만 찾았습니다. 더 오래된 메시지는 서버에 있으며, 방에서 위로 스크롤하면 가져옵니다.",
    disk_trouble: "지금 디스크에 쓸 수 없어 그 이후에 받은 메시지는 검색되지 않습니다.",
    failed: "디스크를 읽지 못했습니다. 다시 시도해 보고, 문제가 계속되면 Duplex를 다시 시작하세요.",

    go_to_date: "날짜로 이동",
    date: "날짜",
    date_hint: "2026-11-03, 11월 3일, 어제, 월요일",
    no_date: "올바른 날짜가 아닙니다. 2026-11-03, 11월 3일, 어제, 월요일, 10일 전처럼 입력하세요.",
    go: "이동",
    week_ago: "일주일 전",
    beginning: "처음",
    none_since: |day, newest| {
        format!("{day} 이후의 메시지가 없습니다. 최신 메시지는 {newest}에 작성되었습니다.")
    },
    none_at_all: "이 컴퓨터에는 이 방의 메시지가 없습니다.",
    older_at_hub: |oldest| {
        format!(
            "이 컴퓨터에는 이 방의 {oldest}부터의 메시지가 있습니다. 더 오래된 메시지는 서버에 있으며, 위로 스크롤하면 가져옵니다."
        )
    },
    go_to_oldest: "여기서 가장 오래된 메시지로 이동",
};

fn fault(fault: &Fault) -> String {
    match fault {
        Fault::Empty(filter) => match filter {
            Filter::From => "from: 뒤에 이름을 입력하세요. 예: from:미나, from:나",
            Filter::In => "in: 뒤에 방 이름을 입력하세요. 예: in:온실",
            Filter::Is => "is: 뒤에는 고정을 입력하세요. 예: is:고정",
            Filter::Before => "before: 뒤에 날짜를 입력하세요. 예: before:2026-11-03, before:어제",
            Filter::After => "after: 뒤에 날짜를 입력하세요. 예: after:2026-11-03, after:어제",
            Filter::Has => "has: 뒤에는 file을 입력하세요. 파일이 있는 메시지를 찾습니다: has:file",
        }
        .to_owned(),
        Fault::NoDay(filter, text) => {
            let name = filter.name();
            format!(
                "“{text}”: 올바른 날짜가 아닙니다. {name}2026-11-03, {name}어제, {name}11월3일처럼 입력하세요."
            )
        }
        Fault::NoTime => "after:의 날짜가 before:의 날짜보다 앞서야 합니다.".to_owned(),
    }
}
