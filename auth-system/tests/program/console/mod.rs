//! The console as its people meet it: in a real browser, in both languages, with the whole program behind it.

mod acts;
mod alone;
mod audit;
mod bulk;
mod door;
mod forms;
mod identities;
mod likes;
mod looks;
mod overview;
mod payloads;
mod people;
mod proof;
mod roles;
mod system;
mod tongue;
mod unscripted;
mod visitor;

use serde_json::{Value, json};

use self::{tongue::Tongue, visitor::Visitor};
use crate::{
    client::{Client, PASSWORD},
    program::Program,
    support::{Engine, Workplace},
};

const ADMIN: &str = "root@example.com";
const ADMIN_NAME: &str = "김관리";

/// A running console, and somebody at it.
struct Console {
    browser: Visitor,
    tongue: Tongue,
    base: String,
    program: Program,
    place: Workplace,
}

impl Console {
    /// Starts the program, and opens a browser that has been nowhere.
    async fn start(tongue: Tongue) -> Self {
        Self::start_in(Workplace::on(Engine::Sqlite), tongue).await
    }

    /// The same in this place.
    async fn start_in(place: Workplace, tongue: Tongue) -> Self {
        let program = place.start().await;
        let browser = Visitor::come(tongue);
        let base = format!("http://localhost:{}", place.admin_port);
        Self { browser, tongue, base, program, place }
    }

    /// The same after the first administrator was made, and is signed in.
    async fn open(tongue: Tongue) -> Self {
        let console = Self::start(tongue).await;
        console.set_up(&console.setup_link().await);
        console
    }

    /// The link that the program prints when nobody administers it.
    async fn setup_link(&self) -> String {
        self.program.until_logged("/admin/setup?token=").await;
        let out = self.program.out();
        let link = out.split_whitespace().find(|word| word.contains("/admin/setup?token="));
        link.unwrap().to_owned()
    }

    /// Makes the first administrator.
    fn set_up(&self, link: &str) {
        assert_eq!(self.browser.goto(link).unwrap(), 200);
        self.browser.fill("#email", ADMIN).unwrap();
        self.browser.fill("#display_name", ADMIN_NAME).unwrap();
        self.browser.fill("#password", PASSWORD).unwrap();
        self.browser.click("main button.primary").unwrap();
        self.browser.wait_for_url(&self.at("/admin/")).unwrap();
        self.sees("nav");
    }

    /// A page's address.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Opens a page that is there.
    fn go(&self, path: &str) {
        assert_eq!(self.browser.goto(&self.at(path)).unwrap(), 200, "{path}");
    }

    /// Fills in the page where one signs in.
    fn sign_in_as(&self, name: &str, password: &str) {
        self.browser.fill("#name", name).unwrap();
        self.browser.fill("#password", password).unwrap();
        self.browser.click("main button.primary").unwrap();
    }

    /// Waits for what a selector finds.
    fn sees(&self, selector: &str) {
        self.browser.wait_for(selector).unwrap();
    }

    /// Waits for a text, by its key, in what a selector finds.
    fn reads(&self, selector: &str, key: &str) {
        self.reads_text(selector, &self.tongue.say(key));
    }

    /// Waits for a text in what a selector finds.
    fn reads_text(&self, selector: &str, text: &str) {
        self.sees(&format!("{selector}:has-text({text:?})"));
    }

    /// Clicks on what does something, and waits until a page says that it was done, by the text's key.
    fn does(&self, button: &str, done: &str) {
        // What was said before is not what is waited for.
        self.browser.evaluate("document.querySelector('[role=status]')?.remove()").unwrap();
        self.browser.click(button).unwrap();
        self.sees(&format!("[role=status]:text-is({:?})", self.tongue.say(done)));
    }

    /// How many there are of what a selector finds.
    fn count(&self, selector: &str) -> u64 {
        self.browser.evaluate(&format!("document.querySelectorAll({selector:?}).length")).unwrap().as_u64().unwrap()
    }

    /// Asserts that no page has complained of anything.
    fn assert_content(&self) {
        assert_eq!(self.browser.complaints().unwrap(), Vec::<String>::new());
    }

    /// Asserts that the pages have complained of one answer with this status, and of nothing else.
    fn assert_refused_once(&self, status: u16) {
        let complaints = self.browser.take_complaints().unwrap();
        assert!(complaints.len() == 1 && complaints[0].contains(&format!(" {status} ")), "{complaints:?}");
    }

    /// The API, as the first administrator calls it.
    async fn api(&self) -> Client {
        self.program.client.bearing(&self.program.client.log_in(ADMIN).await.access)
    }

    /// Invites people, each by an address and a name; their ids.
    async fn invite(&self, people: &[(String, String)]) -> Vec<String> {
        let items: Vec<Value> =
            people.iter().map(|(email, name)| json!({"email": email, "display_name": name})).collect();
        let answer = self.api().await.post("/api/v1/users/bulk", json!({"items": items})).await;
        let results = answer.body["results"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
        results
            .iter()
            .map(|result| result["user"]["id"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned())
            .collect()
    }

    /// Invites one person; their id.
    async fn invite_one(&self, email: &str, name: &str) -> String {
        self.invite(&[(email.to_owned(), name.to_owned())]).await.remove(0)
    }

    /// The account with this id.
    async fn account(&self, id: &str) -> Value {
        self.api().await.get(&format!("/api/v1/users/{id}")).await.body
    }
}
