//! Korean: the check of a connection.

use super::doctor::DoctorWords;
use crate::ui::harmless;

/// Korean.
pub(super) static KOREAN: DoctorWords = DoctorWords {
    title: |name| format!("연결 진단: {}", harmless::line(name, 60)),
    menu: "연결 진단…",
    find_out: "원인 알아보기",
    running: "진단하는 중… 최대 30초 걸립니다.",
    copy: "텍스트로 복사",
    copied: "복사됨",
    again: "다시 진단",
    show_steps: "단계 보기",
    hide_steps: "단계 숨기기",
    table: "전송 방식",
    figures: "수치 설명",
    report: &crate::doctor::KOREAN,
};
