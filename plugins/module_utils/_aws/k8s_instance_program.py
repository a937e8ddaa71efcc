# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an instance of a Kubernetes cluster talks with AWS: a program that comes with its user data. PRIVATE."""

from __future__ import annotations

# Needs nothing but Python, which cloud-init brings: it has to report that a package could not be installed.
INSTANCE_PROGRAM = r'''"""What an instance asks and tells AWS, as its role. Values come from standard input.

instance.py metadata PATH
instance.py get PARAMETER
instance.py put PARAMETER
instance.py report PARAMETER STATE STEP    what standard input says about it goes along
"""
import datetime
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request

METADATA = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254").rstrip("/")
PATIENCE = 120  # seconds: a role made a minute ago may not be known everywhere yet
LOG_LIMIT = 3000  # a parameter holds 4096 bytes
OPENER = urllib.request.build_opener()


def fetch(url, data=None, headers=None, method=None):
    request = urllib.request.Request(url, data, headers or {}, method=method)
    with OPENER.open(request, timeout=10) as answer:
        return answer.read().decode()


def metadata(path):
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = fetch(METADATA + "/latest/api/token", headers=lifetime, method="PUT")
    return fetch(METADATA + "/latest/meta-data/" + path, headers={"X-aws-ec2-metadata-token": token})


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(host, region, body, target):
    """The headers of a request to SSM, signed with version 4 of AWS's signatures."""
    roles = metadata("iam/security-credentials/").split()
    keys = json.loads(metadata("iam/security-credentials/" + roles[0])) if roles else {"Message": "no role yet"}
    if "Token" not in keys:  # a role that was made a moment ago: EC2 says so with status 200
        raise OSError(f"no credentials from EC2: {keys.get('Message') or keys.get('Code')}")
    now = datetime.datetime.now(datetime.timezone.utc)
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "host": host,
        "x-amz-date": moment,
        "x-amz-security-token": keys["Token"],
        "x-amz-target": target,
    }
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/ssm/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + keys["SecretAccessKey"]).encode()
    for part in (day, region, "ssm", "aws4_request"):
        key = digest(key, part)
    signature = digest(key, text).hex()
    credential = f"{keys['AccessKeyId']}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return headers


def send(action, request):
    region = metadata("placement/region")
    address = os.environ.get("AWS_ENDPOINT_URL_SSM") or os.environ.get("AWS_ENDPOINT_URL")
    address = (address or f"https://ssm.{region}.{metadata('services/domain')}").rstrip("/")
    body = json.dumps(request).encode()
    headers = signed(address.split("://")[1], region, body, "AmazonSSM." + action)
    return json.loads(fetch(address + "/", body, headers))


def call(action, request):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return send(action, request)
        except OSError as error:
            said = error.read().decode(errors="replace")[:300] if isinstance(error, urllib.error.HTTPError) else error
            if time.monotonic() > until:
                sys.exit(f"{action} {request['Name']}: {said}")
            time.sleep(3)


def report(state, step, log):
    """What is told about a boot; of the log, as much as fits."""
    instance = metadata("instance-id")
    for limit in range(LOG_LIMIT, -1, -500):
        tail = log[max(0, len(log) - limit) :]
        told = json.dumps({"instance": instance, "state": state, "step": step, "log": tail})
        if len(told) <= 4096:
            break
    return told


def main(verb, name, *words):
    if verb == "metadata":
        print(metadata(name).split()[0])
    elif verb == "get":
        print(call("GetParameter", {"Name": name, "WithDecryption": True})["Parameter"]["Value"])
    else:
        value = sys.stdin.read()
        value = report(*words, value) if verb == "report" else value
        call("PutParameter", {"Name": name, "Value": value, "Overwrite": True})


main(*sys.argv[1:])
'''
