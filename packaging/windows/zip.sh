#!/bin/sh
# Builds the portable archive from a folder of staged files.
#
#   sh packaging/windows/zip.sh STAGE ARCHIVE.zip
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"

stage=$1 archive=$2
fill packaging/windows/portable.txt | sed 's/\r*$/\r/' >"$stage/portable.txt"
rm -f "$archive"
"$PYTHON" packaging/windows/zip.py "$stage" "$TITLE" "$archive"
built "$archive"
