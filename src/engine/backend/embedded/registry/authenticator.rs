//! What do we show a registry so that it lets us in? Answers challenges and remembers what it got.
//!
//! The token protocol is that of the distribution project ("Token Authentication Specification" and its OAuth2 form).
//! Deliberately elsewhere: reading the challenge (`challenge`), finding credentials (`credentials`).

use std::{
    collections::HashMap,
    io::Read,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use serde::Deserialize;

use super::{
    challenge::{self, Challenge},
    credentials,
    exchange::{Exchange, Repeat},
    failure,
    repository::Repository,
    secret::{Credential, Secret},
    settings::RegistrySettings,
    transport::{Body, Method, Reach, Request, Response},
    url::{Scheme, Url, escaped},
};
use crate::{
    engine::domain::{Error, ErrorKind, Result},
    text::SafeText,
};

/// Tokens are renewed this long before they end, so that none ends on its way.
const SKEW: Duration = Duration::from_secs(10);
/// What the specification says of tokens that do not tell their life.
const DEFAULT_LIFE: u64 = 60;
/// Token servers answer in less than this.
const ANSWER_LIMIT: u64 = 1 << 20;
const CLIENT_ID: &str = "wharf";

/// One operation's credentials and tokens.
pub struct Authenticator {
    settings: Arc<RegistrySettings>,
    state: Mutex<State>,
    /// One thread asks for a token, the others wait and use it.
    asking: Mutex<()>,
}

#[derive(Default)]
struct State {
    credentials: HashMap<Repository, Option<Credential>>,
    /// By registry and scopes.
    grants: HashMap<(String, Vec<String>), Grant>,
}

/// A header that let us in.
#[derive(Clone)]
struct Grant {
    header: Secret,
    until: Option<SystemTime>,
}

/// No `Debug`: it holds tokens.
#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
    expires_in: Option<u64>,
}

/// The challenge of a refused request and what it was about.
pub struct Refusal<'a> {
    pub repository: &'a Repository,
    /// `repository:PATH:ACTIONS`, sorted.
    pub scopes: &'a [String],
    /// The registry's own address.
    pub origin: &'a Url,
    /// The header that was refused.
    pub refused: Option<&'a Secret>,
    pub response: Response,
}

impl Authenticator {
    pub fn new(settings: Arc<RegistrySettings>) -> Self {
        Self { settings, state: Mutex::default(), asking: Mutex::default() }
    }

    /// The header that is known to open `scopes` of `registry`, if there is one that still lives.
    pub fn header(&self, registry: &str, scopes: &[String], now: SystemTime) -> Option<Secret> {
        let key = (registry.to_owned(), scopes.to_vec());
        let grant = self.state().grants.get(&key)?.clone();
        grant.until.is_none_or(|until| now + SKEW < until).then_some(grant.header)
    }

    /// Gets a header for a request that was answered with 401, and remembers it.
    ///
    /// # Errors
    /// `Unauthorized` when there is no way in; what asking the token server fails with.
    pub fn answer(&self, exchange: &Exchange, refusal: Refusal<'_>) -> Result<()> {
        // As in `state`.
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let registry = refusal.repository.registry();
        let known = self.header(registry, refusal.scopes, exchange.now());
        if known.is_some() && known.as_ref() != refusal.refused {
            return Ok(()); // Another thread has just asked.
        }
        let credential = self.credential(refusal.repository)?;
        let fields = refusal.response.headers.all("www-authenticate");
        let challenges: Vec<Challenge> = fields.flat_map(challenge::parse).collect();
        let bearer = challenges.iter().find_map(|challenge| match challenge {
            Challenge::Bearer { realm, service, scope } => Some((realm, service.as_deref(), scope.as_deref())),
            Challenge::Basic => None,
        });
        let grant = match (bearer, credential) {
            (_, Some(Credential::RegistryToken(token))) => Grant { header: bearer_header(token.expose()), until: None },
            (Some((realm, service, scope)), credential) => {
                let realm = checked_realm(realm, refusal.origin)?;
                let scopes = merged(refusal.scopes, scope);
                let ask = Ask { realm, service, scopes, origin: refusal.origin, registry };
                ask.token(exchange, credential.as_ref())?
            }
            (None, Some(Credential::Password { user, password })) if challenges.contains(&Challenge::Basic) => {
                Grant { header: Secret::basic(&user, &password), until: None }
            }
            (None, _) => return Err(failure::of_status(refusal.response, refusal.origin, registry)),
        };
        if Some(&grant.header) == refusal.refused {
            return Err(failure::of_status(refusal.response, refusal.origin, registry));
        }
        self.state().grants.insert((registry.to_owned(), refusal.scopes.to_vec()), grant);
        Ok(())
    }

