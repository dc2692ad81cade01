"""Notices on a virtual desktop with a real notification daemon (dunst), and the tray: a mention is seen there and its click
opens the room, a device that goes is told of, the icon in the tray counts, a closed window goes on there, and without a
daemon or a tray nothing fails."""
import base64
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402
import tray_host  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
HOME = WORK / "home"


def step(text):
    print("--", text, flush=True)


def windows(process, visible=True):
    only = ["--onlyvisible"] if visible else []
    found = subprocess.run(["xdotool", "search", *only, "--all", "--pid", str(process.pid), "--name", "Duplex"],
                           capture_output=True, text=True)
    return found.stdout.split()


def look_at(process):
    """Brings the window to the front and drives it."""
    found = drive.wait(lambda: windows(process), 30, "the window")
    subprocess.run(["xdotool", "windowactivate", "--sync", found[-1]], check=True, timeout=30)
    drive.app("duplex", pid=process.pid)


def close(window):
    """As its own button does: the window goes, or is hidden. Asked again where the keys came while the focus was on its way."""
    def seen():
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "Duplex"], capture_output=True, text=True)
        return window in found.stdout.split()

    for _ in range(6):
        subprocess.run(["xdotool", "windowactivate", "--sync", window, "key", "alt+F4"], timeout=30)
        try:
            return drive.wait(lambda: not seen(), 5, "the window to go")
        except drive.NotFound:
            continue
    raise SystemExit("the window does not close")


def has_focus(process):
    return subprocess.run(["xdotool", "getactivewindow"], capture_output=True, text=True).stdout.strip() in windows(process)


def look_away():
    """Another window takes the focus."""
    other = subprocess.Popen(["xmessage", "-title", "Elsewhere", "-geometry", "300x100+20+600", "elsewhere"])
    found = drive.wait(lambda: subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "Elsewhere"],
                                              capture_output=True, text=True).stdout.split(), 30, "another window")
    subprocess.run(["xdotool", "windowactivate", "--sync", found[-1]], check=True, timeout=30)
    return other


def hub(home):
    record = drive.wait(lambda: (home / "hub.json").exists() and json.loads((home / "hub.json").read_text()), 30, "hub.json")
    return record["url"], (home / "token").read_text().strip()


