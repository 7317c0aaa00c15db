-- Columns by which rows are read in pages: of each type, with values that are equal, alike and absent.
CREATE TABLE issued (
    n INT PRIMARY KEY, big BIGINT UNSIGNED, word VARCHAR(20), bin VARCHAR(20) COLLATE utf8mb4_bin,
    latin VARCHAR(20) CHARACTER SET latin1, price DECIMAL(30, 10), ratio DOUBLE, at DATETIME(6),
    day DATE NOT NULL DEFAULT '2023-01-01', bytes BINARY(4), id UUID,
    kind ENUM('z', 'y', 'x'), bits BIT(9), same INT, often INT, KEY (word)
);
INSERT INTO issued VALUES
    (1, 18446744073709551615, 'a', 'a', 'é', 0.1, 0.1, '2023-11-14 22:13:20.123456',
     '2023-11-14', 'a', '00112233-4455-6677-8899-aabbccddeeff', 'x', b'1', 1, NULL),
    (2, 18446744073709551615, 'A', 'A', 'E', 0.10, 0.3, '2023-11-14 22:13:20.123456',
     '2023-11-14', 'A', '00112233-4455-6677-8899-aabbccddeefe', 'y', b'1', 1, NULL),
    (3, 18446744073709551614, 'it''s', 'b ', '\\', -1e15, 1e300, NULL, '2024-11-14',
     'it''', '10112233-4455-6677-8899-aabbccddeeff', 'z', b'100000001', 1, 7),
    (4, 0, '\\''', 'b', '', 1e15, -1e-300, '2000-01-01', '2024-11-14', NULL, NULL, 'z',
     b'0', 1, 7),
    (5, 9007199254740993, '', '', NULL, NULL, 0.2, '2000-01-01', '2024-11-15', X'FF00FF00',
     'ffffffff-4455-6677-8899-aabbccddeeff', NULL, NULL, 1, 7),
    (6, 9007199254740992, '한', '한', 'x', 3, 0.1, NULL, '2024-11-15', '', NULL, 'y', b'1', 1, 7),
    (7, 1, NULL, NULL, 'X', 3, NULL, '2001-01-01', '2024-11-16', '', NULL, 'x', b'1', 1, 8),
    (8, 2, 'B', 'c', 'y', 3.0000000001, 5, '2001-01-02', '2024-11-16', 'z', NULL, 'x', b'10', 1, 8);
