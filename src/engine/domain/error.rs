//! What went wrong, on what, why, and what can a person do about it?
//!
//! Deliberately elsewhere: exit codes (`cli`) and layout on screen (`ui`). Branch on [`ErrorKind`], never on text.

use std::{fmt, sync::Arc};

use super::{ParseError, Verb};

/// Every fallible engine call ends in this.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The class of a failure: the only thing code may branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The input does not parse or contradicts itself.
    InvalidInput,
    /// No container of that name or id.
    NoSuchContainer,
    /// No image of that name or id, here or in the registry.
    NoSuchImage,
    /// The name belongs to another object.
    NameInUse,
    /// The prefix fits several objects.
    Ambiguous,
    /// The object's status does not allow the verb; the remedy says which verb would help.
    Refused,
    /// Somebody else holds the object; the reason names who and since when.
    Busy,
    /// This host or this machine cannot do it; the reason says why, the remedy how to change that.
    Unsupported,
    /// The registry or the daemon wants credentials, or other ones.
    Unauthorized,
    /// Permission denied by the kernel, the daemon or the registry.
    Denied,
    /// The host or the registry cannot be reached.
    Unreachable,
    /// The other side broke its protocol.
    Protocol,
    /// The registry or the daemon asks to slow down.
    RateLimited,
    /// The deadline passed.
    TimedOut,
    /// Somebody cancelled it.
    Cancelled,
    /// Content does not hash to its digest, or has another size than promised.
    DigestMismatch,
    /// The image has no variant for this platform.
    PlatformMismatch,
    /// The disk is full or a quota is used up.
    NoSpace,
    /// The command is not in the container (exit code 127).
    CommandNotFound,
    /// The command is there but cannot be executed (exit code 126).
    CommandNotExecutable,
    /// A record or a blob in the store is damaged.
    Corrupt,
    /// Some steps are done, some are left; the reason lists both.
    Partial,
    /// The operating system refused an input or output call.
    Io,
    /// A defect in Wharf itself.
    Internal,
}

/// A failure as a value: kind, verb, subject, reason, remedy and source.
///
/// Displays as one sentence without the remedy: `cannot pull nginx: the registry does not know it`.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    verb: Option<Verb>,
    subject: Option<String>,
    reason: String,
    remedy: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of `kind` with its reason as a clause that can follow a colon.
    #[must_use]
    pub fn new(kind: ErrorKind, reason: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, verb: None, subject: None, reason: reason.into(), remedy: None, source: None }))
    }

    /// `No such container: NAME`, in Docker's words because scripts look for them.
    #[must_use]
    pub fn no_such_container(query: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NoSuchContainer, format!("No such container: {query}"))
    }

    /// `No such image: NAME`.
    #[must_use]
    pub fn no_such_image(query: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NoSuchImage, format!("No such image: {query}"))
    }

    /// The operation was cancelled by its asker.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    /// Wraps an operating system error; a full disk and missing rights keep their own kinds. One that carries an error
    /// of ours keeps its remedy.
    #[must_use]
    pub fn io(doing: impl fmt::Display, source: std::io::Error) -> Self {
        use std::io::ErrorKind as Os;
        let kind = source.kind();
        let kind = if matches!(kind, Os::StorageFull | Os::QuotaExceeded) {
            ErrorKind::NoSpace
        } else if matches!(kind, Os::PermissionDenied | Os::ReadOnlyFilesystem) {
            ErrorKind::Denied
        } else {
            ErrorKind::Io
        };
        let ours = source.get_ref().and_then(|inner| inner.downcast_ref::<Self>());
        let remedy = match ours.and_then(|ours| ours.0.remedy.clone()) {
            None if kind == ErrorKind::NoSpace => {
                Some("free some space (wharf prune images helps) and try again".to_owned())
            }
            remedy => remedy,
        };
        let mut error = Self::new(kind, format!("{doing}: {source}")).caused_by(source);
        error.0.remedy = remedy;
        error
    }

    /// Names the verb unless a caller nearer to the fault already did.
    #[must_use]
    pub fn during(mut self, verb: Verb) -> Self {
        self.0.verb.get_or_insert(verb);
        self
    }

    /// Names the object unless a caller nearer to the fault already did.
    #[must_use]
    pub fn on(mut self, subject: impl fmt::Display) -> Self {
        self.0.subject.get_or_insert_with(|| subject.to_string());
        self
    }

    /// Names the part of the object that is at fault.
    #[must_use]
    pub fn at(mut self, part: impl fmt::Display) -> Self {
        self.0.reason = format!("{part}: {}", self.0.reason);
        self
    }

    /// Notes what failed besides; this one stays what it is.
    #[must_use]
    pub fn besides(mut self, other: &Self) -> Self {
        self.0.reason = format!("{}; besides: {other}", self.0.reason);
        self
    }

    /// Says what a person can do now.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// Keeps the underlying error for the cause chain.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        self.0.verb
    }
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }
    /// What a person can do: said by whoever raised it, else what always holds for its kind.
    #[must_use]
    pub fn remedy_text(&self) -> Option<&str> {
        self.0.remedy.as_deref().or_else(|| self.0.kind.usual_remedy())
    }
}

