#!/bin/sh
# The same commit gives the same bytes: builds the .deb and the tarball of HEAD twice, in two clones in two places, from
# nothing, and compares them. Takes two whole builds.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

tools=${PACKAGING_TOOLS:-$WORK/tools}
two=$WORK/reproducible
rm -rf "$two"
for place in "$two/one" "$two/another-place"; do
    git clone --quiet --no-hardlinks "$ROOT" "$place" >&2
    (
        cd "$place"
        # Not the place and not the hour count.
        env -u CARGO_TARGET_DIR -u PROGRAMS PACKAGING_TOOLS="$tools" sh packaging/build.sh deb tar
    ) >&2
done

cd "$two/one/target/packages"
for file in *.deb *.tar.xz; do
    other="$two/another-place/target/packages/$file"
    if cmp "$file" "$other" >&2; then
        pass "reproducible: $file" "sha256 $(sha256sum "$file" | cut -c 1-16)…"
    else
        fail "reproducible: $file" "the bytes differ; see the log"
        if have diffoscope; then diffoscope --max-report-size 20000 "$file" "$other" >&2 || true; fi
    fi
done
rm -rf "$two"