def ctl(*arguments, token=None, **options):
    environment = {**os.environ, **({"DUPLEX_TOKEN": token} if token else {})}
    done = subprocess.run([DUPLEXCTL, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=environment, **options)
    if done.returncode:
        raise SystemExit(f"duplexctl {arguments}: {done.returncode}: {done.stderr}")
    return done.stdout


def join(home, name):
    """Redeems an invite as another person, as PROTOCOL.md says; returns their token."""
    link = ctl("invite", "--data-dir", home).strip()
    host, port, code = re.match(r"ws://([^:/]+):(\d+)/.*[#&]invite=([^&]+)", link).groups()
    token = secrets.token_hex(32)
    hello = json.dumps({"type": "hello", "versions": [1, 1], "client": "test",
                        "invite": {"code": code, "name": name, "token": token}}).encode()
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    with socket.create_connection((host, int(port)), 20) as wire:
        wire.sendall((f"GET /v1/socket HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        mask = secrets.token_bytes(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(hello))
        said, sent = b"", False
        while b'"welcome"' not in said:
            piece = wire.recv(65536)
            if not piece:
                raise SystemExit(f"the hub took no invite: {said!r}")
            said += piece
            if not sent and b"\r\n\r\n" in said:
                wire.sendall(b"\x81" + bytes([0x80 | 126]) + len(hello).to_bytes(2, "big") + mask + masked)
                sent = True
    return token


def notices():
    """What the daemon shows and has shown: title and text, newest first."""
    history = json.loads(subprocess.run(["dunstctl", "history"], capture_output=True, text=True, check=True).stdout)
    return [(entry["summary"]["data"], entry["body"]["data"]) for entry in history["data"][0]]


def shown():
    return int(subprocess.run(["dunstctl", "count", "displayed"], capture_output=True, text=True, check=True).stdout)


def settled(process):
    drive.wait(lambda: any("Online" in (node.name or "") for node in drive.find_all("*", "*")), 30, "Online")
    # The first window offers its first steps.
    for button in drive.find_all("button", "Get started"):
        drive.click(button)


def start(home, **environment):
    process = subprocess.Popen([DUPLEX, "--data-dir", home], env={**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "en", **environment})
    look_at(process)
    settled(process)
    return process


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def preferences(home, **notices):
    """Settings, as a person would have chosen them before the start."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "settings.json").write_text(json.dumps({"version": 1, "first_steps_done": True, "notices": notices}))


step("without a daemon and without a tray nothing fails, and closing ends the program")
bare = WORK / "bare"
preferences(bare, close_to_tray=True, rooms="all")
# A bus of its own, on which nothing is started by name.
conf = WORK / "bare-bus.conf"
conf.write_text("""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd"><busconfig><type>session</type>
 <listen>unix:tmpdir=/tmp</listen><policy context="default"><allow send_destination="*" eavesdrop="true"/>
 <allow eavesdrop="true"/><allow own="*"/></policy></busconfig>""")
log = (WORK / "bare.log").open("w")
quiet = subprocess.Popen(["dbus-run-session", f"--config-file={conf}", "--", DUPLEX, "--data-dir", str(bare)], stderr=log)
found = drive.wait(lambda: subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "Duplex"],
                                          capture_output=True, text=True).stdout.split(), 60, "the window")
url, _ = hub(bare)
other = look_away()
mina = join(bare, "Mina")
ctl("send", url, "--room", "general", "nobody shows this", token=mina)
close(found[-1])
quiet.wait(30)
log.close()
said = (WORK / "bare.log").read_text()
assert not re.search(r"ERROR|panicked", said), said
other.terminate()

step("a mention is seen on a real daemon")
daemon = subprocess.Popen(["dunst", "-config", "/dev/null"], stderr=subprocess.DEVNULL)
drive.wait(lambda: subprocess.run(["dunstctl", "count"], capture_output=True).returncode == 0, 30, "dunst")
tray = tray_host.Tray()
preferences(HOME, close_to_tray=True)
window = start(HOME)
url, owner = hub(HOME)
mina = join(HOME, "Mina")
me = next(json.loads(line) for line in ctl("tail", url, "--json", "--since", "0", "--count", "1",
          token=(ctl("send", url, "--room", "general", "hello", token=owner), owner)[1]).splitlines()
          if json.loads(line)["event"] == "message")["sender"]
print("   I am", me, flush=True)
other = look_away()
ctl("send", url, "--room", "general", "plain words", token=mina)
ctl("send", url, "--room", "general", f"<b>look</b> @{me} & come", token=mina)
drive.wait(lambda: shown() == 1, 30, "one notice")
drive.screenshot(WORK / "mention.png")

step("its click opens the window and the room")
assert not has_focus(window)
subprocess.run(["dunstctl", "action"], check=True)
drive.wait(lambda: has_focus(window), 30, "the window in front")
drive.wait(lambda: shown() == 0, 30, "the notice gone")
titles = notices()
assert any(title == "Mina mentioned you in general" and "look" in text and "<b>" not in text for title, text in titles), titles
assert not any("plain words" in text for _, text in titles), titles
drive.app("duplex", pid=window.pid)
drive.wait(lambda: any("look" in (node.name or "") or "look" in drive.text(node) for node in drive.find_all("*", "*")), 30, "the message on screen")

step("the tray counts what is unread, and its menu speaks")
assert tray.get("Id") == "duplex"
plain = tray.get("IconPixmap")
drive.wait(lambda: tray.get("ToolTip")[2] == "Duplex: no unread messages", 30, "nothing unread")
subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "Elsewhere", "windowactivate", "--sync"], check=True, timeout=30)
for n in range(3):
    ctl("send", url, "--room", "general", f"message {n}", token=mina)
drive.wait(lambda: tray.get("ToolTip")[2] == "Duplex: 3 unread messages", 30, "3 unread")
assert tray.get("IconPixmap") != plain
assert list(tray.menu()) == ["Open Duplex", "Do not disturb", "Quit"], tray.menu()

step("do not disturb, from the tray")
tray.choose("Do not disturb")
drive.wait(lambda: tray.menu()["Do not disturb"][1], 30, "its mark")
before = len(notices()) + shown()
ctl("send", url, "--room", "general", f"@{me} not now", token=mina)
drive.wait(lambda: tray.get("ToolTip")[2] == "Duplex: 4 unread messages", 30, "4 unread")
assert len(notices()) + shown() == before, notices()
tray.choose("Do not disturb")
drive.wait(lambda: not tray.menu()["Do not disturb"][1], 30, "no mark")

step("a closed window goes on in the tray: it is told, it counts, it rests, and a second start brings it back")
look_at(window)
drive.wait(lambda: tray.get("ToolTip")[2] == "Duplex: no unread messages", 30, "all of it read")
close(windows(window)[-1])
drive.wait(lambda: not windows(window), 30, "no window")
assert window.poll() is None
ctl("send", url, "--room", "general", f"@{me} are you there?", token=mina)
drive.wait(lambda: shown() == 1, 30, "a notice for a hidden window")
drive.wait(lambda: "1 unread message" in tray.get("ToolTip")[2], 30, "the count of a hidden window")
drive.screenshot(WORK / "hidden.png")
used, began = cpu_seconds(window), time.monotonic()
time.sleep(10)  # the time that is measured
share = (cpu_seconds(window) - used) / (time.monotonic() - began)
print(f"   hidden and idle: {100 * share:.1f} % CPU", flush=True)
drive.wait(lambda: shown() == 0, 30, "the notice to time out")
ctl("send", url, "--room", "general", f"@{me} still there?", token=mina)
drive.wait(lambda: shown() == 1, 30, "another notice")
subprocess.run(["dunstctl", "action"], check=True)
drive.wait(lambda: windows(window), 30, "the window from its notice")
drive.wait(lambda: has_focus(window), 30, "the window in front")
tray.click()
drive.wait(lambda: not windows(window), 30, "the window in the tray by a click there")
assert subprocess.run([DUPLEX, "--data-dir", HOME], timeout=30).returncode == 0
drive.wait(lambda: windows(window), 30, "the window by a second start")
drive.screenshot(WORK / "again.png")

step("a device that goes is told of, and taken back when it comes")
agent = [DUPLEXCTL, "agent", "--url", url, "--id", "shed", "--name", "Shed"]
publisher = subprocess.Popen(agent, env={**os.environ, "DUPLEX_TOKEN": owner}, stdout=subprocess.DEVNULL)
drive.wait(lambda: any((node.name or "").startswith("Shed, online") for node in drive.find_all("*", "*")), 30, "the device")
subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "Elsewhere", "windowactivate", "--sync"], check=True, timeout=30)
publisher.send_signal(signal.SIGKILL)
publisher.wait()
drive.wait(lambda: shown() == 1, 60, "a notice of the device")
drive.screenshot(WORK / "device.png")
publisher = subprocess.Popen(agent, env={**os.environ, "DUPLEX_TOKEN": owner}, stdout=subprocess.DEVNULL)
drive.wait(lambda: shown() == 0, 60, "the notice taken back")
assert any(title == "Shed went offline" for title, _ in notices()), notices()
publisher.terminate()
publisher.wait(20)

step("where the tray goes, a hidden window comes back, and quitting from the tray ends the program")
tray.click()
drive.wait(lambda: has_focus(window), 30, "the window in front")
tray.click()
drive.wait(lambda: not windows(window), 30, "the window in the tray")
tray.stop()
drive.wait(lambda: windows(window), 30, "the window without a tray")
tray = tray_host.Tray()
drive.wait(lambda: tray.items, 30, "the item in the new tray")
tray.choose("Quit")
assert window.wait(30) == 0

for process in (other, daemon):
    process.terminate()
    process.wait(20)
print("passed")
