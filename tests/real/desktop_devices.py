"""Devices on a virtual desktop, driven by accessible names: this computer from the first start, a shell script with
curl, a command there and back, and a dead hub that never looks like quiet devices."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
HOME, HUB = WORK / "first", WORK / "hub"


def step(text):
    print("--", text, flush=True)


def look_at(window):
    """Brings a window to the front and drives it: a covered window is not drawn, and its tree is not renewed."""
    found = drive.wait(lambda: subprocess.run(["xdotool", "search", "--all", "--pid", str(window.pid), "--name", "Duplex"],
                                              capture_output=True, text=True).stdout.split(), 30, "the window")
    subprocess.run(["xdotool", "windowactivate", "--sync", found[-1]], check=True, timeout=30)
    drive.app("duplex", pid=window.pid)


def record(directory):
    """Where a hub is, and its owner's token."""
    path = directory / "hub.json"
    found = drive.wait(lambda: path.exists() and json.loads(path.read_text()), 30, "hub.json")
    return found["url"], (directory / "token").read_text().strip()


def row(begins, timeout=30):
    """A device's row, by how its accessible name begins: `Shed, online`."""
    pattern = re.compile("^" + re.escape(begins))
    return drive.wait(lambda: next((node for node in drive.find_all("*", "*") if pattern.match(node.name or "")), None),
                      timeout, f"a row beginning with {begins!r}")


class Curl:
    """The shell script with curl, word by word as the README shows it, run where no hub was ever told of."""

    def __init__(self, url, home):
        readme = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
        script = re.search(r"## Connect a device.*?```sh\n(.*?)```", readme, re.S)[1]
        script = script.replace("target/release/duplexctl", DUPLEXCTL).replace("PORT", re.search(r":(\d+)/", url)[1])
        self.process = subprocess.Popen(["bash", "-euc", script], start_new_session=True, env=home)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Tail:
    """What `duplexctl tail --json` says about devices."""

    def __init__(self, url, token):
        self.events, self.lock = [], threading.Lock()
        self.process = subprocess.Popen([DUPLEXCTL, "tail", url, "--json"], stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, "DUPLEX_TOKEN": token})
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.lock:
                self.events.append(json.loads(line))

    def device_named(self, name):
        with self.lock:
            return next((event["device"] for event in self.events
                         if event["event"] == "reading" and event["name"] == name), None)

    def statuses(self, device=None):
        with self.lock:
            return [event["status"] for event in self.events
                    if event["event"] == "status" and device in (None, event["device"])]


step("a first start: this computer's readings move")
home = {**os.environ, "HOME": str(HOME), "XDG_DATA_HOME": str(HOME / "data")}
HOME.mkdir()
first = subprocess.Popen([DUPLEX], env=home)
began = time.monotonic()
look_at(first)
THIS = re.compile(r", online, .*cpu")
computer = drive.wait(lambda: next((n for n in drive.find_all("*", "*") if THIS.search(n.name or "")), None), 30, "this computer's row")
before = computer.name
drive.wait(lambda: any(THIS.search(n.name or "") and n.name != before for n in drive.find_all("*", "*")), 10, "other readings")
print(f"   moved {time.monotonic() - began:.1f} s after the start", flush=True)
drive.screenshot(WORK / "this-computer.png")

step("a shell script with curl appears, and goes silent when it stops")
url, token = record(HOME / "data" / "duplex")
curl = Curl(url, home)
row("shed, online")
time.sleep(3)  # lets it find its rhythm: this is the device's own pace, not a result
curl.stop()
row("shed, silent", 60)
drive.screenshot(WORK / "silent.png")

step("a command from the window to this computer and back")
drive.click(row(before.split(",")[0] + ", online"))
drive.point_and_click(drive.find("spin button", "interval"))
drive.wait(lambda: "focused" in drive.states(drive.find("spin button", "interval")), 10, "the field to be typed in")
drive.key("ctrl+a")
drive.type_text("3")
drive.key("Return")
drive.find("*", "Set to 3 s, *", 30)
drive.screenshot(WORK / "done.png")
drive.click(drive.find("*", "Back to devices"))

step("a command from the console and back")
name = before.split(",")[0]
tail = Tail(url, token)
agent_id = drive.wait(lambda: tail.device_named(name), 30, "this computer in tail")
tail.process.terminate()
done = subprocess.run([DUPLEXCTL, "command", url, agent_id, "interval", "2"], env={**os.environ, "DUPLEX_TOKEN": token},
                      capture_output=True, text=True, timeout=60)
assert done.returncode == 0, done
first.terminate()
first.wait(20)

step("a hub killed while three devices publish each second: unknown at once, never silent, exact again")
environment = dict(os.environ)


def start_hub(listen):
    return subprocess.Popen([DUPLEXCTL, "hub", "--listen", listen, "--data-dir", HUB], stdout=subprocess.DEVNULL)


hub = start_hub("127.0.0.1:0")
url, token = record(HUB)
port = re.search(r":(\d+)/", url)[1]
environment["DUPLEX_TOKEN"] = token
agents = [subprocess.Popen([DUPLEXCTL, "agent", "--url", url, "--id", f"unit-{n}", "--name", f"Unit {n}"],
                           env=environment, stdout=subprocess.DEVNULL) for n in (1, 2, 3)]
tail = Tail(url, token)
window = subprocess.Popen([DUPLEX, "--data-dir", WORK / "second", "--url", url], env=environment)
look_at(window)
for n in (1, 2, 3):
    row(f"Unit {n}, online")
hub.send_signal(signal.SIGKILL)
hub.wait()
for n in (1, 2, 3):
    row(f"Unit {n}, unknown", 10)
drive.screenshot(WORK / "unknown.png")
hub = start_hub(f"127.0.0.1:{port}")
for n in (1, 2, 3):
    row(f"Unit {n}, online", 60)
drive.screenshot(WORK / "back.png")
for n in (1, 2, 3):
    drive.wait(lambda n=n: tail.statuses(f"unit-{n}")[-1:] == ["online"], 60, f"unit-{n} online in tail")
assert "silent" not in tail.statuses(), tail.statuses()
assert "unknown" in tail.statuses(), tail.statuses()

step("a command for a device that is gone expires, or is refused")
agents[0].send_signal(signal.SIGKILL)
agents[0].wait()
row("Unit 1, offline", 30)
gone = subprocess.run([DUPLEXCTL, "command", url, "unit-1", "interval", "3"], env=environment, capture_output=True, text=True, timeout=90)
assert gone.returncode == 1, gone

for process in (*agents[1:], tail.process, window, hub):
    process.terminate()
    process.wait(20)
print("passed")
