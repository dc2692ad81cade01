//! A connection through a SOCKS 5 proxy (RFC 1928), with a user and a password where it wants them (RFC 1929). Names are
//! resolved by the proxy: what only its network knows is reached, too.

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::authority;
use crate::model::profile::Secret;
use crate::model::proxy::{Destination, Proxy, ProxyKind, ProxyProblem};

const VERSION: u8 = 5;
/// The version of the sign-in by user and password.
const LOGIN_VERSION: u8 = 1;
const NO_LOGIN: u8 = 0;
const LOGIN: u8 = 2;
const NONE_ACCEPTED: u8 = 0xFF;
/// Maximum length of a name, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// Asks for a connection. Afterwards the stream is the server's.
pub(super) async fn connect<S>(
    stream: &mut S,
    to: &Destination<'_>,
    proxy: &Proxy,
) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let user = proxy.address.user.as_str();
    let has_login = !user.is_empty() || proxy.password.is_some();
    let methods: &[u8] = if has_login { &[VERSION, 2, NO_LOGIN, LOGIN] } else { &[VERSION, 1, NO_LOGIN] };
    write(stream, methods).await?;
    match read::<2, _>(stream).await? {
        [VERSION, NO_LOGIN] => {}
        [VERSION, LOGIN] if has_login => sign_in(stream, user, proxy.password.as_ref()).await?,
        [VERSION, NONE_ACCEPTED] if has_login => {
            return Err(ProxyProblem::UnknownLogin { wants: "GSSAPI".to_owned() });
        }
        [VERSION, _] => return Err(ProxyProblem::WantsLogin { was_told: false }),
        // The begin of `HTTP/1.1 400`.
        [b'H', b'T'] => return Err(ProxyProblem::WrongKind { kind: ProxyKind::Http }),
        other => return Err(not_a_proxy(&format!("{:02x} {:02x}", other[0], other[1]))),
    }
    let mut request = vec![VERSION, 1, 0];
    match to.host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => {
            request.push(1);
            request.extend(ip.octets());
        }
        Ok(IpAddr::V6(ip)) => {
            request.push(4);
            request.extend(ip.octets());
        }
        Err(_) => {
            let name = to.host.as_bytes();
            let length = u8::try_from(name.len().min(MAX_NAME_BYTES)).unwrap_or(u8::MAX);
            request.extend([3, length]);
            request.extend(&name[..usize::from(length)]);
        }
    }
    request.extend(to.port.to_be_bytes());
    write(stream, &request).await?;
    let [version, reply, _, kind] = read::<4, _>(stream).await?;
    if version != VERSION {
        return Err(not_a_proxy(&format!("version {version}")));
    }
    check(reply, to)?;
    // Where it connected from, which must be read to its end.
    match kind {
        1 => drop(read::<6, _>(stream).await?),
        4 => drop(read::<18, _>(stream).await?),
        3 => {
            let [length] = read::<1, _>(stream).await?;
            let mut rest = vec![0; usize::from(length) + 2];
            stream.read_exact(&mut rest).await.map_err(|error| lost(&error))?;
        }
        kind => return Err(not_a_proxy(&format!("an address of kind {kind}"))),
    }
    Ok(())
}

/// Whether SOCKS 5 is spoken.
pub(super) async fn answers<S>(mut stream: S) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    write(&mut stream, &[VERSION, 1, NO_LOGIN]).await.ok()?;
    read::<2, _>(&mut stream).await.ok().filter(|answer| answer[0] == VERSION).map(|_| ())
}

async fn sign_in<S>(stream: &mut S, user: &str, password: Option<&Secret>) -> Result<(), ProxyProblem>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = vec![LOGIN_VERSION];
    for text in [user, password.map_or("", Secret::reveal)] {
        // Checked when it was read.
        let length = u8::try_from(text.len()).map_err(|_| ProxyProblem::WantsLogin { was_told: true })?;
        request.push(length);
        request.extend(text.as_bytes());
    }
    write(stream, &request).await?;
    match read::<2, _>(stream).await {
        Ok([_, 0]) => Ok(()),
        // Some close the connection at once.
        Ok(_) | Err(_) => Err(ProxyProblem::WantsLogin { was_told: true }),
    }
}

/// RFC 1928 §6.
fn check(reply: u8, to: &Destination<'_>) -> Result<(), ProxyProblem> {
    let (host, code) = (authority(to), u16::from(reply));
    match reply {
        0 => Ok(()),
        2 => Err(ProxyProblem::Forbids { host, code }),
        1 | 3..=6 | 8 => Err(ProxyProblem::NoWay { host, code }),
        _ => Err(not_a_proxy(&format!("the answer {reply}"))),
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), ProxyProblem> {
    let written = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    written.await.map_err(|error| lost(&error))
}

async fn read<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> Result<[u8; N], ProxyProblem> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(|error| lost(&error))?;
    Ok(bytes)
}

