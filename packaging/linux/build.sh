#!/bin/sh
# Builds one of Linux's formats: deb rpm tar appimage flatpak. Called by packaging/build.sh.
#   PROGRAMS=DIR    takes duplex and duplexctl from there instead of building them for old systems (binaries.sh)
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
format=$1

[ "$(uname -s)" = Linux ] || cannot "packages for Linux are built on Linux"
[ "$(uname -m)" = x86_64 ] || cannot "packages are made for x86_64, this is $(uname -m)"
need rsvg-convert "$PYTHON"
if [ -z "${PROGRAMS:-}" ]; then
    sh packaging/linux/binaries.sh
    PROGRAMS=$WORK/linux
fi
export PROGRAMS
sh packaging/linux/stage.sh
exec sh "packaging/linux/$format.sh"
