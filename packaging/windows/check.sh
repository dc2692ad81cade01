#!/bin/sh
# Looks at what needs no programs that were built: the installer's script is compiled, the manifest read.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
need makensis

"$PYTHON" -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' packaging/windows/program.manifest
say 'the manifest is sound'

# Any files: it is the script that is looked at.
check=$WORK/check-windows
for file in "$NAME.exe" "${NAME}ctl.exe" LICENSE-MIT.txt LICENSE-APACHE.txt third-party-licences.txt; do
    put 644 LICENSE-MIT "$check/$file"
done
sh packaging/windows/exe.sh "$check" "$check/setup-check.exe" >"$check/log" 2>&1 || {
    cat "$check/log"
    stop "the installer's script is not sound"
}
say "the installer's script is sound"
