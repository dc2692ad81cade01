#!/usr/bin/env python3
"""Reads an application bundle as macOS does and fails where something is missing or not as it says:

  look.py BUNDLE.app ENTITLEMENTS.plist
"""
import os
import pathlib
import plistlib
import struct
import sys

# Drawn at 16, 32, 128, 256, 512 and 1024 pixels; the types are those of Apple's icns.
ICONS = {b"is32", b"il32", b"it32", b"ic08", b"ic09", b"ic10"}


def icons(file):
    """The types of the pictures in an .icns file."""
    data, found, at = file.read_bytes(), set(), 8
    assert data[:4] == b"icns" and struct.unpack(">I", data[4:8])[0] == len(data), f"{file} is no icns file"
    while at < len(data):
        kind, length = struct.unpack(">4sI", data[at:at + 8])
        assert 8 < length <= len(data) - at, f"{file} is damaged"
        found.add(kind)
        at += length
    return found


def main(bundle, entitlements):
    """See the top of the file."""
    contents = pathlib.Path(bundle) / "Contents"
    info = plistlib.loads((contents / "Info.plist").read_bytes())
    for key in ("CFBundleIdentifier", "CFBundleName", "CFBundleShortVersionString", "LSMinimumSystemVersion"):
        assert info[key] and "@" not in info[key], f"{key}: {info[key]!r}"
    assert all(part.isdigit() for part in info["CFBundleShortVersionString"].split(".")), "versions are numbers and dots"
    schemes = [scheme for kind in info["CFBundleURLTypes"] for scheme in kind["CFBundleURLSchemes"]]
    assert schemes == [os.environ["LINK_SCHEME"]], f"links: {schemes}"
    program = contents / "MacOS" / info["CFBundleExecutable"]
    assert os.access(program, os.X_OK), f"{program} cannot be run"
    missing = ICONS - icons(contents / "Resources" / f"{info['CFBundleIconFile']}.icns")
    assert not missing, f"the icon lacks {missing}"
    for language in set(info["CFBundleLocalizations"]) - {info["CFBundleDevelopmentRegion"]}:
        strings = contents / "Resources" / f"{language}.lproj" / "InfoPlist.strings"
        assert '"NSLocalNetworkUsageDescription" = ' in strings.read_text(encoding="utf-8"), strings
    allowed = plistlib.loads(pathlib.Path(entitlements).read_bytes())
    assert all(key.startswith("com.apple.security.") for key in allowed), allowed
    assert not any(allowed.values()), "the hardened runtime has no exceptions"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
