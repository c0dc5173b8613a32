"""Training, agreements, badges, offers and calendars of creators."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import backoffice.core.clock
import backoffice.core.ids
import backoffice.creators.models.onboarding
from backoffice.core.database import AppendOnlyTable


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_database_roles"),
        ("creators", "0003_verified_at"),
        ("media", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AvailabilityBlock",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("slot", "Open slot"),
                            ("blackout", "Not available"),
                            ("vacation", "Vacation"),
                            ("priority", "Priority slot"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                ("capacity", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="orders")),
                (
                    "premium_price_minor",
                    models.BigIntegerField(blank=True, null=True, verbose_name="price in this time"),
                ),
            ],
            options={
                "verbose_name": "availability block",
                "verbose_name_plural": "availability blocks",
                "ordering": ("starts_at",),
            },
        ),
        migrations.CreateModel(
            name="BadgeGrant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "badge",
                    models.CharField(
                        choices=[
                            ("verified", "Verified creator"),
                            ("community_leader", "Community leader"),
                            ("cultural_expert", "Cultural expert"),
                            ("diaspora_ambassador", "Diaspora ambassador"),
                        ],
                        max_length=24,
                        verbose_name="badge",
                    ),
                ),
                ("granted_at", models.DateTimeField(verbose_name="given")),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="taken back")),
            ],
            options={
                "verbose_name": "badge",
                "verbose_name_plural": "badges",
                "ordering": ("granted_at",),
            },
        ),
        migrations.CreateModel(
            name="CreatorAgreement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("version", models.CharField(max_length=20, verbose_name="version")),
                ("language", models.CharField(max_length=5, verbose_name="language")),
                ("signed_at", models.DateTimeField(verbose_name="signed")),
            ],
            options={
                "verbose_name": "creator agreement",
                "verbose_name_plural": "creator agreements",
                "ordering": ("-signed_at",),
            },
        ),
        migrations.CreateModel(
            name="OnboardingStep",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("profile", "Profile set up together"),
                            ("pricing", "Prices talked through"),
                            ("first_video", "First video watched and discussed"),
                            ("marketing", "Marketing material handed over"),
                            ("launch", "Launch announced"),
                        ],
                        max_length=24,
                    ),
                ),
                ("done_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "onboarding step",
                "verbose_name_plural": "onboarding steps",
            },
        ),
        migrations.CreateModel(
            name="ServiceOffering",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "occasions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("birthday", "Birthday"),
                                ("wedding", "Wedding"),
                                ("anniversary", "Anniversary"),
                                ("graduation", "Graduation"),
                                ("holiday", "Holiday"),
                                ("encouragement", "Encouragement"),
                                ("announcement", "Announcement"),
                                ("business", "Business"),
                                ("other", "Another occasion"),
                            ],
                            max_length=16,
                        ),
                        size=None,
                        verbose_name="occasions",
                    ),
                ),
                (
                    "length_seconds",
                    models.PositiveSmallIntegerField(
                        choices=[(30, "30 seconds"), (60, "1 minute"), (180, "3 minutes")], verbose_name="length"
                    ),
                ),
                (
                    "delivery_hours",
                    models.PositiveSmallIntegerField(
                        choices=[(24, "24 hours"), (72, "3 days"), (168, "7 days")], verbose_name="delivered within"
                    ),
                ),
                ("price_minor", models.BigIntegerField(verbose_name="price")),
                ("extra_recipient_minor", models.BigIntegerField(default=0, verbose_name="each further recipient")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "special_requests",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=[("song", "A song"), ("dance", "A dance")], max_length=8),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("corporate", models.BooleanField(default=False, verbose_name="for companies")),
                ("active", models.BooleanField(default=True, verbose_name="on offer")),
            ],
            options={
                "verbose_name": "offer",
                "verbose_name_plural": "offers",
                "ordering": ("corporate", "length_seconds", "delivery_hours"),
            },
        ),
        migrations.CreateModel(
            name="TrainingModule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("code", models.SlugField(max_length=60, unique=True, verbose_name="code")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("position", models.PositiveSmallIntegerField(default=1, verbose_name="position")),
                ("required", models.BooleanField(default=True, verbose_name="required")),
                ("is_active", models.BooleanField(default=True, editable=False, verbose_name="published")),
            ],
            options={
                "verbose_name": "training module",
                "verbose_name_plural": "training modules",
                "ordering": ("position", "code"),
            },
        ),
        migrations.CreateModel(
            name="TrainingProgress",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=backoffice.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(default=backoffice.core.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("not_started", "Not started"), ("in_progress", "Begun"), ("completed", "Completed")],
                        default="not_started",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("completed_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "verbose_name": "training progress",
                "verbose_name_plural": "training progress",
            },
        ),
        migrations.AddField(
            model_name="creator",
            name="availability_mode",
            field=models.CharField(
                choices=[
                    ("always", "Always"),
                    ("schedule", "In open slots"),
                    ("limited_capacity", "Up to a number a day or week"),
                    ("vacation", "On vacation"),
                    ("premium_only", "Premium orders only"),
                ],
                default="always",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="creator",
            name="daily_capacity",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="creator",
            name="onboarding_reminded_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="creator",
            name="response_hours",
            field=models.PositiveSmallIntegerField(default=72),
        ),
        migrations.AddField(
            model_name="creator",
            name="vacation_until",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="creator",
            name="weekly_capacity",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="creator",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("availability_mode", "vacation"), _negated=True),
                    ("vacation_until__isnull", False),
                    _connector="OR",
                ),
                name="creator_vacation_has_end",
            ),
        ),
        migrations.AddField(
            model_name="availabilityblock",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="availability", to="creators.creator"
            ),
        ),
        migrations.AddField(
            model_name="badgegrant",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="badges", to="creators.creator"
            ),
        ),
        migrations.AddField(
            model_name="badgegrant",
            name="granted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="given by",
            ),
        ),
        migrations.AddField(
            model_name="badgegrant",
            name="revoked_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="creatoragreement",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="agreements", to="creators.creator"
            ),
        ),
        migrations.AddField(
            model_name="creatoragreement",
            name="signed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="onboardingstep",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="onboarding_steps", to="creators.creator"
            ),
        ),
        migrations.AddField(
            model_name="onboardingstep",
            name="done_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="serviceoffering",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="offerings", to="creators.creator"
            ),
        ),
        migrations.AddField(
            model_name="trainingprogress",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="training", to="creators.creator"
            ),
        ),
        migrations.AddField(
            model_name="trainingprogress",
            name="module",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="progress", to="creators.trainingmodule"
            ),
        ),
        migrations.AddConstraint(
            model_name="availabilityblock",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="block_span"
            ),
        ),
        migrations.AddConstraint(
            model_name="availabilityblock",
            constraint=models.CheckConstraint(
                condition=models.Q(("premium_price_minor", None), ("premium_price_minor__gt", 0), _connector="OR"),
                name="block_price",
            ),
        ),
        migrations.AddConstraint(
            model_name="availabilityblock",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("creator", "="),
                    (
                        backoffice.creators.models.onboarding.TsTzRange(
                            "starts_at", "ends_at", django.contrib.postgres.fields.ranges.RangeBoundary()
                        ),
                        "&&",
                    ),
                ],
                name="block_no_overlap",
            ),
        ),
        migrations.AddConstraint(
            model_name="badgegrant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at", None)), fields=("creator", "badge"), name="badge_once_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="creatoragreement",
            constraint=models.UniqueConstraint(fields=("creator", "version"), name="agreement_once_per_version"),
        ),
        migrations.AddConstraint(
            model_name="onboardingstep",
            constraint=models.UniqueConstraint(fields=("creator", "code"), name="onboarding_step_once"),
        ),
        migrations.AddIndex(
            model_name="serviceoffering",
            index=models.Index(
                condition=models.Q(("active", True)),
                fields=["length_seconds", "currency", "price_minor"],
                name="offering_prices",
            ),
        ),
        migrations.AddConstraint(
            model_name="serviceoffering",
            constraint=models.UniqueConstraint(
                fields=("creator", "length_seconds", "delivery_hours", "corporate"), name="offering_once_per_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="serviceoffering",
            constraint=models.CheckConstraint(
                condition=models.Q(("extra_recipient_minor__gte", 0), ("price_minor__gt", 0)), name="offering_amounts"
            ),
        ),
        migrations.AddConstraint(
            model_name="serviceoffering",
            constraint=models.CheckConstraint(
                condition=models.Q(("occasions__len__gte", 1)), name="offering_has_occasion"
            ),
        ),
        migrations.AddConstraint(
            model_name="trainingprogress",
            constraint=models.UniqueConstraint(fields=("creator", "module"), name="training_once_per_module"),
        ),
        AppendOnlyTable("creators_creatoragreement"),
    ]
