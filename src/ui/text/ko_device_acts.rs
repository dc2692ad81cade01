//! Korean about a person's own choices for devices and about saved files.

use super::device_acts::ActWords;
use crate::model::export::ExportFailure;

/// Korean.
pub static KOREAN: ActWords = ActWords {
    rename: "이름 변경…",
    group: "그룹 지정…",
    pin: "맨 위에 고정",
    unpin: "고정 해제",
    hide: "숨기기",
    unhide: "숨김 해제",
    unmute: "알림 켜기",
    copy_id: "기기 ID 복사",
    readings: "측정값 편집…",
    merge: "다른 기기와 합치기…",
    act_on: |act, device| format!("{}: {device}", act.trim_end_matches('…')),
    full: |most| {
        format!("내 설정은 기기 {most}대까지 저장할 수 있습니다. 먼저 일부를 기본값으로 되돌려 주세요.")
    },

    rename_title: |device| format!("{device} 이름 변경"),
    name: "이름",
    rename_text: "이 이름은 나에게만 보입니다. 비워 두면 기기의 원래 이름을 사용합니다.",
    on_server: |name, id| format!("서버에서의 이름: {name} · ID {id}"),
    reset_name: "원래 이름 사용",
    bad_name: |most| format!("이름은 눈에 보이는 글자로 {most}자까지 쓸 수 있습니다."),
    group_title: |device| format!("{device} 그룹 지정"),
    group_name: "그룹",
    group_text: "같은 그룹의 기기는 목록에 함께 표시됩니다. 그룹은 나에게만 보입니다.",
    use_group: |name| format!("{name} 그룹 사용"),
    no_group: "그룹에서 제거",
    readings_title: |device| format!("{device} 측정값"),
    readings_text: "여기서 바꾼 이름과 단위는 나에게만 보이며, 선택을 해제한 측정값은 표시되지 않습니다. 값은 환산되지 않습니다.",
    show_reading: |reading| format!("{reading} 표시"),
    reading_name: |reading| format!("{reading} 이름"),
    reading_unit: |reading| format!("{reading} 단위"),
    no_unit: "단위 없음",
    reset_readings: "원래대로",
    merge_title: |device| format!("{device}: 다른 기기와 합치기"),
    merge_text: "이 기기가 속하는 기기를 선택하세요. 두 기기가 선택한 기기의 이름으로 함께 표시됩니다. 서버에서는 아무것도 \
                 바뀌지 않으며, 이 기기의 저장된 기록은 다시 분리할 때까지 그대로 보관됩니다. 적용하려면 다시 연결됩니다.",
    merge_filter: "기기 검색",
    merge_with: |device| format!("{device} 기기와 합치기"),
    merge_nothing: "이 서버에는 다른 기기가 없습니다.",
    merge_none_fits: "일치하는 기기가 없습니다.",
    merge_more: |more| format!("{more}대가 더 일치합니다. 이름을 더 입력하세요."),
    merge_full: |most| format!("서버마다 기기 {most}대까지 합칠 수 있습니다. 먼저 일부를 분리해 주세요."),
    merged_part: |device| format!("{device} 포함"),
    separate: "분리",
    separate_part: |device| format!("{device} 분리"),
    hidden_readings: |count| format!("숨긴 측정값 {count}개"),

    renamed: |name| format!("이름을 바꿨습니다: {name}"),
    grouped: |device, group| format!("{device}: {group} 그룹으로 옮겼습니다"),
    ungrouped: |device| format!("{device}: 그룹에서 제거했습니다"),
    hidden: |device| format!("{device}: 목록에서 숨겼습니다"),
    shown: |device| format!("{device}: 숨김을 해제했습니다"),
    readings_changed: |device| format!("{device}: 측정값 설정을 바꿨습니다"),
    merged: |device, whole| format!("{device}: {whole} 기기와 합쳤습니다"),
    separated: |device| format!("{device}: 분리했습니다"),
    undo: "실행 취소",

    save: "저장…",
    save_csv: "측정값을 CSV로 저장",
    save_picture: "그래프를 PNG로 저장",
    saving: "저장 중…",
    saved: |path, rows| match rows {
        Some(rows) => format!("{rows}행을 저장했습니다: {path}"),
        None => format!("저장했습니다: {path}"),
    },
    cut: |until| {
        format!("파일이 가득 차서 {until}까지만 저장했습니다. 나머지는 더 짧은 기간으로 저장해 주세요.")
    },
    picture_part: "그림에는 화면에 보이던 부분만 들어 있습니다.",
    show_in_folder: "폴더에서 보기",
    copy_path: "경로 복사",
    not_saved: |failure| {
        match failure {
        ExportFailure::NoFolder => {
            "저장하지 못했습니다. 다운로드 폴더나 홈 폴더를 찾을 수 없습니다. 폴더를 만든 뒤 다시 시도해 주세요."
                .to_owned()
        }
        ExportFailure::DiskFull => {
            "저장하지 못했습니다. 디스크가 가득 찼습니다. 공간을 확보한 뒤 다시 시도해 주세요.".to_owned()
        }
        ExportFailure::Denied { folder } => {
            format!("저장하지 못했습니다. {folder} 폴더에 쓸 권한이 없습니다. 권한을 확인한 뒤 다시 시도해 주세요.")
        }
        ExportFailure::NotWritten { folder, detail } => {
            format!("저장하지 못했습니다. {folder} 폴더에 쓸 수 없습니다({detail}). 폴더를 확인한 뒤 다시 시도해 주세요.")
        }
        ExportFailure::NotRead { detail } => {
            format!("저장하지 못했습니다. 저장된 측정값을 읽을 수 없습니다({detail}). 다시 시도해 주세요.")
        }
        ExportFailure::Busy => {
            "저장하지 못했습니다. 다른 파일을 저장하는 중입니다. 끝난 뒤 다시 시도해 주세요.".to_owned()
        }
        ExportFailure::Gone => "저장하지 못했습니다. 서버에 더 이상 없는 기기입니다.".to_owned(),
    }
    },
};
