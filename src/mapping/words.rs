//! Words that servers use: names of fields and of events, as far as they tell what a value is.

/// Fields that hold what somebody said, the most telling first.
pub(super) const TEXT: &[&str] = &[
    "text",
    "message",
    "msg",
    "content",
    "body",
    "chat",
    "messagetext",
    "chatmessage",
    "textmessage",
    "contents",
    "newmessage",
    "mess",
    "messagecontent",
    "messagebody",
    "msgtext",
    "msgcontent",
    "value",
    "m",
    "txt",
    "comment",
    "data",
    "payload",
    "내용",
    "메시지",
    "메세지",
    "본문",
    "말",
];
/// Fields that hold nothing themselves, but an object with the words.
pub(super) const ENVELOPE: &[&str] = &["post", "result", "d", "params", "response", "notification"];
/// Fields that hold what an event says, beside its name.
pub(super) const PAYLOAD: &[&str] =
    &["data", "payload", "params", "d", "body", "content", "detail", "details", "args"];
/// Fields that say why something did not work.
pub(super) const REASON: &[&str] = &["error", "reason", "detail", "description"];
/// Fields that hold where a picture or a file is.
pub(super) const ATTACHED: &[&str] = &[
    "url",
    "link",
    "fileurl",
    "imageurl",
    "image",
    "file",
    "media",
    "mediaurl",
    "attachment",
    "attachmenturl",
    "src",
    "photo",
];
/// Those of them that hold no picture of the sender.
pub(super) const FILE: &[&str] =
    &["fileurl", "file", "mediaurl", "media", "attachment", "attachmenturl", "imageurl", "url", "link"];
/// Fields that hold the name of a file.
pub(super) const FILE_NAME: &[&str] = &["filename", "originalname", "title"];
/// Fields that name who said it, the most telling first.
pub(super) const SENDER: &[&str] = &[
    "username",
    "sendername",
    "senderusername",
    "displayname",
    "nickname",
    "nick",
    "fromname",
    "fromusername",
    "fromuser",
    "authorname",
    "sender",
    "user",
    "author",
    "from",
    "handle",
    "userlogin",
    "login",
    "name",
    "by",
    "owner",
    "writer",
    "client",
    "player",
    "playername",
    "speaker",
    "who",
    "alias",
    "screenname",
    "fullname",
    "person",
    "uname",
    "usr",
    "u",
    "sendernickname",
    "membername",
    "membernickname",
    "usernickname",
    "writername",
    "creator",
    "createdby",
    "postedby",
    "sentby",
    "userid",
    "senderid",
    "fromid",
    "fromuid",
    "fromuserid",
    "authorid",
    "uid",
    "socketid",
    "clientid",
    "memberid",
    "playerid",
    "닉네임",
    "이름",
    "보낸사람",
    "작성자",
    "사용자",
    "아이디",
];
/// Fields that hold the sender's id, beside a name.
pub(super) const SENDER_ID: &[&str] = &[
    "userid",
    "senderid",
    "fromid",
    "fromuid",
    "fromuserid",
    "authorid",
    "uid",
    "socketid",
    "clientid",
    "from",
    "sender",
    "user",
    "memberid",
    "playerid",
];
/// Words before `name` in fields that name the sender: `agent_name`.
pub(super) const SENDERS: &[&str] = &[
    "sender",
    "user",
    "from",
    "author",
    "member",
    "player",
    "agent",
    "operator",
    "customer",
    "client",
    "account",
    "participant",
    "owner",
    "driver",
    "staff",
    "profile",
];
/// Words in fields that name somebody else.
pub(super) const OTHERS: &[&str] = &[
    "to",
    "receiver",
    "recipient",
    "target",
    "other",
    "reply",
    "replied",
    "mention",
    "mentioned",
    "quoted",
    "partner",
    "peer",
    "friend",
];
/// Fields of a person that hold their name.
pub(super) const PERSON_NAME: &[&str] = &[
    "username",
    "displayname",
    "nickname",
    "nick",
    "name",
    "fullname",
    "login",
    "handle",
    "user",
    "sender",
    "email",
    "uname",
    "playername",
    "닉네임",
    "이름",
    "사용자",
];
/// Fields of a person that hold their id.
pub(super) const PERSON_ID: &[&str] =
    &["userid", "id", "uid", "socketid", "clientid", "_id", "senderid", "sid", "playerid", "connectionid"];
