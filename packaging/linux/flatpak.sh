#!/bin/sh
# Builds the Flatpak bundle of the tarball's programs, where Flatpak's runtime is installed; writes the manifest anyhow.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh

TARBALL=$PACKAGES/$NAME-$VERSION-linux-$MACHINE.tar.xz
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
flatpak info "org.freedesktop.Sdk/$MACHINE/$runtime" >/dev/null 2>&1 ||
    cannot "the runtime is not installed: flatpak install flathub org.freedesktop.Platform/$MACHINE/$runtime org.freedesktop.Sdk/$MACHINE/$runtime"
flatpak-builder --arch="$MACHINE" --force-clean --repo="$WORK/flatpak/repo" "$WORK/flatpak/build" "$manifest"
file=$PACKAGES/$NAME-$VERSION-$MACHINE.flatpak
flatpak build-bundle --arch="$MACHINE" "$WORK/flatpak/repo" "$file" "$APP_ID"
built "$file"
