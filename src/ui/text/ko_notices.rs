//! Korean in notices, in the tray, and where a person chooses of what to be told.

use super::notices::{NoticeWords, clock};
use crate::model::notices::{Gone, Level};

/// Korean in notices.
pub static KOREAN: NoticeWords = NoticeWords {
    message_in: |sender, room| format!("{sender}, {room}"),
    mention_in: |sender, room| format!("{sender} 님이 {room}에서 나를 언급했습니다"),
    messages_in: |count, room| format!("{room}에 새 메시지 {count}개"),
    messages_in_rooms: |count, rooms| format!("방 {rooms}곳에 새 메시지 {count}개"),
    one_mentions_you: "나를 언급한 메시지가 있습니다.",
    hidden_text: "새 메시지",
    device_gone: |device, gone| match gone {
        Gone::Silent => format!("{device}: 무응답"),
        Gone::Offline | Gone::Both => format!("{device}: 오프라인"),
    },
    devices_gone: |count, gone, of| match gone {
        Gone::Offline => format!("{of}의 기기 {count}대가 오프라인이 되었습니다"),
        Gone::Silent => format!("{of}의 기기 {count}대가 응답하지 않습니다"),
        Gone::Both => format!("{of}의 기기 {count}대가 오프라인이거나 응답하지 않습니다"),
    },
    and_more: |names, more| format!("{names} 외 {more}대"),
    link_lost: |of| format!("{of}에 연결되어 있지 않습니다"),
    links_lost: |count| format!("연결 {count}개가 끊어져 있습니다"),
    link_lost_text: "자동으로 다시 연결합니다. 작성한 메시지는 연결되는 대로 보냅니다.",
    trial_title: "알림이 정상적으로 작동합니다",
    trial_text: "알림은 이렇게 표시됩니다.",

    open: "Duplex 열기",
    do_not_disturb: "방해 금지",
    quit: "종료",
    tooltip: |unread| match unread {
        0 => "Duplex: 읽지 않은 메시지 없음".to_owned(),
        _ => format!("Duplex: 읽지 않은 메시지 {unread}개"),
    },

    level: |level| match level {
        Level::All => "모든 메시지",
        Level::Mentions => "멘션만",
        Level::Nothing => "알림 없음",
    },
    of_room: "이 방의 알림",
    as_all_rooms: |level| match level {
        Level::All => "기본값(모든 메시지)".to_owned(),
        Level::Mentions => "기본값(멘션만)".to_owned(),
        Level::Nothing => "기본값(알림 없음)".to_owned(),
    },
    room_is: |level| match level {
        Level::All => "모든 메시지 알림",
        Level::Mentions => "멘션만 알림",
        Level::Nothing => "알림 꺼짐",
    },
    mute_device: "알림 끄기",
    mute_device_text: "이 기기가 오프라인이 되거나 응답하지 않아도 알리지 않습니다.",

    group: "알림",
    rooms: "알릴 메시지",
    rooms_text: "Duplex를 보고 있지 않을 때 알립니다. 방을 오른쪽 클릭하면 따로 설정할 수 있습니다.",
    devices: "기기 오프라인",
    devices_text: "기기가 오프라인이 되거나 응답하지 않으면 알립니다. 기기별로 기기 화면에서 끌 수 있습니다.",
    link: "연결 끊김",
    link_text: "연결이 30초 동안 끊겨 있으면 한 번 알립니다.",
    show_text: "알림에 메시지 내용 표시",
    show_text_text: "다른 사람이 화면을 볼 수 있는 곳에서는 끄세요.",
    disturb_text: "다시 끌 때까지 알리지 않습니다.",
    quiet: "방해 금지 시간",
    quiet_text: "이 시간 동안에는 알리지 않습니다(이 컴퓨터의 시간 기준).",
    quiet_from: "방해 금지 시작",
    quiet_from_text: "방해 금지 시간이 시작되는 시각입니다.",
    quiet_to: "방해 금지 종료",
    quiet_to_text: "방해 금지 시간이 끝나는 시각입니다. 시작 시각보다 이르면 다음 날입니다.",
    clock,
    tray: "트레이 아이콘",
    tray_text: "시스템 트레이에 읽지 않은 메시지 수를 표시합니다.",
    close_to_tray: "창을 닫아도 계속 실행",
    close_to_tray_text: "창을 닫으면 트레이로 숨기고, 트레이에서 종료를 선택할 때까지 계속 실행합니다.",
    trial: "테스트 알림",
    trial_setting_text: "방해 금지 중에도 알림 하나를 표시합니다.",
    trial_button: "테스트 알림 보내기",
    no_service: "알림을 표시할 수 없습니다. 실행 중인 알림 서비스가 없습니다.",
    no_tray: "이 데스크톱에는 트레이가 없어 창을 닫으면 Duplex가 종료됩니다.",
    cannot_hide: "Wayland에서는 숨긴 창을 다시 열 수 없어 사용할 수 없습니다. 창을 닫으면 Duplex가 종료됩니다.",
};
