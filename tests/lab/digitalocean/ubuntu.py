# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a droplet's throw-away root looks like: Ubuntu, with stand-ins for what needs a network or an init system.

A user data may reboot. Then units that it has enabled are started, and the kernel gets what it has told GRUB.

The docker stand-in is there only after the user data has installed Docker, as on a real Ubuntu. It writes down what it
is asked; the lab starts those containers once the user data has run.
"""

from __future__ import annotations

from lab.boot import System

FILES = {
    "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\n'
    'VERSION="24.04.3 LTS (Noble Numbat)"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\nUBUNTU_CODENAME=noble\n',
    "etc/lsb-release": "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=24.04\nDISTRIB_CODENAME=noble\n",
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "etc/group": "root:x:0:\ndocker:x:990:\n",
    "etc/apt/sources.list.d/ubuntu.sources": "",
    "etc/apt/apt.conf.d/.keep": "",
    "etc/apt/keyrings/.keep": "",
    "dev/console": "",
    "root/.ssh/authorized_keys": "",
    "etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX_DEFAULT=""\nGRUB_CMDLINE_LINUX=""\n',
    "etc/default/grub.d/50-cloudimg-settings.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="console=tty1 console=ttyS0"\n',
    "boot/grub/grub.cfg": "",
    "var/lib/dpkg/alternatives/iptables": "nft\n",
    "var/lib/dpkg/alternatives/ip6tables": "nft\n",
    "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
}
STAND_INS = (
    *("add-apt-repository", "apt-key", "apt-mark", "cloud-init", "hostnamectl", "journalctl", "netplan", "poweroff"),
    *("service", "shutdown", "snap", "swapoff", "swapon", "sysctl", "timedatectl", "ufw"),
    *("useradd", "usermod", "groupadd"),
)
INSTALLER = """#!/bin/sh
# The lab's stand-in for apt: nothing is installed, but for the stand-in of docker.
echo "lab: ${0##*/} $* (a stand-in, nothing done)" >&2
for word; do
    case $word in
        docker-ce | docker-ce=* | docker.io | docker.io=* | docker-engine*) ln -sf lab-docker /usr/local/bin/docker ;;
    esac
done
"""
FETCHER = """#!/bin/sh
# The lab's stand-in for curl and wget: there is no network, but Docker's own addresses answer.
file=
answer=
last=
for word; do
    case $last in -o | -O | --output) file=$word ;; esac
    case $word in
        -qO-) file=- ;;
        https://get.docker.com* | https://releases.rancher.com/install-docker/*)
            answer='#!/bin/sh
ln -sf lab-docker /usr/local/bin/docker' ;;
        https://download.docker.com/*gpg) answer='lab: not a key' ;;
    esac
    last=$word
done
if [ -z "$answer" ]; then
    echo "${0##*/}: (6) Could not resolve host (the lab's machines have no network)" >&2
    exit 6
fi
if [ -n "$file" ] && [ "$file" != - ]; then echo "$answer" >"$file"; else echo "$answer"; fi
"""
DOCKER = """#!/bin/sh
# The lab's stand-in for docker: writes down what it is asked. The lab does it once the user data has run.
{ for word; do printf 'a%s\\0' "$word"; done; printf 'e\\0'; } >>/run/lab/docker
case ${1-} in
    run | create) date +%s%N | sha256sum | cut -c1-64 ;;
    --version | -v) echo "Docker version 29.1.0, build lab" ;;
    version | info) echo "Server Version: 29.1.0" ;;
esac
"""
SYSTEMCTL = """#!/bin/sh
# The lab's stand-in for systemctl: it knows the units that are files in /etc/systemd/system, and nothing of others.
units=/etc/systemd/system
verb=
names=
now=
for word; do
    case $word in
        --now) now=-now ;;
        -*) ;;
        *) if [ -z "$verb" ]; then verb=$word; else names="$names $word"; fi ;;
    esac
done
[ "$verb" != reboot ] || exec reboot
for name in $names; do
    file=$units/${name%.service}.service
    [ -f "$file" ] || continue
    known=yes
    for target in $(sed -n 's/^WantedBy=//p' "$file"); do
        link=$units/$target.wants/${file##*/}
        case $verb in
            enable) mkdir -p "${link%/*}" && ln -sf "$file" "$link" ;;
            disable) rm -f "$link" ;;
        esac
    done
    case $verb$now in start | restart | enable-now) lab-unit "$file" || exit 1 ;; esac
