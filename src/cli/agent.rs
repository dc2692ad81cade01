//! `duplexctl agent`.

use crate::model::Offset;
use tokio::sync::mpsc;

#[cfg(target_os = "linux")]
use super::agent_service;
use super::args::{Agent as Flags, AgentService, Server};
use super::follow::Follow;
use super::hub::stopped;
use super::{Exit, Failure, print};
use crate::agent::{self, Agent, AgentMessage, Given};
use crate::clock;
use crate::model::event::{DeviceEvent, LinkEvent};
use crate::model::link_state::LinkState;
use crate::model::{CommandState, DeviceId, Event, Principal, PrincipalKind};
use crate::wire::{DeviceRequest, Request, SavedState};

/// Maximum number of agent messages that are not sent yet.
const SAID: usize = 64;

pub(super) async fn run(command: Flags) -> Result<(), Failure> {
    let url = match (command.service, command.url) {
        (Some(service), _) => return run_service(service).await,
        (None, Some(url)) => url,
        (None, None) => return Err(Failure::new(Exit::Failed, "say which server: --url URL")),
    };
    let mut server = Server::duplex(url, command.access);
    server.route = command.transport;
    // Log entries and other devices are not needed.
    let saved = SavedState { resume: None, since: Some(Offset::MAX) };
    let follow = Follow::start(&server, saved, false)?;
    let (say, said) = mpsc::channel(SAID);
    let mut publisher =
        Publisher { follow, id: command.id, name: command.name, agent: None, say, was_online: None };
    let result = tokio::select! {
        result = publisher.go_on(said) => result,
        stopped = stopped() => stopped.map_err(|error| {
            Failure::new(Exit::Failed, format!("signals cannot be waited for: {error}"))
        }),
    };
    publisher.goodbye().await;
    result
}

#[cfg(target_os = "linux")]
async fn run_service(service: AgentService) -> Result<(), Failure> {
    match service {
        AgentService::Install(command) => agent_service::install(*command).await,
        AgentService::Uninstall(place) => agent_service::uninstall(place),
        AgentService::Status(root) => agent_service::status(&root),
    }
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::unused_async, reason = "as on Linux")]
async fn run_service(service: AgentService) -> Result<(), Failure> {
    log::debug!("{service:?}");
    let sentence = "this works on Linux with systemd alone; here, have the system start `duplexctl agent --url URL \
                    --token-file FILE`";
    Err(Failure::new(Exit::Failed, sentence))
}

struct Publisher {
    follow: Follow,
    /// The device id, if one was given.
    id: Option<DeviceId>,
    name: Option<String>,
    /// Set after the first welcome: the token may determine the device.
    agent: Option<Agent>,
    say: mpsc::Sender<AgentMessage>,
    /// The line printed last.
    was_online: Option<bool>,
}

impl Publisher {
    async fn go_on(&mut self, mut said: mpsc::Receiver<AgentMessage>) -> Result<(), Failure> {
        loop {
            tokio::select! {
                event = self.follow.next() => self.event(event)?,
                // This also holds the other end.
                Some(said) = said.recv() => self.follow.ask(match said {
                    AgentMessage::Announce(spec) => Request::Device(DeviceRequest::Announce(spec)),
                    AgentMessage::Publish(readings) => Request::Device(DeviceRequest::Publish(readings)),
                    AgentMessage::Result { id, state } => Request::Device(DeviceRequest::CommandResult { id, state }),
                }),
            }
        }
    }

    fn event(&mut self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Link(LinkEvent::Welcomed { me, server, .. }) => self.welcomed(&me, &server),
            Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                Err(Failure::new(Exit::Refused, self.follow.reason(&why)))
            }
            Event::Link(LinkEvent::State(state)) if !state.is_online() => {
                self.agent.iter().for_each(Agent::rest);
                let is_down = matches!(state, LinkState::Waiting { .. });
                if is_down && self.was_online.replace(false) != Some(false) {
                    print::line(&print::link_text(&state, clock::now()))?;
                }
                Ok(())
            }
            Event::Device(DeviceEvent::CommandGiven {
                id, device, property, value, expires_in_ms, ..
            }) => {
                let until = clock::now().boot_ms.saturating_add(expires_in_ms);
                let given = Given { id, property, value, until };
                let agent = self.agent.as_ref().filter(|agent| *agent.id() == device);
                if !agent.is_some_and(|agent| agent.carry_out(given)) {
                    let state = CommandState::Failed { detail: "it is too busy".to_owned() };
                    self.follow.ask(Request::Device(DeviceRequest::CommandResult { id, state }));
                }
                Ok(())
            }
            // The device is visible anyway, and its data is stored again once the server can.
            Event::Device(DeviceEvent::PublishRefused { code, detail, .. }) if code == "not_kept" => {
                log::warn!("the server does not keep the readings: {}", print::harmless(&detail));
                Ok(())
            }
            Event::Device(DeviceEvent::PublishRefused { device, code, detail }) => {
                let text = format!("the server does not take readings of {device}: {code} {detail}");
                Err(Failure::new(Exit::Refused, print::harmless(text.trim_end())))
            }
            _ => Ok(()),
        }
    }

    fn welcomed(&mut self, me: &Principal, server: &str) -> Result<(), Failure> {
        if self.agent.is_none() {
            self.agent = Some(self.spawn(me)?);
        }
        let Some(agent) = &self.agent else { return Ok(()) };
        agent.begin();
        if self.was_online.replace(true) == Some(true) {
            return Ok(());
        }
        print::line(&format!(
            "online: publishing {} at {}",
            print::harmless(agent.id().as_str()),
            print::harmless(server)
        ))
    }

    fn spawn(&self, me: &Principal) -> Result<Agent, Failure> {
        let of_token = || DeviceId::new(&me.id.0).ok().filter(|_| me.kind == PrincipalKind::Device);
        let id = self.id.clone().or_else(of_token).unwrap_or_else(agent::host_id);
        let name = self.name.clone().or_else(agent::host_name).unwrap_or_default();
        let say = self.say.clone();
        Agent::spawn(id, name, move |said| say.blocking_send(said).is_ok())
            .map_err(|error| Failure::new(Exit::Failed, format!("the system gives no thread: {error}")))
    }

    async fn goodbye(mut self) {
        if let Some(agent) = self.agent.take().filter(|_| self.follow.state().is_online()) {
            let device = agent.id().clone();
            self.follow.ask(Request::Device(DeviceRequest::State {
                device,
                online: false,
                reason: "stopped".to_owned(),
            }));
        }
        self.follow.end().await;
    }
}
