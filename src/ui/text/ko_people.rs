//! Korean: who may come in at a server.

use super::people::PeopleWords;
use crate::model::principal::Role;
use crate::model::rights::ManageRefusal;

/// Korean.
pub(super) static KOREAN: PeopleWords = PeopleWords {
    menu: "구성원 및 초대",
    invite: "초대하기",
    title: |server| format!("구성원 및 초대: {server}"),

    people: "구성원",
    invites: "초대 링크",
    devices: "기기",
    loading: "불러오는 중…",
    not_connected: "연결되어 있지 않습니다. 다시 연결되면 변경할 수 있습니다.",
    nobody: "아직 구성원이 없습니다.",
    no_invites: "아직 초대 링크가 없습니다.",
    no_devices: "토큰이 있는 기기가 아직 없습니다.",

    owner: "소유자",
    admin: "관리자",
    person: "구성원",
    device: "기기",
    you: "나",
    online: "온라인",
    offline: "오프라인",
    more: |name| format!("{name} 메뉴"),
    rename: "이름 변경…",
    new_token: "새 토큰…",
    make_admin: "관리자로 지정…",
    make_person: "관리자 권한 해제…",
    role: |role| match role {
        Role::Guest => "게스트",
        Role::Member => "구성원",
        Role::Operator => "운영자",
        Role::Admin => "관리자",
    },
    role_text: |role| match role {
        Role::Guest => "방과 기기를 볼 수만 있습니다.",
        Role::Member => "글을 쓰고 방을 만들 수 있습니다.",
        Role::Operator => "기기를 제어하고 모든 공개 방을 바꿀 수도 있습니다.",
        Role::Admin => "모든 메시지를 삭제하고 구성원, 초대, 기기를 관리할 수도 있습니다.",
    },
    roles: "역할",
    change_role: "역할 바꾸기…",
    role_title: |name| format!("{name} 님의 역할"),
    remove: "내보내기…",
    remove_device: "삭제…",

    rename_title: |name| format!("이름 변경: {name}"),
    new_name: "새 이름",
    remove_title: |name| format!("내보낼까요? ({name})"),
    remove_text: |name| {
        format!(
            "{name} 님은 바로 로그아웃되고 토큰은 더 이상 사용할 수 없습니다. 보낸 메시지는 그대로 남습니다."
        )
    },
    remove_really: "내보내기",
    remove_device_title: |name| format!("삭제할까요? ({name})"),
    remove_device_text: |name| {
        format!(
            "기기 연결({name})이 바로 끊기고 토큰은 더 이상 사용할 수 없습니다. 수신한 데이터는 그대로 남습니다."
        )
    },
    token_title: |name| format!("새 토큰을 만들까요? ({name})"),
    token_text: |name| {
        format!(
            "{name} 님은 바로 로그아웃되고 이전 토큰은 더 이상 사용할 수 없습니다. 새 토큰을 직접 전달하세요."
        )
    },
    own_token_text: "다른 곳의 앱은 바로 로그아웃되고 이전 토큰은 더 이상 사용할 수 없습니다. 이 앱은 새 토큰으로 계속 연결됩니다.",
    device_token_text: |name| {
        format!(
            "기기 연결({name})이 바로 끊기고 이전 토큰은 더 이상 사용할 수 없습니다. 기기에 새 토큰을 설정하세요."
        )
    },
    token_really: "새 토큰 만들기",
    admin_title: |name| format!("관리자로 지정할까요? ({name})"),
    admin_text: |name| format!("{name} 님이 구성원, 초대 링크, 기기를 추가하고 삭제할 수 있게 됩니다."),
    admin_really: "관리자로 지정",
    person_title: |name| format!("관리자 권한을 해제할까요? ({name})"),
    person_text: |name| {
        format!("{name} 님은 그대로 남지만 더 이상 구성원, 초대 링크, 기기를 추가하거나 삭제할 수 없습니다.")
    },
    person_really: "권한 해제",

    token_of: |name| format!("토큰: {name}"),
    token_once: "지금 복사하세요. 다시 표시되지 않습니다.",
    own_token_once: "이 앱에는 이미 적용되었습니다. 다른 앱에서 사용하려면 지금 복사하세요. 다시 표시되지 않습니다.",
    publish_with: "터미널이나 스크립트에서 데이터 보내기:",
    curl_unchecked: "--insecure: 서버 인증서가 자체 서명되어 curl이 확인할 수 없습니다. 신뢰하는 네트워크에서만 사용하세요.",
    curl_pinned: "--pinnedpubkey: curl이 이 서버의 키만 허용합니다. 인증서가 자체 서명되어 --insecure도 필요합니다.",
    copy_token: "토큰 복사",
    copy_command: "curl 명령 복사",
    agent_with: "또는 duplexctl로 컴퓨터(Linux, macOS) 모니터링:",
    copy_agent: "에이전트 명령 복사",
    device_runs: "기기 위치",
    on_this_computer: "이 컴퓨터",
    on_another: "다른 컴퓨터",
    device_local_only: "아직 다른 컴퓨터에서 이 서버에 연결할 수 없습니다.",
    copy_link: "링크 복사",
    copy_duplex_link: "duplex:// 링크 복사",
    done: "완료",

    lan_title: "로컬 네트워크",
    lan_switch: "로컬 네트워크에 이 서버 공개",
    lan_what_it_does: "지금은 이 컴퓨터에서만 서버에 연결할 수 있습니다. 공개하면 같은 네트워크의 다른 컴퓨터가 이름으로 서버를 찾고 초대 링크로 참가할 수 있습니다. 참가한 사람은 대화방, 구성원, 기기를 볼 수 있습니다. 연결은 암호화됩니다.",
    lan_changing: "잠시만 기다려 주세요…",
    lan_open: |name, address, port| {
        format!(
            "{address}, 포트 {port}에서 공개 중입니다. 네트워크의 다른 컴퓨터가 ‘{name}’ 서버를 찾고 초대 링크로 참가할 수 있습니다."
        )
    },
    lan_no_network: "이 컴퓨터가 네트워크에 연결되어 있지 않아 아무도 서버에 연결할 수 없습니다. 네트워크에 연결되면 자동으로 공개됩니다.",
    lan_no_visits: |port| {
        format!(
            "공개한 뒤 아직 다른 컴퓨터의 연결이 없습니다. 초대 링크가 작동하지 않으면 이 컴퓨터의 방화벽이 TCP {port}번 포트를 차단하고 있을 수 있습니다."
        )
    },
    lan_visitors: |now| match now {
        0 => "다른 컴퓨터가 연결한 적이 있습니다. 지금은 연결이 없습니다.".into(),
        _ => format!("다른 컴퓨터에서 온 연결: {now}개"),
    },
    lan_not_announced: |detail| {
        format!(
            "다른 컴퓨터의 서버 목록에 표시되지 않을 수 있습니다({detail}). 초대 링크는 사용할 수 있습니다."
        )
    },
    lan_closed: |ended| match ended {
        0 => "서버를 네트워크에 공개하지 않습니다.".into(),
        _ => format!("서버를 네트워크에 공개하지 않습니다. 연결 {ended}개를 끊었습니다."),
    },
    lan_port_in_use: |port| {
        format!(
            "다른 프로그램이 {port}번 포트를 사용하고 있어 서버를 공개하지 못했습니다. 포트를 바꾸면 기존 초대 링크는 쓸 수 없습니다."
        )
    },
    lan_failed: |detail| format!("서버를 네트워크에 공개하지 못했습니다: {detail}"),
    lan_other_port: "다른 포트 사용",
    lan_again: "다시 시도",

    new_invite: "새 초대 링크",
    good_for: "유효 기간",
    days: |days| format!("{days}일"),
    as_admin: "관리자로 초대",
    make_invite: "초대 링크 만들기",
    link: "초대 링크",
    link_once: |until| {
        format!("한 사람이 {until}까지 한 번 사용할 수 있습니다. 지금 복사하세요. 다시 표시되지 않습니다.")
    },
    link_how: "다른 컴퓨터에서 ‘연결 추가’를 누르고 링크를 붙여넣으세요. QR 코드에도 같은 링크가 들어 있습니다.",
    link_local_only: "서버를 네트워크에 공개하지 않아 이 초대 링크는 이 컴퓨터에서만 사용할 수 있습니다.",
    invite_local_only: "서버를 로컬 네트워크에 공개해야 다른 컴퓨터에서 초대 링크를 사용할 수 있습니다.",
    qr_name: "초대 링크 QR 코드",
    copied: "복사했습니다",
    revoke: "링크 취소…",
    revoke_really: "링크 취소",
    used_by: |name| format!("사용함: {name}"),
    good_until: |until| format!("{until}까지 유효"),
    expired: |at| format!("{at}에 만료됨"),
    made_by: |name| format!("만든 사람: {name}"),
    remove_invite: |id| format!("초대 링크 취소: {id}"),
    remove_invite_title: "이 초대 링크를 취소할까요?",
    remove_invite_text: "링크를 더 이상 사용할 수 없습니다. 이미 참가한 사람은 그대로 남습니다.",

    device_id: "기기 ID",
    device_id_hint: "greenhouse-3",
    device_name: "이름",
    device_name_hint: "온실 3",
    bad_device_id: "기기 ID는 보이는 글자 1~64자이며, ~로 시작하거나 . 또는 ..일 수 없습니다.",
    bad_device_name: "이름은 보이는 글자 128자 이하여야 합니다.",
    device_known: "같은 ID의 기기가 이미 있습니다. 새 토큰을 받으면 지금 토큰은 더 이상 사용할 수 없습니다.",
    add_device: "기기 추가",
    add_device_title: "기기 추가",
    add_device_text: "기기가 데이터를 보낼 때 쓸 전용 토큰을 만듭니다. 이름을 정하세요. ID는 기기의 주소입니다.",
    add_device_nowhere: "관리자로 연결된 서버에서만 기기를 추가할 수 있습니다. 그런 서버에 연결하거나 서버 관리자에게 요청하세요.",
    at_server: "서버",

    nearby: "내 네트워크의 서버",
    nearby_looking: "네트워크에서 서버를 찾는 중…",
    nearby_none: "네트워크에서 서버를 찾지 못했습니다. 초대 링크가 있으면 위에 붙여넣으세요.",
    nearby_failed: |detail| format!("네트워크에서 서버를 찾을 수 없습니다: {detail}"),
    nearby_invite: "초대 필요",
    nearby_known: "이미 추가함",
    nearby_link: "초대 링크",
    nearby_link_hint: |name| format!("{name} 초대 링크 붙여넣기"),
    nearby_link_text: "이 서버를 운영하는 사람에게 초대 링크를 요청하세요. 링크에는 서버를 확인하는 정보도 들어 있습니다.",
    nearby_whole_link: "코드만이 아니라 링크 전체를 붙여넣으세요. 링크에는 서버를 확인하는 정보도 들어 있습니다.",
    nearby_other_server: |name| format!("이 초대 링크는 {name}이(가) 아닌 다른 서버의 링크입니다."),
    joining: "참가할 서버",
    joining_server: "서버",
    joining_unnamed: "초대 링크에 이름이 없음",
    joining_address: "주소",
    joining_also: |address, more| format!("{address} 외 {more}개"),
    joining_fingerprint: "인증서 지문(SHA-256)",
    joining_pinned: "이 인증서를 가진 서버에만 연결합니다.",

    set_status: "상태 설정",
    status_hint: "지금 무엇을 하고 있나요?",
    status_text: "이 서버의 모든 사람에게 이름 옆에 표시됩니다.",
    clear_status: "지우기",
    saved: "저장했습니다.",
    removed: |name| format!("내보냈습니다: {name}"),
    removed_device: |name| format!("삭제했습니다: {name}"),
    refused: |why| match why {
        ManageRefusal::NotAllowed => "관리자만 할 수 있는데, 이제 관리자가 아닙니다.",
        ManageRefusal::Unknown => "이미 없어졌습니다. 목록을 새로 고쳤습니다.",
        ManageRefusal::LastAdmin => "마지막 관리자입니다. 먼저 다른 사람을 관리자로 지정하세요.",
        ManageRefusal::Owner => {
            "소유자의 토큰은 서버 디스크에 있으므로 권한을 없앨 수 없습니다. 대신 새 토큰을 만드세요."
        }
        ManageRefusal::BadName => "이름은 보이는 글자 1~64자여야 합니다.",
        ManageRefusal::BadToken => "서버가 토큰을 받지 않았습니다. 다시 시도하세요.",
        ManageRefusal::BadId => {
            "사용할 수 없는 ID입니다. 다른 사람이 사용 중이거나, ~로 시작하거나, . 또는 ..입니다."
        }
        ManageRefusal::BadKind => "기기를 사람으로, 사람을 기기로 바꿀 수 없습니다.",
        ManageRefusal::TooMany => "사용하지 않은 초대 링크가 너무 많습니다. 먼저 몇 개를 취소하세요.",
        ManageRefusal::Unavailable => "서버가 지금 데이터를 읽거나 쓸 수 없습니다. 나중에 다시 시도하세요.",
        ManageRefusal::Other => "서버가 거부했습니다.",
    },
};
