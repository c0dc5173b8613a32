"""Reply templates: list and form (E-067)."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.core.errors import Invalid, NotFound
from backoffice.desk.screens import StaffRequest, render, screen
from backoffice.support import policies
from backoffice.support.models import ResponseTemplate
from backoffice.support.services import templates


class TemplateForm(forms.ModelForm[ResponseTemplate]):
    """A reply template; the service checks the placeholders and writes."""

    class Meta:
        model = ResponseTemplate
        fields = ("code", "language", "category", "subject", "body", "active")
        widgets: ClassVar[dict[str, Any]] = {"body": forms.Textarea(attrs={"rows": 12})}


@screen(permission="tickets.view", title=gettext_lazy("Reply templates"), methods=("GET", "HEAD"))
def template_list(request: StaffRequest) -> HttpResponse:
    """Every reply template."""
    return render(
        request,
        "desk/support/templates/list.html",
        {"templates": list(ResponseTemplate.objects.all()), "may_edit": request.user.may("tickets.edit")},
    )


@screen(permission="tickets.edit", title=gettext_lazy("New reply template"))
def template_new(request: StaffRequest) -> HttpResponse:
    """The form of a new template."""
    return _form(request, None)


@screen(permission="tickets.edit", title=gettext_lazy("Reply template"))
def template_edit(request: StaffRequest, template_id: UUID) -> HttpResponse:
    """The form of an existing template."""
    found = ResponseTemplate.objects.filter(pk=template_id).first()
    if found is None:
        raise NotFound(_("There is no such template."))
    return _form(request, found)


def _form(request: StaffRequest, template: ResponseTemplate | None) -> HttpResponse:
    form = TemplateForm(request.POST or None, instance=template)
    if request.method == "POST" and form.is_valid():
        try:
            saved = templates.save(
                by=request.user,
                template=ResponseTemplate.objects.get(pk=template.pk) if template is not None else None,
                **form.cleaned_data,
            )
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else None, ValidationError(str(error)))
        else:
            messages.success(request, _("“%(code)s” was saved.") % {"code": saved.code})
            return redirect("desk:response_template_list")
    return render(
        request,
        "desk/support/templates/form.html",
        {"form": form, "template": template, "placeholders": policies.PLACEHOLDERS},
        status=400 if form.errors else 200,
    )


urlpatterns = [
    path("templates/", template_list, name="response_template_list"),
    path("templates/new/", template_new, name="response_template_new"),
    path("templates/<uuid:template_id>/", template_edit, name="response_template"),
]
