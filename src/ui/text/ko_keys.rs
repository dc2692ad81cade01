//! What actions are called in Korean.

use super::keys::KeyWords;
use crate::ui::keys::{Action, Group};

/// Korean.
pub static KOREAN: KeyWords = KeyWords {
    title: "키보드 단축키",
    rooms: "방",
    chat: "대화",
    both: "함께",
    palette: "찾아가거나 실행하기",
    palette_hint: "방, 기기, 또는 할 일 (초성으로도 찾습니다)",
    palette_list: "찾은 것",
    found: |count| format!("{count}개 찾음"),
    nothing_found: "이 글자가 든 것이 없습니다. 글자를 줄이거나 낱말의 첫 글자로 찾아보세요.",
    connection: "연결",
    group,
    action,
};

fn group(group: Group) -> &'static str {
    match group {
        Group::Go => "이동",
        Group::View => "보기",
        Group::Connections => "연결",
        Group::Write => "쓰기",
        Group::Lists => "목록에서",
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Palette => "무엇이든 찾아가고 실행하기",
        Action::RoomAbove => "위쪽 방",
        Action::RoomBelow => "아래쪽 방",
        Action::UnreadAbove => "위쪽의 읽지 않은 방",
        Action::UnreadBelow => "아래쪽의 읽지 않은 방",
        Action::SearchRoom => "이 방에서 검색",
        Action::SearchEverywhere => "모든 곳에서 검색",
        Action::GoToDate => "날짜로 이동",
        Action::Back => "맨 위의 것을 닫거나 메시지로 돌아가기",
        Action::NextPane => "다음 창",
        Action::PreviousPane => "이전 창",
        Action::ToggleRooms => "방 목록 보이기/숨기기",
        Action::ShowChat => "대화만 보기",
        Action::ShowDevices => "기기만 보기",
        Action::ShowBoth => "대화와 기기 함께 보기",
        Action::ToggleDevices => "기기 보이기/숨기기",
        Action::ZoomIn => "확대",
        Action::ZoomOut => "축소",
        Action::ZoomReset => "원래 크기로",
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
        Action::Page => "메시지 넘겨 보기",
        Action::Step => "한 칸 위나 아래로",
        Action::Ends => "처음이나 끝으로",
        Action::RoomMenu => "방이나 메시지의 메뉴 열기",
        Action::SelectMore => "메시지 선택 (Ctrl+C로 복사)",
        Action::SelectAll => "모든 메시지 선택",
        Action::Choose => "열기",
    }
}
