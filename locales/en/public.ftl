## Home
home-title = Access to restricted data
home-lead = Administrations hold data that you need not ask people for again. Here one asks for the right to use it, a person decides, and every call is checked.
home-need = I need data
home-need-text = Find an API, read what it gives and who may have it, try it, then apply.
home-provide = I provide data
home-provide-text = Publish an API, decide who uses it, see every call, and end an access at once.
home-mine = Where are my data used?
home-mine-text = The public register says which bodies may read which data, what for, and by which law.
home-how = How it goes
home-how-choose = You choose an API and the form of your use case.
home-how-apply = You say why, which law you rely on and which data you need, and no more.
home-how-decide = The body that holds the data approves, refuses, or asks you to be more precise.
home-how-call = Your application gets its key. Every answer holds the data of your permit alone.
home-apis = { $count ->
    [one] public API
   *[other] public APIs
}
home-permits = { $count ->
    [one] permit in force
   *[other] permits in force
}
home-programs = For programs
home-programs-text = Everything that this portal does can be done by the REST API too.
home-portal = Portal and REST API
home-sandbox = Sandbox gateway
home-production = Production gateway

## Providing
provide-title = Providing data
provide-lead = You hold data that other administrations are entitled to read. The platform keeps the door: the decision stays yours.
provide-what = What the platform does for you
provide-what-decide = It takes requests in a form that you define, and your reviewers decide.
provide-what-enforce = It checks every call: the key, the application, the permit, the stage, the quota.
provide-what-minimise = It removes from every answer what the permit does not open.
provide-what-trace = It keeps a trace of every call and shows it to you at once.
provide-what-stop = It cuts an access as soon as you revoke it: the next call is refused.
provide-how = Publishing an API
provide-how-describe = Describe it by an OpenAPI document and a few lines: its address, its plans, who may have it.
provide-how-masks = Write which fields each scope opens.
provide-how-check = Have these files checked: each fault is named with its line and its mend.
provide-how-roles = Say who reviews, who administers the API and who only looks on.
provide-mine = You administer an API already:
provide-begin = Begin, step by step
provide-begin-write = You write to the operator of the platform: which data, for whom, and the text that lets you pass them on.
provide-begin-describe = You agree on the description of the API, the form of the request and the scopes, which are files read over together.
provide-begin-people = The operator makes the accounts of your reviewers and API administrators.
provide-begin-try = Everybody tries the API in the sandbox, with invented data.
provide-begin-open = You open production, and review the first requests.
provide-contact = Write to the operator of the platform:
provide-publisher = Write to the operator of the platform, who is named in the:
provide-no-contact = The operator of this platform has not yet said here how to be reached: ask whoever told you of this portal. If it is you, fill in “contact” in the settings of the portal.
provide-look = To see what a provider obtains, look at the page of an API that is published already:

## My data
my-data-title = Where are my data used?
my-data-lead = Bodies may read data about you without asking you for it again. This page says which, and how to find out whether they did.
my-data-who = Who may read what
my-data-who-text = Every right that was granted stands in the public register: the body, the data, the purpose and the law that it relies on. Search it for the name of a town, a body or a service.
my-data-register = Search the public register
my-data-how = What holds for every call
my-data-how-permit = Without a permit in force, the call is refused.
my-data-how-fields = The answer holds only the data that the permit names; the rest is removed.
my-data-how-trace = The call leaves a trace: which body, which permit, which API, when.
my-data-how-stop = A permit that is revoked stops opening anything at once.
my-data-not = What this page cannot say
my-data-not-text = Traces hold neither your name nor what was asked about you: so the platform itself does not know whom a call was about. Only the body that made the call, or the one that holds the data, can answer you.
my-data-ask = How to ask
my-data-ask-find = Find the body in the register, and note the number of its permit.
my-data-ask-write = Write to its data protection officer to use your right of access (article 15 of the General Data Protection Regulation).
my-data-ask-month = It has one month to answer.
my-data-ask-cnil = Without an answer, or with one that does not satisfy you, turn to the CNIL, the French data protection authority.
my-data-cnil = Complain to the CNIL
my-data-contact = About the platform itself:

## Catalogue
catalogue-title = Catalogue of APIs
catalogue-lead = What can be applied for, and what is open to everybody.
catalogue-search = Search the catalogue
catalogue-words = Words
catalogue-provider = Provider
catalogue-theme = Theme
catalogue-access = Access
catalogue-all = All
catalogue-submit = Search
catalogue-reset = Show everything
catalogue-found = { $count ->
    [0] No API of { $total }
    [one] 1 API of { $total }
   *[other] { $count } APIs of { $total }
}
catalogue-note = { $provider } · { $count ->
    [one] 1 operation
   *[other] { $count } operations
}
catalogue-empty = No API matches. You can:
catalogue-empty-words = try another word (of a piece of data, a procedure or a provider), or take a filter off.
catalogue-empty-helper = begin with what you want to do.
api-access-open = Open to everybody
api-access-approval = By approval
api-access-permit = By permit
api-theme-family_and_social = Family and social benefits
api-theme-tax = Tax
api-theme-education = Education
api-theme-work = Work
api-theme-health = Health
api-theme-justice = Law and justice
api-theme-identity = Identity
api-theme-business = Business
api-theme-housing = Housing and territory
api-theme-transport = Transport
api-theme-environment = Environment
api-theme-administration = Administration

## An API
api-tabs = Pages of this API
api-tab-about = Overview
api-tab-reference = Reference
api-tab-try = Try it
api-private = Private
api-how-open = Accept the terms, and the application is subscribed at once.
api-how-approval = The API’s administrator approves each subscription.
api-how-permit = It takes a permit: a reasoned request that the provider reviews.
api-apply = Apply for “{ $name }”
api-subscribe = Subscribe an application
api-facts = In brief
api-provider = Provider
api-audience = Who may have it
api-legal-basis = Legal basis
api-credentials = Credentials accepted
api-credential-access_token = OAuth 2 access token
api-credential-api_key = API key
api-support = Help
api-contract = Contract
api-document = OpenAPI document (JSON)
api-version = Published version
api-plans = Plans
api-plan = Plan
api-plan-rate = Calls per second
api-plan-quota = Calls per day
api-plan-unlimited = no limit
api-plans-limits = Limits of each plan
api-plans-none = No plan is described.
api-terms = Terms of use
api-terms-link = Read the terms
api-opened-by = Permit “{ $name }”
api-validity = Validity
api-validity-months = { $count ->
    [one] 1 month
   *[other] { $count } months
}
api-validity-open = until it is revoked
api-stages-in-turn = Applied for stage by stage
api-forms = Forms
api-form-vendor = { $name } (software: { $vendor })
api-definition-terms = Terms of the permit
api-scopes = The data, scope by scope
api-scopes-text = A permit names scopes; each opens some fields of the answers, and nothing else gets out.
api-scope-group = { $group } · { $count ->
    [one] 1 scope
   *[other] { $count } scopes
}
api-scopes-of = { $group }
api-scope = Scope
api-scope-code = Code
api-scope-opens = Fields opened
api-scope-included = Always included.
api-scope-whole = { $count ->
    [one] The whole answer of one operation
   *[other] The whole answer of { $count } operations
}

