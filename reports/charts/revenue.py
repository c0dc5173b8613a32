"""Revenue frames into Plotly figures as plain dictionaries (K-001, K-006).

Written out instead of built by plotly.express: a thousand times faster and without the default template.
Colours are names of CSS variables; the page's script puts in the values of the theme that is on.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

# Each series with the sign that it is drawn with and the colour variable.
SERIES: Final = (
    ("creators", 1, "--bl-chart-1"),
    ("commission", 1, "--bl-chart-2"),
    ("fees", 1, "--bl-chart-3"),
    ("refunds", -1, "--bl-chart-4"),
)
BEFORE_COLOUR: Final = "--bl-chart-5"
LONGEST_NAME: Final = 22  # characters


def over_time(
    frame: pd.DataFrame,
    *,
    currency: str,
    exponent: int,
    labels: Mapping[str, str],
    before: Sequence[int] = (),
) -> dict[str, Any]:
    """Stacked bars of where the money of each period went, refunds below the line.

    `frame` is `frames.revenue.table`; `exponent` the number of decimals of `currency`; `labels` the names
    of the series and of "before" in the reader's language; `before` the GMV of the comparison
    period, bucket by bucket, in minor units. Amounts leave as exact decimal strings, never as floats.
    """
    lines = frame.xs(currency, level="currency")
    periods = [_iso(period) for period in lines.index]
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": labels[measure],
            "x": periods,
            "y": [decimal(sign * int(amount), exponent) for amount in lines[measure]],
            "marker": {"color": colour},
            "hovertemplate": "%{y} " + currency,
        }
        for measure, sign, colour in SERIES
    ]
    if before:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": labels["before"],
                "x": periods,
                "y": [decimal(amount, exponent) for amount in before[: len(periods)]],
                "line": {"color": BEFORE_COLOUR, "dash": "dot", "width": 2},
                "hovertemplate": "%{y} " + currency,
            }
        )
    return {"data": data, "layout": _layout("", currency, stacked=True)}


def by_key(
    frame: pd.DataFrame,
    *,
    currency: str,
    exponent: int,
    names: Mapping[str, str],
    labels: Mapping[str, str],
    most: int = 10,
) -> dict[str, Any]:
    """Horizontal bars of the `most` largest keys of `frames.revenue.breakdown`, the largest on top.

    `names` gives the text of each key; a key without one is shown as it is.
    """
    lines = frame.xs(currency, level="currency").head(most).iloc[::-1]
    layout = _layout(currency, "", stacked=False)
    # Categories are keys, which are unique; two creators of one name must not become one bar.
    keys = [str(key) for key in lines.index]
    layout["yaxis"] |= {
        "type": "category",
        "tickvals": keys,
        "ticktext": [_short(names.get(key, key)) for key in keys],
    }
    layout["xaxis"] |= {"type": "linear"}
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": labels["gmv"],
                "y": keys,
                "x": [decimal(int(amount), exponent) for amount in lines["gmv"]],
                "marker": {"color": SERIES[0][2]},
                # One bar alone would fill the whole chart.
                "width": min(0.7, 0.1 + 0.12 * len(keys)),
                "hovertemplate": "%{x} " + currency + "<extra></extra>",
            }
        ],
        "layout": layout,
    }


def decimal(minor: int, exponent: int) -> str:
    """Minor units as an exact decimal string with a point: decimal(-5, 2) is "-0.05"."""
    sign = "-" if minor < 0 else ""
    digits = str(abs(minor)).rjust(exponent + 1, "0")
    return sign + (f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits)


def _layout(x_title: str, y_title: str, *, stacked: bool) -> dict[str, Any]:
    return {
        "barmode": "relative" if stacked else "group",
        "hovermode": "x unified" if stacked else "closest",
        "showlegend": stacked,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": {"type": "date" if stacked else "-", "title": {"text": x_title}, "automargin": True},
        "yaxis": {"type": "linear", "title": {"text": y_title}, "automargin": True},
    }


def _short(text: str) -> str:
    # The axis takes its room from the bars; the table beside the chart has the whole name.
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1].rstrip() + "…"


def _iso(period: Any) -> str:
    return period.isoformat() if isinstance(period, dt.date) else str(period)
