//! Korean: why a connection is down, what is wrong with an address, how a connection test went.

use std::path::Path;

use super::Sentence;
use super::ko::{KOREAN, quote, say, shown, with};
use crate::model::address::BadAddress;
use crate::model::event::{Reached, TestOutcome};
use crate::model::link_state::{HttpCause, Phase, Why};
use crate::model::profile::Protocol;
use crate::model::upgrade::BadUpgrade;
use crate::ui::harmless;

const RECONNECTING: &str = "자동으로 다시 연결합니다. 작성한 메시지는 보존됩니다.";
const RETRYING: &str = "자동으로 다시 시도합니다.";
const CHECK_ADDRESS: &str = "연결 편집에서 주소를 확인하세요.";
const CHECK_ADDRESS_OR_SIGN_IN: &str = "연결 편집에서 주소를 확인하세요. 주소가 맞다면 이 네트워크에 먼저 로그인해야 할 수 있습니다. 브라우저에서 아무 웹 페이지나 연 \
     다음 ‘지금 다시 시도’를 누르세요.";
const FIX_REQUEST: &str = "연결 편집에서 고치세요.";
const NEW_TOKEN: &str = "연결 편집에서 새 토큰을 입력하세요.";
const ASK_ADMIN: &str = "서버 관리자에게 문의하세요.";

