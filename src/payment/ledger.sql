-- The ledger: see ledger.c. Its judge's questions are in ledger_fsck.sql.

--- row ledger_account: id uuid, code text, currency text, side text, guard text, hot bool, debits int, credits int, held_debits int, held_credits int, created_at time

-- What never changes of an account: what posting needs of it.
--- one ledger_known(code text, currency text) -> (id uuid, side text, guard text, hot bool)
select id, side, guard, hot from ledger_accounts where currency = :currency and code = :code

--- exec ledger_account_add(id uuid, code text, currency text, side text, guard text, hot bool, now time)
insert into ledger_accounts (id, code, currency, side, guard, hot, created_at)
values (:id, :code, :currency, :side, :guard, :hot, :now)
on conflict (currency, code) do nothing

-- With what is not in a hot account's row yet.
--- one ledger_account_now(code text, currency text) -> ledger_account
select a.id, a.code, a.currency, a.side, a.guard, a.hot,
	a.debits + coalesce((select sum(h.debits) from ledger_hot h where h.account_id = a.id), 0),
	a.credits + coalesce((select sum(h.credits) from ledger_hot h where h.account_id = a.id), 0),
	a.held_debits + coalesce((select sum(h.held_debits) from ledger_hot h where h.account_id = a.id), 0),
	a.held_credits + coalesce((select sum(h.held_credits) from ledger_hot h where h.account_id = a.id), 0),
	a.created_at
from ledger_accounts a where a.currency = :currency and a.code = :code

-- By currency and code, after one; a currency that is empty: all of them.
--- many ledger_accounts_after(currency text, after_currency text, after_code text, prefix text, prefix_end text, most int) -> ledger_account; scans
select a.id, a.code, a.currency, a.side, a.guard, a.hot,
	a.debits + coalesce((select sum(h.debits) from ledger_hot h where h.account_id = a.id), 0),
	a.credits + coalesce((select sum(h.credits) from ledger_hot h where h.account_id = a.id), 0),
	a.held_debits + coalesce((select sum(h.held_debits) from ledger_hot h where h.account_id = a.id), 0),
	a.held_credits + coalesce((select sum(h.held_credits) from ledger_hot h where h.account_id = a.id), 0),
	a.created_at
from ledger_accounts a
where (a.currency, a.code) > (:after_currency, :after_code) and (:currency = '' or a.currency = :currency)
	and (:prefix = '' or a.code = :prefix or (a.code >= :prefix || ':' and a.code < :prefix_end))
order by a.currency, a.code limit :most

--- row ledger_group: id uuid, kind text, source text, currency text, memo text, happened_at time, created_at time, transfers int

--- one ledger_group_of(kind text, source text) -> ledger_group
select id, kind, source, currency, memo, happened_at, created_at, transfers from ledger_groups
where kind = :kind and source = :source

--- one ledger_group_by_id(id uuid) -> ledger_group
select id, kind, source, currency, memo, happened_at, created_at, transfers from ledger_groups where id = :id

--- exec ledger_group_add(ledger_group)
insert into ledger_groups (id, kind, source, currency, memo, happened_at, created_at, transfers)
values (:id, :kind, :source, :currency, :memo, :happened_at, :created_at, :transfers)

--- row ledger_transfer: id uuid, group_id uuid, deed text, debit_id uuid, credit_id uuid, currency text, amount int, hold_id uuid?, until time?, created_at time

--- exec ledger_transfer_add(ledger_transfer)
insert into ledger_transfers (id, group_id, deed, debit_id, credit_id, currency, amount, hold_id, until, created_at)
values (:id, :group_id, :deed, :debit_id, :credit_id, :currency, :amount, :hold_id, :until, :created_at)

--- load ledger_transfers_load(ledger_transfer) into ledger_transfers

--- exec ledger_hold_add(transfer_id uuid, until time?)
insert into ledger_holds (transfer_id, until) values (:transfer_id, :until)

--- load ledger_holds_load(transfer_id uuid, until time?) into ledger_holds

