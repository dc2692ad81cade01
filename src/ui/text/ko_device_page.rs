//! What the page of one device says, in Korean.

use chrono::{DateTime, Datelike, Local, Timelike};

use super::device_page::{BadRange, Lock, PageWords, Stretch};
use super::local;
use crate::model::device::{CommandRefusal, CommandState};
use crate::model::time::WallMs;
use crate::ui::harmless;

/// Korean.
pub static KOREAN: PageWords = PageWords {
    back: "기기 목록으로",
    gone: "서버에 더 이상 없는 기기입니다.",
    last_heard: |status, age| format!("{status}, 마지막 수신 {age}"),
    clock_off: |ms| {
        let way = if ms > 0 { "느립니다" } else { "빠릅니다" };
        format!("기기의 시계가 {} {way}.", length(ms.saturating_abs()))
    },
    muted: "알림 꺼짐",
    never: "없음",

    readings: "측정값",
    no_readings: "아직 측정값이 없습니다.",
    plot_it: |name| format!("그래프에 표시: {name}"),
    plots_full: |most| {
        format!("그래프에는 한 번에 {most}개까지 표시할 수 있습니다. 먼저 하나를 해제해 주세요.")
    },
    reading: |name, value, freshness| format!("{name} {value}, {freshness}"),

    plots: "그래프",
    stretch: |stretch| match stretch {
        Stretch::Minutes => "5분",
        Stretch::Hour => "1시간",
        Stretch::Hours => "6시간",
        Stretch::Day => "1일",
        Stretch::Week => "1주",
        Stretch::Month => "30일",
        Stretch::Year => "1년",
    },
    stretch_named: |stretch| match stretch {
        Stretch::Minutes => "5분 보기",
        Stretch::Hour => "1시간 보기",
        Stretch::Hours => "6시간 보기",
        Stretch::Day => "1일 보기",
        Stretch::Week => "1주 보기",
        Stretch::Month => "30일 보기",
        Stretch::Year => "1년 보기",
    },
    range: "기간 지정…",
    range_named: "기간 지정",
    range_from: "시작",
    range_to: "끝",
    range_hint: "예: 2026-11-03 14:30, 어제 9:00, 14:30",
    month: |year, month| format!("{year}년 {month}월"),
    weekdays: ["일", "월", "화", "수", "목", "금", "토"],
    weeks_begin_on_sunday: true,
    month_before: "이전 달",
    month_after: "다음 달",
    range_show: "기간 보기",
    bad_range: |why| match why {
        BadRange::From => "시작이 날짜와 시각이 아닙니다.",
        BadRange::To => "끝이 날짜와 시각이 아닙니다.",
        BadRange::Order => "시작은 끝보다 앞서야 합니다.",
        BadRange::Future => "시작이 미래입니다.",
        BadRange::Long => "기간은 2년까지 지정할 수 있습니다.",
        BadRange::Short => "기간은 2초 이상이어야 합니다.",
    },
    y_axis: "Y축",
    y_axis_of: |names| format!("{names} Y축"),
    y_auto: "자동",
    y_low: "최솟값",
    y_high: "최댓값",
    y_bad: "숫자 두 개를 작은 것부터 입력해 주세요.",
    y_set: "적용",
    live: "실시간",
    go_live: "실시간으로",
    plot_of: |names, from, to| format!("{names} 그래프, {from}부터 {to}까지"),
    plot_help: "끌기 또는 ← →로 이동, Ctrl+휠 또는 + −로 확대/축소, End로 실시간",
    strip_of: |name, from, to| format!("{name} 상태, {from}부터 {to}까지"),
    since: |value, at| format!("{value}, {at}부터"),
    changes: |count| format!("{count}번 바뀜"),
    said_for: |value, ms| format!("{value} {}.", length(ms)),
    more_values: |count| format!("다른 값이 {count}개 더 있습니다."),
    no_data: "데이터 없음",
    no_data_between: |from, to| format!("{from}부터 {to}까지 데이터가 없습니다."),
    more_gaps: |count| format!("데이터가 없는 구간이 {count}개 더 있습니다."),
    loading: "불러오는 중…",
    nothing_chosen: "측정값을 선택하면 그래프가 표시됩니다.",
    moment: |at, shown_ms| {
        local(at, |time| match shown_ms {
            ..86_400_000 => format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()),
            86_400_000..2_592_000_000 => {
                format!("{}월 {}일 {:02}:{:02}", time.month(), time.day(), time.hour(), time.minute())
            }
            _ => format!(
                "{}년 {}월 {}일 {:02}:{:02}",
                time.year(),
                time.month(),
                time.day(),
                time.hour(),
                time.minute()
            ),
        })
    },
    tick: |at, step_ms| match step_ms {
        ..60_000 => local(at, |time| format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())),
        60_000..86_400_000 => local(at, |time| format!("{:02}:{:02}", time.hour(), time.minute())),
        _ => local::day(at, |time| format!("{}월 {}일", time.month(), time.day())),
    },

    controls: "제어",
    locked: |lock| match lock {
        Lock::Link => "서버에 연결되어 있지 않아 제어할 수 없습니다.",
        Lock::Unheard => "서버가 이 기기의 데이터를 아직 받지 못해 제어할 수 없습니다.",
        Lock::Silent => "기기가 응답하지 않아 제어할 수 없습니다.",
        Lock::Offline => "기기가 오프라인이라 제어할 수 없습니다.",
    },
    slide: |name| format!("{name}, 슬라이더"),
    set: "설정",
    not_a_number: |typed| format!("보내지 않았습니다. “{typed}”은(는) 숫자가 아닙니다."),
    not_held: |typed| {
        format!(
            "보내지 않았습니다. {typed}은(는) 범위를 벗어났습니다. 정수는 -9,223,372,036,854,775,808부터 18,446,744,073,709,551,615까지 입력할 수 있습니다."
        )
    },
    not_within: |typed, low, high| {
        let range = match (low, high) {
            (Some(low), Some(high)) => format!("{low}부터 {high}까지의"),
            (Some(low), None) => format!("{low} 이상의"),
            (None, Some(high)) => format!("{high} 이하의"),
            (None, None) => "기기가 받을 수 있는".to_owned(),
        };
        format!("보내지 않았습니다. {typed}은(는) 범위를 벗어났습니다. {range} 숫자를 입력하세요.")
    },
    set_named: |name, value| format!("{name} 설정: {value}"),
    not_set_yet: "아직 설정 안 함",
    pick_colour: |name| format!("{name} 고르기"),
    forget: |name| format!("{name} 새 값 취소"),
    now_is: |value| format!("현재: {value}"),
    command: |state, switch, value, age| {
        let (doing, done, to_do) = match switch {
            Some(true) => ("켜는 중…".to_owned(), "켰습니다".to_owned(), "켜기".to_owned()),
            Some(false) => ("끄는 중…".to_owned(), "껐습니다".to_owned(), "끄기".to_owned()),
            None => (format!("설정 중: {value}"), format!("설정됨: {value}"), format!("{value} 설정")),
        };
        match state {
            CommandState::Pending => doing,
            CommandState::Done => format!("{done}, {age}"),
            CommandState::Unknown => {
                format!("{to_do}: 응답을 받기 전에 연결이 끊겨 적용되지 않았을 수 있습니다, {age}")
            }
            CommandState::Expired => format!("{to_do} 실패: 기기가 제때 응답하지 않았습니다, {age}"),
            other => format!("{to_do} 실패: {}, {age}", became(other)),
        }
    },
    device_changed: |name| {
        format!(
            "보내지 않았습니다. {name} 제어 중에 기기나 연결 상태가 바뀌었습니다. 값을 확인한 뒤 다시 시도해 주세요."
        )
    },
    value_changed: |name| {
        format!("보내지 않았습니다. {name} 제어 중에 값이 바뀌었습니다. 값을 확인한 뒤 다시 시도해 주세요.")
    },
    confirm_void: |name| {
        format!("보내지 않았습니다. {name} 설정을 확인하기 전에 기기나 연결 상태가 바뀌었습니다.")
    },
    confirm_title: |name, switch, value| match switch {
        Some(true) => format!("{name}: 켤까요?"),
        Some(false) => format!("{name}: 끌까요?"),
        None => format!("{name}: {value}(으)로 설정할까요?"),
    },
    confirm_text: |old| format!("현재: {old}. 위험할 수 있는 제어로 표시되어 있습니다."),
    confirm: |switch, value| match switch {
        Some(true) => "켜기".to_owned(),
        Some(false) => "끄기".to_owned(),
        None => format!("{value} 설정"),
    },
    understood: "확인",

    attributes: "속성",
    log: "기록",
    log_empty: "아직 기록이 없습니다.",
    came: "온라인",
    went: |reason| {
        if reason.is_empty() { "오프라인".into() } else { format!("오프라인: {reason}") }
    },
    fell_silent: "응답 끊김",
    asked: |who, name, value| format!("{who} 님이 설정: {name} = {value}"),
    became,
    raw: "최근 수신 데이터(원본)",
    copy_raw: "최근 수신 데이터 복사",
};