/// Long: one sentence for each reason.
pub(super) fn why(why: &Why) -> Sentence {
    match why {
        Why::BadUrl { detail: d } => say(with("이 주소는 사용할 수 없습니다", d), CHECK_ADDRESS),
        Why::BadCaFile { path, detail: d } => say(
            with(&format!("올바른 CA 인증서 파일이 아닙니다: {}", shown(path)), d),
            "연결 편집에서 PEM 파일을 선택하세요.",
        ),
        Why::BadClientCertificate { path, detail: d } => say(
            with(&format!("클라이언트 인증서로 사용할 수 없습니다: {}", shown(path)), d),
            "연결 편집의 고급에서 파일을 바꾸세요.",
        ),
        Why::NoClientCertificate => {
            say("서버가 클라이언트 인증서를 요구합니다.", "연결 편집의 고급에서 PEM 파일을 지정하세요.")
        }
        Why::ClientCertificateRefused { detail: d } => say(
            with("서버가 클라이언트 인증서를 받아들이지 않았습니다", d),
            "서버 관리자에게 유효한 인증서를 요청한 뒤 연결 편집의 고급에서 파일을 지정하세요.",
        ),
        Why::NameNotFound { host } => say(
            format!("‘{}’ 서버를 찾을 수 없습니다.", harmless::line(host, 100)),
            "주소와 네트워크 연결을 확인하세요.",
        ),
        Why::ConnectionRefused => {
            say("이 주소에서 응답이 없습니다.", "서버가 실행 중인지, 포트가 맞는지 확인하세요.")
        }
        Why::Unreachable { detail: d } => {
            say(with("이 주소로 가는 네트워크 경로가 없습니다", d), "네트워크 연결을 확인하세요.")
        }
        Why::TimedOut { during: Phase::Dial } => say(
            "서버가 제시간에 응답하지 않았습니다.",
            "주소를 확인하세요. 방화벽이 연결을 막고 있을 수 있습니다.",
        ),
        Why::TimedOut { during: Phase::Handshake } => say(
            "서버가 연결을 수락했지만 이후 응답이 없습니다.",
            "포트를 확인하세요. 다른 프로그램의 포트이거나 서버가 멈췄을 수 있습니다.",
        ),
        Why::TlsUntrusted { detail: d } => say(
            with("서버의 인증서를 신뢰할 수 없습니다", d),
            "토큰은 보내지 않았습니다. 새 초대 링크를 쓰거나 연결 편집에서 CA 인증서 파일 또는 지문을 지정하세요.",
        ),
        Why::TlsFailed { detail: d } => say(
            with("암호화된 연결을 만들지 못했습니다", d),
            "주소와 포트를 확인하세요. 맞다면 서버 관리자에게 알려 주세요.",
        ),
        Why::WrongScheme { is_tls: false } => say(
            "이 서버는 암호화를 사용하지 않는데 주소는 wss://입니다.",
            "ws://를 사용하거나, 서버 관리자에게 TLS를 켜 달라고 요청하세요.",
        ),
        Why::WrongScheme { is_tls: true } => {
            say("이 서버는 암호화를 사용하는데 주소는 ws://입니다.", "wss://를 사용하세요.")
        }
        Why::Http { status, retry_after_ms } => http(*status, retry_after_ms.is_some()),
        Why::Redirected { status, location } => redirected(*status, location.as_deref()),
        Why::BadUpgrade { problem } => say(bad_upgrade(problem), FIX_REQUEST),
        Why::NoSubprotocol { offered } => say(
            format!(
                "서버가 제안한 서브프로토콜을 하나도 지원하지 않습니다({}).",
                harmless::line(&offered.join(", "), 200)
            ),
            "연결 편집에서 바꾸세요.",
        ),
        Why::NotWebSocket { detail: d } => {
            say(with("이 주소에서 응답하는 것은 WebSocket을 지원하지 않습니다", d), CHECK_ADDRESS)
        }
        Why::NotDuplex { said } if said.is_empty() => {
            say("이 주소의 서버는 Duplex 서버가 아닙니다. 받은 내용을 그대로 돌려보냅니다.", CHECK_ADDRESS)
        }
        Why::NotDuplex { said } => {
            say(format!("이 주소의 서버는 Duplex 서버가 아닙니다.{}", quote(said)), CHECK_ADDRESS)
        }
        Why::NotSocketIo { said } => {
            say(format!("이 주소의 서버는 Socket.IO 서버가 아닙니다.{}", quote(said)), CHECK_ADDRESS)
        }
        Why::NamespaceRefused { namespace, message, data } => namespace_refused(namespace, message, data),
        Why::Closed { closing, .. } if closing.is_ours() => say("Duplex가 연결을 닫았습니다.", RETRYING),
        Why::Closed { code, reason, .. } => closed(*code, reason),
        Why::Lost { detail: d } => say(with("연결이 끊어졌습니다", d), RECONNECTING),
        Why::Silent => say("서버가 더 이상 응답하지 않습니다.", RECONNECTING),
        Why::Violation { detail: d } => say(
            with("서버가 프로토콜에 맞지 않는 데이터를 보냈습니다", d),
            "반복되면 Duplex 서버의 주소가 맞는지 확인하세요.",
        ),
        Why::Refused { of, said, is_final } => {
            let refused = match of {
                Some(of) => format!("서버가 거부했습니다: {}.", harmless::line(of, 100)),
                None => "서버가 연결을 거부했습니다.".to_owned(),
            };
            let fix = match (is_final, of) {
                (false, _) => RETRYING,
                (true, None) => "연결 편집에서 이름, 암호, 헤더를 확인하세요.",
                (true, Some(_)) => "연결 편집에서 바꾸거나 지우세요.",
            };
            say(refused + &quote(said), fix)
        }
        Why::Mqtt { code, said } => {
            let words = super::ko_mqtt::KOREAN.reason;
            say(
                format!("{}{}", words(*code), quote(said)),
                if why.is_retryable() { RETRYING } else { super::ko_mqtt::fix(*code) },
            )
        }
        Why::TakenOver { is_certain } => say(
            match is_certain {
                true => "다른 프로그램이 같은 클라이언트 ID로 접속하여 서버가 이 연결을 끊었습니다.",
                false => {
                    "연결되자마자 서버가 끊는 일이 반복됩니다. 다른 프로그램이 같은 클라이언트 ID를 쓰고 있을 가능성이 큽니다."
                }
            },
            "연결 편집에서 프로그램마다 다른 클라이언트 ID를 지정하세요. 20초마다 다시 시도합니다.",
        ),
        Why::NoCommonVersion { ours, theirs } => say(
            format!(
                "서버는 프로토콜 버전 {}~{}을, 이 앱은 {}~{}을 사용합니다.",
                theirs.0, theirs.1, ours.0, ours.1
            ),
            if theirs.0 > ours.1 {
                "Duplex를 업데이트하세요."
            } else {
                "서버 관리자에게 서버 업데이트를 요청하세요."
            },
        ),
        Why::Unauthorized => say("서버가 모르는 토큰입니다.", NEW_TOKEN),
        Why::Withdrawn => say(
            "이 서버에 대한 접근 권한이 회수되었습니다.",
            "서버 관리자에게 새 토큰을 요청하세요. 보내지 않은 메시지는 보존됩니다.",
        ),
        Why::Forbidden => say(
            "이 토큰으로는 이 서버에 연결할 수 없습니다.",
            "서버 관리자에게 문의하거나 연결 편집에서 다른 토큰을 입력하세요.",
        ),
        Why::InviteRefused => say(
            "유효하지 않은 초대 링크입니다. 이미 사용했거나 만료되었거나 발급된 적이 없습니다.",
            "새 초대 링크를 받아 연결 편집에 붙여 넣으세요.",
        ),
        Why::Impostor => say(
            "다른 프로그램이 이 컴퓨터의 서버 주소를 사용하고 있습니다.",
            "토큰은 보내지 않았습니다. 그 프로그램을 종료한 뒤 ‘지금 다시 시도’를 누르세요.",
        ),
        Why::Unsupported { detail: d } => say(
            with("선택한 소켓은 이 연결을 지원하지 않습니다", d),
            "연결 편집에서 소켓을 tungstenite로 선택하세요.",
        ),
        Why::NoToken => say(
            "이 연결에 사용할 토큰이 없습니다.",
            "연결 편집에서 입력하거나 --url과 함께 --token-file을 사용하세요.",
        ),
        Why::Proxy { proxy, problem } => super::ko_proxy::why(proxy.as_deref(), problem),
        Why::HubFailed { .. } | Why::HubLogMissing { .. } | Why::HubLogDamaged { .. } => own_server(why),
    }
}

