from benchmarks import measuring
from benchmarks.measuring import Result


def test_sides_are_measured_in_turn_after_warming_up_and_begin_alternately() -> None:
    calls: list[str] = []

    def side(name: str, value: float) -> float:
        calls.append(name)
        return value

    found = measuring.in_turn(3, lambda: side("a", 1.0), lambda: side("b", 2.0))
    assert found == [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"


def test_a_ratio_is_the_median_of_pairs_so_that_one_slow_round_does_not_decide() -> None:
    assert measuring.ratio([2.0, 40.0, 2.2], [1.0, 1.0, 1.1]) == 2.0


def test_the_page_has_one_line_per_result_with_its_meaning() -> None:
    result = Result("Next item", "1.00 ms", "0.50 ms", "bare SQL", 2.0, "lower is better", "2 at most", "what it adds.")
    page = measuring.page([result], {"Python": "3.13"})
    assert "| Python | 3.13 |" in page
    assert "| Next item | 1.00 ms | bare SQL | 0.50 ms | **2.00** (lower is better) | 2 at most |" in page
    assert "- Next item: what it adds." in page
