#!/bin/sh
# Asks systemd whether it understands our services and how hardened they are: units.sh FOLDER, which it fills.
# A unit that systemd calls more exposed than THRESHOLD (tenths; 0 best, 100 worst) is a failure.
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
need systemd-analyze
root=$1
THRESHOLD=20

# A tree with nothing but the units and what they start, so that those of this computer have no say.
rm -rf "$root"
units=usr/lib/systemd/system
mkdir -p "$root/$units" "$root/usr/bin" "$root/etc"
cp packaging/linux/*.service packaging/linux/*.socket "$root/$units"
mkdir -p "$root/bin"
for program in "usr/bin/${NAME}ctl" bin/kill; do
    printf '#!/bin/sh\n' >"$root/$program"
    chmod 755 "$root/$program"
done
for target in sysinit basic network-online multi-user shutdown sockets; do
    printf '[Unit]\nDescription=%s\n' "$target" >"$root/$units/$target.target"
done

said=$(systemd-analyze verify --man=no --root="$root" "$NAME-hub.socket" 2>&1) || stop "$NAME-hub.socket: $said"
[ -z "$said" ] || stop "$NAME-hub.socket: $said"
say "$NAME-hub.socket: understood"

for unit in "$NAME-hub.service" "$NAME-agent@example.service"; do
    # It prints what it does not understand, and succeeds all the same where that is only a key.
    said=$(systemd-analyze verify --man=no --root="$root" "$unit" 2>&1) || stop "$unit: $said"
    [ -z "$said" ] || stop "$unit: $said"
    file=$(printf '%s' "$unit" | sed 's/@.*\./@./')
    score=$(systemd-analyze security --offline=yes --threshold="$THRESHOLD" --no-pager "$root/$units/$file") ||
        stop "$unit is exposed more than $THRESHOLD: $(printf '%s' "$score" | tail -n 1)"
    say "$unit: understood; $(printf '%s' "$score" | tail -n 1 | sed 's/.*: //')"
done
