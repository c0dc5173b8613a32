from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("creators", "0007_names_of_tax_and_holds")]

    operations = [
        migrations.AddField(
            model_name="creatorapplication",
            name="identity_failed",
            field=models.BooleanField(db_default=False, default=False, verbose_name="ID check failed"),
        ),
    ]
