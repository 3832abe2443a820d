"""Networks, whose cost is known before they are built."""
