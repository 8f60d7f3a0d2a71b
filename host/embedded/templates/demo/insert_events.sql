INSERT INTO demo.events
SELECT now(),
       ['shop', 'search', 'payments', 'login'][1 + rand(1) % 4],
       concat('/', ['cart', 'item', 'list', 'pay', 'home'][1 + rand(2) % 5], '/', toString(rand(3) % 500)),
       [200, 200, 200, 200, 200, 200, 304, 404, 500][1 + rand(4) % 9],
       exp(1 + 5 * (rand(5) % 1000) / 1000),
       200 + rand(6) % 50000
FROM numbers(20)
