//! The page on logins through providers: Kakao's stand-in, and an OpenID provider for Google and for another issuer.

use std::{fs, process::Command};

use rstest::rstest;
use serde_json::{Value, json};
use service_kit::clock::Clock;
use test_peers::{Kakao, OpenIdProvider, OpenIdSetup, RegisteredClient, Visitor, installation};

use super::reader::Reader;
use crate::{
    client::Client,
    support::{Engine, Workplace},
};

const APP: &str = "http://localhost:5500/callback";
/// What the page's script finds in a browser.
const BROWSER: &str =
    "const authorize_url = process.argv[2], sessionStorage = { setItem: (_, value) => console.log(value) };
const location = { assign: console.log };\n";
/// Of `correct horse 🦀`.
const BCRYPT: &str = "$2b$05$j1TC1b2l8DpzrlC6uqdRqeCpyzH/PbVH2CaFcnWA63GAhxj5fiMTy";

/// The providers of a site.
struct Providers {
    kakao: Kakao,
    openid: OpenIdProvider,
}

/// A login as an app begins it.
struct Begun {
    verifier: String,
    challenge: String,
    state: String,
    url: String,
}

impl Providers {
    fn start(base: &str) -> Self {
        let callback = |name: &str| format!("{base}/api/v1/oauth/{name}/callback");
        let kakao = Kakao::start(RegisteredClient::new("us", "our-secret", &[&callback("kakao")])).unwrap();
        let openid = RegisteredClient::new("us", "our-secret", &[&callback("google"), &callback("acme")]);
        let ada = json!({"sub": "ada-1", "email": "ada@example.com", "email_verified": true});
        let setup = OpenIdSetup { clients: vec![openid], accounts: vec![ada], ..OpenIdSetup::default() };
        Self { kakao, openid: OpenIdProvider::start(setup).unwrap() }
    }

    /// What the app is told, in the address that the browser is sent to in the end.
    fn go(&self, url: &str) -> url::Url {
        let (mut browser, mut next) = (Visitor::default(), url.to_owned());
        while !next.starts_with(APP) {
            next = match next.starts_with(&self.openid.issuer()) {
                true => self.openid.sign_in(&next, "ada-1").unwrap(),
                false => {
                    let reply = browser.get(&next).unwrap();
                    reply.location().unwrap_or_else(|| panic!("{reply:?}"))
                }
            };
        }
        next.parse().unwrap()
    }

    /// The code with which a login ends.
    fn code(&self, begun: &Begun) -> String {
        let told = self.go(&begun.url);
        let member =
            |name: &str| told.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned());
        assert_eq!(member("state").as_ref(), Some(&begun.state), "{told}");
        member("code").unwrap_or_else(|| panic!("{told}"))
    }

    fn sign_in(&self, id: u64, email: &str) {
        let account = json!({"email": email, "is_email_valid": true, "is_email_verified": true});
        self.kakao.sign_in(json!({"id": id, "kakao_account": account}));
    }

    /// What an app's exchange is answered.
    async fn log_in(&self, place: &Workplace, provider: &str) -> Value {
        let begun = begin(place, provider);
        exchange(&Client::new(place.port), &self.code(&begun), &begun.verifier).await
    }

    fn id_token(&self, nonce: &str) -> String {
        let now = Clock::System.now().as_second();
        let claims = json!({
            "iss": self.kakao.url(), "sub": "7", "aud": "us", "nonce": nonce,
            "iat": now, "auth_time": now, "exp": now + 3600,
        });
        self.kakao.sign("JWT", &claims).unwrap()
    }
}

/// Runs the script of the button.
fn begin(place: &Workplace, provider: &str) -> Begun {
    let authorize = format!("http://localhost:{}/api/v1/oauth/{provider}/authorize", place.port);
    let mut node = Command::new(installation::node().unwrap());
    let printed = node.arg(place.path("button.mjs")).arg(authorize).output().unwrap();
    let out = String::from_utf8(printed.stdout).unwrap();
    let (kept, url) =
        out.trim().split_once('\n').unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&printed.stderr)));
    let kept: Value = serde_json::from_str(kept).unwrap();
    let query = url::Url::parse(url).unwrap();
    let challenge = query.query_pairs().find(|(name, _)| name == "code_challenge").unwrap().1.into_owned();
    let [verifier, state] = ["verifier", "state"].map(|name| kept[name].as_str().unwrap().to_owned());
    Begun { verifier, challenge, state, url: url.to_owned() }
}

async fn exchange(client: &Client, code: &str, verifier: &str) -> Value {
    client.post("/api/v1/oauth/exchange", json!({"code": code, "code_verifier": verifier})).await.body
}

/// The JSON among what a shell has printed.
fn answer(out: &str) -> Value {
    let json = out.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{out}"));
    serde_json::from_str(json).unwrap()
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer}")).to_owned()
}

