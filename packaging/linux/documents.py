#!/usr/bin/env python3
"""Prints what packages want to have in a form of their own, from our own files:

  documents.py copyright                Debian's copyright file (DEP-5), from the LICENSE files
  documents.py deb-changelog PACKAGE    Debian's changelog, from packaging/CHANGELOG.md
  documents.py rpm-changelog            the same for a spec file
"""
import datetime
import email.utils
import os
import pathlib
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import metadata  # noqa: E402
from metainfo import items  # noqa: E402

ROOT = metadata.ROOT


def indented(text):
    """As a field's continuation: an empty line is a dot."""
    return "".join(f" {line.rstrip()}\n" if line.strip() else " .\n" for line in text.strip().splitlines())


def holder(text):
    """Who has the copyright, from a licence's `Copyright (c)` line and those that go on with it."""
    lines = text.strip().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Copyright (c) "))
    end = next(number for number in range(start, len(lines)) if not lines[number].strip())
    return " ".join(lines[start:end]).removeprefix("Copyright (c) ")


def copyright_file():
    """Debian's copyright file."""
    mit = (ROOT / "LICENSE-MIT").read_text(encoding="utf-8")
    font = (ROOT / "assets/fonts/Pretendard-LICENSE.txt").read_text(encoding="utf-8")
    unicode = (ROOT / "assets/emoji/Unicode-LICENSE.txt").read_text(encoding="utf-8")
    grant = mit[mit.index("Permission is hereby granted"):]
    apache = ("On Debian systems the text of the Apache License, version 2.0, is in\n"
              "/usr/share/common-licenses/Apache-2.0.")
    source = f"Source: {os.environ['HOMEPAGE']}\n" if os.environ["HOMEPAGE"] else ""
    ours = os.environ["LICENSE"].replace(" OR ", " or ").replace("MIT", "Expat")
    return (f"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
            f"Upstream-Name: {os.environ['TITLE']}\n{source}"
            f"Comment: The libraries that are linked into the programs, and their licences, are\n"
            f" listed in third-party-licences.txt.gz beside this file.\n\n"
            f"Files: *\nCopyright: {holder(mit)}\nLicense: {ours}\n\n"
            f"Files: assets/fonts/*\nCopyright: {holder(font)}\nLicense: OFL-1.1\n\n"
            f"Files: assets/emoji/korean.tsv\nCopyright: 2004-2026 Unicode, Inc.\nLicense: Unicode-3.0\n\n"
            f"License: Expat\n{indented(grant)}\nLicense: Apache-2.0\n{indented(apache)}\n"
            f"License: OFL-1.1\n{indented(font[font.index('SIL OPEN FONT LICENSE'):])}\n"
            f"License: Unicode-3.0\n{indented(unicode[unicode.index('NOTICE TO USER'):])}")


def entries():
    """Version, date and points of each release. A version without an entry (PACKAGE_VERSION) is one for trying."""
    releases = metadata.releases()
    version = os.environ["VERSION"]
    if version not in (entry for entry, _, _ in releases):
        day = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
        releases = [(version, day.strftime("%Y-%m-%d"), "- A version for trying.")] + releases
    for entry, date, text in releases:
        yield entry, datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.timezone.utc), items(text)


def wrapped(point, bullet):
    """A point of a list, in lines of at most 78 characters."""
    return textwrap.fill(point, 78, initial_indent=bullet, subsequent_indent=" " * len(bullet), break_on_hyphens=False) + "\n"


def deb_changelog(package):
    """deb-changelog(5)."""
    for version, when, points in entries():
        yield f"{package} ({version}) unstable; urgency=medium\n\n"
        yield from (wrapped(point, "  * ") for point in points)
        yield f"\n -- {os.environ['MAINTAINER']}  {email.utils.format_datetime(when)}\n\n"


def rpm_changelog():
    """What follows %changelog."""
    for version, when, points in entries():
        yield f"* {when:%a %b %d %Y} {os.environ['MAINTAINER']} - {version}-1\n"
        yield from (wrapped(point, "- ") for point in points)
        yield "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["copyright"]:
        sys.stdout.write(copyright_file())
    elif sys.argv[1:2] == ["deb-changelog"] and len(sys.argv) == 3:
        sys.stdout.writelines(deb_changelog(sys.argv[2]))
    elif sys.argv[1:] == ["rpm-changelog"]:
        sys.stdout.writelines(rpm_changelog())
    else:
        sys.exit(__doc__)
