"""The running app on Wayland, driven by its accessible names, a keyboard and a pointer: it starts, sends, receives, copies and
pastes, is photographed, and what was typed is there when it starts again."""
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402
import hands  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
DATA = WORK / "data"
person = hands.Hands()


def step(text):
    print("--", text, flush=True)


def start():
    app = subprocess.Popen([DUPLEX, "--data-dir", str(DATA)], env={**os.environ, "LANG": "C.UTF-8"})
    drive.app("duplex", pid=app.pid, timeout=60)
    return app


def click(node):
    x, y, width, height = drive.bounds(node)
    person.click(x + width // 2, y + height // 2)


def message():
    return drive.find("entry", "Message", 30)


def shown(text):
    """Waits until the text is in a message on screen."""
    return drive.wait(lambda: any(node.name and text in node.name for node in drive.find_all("*", "*")), 30, f"{text!r} on screen")


def holds(text):
    drive.wait(lambda: drive.text(message()) == text, 20, f"{text!r} in the field")


def clipboard():
    return subprocess.run(["wl-paste", "--no-newline"], capture_output=True, text=True, timeout=20).stdout


step("it starts and is online")
app = start()
drive.wait(lambda: any("Online" in (node.name or "") for node in drive.find_all("*", "*")), 30, "Online")
drive.click(drive.find("*", re.compile("^(Use this computer|Get started)$"), 30))
record = drive.wait(lambda: (DATA / "hub.json").exists() and json.loads((DATA / "hub.json").read_text()), 30, "hub.json")
os.environ["DUPLEX_TOKEN"] = (DATA / "token").read_text().strip()

step("what is typed is sent, by Enter and by Send")
click(message())
person.type("Hello from Wayland!")
holds("Hello from Wayland!")
person.key("Return")
shown("Hello from Wayland!")
person.type("and by the button")
click(drive.find("button", "Send"))
shown("and by the button")
holds("")

step("what others send comes")
subprocess.run([DUPLEXCTL, "send", record["url"], "--room", "general", "hello from the console"], check=True, timeout=60)
shown("hello from the console")

step("copied here and pasted elsewhere, and the other way round")
click(message())
person.type("to be copied")
holds("to be copied")
person.key("ctrl+a", "ctrl+c")
drive.wait(lambda: clipboard() == "to be copied", 20, "the copy")
subprocess.run(["wl-copy", "--", "pasted 말"], check=True, timeout=20)
person.key("ctrl+a", "ctrl+v")
holds("pasted 말")
person.key("Return")
shown("pasted 말")

step("its picture")
person.picture(WORK / "window.png")
assert (WORK / "window.png").stat().st_size > 10_000, "an empty picture"

step("what was typed is there again after the window was closed")
person.type("not sent yet")
holds("not sent yet")
person.close()
app.wait(30)
app = start()
holds("not sent yet")
click(message())
person.key("End")
person.type(", but now")
person.key("Return")
shown("not sent yet, but now")

step("and it ends when it is told to")
subprocess.run([DUPLEX, "--data-dir", str(DATA), "--quit"], check=True, timeout=60)
app.wait(30)
assert app.returncode == 0, app.returncode
print("passed")
