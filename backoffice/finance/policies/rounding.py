"""How shares of an amount are rounded: integers only, halves away from zero.

That is how processors round, and what the worked example asks for: 2.9 % of 5.00 is 0.15 (05-numbers).
"""

BASIS_POINTS = 10_000


def ratio(amount: int, numerator: int, denominator: int) -> int:
    """``amount * numerator / denominator`` in whole minor units, halves away from zero."""
    whole, rest = divmod(abs(amount) * numerator, denominator)
    if 2 * rest >= denominator:
        whole += 1
    return whole if amount >= 0 else -whole


def percent(amount: int, basis_points: int) -> int:
    """A percentage of an amount of minor units; 2500 basis points are 25 %."""
    return ratio(amount, basis_points, BASIS_POINTS)
