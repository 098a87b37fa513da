//! Every reason for which the gateway refuses a call: its code, its status, and a sentence that says
//! what to do. The gateway answers with them, the portal explains traces with them.

use crate::text::Language;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:literal $en_title:literal $fr_title:literal $en:literal $fr:literal;)+) => {
        /// A reason to refuse; [`Reason::code`] is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(usize)]
        pub enum Reason { $($(#[$doc])* $name,)+ }
        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable code: member `code` of the problem, header `Octroi-Error`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }
            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }
            /// The reason with this code.
            #[must_use]
            pub fn find(code: &str) -> Option<Self> {
                Self::ALL.iter().find(|reason| reason.code() == code).copied()
            }
            const fn texts(self, language: Language) -> (&'static str, &'static str) {
                match (self, language) { $((Self::$name, Language::En) => ($en_title, $en), (Self::$name, Language::Fr) => ($fr_title, $fr),)+ }
            }
        }
    };
}

reasons! {
    MalformedRequest "malformed_request" 400 "Malformed request" "Requête mal formée"
        "The request can be read in more than one way, or not at all: write it in its plain form."
        "La requête peut être lue de plusieurs façons, ou d’aucune : écrivez-la sous sa forme simple.";
    UriTooLong "uri_too_long" 414 "URI too long" "URI trop longue"
        "The path and query are longer than 8192 bytes: send large parameters in the body."
        "Le chemin et la requête dépassent 8192 octets : envoyez les grands paramètres dans le corps.";
    HeadersTooLarge "headers_too_large" 431 "Header fields too large" "En-têtes trop volumineux"
        "The request has more than 100 header fields or 32 KB of them: send fewer."
        "La requête a plus de 100 en-têtes ou plus de 32 Ko d’en-têtes : envoyez-en moins.";
    UnknownRoute "unknown_route" 404 "Unknown route" "Route inconnue"
        "No published operation has this path: check the provider, the API, its version and the path in the catalogue."
        "Aucune opération publiée n’a ce chemin : vérifiez le fournisseur, l’API, sa version et le chemin dans le catalogue.";
    NotOpenOnStage "not_open_on_stage" 404 "API not open on this stage" "API non ouverte à cette étape"
        "This API exists but is not open on this stage: call it on the other one, or ask its provider."
        "Cette API existe mais n’est pas ouverte à cette étape : appelez-la à l’autre, ou demandez à son fournisseur.";
    MethodNotAllowed "method_not_allowed" 405 "Method not allowed" "Méthode non permise"
        "This path exists but not with this method: use one that the Allow header lists."
        "Ce chemin existe mais pas avec cette méthode : utilisez l’une de celles de l’en-tête Allow.";
    AmbiguousCredential "ambiguous_credential" 400 "More than one credential" "Plusieurs identifiants"
        "The request carries more than one credential: send exactly one of Authorization, X-Api-Key and KeyId."
        "La requête porte plusieurs identifiants : envoyez un seul en-tête parmi Authorization, X-Api-Key et KeyId.";
    MissingCredential "missing_credential" 401 "Credential missing" "Identifiant absent"
        "Send an access token (Authorization: Bearer) or an API key (X-Api-Key)."
        "Envoyez un jeton d’accès (Authorization: Bearer) ou une clé d’API (X-Api-Key).";
    InvalidCredential "invalid_credential" 401 "Credential not valid" "Identifiant non valide"
        "The credential is unknown, expired, revoked or of the other stage: get a new token, or check the key."
        "L’identifiant est inconnu, expiré, révoqué ou de l’autre étape : demandez un nouveau jeton, ou vérifiez la clé.";
    CredentialKindNotAccepted "credential_kind_not_accepted" 403 "Kind of credential not accepted" "Type d’identifiant non accepté"
        "This API does not accept this kind of credential: its page in the catalogue names those that it accepts."
        "Cette API n’accepte pas ce type d’identifiant : sa page du catalogue indique ceux qu’elle accepte.";
    ApplicationSuspended "application_suspended" 403 "Application suspended" "Application suspendue"
        "This application is suspended: ask its owner or the platform's operator."
        "Cette application est suspendue : adressez-vous à son responsable ou à l’exploitant de la plateforme.";
    SubscriptionMissing "subscription_missing" 403 "No subscription" "Pas d’abonnement"
        "This application is not subscribed to this API: subscribe it in the portal."
        "Cette application n’est pas abonnée à cette API : abonnez-la dans le portail.";
    SubscriptionPending "subscription_pending" 403 "Subscription pending" "Abonnement en attente"
        "The subscription waits for the approval of the API's administrator."
        "L’abonnement attend l’accord de l’administrateur de l’API.";
    SubscriptionSuspended "subscription_suspended" 403 "Subscription suspended" "Abonnement suspendu"
        "The subscription is suspended: ask the API's administrator."
        "L’abonnement est suspendu : adressez-vous à l’administrateur de l’API.";
    SubscriptionRevoked "subscription_revoked" 403 "Subscription ended" "Abonnement terminé"
        "The subscription has ended: subscribe the application again in the portal."
        "L’abonnement a pris fin : abonnez de nouveau l’application dans le portail.";
    PermitMissing "permit_missing" 403 "No permit" "Pas d’habilitation"
        "This API needs a permit, and the subscription points at none: apply for one in the portal."
        "Cette API demande une habilitation et l’abonnement n’en désigne aucune : faites une demande dans le portail.";
    PermitSuspended "permit_suspended" 403 "Permit suspended" "Habilitation suspendue"
        "The permit is suspended: ask the provider who granted it."
        "L’habilitation est suspendue : adressez-vous au fournisseur qui l’a accordée.";
    PermitSuperseded "permit_superseded" 403 "Permit superseded" "Habilitation remplacée"
        "Another permit replaced this one: end the subscription, and subscribe again with the new permit."
        "Une autre habilitation a remplacé celle-ci : mettez fin à l’abonnement, puis abonnez de nouveau l’application avec la nouvelle.";
    PermitRevoked "permit_revoked" 403 "Permit revoked" "Habilitation révoquée"
        "The permit was revoked: its page in the portal says why."
        "L’habilitation a été révoquée : sa page du portail dit pourquoi.";
    PermitExpired "permit_expired" 403 "Permit expired" "Habilitation expirée"
        "The permit is out of date: ask for its renewal in the portal."
        "L’habilitation est arrivée à échéance : demandez son renouvellement dans le portail.";
    TermsNotAccepted "terms_not_accepted" 403 "Terms of use not accepted" "Conditions d’utilisation non acceptées"
        "The API's terms of use in force have not been accepted: accept them in the portal."
        "Les conditions d’utilisation en vigueur de l’API n’ont pas été acceptées : acceptez-les dans le portail.";
    AddressNotAllowed "address_not_allowed" 403 "Address not allowed" "Adresse non permise"
        "This API may be called from some networks only, and this address is in none of them: ask its provider."
        "Cette API ne peut être appelée que depuis certains réseaux, dont cette adresse n’est pas : adressez-vous à son fournisseur.";
    ScopeMissing "scope_missing" 403 "Scope missing" "Droit manquant"
        "None of the scopes that open this operation is held by this call: ask for a token with one of them, or amend the permit."
        "Cet appel n’a aucun des droits qui ouvrent cette opération : demandez un jeton qui en porte un, ou modifiez l’habilitation.";
    RateExceeded "rate_exceeded" 429 "Too many calls per second" "Trop d’appels par seconde"
        "The plan's calls per second are used up: wait for the time that Retry-After says."
        "Le nombre d’appels par seconde de l’offre est atteint : attendez le délai de l’en-tête Retry-After.";
    QuotaExceeded "quota_exceeded" 429 "Daily quota used up" "Quota du jour épuisé"
        "The plan's calls per day are used up: wait for the time that Retry-After says, or ask for another plan."
        "Le nombre d’appels par jour de l’offre est atteint : attendez le délai de l’en-tête Retry-After, ou demandez une autre offre.";
    RequestInvalid "request_invalid" 400 "Request not as described" "Requête non conforme"
        "The request is not as the API's description says: the member `errors` names each fault."
        "La requête n’est pas conforme à la description de l’API : le membre « errors » nomme chaque défaut.";
    BodyTooLarge "body_too_large" 413 "Body too large" "Corps trop volumineux"
        "The body is larger than this operation reads: send less."
        "Le corps dépasse ce que cette opération peut lire : envoyez-en moins.";
    BodyTooSlow "body_too_slow" 408 "Body not received in time" "Corps non reçu à temps"
        "The body did not arrive in time: send it again, faster."
        "Le corps n’est pas arrivé à temps : envoyez-le de nouveau, plus vite.";
    UpstreamUnreachable "upstream_unreachable" 502 "Provider unreachable" "Fournisseur injoignable"
        "The provider's service could not be reached: try again later; the provider can see this in its traces."
        "Le service du fournisseur n’a pas pu être joint : réessayez plus tard ; le fournisseur le voit dans ses traces.";
    UpstreamTimeout "upstream_timeout" 504 "Provider too slow" "Fournisseur trop lent"
        "The provider's service did not answer in time: try again later."
        "Le service du fournisseur n’a pas répondu à temps : réessayez plus tard.";
    UpstreamInvalid "upstream_invalid" 502 "Answer of the provider not valid" "Réponse du fournisseur non valide"
        "The provider's service did not give an answer that can be passed on: tell the provider, with the request id."
        "Le service du fournisseur n’a pas donné de réponse transmissible : signalez-le au fournisseur, avec l’identifiant de requête.";
    AnswerNotMaskable "answer_not_maskable" 502 "Answer cannot be minimised" "Réponse impossible à minimiser"
        "The provider's answer is not the JSON that its contract says, so its fields cannot be minimised and it is not passed on: tell the provider."
        "La réponse du fournisseur n’est pas le JSON prévu par son contrat ; ses champs ne peuvent être minimisés et elle n’est pas transmise : signalez-le au fournisseur.";
    AnswerTooLarge "answer_too_large" 502 "Answer too large to be minimised" "Réponse trop volumineuse pour être minimisée"
        "The provider's answer is larger than what can be minimised: ask for less at once."
        "La réponse du fournisseur dépasse ce qui peut être minimisé : demandez moins à la fois.";
    ViewTooOld "view_too_old" 503 "Rights not up to date" "Droits non à jour"
        "The gateway has had no news of the rights for too long, so restricted APIs are closed: try again shortly."
        "La passerelle n’a pas de nouvelles des droits depuis trop longtemps ; les API restreintes sont fermées : réessayez sous peu.";
    NoSnapshot "no_snapshot" 503 "Gateway not ready" "Passerelle non prête"
        "The gateway has not yet received what it must know: try again shortly."
        "La passerelle n’a pas encore reçu ce qu’elle doit connaître : réessayez sous peu.";
    TraceUnavailable "trace_unavailable" 503 "Traces cannot be kept" "Traces indisponibles"
        "Calls cannot be traced at the moment, so restricted APIs are closed: try again shortly."
        "Les appels ne peuvent pas être tracés pour l’instant ; les API restreintes sont fermées : réessayez sous peu.";
}

impl Reason {
    /// A few words that name the problem.
    #[must_use]
    pub const fn title(self, language: Language) -> &'static str {
        self.texts(language).0
    }

    /// A sentence that says what to do.
    #[must_use]
    pub const fn detail(self, language: Language) -> &'static str {
        self.texts(language).1
    }

    /// Does it say that the provider's service failed, rather than that the call was refused?
    #[must_use]
    pub const fn is_of_upstream(self) -> bool {
        matches!(
            self,
            Self::UpstreamUnreachable | Self::UpstreamTimeout | Self::UpstreamInvalid | Self::AnswerNotMaskable | Self::AnswerTooLarge
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_every_sentence_says_something() {
        let codes: std::collections::HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for (index, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
            assert!((400..=504).contains(&reason.status()));
            assert_eq!(Reason::find(reason.code()), Some(*reason));
            for language in [Language::Fr, Language::En] {
                assert!(reason.detail(language).len() > 30 && reason.title(language).len() > 5, "{reason:?}");
            }
        }
    }
}
