#!/bin/sh
# Makes icons.ttf: the glyphs of Lucide that the window uses and may soon use. Needs npm and fonttools (pyftsubset).
# The code points of the names are in Lucide's font/codepoints.json; src/ui/icons.rs has those in use.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
names="panel-left message-square columns-2 gauge arrow-right-left sliders-horizontal plus minus ellipsis x search
  arrow-left arrow-up arrow-down chevron-down chevron-right check clock circle-alert triangle-alert copy save pause play
  trash-2 bell bell-off hash lock keyboard pencil rotate-cw server plug unplug globe calendar pin contrast list zoom-in
  zoom-out info send external-link activity eye eye-off maximize palette cpu reply smile smile-plus link bold italic code
  text-quote type users user user-plus archive log-out log-in messages-square pin-off history"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent lucide-static@1.62.0 >/dev/null
tar xzf lucide-static-1.62.0.tgz
# The names are words of our own: splitting them is meant.
# shellcheck disable=SC2086
codes=$(python3 - $names <<'PY'
import json, sys
points = json.load(open("package/font/codepoints.json"))
print(",".join(f"U+{points[name]:04X}" for name in sys.argv[1:]))
PY
)
pyftsubset package/font/lucide.ttf --unicodes="$codes" --output-file="$here/icons.ttf" --no-hinting \
  --layout-features= --drop-tables+=GSUB,GPOS
cp package/LICENSE "$here/Lucide-LICENSE.txt"
