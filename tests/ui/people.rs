//! The sheet of an admin: who may come in at a server.

use crate::support::{CONNECTION, Window};
use duplex::model::event::{ChatEvent, Event, LinkEvent, Person};
use duplex::model::features::{Feature, Features};
use duplex::model::id::PrincipalId;
use duplex::model::intent::{Intent, LinkIntent};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::principal::{Principal, PrincipalKind, Sender};
use duplex::model::profile::Secret;
use duplex::model::rights::{Invitation, ManageAnswer, ManageRefusal, ManageRequest, Member};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};

fn who(id: &str, kind: PrincipalKind, name: &str) -> Principal {
    Principal { id: PrincipalId(id.into()), kind, name: name.into(), role: None }
}

fn member(id: &str, kind: PrincipalKind, name: &str) -> Member {
    Member { who: who(id, kind, name), online: false, owner: false }
}

fn me() -> Principal {
    who("me", PrincipalKind::Admin, "Jun")
}

/// A window of somebody of this kind.
fn window_of(kind: PrincipalKind, width: f32, height: f32) -> Window {
    let mut window = Window::sized(width, height);
    window.become_who(Principal { kind, ..me() });
    window.intents();
    window
}

/// The requests since the last look.
fn asked(window: &mut Window) -> Vec<(u64, ManageRequest)> {
    let of = |intent| match intent {
        Intent::Link(LinkIntent::Manage { connection, number, what }) => {
            assert_eq!(connection, CONNECTION);
            Some((number, what))
        }
        _ => None,
    };
    window.intents().into_iter().filter_map(of).collect()
}

fn one(window: &mut Window) -> (u64, ManageRequest) {
    let mut all = asked(window);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn answer(window: &mut Window, id: u64, managed: ManageAnswer) {
    window.event(Event::Link(LinkEvent::Managed { id, managed }));
}

fn people() -> Vec<Member> {
    vec![
        Member { who: me(), online: true, owner: true },
        member("p-2", PrincipalKind::Person, "Mina"),
        member("p-3", PrincipalKind::Person, "Ben"),
    ]
}

/// The sheet, open and filled.
fn opened(width: f32, height: f32) -> Window {
    let mut window = window_of(PrincipalKind::Admin, 1_280.0, 800.0);
    window.click("More for Home");
    window.click("People and invites");
    window.resize(width, height);
    let (number, what) = one(&mut window);
    assert_eq!(what, ManageRequest::People { after: None });
    answer(&mut window, number, ManageAnswer::People { people: people(), next: None });
    assert_eq!(asked(&mut window), []);
    window
}

/// What a button puts into the clipboard.
fn copied_by(window: &mut Window, button: &str) -> String {
    window.harness.get_by_label(button).click();
    let mut frames = std::iter::repeat_with(|| {
        window.harness.step();
        window.copied()
    });
    frames.by_ref().take(8).flatten().next().unwrap()
}

fn tab(window: &mut Window, name: &str) {
    window.harness.get_by_role_and_label(Role::Tab, name).click();
    window.run();
}

fn choose(window: &mut Window, name: &str, what: &str) {
    window.click(&format!("More for {name}"));
    window.click(what);
}

#[test]
fn only_an_admin_is_offered_it() {
    for (kind, offered) in [(PrincipalKind::Admin, true), (PrincipalKind::Person, false)] {
        let mut window = window_of(kind, 1_100.0, 720.0);
        window.click("More for Home");
        assert_eq!(window.harness.query_by_label("People and invites").is_some(), offered, "{kind:?}");
    }
}

#[test]
fn people_are_told_apart_by_kind_and_presence_which_follows_what_happens() {
    let mut window = opened(1_280.0, 800.0);
    window.harness.get_by_label("Jun (you). Owner · online · me");
    window.harness.get_by_label("Mina. Member · offline · p-2");
    window.event(Event::Chat(ChatEvent::Presence(Person {
        who: who("p-2", PrincipalKind::Person, "Mina"),
        online: true,
        status: String::new(),
    })));
    window.harness.get_by_label("Mina. Member · online · p-2");
}

#[test]
fn a_person_is_removed_after_a_question_that_says_what_happens() {
    let mut window = opened(800.0, 600.0);
    choose(&mut window, "Mina", "Remove…");
    let says = "Mina is signed out at once and their token stops working. Their messages stay.";
    window.harness.get_by_label(&format!("Remove Mina? {says}"));
    window.key(Key::Enter);
    assert_eq!(asked(&mut window), [], "the focus is on Cancel");
    choose(&mut window, "Mina", "Remove…");
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("Remove").is_none(), "Escape takes the question back");
    window.harness.get_by_label("People");
    choose(&mut window, "Mina", "Remove…");
    window.click("Remove");
    let (number, what) = one(&mut window);
    assert_eq!(what, ManageRequest::Remove { who: PrincipalId("p-2".into()) });
    answer(&mut window, number, ManageAnswer::Done);
    window.harness.get_by_label("Mina was removed.");
    let (number, what) = one(&mut window);
    assert_eq!(what, ManageRequest::People { after: None }, "the list is loaded anew");
    let mut left = people();
    left.remove(1);
    answer(&mut window, number, ManageAnswer::People { people: left, next: None });
    assert!(window.harness.query_by_label("More for Mina").is_none());
}

