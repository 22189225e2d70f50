-- The four tables that the emitted SQL knows, and three that the actions need. PER_TENANT users and rooms of TENANTS
-- tenants, as the emitted locustfile makes its accounts: number n is user n + 1 of tenant n mod TENANTS + 1.
CREATE TABLE users (id bigint PRIMARY KEY, tenant_id text NOT NULL, email text UNIQUE NOT NULL,
  is_active boolean NOT NULL DEFAULT true, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE user_settings (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users (id),
  settings jsonb NOT NULL);
CREATE TABLE resources (id bigserial PRIMARY KEY, tenant_id text NOT NULL, workroom_id bigint NOT NULL,
  name text NOT NULL, sha256 text NOT NULL, bytes integer NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE activity_logs (id bigserial PRIMARY KEY, tenant_id text NOT NULL, user_id bigint, what text NOT NULL,
  "timestamp" timestamptz NOT NULL DEFAULT now());
CREATE TABLE workrooms (id bigint PRIMARY KEY, tenant_id text NOT NULL, name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE workroom_members (workroom_id bigint NOT NULL REFERENCES workrooms (id),
  user_id bigint NOT NULL REFERENCES users (id), tenant_id text NOT NULL, PRIMARY KEY (user_id, workroom_id));
CREATE TABLE messages (id bigserial PRIMARY KEY, tenant_id text NOT NULL, workroom_id bigint NOT NULL,
  user_id bigint NOT NULL, content text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());

INSERT INTO users SELECT n + 1, (n % :TENANTS + 1)::text, format('user%s@tenant%s.example', n + 1, n % :TENANTS + 1),
  true, now() - n * interval '1 minute' FROM generate_series(0, :TENANTS * :PER_TENANT - 1) n;
INSERT INTO user_settings (user_id, settings) SELECT id, jsonb_build_object('theme', 'dark', 'k' || k, repeat('x', 40))
  FROM users, generate_series(1, 3) k;
INSERT INTO workrooms SELECT r, ((r - 1) % :TENANTS + 1)::text, 'room ' || r
  FROM generate_series(1, :TENANTS * :PER_TENANT) r;
INSERT INTO workroom_members SELECT w.id, u.id, u.tenant_id FROM users u JOIN workrooms w ON w.tenant_id = u.tenant_id;
INSERT INTO messages (tenant_id, workroom_id, user_id, content, created_at)
  SELECT w.tenant_id, w.id, 1, repeat('m', 180), now() - k * interval '1 hour' FROM workrooms w, generate_series(1, 50) k;
CREATE INDEX ON messages (workroom_id, created_at DESC);
CREATE INDEX ON workroom_members (workroom_id);
