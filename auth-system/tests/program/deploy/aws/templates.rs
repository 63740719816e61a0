//! The templates: sound to the tools that know AWS, and created on the stand-in.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::{Value, json};
use test_peers::installation;

use super::{
    TEMPLATES,
    cloud::{Cloud, DOMAIN},
    read_template, repository,
};
use crate::support::Finished;

/// What the stand-in passes over, so that only the linters have looked at it.
const PASSED_OVER: [(&str, usize); 11] = [
    ("AWS::ApplicationAutoScaling::ScalableTarget", 2),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", 3),
    ("AWS::CloudWatch::Alarm", 13),
    ("AWS::EC2::SecurityGroupEgress", 5),
    ("AWS::ElastiCache::ParameterGroup", 1),
    ("AWS::ElastiCache::ReplicationGroup", 1),
    ("AWS::ElastiCache::SubnetGroup", 1),
    ("AWS::IAM::OIDCProvider", 1),
    ("AWS::SecretsManager::Secret", 10),
    ("AWS::ServiceDiscovery::PrivateDnsNamespace", 1),
    ("AWS::ServiceDiscovery::Service", 2),
];
/// Passed over as well: a subscription stands alone, which the stand-in knows only inside of its topic.
const SUBSCRIPTION: (&str, usize) = ("AWS::SNS::Subscription", 1);

fn create(cloud: &Cloud, stack: &str, template: &str, parameters: &[(&str, &str)]) -> Vec<Value> {
    let body = format!("file://{}", cloud.adapt(template).display());
    let parameters: Vec<Value> =
        parameters.iter().map(|(name, value)| json!({"ParameterKey": name, "ParameterValue": value})).collect();
    let parameters = json!(parameters).to_string();
    let named = ["--stack-name", stack];
    let call = ["cloudformation", "create-stack", "--template-body", &body, "--parameters", &parameters];
    cloud.ask(&[&call[..], &named, &["--capabilities", "CAPABILITY_NAMED_IAM"]].concat());
    let described = cloud.ask(&[&["cloudformation", "describe-stacks"][..], &named].concat());
    assert_eq!(described["Stacks"][0]["StackStatus"], "CREATE_COMPLETE", "{described}");
    let resources = cloud.ask(&[&["cloudformation", "describe-stack-resources"][..], &named].concat());
    resources["StackResources"].as_array().unwrap().clone()
}

/// What a stack says of itself.
fn output(cloud: &Cloud, stack: &str, key: &str) -> String {
    let described = cloud.ask(&["cloudformation", "describe-stacks", "--stack-name", stack]);
    let outputs = described["Stacks"][0]["Outputs"].as_array().unwrap();
    let found = outputs.iter().find(|output| output["OutputKey"] == key);
    found.unwrap_or_else(|| panic!("no {key} in {described}"))["OutputValue"].as_str().unwrap().to_owned()
}

/// Creates all, with everything that a condition guards but the NAT gateway.
fn create_all(cloud: &Cloud) -> Vec<Value> {
    let certificates = cloud.ask(&["acm", "list-certificates"]);
    let certificate = certificates["CertificateSummaryList"][0]["CertificateArn"].as_str().unwrap();
    let url = format!("https://{DOMAIN}");
    let parameters = [
        ("PublicUrl", url.as_str()),
        ("AllowedHosts", DOMAIN),
        ("CertificateArn", certificate),
        ("JwtPrivateKey", include_str!("../../../../../auth-token/tests/keys/rsa-2048.pem")),
        ("JwtPublicKey", include_str!("../../../../../auth-token/tests/keys/rsa-2048.public.pem")),
        ("RunService", "true"),
        ("WithGateway", "true"),
        ("MultiAz", "true"),
    ];
    let mut made = create(cloud, "auth-system", "template.yaml", &parameters);
    let balancer = output(cloud, "auth-system", "LoadBalancerArn");
    let group = output(cloud, "auth-system", "TargetGroupArn");
    let watched = [("LoadBalancerArn", &*balancer), ("TargetGroupArn", &*group), ("AlarmEmail", "ops@example.com")];
    made.extend(create(cloud, "monitoring", "monitoring.yaml", &watched));
    made.extend(create_doors(cloud, &url));
    made.extend(create(cloud, "github", "github.yaml", &[("Repository", "your-org/auth-system")]));
    made
}

