# The texts of the console: short and neutral.

skip-to-content = Skip to content
menu = Menu
language = Language
theme = Theme
theme-system = As the system
theme-light = Light
theme-dark = Dark
apply = Apply
save = Save
edit = Edit
cancel = Cancel
close = Close
go-on = Go on
try-again = Try again
back-to-start = Back to start
never = Never
offline = The server cannot be reached. Check the network and try again.
page-first = First
page-next = Next

nav-main = Main menu
nav-people = People
nav-security = Security
nav-operation = Operation
nav-overview = Overview
nav-users = Users
nav-roles = Roles & permissions
nav-api-keys = API keys
nav-audit = Audit log
nav-signing-keys = Signing keys
nav-gateways = Gateways
nav-providers = Social login
nav-mails = Mail
nav-settings = Settings
nav-doctor = Doctor

keys-show = Keys
keys-title = Keyboard
keys-search = Search
keys-move = Next row, previous row
keys-open = Open the chosen row
keys-close = Close
keys-help = This help

ago-now = just now
ago-minutes = { $n ->
    [one] { $shown } minute ago
   *[other] { $shown } minutes ago
}
ago-hours = { $n ->
    [one] { $shown } hour ago
   *[other] { $shown } hours ago
}
ago-days = { $n ->
    [one] { $shown } day ago
   *[other] { $shown } days ago
}
ago-months = { $n ->
    [one] { $shown } month ago
   *[other] { $shown } months ago
}
ago-years = { $n ->
    [one] { $shown } year ago
   *[other] { $shown } years ago
}
in-now = soon
in-minutes = { $n ->
    [one] in { $shown } minute
   *[other] in { $shown } minutes
}
in-hours = { $n ->
    [one] in { $shown } hour
   *[other] in { $shown } hours
}
in-days = { $n ->
    [one] in { $shown } day
   *[other] in { $shown } days
}
in-months = { $n ->
    [one] in { $shown } month
   *[other] in { $shown } months
}
in-years = { $n ->
    [one] in { $shown } year
   *[other] in { $shown } years
}

# Signing in
sign-in-title = Sign in to the console
sign-in-again = Sign in to go on.
sign-in-name = E-mail or username
sign-in = Sign in
sign-in-refused = The e-mail or the password is wrong.
sign-in-no-console = This account may do nothing in the console. Ask an administrator for a role.
sign-out = Sign out
password = Password
password-yours = Your password
password-why = This is hard to undo: prove once more that it is you.
new-password-title = A new password
new-password-why = Your password is too old. Choose another.
new-password = New password
new-password-choose = Change password
no-cookie-title = The browser refused the cookie
no-cookie-why = You are signed in, but your browser did not keep the cookie, for this address is plain HTTP, which others can read.
no-cookie-tls = Open the console by HTTPS. The gateway or nginx can serve TLS.
no-cookie-localhost = To try it on this machine, open http://localhost instead of an IP address.

# Set-up
setup-title = Set up
setup-why = Nobody administers this installation yet. Make the first administrator.
setup-token = Set-up token
setup-token-hint = It was printed when the server started, and is good once.
setup-run = Make the administrator
setup-wrong-token = The set-up token is wrong or was used. Enter the one that was printed when the server last started.
setup-email-taken = This address has an account. Use another, or run auth-system users create-admin on the server.

# Failures
failure-request = Request
failure-foreign-form = The request cannot be trusted
failure-why-foreign-form = It did not come from a page of this session. Reload the page and try again.
failure-bad-form = Bad request
failure-why-bad-form = What was entered cannot be read. Reload the page and try again.
failure-not-found = Not found
failure-why-not-found = It was deleted, or the address is wrong.
failure-forbidden = No permission
failure-why-forbidden = You lack a permission for this. Ask an administrator for a role.
failure-too-many = Too many requests
failure-why-too-many = Wait a moment and try again.
failure-refused = Not done
failure-why-refused = The request was refused.
failure-unreachable = The Auth API cannot be reached
failure-why-unreachable = The Auth API does not answer. Check the servers and try again in a moment.
failure-unacquainted = The Auth API does not know this console
failure-why-unacquainted = ADMIN_CLIENT_SECRET must be the same at the Auth API and at the console.
failure-internal = An error in the console
failure-why-internal = Something is wrong with the console. The cause stands in the server's log.