#[test]
fn a_refusal_is_said_in_words_and_changes_nothing() {
    let mut window = opened(1_280.0, 800.0);
    choose(&mut window, "Ben", "Remove…");
    window.click("Remove");
    let (number, _) = one(&mut window);
    answer(
        &mut window,
        number,
        ManageAnswer::Refused { why: ManageRefusal::LastAdmin, detail: String::new() },
    );
    window.harness.get_by_label("This is the last admin. Make someone else an admin first.");
    window.harness.get_by_label("More for Ben");
}

#[test]
fn a_new_name_is_typed_and_entered() {
    let mut window = opened(1_280.0, 800.0);
    choose(&mut window, "Ben", "Rename…");
    window.fill("New name", "Benjamin");
    window.key(Key::Enter);
    let (number, what) = one(&mut window);
    assert_eq!(what, ManageRequest::Rename { who: PrincipalId("p-3".into()), name: "Benjamin".into() });
    answer(&mut window, number, ManageAnswer::Done);
    window.harness.get_by_label("Saved.");
}

#[test]
fn a_new_token_is_shown_once_and_copied() {
    let mut window = opened(800.0, 600.0);
    choose(&mut window, "Ben", "New token…");
    window.click("Create new token");
    let (number, what) = one(&mut window);
    assert!(matches!(what, ManageRequest::RotateToken { who, .. } if who.0 == "p-3"));
    answer(&mut window, number, ManageAnswer::Token { token: Secret::new("t0ken") });
    window.harness.get_by_label("t0ken");
    assert_eq!(copied_by(&mut window, "Copy token"), "t0ken");
    window.click("Done");
    assert!(window.harness.query_by_label("t0ken").is_none());
}

#[test]
fn rights_are_given_and_taken_but_not_the_owners() {
    let mut window = opened(1_280.0, 800.0);
    choose(&mut window, "Ben", "Change role…");
    window.harness.get_by_role_and_label(Role::Heading, "Role of Ben");
    window.harness.get_by_label("Reads rooms and devices.");
    let is_disabled =
        window.harness.get_by_role_and_label(Role::Button, "Save").accesskit_node().is_disabled();
    assert!(is_disabled, "it is the role that Ben has");
    window.click("Guest");
    window.click("Save");
    let (number, what) = one(&mut window);
    let role = duplex::model::Role::Guest;
    assert_eq!(what, ManageRequest::SetRole { who: PrincipalId("p-3".into()), role });
    answer(&mut window, number, ManageAnswer::Done);
    asked(&mut window);
    window.click("More for Jun");
    window.harness.get_by_label("Rename…");
    assert!(window.harness.query_by_label("Remove…").is_none());
}

#[test]
fn invites_are_made_listed_and_taken_back() {
    let mut window = opened(800.0, 600.0);
    tab(&mut window, "Invites");
    let (number, what) = one(&mut window);
    assert_eq!(what, ManageRequest::Invites { after: None });
    let now = window.now().wall_ms;
    let by = Some(Sender { id: PrincipalId("me".into()), name: "Jun".into() });
    let invite = |id: &str, expires, used_by| Invitation {
        id: id.into(),
        kind: PrincipalKind::Person,
        role: None,
        by: by.clone(),
        made: Some(now),
        expires,
        used_by,
        used: None,
    };
    let mina = Some(Sender { id: PrincipalId("p-2".into()), name: "Mina".into() });
    let invites =
        vec![invite("aa", now + 1_000, None), invite("bb", now + 1_000, mina), invite("cc", now - 1, None)];
    answer(&mut window, number, ManageAnswer::Invites { invites, next: None });
    window.harness.get_by_label("Used by Mina. Member · made by Jun · bb");
    assert!(window.harness.query_by_label("Revoke invite bb").is_none(), "there is nothing to take back");
    assert!(window.harness.query_by_label("Revoke invite cc").is_none());
    window.click("Revoke invite aa");
    window.click("Revoke");
    let (number, what) = one(&mut window);
    assert_eq!(what, ManageRequest::RemoveInvite { invite: "aa".into() });
    answer(&mut window, number, ManageAnswer::Done);
    let (number, _) = one(&mut window);
    answer(&mut window, number, ManageAnswer::Invites { invites: Vec::new(), next: None });

    window.click("7 days");
    window.click("Create invite");
    let (number, what) = one(&mut window);
    let week = 7 * 24 * 60 * 60 * 1_000;
    assert_eq!(
        what,
        ManageRequest::Invite {
            kind: PrincipalKind::Person,
            role: Some(duplex::model::Role::Operator),
            expires_in_ms: week
        }
    );
    let code = Secret::new("abcd-efgh");
    let made = ManageAnswer::Invited {
        code,
        expires: now + 1_000,
        url: String::new(),
        fingerprint: None,
        also: Vec::new(),
    };
    answer(&mut window, number, made);
    let link = copied_by(&mut window, "Copy link");
    assert!(link.contains("#invite=abcd-efgh"), "{link}");
    window.harness.get_by_role_and_label(Role::Image, "QR code of the invite link");
    let (number, _) = one(&mut window);
    let listed = vec![invite("dd", now + 1_000, None), invite("cc", now - 1, None)];
    answer(&mut window, number, ManageAnswer::Invites { invites: listed, next: None });
    window.click("Revoke…");
    assert!(window.harness.query_by_label("Copy link").is_none());
    window.click("Revoke");
    assert_eq!(one(&mut window).1, ManageRequest::RemoveInvite { invite: "dd".into() });
}

