# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What things cost, roughly: enough to see which leftover hurts. A thing whose price is not here has none. PRIVATE.

On-demand list prices without tax, traffic and requests, of one region: others differ by some percent. They are not
looked up while a module runs, as that would need other permissions and an API in another region.
"""

from __future__ import annotations

DATE = "2025-06-01"
REGION = "eu-west-1"
SOURCE = "AWS price list, on demand, Linux, Europe (Ireland)"
HOURS = 730  # in a month, as AWS's own calculator counts

# US dollars an hour
INSTANCES = {
    "m3.medium": 0.073,
    "m5.large": 0.107,
    "m5.xlarge": 0.214,
    "t2.micro": 0.0126,
    "t2.small": 0.025,
    "t2.medium": 0.05,
    "t3.nano": 0.0057,
    "t3.micro": 0.0114,
    "t3.small": 0.0228,
    "t3.medium": 0.0456,
    "t3.large": 0.0912,
    "t4g.nano": 0.0046,
    "t4g.micro": 0.0092,
    "t4g.small": 0.0184,
    "t4g.medium": 0.0368,
    "t4g.large": 0.0736,
}
PUBLIC_ADDRESS = 0.005
NAT_GATEWAY = 0.048
BALANCERS = {"classic": 0.028, "application": 0.0252, "network": 0.0252}

# US dollars a GiB and month
VOLUMES = {"gp2": 0.11, "gp3": 0.088, "io1": 0.138, "sc1": 0.0168, "st1": 0.05, "standard": 0.055}
SNAPSHOT = 0.05


def hourly(price: float | None) -> float | None:
    """A month of something with an hourly price."""
    return None if price is None else round(price * HOURS, 2)


def instance(kind: str, *, public_address: bool) -> float | None:
    """A month of a running instance, with the address that it was given."""
    price = INSTANCES.get(kind)
    return None if price is None else hourly(price + (PUBLIC_ADDRESS if public_address else 0))


def volume(kind: str, gibibytes: int) -> float | None:
    """A month of a volume; operations and throughput that were paid for on top are not counted."""
    price = VOLUMES.get(kind)
    return None if price is None else round(price * gibibytes, 2)
