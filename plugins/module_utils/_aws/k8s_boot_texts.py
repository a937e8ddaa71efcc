# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts that the instances of a Kubernetes cluster run when they boot. Texts only, nothing is filled in here.

They are written for Debian and Ubuntu with cloud-init. Settings stand before them as shell variables (``k8s_boot``).
Secrets are in none of them: they are made on the control plane, and handed on through SSM. PRIVATE.
"""

from __future__ import annotations

# Ends with its own words on the console and in SSM, whatever it fails at.
COMMON = r"""
set -euo pipefail
umask 022
export HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
PROGRAMS=/usr/local/lib/kubernetes-boot
LOG=/var/log/kubernetes-boot.log
STEP=begin
exec 3>&1
(umask 077 && : >>"$LOG")
exec >>"$LOG" 2>&1

finish() {
    local code=$?
    trap - EXIT
    [ "$code" -ne 0 ] || exit 0
    echo "kubernetes boot: failed at: $STEP" >&3
    tail -n 20 "$LOG" >&3
    tail -n 20 "$LOG" | python3 "$PROGRAMS/instance.py" report "$PROGRESS_PARAMETER" failed "$STEP" || true
    exit "$code"
}
trap finish EXIT

# Says what is done from here on, so that a failure has a name.
step() {
    STEP=$1
    echo "== $STEP"
    echo "kubernetes boot: $STEP" >&3
    [ "$REPORT" = failures ] || echo | python3 "$PROGRAMS/instance.py" report "$PROGRESS_PARAMETER" running "$STEP"
}

metadata() {
    python3 "$PROGRAMS/instance.py" metadata "$1"
}

packages() {
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 "$@"
}

# The machine's own daily update may hold the lock of the lists, for which apt does not wait. Nor does it mind a server
# that it cannot reach, unless it is told to; but without lists there are no packages.
update_lists() {
    local tries
    for tries in 1 2 3 4 5; do
        ! packages --error-on=any update || return 0
        sleep $((tries * 5))
    done
    packages --error-on=any update
}

# A repository is trusted by the fingerprint of its key, and by that key only.
repository() {
    local name=$1 fingerprint=$2 key=$3 line=$4 found
    curl -fsSL --retry 5 --retry-all-errors -o "/etc/apt/keyrings/$name.asc" "$key"
    found=$(gpg --show-keys --with-colons "/etc/apt/keyrings/$name.asc" |
        awk -F: '$1 == "pub" { new = 1 } $1 == "fpr" && new { print $10; new = 0 }')
    if [ "$found" != "$fingerprint" ]; then
        echo "the key at $key has the fingerprint $found, not $fingerprint"
        return 1
    fi
    echo "deb [signed-by=/etc/apt/keyrings/$name.asc] $line" >"/etc/apt/sources.list.d/$name.list"
}

pin() {
    printf 'Package: %s\nPin: version %s\nPin-Priority: 1001\n' "$2" "$3" >"/etc/apt/preferences.d/$1"
}

install_packages() {
    local ID VERSION_CODENAME
    # shellcheck source=/dev/null
    . /etc/os-release
    update_lists
    packages install ca-certificates conntrack curl ethtool gpg iptables openssl socat
    install -d -m 0755 /etc/apt/keyrings
    repository docker 9DC858229FC7DD38854AE2D88D81803C0EBFCD88 \
        "https://download.docker.com/linux/$ID/gpg" "https://download.docker.com/linux/$ID $VERSION_CODENAME stable"
    repository kubernetes DE15B14486CD377B9E876E1A234654DA9A296436 \
        "https://pkgs.k8s.io/core:/stable:/v$KUBERNETES_MINOR/deb/Release.key" \
        "https://pkgs.k8s.io/core:/stable:/v$KUBERNETES_MINOR/deb/ /"
    pin containerd containerd.io "$CONTAINERD_VERSION"
    pin kubernetes 'kubeadm kubelet kubectl' "$KUBERNETES_VERSION-*"
    update_lists
    packages install containerd.io kubeadm kubelet kubectl
    apt-mark hold containerd.io kubeadm kubelet kubectl
    # where there is no such version, apt has taken another one
    if [ "$(kubeadm version -o short)" != "v$KUBERNETES_VERSION" ]; then
        echo "there is no package of Kubernetes $KUBERNETES_VERSION"
        return 1
    fi
}

