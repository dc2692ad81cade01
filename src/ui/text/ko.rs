//! Korean.

use chrono::{Datelike, Local, TimeZone, Timelike};

use super::ko_device_page::twelve;
use super::{Sentence, StateWord, Words};
use crate::model::address::BadAddress;
use crate::model::chat::Refusal;
use crate::model::event::TestOutcome;
use crate::model::link_state::{Phase, Why};
use crate::model::reducer::Banner;
use crate::model::time::WallMs;
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
    profiles: &super::ko_profiles::KOREAN,
    people: &super::ko_people::KOREAN,
    device_page: &super::ko_device_page::KOREAN,
    state,
    countdown: |seconds| format!("{seconds}초 뒤 다시 시도"),
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
    transport_websocket: "WebSocket",
    transport_ewebsock: "WebSocket (ewebsock)",
    no_close_reasons: "이 전송 방식은 연결이 닫힌 이유를 알려 주지 않습니다",
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
    remove_text: "이 연결의 대화 기록과 아직 보내지 않은 모든 것이 이 컴퓨터에서 지워집니다. \
                  서버에 있는 것은 그대로 남습니다.",
    remove: "삭제",
    cancel: "취소",
    new_room: "새 방",
    new_room_name: "새 방의 이름",
    create: "만들기",
    room_name_rule: "방 이름은 눈에 보이는 글자로 된 한 줄이어야 하며, 64자까지 쓸 수 있습니다.",
    room_refused: |room, reason| {
        let Sentence { what, then } = refusal(reason);
        format!("‘{room}’ 방을 만들지 못했습니다. {what} {then}").trim_end().to_owned()
    },
    unread: |count| format!("읽지 않은 메시지 {count}개"),
    no_rooms: "아직 방이 없습니다",
    rooms_left_out: |count| format!("이 서버의 방 중 {count}개만 표시합니다"),

    messages: "메시지 목록",
    you: |name| format!("{name}(나)"),
    kind_admin: "관리자",
    kind_device: "기기",
    kind_hint: "서버가 확인한 표시입니다. 이름으로는 만들 수 없습니다.",
    said: |who, when| format!("{who}, {when}"),
    replayed: "다시 받음: 이 창이 듣고 있지 않을 때 쓴 메시지",
    waiting_to_send: "보내기를 기다리는 중",
    paused: |refusal, when| match refusal {
        Refusal::Quota { .. } => {
            format!("이 계정이 지금 보낼 수 있는 양을 다 썼습니다. {when}에 다시 보냅니다.")
        }
        _ => format!("서버가 지금은 메시지를 더 받지 않습니다. {when}에 다시 보냅니다."),
    },
    sending: "보내는 중",
    sent: "보냄",
    not_sent: "보내지 못함",
    retry: "다시 시도",
    edit: "편집",
    delete: "삭제",
    copy: "글 복사",
    show_lines: |lines| format!("{lines}줄 모두 보기"),
    show_characters: |characters| format!("{characters}자 모두 보기"),
    show_less: "접기",
    new_messages: "새 메시지",
    jump_to_newest: "최신 메시지로",
    new_count: |count| format!("새 메시지 {count}개"),
    loading_older: "이전 메시지를 불러오는 중…",
    older_on_server: "더 오래된 메시지는 서버에 있습니다. 연결하면 불러옵니다.",
    room_begins: |room| format!("{room} 방은 여기서 시작합니다."),
    empty_room: "아직 아무 글도 없습니다. 인사를 건네 보세요.",
    nothing_open: "왼쪽에서 방을 고르거나 서버 연결을 추가하세요.",
    gap: |from, to| {
        format!(
            "{from}부터 {to}까지의 메시지가 빠졌을 수 있습니다. 서버의 기록이 새로 시작되었거나 줄었습니다."
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
    scroll_bar: "방 안의 위치",
    today: "오늘",
    yesterday: "어제",
    day: |at| local(at, |time| format!("{} {}", date(time), weekday(time))),
    clock: |at| local(at, clock),
    day_and_clock: |at| local(at, |time| format!("{} {}", date(time), clock(time))),

    message: "메시지",
    message_hint: |room| format!("{room}에 보낼 메시지"),
    send: "보내기",
    save: "저장",
    sent_when_online: "온라인이 아닙니다. 보관했다가 온라인이 되면 보냅니다.",
    too_large: |bytes| {
        format!(
            "64KiB 가운데 {:.1}KiB: 메시지 하나로는 너무 깁니다. 줄이거나 나누어 보내세요.",
            bytes as f64 / 1024.0
        )
    },
    editing: "보내지 않은 메시지를 편집하는 중",
    sent_meanwhile: "그사이 그 메시지를 보냈습니다. 여기에 쓴 글은 새 메시지로 보냅니다.",

    add_title: "연결 추가",
    edit_title: "연결 편집",
    name: "이름",
    name_hint: "비워 두면 서버가 정한 이름",
    address: "서버 주소 또는 초대장",
    address_hint: "hub.example, wss://hub.example:7870 또는 초대장",
    address_taken_as: |url| format!("연결할 곳: {url}"),
    token: "토큰",
    token_hint_new: "서버를 운영하는 사람에게 받으세요",
    token_hint_keep: "비워 두면 지금 토큰을 그대로 씁니다",
    your_name: "내 이름",
    your_name_hint: "다른 사람에게 보이는 이름",
    your_name_needed: "초대장으로 계정을 만듭니다. 다른 사람들에게 보일 이름을 적어 주세요.",
    your_name_rule: "이름은 눈에 보이는 글자로 된 한 줄이어야 하며, 64자까지 쓸 수 있습니다.",
    invite_found: "초대장입니다. 토큰이 필요 없습니다.",
    advanced: "고급",
    ca_file: "인증 기관 파일",
    ca_file_hint: "이 서버에만 쓰는 PEM 파일의 경로",
    fingerprint: "인증서 지문",
    fingerprint_hint: "SHA-256, 16진수 64자리",
    bad_fingerprint: "지문은 16진수 64자리입니다. 사이에 쌍점이 있어도 됩니다.",
    socket: "소켓",
    socket_tungstenite: "tungstenite (권장)",
    socket_ewebsock: "ewebsock",
    ewebsock_limits: "ewebsock은 연결이 닫힌 이유를 알려 주지 않고, 따로 지정한 인증 기관이나 지문을 쓰지 못합니다. \
                      이 컴퓨터의 인증서만 신뢰합니다.",
    connect_at_start: "시작할 때 연결",
    test_button: "테스트",
    clear_text_warning: "ws://는 토큰과 모든 메시지를 암호화하지 않고 보냅니다. 중간에서 누구나 읽을 수 있습니다. \
                         내 네트워크가 아니라면 wss://를 쓰세요.",

    first_title: "Duplex에 오신 것을 환영합니다",
    first_text: "이미 이 컴퓨터에 있는 서버의 방에 들어와 있습니다. 글을 쓰면 바로 남습니다. \
                 다른 사람을 부르거나, 다른 서버에 들어갈 수 있습니다.",
    first_stay: "이 컴퓨터에서 쓰기",
    first_stay_text: "이 컴퓨터의 서버를 그대로 씁니다",
    first_join: "서버에 들어가기",
    first_join_text: "주소나 초대장으로",
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
    clock: |at| local(at, twelve),
    day_and_clock: |at| local(at, |time| format!("{} {}", date(time), twelve(time))),
    device_page: &super::ko_device_page::TWELVE_HOURS,
    ..KOREAN
};

fn state(word: StateWord) -> &'static str {
    match word {
        StateWord::Connecting => "연결 중",
        StateWord::Online => "온라인",
        StateWord::Waiting => "대기 중",
        StateWord::Suspended => "보류됨",
        StateWord::Stopped => "멈춤",
        StateWord::Off => "꺼짐",
    }
}

