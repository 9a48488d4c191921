#!/bin/sh
# A SLURM whose only node is this machine, for the tests marked `slurm`: tests/slurm/one_node.sh start|stop
#
# It wants root, and Debian's packages slurm-wlm and munge; `start` installs them where CI is set. It writes
# /etc/slurm/slurm.conf, and nothing where there is one that it has not written.
set -eu

conf=/etc/slurm/slurm.conf
mark='# by tests/slurm/one_node.sh'
state=/var/lib/tui-trainer-slurm

install_packages() {
    if command -v slurmctld >/dev/null && command -v slurmd >/dev/null && command -v munged >/dev/null; then
        return
    fi
    if [ -z "${CI:-}" ]; then
        echo "slurmctld, slurmd or munged is missing: apt-get install slurm-wlm munge" >&2
        exit 1
    fi
    apt-get update -qq
    apt-get install --yes -qq --no-install-recommends slurm-wlm munge >/dev/null
}

configure() {
    if [ -e "$conf" ] && ! grep -qF "$mark" "$conf"; then
        echo "$conf is another cluster's: it is left as it is" >&2
        exit 1
    fi
    node=$(hostname -s)
    mkdir -p /etc/slurm "$state/controller" "$state/node"
    cat >"$conf" <<END
$mark
ClusterName=tests
SlurmctldHost=$node(127.0.0.1)
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
ReturnToService=2
KillWait=10
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/node
SlurmctldLogFile=$state/controller.log
SlurmdLogFile=$state/node.log
SlurmctldPidFile=$state/controller.pid
SlurmdPidFile=$state/node.pid
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=tests Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
}

start() {
    if scontrol ping 2>/dev/null | grep -q UP; then
        echo "a controller answers already"
        exit 0
    fi
    install_packages
    configure
    mkdir -p /run/munge
    chown munge: /run/munge
    munge --no-input >/dev/null 2>&1 || runuser --user munge -- munged
    slurmctld
    slurmd
    tries=0
    until sinfo --noheader --format=%t 2>/dev/null | grep -q idle; do
        tries=$((tries + 1))
        if [ "$tries" -gt 150 ]; then
            echo "no node has come up within 30 s; see $state/*.log" >&2
            exit 1
        fi
        sleep 0.2
    done
}

stop() {
    if [ -e "$conf" ] && grep -qF "$mark" "$conf"; then
        scontrol shutdown 2>/dev/null || true
        rm -rf "$conf" "$state"
    fi
}

case ${1:-} in
start | stop) "$1" ;;
*)
    echo "usage: $0 start|stop" >&2
    exit 2
    ;;
esac
