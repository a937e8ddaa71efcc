# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Through which proxy a request goes: one rule for all that we send, and no password of a proxy in any error.

Real servers and a real proxy, through every transport that there is.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.container.schedulers.plugins.module_utils._aws.api import Aws
from ansible_collections.container.schedulers.plugins.module_utils._aws.api import Connection as AwsConnection
from ansible_collections.container.schedulers.plugins.module_utils._digitalocean.api import Connection, DigitalOcean
from ansible_collections.container.schedulers.plugins.module_utils._errors import (
    AuthError,
    InputError,
    SchedulersError,
    UnreachableError,
)
from ansible_collections.container.schedulers.plugins.module_utils._http import Http, HttpSettings
from ansible_collections.container.schedulers.plugins.module_utils._k8s import answering
from ansible_collections.container.schedulers.plugins.module_utils._k8s.answering import ask
from ansible_collections.container.schedulers.plugins.module_utils._k8s.api import Api
from ansible_collections.container.schedulers.plugins.module_utils._k8s.app_argspec import APP
from ansible_collections.container.schedulers.plugins.module_utils._k8s.executing import execute
from ansible_collections.container.schedulers.plugins.module_utils._k8s.login import Login
from ansible_collections.container.schedulers.plugins.module_utils._k8s.options import CONNECTION
from ansible_collections.container.schedulers.plugins.module_utils._k8s.transport import Transport
from ansible_collections.container.schedulers.plugins.module_utils._k8s.wordpress_options import WORDPRESS
from ansible_collections.container.schedulers.plugins.module_utils._proxy import (
    OF_REQUESTS,
    excludes,
    not_reached,
    proxy_at,
    proxy_for,
    secrets_in,
    secrets_of,
)
from ansible_collections.container.schedulers.plugins.module_utils._rancher.websockets import connect
from ansible_collections.container.schedulers.plugins.module_utils._retry import RetryPolicy
from unit.api_server import thing
from unit.certificates import certificate
from unit.clock import FakeClock
from unit.http_server import Reply, deaf_port, serving, trickling
from unit.proxy import Manners, Proxy, proxying
from unit.small_cluster import small_cluster

