"""Reading Stripe's form encoding (`a[b][0][c]=1`, `expand[]=x`) into nested values, with typed access."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from integrations.stripe.fake.errors import ApiError

Params = dict[str, Any]
KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
MAX_DEPTH = 8
MAX_AMOUNT = 99_999_999
CURRENCY = re.compile(r"^[A-Za-z]{3}$")


def decode(pairs: Iterable[tuple[str, str]]) -> Params:
    """Nested dictionaries and lists from form pairs, all leaves text."""
    root: Params = {}
    for key, value in pairs:
        matched = KEY.match(key)
        if matched is None:
            raise ApiError(f"Invalid parameter name: {key}", param=key)
        path = [matched[1], *re.findall(r"\[([^\[\]]*)\]", matched[2])]
        if len(path) > MAX_DEPTH:
            raise ApiError(f"Parameter nested too deeply: {key}", param=key)
        node = root
        for index, step in enumerate(path):
            # "a[]" appends: give each its own number, so that everything is a dictionary until the end.
            step = step or str(len(node))
            if index == len(path) - 1:
                node[step] = value
            else:
                child = node.setdefault(step, {})
                if not isinstance(child, dict):
                    raise ApiError(f"Parameter used as value and as hash: {key}", param=key)
                node = child
    return {key: _settle(value) for key, value in root.items()}


def _settle(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    settled = {key: _settle(child) for key, child in value.items()}
    if settled and all(key.isdigit() for key in settled):
        return [settled[key] for key in sorted(settled, key=int)]
    return settled


def only(params: Params, *names: str) -> None:
    """Refuses parameters that the endpoint does not know, as Stripe does."""
    unknown = sorted(set(params) - set(names) - {"expand"})
    if unknown:
        raise ApiError(f"Received unknown parameter: {unknown[0]}", code="parameter_unknown", param=unknown[0])


def required(params: Params, name: str) -> Any:
    value = params.get(name)
    if value in (None, "", {}, []):
        raise ApiError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return value


def text(params: Params, name: str) -> str | None:
    value = params.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ApiError(f"Invalid string: {name}", param=name)
    return value


def integer(params: Params, name: str) -> int:
    value = required(params, name)
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise ApiError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def amount(params: Params, name: str = "amount", *, parent: str = "") -> int:
    """A positive number of minor units within Stripe's limit."""
    number = integer(params, name)
    param = f"{parent}[{name}]" if parent else name
    if number < 1:
        raise ApiError("This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=param)
    if number > MAX_AMOUNT:
        raise ApiError("The amount is too large.", code="amount_too_large", param=param)
    return number


def currency(params: Params, name: str = "currency") -> str:
    value = required(params, name)
    if not isinstance(value, str) or not CURRENCY.match(value):
        raise ApiError(f"Invalid currency: {value}", param=name)
    return value.lower()


def boolean(params: Params, name: str, default: bool = False) -> bool:
    value = params.get(name)
    if value is None:
        return default
    if value not in ("true", "false"):
        raise ApiError(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def hashed(params: Params, name: str) -> Params:
    value = params.get(name) or {}
    if not isinstance(value, dict):
        raise ApiError("Invalid object", param=name)
    return value


def metadata(params: Params) -> dict[str, str]:
    """At most 50 keys of 40 characters with values of 500, as Stripe allows."""
    given = params.get("metadata") or {}
    if isinstance(given, list):
        given = {str(index): value for index, value in enumerate(given)}
    if not isinstance(given, Mapping) or not all(isinstance(value, str) for value in given.values()):
        raise ApiError("Metadata must be a flat hash of strings.", param="metadata")
    if len(given) > 50:
        raise ApiError("You can have up to 50 metadata keys.", param="metadata")
    for key, value in given.items():
        if len(key) > 40 or len(value) > 500:
            raise ApiError("A metadata key or value is too long.", param=f"metadata[{key}]")
    return {key: value for key, value in given.items() if value != ""}
