## Words that these pages share
none = none
never = never
yes = yes
actions = Actions
list-show = Show
chart-table = The figures in a table

## Applications
applications-title = Applications
applications-lead = An application is one of your programs, on one stage: it has its credentials, and calls the APIs that it is subscribed to.
applications-caption = Applications of the organisation
applications-empty = No application yet. Create one: in the sandbox to try things out, in production for real data.
applications-no-organization = You are not a verified member of any organisation
applications-no-organization-text = Applications belong to an organisation, and your link to yours is not proved yet.
applications-choose = Which application will call { $api }?
applications-choose-one = Which application?
applications-choose-text = Choose it below, or create one.
applications-of = Choose the organisation
application-choose = Subscribe for “{ $name }”
application-other-stage = Another stage: it cannot call it
application-subscribed = Subscribed already
application-next = Next
application-name = Application
application-name-hint = 1 to 120 characters. For example “Family portal, production”.
application-stage = Stage
application-stage-hint-sandbox = Test data. To write and try your program.
application-stage-hint-production = Real data. A restricted API needs a permit.
application-state = State
application-state-active = Active
application-state-suspended = Suspended
application-apis = APIs
application-organization = Organisation
application-management = Management rights
application-management-hint = Its API keys may use the REST API of this portal in the name of your organisation. Leave it empty if it only calls APIs.
application-new = Create an application
application-new-lead = The two stages share nothing: make an application for each.
application-create = Create
application-client-id = Identifier (client_id)
application-token-url = Token address
application-created = Created on
application-suspended = This application is suspended
application-suspended-text = All its calls are refused. If the operator suspended it, the operator alone can resume it.
application-suspend = Suspend the application
application-suspend-title = Suspend “{ $name }”?
application-suspend-text = From now on all its calls will be refused, on every API. You can resume it; its credentials and subscriptions stay.
application-resume = Resume the application
application-subscribe = Subscribe to an API
application-usage = Calls and errors

## Subscriptions
subscriptions-title = Subscriptions
subscriptions-caption = What the application may call
subscriptions-empty = No subscription. Subscribe to an API to be able to call it.
subscription-state-pending = Pending
subscription-state-active = Active
subscription-state-suspended = Suspended
subscription-state-revoked = Ended
subscription-api = API
subscription-permit = Permit
subscription-plan = Plan
subscription-access = Access
subscription-today = Left today
subscription-last-call = Last call
subscription-left = { $left } calls of { $quota }
subscription-unlimited = No daily limit ({ $used } calls today)
subscription-start = First call to { $api }
subscription-terms = Accept the terms of { $api }
subscription-terms-title = Terms of use
subscription-terms-text = The terms of this API have changed. Until you accept them, calls are refused.
subscription-terms-accept = I accept these terms
subscription-terms-link = Read the full terms
subscription-accept-terms = I accept the API’s terms of use
subscription-refused = Calls refused
subscription-anew = Go on with { $api } under another permit
subscription-end = End { $api }
subscription-end-text = The next call to this API will be refused. You can subscribe again; an API on approval will need its administrator’s approval again.
subscription-end-now = End the subscription
subscribe-choose = Which API should this application call? Only those open on its stage are offered.
subscribe-none = No other API is open on this application’s stage.
subscribe-to = Subscribe to { $api }
subscribe-now = Subscribe
subscribe-apply = Apply for the permit
subscribe-needs-permit = You need a permit first
subscribe-needs-permit-text = No permit in force of your organisation opens this API on this stage. Apply for it; once it is granted, come back here.
subscribe-already = This application is subscribed to this API already
subscribe-already-text = There is nothing to do: its page says what it may call.
subscribe-not-open = This API is not open on the stage “{ $stage }”
subscribe-not-open-text = Create an application on the other stage to call it.
subscribe-permit-until = Until { $date }
plan-rate = { $count } calls per second
plan-quota = { $count } calls per day
plan-unlimited = no limit

## Credentials
credentials-title = Credentials
credentials-text = Two credentials of each kind may be in use at once: replace one without stopping anything, then revoke the other.
credentials-caption = Credentials of the application
credentials-empty = No credential. Create a secret to ask for tokens, or an API key.
credential-new = Create a credential
credential-new-text = The secret will be shown once, on the next page. Have ready the place where you will keep it.
credential-make = Create and show the secret
credential-kind = Kind
credential-kind-client_secret = OAuth secret (client_secret)
credential-kind-api_key = API key
credential-kind-hint-client_secret = With the application’s identifier it gives a token for one hour. To be preferred.
credential-kind-hint-api_key = Sent with each call. Simpler, and to be guarded all the better.
credential-hint = Beginning
credential-active = Active
credential-revoked = Revoked
credential-last-used = Last used
credential-replace = Replace { $hint }…
credential-replace-text = A new secret will be created beside { $hint }…, which goes on working. Put the new one into your program, check, then revoke the old one.
credential-revoke = Revoke { $hint }…
credential-revoke-text = The next call that carries this credential will be refused. There is no way back.
credential-revoke-now = Revoke the credential
credential-full = Two credentials of the kind “{ $kind }” are active already
credential-full-text = Revoke one before you create another.
credential-made = Your new credential
credential-once = Copy it now: it will never be shown again
credential-gone = This secret was shown already
credential-gone-text = It is kept nowhere. If it is lost, revoke this credential and create another.
credential-next = What next
credential-kept = I have put it in a safe place
credential-old = { $hint }… still works
credential-old-text = Revoke it when the new one is in place.

