#!/bin/sh
# The packages for Windows, under Wine on a virtual display: installed silently, started, connected to a hub on this
# machine, upgraded with data kept, removed with neither files nor registry keys left; the portable archive from a folder
# with spaces and Hangul in its name; a computer with old OpenGL. Wine is not Windows: the release workflow installs and
# starts the same packages there.
#   HUB=PROGRAM    a duplexctl of this system for the hub, instead of building one
# shellcheck disable=SC2317 # functions are called by name, through prove
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

results=$PACKAGES/verify
OLD=0.0.9 # older than any version there was
installer_of() { printf '%s/%s-%s-windows-x86_64-setup.exe' "$PACKAGES" "$NAME" "$1"; }
installer=$(installer_of "$VERSION")
archive=$PACKAGES/$NAME-$VERSION-windows-x86_64-portable.zip

for tool in makensis wine Xvfb xwininfo import wrestool osslsigncode x86_64-w64-mingw32-gcc; do
    have "$tool" && continue
    skip 'windows' "$tool is missing: sh packaging/setup.sh --packaging"
    exit 0
done

[ -e "$installer" ] || sh packaging/build.sh exe >&2
[ -e "$archive" ] || sh packaging/build.sh zip >&2
[ -e "$installer" ] || { skip 'windows' 'the programs cannot be built here; see above in the log' && exit 0; }

mkdir -p "$results"
trial=$WORK/wine
rm -rf "$trial"
mkdir -p "$trial"

# One prefix for all: a fresh Windows.
WINEPREFIX=$trial/prefix
WINEARCH=win64
WINEDEBUG=${WINEDEBUG:--all}
WINEDLLOVERRIDES='mscoree=;mshtml=;winemenubuilder.exe='
DISPLAY=:${VERIFY_DISPLAY:-91}
LC_ALL=C.UTF-8
export WINEPREFIX WINEARCH WINEDEBUG WINEDLLOVERRIDES DISPLAY
c=$WINEPREFIX/drive_c

Xvfb "$DISPLAY" -screen 0 1400x900x24 +extension GLX >&2 &
display=$!
hub=
end() {
    [ -z "$hub" ] || kill "$hub" || true
    wineserver -k || true
    kill "$display" || true
}
trap end EXIT
# until_true SECONDS COMMAND…: waits for it, looking twice a second.
until_true() {
    tries=$(($1 * 2))
    shift
    until "$@" >&2; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.5
    done
}

wine wineboot --init >&2 || true
# Wine 8 lacks the one function of this DLL of Windows 10 that Rust's standard library asks for. For this proof only.
cat >"$trial/prng.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return SystemFunction036(data, (ULONG)size); }
C
if [ ! -e "$c/windows/system32/bcryptprimitives.dll" ]; then
    x86_64-w64-mingw32-gcc -shared -o "$c/windows/system32/bcryptprimitives.dll" "$trial/prng.c" -ladvapi32
fi

# ── What is in them ────────────────────────────────────────────────────────────────────────────────────────────────

for file in "$installer" "$archive"; do
    size=$(wc -c <"$file")
    prove "windows: size of ${file##*-}" "$(size_of "$file") (aim: under 12)" test "$size" -lt 12000000
done
prove 'windows: DLLs' 'nothing but what Windows brings' sh packaging/windows/binaries.sh --check "$WORK/stage-windows"
resources() {
    for program in "$NAME.exe" "${NAME}ctl.exe"; do
        wrestool --list "$WORK/stage-windows/$program" >"$trial/resources"
        for type in group_icon version 24; do # 24: the manifest
            grep -q -- "--type=.*$type" "$trial/resources" || return 1
        done
        wrestool --raw --extract --type=24 "$WORK/stage-windows/$program" | grep -q PerMonitorV2 || return 1
    done
}
prove 'windows: resources' 'icon, version, manifest' resources
prove "windows: icons" 'as assets/duplex.svg is' sh packaging/icons.sh --check
# With a certificate made for this: that it can be done, not that anyone would trust it.
signing() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$AUTHOR" -addext extendedKeyUsage=codeSigning \
        -keyout "$trial/key.pem" -out "$trial/certificate.pem" &&
        openssl pkcs12 -export -passout pass:secret -inkey "$trial/key.pem" -in "$trial/certificate.pem" -out "$trial/certificate.pfx" &&
        WINDOWS_CERTIFICATE=$trial/certificate.pfx WINDOWS_CERTIFICATE_PASSWORD=secret \
            sh packaging/windows/exe.sh "$WORK/stage-windows" "$trial/signed.exe" &&
        osslsigncode verify -CAfile "$trial/certificate.pem" -in "$trial/signed.exe"
}
prove 'windows: signing' 'installer, by a certificate of its own' signing

