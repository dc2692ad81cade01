"""Plain WebSocket on a real desktop, against real servers: a connection is added by the dialog, one is offered where no Duplex
server answers, text, JSON and bytes are sent, snippets too; each way in which a server ends a connection is told as it was; what
may not have arrived is sent again by a click and arrives once; and all of it is there after a restart."""
import asyncio
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
HERE = pathlib.Path(__file__).resolve().parent


def serve(port, file, mode):
    """A server of its own: `deaf` takes connections and reads nothing, `record` writes down what it gets and echoes it."""
    from websockets import ConnectionClosed
    from websockets.legacy.server import serve as listen

    async def handle(connection, path=None):
        if mode == "deaf":
            connection.transport.pause_reading()
            await asyncio.Event().wait()
        try:
            async for message in connection:
                with open(file, "a", encoding="utf-8") as out:
                    out.write(json.dumps(message if isinstance(message, str) else message.hex()) + "\n")
                await connection.send(message)
        except ConnectionClosed:
            pass

    async def run():
        await listen(handle, "127.0.0.1", port, ping_interval=None)
        print("listening", flush=True)
        await asyncio.Event().wait()

    asyncio.run(run())


if sys.argv[1:2] == ["serve"]:
    serve(int(sys.argv[2]), sys.argv[3], sys.argv[4])
    sys.exit()

from gi.repository import GLib  # noqa: E402

import drive  # noqa: E402

