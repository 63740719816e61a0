//! The roles of the workflows: what the scripts ask of AWS, and nothing else, for whom it is meant.

use std::collections::BTreeSet;

use serde_json::json;

use super::{read, read_template};

/// What docker itself asks of the registry when it pushes.
const PUSHING: [&str; 6] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

#[test]
fn each_role_of_the_workflows_may_do_what_they_do_with_it_and_nothing_else() {
    let template = read_template("github.yaml");
    let allowed = |role: &str| {
        let policy = &template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"];
        let actions = policy["Statement"].as_array().unwrap().iter().flat_map(|one| {
            let action = &one["Action"];
            action.as_array().cloned().unwrap_or_else(|| vec![action.clone()])
        });
        actions.map(|action| action.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let mut pushes = calls_in(&[".github/scan-image", ".github/workflows/image.yml"]);
    pushes.extend(PUSHING.map(str::to_owned));
    assert_eq!(allowed("PushRole"), pushes);
    let mut deploys = calls_in(&[".github/deploy-ecs", ".github/workflows/deploy.yml"]);
    deploys.insert("iam:PassRole".to_owned());
    assert_eq!(allowed("DeployRole"), deploys);

    let trusted = |role: &str| {
        let trust = &template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
        trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"].clone()
    };
    assert_eq!(trusted("PushRole"), json!({"Fn::Sub": "repo:${Repository}:ref:refs/heads/main"}));
    assert_eq!(trusted("DeployRole"), json!({"Fn::Sub": "repo:${Repository}:environment:production"}));
    let statements = &template["Resources"]["DeployRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
    let passes = statements.as_array().unwrap().iter().find(|one| one["Action"] == "iam:PassRole").unwrap();
    assert_eq!(passes["Condition"], json!({"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}));
    assert_eq!(passes["Resource"].as_array().unwrap().len(), 2, "{passes}");
}

/// What the scripts ask of AWS, in the words of a policy.
fn calls_in(files: &[&str]) -> BTreeSet<String> {
    let texts: String = files.iter().map(|file| read(file)).collect();
    let calls = texts.split("aws ").skip(1).filter_map(|rest| {
        let mut words = rest.split_whitespace();
        let (service, verb) = (words.next()?, words.next()?);
        let action = match (service, verb) {
            ("ecs" | "ecr", "wait") => match words.next()? {
                "services-stable" => "DescribeServices".to_owned(),
                "tasks-stopped" => "DescribeTasks".to_owned(),
                "image-scan-complete" => "DescribeImageScanFindings".to_owned(),
                other => panic!("what does waiting for {other} ask?"),
            },
            ("ecr", "get-login-password") => "GetAuthorizationToken".to_owned(),
            ("ecs" | "ecr", verb) => pascal_case(verb),
            _ => return None,
        };
        Some(format!("{service}:{action}"))
    });
    calls.collect()
}

fn pascal_case(verb: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    verb.split('-').map(capital).collect()
}
