//! Times in templates: `as_timestamp`, `as_datetime`, `timestamp_custom`, `now` and the like. The zone is UTC where a time has none
//! and one is needed, since the sender's is not known.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use minijinja::value::{Kwargs, Object, ObjectRepr, Rest, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::filters::float;
use super::python;

/// A point in time; without a zone as Python's naive ones.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Moment {
    Naive(NaiveDateTime),
    Aware(DateTime<FixedOffset>),
}

fn fail(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

impl Moment {
    fn of_seconds(seconds: f64) -> Option<Moment> {
        let micros = seconds * 1e6;
        let time = (micros.abs() < 9e17)
            .then(|| DateTime::<Utc>::from_timestamp_micros(micros.round() as i64))??;
        Some(Moment::Aware(time.fixed_offset()))
    }

    fn of_text(text: &str) -> Option<Moment> {
        let text = text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(Moment::Aware(time));
        }
        let aware =
            ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d %H:%M%z"];
        if let Some(time) = aware.iter().find_map(|form| DateTime::parse_from_str(text, form).ok()) {
            return Some(Moment::Aware(time));
        }
        let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        let time = naive.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
        let date =
            || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0));
        time.or_else(date).map(Moment::Naive)
    }

    fn of(value: &Value) -> Option<Moment> {
        if let Some(moment) = value.downcast_object_ref::<Moment>() {
            return Some(*moment);
        }
        if let Some(seconds) = float(value) {
            return Moment::of_seconds(seconds);
        }
        value.as_str().and_then(Moment::of_text)
    }

    fn seconds(self) -> f64 {
        self.utc().timestamp_micros() as f64 / 1e6
    }

    fn utc(self) -> DateTime<Utc> {
        match self {
            Moment::Naive(time) => time.and_utc(),
            Moment::Aware(time) => time.to_utc(),
        }
    }

    fn naive(self) -> NaiveDateTime {
        match self {
            Moment::Naive(time) => time,
            Moment::Aware(time) => time.naive_local(),
        }
    }

    fn iso(self) -> String {
        let fraction = if self.naive().nanosecond() == 0 { "" } else { "%.6f" };
        match self {
            Moment::Naive(time) => time.format(&format!("%Y-%m-%dT%H:%M:%S{fraction}")).to_string(),
            Moment::Aware(time) => time.format(&format!("%Y-%m-%dT%H:%M:%S{fraction}%:z")).to_string(),
        }
    }

    fn formatted(self, form: &str) -> Result<String, Error> {
        use fmt::Write as _;
        let mut out = String::new();
        let form = if form.len() > 200 { "%c" } else { form };
        let done = match self {
            Moment::Naive(time) => write!(out, "{}", time.format(form)),
            Moment::Aware(time) => write!(out, "{}", time.format(form)),
        };
        done.map(|()| out).map_err(|_| fail("the format of the time is not understood"))
    }

    fn shifted(self, seconds: f64) -> Option<Moment> {
        let delta = TimeDelta::try_milliseconds((seconds * 1_000.0) as i64)?;
        Some(match self {
            Moment::Naive(time) => Moment::Naive(time.checked_add_signed(delta)?),
            Moment::Aware(time) => Moment::Aware(time.checked_add_signed(delta)?),
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso().replacen('T', " ", 1))
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let time = self.naive();
        Some(match key.as_str()? {
            "year" => Value::from(time.year()),
            "month" => Value::from(time.month()),
            "day" => Value::from(time.day()),
            "hour" => Value::from(time.hour()),
            "minute" => Value::from(time.minute()),
            "second" => Value::from(time.second()),
            "microsecond" => Value::from(time.nanosecond() / 1_000),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        Ok(match method {
            "isoformat" => Value::from(self.iso()),
            "timestamp" => Value::from(self.seconds()),
            "strftime" => {
                let (form,): (String,) = from_args(args)?;
                Value::from(self.formatted(&form)?)
            }
            "weekday" => Value::from(self.naive().weekday().num_days_from_monday()),
            "isoweekday" => Value::from(self.naive().weekday().number_from_monday()),
            "date" => Value::from(self.naive().date().to_string()),
            "time" => Value::from(self.naive().time().to_string()),
            "astimezone" => Value::from_object(**self),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }
}

fn default(args: &[Value], kwargs: &Kwargs) -> Option<Value> {
    args.first().cloned().or_else(|| kwargs.get::<Option<Value>>("default").ok().flatten())
}

/// Adds filters and functions. `now`: milliseconds since 1970.
pub(super) fn add(env: &mut Environment<'static>, now: &Arc<AtomicI64>) {
    for name in ["now", "utcnow"] {
        let now = Arc::clone(now);
        env.add_function(name, move || {
            let seconds = now.load(Ordering::Relaxed) as f64 / 1e3;
            Moment::of_seconds(seconds).map(Value::from_object).ok_or_else(|| fail("no time"))
        });
    }
    let or =
        |found: Option<Value>, default: Option<Value>| found.or(default).ok_or_else(|| fail("not a time"));
    let as_timestamp = move |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        or(Moment::of(&value).map(|moment| Value::from(moment.seconds())), default(&args, &kwargs))
    };
    env.add_filter("as_timestamp", as_timestamp);
    env.add_function("as_timestamp", as_timestamp);
    let as_datetime = move |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        or(Moment::of(&value).map(Value::from_object), default(&args, &kwargs))
    };
    for name in ["as_datetime", "as_local"] {
        env.add_filter(name, as_datetime);
        env.add_function(name, as_datetime);
    }
    let custom = move |value: Value, args: Rest<Value>, kwargs: Kwargs| {
        let form = args.first().map(python::display).unwrap_or_else(|| "%Y-%m-%d %H:%M:%S".to_owned());
        let default = args.get(2).cloned().or_else(|| default(&[], &kwargs));
        let moment = float(&value).and_then(Moment::of_seconds);
        or(moment.map(|moment| moment.formatted(&form)).transpose()?.map(Value::from), default)
    };
    env.add_filter("timestamp_custom", custom);
    for name in ["timestamp_local", "timestamp_utc"] {
        env.add_filter(name, move |value: Value, args: Rest<Value>, kwargs: Kwargs| {
            let moment = float(&value).and_then(Moment::of_seconds);
            or(moment.map(|moment| Value::from(moment.iso())), default(&args, &kwargs))
        });
    }
    env.add_function("strptime", move |text: String, form: String, args: Rest<Value>, kwargs: Kwargs| {
        let aware = DateTime::parse_from_str(&text, &form).ok().map(Moment::Aware);
        let naive = || NaiveDateTime::parse_from_str(&text, &form).ok().map(Moment::Naive);
        let date = || NaiveDate::parse_from_str(&text, &form).ok()?.and_hms_opt(0, 0, 0).map(Moment::Naive);
        or(aware.or_else(naive).or_else(date).map(Value::from_object), default(&args, &kwargs))
    });
    // In seconds: what is left of a time span here.
    env.add_function("timedelta", |kwargs: Kwargs| {
        let units = [
            ("weeks", 604_800.0),
            ("days", 86_400.0),
            ("hours", 3_600.0),
            ("minutes", 60.0),
            ("seconds", 1.0),
            ("milliseconds", 0.001),
        ];
        let parts = units
            .map(|(name, seconds)| kwargs.get::<Option<f64>>(name).ok().flatten().unwrap_or(0.0) * seconds);
        parts.iter().sum::<f64>()
    });
    env.add_filter("shift", |value: Value, seconds: f64| {
        Moment::of(&value)
            .and_then(|moment| moment.shifted(seconds))
            .map(Value::from_object)
            .ok_or_else(|| fail("not a time"))
    });
}
