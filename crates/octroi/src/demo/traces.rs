//! Some days of example calls, so that lists and figures have content. They say so: their request ids begin with `demo-`.

use octroi_app::{App, Error};
use octroi_domain::{Id, Moment, Number, api::ApiName, application::Application, permit::Permit, stage::Stage, trace::Trace};

use super::{
    file::Client,
    people::{People, Someone},
};

const DAYS: i64 = 9;
const CALLS_PER_DAY: i64 = 120;

/// A small repeatable generator: the example is the same on each machine.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

pub async fn write(app: &App, clients: &[Client], people: &People, permit: Number<Permit>, now: Moment) -> Result<(), Error> {
    let mut dice = Dice(20_261_122);
    let mut traces = Vec::new();
    for day in 1..=DAYS {
        for call in 0..CALLS_PER_DAY {
            // More in office hours than at night.
            let hour = 7 + i64::try_from(dice.roll(7) + dice.roll(7)).unwrap_or(0);
            let at = now.plus_days(-day).plus_seconds(hour * 3_600 - 12 * 3_600 + i64::try_from(dice.roll(3_600)).unwrap_or(0));
            let place = usize::try_from(dice.roll(clients.len() as u64)).unwrap_or(0);
            if let Some(client) = clients.get(place) {
                traces.push(trace(client, people, permit, at, &format!("demo-{day}-{call}"), &mut dice)?);
            }
        }
    }
    app.take_traces(&traces).await
}

fn trace(client: &Client, people: &People, permit: Number<Permit>, at: Moment, request_id: &str, dice: &mut Dice) -> Result<Trace, Error> {
    let wrong = |what: &str| Error::Internal(format!("demo trace: {what}"));
    let application: Id<Application> = client.client_id.parse().map_err(|_| wrong("client_id"))?;
    let stage: Stage = client.stage.parse().map_err(|_| wrong("stage"))?;
    let name = client.apis.get(usize::try_from(dice.roll(client.apis.len() as u64)).unwrap_or(0)).ok_or_else(|| wrong("api"))?;
    let api: ApiName = name.parse().map_err(|_| wrong("api"))?;
    let restricted = name == "dinum/api-particulier";
    let owner: &Someone = if client.apis.iter().any(|api| api == "dinum/api-particulier") { &people.applicant } else { &people.vendor };
    let operation = match name.as_str() {
        "dinum/api-particulier" => "GET /v3/dss/quotient_familial/identite",
        "dgfip/impot-particulier" => "GET /impotparticulier/situations/ir/assiettes/annrev/{annrev}",
        "dila/legifrance" => "POST /search",
        _ => "GET /search",
    };
    let (status, refusal) = match dice.roll(40) {
        0 => (403, Some("scope_missing")),
        1 => (429, Some("rate_exceeded")),
        2..=5 => (404, None),
        6 => (504, Some("upstream_timeout")),
        _ => (200, None),
    };
    let upstream_us = if refusal.is_some() && status != 504 { 0 } else { 4_000 + dice.roll(60_000) };
    Ok(Trace {
        at,
        stage,
        request_id: request_id.to_owned(),
        api: Some(api),
        operation: Some(operation.to_owned()),
        status,
        refusal: refusal.map(str::to_owned),
        duration_us: upstream_us + 120 + dice.roll(200),
        upstream_us,
        request_bytes: 0,
        response_bytes: 300 + dice.roll(2_000),
        application: Some(application),
        organization: owner.organization,
        permit: restricted.then_some(permit),
        subscription: None,
        masked_fields: if restricted && status == 200 { 2 } else { 0 },
        address: Some(std::net::IpAddr::from([192, 0, 2, 10])),
    })
}
