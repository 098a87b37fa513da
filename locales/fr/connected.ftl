# Les applications connectées : ce que chacune a reçu, et y mettre fin.

connected-title = Applications connectées
connected-text = Les services où vous vous connectez avec ce compte, et ce que vous partagez avec eux. Retirez l’accès à ceux que vous n’utilisez plus : cela prend effet aussitôt.
connected-none = Aucune application n’est connectée à votre compte. La liste se remplit quand vous vous connectez à un service avec lui.
connected-see = Voir les applications
connected-shared = Ce que vous partagez
connected-organizations = Pour le compte de
connected-state = État
connected-active = connectée
connected-agreed = accord donné, rien en cours
connected-since = Depuis
connected-used = Dernière utilisation
connected-disconnect = Retirer l’accès
connected-disconnect-one = Retirer l’accès de { $client }
connected-disconnect-title = Retirer l’accès de { $client } ?
connected-disconnect-text = { $client } ne pourra plus rien lire de votre compte, et vous y serez déconnecté. À votre prochaine visite, votre accord vous sera demandé de nouveau. Ce que ce service a déjà enregistré chez lui y reste : adressez-vous à lui pour le faire effacer.
flash-connected-disconnected = L’accès est retiré.
