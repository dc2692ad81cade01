//! What an admin asks for, and is answered.

use duplex::model::profile::Secret;
use duplex::model::rights::{Invitation, Manage, Managed, Member, Unmanaged};
use duplex::model::{PrincipalId, PrincipalKind};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{moment, number, principal, sender, text};

fn who() -> impl Strategy<Value = PrincipalId> {
    text().prop_map(PrincipalId)
}

fn secret() -> impl Strategy<Value = Secret> {
    text().prop_map(Secret::new)
}

fn kind() -> impl Strategy<Value = PrincipalKind> {
    proptest::sample::select(vec![PrincipalKind::Person, PrincipalKind::Device, PrincipalKind::Admin])
}

fn member() -> impl Strategy<Value = Member> {
    (principal(), any::<bool>(), any::<bool>()).prop_map(|(who, online, owner)| Member { who, online, owner })
}

fn invitation() -> impl Strategy<Value = Invitation> {
    let of = (option::of(sender()), option::of(moment()));
    let by = (option::of(sender()), option::of(moment()));
    (text(), kind(), moment(), of, by).prop_map(|(id, kind, expires, (by, made), (used_by, used))| {
        Invitation { id, kind, by, made, expires, used_by, used }
    })
}

/// Anything an admin asks for.
pub fn manage() -> impl Strategy<Value = Manage> {
    let after = || option::of(text());
    prop_oneof![
        after().prop_map(|after| Manage::People { after }),
        after().prop_map(|after| Manage::Devices { after }),
        after().prop_map(|after| Manage::Invites { after }),
        (kind(), number()).prop_map(|(kind, expires_in_ms)| Manage::Invite { kind, expires_in_ms }),
        text().prop_map(|invite| Manage::RemoveInvite { invite }),
        (who(), text(), secret()).prop_map(|(who, name, token)| Manage::AddDevice { who, name, token }),
        (who(), text()).prop_map(|(who, name)| Manage::Rename { who, name }),
        who().prop_map(|who| Manage::Remove { who }),
        (who(), kind()).prop_map(|(who, kind)| Manage::SetKind { who, kind }),
        (who(), secret()).prop_map(|(who, token)| Manage::RotateToken { who, token }),
    ]
}

/// Any answer to it.
pub fn managed() -> impl Strategy<Value = Managed> {
    let next = || option::of(text());
    let why = proptest::sample::select(vec![
        Unmanaged::NotAllowed,
        Unmanaged::Unknown,
        Unmanaged::LastAdmin,
        Unmanaged::Owner,
        Unmanaged::BadName,
        Unmanaged::BadToken,
        Unmanaged::BadId,
        Unmanaged::BadKind,
        Unmanaged::TooMany,
        Unmanaged::Unavailable,
        Unmanaged::Other,
    ]);
    prop_oneof![
        (vec(member(), 0..4), next()).prop_map(|(people, next)| Managed::People { people, next }),
        (vec(member(), 0..4), next()).prop_map(|(devices, next)| Managed::Devices { devices, next }),
        (vec(invitation(), 0..4), next()).prop_map(|(invites, next)| Managed::Invites { invites, next }),
        (secret(), moment(), text(), option::of(text()), vec(text(), 0..4)).prop_map(
            |(code, expires, url, fingerprint, also)| {
                Managed::Invited { code, expires, url, fingerprint, also }
            }
        ),
        Just(Managed::Done),
        (why, text()).prop_map(|(why, detail)| Managed::Refused { why, detail }),
    ]
}
