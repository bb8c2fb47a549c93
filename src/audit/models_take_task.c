/* SPDX-License-Identifier: Apache-2.0
 *
 * What runs without being called where it stands: tasks of queues and their schedules, receivers of signals; and what is known by its name
 * only: templates, settings. As it is written; models_tasks.c finds out whose it is. */
#include "audit/models_take.h"

#include "base/arena.h"

enum { ENTRIES_MOST = 32 }; /* of a schedule's dictionary */

/* --- tasks ---------------------------------------------------------------------------------------------------------------------- */

static TaskFact *add_task(Take *t, TaskFactKind kind, uint32_t node)
{
	TaskFact *task = TAKE_ADD(t->a, t->out->tasks, t->out->task_count);

	*task = (TaskFact){ .kind = (uint8_t)kind, .unit = t->unit, .line = t->s->at[node].line };
	return task;
}

static void add_signal(Take *t, SignalFact signal)
{
	signal.signal = str_dup(t->a, signal.signal);
	signal.sender = str_dup(t->a, signal.sender);
	signal.receiver = str_dup(t->a, signal.receiver);
	*TAKE_ADD(t->a, t->out->signals, t->out->signal_count) = signal;
}

/* @receiver(post_save, sender=Order), @receiver([a, b]) */
static void received(Take *t, uint32_t call, uint32_t unit)
{
	const Syntax *s = t->s;
	uint32_t what = syntax_argument(s, call, 0), sender = syntax_keyword(s, call, S("sender"));
	SignalFact signal = { .unit = unit, .line = s->at[call].line, .kind = SIGNAL_RECEIVED };
	Str text;

	if (what == SYNTAX_NONE)
		return;
	if (sender != SYNTAX_NONE)
		signal.sender =
			syntax_literal(t->a, s, sender, &text) ? text : syntax_dotted(s, sender);
	signal.signal = syntax_dotted(s, what);
	if (signal.signal.len)
		add_signal(t, signal);
	if (s->at[what].kind != PY_LIST && s->at[what].kind != PY_TUPLE)
		return;
	for (uint32_t i = what + 1; i < s->at[what].end; i = s->at[i].end) {
		signal.signal = syntax_dotted(s, i);
		if (signal.signal.len)
			add_signal(t, signal);
	}
}

