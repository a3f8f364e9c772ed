# shellcheck shell=bash
# What is broken while a trial runs, and what must come of it. Sourced by run.
#
# Before each: a policy that lets ssh in is confirmed. The trial locks ssh out, so that whether the old
# rules are back is asked by a new connection. An injection sets 'why': what was seen.

injections=(
    deadline dropped_connection network_gone logout stopped killed_guard killed_both frozen_guard frozen_both
    frozen_cgroup reloads reexec clock_steps fresh_confirm old_confirm docker_restart nftables_restart nftables_reload
    disable_reverted disable_killed disable_power_cut disable_kept
    power_cut reboot_with_save save_on_stop first_boot_order
)

# Seconds on top of what is promised: the guest is emulated, and looks at its rules twice a second. On a
# machine that has more to do, it needs more.
slack=${FWTUI_VM_SLACK:-3}

confirm_anew() { new_session "fwtui confirm"; }

before() {
    ctl 'fwtui revert; fwtui set 22/tcp open; fwtui restore' > /dev/null 2>&1
    within 20 state_is confirmed || echo "it stands: $(state)"
}

# Whatever happened, nothing of it is left.
after() {
    within 20 state_is confirmed || { why+="; state $(state)"; return 1; }
    within 20 nothing_left || { why+='; a guard or twin is left'; return 1; }
}
nothing_left() { [ -z "$(unit)" ] && ! twin_pid > /dev/null; }

locks_out='fwtui set 22/tcp confine && fwtui apply --yes --accept-lockout 22/tcp'

# A trial of so many seconds that locks ssh out, begun by a session that ends.
lock_out() {
    ctl "$locks_out --timeout $1" || { why='the trial does not begin'; return 1; }
    began_at=$(now)
    new_session true && { why='ssh is not locked out'; return 1; }
    [ -n "$(unit)" ] || { why='the guard is no service'; return 1; }
}

# New connections work again, not before the first and not after the second number of seconds since
# 'since', and the trial ended for this reason.
back_within() {
    local earliest=$1 latest=$2 expected=$3 since=$4 took
    within $((latest + slack + 30)) new_session true || { why="ssh is locked out $((latest + slack + 30)) s later"; return 1; }
    took=$(($(last_change) - since))
    within 10 reason_is "$expected" || { why="ended as '$(reason)', not '$expected'"; return 1; }
    why="back after $((took / 1000)).$((took % 1000 / 100)) s, $expected"
    [ "$took" -ge $((earliest * 1000)) ] && [ "$took" -le $(((latest + slack) * 1000)) ]
}
reason_is() { [ "$(reason)" = "$1" ]; }

inject_deadline() { lock_out 20 && back_within 15 20 not-confirmed "$began_at"; }

# An administrator's client dies in the middle of 'apply --wait' on a terminal.
inject_dropped_connection() {
    ssh -tt -S none "${options[@]}" admin@127.0.0.1 \
        "sudo sh -c '$locks_out --timeout 25'; sudo fwtui status; sleep 100" < /dev/zero > "$work/client" 2>&1 &
    local client=$!
    within 30 state_is trial || { why='the trial does not begin'; kill "$client"; return 1; }
    began_at=$(now)
    kill -KILL "$client"
    wait "$client" 2> /dev/null
    back_within 10 25 not-confirmed "$began_at"
}

# The cable is pulled: no end of any connection arrives.
inject_network_gone() {
    lock_out 20 || return
    monitor set_link card off
    sleep 22
    monitor set_link card on
    back_within 15 30 not-confirmed "$began_at"
}

# The session that began it ends, and logind ends every process of it.
inject_logout() {
    new_admin_session "sudo sh -c '$locks_out --timeout 20'" || { why='the trial does not begin'; return 1; }
    began_at=$(now)
    within 10 no_session_of_admin || { why='admin is still logged in'; return 1; }
    state_is trial || { why="the logout ended it: $(reason)"; return 1; }
    back_within 10 20 not-confirmed "$began_at"
}
no_session_of_admin() { ! ctl 'loginctl list-sessions --no-legend' | grep -q admin; }

