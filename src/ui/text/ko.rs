//! Korean.

use chrono::{Datelike, Local, Timelike};

use super::ko_device_page::twelve;
use super::ko_link::{bad_address, test, why};
use super::{Sentence, StateWord, Words, local};
use crate::model::banner::Banner;
use crate::model::chat::Unmade;
use crate::model::refusal::Refusal;
use crate::ui::harmless;

/// Korean.
pub static KOREAN: Words = Words {
    devices: &super::ko_devices::KOREAN,
    keys: &super::ko_keys::KOREAN,
    log: &super::ko_log::KOREAN,
    notices: &super::ko_notices::KOREAN,
    search: &super::ko_search::KOREAN,
    sheet: &super::ko_sheet::KOREAN,
    rich: &super::ko_rich::KOREAN,
    archive: &super::ko_archive::KOREAN,
    rooms: &super::ko_rooms::KOREAN,
    chat: &super::ko_chat::KOREAN,
    files: &super::ko_files::KOREAN,
    deep_link: &super::ko_deep_link::KOREAN,
    profiles: &super::ko_profiles::KOREAN,
    people: &super::ko_people::KOREAN,
    plain: &super::ko_plain::KOREAN,
    mapping: &super::ko_mapping::KOREAN,
    socketio: &super::ko_socketio::KOREAN,
    routes: &super::ko_routes::KOREAN,
    doctor: &super::ko_doctor::KOREAN,
    private: &super::ko_private::KOREAN,
    stomp: &super::ko_stomp::KOREAN,
    proxy: &super::ko_proxy::KOREAN,
    topics: &super::ko_topics::KOREAN,
    mqtt: &super::ko_mqtt::KOREAN,
    device_acts: &super::ko_device_acts::KOREAN,
    device_page: &super::ko_device_page::KOREAN,
    state,
    countdown: |seconds| format!("{seconds}초 후 다시 시도"),
    now: "지금 다시 시도 중",
    why,
    refusal,
    banner,
    bad_address,
    test,

    retry_now: "지금 다시 시도",
    connect: "연결",
    disconnect: "연결 끊기",
    catching_up: "밀린 메시지를 받는 중",
    round_trip: |ms| format!("{ms} ms"),
    protocol_duplex: "Duplex",
    protocol_websocket: "일반 WebSocket",
    protocol_socketio: "Socket.IO",
    protocol_stomp: "STOMP",
    protocol_mqtt: "MQTT",
    transport_websocket: "WebSocket",
    transport_tcp: "TCP",
    transport_ewebsock: "WebSocket (ewebsock)",
    no_close_reasons: "이 전송 방식에서는 연결 종료 이유를 알 수 없습니다",
    no_connection: "아직 연결이 없습니다",
    state_of: |name, state| format!("{name}: {state}"),

    connections: "연결",
    this_computer: "이 컴퓨터",
    add_connection: "연결 추가",
    more: |name| format!("{name} 메뉴"),
    connection_bar: "연결 상태",
    rooms_of: |name| format!("{name}의 방"),
    edit_connection: "연결 편집",
    remove_connection: "연결 삭제",
    remove_title: |name| format!("연결을 삭제할까요? ({name})"),
    remove_text: "이 연결의 대화 기록과 보내지 않은 메시지가 이 컴퓨터에서 삭제됩니다. 서버의 내용은 삭제되지 않습니다.",
    remove: "삭제",
    cancel: "취소",
    new_room: "새 방",
    create: "만들기",
    room_name_rule: "방 이름은 한 줄에 1~64자로 입력하세요. 보이지 않는 문자는 쓸 수 없습니다.",
    making_room: |room| format!("‘{room}’ 방 만들기"),
    unmade: |unmade| match unmade {
        Unmade::Waiting => "아직 만들어지지 않음",
        Unmade::Refused => "만들지 못함",
    },
    not_made: "만들지 못했습니다",
    unread: |count| format!("읽지 않은 메시지 {count}개"),
    mentions: |count| format!("멘션 {count}개"),
    no_rooms: "아직 방이 없습니다",
    rooms_left_out: |count| format!("이 서버의 방 중 {count}개만 표시합니다"),

    messages: "메시지 목록",
    you: |name| if name.is_empty() { "나".to_owned() } else { format!("{name}(나)") },
    kind_admin: "관리자",
    kind_integration: "봇",
    kind_device: "기기",
    kind_hint: "서버가 표시하는 역할입니다. 이름으로 흉내 낼 수 없습니다.",
    said: |who, when| format!("{who}, {when}"),
    replayed: "나중에 받음: 오프라인일 때 온 메시지",
    unknown_content: "최신 버전의 Duplex에서 작성되어 이 버전에서는 표시할 수 없습니다.",
    waiting_to_send: "전송 대기 중",
    paused: |refusal, when| match refusal {
        Refusal::Quota { .. } => {
            format!("이 계정의 전송 한도에 도달했습니다. {when}에 전송을 다시 시작합니다.")
        }
        _ => format!("서버가 지금 메시지를 받지 않습니다. {when}에 전송을 다시 시작합니다."),
    },
    sending: "전송 중",
    sent_unconfirmed: "보냄, 확인 안 됨",
    may_not_have_arrived: "도착하지 않았을 수 있음",
    send_again: "다시 보내기",
    not_sent: "전송 실패",
    retry: "다시 시도",
    edit: "편집",
    delete: "삭제",
    copy: "메시지 복사",
    show_lines: |lines| format!("{lines}줄 모두 보기"),
    show_characters: |characters| format!("{characters}자 모두 보기"),
    show_less: "접기",
    new_messages: "새 메시지",
    jump_to_newest: "최신 메시지로",
    new_count: |count| format!("새 메시지 {count}개"),
    loading_older: "이전 메시지를 불러오는 중…",
    older_on_server: "더 오래된 메시지는 서버에 있습니다. 연결하면 불러옵니다.",
    older_out_of_reach: "이 서버는 지난 메시지를 제공하지 않습니다.",
    room_begins: |room| format!("#{room} 방의 시작입니다."),
    empty_room: "아직 메시지가 없습니다. 첫 메시지를 보내 보세요.",
    nothing_open: "왼쪽에서 방을 선택하거나 연결을 추가하세요.",
    gap: |from, to| {
        format!(
            "{from}부터 {to}까지의 메시지가 누락되었을 수 있습니다. 서버의 기록이 초기화되었거나 일부 삭제되었습니다."
        )
    },
    typing: |names| match names {
        [] => String::new(),
        [one] => format!("{one} 님이 입력 중…"),
        [one, two] => format!("{one} 님과 {two} 님이 입력 중…"),
        [one, two, rest @ ..] => format!("{one} 님, {two} 님 외 {}명이 입력 중…", rest.len()),
    },
    people_online: |count| format!("{count}명 온라인"),
    people_online_or_more: |count| format!("{count}명 이상 온라인"),
    scroll_bar: "메시지 위치",
    today: "오늘",
    yesterday: "어제",
    day: |at| local::day(at, |time| format!("{} {}", date(time), weekday(time))),
    clock: |at| local::moment(at, clock),
    day_and_clock: |at| local::moment(at, |time| format!("{} {}", date(time), clock(time))),

    message: "메시지",
    message_hint: |room| format!("#{room}에 메시지 보내기"),
    send: "보내기",
    save: "저장",
    sent_when_online: "오프라인입니다. 메시지를 보관했다가 다시 연결되면 보냅니다.",
    too_large: |bytes| {
        format!("메시지가 너무 깁니다({:.1}KiB/64KiB). 줄이거나 나누어 보내세요.", bytes as f64 / 1024.0)
    },
    editing: "보내지 않은 메시지 편집 중",
    sent_meanwhile: "이미 전송된 메시지입니다. 지금 보내면 새 메시지로 전송됩니다.",

    add_title: "연결 추가",
    edit_title: "연결 편집",
    name: "이름",
    name_hint: "선택 사항: 비워 두면 서버 이름을 사용",
    address: "서버 주소 또는 초대 링크",
    address_hint: "server.example, wss://server.example:7870 또는 초대 링크",
    address_taken_as: |url| format!("연결할 주소: {url}"),
    use_address: |url| format!("{url} 사용"),
    token: "토큰",
    token_hint_new: "서버 관리자에게 문의하세요",
    token_hint_keep: "비워 두면 현재 토큰을 유지합니다",
    your_name: "표시 이름",
    your_name_hint: "이 서버의 다른 사람에게 표시됩니다",
    your_name_needed: "이 초대 링크로 계정을 만듭니다. 표시 이름을 입력하세요.",
    your_name_rule: "표시 이름은 눈에 보이는 글자 1~64자로, 한 줄이어야 합니다.",
    invite_found: "초대 링크입니다. 토큰은 필요 없습니다.",
    advanced: "고급",
    ca_file: "CA 인증서 파일",
    ca_file_hint: "이 서버에서만 신뢰할 PEM 파일 경로",
    join: "참가",
    client_certificate: "클라이언트 인증서 파일",
    client_certificate_hint: "인증서를 요구하는 서버에 제시할 PEM 파일 경로",
    client_key: "개인 키 파일",
    client_key_hint: "인증서 파일에 없는 경우",
    fingerprint: "인증서 지문",
    fingerprint_hint: "SHA-256, 16진수 64자리",
    bad_fingerprint: "지문은 16진수 64자리입니다. 콜론으로 구분해도 됩니다.",
    socket: "소켓",
    socket_tungstenite: "tungstenite (권장)",
    socket_ewebsock: "ewebsock",
    ewebsock_limits: "ewebsock은 연결 종료 이유를 알려 주지 않으며 CA 파일, 지문, 클라이언트 인증서를 지원하지 않습니다. \
                      이 컴퓨터의 인증서만 신뢰합니다.",
    connect_at_start: "시작할 때 자동 연결",
    test_button: "테스트",
    clear_text_warning: "ws://는 암호화되지 않아 네트워크의 다른 사람이 토큰과 메시지를 읽을 수 있습니다. \
                         네트워크 전체를 신뢰할 수 없다면 wss://를 사용하세요.",

    first_title: "Duplex에 오신 것을 환영합니다",
    first_text: "이 컴퓨터의 서버에 연결되어 있습니다. 바로 메시지를 보내 보세요. \
                 초대 링크로 다른 서버에 참가할 수도 있습니다.",
    first_stay: "시작하기",
    first_stay_text: "이 안내를 닫고 이 컴퓨터의 서버를 사용합니다",
    first_join: "서버 참가",
    first_join_text: "주소나 초대 링크로 참가합니다",
    first_later: "나중에",

    resize_rooms: "방 목록 크기 조절",
    resize_devices: "기기 창 크기 조절",

    settings: "설정",
    close: "닫기",

    no_graphics: |why| {
        format!(
            "이 컴퓨터에서는 창을 그릴 수 없습니다.\n\n\
             Duplex는 OpenGL 2.1{}(으)로 화면을 그립니다. 그래픽 카드 제조사의 드라이버를 설치한 뒤 \
             Duplex를 다시 시작하세요. 서버에서는 duplexctl을 쓰세요.\n\n({why})",
            if cfg!(windows) { " 또는 Direct3D 12" } else { "" }
        )
    },

    dismiss: "닫기",
};

