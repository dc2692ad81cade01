#!/bin/sh
# Builds the Flatpak bundle of the tarball's programs, where Flatpak's runtime is installed; writes the manifest anyhow.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

TARBALL=$PACKAGES/$NAME-$VERSION-linux-x86_64.tar.xz
[ -e "$TARBALL" ] || sh packaging/linux/tar.sh
TARBALL_SHA256=$(sha256sum "$TARBALL" | cut -d ' ' -f 1)
export TARBALL TARBALL_SHA256
manifest=$WORK/flatpak/$APP_ID.yml
mkdir -p "$WORK/flatpak"
fill packaging/linux/flatpak/manifest.yml >"$manifest"
say "the manifest is ${manifest#"$ROOT"/}"

runtime=$(sed -n "s/^runtime-version: '\(.*\)'/\1/p" "$manifest")
have flatpak-builder || cannot 'flatpak-builder is not installed'
# It leaves its state where it is called.
cd "$WORK/flatpak"
flatpak-builder --show-manifest "$manifest" >/dev/null
flatpak info "org.freedesktop.Sdk//$runtime" >/dev/null 2>&1 ||
    cannot "the runtime is not installed: flatpak install flathub org.freedesktop.Platform//$runtime org.freedesktop.Sdk//$runtime"
flatpak-builder --force-clean --repo="$WORK/flatpak/repo" "$WORK/flatpak/build" "$manifest"
file=$PACKAGES/$NAME-$VERSION-x86_64.flatpak
flatpak build-bundle "$WORK/flatpak/repo" "$file" "$APP_ID"
built "$file"
