"""How shares of an amount are rounded: integers only, half to even, so that no side gains over many sales."""

BASIS_POINTS = 10_000


def ratio(amount: int, numerator: int, denominator: int) -> int:
    """``amount * numerator / denominator`` in whole minor units, halves to the even neighbour."""
    whole, rest = divmod(abs(amount) * numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
        whole += 1
    return whole if amount >= 0 else -whole


def percent(amount: int, basis_points: int) -> int:
    """A percentage of an amount of minor units; 2500 basis points are 25 %."""
    return ratio(amount, basis_points, BASIS_POINTS)
