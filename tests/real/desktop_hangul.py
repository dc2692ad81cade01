"""Korean typed through input methods into the running app on X11, as korean.py says. And the app ends with its desktop.

    HANGUL_SENTENCES=100    how many sentences with each input method (10)
    HANGUL_DELAY=60         milliseconds from key to key (30)
    HANGUL_WITH=ibus        which input methods: ibus, fcitx, fcitx-on-the-spot, fcitx-hidden (all, comma-separated)
"""
import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402
import korean  # noqa: E402

SETUPS = {
    "ibus": korean.Ibus,
    "fcitx": korean.Fcitx,
    "fcitx-on-the-spot": lambda work: korean.Fcitx(work, on_the_spot=True),
    "fcitx-hidden": lambda work: korean.Fcitx(work, in_window=False),
}
# fcitx5 itself drops what it composes out of a window's sight when another window takes the focus.
EXCEPT = {"fcitx-hidden": {"window"}}


class Hands:
    """A keyboard and a pointer on X11, and what a person does with windows."""

    @staticmethod
    def type(text):
        subprocess.run(["xdotool", "type", "--delay", str(korean.DELAY), "--", text], check=True)

    @staticmethod
    def key(*keys):
        drive.key(*keys)

    @staticmethod
    def click(x, y):
        subprocess.run(["xdotool", "mousemove", str(x), str(y), "click", "1"], check=True)

    @staticmethod
    def look_elsewhere():
        Hands._activate("another window")

    @staticmethod
    def look_back():
        Hands._activate("Duplex")

    @staticmethod
    def close():
        drive.key("alt+F4")

    @staticmethod
    def picture(path):
        drive.screenshot(path)

    @staticmethod
    def _activate(title):
        found = drive.wait(lambda: korean.output("xdotool", "search", "--onlyvisible", "--name", title).split(), 20, title)
        subprocess.run(["xdotool", "windowactivate", "--sync", found[-1]], check=True, timeout=30)


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
    method, app = korean.try_with(name, SETUPS[name], Hands, EXCEPT.get(name, ()))
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
