# 콘솔의 글. 운영자에게는 짧은 합니다체와 명사형으로 씁니다.

skip-to-content = 본문으로 건너뛰기
menu = 메뉴
language = 언어
theme = 화면 테마
theme-system = 시스템 설정
theme-light = 밝게
theme-dark = 어둡게
apply = 적용
save = 저장
edit = 수정
cancel = 취소
close = 닫기
go-on = 계속
try-again = 다시 시도
back-to-start = 처음으로
never = 없음
offline = 서버에 연결할 수 없습니다. 네트워크를 확인하고 다시 시도하세요.
page-first = 처음
page-next = 다음

nav-main = 주 메뉴
nav-people = 사람
nav-security = 보안
nav-operation = 운영
nav-overview = 개요
nav-users = 사용자
nav-roles = 역할과 권한
nav-api-keys = API 키
nav-audit = 감사 로그
nav-signing-keys = 서명 키
nav-gateways = 게이트웨이
nav-providers = 소셜 로그인
nav-mails = 메일
nav-settings = 설정
nav-doctor = 진단

keys-show = 단축키
keys-title = 단축키
keys-search = 검색
keys-move = 다음 줄, 이전 줄
keys-open = 선택한 줄 열기
keys-close = 닫기
keys-help = 이 도움말

ago-now = 방금 전
ago-minutes = { $shown }분 전
ago-hours = { $shown }시간 전
ago-days = { $shown }일 전
ago-months = { $shown }개월 전
ago-years = { $shown }년 전
in-now = 곧
in-minutes = { $shown }분 후
in-hours = { $shown }시간 후
in-days = { $shown }일 후
in-months = { $shown }개월 후
in-years = { $shown }년 후

# 로그인
sign-in-title = 콘솔 로그인
sign-in-again = 계속하려면 로그인하세요.
sign-in-name = 이메일 또는 사용자 이름
sign-in = 로그인
sign-in-refused = 이메일 또는 비밀번호가 올바르지 않습니다.
sign-in-no-console = 이 계정에는 콘솔 권한이 없습니다. 관리자에게 역할을 요청하세요.
sign-out = 로그아웃
password = 비밀번호
password-yours = 내 비밀번호
password-why = 되돌리기 어려운 작업입니다. 본인인지 한 번 더 확인합니다.
new-password-title = 새 비밀번호
new-password-why = 비밀번호 사용 기간이 지났습니다. 새 비밀번호를 정하세요.
new-password = 새 비밀번호
new-password-choose = 비밀번호 변경
no-cookie-title = 브라우저가 쿠키를 거부했습니다
no-cookie-why = 로그인은 성공했지만 브라우저가 로그인 쿠키를 저장하지 않았습니다. 이 주소가 암호화되지 않은 HTTP이기 때문입니다.
no-cookie-tls = HTTPS 주소로 여세요. 게이트웨이나 nginx에서 TLS를 켤 수 있습니다.
no-cookie-localhost = 이 컴퓨터에서 시험하는 중이라면 IP 대신 http://localhost 주소로 여세요.

# 처음 설정
setup-title = 처음 설정
setup-why = 아직 관리자가 없습니다. 첫 관리자 계정을 만드세요.
setup-token = 설정 토큰
setup-token-hint = 서버를 시작할 때 출력된 토큰입니다. 한 번만 쓸 수 있습니다.
setup-run = 관리자 만들기
setup-wrong-token = 설정 토큰이 올바르지 않거나 이미 사용되었습니다. 서버를 마지막으로 시작했을 때 출력된 토큰을 입력하세요.
setup-email-taken = 이미 가입된 이메일입니다. 다른 주소를 쓰거나 서버에서 auth-system users create-admin을 실행하세요.

# 실패
failure-request = 요청 ID
failure-foreign-form = 요청을 확인할 수 없습니다
failure-why-foreign-form = 이 요청은 현재 세션의 화면에서 오지 않았습니다. 화면을 새로 고친 뒤 다시 시도하세요.
failure-bad-form = 잘못된 요청
failure-why-bad-form = 입력한 내용을 읽을 수 없습니다. 화면을 새로 고친 뒤 다시 시도하세요.
failure-not-found = 찾을 수 없습니다
failure-why-not-found = 삭제되었거나 주소가 잘못되었습니다.
failure-forbidden = 권한이 없습니다
failure-why-forbidden = 이 작업에 필요한 권한이 없습니다. 관리자에게 역할을 요청하세요.
failure-too-many = 요청이 너무 많습니다
failure-why-too-many = 잠시 후 다시 시도하세요.
failure-refused = 처리하지 못했습니다
failure-why-refused = 요청이 거부되었습니다.
failure-unreachable = Auth API에 연결할 수 없습니다
failure-why-unreachable = Auth API가 응답하지 않습니다. 서버 상태를 확인하고 잠시 후 다시 시도하세요.
failure-internal = 콘솔 오류
failure-why-internal = 콘솔에 문제가 생겼습니다. 자세한 원인은 서버 로그에 있습니다.

