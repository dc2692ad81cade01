#!/usr/bin/python3
"""Drives a running program as a screen reader and a person do: finds controls by role and accessible name over
AT-SPI, and acts by the control's own action, or by pointer and keyboard. Import it, or use it from a shell inside
`xsession.sh`. Needs the system's Python (pyatspi comes from there).

    import drive
    drive.app("duplex", pid=child.pid)
    drive.set_text(drive.find("entry", "Message"), "hello")
    drive.click(drive.find("button", "Send"))

Names match whole; one that ends in `*` matches what begins so, and a compiled pattern matches anywhere.
"""

import argparse
import re
import subprocess
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
import pyatspi  # noqa: E402  (wants the version chosen first)
from gi.repository import GLib  # noqa: E402

POLL_SECONDS = 0.05
OTHER_NAMES = {"push button": "button"}  # a role's older name, which at-spi2-core before 2.54 gives

_root = None  # the program last asked for by `app`; where `find` looks unless told


class NotFound(Exception):
    """What was waited for did not come in time. The message ends with what was there instead."""


def wait(condition, timeout=10, what="the condition"):
    """Calls `condition` until it returns something true, and returns that. `NotFound` after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        try:
            result = condition()
        except GLib.Error:  # the control went away while it was asked
            result = None
        if result:
            return result
        if time.monotonic() >= end:
            raise NotFound(f"waited {timeout} s for {what}")
        time.sleep(POLL_SECONDS)


def app(name, pid=None, timeout=20):
    """The running program of this accessible name (and process, where several have the name). Later `find`s look in it."""
    global _root

    def running():
        return [candidate for candidate in pyatspi.Registry.getDesktop(0) if candidate]

    def look():
        matching = (a for a in running() if a.name == name and pid in (None, a.get_process_id()))
        return next(matching, None)

    try:
        _root = wait(look, timeout, f"a program named {name!r}" + (f" with pid {pid}" if pid else ""))
    except NotFound as error:
        there = ", ".join(f"{a.name!r} ({a.get_process_id()})" for a in running())
        raise NotFound(f"{error}; there is: {there or 'none'}") from None
    return _root


def walk(node):
    """The node and all below it, parents first. Nodes that vanish meanwhile are left out."""
    yield node
    try:
        children = [node.getChildAtIndex(i) for i in range(node.childCount)]
    except GLib.Error:
        return
    for child in children:
        if child is not None:
            yield from walk(child)


def role_of(node):
    """The role's name, the same on every version of at-spi2-core."""
    name = node.getRoleName()
    return OTHER_NAMES.get(name, name)


def _matches(node, role, name):
    try:
        if role not in ("*", role_of(node)):
            return False
        if isinstance(name, re.Pattern):
            return name.search(node.name) is not None
        if name.endswith("*"):
            return node.name.startswith(name[:-1])
        return node.name == name
    except GLib.Error:
        return False


def find_all(role, name="*", within=None):
    """All controls of this role (`*`: any) and name that are there now, in reading order."""
    return [node for node in walk(within or _root) if _matches(node, role, name)]


def find(role, name, timeout=10, within=None):
    """The first control of this role (`*`: any) and name, as soon as it is there."""

    def look():
        return next((node for node in walk(within or _root) if _matches(node, role, name)), None)

    try:
        return wait(look, timeout, f"{role} {name!r}")
    except NotFound as error:
        raise NotFound(f"{error}; there is:\n{tree(within or _root)}") from None


def wait_gone(role, name, timeout=10, within=None):
    """Returns as soon as no control of this role and name is there."""
    wait(lambda: not find_all(role, name, within), timeout, f"{role} {name!r} to go")


def use(find, how, what):
    """Does something with a control as soon as it can be done: what was found with its first frame is asked anew."""
    def done():
        node = find()
        if node is None:
            return False
        try:
            how(node)
        except NotImplementedError:
            node.clear_cache()
            return False
        return True

    wait(done, 30, what)


def click(node):
    """Presses the control by its own action, as a screen reader does; no pointer moves."""
    if not node.queryAction().doAction(0):
        raise NotFound(f"{role_of(node)} {node.name!r} has no action that works")


