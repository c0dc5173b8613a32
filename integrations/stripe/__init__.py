"""Stripe: taking payments by Checkout, paying creators through Connect, and its signed webhooks.

- `client/`  the one place that imports the `stripe` package; methods return the values of `types.py`
- `errors.py`  what a failed call says about the money: `Refused` (it did not move) or `Unknown` (ask again)
- `types.py`   frozen values, amounts in minor units, times in Unix seconds
- `webhooks.py`  verification of an incoming event: signature, both clock directions, mode and account
- `fake/`      a loopback server that behaves like Stripe, for tests and the demo; the real client talks to it

Nothing here knows Django or the platform's own nouns.
"""
