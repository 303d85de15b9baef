//! What must hold for anything a registry answers and for any credential file? Each function checks one input.
//!
//! Deliberately elsewhere: the inputs and who runs them (`tests/fuzz`).

use super::{
    challenge::{self, Challenge},
    credentials,
    failure::of_status,
    secret::Credential,
    transport::Response,
    url::Url,
};

/// A password that stands in the seeds of [`credential_file`].
const SECRET: &str = "hunter2";

/// `WWW-Authenticate`: what is understood can be written down and is understood the same.
pub fn challenges(input: &[u8]) {
    let header = String::from_utf8_lossy(input);
    let found = challenge::parse(&header);
    assert!(found.len() <= header.len(), "more challenges than letters");
    let written: Vec<String> = found.iter().map(written).collect();
    assert_eq!(challenge::parse(&written.join(", ")), found, "of {written:?}");
}

fn written(challenge: &Challenge) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    match challenge {
        Challenge::Basic => "Basic".to_owned(),
        Challenge::Bearer { realm, service, scope } => {
            let others = [("service", service), ("scope", scope)];
            let others = others.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
            others.fold(format!("Bearer realm={}", quoted(realm)), |all, (name, value)| {
                format!("{all},{name}={}", quoted(value))
            })
        }
    }
}

/// An address on the first line, a `Location` on the second: addresses print as they parse, keep signatures out of
/// messages, and a location without a host never leads to another one, or credentials would follow it.
pub fn location(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (base, location) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(base) = base.parse::<Url>() else { return };
    check_url(&base);
    let Some(there) = base.join(location) else { return };
    check_url(&there);
    let names_a_host = location.contains("://") || location.trim().starts_with("//");
    assert!(names_a_host || there.same_origin(&base), "{location:?} leads from {base} to {there}");
    let escaped = base.clone().with_query("scope", location);
    check_url(&escaped);
    assert!(escaped.same_origin(&base), "a query changed the server: {escaped}");
}

fn check_url(url: &Url) {
    assert_eq!(url.to_string().parse::<Url>().as_ref(), Ok(url), "{url}");
    assert!(!url.authority().contains(['@', '/', '?', '#', ' ']), "{url}");
    assert!(!format!("{url:?}").contains('?'), "{url:?}");
}

/// The body of a failed request, its status in front: the message is short and safe to show.
pub fn error_body(input: &[u8]) {
    let Some((status, body)) = input.split_first() else { return };
    let statuses = [400, 401, 403, 404, 413, 418, 429, 500, 503];
    let status = statuses.get(usize::from(*status) % statuses.len()).copied().unwrap_or(500);
    let response =
        Response { status, headers: Default::default(), body: Box::new(std::io::Cursor::new(body.to_vec())) };
    let url: Url = "https://r.example/v2/a/manifests/1?sig=hidden".parse().expect("it is an address");
    let error = of_status(response, &url, "r.example");
    let told = error.to_string();
    assert!(!told.chars().any(char::is_control), "{told:?}");
    assert!(told.chars().count() < 500, "{told:?}");
    assert!(!told.contains("sig=hidden"), "{told:?}");
}

/// A credential file, behind two lines that say what is looked for: no complaint repeats a secret.
pub fn credential_file(input: &[u8]) {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (registry, repository, file) = (line(), line(), line());
    let (registry, repository) = (String::from_utf8_lossy(registry), String::from_utf8_lossy(repository));
    let found = credentials::lookup(file, &registry, &repository);
    if let Err(complaint) = &found {
        let asked = registry.contains(SECRET) || repository.contains(SECRET);
        let helper = file.windows(b"cred".len()).any(|word| word == b"cred");
        assert!(asked || helper || !complaint.contains(SECRET), "{complaint}");
    }
    if let Ok(Some(credential)) = found {
        // A user's name is no secret, whatever the file puts there.
        let named = matches!(&credential, Credential::Password { user, .. } if user.contains(SECRET));
        assert!(named || !format!("{credential:?}").contains(SECRET), "Debug of a credential shows it");
    }
}