# People
users-search = Find by e-mail, name or username
users-count = { $n ->
    [one] { $shown } person
   *[other] { $shown } people
}
users-shown = { $shown } shown
users-none = Nobody yet
users-none-hint = Whoever registers or is invited appears here.
users-none-found = Nobody fits
users-none-found-hint = Search for less, or change the filters.
status = Status
status-any = Any status
status-active = Active
status-pending = Waiting for proof
status-unverified = E-mail unproven
status-disabled = Disabled
status-deleted = Deleted
role = Role
role-any = Any role
sort = Sort
sort-newest = Newest first
sort-oldest = Oldest first
sort-email = By e-mail
sort-email-down = By e-mail, descending
columns = Columns
column-who = Person
column-status = Status
column-roles = Roles
column-last-login-at = Last sign-in
column-created-at = Registered
choose-all = Choose all
choose = Choose { $name }
no-email = No e-mail
email = E-mail
display-name = Name
username = Username
phone = Phone
locale = Language
locale-ko = Korean
locale-en = English
profile = Profile
profile-edit = Edit profile
timeline = Sign-ins
timeline-empty = Nothing has happened yet.
sessions-count = { $n ->
    [one] { $shown } session
   *[other] { $shown } sessions
}
sessions-none = Signed in nowhere.
device-unknown = Unknown device
roles-none = No roles
roles-of = Roles of { $name }
roles-why = A change takes effect everywhere at once. Without a day, a role is held for good.
roles-until = Until
roles-until-of = Last day of the role { $name }
outcome-logged-in = Signed in
outcome-refused = Refused
method-password = Password
method-google = Google
method-kakao = Kakao
method-naver = Naver
method-apple = Apple
method-github = GitHub
invite = Invite somebody
invite-why = They are sent a mail, and choose a password themselves.
invite-send = Send invitation

act-disable = Disable
act-enable = Enable
act-unlock = Lift sign-in limit
act-send-reset = Send reset mail
act-restore = Restore
act-end-sessions = End all sessions
act-delete = Delete
ask-disable = Disable { $name }?
ask-why-disable = All sessions end at once, and { $name } cannot sign in any more. The account can be enabled again.
ask-enable = Enable { $name }?
ask-why-enable = { $name } can sign in again.
ask-unlock = Lift the sign-in limit of { $name }?
ask-why-unlock = Wrong guesses are forgotten, and { $name } can try again at once.
ask-send-reset = Send a reset mail to { $name }?
ask-why-send-reset = { $name } is sent a link to choose a new password.
ask-restore = Restore the account of { $name }?
ask-why-restore = The account is again as it was before it was deleted.
ask-end-sessions = End all sessions of { $name }?
ask-why-end-sessions = { $name } is signed out on every device within a second.
ask-delete = Delete the account of { $name }?
ask-why-delete = All sessions end, and the address is free for another account. It can be restored until it is erased.

bulk-chosen = chosen
bulk-will = { $n ->
    [one] This happens to { $shown } person. Check the list below.
   *[other] This happens to { $shown } people. Check the list below.
}
bulk-outcome = Outcome
bulk-due = Will be done
bulk-needless = Changes nothing
bulk-done = Done
bulk-refused = Refused
bulk-back = Back to the list

