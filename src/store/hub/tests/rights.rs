//! Rights that were taken back stay so.

use super::*;
use crate::model::id::Offset;
use crate::model::rights::Invitation;
use crate::model::time::WallMs;

fn who(id: &str) -> PrincipalId {
    PrincipalId(id.into())
}

fn principal(id: &str, kind: PrincipalKind) -> Principal {
    let role = match kind {
        PrincipalKind::Admin => Some(Role::Admin),
        PrincipalKind::Person => Some(Role::Operator),
        PrincipalKind::Device => None,
    };
    Principal { id: who(id), kind, name: id.to_uppercase(), role }
}

fn put(store: &HubStore, id: &str, kind: PrincipalKind, token: u8) {
    wait(store.create_principal(principal(id, kind), [token; 32])).unwrap();
}

fn change(store: &HubStore, change: Change) -> Result<Option<Principal>, NotChanged> {
    wait(store.change(change, WallMs(50))).unwrap()
}

fn by_token(store: &HubStore, token: u8) -> Option<String> {
    wait(store.principal_by_token_hash([token; 32])).unwrap().map(|principal| principal.id.0)
}

fn owner_by(store: &HubStore, token: u8) -> Result<Owner, OwnerRefused> {
    wait(store.settle_owner([token; 32], principal("new", PrincipalKind::Admin))).unwrap()
}

fn redeem(store: &HubStore, code: u8, token: u8) -> Result<Principal, RedeemError> {
    wait(store.redeem([code; 32], "Eve".into(), [token; 32], who("eve"), WallMs(50)))
}

fn all_invites(store: &HubStore) -> Vec<Invitation> {
    wait(store.invites(String::new())).unwrap().0
}

#[test]
fn a_removed_token_lets_nobody_in_ever_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put(&store, "boss", PrincipalKind::Admin, 1);
    change(&store, invite(1, PrincipalKind::Person)).unwrap();
    let eve = redeem(&store, 1, 2).unwrap();
    append(
        &store,
        Append { sender: Sender { id: eve.id.clone(), name: eve.name.clone() }, ..message("", 1, "hi") },
    );
    wait(store.set_read(eve.id.clone(), RoomId::general(), Offset(2))).unwrap();
    assert_eq!(change(&store, Change::Remove { who: eve.id.clone() }), Ok(Some(eve.clone())));
    assert_eq!(change(&store, Change::Remove { who: eve.id.clone() }), Err(NotChanged::Unknown));
    assert_eq!(by_token(&store, 2), None);
    assert_eq!(all(&store).last().unwrap().draft.content.body(), "hi", "what was written stays");
    assert_eq!(wait(store.reads(eve.id)).unwrap(), []);

    let why = |result| match result {
        Err(RedeemError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(redeem(&store, 1, 2)), InviteRefused::Withdrawn, "not by the invite of then");
    assert_eq!(why(redeem(&store, 1, 3)), InviteRefused::Used);
    change(&store, invite(2, PrincipalKind::Person)).unwrap();
    assert_eq!(why(redeem(&store, 2, 2)), InviteRefused::Withdrawn, "nor by a new one");
    assert!(wait(store.create_principal(principal("x", PrincipalKind::Person), [2; 32])).is_err());
    let device = |token| Change::AddDevice { id: who("lamp"), name: String::new(), token_hash: [token; 32] };
    assert_eq!(change(&store, device(2)), Err(NotChanged::BadToken));
    assert_eq!(change(&store, device(4)).unwrap().unwrap().kind, PrincipalKind::Device);
    let rotate = |id: &str, token| Change::Rotate { who: who(id), token_hash: [token; 32] };
    assert_eq!(change(&store, rotate("lamp", 2)), Err(NotChanged::BadToken));
    assert_eq!(change(&store, rotate("lamp", 1)), Err(NotChanged::BadToken), "somebody else's");
    assert_eq!(owner_by(&store, 2), Err(OwnerRefused::Withdrawn), "nor by a file");
    // Of those that were replaced, too; also after a restart.
    change(&store, rotate("lamp", 5)).unwrap();
    change(&store, rotate("lamp", 5)).unwrap();
    change(&store, device(6)).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!([2, 4, 5, 6].map(|token| by_token(&store, token)), [None, None, None, Some("lamp".into())]);
    for old in [2, 4, 5] {
        assert_eq!(change(&store, rotate("boss", old)), Err(NotChanged::BadToken));
    }
}

