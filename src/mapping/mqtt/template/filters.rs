//! The filters, tests and functions that Home Assistant adds to Jinja, as far as they need no clock.

use std::sync::Arc;

use data_encoding::BASE64;
use minijinja::value::{Kwargs, Object, Rest, Serde, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use regex_lite::{Regex, RegexBuilder};

use super::{UNDEFINED, python};

/// Maximum length of a pattern, and of a text that it is looked for in, in bytes.
const MAX_PATTERN_BYTES: usize = 512;
const MAX_SEARCHED_BYTES: usize = 16 * 1024;

pub(super) fn add(env: &mut Environment<'static>) {
    add_conversions(env);
    add_arithmetic(env);
    add_texts(env);
    add_collections(env);
}

fn fail(why: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// The default of a filter: the first argument, or the one that is named so.
fn default(args: &[Value], kwargs: &Kwargs) -> Option<Value> {
    args.first().cloned().or_else(|| kwargs.get::<Option<Value>>("default").ok().flatten())
}

/// A value as a number, as Python's `float` reads it.
pub(super) fn float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::String => value.as_str()?.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

fn int(value: &Value, base: u32) -> Option<i64> {
    if let Some(text) = value.as_str() {
        let text = text.trim();
        let digits = match base {
            16 => text.trim_start_matches("0x").trim_start_matches("0X"),
            2 => text.trim_start_matches("0b"),
            8 => text.trim_start_matches("0o"),
            _ => text,
        };
        if let Ok(whole) = i64::from_str_radix(digits, base.clamp(2, 36)) {
            return Some(whole);
        }
    }
    value
        .as_i64()
        .filter(|_| value.kind() == ValueKind::Number)
        .or_else(|| float(value).filter(|number| number.abs() < 9e18).map(|number| number.trunc() as i64))
}

fn or_default(number: Option<Value>, default: Option<Value>, of: &Value, what: &str) -> Result<Value, Error> {
    match (number, default) {
        (Some(number), _) => Ok(number),
        (None, Some(default)) => Ok(default),
        (None, None) if of.is_undefined() => Err(fail(UNDEFINED)),
        (None, None) => Err(fail(format!("{:.40} is not {what}", python::display(of)))),
    }
}

fn add_conversions(env: &mut Environment<'static>) {
    let to_float = |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        or_default(float(&value).map(Value::from), default(&args, &kwargs), &value, "a number")
    };
    env.add_filter("float", to_float);
    env.add_function("float", to_float);
    let to_int = |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        let base = args.get(1).cloned().or_else(|| kwargs.get::<Option<Value>>("base").ok().flatten());
        let base =
            base.and_then(|base| base.as_i64()).and_then(|base| u32::try_from(base).ok()).unwrap_or(10);
        or_default(int(&value, base).map(Value::from), default(&args, &kwargs), &value, "a number")
    };
    env.add_filter("int", to_int);
    env.add_function("int", to_int);
    let to_bool = |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        let flag = match value.as_str().map(str::to_ascii_lowercase).as_deref() {
            Some("1" | "true" | "yes" | "on" | "enable") => Some(true),
            Some("0" | "false" | "no" | "off" | "disable") => Some(false),
            Some(_) => None,
            None => float(&value).map(|number| number != 0.0),
        };
        or_default(flag.map(Value::from), default(&args, &kwargs), &value, "true or false")
    };
    env.add_filter("bool", to_bool);
    env.add_function("bool", to_bool);
    env.add_filter("is_defined", |value: Value| match value.is_undefined() {
        true => Err(fail(UNDEFINED)),
        false => Ok(value),
    });
    let is_number = |value: Value| float(&value).is_some();
    env.add_filter("is_number", is_number);
    env.add_function("is_number", is_number);
    env.add_test("is_number", is_number);
    env.add_test("number", |value: Value| value.kind() == ValueKind::Number);
    let from_json = |text: Value| match text.as_str().map(serde_json::from_str::<serde_json::Value>) {
        Some(Ok(json)) => Ok(Value::from(Serde(&json))),
        _ => Err(fail("from_json: not JSON")),
    };
    env.add_filter("from_json", from_json);
    let to_json = |value: Value, _: Rest<Value>, _: Kwargs| {
        python::json_text(&value).ok_or_else(|| fail("to_json: too large"))
    };
    env.add_filter("to_json", to_json);
    env.add_function("to_json", to_json);
    env.add_filter("string", |value: Value| python::display(&value));
}