/// Korean, with the hours of 오전 and 오후.
pub(super) static TWELVE_HOURS: PageWords = PageWords {
    moment: |at, shown_ms| {
        local(at, |time| match shown_ms {
            ..86_400_000 => format!("{}:{:02}", twelve(time), time.second()),
            86_400_000..2_592_000_000 => format!("{}월 {}일 {}", time.month(), time.day(), twelve(time)),
            _ => format!("{}년 {}월 {}일 {}", time.year(), time.month(), time.day(), twelve(time)),
        })
    },
    tick: |at, step_ms| match step_ms {
        ..60_000 => local(at, |time| format!("{}:{:02}", twelve(time), time.second())),
        60_000..86_400_000 => local(at, twelve),
        _ => (KOREAN.tick)(at, step_ms),
    },
    ..KOREAN
};

/// The time of day by 오전 and 오후, without seconds.
pub(super) fn twelve(time: &chrono::DateTime<Local>) -> String {
    let (is_after_noon, hour) = time.hour12();
    let half = if is_after_noon { "오후" } else { "오전" };
    format!("{half} {hour}:{:02}", time.minute())
}

fn became(state: &CommandState) -> String {
    let with = |what: &str, detail: &str| {
        if detail.trim().is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {}", harmless::line(detail.trim(), 300))
        }
    };
    match state {
        CommandState::Pending => "대기 중".into(),
        CommandState::Done => "완료".into(),
        CommandState::Failed { detail } => with("실패", detail),
        CommandState::Expired => "시간 초과".into(),
        CommandState::Unknown => "알 수 없음: 응답 전에 연결이 끊겼습니다".into(),
        CommandState::Refused { why, detail } => {
            let why = match why {
                CommandRefusal::UnknownDevice => "서버에 없는 기기입니다",
                CommandRefusal::NotWritable => "설정할 수 없는 항목입니다",
                CommandRefusal::BadValue => "허용되지 않는 값입니다",
                CommandRefusal::Changed => "기기가 바뀌었습니다",
                CommandRefusal::NotAllowed => "권한이 없습니다",
                CommandRefusal::Other => "서버가 거부했습니다",
            };
            with(why, detail)
        }
    }
}

/// A length of time: `12초`, `1시간 2분`, `3일 4시간`.
fn length(ms: i64) -> String {
    let seconds = ms / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        ..60 => format!("{seconds}초"),
        60..3_600 => two(minutes, "분", seconds % 60, "초"),
        3_600..86_400 => two(hours, "시간", minutes % 60, "분"),
        _ => two(days, "일", hours % 24, "시간"),
    }
}

fn two(many: i64, large: &str, rest: i64, little: &str) -> String {
    if rest == 0 { format!("{many}{large}") } else { format!("{many}{large} {rest}{little}") }
}

fn local(at: WallMs, show: impl Fn(&DateTime<Local>) -> String) -> String {
    local::moment(at, show)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_says_how_far() {
        assert_eq!((KOREAN.clock_off)(3_720_000), "기기의 시계가 1시간 2분 느립니다.");
        assert_eq!((KOREAN.clock_off)(-7_000), "기기의 시계가 7초 빠릅니다.");
    }
}
