#!/usr/bin/python3
"""Real proxies. A network namespace has no way out but a proxy: Squid (HTTP CONNECT, without and with a password) or microsocks
(SOCKS 5, the same). From it the console reaches a hub, an MQTT and a STOMP server, whichever way the proxy is named. Squid as Debian
configures it tunnels to port 443 alone, which is said, and nginx as it comes passes no WebSockets on. Needs root; left out without."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

PATIENCE = 60
CONTROL = os.environ["DUPLEXCTL"]
FOLDER = pathlib.Path(os.environ["REAL_DIR"]).resolve()
NUMBER = os.getpid() % 200 + 20
INSIDE, OUTSIDE = f"10.231.{NUMBER}.2", f"10.231.{NUMBER}.1"
SERVERS = f"10.232.{NUMBER}.1"  # the namespace has no route to it
SPACE = f"duplex-{os.getpid()}"
HUB, SECURE_HUB, MQTT, STOMP = 7870, 443, 1883, 61613
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

running = []
undo = []


def step(text):
    print("--", text, flush=True)


def run(*words, check=True, **options):
    return subprocess.run(list(map(str, words)), check=check, capture_output=True, text=True, timeout=PATIENCE, **options)


def start(name, *words, **options):
    log = open(FOLDER / f"{name}.log", "a")
    process = subprocess.Popen(list(map(str, words)), stdout=log, stderr=log, start_new_session=True, **options)
    running.append(process)
    return process


def stop(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    running.remove(process)


def until(what, ask, patience=PATIENCE):
    end = time.monotonic() + patience
    while True:
        found = ask()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited for {what}")
        time.sleep(0.05)


def listens(host, port):
    def ask():
        try:
            socket.create_connection((host, port), 1).close()
            return True
        except OSError:
            return False

    until(f"{host}:{port}", ask)


def make_network():
    def ip(*words):
        run("ip", *words)

    ip("netns", "add", SPACE)
    undo.append(lambda: run("ip", "netns", "del", SPACE, check=False))
    here, there = f"dxh{NUMBER}", f"dxn{NUMBER}"
    ip("link", "add", here, "type", "veth", "peer", "name", there)
    undo.append(lambda: run("ip", "link", "del", here, check=False))
    ip("link", "set", there, "netns", SPACE)
    ip("addr", "add", f"{OUTSIDE}/30", "dev", here)
    ip("link", "set", here, "up")
    ip("netns", "exec", SPACE, "ip", "addr", "add", f"{INSIDE}/30", "dev", there)
    ip("netns", "exec", SPACE, "ip", "link", "set", there, "up")
    ip("netns", "exec", SPACE, "ip", "link", "set", "lo", "up")
    ip("addr", "add", f"{SERVERS}/32", "dev", "lo")
    undo.append(lambda: run("ip", "addr", "del", f"{SERVERS}/32", "dev", "lo", check=False))


def environment(proxy):
    clean = {"HOME": str(FOLDER / "home"), "PATH": PATH}
    return clean | proxy


def inside(words, proxy={}, check=True):
    """The console in the namespace; `proxy`: variables of the environment."""
    return run("ip", "netns", "exec", SPACE, CONTROL, *words, check=check, env=environment(proxy))


def squid(name, port, text):
    folder = FOLDER / name
    folder.mkdir()
    os.chmod(FOLDER, 0o755)
    shutil.chown(folder, "proxy", "proxy")
    log = [f"pid_filename {folder}/pid", f"cache_log {folder}/cache.log", f"access_log stdio:{folder}/access.log"]
    (folder / "squid.conf").write_text("\n".join([text, f"http_port {OUTSIDE}:{port}", *log, "shutdown_lifetime 1 second", ""]))
    process = start(name, shutil.which("squid", path=PATH), "-N", "-f", folder / "squid.conf")
    listens(OUTSIDE, port)
    return process


OPEN = "acl inside src 10.0.0.0/8\n{}\nhttp_access deny all\ncache deny all\nvisible_hostname proxy"


class Stomp(threading.Thread):
    """A STOMP server that confirms what it is sent and returns it to whoever has subscribed."""

    def __init__(self):
        super().__init__(daemon=True, name="stomp")
        self.listener = socket.create_server((SERVERS, STOMP))
        self.got = []

    def run(self):
        while True:
            client, address = self.listener.accept()
            threading.Thread(target=self.serve, args=(client, address), daemon=True, name="stomp client").start()

    def serve(self, client, address):
        data = b""
        while True:
            try:
                more = client.recv(4096)
            except ConnectionResetError:
                return
            if not more:
                return
            data += more
            while b"\0" in data:
                frame, data = data.split(b"\0", 1)
                head, body = frame.lstrip(b"\r\n").split(b"\n\n", 1)
                command, *lines = head.decode().splitlines()
                headers = dict(line.split(":", 1) for line in lines)
                if command in ("CONNECT", "STOMP"):
                    client.sendall(b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0")
                if command == "SEND":
                    self.got.append((address[0], headers["destination"], body.decode()))
                if "receipt" in headers:
                    client.sendall(f"RECEIPT\nreceipt-id:{headers['receipt']}\n\n\0".encode())


# A desktop's portal that answers each question about proxies in the same way, and writes down what it was asked.
PORTAL = """
import sys
from gi.repository import Gio, GLib
interface = Gio.DBusNodeInfo.new_for_xml(
    "<node><interface name='org.freedesktop.portal.ProxyResolver'><method name='Lookup'>"
    "<arg type='s' direction='in'/><arg type='as' direction='out'/></method></interface></node>").interfaces[0]

