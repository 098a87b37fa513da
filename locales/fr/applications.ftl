## Mots communs à ces pages
none = aucun
never = jamais
yes = oui
actions = Actions
list-show = Afficher
chart-table = Les chiffres dans un tableau

## Applications
applications-title = Applications
applications-lead = Une application est un de vos programmes, à une étape : elle a ses identifiants, et appelle les API auxquelles elle est abonnée.
applications-caption = Applications de l’organisation
applications-empty = Aucune application pour l’instant. Créez-en une : dans le bac à sable pour essayer, en production pour les données réelles.
applications-no-organization = Vous n’êtes membre vérifié d’aucune organisation
applications-no-organization-text = Les applications appartiennent à une organisation, et votre lien avec la vôtre n’est pas encore prouvé.
applications-choose = Quelle application appellera { $api } ?
applications-choose-one = Quelle application ?
applications-choose-text = Choisissez-la ci-dessous, ou créez-en une.
applications-of = Choisir l’organisation
application-choose = Abonner « { $name } »
application-other-stage = Autre étape : elle ne peut pas l’appeler
application-subscribed = Déjà abonnée
application-next = Suite
application-name = Application
application-name-hint = 1 à 120 caractères. Par exemple « Portail famille, production ».
application-stage = Étape
application-stage-hint-sandbox = Données d’essai. Pour écrire et essayer votre programme.
application-stage-hint-production = Données réelles. Pour une API restreinte, il faut une habilitation.
application-state = État
application-state-active = Active
application-state-suspended = Suspendue
application-apis = API
application-organization = Organisation
application-management = Droits de gestion
application-management-hint = Ses clés d’API pourront utiliser l’API REST de ce portail au nom de votre organisation. Laissez vide si elle n’appelle que des API.
application-new = Créer une application
application-new-lead = Les deux étapes ne partagent rien : faites une application pour chacune.
application-create = Créer
application-client-id = Identifiant (client_id)
application-token-url = Adresse des jetons
application-created = Date de création
application-suspended = Cette application est suspendue
application-suspended-text = Tous ses appels sont refusés. Si l’exploitant l’a suspendue, lui seul peut la rétablir.
application-suspend = Suspendre l’application
application-suspend-title = Suspendre « { $name } » ?
application-suspend-text = Dès maintenant, tous ses appels seront refusés, sur toutes les API. Vous pourrez la rétablir ; ses identifiants et ses abonnements restent.
application-resume = Rétablir l’application
application-subscribe = S’abonner à une API
application-usage = Appels et erreurs

## Abonnements
subscriptions-title = Abonnements
subscriptions-caption = Ce que l’application peut appeler
subscriptions-empty = Aucun abonnement. Abonnez l’application à une API pour pouvoir l’appeler.
subscription-state-pending = En attente
subscription-state-active = Actif
subscription-state-suspended = Suspendu
subscription-state-revoked = Terminé
subscription-api = API
subscription-permit = Habilitation
subscription-plan = Offre
subscription-access = Accès
subscription-today = Reste aujourd’hui
subscription-last-call = Dernier appel
subscription-left = { $left } appels sur { $quota }
subscription-unlimited = Sans limite par jour ({ $used } appels aujourd’hui)
subscription-start = Premier appel à { $api }
subscription-terms = Accepter les conditions de { $api }
subscription-terms-title = Conditions d’utilisation
subscription-terms-text = Les conditions de cette API ont changé. Tant que vous ne les acceptez pas, les appels sont refusés.
subscription-terms-accept = J’accepte ces conditions
subscription-terms-link = Lire les conditions complètes
subscription-accept-terms = J’accepte les conditions d’utilisation de l’API
subscription-refused = Appels refusés
subscription-anew = Reprendre { $api } avec une autre habilitation
subscription-end = Mettre fin à { $api }
subscription-end-text = L’appel suivant à cette API sera refusé. Vous pourrez l’abonner de nouveau ; une API sur accord demandera de nouveau celui de son administrateur.
subscription-end-now = Mettre fin à l’abonnement
subscribe-choose = Quelle API cette application doit-elle appeler ? Seules celles qui sont ouvertes à son étape sont proposées.
subscribe-none = Aucune autre API n’est ouverte à l’étape de cette application.
subscribe-to = S’abonner à { $api }
subscribe-now = S’abonner
subscribe-apply = Demander l’habilitation
subscribe-needs-permit = Il vous faut d’abord une habilitation
subscribe-needs-permit-text = Aucune habilitation en vigueur de votre organisation n’ouvre cette API à cette étape. Demandez-la ; quand elle sera accordée, revenez ici.
subscribe-already = Cette application est déjà abonnée à cette API
subscribe-already-text = Vous n’avez rien à faire : sa page dit ce qu’elle peut appeler.
subscribe-not-open = Cette API n’est pas ouverte à l’étape « { $stage } »
subscribe-not-open-text = Créez une application à l’autre étape pour l’appeler.
subscribe-permit-until = Jusqu’au { $date }
plan-rate = { $count } appels par seconde
plan-quota = { $count } appels par jour
plan-unlimited = sans limite

