//! Korean: proxies.

use super::Sentence;
use super::ko::{detail, say};
use super::proxy::ProxyWords;
use crate::model::proxy::{BadProxy, ProxyAddress, ProxyKind, ProxyProblem, ProxySource, ProxyUsed};
use crate::ui::harmless;

/// Korean.
pub(super) static KOREAN: ProxyWords = ProxyWords {
    proxy: "프록시",
    automatic: "자동",
    none: "사용 안 함",
    other: "직접 지정:",
    address: "프록시 주소",
    address_hint: "http://proxy.example:3128 또는 socks5://proxy.example:1080",
    password: "프록시 비밀번호",
    password_new: "프록시가 요구할 때만 입력",
    password_keep: "비워 두면 저장된 비밀번호를 그대로 사용",
    help: "‘자동’은 환경 변수 HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY를 따르고, 없으면 이 컴퓨터의 설정을 따릅니다. 이 \
           컴퓨터 자체에는 프록시를 거치지 않고 연결합니다.",
    ewebsock: "ewebsock은 프록시를 지원하지 않습니다.",
    opened: |used| {
        let by = match &used.source {
            ProxySource::Chosen => String::new(),
            ProxySource::Variable(name) => format!("({})", harmless::line(name, 40)),
            ProxySource::System => "(이 컴퓨터의 설정)".to_owned(),
        };
        format!("프록시를 거쳐 연결했습니다{by}: {}", shown(&used.address))
    },
    used: |used| format!("프록시 {} 경유", shown(&used.address)),
    bad,
};

fn shown(address: &ProxyAddress) -> String {
    harmless::line(&address.to_string(), 100)
}

fn bad(bad: BadProxy) -> &'static str {
    match bad {
        BadProxy::Empty => "프록시 주소를 입력하세요.",
        BadProxy::TooLong => "프록시 주소가 너무 깁니다.",
        BadProxy::Scheme => "프록시 주소는 http://, https:// 또는 socks5://로 시작해야 합니다.",
        BadProxy::Socks4 => "SOCKS 4는 지원하지 않습니다. socks5://를 사용해 보세요.",
        BadProxy::Host => "프록시의 호스트 이름이 올바르지 않습니다.",
        BadProxy::Port => "프록시 포트는 1부터 65535까지의 숫자여야 합니다.",
        BadProxy::Path => "프록시 주소에서 호스트와 포트 뒤의 내용을 지우세요.",
        BadProxy::Login => {
            "프록시의 사용자 이름과 비밀번호는 각각 255바이트까지이며 제어 문자를 쓸 수 없고, 이름에는 콜론을 쓸 수 없습니다."
        }
    }
}

/// Where a proxy is set.
fn place(source: Option<&ProxySource>) -> String {
    match source {
        Some(ProxySource::Chosen) | None => "연결 편집".to_owned(),
        Some(ProxySource::Variable(name)) => {
            format!("환경 변수 {} 또는 연결 편집", harmless::line(name, 40))
        }
        Some(ProxySource::System) => "이 컴퓨터의 네트워크 설정 또는 연결 편집".to_owned(),
    }
}

/// Why a proxy doesn't let us through.
pub(super) fn why(proxy: Option<&ProxyUsed>, problem: &ProxyProblem) -> Sentence {
    let name = proxy.map(|used| shown(&used.address)).unwrap_or_default();
    let place = place(proxy.map(|used| &used.source));
    let check = format!("자동으로 다시 시도합니다. {place}에서 프록시를 확인하세요.");
    let host = |host: &str| harmless::line(host, 100);
    match problem {
        ProxyProblem::Bad { source, bad: b } => say(
            format!("프록시 주소를 사용할 수 없습니다. {}", bad(*b)),
            format!("{}에서 고치세요.", self::place(Some(source))),
        ),
        ProxyProblem::NameNotFound => say(format!("프록시를 찾을 수 없습니다: {name}."), check),
        ProxyProblem::Unreachable { detail: d } => {
            say(format!("프록시에 연결할 수 없습니다{}: {name}.", detail(d)), check)
        }
        ProxyProblem::TimedOut => {
            say(format!("프록시 또는 그 너머의 서버가 제시간에 응답하지 않았습니다: {name}."), check)
        }
        ProxyProblem::WantsLogin { was_told: false } => say(
            format!("프록시가 사용자 이름과 비밀번호를 요구합니다: {name}."),
            "연결 편집에서 프록시 주소를 ‘http://사용자:비밀번호@호스트:포트’처럼 입력하세요.",
        ),
        ProxyProblem::WantsLogin { was_told: true } => say(
            format!("프록시의 사용자 이름 또는 비밀번호가 맞지 않습니다: {name}."),
            format!("{place}에서 고치세요."),
        ),
        ProxyProblem::UnknownLogin { wants } => say(
            format!("프록시가 Duplex에서 지원하지 않는 로그인 방식을 요구합니다{}: {name}.", detail(wants)),
            "네트워크 관리자에게 사용자 이름과 비밀번호(Basic)로 로그인할 수 있게 해 달라고 요청하세요.",
        ),
        ProxyProblem::Forbids { host: h, code } => say(
            format!("프록시가 {} 연결을 허용하지 않습니다({code}): {name}.", host(h)),
            "443번 포트만 허용하는 프록시가 많습니다. 네트워크 관리자에게 이 포트를 허용해 달라고 요청하세요.",
        ),
        ProxyProblem::NoWay { host: h, code } => say(
            format!("프록시에서 {}에 연결할 수 없습니다({code}): {name}.", host(h)),
            "자동으로 다시 시도합니다. 서버 주소가 맞는지, 서버가 실행 중인지 확인하세요.",
        ),
        ProxyProblem::NotAProxy { said } => say(
            format!("이 주소에서 응답하는 것은 프록시가 아닙니다{}: {name}.", detail(said)),
            format!("{place}에서 프록시를 확인하세요. 공용 네트워크라면 먼저 브라우저로 로그인하세요."),
        ),
        ProxyProblem::WrongKind { kind } => {
            let (kind, scheme) = match kind {
                ProxyKind::Http => ("HTTP", "http://"),
                ProxyKind::Https => ("암호화된 HTTP", "https://"),
                ProxyKind::Socks5 => ("SOCKS", "socks5://"),
            };
            say(
                format!("이 프록시는 {kind} 프록시입니다: {name}."),
                format!("{place}에서 프록시 주소를 {scheme}로 시작하도록 고치세요."),
            )
        }
        ProxyProblem::TlsFailed { detail: d } => say(
            format!("프록시와 암호화된 연결을 만들지 못했습니다{}: {name}.", detail(d)),
            format!("암호화를 사용하지 않는 프록시라면 {place}에서 주소를 http://로 시작하도록 고치세요."),
        ),
    }
}
