//! What actions are called in Korean.

use super::keys::KeyWords;
use crate::ui::keys::{Action, Group};

/// Korean.
pub static KOREAN: KeyWords = KeyWords {
    title: "키보드 단축키",
    rooms: "방",
    chat: "대화",
    both: "나란히",
    palette: "빠른 이동 및 명령",
    palette_hint: "방, 기기, 명령 검색 (초성 검색 가능)",
    palette_list: "검색 결과",
    found: |count| format!("결과 {count}개"),
    nothing_found: "일치하는 항목이 없습니다.",
    connection: "연결",
    group,
    action,
};

fn group(group: Group) -> &'static str {
    match group {
        Group::Go => "이동",
        Group::View => "보기",
        Group::Connections => "연결",
        Group::Write => "메시지 작성",
        Group::Lists => "목록",
        Group::Messages => "선택한 메시지",
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Palette => "빠른 이동 및 명령",
        Action::RoomAbove => "이전 방",
        Action::RoomBelow => "다음 방",
        Action::UnreadAbove => "읽지 않은 이전 방",
        Action::UnreadBelow => "읽지 않은 다음 방",
        Action::SearchRoom => "이 방에서 검색",
        Action::SearchEverywhere => "전체 검색",
        Action::GoToDate => "날짜로 이동",
        Action::Back => "열린 창 닫기, 메시지 입력란으로",
        Action::NextPane => "다음 영역",
        Action::PreviousPane => "이전 영역",
        Action::ToggleRooms => "방 목록 보이기/숨기기",
        Action::ShowChat => "대화만 보기",
        Action::ShowDevices => "기기만 보기",
        Action::ShowTopics => "토픽 보기",
        Action::ShowBoth => "대화와 기기 나란히 보기",
        Action::ToggleDevices => "기기 보이기/숨기기",
        Action::ZoomIn => "확대",
        Action::ZoomOut => "축소",
        Action::ZoomReset => "기본 크기로",
        Action::Settings => "설정",
        Action::Shortcuts => "키보드 단축키",
        Action::ToggleLog => "연결 로그 보이기/숨기기",
        Action::RetryNow => "지금 다시 연결",
        Action::AddConnection => "연결 추가",
        Action::Send => "메시지 보내기",
        Action::NewLine => "줄 바꾸기",
        Action::Bold => "굵게",
        Action::Italic => "기울임",
        Action::Code => "코드",
        Action::Page => "메시지 스크롤",
        Action::Step => "위아래로 이동",
        Action::Ends => "처음 또는 끝으로",
        Action::RoomMenu => "방이나 메시지의 메뉴 열기",
        Action::SelectMore => "메시지 선택 (Ctrl+C로 복사)",
        Action::SelectAll => "모든 메시지 선택",
        Action::Choose => "열기",
        Action::Reply => "답장",
        Action::React => "반응 추가",
        Action::EditMessage => "수정",
        Action::DeleteMessage => "메시지 삭제",
        Action::PinMessage => "고정 또는 고정 해제",
        Action::EditLast => "내 마지막 메시지 수정 (입력란이 비어 있을 때)",
    }
}
