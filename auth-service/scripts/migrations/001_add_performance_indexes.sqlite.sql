-- 001_add_performance_indexes.sql for SQLite.
BEGIN IMMEDIATE;

CREATE INDEX IF NOT EXISTS idx_user_roles_role ON user_roles (role_id);
CREATE INDEX IF NOT EXISTS idx_sessions_user_live ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS idx_sessions_absolute_expires_at ON sessions (absolute_expires_at);
CREATE INDEX IF NOT EXISTS idx_refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX IF NOT EXISTS idx_refresh_tokens_successor ON refresh_tokens (successor_hash) WHERE sealed_successor IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_known_devices_user ON known_devices (user_id, created_at);
CREATE INDEX IF NOT EXISTS idx_known_devices_expires_at ON known_devices (expires_at);
CREATE INDEX IF NOT EXISTS idx_daily_guesses_day ON daily_guesses (day);
CREATE INDEX IF NOT EXISTS idx_login_histories_user ON login_histories (user_id, at);
CREATE INDEX IF NOT EXISTS idx_audit_logs_at ON audit_logs (at);
CREATE INDEX IF NOT EXISTS idx_audit_logs_target ON audit_logs (target_id, at);

INSERT INTO schema_migrations (version, name, applied_at) VALUES (1, 'add_performance_indexes', CAST(unixepoch('subsec') * 1000000 AS INTEGER)) ON CONFLICT DO NOTHING;
COMMIT;
