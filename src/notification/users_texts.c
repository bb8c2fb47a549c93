/* SPDX-License-Identifier: Apache-2.0
 *
 * The first words of the mails that accounts need. Data: name, code, link (empty: the code has to be typed), purpose. */
#include "notification/users_texts.h"

#define HELLO_EN "Hello{{#name}} {{name}}{{/name}},\n\n"
#define HELLO_DE "Guten Tag{{#name}} {{name}}{{/name}},\n\n"
#define CODE_EN "{{#link}}{{link}}{{/link}}{{^link}}Your code: {{code}}{{/link}}\n\n"
#define CODE_DE "{{#link}}{{link}}{{/link}}{{^link}}Ihr Code: {{code}}{{/link}}\n\n"
#define NOT_YOU_EN "If that was not you, you need not do anything.\n"
#define NOT_YOU_DE "Wenn Sie das nicht waren, m\xc3\xbcssen Sie nichts tun.\n"

static const UserText texts[] = {
	{ "registration",
	  { { "en", "Confirm your address",
	      HELLO_EN "please confirm that this is your address:\n\n" CODE_EN NOT_YOU_EN },
	    { "de", "Best\xc3\xa4tigen Sie Ihre Adresse",
	      HELLO_DE "bitte best\xc3\xa4tigen Sie, dass das Ihre Adresse ist:\n\n" CODE_DE
	              NOT_YOU_DE } } },
	{ "registration_taken",
	  { { "en", "You have an account already",
	      HELLO_EN
	      "somebody tried to register with this address, which has an account already. If that was you, just log in.\n" },
	    { "de", "Sie haben schon ein Konto",
	      HELLO_DE
	      "jemand wollte sich mit dieser Adresse anmelden, zu der es schon ein Konto gibt. Waren Sie es, melden Sie sich einfach an.\n" } } },
	{ "recovery",
	  { { "en", "A new password", HELLO_EN "to set a new password:\n\n" CODE_EN NOT_YOU_EN },
	    { "de", "Ein neues Passwort",
	      HELLO_DE "so setzen Sie ein neues Passwort:\n\n" CODE_DE NOT_YOU_DE } } },
	{ "invitation",
	  { { "en", "An account for you",
	      HELLO_EN "there is an account for you. Set its password:\n\n" CODE_EN },
	    { "de", "Ein Konto f\xc3\xbcr Sie",
	      HELLO_DE
	      "es gibt ein Konto f\xc3\xbcr Sie. Setzen Sie sein Passwort:\n\n" CODE_DE } } },
	{ "email",
	  { { "en", "Confirm your new address",
	      HELLO_EN "please confirm that this is your new address:\n\n" CODE_EN NOT_YOU_EN },
	    { "de", "Best\xc3\xa4tigen Sie Ihre neue Adresse",
	      HELLO_DE "bitte best\xc3\xa4tigen Sie, dass das Ihre neue Adresse ist:\n\n" CODE_DE
	              NOT_YOU_DE } } },
	{ "email_taken",
	  { { "en", "This address is in use",
	      HELLO_EN
	      "somebody tried to take this address for their account; it belongs to yours. Nothing has changed.\n" },
	    { "de", "Diese Adresse ist vergeben",
	      HELLO_DE
	      "jemand wollte diese Adresse f\xc3\xbcr ein anderes Konto; sie geh\xc3\xb6rt zu Ihrem. Nichts hat sich ge\xc3\xa4ndert.\n" } } },
	{ "email_asked",
	  { { "en", "Your address is to change",
	      HELLO_EN
	      "another address was asked for your account. If that was not you, change your password now.\n" },
	    { "de", "Ihre Adresse soll sich \xc3\xa4ndern",
	      HELLO_DE
	      "f\xc3\xbcr Ihr Konto wurde eine andere Adresse verlangt. Wenn Sie das nicht waren, \xc3\xa4ndern Sie jetzt Ihr Passwort.\n" } } },
	{ "password_changed",
	  { { "en", "Your password was changed",
	      HELLO_EN
	      "the password of your account was changed. If that was not you, set a new one now.\n" },
	    { "de", "Ihr Passwort wurde ge\xc3\xa4ndert",
	      HELLO_DE
	      "das Passwort Ihres Kontos wurde ge\xc3\xa4ndert. Wenn Sie das nicht waren, setzen Sie jetzt ein neues.\n" } } },
};

const UserText *users_texts(size_t *count)
{
	*count = COUNT(texts);
	return texts;
}
