"""Messages to and from the bank: ISO 20022 payment files, status reports and booked entries."""