inject_stopped() {
    lock_out 300 || return
    local since
    since=$(now)
    ctl "systemctl stop 'fwtui-guard-*'" || { why='it can not be stopped'; return 1; }
    back_within 0 2 stopped "$since"
}

# Sends a signal, and measures from there.
signalled() { since=$(now); ctl "kill $*"; }

inject_killed_guard() { lock_out 300 && signalled -KILL "$(guard_pid)" && back_within 0 2 guard-died "$since"; }
inject_killed_both() {
    lock_out 300 && signalled -KILL "$(guard_pid) $(twin_pid)" && back_within 0 3 guard-died "$since"
}
inject_frozen_guard() { lock_out 300 && signalled -STOP "$(guard_pid)" && back_within 2 15 guard-died "$since"; }
# systemd's watchdog alone is left.
inject_frozen_both() {
    lock_out 300 || return
    local twin result
    twin=$(twin_pid)
    signalled -STOP "$(guard_pid) $twin"
    back_within 2 15 guard-died "$since"
    result=$?
    ctl "kill -CONT $twin" || true
    return "$result"
}
# Whatever systemd starts after them is frozen as well: only the kernel's own timer is left.
inject_frozen_cgroup() {
    lock_out 30 || return
    local group result
    group=/sys/fs/cgroup$(ctl "systemctl show -P ControlGroup $(unit)")
    ctl "echo 1 > $group/cgroup.freeze"
    within 40 new_session true
    result=$?
    ctl "echo 0 > $group/cgroup.freeze" 2> /dev/null || true
    [ "$result" = 0 ] || { why='ssh is locked out 10 s after the deadline'; return 1; }
    within 20 state_is confirmed && why='the kernel put the old rules back'
}

inject_reloads() {
    lock_out 20 || return
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ctl 'systemctl daemon-reload; sleep 1'
    done
    back_within 15 20 not-confirmed "$began_at"
}
inject_reexec() {
    lock_out 30 || return
    for _ in 1 2 3; do
        ctl 'systemctl daemon-reexec; sleep 2'
    done
    back_within 15 30 not-confirmed "$began_at"
}

inject_clock_steps() {
    lock_out 20 || return
    ctl "date -s '+1 day'; sleep 3; date -s '-2 days'; sleep 3; date -s '+1 day'" > /dev/null
    # A step forward lets ssh in until the guard has set the kernel's timer again: the end is what counts.
    state_is trial || { why="the steps ended it: $(reason)"; return 1; }
    new_session true && { why='ssh is not locked out any more'; return 1; }
    within $((20 + slack + 30)) state_is confirmed || { why="still $(state)"; return 1; }
    local took=$(($(last_change) - began_at))
    why="back after $((took / 1000)).$((took % 1000 / 100)) s, $(reason)"
    reason_is not-confirmed && [ "$took" -ge 15000 ] && [ "$took" -le $(((20 + slack) * 1000)) ]
}

# A trial that leaves ssh open, to be confirmed.
let_in() { ctl "fwtui set 8080/tcp $1 && fwtui apply --yes --timeout 60"; }

inject_fresh_confirm() {
    let_in open || return
    within 20 confirm_anew || { why='a new connection does not confirm'; return 1; }
    reason_is confirmed && why='a new connection confirmed'
}
# Over the connection that was there before. Where fwtui wants proof, it must not count.
inject_old_confirm() {
    let_in trusted || return
    sleep 3
    if ctl 'fwtui confirm --help' | grep -q unproven; then
        ctl fwtui confirm && { why='a session from before the change confirmed'; return 1; }
        why='a session from before the change did not confirm'
        ctl fwtui revert
    else
        ctl fwtui confirm && why='confirmed; this version asks for no proof'
    fi
}

