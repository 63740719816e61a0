//! A stand-in of AWS: Moto's server, which keeps what it is told in memory.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_peers::{free_port, installation};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Finished, comes_within};

pub const REGION: &str = "ap-northeast-2";
pub const DOMAIN: &str = "api.yourdomain.com";
/// The stand-in takes a reference to a parameter group of a database for something else, and ends by an error of its own.
const MISREAD: &str = "      DBParameterGroupName: !Ref DbParameters\n";
/// It has no names of services, and refuses what refers to one.
const UNKNOWN: &str = "      ServiceRegistries: ";

/// The running stand-in, ended with this value.
pub struct Cloud {
    server: Child,
    port: u16,
    folder: TempDir,
}

impl Cloud {
    /// Starts it, with a certificate of the domain in it.
    pub async fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port().unwrap());
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(installation::python_tool("moto_server").unwrap());
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdin(Stdio::null());
        let server = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let cloud = Self { server, port, folder };
        let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        assert!(comes_within(DEADLINE, listens).await, "{}", cloud.log());
        cloud.ask(&["acm", "request-certificate", "--domain-name", DOMAIN]);
        cloud
    }

    /// A command with nothing in its environment but this cloud.
    pub fn prepare(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.folder.path()).env("HOME", self.folder.path());
        for (name, value) in [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port).as_str()),
            ("AWS_ACCESS_KEY_ID", "stand-in"),
            ("AWS_SECRET_ACCESS_KEY", "stand-in"),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_PAGER", ""),
            // What the stand-in cannot do it can do no better the second time.
            ("AWS_MAX_ATTEMPTS", "1"),
        ] {
            command.env(name, value);
        }
        command
    }

    /// What a call answers; it must succeed.
    pub fn ask(&self, arguments: &[&str]) -> Value {
        let aws = installation::python_tool("aws").unwrap();
        let finished = Finished::from(self.prepare(&aws).args(arguments).output().unwrap());
        assert_eq!(finished.code, Some(0), "{arguments:?}: {finished:?}\n{}", self.log());
        if finished.out.trim().is_empty() { Value::Null } else { serde_json::from_str(&finished.out).unwrap() }
    }

    /// Has the next scan of an image find this.
    pub async fn find_in_images(&self, answer: &Value) {
        let url = format!("http://127.0.0.1:{}/moto-api/static/ecr/scan-finding-results", self.port);
        let results = json!({"results": [answer], "region": REGION});
        let answer = reqwest::Client::new().post(url).json(&results).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// A template as the stand-in can read it.
    pub fn adapt(&self, template: &str) -> PathBuf {
        let text = super::read(&format!("deploy/aws/{template}"));
        let lines = text.split_inclusive('\n').filter(|line| *line != MISREAD && !line.starts_with(UNKNOWN));
        let adapted: String = lines.collect();
        let left_out = text.lines().count() - adapted.lines().count();
        let expected = [("template.yaml", 2), ("gateway.yaml", 1)].into_iter().find(|(name, _)| *name == template);
        assert_eq!(left_out, expected.map_or(0, |(_, count)| count), "the stand-in's fault has moved");
        let path = self.folder.path().join("deploy/aws").join(template);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, adapted).unwrap();
        path
    }

    /// A file beside what it keeps.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.server.kill());
        drop(self.server.wait());
    }
}