/// Fields that name the room.
pub(super) const ROOM: &[&str] = &[
    "room",
    "roomname",
    "roomid",
    "roomcode",
    "roomnumber",
    "rid",
    "chatroom",
    "chatroomid",
    "chatroomname",
    "channel",
    "channelname",
    "channelid",
    "chatid",
    "conversation",
    "conversationid",
    "dialogid",
    "groupid",
    "group",
    "groupname",
    "chat",
    "topic",
    "threadid",
    "방",
    "채팅방",
    "방이름",
];
/// Fields that hold the message's own id.
pub(super) const ID: &[&str] = &[
    "messageid",
    "msgid",
    "id",
    "_id",
    "uuid",
    "guid",
    "mid",
    "clientmessageid",
    "clientmsgid",
    "tempid",
    "localid",
];
/// Fields that say when.
pub(super) const TIME: &[&str] = &[
    "timestamp",
    "createdat",
    "sentat",
    "time",
    "date",
    "datetime",
    "ts",
    "created",
    "sent",
    "at",
    "sendtime",
    "senttime",
    "createtime",
    "regdate",
    "sendat",
    "posted",
    "postedat",
    "sentdate",
    "createddate",
    "__createdtime__",
    "t",
    "updatedat",
    "시간",
    "시각",
];
/// Fields that say whether we said it.
pub(super) const MINE: &[&str] = &[
    "self",
    "isself",
    "own",
    "isown",
    "mine",
    "ismine",
    "fromme",
    "isme",
    "fromself",
    "me",
    "byme",
    "sentbyme",
    "currentuser",
    "iscurrentuser",
];
/// Fields that say whether the server itself speaks.
pub(super) const OF_SERVER_FLAG: &[&str] =
    &["system", "issystem", "issystemmessage", "systemmessage", "isserver", "isnotice"];
/// The same, unless somebody is named: it may be said of them.
pub(super) const OF_ADMIN_FLAG: &[&str] = &["admin", "bot"];
/// Fields that say of which kind a message is.
pub(super) const KIND: &[&str] = &[
    "type",
    "messagetype",
    "msgtype",
    "kind",
    "event",
    "action",
    "chattype",
    "command",
    "cmd",
    "eventtype",
    "eventname",
    "method",
];
/// Kinds of messages that are no text.
pub(super) const MEDIA: &[&str] = &[
    "image", "img", "photo", "picture", "file", "video", "audio", "voice", "sticker", "gif", "location",
    "emoji",
];
/// Fields that say to whom a message goes.
pub(super) const RECIPIENT: &[&str] = &[
    "to",
    "recipient",
    "receiver",
    "recipientid",
    "receiverid",
    "recipientname",
    "toid",
    "touser",
    "touid",
    "touserid",
    "receivername",
    "listener",
];
/// Fields that only somebody has.
pub(super) const SOMEBODY_FIELD: &[&str] =
    &["userid", "username", "user", "nickname", "nick", "displayname", "memberid"];
/// Fields that hold people.
pub(super) const PEOPLE: &[&str] = &[
    "users",
    "usernames",
    "members",
    "participants",
    "people",
    "clients",
    "userlist",
    "onlineusers",
    "players",
    "onlineuserslist",
    "nicks",
    "nicknames",
    "connectedusers",
    "activeusers",
    "currentusers",
    "roomusers",
    "allusers",
    "userids",
];
/// Fields that hold a list of people, or whether somebody is there.
pub(super) const PEOPLE_OR_FLAG: &[&str] = &["online", "connected"];
/// Fields that hold earlier messages.
pub(super) const HISTORY: &[&str] = &[
    "messages",
    "history",
    "previousmessages",
    "oldmessages",
    "chathistory",
    "messagehistory",
    "chatlog",
    "log",
    "chats",
    "messagelist",
    "chatmessages",
    "lastmessages",
    "recentmessages",
];
/// Those of them that hold lists of bare texts, too.
pub(super) const TEXTS: &[&str] = &["messages", "history", "previousmessages", "oldmessages", "chathistory"];
/// Fields that name a device.
pub(super) const DEVICE: &[&str] = &[
    "device",
    "deviceid",
    "devicename",
    "sensor",
    "sensorid",
    "sensorname",
    "node",
    "nodeid",
    "nodename",
    "machine",
    "machineid",
    "station",
    "stationid",
    "thing",
    "thingid",
    "mac",
    "serial",
    "host",
    "hostname",
    "source",
    "location",
];
/// Fields that name what is measured.
pub(super) const METRIC: &[&str] =
    &["metric", "metricname", "measurement", "property", "field", "key", "quantity", "parameter"];
