"""The receiver's doors: who comes in, what lands, and what is refused with which answer."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import SHARED, needs_shared
from receiver_process import (
    POST_LINE,
    SECRETS,
    Receiver,
    ask,
    hex_of,
    landed_lines,
    open_files,
    peak_memory,
    post,
    proof,
    raw,
    started,
    status_of,
)

from ingestion.importing import import_archives
from ingestion.landing import landed_files
from ingestion.loading import LandedSource, batches, parse, sources
from ingestion.receiver.signatures import Refused, chatwoot, salla, whatsapp
from ingestion.state import locked

SOURCES = ("whatsapp", "chatwoot", "salla")
BODY = '{"object":"تجربة","phone":"966500000101"}'.encode()
KEEPS_TOKENS = """
import sys, types
def store_tokens(settings, workspace, merchant, payload, patience):
    if merchant == 500:
        raise OSError("no place")
    (settings.data / "kept.json").write_text(json.dumps([workspace, merchant, payload["event"], payload["data"]]))
fake = types.ModuleType("ingestion.salla.tokens")
fake.store_tokens = store_tokens
sys.modules["ingestion.salla.tokens"] = fake
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver that has little patience, and into which nothing shall get."""
    limits = {"body_seconds": 1.0, "header_seconds": 1.0, "linger_seconds": 2.0}
    receiver = started(tmp_path_factory.mktemp("hostile") / "data", limits=limits)
    yield receiver
    assert receiver.stop() == 0
    assert list(receiver.landing.rglob("*receive*")) == []
    said = receiver.said()
    assert "Traceback" not in said
    for secret in (*SECRETS.values(), "966500000101", "wrong-token"):
        assert secret not in said


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    running = started(tmp_path / "data", first=KEEPS_TOKENS)
    yield running
    running.stop()


def spoiled(source: str) -> list[dict[str, str]]:
    """Headers that prove nothing."""
    good = proof(source, BODY)
    name = next(key for key in good if key.endswith(("Signature", "Signature-256")))
    others = {key: value for key, value in good.items() if key != name}
    prefix = "" if source == "salla" else "sha256="
    return [
        others,
        *(
            {**others, name: value}
            for value in (
                "",
                prefix,
                prefix + "0" * 64,
                prefix + "z" * 64,
                prefix + "0" * 63,
                prefix + "0" * 6400,
                "sha1=" + "0" * 40,
                good[name][:-1],
                prefix + hex_of("another-secret", BODY),
                "sha256=sha256=" + "0" * 64,
                f"{good[name]},{good[name]}",
                "é" * 64,
            )
        ),
    ]


@pytest.mark.parametrize("source", SOURCES)
def test_signatures_that_prove_nothing(hostile: Receiver, source: str) -> None:
    for headers in spoiled(source):
        assert ask(hostile.port, f"/webhooks/{source}", BODY, headers)[0] == 401, headers
    assert ask(hostile.port, f"/webhooks/{source}", BODY + b" ", proof(source, BODY))[0] == 401
    assert ask(hostile.port, f"/webhooks/{source}", b"", proof(source, BODY))[0] == 401


def test_two_signatures(hostile: Receiver) -> None:
    good = proof("whatsapp", BODY)["X-Hub-Signature-256"]
    lines = (
        f"x-hub-signature-256: {good}\r\nx-hub-signature-256: sha256={'0' * 64}\r\ncontent-length: {len(BODY)}\r\n\r\n"
    )
    assert status_of(raw(hostile.port, (POST_LINE + lines).encode() + BODY)) == 400


@pytest.mark.parametrize("offset", [-301, 301, -86400, 10**10])
def test_replayed_timestamps(hostile: Receiver, offset: int) -> None:
    headers = proof("chatwoot", BODY, at=time.time() + offset)
    assert ask(hostile.port, "/webhooks/chatwoot", BODY, headers)[0] == 401


@pytest.mark.parametrize("stamp", [None, "", "now", "-1", "1e9", "0x10", "9" * 400, "٣"])
def test_timestamps_that_are_none(hostile: Receiver, stamp: str | None) -> None:
    headers = {"X-Chatwoot-Signature": proof("chatwoot", BODY)["X-Chatwoot-Signature"]}
    if stamp is not None:
        headers["X-Chatwoot-Timestamp"] = stamp.encode().decode("latin-1")
    assert ask(hostile.port, "/webhooks/chatwoot", BODY, headers)[0] == 401


@pytest.mark.parametrize("token", ["wrong-token", SECRETS["chatwoot_webhook_path_token"][:-1], "."])
def test_wrong_path_token(hostile: Receiver, token: str) -> None:
    assert ask(hostile.port, f"/webhooks/chatwoot/{token}", BODY)[0] == 401


def test_wrong_salla_token(hostile: Receiver) -> None:
    for headers in (
        {"X-Salla-Security-Strategy": "Token"},
        {"X-Salla-Security-Strategy": "Token", "Authorization": "wrong-token"},
        {"X-Salla-Security-Strategy": "Token", "Authorization": f"Bearer {SECRETS['salla_webhook_secret']}"},
        {"X-Salla-Security-Strategy": "None"},
        {"Authorization": ""},
        {},
    ):
        assert ask(hostile.port, "/webhooks/salla", BODY, headers)[0] == 401, headers


@pytest.mark.parametrize(
    "query",
    [
        "",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong-token",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify-token-0123",
        "hub.challenge=1&hub.verify_token=verify-token-0123",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-token-0123&hub.verify_token=x",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=%FF",
    ],
)
def test_wrong_handshake(hostile: Receiver, query: str) -> None:
    assert ask(hostile.port, f"/webhooks/whatsapp?{query}", method="GET")[0] == 403


def test_challenge_is_no_place_for_markup(hostile: Receiver) -> None:
    query = "hub.mode=subscribe&hub.verify_token=verify-token-0123&hub.challenge=%3Cscript%3E"
    assert ask(hostile.port, f"/webhooks/whatsapp?{query}", method="GET")[0] == 400


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/webhooks",
        "/webhooks/",
        "/webhooks/whatsapp/",
        "//webhooks/whatsapp",
        "/webhooks//whatsapp",
        "/webhooks/./whatsapp",
        "/webhooks/../webhooks/whatsapp",
        "/webhooks/%77hatsapp",
        "/webhooks/whatsapp%00",
        "/webhooks/whatsapp%2F",
        "/webhooks/WhatsApp",
        "/webhooks/unknown",
        "/webhooks/chatwoot/a/b",
        "/webhooks/chatwoot/..%2Fwhatsapp",
        "/w/default/webhooks/inbox",
        "/w/other/webhooks/whatsapp",
        "/w/../webhooks/whatsapp",
        "/landing/default",
        "/healthz/",
    ],
)
def test_paths_that_lead_nowhere(hostile: Receiver, path: str) -> None:
    assert ask(hostile.port, path, BODY, proof("whatsapp", BODY))[0] == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("source", SOURCES)
def test_wrong_methods(hostile: Receiver, source: str, method: str) -> None:
    assert ask(hostile.port, f"/webhooks/{source}", method=method)[0] == 405


def test_get_where_there_is_nothing_to_get(hostile: Receiver) -> None:
    assert [ask(hostile.port, f"/webhooks/{source}", method="GET")[0] for source in ("chatwoot", "salla")] == [405, 405]


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json"]
)
def test_wrong_content_types(hostile: Receiver, kind: str) -> None:
    headers = {**proof("whatsapp", BODY), "Content-Type": kind}
    assert ask(hostile.port, "/webhooks/whatsapp", BODY, headers)[0] == 415


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_compressed_bodies(hostile: Receiver, coding: str) -> None:
    bomb = gzip.compress(bytes(30_000_000))
    headers = {**proof("whatsapp", bomb), "Content-Encoding": coding}
    assert ask(hostile.port, "/webhooks/whatsapp", bomb, headers)[0] == 415


def test_unknown_transfer_encoding(hostile: Receiver) -> None:
    request = POST_LINE + f"x-hub-signature-256: sha256={'0' * 64}\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
    assert status_of(raw(hostile.port, request.encode())) in (400, 501)


def blocks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(1_000_000)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_great_bodies_leave_memory_flat(hostile: Receiver) -> None:
    assert ask(hostile.port, "/webhooks/whatsapp", bytes(3_000_000), {})[0] == 401
    assert ask(hostile.port, "/webhooks/whatsapp", bytes(3_000_000), proof("whatsapp", BODY))[0] == 401
    before = peak_memory(hostile.process.pid)
    for headers in ({"Content-Length": "300000000"}, {"Transfer-Encoding": "chunked"}):
        is_chunked = "Transfer-Encoding" in headers
        try:
            proved = {**proof("whatsapp", BODY), **headers}
            status = ask(hostile.port, "/webhooks/whatsapp", blocks(300), proved, chunked=is_chunked)[0]
        except (BrokenPipeError, ConnectionResetError):
            status = 413  # cut off while it was still sending: it did not wait for the answer
        assert status == 413
    assert peak_memory(hostile.process.pid) - before < 40_000_000
    assert ask(hostile.port, "/nowhere", bytes(5_000_000))[0] == 404
    assert ask(hostile.port, "/healthz", method="GET") == (200, b"ok\n")


def test_length_alone_is_enough_to_refuse(hostile: Receiver) -> None:
    lines = f"x-hub-signature-256: sha256={'0' * 64}\r\nexpect: 100-continue\r\ncontent-length: 300000000\r\n\r\n"
    answer = raw(hostile.port, (POST_LINE + lines).encode())
    assert status_of(answer) == 413


@pytest.mark.parametrize("lines", ["content-length: 1000\r\n\r\n", "transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n"])
def test_slow_bodies(hostile: Receiver, lines: str) -> None:
    head = POST_LINE + f"x-hub-signature-256: sha256={'0' * 64}\r\n" + lines
    drops = [b"1\r\na\r\n" if "chunked" in lines else b"a"] * 12
    assert status_of(raw(hostile.port, head.encode(), *drops, pause=0.15)) == 408


def test_slow_headers(hostile: Receiver) -> None:
    began = time.monotonic()
    assert status_of(raw(hostile.port, POST_LINE.encode(), *[b"x-a: b\r\n"] * 12, pause=0.15)) == 408
    assert raw(hostile.port, b"") in (
        b"",
        b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    )
    assert time.monotonic() - began < 15


def test_slow_trailers(hostile: Receiver) -> None:
    head = POST_LINE + f"x-hub-signature-256: sha256={'0' * 64}\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    assert status_of(raw(hostile.port, head.encode(), *[b"x-a: b\r\n"] * 12, pause=0.15)) == 408


@pytest.mark.parametrize(
    "flood",
    [
        "".join(f"x-{n}: {n}\r\n" for n in range(5000)),
        f"x-long: {'a' * 2_000_000}\r\n",
        f"{'x' * 2_000_000}: 1\r\n",
        "x-endless: " + "a" * 30_000_000,
        f"x-hub-signature-256: sha256={'0' * 64}\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-t: "
        + "a" * 5_000_000,
        f"x-hub-signature-256: sha256={'0' * 64}\r\ntransfer-encoding: chunked\r\n\r\n1;" + "e" * 5_000_000,
    ],
    ids=["many", "long value", "long name", "endless value", "endless trailer", "endless chunk extension"],
)
def test_header_floods(hostile: Receiver, flood: str) -> None:
    # cut off while it is still sending, the client may miss the answer
    assert status_of(raw(hostile.port, POST_LINE.encode(), flood.encode(), b"\r\n\r\n")) in (431, 0)
    assert ask(hostile.port, "/healthz", method="GET")[0] == 200


def test_small_header_flood_hears_why(hostile: Receiver) -> None:
    flood = "".join(f"x-{n}: {n}\r\n" for n in range(150))
    assert status_of(raw(hostile.port, (POST_LINE + flood + "\r\n").encode())) == 431


@pytest.mark.parametrize(
    "request_text",
    [
        "POST /webhooks/whatsapp HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /webhooks/whatsapp HTTP/1.1\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\naaaa",
        "POST /webhooks/whatsapp HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        "POST /webhooks/whatsapp HTTP/9.9\r\n\r\n",
        "POST /webhooks/\xff HTTP/1.1\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET\r\n\r\n",
    ],
)
def test_requests_that_are_no_http(hostile: Receiver, request_text: str) -> None:
    assert 400 <= status_of(raw(hostile.port, request_text.encode("latin-1"))) < 500


def test_cut_off_in_the_middle(hostile: Receiver) -> None:
    request = POST_LINE + f"x-hub-signature-256: sha256={'0' * 64}\r\ncontent-length: 9\r\n\r\nab"
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", hostile.port)) as connection:
            connection.sendall(request.encode())
    assert ask(hostile.port, "/healthz", method="GET")[0] == 200


# what comes in


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (BODY, BODY.decode()),
        (b'{"a": "\\u0627\\ud83d\\ude00"}\n', '{"a": "\\u0627\\ud83d\\ude00"}\n'),
        (b"not json at all", "not json at all"),
        (b"", ""),
        (b'{"a":"line\xe2\x80\xa8end\\n"}\r\n\x00', '{"a":"line\u2028end\\n"}\r\n\x00'),
    ],
)
def test_bodies_land_exactly(receiver: Receiver, body: bytes, text: str) -> None:
    for source in SOURCES:
        assert post(receiver.port, source, body) == 200
    assert receiver.stop() == 0
    for source in SOURCES:
        (line,) = landed_lines(receiver.landing, source)
        assert line["body"] == text
        assert line["sha256"] == hashlib.sha256(body).hexdigest()
        assert (line["kind"], line["account"]) == ("webhook", None)
        assert line["received_at"].endswith("+00:00")
    assert open_files(receiver.landing) == []


def test_what_else_comes_in(receiver: Receiver) -> None:
    """3 MB, chunks, no content type, not UTF-8, the other proofs, the workspace by its name."""
    great = json.dumps({"a": "ب" * 1_500_000}, ensure_ascii=False).encode()[:3_000_000]
    assert post(receiver.port, "whatsapp", great) == 200
    pieces = [BODY[:7], BODY[7:]]
    headers = {**proof("whatsapp", BODY), "Transfer-Encoding": "chunked"}
    assert ask(receiver.port, "/webhooks/whatsapp", iter(pieces), headers, chunked=True)[0] == 200
    bad = b'{"a":"\xff"}'
    assert post(receiver.port, "whatsapp", bad) == 200
    assert ask(receiver.port, "/w/default/webhooks/whatsapp", BODY, proof("whatsapp", BODY))[0] == 200
    upper = {"X-Hub-Signature-256": "sha256=" + hex_of(SECRETS["whatsapp_app_secret"], BODY).upper()}
    assert (
        ask(receiver.port, "/webhooks/whatsapp", BODY, {**upper, "Content-Type": "application/json; charset=utf-8"})[0]
        == 200
    )
    assert ask(receiver.port, f"/webhooks/chatwoot/{SECRETS['chatwoot_webhook_path_token']}", BODY)[0] == 200
    token = {"X-Salla-Security-Strategy": "Token", "Authorization": SECRETS["salla_webhook_secret"]}
    assert ask(receiver.port, "/webhooks/salla", BODY, token)[0] == 200
    query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-token-0123"
    assert ask(receiver.port, f"/webhooks/whatsapp?{query}", method="GET") == (200, b"1158201444")
    assert receiver.stop() == 0
    lines = landed_lines(receiver.landing, "whatsapp")
    assert [line["sha256"] for line in lines] == [hashlib.sha256(b).hexdigest() for b in (great, BODY, bad, BODY, BODY)]
    assert "not UTF-8" in lines[2]["reject"]
    assert len(landed_lines(receiver.landing, "chatwoot")) == len(landed_lines(receiver.landing, "salla")) == 1
    heartbeat = json.loads((receiver.data / "state/receiver-heartbeat.json").read_text())
    (worker,) = heartbeat["workers"].values()
    assert worker["landed"] == {"default/whatsapp": 5, "default/chatwoot": 1, "default/salla": 1}
    assert worker["stopped_at"]


def half_sent(port: int, body: bytes) -> socket.socket:
    """A connection that has sent all of a proved delivery but its last byte."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    signature = proof("whatsapp", body)["X-Hub-Signature-256"]
    head = POST_LINE + f"x-hub-signature-256: {signature}\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body[:-1])
    return connection


