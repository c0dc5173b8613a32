"""The hosted checkout page at `/c/pay/{session}`: plain HTML, no scripts."""

from datetime import UTC, datetime
from html import escape
from urllib.parse import parse_qs, urlsplit

from integrations.stripe.fake import cards
from integrations.stripe.fake.api import Answer
from integrations.stripe.fake.engine import Engine
from integrations.stripe.fake.resources import checkout
from integrations.stripe.fake.store import Object

PREFIX = "/c/pay/"
NO_MINOR_UNITS = {
    "bif",
    "clp",
    "djf",
    "gnf",
    "jpy",
    "kmf",
    "krw",
    "mga",
    "pyg",
    "rwf",
    "ugx",
    "vnd",
    "vuv",
    "xaf",
    "xof",
    "xpf",
}
THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}

STYLE = """
:root{color-scheme:light dark;--ink:#1a1f36;--soft:#697386;--line:#d8dee8;--paper:#fff;--side:#f5f7fa;
--go:#0b5fce;--bad:#b3261e;--badbg:#fdecea;--test:#8a4b00;--testbg:#ffeccc}
@media (prefers-color-scheme:dark){:root{--ink:#eef1f6;--soft:#a3acba;--line:#3a4353;--paper:#161b24;
--side:#1e2530;--go:#4c8df5;--bad:#ffb4ab;--badbg:#4a1712;--test:#ffdcae;--testbg:#4a3108}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
main{display:grid;grid-template-columns:1fr 1fr;min-height:100vh}
section{padding:3rem clamp(1.25rem,6vw,5rem)}
.order{background:var(--side)}
h1{margin:0 0 1rem;font-size:1.5rem}
.test{display:inline-block;margin-bottom:1rem;padding:.1rem .5rem;border-radius:.25rem;
background:var(--testbg);color:var(--test);font-size:.75rem;font-weight:700;letter-spacing:.04em;text-transform:uppercase}
.total{font-size:2.25rem;font-weight:650;margin:.25rem 0 1.5rem}
.item{display:flex;justify-content:space-between;gap:1rem;padding:.75rem 0;border-top:1px solid var(--line)}
.item p,.hint{margin:0;color:var(--soft);font-size:.875rem}
.hint.cards{margin-top:1rem}
.item strong,.item p{overflow-wrap:anywhere}
label{display:block;margin:1rem 0 .25rem;font-size:.875rem;font-weight:600}
input{width:100%;padding:.65rem .75rem;font:inherit;color:inherit;background:var(--paper);
border:1px solid var(--line);border-radius:.4rem}
input:focus-visible,button:focus-visible{outline:3px solid var(--go);outline-offset:1px}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
button{width:100%;margin-top:1.5rem;padding:.8rem;font:inherit;font-weight:650;border:0;border-radius:.4rem;
color:#fff;background:#0b5fce;cursor:pointer}
button.quiet{margin-top:.75rem;color:var(--ink);background:transparent;border:1px solid var(--line)}
.error{padding:.75rem 1rem;border-radius:.4rem;color:var(--bad);background:var(--badbg)}
@media (max-width:48rem){main{grid-template-columns:1fr}section{padding-block:2rem}}
"""


def show(engine: Engine, session_id: str) -> Answer:
    session = _find(engine, session_id)
    if session is None:
        return _notice(404, "Page not found", "There is no such payment page.")
    if session["status"] != "open":
        return _closed(session)
    return _form(session)


def submit(engine: Engine, session_id: str, body: str) -> Answer:
    """The form sent: pays and goes to the success address, or shows the form again with what is wrong."""
    given = {key: values[0].strip() for key, values in parse_qs(body, keep_blank_values=True).items()}
    session = _find(engine, session_id)
    if session is None:
        return _notice(404, "Page not found", "There is no such payment page.")
    if given.get("action") == "cancel":
        return _redirect(session["cancel_url"] or session["success_url"])
    if session["status"] != "open":
        return _closed(session)
    problem = _problem(engine, given)
    if problem:
        return _form(session, given, problem)
    try:
        paid = checkout.pay(
            engine,
            session_id,
            card=given["card_number"],
            email=given.get("email", ""),
            name=given.get("name", ""),
        )
    except checkout.Declined as refusal:
        return _form(session, given, str(refusal))
    except checkout.NotOpen as closed:
        return _closed(closed.session)
    return _redirect(_success_url(paid))


