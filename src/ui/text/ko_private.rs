//! Korean: private rooms, their members and direct messages.

use super::private::PrivateWords;

/// Korean.
pub(super) static KOREAN: PrivateWords = PrivateWords {
    hole: |from, to| {
        format!(
            "이 방의 멤버가 아니었던 {from}부터 {to}까지의 메시지는 아직 불러오지 않았습니다. 최신 메시지로 이동한 뒤 위로 스크롤하면 불러옵니다."
        )
    },
    direct_messages: "다이렉트 메시지",
    is_private: "비공개 방",
    is_direct: "다이렉트 메시지",
    is_member: "멤버",
    new_private_room: "비공개 방 만들기",
    public_room: "공개",
    private_room: "비공개",
    public_text: "이 서버의 모든 사람이 이 방을 볼 수 있습니다.",
    topic_optional: "방의 주제 (선택 사항)",
    private_text: "선택한 사람만 이 방을 볼 수 있습니다. 멤버는 다른 사람을 초대할 수 있습니다.",
    new_direct: "새 다이렉트 메시지",
    message: "메시지 보내기",
    message_to: |name| format!("{name} 님에게 메시지 보내기"),
    members_of: |room| format!("{room} 방의 멤버"),
    find_person: "사람 찾기",
    find_to_invite: "초대할 사람 찾기",
    invite: "초대",
    invite_person: |name| format!("{name} 님 초대"),
    remove: "내보내기",
    remove_person: |name| format!("{name} 님 내보내기"),
    nobody_called: |name| format!("“{name}”(이)라는 사람이 없습니다."),
    several_called: |name| format!("“{name}”(이)라는 사람이 여럿입니다. 사람 목록에서 선택하세요."),
    cannot_invite: "초대는 내가 멤버인 비공개 방에서만 할 수 있습니다. 공개 방은 서버의 모든 사람에게 열려 있습니다.",
};
