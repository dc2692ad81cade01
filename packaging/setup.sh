#!/bin/sh
# Makes a fresh machine ready for `cargo run --release`: installs what is missing, says what and why, and
# does nothing at all (no package manager, no network) when everything is there.
#
#   sh packaging/setup.sh            to build and run Duplex
#   sh packaging/setup.sh --tests    also what the tests against real programs and a virtual desktop need
#                                    (or SETUP_TESTS=1)
#   sh packaging/setup.sh --packaging   also what packaging/build.sh and packaging/verify.sh need
#
# Presence is asked of the system itself (files, the linker's cache), so that a library from elsewhere counts.
set -eu

MIN_RUST_MINOR=95 # as `rust-version` in Cargo.toml: 1.95
# Of one version each, since the same source is to give the same bytes.
ZIGBUILD=0.24.1
ZIG=0.17.1

PATH=$PATH:/usr/sbin:/sbin
tests=${SETUP_TESTS:-0}
packaging=0
packages= # what to install
others=   # what is missing on a system whose packages this script does not know

say() { printf 'setup: %s\n' "$*"; }
stop() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
any() { [ -e "$1" ]; } # called with a pattern: does its first match exist?

for option in "$@"; do
    case $option in
    --tests) tests=1 ;;
    --packaging) packaging=1 ;;
    *) stop "unknown option $option; there are --tests and --packaging" ;;
    esac
done

# missing WHAT WHY APT DNF PACMAN ZYPPER: notes one thing that is not there; `-` where no package is known.
missing() {
    what=$1 why=$2
    case $manager in
    apt) package=$3 ;;
    dnf) package=$4 ;;
    pacman) package=$5 ;;
    zypper) package=$6 ;;
    *) package=- ;;
    esac
    if [ "$package" = - ]; then
        others="$others $what"
        say "missing: $what ($why)"
        return
    fi
    case " $packages " in
    *" $package "*) ;;
    *)
        packages="$packages $package"
        say "missing: $what ($why), from $package"
        ;;
    esac
}

# lib SONAME WHY APT DNF PACMAN ZYPPER: a library that Duplex loads when it starts.
lib() {
    case $libraries in
    *"$1 "*) ;;
    *) missing "$@" ;;
    esac
}

need_cargo() {
    if ! have cargo; then
        [ -x "$HOME/.cargo/bin/cargo" ] &&
            stop "Rust is installed but not on your PATH. Run '. \"\$HOME/.cargo/env\"', or open a new terminal, and run this again."
        stop "Rust 1.$MIN_RUST_MINOR or newer is needed and no cargo was found. Install it from https://rustup.rs and run this again."
    fi
    version=$(cargo --version 2>/dev/null) ||
        stop "cargo is there but does not start. If rustup put it there, run 'rustup default stable' and run this again."
    version=${version#cargo } # 1.95.0 (...)
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    case $major$minor in
    '' | *[!0-9]*) stop "cannot read cargo's version: $version" ;;
    esac
    if [ "$major" -eq 1 ] && [ "$minor" -lt "$MIN_RUST_MINOR" ]; then
        stop "Rust 1.$MIN_RUST_MINOR or newer is needed, this is ${version%% *}. Run 'rustup update stable' (https://rustup.rs) and run this again."
    fi
}

