/* SPDX-License-Identifier: Apache-2.0
 *
 * `services.notification.mail` of the configuration file: mail servers, signatures, and the intake. */
#pragma once
#include "base/conf.h"

typedef struct MailServerConf {
	Str name; /* of the provider */
	Str host;
	uint16_t port;
	uint8_t tls, auth; /* SmtpTls, SmtpAuth */
	Str ca;
	bool insecure;
	Str user, password;
	bool plain_password, no_pipelining;
	uint32_t connections, mails;
	int64_t idle_us, connect_us, command_us, data_us;
	int64_t order;
	uint32_t weight;
} MailServerConf;

typedef struct MailDomainConf {
	Str domain;
	uint32_t at_once;
} MailDomainConf;

typedef struct MailDkimConf {
	Str domain, selector, key;
} MailDkimConf;

typedef struct MailLoginConf {
	Str name, password;
} MailLoginConf;

typedef enum MailMode { MAIL_CAPTURE, MAIL_RELAY, MAIL_DELIVER, MAIL_MODES } MailMode;

typedef struct MailIntakeConf {
	Str listen;
	uint8_t mode;
	Str server;   /* of relay: a name of servers; empty: the first */
	Str workflow; /* of deliver */
	uint64_t message_most;
	uint32_t recipients, connections;
	CONF_LIST_OF(Str) networks;
	CONF_LIST_OF(MailLoginConf) users;
	Str certificate, key;
	bool tls_first, clear_logins;
	int64_t idle_us, keep_us, give_up_us;
} MailIntakeConf;

typedef struct MailConf {
	Str from;     /* "Shop <shop@shop.example>" */
	Str hostname; /* what we call ourselves; empty: the domain of `from`, or localhost */
	Str bounces;  /* where bounces go; empty: to the sender */
	CONF_LIST_OF(MailServerConf) servers;
	CONF_LIST_OF(MailDomainConf) domains;
	CONF_LIST_OF(MailDkimConf) dkim;
	bool has_intake;
	MailIntakeConf intake;
} MailConf;

const ConfTable *mail_conf_table(void);
const ConfWord *mail_modes(void); /* ends with a row of zeros */
Str mail_hostname(const MailConf *conf);
