//! Korean about a broker's topics.

use super::Words;
use super::topics::{FormProblem, FormWord, TopicWords, Totals, rounded, scaled};
use crate::model::file::size_text;
use crate::model::publication::{Properties, Qos};
use crate::model::topic::{PublishOutcome, Subscribed};
use crate::model::topics::ghosts::Gone;
use crate::model::topics::system::Figure;
use crate::ui::harmless;
use crate::ui::value::plain;

/// Korean about topics.
pub(super) static KOREAN: TopicWords = TopicWords {
    title: "토픽",
    all_topics: "전체 토픽",
    busiest: "많은 순",
    retained_tab: "보존 메시지",
    broker: "서버",
    publish: "발행",
    subscriptions: "구독",
    broker_choice: "서버",
    resize: "토픽 너비",
    totals: |words, totals| {
        let mut text = format!("토픽 {}개", number(words, totals.topics as u64));
        if totals.rate_milli > 0 {
            text.push_str(&format!(" · {}", rate(words, totals.rate_milli)));
        }
        text.push_str(&format!(" · 메시지 {}개", number(words, totals.messages)));
        text
    },
    not_shown,
    facts: |words, facts| {
        let mut parts = Vec::new();
        if facts.topics != 1 {
            parts.push(format!("토픽 {}개", number(words, facts.topics as u64)));
        }
        parts.push(format!("메시지 {}개", number(words, facts.messages)));
        parts.extend(facts.bytes.map(size_text));
        parts.push(rate(words, facts.rate_milli));
        parts.join(" · ")
    },
    count: |words, count| format!("토픽 {}개", number(words, count as u64)),
    rate,
    with_share: |rate, share| format!("{rate}, {share}%"),

    tree: "토픽 트리",
    list: "토픽 목록",
    filter_topics: "토픽 필터",
    filter_topics_hint: "필터: 단어, 또는 home/+/power, home/# 같은 패턴",
    searching: |words, count| format!("찾는 중… 지금까지 {}개", number(words, count as u64)),
    found_more: |words, count, listed| {
        let (count, listed) = (number(words, count as u64), number(words, listed as u64));
        format!("토픽 {count}개 중 처음 {listed}개 표시")
    },
    empty_level: "(빈 단계)",
    empty: "(비어 있음)",
    binary: |picture, size| match picture {
        Some(kind) => format!("{kind} 사진, {size}"),
        None => format!("바이너리, {size}"),
    },
    replayed: "저장된 값",
    retained: "보존됨",
    none_yet: "아직 받은 메시지가 없습니다. 첫 메시지가 오면 토픽이 표시됩니다.",
    none_subscribed: "구독이 없습니다. 구독 탭에서 추가하면 토픽이 표시됩니다.",
    none_offline: "연결되어 있지 않습니다. 연결되면 토픽이 표시됩니다.",
    busiest_text: "메시지가 많은 토픽입니다. 현재 빈도와 비율을 함께 보여 줍니다.",
    all_quiet: "지금 오는 메시지가 없습니다",
    no_retained: "보존 메시지가 없습니다.",
    only_ghosts: "사라진 기기만",
    ghosts_hint: "오프라인이라고 알렸거나 연결한 뒤 1분 동안 아무것도 보내지 않은 기기의 검색(discovery) 메시지입니다. 잠자는 기기도 \
                  똑같이 보이므로 지우기 전에 확인하세요.",
    no_ghosts: "사라진 것으로 보이는 기기의 검색(discovery) 메시지가 없습니다.",
    gone: |gone| match gone {
        Gone::Offline { .. } => "오프라인".to_owned(),
        Gone::Silent { .. } => "소식 없음".to_owned(),
    },

    topic: "토픽",
    back: "목록으로",
    copy_topic: "토픽 복사",
    copy_payload: "페이로드 복사",
    publish_here: "발행…",
    clear_retained: "보존 메시지 지우기…",
    clear_below: "하위 보존 메시지 지우기…",
    not_held: "이 메시지는 더 이상 메모리에 없습니다.",
    payload: "페이로드",
    picture: "페이로드의 사진",
    form: |form| match form {
        FormWord::Text => "텍스트",
        FormWord::Json => "JSON",
        FormWord::Cbor => "CBOR",
        FormWord::MessagePack => "MessagePack",
        FormWord::Hex => "16진수",
    },
    cut: |size| format!("앞부분만 표시합니다. 전체 페이로드는 {size}입니다."),
    came: |when, age| format!("{when} ({age})"),
    was_kept: |when| format!("서버에 저장되어 있던 값이며 언제 것인지 알 수 없습니다. 받은 시각: {when}"),
    kept_earlier: "연결하기 전부터 보존됨",
    kept_since: |age| format!("보존됨: {age} 발행"),
    qos: |qos| format!("QoS {}", qos.number()),
    properties,
    differences: "이전 메시지와 달라진 점",
    no_difference: "없음",
    more_differences: "달라진 점이 더 있습니다.",
    nothing: "(없음)",
    earlier: "이전 메시지",
    follow_last: "최신 메시지 보기",

    topic_hint: "home/kitchen/light/set",
    as_text: "텍스트",
    as_hex: "16진수",
    qos_label: "QoS",
    qos_meaning: |qos| match qos {
        Qos::AtMostOnce => "0: 최대 한 번, 확인 없음",
        Qos::AtLeastOnce => "1: 최소 한 번",
        Qos::ExactlyOnce => "2: 정확히 한 번",
    },
    retain: "보존(retain)",
    retain_hint: "서버가 메시지를 보관했다가 나중에 구독하는 모두에게 보냅니다",
    retain_empty: "빈 보존 메시지를 보내면 서버에 보관된 메시지가 지워집니다.",
    show_properties: "MQTT 5 속성 표시",
    hide_properties: "MQTT 5 속성 숨기기",
    is_text: "페이로드를 텍스트로 표시",
    content_type: "콘텐츠 유형",
    response_topic: "응답 토픽",
    correlation: "상관 데이터",
    expiry: "만료 시간(초)",
    user_properties: "사용자 속성",
    user_properties_hint: "한 줄에 하나씩 ‘이름: 값’",
    publishing: "발행하는 중…",
    outcome,
    problem: |problem| match problem {
        FormProblem::NoTopic => "토픽을 입력하세요.",
        FormProblem::Wildcard => "발행할 토픽에는 +와 #을 쓸 수 없습니다.",
        FormProblem::BadTopic => "토픽이 너무 길거나 쓸 수 없는 문자가 있습니다.",
        FormProblem::BadFilter => "와일드카드는 / 사이에 단독으로, #은 맨 끝에만 쓸 수 있습니다.",
        FormProblem::Hex => "16진수가 아닙니다. 바이트마다 두 자리로 쓰세요.",
        FormProblem::TooLong => "페이로드가 너무 깁니다.",
        FormProblem::Expiry => "만료 시간은 초 단위 숫자입니다.",
        FormProblem::UserProperty => "사용자 속성은 ‘이름: 값’으로 쓰세요.",
        FormProblem::UserProperties => "사용자 속성이 너무 많습니다.",
    },
    no_link: "연결되어 있지 않습니다",
    keep: "저장",
    keep_hint: "먼저 내용을 입력하세요",
    saved: "저장한 메시지",
    saved_full: "더 저장할 수 없습니다. 먼저 하나를 삭제하세요.",
    forget: |name| format!("저장한 메시지 삭제: {name}"),

    subscriptions_text: "서버가 이 연결로 보내는 토픽입니다. 여기서 바꾼 내용은 연결 설정에서 구독을 바꿀 때까지 \
                         유지됩니다.",
    subscriptions_full: "더 구독할 수 없습니다. 먼저 하나를 해제하세요.",
    filter_label: "토픽 필터",
    filter_hint: "home/# 또는 +/status",
    subscribe: "구독",
    unsubscribe: |filter| format!("{filter} 구독 해제"),
    subscribed: |state| match state {
        Subscribed::Pending => "서버의 응답을 기다리는 중".to_owned(),
        Subscribed::Granted(qos) => format!("최대 QoS {}", qos.number()),
        Subscribed::Refused { code, reason } => refused(*code, reason),
    },

    clear_title: "보존 메시지 지우기",
    clear_text: |words, count| {
        let count = number(words, count as u64);
        format!("서버에 보관된 토픽 {count}개의 보존 메시지가 지워집니다. 되돌릴 수 없습니다.")
    },
    clear_button: |words, count| match count {
        0 => "지우기…".to_owned(),
        count => format!("메시지 {}개 지우기", number(words, count as u64)),
    },
    clearing: "지우는 중…",
    cleared: |words, done, all, is_over| {
        let (done, all) = (number(words, done as u64), number(words, all as u64));
        match is_over {
            true => format!("{all}개 중 {done}개를 지웠습니다."),
            false => format!("지우는 중: {all}개 중 {done}개…"),
        }
    },
    not_cleared: |words, count| format!("{}개는 지우지 못했습니다.", number(words, count as u64)),
    nothing_to_clear: "여기에는 보존 메시지가 없습니다.",

    broker_text: "서버가 $SYS 토픽으로 알리는 자체 상태입니다.",
    ask_broker: "서버 상태 보기",
    broker_silent: "서버가 자체 상태를 알리지 않습니다. 이 기능이 없거나 관리자에게만 보여 주는 서버도 있습니다.",
    broker_in_tree: "트리에서 모두 보기",
    figure,
};

