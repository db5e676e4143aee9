"""A local Azure Functions host for Python v2-model apps, where Core Tools is not installed.

`python -m devkit.host --app DIR` runs DIR/function_app.py in this process by the real host's
rules: host.json, local.settings.json, HTTP routes and keys, queue polling, poison queues,
timers. HTTP, queue and timer triggers and queue output bindings are known; any other binding
stops it at the start with a clear message. Never deployed.

Where it differs from the real host, on purpose:

* A queue message that the app sends through the SDK is not visible to a host. The real one wakes
  a listener only after an output binding has sent; this one polls all queues but poison queues
  again after every invocation and HTTP request. Local runs then do not wait for a polling
  interval at every hop.
* Schedules are in UTC, as on Linux plans; `func start` takes the machine's time zone.
* A timer's state is a file under DIR/.frontdesk/timers (FRONTDESK_STATE/timers if that is set),
  not a blob.
* `functionTimeout` fails the one invocation; the real host restarts the worker.
* Retry policies are ignored, with a warning. Identity-based connections are refused.
* With --enable-auth there are two keys, FRONTDESK_HOST_KEY for function routes and
  FRONTDESK_MASTER_KEY for everything, from the environment or local.settings.json.

From Python: `async with LocalHost(app_dir, port=0) as host: ...host.url...`
(devkit.host.server).
"""