# ── The installer ──────────────────────────────────────────────────────────────────────────────────────────────────

# Debian's Wine says that it is Windows 7.
wine winecfg -v win7 >&2
refuses() { ! wine "$installer" /S >&2 && [ ! -e "$c/users/$(id -un)/AppData/Local/Programs/$TITLE" ]; }
prove 'windows: on Windows 7' 'refuses, installs nothing' refuses
wine winecfg -v win10 >&2

# What there is of files and registry keys, to be compared; less what Windows itself writes while programs run.
listing() {
    wineserver -w
    (cd "$c" && find . -path ./windows -prune -o -path '*/Temp/*' -prune -o -print | sort) >"$1.files"
    for key in HKCU HKLM; do
        wine reg export "$key" "$trial/export.reg" /y >&2
        iconv -f UTF-16 -t UTF-8 "$trial/export.reg" | tr -d '\r'
    done | grep -viE '^$|wine\\(fonts|mshtml|debug|drivers)|explorer\\(mountpoints|sessioninfo)|usr\\\\share\\\\fonts|DriverDateData|wine\\credential manager\]' >"$1.registry"
}
local_app_data=$(wine cmd /c 'echo %LOCALAPPDATA%' | tr -d '\r' | sed 's|^C:||; s|\\|/|g')
installed=$c$local_app_data/Programs/$TITLE
data=$c$local_app_data/$TITLE/data
app="$installed/$NAME.exe"
menu=$(wine cmd /c 'echo %APPDATA%' | tr -d '\r' | sed 's|^C:||; s|\\|/|g')
shortcut="$c$menu/Microsoft/Windows/Start Menu/Programs/$TITLE.lnk"
path_is() { wine reg query 'HKCU\Environment' /v Path 2>/dev/null | tr -d '\r' | grep -qF "$1"; }
entry="HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\$TITLE"
version_is() { wine reg query "$entry" /v DisplayVersion | tr -d '\r' | grep -qwF "$1"; }

# An older version: the same programs in an installer that says so.
if [ ! -e "$(installer_of "$OLD")" ]; then
    PROGRAMS=$WORK/stage-windows-programs
    rm -rf "$PROGRAMS"
    mkdir -p "$PROGRAMS"
    cp "$WORK/stage-windows/"*.exe "$PROGRAMS"
    PACKAGE_VERSION=$OLD PROGRAMS=$PROGRAMS sh packaging/build.sh exe >&2
fi

# The person's PATH, longer than NSIS's strings.
long=$(printf 'C:\\tools\\%0200d;' 1 2 3 4 5 6 7 8 9)
wine reg add 'HKCU\Environment' /v Path /t REG_EXPAND_SZ /d "%USERPROFILE%\\bin;$long" /f >&2
listing "$trial/before"

install_old() { wine "$(installer_of "$OLD")" /S /PATH >&2 && [ -e "$app" ] && [ -e "$shortcut" ] && version_is "$OLD"; }
prove 'windows: silent install' "%LOCALAPPDATA%\\Programs\\$TITLE, no rights" install_old
size=$(du -sk "$installed" | cut -f1)
prove 'windows: installed size' "$((size / 1024)) MB (aim: under 30)" test "$size" -lt 30000
on_path() { path_is "\\Programs\\$TITLE" && path_is "$long"; }
prove 'windows: PATH' 'taken on behind a PATH of 1,900 characters' on_path
prove 'windows: duplexctl runs' "$(wine "$installed/${NAME}ctl.exe" --version | tr -d '\r')" \
    wine "$installed/${NAME}ctl.exe" --version

# A hub on this machine, of the same source.
if [ -z "${HUB:-}" ]; then
    cargo build --locked --bin "${NAME}ctl" >&2
    HUB=$TARGET/debug/${NAME}ctl
fi
"$HUB" hub --listen 127.0.0.1:0 --data-dir "$trial/hub" >"$trial/hub.log" 2>&1 &
hub=$!
until_true 60 test -s "$trial/hub/hub.json"
url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$trial/hub/hub.json")
DUPLEX_TOKEN=$(cat "$trial/hub/token")
export DUPLEX_TOKEN
ctl() { wine "$installed/${NAME}ctl.exe" "$@"; }
chat() { ctl send "$url" --room general 'from Windows' >&2 && ctl tail "$url" --room general --count 1 --since 0 | tee /dev/stderr | grep -q 'from Windows'; }
prove 'windows: duplexctl and a hub' 'a message there and back' chat

