/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/links_linter.c"

#include "unit.h"

static void put_list(Buf *b, const char *name, const Str *at, size_t count)
{
	if (count)
		buf_fmt(b, " %s", name);
	for (size_t i = 0; i < count; i++)
		buf_fmt(b, "%c%.*s", i ? ',' : '=', STR_ARG(at[i]));
}

static Str contracts_text(Arena *a, const LinterContracts *c)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < c->count; i++) {
		const LinkContract *k = &c->at[i];

		buf_fmt(&b, "%s%.*s/%d%s%s", i ? "; " : "", STR_ARG(k->name), k->kind,
		        k->direct ? " direct" : "", k->typing ? "" : " untyped");
		put_list(&b, "layers", k->layers.at, k->layers.count);
		put_list(&b, "in", k->containers.at, k->containers.count);
		put_list(&b, "modules", k->modules.at, k->modules.count);
		put_list(&b, "forbidden", k->forbidden.at, k->forbidden.count);
		put_list(&b, "ignore", k->ignore.at, k->ignore.count);
	}
	for (size_t i = 0; i < c->odd_count; i++)
		buf_fmt(&b, "; odd %.*s: %.*s", STR_ARG(c->odd[i].name), STR_ARG(c->odd[i].odd));
	return str_dup(a, buf_str(&b));
}

TEST(linter_reads_ini)
{
	static const char text[] =
		"[metadata]\nname = x\nlayers = no\n"
		"[importlinter]\nroot_package = shop\nexclude_type_checking_imports = True\n"
		"[importlinter:contract:1]\nname = Layers of the shop\ntype=layers\nlayers =\n"
		"    shop.api\n    # not this\n    shop.a | shop.b\r\n\n  (shop.data)\n"
		"containers: x\nignore_imports =\n  shop.a -> shop.api.*\n"
		"[importlinter:contract:far]\ntype = forbidden\nsource_modules = shop.a\n"
		"forbidden_modules =\n\trequests\n\tdjango\nallow_indirect_imports = yes\n"
		"[importlinter:contract:odd]\nname = Odd\ntype = mine.Contract\n"
		"[importlinter:contract:last]\nname=In\ntype=independence\nmodules =\n a\n b";
	LinterContracts got = { 0 };

	linter_read_ini(a, S("setup.cfg"), str_of(text), &got);
	CHECK_STR(
		contracts_text(a, &got),
		S("Layers of the shop/0 untyped layers=shop.api,shop.a | shop.b,(shop.data) in=x "
	          "ignore=shop.a -> shop.api.*; far/1 direct untyped modules=shop.a "
	          "forbidden=requests,django; In/2 untyped modules=a,b; odd Odd: contracts of the "
	          "type \"mine.Contract\" are not judged"));
}

TEST(linter_reads_toml)
{
	static const char text[] =
		"[project]\nname = \"x\"\ndependencies = [\"a[b]>=1\", # ]\n 'c']\n"
		"[tool.importlinter]\nroot_packages = [\"shop\"]\n\n"
		"[[tool.importlinter.contracts]]\nname = \"Layers = [of] it\" # so\ntype = 'layers'\n"
		"layers = [\n  \"shop.api\", # the top\n  'shop.a | shop.b',\n]\n"
		"[[tool.importlinter.contracts]]\nname = \"Far\"\ntype = \"forbidden\"\n"
		"source_modules = [\"shop.a\"]\nforbidden_modules = [\"requests\"]\n"
		"allow_indirect_imports = true\n"
		"[tool.other]\nlayers = [\"no\"]\n";
	static const Str broken = S("[tool.importlinter]\nx = \"open\n");
	LinterContracts got = { 0 };

	linter_read_toml(a, S("pyproject.toml"), str_of(text), &got);
	CHECK_STR(
		contracts_text(a, &got),
		S("Layers = [of] it/0 layers=shop.api,shop.a | shop.b; Far/1 direct modules=shop.a "
	          "forbidden=requests"));
	got = (LinterContracts){ 0 };
	linter_read_toml(a, S("pyproject.toml"), broken, &got);
	CHECK_INT(got.count, 0);
	CHECK_INT(got.odd_count, 1);
	CHECK(got.odd[0].odd.len);
	got = (LinterContracts){ 0 };
	linter_read_toml(a, S("pyproject.toml"), S("[tool.x]\ny = = 1\n"), &got);
	CHECK_INT(got.odd_count, 0); /* not ours to judge */
}

TEST(linter_ends_on_anything)
{
	static const char text[] =
		"[[tool.importlinter.contracts]]\nname = \"a\\\"\nlayers = [[\"x\", {y = 'z'}]\n=\n";
	LinterContracts got = { 0 };

	for (size_t i = 0; i < sizeof(text); i++)
		for (size_t k = i; k <= sizeof(text); k++) {
			linter_read_toml(a, S("t"), (Str){ text + i, k - i }, &got);
			linter_read_ini(a, S("t"), (Str){ text + i, k - i }, &got);
		}
}
