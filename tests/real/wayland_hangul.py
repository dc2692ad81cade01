"""Korean typed through input methods into the running app on Wayland, as korean.py says: ibus and fcitx5 over D-Bus, and
fcitx5 by way of the compositor (text-input) alone.

    HANGUL_SENTENCES=100    how many sentences with each input method (10)
    HANGUL_DELAY=60         milliseconds from key to key (30)
    HANGUL_WITH=ibus        which input methods: ibus, fcitx, fcitx-text-input (all, comma-separated)
"""
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
import hands  # noqa: E402
import korean  # noqa: E402

SETUPS = {
    "ibus": lambda work: korean.Ibus(work, x11=False),
    "fcitx": lambda work: korean.Fcitx(work, x11=False),
    "fcitx-text-input": lambda work: korean.Fcitx(work, x11=False, on_bus=False),
}

person = hands.Hands(delay_ms=korean.DELAY)
for name in os.environ.get("HANGUL_WITH", ",".join(SETUPS)).split(","):
    # sway gives keys to the input method a moment after a field has got the focus: nobody types faster than that.
    person.pause = 1.0 if name == "fcitx-text-input" else 0
    method, app = korean.try_with(name, SETUPS[name], person)
    app.terminate()
    app.wait(30)
    method.stop()
print("passed")