def bounds(node):
    """(x, y, width, height) on the screen, in pixels."""
    extents = node.queryComponent().getExtents(pyatspi.DESKTOP_COORDS)
    return extents.x, extents.y, extents.width, extents.height


def point_and_click(node, button=1):
    """Moves the pointer to the middle of the control and clicks, as a hand does."""
    x, y, width, height = bounds(node)
    _xdotool("mousemove", "--sync", x + width // 2, y + height // 2, "click", button)


def type_text(text):
    """Types into whatever has the keyboard."""
    _xdotool("type", "--delay", 20, "--", text)


def key(*keys):
    """Presses keys by their X names, for example `key("ctrl+a", "Delete")`."""
    _xdotool("key", "--", *keys)


def _xdotool(*arguments):
    subprocess.run(["xdotool", *map(str, arguments)], check=True)


def set_text(node, text):
    """Replaces the text of a text field."""
    if not node.queryEditableText().setTextContents(text):
        raise NotFound(f"{role_of(node)} {node.name!r} did not take the text")


def text(node):
    """The text in a field, or the name of a control that has no text of its own."""
    try:
        return node.queryText().getText(0, -1)
    except NotImplementedError:
        return node.name


def states(node):
    """The states of the control, for example {"enabled", "focused", "showing"}."""
    return {pyatspi.stateToString(state) for state in node.getState().getStates()}


def tree(root=None):
    """The tree of controls as text: role, name, bounds, states."""
    lines = []

    def visit(node, depth):
        try:
            place = "{}x{}+{}+{}".format(*(bounds(node)[i] for i in (2, 3, 0, 1)))
        except (GLib.Error, NotImplementedError):
            place = "-"
        try:
            lines.append(f"{'  ' * depth}{role_of(node)} {node.name!r} {place} {' '.join(sorted(states(node)))}")
            for i in range(node.childCount):
                child = node.getChildAtIndex(i)
                if child is not None:
                    visit(child, depth + 1)
        except GLib.Error:
            pass

    visit(root or _root, 0)
    return "\n".join(lines)


def dump(root=None, out=None):
    """Prints the tree of controls."""
    print(tree(root), file=out or sys.stdout)


def screenshot(path):
    """Saves a picture of the whole screen."""
    subprocess.run(["import", "-window", "root", str(path)], check=True)


def main():
    parser = argparse.ArgumentParser(description="Drives a running program over AT-SPI.")
    parser.add_argument("app", help="the program's accessible name")
    parser.add_argument("--pid", type=int, help="its process, where several have the name")
    parser.add_argument("--timeout", type=float, default=10, help="seconds to wait for a control (10)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("dump", help="print the tree of controls")
    for command, text_of_help in {
        "wait": "until the control is there",
        "gone": "until it is not",
        "click": "press it by its own action",
        "point": "click it with the pointer",
        "text": "print its text",
        "states": "print its states",
        "set-text": "replace its text",
    }.items():
        sub = commands.add_parser(command, help=text_of_help)
        sub.add_argument("role", help="for example button; * for any")
        sub.add_argument("name", help="whole, or its beginning followed by *")
        if command == "set-text":
            sub.add_argument("text")
    commands.add_parser("type", help="type into what has the keyboard").add_argument("text")
    commands.add_parser("key", help="press keys").add_argument("keys", nargs="+")
    commands.add_parser("screenshot", help="save a picture of the screen").add_argument("path")
    options = parser.parse_args()

    app(options.app, options.pid)

    def found():
        return find(options.role, options.name, options.timeout)

    match options.command:
        case "dump":
            dump()
        case "wait":
            found()
        case "gone":
            wait_gone(options.role, options.name, options.timeout)
        case "click":
            click(found())
        case "point":
            point_and_click(found())
        case "text":
            print(text(found()))
        case "states":
            print(" ".join(sorted(states(found()))))
        case "set-text":
            set_text(found(), options.text)
        case "type":
            type_text(options.text)
        case "key":
            key(*options.keys)
        case "screenshot":
            screenshot(options.path)


if __name__ == "__main__":
    try:
        main()
    except NotFound as error:
        sys.exit(f"drive: {error}")
