#!/usr/bin/env python3
"""Packs a folder's files, sorted and as old as their commit, so that the same files give the same archive:

  zip.py FOLDER NAME ARCHIVE    NAME is what the folder is called inside
"""
import os
import pathlib
import sys
import time
import zipfile


def main(folder, name, archive):
    """See the top of the file."""
    date = time.gmtime(int(os.environ["SOURCE_DATE_EPOCH"]))[:6]
    with zipfile.ZipFile(archive, "w") as packed:
        for file in sorted(pathlib.Path(folder).iterdir()):
            entry = zipfile.ZipInfo(f"{name}/{file.name}", date)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
