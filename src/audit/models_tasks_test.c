/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks, signals, settings and templates by their names. */
#include "audit/models_tasks.c"

#include "audit/models_sample.h"

#include "unit.h"

TEST(tasks_have_their_callers_and_schedules)
{
	static const SampleFile files[] = {
		{ "shop/celery.py",
		  "from celery import Celery\napp = Celery('shop')\n"
		  "app.conf.beat_schedule = {'n': {'task': 'shop.tasks.nightly', 'schedule': crontab(hour=3)}}\n" },
		{ "shop/jobs.py", "from django_rq import job\n@job('low')\ndef slow(): pass\n" },
		{ "shop/management/commands/clean.py",
		  "class Command(BaseCommand):\n    def handle(self): pass\n" },
		{ "shop/tasks.py", "from celery import shared_task\nfrom shop.celery import app\n"
		                   "@shared_task\ndef nightly(): pass\n"
		                   "@app.task(name='mail.send')\ndef send(): pass\n"
		                   "@other.thing\ndef no(): pass\n" },
		{ "web/views.py",
		  "from shop.tasks import nightly, send\nfrom shop import jobs\n"
		  "def f(q):\n    nightly.delay()\n    send.apply_async()\n    q.enqueue(jobs.slow, 1)\n"
		  "    app.send_task('mail.send')\n    nightly()\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);
	static const struct {
		const char *name, *schedule;
		TaskKind kind;
		uint32_t calls, callers;
	} want[] = { { "shop.jobs.slow", "", TASK_RQ, 1, 1 },
		     { "clean", "", TASK_COMMAND, 0, 0 },
		     { "shop.tasks.nightly", "crontab(hour=3)", TASK_CELERY, 1, 1 },
		     { "mail.send", "", TASK_CELERY, 2, 1 } };

	CHECK_INT(m->task_count, COUNT(want));
	for (size_t i = 0; i < COUNT(want) && i < m->task_count; i++) {
		CHECK_STR(m->tasks[i].name, str_of(want[i].name));
		CHECK_STR(m->tasks[i].schedule, str_of(want[i].schedule));
		CHECK_INT(m->tasks[i].kind, want[i].kind);
		CHECK_INT(m->tasks[i].calls, want[i].calls);
		CHECK_INT(m->tasks[i].callers, want[i].callers);
	}
}

TEST(signals_know_who_sends_them)
{
	static const SampleFile files[] = {
		{ "shop/models.py",
		  "from django.db import models\nclass Order(models.Model): pass\n" },
		{ "shop/signals.py",
		  "from django.dispatch import Signal\npaid = Signal()\ndef pay():\n    paid.send(sender=None)\n" },
		{ "web/apps.py",
		  "from shop.signals import paid\nfrom django.db.models.signals import post_save, post_delete\n"
		  "from shop.models import Order\nfrom django.dispatch import receiver\n"
		  "@receiver(paid)\ndef a(**kw): pass\n"
		  "@receiver([post_save, post_delete], sender=Order)\ndef b(**kw): pass\n"
		  "def c(**kw): pass\npaid.connect(c)\nsocket.connect(c)\nqueue.send(1)\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);
	static const struct {
		const char *name;
		uint32_t sends, line;
		bool known;
	} want[] = { { "shop.signals.paid", 1, 5, true },
		     { "django.db.models.signals.post_save", 0, 7, true },
		     { "django.db.models.signals.post_delete", 0, 7, true },
		     { "shop.signals.paid", 1, 9, true } };

	CHECK_INT(m->signal_count, COUNT(want));
	for (size_t i = 0; i < COUNT(want) && i < m->signal_count; i++) {
		CHECK_STR(m->signals[i].name, str_of(want[i].name));
		CHECK_INT(m->signals[i].sends, want[i].sends);
		CHECK_INT(m->signals[i].receiver.line, want[i].line);
		CHECK_STR(model_package_name(m, m->signals[i].from), S("shop"));
	}
}

TEST(settings_are_counted_by_their_readers)
{
	static const SampleFile files[] = {
		{ "a/settings.py", "import os\nDEBUG = True\nKEY = os.environ['KEY']\n" },
		{ "b/x.py",
		  "from django.conf import settings\nimport os\nx = settings.DEBUG or getattr(settings, 'MORE', 1)\n"
		  "y = os.environ.get('HOME')\nz = settings.lower\n" },
		{ "c/y.py", "from django.conf import settings\nx = settings.DEBUG\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);
	Str all = S("");

	for (uint32_t i = 0; i < m->setting_count; i++)
		all = str_fmt(a, "%.*s%.*s %u %u %d\n", STR_ARG(all), STR_ARG(m->settings[i].name),
		              m->settings[i].reads, m->settings[i].packages,
		              m->settings[i].defined);
	CHECK_STR(all, S("DEBUG 2 2 1\nKEY 0 0 1\nenv:KEY 1 1 0\nMORE 1 1 0\nenv:HOME 1 1 0\n"));
}

TEST(templates_are_known_by_name)
{
	static const SampleFile files[] = {
		{ "a/views.py",
		  "def f(request):\n    render(request, 'a/x.html')\n    render_to_string('a/y.txt')\n"
		  "    send(html_email_template_name='a/m.html')\n    render(request, name)\n"
		  "class V:\n    template_name = 'a/x.html'\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);

	CHECK_INT(m->template_count, 3);
	CHECK_STR(m->templates[0].name, S("a/x.html"));
	CHECK_INT(m->templates[0].uses, 2);
	CHECK_STR(m->templates[2].name, S("a/m.html"));
}