#[test]
fn somebody_is_always_left_who_may_change_rights() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(owner_by(&store, 1).unwrap().who.id, who("new"));
    put(&store, "ann", PrincipalKind::Person, 2);
    let to = |id: &str, kind| Change::SetKind { who: who(id), kind };
    let remove = |id: &str| Change::Remove { who: who(id) };
    assert_eq!(change(&store, remove("new")), Err(NotChanged::LastAdmin));
    assert_eq!(change(&store, to("new", PrincipalKind::Person)), Err(NotChanged::LastAdmin));
    assert_eq!(change(&store, to("ann", PrincipalKind::Admin)).unwrap().unwrap().kind, PrincipalKind::Admin);
    assert_eq!(change(&store, remove("new")), Err(NotChanged::Owner));
    assert_eq!(change(&store, to("new", PrincipalKind::Person)), Err(NotChanged::Owner));
    change(&store, to("ann", PrincipalKind::Person)).unwrap();
    change(&store, remove("ann")).unwrap();
    assert_eq!(change(&store, to("ann", PrincipalKind::Admin)), Err(NotChanged::Unknown));
    put(&store, "lamp", PrincipalKind::Device, 3);
    assert_eq!(change(&store, to("lamp", PrincipalKind::Admin)), Err(NotChanged::BadKind));
    assert_eq!(change(&store, to("new", PrincipalKind::Device)), Err(NotChanged::BadKind));
    let renamed = change(&store, Change::Rename { who: who("lamp"), name: "Lamp".into() }).unwrap();
    assert_eq!(renamed.unwrap().name, "Lamp");
    let taken = Change::AddDevice { id: who("new"), name: String::new(), token_hash: [9; 32] };
    assert_eq!(change(&store, taken), Err(NotChanged::IdTaken));
}

#[test]
fn a_lost_token_of_the_owner_is_dead_once_there_is_another() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let owner = owner_by(&store, 1).unwrap().who;
    assert_eq!(owner_by(&store, 1).unwrap().who, owner);
    assert_eq!(owner_by(&store, 2).unwrap().who, owner, "the same person, with another token");
    assert_eq!((by_token(&store, 1), by_token(&store, 2)), (None, Some("new".into())));
    assert_eq!(owner_by(&store, 1), Err(OwnerRefused::Withdrawn), "the old file was put back");
    assert_eq!(wait(store.principals()).unwrap().len(), 1);
    put(&store, "ann", PrincipalKind::Person, 3);
    assert_eq!(owner_by(&store, 3), Err(OwnerRefused::NotAdmin { name: "ANN".into() }));
    assert_eq!(wait(store.owner()).unwrap(), Some(owner.id));
}

#[test]
fn a_database_of_before_keeps_its_people_invites_and_owner() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    std::fs::remove_file(dir.path().join(FILE)).unwrap();
    let first = migrate::Schema { steps: &schema::SCHEMA.steps[..1], ..schema::SCHEMA };
    let db = migrate::open(&dir.path().join(FILE), &first).unwrap();
    db.execute_batch(
        "INSERT INTO log (id, epoch) VALUES (1, 5);
         INSERT INTO room (id, name, offset) VALUES (1, 'general', 1);
         INSERT INTO entry VALUES (1, zeroblob(16), 'hub', 'hub', 'room', 1, '', 0, 0);
         INSERT INTO principal VALUES ('lost', 'admin', 'Lost', X'01'), ('guest', 'admin', 'Guest', X'02'),
             ('owner', 'admin', 'Owner', zeroblob(32)), ('ann', 'person', 'Ann', X'04');
         INSERT INTO invite VALUES (X'0A0B0C0D0E0F', 'admin', 70, 'guest'), (X'AA', 'person', 80, NULL);",
    )
    .unwrap();
    db.execute("UPDATE invite SET code_hash = ?1 WHERE expires_at = 80", [[7u8; 32]]).unwrap();
    db.execute("UPDATE invite SET code_hash = ?1 WHERE expires_at = 70", [[8u8; 32]]).unwrap();
    drop(db);
    let store = open(dir.path());
    let owner = wait(store.settle_owner([0; 32], principal("new", PrincipalKind::Admin))).unwrap().unwrap();
    assert_eq!(owner.who.id, who("owner"), "whose token is in the file");
    let former: Vec<_> = owner.former.iter().map(|admin| admin.id.0.as_str()).collect();
    assert_eq!(former, ["lost"], "nobody invited them: a token of before that works still");
    assert_eq!(owner_by(&store, 0).unwrap().former, [], "told once");
    let told: Vec<_> = all_invites(&store)
        .into_iter()
        .map(|invite| (invite.expires, invite.used_by.map(|who| (who.id.0, who.name))))
        .collect();
    assert_eq!(told, [(WallMs(80), None), (WallMs(70), Some(("guest".into(), "Guest".into())))]);
    assert_eq!(redeem(&store, 7, 9).unwrap().name, "Eve");
    assert_eq!(wait(store.principals()).unwrap().len(), 5);
}

