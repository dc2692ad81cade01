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
system32=$c/windows/system32
if [ ! -e "$system32/bcryptprimitives.dll" ]; then
    x86_64-w64-mingw32-gcc -shared -o "$system32/bcryptprimitives.dll" "$trial/prng.c" -ladvapi32
fi
# Nor has it PdhEnumObjectsW, which is called before the processor's load is read, and ends the program. This one finds
# nothing, and hands all else on to Wine's own DLL, under another name and without the mark of what Wine brings itself.
cat >"$trial/pdh.c" <<'C'
#include <windows.h>
__declspec(dllexport) LONG WINAPI PdhEnumObjectsW(LPCWSTR s, LPCWSTR m, LPWSTR list, LPDWORD size, DWORD detail, BOOL fresh) { *size = 0; return 0; }
C
mv "$system32/pdh.dll" "$system32/winepdh.dll"
printf 'for one proof   ' | dd of="$system32/winepdh.dll" bs=1 seek=64 conv=notrunc >&2
{
    printf 'EXPORTS\nPdhEnumObjectsW\n'
    x86_64-w64-mingw32-objdump -p "$system32/winepdh.dll" | sed -n 's/^\t\[ *[0-9]*] \(Pdh[0-9A-Za-z]*\)$/\1=winepdh.\1/p' | grep -v '^PdhEnumObjectsW='
} >"$trial/pdh.def"
x86_64-w64-mingw32-gcc -shared -o "$system32/pdh.dll" "$trial/pdh.c" "$trial/pdh.def"

# ── What is in them ────────────────────────────────────────────────────────────────────────────────────────────────

prove 'windows: size of setup.exe' "$(size_of "$installer") (aim: under 12)" test "$(wc -c <"$installer")" -lt 12000000
pass 'windows: size of portable.zip' "$(size_of "$archive")"
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
# Each Windows has this key.
wine reg add 'HKCU\Software\Classes' /f >&2

