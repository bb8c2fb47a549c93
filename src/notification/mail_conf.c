/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys of e-mail. */
#include "notification/mail_conf.h"

#include "notification/mime_read.h"
#include "notification/smtp_client.h"

static const ConfWord tls_words[] = {
	{ "none", SMTP_TLS_NONE, "never" },
	{ "try", SMTP_TLS_TRY,
	  "where the server offers it; its certificate is not looked at unless `ca` is given" },
	{ "required", SMTP_TLS_REQUIRED,
	  "by STARTTLS, with a certificate for its name; else nothing goes there" },
	{ "direct", SMTP_TLS_DIRECT, "from the first byte, as on port 465" },
	{ 0 },
};
static const ConfWord auth_words[] = {
	{ "best", SMTP_AUTH_BEST, "PLAIN or LOGIN, as the server offers" },
	{ "plain", SMTP_AUTH_PLAIN, "PLAIN" },
	{ "login", SMTP_AUTH_LOGIN, "LOGIN" },
	{ "xoauth2", SMTP_AUTH_XOAUTH2, "XOAUTH2; the password is the token" },
	{ 0 },
};

const ConfWord *mail_modes(void)
{
	static const ConfWord words[] = {
		{ "capture", MAIL_CAPTURE, "mails are kept and shown, and go nowhere" },
		{ "relay", MAIL_RELAY, "they go on as they are, to one mail server" },
		{ "deliver", MAIL_DELIVER,
		  "each becomes a notification: suppressions, preferences, timelines, the order of providers" },
		{ 0 },
	};

	return words;
}

static Err *verify_address(Arena *a, Str text)
{
	if (!text.len || smtp_address_is(mime_address(text)))
		return NULL;
	return err_new(a, ERR_INVALID, "conf.value", "is no address");
}

static Err *verify_listen(Arena *a, Str text)
{
	Addr addr;

	return addr_parse(a, text, &addr);
}

static const ConfKey server_keys[] = {
	{ "name", CONF_NAME, AT(MailServerConf, name), .help = "what it is called" },
	{ "host", CONF_STR, AT(MailServerConf, host), .required = true, .max = "253",
	  .help = "a name, an address or unix:/path" },
	{ "port", CONF_UINT, AT(MailServerConf, port), .def = "25", .min = "1", .help = "of it" },
	{ "tls", CONF_ENUM, AT(MailServerConf, tls), .names = tls_words, .def = "try",
	  .help = "is TLS spoken" },
	{ "ca", CONF_PATH, AT(MailServerConf, ca),
	  .help = "a PEM file of who signs its certificate; none: the system's" },
	{ "user", CONF_STR, AT(MailServerConf, user), .expand = true, .max = "200",
	  .help = "to log in as" },
	{ "password", CONF_STR, AT(MailServerConf, password), .secret = true, .max = "4000",
	  .help = "of it" },
	{ "auth", CONF_ENUM, AT(MailServerConf, auth), .names = auth_words, .def = "best",
	  .help = "how to log in" },
	{ "plain_password", CONF_BOOL, AT(MailServerConf, plain_password),
	  .help = "let the password go without TLS, to another machine too" },
	{ "no_pipelining", CONF_BOOL, AT(MailServerConf, no_pipelining),
	  .help = "one command at a time, also where the server offers more" },
	{ "connections", CONF_UINT, AT(MailServerConf, connections), .def = "10", .min = "1",
	  .max = "1000", .help = "at once, from this process" },
	{ "mails", CONF_UINT, AT(MailServerConf, mails), .def = "100", .min = "1", .max = "100000",
	  .help = "over one connection, then a new one is made" },
	{ "idle", CONF_DURATION, AT(MailServerConf, idle_us), .def = "30s", .min = "1s",
	  .max = "10m", .help = "a connection that nobody needs is kept so long" },
	{ "connect_timeout", CONF_DURATION, AT(MailServerConf, connect_us), .def = "30s",
	  .min = "100ms", .max = "5m", .help = "for everything until the first mail" },
	{ "command_timeout", CONF_DURATION, AT(MailServerConf, command_us), .def = "5m",
	  .min = "100ms", .max = "10m", .help = "for the answer to a command" },
	{ "data_timeout", CONF_DURATION, AT(MailServerConf, data_us), .def = "10m", .min = "100ms",
	  .max = "30m", .help = "for a mail to be handed over" },
	{ "order", CONF_INT, AT(MailServerConf, order), .min = "0", .max = "1000",
	  .help = "the lower is asked first; the same: in turn" },
	{ "weight", CONF_UINT, AT(MailServerConf, weight), .def = "1", .min = "1", .max = "1000",
	  .help = "share among those of one order" },
};
static const ConfTable server_table = {
	"mail server", CONF_ROWS(MailServerConf, server_keys),
	.help = "a server that takes our mails: a provider of the channel email"
};

