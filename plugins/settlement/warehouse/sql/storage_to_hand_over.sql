-- Partitioned tables of raw with their partitions, and all tables of grouper, that do not belong to their owner yet.
select pg_class.oid::regclass::text as table_name
from pg_catalog.pg_class
left join pg_catalog.pg_partitioned_table
    on pg_class.oid = pg_partitioned_table.partrelid
where
    pg_class.relkind in ('r', 'p')
    and pg_class.relowner <> 'storage_owner'::regrole
    and (
        pg_class.relnamespace = 'grouper'::regnamespace
        or (
            pg_class.relnamespace = 'raw'::regnamespace
            and (pg_class.relispartition or pg_partitioned_table.partrelid is not null)
        )
    )
order by table_name
