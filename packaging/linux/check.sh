#!/bin/sh
# Looks at what needs no building, in seconds: every shell script, the metadata, the menu's entry, the services.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
need shellcheck desktop-file-validate appstreamcli systemd-analyze

check=$WORK/check
rm -rf "$check"
mkdir -p "$check"

# Every script of the repository, also those without an ending.
git -c safe.directory="$ROOT" ls-files -z -- '*.sh' .ci | xargs -0 shellcheck -x
say 'scripts are sound'

DESKTOP_KEYWORDS=$(desktop_keywords)
export DESKTOP_KEYWORDS
fill packaging/linux/duplex.desktop >"$check/$NAME.desktop"
desktop-file-validate "$check/$NAME.desktop"
say "the menu's entry is valid"

# With an address and without one; the web is not asked whether it is there.
for address in '' https://example.org/duplex; do
    file=$check/$APP_ID.metainfo.xml
    REPOSITORY=$address HOMEPAGE=$address "$PYTHON" packaging/linux/metainfo.py >"$file"
    appstreamcli validate --no-net "$file" >"$check/appstream.log" || {
        cat "$check/appstream.log"
        stop 'AppStream metadata is not valid'
    }
done
say 'AppStream metadata is valid'
"$PYTHON" packaging/metadata.py notes "$VERSION" >/dev/null
say "the changelog speaks of $VERSION"

sh packaging/linux/units.sh "$check/units"
