-- The ledger (docs/guide/ledger.md): accounts, and transfers between them that are never changed. What must hold is said here too:
-- both accounts of a transfer are of its currency, a hold is resolved once, a limit is kept, nothing that was written goes away.

-- Balances are kept beside the transfers, in the same transaction; those of a hot account lag by what stands in ledger_hot.
-- guard: 'credit': debits, held ones too, never exceed credits; 'debit': the other way round.
create table ledger_accounts (
	id :uuid primary key,
	code :text not null check (code <> ''),
	currency :text not null,
	side :text not null check (side in ('asset', 'liability', 'equity', 'income', 'expense')),
	guard :text not null check (guard in ('none', 'credit', 'debit')),
	hot :bool not null,
	debits :int not null default 0 check (debits >= 0),
	credits :int not null default 0 check (credits >= 0),
	held_debits :int not null default 0 check (hot or held_debits >= 0),
	held_credits :int not null default 0 check (hot or held_credits >= 0),
	created_at :time not null,
	unique (currency, code),
	unique (id, currency),
	check (not hot or guard = 'none'),
	check (guard <> 'credit' or debits + held_debits <= credits),
	check (guard <> 'debit' or credits + held_credits <= debits)
) :strict;

-- What was written at one moment for one cause.
create table ledger_groups (
	id :uuid primary key,
	kind :text not null check (kind <> ''),
	source :text not null check (source <> ''),
	currency :text not null,
	memo :text not null,
	happened_at :time not null,
	created_at :time not null,
	transfers :int not null check (transfers > 0),
	unique (kind, source)
) :strict;

-- amount: of void and expire what was held, of settle what is moved of it. group_id has no foreign key: the group is written by the same
-- hand before, nothing of it ever goes away, and a look for it at each of thousands of rows is a tenth of their price.
create table ledger_transfers (
	seq :serial,
	id :uuid not null unique,
	group_id :uuid not null,
	deed :text not null check (deed in ('post', 'hold', 'settle', 'void', 'expire')),
	debit_id :uuid not null,
	credit_id :uuid not null,
	currency :text not null,
	amount :int not null check (amount > 0),
	hold_id :uuid references ledger_transfers (id),
	until :time,
	created_at :time not null,
	check (debit_id <> credit_id),
	check ((hold_id is not null) = (deed in ('settle', 'void', 'expire'))),
	check (until is null or deed = 'hold'),
	foreign key (debit_id, currency) references ledger_accounts (id, currency),
	foreign key (credit_id, currency) references ledger_accounts (id, currency)
) :strict;
create unique index ledger_transfers_by_hold on ledger_transfers (hold_id) where hold_id is not null;
create index ledger_transfers_by_group on ledger_transfers (group_id);
create index ledger_transfers_by_debit on ledger_transfers (debit_id, seq);
create index ledger_transfers_by_credit on ledger_transfers (credit_id, seq);

-- The holds that are open: who takes the row away resolves it.
create table ledger_holds (
	transfer_id :uuid primary key references ledger_transfers (id),
	until :time
) :strict;
create index ledger_holds_due on ledger_holds (until) where until is not null;

-- What was added to hot accounts and is not in their rows yet: who posts inserts, and waits for nobody.
create table ledger_hot (
	seq :serial,
	account_id :uuid not null references ledger_accounts (id),
	debits :int not null,
	credits :int not null,
	held_debits :int not null,
	held_credits :int not null
) :strict;
create index ledger_hot_by_account on ledger_hot (account_id);

--- sqlite
create trigger ledger_transfers_stay before delete on ledger_transfers
begin select raise(abort, 'what is in the ledger stays'); end;
create trigger ledger_transfers_keep before update on ledger_transfers
begin select raise(abort, 'what is in the ledger is never changed'); end;
create trigger ledger_groups_stay before delete on ledger_groups
begin select raise(abort, 'what is in the ledger stays'); end;
create trigger ledger_groups_keep before update on ledger_groups
begin select raise(abort, 'what is in the ledger is never changed'); end;
create trigger ledger_accounts_stay before delete on ledger_accounts
begin select raise(abort, 'an account of the ledger stays'); end;
create trigger ledger_accounts_keep before update of id, code, currency, side, guard, hot, created_at on ledger_accounts
begin select raise(abort, 'only the balance of an account changes'); end;

--- postgres
-- Balances change all the time: room for a row's next version on its own page.
alter table ledger_accounts set (fillfactor = 50);

create function ledger_refuse() returns trigger language plpgsql as $$
begin
	raise exception 'what is in the ledger stays as it is (% on %)', tg_op, tg_table_name using errcode = 'check_violation';
end $$;
create trigger ledger_transfers_stay before update or delete on ledger_transfers for each row execute function ledger_refuse();
create trigger ledger_transfers_whole before truncate on ledger_transfers for each statement execute function ledger_refuse();
create trigger ledger_groups_stay before update or delete on ledger_groups for each row execute function ledger_refuse();
create trigger ledger_groups_whole before truncate on ledger_groups for each statement execute function ledger_refuse();
create trigger ledger_accounts_stay before delete on ledger_accounts for each row execute function ledger_refuse();
create trigger ledger_accounts_whole before truncate on ledger_accounts for each statement execute function ledger_refuse();
create trigger ledger_accounts_keep before update of id, code, currency, side, guard, hot, created_at on ledger_accounts
	for each row execute function ledger_refuse();
