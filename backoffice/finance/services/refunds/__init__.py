"""Refunds that staff ask for: asked, approved by another person, sent, and followed until they have ended."""

from .asking import check_approver, close, lines_of, propose, start
from .sending import give_up, recover, resume, send
from .shares import Burden, burden
from .steps import CONTRADICTION
from .stock import CAME_BACK, Unexplained, take

__all__ = [
    "CAME_BACK",
    "CONTRADICTION",
    "Burden",
    "Unexplained",
    "burden",
    "check_approver",
    "close",
    "give_up",
    "lines_of",
    "propose",
    "recover",
    "resume",
    "send",
    "start",
    "take",
]
