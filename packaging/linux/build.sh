#!/bin/sh
# Builds one of Linux's formats: deb rpm tar appimage flatpak. Called by packaging/build.sh.
#   PROGRAMS=DIR    takes duplex and duplexctl for the architecture from there instead of building them for old systems (binaries.sh)
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
format=$1

[ "$(uname -s)" = Linux ] || cannot "packages for Linux are built on Linux"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
case $format in
rpm) [ "$ARCH" != armhf ] || cannot "no .rpm for armhf: Fedora and openSUSE have no current release for it" ;;
appimage | flatpak) has_app || cannot "no $format for armhf: $NO_APP" ;;
esac
need rsvg-convert "$PYTHON"
if [ -z "${PROGRAMS:-}" ]; then
    sh packaging/linux/binaries.sh
    PROGRAMS=$WORK/linux/$ARCH
fi
export PROGRAMS
sh packaging/linux/stage.sh
has_app || echo "without $NAME: $NO_APP"
exec sh "packaging/linux/$format.sh"
