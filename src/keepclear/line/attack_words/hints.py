"""What asks for an attack without a word of attack: euphemisms, parcels for a roof, coordinates handed to gunners.

Soft verbs ("deal with", "take care of") ask for one only where their object is armed: people are cared for every day.
"""

from __future__ import annotations

from keepclear.line.attack_words.vocabulary import PLACE

__all__ = ["ARABIC_HINTS", "ENGLISH_HINTS", "FRENCH_HINTS", "RUSSIAN_HINTS", "TURKISH_HINTS"]

_ARMED = (
    r"(?:enemy|enemies|hostiles?|gunm[ae]n|snipers?|fighters?|militants?|rebels?|insurgents?|terrorists?|shooters?"
    r"|jihadis?|gunners?|target\w*|mortars?(?: (?:crew|team|pit|position)s?)?|machine ?gun(?:ners?| nests?)?"
    r"|(?:sniper|gun) nests?|rocket teams?|artillery|battery|launchers?|spotters?|technicals?)"
)
_GROUP = (
    rf"(?:{_ARMED}|groups?|cell|squad|men|commanders?|leaders?|guards?|occupants|crew|those|everyone|anyone|them|him)"
)
_GUNS = (
    r"(?:artillery|guns?|gunners?|mortars?|batter(?:y|ies)|gunships?|jets|bombers?|strike (?:cell|team|aircraft)"
    r"|fire (?:support|direction)(?: (?:cell|cent(?:er|re)))?|drone (?:crews?|teams?|operators?)|rocket (?:troops"
    r"|crews?)"
    r"|attack helicopters?|fires cell|targete?ers)"
)
_OF = r"(?:the |this |that |these |those |all |any |both |every |a |an |whole |entire |armed |enemy ){0,3}"

ENGLISH_HINTS = (
    rf"(?:terminate|silence|waste|erase|liquidate|slaughter|butcher|decapitate|crush) {_OF}(?:\w+ )?{_GROUP}",
    (
        rf"(?:deal with|take care of|get rid of|rid us of|dispatch|handle|remove|dispose of|sort out|clean out"
        rf"|clear out"
        rf"|action|address|process|treat|service|visit|pacify) {_OF}(?:\w+ )?{_ARMED}"
    ),
    (
        rf"(?:service|action|prosecute|process) {_OF}(?:\w+ like |\w+ )?(?:positions?|grids?|coordinates|locations?"
        rf"|compounds?|{PLACE})"
    ),
    (
        r"(?:packages?|parcels?|presents?|gifts?|(?:special )?deliver(?:y|ies)|surprise|regards|eggs?)[^.!?\n]{0,90} "
        r"(?:(?:on|onto|through|down|into) (?:the|their|his|its) (?:roofs?|windows?|heads?|chimney|rooftops?))"
        r"(?! (?:garden|terrace|helipad))"
    ),
    rf"(?:(?:two|three|four|five|six|ten|\d+) )?(?:\w+ hundred )?pounders? (?:on|onto|through|into|for|{PLACE})",
    (
        rf"(?:for|to|pass(?:ed)? to|hand(?:ed)? to|tell|give) (?:your|the|our|their) ~1 {_GUNS}(?: :| ,| at| is| are)?"
        rf":? {PLACE}"
    ),
    rf"(?:pass|forward|hand|relay|give) (?:it |this |that |these )?(?:on )?to (?:your|the) ~1 {_GUNS}",
    rf"(?:send|direct|turn|vector|scramble|dispatch|task|unleash) ~3 {_GUNS} (?:against|onto?|upon|over)",
    rf"(?:give|gives?) {PLACE} (?:everything|all|the full)",
    (
        r"(?:should|must|will|may|shall) (?:not|never) (?:see|live to see|wake|reach) (?:\w+ )?(?:tomorrow|morning|dawn"
        r"|sunrise|the day|up|another day)|(?:nobody|no one|none of them|not one of them) ~3 (?:leaves?|walks?|gets?"
        r"|comes?"
        r"|survives?)(?: ~3 alive)?|no survivors (?:at|in|please)|leave no ~1 (?:survivors?|alive|witness\w*)"
        r"|you know what to do|(?:finish|do) the job (?:at|on|there)|make (?:them|him) (?:disappear|pay)"
    ),
    rf"{_ARMED} ~6 once and for all|finish (?:them|him|it|these|those) (?:with|using|by|from)",
    (
        r"(?:appreciate|grateful for|glad of|thankful for|welcome|suggest|recommend|propose|urge|ask for|asking for"
        r"|hoping for|hope for) (?:an? |the |your |some |another ){0,2}(?:air ?strikes?|strikes?|attacks?|bombings?"
        r"|bombardments?|raids?|shelling|artillery|fires?) (?:on|against|at)"
    ),
    rf"(?:pound|hammer|pummel|saturate|carpet|plaster|cook|frag) (?:the |that |this |them |it )?~2 {PLACE}",
)