# What every Linux desktop needs. Everything graphical is loaded at start, not linked: no -dev packages.
look_at_linux() {
    if have apt-get; then
        manager=apt
    elif have dnf; then
        manager=dnf
    elif have pacman; then
        manager=pacman
    elif have zypper; then
        manager=zypper
    else
        manager=unknown
    fi
    libraries=$(ldconfig -p 2>/dev/null) || libraries=

    compile='compiles SQLite and the TLS primitives, and links'
    have cc || missing cc "$compile" gcc gcc gcc gcc
    any /usr/include/stdlib.h || missing 'the C headers' "$compile" libc6-dev glibc-devel glibc glibc-devel
    any /etc/ssl/certs/ca-certificates.crt || any /etc/pki/tls/certs/ca-bundle.crt || any /etc/ssl/ca-bundle.pem ||
        missing 'root certificates' 'to trust servers by, and for cargo to fetch the libraries' \
            ca-certificates ca-certificates ca-certificates ca-certificates

    lib libxkbcommon.so.0 'keyboard layouts' libxkbcommon0 libxkbcommon libxkbcommon libxkbcommon0
    lib libxkbcommon-x11.so.0 'keyboard layouts on X11' libxkbcommon-x11-0 libxkbcommon-x11 libxkbcommon-x11 libxkbcommon-x11-0
    lib libX11-xcb.so.1 'windows on X11' libx11-xcb1 libX11-xcb libx11 libX11-xcb1
    lib libXcursor.so.1 'the mouse pointer on X11' libxcursor1 libXcursor libxcursor libXcursor1
    lib libXi.so.6 'mouse and keyboard on X11' libxi6 libXi libxi libXi6
    lib libwayland-client.so.0 'windows on Wayland' libwayland-client0 libwayland-client wayland libwayland-client0
    lib libwayland-egl.so.1 'drawing on Wayland' libwayland-egl1 libwayland-egl wayland libwayland-egl1
    lib libGL.so.1 'drawing' libgl1 libglvnd-glx libglvnd Mesa-libGL1
    lib libEGL.so.1 'drawing' libegl1 libglvnd-egl libglvnd Mesa-libEGL1
    any /usr/lib/*/dri/*_dri.so || any /usr/lib/dri/*_dri.so || any /usr/lib64/dri/*_dri.so ||
        missing 'the Mesa drivers' 'drawing, with or without a graphics card' libgl1-mesa-dri mesa-dri-drivers mesa Mesa-dri
}

# What the tests against real programs and a virtual desktop need. They are run on Debian and its relatives.
look_at_tests() {
    if [ "$manager" != apt ]; then
        say 'the tests on a virtual desktop are set up on Debian and Ubuntu only; here install what they ask for'
        return
    fi
    desktop='the virtual desktop of the tests'
    have Xvfb || missing Xvfb "$desktop" xvfb - - -
    have openbox || missing openbox "$desktop" openbox - - -
    have dbus-run-session || missing dbus-run-session "$desktop" dbus - - -
    any /usr/libexec/at-spi-bus-launcher || missing AT-SPI 'tests find controls as a screen reader does' at-spi2-core - - -
    any /usr/lib/python3/dist-packages/pyatspi || missing pyatspi 'tests find controls as a screen reader does' python3-pyatspi - - -
    have dunst || missing dunst 'tests see notifications' dunst - - -
    have xdotool || missing xdotool 'tests type and click' xdotool - - -
    have xdpyinfo || missing xdpyinfo "$desktop" x11-utils - - -
    have gnome-keyring-daemon || missing gnome-keyring 'keeps tokens in them' gnome-keyring - - -
    have import || missing import 'tests take pictures' imagemagick - - -
    any /usr/share/fonts/opentype/noto/NotoSansCJK* || missing 'Hangul fonts' 'tests draw Hangul' fonts-noto-cjk - - -
    any /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf || missing 'emoji fonts' 'tests draw emoji' fonts-noto-color-emoji - - -
    any /usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf ||
        missing 'fonts of many scripts' 'tests draw them' fonts-noto-core - - -
    have ibus-daemon || missing ibus 'tests type Korean' ibus - - -
    any /usr/share/ibus/component/hangul.xml || missing ibus-hangul 'tests type Korean' ibus-hangul - - -
    have fcitx5 || missing fcitx5 'tests type Korean' fcitx5 - - -
    any /usr/share/fcitx5/addon/hangul.conf || missing fcitx5-hangul 'tests type Korean' fcitx5-hangul - - -
    have sway || missing sway 'the Wayland desktop of the tests' sway - - -
    have grim || missing grim 'tests take pictures on Wayland' grim - - -
    have wl-copy || missing wl-clipboard 'tests copy and paste on Wayland' wl-clipboard - - -
    have setpriv || missing setpriv 'sway does not run as root' util-linux - - -
    have openssl || missing openssl 'tests make certificates' openssl - - -
    have ip || missing ip 'tests make networks of their own' iproute2 - - -
    have curl || missing curl 'tests ask the hub over HTTP' curl - - -
    any /usr/lib/python3/dist-packages/websockets ||
        missing "Python's websockets" 'a WebSocket server of others for the tests' python3-websockets - - -
    any /usr/lib/rabbitmq/bin/rabbitmq-server ||
        missing RabbitMQ 'a server of others for the tests of STOMP and MQTT' rabbitmq-server - - -
    have mosquitto || missing Mosquitto 'an MQTT server of others for the tests' mosquitto - - -
    have squid || missing Squid 'an HTTP proxy of others for the tests' squid - - -
    have microsocks || missing microsocks 'a SOCKS proxy of others for the tests' microsocks - - -
    have nginx || missing nginx 'a reverse proxy of others for the tests' nginx-light - - -
    have haproxy || missing HAProxy 'a load balancer of others for the tests' haproxy - - -
    have mosquitto_pub || missing "Mosquitto's clients" 'MQTT clients of others for the tests' mosquitto-clients - - -
    have openssl || missing openssl 'certificates for the tests' openssl - - -
    have npm || missing npm 'a SockJS endpoint of others for the tests' npm - - -
    any /usr/share/nodejs/ws || missing "npm's ws" 'a WebSocket server of others for the tests' node-ws - - -
    have npm || missing npm 'Socket.IO servers of others for the tests' npm - - -
    /usr/bin/python3 -m pip --version >/dev/null 2>&1 ||
        missing pip 'a Socket.IO server of others for the tests' python3-pip - - -
    look_at_checks
}

# What `packaging/build.sh --check` looks at scripts and metadata with.
look_at_checks() {
    have python3 || missing python3 'packages take their texts from Cargo.toml' python3 - - -
    have shellcheck || missing shellcheck 'checks the shell scripts' shellcheck - - -
    have desktop-file-validate || missing desktop-file-validate "checks the menu's entry" desktop-file-utils - - -
    have appstreamcli || missing appstreamcli 'checks what software centres show' appstream - - -
    have systemd-analyze || missing systemd-analyze 'checks the services' systemd - - -
    have makensis || missing makensis "checks and builds Windows's installer" nsis - - -
}

# What builds and proves packages; on Debian and its relatives. `-` where another system has no part in it.
look_at_packaging() {
    if [ "$manager" != apt ]; then
        say 'packages are built on Debian and Ubuntu (and Windows and macOS, each its own)'
        return
    fi
    look_at_checks
    have git || missing git "packages are as old as their commit" git - - -
    any /usr/lib/gcc/x86_64-linux-gnu/*/32 || [ "$(uname -m)" != x86_64 ] ||
        missing gcc-multilib 'compiles the tests for 32 bits' gcc-multilib - - -
    have readelf || missing readelf 'checks which C library the programs want' binutils - - -
    have rsvg-convert || missing rsvg-convert 'draws the icons' librsvg2-bin - - -
    have xz || missing xz 'packs the tarball' xz-utils - - -
    have rpmbuild || missing rpmbuild 'builds the .rpm' rpm - - -
    have rpmlint || missing rpmlint 'checks the .rpm' rpmlint - - -
    have lintian || missing lintian 'checks the .deb' lintian - - -
    have debootstrap || missing debootstrap 'makes the trees that packages are tried in' debootstrap - - -
    have systemd-nspawn || missing systemd-nspawn 'boots such a tree, to try the services' systemd-container - - -
    have Xvfb || missing Xvfb 'a display to start the installed app on' xvfb - - -
    have xprop || missing xprop 'asks for its window' x11-utils - - -
    have import || missing import 'takes a picture of it' imagemagick - - -
    have man || missing man 'checks the manual pages' man-db - - -
    have zsh || missing zsh 'checks its completions' zsh - - -
    have fish || missing fish 'checks its completions' fish - - -
    have buildah || missing buildah 'builds the container image' buildah - - -
    any /usr/lib/python3*/ensurepip || any "$(python3 -c 'import ensurepip; print(ensurepip.__path__[0])' 2>/dev/null)" ||
        missing 'python3 -m venv' 'holds zigbuild' python3-venv - - -
    if [ "$(uname -m)" != x86_64 ]; then
        say 'packages for Windows and for other architectures than this one are built on x86-64'
        return
    fi
    # For Windows: compiled across, packed, and tried under Wine.
    have x86_64-w64-mingw32-gcc || missing x86_64-w64-mingw32-gcc 'compiles for Windows' gcc-mingw-w64-x86-64-win32 - - -
    standard_library x86_64-pc-windows-gnu
    have wine || missing wine 'installs and starts what is for Windows' wine - - -
    any /usr/lib/wine/wine64 || missing wine64 'installs and starts what is for Windows' wine64 - - -
    have osslsigncode || missing osslsigncode 'signs for Windows' osslsigncode - - -
    have wrestool || missing wrestool "draws and reads Windows's icons" icoutils - - -
    have png2icns || missing png2icns "draws macOS's icon" icnsutils - - -
    # For ARM: compiled across, and tried under QEMU.
    for triple in x86_64-unknown-linux-musl aarch64-unknown-linux-gnu aarch64-unknown-linux-musl \
        armv7-unknown-linux-gnueabihf armv7-unknown-linux-musleabihf; do
        standard_library "$triple"
    done
    any /usr/aarch64-linux-gnu/lib/libc.so.6 || missing "the C library of arm64" 'starts programs to ask for their manual' libc6-arm64-cross - - -
    any /usr/arm-linux-gnueabihf/lib/libc.so.6 || missing "the C library of armhf" 'starts programs to ask for their manual' libc6-armhf-cross - - -
    have qemu-aarch64-static || missing QEMU 'installs and starts what is for ARM' qemu-user-static - - -
    have update-binfmts || missing update-binfmts 'starts programs for ARM by QEMU' binfmt-support - - -
    have valgrind || missing valgrind 'counts what the agent costs' valgrind - - -
    have strace || missing strace 'counts what a hub writes' strace - - -
}