done-signed-out = You are signed out.
done-password-changed = Your password was changed. Sign in with the new one.
done-set-up = The first administrator was made.
done-disable = Disabled.
done-enable = Enabled.
done-unlock = The sign-in limit was lifted.
done-send-reset = The reset mail was sent.
done-restore = Restored.
done-end-sessions = All sessions were ended.
done-delete = Deleted.
done-profile = The profile was saved.
done-roles = The roles were saved.
done-proven = It is you. Choose the export once more.
done-invited = The invitation was sent.

# Overview
window = Window
window-24h = 24 hours
window-7d = 7 days
window-30d = 30 days
change-since = { $change } on the window before
tile-logins = Sign-ins
tile-refused = Refused sign-ins
tile-registrations = Registrations
tile-of-people = of { $shown } in all
tile-active = Active people
tile-sessions = { $n ->
    [one] { $shown } session
   *[other] { $shown } sessions
}
chart-title = Sign-ins over time
chart-logins = Signed in
chart-refused = Refused
chart-people = Active people over time
chart-people-hour = Who signed in, once an hour
chart-people-day = Who signed in, once a day
chart-sessions = Sessions over time
chart-sessions-hour = Open when each hour ended
chart-sessions-day = Open when each day ended
chart-open = Open sessions
chart-gaps = Where nothing is drawn, nothing was counted yet.
chart-table = As a table
chart-at = At
reasons-title = Why sign-ins were refused
reasons-none = None was refused.
reason-wrong-password = Wrong password
reason-too-many-guesses = Too many guesses
reason-account-disabled = Account disabled
reason-email-unverified = E-mail unproven
reason-password-expired = Password too old
reason-account-changed = Account changed meanwhile
reason-unknown-account = No such account
reason-rate-limited = Rate limit
reason-overloaded = Overload
reason-unknown = Unknown
health-title = System
health-database = Database
health-mail = Mail
health-logins = Sign-in latency
health-hashing = Hash queue
health-revocations = Live revocations
up = Up
down = Down
not-configured = Not configured
mail-waiting = waiting
mail-failed = failed (24 h)
days = { $n ->
    [one] { $shown } day
   *[other] { $shown } days
}

# The system
gateways-none = No gateway is connected
gateways-none-hint = One that is started appears here within ten seconds.
instances = Instances of the Auth API
instance = Instance
instance-here = Connected
instance-late = Late
instance-left = Left
instance-seen = Last report
instance-unreadable = Its report is of another version and cannot be read.
feeds = Gateways fed
feed-current = Revocations current
feed-stale = Revocations stale
feed-unknown = Revocations unknown
server-ejected = Ejected
in-progress = { $shown } in progress
routes = Routes
routes-refused = The new file was refused, and the one before is in force.
route = Name
route-match = Match
route-upstream = Upstream
route-auth = Identity
route-stale = When revocations are stale
auth-required = required
auth-optional = optional
auth-none = none
stale-allow = allow
stale-deny = deny
certificate-until = certificate until
settings-why = What is in force in this process. Change the environment and start it again to change a value.
setting = Variable
setting-value = Value
setting-source = From
setting-environment = environment
setting-default = default
setting-secret = set, not shown
setting-unset = none
providers-none = No social login is set up
providers-none-hint = Set variables such as KAKAO_CLIENT_ID, and the provider appears here.
provider-ready = Ready
provider-lacks = Something is missing
provider-callback = Redirect URI
provider-issuer = Issuer
provider-client = Client id
provider-native = Client ids of apps
provider-scopes = Scopes
redirects = Redirect URIs of apps
redirects-none = OAUTH_REDIRECT_URIS is empty.
copy = Copy
copied = Copied
doctor-run = Examine
doctor-why = Tries keys, database, Redis, mail, hosts, clock and disk for real. It may take ten seconds.
doctor-not-yet = Not examined yet.
check-ok = Well
check-warning = Warning
check-failed = Failed
check-skipped = Not configured
mails-all = All
mails-none = No mails.
mail-state-waiting = Waiting
mail-state-handed-over = Handed over
mail-state-sent = Sent
mail-state-failed = Failed
mail-recipient = To
mail-kind = Kind
mail-created = Queued
mail-attempts = Attempts
mail-retry = Send again
ask-mail-retry = Send the mail again?
ask-why-mail-retry = It is tried once more, now. A mail that was handed over is never sent twice.
done-mail-retried = It is being sent.
keys-why = A new key waits until everybody knows it before it signs. Nobody is signed out.
key-rotate = Rotate
key-withdraw = Withdraw
key-next = Next
key-signing = Signs
key-verifying = Verifies
key-retired = Retired
key-withdrawn = Withdrawn
key-algorithm = Algorithm
key-signs-from = Signs from
key-last-used = Last used
key-source = Kept in
key-configuration = configuration
key-database = database
ask-rotate = Rotate the signing key?
ask-why-rotate = A new key is published, and signs once everybody knows it. Tokens stay good until they expire.
ask-withdraw = Withdraw key { $kid }?
ask-why-withdraw = Every token that it signed is refused within a second, and apps must fetch new ones. This cannot be undone.
done-rotated = A new signing key was published.
done-withdrawn = The signing key was withdrawn.
api-keys-search = Find by name
api-keys-none = No API keys.
api-key-name = Name
api-key-owner = Owner
api-key-scopes = Scopes
api-key-last-used = Last used
api-key-expires = Expires
key-revoke = Revoke
ask-key-revoke = Revoke the API key { $name }?
ask-why-key-revoke = Programs that use it are refused within a second. This cannot be undone.
done-key-revoked = The API key was revoked.

