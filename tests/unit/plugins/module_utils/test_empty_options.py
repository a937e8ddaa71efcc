# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An option that is empty, as ``{{ key | default('') }}`` makes it, says no more than one that is not given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws import (
    ecs_cluster_options,
    k8s_cluster_options,
)
from ansible_collections.container.schedulers.plugins.module_utils._aws.ebs_volume_options import VolumeOptions
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.droplet_options import DropletOptions
from ansible_collections.container.schedulers.plugins.module_utils._errors import InputError
from ansible_collections.container.schedulers.plugins.module_utils._rancher.environment_options import (
    EnvironmentOptions,
)
from unit.module_specs import params_of, spec_of

READERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "digitalocean_droplets": DropletOptions.from_params,
    "ebs_volume": VolumeOptions.from_params,
    "ecs_cluster": ecs_cluster_options.ClusterOptions.from_params,
    "k8s_aws_cluster": k8s_cluster_options.ClusterOptions.from_params,
    "rancher_environment": EnvironmentOptions.from_params,
}
MEANT_EMPTY = ("description",)


def texts_of(module: str) -> list[str]:
    options = spec_of(module).options
    texts = [name for name, option in options.items() if option.get("type") in ("str", "path")]
    return [name for name in texts if "choices" not in options[name] and name not in MEANT_EMPTY]


@pytest.mark.parametrize(("module", "option"), [(module, name) for module in READERS for name in texts_of(module)])
def test_an_empty_option_is_refused_or_not_given(module: str, option: str) -> None:
    wanted = READERS[module](params_of(module, name="web"))
    try:
        found = READERS[module](params_of(module, **{"name": "web", option: ""}))
    except InputError:
        return
    assert found == wanted