WORD = "s3cr3t-w0rd"
ADDRESS = "api.company.test"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("no_proxy", "address", "excluded"),
    [
        ("", "http://a.test", False),
        ("*", "http://a.test", True),
        ("a.test", "http://a.test", True),
        ("A.Test", "http://a.TEST.", True),
        ("test", "http://a.test", True),
        (".test", "http://a.test", True),
        (".a.test", "http://a.test", True),
        ("*.test", "http://a.test", True),
        ("a.test", "http://ba.test", False),
        ("b.test, a.test", "http://a.test", True),
        ("b.test a.test", "http://a.test", True),
        ("a.test:80", "http://a.test", True),
        ("a.test:80", "https://a.test", False),
        ("a.test:443", "https://a.test", True),
        ("test:8080", "http://a.test:8080", True),
        ("10.0.0.0/8", "https://10.1.2.3:6443", True),
        ("10.0.0.1/8", "https://10.1.2.3:6443", True),
        ("10.0.0.0/8", "https://11.1.2.3:6443", False),
        ("10.0.0.0/8", "https://a.test", False),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3:6443", "https://10.1.2.3", False),
        ("2001:db8::/32", "https://[2001:db8::1]:6443", True),
        ("2001:db8::1", "https://[2001:db8::1]:6443", True),
        ("[2001:db8::1]:6443", "https://[2001:db8::1]:6443", True),
        ("[2001:db8::1]:443", "https://[2001:db8::1]:6443", False),
        ("nonsense/8, , .", "http://a.test", False),
    ],
)
def test_what_is_reached_directly(no_proxy: str, address: str, excluded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = urlsplit(address)
    assert excludes(no_proxy, str(parts.hostname), parts.port or {"http": 80, "https": 443}[parts.scheme]) is excluded
    monkeypatch.setenv(f"{parts.scheme}_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(parts) is None) is excluded


@pytest.mark.parametrize(
    ("environment", "address", "proxy"),
    [
        ({}, "https://a.test", None),
        ({"HTTPS_PROXY": "http://one.test:3128"}, "https://a.test", "one.test:3128"),
        ({"HTTPS_PROXY": "http://one.test:3128"}, "wss://a.test", "one.test:3128"),
        ({"HTTPS_PROXY": "http://one.test:3128"}, "http://a.test", None),
        (
            {"HTTPS_PROXY": "http://one.test:3128", "https_proxy": "http://two.test:3128"},
            "https://a.test",
            "two.test:3128",
        ),
        ({"HTTPS_PROXY": "http://one.test:3128", "https_proxy": ""}, "https://a.test", None),
        ({"http_proxy": "one.test"}, "http://a.test", "one.test:80"),
        ({"http_proxy": "https://one.test"}, "http://a.test", "one.test:443"),
        ({"http_proxy": "one.test", "NO_PROXY": "a.test", "no_proxy": ""}, "http://a.test", None),
        ({"http_proxy": "http://[2001:db8::1]:3128/"}, "ws://a.test", "[2001:db8::1]:3128"),
    ],
)
def test_the_proxy_of_the_environment(
    environment: dict[str, str], address: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(urlsplit(address))
    assert (str(found) if found else None) == proxy


@pytest.mark.parametrize(
    "address",
    [
        f"http://me:{WORD}/1@proxy.test:3128",  # / and # end the name of a host
        f"http://me:{WORD}#1@proxy.test:3128",
        f"http://me:12/{WORD}@proxy.test:3128",
        f"http://me:{WORD}@proxy.test:port",
        f"http://me:{WORD}@:3128",
        f"socks5://me:{WORD}@proxy.test:1080",
    ],
)
def test_what_is_no_proxy_is_not_quoted(address: str) -> None:
    with pytest.raises(InputError, match="HTTPS_PROXY") as caught:
        proxy_at(address, "HTTPS_PROXY")
    assert WORD[:5] not in str(caught.value)
    assert WORD in "".join(secrets_of(address))


def test_passwords_of_proxies_are_secrets() -> None:
    assert secrets_of("http://me:w%40rd@proxy.test") == ["w%40rd", "w@rd"]
    assert secrets_of("me:word@proxy.test") == ["word", "word"]
    assert secrets_of("http://me@proxy.test") == secrets_of("http://proxy.test:3128") == secrets_of(None) == []
    environment = {"HTTP_PROXY": "http://a:one@x", "https_proxy": "http://a:two@x", "OTHER": "http://a:three@x"}
    assert {*secrets_in(environment)} == {"one", "two"}
    assert "word" not in repr(proxy_at("http://me:word@proxy.test", "proxy"))


# through every transport


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("tls")
    authority = certificate("the company")
    cert, key = certificate(ADDRESS, authority)
    (place / "ca.pem").write_text(authority[0])
    (place / "pair.pem").write_text(cert + key)
    return place


@pytest.fixture
def tls(pair: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair / "pair.pem")
    return context


POLICY = RetryPolicy(clock=FakeClock(), attempts=2)


def by_http(url: str, ca: str) -> Any:
    return Http(HttpSettings(url, ca=ca, timeout=10), POLICY).request("GET", "/", doing="look").json()


def by_kubernetes(url: str, ca: str) -> Any:
    return Api(Transport(Login(url, ca=Path(ca).read_text()), 10), POLICY).call("GET", "/", doing="look")


def by_kubernetes_exec(url: str, ca: str) -> Any:
    return execute(Api(Transport(Login(url, ca=Path(ca).read_text()), 10), POLICY), "web", "shop", ["true"])


def by_rancher_websocket(url: str, ca: str) -> Any:
    return connect(HttpSettings(url, ca=ca, timeout=10), url.replace("http", "ws", 1))


def by_aws(url: str, ca: str) -> Any:
    connection = AwsConnection("eu-west-1", access_key="LAB", secret_key="lab", endpoint_url=url, ca_bundle=ca)
    answer = Aws(connection, POLICY).call("ecs", "ListClusters", doing="look")
    return {name: answer[name] for name in answer if name != "ResponseMetadata"}


def by_digitalocean(url: str, ca: str) -> Any:
    api = DigitalOcean(Connection("token", url, 10), FakeClock())
    object.__setattr__(api.policy, "attempts", 2)
    return api.get("account", doing="look")


Way = Callable[[str, str], Any]
REQUESTS: list[Way] = [by_http, by_kubernetes, by_aws, by_digitalocean]
ALL: list[Way] = [*REQUESTS, by_kubernetes_exec, by_rancher_websocket]


@pytest.fixture
def ca(pair: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pair / "ca.pem"))
    return str(pair / "ca.pem")


def use(monkeypatch: pytest.MonkeyPatch, proxy: Proxy | int, account: str = "") -> str:
    port = proxy if isinstance(proxy, int) else proxy.port
    monkeypatch.setenv("HTTPS_PROXY", f"http://{account}127.0.0.1:{port}")
    return f"127.0.0.1:{port}"


@pytest.mark.parametrize("way", REQUESTS)
def test_a_proxy_with_credentials(way: Way, tls: ssl.SSLContext, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    manners = Manners(credentials=f"me:{WORD}@1")
    with serving(Reply(200, {}), tls=tls) as server, proxying(server.server_port, manners) as proxy:
        use(monkeypatch, proxy, f"me:{WORD}%401@")
        assert way(f"https://{ADDRESS}", ca) == {}
    assert [one.split()[:2] for one in proxy.asked] == [["CONNECT", f"{ADDRESS}:443"]]
    assert "Proxy-Authorization" not in server.seen[0].headers


@pytest.mark.parametrize("way", ALL)
@pytest.mark.parametrize("account", ["", f"me:{WORD}@"])
def test_a_proxy_that_wants_other_credentials_is_asked_once(
    way: Way, account: str, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxying(0, Manners(credentials="other:word")) as proxy:
        where = use(monkeypatch, proxy, account)
        with pytest.raises(AuthError, match=rf"the proxy {where} .*\(HTTP 407\)\. HTTPS_PROXY is like") as caught:
            way(f"https://{ADDRESS}", ca)
    assert len(proxy.asked) == 1  # accounts are locked for less
    assert WORD not in str(caught.value)


@pytest.mark.parametrize("way", REQUESTS)
def test_a_proxy_in_the_way_that_wants_credentials(way: Way, ca: str) -> None:
    with serving(Reply(407, "<html>")) as server, pytest.raises(AuthError, match=r"wants a user .*\(HTTP 407\)"):
        way(server.url, ca)
    assert len(server.seen) == 1


def test_a_command_runs_through_a_proxy_that_opens_tls(
    tls: ssl.SSLContext, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manners = Manners(credentials=f"me:{WORD}", intercepts=tls)
    with small_cluster() as cluster, proxying(urlsplit(cluster.url).port or 0, manners) as proxy:
        cluster.put(thing("Pod", "web", "shop"))
        cluster.command = lambda *_asked: ("done\n" * 10_000, "", 0)
        use(monkeypatch, proxy, f"me:{WORD}@")
        assert by_kubernetes_exec(f"https://{ADDRESS}", ca).stdout == "done\n" * 10_000


SAYS = {
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n": "503",
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nno\r\n": "403",
    b"SSH-2.0-OpenSSH_9.2\r\n": "",
}


@pytest.mark.parametrize("way", ALL)
@pytest.mark.parametrize("says", SAYS)
def test_a_proxy_that_does_not_lead_there(way: Way, says: bytes, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxying(0, Manners(says=says)) as proxy:
        where = use(monkeypatch, proxy, f"me:{WORD}@")
        with pytest.raises(SchedulersError, match=rf"(?s)proxy {where}.*{SAYS[says]}") as caught:
            way(f"https://{ADDRESS}", ca)
    assert WORD not in str(caught.value)
    assert "defect" not in str(caught.value)


@pytest.mark.parametrize("way", ALL)
def test_a_proxy_that_is_not_there(way: Way, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with deaf_port() as port:
        where = use(monkeypatch, port, f"me:{WORD}@")
        words = rf"cannot be reached through the proxy {where}: .*refused.* Is HTTPS_PROXY right\?"
        with pytest.raises(UnreachableError, match=words) as caught:
            way(f"https://{ADDRESS}", ca)
    assert WORD not in str(caught.value)


@pytest.mark.parametrize("way", ALL)
def test_a_proxy_that_is_none_is_refused_before_anything_is_sent(
    way: Way, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{WORD}/1@proxy.test:3128")
    with pytest.raises(InputError, match="HTTPS_PROXY is not the address of a proxy") as caught:
        way(f"https://{ADDRESS}", ca)
    assert WORD not in str(caught.value)


@pytest.mark.parametrize("way", ALL)
def test_what_no_proxy_names_is_reached_directly(way: Way, ca: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxying(0) as proxy, deaf_port() as port:
        use(monkeypatch, proxy)
        monkeypatch.setenv("NO_PROXY", "other.test,127.0.0.1")
        with pytest.raises(UnreachableError, match="refused"):
            way(f"https://127.0.0.1:{port}", ca)
    assert proxy.asked == []


@pytest.mark.parametrize("way", REQUESTS)
def test_a_certificate_of_an_authority_that_nobody_knows(
    way: Way, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.pem").write_text(certificate("another")[0])
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    with serving(tls=tls) as server, proxying(server.server_port) as proxy:
        use(monkeypatch, proxy)
        with pytest.raises(SchedulersError, match=rf"the certificate of \S*{ADDRESS}\S* is not trusted: unable to get"):
            way(f"https://{ADDRESS}", str(tmp_path / "other.pem"))


# does a load balancer answer?


def test_a_load_balancer_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "SECONDS", 0.2)
    with trickling() as port:
        assert ask(f"http://127.0.0.1:{port}/").text == "timed out"


def test_the_password_of_a_proxy_in_an_option_is_a_secret() -> None:
    given = {"verify": {"http_proxy": f"http://me:{WORD}@p"}, "proxy": f"http://me:{WORD}@p"}
    assert WORD in APP.secrets_within(given)
    assert WORD in WORDPRESS.secrets_within(given)
    assert WORD in CONNECTION.secrets_within(given)
    kubeconfig = {"clusters": [{"name": "a", "cluster": {"proxy-url": f"http://me:{WORD}@p"}}, {"name": "b"}]}
    assert WORD in CONNECTION.secrets_within({"kubeconfig": kubeconfig})


def test_a_load_balancer_is_asked_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    manners = Manners(credentials=f"me:{WORD}")
    with serving(Reply(200, "hello")) as server, proxying(server.server_port, manners) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url(f"me:{WORD}@"))
        assert ask("http://elb.test/page?a=1").answers
    assert proxy.asked == ["GET http://elb.test/page?a=1 HTTP/1.1"]
    assert server.seen[0].headers["Host"] == "elb.test"


def test_the_proxy_that_is_given_comes_before_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "*")
    with serving(Reply(200, "hello")) as server, proxying(server.server_port) as proxy:
        assert ask("http://elb.test/", f"127.0.0.1:{proxy.port}").answers
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_credentials_ends_the_wait_for_the_app(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = f"does not accept the user and password in {scheme}_proxy \\(HTTP 407\\)"
    with proxying(0, Manners(credentials="other:word")) as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy.url(f"me:{WORD}@"))
        with pytest.raises(AuthError, match=refusal):
            ask(f"{scheme}://elb.test/")
    assert len(proxy.asked) == 1


def test_what_a_proxy_has_to_say_is_no_answer_of_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    said = b"HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\nContent-Length: 0\r\n\r\n"
    with proxying(0, Manners(says=said)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url())
        assert not ask("http://elb.test/").answers


def test_an_app_whose_page_comes_slowly_answers() -> None:
    with trickling(body=True) as port:
        assert ask(f"http://127.0.0.1:{port}/#top").answers


def test_a_proxy_that_only_a_library_knows_is_asked_once_too() -> None:
    said = "Tunnel connection failed: 407 Proxy Authentication Required"
    assert isinstance(not_reached("api.test", said, None), AuthError)


def test_socks_is_for_those_who_can_do_it() -> None:
    assert str(proxy_at("socks5h://proxy.test:1080", "https_proxy", OF_REQUESTS)) == "proxy.test:1080"


def test_a_load_balancer_with_tls_is_asked_through_a_tunnel(
    tls: ssl.SSLContext, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair / "ca.pem"))
    with serving(Reply(200, "hello"), tls=tls) as server, proxying(server.server_port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url())
        assert ask(f"https://{ADDRESS}/").answers
    assert proxy.asked[0].startswith(f"CONNECT {ADDRESS}:443 ")
    assert server.seen[0].path == "/"
