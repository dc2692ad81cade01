//! Korean about writing messages.

use emojis::Group;

use super::chat::{ChangeKind, ChatWords, CommandName};

/// Korean about writing messages.
pub static KOREAN: ChatWords = ChatWords {
    commands_found: "명령어",
    command_help: |name| match name {
        CommandName::Me => "/me 내용: 내 행동 표현하기",
        CommandName::Set => "/set 기기 속성 값: 기기 제어하기",
        CommandName::Get => "/get 기기 측정값: 측정값 보기",
        CommandName::Topic => "/topic 내용: 방 주제 설정하기",
        CommandName::Rename => "/rename 이름: 방 이름 바꾸기",
        CommandName::Archive => "/archive: 방 보관하기 (새 메시지 받지 않음)",
        CommandName::Unarchive => "/unarchive: 방 보관 해제하기",
        CommandName::Leave => "/leave: 방 나가기",
        CommandName::Join => "/join: 방에 다시 들어가기",
        CommandName::Status => "/status 내용: 내 상태 메시지 설정하기",
        CommandName::Msg => "/msg 이름 내용: 다이렉트 메시지 보내기",
        CommandName::Invite => "/invite 이름: 이 비공개 방에 초대하기",
    },
    everybody_here: "room: 이 방의 모든 사람에게 알리기",
    command_usage: |name| match name {
        CommandName::Me => "/me 뒤에 내용을 입력하세요. 예: /me 돌아왔습니다",
        CommandName::Rename => {
            "/rename 뒤에 64자 이하의 이름을 입력하세요. 예: /rename 작업실. 다른 방과 비슷해 보이는 이름은 쓸 수 없습니다."
        }
        CommandName::Topic | CommandName::Status => "명령어 뒤에 내용을 입력하세요.",
        CommandName::Msg => {
            "/msg 뒤에 이름과 내용을 입력하세요. 예: /msg 미나 안녕하세요. 공백이 있는 이름은 따옴표로 묶으세요."
        }
        CommandName::Invite => {
            "/invite 뒤에 이름을 입력하세요. 예: /invite 민아. 이름에 공백이 있으면 따옴표로 묶으세요."
        }
        CommandName::Archive | CommandName::Unarchive | CommandName::Leave | CommandName::Join => {
            "이 명령어 뒤에는 아무것도 입력하지 마세요."
        }
        CommandName::Set => {
            "/set 뒤에 기기, 속성, 값을 입력하세요. 예: /set lamp power on. 공백이 있는 이름은 따옴표로 묶으세요."
        }
        CommandName::Get => {
            "/get 뒤에 기기와 측정값 이름을 입력하세요. 예: /get oven temperature. 공백이 있는 이름은 따옴표로 묶으세요."
        }
    },
    changing_room: "방 변경",
    archived: "보관됨",
    left: "나간 방",
    unknown_command: |name| {
        format!("/{name} 명령어가 없습니다. /를 입력하면 목록이 나오고, //로 시작하면 메시지로 보냅니다.")
    },
    command_not_offered: |name| format!("이 서버에서는 /{name} 명령어를 사용할 수 없습니다."),
    no_such_device: |name| format!("이 서버에 “{name}” 기기가 없습니다."),
    several_devices: |name| format!("이름이 “{name}”인 기기가 여러 대입니다. 기기 ID를 입력하세요."),
    no_such_property: |device, name| format!("{device}에 “{name}” 속성이 없습니다."),
    not_settable: |device, name| format!("{device}의 {name}: 측정값이라 설정할 수 없습니다."),
    no_such_reading: |device, name| format!("{device}에 “{name}” 측정값이 없습니다."),
    no_value_yet: |device, name| format!("{device}: {name} 값이 아직 없습니다."),
    not_on_or_off: |typed| format!("보내지 않았습니다. “{typed}” 대신 on 또는 off를 입력하세요."),
    not_an_option: |typed, options| {
        format!("보내지 않았습니다. “{typed}” 대신 다음 중 하나를 입력하세요: {options}")
    },
    command_sent: |device, name, value| {
        format!("{device}: {name} 값을 {value}(으)로 설정하는 중입니다. 결과는 기기 화면에 표시됩니다.")
    },
    reading: |device, name, value, freshness, when| format!("{device}: {name} {value} ({freshness}, {when})"),

    formatting: "서식",
    show_formatting: "서식 도구 보기",
    hide_formatting: "서식 도구 숨기기",
    link: "링크",
    list: "목록",
    quote: "인용",

    emoji: "이모지",
    find_emoji: "이모지 검색",
    no_emoji: "검색 결과가 없습니다.",
    recent_emoji: "최근 사용",
    emoji_group: |group| match group {
        Group::SmileysAndEmotion => "표정과 감정",
        Group::PeopleAndBody => "사람",
        Group::AnimalsAndNature => "동물과 자연",
        Group::FoodAndDrink => "음식",
        Group::TravelAndPlaces => "여행과 장소",
        Group::Activities => "활동",
        Group::Objects => "사물",
        Group::Symbols => "기호",
        Group::Flags => "깃발",
    },

    jump_to_unread: "첫 안 읽은 메시지로 이동",

    reply: "답장",
    reply_in_thread: "스레드에서 답장",
    react: "반응 추가",
    pin: "방에 고정",
    unpin: "고정 해제",
    replying_to: |name| format!("{name} 님에게 답장"),
    cancel_reply: "답장 취소",
    replies_to: |quote| format!("답장한 메시지: {quote}"),
    quote_unknown: "이전 메시지에 대한 답장",
    edited: "(수정됨)",
    edited_at: |when| format!("{when}에 수정됨"),
    deleted: "삭제된 메시지입니다.",
    pinned_by: |name| format!("{name} 님이 고정함"),
    yourself: "나",
    reacted: |emoji, names, more| {
        let who = names.join(", ");
        match more {
            0 => format!("{who}: {emoji} 반응"),
            more => format!("{who} 외 {more}명: {emoji} 반응"),
        }
    },
    read_by: |names, more| {
        let who = names.join(", ");
        match more {
            0 => format!("{who} 님이 읽음"),
            more => format!("{who} 님 외 {more}명이 읽음"),
        }
    },
    read: "읽음",
    replies: |count| format!("답장 {count}개"),
    change_waits: |kind| match kind {
        ChangeKind::Edit => "수정 내용을 아직 보내지 않음",
        ChangeKind::Delete => "삭제 요청을 아직 보내지 않음",
        ChangeKind::Reaction => "반응을 아직 보내지 않음",
        ChangeKind::Pin => "고정 요청을 아직 보내지 않음",
    },
    change_refused: |kind| match kind {
        ChangeKind::Edit => "수정하지 못함",
        ChangeKind::Delete => "삭제하지 못함",
        ChangeKind::Reaction => "반응을 남기지 못함",
        ChangeKind::Pin => "고정하지 못함",
    },
    discard_change: "되돌리기",
    thread: "스레드",
    close_thread: "스레드 닫기",
    resize_thread: "스레드 크기 조절",
    thread_message: "스레드에 답장",
    thread_hint: "스레드에 답장하기",
    thread_begins: "스레드의 첫 메시지입니다.",
    also_in_room: "방에도 보내기",
    new_replies: |count, new| format!("답장 {count}개, 새 답장 {new}개"),
    threads: "스레드",
    threads_unread: |count| format!("스레드: 새 답장 {count}개"),
    no_threads: "아직 스레드가 없습니다. 메시지 메뉴에서 시작할 수 있습니다.",
    read_all: "모두 읽음으로 표시",
    pins: "고정된 메시지",
    no_pins: "고정된 메시지가 없습니다. 메시지 메뉴에서 고정할 수 있습니다.",
    cannot_read: "지금은 데이터베이스를 읽을 수 없습니다.",
    mark_unread: "여기부터 안 읽음으로 표시",
    edit_history: "수정 내역",
    no_history: "이전 내용이 이 컴퓨터에 없습니다.",
    first_version: |when| format!("원본, {when}"),
    editing_sent: "메시지 수정 중",
    deleted_meanwhile: "그 메시지는 삭제되었습니다. 보내면 새 메시지로 전송됩니다.",
    delete_title: "이 메시지를 삭제할까요?",
    delete_text: "방에 있는 모든 사람에게서 삭제되며 되돌릴 수 없습니다.",
    delete_offline: |names, more| match more {
        0 => format!("지금 오프라인: {names}. 다시 연결할 때 그 앱에서도 삭제됩니다."),
        _ => format!("지금 오프라인: {names} 외 {more}명. 다시 연결할 때 그 앱에서도 삭제됩니다."),
    },
};