type Unary = fn(f64) -> f64;
type Bits = fn(i64, i64) -> i64;

/// Long: one registration for each.
fn add_arithmetic(env: &mut Environment<'static>) {
    let round = |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        let named = |name: &str| kwargs.get::<Option<Value>>(name).ok().flatten();
        let digits = args
            .first()
            .cloned()
            .or_else(|| named("precision"))
            .and_then(|digits| digits.as_i64())
            .unwrap_or(0);
        let method = args.get(1).cloned().or_else(|| named("method"));
        let method = method.as_ref().and_then(Value::as_str).unwrap_or("common");
        let rounded = float(&value).map(|number| rounded(number, digits.clamp(-15, 15) as i32, method));
        let shown = rounded.map(|number| match digits == 0 && number.abs() < 9e15 {
            true => Value::from(number as i64),
            false => Value::from(number),
        });
        or_default(shown, args.get(2).cloned().or_else(|| named("default")), &value, "a number")
    };
    env.add_filter("round", round);
    env.add_function("round", round);
    let unary: [(&'static str, Unary); 7] = [
        ("sin", f64::sin),
        ("cos", f64::cos),
        ("tan", f64::tan),
        ("asin", f64::asin),
        ("acos", f64::acos),
        ("atan", f64::atan),
        ("sqrt", f64::sqrt),
    ];
    for (name, function) in unary {
        let apply = move |value: Value, args: Rest<Value>, kwargs: Kwargs| {
            let result = float(&value).map(function).filter(|number| number.is_finite());
            or_default(result.map(Value::from), default(&args, &kwargs), &value, "a number for this")
        };
        env.add_filter(name, apply);
        env.add_function(name, apply);
    }
    let log = |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        let base = args.first().and_then(float);
        let result = float(&value).map(|number| base.map_or(number.ln(), |base| number.log(base)));
        let default = args.get(1).cloned().or_else(|| default(&[], &kwargs));
        or_default(
            result.filter(|number| number.is_finite()).map(Value::from),
            default,
            &value,
            "a number for this",
        )
    };
    env.add_filter("log", log);
    env.add_function("log", log);
    env.add_filter("multiply", |value: Value, by: f64| {
        float(&value).map(|n| n * by).ok_or_else(|| fail("multiply: not a number"))
    });
    env.add_filter("add", |value: Value, by: f64| {
        float(&value).map(|n| n + by).ok_or_else(|| fail("add: not a number"))
    });
    let bits: [(&'static str, Bits); 3] =
        [("bitwise_and", |a, b| a & b), ("bitwise_or", |a, b| a | b), ("bitwise_xor", |a, b| a ^ b)];
    for (name, function) in bits {
        let apply = move |one: Value, other: i64| {
            int(&one, 10).map(|one| function(one, other)).ok_or_else(|| fail("not a whole number"))
        };
        env.add_filter(name, apply);
        env.add_function(name, apply);
    }
    for (name, is_min) in [("min", true), ("max", false)] {
        env.add_function(name, move |values: Rest<Value>| extreme(&values, is_min));
    }
    for name in ["average", "median"] {
        let apply = move |values: Rest<Value>| middle(&values, name == "median");
        env.add_filter(name, apply);
        env.add_function(name, apply);
    }
    let constants = [
        ("pi", std::f64::consts::PI),
        ("e", std::f64::consts::E),
        ("tau", std::f64::consts::TAU),
        ("inf", f64::INFINITY),
    ];
    for (name, number) in constants {
        env.add_global(name, number);
    }
}

fn rounded(number: f64, digits: i32, method: &str) -> f64 {
    let scale = 10f64.powi(digits);
    match method {
        "ceil" => (number * scale).ceil() / scale,
        "floor" => (number * scale).floor() / scale,
        "half" => (number * 2.0).round() / 2.0,
        _ if digits >= 0 => format!("{number:.0$}", digits as usize).parse().unwrap_or(number),
        _ => (number * scale).round() / scale,
    }
}

/// The values of a list, or of the arguments themselves.
fn numbers(values: &[Value]) -> Vec<(f64, Value)> {
    let list: Vec<Value> = match values {
        [one] if one.kind() == ValueKind::Seq => {
            one.try_iter().into_iter().flatten().take(python::MAX_ITEMS).collect()
        }
        many => many.to_vec(),
    };
    list.into_iter().filter_map(|value| Some((float(&value)?, value))).collect()
}

fn extreme(values: &[Value], is_min: bool) -> Result<Value, Error> {
    let numbers = numbers(values);
    let best = match is_min {
        true => numbers.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)),
        false => numbers.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)),
    };
    best.map(|(_, value)| value).ok_or_else(|| fail("no numbers"))
}