done
[ -n "${known-}" ] || echo "lab: systemctl $* (a stand-in, nothing done)" >&2
[ "$verb" != is-active ] || echo active
"""
UNIT = """#!/bin/sh
# Starts a unit as systemd does: no shell reads its commands, and what has failed is tried again if the unit says so.
file=$1
name=${1##*/}
value() { sed -n "s/^$1=//p" "$file" | sed "s/%n/$name/g"; }
run() {
    value "$1" | while IFS= read -r line; do
        printf '%s\\n' "${line#-}" | xargs env -i "PATH=$PATH" || [ "$line" != "${line#-}" ] || exit 1
    done
}
if [ "$(value Type)" != oneshot ]; then
    echo "lab: $name is of a type that is not simulated, nothing of it was done" >&2
    exit 0
fi
until run ExecStartPre && run ExecStart && run ExecStartPost; do
    echo "systemd: $name: Failed with result 'exit-code'." >&2
    case $(value Restart) in on-failure | always) sleep 0.1 ;; *) exit 1 ;; esac
done
echo "systemd: Finished $name" >&2
"""
UPDATE_GRUB = """#!/bin/sh
# The lab's stand-in for update-grub: the kernel's command line.
for file in /etc/default/grub /etc/default/grub.d/*.cfg; do . "$file"; done
echo "linux /boot/vmlinuz ro $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" >/boot/grub/grub.cfg
"""
UPDATE_ALTERNATIVES = """#!/bin/sh
# The lab's stand-in for update-alternatives: which iptables is meant. A Docker that runs keeps to its own.
case "${1-} ${2-} ${3-}" in
    "--set iptables /usr/sbin/iptables-"* | "--set ip6tables /usr/sbin/ip6tables-"*) ;;
    *) echo "update-alternatives: error: lab: not simulated: $*" >&2 && exit 2 ;;
esac
case $3 in
    *-legacy | *-nft) echo "${3##*-}" >"/var/lib/dpkg/alternatives/$2" ;;
    *) echo "update-alternatives: error: alternative $3 for $2 not registered; not setting" >&2 && exit 2 ;;
esac
[ -e /usr/local/bin/docker ] || lab-firewall
"""
FIREWALL = """#!/bin/sh
# Docker starts, and uses the iptables that is meant now.
rm -f /run/lab/iptables-legacy
[ "$(cat /var/lib/dpkg/alternatives/iptables)" != legacy ] || echo yes >/run/lab/iptables-legacy
"""
REBOOT_NOW = """#!/bin/sh
# The lab's stand-in for reboot: all processes end, and the lab boots the root again.
echo yes >/run/lab/reboot
kill -TERM -1
"""
NEXT_BOOT = """: >/run/lab/started
cd /
rm -rf /sys/fs/cgroup
case "$(cat /boot/grub/grub.cfg) " in
    *" systemd.unified_cgroup_hierarchy=0 "*) mkdir -p /sys/fs/cgroup/memory && echo 1 >/sys/fs/cgroup/memory/tasks ;;
    *) mkdir -p /sys/fs/cgroup && echo cpu memory >/sys/fs/cgroup/cgroup.controllers ;;
esac
lab-firewall
for link in /etc/systemd/system/multi-user.target.wants/*.service; do
    [ ! -e "$link" ] || lab-unit "/etc/systemd/system/${link##*/}"
done
: >/run/lab/finished
"""
"""Every boot after the first: cloud-init has run the user data, and does not again."""
REBOOT = "run/lab/reboot"
"""Something is in it if the system was told to boot again."""
CGROUPS_1 = "sys/fs/cgroup/memory/tasks"
"""Something is in it if the system has booted with version 1 of control groups."""
IPTABLES_LEGACY = "run/lab/iptables-legacy"
"""Something is in it if Docker keeps its rules in the legacy tables, where Rancher's network keeps its own."""
RECORD = "run/lab/docker"
"""Where the docker stand-in has written down what it was asked."""


def system(*, with_docker: bool = False) -> System:
    """The root; some images bring Docker along."""
    programs = {
        "apt": INSTALLER,
        "apt-get": INSTALLER,
        "curl": FETCHER,
        "wget": FETCHER,
        "lab-docker": DOCKER,
        "lab-firewall": FIREWALL,
        "lab-unit": UNIT,
        "reboot": REBOOT_NOW,
        "systemctl": SYSTEMCTL,
        "update-alternatives": UPDATE_ALTERNATIVES,
        "update-grub": UPDATE_GRUB,
        "dpkg": '#!/bin/sh\n[ "${1-}" != --print-architecture ] || echo amd64\n',
        "lsb_release": "#!/bin/sh\ncase $* in *c*) echo noble ;; *r*) echo 24.04 ;; *) echo Ubuntu ;; esac\n",
    }
    return System(FILES, STAND_INS, {**programs, "docker": DOCKER} if with_docker else programs)