# What there is of files and registry keys, to be compared; less what Wine itself writes while programs run: this
# system's fonts, the time of the display's driver, the key with which it encrypts tokens.
listing() {
    timeout 60 wineserver -w || true
    (cd "$c" && find . -ipath '*/temp/*' -prune -o -print | sort) >"$1.files"
    for key in HKCU HKLM; do
        wine reg export "$key" "$trial/export.reg" /y >&2
        iconv -f UTF-16 -t UTF-8 "$trial/export.reg" | tr -d '\r'
    done | grep -vE '^$|="Z:\\\\usr\\\\share\\\\fonts|^"(DriverDateData|EncryptionKey)"=|\\Wine\\Credential Manager]$' >"$1.registry"
}
# unchanged NAME: files and registry are as before.
unchanged() {
    listing "$trial/$1"
    diff "$trial/before.files" "$trial/$1.files" && diff "$trial/before.registry" "$trial/$1.registry"
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
cat "$installed"/* >"$trial/all"
prove 'windows: installed size' "$(size_of "$trial/all") (aim: under 30)" test "$(wc -c <"$trial/all")" -lt 30000000
opens_links() {
    wine reg query "HKCU\\Software\\Classes\\$LINK_SCHEME\\shell\\open\\command" /ve | tr -d '\r' |
        grep -qF "\\Programs\\$TITLE\\$NAME.exe\" -- \"%1\"" &&
        wine reg query "HKCU\\Software\\Classes\\$LINK_SCHEME" /v 'URL Protocol' >&2
}
prove 'windows: links' "$LINK_SCHEME:// opens in the window" opens_links
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
# home DATA: where the hub with this data listens, as long as it runs.
home() { sed 's/.*"url":"\([^"]*\)".*/\1/' "$1/hub.json"; }
url=$(home "$trial/hub")
DUPLEX_TOKEN=$(cat "$trial/hub/token")
export DUPLEX_TOKEN
# ctl FOLDER ARGUMENT…: the console companion there. The log has what it prints, and $trial/said.
ctl() {
    companion=$1/${NAME}ctl.exe
    shift
    timeout 60 wine "$companion" "$@" >"$trial/said" && code=0 || code=$?
    cat "$trial/said" >&2
    return "$code"
}
# written FOLDER URL TEXT: that is the first message in the room.
written() { ctl "$1" tail "$2" --room general --since 0 --count 1 && grep -qF "$3" "$trial/said"; }
chat() { ctl "$installed" send "$url" --room general 'from Windows' && written "$installed" "$url" 'from Windows'; }
prove 'windows: duplexctl and a hub' 'a message there and back' chat

# drawn PICTURE: has it more than a blank window?
drawn() { [ -s "$1" ] && [ "$(identify -format %k "$1")" -gt 200 ]; }
on_a_hub() {
    wine "$app" --url "$url" --screenshot "Z:$results/windows-hub.png" --after 6 >&2
    drawn "$results/windows-hub.png"
}
prove 'windows: the app and a hub' "target/packages/verify/windows-hub.png" on_a_hub
unset DUPLEX_TOKEN

# The window as a person starts it, with its own hub; and an upgrade over it while it runs.
no_window() { ! window_is_there; }
window_is_there() { xwininfo -root -tree | grep "$TITLE\": (\"$NAME.exe\""; }
# What Wine shows when a program has crashed.
crashed() { xwininfo -root -tree | grep '"Program Error"'; }
shot() { import -window root "$1" && drawn "$1" && ! crashed; }
# furnished FOLDER DATA TEXT: the window has its hub, that takes a message, and this computer's memory is read.
furnished() {
    until_true 120 window_is_there && until_true 60 test -s "$2/hub.json" || return 1
    ctl "$1" send "$(home "$2")" --room general "$3" && written "$1" "$(home "$2")" "$3" &&
        timeout 60 wine "$1/${NAME}ctl.exe" tail "$(home "$2")" --json --no-messages | grep -m 1 '"metric":"memory".*"value":[1-9]'
}
starts() {
    wine "$app" >&2 &
    furnished "$installed" "$data" 'Written before the upgrade.' && sleep 2 && shot "$results/windows-window.png"
}
prove 'windows: the app starts' "its own hub; target/packages/verify/windows-window.png" starts
upgrade() {
    window_is_there && wine "$installer" /S >&2
    version_is "$VERSION" && ! window_is_there && ! crashed && path_is "\\Programs\\$TITLE" &&
        [ -z "$(find "$installed" -name '*.new' -o -name '*.old')" ]
}
prove 'windows: upgrade' 'closes the running app, keeps its choices' upgrade
kept() {
    wine "$app" --screenshot "Z:$results/windows-upgraded.png" --after 10 >&2 &
    until_true 60 test -s "$data/hub.json" &&
        written "$installed" "$(home "$data")" 'Written before the upgrade.' && wait && drawn "$results/windows-upgraded.png"
}
prove 'windows: starts on that data' 'what was written is there; windows-upgraded.png' kept

# exits CODE PROGRAM…: ends with that code.
exits() {
    expected=$1
    shift
    wine "$@" >&2 && code=0 || code=$?
    [ "$code" -eq "$expected" ]
}
# A hub of duplexctl's goes on through an upgrade; another of the new file's holds up the next; removing waits for both.
companion_runs() {
    for hub_data in "$trial/hub-first" "$trial/hub-second"; do
        wine "$installed/${NAME}ctl.exe" hub --listen 127.0.0.1:0 --data-dir "Z:$hub_data" >&2 &
        until_true 60 test -s "$hub_data/hub.json" || return 1
        if [ ! -e "$installed/${NAME}ctl.exe.old" ]; then
            exits 0 "$installer" /S && [ -e "$installed/${NAME}ctl.exe.old" ] || return 1
        fi
    done
    exits 32 "$installer" /S && [ -z "$(find "$installed" -name '*.new')" ] || return 1
    DUPLEX_TOKEN=$(cat "$trial/hub-first/token")
    export DUPLEX_TOKEN
    ctl "$installed" send "$(home "$trial/hub-first")" --room general 'still here' || return 1
    # In its own folder it does not hand on to a copy, whose exit code nobody sees.
    exits 32 "$installed/uninstall.exe" /S "_?=$(wine winepath -w "$installed" | tr -d '\r')" && [ -e "$app" ] && [ -e "$shortcut" ]
}
prove 'windows: a hub that runs' 'goes on through an upgrade; what cannot be says 32' companion_runs
wine taskkill /F /IM "${NAME}ctl.exe" >&2 || true

gone() {
    wine "$installed/uninstall.exe" /S >&2
    until_true 60 test ! -e "$installed"
    listing "$trial/after"
    diff "$trial/before.registry" "$trial/after.registry" || return 1
    # The person's data is what may stay.
    grep -vF "/Local/$TITLE" "$trial/after.files" | diff "$trial/before.files" - >&2 && [ -s "$data/client.db" ]
}
prove 'windows: uninstall' 'no file, no registry key; data kept' gone
# A token of a connection, by the name that src/settings/secrets.rs gives it.
cat >"$trial/token.c" <<'C'
#include <windows.h>
#include <wincred.h>
#include <wchar.h>
int main(void) {
    WCHAR name[500];
    CREDENTIALW token = {.Type = CRED_TYPE_GENERIC, .TargetName = name, .CredentialBlobSize = 6, .CredentialBlob = (BYTE *)"secret",
                         .Persist = CRED_PERSIST_ENTERPRISE, .UserName = L"connection 7"};
    swprintf(name, 500, L"connection 7 of %ls\\Duplex\\data.Duplex", _wgetenv(L"LOCALAPPDATA"));
    return !CredWriteW(&token, 0);
}
C
x86_64-w64-mingw32-gcc -o "$trial/token.exe" "$trial/token.c"
deleted() {
    wine "$installer" /S >&2 && wine "$trial/token.exe" || return 1
    wine reg query 'HKCU\Software\Wine\Credential Manager' /s | grep 'connection 7 of ' || return 1
    wine "$app" >&2 &
    until_true 120 window_is_there && wine "$installed/uninstall.exe" /S /DELETEDATA >&2
    until_true 60 test ! -e "$installed" && ! window_is_there && unchanged deleted
}
prove 'windows: uninstall, all' '/DELETEDATA over the running app: nothing is left' deleted

environment='HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
for_all() {
    wine "$installer" /S /ALLUSERS /PATH /D=C:\\Duplex for all >&2 && [ -e "$c/Duplex for all/$NAME.exe" ] &&
        wine reg query "HKLM${entry#HKCU}" /v UninstallString && ! wine reg query "$entry" &&
        wine reg query "$environment" /v Path | grep -F 'C:\Duplex for all' || return 1
    wine "$c/Duplex for all/uninstall.exe" /S >&2
    until_true 60 test ! -e "$c/Duplex for all" && unchanged for-all
}
prove 'windows: for all users' '/ALLUSERS /D=, removed again' for_all

# ── The portable archive ───────────────────────────────────────────────────────────────────────────────────────────

place="$trial/두 손 folder"
portable() {
    rm -rf "$place"
    mkdir -p "$place"
    (cd "$place" && "$PYTHON" -m zipfile -e "$archive" .)
    wine "$place/$TITLE/$NAME.exe" >&2 &
    furnished "$place/$TITLE" "$place/$TITLE/data" '두 손으로 씁니다.' && sleep 2 && shot "$results/windows-portable.png" || return 1
    wine "$place/$TITLE/$NAME.exe" --quit >&2 && until_true 60 no_window && [ -s "$place/$TITLE/data/client.db" ] || return 1
    listing "$trial/portable"
    diff "$trial/before.files" "$trial/portable.files" >&2 || return 1
    # No more than portable.txt says.
    ! diff "$trial/before.registry" "$trial/portable.registry" | grep '^[<>]' |
        grep -vxF -e '> [HKEY_CURRENT_USER\Software\Classes\AppUserModelId]' -e "> [HKEY_CURRENT_USER\\Software\\Classes\\AppUserModelId\\$TITLE]" \
            -e "> \"DisplayName\"=\"$TITLE\""
}
prove 'windows: portable' 'from “두 손 folder”, data beside it; windows-portable.png' portable

# ── Old OpenGL, as on basic displays ───────────────────────────────────────────────────────────────────────────────

# Direct3D 12 draws where it is there; where it is not, as in most of Wine, a message says what is missing. What the box
# says is asked of the box.
cat >"$trial/box.c" <<'C'
#include <windows.h>
#include <stdio.h>
int main(void) {
    HWND box = FindWindowW(L"#32770", L"Duplex");
    WCHAR text[2000] = L"";
    char utf8[6000];
    if (!box) return 1;
    SendMessageW(GetDlgItem(box, 0xffff), WM_GETTEXT, 2000, (LPARAM)text);
    WideCharToMultiByte(CP_UTF8, 0, text, -1, utf8, sizeof utf8, NULL, NULL);
    return puts(utf8) < 0;
}
C
x86_64-w64-mingw32-gcc -o "$trial/box.exe" "$trial/box.c"
says_why_not() {
    wine "$trial/box.exe" >"$trial/box.txt"
    grep 'OpenGL 2.1 or Direct3D 12' "$trial/box.txt" && grep 'glow: .*wgpu: ' "$trial/box.txt"
}
# The app's window names the room in its title; a message does not.
starts_or_says() { xwininfo -root -tree | grep "general — $TITLE" || says_why_not; }
old_opengl() {
    MESA_GL_VERSION_OVERRIDE=1.4 wine "$place/$TITLE/$NAME.exe" >&2 &
    until_true 120 starts_or_says && sleep 2 && shot "$results/windows-opengl-1.4.png"
}
prove 'windows: OpenGL 1.4' 'starts or says why not; windows-opengl-1.4.png' old_opengl
