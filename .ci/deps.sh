#!/bin/sh
# Installs what 'make try' or 'make test' needs and this machine lacks, with the system's own
# package manager. Says first what it is about to do. Does nothing where nothing is missing.
#
#   .ci/deps.sh try|test

set -eu

purpose=${1:-}
# rustup's cargo, iptables and its kin live where a PATH often does not look.
PATH=$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin:/usr/sbin:/sbin

has() {
    command -v "$1" >/dev/null 2>&1
}

# A program, and the packages it comes in: apt, dnf, pacman, zypper, apk. A comma joins several.
programs() {
    cat <<TABLE
make              make           make             make             make             make
cc                gcc,libc6-dev  gcc              gcc              gcc              gcc,musl-dev
ip                iproute2       iproute          iproute2         iproute2         iproute2
iptables-restore  iptables       iptables-nft     iptables         iptables         iptables
ip6tables-restore iptables       iptables-nft     iptables         iptables         iptables
nft               nftables       nftables         nftables         nftables         nftables
TABLE
    [ "$purpose" = test ] || return 0
    cat <<TABLE
conntrack         conntrack      conntrack-tools  conntrack-tools  conntrack-tools  conntrack-tools
ipset             ipset          ipset            ipset            ipset            ipset
ss                iproute2       iproute          iproute2         iproute2         iproute2
ping              iputils-ping   iputils          iputils          iputils          iputils
pgrep             procps         procps-ng        procps-ng        procps           procps
setpriv           util-linux     util-linux       util-linux       util-linux       setpriv
timeout           coreutils      coreutils        coreutils        coreutils        coreutils
TABLE
}

# The number of the column in the table, and the commands.
manager() {
    if has apt-get; then
        column=2 refresh='apt-get -q update' install='apt-get -q install -y --no-install-recommends'
    elif has dnf; then
        column=3 refresh='' install='dnf -q install -y'
    elif has pacman; then
        column=4 refresh='' install='pacman -S --needed --noconfirm'
        # A machine that has never asked for its list of packages has none.
        [ -e /var/lib/pacman/sync/core.db ] || install='pacman -Sy --needed --noconfirm'
    elif has zypper; then
        column=5 refresh='' install='zypper --non-interactive install'
    elif has apk; then
        column=6 refresh='' install='apk add'
    else
        return 1
    fi
}

# Prefixes a command with what makes it root's; fails where nobody could answer for the password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        echo env
    elif ! has sudo; then
        return 1
    elif sudo -n true 2>/dev/null; then
        echo 'sudo -n'
    elif [ -t 0 ] && [ -t 2 ]; then
        echo sudo
    else
        return 1
    fi
}

missing_programs() {
    programs | while read -r program packages; do
        has "$program" || echo "$program $packages"
    done
}

install_programs() {
    missing=$(missing_programs)
    [ -n "$missing" ] || return 0
    names=$(echo "$missing" | cut -d' ' -f1 | tr '\n' ' ')
    echo "Missing here: $names"
    if ! manager; then
        echo "No known package manager (apt, dnf, pacman, zypper, apk): install them by hand, then try again." >&2
        return 1
    fi
    packages=$(echo "$missing" | awk -v column="$column" '{ print $column }' | tr ',' '\n' | sort -u | tr '\n' ' ')
    if ! root=$(as_root); then
        echo "Installing them needs root, and sudo can't be asked here. By hand, as root:" >&2
        [ -z "$refresh" ] || echo "  $refresh" >&2
        echo "  $install $packages" >&2
        return 1
    fi
    shown=${root#env}
    echo "About to install, from this system's own packages:"
    [ -z "$refresh" ] || echo "  ${shown:+$shown }$refresh"
    echo "  ${shown:+$shown }$install $packages"
    # Words on purpose: commands with their arguments, and lists of packages.
    # shellcheck disable=SC2086
    if [ -n "$refresh" ]; then
        $root $refresh || echo "The list of packages could not be renewed; going on with the old one." >&2
    fi
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive $install $packages
    missing=$(missing_programs)
    if [ -n "$missing" ]; then
        echo "Still missing: $(echo "$missing" | cut -d' ' -f1 | tr '\n' ' ')" >&2
        return 1
    fi
}

# Parts of the toolchain that a minimal rustup leaves out.
install_components() {
    components=''
    cargo fmt --version >/dev/null 2>&1 || components="$components rustfmt"
    cargo clippy --version >/dev/null 2>&1 || components="$components clippy"
    [ -n "$components" ] || return 0
    if ! has rustup; then
        echo "Missing parts of the Rust toolchain:$components. Install them by hand." >&2
        return 1
    fi
    echo "About to install, into this user's Rust toolchain:"
    echo "  rustup component add$components"
    # shellcheck disable=SC2086
    rustup component add $components
}

case $purpose in
    try | test) ;;
    *)
        echo "usage: .ci/deps.sh try|test" >&2
        exit 2
        ;;
esac
if ! has cargo; then
    echo "cargo is missing. Install Rust 1.88 or newer: https://rustup.rs" >&2
    exit 1
fi
install_programs
if [ "$purpose" = test ]; then
    install_components
fi