_RU_ARMED = (
    r"(?:снайпер\w*|боевик\w*|террорист\w*|противник\w*|враг\w*|миномет\w*|пулемет\w*|расчет\w*|главар\w*|командир\w*"
    r"|групп\w{0,2}|бандит\w*|стрелк\w*|наводчик\w*|радикал\w*|артиллери\w*|наемник\w*)"
)
_RU_GUNS = (
    r"(?:артиллери\w+|артиллерист\w*|авиаци\w+|летчик\w*|минометчик\w*|пушк\w*|батаре\w+|расчет\w*|ракетчик\w*"
    r"|операторам? (?:дронов|бпла))"
)
RUSSIAN_HINTS = (
    (
        rf"(?:убрать|уберите|убери|успокоить|успокойте|угомоните|устраните|устранить|займитесь|разберитесь с"
        rf"|решите вопрос с|избавьтесь от|обнулите|обнулить|загасите|погасите|погасить) (?:\w+ ){{0,2}}{_RU_ARMED}"
    ),
    (
        rf"(?:обработа\w+|накры\w+|закида\w+|засыпа\w+|перепаха\w+|утюж\w+) ~3 {PLACE} (?:из )?(?:\w+ )?"
        r"(?:миномет\w+|артиллери\w+|градом|градами|бомбами|ракетами|дронами|огнем)"
    ),
    (
        r"(?:обработа\w+|закида\w+|засыпа\w+|перепаха\w+) (?:\w+ ){0,3}(?:из (?:миномет\w+|пушек|гаубиц|танк\w+|рсзо)"
        r"|миномет\w+|артиллери\w+|градом|бомбами|снарядами)"
    ),
    rf"(?:сравня\w+|сровня\w+) (?:\w+ |{PLACE} ){{0,4}}(?:с )?земл\w+",
    (
        r"(?:подар\w+|посылк\w+|гостин\w+|привет\w*|сюрприз\w*)[^.!?\n]{0,90} (?:сброс\w+|кин\w+|на крыш\w+|на голов\w+"
        r"|через крыш\w+|в окн\w+)"
    ),
    (
        rf"(?:для )?(?:вашей|вашим|ваших|вашему|нашей|нашим) {_RU_GUNS} :?{PLACE}|(?:для"
        rf"|передайте) ~1 {_RU_GUNS}:? {PLACE}"
    ),
    rf"пусть ~2 {_RU_GUNS} (?:займ\w+|поработа\w+|отработа\w+|обработа\w+)|поработа\w+ по",
    r"(?:никто|ни один) ~3 (?:не (?:должен|уйдет|выйдет)|живым)|не оставьте никого в живых",
)

_AR_ARMED = (
    r"(?:ال)?(?:قناص\w*|مسلح\w*|ارهابي\w*|عدو|اعداء|مجموعه|قائد|زعيم|رماه|مقاتل\w*|متمرد\w*|خليه|رامي|مدفعيه|راجمه)"
)
_AR_GUNS = r"(?:مدفعي\w*|طيران\w*|طيار\w*|راجمات\w*|مدافع\w*|هاون\w*|مسيرات\w*|رماه|رماتكم|صواريخ\w*)"
ARABIC_HINTS = (
    (
        r"(?:نرجو|نامل|نطلب|نلتمس|نتمني|نود|نقترح|نوصي|نناشد\w*|ارجو|نرجوكم|من فضلكم|نريد منكم|نامل منكم|نطلب منكم"
        r"|نرجو منكم)(?: منكم| عليكم)? (?:ب|في |القيام ب|تنفيذ |توجيه |شن )?(?:ال)?(?:ضرب\w{0,3}|ضربات|قصف\w{0,3}"
        r"|تدمير\w{0,3}|استهداف\w{0,3}|مهاجم\w{1,3}|غاره|غارات|اغتيال|تصفيه|نسف|ابادته?|اباده|ازاله العدو)"
    ),
    (
        rf"(?:تخلصوا|تخلص|التخلص|نتخلص) من {_AR_ARMED}|(?:ازاله|ازيلوا|اسكتوا|اسكات|عالجوا|معالجه|صفوا|تصفيه|انهاء"
        rf"|انهوا"
        rf"|امحوا|محو|سحق|اسحقوا) (?:\w+ )?{_AR_ARMED}"
    ),
    r"(?:ازال\w+|امح\w+|محو) ~5 من الوجود|(?:ازال\w+|امح\w+) ~3 من الخريطه|(?:سووا|تسويه|سنسوي) ~5 بالارض",
    r"(?:هديه|طرد|هدايا|مفاجاه)[^.!?\n]{0,90} (?:اسقط\w+|القوها?|ارموها?|علي (?:السطح|رووسهم|سقف))",
    rf"ل{_AR_GUNS}:? {PLACE}|(?:الي|لل|ابلغوا|اعطوا) ?(?:ال)?{_AR_GUNS}:? {PLACE}",
    r"توجيه (?:ضربه|ضربات)|(?:ابيدوا|اسحقوا|احصدوا) (?:من|كل)|لا (?:تبقوا|تتركوا) (?:\w+ )?(?:احدا|حيا|احياء)",
)

