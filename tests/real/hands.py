"""A keyboard and a pointer on a Wayland compositor for wlroots (sway), as hardware would be: by the protocols
virtual-keyboard and wlr-virtual-pointer, with the keys of a common keyboard, so that input methods get them as from a
person. (wtype makes up a layout of its own for each text, which input methods that go by the key's place cannot read.)
"""
import array
import os
import socket
import struct
import subprocess
import time

KEYMAP = b"""xkb_keymap {
xkb_keycodes { include "evdev+aliases(qwerty)" };
xkb_types { include "complete" };
xkb_compat { include "complete" };
xkb_symbols { include "pc+us+inet(evdev)" };
};
\0"""
ROWS = {2: "1234567890-=", 16: "qwertyuiop[]", 30: "asdfghjkl;'`", 43: "\\zxcvbnm,./"}
SHIFTED = dict(zip("!@#$%^&*()_+{}:\"~|<>?", "1234567890-=[];'`\\,./"))
CODES = {letter: code for first, row in ROWS.items() for code, letter in enumerate(row, first)}
CODES |= {" ": 57, "Return": 28, "Escape": 1, "BackSpace": 14, "Tab": 15, "Delete": 111, "Home": 102, "End": 107, "Left": 105,
          "Right": 106, "Up": 103, "Down": 108, "space": 57, "F1": 59}
MODIFIERS = {"shift": (42, 1), "ctrl": (29, 4), "alt": (56, 8), "super": (125, 64)}


def swaymsg(command):
    subprocess.run(["swaymsg", command], check=True, stdout=subprocess.DEVNULL)


class Hands:
    """Connects to the compositor of this session."""

    def __init__(self, size=(1280, 800), delay_ms=30):
        self.size, self.delay_ms, self.pause = size, delay_ms, 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(os.environ["XDG_RUNTIME_DIR"], os.environ["WAYLAND_DISPLAY"]))
        self.begun = time.monotonic()
        self._send(1, 1, struct.pack("=I", 2))
        names = self._globals()
        seat = self._bind(names["wl_seat"], "wl_seat", 3)
        keyboards = self._bind(names["zwp_virtual_keyboard_manager_v1"], "zwp_virtual_keyboard_manager_v1", 4)
        pointers = self._bind(names["zwlr_virtual_pointer_manager_v1"], "zwlr_virtual_pointer_manager_v1", 5)
        self.keyboard, self.pointer = 6, 7
        self._send(keyboards, 0, struct.pack("=II", seat, self.keyboard))
        self._send(pointers, 0, struct.pack("=II", seat, self.pointer))
        keymap = os.memfd_create("keymap")
        os.write(keymap, KEYMAP)
        self._send(self.keyboard, 0, struct.pack("=II", 1, len(KEYMAP)), keymap)
        os.close(keymap)
        self.sync()

    def type(self, text):
        """Types a text of plain ASCII."""
        for letter in text:
            plain = SHIFTED.get(letter, letter.lower())
            self.key(("shift+" if plain != letter else "") + plain)
            time.sleep(self.delay_ms / 1000)

    def key(self, *chords):
        """Presses keys, for example `key("ctrl+a", "Delete")`."""
        for chord in chords:
            *held, last = chord.split("+") if len(chord) > 1 else [chord]
            mask = 0
            for name in held:
                code, bit = MODIFIERS[name]
                mask |= bit
                self._key(code, 1)
                self._modifiers(mask)
            self._key(CODES[last], 1)
            self._key(CODES[last], 0)
            for name in reversed(held):
                code, bit = MODIFIERS[name]
                mask &= ~bit
                self._key(code, 0)
                self._modifiers(mask)
            self.sync()

    def click(self, x, y):
        """Moves the pointer to a place on the screen and clicks."""
        self._send(self.pointer, 1, struct.pack("=IIIII", self._now(), x, y, *self.size))
        self._send(self.pointer, 4)
        for state in (1, 0):
            self._send(self.pointer, 2, struct.pack("=III", self._now(), 0x110, state))
            self._send(self.pointer, 4)
        self.sync()
        time.sleep(self.pause)

    def look_elsewhere(self):
        """Takes the focus from the window: there is none on the second workspace."""
        swaymsg("workspace 2")

    def look_back(self):
        swaymsg("workspace 1")

    def close(self):
        """Asks the window to close."""
        swaymsg("kill")

    def picture(self, path):
        """Saves a picture of the whole screen."""
        subprocess.run(["grim", str(path)], check=True)

    def sync(self):
        """Returns once the compositor has taken all that was sent; fails with its words where it took something ill."""
        self._callbacks = getattr(self, "_callbacks", 7) + 1
        self._send(1, 0, struct.pack("=I", self._callbacks))
        while True:
            sender, opcode, body = self._receive()
            if (sender, opcode) == (1, 0):
                raise RuntimeError(f"the compositor says: {body[12:].decode(errors='replace')}")
            if (sender, opcode) == (self._callbacks, 0):
                # The number is free again.
                self._callbacks -= 1
                return

    def _now(self):
        return int((time.monotonic() - self.begun) * 1000)

    def _key(self, code, state):
        self._send(self.keyboard, 1, struct.pack("=III", self._now(), code, state))

    def _modifiers(self, mask):
        self._send(self.keyboard, 2, struct.pack("=IIII", mask, 0, 0, 0))

    def _globals(self):
        self._send(1, 0, struct.pack("=I", 3))
        names = {}
        while True:
            sender, opcode, body = self._receive()
            if (sender, opcode) == (3, 0):
                return names
            if (sender, opcode) == (2, 0):
                name, length = struct.unpack_from("=II", body)
                names[body[8:8 + length - 1].decode()] = name

    def _bind(self, name, interface, number):
        text = interface.encode() + b"\0"
        padded = text + b"\0" * (-len(text) % 4)
        self._send(2, 0, struct.pack("=II", name, len(text)) + padded + struct.pack("=II", 1, number))
        return number

    def _send(self, target, opcode, body=b"", descriptor=None):
        message = struct.pack("=II", target, (8 + len(body)) << 16 | opcode) + body
        with_it = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))] if descriptor is not None else []
        self.socket.sendmsg([message], with_it)

    def _receive(self):
        sender, word = struct.unpack("=II", self._exactly(8))
        return sender, word & 0xFFFF, self._exactly((word >> 16) - 8)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise RuntimeError("the compositor has gone")
            data += more
        return data