def amount_text(amount: int, currency: str) -> str:
    if currency in NO_MINOR_UNITS:
        return f"{currency.upper()} {amount:,}"
    places = 3 if currency in THREE_DECIMALS else 2
    whole, part = divmod(amount, 10**places)
    return f"{currency.upper()} {whole:,}.{part:0{places}d}"


def _find(engine: Engine, session_id: str) -> Object | None:
    try:
        return checkout.current(engine, session_id)
    except LookupError:
        return None


def _problem(engine: Engine, given: dict[str, str]) -> str:
    """What the form itself can tell is wrong; "" when nothing is."""
    if not cards.is_valid(cards.digits(given.get("card_number", ""))):
        return "Your card number is invalid."
    month, _, year = given.get("expiry", "12/34").replace(" ", "").partition("/")
    if not (month.isdigit() and year.isdigit() and 1 <= int(month) <= 12 and len(year) == 2):
        return "Your card's expiration date is invalid."
    today = datetime.fromtimestamp(engine.now(), UTC)
    if (2000 + int(year), int(month)) < (today.year, today.month):
        return "Your card's expiration date is in the past."
    cvc = given.get("cvc", "123")
    if not (cvc.isdigit() and 3 <= len(cvc) <= 4):
        return "Your card's security code is incomplete."
    return ""


def _success_url(session: Object) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _redirect(url: str) -> Answer:
    return Answer(303, b"", content_type="text/html; charset=utf-8", headers={"Location": url})


def _closed(session: Object) -> Answer:
    if session["status"] == "complete":
        return _notice(200, "Already paid", "This payment is complete.", back=_success_url(session))
    return _notice(200, "Page expired", "This payment page is no longer open.", back=session["cancel_url"])


def _notice(status: int, title: str, text: str, *, back: str | None = None) -> Answer:
    link = f'<p><a href="{escape(back)}">Back to {escape(urlsplit(back).netloc)}</a></p>' if back else ""
    return _html(status, title, f"<main><section><h1>{escape(title)}</h1><p>{escape(text)}</p>{link}</section></main>")


def _form(session: Object, given: dict[str, str] | None = None, problem: str = "") -> Answer:
    values = given or {}
    total = escape(amount_text(session["amount_total"], session["currency"]))
    items = "".join(_item(item) for item in session["_line_items"])
    alert = f'<p class="error" role="alert">{escape(problem)}</p>' if problem else ""

    def field(name: str, label: str, default: str, attributes: str) -> str:
        value = escape(values.get(name, default))
        entry = f'<input id="{name}" name="{name}" value="{value}" {attributes}>'
        return f'<div><label for="{name}">{label}</label>{entry}</div>'

    form = "".join(
        [
            field("email", "Email", session["_email"] or "", 'type="email" autocomplete="email"'),
            field(
                "card_number",
                "Card number",
                "",
                'inputmode="numeric" autocomplete="cc-number" placeholder="1234 1234 1234 1234" autofocus',
            ),
            '<div class="pair">',
            field("expiry", "Expiry (MM / YY)", "12 / 34", 'autocomplete="cc-exp"'),
            field("cvc", "Security code", "123", 'inputmode="numeric" autocomplete="cc-csc"'),
            "</div>",
            field("name", "Name on card", "", 'autocomplete="cc-name"'),
        ]
    )
    body = f"""<main><section class="order"><span class="test">Test mode</span>
<p class="hint">Total to pay</p><p class="total">{total}</p>{items}</section>
<section><h1>Pay by card</h1>{alert}<form method="post">{form}
<p class="hint cards">4242 4242 4242 4242 pays, 4000 0000 0000 0002 is declined.</p>
<button type="submit" name="action" value="pay">Pay {total}</button>
<button type="submit" name="action" value="cancel" class="quiet" formnovalidate>Cancel</button>
</form></section></main>"""
    return _html(402 if problem else 200, "Checkout", body)


def _item(item: Object) -> str:
    about = f"<p>{escape(item['_about'])}</p>" if item["_about"] else ""
    return (
        f'<div class="item"><div><strong>{escape(item["description"])}</strong>{about}'
        f"<p>Quantity {item['quantity']}</p></div>"
        f"<span>{escape(amount_text(item['amount_total'], item['currency']))}</span></div>"
    )


def _html(status: int, title: str, body: str) -> Answer:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>"
    )
    return Answer(
        status,
        page.encode(),
        content_type="text/html; charset=utf-8",
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": ("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        },
    )
