"""WebSocket servers that speak no protocol, on Python's websockets: what plain WebSocket has to live with.

    /usr/bin/python3 tests/real/plain_servers.py [FOLDER]

Prints one line of JSON once they listen on free ports, and serves until it is ended: `ws` and `wss` are their URLs,
`ca` is the file with the authority to trust for `wss`, made anew in FOLDER (a temporary one). One path is one server:

    /echo               sends back what it gets; would agree to permessage-deflate
    /bye                says "Welcome!", answers one message with "You said: ...", and closes with 1000 "Bye!"
    /drop, /reset       say "Welcome!" and at the first message end the connection without a close frame (FIN, RST)
    /close/CODE         says "Welcome!" and closes with that code and a reason; /close/none without a code
    /frames             sends the frames of FRAMES, then echoes
    /subprotocol        wants the subprotocol "v1.chat", else 400; says which was chosen, then echoes
    /subprotocol/other  agrees to a subprotocol that nobody offered
    /basic              wants alice with "open sesame", else 401; then echoes
    /headers            says the request's headers as JSON, then echoes
    /deaf               never reads
    /sink               reads and never says anything
    /flood              sends numbered messages as fast as they are taken
    /chat               passes messages of its own form on to everybody, and sends a device's readings in between
    /ping               sends a ping and says "alive" once that is answered; then echoes
"""

import asyncio
import base64
import json
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
from http import HTTPStatus

import websockets
from websockets.legacy.server import WebSocketServerProtocol, serve

CHATTERS = set()
USER, PASSWORD = "alice", "open sesame"
SUBPROTOCOL = "v1.chat"
REASONS = {1000: "Bye!", 1011: "internal error", 4001: "kicked: 규칙 위반"}
FRAMES = [
    b"\x00\x01\xfe\xff binary",
    "안녕하세요, 한글 메시지입니다. 🦀",
    "control \x00\x07\x08\x1b\x7f\x85 characters\r\nand lines",
    "bidi \u202eevil\u202c \u2066isolated\u2069",
    "terminal \x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    b"",
    "",
    '{"json":{"nested":[1,2,{"deep":"가"}]}}',
]


class Server(WebSocketServerProtocol):
    """Refuses at the handshake where a path asks for it."""

    async def process_request(self, path, headers):
        self.request = headers
        if path == "/basic":
            wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if headers.get("Authorization") != wanted:
                return HTTPStatus.UNAUTHORIZED, [("WWW-Authenticate", 'Basic realm="plain", charset="UTF-8"')], b"no\n"
        if path == "/subprotocol" and SUBPROTOCOL not in offered(headers):
            return HTTPStatus.BAD_REQUEST, [], b"the subprotocol v1.chat is needed\n"
        if path.split("/")[1] not in ENDPOINTS:
            return HTTPStatus.NOT_FOUND, [], b"no such server\n"
        return None

    def process_subprotocol(self, headers, available):
        path = self.path
        if path == "/subprotocol":
            return SUBPROTOCOL
        return "x.other" if path == "/subprotocol/other" else None


def offered(headers):
    values = headers.get_all("Sec-WebSocket-Protocol")
    return [name.strip() for value in values for name in value.split(",")]


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def bye(socket):
    await socket.send("Welcome!")
    message = await socket.recv()
    await socket.send(f"You said: {message}")
    await socket.close(1000, REASONS[1000])


async def drop(socket):
    await socket.send("Welcome!")
    await socket.recv()
    socket.transport.close()
    await socket.wait_closed()


async def reset(socket):
    await socket.send("Welcome!")
    await socket.recv()
    socket.transport.abort()
    await socket.wait_closed()


async def close(socket):
    await socket.send("Welcome!")
    code = socket.path.split("/")[2]
    if code == "none":
        # The library has no way to leave the code out.
        socket.transport.write(b"\x88\x00")
        await socket.wait_closed()
    else:
        await socket.close(int(code), REASONS.get(int(code), "code " + code))


async def frames(socket):
    for frame in FRAMES:
        await socket.send(frame)
    await echo(socket)


async def subprotocol(socket):
    await socket.send(f"chosen: {socket.subprotocol}")
    await echo(socket)


async def headers(socket):
    await socket.send(json.dumps(dict(socket.request.raw_items())))
    await echo(socket)


async def deaf(socket):
    socket.transport.pause_reading()
    await asyncio.Event().wait()


async def sink(socket):
    async for _ in socket:
        pass


async def flood(socket):
    number = 0
    while True:
        await socket.send(f"message {number}")
        number += 1


async def chat(socket):
    CHATTERS.add(socket)
    try:
        await socket.send(json.dumps({"type": "message", "data": {"user": "jun", "text": "안녕!"}}))
        await socket.send(json.dumps({"type": "sensor", "device": "shed", "temperature": 21.5, "door": True}))
        await socket.send(json.dumps({"type": "config", "tags": ["a"]}))
        async for message in socket:
            websockets.broadcast(CHATTERS, message)
    finally:
        CHATTERS.discard(socket)


async def ping(socket):
    await (await socket.ping())
    await socket.send("alive")
    await echo(socket)


ENDPOINTS = {
    "echo": echo,
    "bye": bye,
    "drop": drop,
    "reset": reset,
    "close": close,
    "frames": frames,
    "subprotocol": subprotocol,
    "basic": echo,
    "headers": headers,
    "deaf": deaf,
    "sink": sink,
    "flood": flood,
    "chat": chat,
    "ping": ping,
}


async def handle(socket, path=None):
    try:
        await ENDPOINTS[socket.path.split("/")[1]](socket)
    except websockets.ConnectionClosed:
        pass


def make_certificate(folder):
    """An authority, and a certificate of it for localhost. Returns the authority's file and the server's context."""

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", 2, "-subj", "/CN=Private CA",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "server.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "server.crt", "-days", 2, "-extfile", "server.ext")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return folder / "ca.crt", context


async def main(folder):
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    authority, context = make_certificate(folder)
    # No pings but those of /ping; a connection that does not answer stays open.
    options = {"create_protocol": Server, "ping_interval": None, "close_timeout": 2}
    plain = await serve(handle, "127.0.0.1", 0, **options)
    secure = await serve(handle, "127.0.0.1", 0, ssl=context, **options)
    ports = [server.sockets[0].getsockname()[1] for server in (plain, secure)]
    urls = {"ws": f"ws://127.0.0.1:{ports[0]}", "wss": f"wss://localhost:{ports[1]}", "ca": str(authority)}
    print(json.dumps({"server": f"websockets {websockets.__version__}", **urls}), flush=True)
    await ended.wait()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(pathlib.Path(sys.argv[1]).resolve()))
    else:
        with tempfile.TemporaryDirectory(prefix="plain-servers-") as temporary:
            asyncio.run(main(pathlib.Path(temporary)))
