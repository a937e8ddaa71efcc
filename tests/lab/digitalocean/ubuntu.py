# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a droplet's throw-away root looks like: Ubuntu, with stand-ins for what needs a network or an init system.

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
}
STAND_INS = (
    *("add-apt-repository", "apt-key", "apt-mark", "cloud-init", "hostnamectl", "journalctl", "netplan", "poweroff"),
    *("reboot", "service", "shutdown", "snap", "swapoff", "swapon", "sysctl", "systemctl", "timedatectl", "ufw"),
    *("update-grub", "useradd", "usermod", "groupadd"),
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
        "dpkg": '#!/bin/sh\n[ "${1-}" != --print-architecture ] || echo amd64\n',
        "lsb_release": "#!/bin/sh\ncase $* in *c*) echo noble ;; *r*) echo 24.04 ;; *) echo Ubuntu ;; esac\n",
    }
    return System(FILES, STAND_INS, {**programs, "docker": DOCKER} if with_docker else programs)
