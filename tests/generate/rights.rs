//! What an admin asks for, and is answered.

use duplex::model::profile::Secret;
use duplex::model::rights::{Invitation, ManageAnswer, ManageRefusal, ManageRequest, Member};
use duplex::model::{PrincipalId, PrincipalKind, Role};
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

pub fn role() -> impl Strategy<Value = Role> {
    proptest::sample::select(Role::ALL.to_vec())
}

fn member() -> impl Strategy<Value = Member> {
    (principal(), any::<bool>(), any::<bool>()).prop_map(|(who, online, owner)| Member { who, online, owner })
}

fn invitation() -> impl Strategy<Value = Invitation> {
    let of = (option::of(sender()), option::of(moment()));
    let by = (option::of(sender()), option::of(moment()));
    (text(), (kind(), option::of(role())), moment(), of, by).prop_map(
        |(id, (kind, role), expires, (by, made), (used_by, used))| Invitation {
            id,
            kind,
            role,
            by,
            made,
            expires,
            used_by,
            used,
        },
    )
}

/// Anything an admin asks for.
pub fn manage() -> impl Strategy<Value = ManageRequest> {
    let after = || option::of(text());
    prop_oneof![
        after().prop_map(|after| ManageRequest::People { after }),
        after().prop_map(|after| ManageRequest::Devices { after }),
        after().prop_map(|after| ManageRequest::Invites { after }),
        (kind(), option::of(role()), number())
            .prop_map(|(kind, role, expires_in_ms)| ManageRequest::Invite { kind, role, expires_in_ms }),
        (who(), role()).prop_map(|(who, role)| ManageRequest::SetRole { who, role }),
        text().prop_map(|invite| ManageRequest::RemoveInvite { invite }),
        (who(), text(), secret()).prop_map(|(who, name, token)| ManageRequest::AddDevice {
            who,
            name,
            token
        }),
        (who(), text()).prop_map(|(who, name)| ManageRequest::Rename { who, name }),
        who().prop_map(|who| ManageRequest::Remove { who }),
        (who(), kind()).prop_map(|(who, kind)| ManageRequest::SetKind { who, kind }),
        (who(), secret()).prop_map(|(who, token)| ManageRequest::RotateToken { who, token }),
    ]
}

/// Any answer to it.
pub fn managed() -> impl Strategy<Value = ManageAnswer> {
    let next = || option::of(text());
    let why = proptest::sample::select(ManageRefusal::ALL.to_vec());
    prop_oneof![
        (vec(member(), 0..4), next()).prop_map(|(people, next)| ManageAnswer::People { people, next }),
        (vec(member(), 0..4), next()).prop_map(|(devices, next)| ManageAnswer::Devices { devices, next }),
        (vec(invitation(), 0..4), next()).prop_map(|(invites, next)| ManageAnswer::Invites { invites, next }),
        (secret(), moment(), text(), option::of(text()), vec(text(), 0..4)).prop_map(
            |(code, expires, url, fingerprint, also)| {
                ManageAnswer::Invited { code, expires, url, fingerprint, also }
            }
        ),
        Just(ManageAnswer::Done),
        (why, text()).prop_map(|(why, detail)| ManageAnswer::Refused { why, detail }),
    ]
}
