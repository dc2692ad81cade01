//! Synonyms of settings and actions, in English and Korean. The settings search and the palette match them
//! whatever the language of the interface.

use super::keys::Action;
use crate::model::permit::RoomAct;

pub(super) const LANGUAGE: &str = "locale translation English Korean 한국어 한국말 영어 언어 번역";
pub(super) const HOURS: &str = "clock time of day am pm 12h 24h format 시계 시각 시간 오전 오후 시간제";
pub(super) const RESET: &str = "defaults restore factory clear 기본값 초기화 되돌리기";
pub(super) const THEME: &str = "theme colours colors dark light mode night appearance contrast 테마 색 다크 라이트 모드 야간 밝게 어둡게 대비";
pub(super) const DENSITY: &str = "density compact comfortable spacing rows 밀도 여백 줄 간격 촘촘하게";
pub(super) const ZOOM: &str = "zoom scale font text size magnify larger smaller 글자 크기 배율 확대 축소";
pub(super) const MOTION: &str =
    "animation fade reduced reduce motion accessibility 애니메이션 동작 움직임 줄이기 접근성";
pub(super) const ENTER: &str = "return ctrl+enter new line send 엔터 줄바꿈 전송";
pub(super) const ROOMS: &str = "notify notifications alert mention ping desktop 알림 멘션 호출";
pub(super) const THREAD_NOTICES: &str = "notify notifications thread reply follow 알림 스레드 답글 댓글";
pub(super) const REACTION_NOTICES: &str = "notify notifications emoji like thumbs 알림 반응 이모지 공감";
pub(super) const DEVICES: &str = "silent alarm offline 무응답 경보 오프라인";
pub(super) const LINK: &str = "outage network offline disconnect 장애 네트워크 끊김";
pub(super) const SHOW_TEXT: &str = "privacy preview hide 사생활 개인정보 미리보기 숨기기";
pub(super) const DISTURB: &str = "dnd do not disturb silence mute focus 방해 금지 무음 집중";
pub(super) const QUIET: &str = "quiet night sleep schedule 밤 야간 수면";
pub(super) const QUIET_FROM: &str = "night begin start 밤 시작";
pub(super) const QUIET_TO: &str = "morning end 아침 끝";
pub(super) const TRIAL: &str = "test example 시험 테스트 예";
pub(super) const TRAY: &str = "menu bar status area badge icon 메뉴 막대 상태 배지 아이콘";
pub(super) const CLOSE_TO_TRAY: &str = "tray background hide quit exit 트레이 백그라운드 숨기기 종료";
pub(super) const AT_START: &str = "auto connect startup launch autostart 자동 연결 시작";
pub(super) const TRANSFER: &str = "export import backup profiles migrate 내보내기 가져오기 백업 프로필";
pub(super) const READINGS: &str = "disk space storage history retention keep 디스크 용량 저장 기록 보관";
pub(super) const FOLDER: &str = "directory path files location 디렉터리 경로 위치 파일";
pub(super) const LOGS: &str = "debug diagnostics error trace crash report 디버그 진단 오류 추적 충돌 보고서";
pub(super) const AUTOSTART: &str = "autostart startup login boot background 자동 시작 부팅 로그인 백그라운드";
pub(super) const RECEIPTS: &str = "read receipts seen privacy 읽음 확인 수신 표시 사생활 개인정보";
pub(super) const VERSION: &str =
    "about license licence copyright credits font OFL 저작권 라이선스 글꼴 버전 정보";

pub(super) const STATUS: &str = "away busy presence mood 자리 비움 바쁨 기분";
pub(super) const BROWSE: &str = "channels list all join directory 채널 목록 전체 참여";

/// Synonyms of what can be done with a room.
pub(super) fn of_room(act: RoomAct) -> &'static str {
    match act {
        RoomAct::Rename => "channel name 채널 이름 변경",
        RoomAct::SetTopic => "channel description purpose header 채널 설명 목적",
        RoomAct::Archive => "channel close 채널 닫기",
        RoomAct::Unarchive => "channel open restore 채널 열기 복원",
        RoomAct::Leave => "channel part quit exit 채널 퇴장",
        RoomAct::Join => "channel enter 채널 입장",
        RoomAct::Members => "channel people invite remove kick 채널 참여자 초대 내보내기 강퇴",
        RoomAct::Export => "save backup csv json transcript 저장 백업 대화 내보내기",
        RoomAct::Hide => "close conversation direct message 대화 닫기",
    }
}

/// Synonyms of an action.
pub(super) fn of(action: Action) -> &'static str {
    match action {
        Action::RoomAbove | Action::RoomBelow => "channel switch 채널 전환",
        Action::UnreadAbove | Action::UnreadBelow => "channel new messages 채널 새 메시지",
        Action::SearchRoom | Action::SearchEverywhere => "find look history 찾기 기록",
        Action::GoToDate => "jump calendar day history 달력 날짜 이동",
        Action::ToggleRooms => "sidebar channels list 사이드바 채널 목록",
        Action::ShowChat => "messages conversation only focus 메시지 채팅",
        Action::ShowDevices | Action::ToggleDevices => "sensors machines dashboard panel 센서 장비 대시보드",
        Action::ShowTopics => "mqtt broker retained publish subscribe 브로커 발행 구독 보존",
        Action::ShowBoth => "split side by side 분할 나란히",
        Action::ZoomIn | Action::ZoomOut | Action::ZoomReset => ZOOM,
        Action::Settings => "preferences options configuration 환경설정 옵션 설정",
        Action::Shortcuts => "keys hotkeys help bindings 단축키 도움말",
        Action::ToggleLog => "traffic debug frames inspect 트래픽 디버그",
        Action::RetryNow => "retry again reconnect 재연결 재시도",
        Action::AddConnection => "server join new invite 서버 참가 초대 새",
        _ => "",
    }
}
