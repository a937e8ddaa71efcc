# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Debian or Ubuntu instance has, beside what boot.py gives to every instance: texts only.

`apt-get` installs what a repository offers: Docker's has containerd.io, pkgs.k8s.io has kubeadm and its friends, and
without the repository there is no package. Versions are taken from the pins, for every minor release that exists.
"""

from __future__ import annotations

DEBIAN = {"etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\n'
                            'VERSION="13 (trixie)"\nVERSION_CODENAME=trixie\nID=debian\n'}  # fmt: skip
BOOKWORM = {"etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n'
                              'VERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n'}  # fmt: skip
NOBLE = {"etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\n'
                           'VERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n'}  # fmt: skip
JAMMY = {"etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\n'
                           'VERSION_CODENAME=jammy\nUBUNTU_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n'}  # fmt: skip
BY_IMAGE = {"debian-13": DEBIAN, "debian-12": BOOKWORM, "ubuntu-noble": NOBLE, "ubuntu-jammy": JAMMY}
DIRECTORIES = ("etc/apt/keyrings", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/modules-load.d",
               "etc/sysctl.d", "var/lib/lab", "run/lab/local/lib", "etc/kubernetes")  # fmt: skip

MINORS = "1.34 1.35 1.36 1.37"
"""Minor releases whose packages exist, as far as the lab is concerned."""

APT_GET = """#!/bin/bash
# The lab's apt-get: packages exist if their repository was added, and its lists were fetched since. Like the real one
# it does not mind lists that it cannot fetch, unless it is told to.
options=() words=()
while [ $# -gt 0 ]; do
    case $1 in
        -o | -t | -c) options+=("$2"); shift ;;
        -*) options+=("$1") ;;
        *) words+=("$1") ;;
    esac
    shift
done
command=${words[0]-} packages=("${words[@]:1}")
lists() { cat /var/lib/lab/apt-lists 2>/dev/null; }
pinned() {
    awk -v name="$1" '$1 == "Package:" { hit = index(" " $0 " ", " " name " ") } hit && $1 == "Pin:" { print $3 }' \\
        /etc/apt/preferences.d/* 2>/dev/null | tail -n 1
}
case $command in
    update | install) lab-network archive && reached=yes || reached=no ;;
esac
if [ "$command" = update ]; then
    if [ $reached = yes ]; then
        cat /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources >/var/lib/lab/apt-lists 2>/dev/null
        exit 0
    fi
    case " ${options[*]} " in *" --error-on=any "* | *" -eany "*) grade=E code=100 ;; *) grade=W code=0 ;; esac
    echo "$grade: Failed to fetch http://deb.debian.org/debian/dists/stable/InRelease  Could not connect" >&2
    echo "$grade: Some index files failed to download. They have been ignored, or old ones used instead." >&2
    exit $code
fi
[ "$command" = install ] || exit 0
if [ ! -e /var/lib/lab/apt-lists ]; then
    echo "E: Unable to locate package ${packages[0]}" >&2
    exit 100
fi
if [ $reached = no ]; then
    echo "E: Failed to fetch http://deb.debian.org/debian/pool/main/${packages[0]}.deb  Could not connect" >&2
    exit 100
fi
for package in "${packages[@]}"; do
    name=${package%%=*}
    case $name in
        containerd.io | docker-ce*) lists | grep -q download.docker.com || missing=$name ;;
        kubeadm | kubelet | kubectl | kubernetes-cni | cri-tools)
            minor=$(lists | sed -n 's,.*pkgs\\.k8s\\.io/core:/stable:/v\\([0-9.]*\\)/deb.*,\\1,p' | tail -n 1)
            case " @MINORS@ " in *" ${minor:-none} "*) ;; *) missing=$name ;; esac
            ;;
    esac
    if [ -n "${missing-}" ]; then
        echo "E: Unable to locate package $missing" >&2
        exit 100
    fi
    case $name in
        kubeadm)
            version=${package#*=}
            [ "$version" != "$package" ] || version=$(pinned kubeadm)
            version=${version%%-*}
            case $version in "$minor".*) ;; *) version=$minor.0 ;; esac
            case $version in *\\**) version=$minor.0 ;; esac
            echo "$version" >/var/lib/lab/kubernetes-version
            ln -sf /run/lab/program /usr/local/bin/kubeadm
            ;;
        kubectl) ln -sf /run/lab/kubernetes /usr/local/bin/kubectl ;;
        kubelet) ln -sf lab-stand-in /usr/local/bin/kubelet ;;
        containerd.io) ln -sf lab-stand-in /usr/local/bin/containerd; mkdir -p /etc/containerd
            echo 'disabled_plugins = ["cri"]' >/etc/containerd/config.toml ;;
    esac
    echo "Setting up $name (lab) ..."
done
""".replace("@MINORS@", MINORS)

CURL = """#!/bin/bash
# The lab's curl: the keys of repositories, and what an instance can reach by HTTP.
given=("$@") output= url=
for word; do
    case $word in http://* | https://*) url=$word ;; esac
done
while [ $# -gt 0 ]; do
    case $1 in -o | --output | -fsSLo | -sSLo) output=$2; shift ;; esac
    shift
done
case $url in
    https://download.docker.com/*/gpg) key=9DC858229FC7DD38854AE2D88D81803C0EBFCD88 ;;
    https://pkgs.k8s.io/core:/stable:/v1.*/deb/Release.key) key=DE15B14486CD377B9E876E1A234654DA9A296436 ;;
    *) exec /usr/bin/curl --max-time 20 "${given[@]}" ;;
esac
lab-network "$url" || { echo "curl: (28) Failed to connect to ${url#https://}: Connection timed out" >&2; exit 28; }
text=$(printf -- '-----BEGIN PGP PUBLIC KEY BLOCK-----\\nlab %s\\n-----END PGP PUBLIC KEY BLOCK-----' "$key")
if [ -n "$output" ]; then echo "$text" >"$output"; else echo "$text"; fi
"""

GPG = """#!/bin/bash
# The lab's gpg: shows the fingerprint of a key that the lab's curl fetched, and unpacks it.
file= output=
while [ $# -gt 0 ]; do
    case $1 in -o | --output) output=$2; shift ;; -*) ;; *) file=$1 ;; esac
    shift
done
text=$(cat ${file:+"$file"})
if [ -n "$output" ]; then echo "$text" >"$output"; exit 0; fi
echo "$text" | sed -n 's/^lab \\([0-9A-F]*\\)$/pub:-:4096:1:lab:::::::scESC::::::23::0:\\nfpr:::::::::\\1:/p'
"""

SLEEP = """#!/bin/sh
# Time passes ten times faster on an instance of the lab.
exec /bin/sleep "$(echo "${1%s}" | awk '{ print $1 / 10 }')"
"""

IDLE = ("apt-mark", "crictl", "ethtool", "iptables", "modprobe", "swapoff")
"""Programs that have nothing to act on."""
PYTHON = """#!/bin/sh
export LD_LIBRARY_PATH=/run/lab/python/lib PYTHONHOME=/run/lab/python
exec /run/lab/python/bin/python3 "$@"
"""
PRELUDE = """mkdir -p /run/lab
LD_LIBRARY_PATH= /usr/local/bin/lab-forward @FORWARDS@ >/run/lab/forwarding &
while ! grep -qs ready /run/lab/forwarding; do [ -d /proc/$! ] || break; /bin/sleep 0.01; done
"""
