#!/usr/bin/env python3
"""What every installer says of Duplex, read from Cargo.toml, README.md and packaging/CHANGELOG.md, so that nothing
is typed twice.

  metadata.py                 prints it as assignments for a POSIX shell (packaging/lib.sh evaluates them)
  metadata.py fill TEMPLATE   prints TEMPLATE with each @NAME@ replaced by the environment's NAME; in .xml and .plist
                              files with what has a meaning there escaped
  metadata.py notes VERSION   prints the changelog's entry of that version, in Markdown
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHANGELOG = ROOT / "packaging" / "CHANGELOG.md"


def package():
    """The package as cargo reads it."""
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    metadata = json.loads(result.stdout)
    return metadata["packages"][0], metadata["target_directory"]


def variables():
    """Name by value, all of them strings; empty where Cargo.toml does not say."""
    cargo, target = package()
    ours = cargo["metadata"]["packaging"]
    author = cargo["authors"][0]
    version = os.environ.get("PACKAGE_VERSION") or cargo["version"]
    described = {"DESCRIPTION": cargo["description"], "DESCRIPTION_KO": ours["description-ko"]}
    # Menus and lists of packages have room for what comes before the first comma.
    short = {name.replace("DESCRIPTION", "SUMMARY"): text.split(",")[0] for name, text in described.items()}
    return {
        "NAME": cargo["name"],
        "TITLE": ours["title"],
        "VERSION": version,
        **described,
        **short,
        "INTRODUCTION": introduction(),
        "LICENSE": cargo["license"],
        "AUTHOR": re.sub(r"\s*<.*>$", "", author),
        # Whoever publishes packages is asked about them; lists of packages want an address.
        "MAINTAINER": os.environ.get("MAINTAINER") or (author if "<" in author else f"{author} <nobody@duplex.invalid>"),
        "APP_ID": ours["id"],
        "LINK_SCHEME": ours["link-scheme"],
        "REPOSITORY": cargo["repository"] or github(),
        "HOMEPAGE": cargo["homepage"] or cargo["repository"] or github(),
        "KEYWORDS": " ".join(cargo["keywords"]),
        "RUST_VERSION": cargo["rust_version"],
        "TARGET": target,
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH") or commit_time(),
    }


def introduction():
    """What the README says first, in one line."""
    paragraphs = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")
    return " ".join(next(text for text in paragraphs if not text.startswith("#")).split())


def github():
    """Where the source is when a workflow of GitHub's builds it."""
    server, repository = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    return f"{server}/{repository}" if server and repository else ""


def commit_time():
    """The commit's time in Unix seconds: what is built of it is as old as that, whenever it is built."""
    # In a container the tree may be another user's.
    result = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "log", "-1", "--format=%ct"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if result.returncode or not result.stdout.strip():
        sys.exit("metadata: this is no git checkout; say how old the source is, in Unix seconds: SOURCE_DATE_EPOCH=…")
    return result.stdout.strip()


def fill(path):
    """The template with its places filled; a name that nobody set is a mistake."""
    escaped = escape if path.endswith((".xml", ".plist")) else str

    def value(match):
        if match[1] not in os.environ:
            sys.exit(f"metadata: {path}: @{match[1]}@ is not set")
        return escaped(os.environ[match[1]])

    return re.sub(r"@([A-Z][A-Z_0-9]*)@", value, pathlib.Path(path).read_text(encoding="utf-8"))


def releases():
    """Version, date and text of each entry of the changelog, newest first. An entry opens with `## VERSION (DATE)`."""
    parts = re.split(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", CHANGELOG.read_text(encoding="utf-8"), flags=re.MULTILINE)
    entries = list(zip(parts[1::3], parts[2::3], (text.strip() for text in parts[3::3])))
    if not entries:
        sys.exit(f"metadata: {CHANGELOG} has no entry like '## 1.2.3 (2026-01-31)'")
    return entries


def notes(version):
    """The text of one release."""
    for entry, _, text in releases():
        if entry == version:
            return text + "\n"
    sys.exit(f"metadata: {CHANGELOG} says nothing of {version}")


def main(arguments):
    """See the top of the file."""
    if not arguments:
        sys.stdout.write("".join(f"{name}={shlex.quote(text)}\n" for name, text in variables().items()))
    elif arguments[0] == "fill" and len(arguments) == 2:
        sys.stdout.write(fill(arguments[1]))
    elif arguments[0] == "notes" and len(arguments) == 2:
        sys.stdout.write(notes(arguments[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    main(sys.argv[1:])
