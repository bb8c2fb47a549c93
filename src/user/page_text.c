/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of the pages as a table: a row a text, a column a language. A test sees to it that no field is empty and that the same values
 * stand in all of a row. Which language: what the client asks for (ui_locales), then what the browser does. */
#include "user/page_text.h"

typedef struct Text {
	const char *key;
	const char *in[PAGE_LANGUAGES];
} Text;

static const Text texts[] = {
	{ "login.title", { "Log in", "Anmelden" } },
	{ "login.lead",
	  { "Log in to go on to {client}.", "Melden Sie sich an, um zu {client} zu gelangen." } },
	{ "login.name", { "E-mail address or username", "E-Mail-Adresse oder Benutzername" } },
	{ "login.password", { "Password", "Passwort" } },
	{ "login.submit", { "Log in", "Anmelden" } },
	{ "login.refused",
	  { "E-mail address, username or password is wrong.",
	    "E-Mail-Adresse, Benutzername oder Passwort ist falsch." } },
	{ "login.limited",
	  { "Too many tries. Wait {seconds} seconds, then try again.",
	    "Zu viele Versuche. Warten Sie {seconds} Sekunden und versuchen Sie es dann erneut." } },
	{ "login.register", { "Create an account", "Konto anlegen" } },
	{ "login.recover", { "Forgot your password?", "Passwort vergessen?" } },
	{ "code.title", { "Confirm it is you", "Best\xc3\xa4tigen Sie, dass Sie es sind" } },
	{ "code.lead",
	  { "Type the code that your authenticator shows, or one of your recovery codes.",
	    "Geben Sie den Code Ihrer Authenticator-App oder einen Ihrer Wiederherstellungscodes ein." } },
	{ "code.code", { "Code", "Code" } },
	{ "code.submit", { "Confirm", "Best\xc3\xa4tigen" } },
	{ "code.refused",
	  { "The code is wrong, or was used already.",
	    "Der Code ist falsch oder wurde schon benutzt." } },
	{ "consent.title", { "{client} asks for access", "{client} bittet um Zugriff" } },
	{ "consent.lead",
	  { "You are logged in as {user}. {client} would like to:",
	    "Sie sind als {user} angemeldet. {client} m\xc3\xb6"
	    "chte:" } },
	{ "consent.yes", { "Allow", "Erlauben" } },
	{ "consent.no", { "Refuse", "Ablehnen" } },
	{ "consent.where",
	  { "Afterwards you go on to {host}.", "Danach geht es weiter zu {host}." } },
	{ "scope.openid", { "know that it is you", "wissen, dass Sie es sind" } },
	{ "scope.profile", { "see your name and language", "Ihren Namen und Ihre Sprache sehen" } },
	{ "scope.email", { "see your e-mail address", "Ihre E-Mail-Adresse sehen" } },
	{ "scope.roles", { "see which roles you have", "sehen, welche Rollen Sie haben" } },
	{ "scope.offline_access",
	  { "keep this access while you are away",
	    "diesen Zugriff behalten, w\xc3\xa4hrend Sie abwesend sind" } },
	{ "register.title", { "Create an account", "Konto anlegen" } },
	{ "register.name", { "Name", "Name" } },
	{ "register.email", { "E-mail address", "E-Mail-Adresse" } },
	{ "register.password", { "Password", "Passwort" } },
	{ "register.password_help",
	  { "{least} characters or more; long is good.",
	    "Mindestens {least} Zeichen; lang ist gut." } },
	{ "register.submit", { "Create account", "Konto anlegen" } },
	{ "register.login", { "I have an account", "Ich habe schon ein Konto" } },
	{ "verify.title", { "Look into your mail", "Sehen Sie in Ihr Postfach" } },
	{ "verify.lead",
	  { "If this address can have an account, a mail with a code is on its way.",
	    "Wenn es f\xc3\xbcr diese Adresse ein Konto geben kann, ist eine Mail mit einem Code unterwegs." } },
	{ "verify.code", { "Code from the mail", "Code aus der Mail" } },
	{ "verify.password", { "Password of the new account", "Passwort des neuen Kontos" } },
	{ "verify.password_help",
	  { "Only needed on another device than the one you registered on.",
	    "Nur n\xc3\xb6tig auf einem anderen Ger\xc3\xa4t als dem, an dem Sie sich registriert haben." } },
	{ "verify.submit", { "Confirm address", "Adresse best\xc3\xa4tigen" } },
	{ "verify.refused",
	  { "The code is wrong, or is not good any more.",
	    "Der Code ist falsch oder gilt nicht mehr." } },
	{ "verify.done.title",
	  { "Your address is confirmed", "Ihre Adresse ist best\xc3\xa4tigt" } },
	{ "verify.done.lead", { "You can log in now.", "Sie k\xc3\xb6nnen sich jetzt anmelden." } },
	{ "recover.title", { "Set a new password", "Neues Passwort setzen" } },
	{ "recover.lead",
	  { "You get a mail with a code, if there is an account of that name.",
	    "Sie bekommen eine Mail mit einem Code, wenn es ein Konto dieses Namens gibt." } },
	{ "recover.submit", { "Send mail", "Mail senden" } },
	{ "reset.title", { "Set a new password", "Neues Passwort setzen" } },
	{ "reset.lead",
	  { "Type the code from the mail and the password that you want from now on. You are logged out everywhere.",
	    "Geben Sie den Code aus der Mail und das Passwort ein, das ab jetzt gelten soll. Sie werden \xc3\xbc"
	    "berall abgemeldet." } },
	{ "reset.password", { "New password", "Neues Passwort" } },
	{ "reset.submit", { "Set password", "Passwort setzen" } },
	{ "reset.done.title", { "Your password is set", "Ihr Passwort ist gesetzt" } },
	{ "reset.done.lead",
	  { "You can log in with it now.", "Sie k\xc3\xb6nnen sich jetzt damit anmelden." } },
	{ "account.title", { "Your account", "Ihr Konto" } },
	{ "account.lead", { "You are logged in as {user}.", "Sie sind als {user} angemeldet." } },
	{ "account.sessions", { "Where you are logged in", "Wo Sie angemeldet sind" } },
	{ "account.this", { "this browser", "dieser Browser" } },
	{ "account.used", { "last used {when}", "zuletzt benutzt {when}" } },
	{ "account.from", { "from {address}", "von {address}" } },
	{ "account.unknown",
	  { "a program that does not say its name",
	    "ein Programm, das seinen Namen nicht nennt" } },
	{ "account.end", { "Log out", "Abmelden" } },
	{ "account.end_of", { "Log out: {agent}", "Abmelden: {agent}" } },
	{ "account.end_others",
	  { "Log out everywhere else", "\xc3\x9c"
	                               "berall sonst abmelden" } },
	{ "account.factor", { "Second factor", "Zweiter Faktor" } },
	{ "account.factor_on",
	  { "An authenticator is asked for a code at each login.",
	    "Bei jeder Anmeldung wird ein Code Ihrer Authenticator-App verlangt." } },
	{ "account.factor_off",
	  { "Your password is all that protects this account.",
	    "Nur Ihr Passwort sch\xc3\xbctzt dieses Konto." } },
	{ "account.factor_add", { "Add an authenticator", "Authenticator-App hinzuf\xc3\xbcgen" } },
	{ "account.factor_drop", { "Remove the authenticator", "Authenticator-App entfernen" } },
	{ "account.password", { "Password", "Passwort" } },
	{ "account.password_change", { "Change password", "Passwort \xc3\xa4ndern" } },
	{ "password.title", { "Change your password", "Passwort \xc3\xa4ndern" } },
	{ "password.lead",
	  { "You stay logged in here, and are logged out everywhere else.",
	    "Sie bleiben hier angemeldet und werden \xc3\xbc"
	    "berall sonst abgemeldet." } },
	{ "password.current", { "Current password", "Aktuelles Passwort" } },
	{ "register.current", { "Current password", "Aktuelles Passwort" } },
	{ "field.wrong", { "{field}: wrong", "{field}: falsch" } },
	{ "account.consents", { "Who has access", "Wer Zugriff hat" } },
	{ "account.no_consents",
	  { "Nobody you have allowed anything.", "Niemand, dem Sie etwas erlaubt haben." } },
	{ "account.given", { "since {when}", "seit {when}" } },
	{ "account.withdraw", { "Withdraw access", "Zugriff entziehen" } },
	{ "account.withdraw_of", { "Withdraw access: {name}", "Zugriff entziehen: {name}" } },
	{ "account.logout", { "Log out", "Abmelden" } },
	{ "totp.title", { "Add an authenticator", "Authenticator-App hinzuf\xc3\xbcgen" } },
	{ "totp.lead",
	  { "Add this key to your authenticator, then type the code that it shows.",
	    "F\xc3\xbcgen Sie diesen Schl\xc3\xbcssel in Ihrer Authenticator-App hinzu und geben Sie dann den Code ein, den sie zeigt." } },
	{ "totp.key", { "Key", "Schl\xc3\xbcssel" } },
	{ "totp.code", { "Code that it shows now", "Code, den sie jetzt zeigt" } },
	{ "totp.submit", { "Switch on", "Einschalten" } },
	{ "codes.title", { "Your recovery codes", "Ihre Wiederherstellungscodes" } },
	{ "codes.lead",
	  { "Each of them logs you in once when the authenticator is lost. They are shown this one time: keep them where the authenticator is not.",
	    "Mit jedem k\xc3\xb6nnen Sie sich einmal anmelden, wenn die App verloren ist. Sie werden nur dieses eine Mal gezeigt: bewahren Sie sie getrennt von der App auf." } },
	{ "codes.go_on", { "I have kept them", "Ich habe sie aufbewahrt" } },
	{ "logout.title", { "Log out?", "Abmelden?" } },
	{ "logout.lead",
	  { "You are about to be logged out here.", "Sie werden hier abgemeldet." } },
	{ "logout.lead_client",
	  { "{client} would like to log you out here.", "{client} m\xc3\xb6"
	                                                "chte Sie hier abmelden." } },
	{ "logout.yes", { "Log out", "Abmelden" } },
	{ "logout.no", { "Stay logged in", "Angemeldet bleiben" } },
	{ "logout.done.title", { "You are logged out", "Sie sind abgemeldet" } },
	{ "logout.done.lead",
	  { "Close the browser if others use it too.",
	    "Schlie\xc3\x9f"
	    "en Sie den Browser, wenn auch andere ihn benutzen." } },
	{ "error.title", { "This did not work", "Das hat nicht geklappt" } },
	{ "error.request",
	  { "The request that brought you here is not in order: {why}",
	    "Die Anfrage, die Sie hierher gef\xc3\xbchrt hat, ist nicht in Ordnung: {why}" } },
	{ "error.form",
	  { "The form is too old, or comes from elsewhere. Go back, load the page again and send it once more.",
	    "Das Formular ist zu alt oder kommt von anderswo. Gehen Sie zur\xc3\xbc"
	    "ck, laden Sie die Seite neu und senden Sie es noch einmal." } },
	{ "error.later",
	  { "Something here does not work at the moment. Try again in a while.",
	    "Etwas funktioniert hier gerade nicht. Versuchen Sie es in einer Weile noch einmal." } },
	{ "error.id", { "Request: {request_id}", "Anfrage: {request_id}" } },
	{ "error.fields", { "Something is not right yet:", "Etwas stimmt noch nicht:" } },
	{ "go.login", { "Log in", "Anmelden" } },
	{ "go.account", { "Your account", "Ihr Konto" } },
	{ "skip", { "Skip to the content", "Zum Inhalt springen" } },
	{ "field.too_short", { "{field}: too short", "{field}: zu kurz" } },
	{ "field.too_long", { "{field}: too long", "{field}: zu lang" } },
	{ "field.breached",
	  { "{field}: too easy to guess; it is in lists of stolen passwords, or is what you are called",
	    "{field}: zu leicht zu erraten; es steht in Listen gestohlener Passw\xc3\xb6rter oder ist Ihr eigener Name" } },
	{ "field.required", { "{field}: missing", "{field}: fehlt" } },
	{ "field.other", { "{field}: not accepted", "{field}: nicht angenommen" } },
};

