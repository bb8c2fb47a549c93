/* SPDX-License-Identifier: Apache-2.0
 *
 * What accounts are called: from what a person typed to what is stored and compared (auth/text.h has the rules of Unicode).
 *
 * An e-mail address and a username are two kinds, and a login may be either. A name somebody chooses here keeps to the strict
 * rules and has no @, so that it is never taken for an address; one that another system gave is only brought into a form that
 * can be compared, for its owner has to be let in with it. */
#include "user/accounts_int.h"

#include "auth/text.h"
#include "base/arena.h"
#include "user/profile.h"

LoginForms login_forms(Arena *a, Str login)
{
	LoginForms forms = { .email = S(""), .name = S(""), .any = login };
	TextEmail email;
	TextName name;

	login = str_trim(login);
	if (str_find_char(login, '@') >= 0 && !text_email(a, login, &email))
		forms.email = email.norm;
	if (!text_login(a, login, &name))
		forms.name = name.norm;
	if (forms.email.len || forms.name.len)
		forms.any = forms.email.len ? forms.email : forms.name;
	return forms;
}

static void wrong_text(FieldMistakes *wrong, Str pointer, const Err *err)
{
	field_mistake(wrong, pointer, "format", "%.*s", STR_ARG(err->text));
}

static void username_read(Arena *a, Str given, bool own, UserNames *out, FieldMistakes *wrong)
{
	TextName name, norm;
	Err *err = own ? text_username(a, given, &name) : text_login(a, given, &name);

	if (!err)
		err = text_login(a, name.shown, &norm); /* one form for both to compare by */
	if (err) {
		wrong_text(wrong, S("/username"), err);
		return;
	}
	if (own && str_find_char(given, '@') >= 0)
		field_mistake(wrong, S("/username"), "format", "a username has no @");
	out->username = name.shown;
	out->username_norm = norm.norm;
	out->username_looks = text_skeleton(a, norm.norm);
	out->username_given = !own;
}

void names_read(Arena *a, const UserNames *given, bool own, UserNames *out, FieldMistakes *wrong)
{
	TextEmail email;
	Err *err;

	*out = (UserNames){ .email = S("") };
	if (given->email.len) {
		err = text_email(a, str_trim(given->email), &email);
		if (err)
			wrong_text(wrong, S("/email"), err);
		else {
			out->email = email.shown;
			out->email_norm = email.norm;
		}
	}
	if (given->username.len)
		username_read(a, given->username, own, out, wrong);
	out->external = given->external;
	if (given->external.len && !external_is(given->external))
		field_mistake(wrong, S("/external"), "format",
		              "an external id is SOURCE:ID, as in shop:42");
}

void details_read(const Accounts *accounts, Arena *a, Str *name, Str *locale, Str *profile,
                  FieldMistakes *wrong)
{
	Err *err;

	if (name->len) {
		err = text_display(a, *name, NAME_CHARACTERS, name);
		if (err)
			wrong_text(wrong, S("/name"), err);
	}
	if (locale->len && !locale_is(*locale))
		field_mistake(wrong, S("/locale"), "format", "a locale is as in de or en-GB");
	profile_read(accounts->schema, a, profile, S("/profile"), wrong);
}

Str roles_checked(Arena *a, const Str *roles, size_t count, FieldMistakes *wrong)
{
	if (count > USER_ROLES)
		field_mistake(wrong, S("/roles"), "too_long", "roles are more than %d", USER_ROLES);
	for (size_t i = 0; i < count; i++)
		if (!role_is(roles[i]))
			field_mistake(wrong, field_pointer_at(a, S("/roles"), i), "format",
			              "a role is a-z, then a-z 0-9 . _ -, %d bytes at most",
			              ROLE_BYTES);
	return roles_text(a, roles, count);
}
