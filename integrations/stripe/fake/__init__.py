"""A loopback Stripe: the same requests, answers, errors, webhooks and hosted page, kept in one SQLite file.

Start it with `python -m integrations.stripe.fake --port N --state FILE --webhook-url URL --webhook-secret S`,
or in a test with `running_fake()` from `running.py`. Point `StripeClient(base_url=…)` at it.

- `server.py`   sockets and HTTP; `api.py` authentication, idempotency keys, faults, routing
- `resources/`  one module per noun, as in Stripe's API reference
- `engine.py`   what they share: the store, ids, events, scheduled work; `ledger.py` balances
- `page.py`     the hosted checkout page; `cards.py` and `banks.py` the test numbers and what they do
- `delivery.py` signed webhooks with retries; `control.py` the `/_fake/` endpoints that tests steer it by

Standard library only, so it shares no code with the client it is there to test.
"""
