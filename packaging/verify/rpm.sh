#!/bin/sh
# The .rpm packages: rpmlint; installed by rpm into an empty root; the same files with the same content as the .deb's.
# shellcheck disable=SC2317 # functions are called by name, through prove
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh
need rpm rpmlint dpkg-deb

rpm_of() { printf '%s/%s-%s-1.%s.rpm' "$PACKAGES" "$1" "$VERSION" "$MACHINE"; }
app=$(rpm_of "$NAME")
console=$(rpm_of "${NAME}ctl")
if [ ! -e "$app" ]; then
    sh packaging/build.sh rpm deb >&2
fi

for file in "$app" "$console"; do
    size=$(wc -c <"$file")
    prove "rpm: size of ${file##*/}" "$(size_of "$file") (aim: under 12)" test "$size" -lt 12000000
done
prove 'rpm: rpmlint' "no errors, $(wc -l <packaging/linux/rpm/rpmlint.toml) lines of reasoned exceptions" \
    rpmlint --config packaging/linux/rpm/rpmlint.toml "$app" "$console"

root=$WORK/rpm-root
rm -rf "$root"
mkdir -p "$root"
# The empty root has neither a shell for scripts nor the libraries that are asked for.
install_them() { rpm --root "$root" --install --nodeps --noscripts --nosignature "$app" "$console"; }
prove 'rpm: install into an empty root' "$NAME and ${NAME}ctl" install_them
prove 'rpm: the program runs from there' "$("$root/usr/bin/${NAME}ctl" --version)" "$root/usr/bin/${NAME}ctl" --version
prove 'rpm: rpm finds its files unchanged' 'rpm --verify' rpm --root "$root" --verify --nodeps "$NAME" "${NAME}ctl"

# Debian has places of its own for zsh's completions, and both for what documents say.
contents() {
    (cd "$1" && find usr etc -type f ! -path 'usr/share/doc/*' ! -path 'usr/share/licenses/*' \
        ! -path 'usr/share/lintian/*' ! -path 'usr/lib/sysimage/*' -exec sha256sum {} + |
        sed 's|zsh/vendor-completions|zsh/site-functions|' | sort -k 2)
}
compare() {
    deb=$WORK/deb-root
    rm -rf "$deb"
    for package in "$NAME" "${NAME}ctl"; do
        dpkg-deb --extract "$PACKAGES/${package}_${VERSION}_$ARCH.deb" "$deb"
    done
    contents "$root" >"$WORK/rpm-files"
    contents "$deb" >"$WORK/deb-files"
    diff "$WORK/deb-files" "$WORK/rpm-files"
}
prove 'rpm: the same files as in the .deb' 'by SHA-256' compare
remove_them() {
    rpm --root "$root" --erase --nodeps --noscripts "$NAME" "${NAME}ctl"
    [ -z "$(find "$root" -path '*duplex*')" ]
}
prove 'rpm: remove' 'nothing left' remove_them