# One person
export = Export personal data
ask-export = Export the personal data of { $name }?
ask-why-export = Everything held on { $name } is downloaded as one file.
until = until { $when }
identities-none = No identity is linked.
identity-ended = Ended by the provider
act-end-session = End
act-unlink = Unlink
ask-end-session = End a session of { $name }?
ask-why-end-session = This device is signed out within a second. { $name } can sign in again.
ask-unlink = Unlink an identity of { $name }?
ask-why-unlink = { $name } can no longer sign in by it, and can link it again.
done-end-session = The session was ended.
done-unlink = The identity was unlinked.
sort-last-login = Last sign-in first

mail-kind-verify-email = Confirm address
mail-kind-already-registered = Already registered
mail-kind-reset-password = Reset password
mail-kind-change-email = Confirm new address
mail-kind-email-change-requested = Address change asked for
mail-kind-email-changed = Address changed
mail-kind-invitation = Invitation
mail-kind-new-device = New device
mail-kind-password-changed = Password changed
mail-kind-session-reuse = Session stolen?
mail-kind-link-identity = Confirm identity
mail-kind-identity-linked = Identity linked
mail-kind-identity-unlinked = Identity unlinked
mail-kind-dormancy-notice = Dormancy notice
# Roles and permissions
actions = Actions
description = Description
roles-count = { $n ->
    [one] { $shown } role
   *[other] { $shown } roles
}
role-kind = Kind
role-holders = Held by
role-people = Show people
role-system = Built in
role-system-short = cannot be deleted
role-system-why = It came with the service: it can be neither renamed nor deleted.
role-own = Own
role-new = New role
role-make = Make the role
role-edit = Edit { $name }
role-name = Name
role-name-hint = 2 to 50 of a-z, 0-9, _ and -, beginning with a letter. Access tokens list it.
role-rename-hint = Services that ask for the old name no longer find it in tokens.
permission = Permission
permissions = Permissions
permissions-none = There are no permissions.
permissions-of = Permissions of { $name }
permissions-why = A change takes effect everywhere at once. You can give no more than you hold.
permissions-overtaken = Somebody else changed this role meanwhile. Below is what it permits now: choose again.
matrix = Who may do what
matrix-why = Rows are permissions, columns are roles.
permitted = permitted
not-permitted = not permitted
permission-new = New permission
permission-new-why = For your own services to ask for. Administrators hold it at once.
permission-make = Make the permission
permission-name = Name
permission-name-hint = resource:action, such as orders:read.
permission-holders = Roles that hold it
permission-held-by-none = None
permission-system-why = The service itself asks for it: it cannot be deleted.
resource-users = Users
resource-roles = Roles
resource-audit = Audit log
resource-api-keys = API keys
resource-system = System
about-role-admin = Everything
about-role-manager = Reads and writes users and reads roles
about-role-user = Nothing beyond oneself
about-users-read = See other users
about-users-write = Create and change users
about-users-delete = Delete and restore users
about-roles-read = See roles and permissions
about-roles-write = Change roles and permissions
about-audit-read = Read the audit log
about-api-keys-read = See other people's API keys
about-api-keys-write = Revoke other people's API keys
about-system-read = See how the system is set up and how it fares
about-system-write = Operate the system: keys, mails
act-role-force = Take it from all and delete
ask-role-delete = Delete the role { $name }?
ask-why-role-delete = A deleted role cannot be brought back.
ask-why-role-force = { $n ->
    [one] { $shown } person holds this role. It is taken from them, with what it permits, at once.
   *[other] { $shown } people hold this role. It is taken from them, with what it permits, at once.
}
ask-why-role-force-some = People hold this role. It is taken from them, with what it permits, at once.
ask-permission-delete = Delete the permission { $name }?
ask-why-permission-delete = No role holds it. Services that ask for it refuse everybody from then on.
ask-why-permission-delete-held = It is taken from { $roles }. Services that ask for it refuse everybody from then on.
done-role = The role was saved.
done-role-made = The role was made.
done-role-deleted = The role was deleted.
done-role-permissions = The permissions were saved.
done-permission-made = The permission was made.
done-permission-deleted = The permission was deleted.

