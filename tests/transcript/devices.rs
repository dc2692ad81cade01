//! Devices over a link: who is silent and who only seems so, what a hub takes, a device's own session.

use duplex::model::Time;
use duplex::wire::duplex::limits;
use duplex::wire::duplex::server::{Input, Output};

use super::link::watching;
use super::server::server;
use super::{BEGIN, Peer, replay};

/// From off to online, told of all devices.
const ONLINE: &str = "
    @ start
    ! dialing 1
    > dial ws://a
    < open
    ! handshaking 1
    > hello token=t
    < welcome recent from=1 head=0 now=0
    ! online
    ! welcomed as me head=0
    ! log started First from=1
    > watch
    > ping 1
    < pong 1 sent=0
    ! online rtt=0
";

fn online(transcript: &str) {
    replay(watching(), &format!("{ONLINE}{transcript}"));
}

// Silent

#[test]
fn a_device_is_silent_only_after_round_trips() {
    online(
        "
        < devices -100 pump/heard=0/every=1
        ! devices pump
        +2s
        < readings pump@2:t=1
        ! readings pump@2000 t=1
        # three intervals later
        +2999ms
        +1ms
        > ping 2
        +10ms
        < pong 2 sent=0
        ! online rtt=10
        > ping 3
        +10ms
        < pong 3 sent=0
        ! online rtt=10
        ! silent pump since 5000
        # it is told once
        +20s
        < readings pump@25.02:t=2
        ! readings pump@25020 t=2
        +3s
        > ping 4
        ",
    );
}

#[test]
fn a_dead_link_never_looks_like_a_silent_device() {
    online(
        "
        < devices -100 pump/heard=0/every=1
        ! devices pump
        +3s
        > ping 2
        +1999ms
        +1ms
        > hang up 1000
        ! waiting 1 silent
        ",
    );
}

#[test]
fn what_the_hub_held_back_comes_between_the_round_trips() {
    online(
        "
        < devices -100 pump/heard=0/every=1
        ! devices pump
        +3s
        > ping 2
        < pong 2 sent=0
        ! online rtt=0
        > ping 3
        < readings pump@3:t=1
        ! readings pump@3000 t=1
        < pong 3 sent=0
        ! online rtt=0
        # it is due anew
        +2999ms
        +1ms
        > ping 4
        ",
    );
}

/// The whole program stands still for ten seconds: the readings of that time wait in the socket, one behind the other.
#[test]
fn a_program_that_stood_still_reads_first_and_judges_then() {
    let mut wire = watching();
    let mut now = BEGIN;
    let mut said = Vec::new();
    let mut take = |now: Time, line: &str| {
        wire.take(now, line);
        said.extend(std::iter::from_fn(|| wire.poll()));
    };
    for line in ONLINE.lines().map(str::trim).filter(|line| line.starts_with(['<', '@'])) {
        take(now, line);
    }
    take(now, "< devices -100 a/heard=0/every=1 b/heard=0/every=1");
    now = now.plus(10_000);
    for second in 1..10 {
        take(now, &format!("< readings a@{second}:t=1"));
        take(now, &format!("< readings b@{second}:t=1"));
    }
    wire.tick(now);
    said.extend(std::iter::from_fn(|| wire.poll()));
    assert!(!said.iter().any(|line| line.contains("silent") || line.contains("ping 2")), "{said:#?}");
    // What then stays away is due three intervals after it was read.
    for due in [2_000, 3_000] {
        assert_eq!(wire.deadline(), Some(now.boot_ms + due));
        wire.tick(now.plus(due));
    }
    let said: Vec<_> = std::iter::from_fn(|| wire.poll()).collect();
    assert_eq!(said, ["> ping 2"]);
}

#[test]
fn devices_that_stop_together_cost_two_round_trips() {
    online(
        "
        < devices -100 a/heard=0/every=1 more
        ! devices a (more)
        < devices -100 b/heard=-0.5/every=1 c/heard=0/every=60
        ! devices b c
        +2500ms
        > ping 2
        +500ms
        < pong 2 sent=0
        ! online rtt=500
        > ping 3
        < pong 3 sent=0
        ! online rtt=0
        ! silent b since 2500
        > ping 4
        < pong 4 sent=0
        ! online rtt=0
        > ping 5
        < pong 5 sent=0
        ! online rtt=0
        ! silent a since 3000
        ",
    );
}

