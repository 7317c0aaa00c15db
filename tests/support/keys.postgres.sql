-- Columns by which rows are read in pages: of each type, with values that are equal, alike and absent.
CREATE TABLE issued (
    n INT PRIMARY KEY, big BIGINT, word TEXT, pad CHAR(5), price NUMERIC, ratio REAL,
    at TIMESTAMPTZ, bytes BYTEA, id UUID, yes BOOLEAN, same INT
);
INSERT INTO issued VALUES
    (1, 9223372036854775807, 'a', 'a', 0.1, 0.1, '2023-11-14 22:13:20.123456+09', '\x00',
     '00112233-4455-6677-8899-aabbccddeeff', true, 1),
    (2, 9223372036854775806, 'A', 'a ', 0.10, 0.3, '2023-11-14 22:13:20.123456+09', '\x0001',
     '00112233-4455-6677-8899-aabbccddeefe', false, 1),
    (3, -1, 'it''s', '', -1e20, 'NaN', NULL, '', NULL, true, 1),
    (4, 0, '\''', NULL, 1e20, '-Infinity', '2000-01-01', NULL, NULL, NULL, 1),
    (5, 0, '', 'x', NULL, 'NaN', '2000-01-01', '\xff', NULL, NULL, 1),
    (6, 1, NULL, 'x', 3, 1e30, 'infinity', '\xff', '00112233-4455-6677-8899-aabbccddeefe', true, 1);