fn local(at: WallMs, show: impl Fn(&chrono::DateTime<Local>) -> String) -> String {
    Local.timestamp_millis_opt(at).earliest().map_or_else(|| "?".to_owned(), |time| show(&time))
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

fn say(what: impl Into<String>, then: impl Into<String>) -> Sentence {
    Sentence { what: what.into(), then: then.into() }
}

/// Somebody else's words, set apart.
fn quote(words: &str) -> String {
    if words.trim().is_empty() {
        String::new()
    } else {
        format!(" 서버의 말: “{}”", harmless::line(words.trim(), 200))
    }
}

fn detail(words: &str) -> String {
    if words.trim().is_empty() { String::new() } else { format!("({})", harmless::line(words.trim(), 200)) }
}

/// A sentence, then the system's words in brackets.
fn with(sentence: &str, words: &str) -> String {
    format!("{sentence}{}.", detail(words))
}

const EDIT: &str = "연결 편집에서 고쳐 주세요.";
const BY_ITSELF: &str = "하실 일은 없습니다. 자동으로 다시 연결되며, 쓰신 글은 사라지지 않습니다.";
const AGAIN: &str = "자동으로 다시 시도합니다.";

fn why(why: &Why) -> Sentence {
    match why {
        Why::BadUrl { detail: d } => say(with("이 주소는 쓸 수 없습니다", d), EDIT),
        Why::BadCaFile { path, detail: d } => say(
            with(&format!("인증 기관 파일이 아닙니다: {}", shown(path)), d),
            "연결 편집에서 PEM 파일을 골라 주세요.",
        ),
        Why::NameNotFound { host } => say(
            format!("이름이 {}인 컴퓨터를 찾지 못했습니다.", harmless::line(host, 100)),
            "주소와 이 컴퓨터의 네트워크를 확인하세요.",
        ),
        Why::ConnectionRefused => say(
            "이 주소에서 아무도 답하지 않습니다. 서버가 꺼져 있거나 포트가 다릅니다.",
            "서버를 켜거나 포트를 확인하세요.",
        ),
        Why::Unreachable { detail: d } => {
            say(with("네트워크에 그곳으로 가는 경로가 없습니다", d), "이 컴퓨터의 네트워크를 확인하세요.")
        }
        Why::TimedOut { during: Phase::Dial } => say(
            "서버가 제때 답하지 않았습니다.",
            "주소를 확인하세요. 중간의 방화벽이 막고 있을 수도 있습니다.",
        ),
        Why::TimedOut { during: Phase::Handshake } => say(
            "연결은 받아들여졌지만 그 뒤로 아무 말이 없습니다.",
            "포트를 확인하세요. 다른 프로그램의 포트이거나 서버가 멈춘 것일 수 있습니다.",
        ),
        Why::TlsUntrusted { detail: d } => say(
            with("서버의 인증서를 신뢰할 수 없습니다", d),
            "아무것도 보내지 않았습니다. 새 초대장을 쓰거나 연결 편집에서 인증 기관 또는 지문을 지정하세요.",
        ),
        Why::TlsFailed { detail: d } => say(
            with("암호화된 연결을 만들지 못했습니다", d),
            "주소가 ws://가 아니라 wss://여야 하는지, 또는 그 반대인지 확인하세요.",
        ),
        Why::Http { status, .. } => http(*status),
        Why::NotWebSocket { detail: d } => say(
            format!("무언가 답하기는 하지만 WebSocket이 아닙니다.{}", quote(d)),
            "주소와 포트, 경로를 확인하세요.",
        ),
        Why::Closed { code, reason, .. } => closed(*code, reason),
        Why::Lost { detail: d } => say(with("연결이 끊어졌습니다", d), BY_ITSELF),
        Why::Silent => say("서버가 더는 답하지 않습니다.", BY_ITSELF),
        Why::Violation { detail: d } => say(
            with("서버가 프로토콜에 맞지 않는 데이터를 보냈습니다", d),
            "계속되면 Duplex 허브의 주소가 맞는지 확인하세요.",
        ),
        Why::NoCommonVersion { ours, theirs } => say(
            format!(
                "서버는 프로토콜 {}~{}판을, 이 앱은 {}~{}판을 씁니다.",
                theirs.0, theirs.1, ours.0, ours.1
            ),
            if theirs.0 > ours.1 {
                "이 앱을 업데이트하세요."
            } else {
                "서버를 업데이트해 달라고 하세요."
            },
        ),
        Why::Unauthorized => say("서버가 모르는 토큰입니다.", "연결 편집에서 새 토큰을 넣으세요."),
        Why::Withdrawn => say(
            "이 서버에 들어갈 수 있는 권한이 회수되었습니다.",
            "지금 토큰은 더 이상 쓸 수 없습니다. 서버를 운영하는 사람에게 새 토큰을 받으세요. 입력한 내용은 여기에 그대로 남습니다.",
        ),
        Why::Forbidden => say(
            "서버가 이 토큰을 알지만, 여기에 연결할 수는 없습니다.",
            "서버를 운영하는 사람에게 묻거나 연결 편집에서 다른 토큰을 넣으세요.",
        ),
        Why::InviteRefused => {
            say("이미 사용했거나 만료된 초대장입니다.", "새 초대장을 받아 연결 편집에 붙여 넣으세요.")
        }
        Why::Impostor => say(
            "이 컴퓨터의 서버 주소에서 다른 프로그램이 응답하며, 자신이 그 서버임을 증명하지 못합니다.",
            "아무것도 알려 주지 않았습니다. 그 프로그램을 끝낸 뒤 ‘지금 다시 시도’를 누르세요.",
        ),
        Why::Unsupported { detail: d } => say(
            with("고른 소켓은 이 연결에 필요한 것을 하지 못합니다", d),
            "연결 편집에서 소켓을 tungstenite로 고르세요.",
        ),
        Why::HubFailed { detail: d } => say(
            with("이 컴퓨터의 서버를 시작하지 못했습니다", d),
            "‘지금 다시 시도’를 누르면 다시 시작합니다. 그동안 다른 연결은 쓸 수 있습니다.",
        ),
        Why::HubLogMissing { path, left } => say(
            format!("이 컴퓨터에 있는 서버의 대화 기록 파일이 없거나 비어 있습니다: {}.", path.display()),
            format!(
                "백업에서 파일을 되돌린 다음 ‘지금 다시 시도’를 누르세요. 빈 기록으로 새로 시작하려면 먼저 이 파일들을 그 폴더 밖으로 옮기세요: {}. 그동안 다른 연결은 쓸 수 있습니다.",
                left.join(", ")
            ),
        ),
        Why::HubLogDamaged { path, detail: d } => say(
            with(&format!("이 컴퓨터에 있는 서버의 대화 기록 파일이 손상되었습니다({})", path.display()), d),
            format!(
                "터미널에서 duplexctl hub repair --data-dir \"{}\" 명령을 실행하면 읽을 수 있는 내용을 살립니다. 백업에서 파일을 되돌려도 됩니다. 그런 다음 ‘지금 다시 시도’를 누르세요. 그동안 다른 연결은 쓸 수 있습니다.",
                path.parent().unwrap_or(path).display()
            ),
        ),
        Why::NoToken => {
            say("이 연결에 쓸 토큰이 없습니다.", "연결 편집에서 넣거나, --url과 함께 --token으로 주세요.")
        }
    }
}

fn http(status: u16) -> Sentence {
    let what = |words: &str| format!("{words} (HTTP {status}).");
    match status {
        401 => say(what("서버가 모르는 토큰입니다"), "연결 편집에서 새 토큰을 넣으세요."),
        403 => say(
            what("서버가 이 계정을 거절했습니다"),
            "서버를 운영하는 사람에게 묻거나 연결 편집에서 다른 토큰을 넣으세요.",
        ),
        404 | 410 => {
            say(what("웹 서버는 있지만 이 경로에 Duplex 허브가 없습니다"), "연결 편집에서 주소를 확인하세요.")
        }
        429 => say(what("여기서 너무 여러 번 시도했습니다"), "기다려 주세요. 자동으로 다시 시도합니다."),
        503 => {
            say(what("서버가 바쁘거나 다시 시작하는 중입니다"), "기다려 주세요. 자동으로 다시 시도합니다.")
        }
        500..=599 => say(
            what("서버에 문제가 생겼습니다"),
            "자동으로 다시 시도합니다. 계속되면 서버를 운영하는 사람에게 알려 주세요.",
        ),
        _ => say(what("서버가 연결을 거절했습니다"), "연결 편집에서 주소를 확인하세요."),
    }
}

fn closed(code: Option<u16>, reason: &str) -> Sentence {
    let Some(code) = code else {
        return say("서버가 연결을 닫았습니다.", AGAIN);
    };
    let what = |words: &str| format!("{words} (코드 {code}).{}", quote(reason));
    if Why::close_code_stops(code) {
        let then = "다시 연결해도 똑같이 끝납니다. 고친 뒤에 다시 시도하세요.";
        return say(what("서버가 연결을 닫았고 다시 받지 않으려 합니다"), then);
    }
    match code {
        1001 => say(what("서버가 종료하는 중입니다"), AGAIN),
        1011..=1014 => say(what("서버에 문제가 생겼거나 다시 시작하는 중입니다"), AGAIN),
        _ => say(what("서버가 연결을 닫았습니다"), AGAIN),
    }
}

fn refusal(refusal: &Refusal) -> Sentence {
    match refusal {
        Refusal::NoSuchRoom => say("서버에 그 방이 더는 없습니다.", "글을 복사해 다른 방에 쓰세요."),
        Refusal::TooLarge { limit } => say(
            format!("서버는 메시지 하나에 {}KiB까지만 받습니다.", limit / 1024),
            "고치거나 나누어 보내세요.",
        ),
        Refusal::NotAllowed => {
            say("이 계정은 여기서 그렇게 할 수 없습니다.", "서버를 운영하는 사람에게 물어보세요.")
        }
        Refusal::SlowDown { .. } => {
            say("서버가 지금은 메시지를 더 받지 않습니다.", "나중에 자동으로 다시 보냅니다.")
        }
        Refusal::Quota { .. } => {
            say("이 계정이 지금 보낼 수 있는 양을 다 썼습니다.", "나중에 자동으로 다시 보냅니다.")
        }
        Refusal::TooMany { limit } => {
            say(format!("서버는 {limit}개까지만 허용합니다."), "서버를 운영하는 사람에게 물어보세요.")
        }
        Refusal::NameAlike { name } => say(
            format!("‘{}’ 방과 이름이 비슷해 보여 헷갈릴 수 있습니다.", harmless::line(name.as_str(), 64)),
            "다른 이름을 쓰세요.",
        ),
        Refusal::BadName { detail: d } => {
            say(format!("서버가 받지 않는 이름입니다{}.", detail(d)), "다른 이름을 쓰세요.")
        }
        Refusal::Other { code, detail: d } => say(
            format!("서버가 거절했습니다: {}{}.", harmless::line(code, 60), detail(d)),
            "고치거나 나중에 다시 시도하세요.",
        ),
    }
}

fn banner(banner: &Banner) -> Sentence {
    match banner {
        Banner::DiskFull => say(
            "디스크가 가득 찼습니다. 쓰고 받은 것은 지금 메모리에만 있습니다.",
            "공간을 비우면 디스크에 씁니다. 그 전에 창을 닫지 마세요.",
        ),
        Banner::DiskLow => say(
            "디스크 공간이 거의 없습니다. 서버에서 새로 온 메시지는 표시하지만 저장하지 않습니다.",
            "공간을 비우면 다시 받아 저장합니다. 작성한 메시지는 저장됩니다.",
        ),
        Banner::DiskReadOnly { detail: d } => say(
            with("Duplex가 데이터 폴더에 쓸 수 없습니다", d),
            "쓰고 받은 것은 메모리에만 있습니다. 창을 닫기 전에 폴더를 쓸 수 있게 해 주세요.",
        ),
        Banner::DatabaseSetAside { path } => say(
            "메시지 데이터베이스가 손상되어 새로 시작했습니다.",
            format!("손상된 파일은 {}에 있습니다. 메시지는 서버에서 다시 받습니다.", shown(path)),
        ),
        Banner::DatabaseNewer { path } => say(
            format!("더 새로운 Duplex의 데이터베이스라서 건드리지 않았습니다: {}.", shown(path)),
            "이번에는 디스크에 아무것도 남지 않습니다. Duplex를 업데이트하세요.",
        ),
        Banner::SettingsSetAside { path } => say(
            "설정을 읽지 못했습니다.",
            format!("설정 파일은 {}에 있습니다. 앱은 기본값으로 실행됩니다.", shown(path)),
        ),
        Banner::ReadingsNotWritten { detail: d } => say(
            with("기기의 측정값을 디스크에 쓸 수 없습니다", d),
            "지금 값과 채팅은 계속됩니다. 폴더에 다시 쓸 수 있을 때까지 기기의 지난 기록에 빈 곳이 생깁니다.",
        ),
        Banner::ReadingsSetAside { path } => say(
            "기기의 지난 기록이 손상되어 새로 시작했습니다.",
            format!("손상된 파일은 {}에 있습니다. 분 단위 기록은 서버에서 받습니다.", shown(path)),
        ),
        Banner::Restarted => say(
            "Duplex의 한 부분에 문제가 생겨 다시 시작했습니다.",
            "사라진 것은 없습니다. 계속되면 알려 주세요.",
        ),
        Banner::SecretNotKept { detail: d } => say(
            with("이 컴퓨터가 토큰을 보관하지 못했습니다", d),
            "앱을 닫을 때까지는 쓸 수 있습니다. 그 뒤에는 다시 묻습니다.",
        ),
        Banner::LinkNotOpened { url, detail: d } => say(
            with("링크를 열 수 있는 프로그램이 없습니다", d),
            format!("{} 주소를 복사해 브라우저에 붙여 넣으세요.", harmless::line(url, 300)),
        ),
    }
}

fn shown(path: &std::path::Path) -> String {
    harmless::line(&path.display().to_string(), 300)
}

fn bad_address(bad: BadAddress) -> &'static str {
    match bad {
        BadAddress::Empty => "서버 주소를 적거나 초대장을 붙여 넣으세요.",
        BadAddress::NoUrl => "주소가 아닙니다. hub.example 또는 wss://hub.example:7870처럼 적어 보세요.",
        BadAddress::Scheme => "주소는 wss:// 또는 ws://로 시작해야 합니다.",
        BadAddress::Userinfo => "주소에서 이름과 비밀번호를 빼 주세요. 토큰은 따로 적는 칸이 있습니다.",
        BadAddress::Fingerprint => "초대장이 온전하지 않습니다. 전체를 복사해 다시 붙여 넣으세요.",
    }
}

fn test(outcome: &TestOutcome) -> Sentence {
    match outcome {
        TestOutcome::Running => say("테스트하는 중…", ""),
        TestOutcome::Passed { me, server, took_ms } => {
            let server = harmless::line(server, 60);
            match me {
                Some(me) => {
                    let name = harmless::line(&me.name, 60);
                    say(format!("연결됩니다. {server} 서버가 {name} 님을 맞이했습니다({took_ms}ms)."), "")
                }
                None => say(format!("서버가 답합니다({took_ms}ms). 초대장은 아직 쓰지 않았습니다."), ""),
            }
        }
        TestOutcome::Failed(reason) => why(reason),
    }
}