static bool is_task_word(Str last)
{
	static const char *const words[] = {
		"task",  "shared_task", "periodic_task",    "job",
		"actor", "db_task",     "db_periodic_task", "on_commit_task"
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (str_eq(last, str_of(words[i])))
			return true;
	return false;
}

void take_task_decorator(Take *t, uint32_t node, uint32_t unit)
{
	const Syntax *s = t->s;
	bool is_call = s->at[node].kind == PY_CALL;
	Str dotted = is_call ? syntax_callee(s, node) : syntax_dotted(s, node),
	    last = name_last(dotted);
	TaskFact *task;
	uint32_t schedule;

	if (is_call && str_eq(last, S("receiver")))
		received(t, node, unit);
	if (!is_task_word(last))
		return;
	task = add_task(t, TASK_DEFINED, node);
	task->unit = unit;
	task->on = str_dup(t->a, dotted);
	if (!is_call)
		return;
	if (!syntax_literal(t->a, s, syntax_keyword(s, node, S("name")), &task->name))
		task->name = S("");
	schedule = syntax_keyword(s, node, S("run_every"));
	if (schedule == SYNTAX_NONE && str_ends(last, S("periodic_task")))
		schedule = syntax_argument(s, node, 0);
	if (schedule != SYNTAX_NONE)
		task->schedule = syntax_short(t->a, s, schedule);
}

static Str object_text(const Syntax *s, uint32_t call)
{
	uint32_t function = syntax_child(s, call, PY_F_FUNCTION);
	uint32_t object =
		function == SYNTAX_NONE ? SYNTAX_NONE : syntax_child(s, function, PY_F_OBJECT);

	return object == SYNTAX_NONE ? S("") : syntax_dotted(s, object);
}

static void called(Take *t, uint32_t call, Str on)
{
	if (on.len && !str_eq(on, S("self")))
		add_task(t, TASK_CALLED, call)->on = str_dup(t->a, on);
}

/* app.add_periodic_task(30.0, clean.s()) */
static void periodic(Take *t, uint32_t call)
{
	const Syntax *s = t->s;
	uint32_t when = syntax_argument(s, call, 0), what = syntax_argument(s, call, 1);
	TaskFact *task;

	if (when == SYNTAX_NONE || what == SYNTAX_NONE)
		return;
	task = add_task(t, TASK_SCHEDULED, call);
	task->schedule = syntax_short(t->a, s, when);
	task->on = str_dup(t->a, s->at[what].kind == PY_CALL ? object_text(s, what)
	                                                     : syntax_dotted(s, what));
}

static void connected(Take *t, uint32_t call)
{
	const Syntax *s = t->s;
	uint32_t receiver = syntax_argument(s, call, 0),
		 sender = syntax_keyword(s, call, S("sender"));
	Str signal = object_text(s, call), text;
	SignalFact fact = {
		.signal = signal, .unit = t->unit, .line = s->at[call].line, .kind = SIGNAL_RECEIVED
	};

	if (receiver == SYNTAX_NONE)
		receiver = syntax_keyword(s, call, S("receiver"));
	if (!signal.len || receiver == SYNTAX_NONE || !syntax_dotted(s, receiver).len)
		return;
	fact.receiver = syntax_dotted(s, receiver);
	if (sender != SYNTAX_NONE)
		fact.sender =
			syntax_literal(t->a, s, sender, &text) ? text : syntax_dotted(s, sender);
	add_signal(t, fact);
}

static void enqueued(Take *t, uint32_t call, uint32_t n)
{
	uint32_t what = syntax_argument(t->s, call, n);
	Str text;

	if (what == SYNTAX_NONE)
		return;
	called(t, call, syntax_literal(t->a, t->s, what, &text) ? text : syntax_dotted(t->s, what));
}

static void sent(Take *t, uint32_t call)
{
	const Syntax *s = t->s;
	uint32_t sender = syntax_keyword(s, call, S("sender"));

	add_signal(t,
	           (SignalFact){ .signal = object_text(s, call),
	                         .unit = t->unit,
	                         .line = s->at[call].line,
	                         .sender = sender == SYNTAX_NONE ? S("") : syntax_dotted(s, sender),
	                         .kind = SIGNAL_SENT });
}

typedef enum TaskWord {
	WORD_DELAY,
	WORD_ENQUEUE,
	WORD_ENQUEUE_AT,
	WORD_PERIODIC,
	WORD_CONNECT,
	WORD_SEND
} TaskWord;
static const struct {
	const char *name;
	TaskWord word;
} task_words[] = {
	{ "delay", WORD_DELAY },
	{ "apply_async", WORD_DELAY },
	{ "si", WORD_DELAY },
	{ "s", WORD_DELAY },
	{ "delay_on_commit", WORD_DELAY },
	{ "send_with_options", WORD_DELAY },
	{ "send_task", WORD_ENQUEUE },
	{ "enqueue", WORD_ENQUEUE },
	{ "enqueue_call", WORD_ENQUEUE },
	{ "enqueue_at", WORD_ENQUEUE_AT },
	{ "enqueue_in", WORD_ENQUEUE_AT },
	{ "add_periodic_task", WORD_PERIODIC },
	{ "connect", WORD_CONNECT },
	{ "send", WORD_SEND },
	{ "send_robust", WORD_SEND },
	{ "asend", WORD_SEND },
};

void take_task_call(Take *t, uint32_t call, Str last)
{
	size_t i = 0;

	while (i < COUNT(task_words) && !str_eq(last, str_of(task_words[i].name)))
		i++;
	if (i == COUNT(task_words))
		return;
	switch (task_words[i].word) {
	case WORD_DELAY:
		called(t, call, object_text(t->s, call));
		break;
	case WORD_ENQUEUE:
		enqueued(t, call, 0);
		break;
	case WORD_ENQUEUE_AT:
		enqueued(t, call, 1);
		break;
	case WORD_PERIODIC:
		periodic(t, call);
		break;
	case WORD_CONNECT:
		connected(t, call);
		break;
	case WORD_SEND:
		if (object_text(t->s, call).len) {
			sent(t, call);
			called(t, call, object_text(t->s, call));
		}
		break;
	}
}

/* {"task": "shop.tasks.clean", "schedule": crontab(hour=3)} */
void take_schedule_pair(Take *t, uint32_t pair)
{
	const Syntax *s = t->s;
	uint32_t key = syntax_child(s, pair, PY_F_KEY), dictionary = s->at[pair].parent;
	Str text, name;
	TaskFact *task;

	if (key == SYNTAX_NONE || s->at[key].kind != PY_STRING ||
	    s->at[key].to - s->at[key].from > 8 || !syntax_literal(t->a, s, key, &text) ||
	    !str_eq(text, S("task")) ||
	    !syntax_literal(t->a, s, syntax_child(s, pair, PY_F_VALUE), &name))
		return;
	task = add_task(t, TASK_SCHEDULED, pair);
	task->on = name;
	for (uint32_t i = dictionary + 1, n = 0; i < s->at[dictionary].end && n < ENTRIES_MOST;
	     i = s->at[i].end, n++)
		if (s->at[i].kind == PY_PAIR &&
		    syntax_literal(t->a, s, syntax_child(s, i, PY_F_KEY), &text) &&
		    str_eq(text, S("schedule")) && syntax_child(s, i, PY_F_VALUE) != SYNTAX_NONE)
			task->schedule = syntax_short(t->a, s, syntax_child(s, i, PY_F_VALUE));
}

/* --- names ----------------------------------------------------------------------------------------------------------------------- */

static void add_name(Take *t, NameFactKind kind, Str name, uint32_t node)
{
	*TAKE_ADD(t->a, t->out->names, t->out->name_count) =
		(NameFact){ .name = str_dup(t->a, name),
		            .unit = t->unit,
		            .line = t->s->at[node].line,
		            .kind = (uint8_t)kind };
}

static void template_text(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	Str text;

	if (node == SYNTAX_NONE)
		return;
	if (s->at[node].kind == PY_LIST || s->at[node].kind == PY_TUPLE) {
		for (uint32_t i = node + 1; i < s->at[node].end; i = s->at[i].end)
			if (syntax_literal(t->a, s, i, &text) && str_find_char(text, '.') > 0)
				add_name(t, NAME_TEMPLATE, text, i);
	} else if (syntax_literal(t->a, s, node, &text) && str_find_char(text, '.') > 0) {
		add_name(t, NAME_TEMPLATE, text, node);
	}
}

static bool is_template_name(Str name)
{
	return str_ends(name, S("template_name")) || str_eq(name, S("template")) ||
	       str_ends(name, S("_template"));
}

static void template_keywords(Take *t, uint32_t call)
{
	uint32_t list = syntax_child(t->s, call, PY_F_ARGUMENTS);

	for (uint32_t i = list + 1; list != SYNTAX_NONE && i < t->s->at[list].end;
	     i = t->s->at[i].end)
		if (t->s->at[i].kind == PY_KEYWORD_ARGUMENT &&
		    is_template_name(syntax_text(t->s, i + 1)))
			template_text(t, syntax_child(t->s, i, PY_F_VALUE));
}

static void environment(Take *t, uint32_t node)
{
	Str text;

	if (syntax_literal(t->a, t->s, node, &text) && is_upper_name(text))
		add_name(t, NAME_SETTING, str_fmt(t->a, "env:%.*s", STR_ARG(text)), node);
}

static const struct {
	const char *name;
	uint8_t argument;
} template_calls[] = {
	{ "render", 1 },
	{ "render_to_string", 0 },
	{ "get_template", 0 },
	{ "select_template", 0 },
	{ "TemplateResponse", 1 },
	{ "render_template", 0 },
	{ "render_to_response", 0 },
	{ "TemplateResponse", 0 },
	{ "get_or_select_template", 0 },
};

void take_name_call(Take *t, uint32_t call, Str last)
{
	const Syntax *s = t->s;
	Str object, text;

	template_keywords(t, call);
	for (size_t i = 0; i < COUNT(template_calls); i++)
		if (str_eq(last, str_of(template_calls[i].name)))
			template_text(t, syntax_argument(s, call, template_calls[i].argument));
	if (str_eq(last, S("getenv")) ||
	    (str_eq(last, S("get")) && str_ends(object_text(s, call), S("environ"))))
		environment(t, syntax_argument(s, call, 0));
	if (!str_eq(last, S("getattr")) || syntax_argument(s, call, 0) == SYNTAX_NONE)
		return;
	object = syntax_dotted(s, syntax_argument(s, call, 0));
	if (str_eq(object, S("settings")) &&
	    syntax_literal(t->a, s, syntax_argument(s, call, 1), &text) && is_upper_name(text))
		add_name(t, NAME_SETTING, text, call);
}

/* settings.NAME */
void take_name_attribute(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	uint32_t object = node + 1, name;

	if (s->at[object].kind != PY_IDENTIFIER || s->at[object].to - s->at[object].from != 8 ||
	    !str_eq(syntax_text(s, object), S("settings")))
		return;
	name = syntax_child(s, node, PY_F_ATTRIBUTE);
	if (name != SYNTAX_NONE && is_upper_name(syntax_text(s, name)))
		add_name(t, NAME_SETTING, syntax_text(s, name), node);
}

/* os.environ["X"], app.config["X"] */
void take_name_subscript(Take *t, uint32_t node)
{
	const Syntax *s = t->s;
	uint32_t key = syntax_child(s, node, PY_F_SUBSCRIPT);
	Str object, text;

	if (key == SYNTAX_NONE || s->at[key].kind != PY_STRING)
		return;
	object = syntax_dotted(s, node + 1);
	if (str_ends(object, S("environ")))
		environment(t, key);
	else if (str_ends(object, S(".config")) && syntax_literal(t->a, s, key, &text) &&
	         is_upper_name(text))
		add_name(t, NAME_SETTING, str_fmt(t->a, "config:%.*s", STR_ARG(text)), node);
}

void take_name_assignment(Take *t, uint32_t node, Str left)
{
	uint32_t right = syntax_child(t->s, node, PY_F_RIGHT);

	if (is_template_name(left))
		template_text(t, right);
	if (t->unit != UNIT_NONE || !is_upper_name(left) ||
	    str_find(t->file->path, S("settings")) < 0)
		return;
	add_name(t, NAME_DEFINED, left, node);
	if (!syntax_literal(t->a, t->s, right, &t->out->names[t->out->name_count - 1].value))
		t->out->names[t->out->name_count - 1].value = S("");
}
