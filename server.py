"""Offers the two entry points of the gateway: ``app`` for any ASGI server, and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings import WrongSetting, read_settings

if TYPE_CHECKING:
    from web.app import GatewayApp


def __getattr__(name: str) -> GatewayApp:
    """Make ``server:app`` when it is asked for, because the command line does not need it."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from telemetry import NOT_INSTALLED, is_tracing_installed

    try:
        settings = read_settings()
    except WrongSetting as error:
        raise SystemExit(str(error)) from None
    if settings.traces != "off" and not is_tracing_installed():
        raise SystemExit(NOT_INSTALLED)
    from web.serving.interpreter_tuning import tune
    from web.serving.log_output import configure_logs
    from web.serving.orphaned_workers import stop_with_the_first_process
    from wiring import make_app

    configure_logs(settings.log_level, settings.log_format)
    app = make_app(settings)
    tune()
    stop_with_the_first_process()
    return app


if __name__ == "__main__":
    from cli.commands import run

    run()
