//! What the page of one device says, in Korean.

use chrono::{DateTime, Datelike, Local, TimeZone, Timelike};

use super::device_page::{Lock, PageWords, Stretch};
use crate::model::device::{CommandRefusal, CommandState};
use crate::model::time::WallMs;
use crate::ui::harmless;

/// Korean.
pub static KOREAN: PageWords = PageWords {
    back: "기기 목록으로",
    gone: "서버가 이 기기를 더는 모릅니다.",
    last_heard: |status, age| format!("{status}, 마지막 소식 {age}"),
    clock_off: |ms| {
        let way = if ms > 0 { "느립니다" } else { "빠릅니다" };
        format!("기기의 시계가 {} {way}.", length(ms.saturating_abs()))
    },
    never: "없음",

    readings: "측정값",
    no_readings: "아직 보낸 값이 없습니다.",
    plot_it: |name| format!("그래프에 보이기: {name}"),
    plots_full: |most| format!("그래프는 한 번에 {most}개까지 그립니다."),
    reading: |name, value, freshness| format!("{name} {value}, {freshness}"),

    plots: "그래프",
    stretch: |stretch| match stretch {
        Stretch::Minutes => "5분",
        Stretch::Hour => "1시간",
        Stretch::Hours => "6시간",
        Stretch::Day => "1일",
        Stretch::Week => "1주",
        Stretch::Year => "1년",
    },
    stretch_named: |stretch| match stretch {
        Stretch::Minutes => "5분 보기",
        Stretch::Hour => "1시간 보기",
        Stretch::Hours => "6시간 보기",
        Stretch::Day => "1일 보기",
        Stretch::Week => "1주 보기",
        Stretch::Year => "1년 보기",
    },
    live: "실시간",
    go_live: "실시간으로",
    plot_of: |names, from, to| format!("{names} 그래프, {from}부터 {to}까지"),
    plot_help: "끌거나 ← →로 이동, Ctrl+휠이나 + −로 확대와 축소, End로 실시간",
    strip_of: |name, from, to| format!("{name} 상태, {from}부터 {to}까지"),
    since: |value, at| format!("{value}, {at}부터"),
    changes: |count| format!("{count}번 바뀜"),
    said_for: |value, ms| format!("{value} {}.", length(ms)),
    more_values: |count| format!("다른 값이 {count}개 더 있습니다."),
    no_data: "값 없음",
    no_data_between: |from, to| format!("{from}부터 {to}까지 값이 없습니다."),
    more_gaps: |count| format!("값이 없는 구간이 {count}개 더 있습니다."),
    loading: "불러오는 중…",
    nothing_chosen: "아래에서 측정값을 고르면 그래프를 그립니다.",
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
    tick: |at, step_ms| {
        local(at, |time| match step_ms {
            ..60_000 => format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()),
            60_000..86_400_000 => format!("{:02}:{:02}", time.hour(), time.minute()),
            _ => format!("{}월 {}일", time.month(), time.day()),
        })
    },

    controls: "조작",
    locked: |lock| match lock {
        Lock::Link => "잠김: 알 수 없음: 연결이 끊겼습니다",
        Lock::Unheard => "잠김: 알 수 없음: 서버가 시작된 뒤로 아직 소식이 없습니다",
        Lock::Silent => "잠김: 기기에서 소식이 없습니다",
        Lock::Offline => "잠김: 기기가 오프라인입니다",
    },
    slide: |name| format!("{name}, 슬라이더"),
    set: "설정",
    set_named: |name, value| format!("{name} 설정: {value}"),
    not_set_yet: "아직 설정하지 않음",
    forget: |name| format!("{name} 그대로 두기"),
    now_is: |value| format!("지금 {value}"),
    command: |state, value, age| match state {
        CommandState::Pending => format!("{value}: {age} 요청함"),
        CommandState::Done => format!("{value}: 완료, {age} 요청함"),
        CommandState::Expired => format!("{value}: 시간 초과, {age} 요청함: 기기가 제때 답하지 않았습니다"),
        CommandState::Unknown => {
            format!("{value}: 알 수 없음: 답이 오기 전에 연결이 끊겼습니다, {age} 요청함")
        }
        other => format!("{value}: {}, {age} 요청함", became(other)),
    },
    device_changed: |name| {
        format!(
            "아무것도 보내지 않았습니다. {name} 조작 중에 기기나 연결이 바뀌었습니다. 확인한 뒤 다시 해 주세요."
        )
    },
    value_changed: |name| {
        format!(
            "아무것도 보내지 않았습니다. {name} 조작 중에 값이 저절로 바뀌었습니다. 확인한 뒤 다시 해 주세요."
        )
    },
    confirm_void: |name| {
        format!("아무것도 보내지 않았습니다. {name} 설정을 확인하기 전에 기기나 연결이 바뀌었습니다.")
    },
    confirm_title: |device, name| format!("{device}: {name} 값을 바꿀까요?"),
    confirm_text: |name, old, new| {
        format!("{name}: 지금은 {old}, 바꾸면 {new}. 위험할 수 있다고 표시된 항목입니다.")
    },
    confirm: |value| format!("바꾸기: {value}"),
    understood: "확인",

    attributes: "속성",
    log: "기록",
    log_empty: "아직 아무 일도 없었습니다.",
    came: "온라인이 됨",
    went: |reason| {
        if reason.is_empty() {
            "오프라인이 됨".into()
        } else {
            format!("오프라인이 됨: {reason}")
        }
    },
    fell_silent: "소식이 끊김",
    asked: |who, name, value| format!("{who} 님의 요청: {name} = {value}"),
    became,
    raw: "마지막으로 보낸 것",
    copy_raw: "마지막으로 보낸 것 복사",
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
        CommandState::Unknown => "알 수 없음: 답이 오기 전에 연결이 끊겼습니다".into(),
        CommandState::Refused { why, detail } => {
            let why = match why {
                CommandRefusal::UnknownDevice => "거절됨: 그런 기기가 없습니다",
                CommandRefusal::NotWritable => "거절됨: 바꿀 수 없는 값입니다",
                CommandRefusal::BadValue => "거절됨: 받을 수 없는 값입니다",
                CommandRefusal::Changed => "거절됨: 기기가 그때와 다릅니다",
                CommandRefusal::NotAllowed => "거절됨: 권한이 없습니다",
                CommandRefusal::Other => "거절됨",
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
    Local.timestamp_millis_opt(at).earliest().map_or_else(|| "?".to_owned(), |time| show(&time))
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
