//! The domain: what a person talks about and looks at. Pure data and pure reducers; no I/O, no clock, no egui.

pub mod address;
pub mod chat;
pub mod clock_lag;
pub mod device;
pub mod device_choices;
pub mod devices;
pub mod entry;
pub mod event;
pub mod export;
pub mod features;
pub mod harmless;
pub mod id;
pub mod intent;
pub mod known;
pub mod lan;
pub mod link_device;
pub mod link_state;
pub mod log;
pub mod mask;
pub mod name;
pub mod notices;
pub mod number;
pub mod panes;
pub mod preferences;
pub mod profile;
pub mod publish;
pub mod readings;
pub mod reducer;
pub mod refusal;
pub mod rights;
pub mod search;
pub mod series;
pub mod shared;
pub mod states;
pub mod time;
pub mod transfer;
pub mod upgrade;
pub mod window;
pub mod zone;

pub use address::Address;
pub use chat::{
    Delivery, Entry, EntryKind, Message, OutboxItem, Position, Principal, PrincipalKind, Refusal, Sender,
};
pub use device::{
    Command, CommandRefusal, CommandState, DeviceId, DeviceState, Freshness, Happened, LastValue, LogLine,
    Metric, MetricName, MetricType, Readings, Sample, ShortName, Spec, Status, Value,
};
pub use device_choices::{DeviceChange, DeviceChoice, DeviceChoices};
pub use devices::{Device, Devices, Latest, Presence};
pub use event::{Event, LogRestart};
pub use features::{Feature, Features};
pub use id::{ConnectionId, Epoch, MessageId, Offset, PrincipalId, ResumePoint, RoomName};
pub use intent::Intent;
pub use lan::{InviteLink, Lan, LanChoice, LanOpen, Nearby, NearbyServer, NotOpened};
pub use link_state::{LinkState, Why};
pub use notices::{Level, NoticeChoices, NoticePreferences};
pub use number::{Number, Whole};
pub use panes::Panes;
pub use preferences::{Hours, LanguageChoice, Preferences, Theme, WindowPlace};
pub use profile::Profile;
pub use readings::Part;
pub use reducer::{Banner, Connection, Model, Room};
pub use series::{Bucket, Point, Series, SeriesPage};
pub use shared::SharedModel;
pub use states::StateChange;
pub use time::Time;
pub use window::{Edge, Window};
