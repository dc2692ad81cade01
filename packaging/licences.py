#!/usr/bin/env python3
"""Prints the licences of the libraries that are linked into the programs for a target, as they want to be shown to
whoever gets a copy:

  licences.py TRIPLE

Each text once, after the names of those it is for. Of a choice of licences MIT is taken where it is offered.
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = ("license", "licence", "copying", "copyright", "notice", "unlicense")


def cargo(*arguments):
    """What cargo prints, in the source tree."""
    return subprocess.run(["cargo", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def linked(triple):
    """Name and version of each library in the programs; what only builds or tests them is left out."""
    lines = cargo("tree", "--locked", "--edges", "normal", "--target", triple, "--prefix", "none", "--format", "{p}").splitlines()
    return {tuple(line.split()[:2]) for line in lines if line}


def texts(folder, licence):
    """The licence files of a library; of those it offers to choose from only MIT's."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name.lower().startswith(NAMES))
    mit = [file for file in files if "mit" in file.name.lower()]
    chosen = mit if mit and " AND " not in licence else files
    return [file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip() for file in chosen]


def main(triple):
    """See the top of the file."""
    metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", triple))
    wanted = linked(triple)
    libraries = sorted(
        (package for package in metadata["packages"]
         if package["source"] and (package["name"], f"v{package['version']}") in wanted),
        key=lambda package: (package["name"], package["version"]))
    bearers = {}
    print("Libraries that are part of these programs, with their licences.\n")
    for package in libraries:
        licence = package["license"] or package["license_file"] or "see its text"
        title = f"{package['name']} {package['version']}"
        print(f"{title}: {licence.replace('/', ' OR ')}  {package['repository'] or ''}".rstrip())
        for text in texts(pathlib.Path(package["manifest_path"]).parent, licence):
            # The same words in other lines are the same text.
            bearers.setdefault(" ".join(text.split()), (text, []))[1].append(title)
    for text, titles in bearers.values():
        print(f"\n{'=' * 78}\n{', '.join(titles)}\n\n{text}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    main(sys.argv[1])
