"""duplexctl at WebSocket servers that others wrote and that know nothing of Duplex: Python's websockets and npm's ws."""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
DUPLEXCTL = os.environ["DUPLEXCTL"]
FOLDER = pathlib.Path(os.environ["REAL_DIR"])
# Longer than a ping's answer may take; a command that is not done by then hangs.
PATIENCE = 90
NASTY = [
    "안녕하세요, 한글 메시지입니다. 🦀",
    "control \x00\x07\x08\x1b\x7f\x85 characters\r\nand lines",
    "bidi \u202eevil\u202c \u2066isolated\u2069",
    "terminal \x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    "",
    '{"json":{"nested":[1,2,{"deep":"가"}]}}',
]


def start(*command):
    """Starts a program that prints a line of JSON once it is ready. Returns it and what it printed."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = program.stdout.readline()
    if not line:
        sys.exit(f"{' '.join(command)} ended with {program.wait()}")
    return program, json.loads(line)


def run(command, url, *more, code, says=(), environment=None):
    """Runs a command and checks its exit code and what it says on standard error. Returns standard output, as lines."""
    words = [DUPLEXCTL, command, url, "--protocol", "websocket", *more]
    # None of these servers is to get the token.
    given = {**os.environ, "HOME": str(FOLDER), "DUPLEX_TOKEN": "t0ken-of-another-server", **(environment or {})}
    done = subprocess.run(words, capture_output=True, timeout=PATIENCE, env=given, stdin=subprocess.DEVNULL)
    out, said = done.stdout.decode(), done.stderr.decode()
    missing = [sentence for sentence in says if sentence not in said]
    if done.returncode not in (code if isinstance(code, tuple) else (code,)) or missing:
        sys.exit(f"{' '.join(words[1:])}: exit {done.returncode} instead of {code}, without {missing}\n{out}{said}")
    return out.splitlines()


def tail(url, *more, code=0, **rest):
    return run("tail", url, "--no-reconnect", *more, code=code, **rest)


def messages(lines):
    """The texts and bytes of JSON lines, and what they say of the socket."""
    events = [json.loads(line) for line in lines]
    came = [event.get("text", event.get("hex")) for event in events if event["event"] == "message"]
    return came, [event for event in events if event["event"] == "socket"]


def check(server):
    url = server["ws"]

    def send(path, *more, code=6, says=("sent, unconfirmed",), **rest):
        return run("send", url + path, *more, code=code, says=says, **rest)

    step("what a server sends back, swallows or answers with goodbye was sent, unconfirmed")
    for path in ("/echo", "/sink", "/bye", "/frames", "/ping"):
        send(path, "hello, 세상")
    send("/echo", "--hex", "00 01 fe ff")
    step("nothing is known of a message whose connection ends with it")
    # Their greeting may come before the message has left or after it, and then counts as a word of the server's.
    for path in ("/drop", "/reset"):
        send(path, "hello", code=(5, 6), says=())
    send("/deaf", "hello", "--timeout", "3s", code=5, says=("said nothing since",))

    step("every frame is printed as it came, and harmless")
    count = str(len(NASTY) + 2)
    came, socket = messages(run("tail", url + "/frames", "--json", "--count", count, code=0))
    assert came[0].startswith("0001feff"), came
    assert [text for text in came[1:] if text != ""] == [text for text in NASTY if text], came
    assert len(came) == len(NASTY) + 2 and socket[0]["is"] == "opened", (came, socket)
    lines = run("tail", url + "/frames", "--count", count, code=0)
    text = "\n".join(lines)
    assert "00 01 fe ff" in text and "[31mred" in text and "안녕하세요" in text, text
    assert not any(sign in text for sign in "\x1b\x07\x08\x00\x85\u202e\u2066"), text
    step("a flood is printed until the count is there")
    flood = run("tail", url + "/flood", "--count", "20000", code=0)
    assert len(flood) == 20000 and flood[-1].endswith("message 19999"), (len(flood), flood[-1])

    step("how a connection ended is told, and gives the exit code")
    for path, code, says, name in (
        ("/close/1000", 0, "1000 (normal closure), clean. It said: Bye!", "normal closure"),
        ("/close/1001", 0, "1001 (going away)", "going away"),
        ("/close/none", 0, "1005 (no code)", "no code"),
        ("/close/4001", 1, "4001 (the server's own code), clean. It said: kicked: 규칙 위반", "the server's own code"),
        ("/close/1011", 1, "1011 (internal error), clean. It said: internal error", "internal error"),
    ):
        lines = tail(url + path, code=code, says=("connected", "closed by the server: " + says))
        assert len(lines) == 1 and lines[0].endswith("text: Welcome!"), lines
        came, socket = messages(tail(url + path, "--json", code=code))
        assert came == ["Welcome!"] and [event["is"] for event in socket] == ["opened", "closed"], socket
        assert socket[1]["meaning"] == name and socket[1]["by"] == "server" and socket[1]["clean"], socket

    step("a subprotocol that is needed")
    tail(url + "/subprotocol", code=3, says=("HTTP 400", "--subprotocol"))
    wanted = ("--subprotocol", "v9", "--subprotocol", "v1.chat", "--count", "1")
    lines = tail(url + "/subprotocol", *wanted, says=("connected, subprotocol v1.chat",))
    assert lines[0].endswith("chosen: v1.chat"), lines
    tail(url + "/echo", "--subprotocol", "v1.chat", code=3, says=("none of the subprotocols offered",))
    step("a user and a password")
    with_user = url.replace("ws://", "ws://alice:open%20sesame@") + "/basic"
    password = {"DUPLEX_PASSWORD": "open sesame"}
    run("send", url + "/basic", "hi", "--user", "alice", code=6, environment=password)
    run("send", with_user, "hi", code=6)
    run("send", url + "/basic", "hi", "--user", "alice", code=3, says=("HTTP 401", "--user"))
    run("send", url + "/basic", "hi", code=3, says=("HTTP 401",), environment=password)
    step("headers, and no token")
    given = ("--header", "X-Room: 7", "--header", "Origin: https://a.example")
    (said,), _ = messages(tail(url + "/headers", "--json", "--count", "1", *given))
    got = {name.lower(): value for name, value in json.loads(said).items()}
    assert got["x-room"] == "7" and got["origin"] == "https://a.example" and "authorization" not in got, got
    if server.get("wss"):
        recognized(url + "/chat")
    step("a path that is none")
    run("send", url + "/nowhere", "hi", code=3, says=("no WebSocket at this path", "HTTP 404"))
    if server.get("wss"):
        step("a private authority")
        run("send", server["wss"] + "/echo", "hi", "--ca-file", server["ca"], code=6)
        run("send", server["wss"] + "/echo", "hi", code=3, says=("certificate", "--ca-file"))


def recognized(url):
    step("chat and readings are recognized on request, and what is neither is printed as it came")
    events = [json.loads(line) for line in run("tail", url, "--recognize", "--json", "--count", "2", code=0)]
    said = [(event["sender"], event["body"]) for event in events if event["event"] == "message"]
    assert said[0] == ("jun", "안녕!") and json.loads(said[1][1]) == {"type": "config", "tags": ["a"]}, events
    values = [(event["device"], event["metric"], event["value"]) for event in events if event["event"] == "reading"]
    assert sorted(values) == [("shed", "door", True), ("shed", "temperature", 21.5)], events
    step("what is sent is as the mapping says, and is confirmed by coming back, unless something else came first")
    mapping = FOLDER / "mapping.json"
    document = {"name": "mina", "send": {"to": "say", "args": [{"type": "message", "data": {"user": "{name}", "text": "{text}"}}]}}
    mapping.write_text(json.dumps(document))
    with_chat = subprocess.Popen(
        [DUPLEXCTL, "tail", url, "--protocol", "websocket", "--recognize", "--json", "--count", "3"],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        line = ""
        while "config" not in line:
            line = with_chat.stdout.readline()
            assert line, "it ended before anything came"
        run("send", url, "hello", "--map", str(mapping), code=(0, 6))
        (event,) = [json.loads(line) for line in with_chat.stdout]
        assert (event["sender"], event["body"]) == ("mina", "hello"), event
    finally:
        with_chat.kill()
    run("send", url, "hello", "--recognize", "--hex", code=2, says=("--hex sends bytes as they are",))


def step(what):
    print("--", what, flush=True)


programs = []
try:
    for command in (["/usr/bin/python3", str(HERE / "plain_servers.py"), str(FOLDER)], ["node", str(HERE / "plain_ws.mjs")]):
        program, said = start(*command)
        programs.append(program)
        print("server:", said["server"], flush=True)
        check(said)
finally:
    for program in programs:
        program.terminate()
        program.wait(10)