def test_more_bodies_than_fit_in_memory(tmp_path: Path) -> None:
    """Too much at once is told to come again; who was first is served, and then there is room."""
    receiver = started(tmp_path / "data", limits={"buffered_bytes": 150_000})
    body = b'{"a":"' + b"x" * 90_000 + b'"}'
    with half_sent(receiver.port, body) as first:
        time.sleep(0.3)
        with half_sent(receiver.port, body) as second:
            assert second.recv(1000).startswith(b"HTTP/1.1 503")
        first.sendall(body[-1:])
        assert first.recv(1000).startswith(b"HTTP/1.1 200")
    assert post(receiver.port, "whatsapp", body) == 200
    assert receiver.stop() == 0
    assert len(landed_lines(receiver.landing, "whatsapp")) == 2


def authorize(merchant: int, **data: str) -> bytes:
    return json.dumps({"event": "app.store.authorize", "merchant": merchant, "data": data}).encode()


def test_tokens_are_kept_and_never_land(receiver: Receiver) -> None:
    assert (
        post(receiver.port, "salla", authorize(7, access_token="ory_at_1", refresh_token="ory_rt_1", scope="x")) == 200
    )
    assert json.loads((receiver.data / "kept.json").read_text()) == [
        "default",
        7,
        "app.store.authorize",
        {"access_token": "ory_at_1", "refresh_token": "ory_rt_1", "scope": "x"},
    ]
    # those that could not be kept are asked for again, and have not landed
    assert post(receiver.port, "salla", authorize(500, access_token="ory_at_2", refresh_token="ory_rt_2")) == 503
    # in any other place they are only taken out, even where the body is odd
    assert post(receiver.port, "salla", b'{"event":"x","data":[{"access_token":"ory_at_3"},"\\ud800"]}') == 200
    assert post(receiver.port, "salla", b"[" * 100_000 + b'"access_token":"ory_at_4"') == 200
    assert receiver.stop() == 0
    text = "".join(path.read_text() for path in landed_files(receiver.landing, "salla"))
    assert "ory_" not in text + receiver.said()
    assert [json.loads(line)["body"].count("[redacted]") for line in text.splitlines()] == [2, 1, 1]