## Identifiants
credentials-title = Identifiants
credentials-text = Deux identifiants de chaque type peuvent servir en même temps : remplacez l’un sans rien interrompre, puis révoquez l’autre.
credentials-caption = Identifiants de l’application
credentials-empty = Aucun identifiant. Créez un secret pour demander des jetons, ou une clé d’API.
credential-new = Créer un identifiant
credential-new-text = Le secret s’affichera une seule fois, sur la page suivante. Préparez l’endroit où vous le garderez.
credential-make = Créer et afficher le secret
credential-kind = Type
credential-kind-client_secret = Secret OAuth (client_secret)
credential-kind-api_key = Clé d’API
credential-kind-hint-client_secret = Avec le client_id de l’application, il donne un jeton d’une heure. À préférer.
credential-kind-hint-api_key = Envoyée avec chaque appel. Plus simple, à protéger d’autant mieux.
credential-hint = Début
credential-active = Actif
credential-revoked = Révoqué
credential-last-used = Dernier usage
credential-replace = Remplacer { $hint }…
credential-replace-text = Un nouveau secret va être créé à côté de { $hint }…, qui continue de servir. Installez le nouveau dans votre programme, vérifiez, puis révoquez l’ancien.
credential-revoke = Révoquer { $hint }…
credential-revoke-text = L’appel suivant qui porte cet identifiant sera refusé. C’est définitif.
credential-revoke-now = Révoquer l’identifiant
credential-full = Deux identifiants du type « { $kind } » sont déjà actifs
credential-full-text = Révoquez-en un avant d’en créer un autre.
credential-made = Votre nouvel identifiant
credential-once = Copiez-le maintenant : il ne sera plus jamais affiché
credential-gone = Ce secret a déjà été affiché
credential-gone-text = Il n’est gardé nulle part. S’il est perdu, révoquez cet identifiant et créez-en un autre.
credential-next = Et maintenant
credential-kept = Je l’ai gardé en lieu sûr
credential-old = { $hint }… sert encore
credential-old-text = Révoquez-le quand le nouveau est en place.

## Appels et chiffres
usage-title = Appels de « { $name } »
usage-traces = Voir chaque appel
usage-errors = Dernières erreurs
usage-errors-empty = Aucune erreur dans les traces gardées.
usage-meaning = Ce que cela veut dire
usage-upstream-refused = L’API elle-même a refusé l’appel : le corps de sa réponse dit pourquoi.
usage-upstream-failed = Le service du fournisseur a échoué : réessayez plus tard ; le fournisseur le voit dans ses traces.
traffic-title = { $api } : trafic
traffic-choose = Choisir les chiffres
traffic-period = Période
period-24h = 24 dernières heures
period-7d = 7 derniers jours
period-10d = 10 derniers jours
traffic-all-stages = Toutes
traffic-empty = Aucun appel sur cette période.
traffic-calls = Appels
traffic-answered = Réussis
traffic-refused = Refusés par la passerelle
traffic-client-errors = Erreurs 4xx de l’API
traffic-server-errors = Échecs du fournisseur
traffic-errors = Erreurs
traffic-errors-of = { $errors } ({ $percent } %)
traffic-p50 = Durée médiane
traffic-p95 = Durée, 95 % des appels
traffic-milliseconds = { $count } ms
traffic-hour = Heure
traffic-day = Jour
traffic-chart-calls = Appels par issue
traffic-chart-calls-text = Nombre d’appels réussis, refusés et en erreur, dans le temps.
traffic-chart-durations = Durée des réponses, en millisecondes
traffic-chart-durations-text = Durée que ne dépassent pas la moitié et 95 % des appels auxquels l’API a répondu, dans le temps.
traffic-consumers = Principaux consommateurs
traffic-nobody = Appelant inconnu ou anonymisé
traffic-refused-title = Refus de la passerelle et échecs, par raison
traffic-refused-caption = Appels refusés ou en échec, par raison
traffic-refused-empty = Aucun refus sur cette période.
traffic-reason = Raison
traffic-code = Code
traffic-what-to-do = Que faire

