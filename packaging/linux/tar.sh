#!/bin/sh
# Packs the programs as a tarball with install.sh: duplex-VERSION-linux-MACHINE.tar.xz, for any Linux.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
need xz tar

folder=$NAME-$VERSION-linux-$MACHINE
tree=$WORK/tar/$folder
rm -rf "$WORK/tar"
mkdir -p "$tree"
for package in $OUR_PROGRAMS; do
    cp -a "$WORK/stage/$package/usr/." "$tree"
done
cp -a "$WORK/stage/${NAME}ctl/etc" "$tree"
fill packaging/linux/tar/install.sh >"$tree/install.sh"
chmod 755 "$tree/install.sh"
if has_app; then grep -v '^#' packaging/linux/libraries >"$tree/libraries"; fi
for file in README.md LICENSE-MIT LICENSE-APACHE packaging/CHANGELOG.md assets/fonts/Pretendard-LICENSE.txt \
    assets/emoji/Unicode-LICENSE.txt; do
    put 644 "$file" "$tree/share/doc/$NAME/${file##*/}"
done

file=$PACKAGES/$folder.tar.xz
# Sorted, of nobody, as old as the commit, and compressed in one piece: the same bytes each time.
tar --create --directory "$WORK/tar" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
    --mtime="@$SOURCE_DATE_EPOCH" --mode=u+rw,go-w "$folder" | xz -9e --threads=1 >"$file"
built "$file"