#[rstest]
#[case("docs/guides/social-login.md", "what the app gave the SDK")]
#[case("docs/ko/guides/social-login.md", "앱이 SDK에 준 값")]
#[tokio::test]
async fn people_come_through_providers_link_them_and_take_them_away(#[case] page: &str, #[case] nonce: &str) {
    let place = Workplace::on(Engine::Sqlite);
    let base = format!("http://localhost:{}", place.port);
    let providers = Providers::start(&base);
    let mut reader = Reader::open(page, &place);
    configure(&mut reader, &providers, &base);
    import_owners(&reader.place);
    let program = reader.place.start().await;
    let offered = answer(&reader.run(&[200]));
    assert_eq!(offered["providers"].to_string().matches("authorize_url").count(), 2, "{offered}");
    let here = "http://localhost:5500";
    let asked = program.client.with_header("origin", here).get("/api/v1/oauth/providers").await;
    assert_eq!(asked.header("access-control-allow-origin"), here, "{asked:?}");
    let button = reader.next("js");
    reader.write("button.mjs", &format!("{BROWSER}{button}"));

    let begun = begin(&place, "kakao");
    reader.replace(
        r#""code":"…","code_verifier":"…""#,
        &format!(r#""code":"{}","code_verifier":"{}""#, providers.code(&begun), begun.verifier),
    );
    let session = answer(&reader.run(&[200]));
    reader.set("AUTH", &base);
    reader.set("TOKEN", &text(&session, "access_token"));
    let identities = reader.run(&[200, 202]);
    assert!(identities.contains("choonsik@kakao.test"), "{identities}");

    reader.replace(r#""password":"…""#, r#""password":"correct horse 🦀""#);
    for (id, email) in [(2, "first@example.com"), (3, "second@example.com")] {
        providers.sign_in(id, email);
        let asked = providers.log_in(&place, "kakao").await;
        reader.replace(r#""link_token":"…""#, &format!(r#""link_token":"{}""#, text(&asked, "link_token")));
        let linked = reader.run(&[if id == 2 { 200 } else { 202 }]);
        assert_eq!(linked.contains("access_token"), id == 2, "{linked}");
    }
    program.until_logged("/link-identity?token=").await;
    link_and_unlink(&mut reader, &providers, &program.client).await;
    program.stop().await;

    reader.replace(
        "OIDC_ACME_ISSUER=https://id.acme.example",
        &format!("OIDC_ACME_ISSUER={}", providers.openid.issuer()),
    );
    reader.replace("OIDC_ACME_CLIENT_ID=…", "OIDC_ACME_CLIENT_ID=us");
    reader.replace("OIDC_ACME_CLIENT_SECRET=…", "OIDC_ACME_CLIENT_SECRET=our-secret");
    reader.settings();
    let program = reader.place.start().await;
    let offered = program.client.get("/api/v1/oauth/providers").await;
    assert!(offered.body.to_string().contains(r#""title":"Acme""#), "{offered:?}");
    text(&providers.log_in(&place, "acme").await, "access_token");
    reader.replace("eyJ…", &providers.id_token(nonce));
    text(&answer(&reader.run(&[200])), "access_token");
    reader.close();
}

/// Sets the variables of the page, and where the providers of this test are.
fn configure(reader: &mut Reader, providers: &Providers, base: &str) {
    reader.replace("KAKAO_CLIENT_ID=…", "KAKAO_CLIENT_ID=us");
    reader.replace("KAKAO_CLIENT_SECRET=…", "KAKAO_CLIENT_SECRET=our-secret");
    reader.replace("PUBLIC_URL=https://auth.example.com", &format!("PUBLIC_URL={base}"));
    reader.replace("https://app.example.com/callback", APP);
    reader.settings();
    for name in ["KAKAO_AUTH_URL", "KAKAO_API_URL"] {
        reader.set(name, &providers.kakao.url());
    }
    let google = [
        ("GOOGLE_ISSUER", providers.openid.issuer().as_str()),
        ("GOOGLE_CLIENT_ID", "us"),
        ("GOOGLE_CLIENT_SECRET", "our-secret"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    for (name, value) in google {
        reader.set(name, &value);
    }
}

/// Two people with proven addresses, who do not know yet that they can come through Kakao.
fn import_owners(place: &Workplace) {
    let rows = ["first", "second"].map(|name| format!("{name}@example.com,true,{BCRYPT}\n")).concat();
    fs::write(place.path("owners.csv"), format!("email,email_verified,password_hash\n{rows}")).unwrap();
    let imported = place.run(&["users", "import", "owners.csv", "--format", "csv"]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
}

/// Links Google to the account of the session, and takes it away again.
async fn link_and_unlink(reader: &mut Reader, providers: &Providers, client: &Client) {
    let mut begun = begin(&reader.place, "google");
    let own = format!(r#""code_challenge":"{}","state":"{}""#, begun.challenge, begun.state);
    reader.replace(r#""code_challenge":"…","state":"…""#, &own);
    begun.url = text(&answer(&reader.run(&[200])), "authorization_url");
    let linked = exchange(client, &providers.code(&begun), &begun.verifier).await;
    assert_eq!(text(&linked, "status"), "linked");
    reader.run(&[204]);
}
