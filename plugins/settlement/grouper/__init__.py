"""Grouping of inpatient cases: schemes as data, cases by DRG or DIP, and why each case is where it is."""
