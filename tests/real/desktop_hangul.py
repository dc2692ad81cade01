"""Korean typed through ibus-hangul into the running app, key by key as a person does, arrives at the hub composed and
whole: also the last syllable, which is still being composed when Enter is pressed. And the app ends with its desktop.

    HANGUL_SENTENCES=100    how many sentences (10)
    HANGUL_DELAY=60         milliseconds from key to key
"""
import difflib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
COUNT = int(os.environ.get("HANGUL_SENTENCES", "10"))
DELAY = int(os.environ.get("HANGUL_DELAY", "60"))

# The keys of the two-set keyboard, by letter.
FIRST = "r R s e E f a q Q t T d w W c z x v g".split()
MIDDLE = "k o i O j p u P h hk ho hl y n nj np nl b m ml l".split()
LAST = ["", *"r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g".split()]

WHO = ["민아는", "정우가", "옆방 기계는", "작업실 온도가", "새로 온 센서가", "관리자께서", "까치 떼가", "우리 팀은", "빨간 밸브가", "읽을 값이"]
WHAT = [
    "오늘 아침에 다시 켜졌습니다",
    "왜 이렇게 뜨거운지 모르겠어요",
    "값을 세 번 확인했다",
    "괜찮은 것 같은데 조금 흔들려요",
    "쉬는 시간 전에 꼭 닫아 주세요",
    "얇은 판을 밟지 않게 옮겼다",
    "전압이 떨어지면 알려 줘",
    "회의 끝나고 봐요, 3시쯤",
    "앉은 채로 여덟 시간을 버텼다",
    "뭐라고 했는지 못 들었어",
]


def keys(text):
    """What is pressed on the two-set keyboard to write a text."""
    pressed = []
    for letter in text:
        index = ord(letter) - 0xAC00
        if 0 <= index < 11172:
            pressed += [FIRST[index // 588], MIDDLE[index % 588 // 28], LAST[index % 28]]
        else:
            pressed.append(letter)
    return "".join(pressed)


def start_input_method():
    """ibus with its Korean engine, and its bridge to X11, on this desktop alone."""
    os.environ.update(XMODIFIERS="@im=ibus", GSETTINGS_BACKEND="memory", XDG_CONFIG_HOME=str(WORK / "config"),
                      XDG_CACHE_HOME=str(WORK / "cache"))
    log = open(WORK / "ibus.log", "w")
    daemon = subprocess.Popen(["ibus-daemon", "--xim", "--panel=disable", "--emoji-extension=disable"],
                              stdout=log, stderr=log)
    drive.wait(lambda: subprocess.run(["ibus", "address"], capture_output=True, text=True).stdout.startswith("unix:"),
               30, "ibus")
    drive.wait(lambda: "ibus" in subprocess.run(["xprop", "-root", "XIM_SERVERS"], capture_output=True, text=True).stdout,
               30, "its bridge to X11")
    return daemon


def engine(name):
    """Chooses the engine once a field that can be typed into has the focus."""
    def chosen():
        subprocess.run(["ibus", "engine", name], capture_output=True)
        return subprocess.run(["ibus", "engine"], capture_output=True, text=True).stdout.strip() == name
    drive.wait(chosen, 30, f"the engine {name}")


def type_keys(text):
    subprocess.run(["xdotool", "type", "--delay", str(DELAY), "--", text], check=True)


def display_server():
    """The process of this desktop's display: a child of xsession.sh, as the session is that this runs in."""
    def parent(pid):
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    desktop = parent(parent(os.getpid()))
    servers = [int(entry.parent.name) for entry in pathlib.Path("/proc").glob("[0-9]*/comm") if entry.read_text() == "Xvfb\n"]
    return next(pid for pid in servers if parent(pid) == desktop)


def field_text():
    return drive.text(drive.find("*", "Message"))


ibus = start_input_method()
app = subprocess.Popen([DUPLEX, "--data-dir", str(WORK / "data")], env={**os.environ, "LANG": "C.UTF-8"})
drive.app("duplex", pid=app.pid)
record = drive.wait(lambda: (WORK / "data/hub.json").exists() and json.loads((WORK / "data/hub.json").read_text()), 30,
                    "hub.json")
os.environ["DUPLEX_TOKEN"] = (WORK / "data/token").read_text().strip()
drive.click(drive.find("*", "Get started", 30))
drive.point_and_click(drive.find("entry", "Message", 30))
engine("hangul")

# The engine begins with Latin letters or with Hangul, as it is set up: one syllable tells.
type_keys("rk ")
drive.wait(lambda: field_text().strip() in ("rk", "가"), 20, "the first letters in the field")
if field_text().strip() == "rk":
    drive.key("shift+space")
drive.key("ctrl+a", "Delete")
drive.wait(lambda: not field_text(), 20, "an empty field")

step = time.monotonic()
sentences = [f"{WHO[n % 10]} {WHAT[(n + n // 10) % 10]}" for n in range(COUNT)]
for number, sentence in enumerate(sentences, 1):
    type_keys(keys(sentence))
    if number == 1:
        drive.screenshot(WORK / "composing.png")
    drive.key("Return")
print(f"-- {COUNT} sentences typed, {DELAY} ms a key, in {time.monotonic() - step:.0f} s", flush=True)

tail = subprocess.run(["timeout", "30", DUPLEXCTL, "tail", record["url"], "--json", "--since", "0", "--count", str(COUNT)],
                      capture_output=True, text=True)
arrived = [line["body"] for line in map(json.loads, tail.stdout.splitlines()) if line["event"] == "message"]
drive.screenshot(WORK / "after.png")

# The desktop ends under it, as at a logout: the app does not stay behind, waiting for an input method that is gone.
os.kill(display_server(), signal.SIGTERM)
app.wait(30)
ibus.terminate()
ibus.wait(20)
for line in difflib.unified_diff(sentences, arrived, "typed", "came", n=0, lineterm=""):
    print("  ", line)
print(f"-- {sum(sentence in arrived for sentence in sentences)} of {COUNT} arrived as they were typed", flush=True)
assert arrived == sentences, f"{len(arrived)} of {COUNT} arrived, or not as they were typed"
print("passed")