## Calls and figures
usage-title = Calls of “{ $name }”
usage-traces = See each call
usage-errors = Last errors
usage-errors-empty = No error in the traces that are kept.
usage-meaning = What it means
usage-upstream-refused = The API itself refused the call: the body of its answer says why.
usage-upstream-failed = The provider’s service failed: try again later; the provider can see this in its traces.
traffic-title = { $api }: traffic
traffic-choose = Choose the figures
traffic-period = Period
period-24h = Last 24 hours
period-7d = Last 7 days
period-10d = Last 10 days
traffic-all-stages = All
traffic-empty = No call in this period.
traffic-calls = Calls
traffic-answered = Succeeded
traffic-refused = Refused by the gateway
traffic-client-errors = 4xx errors of the API
traffic-server-errors = Failures of the provider
traffic-errors = Errors
traffic-errors-of = { $errors } ({ $percent }%)
traffic-p50 = Median duration
traffic-p95 = Duration, 95% of calls
traffic-milliseconds = { $count } ms
traffic-hour = Hour
traffic-day = Day
traffic-chart-calls = Calls by outcome
traffic-chart-calls-text = Number of calls that succeeded, were refused or failed, over time.
traffic-chart-durations = Duration of answers, in milliseconds
traffic-chart-durations-text = Duration that half and 95% of the calls answered by the API do not exceed, over time.
traffic-consumers = Main consumers
traffic-nobody = Caller unknown or made anonymous
traffic-refused-title = Refusals by the gateway and failures, by reason
traffic-refused-caption = Calls refused or failed, by reason
traffic-refused-empty = No refusal in this period.
traffic-reason = Reason
traffic-code = Code
traffic-what-to-do = What to do

## First call
first-call-title = First call of “{ $name }”
first-call-lead = The same call in four languages, with the identifiers of your application.
first-call-call = Call
first-call-secret = You need a credential of the kind “{ $kind }”
first-call-secret-text = Give it to your program through the environment variable { $variable }, never in its text.
first-call-held = Your application has a credential of the kind “{ $kind }”: { $hint }…
first-call-lost = Lost its secret? Replace the credential
first-call-export = For your program to read it
first-call-your-secret = YOUR_SECRET
first-call-fill-in = Replace the values TO_REPLACE before you call
first-call-fill-in-text = In production the data is real: give that of the person concerned, for the use that the permit allows. To try with a test person, use an application of the sandbox.
first-call-reference = Reference of the API

## Invitations
invitation-title = Invitation to use { $api }
invitation-lead = The administrator of this API invites you to subscribe to it. The invitation works once.
invitation-code = Code
invitation-about = About
invitation-until = Valid until
invitation-application = For which application?
invitation-accept = Accept and subscribe
invitation-no-application = You need an application first
invitation-no-application-text = Create one on a stage where this API is open, then open the link of the invitation again.
invitation-other = This invitation is for another account
invitation-other-text = You are signed in as { $email }, and the invitation was sent to another address.
invitation-other-how = Sign out, then sign in with the account of the address that received the message: you will come back here. If you have no such account, ask the person who invites you to send it to your address.
invitation-sign-in = Change account
invitation-sent = Sent on
invitation-state-open = Open
invitation-state-accepted = Accepted
invitation-state-withdrawn = Withdrawn
invitation-state-expired = Expired
invitation-withdraw = Withdraw the invitation
invitations-caption = Invitations sent
invitations-empty = No invitation sent.

## Administering an API
admin-apis-caption = APIs that you administer
admin-apis-empty = You administer no API. The operator gives this role.
admin-api-tabs = Administration pages of this API
admin-api-about = Contract and stages
admin-api-masks = Masks
admin-api-subscribers = Subscribers
admin-api-traffic = Traffic
admin-api-traffic-of = { $api }: traffic
admin-api-waiting = To decide
admin-api-pending = { $count ->
    [one] { $count } subscription to decide
   *[other] { $count } subscriptions to decide
}
admin-api-visibility = Visibility
api-visibility-public = Public
api-visibility-private = Private
admin-api-mount = Path on the gateways
admin-api-version = Published version
admin-api-document = Document
admin-api-stages = Stages and the provider’s service
admin-api-no-stage = This API is open on no stage.
admin-api-upstream = Service
admin-api-mocks = Examples and test cases
admin-api-timeout = Time limits
admin-api-timeouts = connection { $connect } ms, answer { $whole } ms
admin-api-plans = Plans
admin-api-no-plan = No plan.
admin-api-rate = Calls per second
admin-api-quota = Calls per day
admin-api-operations = Operations of the contract
admin-api-contract = { $count ->
    [one] The operation of the contract
   *[other] The { $count } operations of the contract
}
admin-api-no-operation = The contract names no operation.
admin-api-scopes = Scopes that open it
admin-api-answers = Answers
admin-api-masked = masked
admin-api-unmasked = whole
health-text = Of your service the platform knows only what calls show.
health-no_call = No call yet
health-answering = Answering
health-failing = Failing
health-last-answer = Last answer
health-last-failure = Last failure
health-minutes = Last 15 minutes
health-recent = { $calls ->
    [0] no call
    [one] { $calls } call, { $failures } failed
   *[other] { $calls } calls, { $failures } failed
}

