"""Writes the log of a serving process to standard error: one line for each record, for people or as JSON.

All code logs through the standard library. A record can have a mapping ``fields`` (``extra={"fields": {...}}``), which
is written behind its sentence. Structlog renders the records of the gateway and of its libraries in one form.
"""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import MutableMapping
from typing import Any, Literal

from structlog.processors import JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name

LogFormat = Literal["console", "json"]

MAX_CHARACTERS = 2_000
"""Characters of one value in the log. Clients and upstream can send longer ones."""

MAX_TRACEBACK_CHARACTERS = 20_000
"""Characters of one traceback, of which the end is kept: it names the error."""

ROOMS = (
    *("server", "cli", "wiring", "assistants", "web", "gateway", "schema", "resolvers", "engine"),
    *("catalog", "sharing", "upstream", "telemetry"),
)
"""The loggers of the gateway's own code. Libraries are heard from warnings on: some log addresses with what clients ask
for."""

_FIRST = ("time", "level", "worker", "logger", "event")


def configure_logs(level: str, form: LogFormat) -> None:
    """Write what is logged from now on in this process, from ``level`` on (``debug`` to ``error``)."""
    name = level.upper()
    libraries = max(logging.getLevelNamesMapping()[name], logging.WARNING)
    # Uvicorn's loggers have handlers of their own where Uvicorn was started without the gateway's command.
    passed_on: dict[str, Any] = {"handlers": [], "propagate": True}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"lines": {"()": _formatter, "form": form}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
            "root": {"level": libraries, "handlers": ["stderr"]},
            "loggers": {
                **{room: {"level": name} for room in ROOMS},
                **dict.fromkeys(("uvicorn", "uvicorn.error", "uvicorn.access"), passed_on),
                # It warns of each request that it refuses, and strangers can send as many as they like.
                "mcp": {"level": max(libraries, logging.ERROR)},
            },
        }
    )


def _formatter(form: LogFormat) -> logging.Formatter:
    return ProcessorFormatter(
        foreign_pre_chain=[
            add_log_level,
            add_logger_name,
            TimeStamper(fmt="iso", key="time"),
            _add_record,
            format_exc_info,
        ],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            _shortened,
            JSONRenderer() if form == "json" else _console_line,
        ],
    )


def _add_record(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the process that logged a record, and the fields that it was given."""
    record: logging.LogRecord = event["_record"]
    event["worker"] = record.process
    event.update(getattr(record, "fields", {}))
    return event


def _shortened(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Order the values, and cut the texts among them to a length that no stranger chooses."""
    ordered: dict[str, Any] = {**{name: event[name] for name in _FIRST}, **event}
    for name, value in ordered.items():
        if name == "exception":
            ordered[name] = value[-MAX_TRACEBACK_CHARACTERS:]
        elif isinstance(value, str) and len(value) > MAX_CHARACTERS:
            ordered[name] = f"{value[:MAX_CHARACTERS]}..."
    return ordered


def _console_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """Return the line for a person. A traceback follows it, indented, so that no text in it looks like another line."""
    time, level, worker, logger, sentence = (event.pop(name) for name in _FIRST)
    exception: str = event.pop("exception", "")
    line = f"{time} {level:<8} {worker} {logger}: {_printable(sentence)}"
    line += "".join(f" {name}={_value(value)}" for name, value in event.items())
    return "\n".join([line, *(f"    {_printable(each)}" for each in exception.split("\n") if each)])


def _value(value: object) -> str:
    """Return a value as JSON writes it, but for words, which need no quotes."""
    if isinstance(value, str) and value.isascii() and value.replace("-", "").replace("_", "").isalnum():
        return value
    return json.dumps(value, default=str)


def _printable(text: str) -> str:
    """Return the text with all characters escaped that end a line, or that a terminal obeys."""
    if text.isprintable():
        return text
    escaped = (each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    return "".join(escaped)
