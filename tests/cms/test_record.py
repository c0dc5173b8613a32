"""What editors do in Wagtail is on record, with who did it, once, by whatever way they did it."""

from collections.abc import Callable
from io import BytesIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Pillow
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.models import Collection, GroupCollectionPermission

from backoffice.accounts.models import User
from backoffice.audit.models import AuditEntry
from cms.help.models import HelpIndexPage
from tests.factories.accounts import sign_in, staff

pytestmark = pytest.mark.django_db

PICTURE, FILE = "wagtailimages.image", "wagtaildocs.document"
type Made = Image | Document
type Since = Callable[[], list[tuple[str, str, str, str, User | None]]]


def content(kind: str) -> bytes:
    if kind == FILE:
        return b"words"
    out = BytesIO()
    Pillow.new("RGB", (4, 4), "navy").save(out, "PNG")
    return out.getvalue()


def upload(kind: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("sea.png" if kind == PICTURE else "sea.txt", content(kind))


def kept(kind: str, title: str = "Sea") -> Made:
    """One that is there already, put there by nobody: its own row of the log is dropped from the count."""
    model = Image if kind == PICTURE else Document
    given = {"width": 4, "height": 4} if kind == PICTURE else {}
    made: Made = model.objects.create(title=title, file=ContentFile(content(kind), name="sea.png"), **given)
    return made


def name(kind: str, view: str) -> str:
    return f"{'wagtailimages' if kind == PICTURE else 'wagtaildocs'}{view}"


@pytest.fixture
def editor(client: Client) -> User:
    """An editor who may keep pictures and files, which Wagtail grants by collection."""
    person = staff("editor")
    group, root = Group.objects.get(name="editor"), Collection.get_first_root_node()
    for right in Permission.objects.filter(content_type__app_label__in=("wagtailimages", "wagtaildocs")):
        GroupCollectionPermission.objects.create(group=group, collection=root, permission=right)
    sign_in(client, person)
    return person


@pytest.fixture
def since() -> Since:
    """What came on record about pictures, files and pages since this was asked last, oldest first."""
    seen = set(AuditEntry.objects.values_list("pk", flat=True))

    def read() -> list[tuple[str, str, str, str, User | None]]:
        found = [
            row for row in AuditEntry.objects.filter(action__startswith="cms.").order_by("id") if row.pk not in seen
        ]
        seen.update(row.pk for row in found)
        return [(row.action, row.subject_type, row.subject_id, row.subject_label, row.actor) for row in found]

    return read


def test_every_action_on_a_page_is_on_record_with_who_did_it(client: Client, editor: User) -> None:
    page = HelpIndexPage.objects.first()
    assert page is not None
    client.post(reverse("wagtailadmin_pages:unpublish", args=[page.pk]))
    page.refresh_from_db()
    assert page.live is False
    entry = AuditEntry.objects.get(action="cms.unpublish")
    assert entry.actor == editor
    assert (entry.data["kind"], entry.data["key"], entry.data["title"]) == (
        "cms.helpindexpage",
        str(page.pk),
        page.title,
    )
    assert (entry.subject_type, entry.subject_id) == ("cms.helpindexpage", str(page.pk))
    assert entry.subject_label.startswith(page.title)


def test_a_page_has_its_history_and_the_history_leads_to_the_page(client: Client, editor: User) -> None:
    page = HelpIndexPage.objects.first()
    assert page is not None
    client.post(reverse("wagtailadmin_pages:unpublish", args=[page.pk]))
    sign_in(client, staff("super_admin"))
    history = client.get(reverse("desk:audit_object", args=["cms.helpindexpage", str(page.pk)])).content.decode()
    assert editor.display_name in history
    assert reverse("wagtailadmin_pages:edit", args=[page.pk]) in history


@pytest.mark.parametrize("kind", [PICTURE, FILE])
def test_one_upload_is_one_row(client: Client, editor: User, since: Since, kind: str) -> None:
    data = {"title": "Sea", "file": upload(kind), "collection": Collection.get_first_root_node().pk}
    if kind == PICTURE:
        data["description"] = "The sea"
    assert client.post(reverse(name(kind, ":add")), data).status_code == 302
    made = (Image if kind == PICTURE else Document).objects.get()
    assert since() == [("cms.create", kind, str(made.pk), "Sea", editor)]


@pytest.mark.parametrize("kind", [PICTURE, FILE])
def test_an_upload_among_several_and_its_title_and_its_end(
    client: Client, editor: User, since: Since, kind: str
) -> None:
    answer = client.post(reverse(name(kind, ":add_multiple")), {"title": "Sea", "files[]": upload(kind)})
    assert answer.json()["success"]
    made = (Image if kind == PICTURE else Document).objects.get()
    assert since() == [("cms.create", kind, str(made.pk), "Sea", editor)]

    prefix = "image" if kind == PICTURE else "doc"
    changed = {f"{prefix}-{made.pk}-title": "Ocean", f"{prefix}-{made.pk}-tags": "blue"}
    answer = client.post(reverse(name(kind, ":edit_multiple"), args=[made.pk]), changed)
    assert answer.json()["success"]
    assert since() == [("cms.edit", kind, str(made.pk), "Ocean", editor)]

    assert client.post(reverse(name(kind, ":delete_multiple"), args=[made.pk])).json()["success"]
    assert since() == [("cms.delete", kind, str(made.pk), "Ocean", editor)]


@pytest.mark.parametrize("kind", [PICTURE, FILE])
def test_an_upload_while_choosing_is_on_record(client: Client, editor: User, since: Since, kind: str) -> None:
    prefix = "image" if kind == PICTURE else "document"
    given = {f"{prefix}-chooser-upload-title": "Sea", f"{prefix}-chooser-upload-file": upload(kind)}
    assert client.post(reverse(name(kind, "_chooser:create")), given).json()["step"] == "chosen"
    made = (Image if kind == PICTURE else Document).objects.get()
    assert since() == [("cms.create", kind, str(made.pk), "Sea", editor)]


@pytest.mark.parametrize("kind", [PICTURE, FILE])
def test_an_edit_and_a_deletion_are_one_row_each(client: Client, editor: User, since: Since, kind: str) -> None:
    made = kept(kind)
    since()
    given = {"title": "Ocean", "collection": made.collection_id, "tags": "blue"}
    assert client.post(reverse(name(kind, ":edit"), args=[made.pk]), given).status_code == 302
    assert since() == [("cms.edit", kind, str(made.pk), "Ocean", editor)]
    assert client.post(reverse(name(kind, ":delete"), args=[made.pk])).status_code == 302
    assert since() == [("cms.delete", kind, str(made.pk), "Ocean", editor)]


@pytest.mark.parametrize("kind", [PICTURE, FILE])
def test_each_of_what_is_deleted_together_is_on_record(client: Client, editor: User, since: Since, kind: str) -> None:
    made = [kept(kind, "Sea"), kept(kind, "Shore")]
    since()
    app, model = kind.split(".")
    where = reverse("wagtail_bulk_action", args=[app, model, "delete"])
    client.post(f"{where}?id={made[0].pk}&id={made[1].pk}")
    assert not type(made[0]).objects.exists()
    assert sorted(since()) == sorted(("cms.delete", kind, str(row.pk), row.title, editor) for row in made)


@pytest.mark.parametrize("kind", [PICTURE, FILE])
def test_each_of_what_is_tagged_together_is_on_record(client: Client, editor: User, since: Since, kind: str) -> None:
    made = kept(kind)
    since()
    app, model = kind.split(".")
    client.post(f"{reverse('wagtail_bulk_action', args=[app, model, 'add_tags'])}?id={made.pk}", {"tags": "blue"})
    assert [tag.name for tag in made.tags.all()] == ["blue"]
    assert since() == [("cms.edit", kind, str(made.pk), "Sea", editor)]
    assert AuditEntry.objects.latest("id").data["how"] == "add_tags"


def test_what_wagtail_works_out_while_reading_is_nobodys_action(since: Since) -> None:
    made = kept(FILE)
    assert [(action, actor) for action, _kind, _key, _label, actor in since()] == [("cms.create", None)]
    Document.objects.filter(pk=made.pk).update(file_hash="", file_size=None)
    made.refresh_from_db()
    assert made.get_file_hash()
    assert made.get_file_size() == 5
    assert since() == []