static const Str tags[] = { [PAGE_EN] = S("en"), [PAGE_DE] = S("de") };
_Static_assert(COUNT(tags) == PAGE_LANGUAGES, "a language has no tag");

Str page_language_tag(PageLanguage language)
{
	return tags[language];
}

Str page_text(Str key, PageLanguage language)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		if (str_eq(str_of(texts[i].key), key))
			return str_of(texts[i].in[language]);
	return (Str){ 0 };
}

/* "de-CH" is de. */
static bool language_of(Str tag, PageLanguage *out)
{
	ptrdiff_t end = str_find_char(tag, '-');
	Str base = end < 0 ? tag : str_sub(tag, 0, (size_t)end);

	for (size_t i = 0; i < COUNT(tags); i++)
		if (str_eq_nocase(tags[i], base)) {
			*out = (PageLanguage)i;
			return true;
		}
	return false;
}

/* Thousandths: "q=0.8" is 800; what is none is 0. */
static int weight_of(Str parameters)
{
	Str part;
	int weight = 1000;

	while (str_split(&parameters, ';', &part)) {
		Str text = str_trim(part);
		int unit = 1000;

		if (!str_starts(text, S("q=")))
			continue;
		weight = 0;
		for (size_t i = 2; i < text.len && unit; i++) {
			if (text.at[i] == '.')
				continue;
			if (text.at[i] < '0' || text.at[i] > '9')
				return 0;
			weight += (text.at[i] - '0') * unit;
			unit /= 10;
		}
	}
	return weight;
}

PageLanguage page_language(Str locales, Str accept)
{
	PageLanguage best = PAGE_EN, one;
	int best_weight = 0;
	Str item;

	while (str_split(&locales, ' ', &item))
		if (language_of(item, &one))
			return one;
	while (str_split(&accept, ',', &item)) {
		ptrdiff_t end = str_find_char(item, ';');
		Str tag = str_trim(end < 0 ? item : str_sub(item, 0, (size_t)end));
		int weight = end < 0 ? 1000 : weight_of(str_sub(item, (size_t)end + 1, item.len));

		if (weight > best_weight && language_of(tag, &one)) {
			best = one;
			best_weight = weight;
		}
	}
	return best;
}
