"""Addresses of the door besides allauth's, and in the place of some of them."""

from django.urls import path
from django.views.generic import RedirectView

from backoffice.accounts import views

urlpatterns = [
    # allauth would lead those who are signed in to its page of addresses, which is closed.
    path("", RedirectView.as_view(pattern_name="account_login"), name="account_home"),
    path("password/reset/", views.PasswordResetView.as_view(), name="account_reset_password"),
    path("2fa/totp/deactivate/", views.RemoveAppView.as_view(), name="mfa_deactivate_totp"),
    path("2fa/webauthn/keys/<int:pk>/remove/", views.RemovePasskeyView.as_view(), name="mfa_remove_webauthn"),
    path("invitation/", views.invitation, name="staff_invitation"),
    path("invitation/<str:token>/", views.invitation_link, name="staff_invitation_link"),
]