/// Korean, with the hours of 오전 and 오후.
pub static TWELVE_HOURS: Words = Words {
    clock: |at| local::moment(at, twelve),
    day_and_clock: |at| local::moment(at, |time| format!("{} {}", date(time), twelve(time))),
    device_page: &super::ko_device_page::TWELVE_HOURS,
    ..KOREAN
};

fn state(word: StateWord) -> &'static str {
    match word {
        StateWord::Connecting => "연결 중",
        StateWord::Online => "온라인",
        StateWord::Waiting => "재연결 대기",
        StateWord::Suspended => "일시 중단",
        StateWord::Stopped => "중지됨",
        StateWord::Off => "연결 안 함",
    }
}

fn date(time: &chrono::DateTime<Local>) -> String {
    format!("{}년 {}월 {}일", time.year(), time.month(), time.day())
}

fn weekday(time: &chrono::DateTime<Local>) -> &'static str {
    match time.weekday() {
        chrono::Weekday::Mon => "월요일",
        chrono::Weekday::Tue => "화요일",
        chrono::Weekday::Wed => "수요일",
        chrono::Weekday::Thu => "목요일",
        chrono::Weekday::Fri => "금요일",
        chrono::Weekday::Sat => "토요일",
        chrono::Weekday::Sun => "일요일",
    }
}