def called(connection, sender, path, name, method, arguments, invocation):
    with open(sys.argv[1], "a") as asked:
        print(arguments.unpack()[0], file=asked)
    invocation.return_value(GLib.Variant("(as)", (sys.argv[2:],)))

def acquired(connection, name):
    connection.register_object("/org/freedesktop/portal/desktop", interface, called, None, None)

def owned(connection, name):
    open(sys.argv[1], "a").close()

Gio.bus_own_name(Gio.BusType.SESSION, "org.freedesktop.portal.Desktop", 0, acquired, owned, None)
GLib.MainLoop().run()
"""


def start_servers():
    def hub(name, *words):
        start(name, CONTROL, "hub", "--data-dir", FOLDER / name, *words, env=environment({}))
        url = until("the hub", lambda: re.search(r"^hub at (\S+)", (FOLDER / f"{name}.log").read_text(), re.M))[1]
        owner = json.loads(run(CONTROL, "people", "list", "--json", "--data-dir", FOLDER / name, env=environment({})).stdout)["id"]
        rotate = [CONTROL, "people", "token", "rotate", owner, "--data-dir", FOLDER / name]
        token = run(*rotate, env=environment({})).stdout.strip()
        (FOLDER / f"{name}.token").write_text(token)
        os.chmod(FOLDER / f"{name}.token", 0o600)
        return url

    plain = hub("hub", "--listen", f"{SERVERS}:{HUB}", "--insecure")
    hub("secure", "--listen", f"{SERVERS}:{SECURE_HUB}", "--tls-self-signed")
    link = run(CONTROL, "invite", "--data-dir", FOLDER / "secure", env=environment({})).stdout
    secure = f"wss://{SERVERS}:{SECURE_HUB}/v1/socket#sha256={re.search('sha256=([0-9a-f]{64})', link)[1]}"
    (FOLDER / "mosquitto.conf").write_text(f"listener {MQTT} {SERVERS}\nallow_anonymous true\nuser root\n")
    start("mosquitto", shutil.which("mosquitto", path=PATH), "-c", FOLDER / "mosquitto.conf")
    listens(SERVERS, MQTT)
    stomp = Stomp()
    stomp.start()
    return plain, secure, stomp


def send(url, hub, text, *words, proxy={}, check=True):
    return inside(
        ["send", url, "--room", "general", text, "--insecure", "--token-file", FOLDER / f"{hub}.token", *words], proxy, check
    )


def tail_and_send(url, hub, name, address, proxy):
    """A message goes out and comes back, through a connection that stays."""
    words = ["tail", url, "--room", "general", "--json", "--insecure", "--count", "1", "--token-file", FOLDER / f"{hub}.token"]
    log = FOLDER / f"tail-{name}.log"
    tail = start(f"tail-{name}", "ip", "netns", "exec", SPACE, CONTROL, *words, env=environment(proxy))
    until("tail to come online", lambda: '"state":"online"' in log.read_text())
    sent = send(url, hub, f"through {name}", proxy=proxy)
    assert f"connected through the proxy {address}" in sent.stderr, sent.stderr
    assert "secret-word" not in sent.stderr + log.read_text()
    assert tail.wait(PATIENCE) == 0
    running.remove(tail)
    assert f"through {name}" in log.read_text()


def everything_through(name, address, written, plain, secure, stomp):
    """All protocols, and all ways to name a proxy."""
    tail_and_send(plain, "hub", f"{name}-plain", address, {"HTTP_PROXY": written})
    tail_and_send(secure, "secure", f"{name}-secure", address, {"https_proxy": written})
    said = send(plain, "hub", "by an option", "--proxy", written).stderr
    assert f"connected through the proxy {address}\n" in said, said
    subscriber = start(f"sub-{name}", "mosquitto_sub", "-h", SERVERS, "-p", MQTT, "-t", f"{name}/#", "-C", "1", "-v", "-W", PATIENCE)
    # Until the subscription is there, what is published reaches nobody.
    while subscriber.poll() is None:
        inside(["publish", f"mqtt://{SERVERS}:{MQTT}", f"{name}/topic", "by MQTT", "--insecure"], {"ALL_PROXY": written})
        time.sleep(0.05)
    running.remove(subscriber)
    assert f"{name}/topic by MQTT" in (FOLDER / f"sub-{name}.log").read_text()
    words = ["send", f"stomp://{SERVERS}:{STOMP}", "--protocol", "stomp", "--destination", "/topic/x", "--insecure", f"by {name}"]
    inside(words, {"ALL_PROXY": written})
    assert [body for _, _, body in stomp.got].count(f"by {name}") == 1, stomp.got
    # The proxy itself, not the namespace, connects.
    assert INSIDE not in [source for source, _, _ in stomp.got]


def route_taken(url, name, *words):
    """The transport on which the console comes online."""
    log = FOLDER / f"route-{name}.log"
    words = ["tail", url, "--json", "--insecure", "--token-file", FOLDER / "hub.token", *words]
    tail = start(f"route-{name}", "ip", "netns", "exec", SPACE, CONTROL, *words, env=environment({}))
    lines = until("a transport", lambda: [line for line in log.read_text().splitlines() if '"state":"online"' in line])
    stop(tail)
    return json.loads(lines[0])["transport"]


def main():
    missing = [name for name in ("ip", "squid", "microsocks", "mosquitto", "nginx", "dbus-run-session") if not shutil.which(name, path=PATH)]
    assert not missing, f"not installed: {missing}; see packaging/setup.sh --tests"
    if os.geteuid() != 0:
        print("left out: only root can make networks of its own")
        return
    make_network()
    plain, secure, stomp = start_servers()
    step("without a proxy there is no way out")
    lost = send(plain, "hub", "lost", "--timeout", "2s", check=False)
    assert lost.returncode == 4, lost

    step("through Squid")
    free = squid("squid", 3128, OPEN.format("http_access allow inside"))
    address = f"http://{OUTSIDE}:3128"
    everything_through("squid", address, address, plain, secure, stomp)
    stop(free)

    step("through Squid with a password")
    hashed = run("openssl", "passwd", "-apr1", "secret-word").stdout.strip()
    (FOLDER / "passwords").write_text(f"jun:{hashed}\n")
    os.chmod(FOLDER / "passwords", 0o644)
    helper = "/usr/lib/squid/basic_ncsa_auth"
    login = f"auth_param basic program {helper} {FOLDER}/passwords\nacl known proxy_auth REQUIRED\nhttp_access allow inside known"
    guarded = squid("squid-login", 3129, OPEN.format(login))
    address = f"http://{OUTSIDE}:3129"
    everything_through("squid-login", address, f"http://jun:secret-word@{OUTSIDE}:3129", plain, secure, stomp)
    refused = send(plain, "hub", "no", "--proxy", address, check=False)
    assert refused.returncode == 3 and "asks for a user name and a password" in refused.stderr, refused
    refused = send(plain, "hub", "no", "--proxy", f"http://jun:wrong-word@{OUTSIDE}:3129", check=False)
    assert refused.returncode == 3 and "doesn't accept" in refused.stderr and "wrong-word" not in refused.stderr, refused
    stop(guarded)

    step("through SOCKS 5, without and with a password")
    socks = start("socks", "microsocks", "-i", OUTSIDE, "-p", "1080")
    listens(OUTSIDE, 1080)
    address = f"socks5://{OUTSIDE}:1080"
    everything_through("socks", address, f"socks5h://{OUTSIDE}:1080", plain, secure, stomp)
    wrong = send(plain, "hub", "no", "--proxy", f"http://{OUTSIDE}:1080", check=False)
    assert wrong.returncode == 3 and "socks5://" in wrong.stderr, wrong
    stop(socks)
    guarded = start("socks-login", "microsocks", "-i", OUTSIDE, "-p", "1081", "-u", "jun", "-P", "secret-word")
    listens(OUTSIDE, 1081)
    address = f"socks5://{OUTSIDE}:1081"
    everything_through("socks-login", address, f"socks5://jun:secret-word@{OUTSIDE}:1081", plain, secure, stomp)
    refused = send(plain, "hub", "no", "--proxy", address, check=False)
    assert refused.returncode == 3 and "asks for a user name and a password" in refused.stderr, refused
    stop(guarded)

    step("through the proxy that the desktop's portal names")
    socks = start("socks-portal", "microsocks", "-i", OUTSIDE, "-p", "1082")
    listens(OUTSIDE, 1082)
    (FOLDER / "portal.py").write_text(PORTAL)
    # The first that it names is not there; the second is.
    answers = [f"http://{OUTSIDE}:9", f"socks://{OUTSIDE}:1082"]
    words = ["send", plain, "--room", "general", "by the portal", "--insecure", "--token-file", FOLDER / "hub.token"]
    script = "/usr/bin/python3 portal.py asked \"$1\" \"$2\" & shift 2; until [ -e asked ]; do sleep 0.05; done; exec \"$@\""
    wrapped = ["dbus-run-session", "--", "sh", "-c", script, "sh", *answers, "ip", "netns", "exec", SPACE, CONTROL, *words]
    sent = run(*wrapped, cwd=FOLDER, env=environment({}))
    assert f"connected through the proxy socks5://{OUTSIDE}:1082 (the system's settings)" in sent.stderr, sent.stderr
    assert (FOLDER / "asked").read_text().split() == [f"http://{SERVERS}:{HUB}/"], (FOLDER / "asked").read_text()
    stop(socks)

    step("through Squid as Debian configures it, with the local network let in: port 443 alone")
    configured = pathlib.Path("/etc/squid/squid.conf").read_text().replace("http_port 3128\n", "")
    configured = configured.replace("\nhttp_access allow localhost\n", "\nhttp_access allow localhost\nhttp_access allow localnet\n")
    assert "\nhttp_access allow localnet\n" in configured
    default = squid("squid-default", 3130, configured)
    address = f"http://{OUTSIDE}:3130"
    tail_and_send(secure, "secure", "squid-default", address, {"HTTPS_PROXY": address})
    blocked = send(plain, "hub", "blocked", "--proxy", address, "--transport", "websocket", check=False)
    assert blocked.returncode == 3 and "only allow port 443" in blocked.stderr, blocked
    # Plain HTTP requests are forwarded to any port.
    route = route_taken(plain, "squid-default", "--proxy", address)
    assert route in ("sse", "stream"), route
    send(plain, "hub", "by another route", "--proxy", address)
    stop(default)

    step("behind nginx as it comes")
    folder = FOLDER / "nginx"
    folder.mkdir()
    site = f"server {{ listen {OUTSIDE}:8080; location / {{ proxy_pass http://{SERVERS}:{HUB}; }} }}"
    temporary = [f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
    http = f"http {{ access_log {folder}/access.log; {' '.join(temporary)} {site} }}"
    (folder / "nginx.conf").write_text(f"user root; pid {folder}/pid; error_log {folder}/error.log; events {{}} {http}\n")
    nginx = start("nginx", shutil.which("nginx", path=PATH), "-c", folder / "nginx.conf", "-g", "daemon off;")
    listens(OUTSIDE, 8080)
    url = f"ws://{OUTSIDE}:8080/v1/socket"
    blocked = send(url, "hub", "blocked", "--transport", "websocket", check=False)
    assert blocked.returncode == 3, blocked
    # It buffers responses as well.
    route = route_taken(url, "nginx")
    assert route in ("sse", "stream", "longpoll"), route
    print(f"   by {route}; a WebSocket: {blocked.stderr.strip().splitlines()[-1]}")
    send(url, "hub", "behind nginx")
    stop(nginx)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        print(error, error.stdout, error.stderr, sep="\n")
        raise
    finally:
        for process in list(running):
            process.kill()
            process.wait()
        for act in reversed(undo):
            act()
    sys.exit(0)
