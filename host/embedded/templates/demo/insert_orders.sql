INSERT INTO demo.orders
SELECT rand(1) % 5000, ['new', 'paid', 'sent', 'returned'][1 + rand(2) % 4], (100 + rand(3) % 20000) / 100, now()
FROM numbers(50)
