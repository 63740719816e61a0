//! The scripts of the workflows, with the registry of the stand-in; it runs no tasks, which are told here.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};
use test_peers::installation;

use super::{cloud::Cloud, repository};
use crate::support::Finished;

const REPOSITORY: &str = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/auth-service";
/// What GitHub says of a job, whose identity the script asks for.
const CURL: &str = r#"[ "$4" = "--header" ] && echo '{"value": "identity"}'"#;
/// ECS as files: `serving`, the name of the revision that serves, and each revision by its name.
const ECS: &str = r#"
echo "$*" >> calls
[ "$1" = ecs ] || exec AWS "$@"
case "$2" in
  describe-task-definition) cat "${4##*/}";;
  register-task-definition) echo "$4" > auth-service-task:9; printf 'auth-service-task\t9\n';;
  describe-services) case "$*" in
    *deployments*) if [ -e unhealthy ] && [ "$6" = auth-admin ]; then echo ecs-svc/back; else echo "ecs-svc/$6"; fi;;
    *networkConfiguration*) echo '{"awsvpcConfiguration": {"subnets": ["subnet-1"]}}';;
    *) echo "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/$(cat serving)";;
  esac;;
  run-task) echo arn:aws:ecs:ap-northeast-2:123456789012:task/migration;;
  describe-tasks) cat migration;;
  update-service) case "$7" in
    --force-new-deployment) echo "ecs-svc/$6";;
    --task-definition) [ -e unhealthy ] || echo "$8" > serving;;
  esac;;
esac
"#;

/// A runner of GitHub in whose reach the registry is.
struct Runner {
    cloud: Cloud,
}

impl Runner {
    /// With revision 7 in service, which is of the image that is pushed first.
    async fn start() -> Self {
        let cloud = Cloud::start().await;
        cloud.ask(&["ecr", "create-repository", "--repository-name", "auth-service"]);
        fs::create_dir(cloud.path("bin")).unwrap();
        let aws = installation::python_tool("aws").unwrap();
        for (name, script) in [("aws", ECS.replace("AWS", aws.to_str().unwrap()).as_str()), ("curl", CURL)] {
            let path = cloud.path("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { cloud }
    }

    /// Pushes an image that differs from all others by its first tag; its digest.
    fn push(&self, tags: &[&str]) -> String {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "layers": [{"digest": tags[0]}],
        });
        let manifest = manifest.to_string();
        let put = |tag: &&str| {
            let image = ["ecr", "put-image", "--repository-name", "auth-service", "--image-tag", tag];
            self.cloud.ask(&[&image[..], &["--image-manifest", &manifest]].concat())
        };
        let images: Vec<Value> = tags.iter().map(put).collect();
        images[0]["image"]["imageId"]["imageDigest"].as_str().unwrap().to_owned()
    }

    /// Makes a revision of the task definition the newest, and what serves.
    fn serve(&self, revision: u32, image: &str, build: Option<&str>) {
        let labels = build.map(|build| json!({"auth-system.build": build, "mine": "kept"}));
        let container = json!({"name": "auth-service", "image": image, "dockerLabels": labels});
        let definition = json!({
            "family": "auth-service-task",
            "containerDefinitions": [container],
            "revision": revision,
            "status": "ACTIVE",
        });
        for name in ["auth-service-task".to_owned(), format!("auth-service-task:{revision}")] {
            fs::write(self.cloud.path(&name), definition.to_string()).unwrap();
        }
        fs::write(self.cloud.path("serving"), format!("auth-service-task:{revision}\n")).unwrap();
        fs::write(self.cloud.path("migration"), "0\n").unwrap();
    }

    fn run(&self, script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
        let mut command = self.cloud.prepare(&repository(".github").join(script));
        let programs = format!("{}:/usr/local/bin:/usr/bin:/bin", self.cloud.path("bin").display());
        command.args(arguments).env("PATH", programs).envs([
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/auth-service-push"),
            ("GITHUB_RUN_ID", "100"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "asks"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://github.example.com/?a=b"),
            ("CLUSTER", "auth-system-cluster"),
            ("SERVICE", "auth-service"),
            ("FAMILY", "auth-service-task"),
            ("REPOSITORY", REPOSITORY),
        ]);
        Finished::from(command.envs(environment.iter().copied()).output().unwrap())
    }

    fn deploy(&self, environment: &[(&str, &str)]) -> Finished {
        drop(fs::remove_file(self.cloud.path("calls")));
        self.run("deploy-ecs", &[], environment)
    }

    /// The calls of ECS in their order, without those that only look.
    fn acts(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.cloud.path("calls")).unwrap_or_default();
        let acts = calls.lines().filter_map(|line| line.strip_prefix("ecs ")?.split(' ').next());
        acts.filter(|act| !act.starts_with("describe") && *act != "wait").map(str::to_owned).collect()
    }

