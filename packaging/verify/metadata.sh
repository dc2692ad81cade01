#!/bin/sh
# What is beside the programs, as it was laid out for the packages: menu entry, AppStream, manual pages, completions.
# shellcheck disable=SC2317 # functions are called by name, through prove
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
need desktop-file-validate appstreamcli man zsh fish

app=$WORK/stage/$NAME/usr/share
console=$WORK/stage/${NAME}ctl/usr/share
if [ ! -e "$app" ]; then
    sh packaging/build.sh deb >&2
fi

prove 'metadata: menu entry' desktop-file-validate desktop-file-validate "$app/applications/$NAME.desktop"
prove 'metadata: AppStream' 'appstreamcli validate --no-net' \
    appstreamcli validate --no-net "$app/metainfo/$APP_ID.metainfo.xml"
# The same with an address, as a publisher's build has it, screenshots included.
with_address() {
    REPOSITORY=https://example.org/duplex HOMEPAGE=https://example.org/duplex \
        "$PYTHON" packaging/linux/metainfo.py >"$WORK/$APP_ID.metainfo.xml"
    grep -q '<screenshot type="default">' "$WORK/$APP_ID.metainfo.xml" &&
        appstreamcli validate --no-net "$WORK/$APP_ID.metainfo.xml"
}
prove 'metadata: AppStream, published' 'with screenshots' with_address

pages=0
manual() {
    for page in "$@"; do
        said=$(MANWIDTH=80 man --warnings --local-file "$page" 2>&1 >/dev/null)
        [ -z "$said" ] || { printf '%s: %s\n' "$page" "$said"; return 1; }
    done
}
set -- "$app"/man/man1/*.gz "$console"/man/man1/*.gz
pages=$#
prove 'metadata: manual pages' "$pages, without warnings" manual "$@"

completions() {
    for program in "$NAME" "${NAME}ctl"; do
        share=$WORK/stage/$program/usr/share
        bash -n "$share/bash-completion/completions/$program" &&
            zsh -n "$share/zsh/site-functions/_$program" &&
            fish --no-execute "$share/fish/vendor_completions.d/$program.fish" || return 1
    done
}
prove 'metadata: completions' 'bash, zsh and fish parse them' completions
# And they complete.
completes() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    bash -c '. "$1"; COMP_WORDS=(duplexctl invi); COMP_CWORD=1; _duplexctl duplexctl invi duplexctl; [ "${COMPREPLY[*]}" = invite ]' \
        completes "$console/bash-completion/completions/${NAME}ctl"
}
prove 'metadata: duplexctl invi<TAB>' 'invite, in bash' completes
