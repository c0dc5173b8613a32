"""Paying creators: asked for, decided by others, sent once, settled by the provider's word (S-077 to S-088)."""

from .approval import lock_all
from .decisions import approve, cancel, close, drop, hold, reject, release, set_aside
from .requests import draft, preview, request, submit
from .sending import adopt_transfer, execute, recover, resume, retry, run_again, send_item
from .settling import FLAGS, flag_contradiction, flag_reversed, settle, settle_from_provider

__all__ = [
    "FLAGS",
    "adopt_transfer",
    "approve",
    "cancel",
    "close",
    "draft",
    "drop",
    "execute",
    "flag_contradiction",
    "flag_reversed",
    "hold",
    "lock_all",
    "preview",
    "recover",
    "reject",
    "release",
    "request",
    "resume",
    "retry",
    "run_again",
    "send_item",
    "set_aside",
    "settle",
    "settle_from_provider",
    "submit",
]
