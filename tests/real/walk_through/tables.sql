-- The application's own tables: those that the emitted SQL knows by name, and three of its own that it is told of.
-- Rows as the emitted load tests expect them: account n is member (n - 1) / 4 of tenant (n - 1) % 4 + 1, six to a board.
CREATE TABLE users (id bigint PRIMARY KEY, tenant_id text NOT NULL, email text UNIQUE NOT NULL,
  board_id bigint NOT NULL, is_active boolean NOT NULL DEFAULT true, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE user_settings (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id),
  settings jsonb NOT NULL);
CREATE TABLE resources (id bigserial PRIMARY KEY, tenant_id text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE activity_logs (id bigserial PRIMARY KEY, tenant_id text NOT NULL,
  "timestamp" timestamptz NOT NULL DEFAULT now());
CREATE TABLE boards (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text NOT NULL);
CREATE TABLE cards (id bigserial PRIMARY KEY, tenant_id text NOT NULL, board_id bigint NOT NULL, content text NOT NULL);
CREATE TABLE files (id bigserial PRIMARY KEY, tenant_id text NOT NULL, board_id bigint NOT NULL, name text NOT NULL,
  sha256 text NOT NULL);
INSERT INTO users (id, tenant_id, email, board_id)
  SELECT n + 1, (n % 4 + 1)::text, format('user%s@tenant%s.example', n + 1, n % 4 + 1), n / 4 / 6 * 4 + n % 4 + 1
  FROM generate_series(0, 399) n;
INSERT INTO user_settings (user_id, settings) SELECT id, '{"theme": "dark"}' FROM users;
INSERT INTO boards SELECT DISTINCT board_id, tenant_id, 'board ' || board_id FROM users;
INSERT INTO cards (tenant_id, board_id, content) SELECT tenant_id, id, 'card ' || k FROM boards, generate_series(1, 30) k;
CREATE INDEX ON cards (board_id, id DESC);
