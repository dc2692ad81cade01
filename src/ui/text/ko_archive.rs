//! Korean where messages are saved as a file.

use super::archive::ArchiveWords;
use super::ko_device_acts;
use crate::model::export::ExportFailure;

/// Korean where messages are saved as a file.
pub static KOREAN: ArchiveWords = ArchiveWords {
    title: "메시지 내보내기",
    this_room: |room| format!("#{room}"),
    all_rooms: "이 연결의 모든 방",
    readings: "기기의 측정값도 포함",
    from: "시작",
    from_hint: "처음부터 또는 날짜: 2026-11-03, 어제",
    to: "끝(그날 포함)",
    to_hint: "지금까지 또는 날짜",
    csv: "CSV(스프레드시트용)",
    json_lines: "JSON Lines(프로그램용)",
    note: "이 컴퓨터에 있는 메시지를 현재 내용으로 저장합니다. 반응, 이전 버전, 삭제된 메시지, 파일은 포함되지 않습니다.",
    save: "내보내기…",
    choosing: "저장할 위치를 선택하세요…",
    writing: |count| format!("{count}개 저장 중…"),
    saved: |count, path| format!("메시지와 측정값 {count}개를 {path}에 저장했습니다"),
    cancelled: "취소했습니다. 저장된 파일이 없습니다.",
    failed: |failure| match failure {
        ExportFailure::NotRead { detail } => {
            format!("저장하지 못했습니다. 메시지를 읽을 수 없습니다({detail}). 다시 시도하세요.")
        }
        ExportFailure::Gone => "저장하지 못했습니다. 이 연결이 삭제되었습니다.".to_owned(),
        other => (ko_device_acts::KOREAN.not_saved)(other),
    },
};