    fn credential(&self, repository: &Repository) -> Result<Option<Credential>> {
        if let Some(known) = self.state().credentials.get(repository) {
            return Ok(known.clone());
        }
        let found = credentials::find(&self.settings, repository.registry(), repository.path())?;
        self.state().credentials.insert(repository.clone(), found.clone());
        Ok(found)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while holding the lock left whole entries behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question to a token server.
struct Ask<'a> {
    realm: Url,
    service: Option<&'a str>,
    scopes: Vec<String>,
    origin: &'a Url,
    registry: &'a str,
}

impl Ask<'_> {
    fn token(&self, exchange: &Exchange, credential: Option<&Credential>) -> Result<Grant> {
        let asked_at = exchange.now();
        let response = match credential {
            Some(Credential::IdentityToken(refresh)) => self.by_post(exchange, refresh)?,
            Some(Credential::Password { user, password }) => {
                self.by_get(exchange, Some((user, Secret::basic(user, password))))?
            }
            Some(Credential::RegistryToken(_)) | None => self.by_get(exchange, None)?,
        };
        if response.status != 200 {
            return Err(failure::of_status(response, &self.realm, self.registry));
        }
        let unusable =
            |why: &str| Error::new(ErrorKind::Protocol, format!("the token server {} {why}", self.realm.authority()));
        let mut bytes = Vec::new();
        let read = response.body.take(ANSWER_LIMIT).read_to_end(&mut bytes);
        read.map_err(|error| unusable("broke off").caused_by(error))?;
        // Not serde's message: it quotes the text, which holds the token.
        let token: Token = serde_json::from_slice(&bytes).map_err(|_| unusable("does not give a token"))?;
        let text = if token.token.is_empty() { &token.access_token } else { &token.token };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable("does not give a token"));
        }
        let life = Duration::from_secs(token.expires_in.unwrap_or(DEFAULT_LIFE).clamp(DEFAULT_LIFE, 24 * 3600));
        Ok(Grant { header: bearer_header(text), until: Some(asked_at + life) })
    }

    fn by_get(&self, exchange: &Exchange, user: Option<(&String, Secret)>) -> Result<Response> {
        let mut url = self.realm.clone();
        if let Some(service) = self.service {
            url = url.with_query("service", service);
        }
        for scope in &self.scopes {
            url = url.with_query("scope", scope);
        }
        if let Some((user, _)) = &user {
            url = url.with_query("account", user).with_query("client_id", CLIENT_ID);
        }
        let headers = || match &user {
            Some((_, basic)) => vec![("authorization", basic.expose().to_owned())],
            None => Vec::new(),
        };
        exchange.send(&url, Repeat::Allowed, || Request {
            method: Method::Get,
            url: &url,
            headers: headers(),
            body: Body::Empty,
            reach: self.reach(),
        })
    }

    fn by_post(&self, exchange: &Exchange, refresh: &Secret) -> Result<Response> {
        let form = Secret::new(format!(
            "grant_type=refresh_token&client_id={CLIENT_ID}&service={}&scope={}&refresh_token={}",
            escaped(self.service.unwrap_or_default()),
            escaped(&self.scopes.join(" ")),
            escaped(refresh.expose()),
        ));
        exchange.send(&self.realm, Repeat::Allowed, || Request {
            method: Method::Post,
            url: &self.realm,
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: Body::Bytes(form.expose().as_bytes()),
            reach: self.reach(),
        })
    }

    fn reach(&self) -> Reach<'_> {
        Reach::AsFarAs(self.origin)
    }
}

fn bearer_header(token: &str) -> Secret {
    Secret::new(format!("Bearer {token}"))
}

/// A registry reached over TLS cannot make us send a password in the clear.
fn checked_realm(realm: &str, origin: &Url) -> Result<Url> {
    let shown = || SafeText::from_untrusted(realm).truncate_end(120).as_str().to_owned();
    let url: Url = realm.parse().map_err(|why| {
        Error::new(ErrorKind::Protocol, format!("the registry names the token server \"{}\": {why}", shown()))
    })?;
    if url.scheme() == Scheme::Http && origin.scheme() == Scheme::Https {
        let why = format!("the registry wants a login at {} without TLS", url.authority());
        return Err(Error::new(ErrorKind::Denied, why).remedy("ask the registry's operator to use https there"));
    }
    Ok(url)
}

/// Our scopes and the challenge's, without repetition, sorted.
fn merged(own: &[String], asked: Option<&str>) -> Vec<String> {
    let mut scopes: Vec<String> = own.to_vec();
    let plain = |scope: &&str| scope.bytes().all(|byte| byte.is_ascii_graphic());
    scopes.extend(asked.unwrap_or_default().split(' ').filter(|s| !s.is_empty()).filter(plain).map(str::to_owned));
    scopes.sort();
    scopes.dedup();
    scopes
}