/// Creates gateway and console; some of what the first stack says of itself is of a kind that is passed over.
fn create_doors(cloud: &Cloud, url: &str) -> Vec<Value> {
    let known = [
        "VpcId",
        "TaskSubnets",
        "AssignPublicIp",
        "TaskSecurityGroup",
        "LoadBalancerSecurityGroup",
        "HttpsListenerArn",
    ];
    let said = known.map(|name| (name, output(cloud, "auth-system", name)));
    let secret = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:auth-service/one";
    let mut parameters = vec![
        ("PublicUrl", url),
        ("AllowedHosts", DOMAIN),
        ("NamespaceId", "ns-0123456789abcdef"),
        ("FeedTokenSecretArn", secret),
        ("ConsoleSecretArn", secret),
        ("IsPublicDoor", "true"),
    ];
    parameters.extend(said.iter().map(|(name, value)| (*name, value.as_str())));
    create(cloud, "doors", "gateway.yaml", &parameters)
}

#[test]
fn the_linters_find_nothing_and_whatever_they_are_to_pass_over_says_why() {
    let files = TEMPLATES.map(|name| repository("deploy/aws").join(name));
    let mut lint = Command::new(installation::python_tool("cfn-lint").unwrap());
    let finished = Finished::from(lint.args(["--regions", "ap-northeast-2", "--"]).args(&files).output().unwrap());
    assert_eq!((finished.code, finished.out.as_str()), (Some(0), ""), "{finished:?}");
    let mut checkov = Command::new(installation::python_tool("checkov").unwrap());
    checkov.args(["--framework", "cloudformation", "--output", "json", "--compact", "--quiet", "--skip-download"]);
    for file in files {
        checkov.arg("--file").arg(file);
    }
    let finished = Finished::from(checkov.output().unwrap());
    let report: Value = serde_json::from_str(&finished.out).unwrap_or_else(|_| panic!("{finished:?}"));
    assert_eq!(finished.code, Some(0), "{}", report["results"]["failed_checks"]);
    assert!(report["summary"]["passed"].as_u64() > Some(50), "{}", report["summary"]);
    for template in TEMPLATES.map(read_template) {
        for (name, resource) in template["Resources"].as_object().unwrap() {
            let skipped = resource["Metadata"]["checkov"]["skip"].as_array().cloned().unwrap_or_default();
            for skip in skipped {
                assert!(skip["comment"].as_str().is_some_and(|why| why.len() > 20), "{name}: {skip}");
            }
        }
    }
}

