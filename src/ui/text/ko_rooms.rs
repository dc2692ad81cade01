//! Korean about rooms.

use super::rooms::{RoomEvent, RoomWords};
use crate::model::permit::{Denied, RoomAct};

fn act(act: RoomAct) -> &'static str {
    match act {
        RoomAct::Rename => "이름 바꾸기",
        RoomAct::SetTopic => "주제 설정",
        RoomAct::Archive => "보관하기",
        RoomAct::Unarchive => "보관 해제",
        RoomAct::Leave => "방 나가기",
        RoomAct::Members => "멤버",
        RoomAct::Hide => "숨기기",
        RoomAct::Export => "메시지 내보내기…",
        RoomAct::Join => "방 참여",
    }
}

/// Korean about rooms.
pub static KOREAN: RoomWords = RoomWords {
    act,
    act_on: |what, room| format!("#{room}: {}", act(what)),
    denied: |why| match why {
        Denied::NotYours => "운영자나 관리자, 방을 만든 사람만 할 수 있습니다.",
        Denied::General => "서버의 기본 방에서는 할 수 없습니다.",
    },
    menu: "방 메뉴",
    rename_title: |room| format!("#{room} 이름 바꾸기"),
    name: "방 이름",
    topic_title: |room| format!("#{room} 방의 주제"),
    topic: "방의 주제",
    archive_title: |room| format!("#{room} 방을 보관할까요?"),
    archive_text: "보관된 방에는 아무도 글을 쓸 수 없습니다. 메시지는 그대로 남으며 언제든지 보관을 해제할 수 있습니다.",
    browse: "방 둘러보기",
    find: "방 찾기",
    none_found: "일치하는 방이 없습니다.",
    open: "열기",
    is_archived: "보관됨",
    is_left: "나간 방",
    archived_rooms: |count| format!("보관된 방 ({count})"),
    guest: "이 서버에서는 게스트라서 읽기만 할 수 있습니다.",
    archived: "보관된 방이라 글을 쓸 수 없습니다.",
    left: "나간 방입니다. 글을 쓰려면 다시 참여하세요.",
    left_private: "이 비공개 방의 구성원이 아닙니다. 다른 구성원이 다시 초대할 수 있습니다.",
    event: |who, event| match event {
        RoomEvent::Renamed(name) => format!("{who} 님이 방 이름을 ‘{name}’(으)로 바꿨습니다"),
        RoomEvent::Topic(topic) => format!("{who} 님이 주제를 ‘{topic}’(으)로 설정했습니다"),
        RoomEvent::NoTopic => format!("{who} 님이 주제를 지웠습니다"),
        RoomEvent::Archived => format!("{who} 님이 방을 보관했습니다"),
        RoomEvent::Unarchived => format!("{who} 님이 방 보관을 해제했습니다"),
        RoomEvent::Joined => format!("{who} 님이 들어왔습니다"),
        RoomEvent::Left => format!("{who} 님이 나갔습니다"),
        RoomEvent::Invited(whom) => format!("{who} 님이 {whom} 님을 초대했습니다"),
        RoomEvent::Removed(whom) => format!("{who} 님이 {whom} 님을 내보냈습니다"),
    },
};