static const ConfKey domain_keys[] = {
	{ "domain", CONF_STR, AT(MailDomainConf, domain), .required = true, .max = "253",
	  .help = "of recipients" },
	{ "at_once", CONF_UINT, AT(MailDomainConf, at_once), .def = "2", .min = "1", .max = "1000",
	  .help = "mails under way, from this process" },
};
static const ConfTable domain_table = {
	"domain", CONF_ROWS(MailDomainConf, domain_keys),
	.help = "a domain that wants fewer mails at once than its server allows"
};

static const ConfKey dkim_keys[] = {
	{ "domain", CONF_STR, AT(MailDkimConf, domain), .required = true, .max = "253",
	  .help = "of senders: mails from it and below it are signed" },
	{ "selector", CONF_STR, AT(MailDkimConf, selector), .required = true, .max = "63",
	  .help = "where DNS has the public key: SELECTOR._domainkey.DOMAIN" },
	{ "key", CONF_PATH, AT(MailDkimConf, key), .required = true,
	  .help = "a PEM file with the private key, RSA or Ed25519" },
};
static const ConfTable dkim_table = {
	"DKIM key", CONF_ROWS(MailDkimConf, dkim_keys),
	.help = "a signature; two of a domain (RSA and Ed25519) are two signatures"
};

static const ConfKey login_keys[] = {
	{ "name", CONF_STR, AT(MailLoginConf, name), .required = true, .max = "200",
	  .help = "to log in as" },
	{ "password", CONF_STR, AT(MailLoginConf, password), .required = true, .secret = true,
	  .min = "8", .max = "200", .help = "of it" },
};
static const ConfTable login_table = { "login", CONF_ROWS(MailLoginConf, login_keys),
	                               .help = "of a program that hands in mails" };

static const ConfKey intake_keys[] = {
	{ "listen", CONF_STR, AT(MailIntakeConf, listen), .required = true, .verify = verify_listen,
	  .max = "200",
	  .help = "an address, or unix:/path: where the monolith's EMAIL_HOST points" },
	{ "mode", CONF_ENUM, AT(MailIntakeConf, mode), .names = NULL, .def = "capture",
	  .help = "what is done with mails, until `banyan mail mode` says otherwise" },
	{ "server", CONF_STR, AT(MailIntakeConf, server), .max = "100",
	  .help = "of mode relay: a name of servers; empty: the first" },
	{ "workflow", CONF_STR, AT(MailIntakeConf, workflow), .def = "mail", .max = "100",
	  .help = "of mode deliver: which notifications they become; a header X-Banyan-Workflow names another" },
	{ "message_most", CONF_BYTES, AT(MailIntakeConf, message_most), .def = "10MiB",
	  .min = "1KiB", .max = "64MiB", .help = "a mail has no more bytes" },
	{ "recipients", CONF_UINT, AT(MailIntakeConf, recipients), .def = "100", .min = "1",
	  .max = "1000", .help = "of one mail" },
	{ "connections", CONF_UINT, AT(MailIntakeConf, connections), .def = "100", .min = "1",
	  .max = "2000",
	  .help = "at once, half of them from elsewhere than `networks`; others are asked to come again" },
	{ "networks", CONF_STR, AT_LIST(MailIntakeConf, networks), .max = "64",
	  .help = "who may hand in mails without a login, beside this machine" },
	{ "users", CONF_OBJECT, AT_LIST(MailIntakeConf, users), .table = &login_table,
	  .help = "who may hand in mails from anywhere" },
	{ "certificate", CONF_PATH, AT(MailIntakeConf, certificate),
	  .help = "for STARTTLS: a PEM file" },
	{ "key", CONF_PATH, AT(MailIntakeConf, key), .help = "of it" },
	{ "tls_first", CONF_BOOL, AT(MailIntakeConf, tls_first),
	  .help = "TLS from the first byte, as on port 465" },
	{ "clear_logins", CONF_BOOL, AT(MailIntakeConf, clear_logins),
	  .help = "take logins without TLS: on a network that is trusted" },
	{ "idle", CONF_DURATION, AT(MailIntakeConf, idle_us), .def = "5m", .min = "100ms",
	  .max = "1h", .help = "a client that says nothing for so long is sent away" },
	{ "keep", CONF_DURATION, AT(MailIntakeConf, keep_us), .def = "30d", .min = "1m",
	  .max = "3650d", .help = "mails that are done with stay for so long" },
	{ "give_up", CONF_DURATION, AT(MailIntakeConf, give_up_us), .def = "3d", .min = "1s",
	  .max = "14d", .help = "of mode relay: a mail is tried for so long" },
};