DUPLEX = os.environ["DUPLEX"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
HOME, RECORD = WORK / "data", WORK / "record.jsonl"
running = []


def step(text):
    print("--", text, flush=True)


def start_server(port, mode):
    server = subprocess.Popen([sys.executable, __file__, "serve", str(port), RECORD, mode], stdout=subprocess.PIPE, text=True)
    running.append(server)
    assert server.stdout.readline().strip() == "listening"
    return server


def start_window():
    window = subprocess.Popen([DUPLEX, "--data-dir", HOME], env={**os.environ, "LC_ALL": "en_US.UTF-8"})
    running.append(window)
    drive.app("duplex", pid=window.pid)
    return window


def end(process, how=signal.SIGTERM):
    process.send_signal(how)
    process.wait(20)
    running.remove(process)


def there(role, name):
    return next(iter(drive.find_all(role, name)), None)


def press(name, role="button"):
    drive.use(lambda: there(role, name), drive.click, f"{name!r} to press")


def fill(name, text):
    drive.use(lambda: there("entry", name), lambda node: drive.set_text(node, text), f"{name!r} to fill")


def fill_secret(name, text):
    drive.point_and_click(drive.find("password text", name, 30))
    drive.type_text(text)


def shown(pattern):
    """What is on screen and has this in its name or text."""
    found = re.compile(pattern)

    def has(node):
        try:
            return found.search(node.name or "") or found.search(drive.text(node) or "")
        except GLib.Error:  # it went away while it was asked
            return False

    return [node for node in drive.find_all("*") if has(node)]


def says(pattern, timeout=60, times=1):
    drive.wait(lambda: len(shown(pattern)) >= times, timeout, f"{pattern!r} on screen")


def room(connection):
    """Opens the room of a connection."""
    def click(_):
        within = drive.find("list", f"Rooms of {connection}", 30)
        drive.click(drive.find("list item", re.compile("^All messages"), 30, within))

    drive.use(lambda: there("list", f"Rooms of {connection}"), click, f"the room of {connection}")


def send(text):
    drive.point_and_click(drive.find("entry", "Message", 30))
    drive.type_text(text)
    drive.key("Return")


def free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


def recorded():
    return [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()] if RECORD.exists() else []


def profile(number, name, url, **more):
    websocket = {"reconnect": False, **more}
    return {"id": number, "name": name, "urls": [url], "protocol": "websocket", "websocket": websocket}


try:
    servers = subprocess.Popen(["/usr/bin/python3", HERE / "plain_servers.py", WORK], stdout=subprocess.PIPE, text=True)
    running.append(servers)
    urls = json.loads(servers.stdout.readline())
    base, port = urls["ws"], free_port()
    HOME.mkdir(exist_ok=True)
    profiles = [
        profile(10, "bye", f"{base}/bye"),
        profile(11, "kicked", f"{base}/close/4001"),
        profile(12, "failed", f"{base}/close/1011"),
        profile(13, "dropped", f"{base}/drop"),
        {"id": 14, "name": "Broker", "protocol": "amqp", "urls": ["amqp://broker.example"], "amqp": {"qos": 2}},
    ]
    settings = HOME / "settings.json"
    settings.write_text(json.dumps({"version": 1, "first_steps_done": True, "profiles": profiles}))

    step("the window starts, and shows what a newer version made")
    window = start_window()
    drive.find("*", "This computer: Online", 60)
    says("Broker: Made by a newer version")

    step("a connection is added by the dialog, with a user, a header and a subprotocol")
    press("Add connection")
    press("Plain WebSocket", "radio button")
    fill("Server URL", f"{base.replace('ws://', 'ws://alice:s3cret-word@')}/subprotocol")
    fill("Name", "chat")
    press("Add header")
    fill("Name of header 1", "X-Api-Key")
    fill_secret("Value of header 1", "k3y-word")
    fill("Subprotocols", "v1.chat")
    drive.screenshot(WORK / "dialog.png")
    press("Test")
    says(r"The WebSocket opened \(\d+ ms\)\. Subprotocol: v1\.chat\.")
    press("Save")
    drive.find("*", "chat: Online", 60)
    room("chat")
    says("^Connection opened, subprotocol v1.chat")
    says("chosen: v1.chat")
    for name in HOME.iterdir():
        if name.is_file():
            data = name.read_bytes()
            assert b"s3cret-word" not in data and b"k3y-word" not in data, f"a secret is in {name}"

    step("text, JSON and bytes are sent as they were typed, and shown as they came")
    send("**as** it is :smile:")
    says(r"^\*\*as\*\* it is :smile:$", times=2)
    press("JSON", "radio button")
    send('{"a" :}')
    says("Not valid JSON at line 1, column 7")
    drive.set_text(drive.find("entry", "Message"), "")
    send('{"a" :1.0e5}')
    says(r'^\{"a" :1\.0e5\}$')
    press("Hex", "radio button")
    send("48 65 6C 6C 6F 00 FF")
    says("00000000  48 65 6c 6c 6f 00 ff .*Hello")
    drive.screenshot(WORK / "room.png")

    step("a snippet is saved, and one click sends it")
    press("Text", "radio button")
    drive.point_and_click(drive.find("entry", "Message", 30))
    drive.type_text("subscribe prices")
    press("Snippets")
    press("Save as snippet", "menu item")
    fill("Snippet name", "Prices")
    press("Save")
    drive.set_text(drive.find("entry", "Message"), "")
    press("Send snippet Prices")
    says("^subscribe prices$", times=2)

    step("each end of a connection is told as it was")
    room("bye")
    says("Welcome!")
    send("hello")
    says("You said: hello")
    says(r"^Closed by the server: 1000 \(normal closure\), “Bye!”, clean")
    room("kicked")
    says(r"^Closed by the server: 4001 \(the server's own code\), “kicked: 규칙 위반”, clean")
    room("failed")
    says(r"^Closed by the server: 1011 \(internal error\)")
    drive.screenshot(WORK / "closed.png")
    room("dropped")
    send("hello")
    says(r"^Connection lost: it ended without a close frame \(1006\)")

    step("where no Duplex server answers, plain WebSocket is one click away")
    press("Add connection")
    fill("Server address or invite", f"{base}/echo")
    fill("Name", "offered")
    fill_secret("Token", "t0ken-word")
    press("Test")
    press("Connect as plain WebSocket")
    drive.find("*", "offered: Online", 60)
    assert b"t0ken-word" not in settings.read_bytes()

    step("what may not have arrived is sent again by a click, and arrives once")
    deaf = start_server(port, "deaf")
    press("Add connection")
    press("Plain WebSocket", "radio button")
    fill("Server URL", f"ws://127.0.0.1:{port}")
    fill("Name", "fragile")
    press("Save")
    drive.find("*", "fragile: Online", 60)
    room("fragile")
    send("order 66")
    says("^order 66$")
    time.sleep(0.1)
    end(deaf, signal.SIGKILL)
    says("^May not have arrived")
    drive.screenshot(WORK / "unsure.png")
    record = start_server(port, "record")
    drive.find("*", "fragile: Online", 60)
    assert recorded() == [], "it is never sent again by itself"
    press("Send again")
    drive.wait(lambda: recorded() == ["order 66"], 30, "the message at the server")
    drive.wait(lambda: not shown("^May not have arrived"), 30, "the end of the doubt")

    step("after a restart all of it is there")
    end(window)
    window = start_window()
    drive.find("*", "fragile: Online", 60)
    room("fragile")
    says("^order 66$")
    says(r"^Connection lost: it ended without a close frame \(1006\)")
    room("chat")
    says("00000000  48 65 6c 6c 6f 00 ff .*Hello")
    drive.find("button", "Send snippet Prices", 30)
    assert recorded() == ["order 66"], recorded()
    kept = json.loads(settings.read_text(encoding="utf-8"))
    assert profiles[4] in kept["profiles"], "what a newer version made is as it was"

    step("what a newer version made can be removed")
    press("More for Broker")
    press("Remove connection", "menu item")
    press("Remove")
    drive.wait(lambda: b"amqp" not in settings.read_bytes(), 30, "its end in the settings")
    print("passed")
except drive.NotFound:
    drive.screenshot(WORK / "failed.png")
    raise
finally:
    for process in running:
        process.kill()
    for process in running:
        process.wait(20)