_TR_ARMED = (
    r"(?:keskin nisanci\w*|nisanci\w*|militan\w*|terorist\w*|dusman\w*|havanci\w*|komutan\w*|grub\w*|grup\w*|unsur\w*"
    r"|silahli\w*|havan\w*|mevzi\w*|oradakiler\w*|noktasindakiler\w*|iceridekiler\w*|hucre\w*)"
)
_TR_GUNS = (
    r"(?:topcu\w*|topculariniz\w*|toplariniz\w*|havancilariniz\w*|ucaklariniz\w*|pilotlariniz\w*|bataryaniz\w*"
    r"|siha\w*|dronlariniz\w*)"
)
TURKISH_HINTS = (
    rf"{_TR_ARMED} ~3 (?:temizle(?:yin|yelim)?|halled(?:in|elim)|susturun|sustur|kaldirin|bertaraf edin|yok edin)",
    rf"(?:temizleyin|halledin|susturun):? (?:\w+ |{PLACE} ){{0,3}}{_TR_ARMED}",
    r"ates altina al(?:in|alim|acagiz|inmali|inacak|insin)|isini bitir(?:in|elim|ecegiz|ilmeli|ilecek|sin)",
    rf"angaje (?:et|edin|ediniz|edelim|edecegiz|olun|edilmeli|edilecek)|(?:{PLACE} )?hedefini (?!asti|gecti|tuttur)\w+",
    (
        r"(?:paket\w*|hediye\w*|kargo\w*|surpriz\w*)[^.!?\n]{0,90} (?:cati\w*|tepelerine|baslarina"
        r"|pencere\w*) ~2 (?:birak\w*|at\w*)"
    ),
    rf"{_TR_GUNS} icin:? {PLACE}|{_TR_GUNS} (?:iletin|bildirin|verin)",
    r"(?:kimse|hic ?kimse|tek kisi) ~3 (?:sag|canli) ~1 (?:cikmasin|kalmasin|cikmamali|kalmamali)",
)

_FR_ARMED = (
    r"(?:tireurs?|snipers?|ennemis?|combattants?|terroristes?|rebelles?|insurges?|miliciens?|djihadistes?|mortiers?"
    r"|mitrailleu\w+|groupe arme|chef ennemi|batterie|artillerie|cellule|guetteurs?|hommes armes)"
)
_FR_GUNS = (
    r"(?:artillerie|artilleurs|canons?|mortiers?|pilotes de chasse|helicopteres? de combat|chasseurs|avions de chasse"
    r"|batteries?|cellule (?:de )?(?:frappe|tir|feux)|drones armes)"
)
_FR_OF = r"(?:le |la |les |l |ce |cet |cette |ces |du |des |de la |de l |de |d |un |une ){0,2}"
FRENCH_HINTS = (
    (
        rf"(?:occupez vous|chargez vous|debarrassez nous|debarrassez vous|reglez le compte|reglez le sort|traitez"
        rf"|traiter"
        rf"|faites taire|reduisez au silence|calmez|nettoyez|supprimez) {_FR_OF}(?:\w+ )?{_FR_ARMED}"
    ),
    rf"trait(?:ez|er|ons|ee?s?) {_FR_OF}(?:positions?|coordonnees|grille|carre|objectifs?|{PLACE})",
    (
        r"(?:colis|paquets?|cadeaux?|livraison|surprise)[^.!?\n]{0,90} (?:sur (?:le|leur|son) (?:toit|tete)"
        r"|par la fenetre"
        r"|sur leurs? tetes?)"
    ),
    rf"(?:pour|a|transmettez a|passez a|donnez a) (?:votre|vos|la|l|le|les) ?{_FR_GUNS} ?:? {PLACE}",
    r"(?:personne|nul|aucun d eux) ~3 (?:vivant|vie)|ne laissez (?:personne|aucun) ~3 (?:vivant|survivant|vie)",
    r"vous savez (?:quoi|ce qu il faut|ce que vous avez a) faire",
    r"(?:envoy|lanc|tir|balanc)\w* ~2 (?:salves?|rafales?|volees?) (?:sur|contre|a)",
    (
        r"(?:prions|remercions|saurions gre|serions reconnaissants|merci|priere|apprecierions) (?:\w+ ){0,3}(?:de |d )?"
        r"(?:bien vouloir )?(?:frapper|bombarder|detruire|neutraliser|eliminer|attaquer|une frappe|raser|pilonner)"
    ),
)
