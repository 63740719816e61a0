//! A server without containers: its units, and the scripts that install, upgrade, roll back and renew. What only root on
//! such a server may do is done by stand-ins; the program, its database and its answers are real.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::{path, succeed, write_program};
use crate::{
    client::Client,
    support::{Finished, PROGRAM, Workplace},
};

/// Of ten; what systemd itself calls OK begins below 5.
const MOST_EXPOSED: f32 = 2.0;
const UNITS: [&str; 2] = ["auth-system.service", "auth-system-compose.service"];

/// Runs what follows `--`, by nobody else.
const RUNUSER: &str = "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$@\"\n";
/// Installs without giving files away.
const INSTALL: &str = r#"#!/bin/sh
for word do
    shift
    case $word in -o | -g) skip=yes ;; *) if [ "${skip:-no}" = yes ]; then skip=no; else set -- "$@" "$word"; fi ;; esac
done
exec /usr/bin/install "$@"
"#;
/// Notes what it is asked, and restarts the program as the unit would.
const SYSTEMCTL: &str = r#"#!/bin/sh
echo "$*" >>"$DESTDIR/systemctl"
[ "$1" = restart ] || exit 0
if [ -e "$DESTDIR/pid" ]; then
    pid=$(cat "$DESTDIR/pid")
    kill "$pid" 2>/dev/null
    while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
fi
cd "$DESTDIR/var/lib/auth-system"
env -i $(grep -v "^#" "$DESTDIR/etc/auth-system/env") "$DESTDIR/usr/local/bin/auth-system" up >>"$DESTDIR/log" 2>&1 &
echo $! >"$DESTDIR/pid"
"#;

/// A server to install on.
struct Server {
    root: TempDir,
    /// Only for its ports.
    place: Workplace,
}