## Premier appel
first-call-title = Premier appel de « { $name } »
first-call-lead = Le même appel dans quatre langages, avec les identifiants de votre application.
first-call-call = Appel
first-call-secret = Il vous faut un identifiant du type « { $kind } »
first-call-secret-text = Donnez-le à votre programme par la variable d’environnement { $variable }, jamais dans son texte.
first-call-held = Votre application a un identifiant du type « { $kind } » : { $hint }…
first-call-lost = Secret perdu ? Remplacez cet identifiant
first-call-export = Pour que votre programme le lise
first-call-your-secret = VOTRE_SECRET
first-call-fill-in = Remplacez les valeurs A_REMPLACER avant d’appeler
first-call-fill-in-text = En production, les données sont réelles : donnez celles de la personne concernée, pour l’usage que l’habilitation permet. Pour essayer avec une personne d’essai, utilisez une application du bac à sable.
first-call-reference = Référence de l’API

## Invitations
invitation-title = Invitation à utiliser { $api }
invitation-lead = L’administrateur de cette API vous invite à vous y abonner. L’invitation sert une seule fois.
invitation-code = Code
invitation-about = Présentation
invitation-until = Valable jusqu’au
invitation-application = Pour quelle application ?
invitation-accept = Accepter et s’abonner
invitation-no-application = Il vous faut d’abord une application
invitation-no-application-text = Créez-en une à une étape où cette API est ouverte, puis rouvrez le lien de l’invitation.
invitation-other = Cette invitation est pour un autre compte
invitation-other-text = Vous êtes connecté comme { $email }, et l’invitation a été envoyée à une autre adresse.
invitation-other-how = Déconnectez-vous, puis connectez-vous avec le compte de l’adresse qui a reçu le message : vous reviendrez ici. Si vous n’avez pas ce compte, demandez à la personne qui vous invite de l’envoyer à votre adresse.
invitation-sign-in = Changer de compte
invitation-sent = Envoyée le
invitation-state-open = En cours
invitation-state-accepted = Acceptée
invitation-state-withdrawn = Retirée
invitation-state-expired = Expirée
invitation-withdraw = Retirer l’invitation
invitations-caption = Invitations envoyées
invitations-empty = Aucune invitation envoyée.

## Administration d’une API
admin-apis-caption = API que vous administrez
admin-apis-empty = Vous n’administrez aucune API. L’exploitant donne ce rôle.
admin-api-tabs = Pages d’administration de cette API
admin-api-about = Contrat et étapes
admin-api-masks = Masques
admin-api-subscribers = Abonnés
admin-api-traffic = Trafic
admin-api-traffic-of = { $api } : trafic
admin-api-waiting = À décider
admin-api-pending = { $count ->
    [one] { $count } abonnement à décider
   *[other] { $count } abonnements à décider
}
admin-api-visibility = Visibilité
api-visibility-public = Publique
api-visibility-private = Privée
admin-api-mount = Chemin sur les passerelles
admin-api-version = Version publiée
admin-api-document = Document
admin-api-stages = Étapes et service du fournisseur
admin-api-no-stage = Cette API n’est ouverte à aucune étape.
admin-api-upstream = Service
admin-api-mocks = Exemples et cas d’essai
admin-api-timeout = Délais
admin-api-timeouts = connexion { $connect } ms, réponse { $whole } ms
admin-api-plans = Offres
admin-api-no-plan = Aucune offre.
admin-api-rate = Appels par seconde
admin-api-quota = Appels par jour
admin-api-operations = Opérations du contrat
admin-api-contract = { $count ->
    [one] L’opération du contrat
   *[other] Les { $count } opérations du contrat
}
admin-api-no-operation = Le contrat ne nomme aucune opération.
admin-api-scopes = Droits qui l’ouvrent
admin-api-answers = Réponses
admin-api-masked = masquées
admin-api-unmasked = entières
health-text = La plateforme ne sait de votre service que ce que les appels montrent.
health-no_call = Aucun appel
health-answering = Répond
health-failing = En échec
health-last-answer = Dernière réponse
health-last-failure = Dernier échec
health-minutes = 15 dernières minutes
health-recent = { $calls ->
    [0] aucun appel
    [one] { $calls } appel, { $failures } en échec
   *[other] { $calls } appels, { $failures } en échec
}

## Masques
mask-title = { $api } : masques
mask-lead = Chaque droit ouvre certains champs des réponses ; ce qu’aucun droit accordé n’ouvre est retiré.
mask-choose = Choisir l’opération
mask-none = Aucune réponse de cette API n’est masquée
mask-none-text = Ses opérations passent entières à qui a le droit de les appeler.
mask-caption = Champs ouverts par droit : { $operation }
mask-scope = Droit
mask-fields = Champs ouverts
mask-field = Champ
mask-opens = ✓ ouvert
mask-closed = —
mask-always = toujours
mask-preview = Aperçu sur une réponse d’exemple
mask-try = Choisir les droits
mask-scopes = Droits de l’appelant
mask-show = Voir l’aperçu
mask-no-sample = Pas de réponse d’exemple
mask-no-sample-text = Ni les cas d’essai ni le document OpenAPI n’en donnent pour cette opération.
mask-removed = { $count ->
    [0] Rien n’est retiré
    [one] Un champ est retiré
   *[other] { $count } champs sont retirés
}
mask-removed-text = L’aperçu est fait par le code qui masque les vraies réponses.
mask-refused = L’appel serait refusé
mask-refused-text = Aucun de ces droits n’ouvre l’opération.
mask-masked = Ce que l’appelant reçoit
mask-whole = Ce que le fournisseur répond

