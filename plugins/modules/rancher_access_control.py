#!/usr/bin/python
# Copyright (c) 2026, the container.schedulers authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control of a Rancher 1.x server: documentation and argument spec."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rancher_access_control
short_description: Access control of a Rancher 1.x server
version_added: "1.0.0"
description:
  - Switches access control on, with accounts of GitHub or of the server itself, and off again. A new server has none,
    so that everybody who reaches it is its administrator.
  - Before it is switched on, an API key of the administrator is made and written to O(api_key_file). Without one, the
    automation would be locked out as everybody else.
  - Logging in with GitHub needs a browser. To make a user of GitHub the administrator, give the O(code) that GitHub has
    sent back to the browser. It is good once and for ten minutes. Without it, the administrator is whoever has the API
    key, and the users who are allowed in are plain users.
  - To get a code, open C(https://github.com/login/oauth/authorize?client_id=CLIENT_ID&scope=read:org), agree, and copy
    C(code) from the address that the browser is then sent to.
  - The secret of the application cannot be read back. It is sent whenever something else differs, and never compared.
  - With local accounts the server tells nothing of its administrator. O(username), O(password) and O(display_name) are
    used to switch access control on, and not any more once it is on. To change a password, log in and change it there.
extends_documentation_fragment:
  - container.schedulers.rancher
  - container.schedulers.attributes
  - container.schedulers.attributes.rancher
author:
  - the container.schedulers authors (@container-schedulers)
options:
  access_key:
    description:
      - The access key of an administrator, if access control is on already. If not set, E(RANCHER_ACCESS_KEY) decides,
        and then what is in O(api_key_file).
  state:
    description:
      - V(present) switches it on, or changes it.
      - V(absent) switches it off. After that, the API key that this module has made is deleted, and O(api_key_file) if
        it holds that key. Whatever else uses the key is not locked out, as nobody is while access control is off.
      - The account of the administrator stays, as it is the server's own, and so does the configuration.
    type: str
    choices: [present, absent]
    default: present
  provider:
    description:
      - Whose accounts are used. It cannot be changed while access control is on.
      - Options of the other provider, such as O(allowed_users) with V(local), are refused.
    type: str
    choices: [github, local]
    default: github
  access_mode:
    description:
      - Who may log in. V(restricted) are O(allowed_users), O(allowed_organizations), and the members of environments.
        V(required) are the first two only. V(unrestricted) is everybody who has an account with the provider.
      - If not given, it is V(restricted) for GitHub and V(unrestricted) for local accounts at first.
    type: str
    choices: [unrestricted, restricted, required]
  client_id:
    description: The client id of the OAuth application at GitHub. Needed to switch GitHub on.
    type: str
  client_secret:
    description: The client secret that goes with it. Needed to switch GitHub on.
    type: str
  hostname:
    description:
      - The host name of GitHub Enterprise. An empty one is github.com, as it is at first.
      - If not given, it stays as it is.
    type: str
  tls:
    description: Whether GitHub Enterprise is spoken to with TLS.
    type: bool
    default: true
  allowed_users:
    description:
      - The users of GitHub who may log in, by their names or by the numbers that GitHub has for them.
      - GitHub is asked for the numbers of names that the server does not know yet.
      - If not given while access control is on, the users who are allowed stay. An empty list takes them away.
    type: list
    elements: str
  allowed_organizations:
    description: The organizations of GitHub whose members may log in, in the same way.
    type: list
    elements: str
  code:
    description:
      - What GitHub has sent back to the browser. Its user becomes the administrator, and may log in.
      - It is used to switch access control on, and not any more once it is on.
    type: str
  username:
    description:
      - The name of the administrator. Needed to switch local accounts on.
      - Without an account of this name, one is made. If there is one, O(password) has to be the one that it has.
    type: str
  password:
    description: The password of the administrator. Needed to switch local accounts on. It is never changed.
    type: str
  display_name:
    description:
      - The name of the administrator for others to see, if the account is made. The same as O(username), if not given.
    type: str
  api_key_name:
    description:
      - The name of the API key. There is one of each name that this module has made.
      - One whose secret is neither in O(api_key_file) nor in O(secret_key) counts as lost and is replaced. So every
        machine that runs this module needs a name of its own.
    type: str
    default: container.schedulers
  api_key_file:
    description:
      - The file that the API key is written to, on the machine that runs the module, readable for its owner only. It
        holds C(url), C(access_key) and C(secret_key) as JSON.
      - If it holds a key that works, that one is used, and no other is made.
      - Give it. Without it, the secret is in the result of this one run, and nowhere else.
    type: path
  wait_timeout:
    description: Seconds to wait until a new API key can be used. From 0 to 604800.
    type: int
    default: 60
  wait_sleep:
    description: The longest pause between two looks, in seconds. From 1 to 3600.
    type: int
    default: 1
  wait:
    description: A new API key is always waited for. It is here so that all modules take the same defaults.
    type: bool
    default: true
attributes:
  idempotent:
    support: partial
    details:
      - O(client_secret), O(username), O(password) and O(display_name) are not compared, as the server does not tell
        them.
"""

EXAMPLES = r"""
- name: GitHub accounts, for a user and an organization
  container.schedulers.rancher_access_control:
    client_id: "{{ vault_github_client_id }}"
    client_secret: "{{ vault_github_client_secret }}"
    allowed_users: [octocat]
    allowed_organizations: [github]
    api_key_file: ~/.rancher/example.json

- name: Accounts of the server itself
  container.schedulers.rancher_access_control:
    provider: local
    username: admin
    password: "{{ vault_rancher_password }}"
    api_key_file: ~/.rancher/example.json

- name: Off again
  container.schedulers.rancher_access_control:
    state: absent
    api_key_file: ~/.rancher/example.json
"""

RETURN = r"""
access_control:
  description: What is on now. In check mode, what was on before.
  returned: success
  type: dict
  contains:
    enabled:
      description: Whether it is on.
      type: bool
    provider:
      description: Whose accounts are used, null if it is off.
      type: str
      sample: github
    access_mode:
      description: Who may log in, null if it is off.
      type: str
      sample: restricted
    client_id:
      description: The client id of the OAuth application, null with other accounts.
      type: str
    hostname:
      description: The host name of GitHub Enterprise, null with others.
      type: str
    username:
      description: The name of the administrator, when local accounts were just switched on. Null later, as nobody is
        told it then.
      type: str
    allowed:
      description: Who may log in, as Rancher knows them. Null if nobody is named.
      type: list
      elements: str
      sample: ["github_org:9919", "github_user:583231"]
api_key:
  description: The API key.
  returned: when one was made
  type: dict
  contains:
    public_value:
      description: The access key.
      type: str
    secret_value:
      description: The secret key, so register the result with C(no_log).
      returned: without O(api_key_file), where it is written to
      type: str
last_state:
  description: What was last seen, when waiting failed.
  returned: failure while waiting
  type: str
last_events:
  description: What Rancher said last about it, the latest first.
  returned: failure while waiting
  type: list
  elements: str
steps_done:
  description: What was done, in order. In check mode RV(steps_planned) instead.
  returned: success, and failure once a step was begun
  type: list
  elements: str
  sample: [create api key container.schedulers, "update access control github (enabled, access_mode)"]
steps_planned:
  description: What would be done.
  returned: in check mode
  type: list
  elements: str
step_failed:
  description: What was being done when the task failed.
  returned: failure once a step was begun
  type: str
error_code:
  description: The provider's own code for what went wrong.
  returned: failure, if there is such a code
  type: str
  sample: NotUnique
waited_seconds:
  description: Seconds that the task took, its waits included. O(wait_timeout) counts from the same moment.
  returned: with O(wait), not in check mode
  type: float
"""

from ansible_collections.container.schedulers.plugins.module_utils._argspec import STATE, wait_options
from ansible_collections.container.schedulers.plugins.module_utils._module import run_module
from ansible_collections.container.schedulers.plugins.module_utils._rancher.access_control import ensure
from ansible_collections.container.schedulers.plugins.module_utils._rancher.access_options import ACCESS
from ansible_collections.container.schedulers.plugins.module_utils._rancher.options import CONNECTION


def main() -> None:
    """The module."""
    run_module(ACCESS.merge(STATE, wait_options(60, sleep=1), CONNECTION), ensure)


if __name__ == "__main__":
    main()
