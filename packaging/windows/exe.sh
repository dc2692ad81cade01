#!/bin/sh
# Builds the installer from a folder of staged files.
#
#   sh packaging/windows/exe.sh STAGE INSTALLER.exe
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

stage=$1 installer=$2
numbers=${VERSION%%[-+]*}.0
# Debian's installers are programs for 64 bits; those of NSIS itself for 32, which every Windows runs, too.
kind=x86-unicode
[ ! -e /usr/share/nsis/Stubs/lzma_solid-amd64-unicode ] || kind=amd64-unicode
# On Windows makensis is no program of the shell: it wants Windows's paths.
path() { if have cygpath; then cygpath -w "$1"; else printf '%s' "$1"; fi; }

set -- "-DTITLE=$TITLE" "-DNAME=$NAME" "-DVERSION=$VERSION" "-DVERSION_NUMBERS=$numbers" "-DPUBLISHER=$AUTHOR" \
    "-DSUMMARY=$SUMMARY" "-DSUMMARY_KO=$SUMMARY_KO" "-DLICENSE=$LICENSE" "-DLINK_SCHEME=$LINK_SCHEME" "-DHOMEPAGE=$HOMEPAGE" \
    "-DSTAGE=$(path "$stage")" "-DICON=$(path "$ROOT/assets/$NAME.ico")" "-DOUTFILE=$(path "$installer")"
if sh packaging/windows/sign.sh --can; then
    set -- "$@" "-DSIGN=sh $(path "$ROOT/packaging/windows/sign.sh")"
fi
# No conversion of arguments that look like paths by the shell on Windows.
MSYS2_ARG_CONV_EXCL='*' makensis -V2 -WX -INPUTCHARSET UTF8 -XTarget\ $kind "$@" "$(path "$ROOT/packaging/windows/installer.nsi")"
built "$installer"