impl ErrorKind {
    /// The exit code that shells and Docker give a command which could not be run; `None` for all other failures.
    #[must_use]
    pub fn command_code(self) -> Option<u8> {
        self.usual().code
    }

    fn usual_remedy(self) -> Option<&'static str> {
        self.usual().remedy
    }

    fn usual(self) -> Usual {
        let nothing = Usual { code: None, remedy: None };
        let code = |code| Usual { code: Some(code), ..nothing };
        let remedy = |remedy| Usual { remedy: Some(remedy), ..nothing };
        match self {
            Self::CommandNotFound => code(127),
            Self::CommandNotExecutable => code(126),
            Self::NoSuchContainer => remedy("wharf ps -a lists the containers there are"),
            Self::NoSuchImage => remedy("wharf images lists those here; wharf pull fetches others"),
            Self::Protocol => {
                remedy("what the other side sent makes no sense: tell whoever runs it, or made the image")
            }
            Self::Corrupt => remedy("pull or create it again; if that does not help, it was made broken"),
            Self::Internal => remedy("this is a defect in Wharf: please report it"),
            Self::InvalidInput
            | Self::NameInUse
            | Self::Ambiguous
            | Self::Refused
            | Self::Busy
            | Self::Unsupported
            | Self::Unauthorized
            | Self::Denied
            | Self::Unreachable
            | Self::RateLimited
            | Self::TimedOut
            | Self::Cancelled
            | Self::DigestMismatch
            | Self::PlatformMismatch
            | Self::NoSpace
            | Self::Partial
            | Self::Io => nothing,
        }
    }
}

/// What goes for every error of a kind.
#[derive(Clone, Copy)]
struct Usual {
    code: Option<u8>,
    remedy: Option<&'static str>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.verb, self.0.subject.as_deref()) {
            (Some(verb), Some(subject)) => {
                write!(f, "cannot {} {subject}: {}", verb.phrase(), self.0.reason)
            }
            (Some(verb), None) => write!(f, "{verb}: {}", self.0.reason),
            (None, Some(subject)) => write!(f, "{subject}: {}", self.0.reason),
            (None, None) => f.write_str(&self.0.reason),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("verb", &self.0.verb)
            .field("subject", &self.0.subject)
            .field("reason", &self.0.reason)
            .field("remedy", &self.0.remedy)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Two errors are the same when a person would read the same.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind == other.0.kind
            && self.0.verb == other.0.verb
            && self.0.subject == other.0.subject
            && self.0.reason == other.0.reason
            && self.0.remedy == other.0.remedy
    }
}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        let hint = error.hint.clone();
        let wrapped = Self::new(ErrorKind::InvalidInput, error.to_string());
        match hint {
            Some(hint) => wrapped.remedy(hint),
            None => wrapped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_not_lost_on_the_way_through_an_input_or_output_error() {
        let inner = Error::new(ErrorKind::Denied, "it is closed").remedy("open it");
        let outer = Error::io("reading it", std::io::Error::other(inner));
        assert_eq!((outer.reason(), outer.remedy_text()), ("reading it: it is closed", Some("open it")));
    }
}
