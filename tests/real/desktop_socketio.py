"""The classic chat on a real desktop: two windows of Duplex and a page's client at Socket.IO's own server see each other's
messages, each once. The first window finds out by itself what the server speaks."""
import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from gi.repository import GLib  # noqa: E402

import drive  # noqa: E402

DUPLEX = os.environ["DUPLEX"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
NODE = WORK / "node"
running = []


def step(text):
    print("--", text, flush=True)


def node(*arguments):
    process = subprocess.Popen(
        ["node", *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "NODE_PATH": str(NODE / "node_modules")},
    )
    running.append(process)
    lines = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line.strip()) for line in process.stdout], daemon=True).start()
    return process, lines


def start_window(name, profiles):
    home = WORK / name
    home.mkdir(exist_ok=True)
    settings = {"version": 1, "first_steps_done": True, "profiles": profiles}
    (home / "settings.json").write_text(json.dumps(settings))
    window = subprocess.Popen([DUPLEX, "--data-dir", home], env={**os.environ, "LC_ALL": "en_US.UTF-8"})
    running.append(window)
    drive.app("duplex", pid=window.pid)
    return window


def there(role, name):
    return next(iter(drive.find_all(role, name)), None)


def press(name, role="button"):
    drive.use(lambda: there(role, name), drive.click, f"{name!r} to press")


def fill(name, text):
    drive.use(lambda: there("entry", name), lambda node: drive.set_text(node, text), f"{name!r} to fill")


def shown(pattern):
    """What is on screen and has this in its name or text."""
    found = re.compile(pattern)

    def has(node):
        try:
            return found.search(node.name or "") or found.search(drive.text(node) or "")
        except GLib.Error:  # it went away while it was asked
            return False

    return [node for node in drive.find_all("*") if has(node)]


def says(pattern, timeout=60):
    drive.wait(lambda: shown(pattern), timeout, f"{pattern!r} on screen")


def rows(text):
    """The rows of the room that say this."""
    return [node for node in drive.find_all("list item") if re.search(re.escape(text), node.name or "")]


def says_once(text):
    says(f"{re.escape(text)}$")
    time.sleep(1)
    count = len(rows(text))
    assert count <= 1, f"{text!r} is there {count} times"


def room(connection):
    def click(_):
        within = drive.find("list", f"Rooms of {connection}", 30)
        drive.click(next(iter(drive.find_all("list item", "*", within))))

    drive.use(lambda: there("list", f"Rooms of {connection}"), click, f"the room of {connection}")


def send(text):
    drive.point_and_click(drive.find("entry", re.compile("^Message"), 30))
    drive.type_text(text)
    drive.key("Return")


try:
    NODE.mkdir(exist_ok=True)
    packages = ["io4@npm:socket.io@4", "socket.io-client@4"]
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", NODE, *packages]
    subprocess.run(install, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    _, lines = node(HERE / "socketio_server.js", "io4")
    url = f"http://127.0.0.1:{lines.get(timeout=60)}"
    page, heard = node(HERE / "socketio_client.js", url)
    assert json.loads(heard.get(timeout=60)) == {"connected": True}

    step("a connection is added, and what the server speaks is found out")
    first = start_window("first", [])
    drive.find("*", "This computer: Online", 60)
    press("Add connection")
    fill("Server address or invite", url)
    fill("Name", "chat")
    press("Save")
    says(r"A Socket\.IO server answers \(\d+ ms\)")
    drive.screenshot(WORK / "found.png")
    press("Save")
    drive.find("*", "chat: Online", 60)
    room("chat")

    step("the second window is there, too")
    address = f"{url.replace('http', 'ws')}/socket.io/"
    websocket = {"socketio": {"carriers": "polling_first"}}
    profiles = [{"id": 10, "name": "chat", "urls": [address], "protocol": "socketio", "websocket": websocket}]
    second = start_window("second", profiles)
    drive.find("*", "chat: Online", 60)
    room("chat")
    send("hello from the second window")
    says_once("hello from the second window")
    assert json.loads(heard.get(timeout=60)) == {"heard": "hello from the second window"}
    page.stdin.write("hello from the page\n")
    page.stdin.flush()
    assert json.loads(heard.get(timeout=60)) == {"heard": "hello from the page"}
    says_once("hello from the page")
    drive.screenshot(WORK / "second.png")
    second.send_signal(signal.SIGTERM)
    second.wait(20)
    running.remove(second)

    step("the first window has it all, once")
    drive.app("duplex", pid=first.pid)
    for text in ("hello from the second window", "hello from the page"):
        says_once(text)
    send("hello from the first window")
    says_once("hello from the first window")
    assert json.loads(heard.get(timeout=60)) == {"heard": "hello from the first window"}
    drive.screenshot(WORK / "first.png")
finally:
    for process in running:
        process.kill()
