#!/bin/sh
# Signs and notarises for macOS, where the secrets are given (build.sh names them); otherwise says so. Without a
# certificate the application is signed ad hoc, which Apple's processors want of every program.
#
#   sh packaging/macos/sign.sh app BUNDLE.app    signs the programs and the bundle, with the hardened runtime
#   sh packaging/macos/sign.sh image FILE.dmg    signs, notarises and staples the disk image
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

what=$1 file=$2
entitlements=packaging/macos/entitlements.plist

# A keychain of this run's own, so that nothing of the person's is touched; gone at the end.
keychain=$WORK/signing.keychain-db
open_keychain() {
    password=$(openssl rand -hex 16)
    trap 'security delete-keychain "$keychain" || true' EXIT
    rm -f "$keychain"
    security create-keychain -p "$password" "$keychain"
    security unlock-keychain -p "$password" "$keychain"
    security import "$MACOS_CERTIFICATE" -k "$keychain" -P "${MACOS_CERTIFICATE_PASSWORD:-}" -T /usr/bin/codesign
    security set-key-partition-list -S apple-tool:,apple: -k "$password" "$keychain" >/dev/null
    identity=$(security find-identity -v -p codesigning "$keychain" | sed -n 's/.*\([0-9A-F]\{40\}\).*/\1/p' | head -n 1)
    [ -n "$identity" ] || stop 'MACOS_CERTIFICATE holds no identity to sign with'
}

identity=-
if [ -n "${MACOS_CERTIFICATE:-}" ]; then
    open_keychain
    set -- --keychain "$keychain" --timestamp
else
    say "signed ad hoc, not notarised (no MACOS_CERTIFICATE): ${file##*/}"
    set --
fi

case $what in
app)
    for inner in "$file/Contents/MacOS/${NAME}ctl" "$file"; do
        codesign --force --options runtime --entitlements "$entitlements" --sign "$identity" "$@" "$inner"
    done
    codesign --verify --deep --strict "$file"
    ;;
image)
    [ "$identity" != - ] || exit 0
    codesign --force --sign "$identity" "$@" "$file"
    if [ -z "${APPLE_ID:-}" ]; then
        say "not notarised (no APPLE_ID): ${file##*/}"
        exit 0
    fi
    xcrun notarytool submit "$file" --wait \
        --apple-id "$APPLE_ID" --team-id "$APPLE_TEAM_ID" --password "$APPLE_PASSWORD"
    xcrun stapler staple "$file"
    ;;
*) stop "unknown: $what" ;;
esac