/// Fields that hold what was measured.
pub(super) const READING: &[&str] = &["value", "reading", "val", "measured", "v"];
/// Fields that hold the unit.
pub(super) const UNIT: &[&str] = &["unit", "units", "uom", "unitofmeasurement"];
/// Fields that may hold a secret.
pub(super) const SECRET: &[&str] =
    &["sessionid", "token", "accesstoken", "refreshtoken", "password", "secret", "jwt", "apikey"];

/// What an event's name, or the word for a message's kind, says of it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Somebody said something.
    Message,
    /// Earlier messages.
    History,
    /// Somebody came.
    Joined,
    /// Somebody went.
    Left,
    /// Somebody is typing.
    Typing,
    /// Nobody is typing any more.
    TypingEnded,
    /// Who is there.
    People,
    /// Who we are.
    Me,
    /// The server says something.
    Notice,
    /// Nothing for a person: a heartbeat.
    Nothing,
    /// Something that is known and not read: a message was changed or taken back.
    Other,
}

/// A name as it is compared: small letters and digits alone.
pub(super) fn folded(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric() || *c == '_' && name.starts_with('_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The words of a name: `newMessage`, `new_message`, `new message`, `NEW-MESSAGE` are two.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().take(128).collect();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        let begins = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || b.is_numeric()
                    || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        if (begins || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Words in the name of an event. Of somebody who comes.
const JOINED: &[&str] = &[
    "join",
    "joined",
    "joins",
    "enter",
    "entered",
    "connected",
    "connect",
    "arrived",
    "came",
    "newuser",
    "입장",
    "접속",
    "userjoin",
    "userjoined",
    "userconnected",
];
/// Words in the name of an event. Of somebody who goes.
const LEFT: &[&str] = &[
    "leave",
    "left",
    "leaves",
    "exit",
    "exited",
    "quit",
    "disconnected",
    "disconnect",
    "gone",
    "userleft",
    "userleave",
    "userdisconnected",
    "offline",
    "logout",
    "useroffline",
    "bye",
    "퇴장",
];
/// Words in the name of an event. Of somebody who says something.
const SAID: &[&str] = &[
    "message",
    "msg",
    "chat",
    "messages",
    "msgs",
    "said",
    "say",
    "chatmessage",
    "newmessage",
    "text",
    "dm",
    "pm",
    "whisper",
    "talk",
    "comment",
    "commented",
    "reply",
    "채팅",
    "메시지",
    "메세지",
    "대화",
];
/// Words in the name of an event. Of who is there.
const PEOPLE_HERE: &[&str] = &[
    "users",
    "people",
    "members",
    "participants",
    "roster",
    "userlist",
    "online",
    "clients",
    "roomusers",
    "players",
    "presence",
];
/// Words in the name of an event. Of somebody who types.
const TYPING_NOW: &[&str] =
    &["typing", "type", "types", "istyping", "writing", "composing", "usertyping", "입력중"];
/// Words in the name of an event. Of what has ended.
const ENDED: &[&str] = &[
    "stop",
    "stopped",
    "stops",
    "end",
    "ended",
    "no",
    "not",
    "done",
    "off",
    "stoptyping",
    "finished",
    "cancel",
    "clear",
    "cleared",
    "hide",
    "hidden",
];
/// Words in the name of an event. Of what was earlier.
const EARLIER: &[&str] = &[
    "previous", "history", "old", "past", "load", "loaded", "recent", "backlog", "log", "all", "init",
    "initial",
];
/// Words in the name of an event. Of earlier messages.
const EARLIER_MESSAGES: &[&str] = &["history", "previousmessages", "backlog", "chathistory", "oldmessages"];
/// Words in the name of an event. Of who we are.
const OURSELVES: &[&str] = &["session", "me", "whoami", "self", "identity", "registered"];
/// Names of events that tell who we are, folded.
const TELL_US: &[&str] = &[
    "id",
    "yourid",
    "myid",
    "clientid",
    "socketid",
    "assignid",
    "yourname",
    "assignname",
    "nameresult",
    "yourusername",
    "assignedname",
];
/// Words in the name of an event. Of words of the server.
const OF_SERVER: &[&str] = &[
    "system",
    "notice",
    "status",
    "info",
    "notification",
    "notifications",
    "announcement",
    "announcements",
    "alerts",
    "announce",
    "alert",
    "warning",
    "warn",
    "error",
    "errors",
    "exception",
    "welcome",
    "bot",
    "server",
    "motd",
    "broadcast",
];
/// Words in the name of an event. Of what did not work.
const FAILED: &[&str] =
    &["error", "errors", "exception", "fail", "failed", "failure", "denied", "rejected", "invalid"];
/// Words in the name of an event. Of what did.
const DONE: &[&str] = &["ok", "success", "succeeded", "successful"];
/// Words in the name of an event. Of what somebody is called.
const CALLED: &[&str] = &["name", "nick", "nickname", "username"];
/// Words in the name of an event. Of what is for programs alone.
const OF_PROGRAMS: &[&str] = &["ping", "pong", "heartbeat", "keepalive", "ack", "hb"];

/// Words in the name of an event. Of the server itself, whatever the event says besides.
const OF_SERVER_ALONE: &[&str] = &["system", "server", "announcement", "notice", "notification"];
/// Words in the name of an event. Of what was done to a message that was there before.
const DONE_TO_ONE: &[&str] = &[
    "edit",
    "edited",
    "update",
    "updated",
    "delete",
    "deleted",
    "remove",
    "removed",
    "unsend",
    "unsent",
    "pin",
    "pinned",
    "react",
    "reaction",
    "reactions",
];
/// Words in the name of an event. Of what was done to one, where `chat` stands for a message.
const DONE_TO_CHAT: &[&str] = &["edit", "edited", "delete", "deleted", "reaction", "reactions", "pinned"];
/// Words in the name of an event. Of a message that has arrived or was read.
const RECEIPT: &[&str] = &["ack", "delivered", "read", "seen", "receipt"];
/// Words in the name of an event. Of one person.
const SOMEBODY: &[&str] = &["user", "member", "participant", "client", "person", "player"];

/// What a name says; none where it says nothing that is known.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let mut words = words(name);
    // `message_from_server`: that is the direction.
    let is_direction = |pair: &[String]| {
        matches!([pair[0].as_str(), pair[1].as_str()], ["from", "server"] | ["to", "client" | "clients"])
    };
    if let Some(place) = words.windows(2).position(is_direction) {
        words.drain(place..place + 2);
    }
    let is = |set: &[&str]| words.iter().any(|word| set.contains(&word.as_str()));
    let typing = is(TYPING_NOW);
    let is_history =
        is(EARLIER_MESSAGES) || is(EARLIER) && is(&["messages", "msgs", "chats", "chat", "message", "log"]);
    // `chat` alone may be where it happens: `chat users`, `chat:join`.
    let is_said = words.iter().any(|word| word != "chat" && SAID.contains(&word.as_str()));
    let is_people = is(PEOPLE_HERE) && (!is(SAID) || !is_said && !is(&["online", "presence"]))
        || is(SOMEBODY) && is(&["list"])
        || words.iter().any(|word| word.len() > 5 && word.ends_with("users") && word != "users");
    Some(match () {
        () if is(FAILED) => Meaning::Notice,
        () if typing && is(ENDED) || is(&["stoptyping", "typingstop"]) => Meaning::TypingEnded,
        () if typing && !is(&["type", "types"]) => Meaning::Typing,
        () if is_said && is(RECEIPT) => Meaning::Nothing,
        () if is_said && is(DONE_TO_ONE) || is(&["chat"]) && is(DONE_TO_CHAT) => Meaning::Other,
        () if is_history => Meaning::History,
        () if is(LEFT) && (!is_said || is(SOMEBODY)) => Meaning::Left,
        () if is(PEOPLE_HERE) && is(&["remove", "removed"]) => Meaning::Left,
        () if is(PEOPLE_HERE) && is(&["add", "added"]) => Meaning::Joined,
        () if is_people && is(&["list"]) => Meaning::People,
        () if is(&["new", "add", "added"]) && is(SOMEBODY) && !is_said => Meaning::Joined,
        () if is(&["remove", "removed", "del", "delete", "deleted"]) && is(SOMEBODY) && !is_said => {
            Meaning::Left
        }
        () if is(JOINED) && (!is_said || is(SOMEBODY)) && !(is(&["users"]) && is(&["connected"])) => {
            Meaning::Joined
        }
        () if is(&["login", "loggedin"]) && is(DONE) => Meaning::Me,
        () if is(&["login", "loggedin"]) => Meaning::Joined,
        () if is_people => Meaning::People,
        () if TELL_US.contains(&folded(name).as_str()) => Meaning::Me,
        () if is(CALLED) && is(&["change", "changed", "update", "updated", "new", "set"]) => Meaning::Other,
        () if is(SAID) && is(OF_SERVER_ALONE) => Meaning::Notice,
        () if is(SAID) || is(&["my"]) && is(&["response"]) => Meaning::Message,
        () if is(OURSELVES) => Meaning::Me,
        () if is(OF_SERVER) => Meaning::Notice,
        () if is(OF_PROGRAMS) => Meaning::Nothing,
        () => return None,
    })
}

/// Whether a name speaks of people: then `connected` and the like tell who is there.
pub(super) fn is_of_people(name: &str) -> bool {
    words(name).iter().any(|word| {
        SOMEBODY.contains(&word.as_str()) || matches!(word.as_str(), "presence" | "online" | "users")
    })
}

/// Whether a name speaks of something that did not work.
pub(super) fn is_of_failure(name: &str) -> bool {
    words(name).iter().any(|word| FAILED.contains(&word.as_str()))
}

/// Whether a name says that a message is ours: `own message`.
pub(super) fn is_of_ours(name: &str) -> bool {
    let words = words(name);
    let is = |set: &[&str]| words.iter().any(|word| set.contains(&word.as_str()));
    is(&["own", "self"]) && is(SAID)
}

/// Whether a field names the sender: `game_nickname`, `agentName`.
pub(super) fn is_name_of_sender(field: &str) -> bool {
    let words = words(field);
    let is_of_another = words.iter().any(|word| OTHERS.contains(&word.as_str()));
    !is_of_another
        && match words.as_slice() {
            [.., last] if matches!(last.as_str(), "nickname" | "username") => true,
            [.., before, last] => {
                matches!(last.as_str(), "name" | "nick" | "email") && SENDERS.contains(&before.as_str())
            }
            _ => false,
        }
}

/// Whether a name speaks of a room, and of nobody in it.
pub(super) fn is_of_room(name: &str) -> bool {
    let words = words(name);
    let is = |set: &[&str]| words.iter().any(|word| set.contains(&word.as_str()));
    is(&["room", "channel", "group"]) && !is(SOMEBODY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_falls_into_its_words_however_they_are_joined() {
        for name in [
            "new message",
            "new-message",
            "new_message",
            "newMessage",
            "NewMessage",
            "NEW_MESSAGE",
            "new:message",
            "new.message",
        ] {
            assert_eq!(words(name), ["new", "message"], "{name}");
        }
        assert_eq!(words("userJSONList2"), ["user", "json", "list2"]);
        assert_eq!(words("메시지 전송"), ["메시지", "전송"]);
        assert!(words("///").is_empty());
    }

    #[test]
    fn names_of_events_say_what_they_are() {
        use Meaning::*;
        for (name, meant) in [
            ("chat message", Some(Message)),
            ("chat-message", Some(Message)),
            ("receive_message", Some(Message)),
            ("private message", Some(Message)),
            ("newMessage", Some(Message)),
            ("msg", Some(Message)),
            ("message:new", Some(Message)),
            ("previousMessages", Some(History)),
            ("load old messages", Some(History)),
            ("chat history", Some(History)),
            ("user joined", Some(Joined)),
            ("userConnected", Some(Joined)),
            ("new user", Some(Joined)),
            ("user left", Some(Left)),
            ("user-disconnected", Some(Left)),
            ("LEAVE", Some(Left)),
            ("typing", Some(Typing)),
            ("user typing", Some(Typing)),
            ("stop typing", Some(TypingEnded)),
            ("stopTyping", Some(TypingEnded)),
            ("roomUsers", Some(People)),
            ("users", Some(People)),
            ("session", Some(Me)),
            ("status", Some(Notice)),
            ("system", Some(Notice)),
            ("ping", Some(Nothing)),
            ("temperature", None),
            ("sensor data", None),
        ] {
            assert_eq!(meaning(name), meant, "{name}");
        }
    }
}
