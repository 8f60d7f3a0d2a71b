INSERT INTO demo.events
SELECT now() - intDiv(number * 86400, 200000),
       ['shop', 'search', 'payments', 'login'][1 + cityHash64(number) % 4],
       concat('/', ['cart', 'item', 'list', 'pay', 'home'][1 + cityHash64(number, 1) % 5], '/', toString(cityHash64(number, 2) % 500)),
       [200, 200, 200, 200, 200, 200, 304, 404, 500][1 + cityHash64(number, 3) % 9],
       exp(1 + 5 * (cityHash64(number, 4) % 1000) / 1000),
       200 + cityHash64(number, 5) % 50000
FROM numbers(200000)