static void check_intake(Conf *conf, void *object)
{
	const MailIntakeConf *intake = object;

	if (intake->certificate.len != 0 && !intake->key.len)
		conf_mistake(conf, &intake->certificate, "certificate: its key is missing");
	if (intake->tls_first && !intake->certificate.len)
		conf_mistake(conf, &intake->tls_first, "tls_first: there is no certificate");
}

static const ConfTable *intake_table(void)
{
	static ConfKey keys[COUNT(intake_keys)];
	static const ConfTable table = { "intake",
		                         .size = sizeof(MailIntakeConf),
		                         .keys = keys,
		                         .count = COUNT(keys),
		                         .check = check_intake,
		                         .help = "SMTP for the monolith: see docs/guide/mail.md" };

	if (!keys[0].name) {
		__builtin_memcpy(keys, intake_keys, sizeof(keys));
		keys[1].names = mail_modes();
	}
	return &table;
}

static const ConfKey mail_keys[] = {
	{ "from", CONF_STR, AT(MailConf, from), .verify = verify_address, .max = "300",
	  .help = "who mails come from that say nothing else: \"Shop <shop@shop.example>\"" },
	{ "hostname", CONF_STR, AT(MailConf, hostname), .max = "253",
	  .help = "what we call ourselves to mail servers, and in Message-IDs; none: the domain of `from`" },
	{ "bounces", CONF_STR, AT(MailConf, bounces), .verify = verify_address, .max = "200",
	  .help = "where bounces go: each mail has an address of its own there (bounces+...@...), which leads to the intake",
	  .more = "Without it they go to the mail's sender, and nothing is learned of them." },
	{ "servers", CONF_OBJECT, AT_MAP(MailConf, servers), .table = &server_table,
	  .help = "that take our mails" },
	{ "domains", CONF_OBJECT, AT_LIST(MailConf, domains), .table = &domain_table,
	  .help = "domains of recipients with limits of their own" },
	{ "dkim", CONF_OBJECT, AT_LIST(MailConf, dkim), .table = &dkim_table,
	  .help = "signatures" },
	{ "intake", CONF_OBJECT, AT(MailConf, intake), GIVEN(MailConf, has_intake), .table = NULL,
	  .help = "SMTP for the monolith's send_mail" },
};

/* What one part says of another. */
static void check_mail(Conf *conf, void *object)
{
	const MailConf *mail = object;
	const MailIntakeConf *intake = &mail->intake;
	bool found = !intake->server.len;

	if (!mail->has_intake)
		return;
	for (size_t i = 0; i < mail->servers.count; i++)
		found |= str_eq(mail->servers.at[i].name, intake->server);
	if (!found)
		conf_mistake(conf, &intake->server, "server: there is no mail server of that name");
	if (intake->mode != MAIL_CAPTURE && !mail->servers.count)
		conf_mistake(conf, &intake->mode, "mode: there are no servers to send mails to");
}

const ConfTable *mail_conf_table(void)
{
	static ConfKey keys[COUNT(mail_keys)];
	static const ConfTable table = { "mail",
		                         .size = sizeof(MailConf),
		                         .check = check_mail,
		                         .keys = keys,
		                         .count = COUNT(keys),
		                         .help = "e-mail: servers, signatures, the intake" };

	if (!keys[0].name) {
		__builtin_memcpy(keys, mail_keys, sizeof(keys));
		keys[COUNT(keys) - 1].table = intake_table();
	}
	return &table;
}

Str mail_hostname(const MailConf *conf)
{
	Str domain = smtp_domain(mime_address(conf->from));

	if (conf->hostname.len)
		return conf->hostname;
	return domain.len ? domain : S("localhost");
}
