-- ERPGo's database, as far as its runbooks look into it. The roles are made
-- before it: erpgo, the application's, owns everything.

SET ROLE erpgo;

CREATE TABLE users (
    id                      text PRIMARY KEY,
    email                   text NOT NULL,
    password_reset_required boolean NOT NULL DEFAULT false
);

CREATE TABLE audit_logs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    text NOT NULL,
    event_type text NOT NULL,
    timestamp  timestamptz NOT NULL DEFAULT now(),
    ip_address inet NOT NULL,
    user_agent text NOT NULL
);
CREATE INDEX ON audit_logs (event_type, timestamp);

CREATE TABLE products (
    id    integer PRIMARY KEY,
    name  text NOT NULL,
    price numeric(10, 2) NOT NULL,
    stock integer NOT NULL
);

CREATE TABLE orders (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    text NOT NULL REFERENCES users,
    product_id integer NOT NULL REFERENCES products,
    quantity   integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE schema_migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO users
SELECT 'user' || to_char(n, 'FM0000'), 'user' || n || '@erpgo.example' FROM generate_series(1, 200) AS n;

INSERT INTO users VALUES ('admin', 'admin@erpgo.example'), ('finance', 'finance@erpgo.example');

INSERT INTO products
SELECT n, 'product ' || n, 1 + n % 97, 100 + n % 50 FROM generate_series(1, 1000) AS n;

INSERT INTO schema_migrations (version, name)
VALUES (1, 'users'), (2, 'products and orders'), (3, 'audit logs');

-- The last hour as it is on a quiet day: people who mistype, and log in then.
INSERT INTO audit_logs (user_id, event_type, timestamp, ip_address, user_agent)
SELECT 'user' || to_char(1 + n * 37 % 200, 'FM0000'),
       CASE WHEN n % 4 = 0 THEN 'login_failed' ELSE 'login' END,
       now() - n * interval '29 seconds',
       '10.4.8.0'::inet + n * 13 % 250,
       'Mozilla/5.0 (X11; Linux x86_64)'
FROM generate_series(1, 120) AS n;

GRANT SELECT ON users, audit_logs, products, orders, schema_migrations TO flightdeck;
RESET ROLE;