fn clock(time: &chrono::DateTime<Local>) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

pub(super) fn say(what: impl Into<String>, then: impl Into<String>) -> Sentence {
    Sentence { what: what.into(), then: then.into() }
}

/// Somebody else's words, set apart.
pub(super) fn quote(words: &str) -> String {
    if words.trim().is_empty() {
        String::new()
    } else {
        format!(" 서버 메시지: “{}”", harmless::line(words.trim(), 200))
    }
}

pub(super) fn detail(words: &str) -> String {
    if words.trim().is_empty() { String::new() } else { format!("({})", harmless::line(words.trim(), 200)) }
}

/// A sentence, then the system's words in brackets.
pub(super) fn with(sentence: &str, words: &str) -> String {
    format!("{sentence}{}.", detail(words))
}

fn refusal(refusal: &Refusal) -> Sentence {
    match refusal {
        Refusal::NoSuchRoom => say("서버에 그 방이 더는 없습니다.", "글을 복사해 다른 방에 쓰세요."),
        Refusal::NoSuchMessage => say("메시지가 삭제되었거나 서버에 더는 없습니다.", "이 항목을 버리세요."),
        Refusal::NotYours => {
            say("메시지는 쓴 사람만 바꿀 수 있습니다.", "쓴 사람이나 서버 관리자에게 부탁하세요.")
        }
        Refusal::NotAnEmoji => say("서버가 반응으로 받지 않는 글자입니다.", "목록에서 이모지를 고르세요."),
        Refusal::TooLarge { limit } => say(
            format!("서버는 메시지 하나에 {}KiB까지만 받습니다.", limit / 1024),
            "고치거나 나누어 보내세요.",
        ),
        Refusal::NotAllowed => say("이 계정에는 그렇게 할 권한이 없습니다.", "서버 관리자에게 문의하세요."),
        Refusal::SlowDown { .. } => {
            say("서버가 지금은 메시지를 더 받지 않습니다.", "나중에 자동으로 다시 보냅니다.")
        }
        Refusal::Quota { .. } => {
            say("이 계정이 지금 보낼 수 있는 양을 다 썼습니다.", "나중에 자동으로 다시 보냅니다.")
        }
        Refusal::TooMany { limit } => {
            say(format!("서버는 {limit}개까지만 허용합니다."), "서버 관리자에게 문의하세요.")
        }
        Refusal::NameAlike { name } => say(
            format!("‘{}’ 방과 이름이 비슷해 보여 헷갈릴 수 있습니다.", harmless::line(name.as_str(), 64)),
            "다른 이름을 쓰세요.",
        ),
        Refusal::BadName { detail: d } => {
            say(format!("서버가 받지 않는 이름입니다{}.", detail(d)), "다른 이름을 쓰세요.")
        }
        Refusal::NoSuchFile => {
            say("서버에 파일이 남아 있지 않습니다.", "이 메시지를 지우고 파일을 다시 보내세요.")
        }
        Refusal::Archived => {
            say("보관된 방입니다.", "방을 만든 사람이나 관리자에게 보관을 해제해 달라고 하세요.")
        }
        Refusal::UnknownKind { .. } => {
            say("서버가 지원하지 않는 종류의 메시지입니다.", "서버 관리자에게 서버 업데이트를 요청하세요.")
        }
        Refusal::Other { code, detail: d } => say(
            format!("서버가 거절했습니다: {}{}.", harmless::line(code, 60), detail(d)),
            "고치거나 나중에 다시 시도하세요.",
        ),
    }
}