/// Presses the button, which is called as the sheet is.
fn add(window: &mut Window) {
    window.harness.get_by_role_and_label(Role::Button, "Add device").click();
    window.run();
}

#[test]
fn a_device_is_added_with_a_token_and_the_command_to_publish_with_it() {
    let mut window = opened(800.0, 600.0);
    tab(&mut window, "Devices");
    let (number, _) = one(&mut window);
    answer(&mut window, number, ManageAnswer::Devices { devices: Vec::new(), next: None });
    window.harness.get_by_label("No devices with a token yet.");
    add(&mut window);
    window
        .harness
        .get_by_label("A device ID has 1 to 64 visible characters, doesn't start with ~, and isn't . or ..");
    window.fill("Device ID", "~shed");
    add(&mut window);
    assert_eq!(asked(&mut window), [], "an id that no device has");
    window.fill("Device ID", "shed");
    add(&mut window);
    let (number, what) = one(&mut window);
    assert!(matches!(what, ManageRequest::AddDevice { who, .. } if who.0 == "shed"));
    answer(&mut window, number, ManageAnswer::Token { token: Secret::new("7f") });
    let command = copied_by(&mut window, "Copy curl command");
    assert!(command.contains("/v1/devices/shed/readings -H 'Authorization: Bearer 7f'"), "{command}");
    window.click("Done");
    let (number, _) = one(&mut window);
    let devices = vec![member("shed", PrincipalKind::Device, "")];
    answer(&mut window, number, ManageAnswer::Devices { devices, next: None });
    choose(&mut window, "shed", "Remove…");
    let says = "shed is disconnected at once and its token stops working. What it reported stays.";
    window.harness.get_by_label(&format!("Remove shed? {says}"));
}

#[test]
fn a_list_of_many_comes_page_by_page() {
    let mut window = window_of(PrincipalKind::Admin, 1_280.0, 800.0);
    window.click("More for Home");
    window.click("People and invites");
    let (number, _) = one(&mut window);
    answer(&mut window, number, ManageAnswer::People { people: people(), next: Some("p-3".into()) });
    let (number, what) = one(&mut window);
    assert_eq!(what, ManageRequest::People { after: Some("p-3".into()) });
    let more = (4..200).map(|n| member(&format!("p-{n}"), PrincipalKind::Person, &format!("Zed {n:03}")));
    answer(&mut window, number, ManageAnswer::People { people: more.collect(), next: None });
    window.harness.get_by_label("More for Ben");
    assert!(window.harness.query_by_label("More for Zed 199").is_none(), "what is not seen is not drawn");
}

#[test]
fn without_a_connection_nothing_can_be_changed_and_it_begins_anew_afterwards() {
    let mut window = opened(1_280.0, 800.0);
    let why = Why::Silent;
    window.link(LinkState::Waiting {
        attempt: 1,
        retry_at: BootMs(20_000_000),
        down_since: BootMs(10_000_000),
        why,
    });
    window.harness.get_by_label("Not connected. You can make changes once the connection is back.");
    window.link(LinkState::Online { since: WallMs(0), rtt_ms: None });
    let (_, what) = one(&mut window);
    assert_eq!(what, ManageRequest::People { after: None });
}

#[test]
fn whoever_was_removed_is_told_so_and_keeps_what_was_typed() {
    let mut window = window_of(PrincipalKind::Person, 1_100.0, 720.0);
    window.type_message("half a thought");
    window.link(LinkState::Stopped { why: Why::Withdrawn });
    window.pass(1_500);
    let told = window.harness.query_all_by_label("Your access to this server was withdrawn.").count();
    assert!(told > 0);
    assert_eq!(window.message_text(), "half a thought");
}

#[test]
fn invites_are_not_offered_where_the_server_makes_none() {
    let mut window = window_of(PrincipalKind::Admin, 1_100.0, 720.0);
    window.offer(Features::all().without(Feature::Invites));
    window.click("More for Home");
    assert!(window.harness.query_by_label("Invite people").is_none());
    window.click("People and invites");
    window.harness.get_by_role_and_label(egui::accesskit::Role::Tab, "People");
    assert!(window.harness.query_by_role_and_label(egui::accesskit::Role::Tab, "Invites").is_none());
}