def test_tokens_wait_for_a_refresh_and_nobody_else_does(tmp_path: Path) -> None:
    """A refresh holds the lock: more authorizations than there are threads wait, and the others are served at once."""
    receiver = started(tmp_path / "data", limits={"token_seconds": 15})
    path = receiver.data / "secrets/salla-default.json"
    bodies = [
        authorize(7, access_token=f"ory_at_{n}", refresh_token=f"ory_rt_{n}", scope="offline_access") for n in range(40)
    ]
    with ThreadPoolExecutor(len(bodies)) as pool:
        with locked(path):
            waiting = [pool.submit(post, receiver.port, "salla", body) for body in bodies]
            time.sleep(1)
            began = time.monotonic()
            assert [post(receiver.port, source, BODY) for source in SOURCES] == [200] * 3
            assert ask(receiver.port, "/healthz", method="GET")[0] == 200
            assert time.monotonic() - began < 5
            assert not any(one.done() for one in waiting)
            assert not path.exists()
        assert [one.result() for one in waiting] == [200] * len(bodies)
    assert json.loads(path.read_text())["merchant"] == "7"
    assert receiver.stop() == 0
    assert len(landed_lines(receiver.landing, "salla")) == len(bodies) + 1


def test_tokens_that_cannot_be_stored_in_time_are_sent_again(tmp_path: Path) -> None:
    receiver = started(tmp_path / "data", limits={"token_seconds": 1})
    path = receiver.data / "secrets/salla-default.json"
    body = authorize(7, access_token="ory_at_1", refresh_token="ory_rt_1")
    with locked(path):
        assert post(receiver.port, "salla", body) == 503
    assert not path.exists()
    assert post(receiver.port, "salla", body) == 200
    assert json.loads(path.read_text())["access_token"] == "ory_at_1"
    # another store's are refused, and do not land either
    assert post(receiver.port, "salla", authorize(8, access_token="ory_at_2", refresh_token="ory_rt_2")) == 503
    assert json.loads(path.read_text())["access_token"] == "ory_at_1"
    with locked(path):
        began = time.monotonic()
        late = threading.Thread(target=post, args=(receiver.port, "salla", body))
        late.start()
        time.sleep(0.3)
        assert receiver.stop() == 0  # it drains: the one that waits is answered first
        assert time.monotonic() - began < 10
    late.join()
    assert len(landed_lines(receiver.landing, "salla")) == 1
    assert "ory_" not in receiver.said()