## Masks
mask-title = { $api }: masks
mask-lead = Each scope opens some fields of the answers; what no granted scope opens is removed.
mask-choose = Choose the operation
mask-none = No answer of this API is masked
mask-none-text = Its operations pass whole to whoever may call them.
mask-caption = Fields opened by scope: { $operation }
mask-scope = Scope
mask-fields = Fields that it opens
mask-field = Field
mask-opens = ✓ open
mask-closed = —
mask-always = always
mask-preview = Preview on a sample answer
mask-try = Choose the scopes
mask-scopes = Scopes of the caller
mask-show = Show the preview
mask-no-sample = No sample answer
mask-no-sample-text = Neither the test cases nor the OpenAPI document give one for this operation.
mask-removed = { $count ->
    [0] Nothing is removed
    [one] One field is removed
   *[other] { $count } fields are removed
}
mask-removed-text = The preview is made by the code that masks real answers.
mask-refused = The call would be refused
mask-refused-text = None of these scopes opens the operation.
mask-masked = What the caller receives
mask-whole = What the provider answers

## Subscribers of an API
subscribers-title = { $api }: subscribers
subscribers-caption = Subscriptions to this API
subscribers-empty = No subscription here.
subscribers-states = States of subscriptions
subscribers-all = All
subscribers-by-permit = The permit opens this API
subscribers-by-permit-text = Each subscriber subscribes with theirs: you have nobody to enrol. You can suspend or revoke a subscription.
subscriber-since = Since
subscriber-application-suspended = Application suspended
subscriber-move-activate = Activate “{ $name }”
subscriber-move-suspend = Suspend “{ $name }”
subscriber-move-revoke = Revoke “{ $name }”
subscriber-move-text-activate = The application can call the API from now on.
subscriber-move-text-suspend = The next call of this application will be refused. You can activate it again.
subscriber-move-text-revoke = The next call of this application will be refused, and the subscription ends. A new one will wait for your approval.
subscriber-move-now-activate = Activate
subscriber-move-now-suspend = Suspend
subscriber-move-now-revoke = Revoke
enrol-title = Enrol an application
enrol-text = You know its identifier: it is subscribed at once.
enrol-hint = Its client_id, which the subscriber reads on the page of their application.
enrol-unknown = This is not the identifier of an application.
enrol-now = Enrol
invite-title = Invite by mail
invite-text = The person receives a personal link, valid for 30 days, and chooses the application. Without an account, they must ask for one first.
invite-email = E-mail address
invite-hint = The one that the person signs in with, or will.
invite-language = Language of the mail
invite-now = Send the invitation

## Traces
traces-title = Traces of calls
traces-lead = Calls of your organisations and calls to the APIs that you administer, the latest first. Never the content: neither parameters nor answers.
traces-search = Search calls
traces-find = Search
traces-reset = Show all
traces-caption = Calls found
traces-empty = No call matches. Take a longer period or fewer filters.
traces-anonymise = Make traces anonymous
traces-anonymise-text = Who called, from where, and the minute of the call are erased for ever; there is no way back. The counts stay.
traces-anonymise-now = Make anonymous for ever
traces-which = Which
traces-older-0 = All
traces-older-24 = Older than 24 hours
traces-older-168 = Older than 7 days
traces-all-apis = Every API
trace-at = When
trace-status = Status
trace-status-hint = For example 403, or 5xx.
trace-api-hint = provider/api, for example dinum/api-particulier
trace-operation = Operation
trace-outcome = Outcome
trace-duration = Duration
trace-masked = Fields removed
trace-caller = Application and permit
trace-anonymous = made anonymous
trace-request = Request identifier

## What was just done
flash-application-created = The application is created.
flash-application-suspended = The application is suspended: its calls are refused.
flash-application-resumed = The application is resumed.
flash-subscription-made = The subscription is active.
flash-subscription-pending = The subscription waits for the approval of the API’s administrator.
flash-subscription-ended = The subscription has ended.
flash-terms-accepted = The terms are accepted.
flash-credential-revoked = The credential is revoked: the next call that carries it is refused.
flash-subscriber-enrolled = The application is enrolled.
flash-subscriber-activate = The subscription is active.
flash-subscriber-suspend = The subscription is suspended.
flash-subscriber-revoke = The subscription is revoked.
flash-invitation-sent = The invitation is on its way.
flash-invitation-withdrawn = The invitation is withdrawn: its link works no more.
flash-traces-anonymised = Traces made anonymous: { $about }.