fn middle(values: &[Value], is_median: bool) -> Result<f64, Error> {
    let mut numbers: Vec<f64> = numbers(values).into_iter().map(|(number, _)| number).collect();
    if numbers.is_empty() {
        return Err(fail("no numbers"));
    }
    if !is_median {
        return Ok(numbers.iter().sum::<f64>() / numbers.len() as f64);
    }
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    Ok(if numbers.len() % 2 == 1 { numbers[half] } else { (numbers[half - 1] + numbers[half]) / 2.0 })
}

fn regex(pattern: &str, ignore_case: bool) -> Result<Regex, Error> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(fail("the pattern is too long"));
    }
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .size_limit(64 * 1024)
        .build()
        .map_err(|_| fail("the pattern is not understood"))
}

fn searched(value: &Value) -> Arc<str> {
    let text = python::display(value);
    text[..text.floor_char_boundary(MAX_SEARCHED_BYTES)].into()
}

/// Long: one registration for each.
fn add_texts(env: &mut Environment<'static>) {
    let found = |value: Value, pattern: String, ignore_case: Option<bool>, at_start: bool| {
        let pattern = if at_start { format!("^(?:{pattern})") } else { pattern };
        Ok::<bool, Error>(regex(&pattern, ignore_case.unwrap_or(false))?.is_match(&searched(&value)))
    };
    let is_match =
        move |value: Value, pattern: String, ignore: Option<bool>| found(value, pattern, ignore, true);
    let is_found =
        move |value: Value, pattern: String, ignore: Option<bool>| found(value, pattern, ignore, false);
    env.add_filter("regex_match", is_match);
    env.add_test("match", is_match);
    env.add_filter("regex_search", is_found);
    env.add_test("search", is_found);
    let replace = |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        let text_of = |at: usize, name: &str| {
            let value = args.get(at).cloned().or_else(|| kwargs.get::<Option<Value>>(name).ok().flatten());
            value.map(|value| python::display(&value)).unwrap_or_default()
        };
        let (find, by) = (text_of(0, "find"), text_of(1, "replace"));
        // Python writes groups as \1.
        let by = regex(r"\\(\d)", false)?.replace_all(&by.replace('$', "$$"), "$${$1}").into_owned();
        Ok::<String, Error>(regex(&find, false)?.replace_all(&searched(&value), by.as_str()).into_owned())
    };
    env.add_filter("regex_replace", replace);
    // As Python's: the group, or a list of them where there are several.
    let all = |value: &Value, pattern: &str| {
        let (regex, text) = (regex(pattern, false)?, searched(value));
        let found = regex.captures_iter(&text).take(100).map(|captures| {
            let group = |at: usize| captures.get(at).map(|found| found.as_str()).unwrap_or_default();
            match captures.len() {
                count @ 0..=2 => Value::from(group(count.saturating_sub(1))),
                count => (1..count).map(|at| Value::from(group(at))).collect(),
            }
        });
        Ok::<Vec<Value>, Error>(found.collect())
    };
    env.add_filter("regex_findall", move |value: Value, pattern: String| all(&value, &pattern));
    env.add_filter("regex_findall_index", move |value: Value, pattern: String, at: Option<usize>| {
        all(&value, &pattern)?.into_iter().nth(at.unwrap_or(0)).ok_or_else(|| fail("nothing found"))
    });
    env.add_filter("base64_encode", |value: Value| BASE64.encode(python::display(&value).as_bytes()));
    env.add_filter("base64_decode", |value: Value, _: Option<String>| {
        let bytes =
            BASE64.decode(python::display(&value).trim().as_bytes()).map_err(|_| fail("not base64"))?;
        Ok::<String, Error>(String::from_utf8_lossy(&bytes).into_owned())
    });
    let slug = |value: Value| {
        let text = python::display(&value).to_lowercase();
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("_")
    };
    env.add_filter("slugify", slug);
    env.add_function("slugify", slug);
    env.add_filter("ordinal", |value: i64| {
        let end = match (value % 10, value % 100) {
            (1, rest) if rest != 11 => "st",
            (2, rest) if rest != 12 => "nd",
            (3, rest) if rest != 13 => "rd",
            _ => "th",
        };
        format!("{value}{end}")
    });
}

