//! Requests of an admin to a server. Tokens are generated here, and the person's own new token is used from then on.

use data_encoding::HEXLOWER;

use super::access::Access;
use super::driver::{Driver, NetworkResult, SecretResult, TaskResult};
use super::own_hub::HubAt;
use crate::clock;
use crate::model::event::LinkEvent;
use crate::model::link_state::Why;
use crate::model::profile::Secret;
use crate::model::rights::{ManageAnswer, ManageRefusal, ManageRequest};
use crate::model::{ConnectionId, Event, PrincipalId};
use crate::wire::Request;

/// Maximum number of unconfirmed tokens per connection.
const MAX_ASKED: usize = 16;

/// A token that was sent to a server.
pub(super) struct AskedToken {
    number: u64,
    who: PrincipalId,
    token: Secret,
}

impl Driver {
    /// Sends a request. A token that it needs is generated here and not stored until the server has confirmed it.
    pub(super) fn manage(&mut self, connection: ConnectionId, number: u64, mut what: ManageRequest) {
        if let ManageRequest::RotateToken { who, token } | ManageRequest::AddDevice { who, token, .. } =
            &mut what
        {
            let Some(slot) = self.slots.get_mut(&connection) else { return };
            let random = clock::random::<32>();
            let Ok(bytes) =
                random.inspect_err(|error| log::error!("the system gives no randomness: {error}"))
            else {
                let managed = ManageAnswer::Refused { why: ManageRefusal::Other, detail: String::new() };
                let update = crate::model::event::Update::Connection;
                return self
                    .update(update(connection, Event::Link(LinkEvent::Managed { id: number, managed })));
            };
            *token = Secret::new(HEXLOWER.encode(&bytes));
            if slot.asked.len() == MAX_ASKED {
                slot.asked.remove(0);
            }
            slot.asked.push(AskedToken { number, who: who.clone(), token: token.clone() });
        }
        self.ask(connection, Request::Manage { id: number, what });
    }

    /// Adds the token to the answer that is shown; the person's own token is used from now on.
    pub(super) fn managed(&mut self, connection: ConnectionId, event: Event) -> Event {
        let Event::Link(LinkEvent::Managed { id, managed }) = event else { return event };
        let Some(slot) = self.slots.get_mut(&connection) else {
            return Event::Link(LinkEvent::Managed { id, managed });
        };
        let place = slot.asked.iter().position(|asked| asked.number == id);
        let (Some(place), ManageAnswer::Done) = (place, &managed) else {
            return Event::Link(LinkEvent::Managed { id, managed });
        };
        let AskedToken { who, token, .. } = slot.asked.remove(place);
        let me = self.model.read(|model| model.connections.get(&connection)?.chat.me.clone());
        if me.is_some_and(|me| me.id == who) {
            self.use_token(connection, token.clone());
        }
        Event::Link(LinkEvent::Managed { id, managed: ManageAnswer::Token { token } })
    }

    /// Uses this token from the next dial on.
    fn use_token(&mut self, connection: ConnectionId, token: Secret) {
        let Some(slot) = self.slots.get_mut(&connection) else { return };
        let access = match &slot.access {
            Some(Access::Proof { secret, .. }) => Access::Proof { secret: *secret, token: token.clone() },
            _ => Access::Token(token.clone()),
        };
        slot.access = Some(access);
        self.configure(connection);
        if connection > ConnectionId::COMMAND_LINE {
            self.keep_secret(connection, token);
        }
    }

    /// The server no longer knows our token. We may have replaced it and missed the confirmation; the token of our own
    /// hub may have been replaced by the console, which writes it to a file.
    pub(super) fn try_other_token(&mut self, connection: ConnectionId, why: &Why) {
        if !matches!(why, Why::Unauthorized | Why::Withdrawn | Why::Http { status: 401, .. }) {
            return;
        }
        let me = self.model.read(|model| model.connections.get(&connection)?.chat.me.clone());
        let Some(slot) = self.slots.get_mut(&connection) else { return };
        let own = slot.asked.iter().rposition(|asked| me.as_ref().is_some_and(|me| me.id == asked.who));
        if let Some(place) = own {
            let token = slot.asked.remove(place).token;
            return self.retry(TaskResult::Secret(SecretResult::Replaced(connection, token)));
        }
        let known = slot.access.as_ref().map(|access| access.secrets().concat());
        let url = slot.profile.urls.first().cloned().unwrap_or_default();
        if connection == ConnectionId::OWN_HUB
            && let Ok(at) = HubAt::read(&self.data_dir, url)
            && known.is_some_and(|known| known != at.token.reveal())
        {
            self.retry(TaskResult::Network(NetworkResult::Hub(Ok(at))));
        }
    }

    /// Runs after everything that is under way.
    fn retry(&self, done: TaskResult) {
        let to = self.done.clone();
        tokio::spawn(async move {
            // The receiver is gone if the worker has ended.
            let _ = to.send(done).await;
        });
    }

    /// Tries a token that the server may have accepted.
    pub(super) fn other_token(&mut self, connection: ConnectionId, token: Secret) {
        self.use_token(connection, token);
        self.connect(connection);
    }
}
