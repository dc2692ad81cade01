//! Korean about files and pictures.

use super::files::FileWords;
use crate::model::file::size_text;
use crate::model::files::FileTrouble;
use crate::ui::harmless;

/// Korean about files and pictures.
pub static KOREAN: FileWords = FileWords {
    attach: "파일 첨부",
    file_named: |name, size| format!("파일: {name}, {size}"),
    picture_named: |name, size| format!("사진: {name}, {size}"),
    save: "저장",
    save_as: "다른 이름으로 저장",
    saved_to: |path| format!("저장 위치: {path}"),
    show_in_folder: "폴더에서 보기",
    view: "크게 보기",
    fetching: |percent| format!("내려받는 중… {percent}%"),
    pending: "보낼 파일",
    copying: "복사하는 중…",
    attached: "다음 메시지와 함께 보냅니다",
    waiting: "업로드 대기 중",
    uploading: |percent| format!("업로드하는 중… {percent}%"),
    sending: "보내는 중…",
    remove: |name| format!("{name} 첨부 취소"),
    trouble: |trouble| {
        match trouble {
        FileTrouble::Unreachable => "서버에 연결할 수 없습니다. 자동으로 다시 시도합니다.".to_owned(),
        FileTrouble::TooLarge { limit: Some(limit) } => {
            format!("파일이 너무 큽니다. 이 서버에는 {}까지 보낼 수 있습니다.", size_text(*limit))
        }
        FileTrouble::TooLarge { limit: None } => "파일이 너무 커서 서버가 받지 않습니다.".to_owned(),
        FileTrouble::Quota { limit: Some(limit) } => format!(
            "이 서버에는 내 파일을 모두 합쳐 {}까지 보관할 수 있습니다. 파일이 있는 메시지를 지워 공간을 확보하세요.",
            size_text(*limit)
        ),
        FileTrouble::Quota { limit: None } => {
            "이 서버의 내 파일 공간을 다 썼습니다. 파일이 있는 메시지를 지워 공간을 확보하세요.".to_owned()
        }
        FileTrouble::ServerFull => {
            "서버에 파일을 보관할 공간이 없습니다. 자동으로 다시 시도하며, 서버 관리자에게 문의할 수도 있습니다."
                .to_owned()
        }
        FileTrouble::TooMany => "보낼 파일이 너무 많습니다. 일부를 먼저 보내거나 취소하세요.".to_owned(),
        FileTrouble::NotAllowed => "권한이 없습니다. 서버 관리자에게 문의하세요.".to_owned(),
        FileTrouble::NotOffered => "이 서버는 파일을 지원하지 않습니다.".to_owned(),
        FileTrouble::Gone => "파일 보관 기간이 지나 서버에서 삭제되었습니다.".to_owned(),
        FileTrouble::NoSuchFile => "서버에 이 파일이 없습니다.".to_owned(),
        FileTrouble::Checksum => "전송 중에 파일이 손상되었습니다. 다시 시도하세요.".to_owned(),
        FileTrouble::Disk { detail } => {
            format!("파일을 읽거나 쓸 수 없습니다 ({}).", harmless::line(detail, 200))
        }
        FileTrouble::Refused { detail } => {
            format!("서버가 파일을 거절했습니다: {}", harmless::line(detail, 200))
        }
    }
    },
    drop_here: "여기에 파일을 놓으면 첨부됩니다",
    path: "파일 경로",
    path_hint: "전체 경로를 입력하세요. 예: /home/mina/report.pdf",
    add: "첨부",
    viewer: "사진",
    zoom_in: "확대",
    zoom_out: "축소",
    fit: "창에 맞추기",
    loading: "불러오는 중…",
    not_a_picture: "손상되었거나 너무 크거나 지원하지 않는 형식이라 사진을 표시할 수 없습니다. 파일로 저장할 수는 있습니다.",
};