# picture FILE: has it more than a blank window?
drawn() { [ -s "$1" ] && [ "$(identify -format %k "$1")" -gt 200 ]; }
on_a_hub() {
    wine "$app" --url "$url" --screenshot "Z:$results/windows-hub.png" --after 6 >&2
    drawn "$results/windows-hub.png"
}
prove 'windows: the app and a hub' "target/packages/verify/windows-hub.png" on_a_hub
unset DUPLEX_TOKEN

# The window as a person starts it, with its own hub; and an upgrade over it while it runs.
window_is_there() { xwininfo -root -tree | grep -q "\"$TITLE\""; }
starts() {
    wine "$app" >&2 &
    until_true 120 window_is_there && until_true 60 test -s "$data/client.db" &&
        until_true 60 test -s "$data/hub.db" && until_true 60 shot "$results/windows-window.png"
}
shot() { import -window root "$1" && drawn "$1"; }
prove 'windows: the app starts' "its own hub; target/packages/verify/windows-window.png" starts
upgrade() {
    wine "$installer" /S >&2
    version_is "$VERSION" && ! window_is_there && [ -s "$data/client.db" ] && path_is "\\Programs\\$TITLE" &&
        [ -z "$(find "$installed" -name '*.new' -o -name '*.old')" ]
}
checksum() { wine "$app" --screenshot "Z:$trial/after.png" --after 3 >&2 && drawn "$trial/after.png"; }
prove 'windows: upgrade' 'closes the running app, keeps data and choices' upgrade
prove 'windows: starts on that data' 'after the upgrade' checksum

gone() {
    wine "$installed/uninstall.exe" /S >&2
    until_true 60 test ! -e "$installed"
    listing "$trial/after"
    diff "$trial/before.registry" "$trial/after.registry" >&2 || return 1
    # The person's data is what may stay.
    grep -vF "/Local/$TITLE" "$trial/after.files" | diff "$trial/before.files" - >&2 && [ -s "$data/client.db" ]
}
prove 'windows: uninstall' 'no file, no registry key; data kept' gone
deleted() {
    wine "$installer" /S >&2 && wine "$installed/uninstall.exe" /S /DELETEDATA >&2
    until_true 60 test ! -e "$installed" && listing "$trial/deleted" &&
        diff "$trial/before.files" "$trial/deleted.files" >&2 && diff "$trial/before.registry" "$trial/deleted.registry" >&2
}
prove 'windows: uninstall, all' '/DELETEDATA: nothing at all is left' deleted

for_all() {
    wine "$installer" /S /ALLUSERS /D=C:\\Duplex for all >&2 && [ -e "$c/Duplex for all/$NAME.exe" ] &&
        wine reg query "HKLM${entry#HKCU}" /v UninstallString >&2 &&
        wine "$c/Duplex for all/uninstall.exe" /S >&2 &&
        until_true 60 test ! -e "$c/Duplex for all" && ! wine reg query "HKLM${entry#HKCU}" >&2
}
prove 'windows: for all users' '/ALLUSERS /D=, removed again' for_all

# ── The portable archive ───────────────────────────────────────────────────────────────────────────────────────────

place="$trial/두 손 folder"
portable() {
    rm -rf "$place"
    mkdir -p "$place"
    (cd "$place" && "$PYTHON" -m zipfile -e "$archive" .)
    rm -f "$results/windows-portable.png"
    (cd "$place" && wine "$TITLE/$NAME.exe" --screenshot "Z:$results/windows-portable.png" --after 4 >&2)
    drawn "$results/windows-portable.png" && [ -s "$place/$TITLE/data/client.db" ] && [ ! -e "$data" ]
}
prove 'windows: portable' 'from “두 손 folder”, data beside it' portable

# ── Old OpenGL, as on basic displays ───────────────────────────────────────────────────────────────────────────────

# Direct3D 12 draws where it is there; where it is not, as in most of Wine, a message says what is missing.
old_opengl() {
    rm -f "$results/windows-opengl-1.4.png"
    MESA_GL_VERSION_OVERRIDE=1.4 wine "$place/$TITLE/$NAME.exe" >&2 &
    box_or_window() { xwininfo -root -tree | grep '"Duplex"' && sleep 1 && shot "$results/windows-opengl-1.4.png"; }
    until_true 120 box_or_window
}
prove 'windows: OpenGL 1.4' 'starts or says why not; windows-opengl-1.4.png' old_opengl