#[test]
fn a_lost_file_beside_a_database_of_before_leaves_the_first_owner_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put(&store, "first", PrincipalKind::Admin, 1);
    put(&store, "second", PrincipalKind::Admin, 2);
    let owner = owner_by(&store, 3).unwrap();
    assert_eq!(owner.who.id, who("first"));
    assert_eq!(owner.former.iter().map(|admin| admin.id.0.as_str()).collect::<Vec<_>>(), ["second"]);
    assert_eq!((by_token(&store, 1), by_token(&store, 3)), (None, Some("first".into())));
}

#[test]
fn invites_tell_who_made_and_who_used_them_and_can_be_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    put(&store, "boss", PrincipalKind::Admin, 1);
    let by = Some(who("boss"));
    let new = |code: u8| Change::Invite {
        code_hash: [code; 32],
        kind: PrincipalKind::Person,
        role: Role::Guest,
        by: by.clone(),
        expires_at: WallMs(100),
    };
    change(&store, new(1)).unwrap();
    change(&store, new(2)).unwrap();
    redeem(&store, 1, 9).unwrap();
    let [second, first] = &all_invites(&store)[..] else { panic!("two") };
    assert_eq!((first.id.as_str(), second.id.as_str()), ("0101010101", "0202020202"));
    let boss = Sender { id: who("boss"), name: "BOSS".into() };
    let expected = Invitation {
        id: "0101010101".into(),
        kind: PrincipalKind::Person,
        role: Some(Role::Guest),
        by: Some(boss),
        made: Some(WallMs(50)),
        expires: WallMs(100),
        used_by: Some(Sender { id: who("eve"), name: "Eve".into() }),
        used: Some(WallMs(50)),
    };
    assert_eq!(*first, expected);
    assert!(second.used_by.is_none() && second.used.is_none());
    let remove = |id: &str| Change::RemoveInvite { id: id.into() };
    for nothing in ["", "02", "02020202020202", "zz02020202", "%"] {
        assert_eq!(change(&store, remove(nothing)), Err(NotChanged::Unknown), "{nothing:?}");
    }
    change(&store, remove("0202020202")).unwrap();
    assert!(matches!(redeem(&store, 2, 8), Err(RedeemError::Refused(InviteRefused::Unknown))));
    // A person who goes does not take the record along.
    change(&store, Change::Remove { who: who("eve") }).unwrap();
    assert_eq!(all_invites(&store), [expected]);
}

#[test]
fn there_are_only_so_many_invites_and_the_useless_ones_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    with_db(&store, |db| {
        db.execute_batch(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MAX_KEPT_INVITES})
             INSERT INTO invite (code_hash, kind, expires_at) SELECT randomblob(32), 'person', 10 FROM n;
             UPDATE invite SET expires_at = 1000 WHERE rowid IN (1, 2);"
        ))
        .unwrap();
    });
    change(&store, invite(1, PrincipalKind::Person)).unwrap();
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (page, next) = wait(store.invites(after)).unwrap();
        seen.extend(page);
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen.len() as i64, MAX_KEPT_INVITES);
    assert_eq!(
        seen.iter().filter(|invite| invite.expires == WallMs(1000)).count(),
        2,
        "those still good stay"
    );
    assert_eq!(seen[0].id, "0101010101");
    with_db(&store, |db| {
        db.execute("UPDATE invite SET expires_at = 1000 WHERE rowid <= ?1", [MAX_OPEN_INVITES + 5]).unwrap();
    });
    assert_eq!(change(&store, invite(2, PrincipalKind::Person)), Err(NotChanged::TooMany));
}

#[test]
fn people_and_devices_come_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let most = super::super::rights::PAGE;
    let count = most + 5;
    with_db(&store, move |db| {
        for n in 0..count {
            let (id, kind) = (format!("p{n:04}"), if n % 100 == 7 { "device" } else { "person" });
            db.execute(
                "INSERT INTO principal (id, kind, name, token_hash) VALUES (?1, ?2, ?1, ?3)",
                rusqlite::params![id, kind, n.to_be_bytes()],
            )
            .unwrap();
        }
    });
    // Writes come one after the other: by now they are there.
    assert_eq!(change(&store, Change::RemoveInvite { id: String::new() }), Err(NotChanged::Unknown));
    let (first, next) = wait(store.page(false, String::new())).unwrap();
    let (second, none) = wait(store.page(false, next.unwrap())).unwrap();
    assert_eq!((first.len() as u32, none), (most, None));
    let ids: std::collections::BTreeSet<_> =
        first.iter().chain(&second).map(|who| who.id.0.clone()).collect();
    let (devices, none) = wait(store.page(true, String::new())).unwrap();
    assert_eq!((ids.len() + devices.len(), none), (count as usize, None));
    assert_eq!(devices[0].id, who("p0007"));
}
