"""The main flows by a screen reader's means alone: every control is found by its name and used by its own action. No
pointer moves, no key is pressed, no pixel is looked at."""
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402
from gi.repository import GLib  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
HOME, HUB = WORK / "home", WORK / "hub"


def step(text):
    print("--", text, flush=True)


def named(pattern, role="*", timeout=30):
    """The first control whose name matches."""
    pattern = re.compile(pattern)
    return drive.wait(lambda: next((node for node in drive.find_all(role, pattern)), None), timeout, f"{role} /{pattern.pattern}/")


def press(name):
    """Uses the first control of this name that can be pressed."""
    roles = ("button", "toggle button", "radio button", "check box", "menu item", "list item")
    drive.use(lambda: next((node for role in roles for node in drive.find_all(role, name)), None), drive.click, f"{name!r} to press")


def fill(name, text):
    """Puts a text into a field, and sees it there."""
    drive.use(lambda: next(iter(drive.find_all("entry", name)), None), lambda node: drive.set_text(node, text), f"{name!r} to fill")
    drive.wait(lambda: drive.text(drive.find("entry", name)) == text, 10, f"{text!r} in {name!r}")


def shown(text):
    """Waits until a message with this text is in the tree."""
    def there():
        nodes = drive.find_all("*", "*")
        return any(text in (node.name or "") or text in drive.text(node) for node in nodes
                   if drive.role_of(node) in ("label", "static", "text", "paragraph", "list item", "article"))
    drive.wait(there, 30, f"{text!r} to be read")


def everything_has_a_name():
    """What can be pressed, typed in or moved says what it is."""
    used = ("button", "toggle button", "check box", "radio button", "entry", "password text", "slider", "spin button",
            "list item", "menu item", "combo box", "separator", "link")
    silent = []
    for node in drive.walk(drive._root):
        try:
            if drive.role_of(node) in used and not (node.name or "").strip():
                silent.append(drive.role_of(node))
        except GLib.Error:  # it went away meanwhile
            pass
    assert not silent, silent


def tail(url, token, count):
    result = subprocess.run([DUPLEXCTL, "tail", url, "--json", "--since", "0", "--count", str(count)], check=True, timeout=60,
                            env={**os.environ, "DUPLEX_TOKEN": token}, capture_output=True, text=True)
    return [line["body"] for line in map(json.loads, result.stdout.splitlines()) if line["event"] == "message"]


def record(directory):
    """Where a hub is, and its owner's token."""
    path = directory / "hub.json"
    found = drive.wait(lambda: path.exists() and json.loads(path.read_text()), 30, "hub.json")
    return found["url"], (directory / "token").read_text().strip()


step("a first start")
window = subprocess.Popen([DUPLEX, "--data-dir", HOME], env={**os.environ, "LC_ALL": "en_US.UTF-8"})
drive.app("duplex", pid=window.pid)
drive.find("*", "This computer: Online", 30)
everything_has_a_name()
press("Get started")
drive.wait_gone("button", "Get started")

step("a message is written and sent")
fill("Message", "written by name alone")
press("Send")
shown("written by name alone")
assert tail(*record(HOME), 1) == ["written by name alone"]

step("a second server is joined by an invite")
hub = subprocess.Popen([DUPLEXCTL, "hub", "--listen", "127.0.0.1:0", "--data-dir", HUB], stdout=subprocess.DEVNULL)
url, token = record(HUB)
invite = subprocess.run([DUPLEXCTL, "invite", "--data-dir", HUB], capture_output=True, text=True, check=True).stdout.strip()
press("Add connection")
fill("Name", "Workshop")
fill("Server address or invite", invite)
fill("Display name", "Ada")
everything_has_a_name()
press("Join")
drive.find("*", "Workshop: Online", 30)
fill("Message", "hello, workshop")
press("Send")
shown("hello, workshop")
assert tail(url, token, 1) == ["hello, workshop"]

step("a device's property is set on its page")
drive.click(named(r"^(?!Link).*, online, .*cpu", "list item"))
everything_has_a_name()
drive.find("spin button", "interval", 30).queryValue().currentValue = 2
press("Set interval to 2 s")
named(r"^now 2 s$")
press("Back to devices")

step("the language changes at once, and everything goes on in Korean")
press("Settings")
everything_has_a_name()
press("한국어")
drive.find("*", "설정 검색", 10)
everything_has_a_name()
press("닫기")
fill("메시지", "이름만으로 썼습니다")
press("보내기")
shown("이름만으로 썼습니다")
assert tail(url, token, 2)[-1] == "이름만으로 썼습니다"

step("the connection log opens, and says what passes")
press("연결 로그")
named(r"^\d.*(송신|수신)", "list item")
everything_has_a_name()
press("로그 닫기")
drive.wait_gone("*", "로그 닫기")

for process in (window, hub):
    process.terminate()
    process.wait(20)
print("passed")
