"""Hooks for schemathesis, for behaviour that the OpenAPI document cannot describe."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """Shortens the timeout of waits: an unmet expectation would wait for its whole timeout, five seconds by default."""
    is_wait = case.operation.path == "/__mockd/journal/wait" and isinstance(case.body, dict)
    if is_wait and isinstance(case.body.get("timeout", ""), str):
        case.body["timeout"] = "1ms"
