## Tableau de bord
dashboard-welcome = Bienvenue
dashboard-welcome-text = Pour obtenir des données, faites une demande : le formulaire vous guide, et tout est enregistré au fur et à mesure.
dashboard-start = Faire une demande
dashboard-waiting = Ce qui vous attend
dashboard-nothing = Rien ne vous attend pour le moment.
waiting-changes = Demandes à compléter
waiting-messages = Messages non lus
waiting-stopped = Habilitations arrêtées : les appels sont refusés
waiting-expiring = Habilitations qui prennent fin dans moins de { $days } jours
waiting-drafts = Brouillons à terminer
waiting-unused = Habilitations qu’aucune application n’utilise encore
review-waiting = { $count ->
    [one] demande à instruire
   *[other] demandes à instruire
}
review-oldest = Les plus anciennes demandes à instruire
review-since = Envoyée
review-none = Aucune demande n’attend votre décision.
my-requests = Mes demandes
my-requests-none = Aucune demande pour le moment. Choisissez ce que vous voulez demander : « Faire une demande ».
my-requests-latest = Demandes, les dernières modifiées d’abord
my-requests-all = Toutes les demandes de mon organisation
my-permits = Mes habilitations
my-permits-none = Aucune habilitation pour le moment : elles apparaissent ici quand une demande est acceptée.
my-permits-latest = Habilitations, les dernières accordées d’abord
my-permits-all = Toutes les habilitations de mon organisation
my-applications = Mes applications
my-applications-list = Applications de mon organisation
my-applications-none = Aucune application pour le moment. Créez-en une pour appeler une API.
application-column = Application
application-active = Active
application-stopped = Suspendue
request-column = Demande
request-line = { $id } · { $title }
permit-column = Habilitation
list-words = Mots cherchés
list-search = Chercher
list-reset = Effacer la recherche
list-any = Tous
list-who = Qui a fait la demande
list-organization = Toute mon organisation
list-me = Moi
list-pages = Pages de la liste
list-first = Première page
list-next = Page suivante

## Choisir ce que l’on demande
start-title = Faire une demande
start-lead = Choisissez les données dont vous avez besoin. Vous choisirez ensuite le formulaire qui vous convient.
start-helper = Je ne sais pas quoi choisir
start-none = Aucune demande ne peut être faite pour le moment.
start-offer-note = { $provider } · { $count ->
    [one] un formulaire
   *[other] { $count } formulaires
}
start-provider = Fournisseur
start-stages = Étapes, l’une après l’autre
start-validity = Durée de l’habilitation
months = { $count ->
    [one] un mois
   *[other] { $count } mois
}
start-by-use = Par cas d’usage
start-by-vendor = Avec votre logiciel
start-by-vendor-text = Si votre éditeur est dans cette liste, presque tout est déjà rempli.
start-free = Autre cas
start-unsure = Vous hésitez ?
start-form-short = En partie rempli pour vous
start-form-steps = { $count ->
    [one] Une étape
   *[other] { $count } étapes, relecture comprise
}
start-form-title = { $definition } : { $form }
start-asked = Ce que l’on va vous demander
start-fixed = Ce que le formulaire fixe pour vous
start-draft-text = Tout est enregistré à chaque étape : vous pouvez vous arrêter et reprendre plus tard.
start-organization = Pour quelle organisation ?
start-begin = Commencer la demande
start-sign-in = Se connecter pour commencer
helper-title = Trouver le bon formulaire
helper-lead = Deux questions, et nous vous proposons les formulaires qui conviennent.
helper-use = À quoi serviront les données ?
helper-other-use = Autre chose
helper-vendor = Quel logiciel utilisez-vous ?
helper-no-vendor = Un autre, ou aucun
helper-submit = Proposer des formulaires
helper-found = { $count ->
    [0] Aucun formulaire ne convient
    [one] Un formulaire convient
   *[other] { $count } formulaires conviennent
}
helper-of = { $provider } · { $note }
helper-form = { $form } ({ $definition })

