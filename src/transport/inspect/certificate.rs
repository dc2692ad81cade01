//! What a certificate says, and why it is not trusted.

use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, OtherError, RootCertStore};
use sha2::{Digest, Sha256};
use yasna::tags::{TAG_GENERALIZEDTIME, TAG_UTF8STRING};
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, BERReaderSeq, Tag, parse_der};

use crate::model::diagnosis::{Certificate, Distrust};
use crate::model::harmless;
use crate::model::time::WallMs;
use crate::transport::tls::OtherCertificate;

/// Maximum number of certificates of a chain that are looked at.
pub(super) const MAX_CHAIN: usize = 10;
/// Maximum number of hosts of a certificate that are kept.
const MAX_NAMES: usize = 32;
/// Longest text of a certificate that is kept, in characters.
const MAX_TEXT_CHARS: usize = 256;

/// Subject alternative names (RFC 5280 §4.2.1.6).
const ALTERNATIVE_NAMES: &[u64] = &[2, 5, 29, 17];
/// The attributes of names that people know, by their last number below 2.5.4.
const ATTRIBUTES: [(u64, &str); 7] =
    [(3, "CN"), (6, "C"), (7, "L"), (8, "ST"), (10, "O"), (11, "OU"), (5, "serialNumber")];

/// Reads a certificate. Of one that cannot be read, only its fingerprint is known.
pub(super) fn read(der: &CertificateDer<'static>) -> Certificate {
    let fingerprint = HEXLOWER.encode(&Sha256::digest(der));
    match parse_der(der, |certificate| certificate.read_sequence(in_certificate)) {
        Ok(parsed) => Certificate {
            subject: parsed.subject,
            issuer: parsed.issuer.text,
            names: parsed.names,
            from: parsed.from,
            until: parsed.until,
            fingerprint,
        },
        Err(_) => Certificate { fingerprint, ..Certificate::default() },
    }
}

/// What is read of a certificate.
struct Parsed {
    issuer: Name,
    from: WallMs,
    until: WallMs,
    subject: String,
    names: Vec<String>,
}

/// Whom something is of.
struct Name {
    text: String,
    /// What is inside its sequence.
    der: Vec<u8>,
}

/// RFC 5280 §4.1: `Certificate`, of which the first part is of interest.
fn in_certificate(reader: &mut BERReaderSeq<'_, '_>) -> ASN1Result<Parsed> {
    let parsed = reader.next().read_sequence(|part| {
        part.read_optional(|version| version.read_tagged(Tag::context(0), |version| version.read_i64()))?;
        // The serial number and the signature's algorithm.
        part.next().read_der()?;
        part.next().read_der()?;
        let issuer = name(part.next())?;
        let (from, until) = part.next().read_sequence(|both| Ok((time(both.next())?, time(both.next())?)))?;
        let subject = name(part.next())?.text;
        // The key, and ids that nobody uses.
        part.next().read_der()?;
        for id in [1, 2] {
            part.read_optional(|reader| {
                reader.read_tagged_implicit(Tag::context(id), |id| id.read_bitvec_bytes())
            })?;
        }
        let extensions = part.read_optional(|reader| {
            reader.read_tagged(Tag::context(3), |all| all.collect_sequence_of(extension))
        })?;
        let names = extensions.unwrap_or_default().into_iter().flatten().take(MAX_NAMES).collect();
        Ok(Parsed { issuer, from, until, subject, names })
    })?;
    // The signature's algorithm and the signature.
    reader.next().read_der()?;
    reader.next().read_der()?;
    Ok(parsed)
}

/// The hosts in an extension, where it holds some.
fn extension(reader: BERReader<'_, '_>) -> ASN1Result<Vec<String>> {
    reader.read_sequence(|extension| {
        let id = extension.next().read_oid()?;
        extension.read_default(false, |critical| critical.read_bool())?;
        let value = extension.next().read_bytes()?;
        match id.components().as_slice() == ALTERNATIVE_NAMES {
            true => parse_der(&value, |all| all.collect_sequence_of(host))
                .map(|all| all.into_iter().flatten().collect()),
            false => Ok(Vec::new()),
        }
    })
}

