#!/bin/sh
# Installs @TITLE@ from this folder, for you alone, without administrator rights:
#
#   ./install.sh                into ~/.local
#   ./install.sh --system       into /usr/local, for everybody, with the services (as root)
#   ./install.sh --prefix DIR   into another folder
#   ./install.sh --uninstall    removes what it installed (with --system or --prefix as then); your data stays
#
# Run that of a newer version to upgrade; messages and settings are kept.
set -eu
umask 022
here=$(cd "$(dirname "$0")" && pwd)

say() { printf '%s\n' "$*"; }
stop() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
usage() {
    sed -n '/^#   \.\//s/^#   //p' "$0" >&2
    exit 2
}

uninstall=0 system=0 prefix=
while [ $# -gt 0 ]; do
    case $1 in
    --system) system=1 ;;
    --uninstall) uninstall=1 ;;
    --prefix)
        [ $# -ge 2 ] || usage
        prefix=$2
        shift
        ;;
    *) usage ;;
    esac
    shift
done
if [ -z "$prefix" ]; then
    if [ $system -eq 1 ]; then
        prefix=/usr/local
    else
        prefix=${HOME:?is not set: say where with --prefix DIR}/.local
    fi
fi
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
# What was installed, a path a line: files, and with a / at their end the folders that were made for them.
list=$prefix/share/@NAME@/installed

# Removes the files that are listed and not in the file $1.
remove_files() {
    [ -e "$list" ] || return 0
    grep -v '/$' "$list" | while IFS= read -r file; do
        grep -qxF -e "$file" "$1" || rm -f "$prefix/$file"
    done
}

# make_folder FOLDER: makes it and those above it where they are not there, and notes which it made.
make_folder() {
    if [ ! -d "$prefix/$1" ]; then
        make_folder "$(dirname "$1")"
        mkdir "$prefix/$1"
        printf '%s/\n' "$1" >>"$made"
    fi
}

# So that menus show its icon and links open in it, where caches of both are kept.
refresh() {
    if command -v update-desktop-database >/dev/null 2>&1 && [ -d "$prefix/share/applications" ]; then
        update-desktop-database -q "$prefix/share/applications" 2>/dev/null || true
    fi
    if command -v gtk-update-icon-cache >/dev/null 2>&1 && [ -e "$prefix/share/icons/hicolor/index.theme" ]; then
        gtk-update-icon-cache -q "$prefix/share/icons/hicolor" 2>/dev/null || true
    fi
    if [ $system -eq 1 ] && [ -d /run/systemd/system ]; then
        systemctl daemon-reload || true
    fi
}

if [ $uninstall -eq 1 ]; then
    [ -e "$list" ] || stop "@TITLE@ was not installed into $prefix by this script"
    if [ $system -eq 1 ] && [ -d /run/systemd/system ]; then
        systemctl --no-reload disable --now @NAME@-hub.socket 2>/dev/null || true
        systemctl --no-reload disable --now @NAME@-hub.service 2>/dev/null || true
        systemctl --no-reload disable --now '@NAME@-agent@*.service' 2>/dev/null || true
    fi
    remove_files /dev/null
    # A cache that describes nothing any more is not a reason to keep its folder.
    if ! find "$prefix/share/applications" -name '*.desktop' 2>/dev/null | grep -q .; then
        rm -f "$prefix/share/applications/mimeinfo.cache"
    fi
    folders=$(grep '/$' "$list" | sort -r)
    rm -f "$list"
    # Those within come before those around them; one that holds something else stays.
    printf '%s\n' "$folders" | while IFS= read -r folder; do
        rmdir "$prefix/$folder" 2>/dev/null || true
    done
    refresh
    say "@TITLE@ is removed from $prefix. Your data is where it was."
    exit 0
fi

"$here/bin/@NAME@ctl" --version >/dev/null 2>&1 ||
    stop "the programs do not start here. They are for Linux on @MACHINE@ with glibc @GLIBC@ or newer, and this is $(uname -s) on $(uname -m): $("$here/bin/@NAME@ctl" --version 2>&1 || true)"
if ! mkdir -p "$prefix" 2>/dev/null || [ ! -w "$prefix" ]; then
    stop "$prefix cannot be written to. Run it as root, or without --system to install for you alone."
fi

new=$(mktemp)
made=$(mktemp)
trap 'rm -f "$new" "$made"' EXIT
if [ -e "$list" ]; then grep '/$' "$list" >"$made" || true; fi
(cd "$here" && find bin share -type f) | sort >"$new"
[ $system -eq 0 ] || (cd "$here" && find lib -type f) >>"$new"
remove_files "$new"

in_sed=$(printf '%s' "$prefix" | sed 's/[&|\\]/\\&/g')
while IFS= read -r file; do
    make_folder "$(dirname "$file")"
    # Beside it and over it in one step: a program that runs goes on with its old file.
    case $file in
    # These name the program's place.
    lib/systemd/*.service) sed "s|/usr/bin/|$in_sed/bin/|" "$here/$file" >"$prefix/$file.new" ;;
    share/applications/*) sed "s|^Exec=\([^ ]*\)|Exec=\"$in_sed/bin/\1\"|" "$here/$file" >"$prefix/$file.new" ;;
    *) cp "$here/$file" "$prefix/$file.new" ;;
    esac
    mode=644
    case $file in bin/*) mode=755 ;; esac
    chmod $mode "$prefix/$file.new"
    mv "$prefix/$file.new" "$prefix/$file"
done <"$new"
make_folder share/@NAME@
cat "$new" "$made" >"$list"
chmod 644 "$list"

if [ $system -eq 1 ] && [ ! -e /etc/@NAME@/hub.conf ]; then
    mkdir -p /etc/@NAME@
    cp "$here/etc/@NAME@/hub.conf" /etc/@NAME@/hub.conf
fi
refresh

say "@TITLE@ @VERSION@ is installed in $prefix."
PATH=$PATH:/usr/sbin:/sbin
if [ -e "$here/libraries" ] && command -v ldconfig >/dev/null 2>&1; then
    have=$(ldconfig -p)
    missing=''
    packages=''
    while read -r library package; do
        case $have in
        *"$library "*) ;;
        *) missing="$missing $library" packages="$packages $package" ;;
        esac
    done <"$here/libraries"
    if [ -n "$missing" ]; then
        say "The window needs libraries that are not installed:$missing"
        say "On Debian and Ubuntu: sudo apt install$packages"
    fi
fi
case :$PATH: in
*":$prefix/bin:"*) ;;
*) say "Your PATH has no $prefix/bin yet: in a terminal it has after a new login on most systems, or call the programs there." ;;
esac
