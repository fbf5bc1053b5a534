-- Up Migration

-- An address belongs to the account that proved it; any number of others may carry it without proof, until then.
ALTER TABLE users
  ADD COLUMN email_key text,
  ADD COLUMN email_verified_at timestamptz,
  ALTER COLUMN email DROP NOT NULL;

-- Those who run the shop were let in by whoever set it up.
UPDATE users
   SET email_key = lower(email),
       email_verified_at = CASE WHEN roles && ARRAY['staff', 'admin'] THEN created_at END;

ALTER TABLE users
  ADD CONSTRAINT users_email_has_key CHECK ((email IS NULL) = (email_key IS NULL)),
  ADD CONSTRAINT users_verified_has_email CHECK (email IS NOT NULL OR email_verified_at IS NULL);

DROP INDEX users_email_key;
CREATE UNIQUE INDEX users_verified_email ON users (email_key) WHERE email_verified_at IS NOT NULL;
CREATE INDEX users_unverified_email ON users (email_key, created_at DESC, user_id DESC)
 WHERE email_verified_at IS NULL AND email_key IS NOT NULL;
CREATE INDEX users_unverified ON users (user_id) WHERE email_verified_at IS NULL;

-- Links of mails: what they prove, to be used once.
CREATE TABLE proofs (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  purpose    text NOT NULL CHECK (purpose IN ('VERIFY_EMAIL', 'RESET_PASSWORD', 'CHANGE_EMAIL')),
  email      text NOT NULL,
  email_key  text NOT NULL,
  -- Absent where the link proves an address and no more.
  user_id    uuid REFERENCES users ON DELETE CASCADE,
  expires_at timestamptz NOT NULL,
  CONSTRAINT proofs_about CHECK ((user_id IS NULL) = (purpose = 'VERIFY_EMAIL'))
);

CREATE INDEX proofs_user_id ON proofs (user_id);
CREATE INDEX proofs_email_key ON proofs (email_key);
CREATE INDEX proofs_expires_at ON proofs (expires_at);

-- Mails that notifications is still to be told of.
CREATE TABLE account_mails (
  mail_id       uuid PRIMARY KEY,
  kind          text NOT NULL,
  recipient     text NOT NULL,
  name          text NOT NULL,
  -- No reference: the account may be gone.
  user_id       uuid,
  -- What goes out, once that is decided; the link in it lets in whoever has it.
  sealed_letter bytea,
  tries         integer NOT NULL DEFAULT 0,
  -- When the next worker may take it: after a pause, or when the worker that has it must be dead.
  due_at        timestamptz NOT NULL DEFAULT now(),
  created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX account_mails_due ON account_mails (due_at);

-- Down Migration
DROP TABLE account_mails, proofs;
DROP INDEX users_verified_email, users_unverified_email, users_unverified;
DELETE FROM users u
 WHERE email_key IS NULL
    OR EXISTS (SELECT FROM users o WHERE o.email_key = u.email_key
                AND (o.email_verified_at IS NOT NULL, o.created_at, o.user_id)
                  > (u.email_verified_at IS NOT NULL, u.created_at, u.user_id));
ALTER TABLE users DROP COLUMN email_key, DROP COLUMN email_verified_at, ALTER COLUMN email SET NOT NULL;
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
