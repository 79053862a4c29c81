"""French, folded: without accents, and with the apostrophe a space."""

from __future__ import annotations

from keepclear.line.attack_words.hints import FRENCH_HINTS
from keepclear.line.attack_words.pleas import FRENCH_PLEAS
from keepclear.line.attack_words.vocabulary import PLACE, one_of, vocabulary

__all__ = ["FRENCH"]

_STEM_ER = one_of(
    "frapp bombard attaqu neutralis elimin cibl pilonn canonn mitraill liquid engag matraqu ras anul pulveris"
    " extermin traiter_par"
)
_DO = (
    rf"(?:(?:re)?{_STEM_ER}(?:ez|er|ons|erons|erez|e(?= (?:la|le|les|l|cette|ce)))|(?:detrui(?:sez|re|sons|rons"
    rf"|rez)|abatt(?:ez|re|ons|rons)|aneanti(?:ssez|r|rons)|tu(?:ez|er)"
    r"|faites? sauter|ouvr(?:ez|ir|ons|irons) le feu|feu sur|tir(?:ez|er|ons|erons) (?:sur|contre|au|dessus)"
    r"|descend(?:ez|re) (?:le|la|les)|vis(?:ez|er|ons) (?:le|la|les|au|l|⌖)|feu a volonte|largu(?:ez|er|ons"
    r"|erons)|mett(?:ez|re) hors de combat))"
)
_NOUN = r"(?:frappes?|bombardements?|attaques?|tirs?|raids?|pilonnages?|assauts?|obus|offensives?|fusillades?|feu)"
_ANY = (
    rf"(?:{_DO}|{_NOUN}|(?:frapp|bombard|attaqu|neutralis|elimin|cibl|pilonn)\w*|detrui\w*|tir\w{{0,4}}|cibles?"
    rf"|vis\w{{1,3}}|abatt\w*|tu\w{{1,3}})"
)