prepare_kernel() {
    swapoff -a
    printf 'overlay\nbr_netfilter\n' >/etc/modules-load.d/kubernetes.conf
    modprobe overlay
    modprobe br_netfilter
    printf 'net.ipv4.ip_forward = 1\nnet.bridge.bridge-nf-call-iptables = 1\n' >/etc/sysctl.d/90-kubernetes.conf
    sysctl -q -p /etc/sysctl.d/90-kubernetes.conf
}

configure_containerd() {
    local pause
    pause=$(kubeadm config images list --kubernetes-version "v$KUBERNETES_VERSION" | grep /pause:)
    install -d -m 0755 /etc/containerd
    cat >/etc/containerd/config.toml <<EOF
version = 3
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '$pause'
[plugins.'io.containerd.cri.v1.runtime'.containerd]
  default_runtime_name = 'runc'
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = 'io.containerd.runc.v2'
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = true
EOF
    [ "$POD_NETWORK" != routes ] || configure_routed_pods
    systemctl restart containerd
}

# Pods get addresses that the VPC routes to their node. What they send to others than pods is given the node's address,
# within the VPC too: its DNS server leaves everybody else without an answer.
configure_routed_pods() {
    cat >>/etc/containerd/config.toml <<'EOF'
[plugins.'io.containerd.cri.v1.runtime'.cni]
  conf_template = '/etc/containerd/cni.template'
EOF
    cat >/etc/containerd/cni.template <<'EOF'
{
  "cniVersion": "1.0.0",
  "name": "routes",
  "plugins": [
    {"type": "ptp", "ipam": {"type": "host-local", "subnet": "{{.PodCIDR}}", "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
EOF
    cat >"$PROGRAMS/masquerade" <<EOF
#!/bin/sh
iptables -w -t nat -C POSTROUTING -s $POD_CIDR ! -d $POD_CIDR -j MASQUERADE 2>/dev/null ||
    iptables -w -t nat -A POSTROUTING -s $POD_CIDR ! -d $POD_CIDR -j MASQUERADE
EOF
    chmod 0755 "$PROGRAMS/masquerade"
    cat >/etc/systemd/system/pods-masquerade.service <<EOF
[Unit]
Description=Give the address of this node to what its pods send to others than pods
After=network-online.target
Wants=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$PROGRAMS/masquerade
[Install]
WantedBy=multi-user.target
EOF
    systemctl daemon-reload
    systemctl enable --now pods-masquerade.service
}

identify() {
    INSTANCE=$(metadata instance-id)
    ZONE=$(metadata placement/availability-zone)
    PRIVATE_IP=$(metadata local-ipv4)
    NODE_NAME=$(metadata local-hostname)
}

registration() {
    cat <<EOF
nodeRegistration:
  name: $NODE_NAME
  criSocket: unix:///run/containerd/containerd.sock
  kubeletExtraArgs:
  - {name: cloud-provider, value: external}
  - {name: provider-id, value: "aws:///$ZONE/$INSTANCE"}
  - {name: node-ip, value: $PRIVATE_IP}
EOF
}
"""

PREPARE = r"""
step 'install packages'
install_packages
step 'prepare the kernel'
prepare_kernel
step 'configure containerd'
configure_containerd
identify
systemctl enable kubelet
"""

# Its address is given to it once it runs; before, it reaches nobody, and could not even say that it has given up. So it
# waits however long the run takes that has to come back for it.
ADDRESS = r"""
STEP='wait for the public address'
until [ "$(metadata public-ipv4 2>/dev/null)" = "$PUBLIC_IP" ]; do
    sleep 2
done
"""

CONTROL_PLANE = r"""
step 'initialise the control plane'
# what another control plane has published before leads nowhere
printf pending | python3 "$PROGRAMS/instance.py" put "$JOIN_PARAMETER"
install -d -m 0700 /etc/kubernetes/boot
{
    cat <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: $PRIVATE_IP, bindPort: 6443}
timeouts: {controlPlaneComponentHealthCheck: 10m0s, kubeletHealthCheck: 5m0s}
EOF
    registration
    cat <<EOF
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: "$CLUSTER"
kubernetesVersion: v$KUBERNETES_VERSION
controlPlaneEndpoint: $API_ADDRESS:6443
encryptionAlgorithm: ECDSA-P256
networking: {podSubnet: $POD_CIDR, serviceSubnet: $SERVICE_CIDR, dnsDomain: cluster.local}
apiServer:
  certSANs: [$PUBLIC_IP, $API_ADDRESS, 127.0.0.1]
controllerManager:
  extraArgs:
  - {name: cloud-provider, value: external}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
shutdownGracePeriod: 45s
shutdownGracePeriodCriticalPods: 15s
EOF
} >/etc/kubernetes/boot/kubeadm.yaml
kubeadm init --config /etc/kubernetes/boot/kubeadm.yaml --skip-token-print

step 'apply the add-ons'
export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl apply --server-side --force-conflicts -f "$PROGRAMS/addons.json"

step 'publish the join data'
cat >"$PROGRAMS/publish-join-data" <<EOF
#!/bin/bash
# A new token for nodes, good for a day, every few hours.
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf
token=\$(kubeadm token create --ttl 24h0m0s)
key=\$(openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der |
    openssl dgst -sha256 -r | cut -d' ' -f1)
printf '%s\n%s\n' "\$token" "sha256:\$key" | python3 $PROGRAMS/instance.py put $JOIN_PARAMETER
EOF
chmod 0700 "$PROGRAMS/publish-join-data"
"$PROGRAMS/publish-join-data"
cat >/etc/systemd/system/publish-join-data.service <<EOF
[Unit]
Description=Publish a new token for nodes that join the cluster
[Service]
Type=oneshot
ExecStart=$PROGRAMS/publish-join-data
EOF
cat >/etc/systemd/system/publish-join-data.timer <<'EOF'
[Unit]
Description=Publish a new token for nodes every few hours
[Timer]
OnBootSec=5min
OnUnitActiveSec=8h
[Install]
WantedBy=timers.target
EOF
cat >"$PROGRAMS/renew-certificates" <<EOF
#!/bin/bash
# Without its configuration kubeadm asks the API server for it, and takes RSA keys if that does not run yet, as after a
# boot: admin.conf would not fit into a parameter any more.
# What runs reads its certificates when it starts: kubelet starts again what has ended.
set -euo pipefail
kubeadm certs renew all --config /etc/kubernetes/boot/kubeadm.yaml
python3 $PROGRAMS/instance.py put $ADMIN_PARAMETER </etc/kubernetes/admin.conf
pkill -x 'etcd|kube-apiserver|kube-controller|kube-scheduler' || [ \$? -eq 1 ] # nothing runs yet
EOF
chmod 0700 "$PROGRAMS/renew-certificates"
cat >/etc/systemd/system/renew-certificates.service <<EOF
[Unit]
Description=Renew the certificates of the control plane and the administrator
After=network-online.target
Wants=network-online.target
[Service]
Type=oneshot
Environment=HOME=/root
ExecStart=$PROGRAMS/renew-certificates
EOF
cat >/etc/systemd/system/renew-certificates.timer <<'EOF'
[Unit]
Description=Renew certificates four times in the year for which they are good
[Timer]
OnCalendar=quarterly
Persistent=true
[Install]
WantedBy=timers.target
EOF
systemctl daemon-reload
systemctl enable --now publish-join-data.timer renew-certificates.timer

step 'publish the credentials'
python3 "$PROGRAMS/instance.py" put "$ADMIN_PARAMETER" </etc/kubernetes/admin.conf
echo | python3 "$PROGRAMS/instance.py" report "$PROGRESS_PARAMETER" 'done' 'the control plane is up'
echo 'kubernetes boot: the control plane is up' >&3
"""

# If there is never anything to join with, that is told by the control plane. A node that gave up would be of no use to
# the one that takes its place, and the group would not start another.
NODE = r"""
step 'wait for the join data'
umask 077
install -d -m 0700 /etc/kubernetes/boot
JOIN_DATA=/etc/kubernetes/boot/join-data
: >"$JOIN_DATA"
python3 "$PROGRAMS/instance.py" get "$JOIN_PARAMETER" >"$JOIN_DATA"
until [ "$(wc -l <"$JOIN_DATA")" -ge 2 ]; do
    sleep 5
    python3 "$PROGRAMS/instance.py" get "$JOIN_PARAMETER" >"$JOIN_DATA"
done

step 'join the cluster'
{
    cat <<EOF
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: $API_ADDRESS:6443
    token: $(sed -n 1p "$JOIN_DATA")
    caCertHashes: ["$(sed -n 2p "$JOIN_DATA")"]
timeouts: {discovery: 20m0s, tlsBootstrap: 10m0s, kubeletHealthCheck: 5m0s}
EOF
    registration
} >/etc/kubernetes/boot/kubeadm.yaml
rm -f "$JOIN_DATA"
umask 022
kubeadm join --config /etc/kubernetes/boot/kubeadm.yaml
rm -f /etc/kubernetes/boot/kubeadm.yaml
echo 'kubernetes boot: the node has joined' >&3
"""