/// Python's `dict`, with its method `from_keys` as Home Assistant calls it: a map of pairs.
#[derive(Debug)]
struct Dict;

impl Object for Dict {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (from, more) = from_args::<(Option<Value>, Kwargs)>(args)?;
        minijinja::functions::dict(from, more)
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        name: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let pairs = args.first().filter(|_| name == "from_keys").map(Value::try_iter);
        let Some(Ok(pairs)) = pairs else { return Err(Error::from(ErrorKind::UnknownMethod)) };
        let pair = |pair: Value| Some((pair.get_item_by_index(0).ok()?, pair.get_item_by_index(1).ok()?));
        Ok(pairs
            .take(python::MAX_ITEMS)
            .filter_map(pair)
            .collect::<std::collections::BTreeMap<_, _>>()
            .into())
    }
}

fn add_collections(env: &mut Environment<'static>) {
    let iif = |value: Value, yes: Option<Value>, no: Option<Value>, none: Option<Value>| {
        if value.is_none() || value.is_undefined() {
            return none.or(no).unwrap_or_else(|| Value::from(false));
        }
        match value.is_true() {
            true => yes.unwrap_or_else(|| Value::from(true)),
            false => no.unwrap_or_else(|| Value::from(false)),
        }
    };
    env.add_filter("iif", iif);
    env.add_function("iif", iif);
    env.add_filter("contains", |list: Value, item: Value| {
        list.try_iter()
            .is_ok_and(|mut items| items.by_ref().take(python::MAX_ITEMS).any(|known| known == item))
    });
    env.add_global("dict", Value::from_object(Dict));
    env.add_function("zip", |lists: Rest<Value>| {
        let mut lists: Vec<_> = lists.iter().filter_map(|list| list.try_iter().ok()).collect();
        let mut rows: Vec<Value> = Vec::new();
        while rows.len() < python::MAX_ITEMS && !lists.is_empty() {
            let row: Option<Vec<Value>> = lists.iter_mut().map(Iterator::next).collect();
            match row {
                Some(row) => rows.push(Value::from(row)),
                None => break,
            }
        }
        rows
    });
    env.add_test("list", |value: Value| value.kind() == ValueKind::Seq);
    env.add_test("string_like", |value: Value| value.kind() == ValueKind::String);
    env.add_filter("flatten", |list: Value| {
        let items = list.try_iter().into_iter().flatten().take(python::MAX_ITEMS);
        let flat = items.flat_map(|item| match item.kind() {
            ValueKind::Seq => {
                item.try_iter().into_iter().flatten().take(python::MAX_ITEMS).collect::<Vec<_>>()
            }
            _ => vec![item],
        });
        flat.collect::<Vec<Value>>()
    });
    // The state of other entities is Home Assistant's alone.
    for name in ["states", "state_attr", "is_state", "is_state_attr", "has_value", "device_attr", "area_name"]
    {
        env.add_function(name, |_: Rest<Value>| {
            Err::<Value, Error>(fail("it asks Home Assistant for the state of another entity"))
        });
    }
}
