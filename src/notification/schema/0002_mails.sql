-- Mails that were handed in by SMTP (docs/guide/mail.md): kept before they are acknowledged, then shown, sent on, or made notifications.

create table mails (
	id :uuid primary key,
	mode :text not null check (mode in ('capture', 'relay', 'deliver')),
	state :text not null check (state in ('captured', 'queued', 'handed', 'sent', 'partly', 'failed', 'report')),
	sender :text not null,
	recipients :int not null check (recipients > 0),
	subject :text not null,
	message_id :text not null,
	source :text not null,
	bytes :int not null,
	received_at :time not null,
	settled_at :time
) :strict;
create index mails_by_state on mails (state, id);
create index mails_by_age on mails (settled_at) where settled_at is not null;

create table mail_texts (
	id :uuid primary key references mails (id),
	raw :bytes not null
) :strict;

-- `sending` is written before the wire is touched: whoever finds it after a crash knows that the mail may have been taken.
create table mail_recipients (
	mail_id :uuid not null references mails (id),
	n :int not null,
	address :text not null,
	state :text not null check (state in ('captured', 'waiting', 'sending', 'handed', 'sent', 'failed')),
	attempts :int not null,
	doubts :int not null,
	reply :text not null,
	notification_id :uuid,
	updated_at :time not null,
	primary key (mail_id, n)
) :strict;
create index mail_recipients_by_address on mail_recipients (address, mail_id);

-- What the intake does with mails, where somebody has said so since the configuration did.
create table mail_modes (
	name :text primary key,
	mode :text not null check (mode in ('capture', 'relay', 'deliver')),
	author :text not null,
	changed_at :time not null
) :strict;
