//! Round trips, bombs and damage.

use std::io::{Read, Write};

use flate2::GzBuilder;
use proptest::prelude::*;

use super::*;

fn page(entries: usize) -> String {
    let entry = |number| format!(r#"{{"kind":"message","offset":{number},"body":"안녕 {}"}}"#, number * 7919);
    (0..entries).map(entry).collect::<Vec<_>>().join(",")
}

#[test]
fn a_long_frame_is_packed_and_a_short_one_or_noise_is_not() {
    let mut deflater = Deflater::default();
    let page = page(200);
    for _ in 0..3 {
        let packed = deflater.pack(&page).unwrap();
        assert!(packed.len() * 3 < page.len(), "{} of {}", packed.len(), page.len());
        assert_eq!(unpack(&packed, page.len()), Ok(page.clone()));
        assert_eq!(unpack(&packed, page.len() - 1), Err(Unreadable::TooLarge(page.len() - 1)));
    }
    assert_eq!(deflater.pack(&page[..MIN_BYTES - 1]), None);
    let mut state = 1u32;
    let noise: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from((state >> 24) as u8 % 95 + 32)
    })
    .take(4_096)
    .collect();
    assert!(deflater.pack(&noise).is_none_or(|packed| packed.len() < noise.len()));
    assert_eq!(unpack(&deflater.pack(&"x".repeat(MIN_BYTES)).unwrap(), MIN_BYTES).unwrap().len(), MIN_BYTES);
}

#[test]
fn a_bomb_and_damaged_data_are_refused() {
    let mut bomb = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    (0..64).for_each(|_| bomb.write_all(&zeros).unwrap());
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000);
    assert_eq!(unpack(&bomb, 1 << 20), Err(Unreadable::TooLarge(1 << 20)));
    let packed = Deflater::default().pack(&page(100)).unwrap();
    assert_eq!(unpack(&packed[..packed.len() - 1], 1 << 20), Err(Unreadable::Damaged));
    assert_eq!(unpack(&[packed.as_slice(), b"x"].concat(), 1 << 20), Err(Unreadable::Damaged));
    assert_eq!(unpack(b"", 1 << 20), Err(Unreadable::Damaged));
    let mut binary = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    binary.write_all(&[0xff; 2_000]).unwrap();
    assert_eq!(unpack(&binary.finish().unwrap(), 1 << 20), Err(Unreadable::NotUtf8));
}

/// Everything that comes of these pieces.
fn unzip(pieces: &[&[u8]]) -> Result<Vec<u8>, Unreadable> {
    let (mut gunzip, mut all) = (Gunzip::default(), Vec::new());
    for piece in pieces {
        gunzip.push(piece);
        while let Some(piece) = gunzip.piece()? {
            assert!(piece.len() <= 64 * 1024);
            all.extend(piece);
        }
    }
    if gunzip.is_whole() { Ok(all) } else { Err(Unreadable::Damaged) }
}

#[test]
fn a_body_that_goes_on_can_be_read_piece_by_piece_and_by_anybody() {
    let mut deflater = Deflater::default();
    let (mut stream, mut gunzip) = (GzipStream::default(), Gunzip::default());
    let large = page(5_000);
    let mut wire = Vec::new();
    for (piece, packs) in [("\n", true), (&page(2), true), (&page(2), false), (&large, true), (&large, false)]
    {
        let packed = stream.piece(piece.as_bytes(), packs.then_some(&mut deflater));
        let blocks = piece.len().div_ceil(0xffff);
        assert!(packed.len() <= piece.len() + 5 * blocks + 10, "{} for {}", packed.len(), piece.len());
        gunzip.push(&packed);
        let mut came = Vec::new();
        while let Some(part) = gunzip.piece().unwrap() {
            came.extend(part);
        }
        assert!(came == piece.as_bytes(), "all of it at once");
        wire.extend(packed);
    }
    wire.extend(stream.end());
    let mut all = String::new();
    flate2::read::GzDecoder::new(&wire[..]).read_to_string(&mut all).unwrap();
    assert!(all.len() == 1 + 2 * page(2).len() + 2 * large.len());
    assert!(unzip(&[&wire]).unwrap() == all.as_bytes());
    assert!(unzip(&wire.chunks(1).collect::<Vec<_>>()).unwrap() == all.as_bytes());
    assert_eq!(unzip(&[&GzipStream::default().end()]), Ok(Vec::new()));
}

#[test]
fn what_others_compress_is_read_and_damage_is_noticed() {
    let text = page(1_000);
    let builder = GzBuilder::new().filename("a name").comment("a comment").extra(vec![7; 30]);
    let mut writer = builder.write(Vec::new(), Compression::best());
    writer.write_all(text.as_bytes()).unwrap();
    let wire = writer.finish().unwrap();
    assert!(unzip(&wire.chunks(3).collect::<Vec<_>>()).unwrap() == text.as_bytes());
    let twice = [wire.as_slice(), &wire].concat();
    assert_eq!(unzip(&[&twice]).unwrap().len(), 2 * text.len());
    assert_eq!(gunzip(&wire, text.len()).map(|all| all.len()), Ok(text.len()));
    assert_eq!(gunzip(&wire, text.len() - 1), Err(Unreadable::TooLarge(text.len() - 1)));
    for at in [0, 2, 3, wire.len() / 2, wire.len() - 5] {
        let mut damaged = wire.clone();
        damaged[at] ^= 0xe0;
        assert_eq!(gunzip(&damaged, 1 << 20), Err(Unreadable::Damaged), "at {at}");
    }
    assert_eq!(gunzip(&wire[..wire.len() - 1], 1 << 20), Err(Unreadable::Damaged));
    let endless_name = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], &[b'x'; 5_000]].concat();
    assert_eq!(gunzip(&endless_name, 1 << 20), Err(Unreadable::Damaged));
    let body = Deflater::default().gzip(text.as_bytes()).unwrap();
    assert!(gunzip(&body, text.len()).unwrap() == text.as_bytes() && body.len() * 2 < text.len());
    assert_eq!(Deflater::default().gzip(b"short"), None);
}

proptest! {
    #[test]
    fn any_text_survives_and_no_bytes_make_it_panic(text in ".{0,400}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let long = text.repeat(20);
        if let Some(packed) = Deflater::default().pack(&long) {
            prop_assert_eq!(unpack(&packed, long.len()).unwrap(), long.clone());
        }
        let mut stream = GzipStream::default();
        let mut deflater = Deflater::default();
        let mut wire = stream.piece(text.as_bytes(), Some(&mut deflater));
        wire.extend(stream.piece(long.as_bytes(), Some(&mut deflater)));
        wire.extend(stream.end());
        prop_assert_eq!(gunzip(&wire, 1 << 20).unwrap(), [text.as_bytes(), long.as_bytes()].concat());
        let _ = unpack(&bytes, 1 << 16);
        let _ = gunzip(&bytes, 1 << 16);
        wire.truncate(20);
        wire.extend(&bytes);
        let _ = gunzip(&wire, 1 << 16);
    }
}
