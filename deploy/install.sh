#!/bin/sh
# Installs the program as a service of systemd, upgrades it, or takes an upgrade back:
#     sudo deploy/install.sh BINARY
#     sudo deploy/install.sh --rollback
# The schema is brought up to date while the old version still serves; a new one that does not become ready within a
# minute makes room for the old one again. Daily backups are put in place, and start when the operator enables their timer.
# With DESTDIR everything is put below that folder.
set -eu

root=${DESTDIR:-}
deploy=$(dirname "$0")
account=auth-system
program=$root/usr/local/bin/auth-system
previous=$root/usr/local/lib/auth-system/previous
settings=$root/etc/auth-system/env
state=$root/var/lib/auth-system
backups=$root/var/backups/auth-system
units=$root/etc/systemd/system
patience=${PATIENCE:-60}

say() {
    printf '%s\n' "$*"
}

die() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

# Runs a command as the service would be run: by its account, in its folder, in its environment and in no other. The
# settings go through standard input: arguments of a process can be read by everybody.
# shellcheck disable=SC2016
as_service() {
    env -i PATH="$PATH" runuser -u "$account" -- sh -euc '
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in
                "" | "#"*) ;;
                *) export "$line" ;;
            esac
        done
        cd "$1" && shift && exec "$@" </dev/null
    ' sh "$state" "$@" <"$settings"
}

make_account() {
    getent passwd "$account" >/dev/null ||
        useradd --system --user-group --home-dir /var/lib/auth-system --shell /usr/sbin/nologin "$account"
    install -d -m 0755 "$(dirname "$program")" "$(dirname "$previous")" "$units"
    install -d -m 0750 "$(dirname "$settings")"
    install -d -m 0700 -o "$account" -g "$account" "$state" "$backups"
}

# The first time there is nothing to start yet: what only the operator knows is missing.
make_settings() {
    if [ ! -e "$settings" ]; then
        (umask 077 && cp "$deploy/../.env.production.example" "$settings")
    fi
    chmod 0600 "$settings"
    if grep -Eq '^[A-Z_]+=.*(YOUR_|xxxxx|yourdomain)' "$settings"; then
        return 1
    fi
}

make_keys() {
    if [ ! -e "$state/keys/private.pem" ] && grep -q '^JWT_PRIVATE_KEY_PATH=keys/private\.pem$' "$settings"; then
        as_service "$1" keys generate
    fi
}

# Others may be starting the program at any moment: they find the old one or the new one, whole.
put() {
    install -m 0755 "$1" "$2.new"
    mv -f "$2.new" "$2"
}

until_ready() {
    left=$patience
    until as_service "$program" healthcheck --ready >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 1
    done
}

restart() {
    systemctl restart auth-system.service && until_ready
}

upgrade() {
    version=$("$1" --version) || die "$1 does not run on this machine"
    make_account
    for unit in auth-system.service auth-system-backup.service auth-system-backup.timer; do
        install -m 0644 "$deploy/systemd/$unit" "$units/$unit"
    done
    systemctl daemon-reload
    if ! make_settings; then
        put "$1" "$program"
        say "Fill in $settings (its comments say how), and run this again. Nothing was started."
        return
    fi
    # Where the service's account may run it; a home is often closed to others.
    put "$1" "$program.next"
    make_keys "$program.next"
    as_service "$program.next" migrate
    replaced=no
    if [ -e "$program" ] && ! cmp -s "$program" "$program.next"; then
        put "$program" "$previous"
        replaced=yes
    fi
    mv -f "$program.next" "$program"
    systemctl enable --quiet auth-system.service
    if restart; then
        say "$version is ready."
    elif [ "$replaced" = yes ]; then
        put "$previous" "$program"
        restart || die "neither $version nor the one before it becomes ready: journalctl -u auth-system"
        die "$version did not become ready; the one before it serves again: journalctl -u auth-system"
    else
        die "$version does not become ready: journalctl -u auth-system"
    fi
}

rollback() {
    [ -e "$previous" ] || die "there is no previous version"
    put "$program" "$program.next"
    put "$previous" "$program"
    mv -f "$program.next" "$previous"
    restart || die "the previous version does not become ready: journalctl -u auth-system"
    say "$("$program" --version) is ready again."
}

[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || die "run it as root"
case ${1:-} in
    --rollback) rollback ;;
    '' | -*) die "give the new binary, or --rollback" ;;
    *) upgrade "$1" ;;
esac
