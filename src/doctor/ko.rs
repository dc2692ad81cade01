//! Korean: what a check of a connection found.

use super::text::{date, list, shown};
use super::{Said, SayWhy, Words};
use crate::model::diagnosis::{Distrust, Report, StepKind, Verdict};
use crate::model::profile::Protocol;
use crate::model::route::{Blocked, Route};

/// The words.
pub static KOREAN: Words = Words {
    verdict,
    blocked,
    unblock: "네트워크 관리자에게 WebSocket을 허용해 달라고 요청하세요.",
    answered: |status| format!("요청에 HTTP {status} 응답이 왔습니다."),
    no_credentials: "토큰이 없어 로그인은 하지 않았습니다.",
    step,
    route,
    headings: ["전송 방식", "작동", "첫 메시지", "왕복 시간", "99%", "바이트(보냄/받음)", "유휴 요청"],
    reasons: "안 되는 이유",
    note: "왕복 시간: 측정한 값의 절반이 이 시간 안에 끝났습니다. 다음 열은 100번 중 99번이 넘지 않은 시간입니다. 바이트: 100바이트 메시지를 양쪽으로 \
           하나씩 주고받을 때 보낸 양과 받은 양으로, HTTP와 TLS는 포함하고 TCP/IP는 뺀 값입니다. 유휴 요청: 아무 일도 없을 때 1분 동안의 HTTP 요청 \
           수로, 측정값이 아니라 전송 방식에서 계산한 값입니다.",
    works: ["예", "아니요", "알 수 없음"],
    steps: "단계",
    address: "주소",
    checked: "진단 시각",
    certificate: |of| {
        let names = if of.names.is_empty() { String::new() } else { format!("(대상: {})", of.names) };
        format!("{}{names}, 발급자 {}, 유효 기간 {} ~ {}", of.subject, of.issuer, of.from, of.until)
    },
    trusted_system: |root| format!("이 컴퓨터의 인증 기관으로 신뢰함: {root}"),
    trusted_file: |root| format!("CA 인증서 파일의 인증 기관으로 신뢰함: {root}"),
    trusted_pin: "지문으로 신뢰함",
    untrusted: "신뢰할 수 없음",
    by_duplex: "Duplex 서버가 직접 응답",
    page: "웹 페이지",
    via: |proxies| format!("경유: {proxies}"),
    direct: "사용하지 않음",
    chosen: "이 연결에 지정됨",
    system: "이 컴퓨터의 설정",
    redirects_to: |place| format!("리디렉션: {place}"),
    subprotocol: |name| format!("서브프로토콜 {name}"),
    extensions: |names| format!("확장 {names}"),
};

fn route(route: Route) -> &'static str {
    match route {
        Route::WebSocket => "WebSocket",
        Route::Sse => "서버 전송 이벤트(SSE)",
        Route::Stream => "HTTP 스트리밍",
        Route::LongPoll => "롱 폴링",
        Route::Poll => "폴링",
    }
}

fn step(step: StepKind) -> &'static str {
    match step {
        StepKind::Proxy => "프록시",
        StepKind::Name => "이름 조회",
        StepKind::Tcp => "TCP",
        StepKind::Tls => "TLS",
        StepKind::Http => "HTTP",
        StepKind::Handshake => "핸드셰이크",
    }
}

/// Long: one sentence for each verdict.
fn verdict(verdict: &Verdict, report: &Report, say: SayWhy) -> Said {
    let sign_in =
        "이 네트워크에 로그인이 필요하다면 브라우저를 열어 로그인하세요. 아니라면 주소를 확인하세요.";
    match verdict {
        Verdict::Unfinished => Said::new("진단이 끝나지 않았습니다.", "다시 진단해 보세요."),
        Verdict::Works if report.routes.iter().any(|route| route.works.is_none()) => {
            Said::new("확인한 방식은 정상입니다.", "")
        }
        Verdict::Works if report.protocol == Protocol::Duplex => Said::new("모두 정상입니다.", ""),
        Verdict::Works => Said::new("모두 정상입니다. 서버가 제대로 응답합니다.", ""),
        Verdict::Reached => Said::new(
            "서버에 연결되지만, 토큰이 없어 로그인은 하지 않았습니다.",
            "로그인까지 확인하려면 토큰을 넣고 다시 진단하세요.",
        ),
        Verdict::WebSocketOnly { broken } => Said::new(
            "WebSocket이 작동하고 Duplex는 WebSocket을 사용합니다. 일부 대체 방식은 작동하지 않습니다.",
            format!(
                "지금은 할 일이 없습니다. WebSocket이 막히면 쓸 수 없는 방식: {}.",
                list(broken.iter().map(|one| route(*one)))
            ),
        ),
        Verdict::Fallback { to, .. } => Said::new(
            format!(
                "서버와의 사이에서 WebSocket이 막혀 있어 Duplex가 다른 방식을 사용합니다: {}.",
                route(*to)
            ),
            "",
        ),
        Verdict::NoRoute { .. } => {
            Said::new("이 주소에서 응답은 오지만, Duplex가 서버까지 연결되지 않습니다.", "")
        }
        Verdict::Page { status, location: Some(place) } => Said::new(
            format!("서버 대신 다른 곳으로 리디렉션됩니다(HTTP {status}): {}", shown(place, 200)),
            sign_in,
        ),
        Verdict::Page { status, location: None } => {
            Said::new(format!("서버 대신 웹 페이지가 응답합니다(HTTP {status})."), sign_in)
        }
        Verdict::SignIn { status } => Said::new(
            format!("프록시 또는 네트워크가 먼저 로그인을 요구합니다(HTTP {status})."),
            "브라우저로 로그인하거나, 프록시 설정의 사용자 이름과 비밀번호를 확인하세요.",
        ),
        Verdict::LoginRefused(why) => {
            let said = say(why);
            Said::new(
                format!("서버에 연결되지만, 서버가 로그인을 받아들이지 않습니다. {}", said.what),
                said.then,
            )
        }
        Verdict::NameNotFound { host } => Said::new(
            format!("호스트를 찾을 수 없습니다: {}", shown(host, 100)),
            "주소와 네트워크 연결을 확인하세요.",
        ),
        Verdict::NothingListens { at } => Said::new(
            format!("이 주소에서 응답하는 서버가 없습니다(연결 거부): {}", shown(at, 200)),
            "서버가 실행 중인지, 포트가 맞는지 확인하세요.",
        ),
        Verdict::NoAnswer { at } => Said::new(
            format!("이 주소에서 응답하는 서버가 없습니다: {}", shown(at, 200)),
            "주소를 확인하세요. 컴퓨터가 꺼져 있거나 방화벽이 연결을 막고 있을 수 있습니다.",
        ),
        Verdict::NoWay { at, detail } => Said::new(
            format!("이 네트워크에서는 갈 수 없는 주소입니다: {} ({})", shown(at, 200), shown(detail, 200)),
            "네트워크 연결을 확인하세요.",
        ),
        Verdict::Silent { at } => Said::new(
            format!("연결은 받아들이지만 응답이 없습니다: {}", shown(at, 200)),
            "포트를 확인하세요. 다른 프로그램의 포트일 수 있습니다. 서버가 멈췄거나 방화벽이 응답을 막고 있을 수도 있습니다.",
        ),
        Verdict::Untrusted { distrust, host, of, at } => untrusted(distrust, host, of, &date(*at)),
        Verdict::Failed { why, .. } => say(why),
    }
}

