//! Korean: plain WebSockets.

use super::Sentence;
use super::ko::say;
use super::plain::PlainWords;
use crate::model::link_state::{HttpCause, Why};
use crate::ui::harmless;

const CHECK_ADDRESS: &str = "‘연결 편집’에서 주소를 확인하세요.";
const CHECK_LOGIN: &str = "‘연결 편집’에서 사용자 이름, 비밀번호, 헤더를 확인하세요.";

/// Korean.
pub(super) static KOREAN: PlainWords = PlainWords {
    protocol: "프로토콜",
    address: "서버 URL",
    address_hint: "wss://server.example/path 또는 ws://127.0.0.1:8080 형식",
    user: "사용자 이름",
    user_hint: "선택 사항: HTTP 기본 인증에 사용",
    password: "비밀번호",
    password_new: "선택 사항",
    password_keep: "비워 두면 지금 비밀번호를 그대로 사용합니다",
    headers: "요청 헤더",
    header_name: |number| format!("헤더 {number} 이름"),
    header_value: |number| format!("헤더 {number} 값"),
    value_new: "값",
    value_keep: "비워 두면 지금 값을 그대로 사용합니다",
    add_header: "헤더 추가",
    remove_header: |number| format!("헤더 {number} 삭제"),
    password_is_kept: "비밀번호는 이 컴퓨터의 키링에 저장되며 화면에 표시되지 않습니다.",
    secrets_are_kept: "비밀번호와 헤더 값은 이 컴퓨터의 키링에 저장되며 화면에 표시되지 않습니다.",
    no_keyring: "이 컴퓨터에는 키링이 없어 다시 시작하면 비밀번호와 헤더 값을 다시 입력해야 합니다.",
    keep_in_file: "나만 읽을 수 있는 파일에 보관",
    subprotocols: "서브프로토콜",
    subprotocols_hint: "선택 사항, 쉼표로 구분: v12.stomp, mqtt",
    too_much: "헤더와 서브프로토콜은 각각 20개까지, 값은 8KiB까지 쓸 수 있습니다.",
    reconnect: "연결이 끝나면 다시 연결",
    clear_text_warning: "ws://는 암호화되지 않습니다. 같은 네트워크에 있는 사람이 메시지와 비밀번호, 헤더를 볼 수 있습니다. 네트워크 \
                         전체를 믿을 수 없다면 wss://를 사용하세요.",
    connect_as_plain: "일반 WebSocket으로 연결",
    not_kept: "이 컴퓨터에 키링이 없어 비밀번호와 헤더를 저장하지 못했습니다.",
    why,

    newer: "최신 버전에서 만든 연결",
    newer_text: "최신 버전의 Duplex에서 만든 연결이라 그대로 보관합니다. 사용하려면 Duplex를 업데이트하세요.",

    room: "모든 메시지",
    room_begins: "여기가 처음입니다.",
    empty: "아직 주고받은 메시지가 없습니다. 아래에 메시지를 쓰고 텍스트, JSON, 바이트 중 어떻게 보낼지 선택하세요.",
    sent: "보냄",
    received: "받음",
    to_server: "서버로",
    opened: |subprotocol, extensions| {
        let mut text = "연결이 열렸습니다".to_owned();
        if let Some(subprotocol) = subprotocol {
            text.push_str(&format!(", 서브프로토콜 {subprotocol}"));
        }
        if !extensions.is_empty() {
            text.push_str(&format!(", 확장 {extensions}"));
        }
        text
    },
    closed,
    lost: |detail| match detail.trim() {
        "" => "연결이 끊겼습니다: 종료 프레임 없이 끝남(1006)".to_owned(),
        detail => format!("연결이 끊겼습니다: 종료 프레임 없이 끝남(1006): {detail}"),
    },
    format_json: "JSON으로 정리해서 보기",
    as_received: "받은 그대로 보기",
    format_all: "JSON 정리",
    not_json: |line, column| format!("올바른 JSON이 아닙니다: {line}번째 줄, {column}번째 칸"),
    show_bytes: |count| format!("{count}바이트 모두 보기"),
    copy_bytes: "16진수로 복사",
    bytes: |count| format!("{count}바이트"),
    no_devices: "이 서버에는 기기가 없습니다. 메시지를 받은 그대로 보여 줍니다.",

    message_hint: "서버에 보낼 메시지",
    send_as: "전송 형식",
    text: "텍스트",
    json: "JSON",
    hex: "16진수",
    bad_json: |line, column| format!("올바른 JSON이 아닙니다({line}번째 줄, {column}번째 칸)."),
    bad_digit: |digit, line, column| {
        format!("16진수에 쓸 수 없는 글자가 있습니다: ‘{digit}’({line}번째 줄, {column}번째 칸).")
    },
    odd_digits: "1바이트는 16진수 두 자리입니다. 마지막 한 자리가 없습니다.",

    snippets: "저장된 메시지",
    no_snippets: "저장된 메시지가 없습니다. 자주 보내는 메시지를 저장하세요.",
    send_snippet: |name| format!("저장된 메시지 보내기: {name}"),
    snippet_hint: |key| format!("클릭하면 보냅니다. {key} 키를 누른 채 클릭하면 입력란에 넣습니다."),
    save_snippet: "메시지 저장",
    edit_snippets: "저장된 메시지 편집",
    snippet: |number| format!("저장된 메시지 {number}"),
    snippet_name: "이름(저장된 메시지)",
    snippet_text: "내용(저장된 메시지)",
    add_snippet: "메시지 추가",
    move_up: "위로 이동",
    move_down: "아래로 이동",
    delete_snippet: "저장된 메시지 삭제",
    snippets_full: "100개까지 저장할 수 있습니다.",
    snippet_long: "하나에 64KiB까지 저장할 수 있습니다.",
};