## Remplir une demande
form-title = { $step } (demande { $id })
form-steps = Étapes de la demande
form-position = Étape { $step } sur { $count }
form-step-done = rempli
form-step-unread = prérempli, à vérifier
form-summary = Relecture et envoi
form-next = Enregistrer et continuer
form-back = Étape précédente
form-who-reads = Les instructeurs et les membres de votre organisation peuvent lire cette demande pendant que vous la remplissez. Personne n’en décide avant que vous ne l’envoyiez.
form-later = Enregistrer et finir plus tard
form-saved-at = Brouillon enregistré à
form-cancel = Annuler
form-choose = Choisissez…
form-fixed = Fixé par le formulaire.
form-needed-above = À renseigner si « { $field } » dépasse { $limit }.
form-stale = La demande a changé entre-temps
form-stale-text = Quelqu’un, ou une autre fenêtre, l’a modifiée pendant votre saisie. Rien de ce que vous avez tapé n’est perdu : comparez, corrigez si besoin, puis enregistrez de nouveau.
form-not-saved = Votre saisie n’a pas été enregistrée
form-closed = La demande n’est plus modifiable : elle a été envoyée, archivée ou transférée. Copiez ce que vous voulez garder, puis regardez la demande.
form-see-request = Voir la demande
form-stale-table = Ce qui est enregistré et ce que vous avez saisi
form-question = Question
form-stored = Enregistré
form-mine = Votre saisie
answer-none = Non renseigné
answer-yes = Oui
answer-no = Non
answer-from-until = Du { $from } au { $until }
contact-family_name = Nom
contact-given_name = Prénom
contact-email = Adresse électronique
contact-phone = Téléphone
contact-job = Fonction
contact-is-me = C’est moi : remplir avec mon compte
certification-authority = Autorité qui a homologué
certification-from = Date de début
certification-until = Date de fin
document-title = Titre du document
document-url = Adresse du document (https://…)
document-number = { $label } : document { $number }
document-add = Ajouter un document
document-remove = Retirer le document { $number }
scope-opens = Ouvre : { $fields }.
scope-included = Toujours inclus.
scope-given-up = N’est plus proposé : à retirer.
scope-name = Donnée
scope-group = Groupe
scope-word = Mot pour les programmes

## Relecture
summary-title = Relire la demande { $id }
summary-edit = Modifier « { $step } »
summary-submit-title = Envoyer la demande
summary-submit-text = Une fois envoyée, la demande ne peut plus être modifiée, sauf si le fournisseur vous le demande.
summary-submit = Envoyer la demande
summary-stale-text = Relisez ce que montre maintenant cette page, puis envoyez de nouveau.
summary-held = { $count ->
    [one] La demande ne peut pas encore être envoyée : une étape est à compléter.
   *[other] La demande ne peut pas encore être envoyée : { $count } étapes sont à compléter.
}
summary-held-form = La demande ne peut pas être envoyée : ce que le formulaire fixe ne convient plus. Prenez un autre formulaire.
summary-other-form = Choisir un autre formulaire
summary-held-other = La demande n’est pas encore envoyée. Seule la personne qui l’a ouverte, { $who }, peut la compléter et l’envoyer.
answers-title = Réponses de la demande { $id }
missing-title = { $count ->
    [one] Une réponse manque encore
   *[other] { $count } réponses manquent encore
}
missing-line = { $field } : { $message }
missing-member = { $field }, { $member }
terms-read = Lire les conditions d’utilisation
terms-accept = J’ai lu et j’accepte les conditions d’utilisation
terms-needed = Acceptez les conditions d’utilisation pour envoyer la demande.

## Une demande
request-title = Demande { $id }
request-headline = { $id } · { $title }
request-state = État
request-definition = Type d’habilitation
request-form = Formulaire
request-organization = Organisation
organization-siret = { $name } (SIRET { $siret })
request-applicant = Demandeur
request-stage = Étape
request-of-amendment = Modifie l’habilitation
request-of-stage_change = Fait suite à l’habilitation
request-created = Créée
request-updated = Dernière modification
request-facts = En bref
request-next-draft-mine = Votre demande n’est pas encore envoyée
request-next-draft = { $who } prépare cette demande
request-next-changes-mine = Le fournisseur ({ $provider }) vous demande de compléter la demande
request-next-changes = { $who } doit compléter la demande
request-next-submitted = Le fournisseur ({ $provider }) examine la demande. Vous serez prévenu par courriel.
request-next-to-review = Cette demande attend une décision
request-next-approved = Demande acceptée : l’habilitation { $permit } est accordée
request-next-refused = Le fournisseur ({ $provider }) a refusé la demande
request-next-archived = La demande { $id } est archivée
request-changes-asked = Le fournisseur ({ $provider }) vous demande de compléter la demande
request-go-on = Reprendre la demande
request-see-permit = Voir l’habilitation { $permit }
request-review = Instruire la demande
request-answers = Voir les réponses
request-actions = Autres actions
request-transfer = Transférer la demande à un collègue
request-archive = Archiver la demande
archive-title = Archiver la demande { $id }
archive-text = Une demande archivée n’est plus traitée et ne peut plus être modifiée. Elle reste consultable.
archive-do = Archiver
transfer-title = Transférer la demande { $id }
transfer-text = La personne choisie devient responsable de la demande : elle seule pourra la modifier. Vous pourrez toujours la lire.
transfer-email = Adresse électronique de votre collègue
transfer-hint = Une personne de la même organisation, qui a un compte ici.
transfer-do = Transférer

## Messages
messages-heading = Messages
messages-none = Aucun message pour le moment.
messages-title = Messages de la demande { $id }
messages-earlier = Messages précédents
messages-later = Messages suivants
messages-pages = Pages des messages
messages-count = Messages non lus
messages-latest = Dernier message
message-from = { $who }
message-seen = { $who } (lu)
message-label = Votre message
message-hint = { $most } caractères au plus. L’autre partie est prévenue par courriel.
message-not-sent = Votre message n’a pas été envoyé
message-send = Envoyer le message

## Historique
timeline-heading = Historique
actor-you = Vous
actor-named = { $name } ({ $organization })
actor-reviewer = Service instructeur ({ $organization })
actor-platform = Automatiquement
timeline-access_request-created = Demande créée · { $who }
timeline-access_request-edited = Demande modifiée · { $who }
timeline-access_request-submitted = Demande envoyée · { $who }
timeline-access_request-changes_requested = Modifications demandées · { $who }
timeline-access_request-refused = Demande refusée · { $who }
timeline-access_request-archived = Demande archivée · { $who }
timeline-access_request-transferred = Demande transférée à { $to } · { $who }
timeline-permit-granted = Demande acceptée, habilitation { $permit } accordée · { $who }
timeline-permit-suspended = Habilitation { $permit } suspendue · { $who }
timeline-permit-resumed = Habilitation { $permit } de nouveau en vigueur · { $who }
timeline-permit-revoked = Habilitation { $permit } révoquée · { $who }
timeline-permit-expired = Habilitation { $permit } arrivée à échéance · { $who }
timeline-permit-superseded = Habilitation remplacée par { $permit } · { $who }

## Habilitations
permit-title = Habilitation { $id }
permit-holder = Titulaire
permit-provider = Fournisseur
permit-both-stages = Bac à sable et production
permit-granted = Accordée le
permit-until = Jusqu’au
permit-no-end = Sans échéance
permit-request = Demande
permit-scopes = Données que cette habilitation permet de recevoir
permit-scopes-none = Cette habilitation n’ouvre aucune donnée nommée : elle ouvre l’API entière.
permit-uses = Applications qui l’utilisent
permit-uses-none = Aucune application ne l’utilise encore. Abonnez une application pour appeler l’API.
permit-use-api = API
permit-uses-none-stopped = Aucune application ne l’utilise.
permit-use-pending = En attente
permit-use-active = Active
permit-use-suspended = Suspendue
permit-use-revoked = Terminée
permit-is-suspended = Cette habilitation est suspendue : les appels sont refusés
permit-is-revoked = Cette habilitation est révoquée : les appels sont refusés
permit-is-expired = Cette habilitation est arrivée à échéance
permit-is-expired-text = Faites une nouvelle demande pour continuer.
permit-stop-suspended = L’habilitation { $permit } est suspendue depuis le { $date }
permit-stop-revoked = L’habilitation { $permit } a été révoquée le { $date }
permit-stop-expired = L’habilitation { $permit } est arrivée à échéance le { $date }
permit-stop-superseded = L’habilitation { $permit } a été remplacée par { $by } le { $date }
permit-stopped-suspended = Suspendue depuis le
permit-stopped-revoked = Révoquée le
permit-stopped-expired = Arrivée à échéance le
permit-stopped-superseded = Remplacée le
permit-why = Motif
permit-wait = Un message vous dira quand elle sera de nouveau en vigueur.
permit-since = Depuis
permit-next = Suite
permit-see-why = Voir le motif de la suspension de { $permit }
permit-is-superseded = Cette habilitation a été remplacée
permit-is-followed = Une demande est en cours pour la faire évoluer
permit-subscribe = Abonner une application
permit-receipt = Reçu à imprimer
permit-amend = Modifier ou renouveler
permit-amend-title = Modifier ou renouveler l’habilitation { $id }
permit-amend-text = Une modification est une nouvelle demande, déjà remplie avec ce que { $id } dit : vous changez ce qui doit l’être, puis vous l’envoyez. L’habilitation { $id } reste en vigueur pendant ce temps ; elle n’est remplacée que si la modification est acceptée.
permit-amend-begin = Commencer la modification
permit-next-stage = Demander l’étape suivante ({ $stage })
permit-next-stage-text = C’est une nouvelle demande, déjà remplie avec ce que { $id } dit : vous complétez, puis vous l’envoyez. L’habilitation { $id } reste en vigueur pendant ce temps, à son étape.
permit-next-stage-begin = Commencer la demande
permit-ask-again = Faire une nouvelle demande
permit-moves = Arrêter ou reprendre
receipt-title = Reçu de l’habilitation { $id }
receipt-lead = Ce qui a été accordé, tel que lu par le service instructeur. Le contenu est figé : toute évolution fait l’objet d’une autre habilitation.
receipt-evidence = Éléments de preuve
receipt-content = Empreinte SHA-256 du contenu
receipt-version = Version du type d’habilitation
receipt-entry = Numéro de l’inscription au registre
receipt-entry-hash = Empreinte SHA-256 de l’inscription
receipt-made = Reçu établi
receipt-how = L’inscription au registre contient l’empreinte du contenu et l’empreinte de l’inscription précédente : l’exploitant du portail peut vérifier la chaîne entière à tout moment.

## Ce qui vient d’être fait
flash-draft-created = Brouillon { $about } créé.
flash-request-created = La demande { $about } est ouverte.
flash-draft-saved = Le brouillon de { $about } est enregistré.
flash-request-submitted = La demande { $about } est envoyée.
flash-request-archived = La demande { $about } est archivée.
flash-request-transferred = La demande { $about } est transférée.
flash-message-sent = Votre message est envoyé.