-- Resolves it; nothing: somebody did before.
--- exec ledger_hold_take(transfer_id uuid)
delete from ledger_holds where transfer_id = :transfer_id

--- one ledger_hold_by_id(id uuid) -> (debit text, credit text, currency text, amount int, until time?, open bool)
select d.code, c.code, t.currency, t.amount, t.until, exists (select 1 from ledger_holds h where h.transfer_id = t.id)
from ledger_transfers t join ledger_accounts d on d.id = t.debit_id join ledger_accounts c on c.id = t.credit_id
where t.id = :id and t.deed = 'hold'

--- many ledger_holds_due(now time, most int) -> (transfer_id uuid, currency text)
select h.transfer_id, t.currency from ledger_holds h join ledger_transfers t on t.id = h.transfer_id
where h.until <= :now order by h.until limit :most

-- Nothing changes: it would pass its limit.
--- exec ledger_account_move(id uuid, debits int, credits int, held_debits int, held_credits int)
update ledger_accounts set debits = debits + :debits, credits = credits + :credits,
	held_debits = held_debits + :held_debits, held_credits = held_credits + :held_credits
where id = :id
	and (guard <> 'credit' or debits + :debits + held_debits + :held_debits <= credits + :credits)
	and (guard <> 'debit' or credits + :credits + held_credits + :held_credits <= debits + :debits)

-- The same for many, on PostgreSQL: locked in the order of their ids, like those one by one.
--- exec ledger_accounts_move(moves json); scans
--- postgres
with m as (
	select * from json_to_recordset(:moves) as m (id uuid, d bigint, c bigint, hd bigint, hc bigint)
), locked as (
	select a.id from ledger_accounts a where a.id in (select id from m) order by a.id for no key update
)
update ledger_accounts a set debits = debits + m.d, credits = credits + m.c, held_debits = held_debits + m.hd,
	held_credits = held_credits + m.hc
from m, locked where a.id = m.id and locked.id = a.id
	and (guard <> 'credit' or debits + m.d + held_debits + m.hd <= credits + m.c)
	and (guard <> 'debit' or credits + m.c + held_credits + m.hc <= debits + m.d)

--- exec ledger_hot_add(account_id uuid, debits int, credits int, held_debits int, held_credits int)
insert into ledger_hot (account_id, debits, credits, held_debits, held_credits)
values (:account_id, :debits, :credits, :held_debits, :held_credits)

-- On PostgreSQL one statement sees and takes the same rows, whatever others insert meanwhile.
--- exec ledger_hot_fold(most int); scans
--- postgres
with gone as (
	delete from ledger_hot where seq in (select seq from ledger_hot order by seq limit :most)
	returning account_id, debits, credits, held_debits, held_credits
), total as (
	select account_id, sum(debits) as debits, sum(credits) as credits, sum(held_debits) as held_debits,
		sum(held_credits) as held_credits from gone group by account_id
)
update ledger_accounts a set debits = a.debits + t.debits, credits = a.credits + t.credits,
	held_debits = a.held_debits + t.held_debits, held_credits = a.held_credits + t.held_credits
from total t where a.id = t.account_id

-- On SQLite there is one writer: nothing comes between these three.
--- many ledger_hot_sums(most int) -> (account_id uuid, debits int, credits int, held_debits int, held_credits int, last int); scans
--- sqlite
select account_id, sum(debits), sum(credits), sum(held_debits), sum(held_credits), max(seq)
from (select * from ledger_hot order by seq limit :most) group by account_id

--- exec ledger_hot_drop(last int)
--- sqlite
delete from ledger_hot where seq <= :last

-- Was it the same group?
--- many ledger_lines_of_group(group_id uuid) -> (id uuid, deed text, debit text, credit text, amount int, hold_id uuid?)
select t.id, t.deed, d.code, c.code, t.amount, t.hold_id from ledger_transfers t
join ledger_accounts d on d.id = t.debit_id join ledger_accounts c on c.id = t.credit_id
where t.group_id = :group_id order by t.seq
