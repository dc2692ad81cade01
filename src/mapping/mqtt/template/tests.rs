//! Templates as they are found in the wild, and as an attacker would write them.

use super::*;
use crate::model::time::WallMs;

fn given(source: &str, payload: &str) -> Result<Option<String>, String> {
    let mut templates = Templates::new();
    templates.set_now(WallMs(1_700_000_000_000));
    let template = templates.compile(source);
    let payload = Payload::new(payload.as_bytes());
    templates.render(&template, &payload).map(Given::into_text)
}

#[test]
fn templates_in_use_give_what_home_assistant_gives() {
    for (source, payload, expected) in [
        ("{{ value_json.power }}", r#"{"power":0}"#, "0"),
        ("{{ value_json['temp_&_x'] }}", r#"{"temp_&_x":1.5}"#, "1.5"),
        ("{{value_json['ENERGY'].Yesterday}}", r#"{"ENERGY":{"Yesterday":0.301}}"#, "0.301"),
        ("{{ value_json.a[0].b }}", r#"{"a":[{"b":true}]}"#, "True"),
        ("{{ value_json.a }}", r#"{"a":null}"#, "None"),
        ("{{value_json.Color.split(',')[0:3]|join(',')}}", r#"{"Color":"128,64,0,0"}"#, "128,64,0"),
        ("{{ float(value|int) * 99 + 1 }}", "1", "100.0"),
        ("{{ value }}+0200", "2022-11-29T06:23:50", "2022-11-29T06:23:50+0200"),
        ("{{ value_json.value | round(0) }}", r#"{"value":99}"#, "99"),
        (
            "{% if value_json.value == 0 %} false {% elif value_json.value == 255 %} true {% else %} unknown {% endif %}",
            r#"{"value":255}"#,
            "true",
        ),
        ("{{ as_datetime(value) }}", "1707350400", "2024-02-08 00:00:00+00:00"),
        ("{{ as_datetime(value) }}", "2024-12-01 15:29:19", "2024-12-01 15:29:19"),
        ("{{ (value | float / 10) | round(1) }}", "215", "21.5"),
        ("{{ value_json.x | float(0) }}", r#"{"x":"abc"}"#, "0"),
        (r"{{ value | regex_replace('(\\d+)mm', '\\1') }}", "12mm", "12"),
        ("{{ value_json.t | timestamp_custom('%H:%M', false) }}", r#"{"t":3600}"#, "01:00"),
        ("{{ (as_timestamp(now()) - value|int) | timestamp_local }}", "60", "2023-11-14T22:12:20+00:00"),
        ("{{ iif(value == 'a', 'yes', 'no') }}", "b", "no"),
        ("{{ value_json.get('a', 7) }}", "{}", "7"),
        ("{{ 'ON' if value_json.on else 'OFF' }}", r#"{"on":false}"#, "OFF"),
        ("{{ value_json.l }}", r#"{"l":["a",1]}"#, "[\"a\",1]"),
        ("{{ '%.1f'|format(value|float) }}", "2.25", "2.2"),
        ("{{ value|int(base=16) }}", "ff", "255"),
        ("{{ value | bitwise_and(6) }}", "15", "6"),
        ("{{ value_json.list | map(attribute='v') | sum }}", r#"{"list":[{"v":1},{"v":2}]}"#, "3"),
        ("{{ { 'a': 'x' }[value] | default('unknown') }}", "b", "unknown"),
        ("online", "anything", "online"),
    ] {
        assert_eq!(given(source, payload), Ok(Some(expected.to_owned())), "{source} of {payload}");
    }
}

#[test]
fn what_a_message_does_not_have_is_nothing() {
    for (source, payload) in [
        ("{{ value_json.state | is_defined }}", "{}"),
        ("{{ value_json.state.deep | is_defined | upper }}", "{}"),
        ("{{ value_json.a.b }}", "{}"),
        ("{{ value_json.a }}", "no JSON"),
        ("{{ value_json.a | float }}", "{}"),
    ] {
        assert_eq!(given(source, payload), Ok(None), "{source}");
    }
}

#[test]
fn what_is_not_understood_says_why() {
    for source in [
        "{{ value_json.24_hours_records }}",
        "{{ nonsense(",
        "{{ value | no_such_filter }}",
        "{{ states('sensor.x') }}",
    ] {
        let why = given(source, "{}").unwrap_err();
        assert!(why.starts_with("the template is not understood"), "{why}");
    }
}

#[test]
fn a_template_cannot_run_forever_or_fill_the_memory() {
    for source in [
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 'a' * 1000000000 }}",
        "{{ '%0999999999d' | format(1) }}",
        "{{ ('a' * 10000) | regex_replace('(a*)*b', '') }}",
        "{{ range(1000000000) | list | length }}",
        "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{{ 'x' | indent(1000000000) }}",
        "{{ [1] * 100000000 }}",
        "{{ [[1] * 100000000] | to_json }}",
        "{{ ([1] * 100000000) | contains(2) }}",
        "{{ ([1] * 100000000) | average }}",
    ] {
        let outcome = given(source, "1");
        let is_small = outcome
            .as_ref()
            .map_or(true, |text| text.as_ref().is_none_or(|text| text.len() <= MAX_OUT_BYTES));
        assert!(is_small, "{source}");
    }
}
