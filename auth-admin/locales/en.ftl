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
timeline = Activity
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
done-invited = The invitation was sent.

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
