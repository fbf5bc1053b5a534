-- Up Migration

-- What the shop's roles are made of. Those that every shop has are here so that they can be locked and referred to; what
-- they may do is decided by the version of the code.
CREATE TABLE roles (
  name        text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9-]{0,39}$'),
  permissions text[] NOT NULL,
  built_in    boolean NOT NULL DEFAULT false,
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now()
);

INSERT INTO roles (name, permissions, built_in) VALUES ('customer', '{}', true), ('staff', '{}', true), ('admin', '{}', true);

ALTER TABLE users
  DROP CONSTRAINT users_roles_check,
  ADD CONSTRAINT users_roles_bounded CHECK (cardinality(roles) BETWEEN 1 AND 10);

CREATE INDEX users_roles ON users USING gin (roles);

-- Down Migration
DROP INDEX users_roles;
UPDATE users SET roles = ARRAY(
  SELECT r FROM unnest(roles) AS r WHERE r IN ('customer', 'staff', 'admin') UNION SELECT 'customer');
ALTER TABLE users
  DROP CONSTRAINT users_roles_bounded,
  ADD CONSTRAINT users_roles_check
    CHECK (cardinality(roles) > 0 AND roles <@ ARRAY['customer', 'staff', 'admin']);
DROP TABLE roles;
