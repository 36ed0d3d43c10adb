"""What an OpenAPI document cannot say about a valid request, told to schemathesis.

A document has no words for what depends on the state of the service or on another field. Each function here turns a
request that the document allows into one that must work, so that `positive_data_acceptance` can demand it. Requests
that are meant to be refused stay as they were generated.
"""

import hashlib
import json

import schemathesis
from hypothesis import strategies as st

RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;COUNT=10",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY",
]

# A rule is a language of its own (RFC 5545): no pattern says which rules have a date.
schemathesis.openapi.format("rrule", st.sampled_from(RULES))
# Durations that do not lead beyond the last year.
schemathesis.openapi.format("duration", st.sampled_from(["PT1H", "P1D", "P2W", "P1M", "P1DT30M", "PT90S"]))
# A cursor is opaque. Whichever is drawn, `real_cursor` puts a real one in its place.
schemathesis.openapi.format("cursor", st.just("bm93aGVyZQ"))

# `next` of earlier pages, by the list that it belongs to.
_cursors: dict[tuple, str] = {}




@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Some zones stand for all of them: each value of an enum is tried in each place that has it."""
    zones = raw_schema["components"]["schemas"].get("ZoneName")
    if zones is not None:
        zones["enum"] = sorted({"UTC", "Europe/Berlin", *zones["enum"][::60]})


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    real_cursor(case)
    key_of_one_request(case)
    whatever_needs_a_due_time_has_one(case)
    later_than_now(case)
    case.body = with_large_integers_whole(case.body)


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 200 and "cursor" in _parameters(case):
        following = response.json().get("next")
        if following:
            _cursors[_list_of(case)] = following


def real_cursor(case):
    """A cursor belongs to the list whose page told it."""
    if case.query and "cursor" in case.query:
        known = _cursors.get(_list_of(case))
        if known is None:
            del case.query["cursor"]
        else:
            case.query["cursor"] = known


def key_of_one_request(case):
    """A key belongs to one request: two that differ have different keys, and the same request is still replayed."""
    drawn = (case.headers or {}).get("Idempotency-Key")
    if drawn is not None:
        request = json.dumps([drawn, case.method, case.formatted_path, repr(case.body)])
        case.headers["Idempotency-Key"] = hashlib.sha256(request.encode()).hexdigest()


def whatever_needs_a_due_time_has_one(case):
    """A recurrence and a reminder before the due time need a due time, of the request or of the task as it is."""
    for task in _tasks_in(case.body):
        reminders = task.get("reminders") or []
        needs = task.get("recurrence") or any(it.get("kind") == "before_due" for it in reminders)
        if needs and not task.get("due"):
            task["due"] = {"kind": "floating", "local": "2026-01-31T09:00:00"}
        if task.get("due") is None:
            task.pop("due", None)  # taking it off would leave the task's own recurrence without one


def later_than_now(case):
    """A task is put off to a later time than now."""
    for snooze in _snoozes_in(case.body):
        if "until" in snooze:
            snooze["until"] = "2999" + snooze["until"][4:].replace("-02-29", "-02-28")


def with_large_integers_whole(value):
    """An integer of more than 15 digits is written without a fraction: with one, its last digits would be lost."""
    if isinstance(value, float) and value.is_integer() and abs(value) > 900_000_000_000_000:
        return int(value)
    if isinstance(value, dict):
        return {key: with_large_integers_whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_large_integers_whole(item) for item in value]
    return value


def _snoozes_in(body):
    if not isinstance(body, dict):
        return
    yield body
    for operation in body.get("operations", []):
        if "snooze" in operation:
            yield operation["snooze"]["to"]


def _tasks_in(body):
    """New tasks and changes of tasks, in a body of any route."""
    if not isinstance(body, dict):
        return
    if "operations" in body:
        for operation in body["operations"]:
            yield from filter(None, [operation.get("create"), (operation.get("update") or {}).get("changes")])
    elif "count" not in body and "rule" not in body:
        yield body


def _parameters(case):
    return {parameter.name for parameter in case.operation.query}


def _list_of(case):
    return case.formatted_path, str((case.query or {}).get("sort", "")), str((case.query or {}).get("q", ""))