#[test]
fn a_rhythm_is_learned_where_none_was_told() {
    online(
        "
        < devices -100
        ! devices
        < readings pump@0:t=1
        ! readings pump@0 t=1
        +1s
        < readings pump@1:t=2
        ! readings pump@1000 t=2
        +2s
        < readings pump@3:t=3
        ! readings pump@3000 t=3
        # the longest interval so far was 2 s
        +5999ms
        +1ms
        > ping 2
        ",
    );
}

#[test]
fn a_device_of_unknown_rhythm_has_a_minute() {
    online(
        "
        < devices -100 pump/heard=0
        ! devices pump
        +25s
        > ping 2
        < pong 2 sent=0
        ! online rtt=0
        +25s
        > ping 3
        < pong 3 sent=0
        ! online rtt=0
        +9999ms
        +1ms
        > ping 4
        < pong 4 sent=0
        ! online rtt=0
        > ping 5
        < pong 5 sent=0
        ! online rtt=0
        ! silent pump since 60000
        ",
    );
}

#[test]
fn a_device_that_said_it_goes_is_not_silent() {
    online(
        "
        < devices -100 pump/heard=0/every=1 lamp/offline/heard=-50/every=1
        ! devices pump lamp
        +2s
        < device_state pump offline 2
        ! pump offline since 2000
        # from before, and late
        < readings pump@1.9:t=1
        ! readings pump@1900 t=1
        +20s
        < device pump/every=1
        ! announced pump
        +3s
        > ping 2
        ",
    );
}

#[test]
fn a_replay_of_the_log_goes_before_readings_and_makes_nobody_silent() {
    replay(
        watching(),
        "
        @ start
        ! dialing 1
        > dial ws://a
        < open
        ! handshaking 1
        > hello token=t
        < welcome recent from=1 head=3 now=0
        ! online
        ! welcomed as me head=3
        ! log started First from=1
        > watch
        > ping 1
        < devices -100 pump/heard=0/every=1
        ! devices pump
        < pong 1 sent=0
        ! online rtt=0
        +9s
        < log 1a 2b
        ! entries 1a 2b replayed
        +1s
        < log 3c
        ! entries 3c replayed
        +1999ms
        +1ms
        > ping 2
        ",
    );
}

/// Three devices publish each second when their hub is killed. It is back with what its disk held: two of them come
/// back, the third has half a minute to do so.
#[test]
fn a_hub_that_is_killed_makes_nobody_silent() {
    let mut transcript = "
        < devices -100 a/heard=0/every=1 b/heard=0/every=1 c/heard=0/every=1
        ! devices a b c
        +1s
        < readings a@1:t=1 b@1:t=1 c@1:t=1
        ! readings a@1000 t=1, b@1000 t=1, c@1000 t=1
        +1s
        < closed lost
        > hang up 1000
        ! waiting 1 lost
        +500ms
        ! dialing 2
        > dial ws://a
        # nothing is due while the link is down
        +9s
        < open
        ! handshaking 2
        > hello token=t since=0
        < welcome recent from=1 head=0 now=11.5
        ! online
        ! welcomed as me head=0
        ! log started First from=1
        > watch
        > ping 1
        < devices 10 a/heard=1/every=1 b/heard=1/every=1 c/heard=1/every=1
        ! devices a b c
        < pong 1 sent=0
        ! online rtt=0
        +500ms
    "
    .to_owned();
    for second in 12..40 {
        let ms = second * 1_000;
        transcript +=
            &format!("< readings a@{second}:t=1 b@{second}:t=1\n! readings a@{ms} t=1, b@{ms} t=1\n+1s\n");
    }
    transcript += "
        > ping 2
        < pong 2 sent=0
        ! online rtt=0
        > ping 3
        < pong 3 sent=0
        ! online rtt=0
        ! silent c since 40000
    ";
    online(&transcript);
}

// What comes

