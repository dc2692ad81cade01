//! Korean: Socket.IO servers.

use super::socketio::SocketIoWords;

/// Korean.
pub(super) static KOREAN: SocketIoWords = SocketIoWords {
    address_hint: "예: https://chat.example 또는 http://localhost:3000",
    namespaces: "네임스페이스",
    namespaces_hint: "선택 사항, 쉼표로 구분: /chat, /alerts",
    auth: "인증 데이터(JSON)",
    auth_new: "선택 사항: {\"token\": \"…\"}",
    auth_keep: "현재 데이터를 유지하려면 비워 두세요",
    auth_is_kept: "인증 데이터는 이 컴퓨터의 키링에 저장되며 다시 표시되지 않습니다.",
    remove_auth: "인증 데이터 삭제",
    bad_auth: "인증 데이터는 {\"token\": \"abc\"} 같은 JSON 객체여야 합니다.",
    carriers: "Engine.IO 전송 방식",
    automatic: "WebSocket, 안 되면 폴링",
    polling_first: "폴링 후 WebSocket",
    polling: "폴링만",
    websocket: "WebSocket만",

    detect: "자동 감지",

    gap: "Duplex가 연결되지 않은 동안 보낸 메시지는 여기에 없을 수 있습니다.",
};
