//! STOMP servers in the window: setting one up.

use duplex::model::intent::Credential;
use duplex::model::profile::{Login, Protocol, Secret};
use duplex::model::stomp::{Destination, StompOptions};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::Window;

#[test]
fn a_stomp_server_is_set_up_with_its_destinations() {
    let mut window = Window::online();
    window.click("Add connection");
    window.click("STOMP");
    assert!(window.harness.query_by_label("Subprotocols").is_none());
    window.fill("Server URL", "ws://me:p%40ss@127.0.0.1:15674/ws");
    window.fill(
        "Destinations",
        "/topic/chat\n\n/topic/public -> /app/chat.sendMessage\n/queue/work | x-queue-type: quorum",
    );
    window.fill("Virtual host", "/");
    window.click("Add header");
    window.fill("Name of header 1", "X-CSRF-TOKEN");
    window.fill("Value of header 1", "t0ken");
    window.check_names();
    window.click("Save");
    let (profile, credential) = window.saved();
    assert_eq!(
        (profile.protocol, profile.urls),
        (Protocol::Stomp, vec!["ws://127.0.0.1:15674/ws".to_owned()])
    );
    let destinations =
        ["/topic/chat", "/topic/public -> /app/chat.sendMessage", "/queue/work | x-queue-type: quorum"];
    let expected = StompOptions {
        host: "/".to_owned(),
        destinations: destinations.map(|text| Destination::parse(text).unwrap()).to_vec(),
    };
    assert_eq!((profile.websocket.stomp, profile.websocket.user.as_str()), (expected, "me"));
    let login = Login {
        password: Some(Secret::new("p@ss")),
        headers: vec![("X-CSRF-TOKEN".into(), Secret::new("t0ken"))],
        ..Login::default()
    };
    assert_eq!(credential, Credential::Login(login));
}

#[test]
fn what_is_no_destination_is_said_where_it_is_typed() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "stomp://127.0.0.1");
    // Nothing else is at such an address.
    window.fill("Destinations", "/topic/chat | ack: auto");
    window.harness.get_by_label_contains("Duplex sets the header ack itself.");
    assert!(window.harness.get_by_label("Save").accesskit_node().is_disabled());
    window.fill("Destinations", "/topic/chat");
    window.click("Save");
    assert_eq!(window.saved().0.urls, ["stomp://127.0.0.1"]);
}

#[test]
fn a_saved_connection_shows_its_destinations() {
    let mut window = Window::online();
    let lines = "/topic/chat\n/topic/public -> /app/chat";
    window.configure(|profile| {
        profile.protocol = Protocol::Stomp;
        profile.urls = vec!["stomps://broker.example:61614".into()];
        profile.websocket.stomp.destinations =
            lines.lines().map(|line| Destination::parse(line).unwrap()).collect();
    });
    window.click("More for Home");
    window.click("Edit connection");
    assert_eq!(window.harness.get_by_label("Destinations").value().as_deref(), Some(lines));
    window.click("Save");
    let (profile, credential) = window.saved();
    assert_eq!(profile.websocket.stomp.destinations.len(), 2);
    assert_eq!(credential, Credential::Keep);
}
