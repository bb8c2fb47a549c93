-- What must not be done to the ledger: tests/ledger_suite.h tries.

--- exec ledger_test_change(amount int); scans
update ledger_transfers set amount = :amount

--- exec ledger_test_drop(); scans
delete from ledger_transfers

--- exec ledger_test_group_drop(); scans
delete from ledger_groups

--- exec ledger_test_account_drop(); scans
delete from ledger_accounts

--- exec ledger_test_account_turn(side text); scans
update ledger_accounts set side = :side

-- What only a broken program or a person with a console does: the judge must see it (ledger_fsck.c).
--- exec ledger_test_balance(code text, more int)
update ledger_accounts set debits = debits + :more where currency = 'eur' and code = :code

--- exec ledger_test_hold_lost(); scans
delete from ledger_holds
