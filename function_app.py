"""Every trigger of Frontdesk, one row each. No logic: it is in entrypoints/."""

from __future__ import annotations

import azure.functions as func

from agents import PIPELINE
from entrypoints import (
    decision_api,
    digest_api,
    effects,
    http_api,
    operator_api,
    stages,
    timers,
    webhooks,
)
from entrypoints.http_protocol import answering
from shared.domain.nudge import EFFECTS_QUEUE, queue_name

STORAGE = "AzureWebJobsStorage"

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

routes = (http_api, operator_api, decision_api, digest_api, webhooks)
for route in (route for api in routes for route in api.ROUTES):
    bind = app.route(route=route.path, methods=[route.method], auth_level=route.auth)
    app.function_name(route.name)(bind(answering(route.handler)))

for agent in PIPELINE:
    queue = queue_name(agent.stage)
    bind = app.queue_trigger(arg_name="message", queue_name=queue, connection=STORAGE)
    app.function_name(agent.stage)(bind(stages.stage_function(agent)))
    bind = app.queue_trigger(arg_name="message", queue_name=f"{queue}-poison", connection=STORAGE)
    app.function_name(f"{agent.stage}_poison")(bind(stages.poison_function(agent)))

for name, work, poisoned in stages.WITHOUT_AGENT:
    queue = queue_name(name)
    bind = app.queue_trigger(arg_name="message", queue_name=queue, connection=STORAGE)
    app.function_name(name)(bind(work))
    bind = app.queue_trigger(arg_name="message", queue_name=f"{queue}-poison", connection=STORAGE)
    app.function_name(f"{name}_poison")(bind(poisoned))

bind = app.queue_trigger(arg_name="message", queue_name=EFFECTS_QUEUE, connection=STORAGE)
app.function_name("effects")(bind(effects.run_effect))
poison = f"{EFFECTS_QUEUE}-poison"
bind = app.queue_trigger(arg_name="message", queue_name=poison, connection=STORAGE)
app.function_name("effects_poison")(bind(effects.poisoned_effect))

bind = app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
app.function_name("sweep")(bind(timers.sweep))
bind = app.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
app.function_name("poll")(bind(timers.poll))
# Five minutes past, when the window that ended before is closed; each quarter of an hour, because
# some time zones are half an hour or three quarters apart, and so are the times that desks name.
bind = app.timer_trigger(arg_name="timer", schedule="0 5,20,35,50 * * * *")
app.function_name("digests")(bind(timers.digests))
