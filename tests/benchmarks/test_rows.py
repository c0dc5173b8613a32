import pytest
from django.db import IntegrityError, transaction

from backoffice.accounts.models import User
from benchmarks.rows import multiply
from tests.factories.accounts import member

pytestmark = pytest.mark.django_db


def test_copies_differ_where_told_and_nowhere_else() -> None:
    first = member(language="ht", country="HT")
    multiply(first, 50, id="uuidv7()", email="'copy' || n || '@example.com'", display_name="'Copy ' || n")
    copies = User.objects.filter(display_name__startswith="Copy ")
    assert copies.count() == 50
    assert set(copies.values_list("language", "country")) == {("ht", "HT")}
    assert copies.get(email="copy50@example.com").display_name == "Copy 50"


def test_copies_obey_the_constraints_of_the_table() -> None:
    first = member()
    with pytest.raises(IntegrityError), transaction.atomic():
        multiply(first, 2, id="uuidv7()", display_name="'Copy ' || n")