/// Why this computer's own server does not run.
fn own_server(why: &Why) -> Sentence {
    match why {
        Why::HubLogMissing { path, left } => say(
            format!("이 컴퓨터 서버의 대화 기록 파일이 없거나 비어 있습니다: {}.", path.display()),
            format!(
                "백업에서 파일을 복원한 다음 ‘지금 다시 시도’를 누르세요. 빈 기록으로 새로 시작하려면 먼저 이 파일들을 그 폴더 밖으로 옮기세요: {}. 다른 연결은 계속 사용할 수 있습니다.",
                left.join(", ")
            ),
        ),
        Why::HubLogDamaged { path, detail: d } => say(
            with(&format!("이 컴퓨터 서버의 대화 기록 파일이 손상되었습니다({})", path.display()), d),
            format!(
                "터미널에서 duplexctl hub repair --data-dir \"{}\" 명령을 실행하면 읽을 수 있는 내용을 복구합니다. 백업에서 파일을 복원해도 됩니다. 그런 다음 ‘지금 다시 시도’를 누르세요. 다른 연결은 계속 사용할 수 있습니다.",
                path.parent().unwrap_or(Path::new(".")).display()
            ),
        ),
        Why::HubFailed { detail: d } => say(
            with("이 컴퓨터의 서버를 시작하지 못했습니다", d),
            "‘지금 다시 시도’를 누르면 다시 시작합니다. 다른 연결은 계속 사용할 수 있습니다.",
        ),
        _ => Sentence::default(),
    }
}

