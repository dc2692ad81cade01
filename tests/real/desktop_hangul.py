"""Korean typed through input methods into the running app, key by key as a person does, arrives at the hub composed and
whole, exactly once: also the last syllable, which is still being composed when Enter is pressed, when Send, another room
or the field itself is clicked, when another window takes the focus, and when the window is closed. And the app ends with
its desktop.

    HANGUL_SENTENCES=100    how many sentences with each input method (10)
    HANGUL_DELAY=60         milliseconds from key to key (30)
    HANGUL_WITH=ibus        which input methods: ibus, fcitx, fcitx-on-the-spot, fcitx-hidden (all, comma-separated)
"""
import difflib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402
import korean  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
COUNT = int(os.environ.get("HANGUL_SENTENCES", "10"))
DELAY = int(os.environ.get("HANGUL_DELAY", "30"))
SETUPS = {
    "ibus": korean.Ibus,
    "fcitx": korean.Fcitx,
    "fcitx-on-the-spot": lambda work: korean.Fcitx(work, on_the_spot=True),
    "fcitx-hidden": lambda work: korean.Fcitx(work, in_window=False),
}
# fcitx5 itself drops what it composes out of a window's sight when another window takes the focus.
ENDS = ["enter", "send", "room", "field", "window", "search", "screen reader", "middle"]
EXCEPT = {"fcitx-hidden": {"window"}}
field = None


def message():
    """The field for messages."""
    return drive.find("entry", "Message", 30)


def field_text():
    return drive.text(drive.find("*", "Message"))


def type_keys(text):
    subprocess.run(["xdotool", "type", "--delay", str(DELAY), "--", text], check=True)


def holds(text):
    drive.wait(lambda: field_text() == text, 10, f"{text!r} in the field, which holds {field_text()!r}")


def room(name):
    """Opens a room with the pointer, at once: nothing is waited for between the last key and the click."""
    drive.point_and_click(drive.find("*", re.compile(f"^{name}\\b")))


def window_id(title):
    return drive.wait(lambda: korean.output("xdotool", "search", "--onlyvisible", "--name", title).split(), 20, title)[-1]


