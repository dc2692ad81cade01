"""Searching in the running app on a virtual desktop: what the console companion sent in Korean and English is found as one
types, a result is gone to by keys and by the pointer, and a date is understood."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
HOME = WORK / "home"
LINES = ["온실에서 물이 샌다", "The greenhouse pump runs at 40 Hz", "새온실 펌프를 교체했습니다", "lunch at twelve?",
         "펌프 소음이 다시 커졌어요", "valve half open, pressure is fine"]


def step(text):
    print("--", text, flush=True)


def hits():
    """The results, as they are read aloud."""
    lists = drive.find_all("list", "Results")
    return [node.name for node in drive.find_all("list item", "*", lists[0])] if lists else []


def found(count):
    """Waits for so many results, and hands over those that are drawn."""
    drive.wait(lambda: drive.find_all("*", f"{count} results"), 30, f"{count} results")
    return drive.wait(hits, 10, "a result on screen")


def search_for(text):
    drive.key("ctrl+a")
    # A keyboard without Hangul is given a key for each syllable, and the window has to hear of it.
    delay = 20 if text.isascii() else 300
    subprocess.run(["xdotool", "type", "--delay", str(delay), "--", text], check=True, timeout=60)


step("a hub with messages in two languages")
window = subprocess.Popen([DUPLEX, "--data-dir", str(HOME)])
drive.wait(lambda: subprocess.run(["xdotool", "search", "--all", "--pid", str(window.pid), "--name", "Duplex"],
                                  capture_output=True, text=True).stdout.split(), 60, "the window")
drive.app("duplex", pid=window.pid, timeout=60)
record = drive.wait(lambda: (HOME / "hub.json").exists() and json.loads((HOME / "hub.json").read_text()), 30, "hub.json")
os.environ["DUPLEX_TOKEN"] = (HOME / "token").read_text().strip()
for round_of in range(8):
    for line in LINES:
        text = line if round_of == 0 else f"{line} ({round_of})"
        subprocess.run([DUPLEXCTL, "send", record["url"], "--room", "general", text], check=True, timeout=60)
drive.click(drive.find("*", "Get started"))
drive.find("entry", "Message", 30)

step("two syllables find what has them inside a word")
drive.key("ctrl+f")
drive.find("entry", "Search messages")
drive.screenshot(WORK / "help.png")
search_for("온실")
assert all("온실" in hit for hit in found(16))
drive.screenshot(WORK / "korean.png")

step("Enter goes there, and Esc back to the message")
search_for("온실에서 물이")
found(8)
for _ in range(8):
    drive.key("Down")
drive.key("Return")
drive.wait(lambda: any(node.name and "온실에서 물이 샌다" in drive.text(node) and "showing" in drive.states(node)
                       for node in drive.find_all("*", "*")), 20, "the oldest message on screen")
drive.screenshot(WORK / "gone-to.png")
drive.key("Escape")
drive.wait_gone("entry", "Search messages")

step("everywhere, with filters")
drive.key("ctrl+shift+f")
drive.find("entry", "Search messages")
search_for("pump after:today")
found(8)
search_for("pump before:today")
drive.find("*", "No results*")
drive.screenshot(WORK / "nothing.png")
search_for("pump before:foo")
drive.wait(lambda: any("isn't a valid date" in (node.name or "") for node in drive.find_all("*", "*")), 20, "what is wrong with it")
drive.screenshot(WORK / "fault.png")
drive.key("Escape")

step("a date")
drive.key("ctrl+g")
drive.find("entry", "Date")
drive.type_text("today")
drive.screenshot(WORK / "date.png")
drive.key("Return")
drive.wait_gone("entry", "Date")

window.terminate()
window.wait(20)
print("passed")
