"""HTTP functions: routes, requests, responses, keys and limits."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from devkit.host.http_front import HttpLimits

ECHO = """
    import asyncio
    import json
    import threading
    import azure.functions as func

    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    release = asyncio.Event()
    waiting = []
    together = threading.Barrier(3)

    def shown(req):
        return func.HttpResponse(json.dumps({
            "method": req.method, "params": dict(req.params), "route": dict(req.route_params),
            "body": req.get_body().hex(), "header": req.headers.get("X-Given"), "url": req.url,
        }), mimetype="application/json")

    @app.route("cases/{id}", methods=["GET"])
    async def one(req: func.HttpRequest) -> func.HttpResponse:
        return shown(req)

    @app.route("cases/{id:int}/notes/{*rest}")
    async def rest(req: func.HttpRequest) -> func.HttpResponse:
        return shown(req)

    @app.route("cases/open", methods=["GET", "POST"])
    def literal(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        return func.HttpResponse(f"{context.function_name} {len(context.invocation_id)}")

    @app.route("plain")
    async def plain(req: func.HttpRequest) -> str:
        return "grüße"

    @app.route("full")
    async def full(req: func.HttpRequest) -> func.HttpResponse:
        answer = func.HttpResponse(b"\\x00\\xff", status_code=202, mimetype="application/x-own")
        answer.headers.add("Location", "/api/cases/7")
        answer.headers.add("Set-Cookie", "a=1")
        answer.headers.add("Set-Cookie", "b=2")
        return answer

    @app.route("broken")
    async def broken(req: func.HttpRequest) -> func.HttpResponse:
        raise LookupError("inner detail")

    @app.route("nothing")
    async def nothing(req: func.HttpRequest) -> func.HttpResponse:
        return None

    @app.route("slow")
    async def slow(req: func.HttpRequest) -> func.HttpResponse:
        waiting.append(req)
        await release.wait()
        return func.HttpResponse("late")

    @app.route("sync")
    def sync(req: func.HttpRequest) -> func.HttpResponse:
        together.wait(10)
        return func.HttpResponse("done")
"""


@pytest.fixture
def echo_app(write_app: Callable[..., Path]) -> Path:
    return write_app(ECHO)


async def test_a_request_reaches_the_function_whole(
    echo_app: Path, hosting: Callable[..., Any]
) -> None:
    async with hosting(echo_app) as running:
        given = {"X-Given": "yes"}
        query = "/api/cases/a%20b%2Fc?x=1&x=2&flag"
        async with running.http.get(running.host.url + query, headers=given) as answer:
            seen = await answer.json()
        status, _ = await running.send("POST", "/api/cases/12/notes/a/b", data=b"\xff\x00")
        async with running.http.post(
            running.host.url + "/api/cases/-12/notes/a/b", data=b"\xff\x00"
        ) as answer:
            posted = await answer.json()

    assert seen["method"] == "GET"
    assert seen["route"] == {"id": "a b%2Fc"}
    assert seen["params"] == {"x": "1,2", "flag": ""}
    assert seen["header"] == "yes"
    assert seen["url"].endswith("/api/cases/a%20b%2Fc?x=1&x=2&flag")
    assert status == 200
    assert posted["route"] == {"id": "-12", "rest": "a/b"}
    assert posted["body"] == "ff00"


async def test_routes_and_methods(echo_app: Path, hosting: Callable[..., Any]) -> None:
    expected = {
        "GET /api/cases/open": 200,
        "GET /API/Cases/Open/": 200,
        "GET /api/cases/word/notes/x": 404,
        "GET /api/cases/1/notes": 200,
        "POST /api/cases/12": 404,
        "HEAD /api/cases/12": 404,
        "OPTIONS /api/cases/12": 404,
        "HEAD /api/plain": 200,
        "OPTIONS /api/plain": 200,
        "GET /cases/open": 404,
        "GET /api": 404,
        "GET /": 200,
        "GET /admin/host/status": 200,
        "GET /admin/else": 404,
    }
    async with hosting(echo_app) as running:
        seen = {request: (await running.send(*request.split()))[0] for request in expected}

    assert seen == expected


async def test_a_literal_route_wins_over_a_parameter_and_gets_its_context(
    echo_app: Path, hosting: Callable[..., Any]
) -> None:
    async with hosting(echo_app) as running:
        assert await running.get("/api/cases/open") == (200, "literal 36")


async def test_responses_arrive_as_the_function_made_them(
    echo_app: Path, hosting: Callable[..., Any]
) -> None:
    async with hosting(echo_app) as running:
        async with running.http.get(running.host.url + "/api/plain") as plain:
            text = await plain.text()
        async with running.http.get(running.host.url + "/api/full") as full:
            body = await full.read()
        head, nothing = await running.send("HEAD", "/api/plain")

    assert (text, plain.headers["Content-Type"]) == ("grüße", "text/plain; charset=utf-8")
    assert (full.status, body) == (202, b"\x00\xff")
    assert full.headers["Content-Type"] == "application/x-own"
    assert full.headers["Location"] == "/api/cases/7"
    assert full.headers.getall("Set-Cookie") == ["a=1", "b=2"]
    assert (head, nothing) == (200, "")


@pytest.mark.parametrize("path", ["/api/broken", "/api/nothing"])
async def test_a_failing_function_answers_500_with_nothing_and_logs_the_reason(
    echo_app: Path, hosting: Callable[..., Any], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with hosting(echo_app) as running:
        assert await running.get(path) == (500, "")

    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line.message == "invocation"
    assert vars(line)["result"] == "failed"
    assert line.exc_info


async def test_sync_functions_run_side_by_side(echo_app: Path, hosting: Callable[..., Any]) -> None:
    async with hosting(echo_app) as running:
        answers = await asyncio.gather(*(running.get("/api/sync") for _ in range(3)))

    assert answers == [(200, "done")] * 3


async def test_more_than_max_outstanding_requests_get_429(
    write_app: Callable[..., Path], hosting: Callable[..., Any], eventually: Any
) -> None:
    http = {"routePrefix": "", "maxOutstandingRequests": 2}
    async with hosting(write_app(ECHO, {"extensions": {"http": http}})) as running:
        held = [asyncio.create_task(running.get("/slow")) for _ in range(2)]
        await eventually(lambda: len(running.app.waiting) == 2)
        assert await running.get("/plain") == (429, "")
        running.app.release.set()
        assert await asyncio.gather(*held) == [(200, "late")] * 2
        assert (await running.get("/plain"))[0] == 200


async def test_the_front_end_gives_up_before_a_slow_function_does(
    echo_app: Path, hosting: Callable[..., Any]
) -> None:
    async with hosting(echo_app, limits=HttpLimits(answer=0.05), grace=0.1) as running:
        assert await running.get("/api/slow") == (502, "")


async def test_function_timeout_fails_the_invocation(
    write_app: Callable[..., Path], hosting: Callable[..., Any]
) -> None:
    async with hosting(write_app(ECHO, {"functionTimeout": "00:00:00.05"})) as running:
        assert await running.get("/api/slow") == (500, "")
        assert (await running.get("/api/plain"))[0] == 200


async def test_a_request_that_outlives_the_grace_time_gets_503(
    echo_app: Path, hosting: Callable[..., Any], eventually: Any
) -> None:
    async with hosting(echo_app, grace=0.1) as running:
        held = asyncio.create_task(running.get("/api/slow"))
        await eventually(lambda: running.app.waiting)
        await running.host.stop()
        assert await held == (503, "")


async def test_a_body_over_the_limit_is_refused(
    echo_app: Path, hosting: Callable[..., Any]
) -> None:
    async def chunks() -> Any:
        for _ in range(5):
            yield b"x" * 300

    async with hosting(echo_app, limits=HttpLimits(body=1_000)) as running:
        assert (await running.send("POST", "/api/plain", data=b"x" * 1_001))[0] == 413
        assert (await running.send("POST", "/api/plain", data=chunks()))[0] == 413
        assert (await running.send("POST", "/api/plain", data=b"x" * 1_000))[0] == 200


async def test_a_connection_outlives_a_pause(echo_app: Path, hosting: Callable[..., Any]) -> None:
    async with hosting(echo_app) as running:
        address = urlsplit(running.host.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        request = f"GET /api/plain HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
        for pause in (0.0, 6.0):
            await asyncio.sleep(pause)
            writer.write(request)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            await reader.readuntil("grüße".encode())
        writer.close()


KEYED = """
    import azure.functions as func

    app = func.FunctionApp()

    @app.route("open", auth_level=func.AuthLevel.ANONYMOUS)
    async def open_(req: func.HttpRequest) -> str:
        return "in"

    @app.route("keyed")
    async def keyed(req: func.HttpRequest) -> str:
        return "in"

    @app.route("master", auth_level="admin")
    async def master(req: func.HttpRequest) -> str:
        return "in"
"""
KEYS = {"FRONTDESK_HOST_KEY": "host-key", "FRONTDESK_MASTER_KEY": "master-key"}


async def test_keys_with_enable_auth(
    write_app: Callable[..., Path], hosting: Callable[..., Any]
) -> None:
    expected = {
        ("/api/open", ""): 200,
        ("/api/keyed", ""): 401,
        ("/api/keyed", "wrong"): 401,
        ("/api/keyed", "host-key"): 200,
        ("/api/keyed", "master-key"): 200,
        ("/api/keyed?code=host-key", ""): 200,
        ("/api/keyed?code=host-key", "wrong"): 401,
        ("/api/master", "host-key"): 401,
        ("/api/master", "master-key"): 200,
        ("/admin/host/status", ""): 401,
        ("/admin/host/status", "master-key"): 200,
    }
    seen = {}
    async with hosting(write_app(KEYED, settings=KEYS), enable_auth=True) as running:
        for path, key in expected:
            headers = {"x-functions-key": key} if key else {}
            seen[path, key] = (await running.get(path, headers=headers))[0]

    assert seen == expected


async def test_without_enable_auth_no_key_is_asked_for(
    write_app: Callable[..., Path], hosting: Callable[..., Any]
) -> None:
    async with hosting(write_app(KEYED)) as running:
        assert (await running.get("/api/master"))[0] == 200


async def test_bad_admin_requests(
    write_app: Callable[..., Path], hosting: Callable[..., Any]
) -> None:
    async with hosting(write_app(KEYED)) as running:
        assert (await running.send("POST", "/admin/functions/none", data=b"{}"))[0] == 404
        assert (await running.send("POST", "/admin/functions/keyed", data=b"{}"))[0] == 404
        assert (await running.send("POST", "/admin/functions/keyed", data=b"no json"))[0] == 400
        assert (await running.send("POST", "/admin/functions/keyed", data=b"[]"))[0] == 400
