"""What an app and its files must be for the host to start, and what it says otherwise."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devkit.azurite import Azurite
from devkit.host.app import load_app
from devkit.host.errors import StartError
from devkit.host.listening import listen
from devkit.host.server import LocalHost
from devkit.host.settings import read_host_json, read_local_settings, time_span

GOOD = """
    import azure.functions as func
    app = func.FunctionApp()

    @app.route("ping")
    def ping(req: func.HttpRequest) -> str:
        return "pong"
"""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:05:00", 300),
        ("1.02:00", 93_600),
        ("00:00:00.25", 0.25),
        ("5", None),
        ("25:00:00", None),
        ("00:60:00", None),
        ("soon", None),
    ],
)
def test_time_spans(text: str, seconds: float | None) -> None:
    assert time_span(text) == seconds


def test_host_json_settings(write_app: Callable[..., Path]) -> None:
    queues = {
        "batchSize": 5,
        "maxDequeueCount": 2,
        "visibilityTimeout": "00:00:30",
        "maxPollingInterval": "00:00:01",
        "messageEncoding": "none",
    }
    http = {"routePrefix": "v1/", "maxOutstandingRequests": 7}
    extensions = {"http": http, "queues": queues}

    options = read_host_json(
        write_app(GOOD, {"functionTimeout": "-1", "extensions": extensions, "logging": {}})
    )

    assert options.route_prefix == "v1"
    assert options.max_outstanding_requests == 7
    assert options.function_timeout is None
    assert options.queues.batch_size == 5
    assert options.queues.new_batch_threshold == 2
    assert options.queues.max_dequeue_count == 2
    assert options.queues.visibility_timeout == 30
    assert options.queues.max_polling_interval == 1
    assert not options.queues.base64


def test_host_json_defaults_are_those_of_the_real_host(write_app: Callable[..., Path]) -> None:
    options = read_host_json(write_app(GOOD))

    assert (options.route_prefix, options.max_outstanding_requests) == ("api", None)
    assert options.function_timeout == 1800
    assert (options.queues.batch_size, options.queues.new_batch_threshold) == (16, 8)
    assert (options.queues.max_dequeue_count, options.queues.visibility_timeout) == (5, 0)
    assert (options.queues.max_polling_interval, options.queues.base64) == (2, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n "version": "2.0",\n}', r"host.json, line 3: not valid JSON"),
        ("[]", r"line 1: must hold a JSON object"),
        ('{"version": "1.0"}', r'line 1: version must be "2.0"'),
        ('{"version": "2.0",\n"functionTimeout": 5}', r"line 2: functionTimeout must be a time"),
        ('{"version": "2.0",\n"extensions": []}', r"line 2: extensions must be a JSON object"),
        (
            '{"version": "2.0", "extensions":\n{"queues":\n{"batchSize": 33}}}',
            r"line 3: batchSize must be a whole number from 1 to 32",
        ),
        (
            '{"version": "2.0", "extensions": {"queues": {"messageEncoding": "utf8"}}}',
            r'messageEncoding must be "base64" or "none"',
        ),
        (
            '{"version": "2.0", "extensions": {"http": {"routePrefix": 5}}}',
            r"routePrefix must be a string",
        ),
    ],
)
def test_a_bad_host_json_is_told_with_its_line(
    write_app: Callable[..., Path], text: str, message: str
) -> None:
    with pytest.raises(StartError, match=message):
        read_host_json(write_app(GOOD, files={"host.json": text}))


def test_the_environment_overrides_host_json_as_in_azure(
    write_app: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AzureFunctionsJobHost__extensions__queues__batchSize", "1")
    monkeypatch.setenv("AzureFunctionsJobHost__extensions__queues__newBatchThreshold", "0")
    queues = read_host_json(write_app(GOOD)).queues
    assert (queues.batch_size, queues.new_batch_threshold) == (1, 0)


def test_a_missing_host_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"host.json is missing"):
        read_host_json(tmp_path)


def test_local_settings_give_way_to_a_variable_that_is_not_empty(
    write_app: Callable[..., Path],
) -> None:
    app_dir = write_app(GOOD, settings={"A": "file", "B": "file", "C": "file"})

    added = read_local_settings(app_dir, {"A": "environment", "B": ""})

    assert added == {"B": "file", "C": "file", "AZURE_FUNCTIONS_ENVIRONMENT": "Development"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Values":\n{"A": 5}}', r"local.settings.json, line 2: A must be a string"),
        ('{"IsEncrypted": true}', r"IsEncrypted is true"),
        ("{", r"line 1: not valid JSON"),
    ],
)
def test_bad_local_settings_are_told_with_their_line(
    write_app: Callable[..., Path], text: str, message: str
) -> None:
    with pytest.raises(StartError, match=message):
        read_local_settings(write_app(GOOD, files={"local.settings.json": text}), {})


def test_settings_that_are_not_utf8_are_told(write_app: Callable[..., Path]) -> None:
    app_dir = write_app(GOOD)
    (app_dir / "local.settings.json").write_bytes(b'{"Values": {"A": "\xff"}}')

    with pytest.raises(StartError, match="not UTF-8"):
        read_local_settings(app_dir, {})


async def test_the_app_folder_comes_last_and_its_modules_are_importable(
    write_app: Callable[..., Path], hosting: Callable[..., Any]
) -> None:
    source = """
        import sys
        import azure.functions as func
        from own_parts import parts
        app = func.FunctionApp()
        last = sys.path[-1]

        @app.route("ping")
        def ping(req: func.HttpRequest) -> str:
            return parts.WORD
    """
    app_dir = write_app(source, files={"own_parts/parts.py": "WORD = 'own'"})

    async with hosting(app_dir) as running:
        assert running.app.last == str(app_dir)
        assert sys.modules["own_parts.parts"].WORD == "own"


async def test_settings_reach_the_app_as_variables(
    write_app: Callable[..., Path], hosting: Callable[..., Any]
) -> None:
    source = GOOD + "\n    import os\n    seen = dict(os.environ)\n"

    async with hosting(write_app(source, settings={"DESK_NAME": "hotel"})) as running:
        assert running.app.seen["DESK_NAME"] == "hotel"
        assert running.app.seen["AZURE_FUNCTIONS_ENVIRONMENT"] == "Development"


async def test_a_retry_policy_is_ignored_with_a_warning(
    write_app: Callable[..., Path], hosting: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    source = GOOD.replace(
        "    @app.route",
        '    @app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")\n'
        "    @app.route",
    )
    async with hosting(write_app(source)) as running:
        assert (await running.get("/api/ping"))[0] == 200

    assert [vars(r)["function"] for r in caplog.records if "retry" in r.message] == ["ping"]


SEVERAL = """
    import azure.functions as func
    app = func.FunctionApp()

    @app.route("ping")
    def ping(req: func.HttpRequest) -> str:
        return "pong"

    @app.queue_trigger("msg", "cases", "STORE")
    def on_cases(msg: func.QueueMessage) -> None: ...

    @app.timer_trigger("timer", "* * * * * *")
    def tick(timer: func.TimerRequest) -> None: ...
