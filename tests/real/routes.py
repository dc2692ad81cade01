#!/usr/bin/python3
"""nginx before a hub: as it comes, it passes no WebSockets on; with other settings it holds responses back, or cuts what is idle. The
console ends on the best transport left and says the true reason, and gets every message once and in order while the hub is restarted."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

PATIENCE = 120
MESSAGES = int(os.environ.get("ROUTES_MESSAGES", "30"))
CONTROL = os.environ["DUPLEXCTL"]
FOLDER = pathlib.Path(os.environ["REAL_DIR"]).resolve()

running = []


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(name, *words):
    out, err = open(FOLDER / f"{name}.out", "a"), open(FOLDER / f"{name}.err", "a")
    process = subprocess.Popen([str(word) for word in words], stdout=out, stderr=err, start_new_session=True)
    running.append(process)
    return process


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    running.remove(process)


def until(what, ask):
    end = time.monotonic() + PATIENCE
    while not (found := ask()):
        if time.monotonic() > end:
            raise AssertionError(f"waited for {what}")
        time.sleep(0.05)
    return found


def listens(port):
    def ask():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    until(f"port {port}", ask)


class Hub:
    def __init__(self):
        self.port, self.data = free_port(), FOLDER / "hub"
        self.start()

    def start(self):
        self.process = start("hub", CONTROL, "hub", "--listen", f"127.0.0.1:{self.port}", "--data-dir", self.data)
        listens(self.port)

    def restart(self):
        stop(self.process)
        self.start()


# What nginx is told of each server, and the transports on which the console may end, with the reason.
SERVERS = {
    "as it comes": ("", ["sse"], "stripped"),
    "buffering": ("proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;", ["longpoll"], "stripped"),
    "impatient": (
        "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
        " proxy_read_timeout 2s;",
        ["longpoll", "sse"],
        "cut",
    ),
}


def nginx(hub):
    folder = FOLDER / "nginx"
    folder.mkdir()
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    )
    ports, servers = {}, ""
    for name, (settings, _, _) in SERVERS.items():
        ports[name] = free_port()
        servers += f"""server {{ listen 127.0.0.1:{ports[name]}; location / {{
            proxy_pass http://127.0.0.1:{hub.port}; {settings} }} }}\n"""
    text = f"""pid {folder}/pid; error_log {folder}/error.log; events {{}}
        http {{ access_log {folder}/access.log; {paths} {servers} }}"""
    (folder / "nginx.conf").write_text(text)
    start("nginx", shutil.which("nginx") or "/usr/sbin/nginx", "-c", folder / "nginx.conf", "-g", "daemon off;")
    for port in ports.values():
        listens(port)
    return ports


def lines(name):
    path = FOLDER / f"{name}.out"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def messages(name):
    return [line["body"] for line in lines(name) if line["event"] == "message"]


def main():
    if not (shutil.which("nginx") or pathlib.Path("/usr/sbin/nginx").exists()):
        print("left out: there is no nginx here")
        return
    hub = Hub()
    ports = nginx(hub)
    token = hub.data / "token"
    for name, port in ports.items():
        start(name, CONTROL, "tail", f"ws://127.0.0.1:{port}", "--token-file", token, "--json", "--since", "0")
    for name, (_, wanted, reason) in SERVERS.items():

        def ends(name=name, wanted=wanted, reason=reason):
            links = [line for line in lines(name) if line["event"] == "link" and line["state"] == "online"]
            found = links and links[-1]["transport"] in wanted and links[-1]["websocket_blocked"] == reason
            return links[-1] if found else None

        link = until(f"nginx {name}: {wanted}, {reason}", ends)
        print(f"-- nginx {name}: {link['transport']}, WebSocket {link['websocket_blocked']}", flush=True)
    expected = [f"number {number}" for number in range(MESSAGES)]
    for number, body in enumerate(expected):
        subprocess.run(
            [CONTROL, "send", f"ws://127.0.0.1:{ports['as it comes']}", "--token-file", str(token), "--room", "general", body],
            check=True,
            timeout=PATIENCE,
        )
        if number % 10 == 9:
            hub.restart()
    for name in SERVERS:
        until(f"nginx {name}: all messages", lambda: len(messages(name)) >= MESSAGES)
        assert messages(name) == expected, f"nginx {name}: {messages(name)}"
    print(f"-- {MESSAGES} messages through each, {MESSAGES // 10} restarts of the hub: each once and in order")


try:
    main()
    print("PASSED")
finally:
    for process in running:
        process.kill()
sys.exit(0)