## Abonnés d’une API
subscribers-title = { $api } : abonnés
subscribers-caption = Abonnements à cette API
subscribers-empty = Aucun abonnement ici.
subscribers-states = États des abonnements
subscribers-all = Tous
subscribers-by-permit = L’habilitation ouvre cette API
subscribers-by-permit-text = Chaque application s’abonne avec la sienne : vous n’avez personne à inscrire. Vous pouvez suspendre ou révoquer un abonnement.
subscriber-since = Depuis
subscriber-application-suspended = Application suspendue
subscriber-move-activate = Activer « { $name } »
subscriber-move-suspend = Suspendre « { $name } »
subscriber-move-revoke = Révoquer « { $name } »
subscriber-move-text-activate = L’application pourra appeler l’API dès maintenant.
subscriber-move-text-suspend = L’appel suivant de cette application sera refusé. Vous pourrez la rétablir.
subscriber-move-text-revoke = L’appel suivant de cette application sera refusé, et l’abonnement prend fin. Un nouveau devra attendre votre accord.
subscriber-move-now-activate = Activer
subscriber-move-now-suspend = Suspendre
subscriber-move-now-revoke = Révoquer
enrol-title = Inscrire une application
enrol-text = Vous connaissez son client_id : elle est abonnée aussitôt.
enrol-hint = Son client_id, que l’abonné lit sur la page de son application.
enrol-unknown = Cet identifiant n’est pas celui d’une application.
enrol-now = Inscrire
invite-title = Inviter par message
invite-text = La personne reçoit un lien personnel, valable 30 jours, et choisit l’application. Sans compte, elle doit d’abord en demander un.
invite-email = Adresse électronique
invite-hint = Celle avec laquelle la personne se connecte ou se connectera.
invite-language = Langue du message
invite-now = Envoyer l’invitation

## Traces
traces-title = Traces des appels
traces-lead = Les appels de vos organisations et ceux des API que vous administrez, les derniers d’abord. Jamais le contenu : ni paramètres, ni réponse.
traces-search = Chercher des appels
traces-find = Chercher
traces-reset = Tout afficher
traces-caption = Appels trouvés
traces-empty = Aucun appel ne correspond. Élargissez la période ou retirez un filtre.
traces-anonymise = Anonymiser des traces
traces-anonymise-text = Qui a appelé, depuis où, et la minute de l’appel sont effacés pour toujours, sans retour possible. Les comptes restent.
traces-anonymise-now = Anonymiser pour toujours
traces-which = Lesquelles
traces-older-0 = Toutes
traces-older-24 = De plus de 24 heures
traces-older-168 = De plus de 7 jours
traces-all-apis = Toutes les API
trace-at = Quand
trace-status = Statut
trace-status-hint = Par exemple 403, ou 5xx.
trace-api-hint = fournisseur/api, par exemple dinum/api-particulier
trace-operation = Opération
trace-outcome = Issue
trace-duration = Durée
trace-masked = Champs retirés
trace-caller = Application et habilitation
trace-anonymous = anonymisé
trace-request = Identifiant de requête

## Ce qui vient d’être fait
flash-application-created = L’application est créée.
flash-application-suspended = L’application est suspendue : ses appels sont refusés.
flash-application-resumed = L’application est rétablie.
flash-subscription-made = L’abonnement est actif.
flash-subscription-pending = L’abonnement attend l’accord de l’administrateur de l’API.
flash-subscription-ended = L’abonnement est terminé.
flash-terms-accepted = Les conditions sont acceptées.
flash-credential-revoked = L’identifiant est révoqué : l’appel suivant qui le porte est refusé.
flash-subscriber-enrolled = L’application est inscrite.
flash-subscriber-activate = L’abonnement est actif.
flash-subscriber-suspend = L’abonnement est suspendu.
flash-subscriber-revoke = L’abonnement est révoqué.
flash-invitation-sent = L’invitation est partie.
flash-invitation-withdrawn = L’invitation est retirée : son lien ne sert plus.
flash-traces-anonymised = Traces anonymisées : { $about }.
