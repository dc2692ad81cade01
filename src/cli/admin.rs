//! [`Admin`]: changes access rights by asking the running hub, or in its database while it is not running.

use crate::model::Offset;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::time::{Instant, sleep, timeout};

use super::args::{Access, At, Server};
use super::follow::Follow;
use super::hub::failed;
use super::{Exit, Failure, hub_dir_here, print};
use crate::clock;
use crate::hub::{self, HubAddressFile, HubError};
use crate::link::Input;
use crate::model::event::LinkEvent;
use crate::model::link_state::LinkState;
use crate::model::profile::Secret;
use crate::model::rights::{Invitation, ManageAnswer, ManageRefusal, ManageRequest, Member};
use crate::model::{Address, Event};
use crate::wire::{Request, SavedState};

/// Deadline for connecting, and for each answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Interval for checking a data directory.
const PAUSE: Duration = Duration::from_millis(20);

/// Where changes are made.
pub(super) enum Admin {
    /// At a running hub.
    Hub(Box<Asked>),
    /// In the database of a hub that is not running.
    Database(PathBuf),
}

/// A connection to a hub, and its number of requests.
pub(super) struct Asked {
    follow: Follow,
    requests: u64,
    /// The hub's address file, if the hub was found by it.
    address_file: Option<HubAddressFile>,
}

impl Admin {
    /// At the hub that the flags name; without a URL, at the hub on this computer.
    pub(super) async fn open(at: At) -> Result<Admin, Failure> {
        match at.url {
            Some(url) => Admin::connect(Server::duplex(url, at.access), None).await,
            None => {
                let dir = hub_dir_here(at.access.data_dir.clone())?;
                Admin::open_dir(&dir, at.access).await
            }
        }
    }

    /// At the hub with this data directory, running or not.
    pub(super) async fn open_dir(dir: &Path, access: Access) -> Result<Admin, Failure> {
        if !hub::is_there(dir) {
            return Err(failed(HubError::NoHub { data_dir: dir.to_owned() }));
        }
        let found = timeout(PATIENCE, find_hub(dir)).await;
        let Ok(found) = found else {
            let dir = print::harmless(&dir.display().to_string());
            let sentence = format!("a hub runs on {dir}, and does not say where it listens; try again");
            return Err(Failure::new(Exit::Failed, sentence));
        };
        let Some(address_file) = found else { return Ok(Admin::Database(dir.to_owned())) };
        let url = Address {
            url: address_file.local_url().to_owned(),
            invite: None,
            fingerprint: address_file.pin(),
        };
        let mut access = access;
        // The owner's token is in the directory and is only sent to this directory's hub.
        (access.token, access.data_dir) = (Default::default(), Some(dir.to_owned()));
        Admin::connect(Server::duplex(url, access), Some(address_file)).await
    }

    async fn connect(server: Server, address_file: Option<HubAddressFile>) -> Result<Admin, Failure> {
        // Log entries are not needed.
        let saved = SavedState { resume: None, since: Some(Offset::MAX) };
        let follow = Follow::start(&server, saved, false)?;
        let mut asked = Box::new(Asked { follow, requests: 0, address_file });
        match timeout(PATIENCE, asked.online()).await {
            Ok(online) => online.map(|()| Admin::Hub(asked)),
            Err(_) => Err(Failure::new(Exit::TimedOut, "the hub does not answer; nothing was changed")),
        }
    }

    /// Sends a request and waits for the answer. A refusal is a failure.
    pub(super) async fn ask(&mut self, what: ManageRequest) -> Result<ManageAnswer, Failure> {
        let managed = match self {
            Admin::Hub(asked) => asked.ask(what).await?,
            Admin::Database(dir) => offline(dir, &what).await?,
        };
        match managed {
            ManageAnswer::Refused { why, detail } => Err(refusal(why, &detail)),
            managed => Ok(managed),
        }
    }

    /// The same for requests whose only answer is that they were carried out.
    pub(super) async fn change(&mut self, what: ManageRequest) -> Result<(), Failure> {
        self.ask(what).await.map(drop)
    }

    /// All people including admins, or all devices with a token.
    pub(super) async fn members(&mut self, devices: bool) -> Result<Vec<Member>, Failure> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let what =
                if devices { ManageRequest::Devices { after } } else { ManageRequest::People { after } };
            let (page, next) = match self.ask(what).await? {
                ManageAnswer::People { people, next } => (people, next),
                ManageAnswer::Devices { devices, next } => (devices, next),
                _ => return Err(nonsense()),
            };
            all.extend(page);
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        all.sort_by(|one, other| (&one.who.name, &one.who.id).cmp(&(&other.who.name, &other.who.id)));
        Ok(all)
    }

    /// All invites, the newest first.
    pub(super) async fn invites(&mut self) -> Result<Vec<Invitation>, Failure> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let ManageAnswer::Invites { invites, next } = self.ask(ManageRequest::Invites { after }).await?
            else {
                return Err(nonsense());
            };
            all.extend(invites);
            match next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Finds a person by id, or by a name that only one has.
    pub(super) async fn find(&mut self, devices: bool, who: &str) -> Result<Member, Failure> {
        let all = self.members(devices).await?;
        let list = if devices { "device" } else { "people" };
        one_of(all, who).map_err(|ids| {
            let who = print::harmless(who);
            let sentence = match &ids[..] {
                [] => format!("there is nobody called {who}, and no such id; see duplexctl {list} list"),
                ids => format!("several are called {who}; say which by the id: {}", ids.join(", ")),
            };
            Failure::new(Exit::Failed, sentence)
        })
    }

    /// The hub's address file from its last start, if there is one.
    pub(super) fn address_file(&self) -> Option<HubAddressFile> {
        match self {
            Admin::Hub(asked) => asked.address_file.clone(),
            Admin::Database(dir) => HubAddressFile::read(dir),
        }
    }

    /// Disconnects from the hub.
    pub(super) async fn end(self) {
        if let Admin::Hub(asked) = self {
            asked.follow.end().await;
        }
    }
}