# 사용자
users-search = 이메일, 이름, 사용자 이름으로 찾기
users-count = { $shown }명
users-shown = { $shown }명 표시 중
users-none = 아직 사용자가 없습니다
users-none-hint = 가입하거나 초대하면 여기에 나타납니다.
users-none-found = 조건에 맞는 사용자가 없습니다
users-none-found-hint = 검색어를 줄이거나 조건을 바꿔 보세요.
status = 상태
status-any = 모든 상태
status-active = 활성
status-pending = 확인 대기
status-unverified = 이메일 미확인
status-disabled = 비활성
status-deleted = 삭제됨
role = 역할
role-any = 모든 역할
sort = 정렬
sort-newest = 최근 가입 순
sort-oldest = 오래된 가입 순
sort-email = 이메일 순
sort-email-down = 이메일 역순
columns = 표시할 열
column-who = 사용자
column-status = 상태
column-roles = 역할
column-last-login-at = 마지막 로그인
column-created-at = 가입
choose-all = 모두 선택
choose = { $name } 선택
no-email = 이메일 없음
email = 이메일
display-name = 이름
username = 사용자 이름
phone = 전화번호
locale = 언어
locale-ko = 한국어
locale-en = 영어
profile = 프로필
profile-edit = 프로필 수정
timeline = 활동
timeline-empty = 아직 활동이 없습니다.
sessions-count = 세션 { $shown }개
sessions-none = 로그인한 기기가 없습니다.
device-unknown = 알 수 없는 기기
roles-none = 역할 없음
roles-of = { $name } 님의 역할
roles-why = 변경은 즉시 모든 서버에 적용됩니다. 기간을 비우면 계속 유지됩니다.
roles-until = 만료일
roles-until-of = { $name } 역할의 만료일
outcome-logged-in = 로그인
outcome-refused = 로그인 거절
method-password = 비밀번호
method-google = Google
method-kakao = 카카오
method-naver = 네이버
method-apple = Apple
method-github = GitHub
invite = 사용자 초대
invite-why = 초대 메일을 보냅니다. 비밀번호는 본인이 정합니다.
invite-send = 초대 보내기

act-disable = 비활성화
act-enable = 활성화
act-unlock = 로그인 제한 해제
act-send-reset = 재설정 메일 보내기
act-restore = 복구
act-end-sessions = 모든 세션 끝내기
act-delete = 삭제
ask-disable = { $name } 님을 비활성화할까요?
ask-why-disable = 모든 세션이 바로 끝나고 { $name } 님은 더 이상 로그인할 수 없습니다. 다시 활성화할 수 있습니다.
ask-enable = { $name } 님을 활성화할까요?
ask-why-enable = { $name } 님이 다시 로그인할 수 있습니다.
ask-unlock = { $name } 님의 로그인 제한을 해제할까요?
ask-why-unlock = 틀린 비밀번호 횟수를 지웁니다. { $name } 님이 바로 다시 로그인할 수 있습니다.
ask-send-reset = { $name } 님에게 재설정 메일을 보낼까요?
ask-why-send-reset = 비밀번호를 새로 정할 수 있는 링크를 { $name } 님의 이메일로 보냅니다.
ask-restore = { $name } 님의 계정을 복구할까요?
ask-why-restore = 계정이 삭제 전 상태로 돌아옵니다.
ask-end-sessions = { $name } 님의 모든 세션을 끝낼까요?
ask-why-end-sessions = { $name } 님은 모든 기기에서 1초 안에 로그아웃됩니다.
ask-delete = { $name } 님의 계정을 삭제할까요?
ask-why-delete = 모든 세션이 끝나고 이메일 주소가 다시 쓸 수 있게 됩니다. 보존 기간 안에는 복구할 수 있습니다.

