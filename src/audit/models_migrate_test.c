/* SPDX-License-Identifier: Apache-2.0
 *
 * What each operation of a migration is told for, and what is not. */
#include "audit/models_migrate.c"

#include "audit/models_sample.h"

#include "unit.h"

static const char first[] =
	"from django.db import migrations, models\n"
	"class Migration(migrations.Migration):\n"
	"    initial = True\n"
	"    operations = [migrations.CreateModel(name='Order', fields=[\n"
	"        ('id', models.AutoField(primary_key=True)),\n"
	"        ('name', models.CharField(max_length=20)),\n"
	"        ('count', models.IntegerField()),\n"
	"        ('note', models.TextField(null=True)),\n"
	"    ]), migrations.AddIndex('order', models.Index(fields=['name']))]\n";

static Str judged(Arena *a, const char *operations)
{
	SampleFile files[] = {
		{ "shop/migrations/0001_initial.py", first },
		{ "shop/migrations/0002_x.py", NULL },
		{ "shop/models.py",
		  "from django.db import models\nclass Order(models.Model): pass\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };
	const Models *m;

	files[1].text = str_z(
		a,
		str_fmt(a,
	                "from django.db import migrations, models\nclass Migration(migrations.Migration):\n"
	                "    dependencies = [('shop', '0001_initial')]\n    %s\n",
	                operations));
	m = sample(a, files, &audit);
	CHECK_INT(m->migrations, 2);
	return sample_findings(a, &audit);
}

TEST(migrations_of_django_are_judged)
{
	static const struct {
		const char *operation, *want;
	} cases[] = {
		{ "operations = [migrations.AddField('order', 'x', models.IntegerField(null=True))]",
		  "" },
		{ "operations = [migrations.AddField('order', 'x', models.IntegerField(default=1))]",
		  "PY601 4 shop.order.x is added NOT NULL; its default is Django's alone\n" },
		{ "operations = [migrations.AddField('order', 'x', models.IntegerField(db_default=1))]",
		  "" },
		{ "operations = [migrations.AddField('order', 'x', models.IntegerField(null=True, db_index=True))]",
		  "PY602 4 shop.order.x comes with an index\n" },
		{ "operations = [migrations.AddField('order', 'x', models.ForeignKey('auth.User', null=True, on_delete=1))]",
		  "PY606 4 shop.order.x refers to auth.User and is checked at once\n" },
		{ "operations = [migrations.AddField('order', 'x', models.ManyToManyField('auth.User'))]",
		  "" },
		{ "operations = [migrations.AlterField('order', 'name', models.CharField(max_length=30))]",
		  "" },
		{ "operations = [migrations.AlterField('order', 'name', models.TextField())]", "" },
		{ "operations = [migrations.AlterField('order', 'name', models.CharField(max_length=10))]",
		  "PY603 4 shop.order.name was CharField(20) and becomes CharField(10)\n" },
		{ "operations = [migrations.AlterField('order', 'count', models.BigIntegerField())]",
		  "PY603 4 shop.order.count was IntegerField() and becomes BigIntegerField()\n" },
		{ "operations = [migrations.AlterField('order', 'count', models.IntegerField(verbose_name='n'))]",
		  "" },
		{ "operations = [migrations.AlterField('order', 'note', models.TextField())]",
		  "PY610 4 shop.order.note becomes NOT NULL\n" },
		{ "operations = [migrations.RenameField('order', 'name', 'title')]",
		  "PY604 4 shop.order.name becomes title\n" },
		{ "operations = [migrations.RemoveField('order', 'name')]",
		  "PY605 4 shop.order.name is dropped\n" },
		{ "operations = [migrations.DeleteModel('Order')]",
		  "PY605 4 shop.order is dropped\n" },
		{ "operations = [migrations.AddIndex('order', models.Index(fields=['name']))]",
		  "PY602 4 shop.order gets an index, not concurrently\n" },
		{ "operations = [AddIndexConcurrently('order', models.Index(fields=['name']))]",
		  "PY611 4 shop.order in a migration that is one transaction\n" },
		{ "atomic = False\n    operations = [AddIndexConcurrently('order', models.Index(fields=['name']))]",
		  "" },
		{ "operations = [migrations.AddConstraint('order', models.CheckConstraint(check=1, name='c'))]",
		  "PY607 4 shop.order gets a CHECK constraint that is checked at once\n" },
		{ "operations = [AddConstraintNotValid('order', models.CheckConstraint(check=1, name='c'))]",
		  "" },
		{ "operations = [migrations.RunPython(f, migrations.RunPython.noop)]", "" },
		{ "operations = [migrations.RunPython(f)]",
		  "PY608 4 RunPython(f) without reverse_code\n" },
		{ "operations = [migrations.AddField('order', 'd', models.DecimalField(null=True, max_digits=9, decimal_places=2)), migrations.AlterField('order', 'd', models.DecimalField(null=True, max_digits=12, decimal_places=2))]",
		  "" },
		{ "operations = [migrations.AddField('order', 'd', models.DecimalField(null=True, max_digits=9, decimal_places=2)), migrations.AlterField('order', 'd', models.DecimalField(null=True, max_digits=12, decimal_places=4))]",
		  "PY603 4 shop.order.d was DecimalField(9, 2) and becomes DecimalField(12, 4)\n" },
		{ "operations = [migrations.RunSQL([('CREATE INDEX i ON a (b)', None)], '')]",
		  "PY613 4 CREATE INDEX without CONCURRENTLY of a\n" },
		{ "operations = [migrations.RunSQL('CREATE INDEX i ON a (b)', '')]",
		  "PY613 4 CREATE INDEX without CONCURRENTLY of a\n" },
		{ "operations = [migrations.RunPython(f, f), migrations.RemoveField('order', 'name')]",
		  "PY605 4 shop.order.name is dropped\nPY609 4 data is changed in the transaction that changes the schema\n" },
		{ "operations = [migrations.CreateModel('New', []), migrations.AddIndex('new', models.Index(fields=['a']))]",
		  "" },
		{ "operations = [migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel('Order')])]",
		  "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK_STR(judged(a, cases[i].operation), str_of(cases[i].want));
}

TEST(migrations_two_last_ones_and_models_of_today_are_told)
{
	static const SampleFile files[] = {
		{ "shop/migrations/0001_initial.py", first },
		{ "shop/migrations/0002_a.py",
		  "from shop.models import Order\nfrom django.db import migrations\nclass Migration(migrations.Migration):\n"
		  "    dependencies = [('shop', '0001_initial')]\n    operations = []\n" },
		{ "shop/migrations/0002_b.py",
		  "from django.db import migrations\nclass Migration(migrations.Migration):\n"
		  "    dependencies = [('shop', '0001_initial')]\n    operations = []\n" },
		{ "shop/models.py",
		  "from django.db import models\nclass Order(models.Model): pass\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };

	sample(a, files, &audit);
	CHECK_STR(
		sample_findings(a, &audit),
		S("PY612 1 shop.models.Order is imported\nPY614 1 0002_a and 0002_b are both the last\n"));
}

TEST(migrations_of_alembic_are_judged)
{
	static const SampleFile files[] = {
		{ "migrations/versions/a1_x.py",
		  "from alembic import op\nimport sqlalchemy as sa\nrevision = 'a1'\ndown_revision = None\n"
		  "def upgrade():\n"
		  "    op.create_table('fresh', sa.Column('id', sa.Integer()))\n"
		  "    op.create_index('i', 'fresh', ['id'])\n"
		  "    op.add_column('old', sa.Column('x', sa.Integer(), nullable=False))\n"
		  "    op.add_column('old', sa.Column('y', sa.Integer(), nullable=False, server_default='1'))\n"
		  "    op.alter_column('old', 'z', type_=sa.Text())\n"
		  "    op.alter_column('old', 'z', nullable=False)\n"
		  "    op.alter_column('old', 'z', new_column_name='zz')\n"
		  "    op.create_index('j', 'old', ['x'])\n"
		  "    op.create_index('k', 'old', ['x'], postgresql_concurrently=True)\n"
		  "    with op.get_context().autocommit_block():\n"
		  "        op.create_index('l', 'old', ['x'], postgresql_concurrently=True)\n"
		  "    op.create_foreign_key('f', 'old', 'fresh', ['x'], ['id'])\n"
		  "    with op.batch_alter_table('other') as batch_op:\n"
		  "        batch_op.drop_column('gone')\n"
		  "def downgrade():\n    pass\n" },
		{ 0 }
	};
	AUTO(sample_finip) Audit audit = { 0 };

	sample(a, files, &audit);
	CHECK_STR(sample_findings(a, &audit),
	          S("PY601 8 old.x is added NOT NULL without a server_default\n"
	            "PY603 10 old.z becomes sa.Text()\n"
	            "PY610 11 old.z becomes NOT NULL\n"
	            "PY604 12 old.z becomes zz\n"
	            "PY602 13 old gets an index, not concurrently\n"
	            "PY611 14 old in a migration that is one transaction\n"
	            "PY606 17 old gets a foreign key that is checked at once\n"
	            "PY605 19 other.gone is dropped\n"
	            "PY608 1 downgrade() does nothing\n"));
}
