"""Where a verdict can be sent: a webhook, or the alerts of Weights & Biases."""

import json
import os
import urllib.request
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from lightning_gapmon.errors import ConfigurationError

WANDB_LEVEL = {"info": "INFO", "warning": "WARN", "error": "ERROR"}
Event = Mapping[str, Any]


@dataclass(frozen=True)
class Webhook:
    """Post each event as JSON, beside the training rather than in it.

    Events of a process are posted one after the other; Python waits for them at its end. What
    fails is said in a warning that names the host alone, for addresses of webhooks are secret.

    Args:
        url: Where to, with `http://` or `https://`.
        timeout: Seconds that a post may wait.

    Raises:
        ConfigurationError: The address is no such address.

    Example:
        >>> Webhook("https://hooks.example.com/T0KEN")
        Webhook(to='hooks.example.com', timeout=10.0)
    """

    url: str = field(repr=False)
    timeout: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what cannot be posted to."""
        if urlsplit(self.url).scheme not in {"http", "https"} or not self.host:
            msg = (
                f"Found an address that begins with {self.url[:8]!r}; expected one of a webhook, "
                "such as https://hooks.example.com/..."
            )
            raise ConfigurationError(msg)

    @property
    def host(self) -> str:
        """The part of the address that may be shown."""
        return urlsplit(self.url).hostname or ""

    def __repr__(self) -> str:
        """Leave out what is secret."""
        return f"Webhook(to={self.host!r}, timeout={self.timeout})"

    def __call__(self, event: Event) -> None:
        """Post an event, later."""
        _line(os.getpid()).submit(self.post, json.dumps(dict(event), allow_nan=False))

    def post(self, text: str) -> None:
        """Post a text of JSON now; a failure is a warning."""
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self.url,
            data=text.encode(),
            headers={"Content-Type": "application/json", "User-Agent": "lightning-gapmon"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout):  # noqa: S310
                pass
        except (OSError, ValueError) as error:  # no route, refused, timed out, odd answer
            warnings.warn(
                f"A verdict could not be posted to {self.host} ({_kind(error)}); training goes "
                "on. Look whether the address is right and can be reached from here.",
                stacklevel=2,
            )


def _kind(error: Exception) -> str:
    """Say what failed without the address that some errors hold."""
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
    return f"{type(error).__name__}: {reason}" if reason else type(error).__name__


@cache
def _line(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 - a fork has no thread of its parent
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="gapmon-webhook")


@dataclass(frozen=True)
class WandbAlert:
    """Send each event as an alert of the Weights & Biases run of this process.

    Args:
        wait: Seconds within which wandb sends no second alert of the same title.

    Raises:
        ConfigurationError: wandb is not installed.
    """

    wait: float = 60.0

    def __post_init__(self) -> None:
        """Refuse to promise what cannot be sent."""
        if find_spec("wandb") is None:
            msg = (
                "Found no package wandb, which sends the alerts; install it, or use Webhook(url)."
            )
            raise ConfigurationError(msg)

    def __call__(self, event: Event) -> None:
        """Send an event.

        Raises:
            ConfigurationError: No run of wandb is open in this process.
        """
        run = import_module("wandb").run
        if run is None:
            msg = (
                "Found no open run of wandb in this process; expected the one of a WandbLogger, "
                "or of wandb.init(). Nothing was sent."
            )
            raise ConfigurationError(msg)
        run.alert(
            title=f"gapmon: {event['verdict'].replace('_', ' ')}",
            text=event["text"],
            level=WANDB_LEVEL[event["severity"]],
            wait_duration=self.wait,
        )
