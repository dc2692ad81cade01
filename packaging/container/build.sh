#!/bin/sh
# Builds the hub's container image, target/packages/duplexctl-VERSION-container-x86_64.tar, to be loaded by
# `podman load` or `docker load`. Called by packaging/build.sh. No registry is asked for anything.
#   PROGRAMS=DIR    takes a static duplexctl from there instead of building it
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

TRIPLE=x86_64-unknown-linux-musl
USER_ID=65532 # as in the Containerfile

[ "$(uname -s)" = Linux ] || cannot "container images are built on Linux"
[ "$(uname -m)" = x86_64 ] || cannot "the image is made for x86_64, this is $(uname -m)"
need buildah readelf
work=$WORK/container
program=${NAME}ctl

# The C library is linked in: nothing else has to be in the image.
build_static() {
    if [ ! -e "$(rustc --print sysroot)/lib/rustlib/$TRIPLE/lib" ]; then
        have rustup || cannot "Rust's standard library for $TRIPLE is missing, and there is no rustup to add it"
        rustup target add "$TRIPLE"
    fi
    PATH=${PACKAGING_TOOLS:-$WORK/tools}/bin:$PATH
    need cargo-zigbuild
    cargo_home=${CARGO_HOME:-$HOME/.cargo}
    RUSTFLAGS="--remap-path-prefix=$ROOT=/$NAME --remap-path-prefix=$cargo_home=/cargo" \
        CFLAGS="-ffile-prefix-map=$ROOT=/$NAME -ffile-prefix-map=$cargo_home=/cargo" CARGO_INCREMENTAL=0 \
        cargo zigbuild --locked --profile dist --bin "$program" --target "$TRIPLE"
    PROGRAMS=$TARGET/$TRIPLE/dist
}

[ -n "${PROGRAMS:-}" ] || build_static
if readelf --program-headers --dynamic "$PROGRAMS/$program" | grep -E 'INTERP|NEEDED' >&2; then
    stop "$program is not static: it would not run where nothing else is"
fi

# What the Containerfile copies, with the modes it is to have.
rm -rf "$work/context"
put 755 "$PROGRAMS/$program" "$work/context/program/$program"
for file in LICENSE-MIT LICENSE-APACHE; do
    put 644 "$file" "$work/context/program/usr/share/doc/$program/$file"
done
"$PYTHON" packaging/licences.py "$TRIPLE" | gzip -9n >"$work/licences"
put 644 "$work/licences" "$work/context/program/usr/share/doc/$program/third-party-licences.txt.gz"
mkdir -p "$work/context/volume"
mkdir -m 700 "$work/context/volume/data"

# A store of its own, on any file system, so that nothing of this computer's is touched.
in_store() { sh packaging/container/buildah.sh "$@"; }
in_store bud --quiet --format docker --timestamp "$SOURCE_DATE_EPOCH" \
    --label "org.opencontainers.image.title=$TITLE hub" --label "org.opencontainers.image.version=$VERSION" \
    --label "org.opencontainers.image.description=$SUMMARY" --label "org.opencontainers.image.licenses=$LICENSE" \
    --tag "$program:$VERSION" --file packaging/container/Containerfile "$work/context"
user=$(in_store inspect --type image --format '{{.Docker.Config.User}}' "$program:$VERSION")
[ "$user" = "$USER_ID:$USER_ID" ] || stop "the image's user is '$user'"

file=$PACKAGES/$program-$VERSION-container-x86_64.tar
rm -f "$file"
in_store push --quiet "$program:$VERSION" "docker-archive:$file:$program:$VERSION"
built "$file"