# standard_library TRIPLE: Rust's standard library for it: rustup's, or else Debian's source of it, with a compiler of that version.
standard_library() {
    any "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$1/lib" && return
    # Windows's is always Debian's on Debian.
    if [ "$1" != x86_64-pc-windows-gnu ] && have rustup && rustup target add "$1" 2>/dev/null; then
        say "added: Rust's standard library for $1"
    elif grep -qx 'ID=debian' /etc/os-release; then
        any /usr/lib/rustlib/src/rust/library || missing "the source of Rust's standard library" "built for $1" rust-web-src - - -
        any /usr/bin/rustc || missing "Debian's rustc" 'of the version of that source' rustc-web - - -
        any /usr/bin/cargo || missing "Debian's cargo" 'of the version of that source' cargo-web - - -
    else
        say "to build for $1 here, run also: rustup target add $1"
    fi
}

# zigbuild links against an old C library, so that the programs run on old systems. Kept in target/.
install_zigbuild() {
    tools=${PACKAGING_TOOLS:-${CARGO_TARGET_DIR:-$(dirname "$0")/../target}/packaging/tools}
    if [ -x "$tools/bin/cargo-zigbuild" ] && "$tools/bin/python" -c 'import ziglang' 2>/dev/null; then
        return
    fi
    say "installing zigbuild $ZIGBUILD with zig $ZIG (programs for old systems) into $tools"
    python3 -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check \
        "cargo-zigbuild==$ZIGBUILD" "ziglang==$ZIG"
}