fn untrusted(distrust: &Distrust, host: &str, of: &str, at: &str) -> Said {
    let (host, of) = (shown(host, 100), shown(of, 200));
    let ask = "서버 관리자에게 문의하세요. 토큰은 보내지 않았습니다.";
    match distrust {
        Distrust::Expired => Said::new(
            format!("서버의 인증서가 {at}에 만료되었습니다."),
            format!("이 컴퓨터의 시계가 맞다면 인증서를 갱신해야 합니다. {ask}"),
        ),
        Distrust::NotYetValid => Said::new(
            format!("서버의 인증서는 {at}부터 유효합니다."),
            format!("이 컴퓨터의 시계를 확인하세요. {ask}"),
        ),
        Distrust::WrongName => Said::new(
            format!("서버의 인증서가 {host}의 것이 아닙니다. 인증서의 대상: {of}"),
            format!("그 이름으로 연결해 보세요. 안 되면 {ask}"),
        ),
        Distrust::UnknownIssuer => Said::new(
            format!("이 컴퓨터가 모르는 인증 기관이 발급한 인증서입니다: {of}"),
            "네트워크가 암호화된 통신을 검사하거나 조직에 자체 인증 기관이 있다면 그 CA 인증서 파일을 지정하세요. 토큰은 보내지 않았습니다.",
        ),
        Distrust::SelfSigned => Said::new(
            "서버가 스스로 서명한 인증서를 사용합니다.".to_owned(),
            "지문이 들어 있는 초대 링크를 쓰거나, 지문 또는 CA 인증서 파일을 지정하세요. 토큰은 보내지 않았습니다.",
        ),
        Distrust::NotPinned => Said::new(
            "서버의 인증서가 알고 있는 지문과 다릅니다.".to_owned(),
            "서버를 새로 설치했다면 새 초대 링크를 요청하세요. 아니라면 다른 것이 서버 대신 응답하고 있을 수 있습니다. 토큰은 보내지 않았습니다.",
        ),
        Distrust::Other(detail) => {
            Said::new(format!("서버의 인증서를 신뢰할 수 없습니다({}).", shown(detail, 200)), ask.to_owned())
        }
    }
}

fn blocked(blocked: Blocked) -> String {
    match blocked {
        Blocked::Refused(status) => {
            return format!("중간의 무언가(아마도 프록시나 방화벽)가 서버 대신 응답합니다(HTTP {status}).");
        }
        Blocked::Stripped => "중간의 무언가(아마도 프록시)가 WebSocket 요청을 지웁니다.",
        Blocked::Garbled => "중간의 무언가가 WebSocket 요청에 엉뚱한 응답을 보냅니다.",
        Blocked::Ended => {
            "WebSocket을 요청하면 연결이 끊깁니다. 방화벽이나 백신 프로그램 때문일 수 있습니다."
        }
        Blocked::Unanswered => "WebSocket 요청에 응답이 없습니다. 방화벽이 막고 있을 수 있습니다.",
        Blocked::Mute => "WebSocket은 열리지만 데이터가 오지 않습니다. 프록시가 막고 있을 수 있습니다.",
        Blocked::Cut => "WebSocket이 열렸다가 잠시 뒤 끊깁니다. 프록시가 유휴 연결을 끊고 있을 수 있습니다.",
    }
    .to_owned()
}