fn redirected(status: u16, location: Option<&str>) -> Sentence {
    let what = match location {
        Some(place) => {
            format!("서버가 다음 주소로 이동하라고 합니다: {} (HTTP {status}).", harmless::line(place, 200))
        }
        None => format!("서버가 다른 곳으로 이동하라고 하지만 주소를 알려 주지 않았습니다(HTTP {status})."),
    };
    say(
        what,
        "토큰이 다른 서버로 가지 않도록, 같은 호스트 안에서 암호화를 유지하는 이동만 따라갑니다. 믿을 수 있는 주소라면 연결 편집에 입력하세요.",
    )
}

fn http(status: u16, named_a_time: bool) -> Sentence {
    let what = |words: &str| format!("{words}(HTTP {status}).");
    let tell_admin = "자동으로 다시 시도합니다. 계속되면 서버 관리자에게 알려 주세요.";
    match HttpCause::of(status) {
        HttpCause::NoSocket => {
            say(what("이 주소에는 Duplex 서버가 아니라 웹 페이지가 있습니다"), CHECK_ADDRESS_OR_SIGN_IN)
        }
        HttpCause::NoAnswer => say(what("서버가 예상하지 못한 응답을 보냈습니다"), CHECK_ADDRESS),
        HttpCause::BadRequest => say(
            what("서버가 요청을 이해하지 못했습니다"),
            "연결 편집에서 주소를 확인하세요. 중간의 프록시가 WebSocket을 지원하지 않을 수 있습니다.",
        ),
        HttpCause::UnknownToken => say(what("서버가 모르는 토큰입니다"), NEW_TOKEN),
        HttpCause::Forbidden => say(
            what("서버가 이 계정을 거부했습니다"),
            "서버 관리자에게 문의하거나 연결 편집에서 다른 토큰을 입력하세요.",
        ),
        HttpCause::NoSuchPath => {
            say(what("웹 서버는 있지만 이 경로에 Duplex 서버가 없습니다"), CHECK_ADDRESS)
        }
        HttpCause::NoUpgrade => say(
            what("중간의 무언가가 WebSocket 요청을 지웁니다"),
            "네트워크나 프록시 관리자에게 WebSocket 허용을 요청하거나, 연결 편집에서 다른 전송 방식을 선택하세요.",
        ),
        HttpCause::SignInToNetwork => say(
            what("네트워크에 먼저 로그인해야 합니다"),
            "브라우저로 로그인하거나 프록시 설정을 확인한 뒤 ‘지금 다시 시도’를 누르세요.",
        ),
        HttpCause::TimedOut => say(what("서버가 요청을 기다리다 중단했습니다"), RETRYING),
        HttpCause::WrongName => say(
            what("서버가 이 호스트 이름을 허용하지 않습니다"),
            "IP 주소를 사용하거나, 서버 관리자에게 이 이름을 허용해 달라고 요청하세요(duplexctl hub --allow-host NAME).",
        ),
        HttpCause::TooLarge => {
            say(what("요청이 서버가 받을 수 있는 크기를 넘습니다"), "주소와 토큰을 확인하세요.")
        }
        HttpCause::TooManyAttempts => say(what("이 네트워크에서 너무 여러 번 시도했습니다"), RETRYING),
        HttpCause::Legal => say(what("법적인 이유로 이 서버를 사용할 수 없습니다"), ASK_ADMIN),
        HttpCause::Refused => {
            say(what("서버가 연결을 거부했습니다"), if named_a_time { RETRYING } else { CHECK_ADDRESS })
        }
        HttpCause::Failed => say(what("서버에 오류가 발생했습니다"), tell_admin),
        HttpCause::Unable => say(what("서버가 이런 연결을 지원하지 않습니다"), CHECK_ADDRESS),
        HttpCause::BehindProxy => {
            say(what("프록시에는 연결되지만 그 뒤의 서버에 연결할 수 없습니다"), tell_admin)
        }
        HttpCause::Busy => say(what("서버가 바쁘거나 다시 시작하는 중입니다"), RETRYING),
        HttpCause::NoSpace => say(
            what("서버의 디스크가 가득 찼습니다"),
            "자동으로 다시 시도합니다. 서버 관리자에게 알려 주세요.",
        ),
    }
}

