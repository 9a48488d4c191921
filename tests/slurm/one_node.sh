#!/usr/bin/env bash
# A SLURM of this machine alone, for the tests marked `slurm`: tests/slurm/one_node.sh start|stop
#
# It wants root, and Debian's packages of SLURM and munge; `start` installs them where CI is set. It writes files into
# /etc/slurm, and nothing where there is a slurm.conf that it has not written. Where there can be none it ends with 3.
# `stop` ends what trains, and all that `start` has begun.
#
# To SLURM this machine is two nodes, one of them called localhost, of two cores and four GPUs that nobody has.
set -eu

conf=/etc/slurm/slurm.conf
mark='# by tests/slurm/one_node.sh'
state=/var/lib/tui-trainer-slurm
first=$(uname -n)
first=${first%%.*}
second=localhost
none_here=3

is_there() {
    command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v munged >/dev/null
}

install_packages() {
    if is_there; then
        return
    fi
    if [ -z "${CI:-}" ] || ! command -v apt-get >/dev/null; then
        echo "slurmctld, slurmd or munged is missing: apt-get install slurmctld slurmd munge" >&2
        exit "$none_here"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt="timeout 300 apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20"
    if ! { $apt update && $apt install --yes --no-install-recommends slurmctld slurmd munge; } >/dev/null; then
        exit "$none_here"
    fi
}

is_ours() {
    [ -e "$conf" ] && grep -qF "$mark" "$conf"
}

configure() {
    if [ -e "$conf" ] && ! is_ours; then
        echo "$conf is another cluster's: it is left as it is" >&2
        exit "$none_here"
    fi
    mkdir -p /etc/slurm "$state/controller" "$state/$first" "$state/$second"
    cat >"$conf" <<END
$mark
ClusterName=tui-trainer-tests
SlurmctldHost=$first(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A task that is queued again waits until its old credential has run out; five seconds are the least.
AuthInfo=cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# Of what has begun, some only waits: for a signal, or to be asked something.
SlurmdParameters=config_overrides
GresTypes=gpu
ReturnToService=2
KillWait=10
# As soon as something can begin, it does.
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/%n
SlurmctldLogFile=$state/controller.log
SlurmdLogFile=$state/%n.log
SlurmctldPidFile=$state/controller.pid
SlurmdPidFile=$state/%n.pid
NodeName=$first NodeHostname=$first NodeAddr=127.0.0.1 Port=6818 CPUs=2 Gres=gpu:4 State=UNKNOWN
NodeName=$second NodeHostname=$first NodeAddr=127.0.0.1 Port=6828 CPUs=2 Gres=gpu:4 State=UNKNOWN
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
    touch "$state"/gpu{0,1,2,3}
    echo "Name=gpu File=$state/gpu[0-3]" >/etc/slurm/gres.conf
}

# A daemon holds nothing of whoever starts it: who reads what this prints is not kept waiting for its end.
daemon() (
    for fd in /proc/self/fd/*; do
        fd=${fd##*/}
        [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    exec "$@" </dev/null >/dev/null 2>&1
)

within_30_s() {
    for _ in $(seq 150); do
        if "$@"; then
            return
        fi
        sleep 0.2
    done
    return 1
}

is_up() { [ "$(sinfo --noheader --Node --format=%t 2>/dev/null | sort | uniq -c | tr -s ' ')" = " 2 idle" ]; }
is_empty() { [ -z "$(squeue --noheader 2>/dev/null)" ]; }
is_over() { ! kill -0 "$(cat "$1" 2>/dev/null)" 2>/dev/null; }

start() {
    if scontrol ping 2>/dev/null | grep -q UP; then
        echo "a controller answers already"
        exit 0
    fi
    install_packages
    configure
    if ! munge --no-input >/dev/null 2>&1; then
        mkdir -p /run/munge
        chown munge: /run/munge
        touch "$state/munged"
        daemon runuser --user munge -- munged
    fi
    daemon slurmctld
    daemon slurmd -N "$first"
    daemon slurmd -N "$second"
    if ! within_30_s is_up; then
        echo "the nodes have not come up within 30 s" >&2
        for log in "$state"/*.log; do
            tail -n 20 "$log" >&2
        done
        exit 1
    fi
}

stop() {
    if ! is_ours; then
        return
    fi
    if scontrol ping 2>/dev/null | grep -q UP; then
        scancel --quiet --user="$(id -un)" || true
        within_30_s is_empty || true
        scontrol shutdown || true
    fi
    for each in controller "$first" "$second"; do
        if ! within_30_s is_over "$state/$each.pid"; then
            kill "$(cat "$state/$each.pid")" || true
        fi
    done
    if [ -e "$state/munged" ]; then
        munged --stop || true
    fi
    rm -rf "$conf" /etc/slurm/gres.conf "$state"
}

case ${1:-} in
start | stop) "$1" ;;
*)
    echo "usage: $0 start|stop" >&2
    exit 2
    ;;
esac