fn lost(error: &io::Error) -> ProxyProblem {
    not_a_proxy(&if error.kind() == io::ErrorKind::UnexpectedEof {
        "nothing".to_owned()
    } else {
        error.to_string()
    })
}

fn not_a_proxy(said: &str) -> ProxyProblem {
    ProxyProblem::NotAProxy { said: said.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(
        url: &str,
        host: &'static str,
        answers: &'static [&'static [u8]],
    ) -> (Result<(), ProxyProblem>, Vec<Vec<u8>>) {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let proxy = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let mut bytes = vec![0; 1024];
                let length = theirs.read(&mut bytes).await.unwrap();
                bytes.truncate(length);
                asked.push(bytes);
                theirs.write_all(answer).await.unwrap();
            }
            asked
        });
        let to = Destination { scheme: "mqtt", host, port: 1883 };
        let answered = connect(&mut ours, &to, &Proxy::parse(url).unwrap()).await;
        (answered, proxy.await.unwrap())
    }

    const DONE: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

    #[tokio::test]
    async fn names_and_addresses_are_asked_for() {
        let (answered, asked) = ask("socks5://p", "hub.example", &[&[5, 0], DONE]).await;
        assert_eq!(answered, Ok(()));
        assert_eq!(asked[0], [5, 1, 0]);
        assert_eq!(asked[1], [&[5, 1, 0, 3, 11][..], b"hub.example", &[7, 91]].concat());
        let (answered, asked) = ask("socks5://p", "10.0.0.1", &[&[5, 0], &[5, 0, 0, 3, 1, b'x', 0, 0]]).await;
        assert_eq!((answered, asked[1].as_slice()), (Ok(()), &[5, 1, 0, 1, 10, 0, 0, 1, 7, 91][..]));
        let v6 = [&[5, 0, 0, 4][..], &[0; 18]].concat().leak();
        let answers: &'static [&'static [u8]] = Box::leak(Box::new([&[5_u8, 0][..], &*v6]));
        let (answered, asked) = ask("socks5://p", "2001:db8::1", answers).await;
        assert_eq!((answered, asked[1][3], asked[1].len()), (Ok(()), 4, 22));
    }

    #[tokio::test]
    async fn it_signs_in_where_that_is_wanted() {
        let (answered, asked) = ask("socks5://me:p%40ss@p", "a", &[&[5, 2], &[1, 0], DONE]).await;
        assert_eq!(answered, Ok(()));
        assert_eq!(asked[0], [5, 2, 0, 2]);
        assert_eq!(asked[1], [&[1, 2][..], b"me", &[4], b"p@ss"].concat());
        let refused = ask("socks5://me:x@p", "a", &[&[5, 2], &[1, 1]]).await.0;
        assert_eq!(refused, Err(ProxyProblem::WantsLogin { was_told: true }));
        let (answered, asked) = ask("socks5://me:x@p", "a", &[&[5, 0], DONE]).await;
        assert_eq!((answered, asked.len()), (Ok(()), 2), "it is not told where it doesn't ask");
        let none = Err(ProxyProblem::WantsLogin { was_told: false });
        assert_eq!(ask("socks5://p", "a", &[&[5, 0xFF]]).await.0, none);
        assert_eq!(ask("socks5://p", "a", &[&[5, 2]]).await.0, none);
        let other = ask("socks5://me:x@p", "a", &[&[5, 0xFF]]).await.0;
        assert!(matches!(other, Err(ProxyProblem::UnknownLogin { .. })));
    }

    #[tokio::test]
    async fn refusals_say_what_is_wrong() {
        let reply = |reply: &'static [u8]| async move {
            let answers: &'static [&'static [u8]] = Box::leak(Box::new([&[5_u8, 0][..], reply]));
            ask("socks5://p", "a", answers).await.0
        };
        let host = || "a:1883".to_owned();
        let forbids = reply(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        assert_eq!(forbids, Err(ProxyProblem::Forbids { host: host(), code: 2 }));
        let no_way = reply(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        assert_eq!(no_way, Err(ProxyProblem::NoWay { host: host(), code: 4 }));
        for odd in [&[4_u8, 0, 0, 1][..], &[5, 77, 0, 1], &[5, 0, 0, 9], &[5]] {
            assert!(matches!(reply(odd).await, Err(ProxyProblem::NotAProxy { .. })), "{odd:?}");
        }
        let http = ask("socks5://p", "a", &[b"HTTP/1.1 400 Bad Request\r\n\r\n"]).await.0;
        assert_eq!(http, Err(ProxyProblem::WrongKind { kind: ProxyKind::Http }));
        let other = ask("socks5://p", "a", &[b"SSH-2.0"]).await.0;
        assert!(matches!(other, Err(ProxyProblem::NotAProxy { .. })));
    }
}