fn closed(code: Option<u16>, reason: &str) -> Sentence {
    let Some(code) = code else {
        return say("서버가 연결을 닫았습니다.", RETRYING);
    };
    let what = |words: &str| format!("{words}(코드 {code}).{}", quote(reason));
    if Why::close_code_stops(code) {
        let then = "다시 연결해도 똑같이 끝납니다. 문제를 해결한 뒤 ‘지금 다시 시도’를 누르세요.";
        return say(what("서버가 연결을 닫았고 다시 연결할 수 없습니다"), then);
    }
    match code {
        1001 => say(what("서버가 종료하는 중입니다"), RETRYING),
        1011..=1014 => say(what("서버에 오류가 발생했거나 다시 시작하는 중입니다"), RETRYING),
        _ => say(what("서버가 연결을 닫았습니다"), RETRYING),
    }
}

/// What is wrong with a header, a subprotocol or a user's name.
fn bad_upgrade(problem: &BadUpgrade) -> String {
    match problem {
        BadUpgrade::HeaderName { name } => {
            format!("올바르지 않은 헤더 이름이 있습니다({}).", harmless::line(name, 200))
        }
        BadUpgrade::Reserved { name } => {
            format!("{} 헤더는 Duplex가 직접 설정합니다.", harmless::line(name, 200))
        }
        BadUpgrade::HeaderValue { name } => {
            format!("{} 헤더의 값에 줄바꿈이나 제어 문자가 있습니다.", harmless::line(name, 200))
        }
        BadUpgrade::HeaderTwice { name } => format!("{} 헤더가 두 번 있습니다.", harmless::line(name, 200)),
        BadUpgrade::Subprotocol { name } => format!(
            "올바르지 않은 서브프로토콜이 있습니다({}). 영문자, 숫자와 !#$%&'*+-.^_`|~만 쓸 수 있습니다.",
            harmless::line(name, 200)
        ),
        BadUpgrade::SubprotocolTwice { name } => {
            format!("같은 서브프로토콜이 두 번 있습니다({}).", harmless::line(name, 200))
        }
        BadUpgrade::Credentials => {
            "사용자 이름에는 콜론을, 사용자 이름과 비밀번호에는 제어 문자를 쓸 수 없습니다.".to_owned()
        }
    }
}

pub(super) fn bad_address(bad: BadAddress) -> &'static str {
    match bad {
        BadAddress::Empty => "서버 주소를 입력하거나 초대 링크를 붙여 넣으세요.",
        BadAddress::TooLong => "주소가 너무 깁니다. 최대 2,048바이트입니다.",
        BadAddress::Space => "주소에서 공백이나 제어 문자를 지우세요.",
        BadAddress::NoUrl => {
            "올바른 주소가 아닙니다. server.example 또는 wss://server.example:7870처럼 입력하세요."
        }
        BadAddress::Scheme => "주소는 wss:// 또는 ws://로 시작해야 합니다.",
        BadAddress::Userinfo => "주소에서 사용자 이름과 비밀번호를 빼세요. 토큰은 따로 입력합니다.",
        BadAddress::Host => "올바른 호스트 이름이 아닙니다.",
        BadAddress::Ipv4 => "올바른 IPv4 주소가 아닙니다.",
        BadAddress::Ipv6 => "올바른 IPv6 주소가 아닙니다.",
        BadAddress::Brackets => "IPv6 주소는 대괄호로 묶으세요: [::1]:7870.",
        BadAddress::Zone => {
            "네트워크 인터페이스는 링크 로컬 IPv6 주소에만 붙일 수 있습니다: [fe80::1%eth0]:7870."
        }
        BadAddress::Port => "포트는 1부터 65535까지의 숫자여야 합니다.",
        BadAddress::Fragment => "주소에서 #부터 끝까지 지우세요. 초대 링크는 Duplex 서버에만 쓸 수 있습니다.",
        BadAddress::Invite | BadAddress::Fingerprint => {
            "초대 링크가 불완전하거나 손상되었습니다. 전체를 복사해 다시 붙여 넣으세요."
        }
    }
}

