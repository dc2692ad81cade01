//! Korean in notices, in the tray, and where a person chooses of what to be told.

use super::notices::{NoticeWords, clock};
use crate::model::notices::{Gone, Level};

/// Korean in notices.
pub static KOREAN: NoticeWords = NoticeWords {
    message_in: |sender, room| format!("{sender}, {room}"),
    mention_in: |sender, room| format!("{sender} 님이 {room}에서 나를 불렀습니다"),
    messages_in: |count, room| format!("{room}에 새 메시지 {count}개"),
    messages_in_rooms: |count, rooms| format!("방 {rooms}곳에 새 메시지 {count}개"),
    one_mentions_you: "나를 부른 메시지가 있습니다.",
    hidden_text: "새 메시지",
    device_gone: |device, gone| match gone {
        Gone::Silent => format!("{device}: 소식 없음"),
        Gone::Offline | Gone::Both => format!("{device}: 오프라인"),
    },
    devices_gone: |count, gone, of| match gone {
        Gone::Offline => format!("{of}의 기기 {count}대가 오프라인이 되었습니다"),
        Gone::Silent => format!("{of}의 기기 {count}대에서 소식이 없습니다"),
        Gone::Both => format!("{of}의 기기 {count}대가 오프라인이거나 소식이 없습니다"),
    },
    and_more: |names, more| format!("{names} 외 {more}대"),
    link_lost: |of| format!("{of}에 연결되어 있지 않습니다"),
    links_lost: |count| format!("연결 {count}개가 끊어져 있습니다"),
    link_lost_text: "계속 다시 연결하고 있습니다. 쓴 글은 연결되는 대로 보냅니다.",
    trial_title: "알림이 잘 됩니다",
    trial_text: "알림은 이렇게 보입니다.",

    open: "Duplex 열기",
    do_not_disturb: "방해 금지",
    quit: "종료",
    tooltip: |unread| match unread {
        0 => "Duplex: 읽지 않은 메시지 없음".to_owned(),
        _ => format!("Duplex: 읽지 않은 메시지 {unread}개"),
    },

    level: |level| match level {
        Level::All => "모든 메시지",
        Level::Mentions => "나를 부를 때만",
        Level::Nothing => "알리지 않음",
    },
    as_all_rooms: |level| match level {
        Level::All => "기본값 (모든 메시지)".to_owned(),
        Level::Mentions => "기본값 (나를 부를 때만)".to_owned(),
        Level::Nothing => "기본값 (알리지 않음)".to_owned(),
    },
    room_is: |level| match level {
        Level::All => "모든 메시지를 알림",
        Level::Mentions => "나를 부를 때만 알림",
        Level::Nothing => "알리지 않음",
    },
    mute_device: "알리지 않음",
    mute_device_text: "이 기기가 오프라인이 되거나 소식이 없어도 알리지 않습니다.",

    group: "알림",
    rooms: "알릴 메시지",
    rooms_text: "다른 곳을 보고 있을 때 알립니다. 방의 메뉴(오른쪽 클릭)에서 따로 정할 수 있습니다.",
    devices: "오프라인이 된 기기",
    devices_text: "기기가 오프라인이 되거나 소식이 없으면 알립니다. 기기 화면에서 끌 수 있습니다.",
    link: "끊어진 연결",
    link_text: "내 연결이 30초 동안 끊어져 있으면 한 번 알립니다.",
    show_text: "알림에 메시지 내용 표시",
    show_text_text: "다른 사람이 화면을 볼 수 있는 곳에서는 끄세요.",
    disturb_text: "다시 끌 때까지 알리지 않습니다.",
    quiet: "조용한 시간",
    quiet_text: "이 컴퓨터의 시계로 이 시간 동안에는 알리지 않습니다.",
    quiet_from: "조용한 시간 시작",
    quiet_from_text: "조용한 시간이 시작되는 때입니다.",
    quiet_to: "조용한 시간 끝",
    quiet_to_text: "조용한 시간이 끝나는 때입니다. 시작보다 이르면 다음 날입니다.",
    clock,
    tray: "트레이 아이콘",
    tray_text: "읽지 않은 메시지 수를 시스템 트레이 아이콘에 표시합니다.",
    close_to_tray: "창을 닫아도 계속 실행",
    close_to_tray_text: "창을 닫으면 트레이로 숨습니다. 트레이에서 종료를 선택할 때까지 Duplex가 계속 실행됩니다.",
    trial: "시험해 보기",
    trial_setting_text: "방해 금지 중에도 알림 하나를 보여 줍니다.",
    trial_button: "시험 알림 보내기",
    no_service: "이 컴퓨터는 알림을 보여 주지 않습니다. 실행 중인 알림 서비스가 없습니다.",
    no_tray: "이 데스크톱에는 트레이가 없어서, 창을 닫으면 Duplex가 종료됩니다.",
    cannot_hide: "Wayland에서는 숨긴 창을 다시 열 수 없어 사용할 수 없습니다. 창을 닫으면 Duplex가 종료됩니다.",
};