"""


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({}, ["ping", "on_cases", "tick"]),
        ({"AzureWebJobs.on_cases.Disabled": "true"}, ["ping", "tick"]),
        ({"AzureWebJobs.tick.Disabled": "1", "AzureWebJobs.ping.Disabled": "True"}, ["on_cases"]),
        ({"AzureWebJobs.tick.Disabled": "false"}, ["ping", "on_cases", "tick"]),
        ({"FRONTDESK_HOST_HTTP_ONLY": "1"}, ["ping"]),
    ],
)
def test_disabled_functions_are_left_out(
    write_app: Callable[..., Path],
    worker_like: None,
    azurite: Azurite,
    settings: dict[str, str],
    left: list[str],
) -> None:
    functions = load_app(write_app(SEVERAL), {"STORE": azurite.connection_string, **settings})

    assert [function.name for function in functions] == left


async def test_a_disabled_function_is_not_found_and_does_not_fire(
    write_app: Callable[..., Path], hosting: Callable[..., Any], azurite: Azurite
) -> None:
    settings = {"STORE": azurite.connection_string, "AzureWebJobs.ping.Disabled": "true"}
    settings |= {"AzureWebJobs.on_cases.Disabled": "true", "AzureWebJobs.tick.Disabled": "true"}

    async with hosting(write_app(SEVERAL, settings=settings)) as running:
        assert (await running.get("/api/ping"))[0] == 404
        assert list(running.host.describe()) == []


def app_with(declaration: str, before: str = "") -> str:
    return f"import azure.functions as func\n{before}\napp = func.FunctionApp()\n\n{declaration}\n"


QUEUE = '@app.queue_trigger("msg", "{queue}", "{connection}")\ndef f(msg: func.QueueMessage): ...'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\nimport no_such_module", r"function_app.py, line 2: ModuleNotFoundError"),
        ("def broken(:\n  pass", r"function_app.py, line 1: SyntaxError"),
        ("import azure.functions", "must define exactly one FunctionApp; it defines 0"),
        (app_with("other = func.FunctionApp()"), "it defines 2"),
        (app_with(""), "declares no functions"),
        (
            app_with('@app.route("a")\ndef f(req: func.HttpRequest, more): ...'),
            r"Function f: parameters \['more', 'req'\] do not match bindings \['req'\]",
        ),
        (
            app_with('@app.route("a")\ndef f(req: "Missing"): ...'),
            r"Function f: an annotation cannot be resolved: name 'Missing'.*TYPE_CHECKING",
        ),
        (
            app_with('@app.route("a")\ndef f(req: func.QueueMessage): ...'),
            "Function f: the annotation of req does not fit a httpTrigger",
        ),
        (
            app_with('@app.route("a")\ndef f(req: func.HttpRequest, context: int): ...'),
            "Function f: context must be azure.functions.Context",
        ),
        (
            app_with('@app.route("a", trigger_arg_name="my_req")\ndef f(my_req): ...'),
            "Function f: binding name 'my_req' is invalid",
        ),
        (
            app_with(
                '@app.blob_trigger("blob", "c/{name}", "AzureWebJobsStorage")\ndef f(blob): ...'
            ),
            "Function f: binding blob of type blobTrigger is not supported",
        ),
        (
            app_with(QUEUE.format(queue="%NOWHERE%", connection="STORE")),
            "Function f, queue name: the setting NOWHERE is missing",
        ),
        (
            app_with(QUEUE.format(queue="a_queue", connection="STORE")),
            "Function f: 'a_queue' is not a valid queue name",
        ),
        (
            app_with(QUEUE.format(queue="cases", connection="NOWHERE")),
            "Function f: the connection setting NOWHERE is missing",
        ),
        (
            app_with(QUEUE.format(queue="cases", connection="%NOWHERE%")),
            "Function f, connection: the setting NOWHERE is missing",
        ),
        (
            app_with(QUEUE.format(queue="cases", connection="STORE")),
            "Queue cases: its connection string",
        ),
        (
            app_with('@app.timer_trigger("t", "never")\ndef f(t: func.TimerRequest): ...'),
            "Function f: 'never' is not a schedule",
        ),
        (
            app_with('@app.timer_trigger("t", "%NOWHERE%")\ndef f(t: func.TimerRequest): ...'),
            "Function f, schedule: the setting NOWHERE is missing",
        ),
        (
            app_with('@app.route("/a")\ndef f(req: func.HttpRequest): ...'),
            "Function f: its route must not start with /",
        ),
        (
            app_with('@app.route("a/{id:odd}")\ndef f(req: func.HttpRequest): ...'),
            "Function f: the route constraint odd is not supported",
        ),
        (
            app_with('@app.route("a/{id")\ndef f(req: func.HttpRequest): ...'),
            "Function f: the local host cannot read the route segment",
        ),
    ],
)
async def test_an_app_that_cannot_be_hosted_is_told_why(
    write_app: Callable[..., Path], worker_like: None, source: str, message: str
) -> None:
    app_dir = write_app(GOOD, settings={"STORE": "nonsense"}, files={"function_app.py": source})

    with pytest.raises(StartError, match=message):
        await LocalHost(app_dir, port=0).start()


async def test_an_error_in_a_module_of_the_app_names_that_module(
    write_app: Callable[..., Path], worker_like: None
) -> None:
    app_dir = write_app("import own_parts.parts", files={"own_parts/parts.py": "\n1 / 0"})

    with pytest.raises(StartError, match=r"parts.py, line 2: ZeroDivisionError"):
        await LocalHost(app_dir, port=0).start()


async def test_a_shadowed_function_app_is_told(
    write_app: Callable[..., Path],
    worker_like: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "function_app.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(StartError, match="is shadowed by"):
        await LocalHost(write_app(GOOD), port=0).start()


async def test_enable_auth_without_keys_is_told(
    write_app: Callable[..., Path], worker_like: None
) -> None:
    with pytest.raises(StartError, match="FRONTDESK_HOST_KEY and FRONTDESK_MASTER_KEY"):
        await LocalHost(write_app(GOOD), port=0, enable_auth=True).start()


def test_a_port_in_use_is_told() -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"Cannot listen on port {port}.*--port"):
            listen(port)


def test_a_port_out_of_range_is_told() -> None:
    with pytest.raises(StartError, match="Cannot listen on port 70000"):
        listen(70_000)


async def test_a_folder_without_an_app_is_told(tmp_path: Path, worker_like: None) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')

    with pytest.raises(StartError, match=r"function_app.py is missing"):
        await LocalHost(tmp_path, port=0).start()
