#!/bin/sh
# Signs a program or an installer for Windows, where there is something to sign with; otherwise says so and leaves it.
#
#   sh packaging/windows/sign.sh FILE.exe    signs it
#   sh packaging/windows/sign.sh --can       succeeds where signing is possible
#
#   WINDOWS_CERTIFICATE=FILE.pfx             certificate and key
#   WINDOWS_CERTIFICATE_PASSWORD=…
#   TIMESTAMP_URL=…                          a time stamp server (RFC 3161), so that signatures outlive the certificate
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

file=$1
if [ -z "${WINDOWS_CERTIFICATE:-}" ]; then
    [ "$file" != --can ] || exit 1
    say "not signed (no WINDOWS_CERTIFICATE): ${file##*/}"
    exit 0
fi
[ -r "$WINDOWS_CERTIFICATE" ] || stop "WINDOWS_CERTIFICATE=$WINDOWS_CERTIFICATE cannot be read"
[ "$file" != --can ] || exit 0
if have osslsigncode; then
    set -- -pkcs12 "$WINDOWS_CERTIFICATE" -pass "${WINDOWS_CERTIFICATE_PASSWORD:-}" -h sha256 -n "$TITLE"
    [ -z "${TIMESTAMP_URL:-}" ] || set -- "$@" -ts "$TIMESTAMP_URL"
    osslsigncode sign "$@" -in "$file" -out "$file.signed" >/dev/null
    mv "$file.signed" "$file"
elif have signtool; then
    set -- /f "$WINDOWS_CERTIFICATE" /p "${WINDOWS_CERTIFICATE_PASSWORD:-}" /fd sha256 /d "$TITLE"
    [ -z "${TIMESTAMP_URL:-}" ] || set -- "$@" /tr "$TIMESTAMP_URL" /td sha256
    MSYS2_ARG_CONV_EXCL='*' signtool sign /q "$@" "$file"
else
    stop 'a certificate is given, but neither osslsigncode nor signtool is here'
fi
say "signed ${file##*/}"
