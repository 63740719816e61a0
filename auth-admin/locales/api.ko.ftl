# API가 영어로만 말하는 것: 설정, 진단 결과, 소셜 로그인 설정의 문제. 영어 화면에는 API의 글이 그대로 나옵니다.

section-general = 일반
section-auth-api = Auth API
section-database = 데이터베이스
section-backups = 백업
section-redis = Redis
section-mail = 메일
section-logins-through-providers = 소셜 로그인
section-tokens-and-keys = 토큰과 키
section-revocation = 해지
section-console = 콘솔
section-retention = 보존 기간
section-passwords = 비밀번호
section-accounts = 계정
section-limits = 한도
section-edge = 외부 연결
section-gateway = 게이트웨이
section-connections = 연결
section-telemetry = 로그와 지표

setting-ENV = 실행 환경. `development`, `test`, `production` 중 하나입니다.

setting-SERVICE_ADDR = Auth API가 요청을 받는 주소. 포트만 쓰면 development에서는 127.0.0.1에서 받습니다.
setting-PUBLIC_URL = 사용자가 접속하는 서비스 주소(예: https://auth.example.com). 메일 등의 링크를 이 주소로 만듭니다.
setting-DOCS_ENABLED = /docs와 /openapi.json 제공 여부.

setting-DB_PRIMARY_DB_URL = 데이터베이스의 postgresql:// 주소. 없으면 DATA_DIR의 SQLite를 씁니다.
setting-DB_REPLICA_DB_URL = 복제본의 postgresql:// 주소. 조금 늦어도 되는 목록과 통계에 씁니다.
setting-DB_POOL_MAX_SIZE = 이 인스턴스가 데이터베이스 서버 하나에 여는 연결의 최대 수.
setting-DATA_DIR = SQLite 파일과 development에서 만든 비밀 값을 두는 폴더.
setting-AUTO_MIGRATE = 시작할 때 스키마를 최신으로 올릴지 여부. production에서는 false입니다.

setting-BACKUP_TO = `auth-system backup`이 백업을 쓰는 폴더, 파일 또는 s3://bucket/prefix.
setting-BACKUP_RECIPIENT = 백업을 암호화하는 age 공개 키(age1…).
setting-BACKUP_S3_ENDPOINT = Amazon이 아닌 S3 호환 저장소의 주소.
setting-AWS_ENDPOINT_URL_S3 = 같은 값. AWS 도구가 쓰는 이름입니다.
setting-AWS_REGION = 버킷의 리전. 예: ap-northeast-2.
setting-AWS_DEFAULT_REGION = 같은 값. AWS_REGION이 없을 때 씁니다.
setting-AWS_ACCESS_KEY_ID = 버킷에 요청하는 액세스 키의 ID.
setting-AWS_SECRET_ACCESS_KEY = AWS_ACCESS_KEY_ID의 비밀 값.
setting-AWS_SESSION_TOKEN = 임시 자격 증명의 토큰.
setting-REDIS_URL = Redis의 redis:// 또는 rediss:// 주소. 없으면 횟수와 알림을 이 프로세스 안에서만 공유합니다.
setting-SSL_CERT_FILE = 추가로 신뢰할 루트 인증서의 PEM 파일. 밖으로 나가는 모든 TLS 연결에 씁니다.

setting-SMTP_URL = 메일 릴레이 주소. smtp://user:password@host:587(STARTTLS) 또는 smtps://user:password@host:465(TLS).
setting-MAIL_FROM = 메일의 보낸 사람(예: Example <no-reply@example.com>).
setting-REQUIRE_EMAIL_VERIFICATION = 메일로 주소를 확인해야 계정을 쓸 수 있게 할지 여부.

setting-OAUTH_REDIRECT_URIS = 소셜 로그인 후 돌아갈 수 있는 앱의 주소. 쉼표로 구분하고 정확히 일치해야 합니다. development에서는 루프백의 모든 포트도 허용합니다.
setting-OAUTH_KEEP_TOKENS = 앱이 제공자의 API를 호출할 수 있도록 제공자의 토큰을 SECRETS_KEY로 봉인해 보관할지 여부.
setting-GOOGLE_CLIENT_ID = Google의 OAuth Client ID. 설정하면 Google 로그인을 제공합니다.
setting-GOOGLE_CLIENT_SECRET = Google의 Client Secret.
setting-GOOGLE_ISSUER = Google의 발급자(issuer).
setting-GOOGLE_SCOPES = Google에 요청하는 범위. 없으면 `openid email profile`.
setting-GOOGLE_AUTHORIZE_PARAMS = Google 로그인 화면에 더 보낼 매개변수(예: prompt=select_account&hd=example.com).
setting-GOOGLE_NATIVE_CLIENT_IDS = ID 토큰을 받아 줄 Android, iOS 앱의 Client ID. 쉼표로 구분합니다.
setting-KAKAO_CLIENT_ID = 카카오 앱의 REST API 키. 설정하면 카카오 로그인을 제공합니다.
setting-KAKAO_CLIENT_SECRET = 카카오의 Client Secret. 카카오 개발자 콘솔에서 켠 경우에만 필요합니다.
setting-KAKAO_AUTH_URL = 카카오의 로그인 서버. 발급자(issuer)이기도 합니다.
setting-KAKAO_API_URL = 카카오 API 주소.
setting-KAKAO_SCOPES = 카카오에 요청하는 동의항목. 없으면 요청하지 않습니다. 카카오 개발자 콘솔에서 켜지 않은 항목을 요청하면 KOE205 오류가 납니다.
setting-KAKAO_AUTHORIZE_PARAMS = 카카오 로그인 화면에 더 보낼 매개변수. prompt, login_hint, service_terms, channel_public_id를 쿼리 형식으로 씁니다.
setting-KAKAO_NATIVE_CLIENT_IDS = ID 토큰을 받아 줄 네이티브 앱 키. 쉼표로 구분합니다.
setting-NAVER_CLIENT_ID = 네이버 애플리케이션의 Client ID. 설정하면 네이버 로그인을 제공합니다.
setting-NAVER_CLIENT_SECRET = 네이버의 Client Secret.
setting-NAVER_AUTH_URL = 네이버의 로그인 서버.
setting-NAVER_API_URL = 네이버 API 주소.
setting-NAVER_AUTHORIZE_PARAMS = 네이버 로그인 화면에 더 보낼 매개변수(예: auth_type=reprompt).
setting-APPLE_CLIENT_ID = Apple의 Services ID. 설정하면 Apple 로그인을 제공합니다.
setting-APPLE_TEAM_ID = Apple의 Team ID.
setting-APPLE_KEY_ID = Sign in with Apple 키의 ID.
setting-APPLE_PRIVATE_KEY = 그 키의 PEM(.p8 파일의 내용).
setting-APPLE_PRIVATE_KEY_PATH = APPLE_PRIVATE_KEY가 담긴 파일.
setting-APPLE_ISSUER = Apple의 발급자(issuer).
setting-APPLE_NATIVE_CLIENT_IDS = ID 토큰을 받아 줄 앱의 Bundle ID. 쉼표로 구분합니다.
setting-GITHUB_CLIENT_ID = GitHub OAuth 앱의 Client ID. 설정하면 GitHub 로그인을 제공합니다.
setting-GITHUB_CLIENT_SECRET = GitHub의 Client Secret.
setting-GITHUB_AUTH_URL = GitHub 또는 직접 운영하는 GitHub 서버.
setting-GITHUB_API_URL = GitHub API 주소.
setting-GITHUB_SCOPES = GitHub에 요청하는 범위. 없으면 `read:user user:email`.
setting-KAKAO_ADMIN_KEY = 카카오 앱의 어드민 키. 파기된 계정의 연결을 끊고 카카오의 웹훅을 확인하는 데 씁니다.
setting-OIDC_NAME_ISSUER = 그 밖의 OpenID 발급자(issuer). 이 이름의 소문자로 로그인을 제공합니다.
setting-OIDC_NAME_CLIENT_ID = 그 발급자가 준 Client ID.
setting-OIDC_NAME_CLIENT_SECRET = 그 발급자가 준 Client Secret.
setting-OIDC_NAME_SCOPES = 그 발급자에게 요청하는 범위. 없으면 `openid email profile`.
setting-OIDC_NAME_TITLE = 로그인 버튼에 보일 이름. 없으면 위의 이름.

setting-JWT_ALGORITHM = 액세스 토큰의 서명 알고리즘. RS256, ES256, EdDSA, HS256 중 하나입니다.
setting-JWT_PRIVATE_KEY_PATH = 개인 키의 PEM 파일. development에서는 없으면 만듭니다.
setting-JWT_PUBLIC_KEY_PATH = 공개 키의 PEM 파일.
setting-JWT_PRIVATE_KEY = 개인 키의 PEM 내용. 비밀 관리 서비스가 넣어 주는 값이며 JWT_PRIVATE_KEY_PATH보다 우선합니다.
setting-JWT_PUBLIC_KEY = JWT_PRIVATE_KEY와 짝인 공개 키의 PEM 내용.
setting-JWT_SECRET_KEY = HS256의 공유 비밀 값. 32바이트 이상이어야 합니다: `openssl rand -base64 64`.
setting-JWT_ISSUER = 액세스 토큰의 `iss`. 없으면 PUBLIC_URL, 그것도 없으면 `auth-system`.
setting-JWT_AUDIENCE = 액세스 토큰의 `aud`.
setting-SECRETS_KEY = 데이터베이스의 비밀 값을 봉인하는 base64 32바이트 키: `openssl rand -base64 32`. development에서는 DATA_DIR에 만듭니다.
setting-SECRETS_KEY_PATH = SECRETS_KEY가 담긴 파일.
setting-JWT_ACCESS_TOKEN_EXPIRE_MINUTES = 액세스 토큰의 수명(분), 1~1440. 수명과 관계없이 해지는 즉시 적용됩니다.
setting-JWT_REFRESH_TOKEN_EXPIRE_DAYS = 갱신하지 않은 세션이 끝날 때까지의 일수, 1~30.

setting-REVOCATION_MAX_STALENESS = 해지 기록을 이 시간 동안 읽지 못하면 Auth API는 인증이 필요한 요청에 503으로 답하고, 게이트웨이는 라우트마다 정한 대로 합니다.
setting-GATEWAY_FEED_TOKEN = 해지 정보를 받아 가는 게이트웨이의 공유 비밀 값. 없으면 같은 프로세스의 게이트웨이만 받을 수 있습니다.

setting-ADMIN_CLIENT_SECRET = Auth API와 다른 프로세스의 콘솔이 공유하는 비밀 값. 같은 프로세스의 콘솔에는 필요 없습니다.
setting-ADMIN_ADDR = 콘솔이 요청을 받는 주소. 포트만 쓰면 development에서는 127.0.0.1에서 받습니다.

setting-USER_PURGE_DAYS = 삭제한 계정을 완전히 파기할 때까지의 일수. `off`면 파기하지 않습니다.
setting-LOGIN_HISTORY_RETENTION_DAYS = 로그인 이력을 보관하는 일수. `off`면 계속 보관합니다.
setting-AUDIT_RETENTION_DAYS = 감사 로그를 보관하는 일수. `off`면 계속 보관합니다. 국내 기준은 1년 또는 2년 이상이고, 손해배상 청구권의 단기 시효는 3년입니다.

setting-PASSWORD_MIN_LENGTH = 새 비밀번호의 최소 길이, 8자 이상. 2차 인증이 없으면 15자를 권장합니다.
setting-PASSWORD_POLICY = 비밀번호 규칙. `nist`: 길이와 강도, `kisa-2019`: 두 종류 8자 또는 한 종류 10자, `legacy-8x3`: 세 종류 8자.
setting-PASSWORD_BREACHED_FILE = 거절할 유출 비밀번호의 SHA-1 해시를 정렬한 파일(`HASH`나 `HASH:COUNT`, 또는 앞 12자리 이상).
setting-PASSWORD_EXPIRES_DAYS = 다음 로그인에서 비밀번호를 바꿔야 할 때까지의 일수, 1~3650. 없으면 만료되지 않습니다.

setting-DORMANT_AFTER_DAYS = 쓰지 않은 계정을 닫을 때까지의 일수, 61~3650. 없으면 닫지 않습니다. 마지막 관리자는 닫지 않습니다.
setting-DORMANT_NOTICE_DAYS = 예고 메일을 보내고 계정을 닫을 때까지의 일수. 0이면 메일을 보내지 않습니다. 이메일이 없는 사람은 0일 때만 닫습니다. 예고 전까지 적어도 31일 동안 쓰지 않았어야 합니다.

setting-RATE_LIMIT_LOGIN_PER_ADDRESS = 한 주소에서 하는 로그인. <횟수>/<기간> 또는 off.
setting-RATE_LIMIT_LOGIN_ACCOUNTS_PER_ADDRESS = 한 주소에서 시도하는 서로 다른 계정의 수.
setting-RATE_LIMIT_REGISTER_PER_ADDRESS = 한 주소에서 하는 가입.
setting-RATE_LIMIT_REFRESH_PER_SESSION = 한 세션의 갱신.
setting-RATE_LIMIT_API_PER_USER = 한 사람의 호출. API 키마다 따로 정할 수 있습니다.
setting-RATE_LIMIT_API_PER_ADDRESS = 한 주소에서 하는 호출.
setting-RATE_LIMIT_FORGOT_PER_ADDRESS = 한 주소에서 요청하는 메일. 비밀번호 재설정과 이메일 확인입니다.
setting-RATE_LIMIT_FORGOT_PER_ACCOUNT = 누구나 한 사람에게 보내게 할 수 있는 메일. 넘으면 보내지 않고, 그 사실을 알리지도 않습니다.
setting-MAX_CONCURRENT_REQUESTS = 동시에 처리하는 요청 수. 넘으면 Retry-After와 함께 503으로 답합니다.
setting-REQUEST_TIMEOUT = 요청의 마지막 바이트를 받은 뒤 답할 때까지의 최대 시간.

setting-GEOIP_DB = MaxMind 데이터베이스(.mmdb)의 경로(예: GeoLite2 City). 설정하면 세션과 로그인 이력에 위치가 나옵니다.
setting-ALLOWED_HOSTS = 답하는 호스트 이름. 쉼표로 구분하며 `*.example.com`은 모든 하위 도메인입니다.
setting-CORS_ALLOWED_ORIGINS = API를 호출할 수 있는 브라우저의 origin. JSON 배열 또는 쉼표로 구분한 목록입니다.
setting-TRUSTED_PROXIES = X-Forwarded-For를 믿을 프록시의 주소나 CIDR 블록. 쉼표로 구분합니다.

setting-GATEWAY_ADDR = 게이트웨이가 요청을 받는 주소. 포트만 쓰면 development에서는 127.0.0.1에서 받습니다.
setting-GATEWAY_CONFIG = 게이트웨이의 라우트 파일(예: gateway.toml). 없으면 기본 라우트를 씁니다.
setting-AUTH_API_URLS = 게이트웨이와 콘솔이 Auth API를 찾는 주소. 쉼표로 구분합니다. 없으면 http://127.0.0.1:8000이며, 같은 프로세스이면 필요 없습니다.
setting-AUTH_ADMIN_URLS = 게이트웨이가 콘솔을 찾는 주소. 쉼표로 구분합니다. 없으면 http://127.0.0.1:5173이며, 같은 프로세스이면 필요 없습니다.

setting-MAX_CONNECTIONS = 리스너마다 여는 연결의 최대 수. 넘으면 기다립니다.
setting-DRAIN_TIMEOUT = 멈출 때 처리 중인 요청을 기다리는 최대 시간.

setting-LOG_FORMAT = 로그 형식. `json`, `pretty`, 또는 터미널에서만 pretty인 `auto`.
setting-LOG_LEVEL = 로그 수준. 대상별로도 정할 수 있습니다: `info,auth_service=debug`.
setting-OTEL_EXPORTER_OTLP_ENDPOINT = 트레이스를 HTTP로 받는 OpenTelemetry 수집기(예: http://collector:4318).
setting-CLOUDWATCH_METRICS = 지표를 CloudWatch 형식(Embedded Metric Format)으로 1분에 한 줄씩 로그에 쓸지 여부.
setting-SENTRY_DSN = 오류와 패닉을 받는 Sentry 프로젝트.
setting-METRICS_ADDR = Auth API의 GET /metrics(Prometheus) 주소.
setting-GATEWAY_METRICS_ADDR = 게이트웨이의 GET /metrics(Prometheus) 주소.
setting-ADMIN_METRICS_ADDR = 콘솔의 GET /metrics(Prometheus) 주소.

checked-signing-key = 서명 키
checked-disk = 디스크
checked-cors = CORS
checked-redis = Redis
checked-mail = 메일
checked-database = 데이터베이스
checked-schema = 스키마
checked-indexes = 인덱스
checked-clock = 시각
checked-login-provider = 소셜 로그인

finding-no-answer = { $seconds }초 동안 응답이 없습니다.
fix-no-answer = 이 서버에서 접속할 수 있는지 확인하세요.
finding-key-used = { $algorithm } 키 { $kid }로 서명합니다({ $source }).
finding-key-unusable = 서명 키를 쓸 수 없습니다: { $cause }
fix-key-unusable = JWT_PRIVATE_KEY_PATH나 JWT_PRIVATE_KEY를, HS256이면 JWT_SECRET_KEY를 확인하세요. JWT_ALGORITHM과 키의 종류가 같아야 합니다.
finding-disk-free = { $folder }에 { $free } MiB의 여유 공간이 있습니다.
finding-disk-full = { $folder }에 여유 공간이 { $free } MiB뿐입니다.
fix-disk-full = 공간을 확보하세요. 곧 쓰기에 실패합니다.
finding-disk-unreadable = { $folder }의 여유 공간을 확인할 수 없습니다: { $cause }
fix-disk-unreadable = DATA_DIR을 확인하세요.
finding-cors-listed = 브라우저가 호출할 수 있는 origin: { $origins }
finding-cors-nobody = CORS_ALLOWED_ORIGINS가 없습니다. 브라우저는 이 서비스의 페이지에서만 호출할 수 있습니다.
finding-cors-anybody = 브라우저가 모든 페이지에서 호출할 수 있습니다(자격 증명 없이).
fix-cors-anybody = CORS_ALLOWED_ORIGINS에 앱의 origin을 적으세요. production에서는 *를 쓸 수 없습니다.
finding-redis-answers = { $milliseconds }ms 만에 PONG으로 응답했습니다.
finding-redis-absent = REDIS_URL이 없습니다. 횟수와 알림을 프로세스마다 따로 관리합니다.
finding-redis-url-wrong = Redis 주소를 쓸 수 없습니다: { $cause }
fix-redis-url-wrong = REDIS_URL을 확인하세요.
finding-redis-unreachable = Redis에 연결할 수 없습니다: { $cause }
fix-redis-unreachable = REDIS_URL의 호스트와 포트, 보안 그룹(포트 6379)을 확인하고, 서버가 TLS를 요구하면 rediss://로 시작하는지 확인하세요.
finding-redis-refuses-password = Redis가 비밀번호를 거절했거나 비밀번호를 요구합니다: { $cause }
fix-redis-refuses-password = REDIS_URL에 토큰을 넣으세요: rediss://:TOKEN@host:6379/0. 특수 문자는 퍼센트 인코딩합니다.
finding-redis-wants-tls = Redis가 TLS 없는 연결을 끊습니다: { $cause }
fix-redis-wants-tls = REDIS_URL을 redis://가 아니라 rediss://로 시작하세요.
finding-redis-without-tls = Redis가 TLS를 쓰지 않습니다: { $cause }
fix-redis-without-tls = 서버에서 전송 중 암호화를 켜세요. production이 아니면 redis://를 쓸 수 있습니다.
finding-redis-untrusted = Redis의 인증서를 믿을 수 없습니다: { $cause }
fix-redis-untrusted = 인증 기관의 인증서를 SSL_CERT_FILE에, 서버 인증서에 적힌 호스트를 REDIS_URL에 적으세요.
finding-redis-silent = 연결은 되지만 쓸 수 없습니다: { $cause }
fix-redis-silent = REDIS_URL이 가리키는 서버를 확인하세요. 프라이머리여야 하고, 메모리가 남아 있고, 데이터를 다 읽은 상태여야 합니다.
finding-relay-answers = { $host }에서 { $from } 이름으로 메일을 보낼 수 있습니다.
finding-relay-refuses = 메일 릴레이를 쓸 수 없습니다: { $cause }
fix-relay-refuses = SMTP_URL의 호스트, 포트, 사용자, 비밀번호를 확인하고 포트 465에는 smtps://를 쓰세요.
finding-mail-in-log = SMTP_URL이 없어 메일 내용을 로그에 씁니다.
finding-mail-off = 메일을 보내지 않습니다.
fix-mail-off = 비밀번호 재설정과 알림 메일을 보내려면 PUBLIC_URL, SMTP_URL, MAIL_FROM을 설정하세요.
finding-database-answers = { $version }, { $milliseconds }ms 만에 응답했습니다.
finding-database-url-wrong = 데이터베이스 주소를 쓸 수 없습니다: { $cause }
fix-database-url-wrong = DB_PRIMARY_DB_URL을 확인하세요.
finding-database-unreachable = 데이터베이스에 연결할 수 없습니다: { $cause }
fix-database-unreachable = DB_PRIMARY_DB_URL의 호스트와 포트, 서버가 켜져 있는지, 보안 그룹(포트 5432)이 이 서버를 허용하는지 확인하세요.
finding-database-host-unknown = 데이터베이스 호스트를 찾을 수 없습니다: { $cause }
fix-database-host-unknown = DB_PRIMARY_DB_URL의 호스트를 확인하고, 비밀번호의 특수 문자를 퍼센트 인코딩하세요. 특수 문자에서 비밀번호가 끝났을 수 있습니다.
finding-database-refuses = 데이터베이스가 접속을 거절했습니다: { $cause }
fix-database-refuses = DB_PRIMARY_DB_URL의 사용자와 비밀번호를 확인하세요. 특수 문자는 퍼센트 인코딩합니다.
finding-database-absent = 데이터베이스가 없습니다: { $cause }
fix-database-absent = DB_PRIMARY_DB_URL의 이름을 확인하거나 만드세요: CREATE DATABASE authdb
finding-database-wants-tls = 데이터베이스가 TLS를 요구합니다: { $cause }
fix-database-wants-tls = DB_PRIMARY_DB_URL에서 sslmode=disable을 빼거나 sslmode=verify-full을 쓰세요.
finding-database-without-tls = 데이터베이스가 TLS를 쓰지 않습니다: { $cause }
fix-database-without-tls = 서버에서 TLS를 켜세요. 믿을 수 있는 네트워크라면 sslmode=disable을 쓸 수 있습니다.
finding-database-untrusted = 데이터베이스의 인증서를 믿을 수 없습니다: { $cause }
fix-database-untrusted = DB_PRIMARY_DB_URL에 sslrootcert=파일로 인증 기관의 인증서를, 서버 인증서에 적힌 호스트를 적으세요.
finding-schema-current = 모든 스크립트가 적용되어 있습니다.
finding-schema-behind = 스키마가 최신이 아닙니다. 적용되지 않은 스크립트: { $scripts }
fix-schema-behind = 이 버전의 `auth-system migrate`를 실행하세요.
finding-schema-unreadable = 스키마를 확인할 수 없습니다: { $cause }
fix-schema-unreadable = 이 버전의 `auth-system migrate`를 실행하세요.
finding-index-there = idx_users_email_active가 있습니다.
finding-index-missing = idx_users_email_active가 없습니다.
fix-index-missing = `auth-system migrate`를 실행하세요.
finding-clock-shared = 데이터베이스가 이 서버의 시계를 씁니다.
finding-clock-near = 데이터베이스와의 차이가 { $milliseconds }ms 이내입니다.
finding-clock-differs = 데이터베이스와 { $seconds }초 차이가 납니다(이 서버 { $here }, 데이터베이스 { $there }).
fix-clock-differs = 두 서버에 chrony나 ntpd를 실행하세요.
finding-providers-wrong = 소셜 로그인 설정이 잘못되었습니다: { $cause }
fix-providers-wrong = 설정을 바로잡으세요.
finding-providers-without-apps = 소셜 로그인을 쓸 수 있는 앱이 없습니다.
fix-providers-without-apps = OAUTH_REDIRECT_URIS에 앱의 주소를 등록하세요.
finding-provider-answers = { $provider }: { $place }에서 로그인합니다. 제공자에 등록할 Redirect URI: { $callback }
finding-provider-lacks = { $provider }: { $place }에서 로그인합니다. 제공자에 등록할 Redirect URI: { $callback }
fix-provider-lacks = { $advice }
finding-provider-unreachable = { $provider }에 연결할 수 없습니다: { $cause }
fix-provider-unreachable = 설정의 주소가 맞는지, 이 서버에서 접속할 수 있는지 확인하세요.

lack-no-public-url = PUBLIC_URL을 설정하세요. 없으면 로그인 후 이 서버로만 돌아옵니다.
lack-no-redirect-uris = 쓸 수 있는 앱이 없습니다. OAUTH_REDIRECT_URIS에 앱의 주소를 등록하세요.
lack-no-kakao-admin-key = KAKAO_ADMIN_KEY를 설정하세요. 파기된 사용자의 카카오 연결을 끊고, 사용자가 직접 끊은 연결을 전달받는 데 필요합니다.
