#!/bin/sh
# Lays out the application bundle from two programs: runs on any system, so that what needs no Mac is checked everywhere.
#
#   sh packaging/macos/app.sh PROGRAMS BUNDLE.app
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

programs=$1 bundle=$2
MINIMUM=11.0 # the first for Apple's own processors
VERSION_NUMBERS=${VERSION%%[-+]*}
export MINIMUM VERSION_NUMBERS

rm -rf "$bundle"
contents=$bundle/Contents
mkdir -p "$contents"
fill packaging/macos/Info.plist >"$contents/Info.plist"
printf 'APPL????' >"$contents/PkgInfo"
put 755 "$programs/$NAME" "$contents/MacOS/$NAME"
put 755 "$programs/${NAME}ctl" "$contents/MacOS/${NAME}ctl"
put 644 "assets/$NAME.icns" "$contents/Resources/$NAME.icns"
put 644 packaging/macos/ko.lproj.strings "$contents/Resources/ko.lproj/InfoPlist.strings"
put 644 LICENSE-MIT "$contents/Resources/LICENSE-MIT"
put 644 LICENSE-APACHE "$contents/Resources/LICENSE-APACHE"
{
    "$PYTHON" packaging/licences.py aarch64-apple-darwin
    cat assets/fonts/*LICENSE*
} >"$contents/Resources/third-party-licences.txt"
