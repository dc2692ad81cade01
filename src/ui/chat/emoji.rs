//! Emoji by their names: the short names that chats share, the words of Unicode's names, and in Korean those of Unicode's
//! CLDR with the words that are used most in chats before them.

use std::collections::HashMap;
use std::sync::OnceLock;

use emojis::EmojiVersion;
use unicode_normalization::UnicodeNormalization as _;

/// Newer ones are in few fonts yet.
const NEWEST: EmojiVersion = EmojiVersion::new(15, 0);
/// Names and search words in Korean, made by `assets/emoji/korean.sh`.
const CLDR: &str = include_str!("../../../assets/emoji/korean.tsv");
/// Asks for the colourful form of a sign. CLDR leaves it out.
const VARIATION: char = '\u{FE0F}';

/// An emoji and what it is found by.
pub(super) struct Named {
    pub(super) emoji: &'static emojis::Emoji,
    /// Its Korean name in CLDR.
    korean_name: Option<&'static str>,
    /// Korean words, the usual one first.
    korean: Vec<&'static str>,
    /// How many of them are words of chats rather than of CLDR.
    of_chats: usize,
}

impl Named {
    /// Its name, for people.
    pub(super) fn name(&self, in_korean: bool) -> &'static str {
        self.korean_name.filter(|_| in_korean).unwrap_or_else(|| self.emoji.name())
    }
}

/// All, in Unicode's order. Made when they are first asked for.
pub(super) fn all() -> &'static [Named] {
    static ALL: OnceLock<Vec<Named>> = OnceLock::new();
    ALL.get_or_init(make)
}

fn make() -> Vec<Named> {
    let of_chats: HashMap<String, &[&str]> =
        KOREAN.iter().map(|(known, words)| (bare(known), *words)).collect();
    let line = |line: &'static str| {
        let mut fields = line.split('\t');
        let (emoji, name, words) = (fields.next()?, fields.next()?, fields.next()?);
        Some((bare(emoji), (name, words)))
    };
    let cldr: HashMap<String, (&str, &str)> = CLDR.lines().filter_map(line).collect();
    let named = |emoji: &'static emojis::Emoji| {
        let key = bare(emoji.as_str());
        let mut korean = of_chats.get(&key).map(|words| words.to_vec()).unwrap_or_default();
        let of_chats = korean.len();
        let known = cldr.get(&key);
        let more = known.iter().flat_map(|(name, words)| std::iter::once(*name).chain(words.split(',')));
        korean.extend(more.filter(|word| !word.is_empty()));
        Named { emoji, korean_name: known.map(|(name, _)| *name), korean, of_chats }
    };
    emojis::iter()
        .filter(|emoji| emoji.emoji_version() <= NEWEST && emoji.shortcode().is_some())
        .map(named)
        .collect()
}

fn bare(emoji: &str) -> String {
    emoji.chars().filter(|c| *c != VARIATION).collect()
}

/// That of a sign, whatever its skin tone; none where this version knows none.
pub(super) fn of_sign(sign: &str) -> Option<&'static Named> {
    static PLACES: OnceLock<HashMap<&'static str, usize>> = OnceLock::new();
    let places = PLACES
        .get_or_init(|| all().iter().enumerate().map(|(at, named)| (named.emoji.as_str(), at)).collect());
    let emoji = emojis::get(sign)?;
    let plain = emoji.with_skin_tone(emojis::SkinTone::Default).unwrap_or(emoji);
    all().get(*places.get(plain.as_str())?)
}

/// The places of those that fit what was typed, the likeliest first.
pub(super) fn find(typed: &str) -> Vec<usize> {
    let typed: String = typed.nfc().flat_map(char::to_lowercase).collect();
    let mut ranked: Vec<(u8, usize)> =
        all().iter().enumerate().filter_map(|(at, named)| Some((rank(named, &typed)?, at))).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, at)| at).collect()
}

/// The short name under which an emoji is offered for what was typed behind a colon.
pub(super) fn short_name(named: &Named, typed: &str) -> String {
    match named.korean.iter().find(|word| word.starts_with(typed)) {
        Some(word) => format!(":{}:", word.replace(' ', "_")),
        None => format!(":{}:", named.emoji.shortcode().unwrap_or_default()),
    }
}

/// That of exactly this short name, whatever its case.
pub(super) fn named(name: &str) -> Option<&'static Named> {
    let name: String = name.nfc().flat_map(char::to_lowercase).collect();
    let is_it = |named: &&Named| {
        let korean = named.korean.iter().take(named.of_chats.max(1));
        named.emoji.shortcodes().any(|known| known == name)
            || korean.copied().any(|known| known.replace(' ', "_") == name)
    };
    all().iter().find(is_it)
}

