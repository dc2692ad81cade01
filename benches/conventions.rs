//! What a message from a broker costs until it is known which device it is of and what it measures, by convention, beside parsing
//! the same payload with `serde_json` alone in the same run. `DUPLEX_BENCH_QUICK=1` makes it a check that the numbers can be taken.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a bench program")]

use std::hint::black_box;
use std::time::Duration;

use duplex::mapping::mqtt::{Conventions, Publication};
use duplex::model::Time;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use rustix::time::{ClockId, clock_gettime};

/// Topics that send in turn.
const TOPICS: usize = 200;

/// One way in which devices send.
struct Kind {
    name: &'static str,
    /// Messages that describe the devices. `{n}` is the number of the device.
    described: &'static [(&'static str, &'static str)],
    topic: &'static str,
    payloads: [&'static str; 2],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "general rule, a number",
        described: &[],
        topic: "house/room{n}/temperature",
        payloads: ["21.4", "21.5"],
    },
    Kind {
        name: "general rule, JSON of 5 fields",
        described: &[],
        topic: "house/sensor{n}",
        payloads: [
            r#"{"temperature":21.4,"humidity":48,"pressure":1013.2,"battery":97,"on":true}"#,
            r#"{"temperature":21.5,"humidity":47,"pressure":1013.1,"battery":97,"on":false}"#,
        ],
    },
    Kind {
        name: "Home Assistant, 3 entities of one JSON",
        described: &[
            (
                "homeassistant/sensor/d{n}t/config",
                r#"{"name":"T","stat_t":"z/d{n}","val_tpl":"{{ value_json.temperature }}","unit_of_meas":"°C","dev":{"ids":"d{n}"}}"#,
            ),
            (
                "homeassistant/sensor/d{n}h/config",
                r#"{"name":"H","stat_t":"z/d{n}","val_tpl":"{{ value_json.humidity }}","unit_of_meas":"%","dev":{"ids":"d{n}"}}"#,
            ),
            (
                "homeassistant/switch/d{n}s/config",
                r#"{"name":"S","stat_t":"z/d{n}","val_tpl":"{{ value_json.state }}","cmd_t":"z/d{n}/set","dev":{"ids":"d{n}"}}"#,
            ),
        ],
        topic: "z/d{n}",
        payloads: [
            r#"{"temperature":21.4,"humidity":48,"state":"ON","linkquality":80}"#,
            r#"{"temperature":21.5,"humidity":47,"state":"OFF","linkquality":81}"#,
        ],
    },
    Kind {
        name: "Home Assistant, a template",
        described: &[(
            "homeassistant/sensor/d{n}/config",
            r#"{"name":"T","stat_t":"t/d{n}","val_tpl":"{{ (value_json.raw | float / 10) | round(1) }}","unit_of_meas":"°C","dev":{"ids":"d{n}"}}"#,
        )],
        topic: "t/d{n}",
        payloads: [r#"{"raw":214}"#, r#"{"raw":215}"#],
    },
    Kind {
        name: "Zigbee2MQTT, not discovered",
        described: &[],
        topic: "zigbee2mqtt/device {n}",
        payloads: [
            r#"{"battery":100,"humidity":52.24,"linkquality":156,"temperature":21.07,"voltage":3200}"#,
            r#"{"battery":100,"humidity":52.25,"linkquality":157,"temperature":21.08,"voltage":3200}"#,
        ],
    },
    Kind {
        name: "Tasmota SENSOR",
        described: &[],
        topic: "tele/plug{n}/SENSOR",
        payloads: [
            r#"{"Time":"2024-01-01T00:00:00","ENERGY":{"Total":1.5,"Yesterday":0.3,"Today":0.1,"Power":12,"Factor":0.5,"Voltage":228,"Current":0.08}}"#,
            r#"{"Time":"2024-01-01T00:00:10","ENERGY":{"Total":1.5,"Yesterday":0.3,"Today":0.1,"Power":13,"Factor":0.5,"Voltage":229,"Current":0.08}}"#,
        ],
    },
];

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

fn numbered(text: &str, number: usize) -> String {
    text.replace("{n}", &number.to_string())
}

/// CPU time of a message, and of parsing it alone, in nanoseconds.
fn measure(kind: &Kind, rounds: usize) -> (f64, f64) {
    let mut conventions = Conventions::new();
    let mut now = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_700_000_000_000) };
    let mut send = |topic: &str, payload: &str, now: Time| {
        conventions.received(now, &Publication { topic, payload: payload.as_bytes(), retained: false }).len()
    };
    for number in 0..TOPICS {
        for (topic, payload) in kind.described {
            send(&numbered(topic, number), &numbered(payload, number), now);
        }
    }
    let topics: Vec<String> = (0..TOPICS).map(|number| numbered(kind.topic, number)).collect();
    topics.iter().for_each(|topic| assert!(send(topic, kind.payloads[0], now) > 0, "{topic}"));
    let began = cpu();
    for round in 0..rounds {
        now = now.plus(10);
        for topic in &topics {
            black_box(send(topic, kind.payloads[round % 2], now));
        }
    }
    let ours = (cpu() - began).as_nanos() as f64;
    let began = cpu();
    for round in 0..rounds {
        for _ in &topics {
            black_box(
                serde_json::from_str::<serde_json::Value>(black_box(kind.payloads[round % 2])).unwrap(),
            );
        }
    }
    let bare = (cpu() - began).as_nanos() as f64;
    let count = (rounds * TOPICS) as f64;
    (ours / count, bare / count)
}

fn main() {
    let rounds = if std::env::var_os("DUPLEX_BENCH_QUICK").is_some() { 2 } else { 500 };
    println!("{TOPICS} topics in turn, CPU time of a message");
    for kind in KINDS {
        let (ours, bare) = measure(kind, rounds);
        let share = ours * 20_000.0 / 1e9 * 100.0;
        println!(
            "  {:<40} {ours:6.0} ns, {:.1} times bare JSON, {share:.1} % of a core at 20,000 a second",
            kind.name,
            ours / bare
        );
    }
}
