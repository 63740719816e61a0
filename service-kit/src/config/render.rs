//! The generated documents: `.env.example` and `docs/configuration.md`.

use std::fmt::Write as _;

use super::Documented;

/// Every variable as a comment: copying the file changes nothing until a line is uncommented.
#[must_use]
pub fn render_env_example(documented: &[Documented]) -> String {
    let mut text = String::from("# Every variable, with its default. Uncomment what you change.\n");
    for (section, variables) in sections(documented) {
        let _ = write!(text, "\n# --- {section} ---\n");
        for variable in variables {
            let default = variable.default.unwrap_or_default();
            let _ = write!(text, "# {}\n# {}={default}\n", variable.help, variable.name);
        }
    }
    text
}

/// One table per section.
#[must_use]
pub fn render_markdown(documented: &[Documented]) -> String {
    let mut text = String::from(
        "# Configuration\n\nGenerated from the code. An empty variable is an unset one; \
         a misspelt one is an error.\n",
    );
    for (section, variables) in sections(documented) {
        let _ = write!(text, "\n## {section}\n\n| variable | default | meaning |\n|---|---|---|\n");
        for variable in variables {
            let default = variable.default.map_or("–".to_owned(), |default| format!("`{default}`"));
            // A bar would end the table's cell.
            let help = variable.help.replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | {default} | {help} |", variable.name);
        }
    }
    text
}

/// Sections in the order of their first variable, each once, however the reading was interleaved.
fn sections(documented: &[Documented]) -> Vec<(&'static str, Vec<&Documented>)> {
    let mut sections: Vec<(&'static str, Vec<&Documented>)> = Vec::new();
    for variable in documented {
        match sections.iter_mut().find(|(title, _)| *title == variable.section) {
            Some((_, variables)) => variables.push(variable),
            None => sections.push((variable.section, vec![variable])),
        }
    }
    sections
}