fn number(words: &Words, count: u64) -> String {
    plain(words, None, count as f64)
}

fn rate(words: &Words, rate_milli: u32) -> String {
    if rate_milli == 0 {
        return "초당 0개".to_owned();
    }
    let (number, unit) = scaled(rate_milli);
    format!("{} {}개", ["초당", "분당", "시간당"][usize::from(unit)], rounded(words, number))
}

fn not_shown(words: &Words, totals: &Totals) -> Option<String> {
    let mut parts = Vec::new();
    if totals.left_out > 0 {
        let count = number(words, totals.left_out);
        parts.push(format!("메시지 {count}개 생략: 한꺼번에 너무 많이 왔거나 토픽이 너무 깁니다"));
    }
    if totals.unlisted > 0 {
        let count = number(words, totals.unlisted);
        parts.push(format!("메시지 {count}개는 목록에 없는 토픽의 것입니다: 토픽이 너무 많습니다"));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn refused(code: u8, reason: &str) -> String {
    match reason {
        "" => format!("서버가 거부했습니다(코드 0x{code:02x})"),
        reason => format!("서버가 거부했습니다: {} (코드 0x{code:02x})", harmless::line(reason, 200)),
    }
}

fn outcome(outcome: &PublishOutcome) -> String {
    match outcome {
        PublishOutcome::Sent => "보냈습니다. QoS 0에서는 서버가 확인해 주지 않습니다.".to_owned(),
        PublishOutcome::Confirmed { unheard: false } => "서버가 받았습니다.".to_owned(),
        PublishOutcome::Confirmed { unheard: true } => {
            "서버가 받았지만 이 토픽을 구독하는 곳이 없습니다.".to_owned()
        }
        PublishOutcome::Refused { code, reason } => refused(*code, reason),
        PublishOutcome::Unsure => "연결이 끊겨 도착하지 않았을 수 있습니다.".to_owned(),
        PublishOutcome::NotSent => "연결이 없어 보내지 못했습니다.".to_owned(),
    }
}

fn properties(properties: &Properties) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |name: &str, value: String| all.push((name.to_owned(), value));
    if properties.is_text {
        add("페이로드 형식", "텍스트".to_owned());
    }
    if !properties.content_type.is_empty() {
        add("콘텐츠 유형", properties.content_type.clone());
    }
    if !properties.response_topic.is_empty() {
        add("응답 토픽", properties.response_topic.clone());
    }
    if !properties.correlation.is_empty() {
        add("상관 데이터", super::topics::bytes_text(&properties.correlation));
    }
    if let Some(seconds) = properties.expiry_s {
        add("만료 시간", format!("{seconds}초"));
    }
    for (name, value) in &properties.user {
        add(&harmless::line(name, 100), value.clone());
    }
    all
}

fn figure(figure: Figure) -> &'static str {
    match figure {
        Figure::Version => "버전",
        Figure::Uptime => "실행 시간",
        Figure::Connected => "연결된 클라이언트",
        Figure::Known => "알려진 클라이언트(연결되지 않은 것 포함)",
        Figure::MostConnected => "최대 동시 클라이언트",
        Figure::Subscriptions => "구독",
        Figure::Retained => "보존 메시지",
        Figure::Waiting => "메모리에 있는 메시지",
        Figure::Received => "받은 메시지",
        Figure::Sent => "보낸 메시지",
        Figure::Dropped => "버린 메시지",
        Figure::ReceivedAMinute => "분당 받은 메시지",
        Figure::SentAMinute => "분당 보낸 메시지",
        Figure::BytesReceived => "받은 데이터",
        Figure::BytesSent => "보낸 데이터",
        Figure::Memory => "사용 중인 메모리",
        Figure::MostMemory => "최대 메모리 사용량",
    }
}
