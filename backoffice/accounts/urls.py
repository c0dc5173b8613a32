"""Addresses of the door besides allauth's, and in the place of one of them."""

from django.urls import path

from backoffice.accounts import views

urlpatterns = [
    path("password/reset/", views.PasswordResetView.as_view(), name="account_reset_password"),
    path("invitation/", views.invitation, name="staff_invitation"),
    path("invitation/<str:token>/", views.invitation_link, name="staff_invitation_link"),
]
