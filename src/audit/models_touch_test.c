/* SPDX-License-Identifier: Apache-2.0
 *
 * Who touches which table, through all that is before it: small applications as texts. */
#include "audit/models_touch.c"

#include "audit/models_sample.h"

#include "unit.h"

static const char shop_models[] =
	"from django.db import models\n"
	"class Base(models.Model):\n"
	"    made = models.DateTimeField()\n"
	"    class Meta:\n"
	"        abstract = True\n"
	"class Customer(Base):\n"
	"    name = models.CharField(max_length=9)\n"
	"class Order(Base):\n"
	"    customer = models.ForeignKey('Customer', models.CASCADE, related_name='orders')\n"
	"    tags = models.ManyToManyField('tags.Tag')\n"
	"    class Meta:\n"
	"        db_table = 'the_orders'\n"
	"    def cancel(self):\n"
	"        self.delete()\n"
	"class Line(Base):\n"
	"    order = models.ForeignKey(Order, on_delete=models.CASCADE)\n"
	"class Quick(Order):\n"
	"    class Meta:\n"
	"        proxy = True\n"
	"class Slow(Order):\n"
	"    why = models.TextField()\n";
static const char tag_models[] = "from django.db.models import Model, CharField\n"
				 "class Tag(Model):\n"
				 "    word = CharField(max_length=9, primary_key=True)\n";

/* "table package reads writes locks joins", a line each; the models' own methods apart. */
static Str cells(Arena *a, const Models *m)
{
	Str all = S("");

	for (uint32_t i = 0; i < m->cell_count; i++)
		if (!str_eq(model_package_name(m, m->cells[i].package), S("shop")))
			all = str_fmt(a, "%.*s%.*s %.*s %u%u%u%u\n", STR_ARG(all),
			              STR_ARG(m->tables[m->cells[i].table].name),
			              STR_ARG(model_package_name(m, m->cells[i].package)),
			              m->cells[i].reads, m->cells[i].writes, m->cells[i].locks,
			              m->cells[i].joins);
	return all;
}

/* What one function in another application does. */
static Str touched(Arena *a, const char *code)
{
	SampleFile files[] = { { "shop/models.py", shop_models },
		               { "tags/models.py", tag_models },
		               { "web/views.py", NULL },
		               { 0 } };
	AUTO(sample_finip) Audit audit = { 0 };

	files[2].text = str_z(
		a,
		str_fmt(a,
	                "from shop.models import Customer, Order, Line, Quick\nfrom tags import models as tags\n"
	                "from django.shortcuts import get_object_or_404\nLate = get_model('shop', 'Line')\ndef f(order: Order, x):\n    %s\n",
	                code));
	return cells(a, sample(a, files, &audit));
}

TEST(touch_models_have_tables_columns_and_relations)
{
	static const SampleFile files[] = { { "shop/models.py", shop_models },
		                            { "tags/models.py", tag_models },
		                            { 0 } };
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);
	static const struct {
		const char *name, *table;
		uint32_t columns;
	} want[] = { { "Base", NULL, 0 },          { "Customer", "shop_customer", 3 },
		     { "Order", "the_orders", 3 }, { "Line", "shop_line", 3 },
		     { "Quick", "the_orders", 1 }, { "Slow", "shop_slow", 2 },
		     { "Tag", "tags_tag", 1 } };

	CHECK_INT(m->model_count, COUNT(want));
	for (size_t i = 0; i < COUNT(want) && i < m->model_count; i++) {
		CHECK_STR(m->models[i].name, str_of(want[i].name));
		CHECK(m->models[i].abstract == !want[i].table);
		CHECK_INT(m->models[i].columns, want[i].columns);
		if (want[i].table)
			CHECK_STR(m->tables[m->models[i].table].name, str_of(want[i].table));
	}
	CHECK_INT(m->relation_count, 3);
	CHECK_INT(m->relations[0].to, 1);
	CHECK_STR(m->relations[0].on_delete, S("CASCADE"));
	CHECK_INT(m->relations[1].to, 6);
	CHECK(m->relations[1].crosses && !m->relations[0].crosses);
	CHECK_STR(m->tables[m->table_count - 1].name, S("the_orders_tags"));
}