# as_root COMMAND...: runs it as root, or fails where that is not possible. `sudo` asks only a person.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif ! have sudo; then
        return 1
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

install_packages() {
    case $manager in
    apt) command="apt-get install -y --no-install-recommends$packages" ;;
    dnf) command="dnf install -y$packages" ;;
    pacman) command="pacman -S --needed --noconfirm$packages" ;;
    zypper) command="zypper --non-interactive install --no-recommends$packages" ;;
    esac
    export DEBIAN_FRONTEND=noninteractive
    if [ "$manager" = apt ] && ! any /var/lib/apt/lists/*_Packages*; then
        say 'fetching the lists of packages'
        as_root apt-get update -q || cannot_install "apt-get update && $command"
    fi
    say "installing:$packages"
    # The words of the command are package names and options of our own: splitting them is meant.
    # shellcheck disable=SC2086
    as_root $command && return
    if [ "$manager" = apt ] && as_root apt-get update -q; then
        # Lists that are weeks old name packages that are gone: once more with fresh ones.
        # shellcheck disable=SC2086
        as_root $command && return
    fi
    cannot_install "$command"
}

cannot_install() {
    stop "could not install what is missing. As root, run this, then start again:
    $1"
}

case $(uname -s) in
Linux)
    look_at_linux
    [ "$tests" = 1 ] && look_at_tests
    [ "$packaging" = 1 ] && look_at_packaging
    [ -n "$packages" ] && install_packages
    [ "$packaging" = 1 ] && install_zigbuild
    if [ -n "$others" ]; then
        have cc || stop 'a C compiler named cc is needed, and this script does not know the packages of this system.'
        say 'this script does not know the packages of this system; install what is named above if Duplex does not start.'
    fi
    ;;
Darwin)
    xcode-select -p >/dev/null 2>&1 ||
        stop "Apple's command line tools are needed (a C compiler). Run 'xcode-select --install' and run this again."
    ;;
MINGW* | MSYS* | CYGWIN*)
    # rustup asks for the Build Tools itself when it installs; a machine without them is told by the first build.
    have cargo || say "on Windows also needed: the Visual Studio Build Tools with 'Desktop development with C++' (rustup offers them)."
    ;;
*)
    say "unknown system $(uname -s): a C compiler and Rust are needed to build."
    ;;
esac
need_cargo
say 'everything is there'