## Reference
reference-title = { $api }: reference
reference-read = The whole document:
reference-operations = Operations
reference-group = Operations: { $group }
reference-operation = Operation
reference-call = Call
reference-scopes = Scopes that open it
reference-no-scope = none is needed
reference-deprecated = deprecated
reference-deprecated-text = This operation is going away: write no new program that calls it.
reference-all = All operations
reference-try = Try this operation
reference-who = Who may call it
reference-who-subscribed = Any application that is subscribed to the API.
reference-who-scopes = { $count ->
    [one] An application whose permit has this scope:
   *[other] An application whose permit has at least one of these scopes:
}
reference-who-list = { $count ->
    [one] The scope
   *[other] The { $count } scopes
}
reference-send = What is sent
reference-parameters = Parameters
reference-no-parameter = This operation takes no parameter.
reference-name = Name
reference-place = Place
reference-type = Type
reference-meaning = Meaning
reference-required = required
reference-optional = optional
reference-values = Values: { $values }
reference-body = Body ({ $type })
reference-body-free = The document does not describe the fields of this body.
reference-receive = What is received
reference-answers = Answers
reference-no-answer = The document describes no answer.
reference-status = Status
reference-content = Content
reference-no-body = empty
reference-masked = A field is in the answer only when the permit has one of the scopes that open it; the other fields are removed.
reference-fields = Fields of the answer { $status }
reference-field = Field
reference-opened-by = Opened by
reference-cut = The answer has more fields, which the document describes:
shown-always = always there
shown-partly = by its fields
shown-never = never passed on
parameter-in-path = in the path
parameter-in-query = URL parameter
parameter-in-header = header
json-type-string = text
json-type-integer = whole number
json-type-number = number
json-type-boolean = true or false
json-type-object = object
json-type-any = any value
json-list-string = list of texts
json-list-integer = list of whole numbers
json-list-number = list of numbers
json-list-boolean = list of true or false
json-list-object = list of objects
json-list-any = list

## Trying
try-title = { $api }: try it
try-lead = A call to the sandbox, whose data are invented: no real person is touched.
try-choose = Choose
try-operation = Operation
try-no-key = This platform has no test key
try-no-key-text = Fill the form: the call will be written for you, to be made with your application’s own credential.
try-tokens-only = This API accepts no key
try-not-in-sandbox = This API is not open in the sandbox
try-not-in-sandbox-text = It cannot be tried here.
try-values = The values of the call
try-reference = Reference of this operation
try-samples = Test cases
try-samples-text = The sandbox answers by the values. Choose a case: it fills the form.
try-sample = { $name } (answer { $status })
try-sample-chosen = { $sample }, shown
try-body = Body of the call ({ $type })
try-one-per-line = One value on each line.
try-none = (nothing)
try-mock-params = Sandbox only: what the person would have brought along, with FranceConnect for example. A JSON object.
try-send = Send to the sandbox
try-write = Write the call
try-result = Result
try-request = Call
try-took = Time
try-milliseconds = { $count } ms
try-answer = Answer
try-cut = The rest is not shown: the answer is long.
try-headers = Headers of the answer
try-value = Value
try-curl = The same call, in a terminal
try-written = The call is written
try-written-text = Put your application’s credential into it, then run it.
try-no-answer = There is no answer
try-unreachable = The sandbox could not be reached. Try again in a moment.
try-too-slow = The sandbox did not answer in time. Try again in a moment.
try-too-large = The answer is too large to be shown here. Make the call in a terminal.
try-refused = The gateway refused the call: { $code }
try-refused-text = The answer says why, and what to do. The API was not called.
try-found = The API answered: { $status }
try-found-text = Here is its answer, as an application receives it whose permit has the scopes of the test key.
try-other = The API answered: { $status }
try-other-text = This is no error of the gateway: the API did not find, or did not accept, the values. Choose a test case.

## Register
register-title = Public register of permits
register-lead = Every permit in force: which body may read which data, what for, and by which law.
register-search = Search the register
register-words = Body, SIRET, title or number
register-definition = Permit
register-found = { $count ->
    [0] No permit in force
    [one] 1 permit in force
   *[other] { $count } permits in force
}
register-reset = Show everything
register-empty = No permit matches. Try other words, or fewer filters.
register-files = The same lines, for a spreadsheet or a program:
register-csv = CSV
register-json = JSON
register-pages = Pages of the register
register-first = Beginning of the register
register-next = Next page
register-organization = Body
register-siret = SIRET
register-purpose = Purpose
register-legal-basis = Legal basis
register-legal-text = Text
register-stage = Stage
register-granted = Granted on
register-until = In force until
register-no-end = it is revoked
register-scopes = { $count ->
    [one] 1 scope
   *[other] { $count } scopes
}
register-note = The register names no person.

