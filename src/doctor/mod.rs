//! What a [`Report`] says in words: the verdict as a plain sentence, a table of the routes, the steps, the whole as text to be
//! copied and as JSON. Pure, and in both languages, since the window and the console show the same.

mod en;
mod json;
mod ko;
mod text;

#[cfg(test)]
mod tests;

use crate::model::diagnosis::{Login, Report, StepKind, Verdict};
use crate::model::link_state::Why;
use crate::model::route::{Blocked, Route};

pub use en::ENGLISH;
pub use json::json;
pub use ko::KOREAN;
pub use text::{Cells, cells, date, reason, step, text};

/// What happened, and what a person can do about it; the second may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What happened.
    pub what: String,
    /// What to do.
    pub then: String,
}

impl Said {
    fn new(what: impl Into<String>, then: impl Into<String>) -> Said {
        Said { what: what.into(), then: then.into() }
    }
}

/// Makes a sentence of a reason, as the window or the console does everywhere else.
pub type SayWhy<'a> = &'a dyn Fn(&Why) -> Said;

/// All that is said in one language. Text from outside is made harmless before it comes in.
#[derive(Copy, Clone)]
pub struct Words {
    /// A verdict.
    verdict: fn(&Verdict, &Report, SayWhy) -> Said,
    /// What is in the way of a WebSocket.
    blocked: fn(Blocked) -> String,
    /// What to do about it.
    unblock: &'static str,
    /// Something, not necessarily the server, answered a route's request with this HTTP status.
    answered: fn(u16) -> String,
    /// Said where there were no credentials.
    no_credentials: &'static str,
    /// A step.
    pub step: fn(StepKind) -> &'static str,
    /// A route, for people.
    pub route: fn(Route) -> &'static str,
    /// The headings of the table.
    pub headings: [&'static str; 7],
    /// Before the reason for which a route does not work.
    pub reasons: &'static str,
    /// What the table's figures mean.
    pub note: &'static str,
    /// Yes, no, not known.
    pub works: [&'static str; 3],
    /// The steps, as a heading.
    pub steps: &'static str,
    /// The address and when it was checked.
    address: &'static str,
    checked: &'static str,
    /// Of TLS: for whom, signed by whom, valid from and until, trusted by.
    certificate: fn(&Certified) -> String,
    trusted_system: fn(&str) -> String,
    trusted_file: fn(&str) -> String,
    trusted_pin: &'static str,
    untrusted: &'static str,
    /// Of an answer: the server says that it gave it; it passed these proxies.
    by_duplex: &'static str,
    page: &'static str,
    via: fn(&str) -> String,
    redirects_to: fn(&str) -> String,
    /// Of a proxy: none was used, or who said that it is to be used.
    direct: &'static str,
    chosen: &'static str,
    system: &'static str,
    subprotocol: fn(&str) -> String,
    extensions: fn(&str) -> String,
}

/// What is said of a certificate.
struct Certified<'a> {
    subject: &'a str,
    issuer: &'a str,
    names: String,
    from: String,
    until: String,
}

impl Words {
    /// The verdict as a sentence, and what to do.
    pub fn verdict(&self, report: &Report, say: SayWhy) -> Said {
        let verdict = report.verdict();
        let mut said = (self.verdict)(&verdict, report, say);
        if let Verdict::Fallback { blocked, .. } | Verdict::NoRoute { blocked } = &verdict {
            let why = report.route(Route::WebSocket).and_then(|route| route.failed.as_ref());
            said.then = match (blocked, why) {
                (Some(blocked), _) => format!("{} {}", (self.blocked)(*blocked), self.unblock),
                (None, Some(why)) => say(why).what,
                (None, None) => String::new(),
            };
        }
        let nobody = report.login == Login::NoCredentials;
        if nobody && verdict.is_usable() {
            said.then = format!("{} {}", said.then, self.no_credentials).trim().to_owned();
        }
        said
    }
}