def end(how, sentence):
    """Types a sentence, and has it sent after something happened to its last syllable."""
    keys = korean.keys(sentence)
    if how == "middle":
        half = len(sentence) // 2
        type_keys(korean.keys(sentence[:half]))
        drive.point_and_click(message())
        drive.key("End")
        type_keys(korean.keys(sentence[half:]))
        drive.key("Return")
        return
    # What is clicked is looked for before: the click is to come right behind the key.
    targets = {"send": ("button", re.compile("^Send$")), "room": ("*", re.compile("^other\\b")), "field": ("entry", "Message"),
               "search": ("entry", "Message")}
    place = drive.bounds(drive.find(*targets[how])) if how in targets else None
    type_keys(keys)
    if place:
        x, y, width, height = place
        subprocess.run(["xdotool", "mousemove", str(x + width // 2), str(y + height // 2), "click", "1"], check=True)
    if how == "send":
        return
    if how == "room":
        drive.find("*", re.compile("#?other$"))
        drive.wait(lambda: field_text() == "", 10, "the other room's empty field")
        room("general")
        holds(sentence)
        drive.point_and_click(message())
    elif how == "window":
        subprocess.run(["xdotool", "windowactivate", "--sync", window_id("another window")], check=True)
        holds(sentence)
        subprocess.run(["xdotool", "windowactivate", "--sync", window_id("Duplex")], check=True)
    elif how == "search":
        # Another field: what is composed there goes there, and nothing of it here.
        drive.key("ctrl+f")
        drive.wait(lambda: "focused" in drive.states(drive.find("entry", "Search messages")), 20, "the search field")
        type_keys(korean.keys("온실"))
        subprocess.run(["xdotool", "mousemove", str(x + width // 2), str(y + height // 2), "click", "1"], check=True)
        drive.wait(lambda: drive.text(drive.find("entry", "Search messages")) == "온실", 10, "온실 in the search field")
        holds(sentence)
        drive.key("Escape")
        drive.point_and_click(message())
    elif how == "screen reader":
        drive.click(drive.find("button", re.compile("^Send$")))
        return
    drive.key("Return")


def try_with(name):
    work = pathlib.Path(os.environ["REAL_DIR"]) / name
    work.mkdir()
    os.environ.pop("DUPLEX_TOKEN", None)
    method = SETUPS[name](work)
    start = lambda: subprocess.Popen([DUPLEX, "--data-dir", str(work / "data")], env={**os.environ, "LANG": "C.UTF-8"})  # noqa: E731
    app = start()
    drive.app("duplex", pid=app.pid)
    record = drive.wait(lambda: (work / "data/hub.json").exists() and json.loads((work / "data/hub.json").read_text()), 30,
                        "hub.json")
    os.environ["DUPLEX_TOKEN"] = (work / "data/token").read_text().strip()
    drive.click(drive.find("*", re.compile("^(Use this computer|Get started)$"), 30))
    drive.point_and_click(drive.find("button", "More for This computer"))
    drive.point_and_click(drive.find("*", "New room"))
    drive.wait(lambda: "focused" in drive.states(drive.find("entry", "Name of the new room")), 20, "the new room's field")
    drive.type_text("other")
    drive.key("Return")
    drive.find("*", re.compile("^other\\b"), 20)
    room("general")
    drive.point_and_click(message())
    method.korean(type_keys, field_text, drive.key)

    begun = time.monotonic()
    sentences = korean.sentences(COUNT)
    ends = [how for how in ENDS if how not in EXCEPT.get(name, ())]
    for number, sentence in enumerate(sentences):
        end(ends[number % len(ends)], sentence)
        if number == 0:
            type_keys("gks")
            drive.screenshot(work / "composing.png")
            drive.key("ctrl+a", "Delete")
        drive.wait(lambda: field_text() == "", 10, f"the sentence to be sent, after {ends[number % len(ends)]}")
        drive.point_and_click(message())
    print(f"-- {name}: {COUNT} sentences, {DELAY} ms a key, in {time.monotonic() - begun:.0f} s", flush=True)

    tail = subprocess.run(["timeout", "30", DUPLEXCTL, "tail", record["url"], "--json", "--room", "general", "--since", "0",
                           "--count", str(COUNT)], capture_output=True, text=True)
    arrived = [line["body"] for line in map(json.loads, tail.stdout.splitlines()) if line["event"] == "message"]
    drive.screenshot(work / "after.png")

    # What is still being composed when the window is closed is there when it opens again.
    type_keys(korean.keys("닫아도 그대로예요"))
    drive.key("alt+F4")
    app.wait(30)
    app = start()
    drive.app("duplex", pid=app.pid)
    kept = drive.wait(lambda: drive.text(message()), 20, "the draft")
    for line in difflib.unified_diff(sentences, arrived, "typed", "came", n=0, lineterm=""):
        print("  ", line)
    print(f"-- {name}: {sum(sentence in arrived for sentence in sentences)} of {COUNT} arrived as they were typed", flush=True)
    assert arrived == sentences, f"{name}: {len(arrived)} of {COUNT} arrived, or not as they were typed"
    assert kept == "닫아도 그대로예요", f"{name}: the closed window kept {kept!r}"
    return method, app


def display_server():
    """The process of this desktop's display: a child of xsession.sh, as the session is that this runs in."""
    def parent(pid):
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    desktop = parent(parent(os.getpid()))
    servers = [int(entry.parent.name) for entry in pathlib.Path("/proc").glob("[0-9]*/comm") if entry.read_text() == "Xvfb\n"]
    return next(pid for pid in servers if parent(pid) == desktop)


wanted = os.environ.get("HANGUL_WITH", ",".join(SETUPS)).split(",")
other = subprocess.Popen(["xmessage", "-title", "another window", "-geometry", "200x60+0+0", "here"])
for name in wanted:
    method, app = try_with(name)
    if name != wanted[-1]:
        app.terminate()
        app.wait(30)
        method.stop()
# The desktop ends under it, as at a logout: the app does not stay behind, waiting for an input method that is gone.
os.kill(display_server(), signal.SIGTERM)
app.wait(30)
method.process.terminate()
method.process.wait(20)
print("passed")
