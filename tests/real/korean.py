"""Korean for the tests of input methods. What is typed key by key, as a person does, arrives at the hub composed and whole,
exactly once: also the last syllable, which is still being composed when Enter is pressed, when Send, another room or the
field itself is clicked, when another window takes the focus, and when the window is closed."""
import difflib
import json
import os
import pathlib
import re
import subprocess
import time

import drive

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
COUNT = int(os.environ.get("HANGUL_SENTENCES", "10"))
DELAY = int(os.environ.get("HANGUL_DELAY", "30"))
# What happens to the last syllable of a sentence, in turns.
ENDS = ["enter", "send", "room", "field", "window", "search", "screen reader", "middle"]

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


def sentences(count):
    """So many sentences, no two of which begin alike within ten."""
    return [f"{WHO[n % 10]} {WHAT[(n + n // 10) % 10]}" for n in range(count)]


def output(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


class InputMethod:
    """What the two have in common. `work` gets their configuration and their log. `in_window`: windows are told what is
    being composed."""
    in_window = True

    def __init__(self, work, name):
        self.log = open(work / f"{name}.log", "w")
        self.config = work / "config"
        self.config.mkdir(exist_ok=True)
        os.environ.update(XMODIFIERS=f"@im={name}", GSETTINGS_BACKEND="memory", XDG_CONFIG_HOME=str(self.config),
                          XDG_CACHE_HOME=str(work / "cache"), XDG_DATA_HOME=str(work / "share"))
        self.process = None

    def run(self, *command, **environment):
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env={**os.environ, **environment})

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Ibus(InputMethod):
    """ibus with its Korean engine. On X11 with its bridge to XIM, as desktops start it."""

    def __init__(self, work, x11=True):
        super().__init__(work, "ibus")
        self.run("ibus-daemon", *(["--xim"] if x11 else []), "--panel=disable", "--emoji-extension=disable")
        drive.wait(lambda: output("ibus", "address").startswith("unix:"), 30, "ibus")
        if x11:
            drive.wait(lambda: "ibus" in output("xprop", "-root", "XIM_SERVERS"), 30, "its bridge to X11")

    def korean(self, type_keys, field_text, press):
        """Switches to Korean; a field of the window has the focus, is empty, and is so again afterwards."""
        def chosen():
            subprocess.run(["ibus", "engine", "hangul"], capture_output=True)
            return output("ibus", "engine").strip() == "hangul"
        drive.wait(chosen, 30, "the engine")
        # The engine begins with Latin letters or with Hangul, as it is set up: one syllable tells.
        type_keys("rk ")
        drive.wait(lambda: field_text().strip() in ("rk", "가"), 20, "the first letters in the field")
        if field_text().strip() == "rk":
            press("shift+space")
        press("ctrl+a", "Delete")
        drive.wait(lambda: not field_text(), 20, "an empty field")


class Fcitx(InputMethod):
    """fcitx5 with its Korean engine. `on_the_spot`: XIM tells windows what is being composed, which by default it does
    not. `in_window`: windows are told at all (Ctrl+Alt+P). `on_bus`: windows reach it over D-Bus, too."""

    def __init__(self, work, x11=True, on_the_spot=False, in_window=True, on_bus=True):
        super().__init__(work, "fcitx")
        self.in_window = in_window
        conf = self.config / "fcitx5"
        (conf / "conf").mkdir(parents=True)
        (conf / "profile").write_text(
            "[Groups/0]\nName=Default\nDefault Layout=us\nDefaultIM=hangul\n"
            "[Groups/0/Items/0]\nName=keyboard-us\nLayout=\n[Groups/0/Items/1]\nName=hangul\nLayout=\n"
            "[GroupOrder]\n0=Default\n")
        (conf / "config").write_text(f"[Behavior]\nPreeditEnabledByDefault={in_window}\n")
        (conf / "conf" / "xim.conf").write_text(f"UseOnTheSpot={on_the_spot}\n")
        without = ["kimpanel", "notifications", "notificationitem", *([] if on_bus else ["dbusfrontend"])]
        self.run("fcitx5", "--disable=" + ",".join(without))
        # Asked by name, fcitx5-remote would have the bus start another one.
        names = ("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames")
        drive.wait(lambda: '"org.fcitx.Fcitx5"' in output(*names), 30, "fcitx5")
        if x11:
            drive.wait(lambda: "fcitx" in output("xprop", "-root", "XIM_SERVERS"), 30, "its bridge to X11")

    def korean(self, type_keys, field_text, press):
        """Switches to Korean; a field of the window has the focus, is empty, and is so again afterwards."""
        def on():
            subprocess.run(["fcitx5-remote", "-o"], capture_output=True)
            return output("fcitx5-remote").strip() == "2"
        drive.wait(on, 30, "Korean")
        type_keys("rk ")
        drive.wait(lambda: field_text().strip() == "가", 20, "the first syllable in the field")
        press("ctrl+a", "Delete")
        drive.wait(lambda: not field_text(), 20, "an empty field")


def message():
    """The field for messages."""
    return drive.find("entry", "Message", 30)


def field_text():
    return drive.text(drive.find("*", "Message"))


