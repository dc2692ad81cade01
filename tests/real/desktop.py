"""The running app on a virtual desktop, driven by its accessible names: two windows and the console companion in one
room, an outage, a kill, and what was typed is there."""
import json
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
HOME, SECOND = WORK / "first", WORK / "second"


def step(text):
    print("--", text, flush=True)


def start(*arguments, **environment):
    return subprocess.Popen([DUPLEX, *map(str, arguments)], env={**os.environ, **environment})


def look_at(window):
    """Brings a window to the front and drives it: a covered window is not drawn, and its tree is not renewed."""
    found = drive.wait(lambda: subprocess.run(["xdotool", "search", "--all", "--pid", str(window.pid), "--name", "Duplex"],
                                              capture_output=True, text=True).stdout.split(), 30, "the window")
    subprocess.run(["xdotool", "windowactivate", "--sync", found[-1]], check=True, timeout=30)
    drive.app("duplex", pid=window.pid)


def hub():
    """Where the first window's own hub is, and the token for it."""
    record = drive.wait(lambda: (HOME / "hub.json").exists() and json.loads((HOME / "hub.json").read_text()), 30, "hub.json")
    return record["url"], (HOME / "token").read_text().strip()


def ctl(*arguments, check=True):
    result = subprocess.run([DUPLEXCTL, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    if check and result.returncode:
        raise SystemExit(f"duplexctl {arguments}: {result.returncode}: {result.stderr}")
    return result


def shown(text):
    """Waits until the text is on the screen of the window that is driven."""
    return drive.wait(lambda: any(text in (node.name or "") or text in drive.text(node) for node in
                                  drive.find_all("*", "*") if drive.role_of(node) in ("label", "static", "entry", "text", "list item", "paragraph")),
                      30, f"{text!r} on screen")


def say(text):
    field = drive.find("entry", "Message", 30)
    drive.point_and_click(field)
    drive.type_text(text)
    drive.key("Return")


def online():
    drive.wait(lambda: any("Online" in (node.name or "") for node in drive.find_all("*", "*")), 30, "Online")


step("a first start from an empty directory")
first = start("--data-dir", HOME)
look_at(first)
online()
drive.find("*", "general")
drive.screenshot(WORK / "first-start.png")
drive.click(drive.find("*", "Get started"))

step("what is typed is there, and on the hub's disk")
say("hello from the first window")
shown("hello from the first window")
url, token = hub()
os.environ["DUPLEX_TOKEN"] = token
tail = ctl("tail", url, "--json", "--since", "0", "--count", "1")
message = [line for line in map(json.loads, tail.stdout.splitlines()) if line["event"] == "message"][0]
assert message["body"] == "hello from the first window" and message["room"] == "general", message

step("a second window and the console join in")
second = start("--data-dir", SECOND, "--url", url)
look_at(second)
shown("hello from the first window")
say("hello from the second")
ctl("send", url, "--room", "general", "hello from the console")
for window in (first, second):
    look_at(window)
    shown("hello from the second")
    shown("hello from the console")
drive.screenshot(WORK / "two-windows.png")

step("one line of 60 KiB in Hangul, emoji, right-to-left and control characters arrives intact")
phrase = "안녕하세요 👩‍👩‍👧 שלום \u202eabc\u202c \x07 "
odd = phrase * (60 * 1024 // len(phrase.encode()))
identity = subprocess.run([DUPLEXCTL, "send", url, "--room", "general", "-"], input=odd, text=True, timeout=60)
assert identity.returncode == 0
tail = ctl("tail", url, "--json", "--since", "0", "--count", "4")
bodies = [line["body"] for line in map(json.loads, tail.stdout.splitlines()) if line["event"] == "message"]
assert bodies[-1] == odd, "the body changed on its way"

step("the hub's computer dies while the second window types")
first.send_signal(signal.SIGKILL)
first.wait()
look_at(second)
drive.wait(lambda: not any((node.name or "").startswith("Online") for node in drive.find_all("*", "*")), 60, "the outage on screen")
say("typed while nobody was there")
shown("typed while nobody was there")
drive.find("button", "Retry now")
drive.screenshot(WORK / "outage.png")

step("the second dies too, and both come back")
second.send_signal(signal.SIGKILL)
second.wait()
first = start("--data-dir", HOME)
look_at(first)
online()
again, _ = hub()
second = start("--data-dir", SECOND, "--url", again)
look_at(second)
online()
look_at(first)
shown("typed while nobody was there")
tail = ctl("tail", again, "--json", "--since", "0", "--count", "5")
bodies = [line["body"] for line in map(json.loads, tail.stdout.splitlines()) if line["event"] == "message"]
assert bodies.count("typed while nobody was there") == 1, bodies
drive.screenshot(WORK / "back.png")

for window in (first, second):
    window.terminate()
    window.wait(20)
print("passed")
