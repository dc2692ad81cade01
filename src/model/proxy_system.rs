//! What systems say about their proxies, in their own words: Windows's registry, macOS's `scutil --proxy`, and the answers of a
//! desktop portal.

use super::proxy::{Exceptions, Proxy, ProxySetting, ProxySettings, ProxySource};

/// Maximum length of what a system says, in bytes; the rest is ignored.
const MAX_TEXT_BYTES: usize = 64 * 1024;

fn setting(text: &str) -> Option<ProxySetting> {
    let text = text.trim();
    (!text.is_empty()).then(|| ProxySetting { source: ProxySource::System, proxy: Proxy::parse(text) })
}

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

/// Of Windows: `ProxyServer` is `host:port`, or `http=host:port;https=host:port;socks=host:port`; `ProxyOverride` lists what is
/// reached without, with semicolons between.
pub fn of_windows(server: &str, exceptions: &str) -> ProxySettings {
    let (server, exceptions) = (bounded(server), Exceptions::parse(bounded(exceptions)));
    if !server.contains('=') {
        let one = setting(server);
        return ProxySettings { http: one.clone(), https: one.clone(), all: one, exceptions };
    }
    let of = |wanted: &str| {
        server.split([';', ' ']).find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let socks = of("socks").map(|value| match value.contains("://") {
        true => value.to_owned(),
        false => format!("socks5://{value}"),
    });
    ProxySettings {
        http: of("http").and_then(setting),
        https: of("https").and_then(setting),
        all: socks.as_deref().and_then(setting),
        exceptions,
    }
}

/// Of macOS: what `scutil --proxy` prints.
pub fn of_scutil(text: &str) -> ProxySettings {
    let text = bounded(text);
    let value = |wanted: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(" : ")?;
            (name.trim() == wanted).then(|| value.trim())
        })
    };
    let of = |name: &str, scheme: &str| {
        let is_on = value(&format!("{name}Enable")) == Some("1");
        let host = value(&format!("{name}Proxy")).filter(|host| is_on && !host.is_empty())?;
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let port = value(&format!("{name}Port")).map(|port| format!(":{port}")).unwrap_or_default();
        setting(&format!("{scheme}://{host}{port}"))
    };
    let listed = text.split_once("ExceptionsList : <array> {").and_then(|(_, rest)| rest.split_once('}'));
    let listed = listed.map_or("", |(listed, _)| listed).lines();
    let listed = listed.filter_map(|line| line.split_once(" : ").map(|(_, value)| value.trim()));
    let simple = (value("ExcludeSimpleHostnames") == Some("1")).then_some("<local>");
    let exceptions = listed.chain(simple).collect::<Vec<_>>().join(",");
    ProxySettings {
        http: of("HTTP", "http"),
        https: of("HTTPS", "http"),
        all: of("SOCKS", "socks5"),
        exceptions: Exceptions::parse(&exceptions),
    }
}

/// Of a desktop portal: `http://host:port`, `socks://host:port`, `direct://`, to be tried in this order. What is none of them is left
/// out. `None`: without a proxy.
pub fn of_portal(answers: &[String]) -> impl Iterator<Item = Option<Proxy>> + '_ {
    answers.iter().filter_map(|answer| {
        if answer.starts_with("direct:") {
            return Some(None);
        }
        Proxy::parse(answer).ok().map(Some)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::proxy::{BadProxy, Destination};

    fn found(settings: &ProxySettings, scheme: &str, host: &str) -> Option<String> {
        let setting = settings.of(&Destination { scheme, host, port: 443 })?;
        assert_eq!(setting.source, ProxySource::System);
        Some(setting.proxy.as_ref().unwrap().address.to_string())
    }

    #[test]
    fn windows_has_one_proxy_or_one_for_each_scheme() {
        let one = of_windows("proxy.corp:8080", "*.corp;<local>;10.*");
        for scheme in ["ws", "wss", "mqtt"] {
            assert_eq!(found(&one, scheme, "hub.example").as_deref(), Some("http://proxy.corp:8080"));
        }
        for host in ["hub.corp", "nas", "10.1.2.3"] {
            assert_eq!(found(&one, "wss", host), None, "{host}");
        }
        let several = of_windows("http=a:1;https=b:2;ftp=c:3;socks=d:4", "");
        assert_eq!(found(&several, "ws", "hub.example").as_deref(), Some("http://a:1"));
        assert_eq!(found(&several, "wss", "hub.example").as_deref(), Some("http://b:2"));
        assert_eq!(found(&several, "stomp", "hub.example").as_deref(), Some("socks5://d:4"));
        assert!(of_windows("", "*.corp").is_empty());
        assert_eq!(of_windows("a:x", "").https.unwrap().proxy, Err(BadProxy::Port));
    }

    #[test]
    fn what_macos_prints_is_read() {
        let text = "<dictionary> {\n  ExceptionsList : <array> {\n    0 : *.local\n    1 : 169.254/16\n  }\n  \
                    ExcludeSimpleHostnames : 1\n  FTPPassive : 1\n  HTTPEnable : 0\n  HTTPPort : 80\n  HTTPProxy : off.corp\n  \
                    HTTPSEnable : 1\n  HTTPSPort : 3128\n  HTTPSProxy : proxy.corp\n  SOCKSEnable : 1\n  SOCKSPort : 1080\n  \
                    SOCKSProxy : 2001:db8::1\n}\n";
        let settings = of_scutil(text);
        assert_eq!(found(&settings, "wss", "hub.example").as_deref(), Some("http://proxy.corp:3128"));
        assert_eq!(found(&settings, "ws", "hub.example").as_deref(), Some("socks5://[2001:db8::1]:1080"));
        for host in ["nas.local", "169.254.1.1", "nas"] {
            assert_eq!(found(&settings, "wss", host), None, "{host}");
        }
        assert!(of_scutil("<dictionary> {\n  HTTPEnable : 0\n}\n").is_empty());
        assert!(of_scutil("").is_empty());
    }

    #[test]
    fn a_portal_names_several_to_be_tried_in_order() {
        let answers = ["socks://a:1", "nonsense://b", "http://me:x@c:3128", "direct://"].map(String::from);
        let read: Vec<_> =
            of_portal(&answers).map(|proxy| proxy.map(|proxy| proxy.address.to_string())).collect();
        assert_eq!(read, [Some("socks5://a:1".to_owned()), Some("http://c:3128".to_owned()), None]);
    }
}