#[tokio::test]
async fn the_stacks_are_created_with_the_names_of_the_guide() {
    let cloud = Cloud::start().await;
    let made = create_all(&cloud);
    let mut missing = BTreeMap::<String, usize>::new();
    // What it passes over it lists without a name.
    let made: BTreeSet<&str> = made.iter().filter_map(|one| one["LogicalResourceId"].as_str()).collect();
    for template in TEMPLATES.map(read_template) {
        for (name, resource) in template["Resources"].as_object().unwrap() {
            if !made.contains(name.as_str()) && resource["Condition"] != "HasPrivateTasks" {
                *missing.entry(resource["Type"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    println!("passed over by the stand-in: {missing:?}");
    let known: BTreeMap<String, usize> =
        PASSED_OVER.into_iter().chain([SUBSCRIPTION]).map(|(name, count)| (name.to_owned(), count)).collect();
    assert_eq!(missing, known);

    let db = &cloud.ask(&["rds", "describe-db-instances"])["DBInstances"][0];
    let told = ["DBInstanceIdentifier", "Engine", "MasterUsername", "DBName"].map(|name| db[name].as_str().unwrap());
    assert_eq!(told, ["auth-system-db", "postgres", "authadmin", "authdb"], "{db}");
    assert!(db["EngineVersion"].as_str().unwrap().starts_with("16"), "{db}");
    let told = ["StorageEncrypted", "PubliclyAccessible", "MultiAZ", "BackupRetentionPeriod"].map(|name| &db[name]);
    assert_eq!(told, [&json!(true), &json!(false), &json!(true), &json!(7)], "{db}");

    let services = ["ecs", "describe-services", "--cluster", "auth-system-cluster", "--services", "auth-service"];
    let service = &cloud.ask(&services)["services"][0];
    assert_eq!(service["status"], "ACTIVE", "{service}");
    let definition = &cloud.ask(&["ecs", "describe-task-definition", "--task-definition", "auth-service-task"]);
    let container = &definition["taskDefinition"]["containerDefinitions"][0];
    assert_eq!(container["logConfiguration"]["options"]["awslogs-group"], "/ecs/auth-service", "{definition}");

    let group = &cloud.ask(&["elbv2", "describe-target-groups", "--names", "auth-service-tg"])["TargetGroups"][0];
    assert_eq!((&group["HealthCheckPath"], &group["Port"]), (&json!("/api/v1/health"), &json!(8000)), "{group}");
    let doors = &cloud.ask(&["elbv2", "describe-target-groups", "--names", "api-gateway-tg"])["TargetGroups"][0];
    assert_eq!((&doors["HealthCheckPath"], &doors["Port"]), (&json!("/gateway/health"), &json!(8080)), "{doors}");
    let listener = output(&cloud, "auth-system", "HttpsListenerArn");
    let rules = &cloud.ask(&["elbv2", "describe-rules", "--listener-arn", &listener])["Rules"];
    assert_eq!(rules[0]["Actions"][0]["TargetGroupArn"], doors["TargetGroupArn"], "{rules}");
    assert_eq!(rules[0]["Conditions"][0]["PathPatternConfig"]["Values"], json!(["/*"]), "{rules}");
    let default = rules.as_array().unwrap().iter().find(|rule| rule["IsDefault"] == true).unwrap();
    assert_eq!(default["Actions"][0]["TargetGroupArn"], group["TargetGroupArn"], "{rules}");
    let services =
        ["ecs", "describe-services", "--cluster", "auth-system-cluster", "--services", "api-gateway", "auth-admin"];
    assert_eq!(cloud.ask(&services)["services"].as_array().unwrap().len(), 2);
    let repository = &cloud.ask(&["ecr", "describe-repositories"])["repositories"][0];
    assert_eq!(repository["repositoryName"], "auth-service", "{repository}");
    for (role, identity) in [("push", "ref:refs/heads/main"), ("deploy", "environment:production")] {
        let role = cloud.ask(&["iam", "get-role", "--role-name", &format!("auth-service-{role}")]);
        let trust = role["Role"]["AssumeRolePolicyDocument"].to_string();
        assert!(trust.contains(&format!("\"repo:your-org/auth-system:{identity}\"")), "{trust}");
    }
}

#[test]
fn what_the_stand_in_passes_over_is_named_as_in_the_guide_too() {
    let (system, monitoring) = (read_template("template.yaml"), read_template("monitoring.yaml"));
    let property =
        |template: &Value, name: &str, property: &str| template["Resources"][name]["Properties"][property].clone();
    let secrets: BTreeSet<String> = system["Resources"]
        .as_object()
        .unwrap()
        .values()
        .filter(|one| one["Type"] == "AWS::SecretsManager::Secret")
        .map(|one| one["Properties"]["Name"].as_str().unwrap().to_owned())
        .collect();
    for name in ["db-url", "redis-url", "jwt-private-key", "jwt-public-key"] {
        assert!(secrets.contains(&format!("auth-service/{name}")), "{secrets:?}");
    }
    assert_eq!(property(&system, "Repository", "ImageScanningConfiguration"), json!({"ScanOnPush": true}));
    let breaker = &property(&system, "Service", "DeploymentConfiguration")["DeploymentCircuitBreaker"];
    assert_eq!(*breaker, json!({"Enable": true, "Rollback": true}));
    assert!(property(&system, "Service", "DesiredCount").is_null(), "an update would undo what auto scaling did");
    let target = "ScalableTarget";
    assert_eq!(property(&system, target, "ResourceId"), "service/auth-system-cluster/auth-service");
    assert_eq!(
        (property(&system, target, "MinCapacity"), property(&system, target, "MaxCapacity")),
        (json!(2), json!(10))
    );
    let redis = &system["Resources"]["Redis"]["Properties"];
    assert_eq!((&redis["ReplicationGroupId"], &redis["NumCacheClusters"]), (&json!("auth-system-redis"), &json!(2)));
    assert_eq!((&redis["TransitEncryptionEnabled"], redis["AuthToken"].is_null()), (&json!(true), false));
    let alarm = &monitoring["Resources"]["HighCpuAlarm"]["Properties"];
    assert_eq!((&alarm["AlarmName"], &alarm["Threshold"]), (&json!("auth-service-high-cpu"), &json!(80)));
}
