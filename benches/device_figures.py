#!/usr/bin/python3
"""The window under a load of readings, on a virtual desktop: called by device_figures.sh.

    device_figures.py DUPLEX DUPLEXCTL DEVICE_LOAD [RATE...]

For each rate: keys pressed into the chat's box at random times until their frame is painted, the longest gap between
frames, the age of the newest value, readings accounted for, CPU with and without rasterising, memory, and what the
window waits for the model's lock."""

import ctypes
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

LINE = re.compile(r"(\w+)=(-?\d+)")
DEVICES, METRICS = 200, 10
KEYS = os.environ.get("KEYS", "1") != "0"
SECONDS = int(os.environ.get("SECONDS_EACH", "20"))


def boot_ms():
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000


class Keyboard:
    """Presses keys as a person does, through the X server."""

    def __init__(self):
        self.x, self.test = ctypes.CDLL("libX11.so.6"), ctypes.CDLL("libXtst.so.6")
        self.x.XOpenDisplay.restype = ctypes.c_void_p
        self.display = ctypes.c_void_p(self.x.XOpenDisplay(None))
        self.key = self.x.XKeysymToKeycode(self.display, ctypes.c_ulong(ord("a")))

    def press(self):
        at = boot_ms()
        self.test.XTestFakeKeyEvent(self.display, self.key, 1, 0)
        self.test.XTestFakeKeyEvent(self.display, self.key, 0, 0)
        self.x.XFlush(self.display)
        return at


def at(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else float("nan")


def cpu(pid):
    """Seconds of all threads but those that rasterise, and of all."""
    ticks, own, whole = os.sysconf("SC_CLK_TCK"), 0, 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        name, rest = (task / "stat").read_text().rsplit(") ", 1)
        used = sum(int(field) for field in rest.split()[11:13])
        whole += used
        if "llvmpipe" not in name:
            own += used
    return own / ticks, whole / ticks


def memory(pid):
    """Its share of what it has loaded, and what of it is its own: the share of libraries moves with who else runs."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    whole, own = (int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) / 1024 for name in ("Pss", "Pss_Anon"))
    return f"memory {whole:.0f} MB, {own:.0f} of it its own"


def metric(port, token, name):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found = re.search(rf"^{name}(?:{{[^}}]*}})? (\d+)", answer.read().decode(), re.M)
    return int(found[1]) if found else None


class App:
    def __init__(self, duplex, url, token, work):
        self.frames, self.lock = [], threading.Lock()
        environment = dict(os.environ, RUST_LOG="duplex=info,duplex::frames=trace", DUPLEX_TOKEN=token)
        self.process = subprocess.Popen(
            [duplex, "--data-dir", work, "--url", url], env=environment, stderr=subprocess.PIPE, text=True
        )
        self.online = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stderr:
            if "duplex::frames" in line:
                frame = {key: int(value) for key, value in LINE.findall(line)}
                with self.lock:
                    self.frames.append(frame)
            elif "is online" in line:
                self.online.set()

    def taken(self):
        with self.lock:
            return list(self.frames)


def measure(app, keyboard, load, hub, rate):
    pid = app.process.pid
    before, cpu_before, began = len(app.taken()), cpu(pid), time.monotonic()
    generator = subprocess.Popen([*load, str(DEVICES), str(METRICS), str(rate), str(SECONDS)], stdout=subprocess.PIPE, text=True)
    pressed = []
    while generator.poll() is None:
        if KEYS:
            pressed.append(keyboard.press())
        time.sleep(random.uniform(0.1, 0.4))
    published = int(generator.stdout.read().split()[1])
    cpu_after, took = cpu(pid), time.monotonic() - began
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if KEYS:
            keyboard.press()
        time.sleep(0.2)
        last = app.taken()[-1]
        if last["readings"] + last["conflated"] >= measure.total + published:
            break
    measure.total += published
    frames = app.taken()[before:]
    last = frames[-1]
    waits = []
    with_keys = [(f, frames[i + 1]["last_us"] / 1000 if i + 1 < len(frames) else 0) for i, f in enumerate(frames) if f["keys"]]
    for moment in pressed:
        shown = next((f["at_ms"] + painted - moment for f, painted in with_keys if f["at_ms"] >= moment - 1), None)
        if shown is not None:
            waits.append(max(shown, 0))
    busy = [f for f in frames if f["at_ms"] <= frames[0]["at_ms"] + took * 1000]
    gaps = [b["at_ms"] - a["at_ms"] for a, b in zip(busy, busy[1:])]
    print(
        f"{rate:>6}/s: published {published / took:,.0f}/s, key to frame p50 {at(waits, 50):.0f} p95 {at(waits, 95):.0f} ms"
        f" ({len(waits)} keys), longest gap {max(gaps, default=0)} ms, {len(busy) / took:.0f} frames/s,"
        f" newest value p99 {at([f['newest_ms'] for f in busy if f['newest_ms'] >= 0][10:], 99)} ms old,"
        f" left out {last['conflated']:,} so far, unaccounted {measure.total - last['readings'] - last['conflated']:,},"
        f" lock wait p99 {at([f['lock_us'] for f in busy], 99)} µs, layout p99 {at([f['layout_us'] for f in busy], 99) / 1000:.1f} ms,"
        f" CPU {(cpu_after[0] - cpu_before[0]) / took * 100:.1f} % without rasterising"
        f" ({(cpu_after[1] - cpu_before[1]) / took * 100:.0f} % with), {memory(pid)}",
        flush=True,
    )


measure.total = 0


def main():
    duplex, duplexctl, load, *rates = sys.argv[1:]
    with tempfile.TemporaryDirectory() as work:
        hub_dir = f"{work}/hub"
        hub = subprocess.Popen([duplexctl, "hub", "--listen", "127.0.0.1:0", "--data-dir", hub_dir], stdout=subprocess.DEVNULL)
        while not Path(f"{hub_dir}/hub.json").exists():
            time.sleep(0.05)
        url = json.loads(Path(f"{hub_dir}/hub.json").read_text())["url"]
        token = Path(f"{hub_dir}/token").read_text().strip()
        address = url.split("//")[1].split("/")[0]
        app = App(duplex, url, token, f"{work}/app")
        assert app.online.wait(30), "the app does not come online"
        time.sleep(3)
        print(f"idle: {memory(app.process.pid)}", flush=True)
        if KEYS:
            subprocess.run(["xdotool", "mousemove", "500", "770", "click", "1"], check=True)
        keyboard = Keyboard()
        for rate in rates or ["100", "1000", "20000", "40000"]:
            measure(app, keyboard, [load, address, token], hub, int(rate))
        time.sleep(3)
        print(f"afterwards: {memory(app.process.pid)}", flush=True)
        app.process.terminate()
        hub.terminate()
        app.process.wait(20)
        hub.wait(20)


main()
