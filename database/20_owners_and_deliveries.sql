-- Who brought a batch, whose the rows in it are, and what a second person is asked before it takes effect.

alter table intake.batch
add column received_by text,
add column sender_areas text [];
comment on column intake.batch.received_by is '发起接收的账号，定时接收为空 / Who started the run that received it; null for the schedule.';
comment on column intake.batch.sender_areas is '送达账号所属统筹区，不受限为空 / Areas that who brought it is bound to; null for an account bound to none.';

-- The area of an institution on a day: where the register has it then, or where it first will. Rows of batches before
-- the one that asks decide; its own count only for a code that nobody had. What the gate decides (intake/ownership.py),
-- decided again over what was accepted.
create function intake.area_of_institution(code text, on_day date, of_load bigint) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (
    select institution.area_code
    from reference.institution
    inner join intake.batch on institution.batch_id = batch.batch_id
    where institution.fixmedins_code = code and batch.load_id <= of_load
    order by
        batch.load_id < of_load desc,
        institution.valid_from <= on_day desc,
        case when institution.valid_from <= on_day then institution.valid_from end desc,
        institution.valid_from
    limit 1
);

-- Of the areas that have a claim on a row the one furthest from its batch.
create function intake.furthest_area(batch_area_code text, sender_area_codes text, claims text []) returns text
language sql immutable set search_path = pg_catalog, pg_temp
return (
    select claim.area_code
    from unnest(claims) as claim (area_code)
    where claim.area_code is not null
    order by
        case
            when substr(claim.area_code, 1, 2) <> substr(batch_area_code, 1, 2) then 0
            when strpos(sender_area_codes, claim.area_code) = 0 then 1
            when claim.area_code <> batch_area_code then 2
            else 3
        end
    limit 1
);

-- The views of what waits for the expectations get what the rules on owners ask for.
do $$
declare
    relation record;
    code text;
    claims text;
    known text;
begin
    for relation in
        select
            columns.table_name,
            array_agg(columns.column_name::text) as names,
            pg_get_viewdef(format('intake.%I', columns.table_name)::regclass) as definition
        from information_schema.columns
        where columns.table_schema = 'intake'
            and columns.table_name in (
                select 'judged_' || tables.table_name from information_schema.tables
                where tables.table_schema = 'reference'
                union all values ('judged_review'), ('judged_case_review')
            )
        group by columns.table_name
    loop
        code := case
            when 'finding_id' = any(relation.names) then $code$split_part(judged.finding_id, ':', 1)$code$
            when 'fixmedins_code' = any(relation.names) then 'judged.fixmedins_code'
        end;
        if 'area_code' = any(relation.names) then
            claims := 'judged.area_code';
            known := 'null::boolean';
        elsif code is not null then
            claims := 'null::text';
            known := format(
                'exists (select from reference.institution as registered where registered.fixmedins_code = %s)', code
            );
        elsif 'setl_id' = any(relation.names) then
            claims := '(select settlement.area_code from raw.settlement_key '
                'inner join raw.settlement using (setl_id, fixmedins_code, business_date) '
                'where settlement_key.setl_id = judged.setl_id)';
            known := 'exists (select from raw.settlement_key where settlement_key.setl_id = judged.setl_id)';
        else
            continue;
        end if;
        if code is not null then
            claims := claims || format(
                $claims$,
                intake.area_of_institution(
                    %1$s, (batch.received_at at time zone 'Asia/Shanghai')::date, batch.load_id
                ),
                intake.area_of_institution(%1$s, %2$s, batch.load_id)$claims$,
                code,
                case
                    when 'valid_from' = any(relation.names) then 'judged.valid_from'
                    else $day$(batch.received_at at time zone 'Asia/Shanghai')::date$day$
                end
            );
        end if;
        execute format(
            $view$create or replace view intake.%I as
            select
                judged.*,
                batch.area_code as batch_area_code,
                '|' || array_to_string(batch.sender_areas, '|') || '|' as sender_area_codes,
                intake.furthest_area(
                    batch.area_code, '|' || array_to_string(batch.sender_areas, '|') || '|', array[%s]
                ) as row_area_code,
                %s as owner_known
            from (%s) as judged
            inner join intake.batch on judged.judged_batch_id = batch.batch_id$view$,
            relation.table_name, claims, known, rtrim(relation.definition, ';')
        );
    end loop;
end
$$;

-- A register row for an institution that another area has enters through no door, whoever let it through. It is raised
-- as a violated key, so that a load that met a faster one is judged again.
create function reference.refuse_foreign_institution() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
    foreign_row record;
begin
    select added.fixmedins_code, added.valid_from, owner.area_code into foreign_row
    from added
    inner join intake.batch on added.batch_id = batch.batch_id
    cross join lateral (
        values
        (intake.area_of_institution(
            added.fixmedins_code, (clock_timestamp() at time zone 'Asia/Shanghai')::date, batch.load_id - 1
        )),
        (intake.area_of_institution(added.fixmedins_code, added.valid_from, batch.load_id - 1))
    ) as owner (area_code)
    where owner.area_code <> batch.area_code
        and (
            substr(batch.area_code, 3, 4) <> '0000'
            or substr(owner.area_code, 1, 2) <> substr(batch.area_code, 1, 2)
        )
    limit 1;
    if found then
        raise unique_violation using message = format(
            'institution %s belongs to area %s; the row from %s is another area''s',
            foreign_row.fixmedins_code, foreign_row.area_code, foreign_row.valid_from
        );
    end if;
    return null;
end
$$;
create trigger institution_stays_with_its_area after insert on reference.institution
referencing new table as added
for each statement execute function reference.refuse_foreign_institution();
