//! A client's first message, with nothing in it but what it must have.

use duplex::wire::duplex::message::{Hello, VERSIONS};

pub fn hello() -> Hello {
    Hello {
        versions: VERSIONS,
        client: "test".to_owned(),
        features: Default::default(),
        token: None,
        invite: None,
        challenge: None,
        resume: None,
        since: None,
    }
}
