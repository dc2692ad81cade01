"""Korean for the tests of input methods: what to type, on which keys, and input methods to type it with, each with a
configuration of its own on the desktop that it is started on."""
import os
import pathlib
import subprocess

import drive

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
    """What the two have in common. `work` gets their configuration and their log."""

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
    not. `in_window`: windows are told at all (Ctrl+Alt+P)."""

    def __init__(self, work, x11=True, on_the_spot=False, in_window=True):
        super().__init__(work, "fcitx")
        conf = self.config / "fcitx5"
        (conf / "conf").mkdir(parents=True)
        (conf / "profile").write_text(
            "[Groups/0]\nName=Default\nDefault Layout=us\nDefaultIM=hangul\n"
            "[Groups/0/Items/0]\nName=keyboard-us\nLayout=\n[Groups/0/Items/1]\nName=hangul\nLayout=\n"
            "[GroupOrder]\n0=Default\n")
        (conf / "config").write_text(f"[Behavior]\nPreeditEnabledByDefault={in_window}\n")
        (conf / "conf" / "xim.conf").write_text(f"UseOnTheSpot={on_the_spot}\n")
        self.run("fcitx5", "--disable=kimpanel,notifications,notificationitem")
        drive.wait(lambda: output("fcitx5-remote").strip() in ("1", "2"), 30, "fcitx5")
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