    /// What a stack would deploy.
    fn latest(&self) -> Value {
        let images = ["ecr", "batch-get-image", "--repository-name", "auth-service", "--image-ids", "imageTag=latest"];
        self.cloud.ask(&images)["images"][0]["imageId"]["imageDigest"].clone()
    }

    fn serving(&self) -> String {
        fs::read_to_string(self.cloud.path("serving")).unwrap().trim().to_owned()
    }
}

#[tokio::test]
async fn what_serves_is_what_a_stack_would_deploy_however_it_came_to_serve() {
    let runner = Runner::start().await;
    let (old, new) = (runner.push(&["old", "latest"]), runner.push(&["new"]));
    runner.serve(7, &format!("{REPOSITORY}@{old}"), Some("41"));
    let finished = runner.deploy(&[("DIGEST", &new), ("BUILD", "42")]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(runner.acts(), ["register-task-definition", "run-task", "update-service"], "the schema comes first");
    assert_eq!((runner.serving().as_str(), runner.latest()), ("auth-service-task:9", json!(new)));
    let definition = fs::read_to_string(runner.cloud.path("auth-service-task:9")).unwrap();
    let definition: Value = serde_json::from_str(&definition).unwrap();
    let container = &definition["containerDefinitions"][0];
    assert_eq!(container["image"], format!("{REPOSITORY}@{new}"));
    assert_eq!(container["dockerLabels"], json!({"auth-system.build": "42", "mine": "kept"}));
    assert!(definition["revision"].is_null() && definition["status"].is_null(), "AWS refuses these: {definition}");

    let finished = runner.deploy(&[("REVISION", "7")]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(runner.acts(), ["update-service"], "the schema of the newer holds for the older");
    assert_eq!((runner.serving().as_str(), runner.latest()), ("auth-service-task:7", json!(old)));
    assert_eq!(runner.deploy(&[("REVISION", "7")]).code, Some(0), "the image has its tag already");
}

#[tokio::test]
async fn the_tag_stays_where_it_was_when_nothing_came_of_a_deployment() {
    let runner = Runner::start().await;
    let (old, new) = (runner.push(&["old", "latest"]), runner.push(&["new"]));
    runner.serve(7, &format!("{REPOSITORY}@{old}"), None);
    fs::write(runner.cloud.path("migration"), "1\n").unwrap();
    let finished = runner.deploy(&[("DIGEST", &new)]);
    assert_eq!((finished.code, runner.latest()), (Some(1), json!(old)), "{finished:?}");
    assert!(finished.err.contains("the migration ended with 1; nothing was deployed"), "{finished:?}");
    assert_eq!(runner.acts(), ["register-task-definition", "run-task"]);

    fs::write(runner.cloud.path("migration"), "0\n").unwrap();
    fs::write(runner.cloud.path("unhealthy"), "").unwrap();
    let finished = runner.deploy(&[("DIGEST", &new)]);
    assert_eq!((finished.code, runner.latest()), (Some(1), json!(old)), "{finished:?}");
    assert!(finished.err.contains("auth-service-task:7 serves again"), "{finished:?}");
}

#[tokio::test]
async fn what_else_is_of_the_image_follows_when_it_serves() {
    let runner = Runner::start().await;
    let (old, new) = (runner.push(&["old", "latest"]), runner.push(&["new"]));
    runner.serve(7, &format!("{REPOSITORY}@{old}"), None);
    let followers = ("FOLLOWERS", "api-gateway auth-admin");
    let finished = runner.deploy(&[("DIGEST", &new), followers]);
    assert_eq!((finished.code, runner.latest()), (Some(0), json!(new)), "{finished:?}");
    let calls = fs::read_to_string(runner.cloud.path("calls")).unwrap();
    let tagged = calls.find("ecr put-image").unwrap();
    for follower in ["api-gateway", "auth-admin"] {
        let call = format!("--service {follower} --force-new-deployment");
        assert!(calls.find(&call).is_some_and(|at| at > tagged), "{call} comes before the tag moves:\n{calls}");
    }
    // Of one that did not become healthy the old tasks serve on.
    fs::write(runner.cloud.path("unhealthy"), "").unwrap();
    let finished = runner.deploy(&[("REVISION", "9"), followers]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.err.contains("auth-admin did not become healthy, and serves as before"), "{finished:?}");
}

#[tokio::test]
async fn an_older_build_follows_a_newer_one_only_by_hand() {
    let runner = Runner::start().await;
    let (old, new) = (runner.push(&["old"]), runner.push(&["new", "latest"]));
    runner.serve(7, &format!("{REPOSITORY}@{new}"), Some("42"));
    let finished = runner.deploy(&[("DIGEST", &old), ("BUILD", "41")]);
    assert_eq!((finished.code, runner.acts().len()), (Some(1), 0), "{finished:?}");
    assert!(finished.err.contains("build 42 serves, and is newer than 41"), "{finished:?}");
    let finished = runner.deploy(&[("DIGEST", &old)]);
    assert_eq!((finished.code, runner.latest()), (Some(0), json!(old)), "{finished:?}");
    let definition = fs::read_to_string(runner.cloud.path("auth-service-task:9")).unwrap();
    assert!(!definition.contains("auth-system.build"), "what comes from main next is newer again: {definition}");
}

#[tokio::test]
async fn neither_a_revision_of_a_tag_nor_an_image_that_is_gone_is_deployed() {
    let runner = Runner::start().await;
    let gone = format!("sha256:{}", "0".repeat(64));
    runner.serve(7, &format!("{REPOSITORY}:latest"), None);
    runner.serve(8, &format!("{REPOSITORY}@{gone}"), None);
    for (asked, why) in [
        (("REVISION", "7"), "auth-service:latest, which may be any image by now"),
        (("REVISION", "8"), "the registry has no image sha256:000"),
        (("DIGEST", &*gone), "the registry has no image sha256:000"),
    ] {
        let finished = runner.deploy(&[asked]);
        assert_eq!((finished.code, runner.acts().len()), (Some(1), 0), "{finished:?}");
        assert!(finished.err.contains(why), "{finished:?}");
    }
}

#[tokio::test]
async fn a_finding_stops_an_image_only_where_a_newer_package_mends_it() {
    let runner = Runner::start().await;
    let digest = runner.push(&["new"]);
    // The stand-in finds something high in the package moto_fake of every image.
    let scan = |newer: &str| {
        let file = runner.cloud.path("newer-packages");
        fs::write(&file, newer).unwrap();
        runner.run("scan-image", &["auth-service", &digest, file.to_str().unwrap()], &[])
    };
    let finished = scan("");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.out.contains("nobody has mended yet: HIGH CVE-9999-9999 in moto_fake\n"), "{finished:?}");
    assert_eq!(scan("moto_fake_2\nlibc6\n").code, Some(0), "a name is the whole name");
    let finished = scan("libc6\nmoto_fake\n");
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.out.contains("can be mended: HIGH CVE-9999-9999 in moto_fake\n"), "{finished:?}");
}

