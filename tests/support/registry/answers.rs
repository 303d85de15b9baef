//! What does a registry that keeps the rules answer? The OCI distribution specification, as far as the tests go: a
//! manifest is taken only when everything it names is there.

use base64::Engine as _;
use serde_json::{Value, json};
use wharf::engine::domain::Digest;

use super::{
    Login, Shared, State,
    wire::{Answer, Asked},
};

pub(super) fn to(asked: &Asked, shared: &Shared) -> Answer {
    let mut state = shared.state();
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    if path == "/token" {
        return token(asked, query, &mut state);
    }
    let Some(rest) = path.strip_prefix("/v2/") else { return plain(404) };
    let Some((repository, kind, name)) = split(rest) else { return plain(200) };
    if let Some(refusal) = refusal(asked, repository, query, &state, shared) {
        return refusal;
    }
    match (kind, asked.method.as_str()) {
        ("manifests", "PUT") => put_manifest(asked, repository, name, &mut state),
        ("manifests", _) => manifest(repository, name, &state),
        ("blobs", _) if name.starts_with("uploads") => upload(asked, repository, name, query, &mut state),
        ("blobs", _) => blob(asked, repository, name, &state),
        _ => plain(404),
    }
}

/// Keeps the part of an upload that came before the connection broke.
pub(super) fn take_piece(asked: &Asked, state: &mut State) {
    let id = asked.path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    state.uploads.entry(id.to_owned()).or_default().extend(&asked.body);
}

/// `a/b/manifests/tag` in its parts.
fn split(rest: &str) -> Option<(&str, &str, &str)> {
    ["manifests", "blobs"].into_iter().find_map(|kind| {
        let (repository, name) = rest.split_once(&format!("/{kind}/"))?;
        Some((repository, kind, name))
    })
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn plain(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: Vec::new() }
}

fn error(status: u16, code: &str) -> Answer {
    let body = json!({"errors": [{"code": code, "message": code.to_ascii_lowercase().replace('_', " ")}]});
    Answer { status, headers: Vec::new(), body: body.to_string().into_bytes() }
}

fn with(mut answer: Answer, name: &str, value: impl ToString) -> Answer {
    answer.headers.push((name.to_owned(), value.to_string()));
    answer
}

