//! The image: what can be known of it without building one.

use std::{fs, os::unix::fs::PermissionsExt, os::unix::process::CommandExt, process::Command};

use tempfile::TempDir;
use test_peers::installation::python_tool;

use super::{ROOT, path, read, succeed};
use crate::support::{Engine, Finished, Workplace};

/// Whom the image runs as.
const UID: u32 = 1000;

/// The image's instructions, each on one line.
fn instructions() -> Vec<String> {
    let text: String =
        read("Dockerfile").lines().filter(|line| !line.starts_with('#')).fold(String::new(), |text, line| {
            match line.strip_suffix('\\') {
                Some(line) => text + line,
                None => text + line + "\n",
            }
        });
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Runs a command as the image's user where we may become that, else as ourselves.
fn as_user_of_the_image(command: &mut Command) -> u32 {
    let ours = own_uid();
    if ours != 0 {
        return ours;
    }
    command.uid(UID).gid(UID);
    UID
}

fn own_uid() -> u32 {
    succeed(Command::new("id").arg("-u")).trim().parse().unwrap()
}

#[test]
fn the_dockerfile_follows_the_rules_of_its_trade() {
    assert_eq!(succeed(Command::new(python_tool("hadolint").unwrap()).arg(path("Dockerfile"))), "");
}

#[test]
fn the_image_is_what_the_guide_calls_for() {
    let said = instructions();
    for line in [
        "WORKDIR /app",
        "USER 1000:1000",
        "ENTRYPOINT [\"auth-system\"]",
        "CMD [\"service\"]",
        "ENV SERVICE_ADDR=0.0.0.0:8000 GATEWAY_ADDR=0.0.0.0:8080 ADMIN_ADDR=0.0.0.0:5173",
    ] {
        assert!(said.iter().any(|instruction| instruction == line), "{line} is not in {said:#?}");
    }
    let packages = said.iter().filter_map(|line| line.split_once("install --yes --no-install-recommends ")).next();
    assert!(packages.is_some_and(|(_, rest)| rest.starts_with("ca-certificates curl &&")), "{packages:?}");
    let health = said.iter().find(|line| line.starts_with("HEALTHCHECK")).unwrap();
    assert!(health.ends_with(r#"CMD ["curl", "-f", "http://localhost:8000/api/v1/health"]"#), "{health}");
}

#[test]
fn the_image_is_built_by_the_compiler_that_the_tests_are_run_with() {
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain.split_once("channel = \"").unwrap().1.split_once('"').unwrap().0;
    let compilers: Vec<_> = instructions().into_iter().filter(|line| line.starts_with("FROM rust:")).collect();
    assert_eq!(compilers.len(), 2);
    for compiler in compilers {
        assert!(compiler.starts_with(&format!("FROM rust:{channel}-slim-bookworm AS")), "{compiler}");
    }
}

#[test]
fn the_manifests_alone_make_a_workspace_whose_dependencies_can_be_built() {
    let folder = TempDir::new().unwrap();
    let manifests = folder.path().join("manifests");
    let said = instructions();
    let step = said.iter().find_map(|line| line.strip_prefix("RUN mkdir /manifests")).unwrap();
    let step = format!("mkdir /manifests{step}").replace("/manifests", manifests.to_str().unwrap());
    succeed(Command::new("sh").args(["-euc", &step]).current_dir(ROOT));
    // Nothing is fetched: whoever runs this test has built the same packages.
    let tree = ["tree", "--locked", "--offline", "--package", "auth-system", "--edges", "normal,build"];
    let known = succeed(Command::new(env!("CARGO")).args(tree).current_dir(&manifests));
    assert!(known.contains("auth-service") && known.contains("sqlx"), "{known}");
    let main = fs::read_to_string(manifests.join("auth-system/src/main.rs")).unwrap();
    assert_eq!(main, "fn main() {}\n");
}

#[test]
fn a_mounted_key_that_cannot_be_read_is_named_with_the_command_that_helps() {
    let place = Workplace::bare().set("ENV", "production").set("DB_PRIMARY_DB_URL", "postgresql://x@127.0.0.1:1/x");
    assert_eq!(place.run(&["keys", "generate"]).code, Some(0));
    fs::set_permissions(place.path("."), fs::Permissions::from_mode(0o755)).unwrap();
    let key = place.path("keys/private.pem");
    for (mode, folder_mode, remedy) in
        [(0o600, 0o755, "chown UID keys/private.pem"), (0o600, 0o700, "chown -R UID keys")]
    {
        let mut command = place.command(&["service"]);
        let uid = as_user_of_the_image(&mut command);
        // Whoever owns the files can only be kept out by modes.
        let owned = |mode| if uid == UID { mode } else { mode & 0o066 };
        fs::set_permissions(&key, fs::Permissions::from_mode(owned(mode))).unwrap();
        fs::set_permissions(
            place.path("keys"),
            fs::Permissions::from_mode(if folder_mode == 0o755 { 0o755 } else { owned(0o700) }),
        )
        .unwrap();
        let finished = Finished::from(command.output().unwrap());
        fs::set_permissions(place.path("keys"), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let remedy = remedy.replace("UID", &uid.to_string());
        for text in ["keys/private.pem", &format!("uid {uid}"), &remedy] {
            assert!(finished.err.contains(text), "{text} is not in {}", finished.err);
        }
    }
}

#[tokio::test]
async fn the_image_s_command_writes_nothing_where_it_may_not() {
    let place = Workplace::on(Engine::Postgres).set("ENV", "production").set("AUTO_MIGRATE", "true");
    let place = place.set("ALLOWED_HOSTS", "api.yourdomain.com").set("HOME", "/").set("TMPDIR", "/nowhere");
    let mut command = place.command(&["service"]);
    as_user_of_the_image(&mut command);
    // The program's own file system is what it stands in: nobody may write there.
    fs::set_permissions(place.path("."), fs::Permissions::from_mode(0o555)).unwrap();
    let program = place.spawn_command(command);
    program.until_ready().await;
    program.client.with_header("host", "api.yourdomain.com").person("kim@example.com").await;
    program.stop().await;
    fs::set_permissions(place.path("."), fs::Permissions::from_mode(0o755)).unwrap();
    let mut left: Vec<_> = fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["stderr", "stdout"], "only what the test itself keeps");
}
