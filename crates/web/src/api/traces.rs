//! Traces: the calls that one side or the other may see.

use octroi_app::{
    query::{Cursor, TraceFilter, TraceVisible},
    traces::{AnonymiseInput, AnonymisedView, TraceView},
    traffic::StatisticsView,
    view::List,
};
use octroi_domain::{Id, Moment, Number, api::ApiName, application::Application, organization::Organization, permit::Permit, stage::Stage};
use serde::{Deserialize, Deserializer, de};
use utoipa::{IntoParams, ToSchema};

use crate::{
    call::{Answer, Call, Reply},
    query::{Limit, from_text, page},
};

#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `provider/api`.
    #[param(value_type = Option<String>)]
    api: Option<ApiName>,
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    application: Option<Id<Application>>,
    /// The caller's organisation: id or SIRET.
    organization: Option<String>,
    #[param(value_type = Option<String>)]
    permit: Option<Number<Permit>>,
    /// `sandbox` or `production`.
    #[param(value_type = Option<String>)]
    stage: Option<Stage>,
    /// `403`, or a class: `2xx`.
    #[param(value_type = Option<String>, example = "2xx")]
    status: Option<Status>,
    /// The code of a refusal by the gateway.
    refusal: Option<String>,
    request_id: Option<String>,
    /// From this instant on (RFC 3339).
    #[param(value_type = Option<String>)]
    from: Option<Moment>,
    /// Up to this instant, which is not included.
    #[param(value_type = Option<String>)]
    to: Option<Moment>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// A status, or a class of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    One(u16),
    Class(u8),
}
impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let class = text.strip_suffix("xx").filter(|digit| digit.len() == 1).and_then(|digit| digit.parse().ok());
        let one = Some(&text).filter(|text| text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit())).and_then(|text| text.parse().ok());
        match (class, one) {
            (Some(class @ 1..=5), _) => Ok(Self::Class(class)),
            (_, Some(one @ 100..=599)) => Ok(Self::One(one)),
            _ => Err(de::Error::custom("expected a status, 403, or a class of them, 2xx")),
        }
    }
}

impl Filter {
    async fn wanted(self, call: &Call) -> Result<TraceFilter, crate::problem::Failure> {
        // Nothing is seen until the operation puts the principal's own view in.
        let nothing = TraceVisible::Any { organizations: Vec::new(), apis: Vec::new(), providers: Vec::new() };
        let mut filter = TraceFilter::within(nothing);
        if let Some(text) = &self.organization {
            // An organisation that does not exist has made no call.
            filter.organization = Some(call.organization(text).await?.unwrap_or_else(|| Id::from_uuid(uuid::Uuid::nil())));
        }
        match self.status {
            Some(Status::Class(class)) => filter.status_class = Some(class),
            Some(Status::One(status)) => filter.status = Some(status),
            None => {}
        }
        filter.api = self.api;
        filter.application = self.application;
        filter.permit = self.permit;
        filter.stage = self.stage;
        filter.refusal = self.refusal;
        filter.request_id = self.request_id;
        filter.from = self.from;
        filter.to = self.to;
        Ok(filter)
    }
}

/// List calls, the latest first: those of one's organisations, and those to the APIs that one runs
#[utoipa::path(get, path = "/api/v1/traces", tag = "traces", params(Filter), responses((status = 200, body = List<TraceView>)))]
pub async fn list(call: Call, input: Filter) -> Answer {
    let page = page(input.limit, input.cursor);
    let filter = input.wanted(&call).await?;
    Reply::ok(&call.app().list_traces(&call.context(), filter, page).await?)
}

/// Which calls to count. Whole hours, from that of `from` on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// `provider/api`.
    #[param(value_type = Option<String>)]
    api: Option<ApiName>,
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    application: Option<Id<Application>>,
    /// The caller's organisation: id or SIRET.
    organization: Option<String>,
    /// `sandbox` or `production`.
    #[param(value_type = Option<String>)]
    stage: Option<Stage>,
    /// `403`, or a class: `2xx`.
    #[param(value_type = Option<String>, example = "2xx")]
    status: Option<Status>,
    /// The code of a refusal by the gateway.
    refusal: Option<String>,
    /// From this instant on (RFC 3339); left out: as long as traces are kept.
    #[param(value_type = Option<String>)]
    from: Option<Moment>,
    /// Up to this instant; left out: until now.
    #[param(value_type = Option<String>)]
    to: Option<Moment>,
}

/// Count calls by hour, API and status, with durations, reasons of refusal and, for who administers the API, its consumers
#[utoipa::path(get, path = "/api/v1/traces/statistics", tag = "traces", params(Counted), responses((status = 200, body = StatisticsView)))]
pub async fn statistics(call: Call, input: Counted) -> Answer {
    let Counted { api, application, organization, stage, status, refusal, from, to } = input;
    let filter = Filter { api, application, organization, stage, status, refusal, from, to, ..Filter::default() };
    let filter = filter.wanted(&call).await?;
    Reply::ok(&call.app().trace_statistics(&call.context(), filter).await?)
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Anonymise {
    /// `provider/api`: by who runs it; left out, every API, by the operator.
    #[schema(value_type = Option<String>)]
    api: Option<ApiName>,
    /// Id of the caller's organisation.
    #[schema(value_type = Option<String>)]
    organization: Option<Id<Organization>>,
    /// Only those older than this instant (RFC 3339).
    #[schema(value_type = Option<String>)]
    before: Option<Moment>,
}

/// Make traces anonymous, for good
#[utoipa::path(post, path = "/api/v1/traces/anonymise", tag = "traces", request_body = Anonymise, responses((status = 200, body = AnonymisedView)))]
pub async fn anonymise(call: Call, input: Anonymise) -> Answer {
    let input = AnonymiseInput { api: input.api, organization: input.organization, before: input.before };
    Reply::ok(&call.app().anonymise_traces(&call.context(), input).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_classes() {
        let read = |text: &str| serde_json::from_value::<Status>(text.into()).ok();
        assert_eq!(read("2xx"), Some(Status::Class(2)));
        assert_eq!(read("403"), Some(Status::One(403)));
        for bad in ["", "xx", "0xx", "6xx", "20x", "99", "600", "0403", "+40", "2XX", "22xx"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