FRENCH = vocabulary(
    "fr",
    pleading=FRENCH_PLEAS,
    harmless=(
        (
            rf"(?:ne|n|pas de|pas d|aucune?s?|sans|eviter|evitez|cesse[rz]|arrete[rz]|stopper|stoppez|interdi\w+"
            rf"|interdiction|fin|arret|suspen\w+|annul\w+|proteg\w+ contre|s abstenir|abstenez vous"
            rf"|a l abri) (?!(?:hesit|attend|tard|oubli))(?:(?!(?:hesit|attend|tard"
            rf"|oubli))[^\W_]+ ){{0,3}}{_ANY}(?: pas| jamais| plus)?(?:,? ?(?:ni|ou|et) ~1 {_ANY}){{0,3}}"
        ),
        (
            rf"(?:n est|ne sont|ne doi\w+|n etai\w*) ~3 (?:{_ANY})|liste (?:de |des )?(?:sites |lieux )?(?:proteges"
            rf"|a ne pas frapper|de non frappe|interdits)|cessez le feu|non frappe"
        ),
        (
            r"frapp(?:ez|er) (?:a la porte|avant d|dans (?:les|vos) mains)|(?:public|date|heure|population|groupe"
            r"|clientele|prix|vitesse|altitude|duree|montant) cibles?|cible (?:de vaccination|annuelle|mensuelle"
            r"|de distribution|d entrainement|de tir sportif)|(?:stand|champ|club|concours|exercice|entrainement"
            r"|seance)s? de tirs?|tir (?:a l arc|sportif|au but|d entrainement|de barrage au)|feux? (?:de foret|rouge"
            r"|vert|de camp|d artifice|de brousse)|coups? de feu (?:entendu|signale)\w*"
        ),
        (
            r"engag(?:ez|er|ons|e) (?:le dialogue|la conversation|des|un|une|les (?:habitants|autorites|communautes)"
            r"|la (?:discussion|communaute)|avec)|elimin(?:ez|er|ons) (?:le|les|tout|toute|la)? ?(?:risques?|dechets"
            r"|retards?|doutes?|moustiques?|malentendu\w*|delais?)|attaqu(?:ez|er|ons) (?:le probleme|la montee"
            r"|la journee)|crise cardiaque|cyber ?attaque\w*|attaque cardiaque"
        ),
        (
            r"(?:neutralis|detrui|elimin|desamorc|faire exploser|enlev|detruire|destruction|neutralisation)\w* (?:de "
            r"|d |des |du )?(?:la |le |les |l |une |un |des |cette |ces |d )?(?:\w+ )?(?:mines?|engins?|obus"
            r"|munitions?|bombes?|restes|uxo|explosifs|drogues?|criquets?|feu|incendie)(?! (?:du depot|en stock))"
        ),
        (
            rf"(?:sous|subi\w*|essuy\w*|victimes? d\w*|pris\w* pour|pris sous|recevons|signal\w*|entend\w*|entendu\w*"
            rf"|rapport\w* d\w*|apres|suite a|lors d|pendant|risque\w* d\w*|menace\w* d\w*|danger d\w*|possible\w*"
            rf"|probable\w*|eventuel\w*|craign\w+|crainte d\w*|temoin\w* d\w*|enquete sur|bilan d\w*"
            rf"|violation) (?:un |une |des |de |d |les |le |la |l |du |nouve\w+ |violen\w+ |intens\w+ ){{0,3}}{_ANY}"
        ),
        (
            r"(?:sommes|avons ete|a ete|ont ete|etait|etaient|est|sont|etions|suis|ai ete|avez ete"
            r"|vient d etre) (?:en train d )?(?:etre )?(?:\w+ment )?(?:frapp|bombard|attaqu|vis|cibl|pilonn|touch"
            r"|detrui|neutralis|abattu|tue)\w*"
        ),
        (
            r"(?:ils|elles|on|des hommes armes|les terroristes|les bandits|les assaillants|des inconnus|les rebelles"
            r"|l ennemi|quelqu un|des drones|des avions|il) (?:nous )?(?:vont |veulent |peuvent |pourraient "
            r"|menacent de |nous |ont )?(?:frapp|bombard|attaqu|tir|vis|cibl|pilonn|ouvr)\w*(?: sur nous| le feu)?"
            r"|(?:nous|m) (?:ont |a |avez |tire\w* dessus|(?:frapp|bombard|attaqu|vis|cibl|pilonn)(?:e|ent|ait"
            r"|aient)\b)|tirent sur nous|tirs sur (?:nous|notre)|tire sur (?:nous|notre)"
        ),
        (
            r"(?:tempete|cyclone|ouragan|seisme|foudre|inondation|vague|orage|grele|secheresse"
            r"|epidemie)s? (?:\w+ ){0,3}(?:frapp|detrui|touch)\w*|frappe[es]* par (?:la|une|un|le|l)? ?(?:foudre"
            r"|tempete|cyclone|seisme|inondation|crise)"
        ),
        (
            r"(?:attaquant|joueur|equipe|match|gardien|ballon|but)s? ~4 (?:frapp|attaqu|tir|vis)\w*|tir(?:er|ez"
            r"|ons) (?:de|la|un|une|parti|profit|le|les|vers)"
        ),
        (
            r"(?:obus|roquettes?|missiles?|bombes?|balles|tirs?|drones?|eclats?)(?: \w+){0,2} (?:tomb\w+|touch\w+"
            r"|explos\w+|pleu\w+"
            r"|s abatt\w+|atteint\w*|atteign\w+)|(?:vos|leurs) tirs|rase[rz] (?:le|la|les|l) (?:mur|ruine|decombre"
            r"|terrain|arbre|talus"
            r"|gravats)s?"
        ),
    ),
    ordering=(
        *FRENCH_HINTS,
        _DO,
        (
            r"cibles?|objectifs? (?:a (?:detruire|frapper|traiter|neutraliser|abattre)|ennemis?|militaires?)"
            r"|objectif (?:numero|n|prioritaire|alpha)|points? (?:d impact|vises?|de visee|d aboutissement)"
            r"|coordonnees (?:de|du|pour la|pour le) (?:tir|frappe|cible|l objectif)|designation laser|guidage laser"
        ),
        (
            r"(?:demand|besoin|requer|requiert|necessit|planifi|prepar|execut|effectu|men|conduire|lanc|autoris"
            r"|ordonn|declench|prevoy|prevu|program|confirm\w* la)\w* ~4 (?:frappes?|tirs?|appui feu|appui aerien"
            r"|bombardements?|raids?|attaques?|salves?|assauts?)"
        ),
        (
            r"missions? de (?:tir|feu|bombardement)|tirs? (?:d efficacite|d artillerie|de mortiers?|de barrage"
            r"|de saturation) (?:sur|a|demand\w+)|tirs? sur|evaluation des (?:degats|dommages)|(?:doi(?:t|vent)|a"
            r"|sera|seront|faut qu \w+) (?:soit |etre )?(?:detruit|frapp|bombard|neutralis|elimin|attaqu|abattu|vis"
            r"|cibl)\w*"
        ),
        (
            r"(?:envoy|larg|tir|lanc|balanc|lach|depos|mett)\w* ~3 (?:bombes?|missiles?|roquettes?|obus|munitions?"
            r"|gbu ?\d*|drones? suicides?|drones? kamikazes?)"
        ),
        (
            r"(?:faites|faire|ferons) (?:\w+ )?(?:sauter|disparaitre)|reduire en cendres|rayer de la carte"
            r"|rase[rz] (?:le|la|les|l|cette?|⌖)(?! (?:mur|ruine|decombre|terrain|arbre|talus|gravats|barbe|herbe)s?)"
        ),
    ),
    planning=(
        (
            rf"(?:frappes?|bombardements?|attaques?|raids?|tirs?|assauts?) (?:aerienn?e?s? |d artillerie )?(?:sur"
            rf"|contre|a) ~4 {PLACE}|(?:frappes?|bombardements?|attaques?|raids?) {PLACE}"
        ),
    ),
    naming=(_NOUN, r"ennemis?|bombes?|missiles?|roquettes?|munitions?|tireurs? embusques?|snipers?|djihadistes?"),
    telling=(
        (
            r"signal\w*|rapport\w*|entend\w*|entendu\w*|vu\w*|observ\w*|temoin\w*|hier|cette nuit|ce matin|il y a"
            r"|tot ce|produit\w*|eu lieu|a ete|ont ete|avons|sommes"
        ),
        (
            r"bless\w+|tue|tues|morts?|victimes?|survivants?|ambulances?|secours|aide\w*|sos|medecins?|evacu\w*"
            r"|incendie|fumee|pompiers|brule"
        ),
        (
            r"attention|danger\w*|evit\w*|eloign\w*|restez|prudence|fermee?s?|ne pas (?:approcher|entrer)|abri\w*"
            r"|alerte|civils?|notre|nos|nous|incident|enquete|risque\w*|menace\w*|possible\w*|degats|endommag\w*"
            r"|non explos\w*|trouve\w*|tombe\w*|explose\w*|deminage|violation|cesse\w*|qui|vos|votre|exercice"
        ),
    ),
)
