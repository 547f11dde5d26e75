-- Movements that are held are judged again with each batch of their area, so they are found without reading all others.
create index on ledger.bank_entry (area_code) where outcome = 'held';
