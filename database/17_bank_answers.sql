-- What a bank's answer says beside amount and date, and why a person is called.

alter table raw.bank_transaction
    add column message_created_at timestamptz,
    add column occurrence int not null default 1,
    add column is_reversal boolean not null default false,
    add column is_detail boolean not null default false,
    add column is_charge boolean not null default false,
    add column booking_reference text,
    add column booking_amount numeric(18, 2),
    add column content text;
comment on column raw.bank_transaction.message_created_at is '报文创建时刻 / When the bank made the message.';
comment on column raw.bank_transaction.occurrence is '同一报文中相同交易的序号 / Its number among alike transactions of one message that have no reference.';
comment on column raw.bank_transaction.is_reversal is '是否冲正 / Whether the bank calls it the reversal of an earlier entry.';
comment on column raw.bank_transaction.is_detail is '是否分录的明细 / Whether it is a transaction of an entry, and not the entry as a whole.';
comment on column raw.bank_transaction.is_charge is '是否分录内手续费 / Whether it is what the bank charged within an entry.';
comment on column raw.bank_transaction.booking_reference is '整笔分录的银行参考号 / The bank''s reference of the whole entry, or the block of payments it books.';
comment on column raw.bank_transaction.booking_amount is '整笔分录金额 / Amount of the whole entry.';
comment on column raw.bank_transaction.content is '无编号时用以区分的内容摘要 / Digest of the content, where nothing else tells the entry from another.';

alter table ledger.bank_entry
    add column currency text,
    add column booking_reference text,
    add column booking_amount numeric(18, 2),
    add column is_detail boolean not null default false,
    add column finding text,
    add column explains_bank_entry_id uuid references ledger.bank_entry,
    drop constraint bank_entry_outcome_check,
    add constraint bank_entry_outcome_check check (
        outcome in (
            'paid', 'rejected', 'returned', 'pending', 'accepted', 'unknown', 'amount_differs', 'not_expected', 'held'
        )
    ),
    add constraint bank_entry_held_check check (outcome <> 'held' or finding is not null);
comment on column ledger.bank_entry.currency is '币种；只有 CNY 入账 / Currency of the amount; only CNY is booked.';
comment on column ledger.bank_entry.booking_reference is '整笔分录的银行参考号 / The bank''s reference of the entry that it is, or is a transaction of.';
comment on column ledger.bank_entry.booking_amount is '整笔分录金额 / Amount of that entry.';
comment on column ledger.bank_entry.is_detail is '是否分录的明细 / Whether it is a transaction of that entry, and not the entry as a whole.';
comment on column ledger.bank_entry.finding is '须人工核查的原因 / Why a person is called; null where none is.';
comment on column ledger.bank_entry.explains_bank_entry_id is '所解释的挂账 / The entry in suspense whose transaction this is.';
create index on ledger.bank_entry (booking_reference) where booking_reference is not null and kind = 'booked';
create index on ledger.bank_entry (explains_bank_entry_id) where explains_bank_entry_id is not null;
