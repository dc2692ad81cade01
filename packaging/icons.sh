#!/bin/sh
# Draws the icons of the window, for Windows and for macOS from assets/duplex.svg. They are kept beside it, since neither
# those systems nor Cargo bring what draws an SVG; when the SVG has changed, run this and commit what it made.
#
#   sh packaging/icons.sh            makes assets/icon-256.png, duplex.ico and duplex.icns
#   sh packaging/icons.sh --check    fails where they are not as the SVG is now
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/lib.sh"
need rsvg-convert icotool png2icns

drawn=$WORK/icons
mkdir -p "$drawn"
for size in 16 20 24 32 40 48 64 128 256 512 1024; do
    icon "$size" "$drawn/$size.png"
done
cd "$drawn"
# The large ones as PNG; the small ones as bitmaps, which all of Windows reads.
icotool --create --output=duplex.ico 16.png 20.png 24.png 32.png 40.png 48.png --raw=64.png --raw=256.png
png2icns duplex.icns 16.png 32.png 128.png 256.png 512.png 1024.png >/dev/null
cp 256.png icon-256.png
for file in icon-256.png duplex.ico duplex.icns; do
    if [ "${1:-}" = --check ]; then
        cmp -s "$file" "$ROOT/assets/$file" ||
            stop "assets/$file is not what assets/duplex.svg is now; run: sh packaging/icons.sh"
    else
        cp "$file" "$ROOT/assets/$file"
        built "$ROOT/assets/$file"
    fi
done
