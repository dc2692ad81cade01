//! Searches and jumps to a date or to a message: the disk is searched in the background, the outbox here.

use std::sync::Arc;

use super::driver::{Driver, TaskResult};
use crate::model::event::{SearchUpdate, Update};
use crate::model::search::{DayFound, Found, MessageFound, Search};
use crate::model::time::WallMs;
use crate::model::{ConnectionId, MessageId, RoomId};

impl Driver {
    pub(super) fn search(&mut self, search: Search) {
        // Only for the first page: the outbox is not in the order of the log.
        let waiting = match search.behind {
            None => self.model.read(|model| model.search_outbox(&search.query, &search.scope)),
            Some(_) => Vec::new(),
        };
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            let number = search.number;
            let mut found = match store.search(search).await {
                Ok(Some(found)) => found,
                // A newer search has begun; this result is not needed.
                Ok(None) => return,
                Err(error) => {
                    log::error!("the disk cannot be searched: {error}");
                    Found::failed(number)
                }
            };
            if !waiting.is_empty() {
                found.nobody = false;
                found.no_room = false;
            }
            found.hits.splice(0..0, waiting);
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Update(Update::Search(SearchUpdate::Found(Arc::new(found))))).await;
        });
    }

    pub(super) fn find_day(&mut self, number: u64, connection: ConnectionId, room: RoomId, from: WallMs) {
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            let at = store.first_at(connection, room.clone(), from).await.unwrap_or_else(|error| {
                log::error!("a date cannot be looked for: {error}");
                Default::default()
            });
            let (first, newest, older_at_hub) = (at.first, at.newest, at.older_at_hub);
            let found = DayFound { number, connection, room, first, newest, older_at_hub };
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Update(Update::Search(SearchUpdate::DayFound(found)))).await;
        });
    }

    pub(super) fn find_message(
        &mut self,
        number: u64,
        connection: ConnectionId,
        room: RoomId,
        id: MessageId,
    ) {
        let (store, done) = (self.store.clone(), self.done.clone());
        tokio::spawn(async move {
            let position = store.find_message(connection, room.clone(), id).await.unwrap_or_else(|error| {
                log::error!("a message cannot be looked for: {error}");
                None
            });
            // The worker is gone if nobody takes it.
            let thread = match position {
                Some(position) => store.thread_of(connection, room, position).await.unwrap_or_default(),
                None => None,
            };
            let found = MessageFound { number, position, thread };
            let _ = done.send(TaskResult::Update(Update::Search(SearchUpdate::MessageFound(found)))).await;
        });
    }
}