#[tokio::test]
async fn the_enhanced_scan_says_itself_what_can_be_mended() {
    let runner = Runner::start().await;
    let finding = |severity: &str, name: &str, fix: &str| {
        let details =
            json!({"vulnerabilityId": name, "vulnerablePackages": [{"name": "libssl3"}, {"name": "openssl"}]});
        json!({"severity": severity, "fixAvailable": fix, "packageVulnerabilityDetails": details})
    };
    let unmended = [finding("CRITICAL", "CVE-1", "NO"), finding("MEDIUM", "CVE-2", "YES")];
    let mended = [finding("HIGH", "CVE-3", "PARTIAL"), finding("CRITICAL", "CVE-1", "NO")];
    for (tag, findings, code) in [("a", unmended.as_slice(), 0), ("b", &mended, 1), ("c", &[], 0)] {
        let digest = runner.push(&[tag]);
        let answer = json!({
            "repositoryName": "auth-service",
            "registryId": "123456789012",
            "imageId": {"imageDigest": digest},
            "imageScanStatus": {"status": "COMPLETE"},
            "imageScanFindings": {"enhancedFindings": findings},
        });
        runner.cloud.find_in_images(&answer).await;
        let finished = runner.run("scan-image", &["auth-service", &digest, "/dev/null"], &[]);
        assert_eq!(finished.code, Some(code), "{tag}: {finished:?}");
        assert!(!finished.out.contains("CVE-2"), "{finished:?}");
        match tag {
            "a" => assert!(
                finished.out.contains("nobody has mended yet: CRITICAL CVE-1 in libssl3 openssl"),
                "{finished:?}"
            ),
            "b" => assert!(finished.out.contains("can be mended: HIGH CVE-3 in libssl3 openssl"), "{finished:?}"),
            _ => assert!(finished.out.contains("nothing critical or high"), "{finished:?}"),
        }
    }
}
