"""Two computers on one network, and no console: the first opens its own server and makes an invite, the second finds it and
joins; a third joins by the pasted link. The server moves to another address, is closed, and is open again after a restart.

As root, the computers are network namespaces joined by a cable. Otherwise all of it is on this computer's own addresses, and
what only two computers can show is left out."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
NAME = re.compile("^(Your name|Display name)$")
ONE, TWO = f"duplexa{os.getpid()}", f"duplexb{os.getpid()}"


def step(text):
    print("--", text, flush=True)


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True)


def cable():
    """Two namespaces with a cable between them, if this user may make any."""
    if os.geteuid() != 0 or ip("netns", "add", ONE).returncode:
        return False
    for arguments in (["netns", "add", TWO],
                      ["-n", ONE, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", TWO]):
        assert ip(*arguments).returncode == 0, arguments
    for space, address in ((ONE, "10.77.0.1/24"), (TWO, "10.77.0.2/24")):
        for arguments in (["link", "set", "lo", "up"], ["addr", "add", address, "dev", "cable"],
                          ["link", "set", "cable", "up"]):
            assert ip("-n", space, *arguments).returncode == 0, arguments
    return True


def inside(space):
    return ["ip", "netns", "exec", space] if REAL else []


def start(space, home):
    home.mkdir(exist_ok=True)
    settings = home / "settings.json"
    if not settings.exists():
        settings.write_text(json.dumps({"version": 1, "first_steps_done": True}))
    return subprocess.Popen([*inside(space), DUPLEX, "--data-dir", home], env={**os.environ, "LC_ALL": "en_US.UTF-8"})


def look_at(window):
    """Brings a window to the front and drives it: a covered window is not drawn, and its tree is not renewed."""
    found = drive.wait(lambda: subprocess.run(["xdotool", "search", "--all", "--pid", str(window.pid), "--name", "Duplex"],
                                              capture_output=True, text=True).stdout.split(), 60, "the window")
    subprocess.run(["xdotool", "windowactivate", "--sync", found[-1]], check=True, timeout=30)
    drive.app("duplex", pid=window.pid)


def there(role, name):
    return next(iter(drive.find_all(role, name)), None)


def press(name, role="button"):
    drive.use(lambda: there(role, name), drive.click, f"{name!r} to press")


def fill(name, text):
    drive.use(lambda: there("entry", name), lambda node: drive.set_text(node, text), f"{name!r} to fill")


def says(pattern, timeout=60):
    return drive.find("*", re.compile(pattern), timeout)


def say(text):
    drive.point_and_click(drive.find("entry", "Message", 30))
    drive.type_text(text)
    drive.key("Return")


def shows(text):
    drive.wait(lambda: any(text in (node.name or "") or text in drive.text(node) for node in drive.find_all("*", "*")),
               60, f"{text!r} on screen")


def end(window):
    window.terminate()
    window.wait(20)


REAL = cable()
windows = []
try:
    step("the first opens its server to the network and makes an invite")
    began = time.monotonic()
    home = WORK / "first"
    first = start(ONE, home)
    windows.append(first)
    look_at(first)
    drive.find("*", "This computer: Online", 60)
    press("Invite people")
    says("Only this computer can reach the server now")
    press("Open this server to the local network", "check box")
    says(r"^Open at 10\.77\.0\.1, port " if REAL else "^Open at ")
    says("a firewall on this computer may be blocking")
    drive.screenshot(WORK / "open.png")
    press("Create invite")
    link = says("^wss://.*#invite=").name
    drive.find("*", "QR code of the invite link", 10)
    drive.screenshot(WORK / "invite.png")

    step("the second finds it, and joins by the invite")
    second = start(TWO, WORK / "second")
    windows.append(second)
    look_at(second)
    drive.find("*", "This computer: Online", 60)
    press("Add connection")
    place = re.escape(re.search("wss://([^/]*)/", link).group(1))
    drive.use(lambda: there("*", re.compile(f", {place}. Needs an invite$")), drive.click, "the server in the list")
    drive.screenshot(WORK / "found.png")
    fill("Invite link", link)
    says("^Certificate fingerprint")
    fill(NAME, "Mina")
    drive.screenshot(WORK / "joining.png")
    press("Join")
    server = os.uname().nodename
    drive.find("*", f"{server}: Online", 60)
    print(f"   joined after {time.monotonic() - began:.0f} s, two starts of the app included", flush=True)
    say("hello from the second computer")
    shows("hello from the second computer")
    look_at(first)
    if REAL:
        press("Done")
        says("^1 connection from another computer")
    press("Close")
    shows("hello from the second computer")

    step("the console's link is the same, and pasted it is all that is needed")
    made = subprocess.run([*inside(ONE), DUPLEXCTL, "invite", "--data-dir", home], capture_output=True, text=True, timeout=60)
    assert made.returncode == 0, made.stderr
    code = re.compile("(?<=#invite=)[^&]*")
    assert code.sub("", made.stdout.strip()) == code.sub("", link), (made.stdout, link)
    third = start(TWO, WORK / "third")
    windows.append(third)
    look_at(third)
    drive.find("*", "This computer: Online", 60)
    press("Add connection")
    fill("Server address or invite", made.stdout.strip())
    says("^Address: ")
    fill(NAME, "Ben")
    press("Join")
    drive.find("*", f"{server}: Online", 60)
    end(third)
    windows.remove(third)

    if REAL:
        step("the first computer gets another address, and the second finds it again")
        for arguments in (["addr", "del", "10.77.0.1/24", "dev", "cable"], ["addr", "add", "10.77.0.9/24", "dev", "cable"]):
            assert ip("-n", ONE, *arguments).returncode == 0
        look_at(second)
        drive.wait(lambda: drive.find_all("*", f"{server}: *") and not drive.find_all("*", f"{server}: Online"), 90, "the outage")
        drive.find("*", f"{server}: Online", 120)
        say("found again")
        look_at(first)
        shows("found again")

    step("after a restart it is open as before, at the same port")
    end(first)
    windows.remove(first)
    first = start(ONE, home)
    windows.append(first)
    look_at(first)
    drive.find("*", "This computer: Online", 60)
    press("Invite people")
    port = re.search(r":(\d+)/", link).group(1)
    says(rf"^Open at [^ ]*, port {port}\.")
    look_at(second)
    drive.find("*", f"{server}: Online", 120)

    step("closed, it ends what came from the network and stays for this computer")
    look_at(first)
    press("Open this server to the local network", "check box")
    says(r"^The server is closed to the network\. 1 connection was ended\." if REAL else "^The server is closed to the network")
    press("Close")
    say("only here")
    shows("only here")
    look_at(second)
    drive.wait(lambda: not drive.find_all("*", f"{server}: Online"), 60, "the end of the connection")
    print("passed")
finally:
    for window in windows:
        window.terminate()
    for window in windows:
        try:
            window.wait(20)
        except subprocess.TimeoutExpired:
            window.kill()
    if REAL:
        ip("netns", "del", ONE)
        ip("netns", "del", TWO)
