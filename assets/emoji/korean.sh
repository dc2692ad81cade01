#!/bin/sh
# Makes korean.tsv: the Korean names and search words of emoji, from the annotations of Unicode's CLDR. Needs npm and python3.
# One line each: the emoji, its name, and its search words separated by commas. Skin tones are left out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in cldr-annotations-full cldr-annotations-derived-full; do
  npm pack --silent "$package@48.2.0" >/dev/null
  mkdir "$package"
  tar xzf "$package-48.2.0.tgz" -C "$package"
done
python3 - >"$here/korean.tsv" <<'PY'
import json

def annotations(package, folder, root):
    path = f"{package}/package/{folder}/ko/annotations.json"
    with open(path, encoding="utf-8") as file:
        return json.load(file)[root]["annotations"]

known = annotations("cldr-annotations-derived-full", "annotationsDerived", "annotationsDerived")
known = {**known, **annotations("cldr-annotations-full", "annotations", "annotations")}
tones = {chr(code) for code in range(0x1F3FB, 0x1F400)}
for text, said in sorted(known.items()):
    is_emoji = ord(max(text)) >= 0x2190 or "\u20e3" in text
    if not is_emoji or any(tone in text for tone in tones) or "tts" not in said:
        continue
    name = said["tts"][0].replace("\t", " ")
    words = [word for word in said.get("default", []) if word != name and "," not in word]
    print(text, name, ",".join(words), sep="\t")
PY
cp cldr-annotations-full/package/LICENSE "$here/Unicode-LICENSE.txt"
