#!/bin/bash
# Builds the guest: a Debian of this machine's own release in one ext4 file, its kernel and initrd
# beside it, and a key to log in with. No boot loader and nothing of fwtui in it, so it is built once.
set -euo pipefail

image=${1:?where to put it}
[ -e "$image/done" ] && exit 0

die() { echo "tests/vm: $*" >&2; exit 2; }

[ "$(id -u)" = 0 ] || die 'building the guest needs root (debootstrap makes its devices)'
for program in debootstrap mke2fs ssh-keygen; do
    command -v "$program" >/dev/null || die "$program is missing (packages: debootstrap e2fsprogs openssh-client)"
done

# The archive this machine takes its packages from, and its release: apt knows both.
# shellcheck disable=SC2016 # apt's own variables
read -r site suite < <(apt-get indextargets --format '$(SITE) $(CODENAME) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main' |
    awk '$2 !~ /-/ { print $1, $2; exit }') || die 'apt names no Debian archive'

packages=(systemd systemd-sysv systemd-timesyncd dbus udev kmod linux-image-cloud-amd64 openssh-server sudo
    iptables nftables iptables-persistent netfilter-persistent conntrack iproute2 procps docker.io ca-certificates)
root=$image/root
rm -rf "$root"
mkdir -p "$image"
chmod 700 "$image"
list=$(IFS=,; echo "${packages[*]}")
DEBIAN_FRONTEND=noninteractive debootstrap --variant=minbase --include="$list" "$suite" "$root" "$site" \
    > "$image/debootstrap.log" 2>&1 || { tail -20 "$image/debootstrap.log" >&2; die 'debootstrap failed'; }

[ -e "$image/key" ] || ssh-keygen -q -t ed25519 -N '' -C fwtui-test-vm -f "$image/key"

in_guest() { chroot "$root" "$@"; }

# An administrator who is not root, as most are.
in_guest useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/admin"
chmod 440 "$root/etc/sudoers.d/admin"
for home in root home/admin; do
    install -d -m 700 "$root/$home/.ssh"
    install -m 600 "$image/key.pub" "$root/$home/.ssh/authorized_keys"
done
in_guest chown -R admin:admin /home/admin/.ssh

echo fwtui-test > "$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 fwtui-test\n' > "$root/etc/hosts"
echo '/dev/vda / ext4 defaults 0 1' > "$root/etc/fstab"
cat > "$root/etc/systemd/network/lan.network" <<END
[Match]
Name=en* eth*
[Network]
DHCP=yes
END
# The harshest setting a distribution ships: logout ends every process of the session.
install -d "$root/etc/systemd/logind.conf.d"
printf '[Login]\nKillUserProcesses=yes\n' > "$root/etc/systemd/logind.conf.d/kill.conf"
# A failing login must not wait for a name server, nor be slowed down for knocking often.
printf 'UseDNS no\nMaxStartups 100\n' > "$root/etc/ssh/sshd_config.d/test.conf"
install -m 755 "$(dirname "$0")/watch" "$root/usr/local/sbin/fwtui-watch"
cat > "$root/etc/systemd/system/fwtui-watch.service" <<END
[Unit]
Description=Tell on the serial console which rules are in force
DefaultDependencies=no
[Service]
ExecStart=/usr/local/sbin/fwtui-watch
StandardOutput=file:/dev/ttyS0
Restart=always
[Install]
WantedBy=sysinit.target
END
in_guest systemctl --quiet enable systemd-networkd ssh fwtui-watch
in_guest systemctl --quiet disable docker.service docker.socket containerd nftables apt-daily.timer apt-daily-upgrade.timer \
    serial-getty@ttyS0 || true
in_guest systemctl --quiet mask serial-getty@ttyS0

cp -L "$root"/boot/vmlinuz-* "$image/vmlinuz"
cp -L "$root"/boot/initrd.img-* "$image/initrd"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/boot/initrd.img-*
rm -f "$image/disk"
mke2fs -q -t ext4 -L fwtui -d "$root" "$image/disk" 3G
rm -rf "$root"
touch "$image/done"