# A service that replaces all rules, while ours are confirmed. Debian's flushes everything when it stops,
# and is followed when it starts.
inject_nftables_restart() {
    ctl 'systemctl start nftables && systemctl restart nftables' || { why='nftables does not start'; return 1; }
    within 10 state_is confirmed || { why="$(state) after the restart"; return 1; }
    ctl 'systemctl stop nftables; systemctl start nftables'
    within 10 state_is confirmed || { why="$(state) after stop and start"; return 1; }
    why='loaded again after restart, and after stop and start'
}
inject_nftables_reload() {
    ctl 'systemctl start nftables && systemctl reload nftables' || { why='nftables does not reload'; return 1; }
    within 10 state_is confirmed || { why="$(state) after the reload"; return 1; }
    why='loaded again after the reload'
}
inject_docker_restart() {
    ctl 'systemctl start docker' || { why='docker does not start'; return 1; }
    lock_out 60 || return
    ctl 'systemctl restart docker' || { why='docker does not restart'; return 1; }
    back_within 30 60 not-confirmed "$began_at" || return
    ctl "iptables -S | grep -q DOCKER" || { why='the rules of docker are gone'; return 1; }
    ctl 'systemctl stop docker.socket docker containerd'
}

inject_power_cut() {
    lock_out 3600 || return
    power_cut
    boot
    reason_is reboot || { why="ended as '$(reason)'"; return 1; }
    why='booted into the confirmed rules'
}

# A clean reboot, after somebody has saved the rules on trial.
inject_reboot_with_save() {
    lock_out 3600 || return
    ctl 'netfilter-persistent save && grep -q FWTUI /etc/iptables/rules.v4' || { why='nothing saved'; return 1; }
    ctl 'systemctl reboot' || true
    wait "$qemu_pid" 2> /dev/null
    qemu_pid=
    boot
    case $(reason) in
        stopped | reboot) why="booted into the confirmed rules, $(reason)" ;;
        *) why="ended as '$(reason)'"; return 1 ;;
    esac
    ctl 'rm -f /etc/iptables/rules.*; systemctl is-active -q fwtui' || { why='the boot unit did not run'; return 1; }
}

# The same where a service saves what is in the kernel when the machine goes down, as on RHEL.
inject_save_on_stop() {
    ctl 'iptables-save -t filter | grep FWTUI > /root/base; cat > /etc/systemd/system/iptables.service
        systemctl daemon-reload; systemctl start iptables' << 'END' || return
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'iptables-save -t filter | grep FWTUI > /root/saved; sync'
END
    lock_out 3600 || return
    ctl 'systemctl reboot' || true
    wait "$qemu_pid" 2> /dev/null
    qemu_pid=
    boot
    ctl 'rm /etc/systemd/system/iptables.service; systemctl daemon-reload; cmp /root/base /root/saved' ||
        { why='the rules on trial were saved'; return 1; }
    why='what was saved are the old rules'
}

# No packet before the rules: the boot unit is done before any network is set up.
inject_first_boot_order() {
    local order
    order=$(ctl 'systemctl show -P ExecMainExitTimestampMonotonic fwtui; systemctl show -P ExecMainStartTimestampMonotonic systemd-networkd' | xargs)
    why="fwtui done at ${order% *} us, network begun at ${order#* } us"
    [ "${order% *}" -gt 0 ] && [ "${order% *}" -lt "${order#* }" ]
}

