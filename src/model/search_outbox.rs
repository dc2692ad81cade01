//! A search among what waits to be sent.

use super::principal::Sender;
use super::reducer::Model;
use super::search::{Folded, Hit, HitPlace, Query, Scope, excerpt};

impl Model {
    /// What waits to be sent and matches, newest first. It is not on a hub, and so in no index.
    pub fn search_outbox(&self, query: &Query, scope: &Scope) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (id, connection) in &self.connections {
            let Some(me) = &connection.chat.me else { continue };
            for item in connection.chat.outbox.values() {
                let is_there = match scope {
                    Scope::Everywhere => true,
                    Scope::Room(wanted, room) => wanted == id && *room == item.draft.room,
                };
                let content = &item.draft.content;
                // Nothing that waits is pinned.
                if !is_there
                    || query.pinned
                    || (query.in_thread && content.thread().is_none())
                    || !query.is_in(&connection.chat.name_of(&item.draft.room))
                    || !query.is_when(item.draft.at)
                    || !query.is_from(&me.name, true)
                    || (query.has_file && item.draft.content.file().is_none())
                {
                    continue;
                }
                let body = Folded::of(item.draft.content.body());
                if query.is_said(&body) {
                    hits.push(Hit {
                        connection: *id,
                        room: item.draft.room.clone(),
                        place: HitPlace::Outbox,
                        id: item.draft.id,
                        thread: item.draft.content.thread().filter(|_| item.draft.content.is_aside()),
                        sender: Sender { id: me.id.clone(), name: me.name.clone() },
                        at: item.draft.at,
                        excerpt: excerpt(item.draft.content.body(), &body, &query.terms),
                    });
                }
            }
        }
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.at));
        hits
    }
}
