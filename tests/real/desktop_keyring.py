"""A token is kept by the system's keyring. Without one the app says so before an invite is used, and asks on each start;
only if the person asks for it the token is in a file, theirs alone, until there is a keyring or the connection goes."""
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
import drive  # noqa: E402

DUPLEX, DUPLEXCTL = os.environ["DUPLEX"], os.environ["DUPLEXCTL"]
WORK = pathlib.Path(os.environ["REAL_DIR"])
HUB = WORK / "hub"


def step(text):
    print("--", text, flush=True)


def there(role, name):
    return next(iter(drive.find_all(role, name)), None)


def press(name, role="button"):
    drive.use(lambda: there(role, name), drive.click, f"{name!r} to press")


def fill(name, text, role="entry"):
    drive.use(lambda: there(role, name), lambda node: drive.set_text(node, text), f"{name!r} to fill")


def start(home):
    window = subprocess.Popen([DUPLEX, "--data-dir", home], env={**os.environ, "LC_ALL": "en_US.UTF-8"})
    drive.app("duplex", pid=window.pid)
    drive.find("*", "This computer: Online", 30)
    return window


def end(window):
    window.terminate()
    window.wait(20)


def add(url, token):
    press("Add connection")
    fill("Name", "Workshop")
    fill("Server address or invite", url)
    fill("Token", token, "password text")
    press("Save")
    drive.find("*", "Workshop: Online", 60)


def in_no_file(home, secret):
    """The secret is in no file of the data directory, in whatever way it could be written."""
    needles = [secret.encode(), secret.encode("utf-16-le"), secret.encode().hex().encode()]
    found = [path for path in home.rglob("*") if path.is_file() and any(needle in path.read_bytes() for needle in needles)]
    assert not found, found


record = HUB / "hub.json"
hub = subprocess.Popen([DUPLEXCTL, "hub", "--listen", "127.0.0.1:0", "--data-dir", HUB], stdout=subprocess.DEVNULL)
url = drive.wait(lambda: record.exists() and json.loads(record.read_text()), 30, "hub.json")["url"]
token = (HUB / "token").read_text().strip()

step("without a keyring it works until the app is closed, and the person is told")
home = WORK / "without"
window = start(home)
add(url, token)
drive.wait(lambda: drive.find_all("*", re.compile("Couldn't save the token")), 30, "the banner")
end(window)
in_no_file(home, token)

step("on the next start it is asked for, with the reason, beside everything else")
window = start(home)
drive.find("*", re.compile(r"^Token for Workshop\. There is no token"), 60)
fill("Message", "the rest goes on")
press("Send")
fill("Token of Workshop", token, "password text")
press("Connect")
drive.find("*", "Workshop: Online", 60)
drive.wait_gone("password text", "Token of Workshop")
end(window)
in_no_file(home, token)

step("a token that the server does not know is asked for again")
window = start(home)
fill("Token of Workshop", "not-the-one", "password text")
press("Connect")
drive.find("*", re.compile(r"^Token for Workshop\..*doesn't know.*Ask your server's admin"), 60)
end(window)

KEEP = "Keep the token in a file only you can read"


def tokens(home):
    file = home / "tokens.json"
    return json.loads(file.read_text())["tokens"] if file.exists() else {}


step("by an invite: the missing keyring is told before it is used, and the file is chosen")
home = WORK / "invited"
window = start(home)
invite = subprocess.run([DUPLEXCTL, "invite", "--data-dir", HUB], capture_output=True, text=True, check=True).stdout.strip()
press("Add connection")
fill("Name", "Workshop")
fill("Server address or invite", invite)
fill("Display name", "Mina")
drive.find("*", re.compile("an invite works only once"), 30)
drive.find("*", re.compile("The file is not encrypted"))
press(KEEP, "check box")
press("Join")
drive.find("*", "Workshop: Online", 60)
kept = drive.wait(lambda: tokens(home), 30, "the file with the token")
assert (home / "tokens.json").stat().st_mode & 0o777 == 0o600
assert not drive.find_all("*", re.compile("Couldn't save the token"))
end(window)

step("after a restart the person is still Mina, and is not asked")
window = start(home)
drive.find("*", "Workshop: Online", 60)
assert not drive.find_all("password text", "Token of Workshop")
end(window)
assert tokens(home) == kept

step("with a keyring it is not asked for again")
keyring_home = WORK / "keyring-home"
keyring_home.mkdir()
keyring = {**os.environ, "HOME": str(keyring_home), "XDG_DATA_HOME": str(keyring_home)}
for arguments, password in (["--replace", "--unlock", "--daemonize"], b"test"), (["--start", "--components=secrets"], b""):
    subprocess.run(["gnome-keyring-daemon", *arguments], input=password, env=keyring, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True, timeout=30)
home = WORK / "invited"
window = start(home)
drive.find("*", "Workshop: Online", 60)
drive.wait(lambda: not tokens(home), 30, "the token in the keyring instead of the file")
end(window)
window = start(home)
drive.find("*", "Workshop: Online", 60)
end(window)
home = WORK / "with"
window = start(home)
add(url, token)
end(window)
in_no_file(home, token)
window = start(home)
drive.find("*", "Workshop: Online", 60)
assert not drive.find_all("password text", "Token of Workshop")
assert not drive.find_all("*", re.compile("Couldn't save the token"))
end(window)
in_no_file(home, token)

hub.terminate()
hub.wait(20)
print("passed")
