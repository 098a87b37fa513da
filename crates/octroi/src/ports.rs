//! What the portal asks of the gateways: tokens, introspection, keys. The same code answers on the
//! portal and on each listener.

use std::{collections::HashMap, sync::Arc};

use octroi_domain::stage::Stage;
use octroi_gateway::Handle;
use octroi_oauth::{introspection::ActiveToken, jwk::JwkSet, token_request::ClientRequest};
use octroi_web::{TokenAnswer, TokenPort};

/// The gateways, as the portal sees them.
pub struct Gateways(pub Arc<HashMap<Stage, Handle>>);

impl TokenPort for Gateways {
    fn token(&self, stage: Option<Stage>, authorization: Option<&str>, content_type: Option<&str>, body: &[u8]) -> TokenAnswer {
        let stages = Stage::ALL.into_iter().filter(|candidate| stage.is_none_or(|stage| stage == *candidate));
        let mut refusal = None;
        for handle in stages.filter_map(|stage| self.0.get(&stage)) {
            let answer = handle.token(authorization, body, content_type);
            let known = answer.client.is_some();
            let answer = TokenAnswer {
                status: answer.status,
                headers: answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                body: answer.json,
            };
            // A client belongs to one stage: where it is known, that stage's answer is the answer.
            if known {
                return answer;
            }
            refusal = Some(answer);
        }
        refusal.unwrap_or(TokenAnswer { status: 503, headers: Vec::new(), body: Vec::new() })
    }

    fn introspect(&self, token: &str) -> Option<(ActiveToken, Stage)> {
        self.0.iter().find_map(|(stage, handle)| handle.introspect(token).map(|claims| (claims.into(), *stage)))
    }

    fn jwks(&self) -> JwkSet {
        JwkSet { keys: Stage::ALL.into_iter().filter_map(|stage| self.0.get(&stage)).flat_map(|handle| handle.jwks().keys).collect() }
    }

    fn client_authenticates(&self, request: &ClientRequest) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| self.0.get(stage).is_some_and(|handle| handle.authenticates(request)))
    }
}
