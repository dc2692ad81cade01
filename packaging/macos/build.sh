#!/bin/sh
# Builds the disk image with the universal application (Apple's processors and Intel's). Called by packaging/build.sh; on
# macOS alone. Signing and notarising run where their secrets are given, and say so where not:
#
#   MACOS_CERTIFICATE=FILE.p12 MACOS_CERTIFICATE_PASSWORD=…     a Developer ID Application certificate with its key
#   APPLE_ID=… APPLE_TEAM_ID=… APPLE_PASSWORD=…                 for notarising: an app-specific password
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

[ -z "${PACKAGE_ARCH:-}" ] || cannot "a .dmg is for Apple's processors and Intel's at once: leave out --arch"
[ "$(uname -s)" = Darwin ] || cannot "a .dmg is built on macOS: lipo, codesign and hdiutil are Apple's"
need lipo hdiutil codesign xcrun

MACOSX_DEPLOYMENT_TARGET=11.0
CARGO_INCREMENTAL=0
export MACOSX_DEPLOYMENT_TARGET CARGO_INCREMENTAL
universal=$WORK/macos
mkdir -p "$universal"
for triple in aarch64-apple-darwin x86_64-apple-darwin; do
    cargo build --locked --profile dist --bins --target "$triple"
done
for program in "$NAME" "${NAME}ctl"; do
    lipo -create -output "$universal/$program" \
        "$TARGET/aarch64-apple-darwin/dist/$program" "$TARGET/x86_64-apple-darwin/dist/$program"
done

image=$WORK/image
bundle=$image/$TITLE.app
rm -rf "$image"
sh packaging/macos/app.sh "$universal" "$bundle"
plutil -lint "$bundle/Contents/Info.plist" "$bundle/Contents/Resources/ko.lproj/InfoPlist.strings"

dmg=$PACKAGES/$NAME-$VERSION-macos-universal.dmg
sign() { sh packaging/macos/sign.sh "$@"; }
sign app "$bundle"
ln -s /Applications "$image/Applications"
rm -f "$dmg"
hdiutil create -quiet -volname "$TITLE $VERSION" -srcfolder "$image" -fs HFS+ -format ULFO "$dmg"
sign image "$dmg"
built "$dmg"