# The audit log
event-logged-in = Signed in
event-login-failed = Sign-in refused
event-password-expired = Password too old
event-sessions-ended = Sessions ended
event-session-disowned = Sign-in disowned
event-refresh-reuse = Spent token came back
event-reauthenticated = Proved who they are
event-confirmation-failed = Proof refused
event-identity-linked = Social login linked
event-identity-proposed = Social login proposed
event-identity-unlinked = Social login removed
event-identity-revoked = Social login ended by its provider
event-user-registered = Registered
event-registration-repeated = Registered again
event-user-created = Account made
event-user-claimed = Account claimed
event-user-updated = Profile changed
event-user-roles-changed = Roles changed
event-user-disabled = Disabled
event-user-enabled = Enabled
event-user-unlocked = Sign-in limit lifted
event-user-dormant = Disabled as unused
event-user-deleted = Deleted
event-user-restored = Restored
event-user-erased = Erased
event-password-changed = Password changed
event-password-reset-requested = Password reset requested
event-password-reset = Password reset
event-email-verification-requested = Proof of address requested
event-email-verified = Address proven
event-email-change-requested = Another address requested
event-email-changed = Address changed
event-user-viewed = Account looked at
event-users-listed = People listed
event-user-exported = Personal data taken
event-users-exported = All accounts taken
event-users-imported = Accounts brought in
event-api-keys-listed = API keys listed
event-mails-listed = Mails listed
event-audit-read = Audit log read
event-audit-exported = Audit log copied
event-role-created = Role made
event-role-updated = Role changed
event-role-deleted = Role deleted
event-permission-created = Permission made
event-permission-deleted = Permission deleted
event-api-key-created = API key made
event-api-key-rotated = API key replaced
event-api-key-revoked = API key revoked
event-signing-key-rotated = Signing key published
event-signing-key-withdrawn = Signing key withdrawn
event-mail-retried = Mail tried again
event-system-examined = System examined
event-audit-verified = Chain checked
event-audit-trimmed = Audit log trimmed
event-backup-made = Backup made
event-database-restored = Database restored
told-logged-in = { $target } signed in
told-login-failed = A sign-in as { $target } was refused
told-password-expired = A sign-in of { $target } was refused, for the password is too old
told-sessions-ended = { $who ->
    [self] { $actor } ended their own sessions
   *[other] { $actor } ended sessions of { $target }
}
told-session-disowned = { $target } said that a sign-in was not theirs
told-refresh-reuse = A spent token of { $target } came back, and the session was ended
told-reauthenticated = { $target } proved once more who they are
told-confirmation-failed = A wrong password was given in a session of { $target }
told-identity-linked = A social login was linked to the account of { $target }
told-identity-proposed = A social login has the address of { $target }, who is asked whether to link it
told-identity-unlinked = { $who ->
    [self] { $actor } removed a social login of their own
   *[other] { $actor } removed a social login of { $target }
}
told-identity-revoked = The provider ended a social login of { $target }
told-user-registered = { $target } registered
told-registration-repeated = Somebody registered again with the address of { $target }
told-user-created = { $who ->
    [nobody] The account of { $target } was made
   *[other] { $actor } made the account of { $target }
}
told-user-claimed = { $target } proved the address and took over an account that nobody had proven
told-user-updated = { $who ->
    [self] { $actor } changed their own profile
   *[other] { $actor } changed the profile of { $target }
}
told-user-roles-changed = { $who ->
    [self] { $actor } changed their own roles
    [nobody] The roles of { $target } were changed
   *[other] { $actor } changed the roles of { $target }
}
told-user-disabled = { $who ->
    [self] { $actor } disabled their own account
    [nobody] The account of { $target } was disabled
   *[other] { $actor } disabled { $target }
}
told-user-enabled = { $actor } enabled { $target }
told-user-unlocked = { $actor } lifted the sign-in limit of { $target }
told-user-dormant = The account of { $target } was disabled, for nobody used it
told-user-deleted = { $who ->
    [self] { $actor } deleted their own account
   *[other] { $actor } deleted the account of { $target }
}
told-user-restored = { $actor } restored the account of { $target }
told-user-erased = The account of { $target } was erased for good
told-password-changed = { $target } changed their password
told-password-reset-requested = { $who ->
    [self] { $actor } asked for a mail to reset their password
    [nobody] A mail to reset the password of { $target } was asked for
   *[other] { $actor } sent { $target } a mail to reset the password
}
told-password-reset = { $target } chose a new password by mail
told-email-verification-requested = A mail to prove the address of { $target } was asked for
told-email-verified = { $target } proved their address
told-email-change-requested = { $target } asked for another address
told-email-changed = { $target } changed their address
told-user-viewed = { $who ->
    [self] { $actor } looked at their own account
   *[other] { $actor } looked at the account of { $target }
}
told-users-listed = { $actor } looked through the list of people
told-user-exported = { $who ->
    [self] { $actor } took a copy of their own data
   *[other] { $actor } took a copy of all data on { $target }
}
told-users-exported = { $actor } took a copy of all accounts
told-users-imported = { $actor } brought accounts from another system
told-api-keys-listed = { $actor } looked through the API keys of everybody
told-mails-listed = { $actor } looked through the mails
told-audit-read = { $actor } read the audit log
told-audit-exported = { $actor } took a copy of the audit log
told-role-created = { $actor } made { $target }
told-role-updated = { $actor } changed { $target }
told-role-deleted = { $actor } deleted { $target }
told-permission-created = { $actor } made { $target }
told-permission-deleted = { $actor } deleted { $target }
told-api-key-created = { $actor } made an API key
told-api-key-rotated = { $actor } replaced an API key
told-api-key-revoked = { $actor } revoked an API key
told-signing-key-rotated = { $actor } published a new signing key
told-signing-key-withdrawn = { $actor } took a signing key out of use
told-mail-retried = { $actor } had a mail tried again
told-system-examined = { $actor } examined the system
told-audit-verified = { $actor } checked the audit log's chain
told-audit-trimmed = The oldest entries of the audit log were removed, for their time was over
told-backup-made = A backup of the database was made
told-database-restored = The database was brought back from a backup
audit-person = { $name }
audit-operator = A command at the server
audit-system = The system
audit-somebody = Somebody unknown
audit-unknown-account = an unknown account
audit-thing-role = the role { $name }
audit-thing-permission = the permission { $name }
audit-group-sign-in = Signing in
audit-group-account = Accounts
audit-group-looks = Looks and copies
audit-group-rights = Rights
audit-group-system = System
audit-event = Event
audit-event-any = Any event
audit-outcome = Outcome
audit-outcome-any = Any outcome
audit-done = Done
audit-refused = Refused
audit-actor = Who did it
audit-target = Done to
audit-id = ID
audit-from = From
audit-to = To
audit-clear = Clear filters
audit-time = Time
audit-address = Address
audit-device = Device
audit-entry = Entry
audit-seal = Seal
audit-unsealed = Waiting for its seal
audit-details = Details
audit-by-them = What they did
audit-to-it = What was done to it
audit-from-there = From there
audit-same-request = Same request
audit-by-about = By or about
audit-by-ip-address = Address
audit-by-request-id = Request
audit-widen = Remove
audit-entries = Entries
audit-live = Live
audit-live-start = Follow
audit-live-stop = Stop following
audit-looking = New entries appear here.
audit-waiting = The Auth API does not answer; it is asked again.
audit-paused = Following stopped, for nobody seemed to watch.
audit-no-script = Following needs JavaScript. Reload the page instead.
audit-none = Nothing has happened yet
audit-none-found = Nothing fits
audit-copy = Take a copy:
verify = Check the chain
verify-why = Each entry is sealed to the one before it. Checking finds what was changed, removed or put in since.
verify-expect = Expected head (optional)
verify-expect-hint = As SEQ:HASH, kept from an earlier check or the server's log. Without one, a cut-off end cannot be noticed.
verify-start = Check
verify-running = Checking…
verify-first = First fault:
verify-what-now = Keep the database as it is. On the server, this command names every fault:
verify-proven = Everything up to entry { $seq } is as it was when the expected head was kept.
verify-unproven = No expected head was compared: that the end is complete is not proven.
verify-head = Head
verify-head-why = Keep it elsewhere, for the next check.
verify-erased = Entries of erased people
verify-again = Check again
fault-changed = An entry was changed, moved or put in.
fault-missing = Entries were removed or moved.
fault-shortened = Entries were removed from the end.
fault-stray = An entry was put in where retention has removed all.
fault-personal = Address, device or salt of an entry was changed or removed.
fault-unexplained = Personal parts are gone, though nobody was erased.
fault-checkpoint = A checkpoint was put in or changed.
fault-rewritten = The expected entry has another hash.
fault-outdated = The expected entry was removed by retention; use a newer head.
detail-added = Added
detail-algorithm = Algorithm
detail-api-key-id = By API key
detail-by = By
detail-complete = Complete
detail-count = Count
detail-filters = Filters
detail-first-fault = First fault
detail-format = Format
detail-from-seq = From entry
detail-hash = Hash
detail-identities = Social logins
detail-kid = Key
detail-kind = Kind
detail-name = Name
detail-permissions = Permissions
detail-roles = Roles
detail-seq = Entry number
detail-session-id = Session
detail-way = Way
detail-with-hashes = With password hashes
verify-whole = { $n ->
    [one] { $shown } entry is as it was sealed.
   *[other] All { $shown } entries are as they were sealed.
}
verify-faults = { $n ->
    [one] { $shown } fault was found.
   *[other] { $shown } faults were found.
}

audit-all = All

refusals-title = Refused lately
