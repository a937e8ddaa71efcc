# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation shared by all Kubernetes modules."""

from __future__ import annotations


class ModuleDocFragment:
    """Connection options of Kubernetes. They are called as in kubernetes.core."""

    DOCUMENTATION = r"""
requirements:
  - PyYAML >= 6.0
  - kubernetes >= 29.0.0, only for a kubeconfig that logs in with a program or a provider
options:
  kubeconfig:
    description:
      - The path of a kubeconfig, or its content as a dictionary, whose secrets are not shown.
      - If not set, E(K8S_AUTH_KUBECONFIG), E(KUBECONFIG) or C(~/.kube/config) are used and, in a pod without any of
        them, the pod's own account.
    type: raw
  context:
    description: A context of the kubeconfig. If not set, E(K8S_AUTH_CONTEXT), or the current one.
    type: str
  host:
    description:
      - The address of the API server, such as C(https://10.0.0.1:6443). If not set, E(K8S_AUTH_HOST) decides.
      - It comes before the kubeconfig's, as all options below do. Without O(kubeconfig) and O(context), no kubeconfig
        is read.
    type: str
  api_key:
    description: A bearer token. If not set, E(K8S_AUTH_API_KEY) decides.
    type: str
  username:
    description: The user for a proxy with basic authentication before the API server. Also E(K8S_AUTH_USERNAME).
    type: str
  password:
    description: The password of O(username). Also E(K8S_AUTH_PASSWORD).
    type: str
  client_cert:
    description: A file with the client certificate. Also E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description: A file with the key of O(client_cert). Also E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  ca_cert:
    description: A file with the certificate of the authority that the API server's is signed by. Also
      E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description: Whether to verify the API server's certificate. If not set, the kubeconfig decides. Also
      E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description: The address of an HTTP proxy to reach the API server through. If not set, E(K8S_AUTH_PROXY), the
      kubeconfig or E(HTTPS_PROXY) decide. Its password is not shown.
    type: str
  no_proxy:
    description: Hosts, domains and networks to reach without the proxy, with commas between them. Also
      E(K8S_AUTH_NO_PROXY), and E(NO_PROXY) for a proxy of the environment.
    type: str
  impersonate_user:
    description: A user to act as. Also E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description: Groups to act as a member of. Also E(K8S_AUTH_IMPERSONATE_GROUPS).
    type: list
    elements: str
  request_timeout:
    description: Seconds to wait for the answer to one API request. From 1 to 3600. There is no V(0) for no limit.
    type: int
    default: 60
"""
