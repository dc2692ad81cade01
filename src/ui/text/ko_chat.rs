//! Korean about writing messages.

use emojis::Group;

use super::chat::{ChatWords, CommandName};

/// Korean about writing messages.
pub static KOREAN: ChatWords = ChatWords {
    commands_found: "명령어",
    command_help: |name| match name {
        CommandName::Me => "/me 내용: 내 행동 표현하기",
        CommandName::Set => "/set 기기 속성 값: 기기 제어하기",
        CommandName::Get => "/get 기기 측정값: 측정값 보기",
    },
    command_usage: |name| match name {
        CommandName::Me => "/me 뒤에 내용을 입력하세요. 예: /me 돌아왔습니다",
        CommandName::Set => {
            "/set 뒤에 기기, 속성, 값을 입력하세요. 예: /set lamp power on. 공백이 있는 이름은 따옴표로 묶으세요."
        }
        CommandName::Get => {
            "/get 뒤에 기기와 측정값 이름을 입력하세요. 예: /get oven temperature. 공백이 있는 이름은 따옴표로 묶으세요."
        }
    },
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
};