/// Of a request that was answered without a WebSocket.
fn refused(status: u16) -> Option<Sentence> {
    let http = |words: &str| format!("{words}(HTTP {status}).");
    Some(match HttpCause::of(status) {
        HttpCause::UnknownToken => {
            say(http("서버에 사용자 이름과 비밀번호가 필요하거나 입력한 값이 맞지 않습니다"), CHECK_LOGIN)
        }
        HttpCause::Forbidden => say(http("서버가 접근을 거부했습니다"), CHECK_LOGIN),
        HttpCause::NoSocket => {
            say(http("이 주소에는 WebSocket이 아니라 웹 페이지가 있습니다"), CHECK_ADDRESS)
        }
        HttpCause::NoSuchPath => say(http("웹 서버는 있지만 이 경로에 WebSocket이 없습니다"), CHECK_ADDRESS),
        HttpCause::NoUpgrade => say(
            http("중간의 무언가가 WebSocket 요청을 지웁니다"),
            "네트워크나 프록시 관리자에게 WebSocket 허용을 요청하세요.",
        ),
        HttpCause::TooLarge => say(http("서버가 요청이 너무 크다고 합니다"), "주소와 헤더를 확인하세요."),
        _ => return None,
    })
}

fn why(why: &Why, is_retrying: bool) -> Option<Sentence> {
    let sentence = match why {
        Why::Http { status, .. } => refused(*status)?,
        Why::Redirected { status, location } => {
            let place = location.as_deref().map(|place| harmless::line(place, 200));
            let what = match place {
                Some(place) => format!("서버가 다른 주소로 안내합니다: {place}(HTTP {status})."),
                None => format!("서버가 어디인지 밝히지 않고 다른 주소로 안내합니다(HTTP {status})."),
            };
            say(
                what,
                "비밀번호와 헤더가 다른 서버로 가지 않도록, Duplex는 같은 호스트 안에서 암호화를 유지하는 이동만 따라갑니다. 믿을 수 있는 주소라면 ‘연결 편집’에서 입력하세요.",
            )
        }
        Why::TlsUntrusted { detail } => say(
            format!("서버의 인증서를 신뢰할 수 없습니다{}.", super::ko::detail(detail)),
            "비밀번호와 헤더는 보내지 않았습니다. ‘연결 편집’에서 CA 인증서 파일이나 지문을 설정하세요.",
        ),
        Why::Violation { detail } => say(
            format!("서버가 WebSocket 프로토콜을 어겼습니다{}.", super::ko::detail(detail)),
            "계속되면 서버 관리자에게 알려 주세요.",
        ),
        Why::Closed { closing, .. } if closing.is_ours() => return None,
        Why::Closed { code, reason, .. } => say(
            match code {
                Some(code) => format!(
                    "서버가 연결을 닫았습니다(코드 {code}{}).{}",
                    meaning(*code).map(|words| format!(", {words}")).unwrap_or_default(),
                    super::ko::quote(reason)
                ),
                None => "서버가 코드 없이 연결을 닫았습니다.".to_owned(),
            },
            if is_retrying {
                "자동으로 다시 연결합니다."
            } else {
                "다시 연결하려면 ‘지금 다시 시도’를 누르세요."
            },
        ),
        _ => return None,
    };
    Some(sentence)
}

fn closed(by_us: bool, code: Option<u16>, reason: &str, clean: Option<bool>) -> String {
    let mut text = if by_us { "Duplex가 연결을 닫음" } else { "서버가 연결을 닫음" }.to_owned();
    match code {
        Some(code) => {
            text.push_str(&format!(": {code}"));
            if let Some(words) = meaning(code) {
                text.push_str(&format!("({words})"));
            }
        }
        None => text.push_str(", 코드 없음(1005)"),
    }
    if !reason.is_empty() {
        text.push_str(&format!(", “{reason}”"));
    }
    match clean {
        Some(true) => text.push_str(", 정상 종료"),
        Some(false) => text.push_str(", 비정상 종료: 종료 절차가 끝나지 않음"),
        None => {}
    }
    text
}

/// What a code is registered for (RFC 6455 §7.4.1 and the IANA registry).
fn meaning(code: u16) -> Option<&'static str> {
    Some(match code {
        1000 => "정상 종료",
        1001 => "서버가 떠남",
        1002 => "프로토콜 오류",
        1003 => "지원하지 않는 데이터",
        1004 => "예약됨",
        1005 => "종료 프레임에 코드 없음",
        1006 => "종료 프레임 없이 끝남",
        1007 => "잘못된 데이터",
        1008 => "정책 위반",
        1009 => "메시지가 너무 큼",
        1010 => "필요한 확장 없음",
        1011 => "서버 내부 오류",
        1012 => "서비스 다시 시작",
        1013 => "나중에 다시 시도",
        1014 => "게이트웨이 오류",
        1015 => "TLS 핸드셰이크 실패",
        3000 => "인증되지 않음",
        3003 => "접근 거부",
        3008 => "시간 초과",
        4000..=4999 => "서버가 정한 코드",
        _ => return None,
    })
}
