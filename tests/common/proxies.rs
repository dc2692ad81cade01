//! Proxies that a client dials: HTTP with `CONNECT` and forwarding, and SOCKS 5, each with and without a user and a password. They
//! resolve names of their own, so that a test on this computer alone can go through them.
#![allow(dead_code, reason = "each test program uses a part of them")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A running proxy. It ends with the runtime.
#[derive(Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What a proxy does.
#[derive(Clone, Default)]
pub struct Rules {
    /// Names that it resolves, and where they lead.
    pub names: Vec<(&'static str, SocketAddr)>,
    /// The user and the password that it wants.
    pub login: Option<(&'static str, &'static str)>,
    /// Whether it tunnels nowhere, as one that allows port 443 alone; plain HTTP is forwarded.
    pub refuses_connect: bool,
    /// Beside what is asked, what it says where it wants a login.
    pub schemes: Vec<&'static str>,
}

impl Rules {
    /// One that resolves this name.
    pub fn of(name: &'static str, leads_to: SocketAddr) -> Rules {
        Rules { names: vec![(name, leads_to)], ..Rules::default() }
    }

    /// The same with a user and a password.
    pub fn with_login(self, user: &'static str, password: &'static str) -> Rules {
        Rules { login: Some((user, password)), ..self }
    }

    fn resolve(&self, host: &str) -> Option<SocketAddr> {
        self.names.iter().find(|(name, _)| *name == host).map(|(_, address)| *address)
    }
}

impl Proxy {
    /// Starts an HTTP proxy.
    pub async fn http(rules: Rules) -> Proxy {
        Proxy::start(rules, |stream, rules, asked| Box::pin(http(stream, rules, asked))).await
    }

    /// Starts a SOCKS 5 proxy.
    pub async fn socks5(rules: Rules) -> Proxy {
        Proxy::start(rules, |stream, rules, asked| Box::pin(socks5(stream, rules, asked))).await
    }

    /// What was asked for, in order: `CONNECT host:port`, `GET http://…`, `SOCKS host:port`; and `login` where it came with the right
    /// user and password.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    async fn start<F>(rules: Rules, serve: F) -> Proxy
    where
        F: Fn(
                TcpStream,
                Arc<Rules>,
                Arc<Mutex<Vec<String>>>,
            ) -> futures_util::future::BoxFuture<'static, Option<()>>
            + Send
            + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (rules, told) = (Arc::new(rules), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // `None`: the client went away or was refused.
                tokio::spawn(serve(stream, Arc::clone(&rules), Arc::clone(&told)));
            }
        });
        Proxy { address, asked }
    }
}

async fn http(mut stream: TcpStream, rules: Arc<Rules>, asked: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut bytes = Vec::new();
    let length = loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let mut line = head.lines().next()?.split(' ');
    let (method, target) = (line.next()?.to_owned(), line.next()?.to_owned());
    asked.lock().unwrap().push(format!("{method} {target}"));
    let refuse = async |mut stream: TcpStream, answer: String| {
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()
    };
    if let Some((user, password)) = rules.login {
        let wanted = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
        let given = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("proxy-authorization").then(|| value.to_owned())
        });
        if given.as_deref() != Some(&format!("Basic {wanted}")) {
            let schemes =
                if rules.schemes.is_empty() { vec!["Basic realm=\"x\""] } else { rules.schemes.clone() };
            let schemes = schemes.iter().map(|scheme| format!("Proxy-Authenticate: {scheme}\r\n"));
            let schemes: String = schemes.collect();
            let answer =
                format!("HTTP/1.1 407 Proxy Authentication Required\r\n{schemes}Content-Length: 0\r\n\r\n");
            return refuse(stream, answer).await;
        }
        asked.lock().unwrap().push("login".to_owned());
    }
    let is_tunnel = method == "CONNECT";
    if is_tunnel && rules.refuses_connect {
        return refuse(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nDenied".to_owned()).await;
    }
    let Some(authority) = (if is_tunnel { Some(target.as_str()) } else { authority(&target) }) else {
        return refuse(stream, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
    };
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let Some(place) = rules.resolve(host) else {
        return refuse(stream, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
    };
    let mut server = TcpStream::connect(place).await.ok()?;
    if is_tunnel {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
        server.write_all(&bytes[length..]).await.ok()?;
    } else {
        let path = target.splitn(4, '/').nth(3).unwrap_or_default();
        let rest = head.split_once("\r\n")?.1;
        let kept =
            rest.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("proxy-"));
        let head = format!("{method} /{path} HTTP/1.1\r\n{}", kept.collect::<String>());
        server.write_all(head.as_bytes()).await.ok()?;
        server.write_all(&bytes[length..]).await.ok()?;
    }
    copy_bidirectional(&mut stream, &mut server).await.ok().map(drop)
}

/// Host and port of an absolute `http` URI.
fn authority(target: &str) -> Option<&str> {
    target.strip_prefix("http://")?.split('/').next()
}

async fn socks5(mut stream: TcpStream, rules: Arc<Rules>, asked: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let (version, count) = (stream.read_u8().await.ok()?, stream.read_u8().await.ok()?);
    if version != 5 {
        return None;
    }
    let mut methods = vec![0; usize::from(count)];
    stream.read_exact(&mut methods).await.ok()?;
    let wanted = if rules.login.is_some() { 2 } else { 0 };
    if !methods.contains(&wanted) {
        return stream.write_all(&[5, 0xFF]).await.ok();
    }
    stream.write_all(&[5, wanted]).await.ok()?;
    if let Some((user, password)) = rules.login {
        stream.read_u8().await.ok()?;
        let (given_user, given_password) = (text(&mut stream).await?, text(&mut stream).await?);
        if (given_user.as_str(), given_password.as_str()) != (user, password) {
            return stream.write_all(&[1, 1]).await.ok();
        }
        asked.lock().unwrap().push("login".to_owned());
        stream.write_all(&[1, 0]).await.ok()?;
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.ok()?;
    let host = match head[3] {
        3 => text(&mut stream).await?,
        1 => {
            let mut ip = [0; 4];
            stream.read_exact(&mut ip).await.ok()?;
            std::net::Ipv4Addr::from(ip).to_string()
        }
        _ => return stream.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok(),
    };
    let port = stream.read_u16().await.ok()?;
    asked.lock().unwrap().push(format!("SOCKS {host}:{port}"));
    let Some(place) = rules.resolve(&host) else {
        return stream.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok();
    };
    if rules.refuses_connect {
        return stream.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok();
    }
    let mut server = TcpStream::connect(place).await.ok()?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
    copy_bidirectional(&mut stream, &mut server).await.ok().map(drop)
}

/// A text with its length before it.
async fn text(stream: &mut TcpStream) -> Option<String> {
    let length = stream.read_u8().await.ok()?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await.ok()?;
    String::from_utf8(bytes).ok()
}