/// A `GeneralName`, where it is a host.
fn host(reader: BERReader<'_, '_>) -> ASN1Result<Option<String>> {
    let value = reader.read_tagged_der()?;
    let bytes = value.value();
    Ok(match value.tag().tag_number {
        2 => Some(harmless::line(&String::from_utf8_lossy(bytes), MAX_TEXT_CHARS)),
        7 => match bytes.len() {
            4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    })
}

/// A distinguished name, such as `CN=hub.example, O=Example`.
fn name(reader: BERReader<'_, '_>) -> ASN1Result<Name> {
    let der = reader.read_tagged_der()?;
    let whole = yasna::construct_der(|writer| writer.write_tagged_der(&der));
    let parts = parse_der(&whole, |all| {
        all.collect_sequence_of(|set| set.collect_set_of(|pair| pair.read_sequence(attribute)))
    })?;
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    Ok(Name { text: harmless::line(&text, MAX_TEXT_CHARS), der: der.value().to_vec() })
}

fn attribute(reader: &mut BERReaderSeq<'_, '_>) -> ASN1Result<String> {
    let id = reader.next().read_oid()?;
    let value = reader.next().read_tagged_der()?;
    let known = match id.components().as_slice() {
        [2, 5, 4, last] => ATTRIBUTES.iter().find(|(number, _)| number == last).map(|(_, name)| *name),
        _ => None,
    };
    // BMPString has two bytes a character; the others are ASCII or near it.
    let text = match value.tag() {
        tag if tag == TAG_UTF8STRING => String::from_utf8_lossy(value.value()).into_owned(),
        tag if tag.tag_number == 30 => {
            let units = value.value().chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect()
        }
        _ => value.value().iter().map(|byte| char::from(*byte)).collect(),
    };
    Ok(match known {
        Some(known) => format!("{known}={text}"),
        None => format!("{id}={text}"),
    })
}

/// A moment, in either of its two forms.
fn time(reader: BERReader<'_, '_>) -> ASN1Result<WallMs> {
    let seconds = match reader.lookahead_tag()? {
        tag if tag == TAG_GENERALIZEDTIME => reader.read_generalized_time()?.datetime().unix_timestamp(),
        _ => reader.read_utctime()?.datetime().unix_timestamp(),
    };
    wall(seconds).ok_or(ASN1Error::new(ASN1ErrorKind::Invalid))
}

/// Seconds since 1970 as a moment.
fn wall(seconds: i64) -> Option<WallMs> {
    seconds.checked_mul(1_000).map(WallMs)
}

/// Why the verifier did not accept a chain.
pub(super) fn distrust(error: &rustls::Error, chain: &[Certificate]) -> Distrust {
    let rustls::Error::InvalidCertificate(error) = error else { return Distrust::Other(error.to_string()) };
    let signed_itself = matches!(chain, [only] if only.subject == only.issuer);
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Distrust::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Distrust::NotYetValid,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Distrust::WrongName
        }
        CertificateError::Other(OtherError(inner)) if inner.is::<OtherCertificate>() => Distrust::NotPinned,
        _ if signed_itself => Distrust::SelfSigned,
        CertificateError::UnknownIssuer => Distrust::UnknownIssuer,
        other => Distrust::Other(other.to_string()),
    }
}

/// The name of the authority in a store that signed one of the chain.
pub(super) fn root_of(chain: &[CertificateDer<'static>], roots: &RootCertStore) -> Option<String> {
    chain.iter().find_map(|der| {
        let parsed = parse_der(der, |certificate| certificate.read_sequence(in_certificate)).ok()?;
        // A store keeps what is inside the sequence.
        let is_there = roots.roots.iter().any(|root| root.subject.as_ref() == parsed.issuer.der);
        is_there.then_some(parsed.issuer.text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

    #[test]
    fn a_certificate_says_whom_it_is_for_and_until_when() {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Long enough for a length of several bytes.
        authority.distinguished_name.push(DnType::CommonName, "Our authority ".repeat(20));
        let key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&key).unwrap().der().clone();
        let issuer = Issuer::new(authority, key);
        let mut params = CertificateParams::new(vec![
            "hub.example".to_owned(),
            "192.0.2.1".to_owned(),
            "2001:db8::1".to_owned(),
        ]);
        let params = params.as_mut().unwrap();
        params.not_before = date_time_ymd(2020, 1, 2);
        params.not_after = date_time_ymd(2021, 3, 4);
        let key = KeyPair::generate().unwrap();
        let der = params.signed_by(&key, &issuer).unwrap().der().clone();
        let seen = read(&der);
        assert_eq!(seen.names, ["hub.example", "192.0.2.1", "2001:db8::1"]);
        assert_eq!((seen.from, seen.until), (WallMs(1_577_923_200_000), WallMs(1_614_816_000_000)));
        assert!(seen.issuer.contains("Our authority") && seen.fingerprint.len() == 64, "{seen:?}");
        let mut roots = RootCertStore::empty();
        assert_eq!(root_of(std::slice::from_ref(&der), &roots), None);
        roots.add(root).unwrap();
        assert!(root_of(&[der], &roots).is_some_and(|root| root.contains("Our authority")));
    }

    #[test]
    fn what_is_no_certificate_has_a_fingerprint_alone() {
        let seen = read(&CertificateDer::from(vec![1, 2, 3]));
        assert!(seen.fingerprint.len() == 64 && seen.subject.is_empty() && seen.names.is_empty());
        assert_eq!(root_of(&[CertificateDer::from(vec![0x30])], &RootCertStore::empty()), None);
    }
}