/// Long: one arm for each banner.
fn banner(banner: &Banner) -> Sentence {
    match banner {
        Banner::DiskFull => say(
            "디스크가 가득 찼습니다. 새 메시지는 메모리에만 보관 중입니다.",
            "공간을 확보하면 저장합니다. 그때까지 창을 닫지 마세요.",
        ),
        Banner::DiskLow => say(
            "디스크 공간이 거의 없습니다. 서버에서 새로 온 메시지는 표시하지만 저장하지 않습니다.",
            "공간을 확보하면 다시 받아 저장합니다. 작성한 메시지는 저장됩니다.",
        ),
        Banner::DiskReadOnly { detail: d } => say(
            with("Duplex가 데이터 폴더에 쓸 수 없습니다", d),
            "새 메시지는 메모리에만 보관 중입니다. 창을 닫기 전에 폴더를 쓸 수 있게 하세요.",
        ),
        Banner::DatabaseSetAside { path } => say(
            "메시지 데이터베이스가 손상되어 새로 만들었습니다.",
            format!("손상된 파일은 {}에 있습니다. 메시지는 서버에서 다시 받습니다.", shown(path)),
        ),
        Banner::DatabaseNewer { path } => say(
            format!("데이터베이스가 최신 버전의 Duplex에서 만들어져 변경하지 않았습니다: {}.", shown(path)),
            "이번 실행에서는 아무것도 저장되지 않습니다. Duplex를 업데이트하세요.",
        ),
        Banner::SettingsSetAside { path } => say(
            "설정을 읽지 못했습니다.",
            format!("설정 파일은 {}에 있습니다. 앱은 기본값으로 실행됩니다.", shown(path)),
        ),
        Banner::ReadingsNotWritten { detail: d } => say(
            with("기기 측정값을 저장할 수 없습니다", d),
            "실시간 값과 채팅은 계속됩니다. 폴더에 다시 쓸 수 있을 때까지 기기 기록에 빈 구간이 생깁니다.",
        ),
        Banner::ReadingsSetAside { path } => say(
            "저장된 기기 측정값이 손상되어 새로 만들었습니다.",
            format!("손상된 파일은 {}에 있습니다. 분 단위 기록은 서버에서 받습니다.", shown(path)),
        ),
        Banner::Restarted => say(
            "Duplex의 일부에 문제가 생겨 다시 시작했습니다.",
            "잃은 데이터는 없습니다. 반복되면 알려 주세요.",
        ),
        Banner::SecretNotKept { .. } => {
            say("키링이 없어 토큰을 저장하지 못했습니다.", "다시 시작하면 토큰을 다시 입력해야 합니다.")
        }
        Banner::ClosedUnexpectedly { note: Some(_) } => say(
            "Duplex가 예기치 않게 종료되었습니다.",
            "메시지와 초안은 저장되어 있습니다. 오류 보고서는 이 컴퓨터에만 있으며 전송되지 않습니다.",
        ),
        Banner::ClosedUnexpectedly { note: None } => say(
            "지난번에 Duplex가 정상적으로 종료되지 않았습니다.",
            "오류가 났거나 시스템 또는 다른 프로그램이 종료했을 수 있습니다. 메시지와 초안은 저장되어 있습니다.",
        ),
        Banner::PartFailed { .. } => say(
            "지난번에 Duplex의 일부가 중단되어 다시 시작되었습니다.",
            "메시지와 초안은 저장되어 있습니다. 오류 보고서는 이 컴퓨터에만 있으며 전송되지 않습니다.",
        ),
        Banner::LinkNotOpened { url, detail: d } => say(
            with("링크를 열 수 있는 앱이 없습니다", d),
            format!("{} 주소를 복사해 브라우저에 붙여 넣으세요.", harmless::line(url, 300)),
        ),
    }
}

pub(super) fn shown(path: &std::path::Path) -> String {
    harmless::line(&path.display().to_string(), 300)
}