# A service with a socket, which the socket starts, and one that needs it: as packages bring them.
with_service() {
    ctl 'cat > /usr/lib/systemd/system/fwtui-test.socket
        cat > /usr/lib/systemd/system/fwtui-test.service << END
[Unit]
Requires=fwtui-test.socket
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/touch /run/fwtui-test-stopped
[Install]
WantedBy=multi-user.target
END
        cat > /usr/lib/systemd/system/fwtui-needs.service << END
[Unit]
Requires=fwtui-test.service
After=fwtui-test.service
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
END
        systemctl daemon-reload
        systemctl enable --now fwtui-test.socket fwtui-test.service fwtui-needs.service' << 'END' || return
[Socket]
ListenStream=7777
[Install]
WantedBy=sockets.target
END
    ctl 'fwtui enable 7777/tcp' > /dev/null 2>&1
    service_is active enabled loaded || { why="the service does not run: $(service_state)"; return 1; }
    # Which units they are it finds out by itself.
    ctl 'fwtui disable 7777/tcp' || { why='it can not be disabled'; return 1; }
    ctl 'grep -A4 7777/tcp /etc/fwtui/policy.json | tr -d "\n "' | grep -q '"fwtui-test.socket","fwtui-test.service"' ||
        { why="other units: $(ctl 'fwtui preview' | grep fwtui-test)"; return 1; }
}
# Active, enabled, loaded or masked: of the socket, the service, and (whether it runs) what needs it.
service_state() {
    ctl 'for unit in fwtui-test.socket fwtui-test.service; do
            systemctl show -P ActiveState $unit; systemctl show -P UnitFileState $unit; systemctl show -P LoadState $unit
        done; systemctl show -P ActiveState fwtui-needs.service' | xargs
}
service_is() { [ "$(service_state)" = "$1 $2 $3 $1 $2 $3 $1" ]; }
is_up() { service_is active enabled loaded; }
clean_service() { ctl 'fwtui enable 7777/tcp'; }

# systemd reads all its units anew twice for it, which takes longer than the session may last here.
keep_anew() {
    within 20 confirm_anew || true
    within 90 state_is confirmed
}

# A trial of so many seconds that stops it, with the service's own means.
stop_service() {
    with_service || return
    ctl "rm -f /run/fwtui-test-stopped; fwtui apply --yes --timeout $1" || { why='the trial does not begin'; return 1; }
    within 5 is_stopped_now || { why="not stopped: $(service_state)"; return 1; }
    ctl 'test -e /run/fwtui-test-stopped' || { why='it was killed, not stopped'; return 1; }
    ctl 'systemctl start fwtui-needs' && { why='something that needs it starts it'; return 1; }
    return 0
}
is_stopped_now() {
    case $(service_state) in
        "inactive "*" masked inactive "*" masked inactive") return 0 ;;
    esac
    return 1
}

inject_disable_reverted() {
    stop_service 60 || return
    within 90 is_up || { why="not started again: $(service_state)"; return 1; }
    within 10 reason_is not-confirmed || { why="ended as '$(reason)'"; return 1; }
    clean_service
    why='socket, service and what needs it run as before'
}
inject_disable_killed() {
    stop_service 300 || return
    ctl "kill -KILL $(guard_pid) $(twin_pid)"
    within 20 is_up || { why="not started again: $(service_state)"; return 1; }
    within 10 reason_is guard-died || { why="ended as '$(reason)'"; return 1; }
    clean_service
    why='systemd started the recovery, and that the service'
}
inject_disable_power_cut() {
    stop_service 3600 || return
    ctl sync
    power_cut
    boot
    within 20 is_up || { why="not started by boot: $(service_state)"; return 1; }
    reason_is reboot || { why="ended as '$(reason)'"; return 1; }
    clean_service
    why='boot started it: nothing was disabled'
}
inject_disable_kept() {
    stop_service 180 || return
    keep_anew || { why='it can not be kept'; return 1; }
    within 5 service_is inactive disabled loaded || { why="not disabled: $(service_state)"; return 1; }
    # What needs it is enabled still, and would start it at boot: that was said. It is not, here.
    ctl 'systemctl disable fwtui-needs; systemctl reboot' || true
    wait "$qemu_pid" 2> /dev/null
    qemu_pid=
    boot
    service_is inactive disabled loaded || { why="not off after a reboot: $(service_state)"; return 1; }
    ctl 'fwtui list' | grep 7777/tcp | grep -q disabled || { why='the list does not say so'; return 1; }
    ctl 'fwtui enable 7777/tcp && fwtui apply --yes --timeout 180' || { why='it can not be enabled'; return 1; }
    keep_anew || { why='that can not be kept'; return 1; }
    ctl 'systemctl enable fwtui-needs'
    within 10 is_up || { why="not enabled again: $(service_state)"; return 1; }
    why='off over a reboot, and on again as it was'
}
