#!/bin/sh
# Builds one of Windows's formats: exe (the installer) or zip (portable). Called by packaging/build.sh.
#   PROGRAMS=DIR    takes duplex.exe and duplexctl.exe from there instead of building them (binaries.sh)
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
format=$1

case $(uname -s) in
Linux | MINGW* | MSYS* | CYGWIN*) ;;
*) cannot 'packages for Windows are built on Windows (Git Bash) and on Debian' ;;
esac
case ${PACKAGE_ARCH:-amd64} in
amd64) ;;
arm64) cannot 'no packages for Windows on ARM64: it runs those for x86-64' ;;
*) cannot "Windows has no $PACKAGE_ARCH" ;;
esac
case $format in
exe) need makensis ;;
zip) need "$PYTHON" ;;
esac

if [ -z "${PROGRAMS:-}" ]; then
    if [ "$(uname -s)" = Linux ] && ! have x86_64-w64-mingw32-gcc; then
        cannot 'the cross compiler is missing; run: sh packaging/setup.sh --packaging'
    fi
    sh packaging/windows/binaries.sh
    PROGRAMS=$WORK/windows
fi

# What both hold. Texts with Windows's ends of lines.
stage=$WORK/stage-windows
rm -rf "$stage"
for program in "$NAME.exe" "${NAME}ctl.exe"; do
    put 755 "$PROGRAMS/$program" "$stage/$program"
    sh packaging/windows/sign.sh "$stage/$program"
done
crlf() { sed 's/\r*$/\r/' "$1" >"$2"; }
crlf LICENSE-MIT "$stage/LICENSE-MIT.txt"
crlf LICENSE-APACHE "$stage/LICENSE-APACHE.txt"
"$PYTHON" packaging/licences.py x86_64-pc-windows-gnu >"$WORK/licences-windows"
cat assets/fonts/*LICENSE* >>"$WORK/licences-windows"
crlf "$WORK/licences-windows" "$stage/third-party-licences.txt"

package=$PACKAGES/$NAME-$VERSION-windows-x86_64
case $format in
exe) sh packaging/windows/exe.sh "$stage" "$package-setup.exe" ;;
zip) sh packaging/windows/zip.sh "$stage" "$package-portable.zip" ;;
esac
