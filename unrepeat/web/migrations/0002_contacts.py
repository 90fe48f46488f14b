"""The people there are become reachable under their names."""

from django.db import migrations


def fill(apps, schema_editor):
    """Each account that may sign in and has an address, once."""
    contact = apps.get_model("duty", "Contact")
    for user in apps.get_model("web", "User").objects.filter(is_active=True).exclude(email=""):
        contact.objects.get_or_create(name=user.username, defaults={"email": user.email})


class Migration(migrations.Migration):
    """Fills duty_contact from web_user."""

    dependencies = [("web", "0001_initial"), ("duty", "0002_contacts")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