#[test]
fn one_bad_value_costs_that_value_alone() {
    online(
        r#"
        < json {"type":"readings","samples":[{"device":"pump","at":1790000000000,"received":1790000000000,"values":{"a":1e999,"b":[1,[2]],"c":{"d":1e999}," e":1,"f":2,"f":3,"g":-1e-999,"h":"1e999","i":null}}]}
        ! readings pump@0 f=3 g=-0.0 h="1e999" i=null
        ! note malformed values left out: 4, the first of `pump`: out_of_range; `a` (out_of_range), `b` (bad_value), `c` (bad_value), …
        < json {"type":"readings","samples":[{"device":" ","at":0,"received":0,"values":{"a":1,"b":2}},{"values":{"a":true},"received":1790000000007,"more":{"a":[]},"at":1790000000005,"device":"lamp"}],"conflated":7}
        ! readings lamp@5 a=true conflated=7
        ! note malformed values left out: 2, the first of ` `: bad_name
        # the app keeps such ids for itself
        < json {"type":"readings","samples":[{"device":"~link","at":0,"received":0,"values":{"a":1}}]}
        ! note malformed values left out: 1, the first of `~link`: bad_name
        "#,
    );
}

#[test]
fn a_whole_number_keeps_its_digits_or_is_left_out() {
    online(
        r#"
        < json {"type":"readings","samples":[{"device":"pump","at":1790000000000,"received":1790000000000,"values":{"a":1724442618569203714,"b":9007199254740993,"c":18446744073709551615,"d":-9223372036854775807,"e":1e15}}]}
        ! readings pump@0 a=1724442618569203714 b=9007199254740993 c=18446744073709551615 d=-9223372036854775807 e=1000000000000000
        < json {"type":"readings","samples":[{"device":"pump","at":1790000000000,"received":1790000000000,"values":{"a":18446744073709551616,"b":9007199254740993,"c":-9223372036854775809,"d":1e19}}]}
        ! readings pump@0 b=9007199254740993 d=10000000000000000000
        ! note malformed values left out: 2, the first of `pump`: out_of_range; `a` (out_of_range), `c` (out_of_range)
        "#,
    );
}

#[test]
fn readings_come_in_any_order_of_keys_and_with_white_space() {
    online(
        r#"
        < json { "samples" : [ { "values" : { "t" : 1 } , "device" : "pump" , "received" : 1790000000002 , "at" : 1790000000001 } ] , "type" : "readings" }
        ! readings pump@1 t=1
        < json {"\u0074ype":"readin\u0067s","samples":[{"device":"p\u0075mp","at":1790000000001,"received":1790000000001,"values":{"\u0074":"\u0041"}}]}
        ! readings pump@1 t="A"
        # nothing said is a sign of life
        < json {"type":"readings","samples":[{"device":"pump","at":1790000000001,"received":1790000000001,"values":{}}]}
        ! readings pump@1
        < json {"type":"readings","samples":[]}
        "#,
    );
}

