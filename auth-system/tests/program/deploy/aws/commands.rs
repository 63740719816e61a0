//! The commands of the guide, block by block as they stand, on the stand-in: in one stack, and step by step.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use rstest::rstest;
use serde_json::{Value, json};
use test_peers::{Postgres, installation};

use super::{cloud::Cloud, read, repository};
use crate::support::{Finished, PROGRAM};

const ENGLISH: &str = "docs/guides/deploy-aws.md";
const KOREAN: &str = "docs/ko/guides/deploy-aws.md";
/// What either way begins and ends with, and the two ways, by the sections of the page.
const SHORT: [usize; 2] = [0, 1];
const LONG: [usize; 2] = [0, 2];

/// A terminal in the repository's folder, whose AWS is the stand-in.
struct Terminal {
    cloud: Cloud,
    postgres: Postgres,
}

impl Terminal {
    async fn open() -> Self {
        let (cloud, postgres) = (Cloud::start().await, Postgres::start().unwrap());
        // As RDS makes its master user: no superuser.
        let role = "CREATE ROLE authadmin LOGIN CREATEDB";
        postgres.psql(&postgres.url("postgres"), ["-c", role]).unwrap();
        for template in super::TEMPLATES {
            cloud.adapt(template);
        }
        let link = |from: &Path, to: &str| std::os::unix::fs::symlink(from, cloud.path(to)).unwrap();
        link(&repository("auth-service"), "auth-service");
        link(&repository("deploy/aws/ecs-task-definition.json"), "deploy/aws/ecs-task-definition.json");
        fs::create_dir(cloud.path("bin")).unwrap();
        link(Path::new(PROGRAM), "bin/auth-system");
        link(&installation::psql().unwrap(), "bin/psql");
        let aws = installation::python_tool("aws").unwrap();
        // Notes what the stand-in, or this version of the command line, cannot do, and goes on.
        let aws = format!("{} \"$@\" 2>>failures || echo \"$1 $2 $3 $4\" >>lacking", aws.display());
        for (name, script) in [
            ("aws", aws.as_str()),
            ("docker", "echo \"docker $*\" >>docker.calls; [ \"$1\" != login ] || cat >/dev/null"),
        ] {
            let path = cloud.path("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { cloud, postgres }
    }

    /// Runs blocks one after the other in one shell, as a reader does.
    fn run(&self, blocks: &[String]) -> String {
        // What would go on for ever is looked at once.
        let script = blocks.concat().replace(" --follow", "");
        let mut shell = self.cloud.prepare(Path::new("/bin/bash"));
        let path = format!("{}:/usr/bin:/bin", self.cloud.path("bin").display());
        // The host of the database is a name that only AWS knows; its address is that of a server here.
        shell.env("PATH", path).env("PGHOSTADDR", "127.0.0.1").env("PGPORT", self.postgres.port().to_string());
        let finished = Finished::from(shell.args(["-euo", "pipefail", "-c", &script]).output().unwrap());
        assert_eq!(finished.code, Some(0), "{}\n{}\n{}", finished.out, finished.err, self.noted("failures"));
        finished.out
    }

    fn noted(&self, file: &str) -> String {
        fs::read_to_string(self.cloud.path(file)).unwrap_or_default()
    }

    /// The calls that the stand-in could not answer.
    fn lacking(&self) -> BTreeSet<String> {
        let lacking = self.noted("lacking").lines().map(|line| line.trim_end().to_owned()).collect();
        println!("could not be done here: {lacking:?}");
        lacking
    }
}

/// The blocks of commands below each heading of the second level; the first entry stands before any.
fn sections(page: &str) -> Vec<Vec<String>> {
    let blocks = |section: &str| {
        let blocks = section.split("```bash\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
        blocks.collect()
    };
    read(page).split("\n## ").map(blocks).collect()
}

/// The blocks of some sections, and of all those about what runs already.
fn blocks_of(ways: [usize; 2]) -> Vec<String> {
    let sections = sections(ENGLISH);
    let afterwards = 3..sections.len();
    ways.into_iter().chain(afterwards).flat_map(|at| sections[at].clone()).collect()
}

#[test]
fn both_languages_give_the_same_commands() {
    let (english, korean) = (sections(ENGLISH), sections(KOREAN));
    assert!(english.concat().len() > 20, "{}", english.concat().len());
    assert_eq!(english, korean);
}

#[tokio::test]
async fn one_stack_is_made_by_the_commands_of_the_guide() {
    let terminal = Terminal::open().await;
    let printed = terminal.run(&blocks_of(SHORT));
    // The stack three times, alarms, and the roles of the workflow; the templates' own test shows what is in them.
    assert_eq!(
        printed.matches("Successfully created/updated stack").count(),
        5,
        "{printed}\n{}",
        terminal.noted("failures")
    );
    let known = [
        // The stand-in forgets what a stack says of itself when it was made as this command makes it.
        "cloudformation deploy --stack-name auth-system-gateway",
        // It counts the memory of containers, where Fargate wants that of the task.
        "ecs run-task --cluster auth-system-cluster",
        // It makes nothing of a resource whose condition comes true when a stack is changed.
        "ecs update-service --cluster auth-system-cluster",
        // The command line of PyPI is version 1.
        "logs tail /ecs/auth-service --since",
    ];
    assert_eq!(terminal.lacking(), known.map(str::to_owned).into(), "{}", terminal.noted("failures"));
    assert_pushed(&terminal);
    assert_snapshot(&terminal);
}

#[tokio::test]
async fn the_same_is_made_step_by_step() {
    let terminal = Terminal::open().await;
    let printed = terminal.run(&blocks_of(LONG));
    for listed in ["| users ", "idx_users_email_active", "secret:auth-service/jwt-public-key"] {
        assert!(printed.contains(listed), "{listed} is not in\n{printed}");
    }
    // The topic and one alarm were made by hand, and are not made again.
    assert_eq!(printed.matches("Successfully created/updated stack").count(), 1, "{printed}");
    let topics = terminal.cloud.ask(&["sns", "list-topics"]);
    assert_eq!(topics["Topics"].as_array().unwrap().len(), 1, "{topics}");
    let known = [
        // The stand-in does not speak the protocol in which the command line talks to CloudWatch.
        "cloudwatch put-metric-alarm --alarm-name auth-service-high-cpu",
        "logs tail /ecs/auth-service",
    ];
    assert_eq!(terminal.lacking(), known.map(str::to_owned).into(), "{}", terminal.noted("failures"));
    assert_pushed(&terminal);
    assert_service(&terminal);
    assert_snapshot(&terminal);
    let ask = |arguments: &[&str]| terminal.cloud.ask(arguments);
    let secret = |name: &str| {
        let answer = ask(&["secretsmanager", "get-secret-value", "--secret-id", name]);
        answer["SecretString"].as_str().unwrap().to_owned()
    };
    let database = url::Url::parse(&secret("auth-service/db-url")).unwrap();
    assert_eq!((database.username(), database.path()), ("authadmin", "/authdb"));
    assert!(secret("auth-service/redis-url").starts_with("rediss://:"));
    assert!(secret("auth-service/jwt-private-key").starts_with("-----BEGIN PRIVATE KEY-----"));
    let targets = ask(&["application-autoscaling", "describe-scalable-targets", "--service-namespace", "ecs"]);
    let target = &targets["ScalableTargets"][0];
    assert_eq!((&target["MinCapacity"], &target["MaxCapacity"]), (&json!(2), &json!(10)));
    let policies = ask(&["application-autoscaling", "describe-scaling-policies", "--service-namespace", "ecs"]);
    assert_eq!(policies["ScalingPolicies"].as_array().unwrap().len(), 2, "{policies}");
    let redis = &ask(&["elasticache", "describe-replication-groups"])["ReplicationGroups"][0];
    assert_eq!(
        (&redis["TransitEncryptionEnabled"], &redis["AuthTokenEnabled"]),
        (&json!(true), &json!(true)),
        "{redis}"
    );
}

#[rstest]
#[case(ENGLISH)]
#[case(KOREAN)]
fn the_guide_neither_asks_for_a_reserved_user_nor_for_passwords_that_spoil_addresses(#[case] page: &str) {
    for block in sections(page).concat() {
        assert!(!block.contains(" admin ") && !block.contains("//admin:") && !block.contains("-base64"), "{block}");
    }
}

fn assert_pushed(terminal: &Terminal) {
    let calls = terminal.noted("docker.calls");
    let registry = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com";
    for call in [
        format!("docker login --username AWS --password-stdin {registry}"),
        "docker build -t auth-service:latest .".to_owned(),
        format!("docker push {registry}/auth-service:latest"),
    ] {
        assert!(calls.lines().any(|line| line == call), "{call} is not in\n{calls}");
    }
}

/// What runs in the end.
fn assert_service(terminal: &Terminal) {
    let call = ["ecs", "describe-services", "--cluster", "auth-system-cluster", "--services", "auth-service"];
    let service: &Value = &terminal.cloud.ask(&call)["services"][0];
    assert_eq!((&service["launchType"], &service["desiredCount"]), (&json!("FARGATE"), &json!(2)), "{service}");
    assert!(service["taskDefinition"].as_str().unwrap().contains("auth-service-task:1"), "{service}");
    let group = &terminal.cloud.ask(&["elbv2", "describe-target-groups"])["TargetGroups"][0];
    assert_eq!((&group["TargetGroupName"], &group["TargetType"]), (&json!("auth-service-tg"), &json!("ip")), "{group}");
}

fn assert_snapshot(terminal: &Terminal) {
    let snapshots = terminal.cloud.ask(&["rds", "describe-db-snapshots"]);
    let snapshots = snapshots["DBSnapshots"].as_array().unwrap();
    let is_ours = |one: &Value| one["DBSnapshotIdentifier"].as_str().unwrap().starts_with("before-");
    assert!(snapshots.iter().any(is_ours), "{snapshots:?}");
}
