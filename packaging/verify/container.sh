#!/bin/sh
# The container image: read from its archive as podman and docker read it, and its hub run without a shell, not as root,
# with TLS: asked for its health, joined by an invite, stopped, and started again with everything kept.
# shellcheck disable=SC2317 # functions are called by name, through prove
# shellcheck source=packaging/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=packaging/linux/arch.sh
. packaging/linux/arch.sh

if [ "$(id -u)" -ne 0 ]; then
    skip 'container: runs' 'needs root, to run as the user of the image'
    exit 0
fi
need buildah
program=${NAME}ctl
file=$PACKAGES/$program-$VERSION-container-$MACHINE.tar
if [ ! -e "$file" ]; then
    sh packaging/build.sh container >&2
fi
place=$WORK/container/proof
in_store() { sh packaging/container/buildah.sh "$@"; }

container=$(in_store from --quiet "docker-archive:$file")
root=$(in_store mount "$container")
run=
end() {
    [ -z "$run" ] || stop_hub || true
    in_store rm "$container" >&2
    rm -rf "$place"
}
trap end EXIT
rm -rf "$place"
mkdir -p "$place"

size=$(wc -c <"$file")
prove 'container: size' "$(size_of "$file") (aim: under 40)" test "$size" -lt 40000000
one_program() {
    files=$(cd "$root" && find . -type f ! -path './usr/share/doc/*')
    [ "$files" = "./$program" ] && [ "$(stat -c '%u %a' "$root/$program")" = '0 755' ]
}
prove 'container: one program' 'no shell; root owns it' one_program
prove 'container: the data is its own' "$(stat -c '%u, %a' "$root/data")" \
    test "$(stat -c '%u %g %a' "$root/data")" = '65532 65532 700'
config() { in_store inspect --format "$1" "$container"; }
described() {
    [ "$(config '{{.Docker.Config.User}}')" = 65532:65532 ] &&
        config '{{.Docker.Config.Healthcheck}}' | grep -q '/duplexctl health' &&
        config '{{.Docker.Config.Volumes}}' | grep -q /data &&
        config '{{.Docker.Config.Cmd}}' | grep -q -- '0.0.0.0:7870 .*--tls-self-signed'
}
prove 'container: described' 'user, volume, health check, TLS' described

# As the image starts it, but for the port: another may be taken here. The data is in the container's volume.
port=$(free_port)
inside() { in_store run "$container" -- "/$program" "$@"; }
start_hub() {
    inside hub --listen "0.0.0.0:$port" --data-dir /data --tls-self-signed >>"$place/hub.log" 2>&1 &
    run=$!
    tries=300
    until inside health --data-dir /data; do
        kill -0 "$run" && [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
    # The program itself, of the image's user: around it is what buildah started as root.
    hub=$(pgrep -u 65532 -f "^/$program hub --listen 0.0.0.0:$port ")
}
stop_hub() {
    kill "$hub" && wait "$run"
    code=$?
    run=
    return $code
}
starts() { start_hub >&2 && [ "$(stat -c %u "/proc/$hub")" = 65532 ]; }
# Not through prove: what is started must outlive it.
if starts; then pass 'container: starts' 'and is healthy; not as root'; else fail 'container: starts' "$(tail -n 1 "$place/hub.log")"; fi
fingerprint=$(sed -n 's/^certificate sha256 //p' "$place/hub.log" | tail -n 1)
url="wss://127.0.0.1:$port#sha256=$fingerprint"
invites() { inside invite --data-dir /data --url "wss://127.0.0.1:$port" | grep -q '#invite=.*sha256='; }
prove 'container: an invite' 'made inside, with the fingerprint' invites
sends() { inside send "$url" --token-file /data/token --room general 'kept in the volume'; }
prove 'container: a message' 'over TLS, acknowledged' sends
if stop_hub >&2; then pass 'container: a clean stop' 'SIGTERM'; else fail 'container: a clean stop'; fi
unhealthy() { ! inside health --data-dir /data; }
prove 'container: stopped is not healthy' 'exit code 1' unhealthy
keeps() {
    inside tail "$url" --token-file /data/token --since 0 --count 1 --no-readings | grep 'kept in the volume'
}
if start_hub >&2; then
    prove 'container: data kept' 'after a new start' keeps
else
    fail 'container: data kept' 'it did not start again'
fi
