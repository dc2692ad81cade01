#!/usr/bin/env python3
"""Prints the AppStream metadata of the app, which software centres show (freedesktop.org's AppStream 1.0). Texts come
from the environment (packaging/lib.sh) and the changelog. Screenshots are addresses on the web, by AppStream's rules:
they are named when it is known where the source is (REPOSITORY)."""
import os
import pathlib
import re
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import metadata  # noqa: E402

# What a person may meet in a chat, in OARS' words (https://hughsie.github.io/oars/).
CONTENT = {"social-chat": "intense"}
SCREENSHOTS = {"assets/screenshot.png": "Rooms on the left, the chat in the middle, devices on the right"}
LANGUAGES = ("en", "ko")


def add(parent, tag, text=None, **attributes):
    """A child with text; a `lang` is XML's own attribute."""
    attributes = {"xml:lang" if name == "lang" else name: value for name, value in attributes.items()}
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def items(markdown):
    """The points of a changelog's entry, each in one line, without code marks."""
    return [" ".join(point.split()).replace("`", "") for point in ("\n" + markdown).split("\n- ")[1:]]


def component(say):
    """The whole component; `say` holds the texts."""
    root = ET.Element("component", {"type": "desktop-application"})
    add(root, "id", say["APP_ID"])
    add(root, "metadata_license", "CC0-1.0")
    add(root, "project_license", say["LICENSE"])
    add(root, "name", say["TITLE"])
    add(root, "summary", say["SUMMARY"])
    add(root, "summary", say["SUMMARY_KO"], lang="ko")
    add(root, "developer_name", say["AUTHOR"])
    description = add(root, "description")
    add(description, "p", say["INTRODUCTION"])
    add(description, "p", say["DESCRIPTION_KO"] + ".", lang="ko")
    add(root, "launchable", f"{say['NAME']}.desktop", type="desktop-id")
    add(root, "icon", say["NAME"], type="stock")
    if say["HOMEPAGE"]:
        add(root, "url", say["HOMEPAGE"], type="homepage")
    if say["REPOSITORY"]:
        screenshots = add(root, "screenshots")
        for number, (file, caption) in enumerate(SCREENSHOTS.items()):
            screenshot = add(screenshots, "screenshot", **({} if number else {"type": "default"}))
            add(screenshot, "caption", caption)
            add(screenshot, "image", f"{say['REPOSITORY']}/raw/v{say['VERSION']}/{file}", type="source")
    entry = pathlib.Path(__file__).with_name("duplex.desktop").read_text(encoding="utf-8")
    categories = add(root, "categories")
    for category in re.search(r"^Categories=(.*);$", entry, re.MULTILINE)[1].split(";"):
        add(categories, "category", category)
    provides = add(root, "provides")
    add(provides, "binary", say["NAME"])
    add(provides, "mediatype", f"x-scheme-handler/{say['LINK_SCHEME']}")
    languages = add(root, "languages")
    for language in LANGUAGES:
        add(languages, "lang", language, percentage="100")
    recommends = add(root, "recommends")
    add(recommends, "control", "pointing")
    add(recommends, "control", "keyboard")
    rating = add(root, "content_rating", type="oars-1.1")
    for name, value in CONTENT.items():
        add(rating, "content_attribute", value, id=name)
    releases = add(root, "releases")
    for version, date, text in metadata.releases():
        points = add(add(add(releases, "release", version=version, date=date), "description"), "ul")
        for point in items(text):
            add(points, "li", point)
    return root


if __name__ == "__main__":
    tree = component(os.environ)
    ET.indent(tree)
    sys.stdout.buffer.write(ET.tostring(tree, encoding="utf-8", xml_declaration=True) + b"\n")