def test_without_secrets_every_door_is_closed(tmp_path: Path) -> None:
    receiver = started(tmp_path / "data", settings=dict.fromkeys(SECRETS))
    for path in ("whatsapp", "chatwoot", "chatwoot/token", "salla"):
        assert ask(receiver.port, f"/webhooks/{path}", BODY, proof(path.split("/")[0], BODY))[0] == 503
    assert ask(receiver.port, "/webhooks/whatsapp?hub.mode=subscribe", method="GET")[0] == 503
    assert ask(receiver.port, "/healthz", method="GET")[0] == 200
    assert receiver.stop() == 0
    assert landed_files(receiver.landing, "whatsapp") == []


def test_workspaces_have_doors_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/workspaces.toml").write_text(
        '[workspaces.one]\nwhatsapp_app_secret = "secret-of-one"\n[workspaces.two]\ntimezone = "Africa/Cairo"\n'
    )
    receiver = started(tmp_path / "data")
    of_one = {"X-Hub-Signature-256": f"sha256={hex_of('secret-of-one', BODY)}"}
    assert ask(receiver.port, "/webhooks/whatsapp", BODY, of_one)[0] == 404
    assert ask(receiver.port, "/w/one/webhooks/whatsapp", BODY, of_one)[0] == 200
    assert ask(receiver.port, "/w/one/webhooks/whatsapp", BODY, proof("whatsapp", BODY))[0] == 401
    assert ask(receiver.port, "/w/two/webhooks/whatsapp", BODY, of_one)[0] == 401
    assert ask(receiver.port, "/w/two/webhooks/whatsapp", BODY, proof("whatsapp", BODY))[0] == 200
    assert receiver.stop() == 0
    assert [path.parts[-4] for path in landed_files(receiver.landing, "whatsapp")] == ["one", "two"]


