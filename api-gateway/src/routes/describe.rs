//! The routes in force, for people.

use std::fmt::Write as _;

use super::{Auth, File, Permissions, Route};

const HEADINGS: [&str; 7] = ["ROUTE", "HOST", "PATH", "METHODS", "AUTH", "PERMISSIONS", "UPSTREAM"];

/// A table of the routes in force, by path and host.
#[must_use]
pub fn describe(file: &File) -> String {
    let mut routes = file.routes_in_force();
    routes.sort_by(|a, b| (&a.matches.path, &a.matches.host).cmp(&(&b.matches.path, &b.matches.host)));
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    rows.extend(routes.iter().map(|route| cells(route)));
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cells(route: &Route) -> [String; 7] {
    let matches = &route.matches;
    let methods: Vec<&str> = matches.methods.iter().map(http::Method::as_str).collect();
    [
        route.name.to_string(),
        matches.host.clone().unwrap_or_else(|| "any".to_owned()),
        if matches.exact { format!("{} (exactly)", matches.path) } else { matches.path.clone() },
        if methods.is_empty() { "any".to_owned() } else { methods.join(",") },
        auth(route.auth).to_owned(),
        permissions(&route.permissions),
        route.upstream.to_string(),
    ]
}

const fn auth(auth: Auth) -> &'static str {
    match auth {
        Auth::Required => "required",
        Auth::Optional => "optional",
        Auth::None => "none",
    }
}

fn permissions(permissions: &Permissions) -> String {
    let any = permissions.any.join(" or ");
    match (permissions.all.is_empty(), permissions.any.len()) {
        (true, 0) => "-".to_owned(),
        (true, _) => any,
        (false, 0) => permissions.all.join(" and "),
        (false, 1) => format!("{} and {any}", permissions.all.join(" and ")),
        (false, _) => format!("{} and ({any})", permissions.all.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::read;
    use std::path::Path;

    #[test]
    fn the_table_shows_what_protects_each_path() {
        let text = r#"
[[route]]
name = "orders"
match = { path = "/orders/", host = "api.example.com", methods = ["GET", "POST"] }
upstream = "auth-api"
permissions = ["orders:read"]
any_permission = ["shop:a", "shop:b"]
"#;
        let file = read(text, Path::new("")).unwrap();
        let expected = "\
ROUTE          HOST             PATH                     METHODS   AUTH      PERMISSIONS                           UPSTREAM
/.well-known   any              /.well-known             any       none      -                                     auth-api
/accept-invitation   any  /accept-invitation (exactly)     any  none  -  auth-api
/admin         any              /admin                   any       none      -                                     console
/api/v1        any              /api/v1                  any       none      -                                     auth-api
/confirm-email       any  /confirm-email (exactly)         any  none  -  auth-api
/docs          any              /docs                    any       none      -                                     auth-api
/health        any              /health                  any       none      -                                     auth-api
/link-identity       any  /link-identity (exactly)         any  none  -  auth-api
/not-me              any  /not-me (exactly)                any  none  -  auth-api
/openapi.json  any              /openapi.json (exactly)  any       none      -                                     auth-api
orders         api.example.com  /orders/                 GET,POST  required  orders:read and (shop:a or shop:b)    auth-api
/replace-password    any  /replace-password (exactly)      any  none  -  auth-api
/reset-password      any  /reset-password (exactly)        any  none  -  auth-api
/verify-email        any  /verify-email (exactly)          any  none  -  auth-api
";
        let squeeze = |text: &str| {
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(squeeze(&describe(&file)), squeeze(expected));
        let starts: Vec<usize> = describe(&file).lines().filter_map(|line| line.rfind("  ")).collect();
        assert_eq!(starts.len(), 15);
        assert!(starts.windows(2).all(|pair| pair[0] == pair[1]), "{starts:?}");
    }
}
