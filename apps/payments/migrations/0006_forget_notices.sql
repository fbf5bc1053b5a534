-- Up Migration

-- What a notice said besides names people; nobody needs it once the notice was acted on.
UPDATE webhook_inbox SET payload = '{}' WHERE outcome IS NOT NULL AND outcome <> 'UNKNOWN_PAYMENT';
CREATE INDEX webhook_inbox_reference ON webhook_inbox (reference) WHERE reference <> '';
COMMENT ON COLUMN webhook_inbox.payload IS 'All that the notice said; emptied once it was acted on, and kept where its payment is unknown.';

-- Down Migration
COMMENT ON COLUMN webhook_inbox.payload IS NULL;
DROP INDEX webhook_inbox_reference;
