#!/bin/sh
# Packs the staged trees as .rpm: duplex-VERSION-1.MACHINE.rpm and duplexctl-VERSION-1.MACHINE.rpm.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
need rpmbuild

STAGE=$WORK/stage
LIBRARIES=$(awk '!/^#/ { printf "%s%s()(64bit)", comma, $1; comma = ", " }' packaging/linux/libraries)
URL_FIELD=${HOMEPAGE:+URL: $HOMEPAGE}
DOCUMENTS=$WORK/rpm/documents
DESCRIPTION_LINES=$(printf '%s' "$INTRODUCTION" | fold -s -w 76 | sed 's/ *$//')
CHANGES=$("$PYTHON" packaging/linux/documents.py rpm-changelog)
export DESCRIPTION_LINES STAGE LIBRARIES URL_FIELD DOCUMENTS CHANGES

rm -rf "$WORK/rpm"
mkdir -p "$DOCUMENTS"
put 644 LICENSE-MIT "$DOCUMENTS/LICENSE-MIT"
put 644 LICENSE-APACHE "$DOCUMENTS/LICENSE-APACHE"
put 644 assets/fonts/Pretendard-LICENSE.txt "$DOCUMENTS/Pretendard-LICENSE.txt"
put 644 assets/emoji/Unicode-LICENSE.txt "$DOCUMENTS/Unicode-LICENSE.txt"
put 644 packaging/CHANGELOG.md "$DOCUMENTS/CHANGELOG.md"
fill packaging/linux/rpm/duplex.spec >"$WORK/rpm/$NAME.spec"

rpmbuild --quiet -bb --target "$MACHINE" --define "_topdir $WORK/rpm" --define "_rpmdir $WORK/rpm/out" \
    "$WORK/rpm/$NAME.spec" >"$WORK/rpm/log" 2>&1 || {
    cat "$WORK/rpm/log"
    stop 'rpmbuild failed'
}
for package in $OUR_PROGRAMS; do
    file=$PACKAGES/$package-$VERSION-1.$MACHINE.rpm
    put 644 "$WORK/rpm/out/$MACHINE/${file##*/}" "$file"
    built "$file"
done