def holds(text):
    try:
        drive.wait(lambda: field_text() == text, 20, f"{text!r} in the field")
    except drive.NotFound as error:
        raise drive.NotFound(f"{error}, which holds {field_text()!r}") from None


def middle(node):
    x, y, width, height = drive.bounds(node)
    return x + width // 2, y + height // 2


def end(hands, how, sentence):
    """Types a sentence, and has it sent after something happened to its last syllable."""
    if how == "middle":
        half = len(sentence) // 2
        hands.type(keys(sentence[:half]))
        hands.click(*middle(message()))
        hands.key("End")
        hands.type(keys(sentence[half:]))
        return hands.key("Return")
    # What is clicked is looked for before: the click is to come right behind the key.
    targets = {"send": ("button", re.compile("^Send$")), "room": ("*", re.compile(r"^other\b")), "field": ("entry", "Message"),
               "search": ("entry", "Message")}
    place = middle(drive.find(*targets[how])) if how in targets else None
    hands.type(keys(sentence))
    if place:
        hands.click(*place)
    match how:
        case "send":
            return
        case "screen reader":
            return drive.click(drive.find("button", re.compile("^Send$")))
        case "room":
            drive.wait(lambda: field_text() == "", 20, "the other room's empty field")
            hands.click(*middle(drive.find("*", re.compile(r"^general\b"))))
            holds(sentence)
            hands.click(*middle(message()))
        case "window":
            hands.look_elsewhere()
            # A window that cannot be seen is not drawn, and says nothing new to anybody.
            hands.look_back()
            holds(sentence)
        case "search":
            # Another field: what is composed there goes there, and nothing of it here.
            hands.key("ctrl+f")
            drive.wait(lambda: "focused" in drive.states(drive.find("entry", "Search messages")), 20, "the search field")
            hands.type(keys("온실"))
            hands.click(*middle(message()))
            drive.wait(lambda: drive.text(drive.find("entry", "Search messages")) == "온실", 10, "온실 in the search field")
            holds(sentence)
            # Not by Escape: it switches ibus-hangul to Latin letters.
            hands.click(*middle(drive.find("button", "Close search")))
            drive.wait_gone("entry", "Search messages")
            hands.click(*middle(message()))
    hands.key("Return")


def start(work):
    app = subprocess.Popen([DUPLEX, "--data-dir", str(work / "data")], env={**os.environ, "LANG": "C.UTF-8"})
    drive.app("duplex", pid=app.pid, timeout=60)
    return app


def try_with(name, method, hands, without=()):
    """Types with an input method on the desktop that the hands are of. Returns the method and the running app."""
    work = pathlib.Path(os.environ["REAL_DIR"]) / name
    work.mkdir()
    os.environ.pop("DUPLEX_TOKEN", None)
    method = method(work)
    app = start(work)
    record = drive.wait(lambda: (work / "data/hub.json").exists() and json.loads((work / "data/hub.json").read_text()), 30,
                        "hub.json")
    os.environ["DUPLEX_TOKEN"] = (work / "data/token").read_text().strip()
    drive.click(drive.find("*", re.compile("^(Use this computer|Get started)$"), 30))
    hands.click(*middle(drive.find("button", "More for This computer")))
    hands.click(*middle(drive.find("*", "New room")))
    drive.wait(lambda: "focused" in drive.states(drive.find("entry", "Room name")), 20, "the new room's field")
    hands.type("other")
    hands.key("Return")
    drive.find("*", re.compile(r"^other\b"), 20)
    hands.click(*middle(drive.find("*", re.compile(r"^general\b"))))
    hands.click(*middle(message()))
    method.korean(hands.type, field_text, hands.key)

    begun = time.monotonic()
    written = sentences(COUNT)
    ends = [how for how in ENDS if how not in without]
    for number, sentence in enumerate(written):
        how = ends[number % len(ends)]
        end(hands, how, sentence)
        drive.wait(lambda: field_text() == "", 10, f"an empty field after {how}: {sentence}")
        hands.click(*middle(message()))
    print(f"-- {name}: {COUNT} sentences, {DELAY} ms a key, in {time.monotonic() - begun:.0f} s", flush=True)
    tail = subprocess.run(["timeout", "30", DUPLEXCTL, "tail", record["url"], "--json", "--room", "general", "--since", "0",
                           "--count", str(COUNT)], capture_output=True, text=True)
    arrived = [line["body"] for line in map(json.loads, tail.stdout.splitlines()) if line["event"] == "message"]
    hands.type("gks")
    if method.in_window:
        holds("한")
    hands.picture(work / "composing.png")
    hands.key("ctrl+a", "Delete")

    # What is still being composed when the window is closed is there when it opens again.
    hands.type(keys("닫아도 그대로예요"))
    hands.close()
    app.wait(30)
    app = start(work)
    kept = drive.wait(lambda: field_text(), 20, "the draft")
    for line in difflib.unified_diff(written, arrived, "typed", "came", n=0, lineterm=""):
        print("  ", line)
    print(f"-- {name}: {sum(sentence in arrived for sentence in written)} of {COUNT} arrived as they were typed", flush=True)
    assert arrived == written, f"{name}: {len(arrived)} of {COUNT} arrived, or not as they were typed"
    assert kept == "닫아도 그대로예요", f"{name}: the closed window kept {kept!r}"
    return method, app
