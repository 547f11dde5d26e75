-- Areas that have anything booked, or to book.
select area_code from entries.entry_booked
union
select area_code from intermediate.int_point_values
order by area_code