bulk-chosen = 명 선택됨
bulk-will = { $shown }명에게 적용됩니다. 아래 목록을 확인하세요.
bulk-outcome = 결과
bulk-due = 적용 예정
bulk-needless = 바뀌는 것 없음
bulk-done = 완료
bulk-refused = 거절됨
bulk-back = 목록으로

done-signed-out = 로그아웃했습니다.
done-password-changed = 비밀번호를 변경했습니다. 새 비밀번호로 로그인하세요.
done-set-up = 첫 관리자를 만들었습니다.
done-disable = 비활성화했습니다.
done-enable = 활성화했습니다.
done-unlock = 로그인 제한을 해제했습니다.
done-send-reset = 재설정 메일을 보냈습니다.
done-restore = 복구했습니다.
done-end-sessions = 모든 세션을 끝냈습니다.
done-delete = 삭제했습니다.
done-profile = 프로필을 저장했습니다.
done-roles = 역할을 저장했습니다.
done-invited = 초대 메일을 보냈습니다.

# 역할과 권한
actions = 작업
description = 설명
roles-count = 역할 { $shown }개
role-kind = 구분
role-holders = 보유자
role-people = 사용자 보기
role-system = 기본 역할
role-system-short = 삭제 불가
role-system-why = 기본으로 제공되는 역할이라 이름을 바꾸거나 삭제할 수 없습니다.
role-own = 추가한 역할
role-new = 역할 추가
role-make = 역할 만들기
role-edit = { $name } 수정
role-name = 이름
role-name-hint = 영문 소문자로 시작하고 영문 소문자, 숫자, _, -로 된 2~50자. 액세스 토큰에 그대로 들어갑니다.
role-rename-hint = 이름을 바꾸면 이전 이름을 확인하던 서비스는 토큰에서 이 역할을 찾지 못합니다.
permission = 권한
permissions = 권한
permissions-none = 권한이 없습니다.
permissions-of = { $name } 역할의 권한
permissions-why = 변경은 즉시 모든 서버에 적용됩니다. 내가 가진 권한만 줄 수 있습니다.
permissions-overtaken = 그사이 다른 운영자가 이 역할을 변경했습니다. 아래는 현재 권한입니다. 다시 선택하세요.
matrix = 역할별 권한
matrix-why = 행은 권한, 열은 역할입니다.
permitted = 허용
not-permitted = 허용 안 함
permission-new = 권한 추가
permission-new-why = 자체 서비스에서 확인할 권한입니다. 관리자에게는 바로 부여됩니다.
permission-make = 권한 만들기
permission-name = 이름
permission-name-hint = orders:read처럼 대상:동작 형식으로 씁니다.
permission-holders = 이 권한이 있는 역할
permission-held-by-none = 없음
permission-system-why = 서비스가 직접 확인하는 권한이라 삭제할 수 없습니다.
resource-users = 사용자
resource-roles = 역할
resource-audit = 감사 로그
resource-api-keys = API 키
resource-system = 시스템
about-role-admin = 모든 권한
about-role-manager = 사용자 조회와 변경, 역할 조회
about-role-user = 본인 계정만
about-users-read = 다른 사용자 조회
about-users-write = 사용자 추가와 변경
about-users-delete = 사용자 삭제와 복구
about-roles-read = 역할과 권한 조회
about-roles-write = 역할과 권한 변경
about-audit-read = 감사 로그 조회
about-api-keys-read = 다른 사용자의 API 키 조회
about-api-keys-write = 다른 사용자의 API 키 폐기
about-system-read = 시스템 설정과 상태 조회
about-system-write = 서명 키와 메일 등 시스템 운영
act-role-force = 모두 회수하고 삭제
ask-role-delete = { $name } 역할을 삭제할까요?
ask-why-role-delete = 삭제한 역할은 되돌릴 수 없습니다.
ask-why-role-force = { $shown }명이 이 역할을 가지고 있습니다. 삭제하면 역할과 그 권한이 바로 회수됩니다.
ask-why-role-force-some = 이 역할을 가진 사용자가 있습니다. 삭제하면 역할과 그 권한이 바로 회수됩니다.
ask-permission-delete = { $name } 권한을 삭제할까요?
ask-why-permission-delete = 이 권한이 있는 역할이 없습니다. 삭제하면 이 권한을 확인하는 서비스는 모든 요청을 거절합니다.
ask-why-permission-delete-held = { $roles } 역할에서 회수됩니다. 이 권한을 확인하는 서비스는 모든 요청을 거절합니다.
done-role = 역할을 저장했습니다.
done-role-made = 역할을 만들었습니다.
done-role-deleted = 역할을 삭제했습니다.
done-role-permissions = 권한을 저장했습니다.
done-permission-made = 권한을 만들었습니다.
done-permission-deleted = 권한을 삭제했습니다.