/// 401 with a challenge, when the request does not show what the login demands.
fn refusal(asked: &Asked, repository: &str, query: &str, state: &State, shared: &Shared) -> Option<Answer> {
    let shown = asked.header("authorization");
    let actions = if matches!(asked.method.as_str(), "GET" | "HEAD") { "pull" } else { "pull,push" };
    let scope = format!("repository:{repository}:{actions}");
    match &state.login {
        Login::Open => None,
        Login::Basic { user, password } => (shown != Some(basic(user, password).as_str()))
            .then(|| with(error(401, "UNAUTHORIZED"), "WWW-Authenticate", "Basic realm=\"test\"")),
        Login::Bearer { realm, .. } => {
            let token = shown.and_then(|shown| shown.strip_prefix("Bearer "));
            let granted = token.and_then(|token| state.tokens.get(token)).map_or("", String::as_str);
            let mut needed = vec![scope.clone()];
            needed.extend(parameter(query, "from").map(|from| format!("repository:{from}:pull")));
            let covered = |scope: &String| {
                let (resource, action) = scope.rsplit_once(':').unwrap();
                granted.split(' ').any(|granted| {
                    granted.rsplit_once(':').is_some_and(|(r, actions)| r == resource && actions.contains(action))
                })
            };
            if needed.iter().all(covered) {
                return None;
            }
            let realm = realm.clone().unwrap_or_else(|| format!("http://{}/token", shared.address));
            let challenge = format!("Bearer realm=\"{realm}\",service=\"test\",scope=\"{scope}\"");
            Some(with(error(401, "UNAUTHORIZED"), "WWW-Authenticate", challenge))
        }
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

fn token(asked: &Asked, query: &str, state: &mut State) -> Answer {
    let form = String::from_utf8_lossy(&asked.body).into_owned();
    let Login::Bearer { user, refresh, .. } = &state.login else { return plain(404) };
    let welcome = match (asked.method.as_str(), user, refresh) {
        ("POST", _, Some(refresh)) => parameter(&form, "refresh_token") == Some(refresh),
        (_, Some((user, password)), _) => asked.header("authorization") == Some(basic(user, password).as_str()),
        (_, None, None) => true,
        _ => false,
    };
    if !welcome {
        return error(401, "UNAUTHORIZED");
    }
    let scopes: Vec<String> = if asked.method == "POST" {
        vec![parameter(&form, "scope").unwrap_or_default().replace("%20", " ")]
    } else {
        query.split('&').filter_map(|pair| pair.strip_prefix("scope=")).map(str::to_owned).collect()
    };
    let token = format!("token-{}", state.requests.len());
    state.tokens.insert(token.clone(), scopes.join(" "));
    let body = json!({"token": token, "expires_in": 300}).to_string().into_bytes();
    Answer { status: 200, headers: Vec::new(), body }
}

fn manifest(repository: &str, name: &str, state: &State) -> Answer {
    let Some(contents) = state.repositories.get(repository) else { return error(404, "NAME_UNKNOWN") };
    let digest = contents.tags.get(name).map_or(name, String::as_str);
    let Some((media_type, bytes)) = contents.manifests.get(digest) else { return error(404, "MANIFEST_UNKNOWN") };
    let answer =
        Answer { status: 200, headers: vec![("Content-Type".into(), media_type.clone())], body: bytes.clone() };
    with(answer, "Docker-Content-Digest", digest)
}

fn put_manifest(asked: &Asked, repository: &str, name: &str, state: &mut State) -> Answer {
    let contents = state.repositories.entry(repository.to_owned()).or_default();
    let Ok(document) = serde_json::from_slice::<Value>(&asked.body) else { return error(400, "MANIFEST_INVALID") };
    let digest_of = |entry: &Value| entry["digest"].as_str().unwrap_or_default().to_owned();
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let children_are_there = list("manifests").iter().all(|entry| contents.manifests.contains_key(&digest_of(entry)));
    let config = document.get("config").cloned();
    let blobs_are_there =
        list("layers").iter().chain(&config).all(|entry| contents.blobs.contains_key(&digest_of(entry)));
    if !children_are_there || !blobs_are_there {
        return error(400, "MANIFEST_BLOB_UNKNOWN");
    }
    let digest = Digest::sha256_of(&asked.body).to_string();
    if name.contains(':') && name != digest {
        return error(400, "DIGEST_INVALID");
    }
    let media_type = asked.header("content-type").unwrap_or_default().to_owned();
    contents.manifests.insert(digest.clone(), (media_type, asked.body.clone()));
    if !name.contains(':') {
        contents.tags.insert(name.to_owned(), digest.clone());
    }
    with(plain(201), "Docker-Content-Digest", digest)
}

fn blob(asked: &Asked, repository: &str, digest: &str, state: &State) -> Answer {
    let found = state.repositories.get(repository).and_then(|contents| contents.blobs.get(digest));
    let Some(bytes) = found else { return error(404, "BLOB_UNKNOWN") };
    let start = asked.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let Some(start) = start.filter(|start: &usize| *start > 0) else {
        return Answer { status: 200, headers: Vec::new(), body: bytes.clone() };
    };
    if start >= bytes.len() {
        return plain(416);
    }
    let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
    with(Answer { status: 206, headers: Vec::new(), body: bytes[start..].to_vec() }, "Content-Range", range)
}

fn upload(asked: &Asked, repository: &str, name: &str, query: &str, state: &mut State) -> Answer {
    let id = name.trim_start_matches("uploads").trim_matches('/').to_owned();
    match asked.method.as_str() {
        "POST" => begin(repository, query, state),
        "GET" => state.uploads.get(&id).map_or(error(404, "BLOB_UPLOAD_UNKNOWN"), |piece| {
            with(plain(204), "Range", format!("0-{}", piece.len().saturating_sub(1)))
        }),
        "PATCH" | "PUT" => {
            let Some(piece) = state.uploads.get_mut(&id) else { return error(404, "BLOB_UPLOAD_UNKNOWN") };
            let start = asked.header("content-range").and_then(|range| range.split('-').next()?.parse().ok());
            if start.is_some_and(|start: usize| start != piece.len()) {
                return with(plain(416), "Range", format!("0-{}", piece.len().saturating_sub(1)));
            }
            piece.extend(&asked.body);
            if asked.method == "PATCH" {
                return with(plain(202), "Location", format!("/v2/{repository}/blobs/uploads/{id}"));
            }
            let wanted = parameter(query, "digest").unwrap_or_default().to_owned();
            let bytes = state.uploads.remove(&id).unwrap_or_default();
            if Digest::sha256_of(&bytes).to_string() != wanted {
                return error(400, "DIGEST_INVALID");
            }
            state.repositories.entry(repository.to_owned()).or_default().blobs.insert(wanted, bytes);
            plain(201)
        }
        _ => plain(405),
    }
}

fn begin(repository: &str, query: &str, state: &mut State) -> Answer {
    if let (Some(digest), Some(from), false) =
        (parameter(query, "mount"), parameter(query, "from"), state.mounts_refused)
    {
        let bytes = state.repositories.get(from).and_then(|contents| contents.blobs.get(digest)).cloned();
        if let Some(bytes) = bytes {
            state.repositories.entry(repository.to_owned()).or_default().blobs.insert(digest.to_owned(), bytes);
            return plain(201);
        }
    }
    state.next_upload += 1;
    let id = format!("u{}", state.next_upload);
    state.uploads.insert(id.clone(), Vec::new());
    with(plain(202), "Location", format!("/v2/{repository}/blobs/uploads/{id}"))
}
