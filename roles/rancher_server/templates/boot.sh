#!/bin/sh
# Docker from Ubuntu, and a Rancher server that comes back after a failure and after a restart of the machine.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y docker.io
docker run -d --name rancher-server --restart=always -p {{ rancher_server_port }}:8080 -v rancher-mysql:/var/lib/mysql \
    rancher/server:{{ rancher_server_version }}
