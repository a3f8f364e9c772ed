# shellcheck shell=bash
# The guest, as the injections use it: boot, power cut, sessions, and what is to be read in it.
# Sourced by run; image, work and port are set there.

options=(-i "$image/key" -p "$port" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
    -o LogLevel=ERROR -o ConnectTimeout=5 -o ServerAliveInterval=0)
control=$work/control
qemu_pid=

# Boots what is on the disk, and waits until it lets us in.
boot() {
    rm -f "$work/monitor.in" "$work/monitor.out"
    mkfifo "$work/monitor.in" "$work/monitor.out"
    # IPv4 only: this QEMU's user network forwards nothing else.
    qemu-system-x86_64 -accel tcg -cpu max -m 1G -smp 2 -display none -nodefaults -no-reboot \
        -kernel "$image/vmlinuz" -initrd "$image/initrd" -append 'root=/dev/vda rw console=ttyS0 quiet' \
        -drive "file=$work/disk,format=raw,if=virtio,cache=unsafe" \
        -netdev "user,id=lan,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=lan,id=card \
        -device virtio-rng-pci -chardev "file,id=console,path=$work/console,append=on" -serial chardev:console \
        -monitor "pipe:$work/monitor" > "$work/qemu.log" 2>&1 &
    qemu_pid=$!
    # Held open: the monitor ends with its last reader or writer.
    exec 8<> "$work/monitor.in" 9<> "$work/monitor.out"
    within 180 new_session true || die "the guest does not boot; see $work/console"
    within 60 new_session 'systemctl is-system-running --wait >/dev/null; systemctl is-active -q ssh'
    take_control
}

# A session that is there before anything happens: no rule of fwtui's cuts it.
take_control() {
    ssh -S "$control" -O exit "${options[@]}" root@127.0.0.1 2> /dev/null || true
    rm -f "$control"
    within 60 ssh -fN -M -S "$control" "${options[@]}" root@127.0.0.1 > /dev/null 2>&1 || die 'no session to the guest'
}

# As if somebody had pulled the plug.
power_cut() {
    kill -KILL "$qemu_pid"
    wait "$qemu_pid" 2> /dev/null || true
    qemu_pid=
}

monitor() { echo "$*" >&8; }

# Runs a command in the session that was there before.
ctl() { timeout 180 ssh -S "$control" "${options[@]}" root@127.0.0.1 "$@"; }

# The same over a connection of its own, as root or as the administrator.
new_session() { timeout 30 ssh -S none "${options[@]}" root@127.0.0.1 "$@" 2> /dev/null; }
new_admin_session() { timeout 60 ssh -S none "${options[@]}" admin@127.0.0.1 "$@"; }

# Tries a command again and again for so many seconds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

# Milliseconds since the guest's boot: now, and when its rules changed last. Ours would count in how
# long a login takes in a machine that is emulated.
now() { ctl cat /proc/uptime | awk '{ print int($1 * 1000) }'; }
last_change() { grep -a '^watch' "$work/console" | tail -1 | awk '{ print int($2 * 1000) }'; }

state() { ctl fwtui status --json 2> /dev/null | sed -n 's/.*"state": *"\([a-z]*\)".*/\1/p'; }
state_is() { [ "$(state)" = "$1" ]; }
# How the last trial ended: a word, or 'confirmed'.
reason() {
    ctl cat /var/lib/fwtui/last.json 2> /dev/null | tr -d '\n ' |
        sed -n 's/.*"reverted":"\{0,1\}\([a-z-]*\).*/\1/p' | sed 's/^null$/confirmed/'
}
unit() { ctl "systemctl list-units --plain --no-legend 'fwtui-guard-*' | cut -d' ' -f1"; }
guard_pid() { ctl "systemctl show -P MainPID $(unit)"; }
# The brackets keep the asking shell out of it.
twin_pid() { ctl "pgrep -f 'guard --[t]win-of'"; }
