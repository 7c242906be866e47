"""The smallest shop that a suite can be run on: a source file and four orders."""

SHOP = """
name: Corner shop
time_zone: Europe/London
currency: GBP
tables:
  orders:
    rows: orders.csv
    columns: {order_id: id, customer_id: who, ordered_at: at, amount: paid}
"""
# The last order is on a Wednesday, so the last complete week ends on Sunday 29 November 2026.
ORDERS = """id,who,at,paid
1,ann,2026-11-02 10:00:00,10.00
2,bob,2026-11-15 11:00:00,20.00
3,ann,2026-11-28 12:00:00,15.50
4,eve,2026-12-02 13:00:00,30.00
"""
