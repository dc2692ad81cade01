#!/bin/sh
# Looks at what needs neither a Mac nor programs that were built: the bundle's files are laid out and read again.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

check=$WORK/check-macos
rm -rf "$check"
# Any two files: it is the bundle that is looked at.
for program in "$NAME" "${NAME}ctl"; do
    put 755 packaging/macos/check.sh "$check/programs/$program"
done
sh packaging/macos/app.sh "$check/programs" "$check/$TITLE.app"
"$PYTHON" packaging/macos/look.py "$check/$TITLE.app" packaging/macos/entitlements.plist
say 'the bundle is whole'