# 감사 로그
event-logged-in = 로그인
event-login-failed = 로그인 거절
event-password-expired = 비밀번호 기간 만료
event-sessions-ended = 세션 종료
event-session-disowned = 본인 로그인 아님 신고
event-refresh-reuse = 사용된 토큰 재사용
event-reauthenticated = 본인 재확인
event-confirmation-failed = 본인 확인 실패
event-identity-linked = 소셜 로그인 연결
event-identity-proposed = 소셜 로그인 연결 제안
event-identity-unlinked = 소셜 로그인 연결 해제
event-identity-revoked = 제공자의 소셜 로그인 해지
event-user-registered = 가입
event-registration-repeated = 중복 가입 시도
event-user-created = 계정 생성
event-user-claimed = 계정 인수
event-user-updated = 프로필 변경
event-user-roles-changed = 역할 변경
event-user-disabled = 비활성화
event-user-enabled = 활성화
event-user-unlocked = 로그인 제한 해제
event-user-dormant = 휴면 전환
event-user-deleted = 계정 삭제
event-user-restored = 계정 복구
event-user-erased = 개인정보 파기
event-password-changed = 비밀번호 변경
event-password-reset-requested = 비밀번호 재설정 요청
event-password-reset = 비밀번호 재설정
event-email-verification-requested = 이메일 확인 요청
event-email-verified = 이메일 확인
event-email-change-requested = 이메일 변경 요청
event-email-changed = 이메일 변경
event-user-viewed = 사용자 조회
event-users-listed = 사용자 목록 조회
event-user-exported = 개인정보 내보내기
event-users-exported = 전체 사용자 내보내기
event-users-imported = 사용자 가져오기
event-api-keys-listed = API 키 목록 조회
event-mails-listed = 메일 목록 조회
event-audit-read = 감사 로그 조회
event-audit-exported = 감사 로그 내보내기
event-role-created = 역할 추가
event-role-updated = 역할 수정
event-role-deleted = 역할 삭제
event-permission-created = 권한 추가
event-permission-deleted = 권한 삭제
event-api-key-created = API 키 생성
event-api-key-rotated = API 키 교체
event-api-key-revoked = API 키 폐기
event-signing-key-rotated = 서명 키 교체
event-signing-key-withdrawn = 서명 키 폐기
event-mail-retried = 메일 재발송
event-system-examined = 시스템 진단
event-audit-verified = 감사 로그 검증
event-audit-trimmed = 감사 로그 정리
told-logged-in = { $target }이 로그인했습니다
told-login-failed = { $target }의 로그인이 거절되었습니다
told-password-expired = 비밀번호 사용 기간이 지나 { $target }의 로그인이 거절되었습니다
told-sessions-ended = { $who ->
    [self] { $actor }이 자신의 세션을 끝냈습니다
   *[other] { $actor }이 { $target }의 세션을 끝냈습니다
}
told-session-disowned = { $target }이 본인이 하지 않은 로그인을 신고했습니다
told-refresh-reuse = 이미 사용된 토큰이 다시 쓰여 { $target }의 세션이 종료되었습니다
told-reauthenticated = { $target }이 본인임을 다시 확인했습니다
told-confirmation-failed = { $target }의 세션에서 틀린 비밀번호가 입력되었습니다
told-identity-linked = { $target }의 계정에 소셜 로그인이 연결되었습니다
told-identity-proposed = 소셜 로그인의 이메일이 { $target }의 이메일과 같아 연결 여부를 물었습니다
told-identity-unlinked = { $who ->
    [self] { $actor }이 자신의 소셜 로그인 연결을 해제했습니다
   *[other] { $actor }이 { $target }의 소셜 로그인 연결을 해제했습니다
}
told-identity-revoked = 소셜 로그인 제공자가 { $target }의 연결을 해지했습니다
told-user-registered = { $target }이 가입했습니다
told-registration-repeated = { $target }의 이메일로 다시 가입이 시도되었습니다
told-user-created = { $who ->
    [nobody] { $target }의 계정이 만들어졌습니다
   *[other] { $actor }이 { $target }의 계정을 만들었습니다
}
told-user-claimed = { $target }이 이메일을 증명하고 확인되지 않은 계정을 넘겨받았습니다
told-user-updated = { $who ->
    [self] { $actor }이 자신의 프로필을 변경했습니다
   *[other] { $actor }이 { $target }의 프로필을 변경했습니다
}
told-user-roles-changed = { $who ->
    [self] { $actor }이 자신의 역할을 변경했습니다
    [nobody] { $target }의 역할이 변경되었습니다
   *[other] { $actor }이 { $target }의 역할을 변경했습니다
}
told-user-disabled = { $who ->
    [self] { $actor }이 자신의 계정을 비활성화했습니다
    [nobody] { $target }의 계정이 비활성화되었습니다
   *[other] { $actor }이 { $target }을 비활성화했습니다
}
told-user-enabled = { $actor }이 { $target }을 활성화했습니다
told-user-unlocked = { $actor }이 { $target }의 로그인 제한을 해제했습니다
told-user-dormant = { $target }의 계정이 오래 사용되지 않아 비활성화되었습니다
told-user-deleted = { $who ->
    [self] { $actor }이 자신의 계정을 삭제했습니다
   *[other] { $actor }이 { $target }의 계정을 삭제했습니다
}
told-user-restored = { $actor }이 { $target }의 계정을 복구했습니다
told-user-erased = { $target }의 계정과 개인정보가 완전히 파기되었습니다
told-password-changed = { $target }이 비밀번호를 변경했습니다
told-password-reset-requested = { $who ->
    [self] { $actor }이 비밀번호 재설정 메일을 요청했습니다
    [nobody] { $target }의 비밀번호 재설정 메일이 요청되었습니다
   *[other] { $actor }이 { $target }에게 비밀번호 재설정 메일을 보냈습니다
}
told-password-reset = { $target }이 메일로 비밀번호를 재설정했습니다
told-email-verification-requested = { $target }의 이메일 확인 메일이 요청되었습니다
told-email-verified = { $target }이 이메일을 확인했습니다
told-email-change-requested = { $target }이 이메일 변경을 요청했습니다
told-email-changed = { $target }이 이메일을 변경했습니다
told-user-viewed = { $who ->
    [self] { $actor }이 자신의 계정을 조회했습니다
   *[other] { $actor }이 { $target }의 계정을 조회했습니다
}
told-users-listed = { $actor }이 사용자 목록을 조회했습니다
told-user-exported = { $who ->
    [self] { $actor }이 자신의 개인정보를 내보냈습니다
   *[other] { $actor }이 { $target }의 개인정보를 내보냈습니다
}
told-users-exported = { $actor }이 모든 계정을 내보냈습니다
told-users-imported = { $actor }이 다른 시스템의 계정을 가져왔습니다
told-api-keys-listed = { $actor }이 모든 사용자의 API 키를 조회했습니다
told-mails-listed = { $actor }이 메일 목록을 조회했습니다
told-audit-read = { $actor }이 감사 로그를 조회했습니다
told-audit-exported = { $actor }이 감사 로그를 내보냈습니다
told-role-created = { $actor }이 { $target }을 만들었습니다
told-role-updated = { $actor }이 { $target }을 변경했습니다
told-role-deleted = { $actor }이 { $target }을 삭제했습니다
told-permission-created = { $actor }이 { $target }을 만들었습니다
told-permission-deleted = { $actor }이 { $target }을 삭제했습니다
told-api-key-created = { $actor }이 API 키를 만들었습니다
told-api-key-rotated = { $actor }이 API 키를 교체했습니다
told-api-key-revoked = { $actor }이 API 키를 폐기했습니다
told-signing-key-rotated = { $actor }이 새 서명 키를 공개했습니다
told-signing-key-withdrawn = { $actor }이 서명 키를 폐기했습니다
told-mail-retried = { $actor }이 메일을 다시 보내도록 했습니다
told-system-examined = { $actor }이 시스템을 진단했습니다
told-audit-verified = { $actor }이 감사 로그의 연결을 검증했습니다
told-audit-trimmed = 보존 기간이 지난 감사 로그가 정리되었습니다
audit-person = { $name } 님
audit-operator = 서버 운영자 명령
audit-system = 시스템
audit-somebody = 알 수 없는 사람
audit-unknown-account = 알 수 없는 계정
audit-thing-role = { $name } 역할
audit-thing-permission = { $name } 권한
audit-group-sign-in = 로그인
audit-group-account = 계정
audit-group-looks = 조회와 내보내기
audit-group-rights = 권한
audit-group-system = 시스템
audit-event = 이벤트
audit-event-any = 모든 이벤트
audit-outcome = 결과
audit-outcome-any = 모든 결과
audit-done = 완료
audit-refused = 거절
audit-actor = 수행한 사람
audit-target = 대상
audit-id = ID
audit-from = 시작
audit-to = 끝
audit-clear = 조건 지우기
audit-time = 시각
audit-address = 주소
audit-device = 기기
audit-entry = 항목 ID
audit-seal = 봉인
audit-unsealed = 봉인 대기
audit-details = 자세히
audit-by-them = 이 사람이 한 일
audit-to-it = 이 대상에 일어난 일
audit-from-there = 이 주소에서
audit-same-request = 같은 요청
audit-by-about = 관련 사용자
audit-by-ip-address = 주소
audit-by-request-id = 요청 ID
audit-widen = 조건 해제
audit-entries = 기록
audit-live = 실시간
audit-live-start = 실시간 보기
audit-live-stop = 실시간 멈춤
audit-looking = 새 기록이 여기에 나타납니다.
audit-waiting = Auth API가 응답하지 않아 다시 시도하고 있습니다.
audit-paused = 오래 켜 두어 실시간 보기를 멈췄습니다.
audit-no-script = 실시간 보기에는 자바스크립트가 필요합니다. 화면을 새로 고치세요.
audit-none = 아직 기록이 없습니다
audit-none-found = 조건에 맞는 기록이 없습니다
audit-copy = 내보내기:
verify = 연결 검증
verify-why = 기록은 앞의 기록과 이어서 봉인됩니다. 검증하면 나중에 바뀌거나 지워지거나 끼워 넣은 기록을 찾아냅니다.
verify-expect = 보관해 둔 머리값(선택)
verify-expect-hint = 이전 검증이나 서버 로그에서 보관한 SEQ:HASH 값입니다. 없으면 끝부분이 잘려 나간 것은 알 수 없습니다.
verify-start = 검증 시작
verify-running = 검증하는 중…
verify-first = 첫 번째 문제:
verify-what-now = 데이터베이스를 그대로 보존하세요. 서버에서 다음 명령으로 모든 문제를 확인할 수 있습니다:
verify-proven = { $seq }번 기록까지는 머리값을 보관했을 때와 같습니다.
verify-unproven = 보관한 머리값과 비교하지 않았으므로 끝부분이 온전한지는 증명되지 않았습니다.
verify-head = 머리값
verify-head-why = 다음 검증을 위해 다른 곳에 보관하세요.
verify-erased = 개인정보가 파기된 기록
verify-again = 다시 검증
copy = 복사
copied = 복사됨
fault-changed = 기록이 바뀌거나 옮겨지거나 끼워 넣어졌습니다.
fault-missing = 기록이 지워지거나 옮겨졌습니다.
fault-shortened = 끝부분의 기록이 지워졌습니다.
fault-stray = 보존 기간이 지나 정리된 자리에 기록이 끼워 넣어졌습니다.
fault-personal = 기록의 주소나 기기, 솔트가 바뀌거나 지워졌습니다.
fault-unexplained = 파기된 사람이 없는데 기록의 개인정보가 사라졌습니다.
fault-checkpoint = 정리 지점이 끼워 넣어지거나 바뀌었습니다.
fault-rewritten = 보관한 머리값의 기록이 다른 해시를 가지고 있습니다.
fault-outdated = 보관한 머리값의 기록이 보존 기간이 지나 정리되었습니다. 더 새로운 값을 사용하세요.
detail-added = 추가된 수
detail-algorithm = 알고리즘
detail-api-key-id = 사용한 API 키
detail-by = 수행
detail-complete = 전체 완료
detail-count = 개수
detail-filters = 조건
detail-first-fault = 첫 번째 문제
detail-format = 형식
detail-from-seq = 시작 번호
detail-hash = 해시
detail-identities = 소셜 로그인
detail-kid = 키 ID
detail-kind = 종류
detail-name = 이름
detail-permissions = 권한
detail-roles = 역할
detail-seq = 번호
detail-session-id = 세션 ID
detail-way = 방법
detail-with-hashes = 비밀번호 해시 포함
verify-whole = 기록 { $shown }개가 봉인된 그대로입니다.
verify-faults = 문제가 { $shown }개 발견되었습니다.
