-- 001_add_performance_indexes.sql for SQLite.
BEGIN IMMEDIATE;

CREATE INDEX IF NOT EXISTS idx_users_created_at ON users (created_at, id);
CREATE INDEX IF NOT EXISTS idx_users_deleted_at ON users (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_users_pending ON users (created_at, id) WHERE deleted_at IS NULL AND status = 'pending';
CREATE INDEX IF NOT EXISTS idx_users_disabled ON users (created_at, id) WHERE deleted_at IS NULL AND status = 'disabled';
CREATE INDEX IF NOT EXISTS idx_users_verified ON users (created_at, id) WHERE deleted_at IS NULL AND email_verified_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_users_unverified ON users (created_at, id) WHERE deleted_at IS NULL AND email_verified_at IS NULL;
-- Two, for a condition on nothing else may make a planner without statistics choose one to look people up by address.
CREATE INDEX IF NOT EXISTS idx_users_last_login ON users (last_login_at, id) WHERE deleted_at IS NULL AND last_login_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_users_without_login ON users (id) WHERE deleted_at IS NULL AND last_login_at IS NULL;
-- Not IS NULL: for that, the unique index of addresses would be chosen, and all that it finds would be sorted.
CREATE INDEX IF NOT EXISTS idx_users_without_email ON users (id) WHERE deleted_at IS NULL AND COALESCE(email, '') = '';
CREATE INDEX IF NOT EXISTS idx_users_search_name ON users (search_name) WHERE deleted_at IS NULL AND search_name IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_user_roles_role ON user_roles (role_id);
CREATE INDEX IF NOT EXISTS idx_user_roles_expires_at ON user_roles (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_sessions_user_live ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_sessions_user ON sessions (user_id, created_at, id);
CREATE INDEX IF NOT EXISTS idx_sessions_absolute_expires_at ON sessions (absolute_expires_at);
CREATE INDEX IF NOT EXISTS idx_refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX IF NOT EXISTS idx_refresh_tokens_successor ON refresh_tokens (successor_hash) WHERE sealed_successor IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_known_devices_user ON known_devices (user_id, created_at);
CREATE INDEX IF NOT EXISTS idx_known_devices_expires_at ON known_devices (expires_at);
CREATE INDEX IF NOT EXISTS idx_daily_guesses_day ON daily_guesses (day);
CREATE INDEX IF NOT EXISTS idx_login_histories_user ON login_histories (user_id, at, id);
CREATE INDEX IF NOT EXISTS idx_login_histories_at ON login_histories (at);
CREATE INDEX IF NOT EXISTS idx_audit_logs_at ON audit_logs (at, id);
CREATE INDEX IF NOT EXISTS idx_audit_logs_actor ON audit_logs (actor_id, at, id);
CREATE INDEX IF NOT EXISTS idx_audit_logs_target ON audit_logs (target_id, at, id);
CREATE INDEX IF NOT EXISTS idx_audit_logs_refused ON audit_logs (at, id) WHERE outcome = 'refused';
CREATE INDEX IF NOT EXISTS idx_audit_logs_event ON audit_logs (event, at, id);
CREATE INDEX IF NOT EXISTS idx_audit_logs_ip_address ON audit_logs (ip_address, at, id) WHERE ip_address IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_audit_logs_request ON audit_logs (request_id, at, id) WHERE request_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_audit_logs_unsealed ON audit_logs (at, id) WHERE seq IS NULL;
CREATE INDEX IF NOT EXISTS idx_revocations_expires_at ON revocations (expires_at);
CREATE INDEX IF NOT EXISTS idx_one_time_tokens_user ON one_time_tokens (user_id, purpose);
CREATE INDEX IF NOT EXISTS idx_one_time_tokens_expires_at ON one_time_tokens (expires_at);
CREATE INDEX IF NOT EXISTS idx_oauth_accounts_user ON oauth_accounts (user_id, created_at);
CREATE INDEX IF NOT EXISTS idx_oauth_accounts_proposed ON oauth_accounts (created_at) WHERE linked_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_oauth_handles_expires_at ON oauth_handles (expires_at);
CREATE INDEX IF NOT EXISTS idx_oauth_notices_received_at ON oauth_notices (received_at);
CREATE INDEX IF NOT EXISTS idx_oauth_notices_waiting ON oauth_notices (received_at) WHERE processed_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_oauth_unlinks_due ON oauth_unlinks (next_attempt_at);
CREATE INDEX IF NOT EXISTS idx_mail_outbox_due ON mail_outbox (next_attempt_at) WHERE handed_over_at IS NULL AND failed_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_mail_outbox_user ON mail_outbox (user_id);
CREATE INDEX IF NOT EXISTS idx_mail_outbox_created_at ON mail_outbox (created_at, id);
CREATE INDEX IF NOT EXISTS idx_mail_outbox_waiting ON mail_outbox (created_at, id) WHERE handed_over_at IS NULL AND failed_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_mail_outbox_handed_over ON mail_outbox (created_at, id) WHERE handed_over_at IS NOT NULL AND sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_mail_outbox_sent ON mail_outbox (created_at, id) WHERE sent_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_mail_outbox_failed ON mail_outbox (created_at, id) WHERE failed_at IS NOT NULL AND sent_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_api_keys_user ON api_keys (user_id, created_at);
CREATE INDEX IF NOT EXISTS idx_api_keys_expires_at ON api_keys (expires_at);
CREATE INDEX IF NOT EXISTS idx_api_keys_created_at ON api_keys (created_at, id);
CREATE INDEX IF NOT EXISTS idx_api_keys_name ON api_keys (lower(name)) WHERE revoked_at IS NULL AND lower(name) IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_idempotency_keys_created_at ON idempotency_keys (created_at);

INSERT INTO schema_migrations (version, name, applied_at) VALUES (1, 'add_performance_indexes', CAST(unixepoch('subsec') * 1000000 AS INTEGER)) ON CONFLICT DO NOTHING;
COMMIT;
