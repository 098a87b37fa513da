## Listes d’instruction
review-title = Demandes à instruire
review-permits-title = Habilitations accordées
review-states = Par état
review-all-states = Toutes
review-all-definitions = Tous mes types
review-search = Chercher parmi les demandes
review-permits-search = Chercher parmi les habilitations
review-words = Mots cherchés
review-words-hint = Organisation, SIRET, projet, demandeur, D12 ou H12
review-permits-words-hint = Organisation, SIRET, projet, demandeur ou H12
review-state = État
review-definition = Type d’habilitation
review-sort = Ordre
review-sort-submitted = Les plus anciennes d’abord
review-sort-changed = Les dernières modifiées d’abord
review-sort-created = Les dernières créées d’abord
review-permit-sort-granted = Les dernières accordées d’abord
review-permit-sort-expires = Les prochaines échéances d’abord
review-submit = Chercher
review-reset = Effacer la recherche
review-request = Demande
review-permit = Habilitation
review-organization = Organisation
review-applicant = Demandeur
review-submitted = Envoyée le
review-not-submitted = pas encore
review-changed = Modifiée le
review-granted = Accordée le
review-expires = Échéance
review-no-end = Sans échéance
review-actions = Actions
review-pages = Pages de la liste
review-first-page = Première page
review-next-page = Page suivante
review-empty = Aucune demande ici. Choisissez un autre état ci-dessus.
review-empty-search = Aucune demande ne contient tous ces mots. Essayez le début d’un mot, le SIRET, ou un autre état.
review-permits-empty = Aucune habilitation ici. Choisissez un autre état ou effacez la recherche.
review-kind-initial = Première demande
review-kind-amendment = Modification
review-kind-stage_change = Changement d’étape

## Examen d’une demande
review-one-title = { $id } · { $title }
review-who = Qui demande
review-what = Ce qui est demandé
review-siret = SIRET
review-email = Adresse électronique
review-link = Lien avec l’organisation
review-link-since = Lien depuis
review-link-level-none = N’en fait plus partie
review-link-level-unverified = Non vérifié
review-link-level-verified = Vérifié
review-link-level-certified = Certifié
review-link-unsure = Le lien entre la personne et l’organisation n’est pas vérifié
review-link-unsure-text = Assurez-vous que cette personne peut demander pour l’organisation avant d’accepter.
review-form = Formulaire
review-form-of-vendor = { $form } (éditeur : { $vendor })
review-kind = Nature
review-stage = Étape
review-of-permit = Habilitation d’origine
review-created = Date de création
review-validity = Durée de l’habilitation
review-validity-months = { $count ->
    [one] Un mois
   *[other] { $count } mois
}
review-to-request = Voir tout l’historique et les messages
review-to-permit = Voir l’habilitation { $id }
review-granted-permit = Cette demande a donné l’habilitation { $id }
review-to-decision = Aller à la décision
review-back-to-list = { $count ->
    [0] Revenir à la liste : plus aucune demande n’attend
    [one] Revenir à la liste : une demande attend
   *[other] Revenir à la liste : { $count } demandes attendent
}
review-next = Demande suivante : { $id }
review-skip-to = Passer à la suivante : { $id }
review-stale = La demande a changé pendant que vous la lisiez
review-stale-text = Rien n’a été décidé. La page montre maintenant ce qui est là ; votre message est gardé : relisez, puis décidez.
review-late = Cette demande n’attend plus de décision
review-late-text = Votre envoi n’a rien changé : ceci est arrivé avant.
review-not-decided = Votre décision n’a pas été enregistrée
review-conflict = Vous ne pouvez pas décider de cette demande
review-conflict-text = Vous l’avez faite, ou vous appartenez à l’organisation qui demande. Une autre personne doit décider.
review-read-only = Vous lisez cette demande sans pouvoir en décider
review-read-only-text = Votre rôle permet de lire. Pour décider, demandez le rôle d’instructeur à un responsable.
review-last-message = Dernier message du service instructeur
review-since-form = Différent du texte proposé par le formulaire
review-since-permit = Changement depuis l’habilitation { $id }
review-added = Ajouté
review-removed = Retiré
review-before = Avant
review-after = Maintenant
review-not-chosen = { $count ->
    [one] Une donnée proposée n’est pas demandée
   *[other] { $count } données proposées ne sont pas demandées
}
review-others = Ce que l’organisation a déjà
review-other-requests = Autres demandes de l’organisation
review-other-requests-none = Aucune autre demande de cette organisation parmi celles que vous pouvez voir.
review-other-permits = Habilitations de l’organisation
review-other-permits-none = Aucune habilitation de cette organisation parmi celles que vous pouvez voir.
review-happened = Ce qui s’est passé
review-scope-rules = Règles sur le choix des données
review-quoted = « { $text } »
review-scopes-one-of = Au moins une de : { $scopes }.
review-scopes-exclusive = { $scope } ne va pas avec : { $others }.
review-scopes-incompatible = Rien de { $left } ne va avec { $right }.
review-scopes-alone = { $scope } se demande seule.
review-scopes-requires = { $scope } demande aussi : { $needs }.

