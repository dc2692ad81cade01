"""duplexctl at servers that others wrote and that speak STOMP: RabbitMQ over WebSocket, TCP and TLS, and a SockJS endpoint of npm's
sockjs in front of it, as Spring Boot has one.

Needs rabbitmq-server and openssl of the system, and npm.
"""

import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from rabbit import Rabbit, free_ports

HERE = pathlib.Path(__file__).resolve().parent
DUPLEXCTL = os.environ["DUPLEXCTL"]
FOLDER = pathlib.Path(os.environ["REAL_DIR"])
PATIENCE = 90
SOCKJS = "0.3.24"


def ctl(*words, password="guest"):
    """Runs the console. Returns its exit code and what it printed."""
    environment = {**os.environ, "DUPLEX_PASSWORD": password, "HOME": str(FOLDER)}
    done = subprocess.run([DUPLEXCTL, *words], capture_output=True, text=True, timeout=PATIENCE, env=environment)
    return done.returncode, done.stdout, done.stderr


class Tail:
    """A running `tail --json`; its messages, by text."""

    def __init__(self, url, *words, user="guest"):
        command = [DUPLEXCTL, "tail", url, "--protocol", "stomp", "--login", user, "--json", *words]
        environment = {**os.environ, "DUPLEX_PASSWORD": "guest", "HOME": str(FOLDER)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.lines, self.news = [], threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(json.loads(line))
                self.news.notify_all()

    def until(self, is_so):
        with self.news:
            assert self.news.wait_for(lambda: is_so(self.lines), PATIENCE), self.lines

    def online(self):
        self.until(lambda lines: any(line.get("state") == "online" for line in lines))
        return self

    def bodies(self):
        return [line["body"] for line in self.lines if line["event"] == "message"]

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def send(url, destination, text, *words, password="guest"):
    stomp = ["--protocol", "stomp", "--login", "guest", "--destination", destination]
    return ctl("send", url, text, *stomp, *words, password=password)


def a_conversation(url, *words):
    """What one sends, the other gets, once and as it was."""
    tail = Tail(url, "--destination", "/topic/real", *words).online()
    texts = ["안녕 🦀", "line\nbreak", 'quotes "and" \\ backslashes', "x" * 60_000]
    # A subscription may be a moment later than the connection.
    deadline = time.monotonic() + PATIENCE
    while not tail.bodies() and time.monotonic() < deadline:
        assert send(url, "/topic/real", "ready?", *words)[0] == 0
        time.sleep(0.2)
    for text in texts:
        assert send(url, "/topic/real", text, *words)[0] == 0, text[:20]
    tail.until(lambda lines: any(line.get("body") == texts[-1] for line in lines))
    assert [body for body in tail.bodies() if body != "ready?"] == texts
    tail.end()


def readings_and_a_sender(url):
    tail = Tail(url, "--destination", "/topic/shed", "--destination", "/topic/talk").online()
    deadline = time.monotonic() + PATIENCE
    while not any(line["event"] == "reading" for line in tail.lines) and time.monotonic() < deadline:
        assert send(url, "/topic/shed", '{"temperature": 21.5}')[0] == 0
        time.sleep(0.2)
    assert any(line["event"] == "reading" and line["value"] == 21.5 for line in tail.lines), tail.lines
    assert send(url, "/topic/talk", '{"username": "jun", "message": "hi"}')[0] == 0
    tail.until(lambda lines: any(line.get("sender") == "jun" and line.get("body") == "hi" for line in lines))
    tail.end()


def refusals(web, tcp):
    for url in (web, tcp):
        code, _, said = send(url, "/topic/a", "x", password="wrong")
        assert code == 3 and "Access refused" in said, said
        code, _, said = send(url, "/topic/a", "x", "--host", "nowhere")
        assert code == 3 and "nowhere" in said, said
        code, _, said = send(url, "/bogus/a", "x")
        assert code == 3 and "/bogus/a" in said, said
        code, _, said = ctl(
            "tail", url, "--protocol", "stomp", "--login", "guest", "--destination", "/exchange/none/x", "--json"
        )
        assert code == 3 and "/exchange/none/x" in said, said
        code, _, said = send(url, "/exchange/none/x", "x", "--timeout", "60s")
        assert code == 3, said


def a_queue_is_not_read_by_sending(url):
    queue = "/queue/work | x-queue-type: quorum | durable: true | auto-delete: false"
    for text in ("one", "two"):
        assert send(url, queue, text)[0] == 0
    tail = Tail(url, "--destination", queue, "--count", "2")
    tail.until(lambda lines: len([line for line in lines if line["event"] == "message"]) == 2)
    assert tail.bodies() == ["one", "two"] and tail.process.wait(PATIENCE) == 0
    # Both were acknowledged once they had been read.
    tail = Tail(url, "--destination", queue).online()
    assert send(url, queue, "three")[0] == 0
    tail.until(lambda lines: any(line["event"] == "message" for line in lines))
    assert tail.bodies() == ["three"], tail.lines
    tail.end()


def sockjs(rabbit):
    """An endpoint as Spring Boot's `withSockJS()`: its root greets, its WebSocket is below."""
    modules = FOLDER / "npm"
    modules.mkdir(exist_ok=True)
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"sockjs@{SOCKJS}"]
    subprocess.run(install, cwd=modules, check=True, timeout=PATIENCE)
    [port] = free_ports(1)
    environment = {**os.environ, "NODE_PATH": str(modules / "node_modules")}
    command = ["node", HERE / "sockjs_broker.mjs", str(port), str(rabbit.stomp)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=modules)
    try:
        assert server.stdout.readline().strip() == "ready"
        a_conversation(f"ws://127.0.0.1:{port}/ws")
    finally:
        server.kill()
        server.wait(PATIENCE)


def main():
    rabbit = Rabbit(FOLDER / "rabbit", tls=True)
    rabbit.start()
    try:
        web, tcp = rabbit.web_url(), rabbit.tcp_url()
        a_conversation(web)
        a_conversation(tcp)
        a_conversation(rabbit.tls_url(), "--ca-file", str(rabbit.ca))
        readings_and_a_sender(web)
        refusals(web, tcp)
        a_queue_is_not_read_by_sending(web)
        sockjs(rabbit)
        print("RabbitMQ by WebSocket, TCP and TLS, and SockJS: all as promised")
    finally:
        rabbit.stop()


if __name__ == "__main__":
    sys.exit(main())
