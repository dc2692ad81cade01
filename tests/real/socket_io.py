"""Socket.IO's own servers: versions 2, 3 and 4 of npm's socket.io, and python-socketio, with the console and a page's client.

Installs them into a folder of its own: npm and pip must reach their registries. ROUNDS=N (20): how often a connection is
upgraded under traffic.
"""

import json
import os
import pathlib
import queue
import subprocess
import sys
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
WORK = pathlib.Path(os.environ["REAL_DIR"])
DUPLEXCTL = os.environ["DUPLEXCTL"]
ROUNDS = int(os.environ.get("ROUNDS", "20"))
PATIENCE = 60
NODE = WORK / "node"
PYTHON = WORK / "python"
VERSIONS = {"io4": "socket.io@4", "io3": "socket.io@3", "io2": "socket.io@2"}


def install():
    NODE.mkdir()
    aliases = [f"{name}@npm:{package}" for name, package in VERSIONS.items()]
    run(["npm", "init", "-y"], NODE)
    run(["npm", "install", "--no-audit", "--no-fund", "socket.io-client@4", *aliases], NODE)
    run([sys.executable, "-m", "pip", "install", "--quiet", "--target", PYTHON, "python-socketio", "aiohttp"], WORK)


def run(command, folder):
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


class Process:
    """A program whose lines are read as they come."""

    def __init__(self, command, **environment):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, text=True,
            env={**os.environ, **environment},
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self, patience=PATIENCE):
        line = self.lines.get(timeout=patience)
        assert line is not None, f"{self.process.args} has ended"
        return line

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def server(version, transports="polling,websocket", recovery=""):
    if version == "python":
        return Process([sys.executable, HERE / "socketio_server.py"], PYTHONPATH=str(PYTHON))
    command = ["node", HERE / "socketio_server.js", version, transports, recovery]
    return Process(command, NODE_PATH=str(NODE / "node_modules"))


class Tail(Process):
    """`duplexctl tail --json`, once it is online."""

    def __init__(self, url, *flags):
        super().__init__([DUPLEXCTL, "tail", url, "--protocol", "socketio", "--json", *flags])
        self.until(lambda event: event.get("state") == "online")

    def until(self, fits):
        """The next event that fits."""
        while True:
            event = json.loads(self.line())
            if fits(event):
                return event

    def message(self):
        return self.until(lambda event: event["event"] == "message")

    def texts(self, count):
        return [self.message()["body"] for _ in range(count)]


def send(url, text, *flags):
    command = [DUPLEXCTL, "send", url, text, "--protocol", "socketio", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


def sent(url, text, *flags, code=0):
    done = send(url, text, *flags)
    assert done.returncode == code, f"{done.returncode}: {done.stderr}"
    return done.stderr


def post(url, path, value=None):
    request = urllib.request.Request(url + path, data=json.dumps(value).encode(), method="POST")
    urllib.request.urlopen(request, timeout=PATIENCE).read()


def stats(url):
    return json.loads(urllib.request.urlopen(url + "/stats", timeout=PATIENCE).read())


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def everybody_hears_everybody(version):
    """Two consoles and a page, each message once; the console's and the page's."""
    with server(version) as running:
        url = f"http://127.0.0.1:{running.line()}"
        with Tail(url) as first, Tail(url, "--transport", "polling") as second:
            sent(url, "from the console")
            for reader in (first, second):
                same(reader.texts(1), ["from the console"])
            sent(url, "안녕하세요 🦀", "--transport", "polling-first")
            for reader in (first, second):
                same(reader.texts(1), ["안녕하세요 🦀"])
            if version == "io4":
                with Process(["node", HERE / "socketio_client.js", url], NODE_PATH=str(NODE / "node_modules")) as page:
                    same(json.loads(page.line()), {"connected": True})
                    page.say("from the page")
                    same(json.loads(page.line()), {"heard": "from the page"})
                    for reader in (first, second):
                        same(reader.texts(1), ["from the page"])
                    sent(url, "to the page")
                    same(json.loads(page.line()), {"heard": "to the page"})
                    for reader in (first, second):
                        same(reader.texts(1), ["to the page"])
        if version in ("io4", "io3", "python"):
            said = sent(url, "x", "--auth", '{"token": "bad"}', code=3)
            assert "not authorized" in said, said
        if version in ("io4", "io3"):
            sent(url, "nobody answers", "--event", "silent", code=6)
            sent(url, "x", "--namespace", "/nowhere", code=3)


def a_namespace(version):
    with server(version) as running:
        url = f"http://127.0.0.1:{running.line()}"
        with Tail(url, "--namespace", "/chat") as reader:
            message = reader.message()
            same((message["sender"], message["body"]), ("mina", "welcome to /chat"))


def one_transport(transport):
    with server("io4", transport) as running:
        url = f"http://127.0.0.1:{running.line()}"
        with Tail(url) as reader:
            sent(url, "hello")
            same(reader.texts(1), ["hello"])
            same(set(stats(url)["transports"]), {transport})


def an_upgrade_under_traffic(version):
    """From polling to WebSocket while messages come: none is lost, none twice."""
    with server(version) as running:
        url = f"http://127.0.0.1:{running.line()}"
        for number in range(ROUNDS):
            with Tail(url, "--transport", "polling-first") as reader:
                for count in range(100):
                    post(url, "/emit", f"{number}.{count}")
                same(reader.texts(100), [f"{number}.{count}" for count in range(100)])
                deadline = time.monotonic() + PATIENCE
                while stats(url)["transports"] != ["websocket"]:
                    assert time.monotonic() < deadline, stats(url)
                    time.sleep(0.05)
            while stats(url)["clients"]:
                time.sleep(0.05)


def what_was_missed(recovery):
    """The connection is cut: what is said meanwhile comes, or it is said that something may be missing."""
    with server("io4", recovery=recovery) as running:
        url = f"http://127.0.0.1:{running.line()}"
        with Tail(url) as reader:
            sent(url, "before")
            same(reader.texts(1), ["before"])
            post(url, "/drop")
            for number in range(5):
                post(url, "/emit", f"missed {number}")
            reader.until(lambda event: event.get("state") == "online")
            sent(url, "after")
            if recovery:
                same(reader.texts(6), [*(f"missed {number}" for number in range(5)), "after"])
            else:
                gap, after = reader.texts(2)
                assert "may be missing" in gap, gap
                same(after, "after")


def main():
    install()
    for version in (*VERSIONS, "python"):
        everybody_hears_everybody(version)
        print(f"{version}: everybody hears everybody", flush=True)
    for version in VERSIONS:
        a_namespace(version)
    one_transport("websocket")
    one_transport("polling")
    print("namespaces and single transports", flush=True)
    for version in VERSIONS:
        an_upgrade_under_traffic(version)
    print(f"{ROUNDS} upgrades under traffic at each", flush=True)
    what_was_missed("1")
    what_was_missed("")
    print("outages", flush=True)


main()