impl Server {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let tools = root.path().join("tools");
        fs::create_dir(&tools).unwrap();
        for (name, script) in [
            ("runuser", RUNUSER),
            ("install", INSTALL),
            ("systemctl", SYSTEMCTL),
            ("getent", "#!/bin/sh\nexit 2\n"),
            ("useradd", "#!/bin/sh\necho \"$*\" >>\"$DESTDIR/useradd\"\n"),
        ] {
            write_program(&tools.join(name), script);
        }
        Self { root, place: Workplace::bare() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A version of the program, told apart by its name; `up` does this.
    fn version(&self, name: &str, up: &str) -> PathBuf {
        let path = self.path(name);
        write_program(&path, &format!("#!/bin/sh\n# {name}\n[ \"$1\" != up ] || {up}\nexec {PROGRAM} \"$@\"\n"));
        path
    }

    /// The settings that only the operator knows.
    fn fill_in(&self) {
        let [api, metrics, gateway, admin] =
            [self.place.port, self.place.metrics_port, self.place.gateway_port, self.place.admin_port];
        let settings = format!(
            "# Filled in.\nENV=development\nAUTO_MIGRATE=false\nJWT_PRIVATE_KEY_PATH=keys/private.pem\nSERVICE_ADDR=127.0.0.1:{api}\nMETRICS_ADDR=127.0.0.1:{metrics}\nGATEWAY_ADDR=127.0.0.1:{gateway}\nADMIN_ADDR=127.0.0.1:{admin}\n"
        );
        fs::write(self.path("etc/auth-system/env"), settings).unwrap();
    }

    fn install(&self, argument: impl AsRef<Path>) -> Finished {
        let tools = self.path("tools");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", tools.display());
        let mut script = Command::new("sh");
        script.arg(path_of("install.sh")).arg(argument.as_ref()).env_clear();
        script.env("PATH", path).env("DESTDIR", self.root.path()).env("PATIENCE", "10");
        Finished::from(script.stdin(Stdio::null()).output().unwrap())
    }

    /// Which version is installed, by the name in it.
    fn installed(&self, name: &str) -> String {
        self.read(name).lines().nth(1).unwrap_or_default().to_owned()
    }

    fn client(&self) -> Client {
        Client::new(self.place.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may never have been started.
        drop(Command::new("kill").arg(self.read("pid").trim()).stderr(Stdio::null()).status());
    }
}

fn path_of(name: &str) -> PathBuf {
    path("deploy").join(name)
}

#[tokio::test]
async fn the_script_installs_upgrades_rolls_back_and_leaves_a_broken_version() {
    let server = Server::new();
    let good = "exec PROGRAM up".replace("PROGRAM", PROGRAM);
    let (first, second, broken) =
        (server.version("first", &good), server.version("second", &good), server.version("broken", "exit 1"));

    let finished = server.install(&first);
    assert!(finished.code == Some(0) && finished.out.contains("Nothing was started"), "{finished:?}");
    let mode = fs::metadata(server.path("etc/auth-system/env")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(server.read("useradd").contains("--system") && !server.read("systemctl").contains("restart"));
    for unit in ["auth-system-backup.service", "auth-system-backup.timer"] {
        let shipped = fs::read_to_string(path_of("systemd").join(unit)).unwrap();
        assert_eq!(server.read(&format!("etc/systemd/system/{unit}")), shipped, "{unit}");
    }
    let backups = fs::metadata(server.path("var/backups/auth-system")).unwrap().permissions().mode();
    assert_eq!(backups & 0o777, 0o700);

    server.fill_in();
    let finished = server.install(&first);
    assert!(finished.code == Some(0) && finished.out.contains("auth-system 1.0.0 is ready"), "{finished:?}");
    assert_eq!(server.read("systemctl").lines().last(), Some("restart auth-system.service"));
    assert!(server.read("systemctl").contains("enable --quiet auth-system.service"));
    // Where backups go and for whom they are sealed, only the operator knows.
    assert!(!server.read("systemctl").contains("backup"));
    let key = server.path("var/lib/auth-system/keys/private.pem");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let person = server.client().person("kim@example.com").await;

    let finished = server.install(&second);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(server.installed("usr/local/bin/auth-system"), "# second");
    assert_eq!(server.installed("usr/local/lib/auth-system/previous"), "# first");
    assert_eq!(server.client().me(&person.access).await.status, 200, "an upgrade logs nobody out");

    let finished = server.install("--rollback");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(server.installed("usr/local/bin/auth-system"), "# first");
    assert_eq!(server.install("--rollback").code, Some(0));
    assert_eq!(server.installed("usr/local/bin/auth-system"), "# second");

    let finished = server.install(&broken);
    assert!(finished.code == Some(1) && finished.err.contains("serves again"), "{finished:?}");
    assert_eq!(server.installed("usr/local/bin/auth-system"), "# second");
    assert_eq!(server.client().me(&person.access).await.status, 200);
}

#[test]
fn the_script_says_what_it_is_to_be_given() {
    let server = Server::new();
    for (argument, said) in
        [("--no-such", "give the new binary"), ("/nowhere/x", "does not run"), ("--rollback", "no previous")]
    {
        let finished = server.install(argument);
        assert!(finished.code == Some(1) && finished.err.contains(said), "{argument}: {finished:?}");
    }
    assert!(!server.path("usr/local/bin/auth-system").exists());
}

/// A folder of units as on a machine that has what they name.
fn machine() -> TempDir {
    let root = TempDir::new().unwrap();
    let units = root.path().join("etc/systemd/system");
    fs::create_dir_all(&units).unwrap();
    for unit in UNITS {
        fs::copy(path_of("systemd").join(unit), units.join(unit)).unwrap();
    }
    for program in ["usr/local/bin/auth-system", "usr/local/bin/docker-compose", "bin/kill"] {
        fs::create_dir_all(root.path().join(program).parent().unwrap()).unwrap();
        write_program(&root.path().join(program), "#!/bin/sh\n");
    }
    let targets = ["basic", "multi-user", "network-online", "shutdown", "sysinit"].map(|name| format!("{name}.target"));
    for target in targets {
        fs::write(units.join(target), "[Unit]\nDescription=A target\n").unwrap();
    }
    fs::write(units.join("docker.service"), "[Service]\nExecStart=/bin/kill\n").unwrap();
    root
}

#[test]
fn systemd_takes_the_units_and_finds_the_program_well_fenced_in() {
    // Systems without systemd have no use for the units either.
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("systemd-analyze is not installed: the units were not looked at");
        return;
    }
    let machine = machine();
    let root = format!("--root={}", machine.path().display());
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no", &root]).args(UNITS).output().unwrap();
    let verified = Finished::from(verified);
    assert_eq!((verified.code, verified.out.as_str(), verified.err.as_str()), (Some(0), "", ""));
    let security = ["security", "--offline=true", "--no-pager", &root, UNITS[0]];
    let report = succeed(Command::new("systemd-analyze").args(security));
    let overall = report.lines().find_map(|line| line.split_once("auth-system.service: ")).unwrap().1;
    let exposed: f32 = overall.split_whitespace().next().unwrap().parse().unwrap();
    println!("systemd-analyze security: {exposed}");
    assert!(exposed <= MOST_EXPOSED, "{report}");
}

/// Runs certbot's hook for a renewed certificate of these names; what its stand-ins were asked.
fn renew(folder: &Path, domains: &str) -> String {
    let (tools, lineage) = (folder.join("tools"), folder.join("live"));
    for created in [&tools, &lineage, &folder.join("nginx/ssl")] {
        fs::create_dir_all(created).unwrap();
    }
    for (name, text) in [("fullchain.pem", "new certificate"), ("privkey.pem", "new key")] {
        fs::write(lineage.join(name), text).unwrap();
        fs::write(folder.join("nginx/ssl").join(name), "old").unwrap();
    }
    fs::copy(path("nginx/nginx.conf"), folder.join("nginx/nginx.conf")).unwrap();
    for tool in ["docker-compose", "nginx", "systemctl"] {
        write_program(&tools.join(tool), &format!("#!/bin/sh\necho \"{tool} $*\"\n"));
    }
    let mut hook = Command::new("sh");
    hook.arg(path_of("renew-hook.sh")).env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
    hook.env("RENEWED_LINEAGE", &lineage).env("RENEWED_DOMAINS", domains);
    succeed(hook.env("AUTH_SYSTEM_FOLDER", folder).env("NGINX_FOLDER", folder.join("nginx")))
}

#[test]
fn a_renewed_certificate_is_handed_to_nginx_which_is_told_to_read_it() {
    let folder = TempDir::new().unwrap();
    let asked = renew(folder.path(), "www.example.com api.yourdomain.com");
    assert_eq!(asked, "nginx -t -q\nsystemctl reload nginx\n");
    assert_eq!(fs::read_to_string(folder.path().join("nginx/ssl/fullchain.pem")).unwrap(), "new certificate");
    let key = folder.path().join("nginx/ssl/privkey.pem");
    assert_eq!(fs::read_to_string(&key).unwrap(), "new key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);

    fs::write(folder.path().join("docker-compose.prod.yml"), "").unwrap();
    let asked = renew(folder.path(), "api.yourdomain.com");
    assert_eq!(asked, "docker-compose -f docker-compose.prod.yml exec -T nginx nginx -s reload\n");
}

#[test]
fn a_certificate_of_another_name_is_left_alone() {
    let folder = TempDir::new().unwrap();
    assert_eq!(renew(folder.path(), "mail.yourdomain.com xapi.yourdomain.com.example"), "");
    assert_eq!(fs::read_to_string(folder.path().join("nginx/ssl/privkey.pem")).unwrap(), "old");
}
