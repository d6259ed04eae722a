"""Wiring of the sending worker and the wrapper's client."""

from sender.wrapper import WrapperConfig
from wamtrail.settings import Settings


def wrapper_config(settings: Settings) -> WrapperConfig:
    sid, key = settings.require_wrapper()
    return WrapperConfig(settings.wrapper_url, sid, key, timeout=settings.wrapper_timeout)