TEST(touch_queries_are_followed_to_their_tables)
{
	static const struct {
		const char *code, *want;
	} cases[] = {
		{ "Order.objects.filter(x=1)", "the_orders web 1000\n" },
		{ "Order.objects.filter(x=1).update(y=2)", "the_orders web 0100\n" },
		{ "Order.objects.select_for_update().get(pk=1)", "the_orders web 1010\n" },
		{ "tags.Tag.objects.create()", "tags_tag web 0100\n" },
		{ "Quick.objects.all()", "the_orders web 1000\n" },
		{ "order.save()", "the_orders web 0100\n" },
		{ "order.line_set.all()", "shop_line web 1000\n" },
		{ "order.customer.orders.all()", "the_orders web 1000\n" },
		{ "x.orders.filter(y=1)",
		  "the_orders web 1000\n" }, /* one relation alone is called so */
		{ "x.things.filter(y=1)", "" },
		{ "y = get_object_or_404(Line, pk=1); y.delete()", "shop_line web 1100\n" },
		{ "for y in Line.objects.all(): y.save()", "shop_line web 1100\n" },
		{ "y, made = Line.objects.get_or_create(a=1); y.save()", "shop_line web 0200\n" },
		{ "Line(order=order).save()", "shop_line web 0100\n" },
		{ "Line.objects.filter(order__customer__name='x')",
		  "shop_customer web 1001\nthe_orders web 1001\nshop_line web 1000\n" },
		{ "Line.objects.filter(order__id=1, order__in=[2])", "shop_line web 1000\n" },
		{ "Line.objects.select_related('order')",
		  "the_orders web 1001\nshop_line web 1000\n" },
		{ "Order.objects.order_by('-customer__name')",
		  "shop_customer web 1001\nthe_orders web 1000\n" },
		{ "x.execute('SELECT * FROM the_orders JOIN elsewhere ON 1')",
		  "the_orders web 1000\nelsewhere web 1000\n" },
		{ "Y = apps.get_model('shop', 'Line'); Y.objects.all()", "shop_line web 1000\n" },
		{ "Late.objects.all()", "shop_line web 1000\n" },
		{ "Article(1).save(); Order.published.all()", "the_orders web 1000\n" },
		{ "x.get('a'); x.update({}); Order.cancel(order); Thing.objects.all()", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(touched(a, cases[i].code), str_of(cases[i].want));
}

TEST(touch_of_others_tables_is_found)
{
	static const SampleFile files[] = {
		{ "shop/models.py", shop_models },
		{ "tags/models.py", tag_models },
		{ "web/views.py",
		  "from shop.models import Order\nfrom tags.models import Tag\nfrom django.db import transaction\n"
		  "@transaction.atomic\n"
		  "def f():\n"
		  "    Order.objects.create()\n"
		  "    Tag.objects.create()\n"
		  "def g():\n"
		  "    with transaction.atomic():\n"
		  "        Tag.objects.filter(order__made=1).delete()\n"
		  "        Tag.objects.filter(word='x').update(word='y')\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);

	CHECK_STR(sample_findings(a, &audit),
	          S("PY620 6 web writes the_orders of shop: 1 time in 1 place\n"
	            "PY620 7 web writes tags_tag of tags: 3 times in 2 places\n"
	            "PY623 10 web joins the_orders of shop to tags_tag: 1 time\n"
	            "PY621 5 one transaction writes tables of 2 packages: the_orders, tags_tag\n"));
	CHECK_INT(m->transaction_count, 1);
}

TEST(touch_transactions_reach_what_they_call)
{
	static const SampleFile files[] = {
		{ "shop/models.py", shop_models },
		{ "tags/api.py",
		  "from .models import Tag\ndef tag():\n    Tag.objects.create()\ndef read():\n    Tag.objects.all()\n" },
		{ "tags/models.py", tag_models },
		{ "web/views.py",
		  "from shop.models import Order\nfrom django.db.transaction import atomic\nfrom tags import api\n"
		  "class V:\n"
		  "    def f(self):\n"
		  "        with atomic():\n"
		  "            order = Order.objects.get()\n"
		  "            order.cancel()\n"
		  "            self.g()\n"
		  "    def g(self):\n"
		  "        api.tag()\n"
		  "    @atomic\n"
		  "    def h(self):\n"
		  "        order = Order.objects.get()\n"
		  "        order.cancel()\n"
		  "        api.tag()\n"
		  "    @atomic\n"
		  "    def i(self):\n"
		  "        order = Order.objects.get()\n"
		  "        order.cancel()\n"
		  "        api.read()\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);

	CHECK_INT(m->transaction_count, 1);
	CHECK_INT(m->transactions[0].place.line, 13);
	CHECK_INT(m->transactions[0].by_calls, 2);
	CHECK_INT(m->transactions[0].packages, 2);
}

TEST(touch_sqlalchemy_s_models_are_followed_too)
{
	static const SampleFile files[] = {
		{ "app/db.py", "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n" },
		{ "app/models.py",
		  "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship\n"
		  "from sqlalchemy import Table, Column, ForeignKey\nfrom .db import db\n"
		  "class Base(DeclarativeBase): pass\n"
		  "links = Table('links', Base.metadata, Column('a', ForeignKey('users.id')), Column('b', Integer))\n"
		  "class User(Base):\n"
		  "    __tablename__ = 'users'\n"
		  "    id: Mapped[int] = mapped_column(primary_key=True)\n"
		  "    mails: Mapped[list['Mail']] = relationship(back_populates='user')\n"
		  "class Mail(Base):\n"
		  "    __tablename__ = 'mails'\n"
		  "    id: Mapped[int] = mapped_column(primary_key=True)\n"
		  "    user_id: Mapped[int] = mapped_column(ForeignKey('users.id', ondelete='CASCADE'))\n"
		  "class HTTPThing(db.Model):\n"
		  "    id = db.Column(db.Integer, primary_key=True)\n" },
		{ "web/views.py",
		  "from app.models import User, Mail, HTTPThing, links\nfrom sqlalchemy import select\n"
		  "def f(session):\n"
		  "    session.query(User).filter(User.id == 1).delete()\n"
		  "    session.execute(select(Mail).where(Mail.id == 1))\n"
		  "    session.add(HTTPThing(a=1))\n"
		  "    HTTPThing.query.filter_by(a=1).first()\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m = sample(a, files, &audit);

	CHECK_STR(cells(a, m), S("users web 0100\nmails web 1000\nhttp_thing web 1100\n"));
	CHECK_INT(m->relation_count, 3);
	for (uint32_t i = 0; i < m->relation_count; i++)
		CHECK(m->relations[i].to != MODEL_NONE);
	CHECK(m->relations[1].backs && !m->relations[2].backs);
}