impl Asked {
    async fn online(&mut self) -> Result<(), Failure> {
        loop {
            match self.follow.next().await {
                Event::Link(LinkEvent::State(LinkState::Online { .. })) => return Ok(()),
                Event::Link(LinkEvent::State(
                    LinkState::Waiting { why, .. } | LinkState::Stopped { why },
                )) => {
                    return Err(Failure::new(Exit::Refused, self.follow.reason(&why)));
                }
                _ => {}
            }
        }
    }

    async fn ask(&mut self, what: ManageRequest) -> Result<ManageAnswer, Failure> {
        self.requests += 1;
        let number = self.requests;
        self.follow.tell(Input::Request(Request::Manage { id: number, what }));
        match timeout(PATIENCE, self.answer(number)).await {
            Ok(answer) => answer,
            Err(_) => Err(unknown("no answer came in time")),
        }
    }

    async fn answer(&mut self, number: u64) -> Result<ManageAnswer, Failure> {
        loop {
            match self.follow.next().await {
                Event::Link(LinkEvent::Managed { id, managed }) if id == number => return Ok(managed),
                Event::Link(LinkEvent::State(
                    LinkState::Waiting { why, .. } | LinkState::Stopped { why },
                )) => {
                    return Err(unknown(&self.follow.reason(&why)));
                }
                _ => {}
            }
        }
    }
}

/// The address of the hub running on this directory; `None` if none is running. Waits for one that is starting.
async fn find_hub(dir: &Path) -> Option<HubAddressFile> {
    while hub::is_running(dir) {
        match HubAddressFile::read(dir) {
            Some(address_file) => return Some(address_file),
            None => sleep(PAUSE).await,
        }
    }
    None
}

/// Makes the change in the database. Waits for other commands that do so.
async fn offline(dir: &Path, what: &ManageRequest) -> Result<ManageAnswer, Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        match hub::manage_offline(dir, what) {
            Err(HubError::AlreadyRunning { .. })
                if HubAddressFile::read(dir).is_none() && Instant::now() < end =>
            {
                sleep(PAUSE).await;
            }
            Err(HubError::AlreadyRunning { .. }) => {
                let dir = print::harmless(&dir.display().to_string());
                return Err(Failure::new(
                    Exit::Failed,
                    format!("a hub was started on {dir} meanwhile; try again"),
                ));
            }
            done => return done.map_err(failed),
        }
    }
}

fn unknown(why: &str) -> Failure {
    Failure::new(Exit::Unknown, format!("{why}; whether it was done is not known: look at the list"))
}

fn nonsense() -> Failure {
    Failure::new(Exit::Failed, "what the hub answers makes no sense; is it of another version?")
}

fn refusal(why: ManageRefusal, detail: &str) -> Failure {
    let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
    Failure::new(Exit::Refused, print::harmless(&format!("{why}{detail}")))
}

/// The match by id, else by name; or the ids of all with that name.
fn one_of(all: Vec<Member>, who: &str) -> Result<Member, Vec<String>> {
    if let Some(member) = all.iter().find(|member| member.who.id.0 == who) {
        return Ok(member.clone());
    }
    let mut named: Vec<Member> = all.into_iter().filter(|member| member.who.name == who.trim()).collect();
    match (named.pop(), named.is_empty()) {
        (Some(member), true) => Ok(member),
        (last, _) => {
            Err(named.into_iter().chain(last).map(|member| print::harmless(&member.who.id.0)).collect())
        }
    }
}

/// A new token.
pub(super) fn new_token() -> Result<Secret, Failure> {
    let bytes = clock::random::<32>()
        .map_err(|error| Failure::new(Exit::Failed, format!("the system gives no randomness: {error}")))?;
    Ok(Secret::new(HEXLOWER.encode(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Principal, PrincipalId, PrincipalKind};

    #[test]
    fn somebody_is_meant_by_an_id_or_by_a_name_that_only_one_has() {
        let member = |id: &str, name: &str| Member {
            who: Principal {
                id: PrincipalId(id.into()),
                kind: PrincipalKind::Person,
                name: name.into(),
                role: None,
            },
            online: false,
            owner: false,
        };
        let all = || vec![member("1", "Jun"), member("2", "Mina"), member("3", "Jun"), member("Mina", "4")];
        let found = |who: &str| one_of(all(), who).map(|member| member.who.id.0);
        assert_eq!(found("2"), Ok("2".into()));
        assert_eq!(found("Mina"), Ok("Mina".into()), "an id comes first");
        assert_eq!(found(" 4 "), Ok("Mina".into()));
        assert_eq!(found("Jun"), Err(vec!["1".into(), "3".into()]));
        assert_eq!(found("jun"), Err(vec![]));
    }
}