pub(super) fn test(outcome: &TestOutcome) -> Sentence {
    match outcome {
        TestOutcome::Running => say("테스트 중…", ""),
        TestOutcome::Passed { me, server, took_ms } => {
            let (server, name) = (harmless::line(server, 60), harmless::line(&me.name, 60));
            say(format!("{server} 서버에 {name}(으)로 연결됩니다({took_ms}ms)."), "")
        }
        TestOutcome::Reached { found, took_ms } => match found {
            Reached::NoToken => say(
                format!("Duplex 서버가 응답합니다({took_ms}ms)."),
                "로그인을 테스트하려면 토큰을 입력하세요.",
            ),
            Reached::InviteGood { server, until } => say(
                format!(
                    "{} 서버에서 유효한 초대 링크입니다({took_ms}ms). {}까지 사용할 수 있으며 아직 사용하지 않았습니다.",
                    harmless::line(server, 60),
                    (KOREAN.day_and_clock)(*until)
                ),
                "",
            ),
            Reached::InviteUnknown => say(
                format!("Duplex 서버가 응답합니다({took_ms}ms)."),
                "이 서버에서는 초대 링크를 사용하지 않고 확인할 수 없습니다.",
            ),
            Reached::Speaks { protocol, .. } => match protocol {
                Protocol::Duplex => say(
                    format!("Duplex 서버가 응답합니다({took_ms}ms)."),
                    "로그인하려면 토큰이나 초대 링크를 입력하세요.",
                ),
                Protocol::SocketIo => say(
                    format!("Socket.IO 서버가 응답합니다({took_ms}ms)."),
                    "필요하면 네임스페이스나 인증 데이터를 입력하고 저장하세요.",
                ),
                Protocol::Stomp => say(
                    format!("STOMP 서버가 응답합니다({took_ms}ms)."),
                    "읽고 쓸 대상을 입력하고 저장하세요.",
                ),
                Protocol::Mqtt => say(
                    format!("MQTT 서버가 응답합니다({took_ms}ms)."),
                    "필요하면 사용자 이름과 암호를 입력하고 저장하세요.",
                ),
                Protocol::WebSocket => say(
                    format!("WebSocket 서버가 응답합니다({took_ms}ms)."),
                    "메시지를 받은 그대로 표시합니다. 다른 프로토콜을 사용하는 서버라면 위에서 선택하세요.",
                ),
            },
            Reached::Opened { subprotocol, extensions } => say(
                format!(
                    "WebSocket이 열렸습니다({took_ms}ms). 서브프로토콜: {}. 확장: {}.",
                    subprotocol.as_deref().map_or("없음".to_owned(), |name| harmless::line(name, 100)),
                    if extensions.is_empty() { "없음".to_owned() } else { harmless::line(extensions, 200) },
                ),
                "",
            ),
        },
        TestOutcome::Failed(reason) => why(reason),
    }
}

fn namespace_refused(namespace: &str, message: &str, data: &str) -> Sentence {
    let namespace = harmless::line(namespace, 100);
    if message.is_empty() && data.is_empty() {
        return say(
            format!("서버가 네임스페이스 {namespace}의 연결을 끊었습니다."),
            "다시 연결하려면 지금 다시 시도를 선택하세요.",
        );
    }
    let data = if data.is_empty() { String::new() } else { format!(" ({})", harmless::line(data, 200)) };
    say(
        format!("서버가 네임스페이스 {namespace}에 대한 접근을 거부했습니다{data}.{}", quote(message)),
        "연결 편집에서 네임스페이스와 인증 데이터를 확인하세요.",
    )
}