## Statistics
statistics-title = Statistics
statistics-lead = How much is applied for, how long a decision takes, how much is called. Totals alone.
statistics-requests = Requests
statistics-permits = Permits in force
statistics-median = Median time
statistics-p90 = Time, nine of ten
statistics-hours = { $hours } h
statistics-in-days = { $days } d
statistics-under-an-hour = less than an hour
statistics-none = no decision
statistics-months = Requests opened each month, by their state today
statistics-months-text = A column for each of twelve months; { $count } requests in all.
statistics-month = Month
statistics-table = The figures as a table
statistics-delay-title = Time to decision
statistics-delays = Time from the first submission to the decision, by month of decision
statistics-delays-text = Two lines over twelve months: half of the decisions, and nine of ten; { $count } decisions. A month without a decision has no point.
statistics-who = Who asks for what
statistics-by-definition = By kind of permit
statistics-by-provider = By provider
statistics-name = Name
statistics-decided = Decisions in twelve months
statistics-first = { $caption } (the { $count } most applied for)
statistics-nothing = Nothing to count yet.
statistics-calls-title = Calls
statistics-days = Calls per day of each API
statistics-other-apis = { $count ->
    [one] one other API
   *[other] { $count } other APIs
}
statistics-days-text = A line for each API, over thirty days; { $count } calls.
statistics-day = Day
statistics-calls = Calls of the APIs in thirty days, the most called first
statistics-api = API
statistics-calls-count = Calls
statistics-made = Figures of
statistics-json = All figures, as JSON

## Legal notices
legal-publisher = Publisher
legal-no-publisher = The operator of this platform has not yet said who publishes and who hosts it.
legal-contact = Contact:
legal-personal = Personal data
legal-personal-accounts = The portal keeps, of each account, the name, the e-mail address, the body and what was done. Passwords are kept only in a form from which they cannot be found again.
legal-personal-traces = Every call to the gateways leaves a trace: the application, the API, the time, the outcome, the network address. It is made anonymous for good after { $days ->
    [one] 1 day
   *[other] { $days } days
}. It holds neither what was asked nor the answer.
legal-personal-register = The public register names bodies, never a person.
legal-personal-rights = You have the right to see the data about you and to have it corrected.
legal-cookies = Cookies
legal-cookies-text = This site uses only the cookies that it needs to work: none follows anybody, none comes from another site. So no consent is asked for.
legal-cookies-session = The session: who you are, until you sign out, twelve hours at most.
legal-cookies-language = Your choices of display, the language among them: one year.
legal-cookies-flash = The message that confirms what you just did: one minute.
legal-reuse = Reuse
legal-reuse-text = The register and the statistics may be reused freely, naming the source and the date. The data of the APIs follow the terms of each.
legal-software = Software
legal-software-name = Name
legal-software-version = Version
legal-software-licence = Licence

## Accessibility
accessibility-title = Accessibility
accessibility-lead = This portal is made to be used by everybody, with all sorts of tools. This page says what was checked and what was not.
accessibility-state = State
accessibility-state-text = The portal aims at RGAA 4.1 and WCAG 2.2, level AA. It has not been audited: so it is not declared conforming.
accessibility-tested = What is checked for each version
accessibility-tested-axe = The pages, in both languages, by an automatic check (axe) in a real browser.
accessibility-tested-keyboard = The whole way, from the request to the revocation, by keyboard alone.
accessibility-tested-script = The same way, without JavaScript.
accessibility-tested-narrow = How it looks 320 points wide, and the contrast, light and dark.
accessibility-not = What is not
accessibility-not-people = It was tried neither with disabled people nor with a screen reader.
accessibility-not-audit = An automatic check finds only some of the faults; no auditor has looked at these pages.
accessibility-not-docs = The documentation of the REST API is a third party’s tool, which is not checked. The OpenAPI document says the same.
accessibility-not-texts = Texts written by providers and applicants are not checked; some are in one language only.
accessibility-report = Report a fault
accessibility-report-text = Say what you wanted to do, with which tool, and what happened: to the operator of the platform.
accessibility-defender = Without an answer, French residents may turn to the Defender of Rights.
accessibility-defender-link = Write to the Defender of Rights
