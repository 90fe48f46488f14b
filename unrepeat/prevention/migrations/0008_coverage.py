"""What today's guards and alert rules say to past outages, night by night."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('postmortems', '0005_related'),
        ('prevention', '0007_append_only'),
    ]

    operations = [
        migrations.CreateModel(
            name='Coverage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recording', models.CharField(max_length=120)),
                ('subject', models.CharField(max_length=300)),
                ('name', models.CharField(max_length=300)),
                ('outcome', models.CharField(max_length=10)),
                ('since', models.DateTimeField()),
                ('at', models.DateTimeField()),
                ('newest', models.BooleanField(default=True)),
                ('caught_before', models.BooleanField(default=False)),
                ('first_fired_at', models.DateTimeField(null=True)),
                ('lead_minutes', models.FloatField(null=True)),
                ('said', models.CharField(max_length=1000)),
                ('remedy', models.CharField(blank=True, max_length=1000)),
                ('guard', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='prevention.guard')),
                ('postmortem', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='coverage', to='postmortems.postmortem')),
            ],
            options={
                'db_table': 'prevention_coverage',
                'indexes': [models.Index(fields=['postmortem', 'subject', '-at'], name='coverage_history'), models.Index(condition=models.Q(('newest', True)), fields=['at'], name='coverage_at'), models.Index(condition=models.Q(('newest', True)), fields=['postmortem', 'outcome', 'caught_before'], name='coverage_counted')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('newest', True)), fields=('postmortem', 'recording', 'subject'), name='coverage_newest')],
            },
        ),
    ]