/// How well it fits: 0 is best.
fn rank(named: &Named, typed: &str) -> Option<u8> {
    let of_name = |name: &str, cldr: bool| match () {
        () if name == typed => Some(if cldr { 2 } else { 0 }),
        () if name.starts_with(typed) => Some(if cldr { 3 } else { 1 }),
        () if name.contains(typed) => Some(4),
        () => None,
    };
    let korean = named.korean.iter().enumerate().filter_map(|(at, word)| of_name(word, at >= named.of_chats));
    let shared = named.emoji.shortcodes().filter_map(|name| of_name(name, false)).chain(korean).min();
    let words = || {
        let words = named.emoji.name().split([' ', '-']);
        words.map(str::to_lowercase).any(|word| word.starts_with(typed)).then_some(2)
    };
    shared.filter(|rank| *rank < 2).or_else(words).or(shared)
}

/// Korean words, the usual one first.
#[rustfmt::skip]
static KOREAN: &[(&str, &[&str])] = &[
    ("😀", &["웃음", "미소"]), ("😄", &["웃음", "활짝"]), ("😁", &["씨익", "웃음"]), ("😆", &["깔깔", "웃음"]),
    ("😂", &["눈물나게웃음", "폭소"]), ("🤣", &["데굴데굴", "폭소"]), ("😊", &["흐뭇", "미소"]), ("🙂", &["빙그레", "미소"]),
    ("😉", &["윙크"]), ("😍", &["하트눈", "반함"]), ("😘", &["뽀뽀"]), ("🥰", &["사랑"]), ("😋", &["맛있다", "냠냠"]),
    ("😎", &["선글라스", "멋짐"]), ("🤩", &["감탄", "별눈"]), ("🤔", &["생각", "고민"]), ("🤨", &["의심"]),
    ("😐", &["무표정"]), ("🙄", &["눈굴림"]), ("😏", &["능글"]), ("😴", &["잠", "쿨쿨"]), ("😪", &["졸림"]),
    ("😅", &["식은땀", "머쓱"]), ("😓", &["땀"]), ("😭", &["엉엉", "울음"]), ("😢", &["눈물", "울음"]), ("😥", &["걱정"]),
    ("😱", &["비명", "공포"]), ("😨", &["무서움"]), ("😡", &["화남", "분노"]), ("😠", &["화남"]), ("🤬", &["욕"]),
    ("😳", &["당황", "부끄"]), ("🥺", &["애원"]), ("🤯", &["멘붕", "충격"]), ("😵", &["어질어질"]), ("🤒", &["열", "아픔"]),
    ("🤧", &["재채기", "감기"]), ("😷", &["마스크"]), ("🤗", &["포옹"]), ("🤫", &["쉿"]), ("🤭", &["풉"]), ("🫡", &["경례"]),
    ("🥳", &["파티", "축하"]), ("😇", &["천사"]), ("🤖", &["로봇"]), ("👻", &["유령"]), ("💩", &["똥"]), ("💀", &["해골"]),
    ("👍", &["좋아요", "엄지", "최고"]), ("👎", &["싫어요", "별로"]), ("👏", &["박수"]), ("🙏", &["감사", "부탁", "기도"]),
    ("🙌", &["만세"]), ("👋", &["안녕", "인사"]), ("👌", &["오케이"]), ("✌️", &["브이"]), ("🤞", &["행운"]), ("💪", &["힘", "근육"]),
    ("🤝", &["악수"]), ("👀", &["눈", "구경"]), ("🙋", &["저요", "손들기"]), ("🤷", &["글쎄", "모름"]), ("🤦", &["이런", "이마"]),
    ("🙇", &["꾸벅", "죄송", "절"]), ("❤️", &["하트", "사랑"]), ("💔", &["이별"]), ("💙", &["파란하트"]), ("💚", &["초록하트"]),
    ("💛", &["노란하트"]), ("💜", &["보라하트"]), ("💕", &["하트둘"]), ("🔥", &["불", "대박"]), ("✨", &["반짝"]), ("⭐", &["별"]),
    ("🌟", &["빛나는별"]), ("💯", &["백점"]), ("🎉", &["축하", "폭죽"]), ("🎊", &["축하"]), ("🎁", &["선물"]), ("🎂", &["생일", "케이크"]),
    ("🏆", &["우승", "트로피"]), ("🥇", &["금메달"]), ("✅", &["완료", "확인", "체크"]), ("❌", &["취소", "엑스"]), ("⭕", &["동그라미"]),
    ("❓", &["물음표"]), ("❗", &["느낌표"]), ("⚠️", &["경고", "주의"]), ("🚨", &["비상", "경보"]), ("🚀", &["로켓", "출시"]),
    ("🐛", &["벌레", "버그"]), ("🔧", &["수리", "렌치"]), ("🔨", &["망치"]), ("⚙️", &["설정", "톱니"]), ("🔒", &["잠금"]), ("🔓", &["열림"]),
    ("🔑", &["열쇠"]), ("🔍", &["검색", "돋보기"]), ("💡", &["아이디어", "전구"]), ("📌", &["고정", "압정"]), ("📎", &["첨부", "클립"]),
    ("📝", &["메모"]), ("📅", &["달력", "일정"]), ("⏰", &["알람", "시계"]), ("⏳", &["대기", "모래시계"]), ("📈", &["상승", "그래프"]),
    ("📉", &["하락"]), ("💻", &["노트북", "컴퓨터"]), ("📱", &["휴대폰"]), ("📷", &["카메라"]), ("🔋", &["배터리"]), ("🔌", &["플러그", "전원"]),
    ("🌡️", &["온도", "온도계"]), ("💧", &["물", "물방울"]), ("🌧️", &["비"]), ("☀️", &["해", "맑음"]), ("☁️", &["구름", "흐림"]), ("❄️", &["눈송이", "추움"]),
    ("⚡", &["번개", "전기"]), ("🌈", &["무지개"]), ("🌱", &["새싹"]), ("🌸", &["벚꽃", "꽃"]), ("🌹", &["장미"]), ("🍀", &["네잎클로버", "행운"]),
    ("🐶", &["강아지", "개"]), ("🐱", &["고양이"]), ("🐰", &["토끼"]), ("🐻", &["곰"]), ("🐼", &["판다"]), ("🐔", &["닭"]), ("🐟", &["물고기"]),
    ("☕", &["커피"]), ("🍺", &["맥주"]), ("🍻", &["건배"]), ("🍚", &["밥"]), ("🍜", &["라면", "국수"]), ("🍕", &["피자"]), ("🍗", &["치킨"]),
    ("🍎", &["사과"]), ("🍓", &["딸기"]), ("🏠", &["집"]), ("🏢", &["회사", "건물"]), ("🚗", &["자동차"]), ("🚌", &["버스"]), ("✈️", &["비행기"]),
    ("🎵", &["음악", "음표"]), ("⚽", &["축구"]), ("⚾", &["야구"]), ("🎮", &["게임"]), ("💰", &["돈"]), ("🇰🇷", &["한국", "태극기"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn first(typed: &str) -> Option<String> {
        find(typed).first().map(|at| all()[*at].emoji.as_str().to_owned())
    }

    #[test]
    fn emoji_are_found_by_their_names() {
        for (typed, emoji) in [
            ("rocket", "🚀"),
            ("tada", "🎉"),
            ("+1", "👍"),
            ("heart", "❤️"),
            ("smile", "😄"),
            ("좋아", "👍"),
            ("하트", "❤️"),
        ] {
            assert_eq!(first(typed).as_deref(), Some(emoji), "{typed}");
        }
        let found =
            |typed: &str| find(typed).into_iter().map(|at| all()[at].emoji.as_str()).collect::<Vec<_>>();
        assert!(found("thum").contains(&"👍"));
        assert!(found("therm").iter().any(|emoji| emoji.starts_with('🌡')));
        assert_eq!(first("zzzz"), None);
    }

    #[test]
    fn every_korean_word_is_of_an_emoji_that_is_known() {
        for (emoji, words) in KOREAN {
            let known = emojis::get(emoji).unwrap_or_else(|| panic!("{emoji} is none"));
            assert!(known.shortcode().is_some() && known.emoji_version() <= NEWEST, "{emoji}");
            assert!(words.iter().all(|word| !word.is_empty() && !word.contains(' ')), "{emoji}");
        }
        let mut known: Vec<_> = KOREAN.iter().map(|(emoji, _)| *emoji).collect();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), KOREAN.len());
    }

    #[test]
    fn most_emoji_have_a_korean_name() {
        let with_name = all().iter().filter(|named| named.korean_name.is_some()).count();
        assert!(with_name * 100 > all().len() * 99, "{with_name} of {}", all().len());
        assert_eq!(of_sign("🚀").unwrap().name(true), "로켓");
        assert_eq!(of_sign("👍🏽").unwrap().name(false), "thumbs up");
        // By a word of CLDR alone.
        assert!(find("따봉").iter().any(|at| all()[*at].emoji.as_str() == "👍"));
    }
}