@needs_shared
def test_samples_received_are_samples_imported(receiver: Receiver, tmp_path: Path) -> None:
    kinds = json.loads((SHARED / "samples/kinds.json").read_text())
    names = [name for name, kind in kinds.items() if kind == "webhook"]
    assert names
    for name in names:
        body = json.dumps(json.loads((SHARED / "samples" / name).read_bytes()), ensure_ascii=False).encode()
        assert post(receiver.port, name.split("/")[0], body) == 200
    assert receiver.stop() == 0
    for source in (source for source in sources() if source.name in SOURCES):
        received = landed_lines(receiver.landing, source.name)
        assert len(received) == sum(name.startswith(source.name) for name in names)
        archive = tmp_path / f"{source.name}.ndjson"
        archive.write_text(
            "".join(f'{{"received_at":"{line["received_at"]}","body":{line["body"]}}}\n' for line in received)
        )
        import_archives(tmp_path / "imported", "default", source.name, [archive])
        assert typed(receiver.landing, source) == typed(tmp_path / "imported", source)


def typed(landing: Path, source: LandedSource) -> dict[str, list[str]]:
    """The raw tables' rows but for where they landed."""
    where = {"landing_file", "landing_line"}
    rows: dict[str, list[str]] = {}
    for _names, lines in batches(landed_files(landing, source.name), landing):
        for table, found in parse(source, lines):
            kept = found.select([name for name in found.column_names if name not in where])
            rows.setdefault(table, []).extend(sorted(map(repr, kept.to_pylist())))
    return {table: sorted(found) for table, found in rows.items()}


# the proofs on their own


def test_proofs_look_at_the_raw_bytes() -> None:
    for source, check in (("whatsapp", whatsapp), ("chatwoot", chatwoot), ("salla", salla)):
        headers = [(key.lower().encode(), value.encode()) for key, value in proof(source, BODY, at=1000).items()]
        secret = SECRETS[{"whatsapp": "whatsapp_app_secret"}.get(source, f"{source}_webhook_secret")]
        assert check(headers, secret, 1299.0)(BODY)
        assert not check(headers, secret, 1299.0)(json.dumps(json.loads(BODY)).encode())
        assert not check(headers, secret + "x", 1299.0)(BODY)


def test_timestamp_tolerance_is_five_minutes() -> None:
    headers = [(key.lower().encode(), value.encode()) for key, value in proof("chatwoot", BODY, at=1000).items()]
    secret = SECRETS["chatwoot_webhook_secret"]
    for now in (700.0, 1300.0):
        assert chatwoot(headers, secret, now)(BODY)
    for now in (699.0, 1301.0):
        with pytest.raises(Refused, match="five minutes"):
            chatwoot(headers, secret, now)
