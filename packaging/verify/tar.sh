#!/bin/sh
# The tarball: installed by a person for themselves, from a folder with spaces and Hangul in its name; upgraded; removed
# with nothing left; what it says when it cannot; and for everybody, in a tree of its own.
# shellcheck disable=SC2317 # functions are called by name, through prove
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
# shellcheck source=packaging/linux/trees.sh
. packaging/linux/trees.sh

file=$PACKAGES/$NAME-$VERSION-linux-$MACHINE.tar.xz
if [ ! -e "$file" ]; then
    sh packaging/build.sh tar >&2
fi
size=$(wc -c <"$file")
prove 'tar: size' "$(size_of "$file") (aim: under 12)" test "$size" -lt 12000000

place="$WORK/tar proof 폴더"
rm -rf "$place"
mkdir -p "$place/home"
tar --extract --directory "$place" --file "$file"
folder=$place/$NAME-$VERSION-linux-$MACHINE
HOME=$place/home
export HOME
local=$HOME/.local
installer() { sh "$folder/install.sh" "$@"; }

prove 'tar: install for oneself' 'into ~/.local' installer
prove 'tar: the program runs' "$("$local/bin/${NAME}ctl" --version)" "$local/bin/${NAME}ctl" --version
prove "tar: the menu's entry names it" "with spaces in its path" \
    grep -qxF "Exec=\"$local/bin/$NAME\" %u" "$local/share/applications/$NAME.desktop"
prove "tar: the menu's entry is valid" 'desktop-file-validate' desktop-file-validate "$local/share/applications/$NAME.desktop"
handles_links() {
    have update-desktop-database || { echo 'update-desktop-database is missing' >&2 && return 0; }
    grep -qxF "x-scheme-handler/$LINK_SCHEME=$NAME.desktop;" "$local/share/applications/mimeinfo.cache"
}
prove 'tar: links' "$LINK_SCHEME:// opens in the window" handles_links
upgrade() {
    mkdir -p "$local/share/$NAME"
    printf 'data' >"$local/share/$NAME/client.db"
    printf 'old' >"$local/share/doc/$NAME/gone"
    printf 'share/doc/%s/gone\n' "$NAME" >>"$local/share/$NAME/installed"
    installer && [ ! -e "$local/share/doc/$NAME/gone" ] && [ -e "$local/bin/$NAME" ]
}
prove 'tar: upgrade' "removes what the new version does not have" upgrade
uninstall() {
    installer --uninstall && [ "$(cat "$local/share/$NAME/client.db")" = data ] && rm -r "$local/share/$NAME" &&
        [ -z "$(find "$local" -type f)" ]
}
prove 'tar: uninstall' 'nothing left but data' uninstall
refuses() { ! installer --uninstall && ! installer --prefix /proc/nowhere && ! installer --what; }
prove 'tar: says what it cannot do' 'not installed, not writable, unknown option' refuses

can_make_trees 'tar: for everybody' || exit 0
open_tree bookworm tar
trap 'close_tree "$layer"' EXIT
tar --extract --directory "$tree/opt" --file "$file"
files_in_tree >"$layer/before"
for_everybody() { in_tree sh "/opt/${folder##*/}/install.sh" --system | tee "$layer/said"; }
prove 'tar: install for everybody' 'into /usr/local, with the services' for_everybody
prove 'tar: the services are of that place' '/usr/local/bin' \
    grep -q '^ExecStart=/usr/local/bin/' "$tree/usr/local/lib/systemd/system/$NAME-hub.service"
prove 'tar: says what the window lacks' 'on a system without a desktop' grep -q 'libegl1 .*libxkbcommon0' "$layer/said"
removed() {
    in_tree sh "/opt/${folder##*/}/install.sh" --system --uninstall && [ -e "$tree/etc/$NAME/hub.conf" ] && rm -r "${tree:?}/etc/$NAME"
    files_in_tree >"$layer/after"
    diff "$layer/before" "$layer/after"
}
prove 'tar: remove for everybody' 'nothing left but settings' removed