## Règles d’un champ
review-rule-text = Une ligne, 255 caractères au plus.
review-rule-long-text = Texte de 10 000 caractères au plus.
review-rule-email = Une adresse électronique.
review-rule-phone = Un numéro de téléphone.
review-rule-date = Une date.
review-rule-url = L’adresse d’une page.
review-rule-siret = Un SIRET.
review-rule-integer = Un nombre de { $minimum } à { $maximum }.
review-rule-boolean = Oui ou non.
review-rule-agreement = Une case à cocher.
review-rule-choice = Un choix parmi ceux du type d’habilitation.
review-rule-choices = Des choix parmi ceux du type d’habilitation.
review-rule-level = Un niveau parmi ceux du type d’habilitation.
review-rule-contact = Une personne : nom, fonction, adresse, téléphone.
review-rule-certification = Une autorité et deux dates.
review-rule-documents = Des liens vers des documents, six au plus.
review-rule-scopes = Les données demandées, une à une.
review-messages = Messages échangés
review-rule-always = Réponse obligatoire.
review-rule-never = Facultatif.
review-rule-above = Obligatoire quand « { $field } » dépasse { $limit }.
review-rule-locked = Fixé par le formulaire.
review-rule-hidden = Non montré au demandeur : la réponse est celle du formulaire.

## Décision
decision-title = Votre décision
decision = Que décidez-vous ?
decision-missing = Choisissez ce que vous décidez.
decision-approve = Accepter
decision-approve-hint = L’habilitation est accordée aussitôt, pour exactement ce que cette page montre.
decision-request-changes = Demander des modifications
decision-request-changes-hint = La demande revient au demandeur, avec votre message.
decision-refuse = Refuser
decision-refuse-hint = La demande est close, avec votre message.
decision-word-approve = Accepter
decision-word-request_changes = Modifications
decision-word-refuse = Refuser
decision-message = Message au demandeur
decision-message-hint = Obligatoire pour refuser ou demander des modifications : dites quoi faire. 5 000 caractères au plus.
decision-kept = Votre message, qui n’a pas été envoyé
decision-templates = Textes préparés
decision-template = Texte préparé
decision-insert = Ajouter ce texte au message
decision-send = Envoyer la décision
decision-consequence = Le demandeur reçoit un courriel avec votre message. La décision est inscrite au registre.
decision-consequence-amendment = Si vous acceptez, la nouvelle habilitation remplace { $id }, et les abonnements suivent. Le demandeur reçoit un courriel avec votre message.
flash-review-approved = La demande { $about } est acceptée : l’habilitation est en vigueur.
flash-review-changes-asked = Les modifications sont demandées pour { $about }.
flash-review-refused = La demande { $about } est refusée.

## Ce qui arrive à une habilitation
permit-suspend = Suspendre
permit-suspend-of = Suspendre { $id }
permit-suspend-title = Suspendre l’habilitation { $id }
permit-suspend-consequence = Dès l’envoi, tous les appels faits avec { $id } sont refusés, jusqu’à la reprise.
permit-resume = Reprendre
permit-resume-of = Reprendre { $id }
permit-resume-title = Reprendre l’habilitation { $id }
permit-resume-consequence = Dès l’envoi, les appels faits avec { $id } sont de nouveau servis.
permit-revoke = Révoquer pour toujours
permit-revoke-of = Révoquer { $id }
permit-revoke-title = Révoquer l’habilitation { $id }
permit-revoke-consequence = Dès l’envoi, tous les appels faits avec { $id } sont refusés. C’est définitif : il faudra une nouvelle demande.
permit-reason = Motif
permit-reason-hint = Le titulaire le lit. 5 000 caractères au plus.
permit-move-back = Ne rien changer
permit-move-late = Cette habilitation a changé entre-temps
permit-move-late-text = Votre envoi n’a rien changé : ceci est arrivé avant.
permit-move-impossible = L’habilitation { $id } ne peut pas changer ainsi maintenant
permit-move-impossible-text = Son état est « { $state } ».
permit-move-see = Voir l’habilitation { $id }
flash-permit-suspended = L’habilitation { $about } est suspendue.
flash-permit-resumed = L’habilitation { $about } est de nouveau en vigueur.
flash-permit-revoked = L’habilitation { $about } est révoquée.
