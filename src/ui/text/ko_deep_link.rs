//! Korean about `duplex://` links.

use super::deep_link::DeepLinkWords;
use crate::model::deep_link::BadLink;

/// Korean about `duplex://` links.
pub static KOREAN: DeepLinkWords = DeepLinkWords {
    copy_room_link: "방 링크 복사",
    copy_message_link: "메시지 링크 복사",
    bad_title: "이 링크를 열 수 없습니다",
    bad: |bad| match bad {
        BadLink::Scheme => "Duplex 링크가 아닙니다. Duplex 링크는 duplex:// 뒤에 서버 주소가 옵니다.",
        BadLink::TooLong => "링크가 너무 깁니다.",
        BadLink::Address(_) => "링크에 있는 서버 주소가 올바르지 않습니다.",
        BadLink::Path => "링크는 duplex://서버/방/메시지 형식이어야 합니다.",
        BadLink::Room => "링크에 있는 방이 올바르지 않습니다. 링크를 다시 복사해 주세요.",
        BadLink::Message => "링크에 있는 메시지가 올바르지 않습니다. 링크를 다시 복사해 주세요.",
    },
    other_computer: "링크를 복사한 컴퓨터에서만 접속할 수 있는 서버입니다. 그 서버의 초대 링크를 요청하세요.",

    add_title: "이 서버를 추가할까요?",
    add: "아직 추가하지 않은 서버의 링크입니다. 연결하기 전에는 아무것도 보내지 않습니다.",
    join_title: "이 서버에 참가할까요?",
    join: "이 서버의 초대 링크입니다. 연결하기 전에는 아무것도 보내지 않습니다.",
    known_title: "이미 추가한 서버입니다",
    known: |name| format!("이미 “{name}”(으)로 추가한 서버의 초대 링크입니다. 다시 참가할 때만 필요합니다."),
    server: "서버",
    claimed_name: |name| {
        format!("링크에 적힌 이름은 “{name}”입니다. 링크를 만드는 사람이 마음대로 정할 수 있는 이름입니다.")
    },
    continue_adding: "계속…",
    use_invite: "초대 링크 사용…",
    open_server: "서버 열기",

    no_room_title: "방을 찾을 수 없습니다",
    no_room: |room, name| {
        format!(
            "{name} 서버에서 “{room}” 방을 볼 수 없습니다. 방이 없어졌거나 참가하지 않은 방일 수 있습니다."
        )
    },
    no_room_offline: |room, name| {
        format!("{name} 서버의 “{room}” 방이 이 컴퓨터에 없습니다. 서버에 연결한 뒤 링크를 다시 열어 주세요.")
    },
    no_message_title: "메시지를 찾을 수 없습니다",
    no_message: "방은 열었지만 메시지가 이 컴퓨터에 없습니다. 이 컴퓨터에 저장된 것보다 오래되었거나 삭제된 메시지일 수 있습니다.",
};
