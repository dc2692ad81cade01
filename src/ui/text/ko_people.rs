//! Korean: who may come in at a server.

use super::people::PeopleWords;
use crate::model::rights::Unmanaged;

/// Korean.
pub(super) static KOREAN: PeopleWords = PeopleWords {
    menu: "사람과 초대",
    title: |server| format!("사람과 초대: {server}"),

    people: "사람",
    invites: "초대",
    devices: "기기",
    loading: "불러오는 중…",
    not_connected: "연결되어 있지 않습니다. 다시 연결되면 바꿀 수 있습니다.",
    nobody: "아직 아무도 없습니다.",
    no_invites: "아직 초대가 없습니다.",
    no_devices: "토큰이 있는 기기가 아직 없습니다.",

    owner: "소유자",
    admin: "관리자",
    person: "멤버",
    device: "기기",
    you: "나",
    online: "온라인",
    offline: "오프라인",
    more: |name| format!("더 보기: {name}"),
    rename: "이름 바꾸기…",
    new_token: "새 토큰…",
    make_admin: "관리자로 지정…",
    make_person: "관리자 권한 해제…",
    remove: "내보내기…",
    remove_device: "삭제…",

    rename_title: |name| format!("이름 바꾸기: {name}"),
    new_name: "새 이름",
    remove_title: |name| format!("내보낼까요? ({name})"),
    remove_text: |name| {
        format!("{name} 님은 바로 로그아웃되고 토큰은 더 이상 쓸 수 없습니다. 쓴 메시지는 그대로 남습니다.")
    },
    remove_really: "내보내기",
    remove_device_title: |name| format!("삭제할까요? ({name})"),
    remove_device_text: |name| {
        format!(
            "기기 연결({name})이 바로 끊기고 토큰은 더 이상 쓸 수 없습니다. 보고한 내용은 그대로 남습니다."
        )
    },
    token_title: |name| format!("새 토큰을 만들까요? ({name})"),
    token_text: |name| {
        format!(
            "{name} 님은 바로 로그아웃되고 이전 토큰은 더 이상 쓸 수 없습니다. 새 토큰을 직접 전달하세요."
        )
    },
    own_token_text: "다른 곳의 앱은 바로 로그아웃되고 이전 토큰은 더 이상 쓸 수 없습니다. 이 앱은 새 토큰으로 계속 연결됩니다.",
    device_token_text: |name| {
        format!(
            "기기 연결({name})이 바로 끊기고 이전 토큰은 더 이상 쓸 수 없습니다. 기기에 새 토큰을 설정하세요."
        )
    },
    token_really: "새 토큰 만들기",
    admin_title: |name| format!("관리자로 지정할까요? ({name})"),
    admin_text: |name| format!("{name} 님이 사람, 초대, 기기를 추가하고 내보낼 수 있게 됩니다."),
    admin_really: "관리자로 지정",
    person_title: |name| format!("관리자 권한을 해제할까요? ({name})"),
    person_text: |name| {
        format!("{name} 님은 그대로 남지만 더 이상 사람, 초대, 기기를 추가하거나 내보낼 수 없습니다.")
    },
    person_really: "권한 해제",

    token_of: |name| format!("토큰: {name}"),
    token_once: "지금 복사하세요. 다시 보여 주지 않습니다.",
    own_token_once: "이 앱에는 이미 적용되었습니다. 다른 앱에 쓰려면 지금 복사하세요. 다시 보여 주지 않습니다.",
    publish_with: "이 토큰으로 보내기:",
    copy_token: "토큰 복사",
    copy_command: "명령 복사",
    copy_link: "링크 복사",
    done: "완료",

    new_invite: "새 초대",
    good_for: "유효 기간",
    days: |days| format!("{days}일"),
    as_admin: "관리자로 초대",
    make_invite: "초대 만들기",
    link: "초대 링크",
    link_once: |until| {
        format!("한 사람이 {until}까지 쓸 수 있습니다. 지금 복사하세요. 다시 보여 주지 않습니다.")
    },
    used_by: |name| format!("사용함: {name}"),
    good_until: |until| format!("{until}까지 유효"),
    expired: |at| format!("{at}에 만료됨"),
    made_by: |name| format!("만든 사람: {name}"),
    remove_invite: |id| format!("초대 삭제: {id}"),
    remove_invite_title: "이 초대를 삭제할까요?",
    remove_invite_text: "링크를 더 이상 쓸 수 없습니다.",

    device_id: "기기 ID",
    device_id_hint: "shed",
    device_name: "이름(선택)",
    add_device: "기기 추가",

    saved: "저장했습니다.",
    removed: |name| format!("내보냈습니다: {name}"),
    removed_device: |name| format!("삭제했습니다: {name}"),
    refused: |why| match why {
        Unmanaged::NotAllowed => "관리자만 할 수 있는데, 이제 관리자가 아닙니다.",
        Unmanaged::Unknown => "이미 없어졌습니다. 목록을 새로 고쳤습니다.",
        Unmanaged::LastAdmin => "마지막 관리자입니다. 먼저 다른 사람을 관리자로 지정하세요.",
        Unmanaged::Owner => {
            "소유자의 토큰은 서버 디스크에 있으므로 권한을 없앨 수 없습니다. 대신 새 토큰을 만드세요."
        }
        Unmanaged::BadName => "이름은 눈에 보이는 글자 1~64자여야 합니다.",
        Unmanaged::BadToken => "서버가 토큰을 받지 않았습니다. 다시 시도하세요.",
        Unmanaged::BadId => {
            "사용할 수 없는 ID입니다. 다른 사람이 이미 쓰고 있거나, ~로 시작하거나, . 또는 ..입니다."
        }
        Unmanaged::BadKind => "기기를 사람으로, 사람을 기기로 바꿀 수 없습니다.",
        Unmanaged::TooMany => "쓰지 않은 초대가 너무 많습니다. 먼저 몇 개를 삭제하세요.",
        Unmanaged::Unavailable => "서버가 지금 데이터를 읽거나 쓸 수 없습니다. 나중에 다시 시도하세요.",
        Unmanaged::Other => "서버가 거부했습니다.",
    },
};
