"""Booking of inpatient cases: a month's cases grouped, priced and put into the books, and what is published of it."""
