#!/bin/sh
# Builds the hub's container image, target/packages/duplexctl-VERSION-container-MACHINE.tar, to be loaded by
# `podman load` or `docker load`. Called by packaging/build.sh. No registry is asked for anything.
#   PROGRAMS=DIR    takes a static duplexctl from there instead of building it
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

USER_ID=65532 # as in the Containerfile

[ "$(uname -s)" = Linux ] || cannot "container images are built on Linux"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
need buildah readelf
work=$WORK/container
program=${NAME}ctl

# The C library is linked in: nothing else has to be in the image.
build_static() {
    with_zig
    need cargo-zigbuild
    hide_places
    cargo_for "$STATIC_TRIPLE" cargo-zigbuild zigbuild --locked --profile dist --bin "$program" --target "$STATIC_TRIPLE"
    PROGRAMS=$TARGET/$STATIC_TRIPLE/dist
}

[ -n "${PROGRAMS:-}" ] || build_static
check_machine "$PROGRAMS/$program"
check_static "$PROGRAMS/$program"
check_places "$PROGRAMS/$program"
say "$program for $ARCH is static, $(size_of "$PROGRAMS/$program")"

# What the Containerfile copies, with the modes it is to have.
rm -rf "$work/context"
put 755 "$PROGRAMS/$program" "$work/context/program/$program"
for file in LICENSE-MIT LICENSE-APACHE; do
    put 644 "$file" "$work/context/program/usr/share/doc/$program/$file"
done
"$PYTHON" packaging/licences.py "$STATIC_TRIPLE" | gzip -9n >"$work/licences"
put 644 "$work/licences" "$work/context/program/usr/share/doc/$program/third-party-licences.txt.gz"
mkdir -p "$work/context/volume"
mkdir -m 700 "$work/context/volume/data"

# A store of its own, on any file system, so that nothing of this computer's is touched.
in_store() { sh packaging/container/buildah.sh "$@"; }
in_store bud --quiet --format docker --platform "$PLATFORM" --timestamp "$SOURCE_DATE_EPOCH" \
    --label "org.opencontainers.image.title=$TITLE hub" --label "org.opencontainers.image.version=$VERSION" \
    --label "org.opencontainers.image.description=$SUMMARY" --label "org.opencontainers.image.licenses=$LICENSE" \
    --tag "$program:$VERSION" --file packaging/container/Containerfile "$work/context"
user=$(in_store inspect --type image --format '{{.Docker.Config.User}}' "$program:$VERSION")
[ "$user" = "$USER_ID:$USER_ID" ] || stop "the image's user is '$user'"

file=$PACKAGES/$program-$VERSION-container-$MACHINE.tar
rm -f "$file"
in_store push --quiet "$program:$VERSION" "docker-archive:$file:$program:$VERSION"
built "$file"