#[test]
fn readings_that_are_none_are_noted_and_skipped() {
    let deep = format!(
        "< json {{\"type\":\"readings\",\"x\":{}{},\"samples\":[]}}\n! note malformed nested deeper…",
        "[".repeat(16),
        "]".repeat(16)
    );
    let large = format!(
        "< json {{\"type\":\"readings\",\"x\":\"{}\",\"samples\":[]}}\n! note malformed a frame of…",
        "x".repeat(1 << 20)
    );
    online(&format!(
        r#"
        < json {{"type":"readings"}}
        ! note malformed missing field `samples`…
        < json {{"type":"readings","samples":[{{"device":"pump","at":0,"received":0}}]}}
        ! note malformed missing field `values`…
        < json {{"type":"readings","samples":[{{"device":"pump","received":0,"values":{{}}}}]}}
        ! note malformed missing field `at`…
        < json {{"type":"readings","samples":[{{"device":7,"at":0,"received":0,"values":{{}}}}]}}
        ! note malformed invalid type…
        < json {{"type":"readings","samples":[],"type":"log"}}
        ! note malformed duplicate field `type`…
        < json {{"type":"readings","samples":[{{"device":"pump","at":0
        ! note malformed EOF…
        {deep}
        {large}
        "#
    ));
}

#[test]
fn times_beyond_all_clocks_are_brought_into_range() {
    online(
        r#"
        < json {"type":"readings","samples":[{"device":"pump","at":-9223372036854775808,"received":9223372036854775807,"values":{"t":1}}]}
        ! readings pump@-1790000000000 t=1
        "#,
    );
}

// A device's own session

#[test]
fn a_device_has_no_log_to_begin_anew() {
    replay(
        watching(),
        r#"
        @ start
        ! dialing 1
        > dial ws://a
        < open
        ! handshaking 1
        > hello token=t
        < welcome recent from=1 head=0 as=device
        ! online
        ! welcomed as device head=0
        > ping 1
        < pong 1 sent=0
        ! online rtt=0
        @ publish pump@0:t=21.5,on=true lamp@1:on=false
        > json {"type":"publish","samples":[{"device":"pump","at":1790000000000,"values":{"on":true,"t":21.5}},{"device":"lamp","at":1790000001000,"values":{"on":false}}]}
        < json {"type":"command","id":"00000000-0000-0000-0000-000000000061","device":"pump","property":"on","value":false,"by":{"id":"me","name":"me"},"expires_in_ms":30000}
        ! given a pump on=false by me for 30000
        < json {"type":"publish_refused","device":"pump","code":"too_many"}
        ! publish refused pump too_many
        < json {"type":"publish_refused","device":" ","code":"bad_name"}
        ! note error bad_name
        "#,
    );
}

#[test]
fn a_device_publishes_and_answers_and_nothing_else() {
    replay(
        server(),
        r#"
        < open as device
        < hello resume=5a
        * begin device
        @ begun head=5 id=a
        > welcome recent from=1 head=0
        @ drained
        < json {"type":"announce","device":"pump","metrics":[{"name":"on","type":"flag","writable":true}]}
        * announce pump
        < json {"type":"publish","samples":[{"device":"pump","values":{"t":1}}]}
        * publish pump@0 t=1
        < json {"type":"device_state","device":"pump","online":false,"reason":"over"}
        * device pump false over
        # chat is not for it
        @ committed 6b
        @ head 7
        @ presence other
        @ typing other
        @ read 3
        < send a seq=1 hello
        * find a by device, or not_allowed
        @ refused a not_allowed
        > refused a not_allowed
        < json {"type":"watch"}
        > error not_allowed a device…
        < json {"type":"command","id":"00000000-0000-0000-0000-000000000061","device":"pump","property":"on","value":true}
        > error not_allowed a device…
        < read general 1
        > error not_allowed a device…
        < ping 1
        > pong 1 sent=0
        @ given a pump on
        > json {"type":"command","id":"00000000-0000-0000-0000-000000000061","device":"pump","property":"on","value":true,"by":{"id":"other","name":"other"},"expires_in_ms":30000}
        < json {"type":"command_result","id":"00000000-0000-0000-0000-000000000061","state":"failed","detail":"stuck"}
        * result a Failed { detail: "stuck" }
        < json {"type":"command_result","id":"00000000-0000-0000-0000-000000000061","state":"pending"}
        > error malformed a result…
        < bye
        > close 1000
        "#,
    );
}

// What a hub takes

const WELCOME: &str = "
    < open as me
    < hello
    * begin me
    @ begun head=0
    > welcome recent from=1 head=0
    @ drained
";

fn welcomed(transcript: &str) {
    replay(server(), &format!("{WELCOME}{transcript}"));
}

#[test]
fn what_cannot_be_used_of_a_publish_is_left_out_and_told() {
    let long = "x".repeat(limits::TEXT_BYTES + 1);
    let many = r#"{"device":"pump","at":1790000000000,"values":{"t":1}},"#.repeat(limits::SAMPLES);
    let taken = ["pump@0 t=1"; limits::SAMPLES].join(", ");
    welcomed(&format!(
        r#"
        < json {{"type":"publish","samples":[{{"device":"pump","at":null,"received":7,"values":{{"t":1e999,"text":"{long}","deep":[]}}}},{{"device":"~link","values":{{"t":1}}}}]}}
        * publish pump@0
        > publish_refused pump out_of_range values left out: 4, the first of `pump`: out_of_range; `t` (out_of_range), `text` (too_large), `deep` (bad_value), …
        < json {{"type":"publish","samples":[{many}{{"device":"lamp","values":{{"t":1,"u":2}}}}]}}
        * publish {taken}
        > publish_refused lamp too_many values left out: 2, the first of…
        < json {{"type":"publish","samples":[{{"device":"pump","values":7}}]}}
        > error malformed…
        "#
    ));
}

#[test]
fn an_announcement_beyond_the_limits_is_refused_with_a_word() {
    let metrics = |count: usize| {
        let metrics: Vec<_> = (0..count).map(|at| format!(r#"{{"name":"m{at}"}}"#)).collect();
        format!(r#"{{"type":"announce","device":"pump","metrics":[{}]}}"#, metrics.join(","))
    };
    let (most, too_many) = (metrics(256), metrics(257));
    let (reason, cut) = ("x".repeat(limits::REASON_CHARS + 1), "x".repeat(limits::REASON_CHARS));
    let large = "x".repeat(limits::SPEC_BYTES);
    let named = r#"[{"name":"a"},{"name":"a"}]"#;
    welcomed(&format!(
        r#"
        < json {most}
        * announce pump
        < json {too_many}
        > publish_refused pump too_many at most 256 metrics
        < json {{"type":"announce","device":"pump","metrics":{named}}}
        > publish_refused pump bad_name two metrics are called `a`
        < json {{"type":"announce","device":"pump","later":"{large}"}}
        > publish_refused pump too_large an announcement…
        < json {{"type":"announce","device":"~link"}}
        > publish_refused ~link bad_name…
        < json {{"type":"device_state","device":"pump","online":false,"reason":"{reason}"}}
        * device pump false {cut}
        < json {{"type":"announce","device":""}}
        > error malformed a device's or metric's name…
        "#
    ));
}

#[test]
fn a_command_with_a_text_beyond_the_limit_is_refused() {
    let long = "x".repeat(limits::LONG_TEXT_BYTES + 1);
    let told = "x".repeat(limits::TITLE_CHARS);
    welcomed(&format!(
        r#"
        < json {{"type":"command","id":"00000000-0000-0000-0000-000000000061","device":"pump","property":"label","value":"ok"}}
        * command a by me pump label="ok"
        < json {{"type":"command","id":"00000000-0000-0000-0000-000000000061","device":"pump","property":"label","value":"{long}"}}
        > json {{"type":"commanded","id":"00000000-0000-0000-0000-000000000061","device":"pump","property":"label","value":"{told}"…
        "#
    ));
}

// Chat first

/// Does this and drains what it says.
fn take(peer: &mut super::server::Server, line: &str) {
    peer.take(BEGIN, line);
    while peer.poll().is_some() {}
}

#[test]
fn readings_wait_until_the_socket_has_drained_and_chat_has_gone() {
    let mut hub = server();
    let mut now = |line: &str| {
        take(&mut hub, line);
        hub.0.wants_readings()
    };
    assert!(!now("< open as me"));
    assert!(!now("< hello"));
    assert!(!now("@ begun head=1"));
    assert!(!now("< json {\"type\":\"watch\"}"));
    assert!(!now("@ drained"), "an entry of the log is being read");
    assert!(!now("@ entries 1a"), "it is not taken yet");
    assert!(now("@ drained"));
    assert!(!now("@ readings pump@0:t=1"));
    assert!(now("@ drained"));
    assert!(!now("@ device pump"));
    assert!(now("@ drained"));
    assert!(!now("@ committed 2b"));
    assert!(now("@ drained"));
    assert!(!now("@ head 3"), "chat goes first");
    assert!(!now("@ drained"));
    assert!(!now("@ entries 3c"));
    assert!(now("@ drained"));
    assert!(!now("< bye"));
}

#[test]
fn who_does_not_watch_wants_no_readings() {
    let mut hub = server();
    for line in WELCOME.lines().map(str::trim).filter(|line| line.starts_with(['<', '@'])) {
        take(&mut hub, line);
    }
    assert!(!hub.0.wants_readings());
    hub.0.handle(Time::default(), Input::Readings("{}".into()));
    assert!(matches!(hub.0.poll(), Some(Output::SendShared(_))));
}
