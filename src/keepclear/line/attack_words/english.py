"""English."""

from __future__ import annotations

from keepclear.line.attack_words.hints import ENGLISH_HINTS
from keepclear.line.attack_words.pleas import ENGLISH_PLEAS
from keepclear.line.attack_words.vocabulary import PLACE, one_of, vocabulary

__all__ = ["ENGLISH"]

# Verbs whose form is also a noun or a past, and verbs that are nothing else.
_NOUN_VERB = one_of(
    "strike re_?strike attack re_?attack counter_?attack bomb shell target hit kill raid ambush mortar rocket blast"
    " shoot snipe nuke torch"
)
_PURE_VERB = one_of(
    "destroy neutrali[sz]e eliminate annihilate obliterate demolish strafe incinerate liquidate pulveri[sz]e"
    " vapori[sz]e bombard engage prosecute assassinate exterminate suppress interdict flatten dezactivate"
    " wipe_out take_out blow_up knock_out finish_off light_up open_fire shoot_down shoot_up blow_away fire_(?:at"
    "|on|upon)"
)
_VERB = rf"(?:{_PURE_VERB}|{_NOUN_VERB})"
_ING = one_of(
    "(?:re_?)?striking (?:re_?)?attacking bombing shelling targeting hitting killing raiding ambushing mortaring"
    " rocketing blasting shooting sniping destroying neutrali[sz]ing eliminating annihilating obliterating demolishing"
    " strafing bombarding engaging prosecuting suppressing flattening taking_out firing_(?:at|on|upon)"
)
_DONE = one_of(
    "struck attacked bombed shelled targeted hit killed raided ambushed mortared rocketed blasted shot sniped"
    " destroyed neutrali[sz]ed eliminated annihilated obliterated demolished strafed bombarded engaged prosecuted"
    " suppressed flattened taken_out wiped_out blown_up knocked_out fired_(?:at|on"
    "|upon) levelled leveled razed serviced"
)
_NOUN = (
    r"(?:(?:air|drone|missile|artillery|rocket|mortar|naval|precision|ground|suicide|arson|chemical|gas|armed) ?)?"
    r"(?:air ?strikes?|strikes?|attacks?|bombings?|bombardments?|shelling|raids?|assaults?|fire missions?"
    r"|barrages?|salvos?"
    r"|air ?raids?|bombing runs?|ambush(?:es)?|explosions?|fire|gunfire|shooting|killings?)"
)
_ASKED = (
    r"(?:(?:air|drone|missile|artillery|rocket|mortar|naval|precision|counter ?battery) ?)?(?:air ?strikes?"
    r"|strikes?|attacks?"
    r"|bombings?|bombardments?|shelling|raids?|assaults?|fire missions?|barrages?|salvos?|bombing runs?|ambush"
    r"|fire support|close air support|cas|suppressive fire|indirect fire|gun run|show of force)"
)
_ANY = rf"(?:{_VERB}|{_ING}|{_DONE}|{_NOUN}|targets?)"
_THIRD = one_of(
    "they he she militants? gunmen armed_(?:men|groups?|persons?|individuals?) attackers? insurgents? rebels?"
    " terrorists? bandits? looters? pirates? isis isil daesh someone somebody extremists? smugglers? enemy"
    " hostile_forces unknown_\\w+ protesters demonstrators fighters assailants? criminals mob"
)
_PLATFORM = (
    r"(?<!our )(?<!your )(?<!my )"
    r"(?:drones?|jets?|warplanes?|aircraft|planes?|helicopters?|artillery|mortars?|rockets?|missiles?|shells?"
    r"|bombs?|snipers?|tanks?"
    r"|rounds?|bullets?|grenades?|cars?|trucks?|bus|vehicles?|vans?|lorry|boats?|ships?|trains?|tankers?|uavs?"
    r"|shrapnel|debris)"
)
_NATURE = (
    r"(?:storms?|cyclones?|hurricanes?|typhoons?|floods?|flooding|earthquakes?|quakes?|waves?|tsunamis?"
    r"|sand ?storms?|dust ?storms?|hail"
    r"|rain|snow|winds?|gales?|tornado(?:es)?|avalanches?|landslides?|drought|disease|outbreak|cholera|lightning"
    r"|heat ?wave"
    r"|cold|frost|weather|tremors?|aftershocks?|tides?|surge|fog|wildfires?|locusts?|virus|malaria|power cuts?)"
)
_WORKERS = (
    r"(?:workers?|drivers?|teachers?|doctors?|rail|railway|transport|dock(?:ers?)?|airport|pilots?|postal|nurses?"
    r"|farmers?|students?|school"
    r"|truckers?|bus|taxi|shopkeepers?|staff|union\w*|employees?|controllers?|porters?|fishermen|miners?|traders?"
    r"|crews?)"
)
_RESCUED = (
    r"(?:wounded|casualt\w+|patients?|civilians?|children|women|injured|people|famil\w+|evacuees|garbage|trash"
    r"|rubbish|bodies|dead"
    r"|staff|personnel|crew|passengers?|refugees|prisoners|elderly|sick|supplies|equipment|stranded|survivors?"
    r"|loan|insurance"
    r"|detainees|workers|residents|students|villagers|mother|pilot|livestock)"
)
_CLEARED = (
    r"(?:(?:mines?|landmines?|uxos?|ieds?|duds?|booby traps?|bombs?|grenades?|ammunition)"
    r"(?! (?:factor\w+|makers?|depots?|stor\w+|shop|plant|workshop|teams?|layers?|dump|production|lab))"
    r"|unexploded ~1 \w+|remnants|stockpiles?|drugs|narcotics|locusts?|pests?|contraband|waste|spills?|risks?"
    r"|delays?|malaria"
    r"|polio|cholera|mosquito\w*|doubts?|confusion|misunderstanding\w*|ambiguity|obstacles?|need|duplicat\w*"
    r"|bottlenecks?"
    r"|documents?|files|messages?|data|evidence|condemned|ruins?|fire|flames?|blaze|wildfires?|dust|weeds|rats|errors?)"
)
_DET = (
    r"(?:(?:the|all|any|your|this|that|further|of|on|to|a|an|these|those|planned|air|artillery|drone|scheduled"
    r"|immediately|more"
    r"|military|indiscriminate|such|every|being|be|from|against|its|their|by|in|and|ground|other|armed|deliberate"
    r"|direct) ){0,4}"
)
_NOT_URGING = (
    r"(?:(?!(?:hesitate|fail|forget|wait|delay|miss|only|just|but|instead|rather|later|problem|objection|longer"
    r"|stop|cease)\b)"
    r"[^\W_]+ ){0,3}"
)
_START = (
    rf"(?:^ ?|[.!?;:,\n{PLACE}] ?)(?:(?:please|pls|now|and|then|so|ok|roger|urgent|urgently|immediately|you|just|go"
    rf"|kindly|also|all units|quickly) ,? ?){{0,3}}"
)
_MODAL = (
    r"(?:to|will|shall|must|should|can|could|would|ll|lets|let us|let s|please|and|then|gonna|you|may|cleared"
    r"|permission|or|need|want"
    r"|we|now|go|and then)"
)
_OBJECT = rf"(?:the|that|this|these|those|it|them|him|her|everything|everyone|all|enemy|hostiles?|any|at|on|{PLACE})"
_MUNITION = (
    r"(?:jdams?|gbu ?\d*|mk ?8[1-4]|hellfires?|atacms|himars|gmlrs|excalibur|storm ?shadows?|tomahawks?|kalibrs?"
    r"|iskanders?|lancets?"
    r"|shaheds?|gerans?|fab ?\d+|kab ?\d+|paveways?|brimstones?|thermobarics?|cluster (?:bombs?|munitions?)"
    r"|bunker ?busters?"
    r"|warheads?|ordnance|munitions?|1[25][25] ?mm|bombs?|missiles?|rockets?|mortars?|shells|napalm|white phosphorus"
    r"|rounds|high explosives?|he rounds|grenades?|torpedo(?:es)?|kamikaze drones?|loitering munitions?)"
)
_SPARED = (
    rf"(?:do not|don t|dont|never|must not|mustn t|should not|shouldn t|shall not|will not|won t|cannot|can t"
    rf"|may not|not|nobody (?:should|may|must|shall)"
    rf"|no one (?:should|may|must|shall)) {_NOT_URGING}{_ANY}(?:,? ?(?:or|and|nor|,) ~1 {_ANY}){{0,4}}"
)
_IDIOMS = (
    (
        r"hit(?:s|ting)? (?:the|a|our|some) (?:road|trail|ground|brakes?|town|books|gym|showers?|sack|hay|beach|deck"
        r"|jackpot|headlines|button|snag"
        r"|limit|milestone|pothole|mine|landmine|ied|tree|wall|rocks?|roadblock|kerb|curb|bumps?|deer|dog|cow|ball"
        r"|ceiling|traffic|bottom|reef)"
    ),
    (
        r"(?:big|smash|direct|web|search|radio|no|cache) hits?|hits? or miss|hit and run|hits? (?:home|rock bottom)"
        r"|hit it off"
    ),
    (
        rf"{_WORKERS} (?:\w+ )?strikes?|(?:general|hunger|labou?r|national|wildcat|sympathy|rent|climate|bird"
        rf"|lightning|lucky|sit down|one day|three day) ?strikes?"
    ),
    (
        rf"strikes? (?:by|of|among) ~3 {_WORKERS}|on (?:a )?~1 strike(?! (?:package|mission|aircraft|team))"
        rf"|bird ?strikes?|strikes? (?:me|us) as|struck (?:me|us) as"
    ),
    (
        r"strike (?:action|committee|ballot|fund|rate|price|notice|leaders?)|strik(?:e|es|ing) (?:a|an"
        r"|the) (?:right )?(?:deal|balance|bargain|chord|pose|match|camp|tents?|note|agreement)"
    ),
    r"strike (?:camp|tents?|through|out the)",
    (
        r"target (?:arrival|departure|time of (?:arrival|departure)|dates?|completion|start|finish|end|speed|altitude"
        r"|heights?|flight level|audience|population"
        r"|beneficiar\w+|budget|figures?|number of|language|temperature|weight|off block|take ?off|landing|deadline"
        r"|delivery|distribution|eta|etd|date|range|practice"
        r"|shooting|towing|tug|day|month|week|year|duration|pace|spacing|interval|households?|communit\w+"
        r"|villages? for (?:the )?(?:vaccination|distribution|survey))"
    ),
    (
        r"targets? (?:is|was|are|remains|being) to (?!(?:be|get)\b)\w+|on target (?:to|for)|target of \d+ \w+"
        r"|(?:vaccination|distribution|delivery|sales|training|fundraising|annual|monthly|daily|quarterly"
        r"|water) targets?"
        r"|moving target indicator|radar targets?|(?:search|sar|rescue|practice|archery|calibration|survey"
        r"|photogrammetr\w+|towed|drogue|paper) targets?|targeted (?:assistance|support|aid|survey|sampling"
        r"|sanctions)"
    ),
    (
        r"targets? of (?:opportunity )?(?:an? |the |repeated |several |these |frequent )?(?:attack|shelling|strike"
        r"|violence|fire|threat|harass|robber|loot|bomb|theft|abuse|sniper)\w*"
    ),
    (
        r"(?:not|never|no longer|nor) (?:be |become )?(?:a |an |any |the |valid |legitimate |military |lawful "
        r"|considered ){0,4}targets?|no targets?|(?:mistaken|mistook) ~2 targets?"
    ),
    (
        r"engag(?:e|es|ed|ing) (?:with|in|(?:the |local |village |tribal |all |host |our |your )*(?:communit\w+"
        r"|public|population|elders|parties|clutch|gears?|autopilot|services|stakeholders|leaders|authorities|donors"
        r"|contractors?|interpreters?|drivers?|ngos?|government|mediators?))"
    ),
    (
        r"engag(?:e|ing) (?:a|an|the) (?:local )?(?:contractor|interpreter|translator|driver|mediator|lawyer|doctor"
        r"|guide|mechanic|tug|pilot|engineer|guard|handbrake|low gear|four wheel)|rules of engagement"
    ),
    (
        r"kill(?:ed|ing)? (?:the |your |all )?(?:engines?|lights?|motors?|time|switch|radio|noise|power|locusts?"
        r"|weeds|mosquito\w*|rats|germs|process)"
    ),
    (
        r"(?:small arms |rifle |pistol |target |clay |live )?shooting (?:range|star|gallery|club|sports?|competition"
        r"|match|schedule|practice)|(?:photo|film|video|movie) ?shoots?|trouble ?shoot\w*"
    ),
    (
        r"shoot(?:ing)? (?:a |the |some |our )?(?:films?|videos?|photos?|pictures?|documentar\w+|footage|scenes?"
        r"|movies?|hoops|penalt\w+|aerial)"
    ),
    (
        r"(?:heart|panic|asthma|cyber|shark|dog|bee|animal|wolf|bear|snake|hacker|phishing|ransomware) ?attacks?"
        r"|angle of attack|attack(?:ed|ing)? the (?:problem|task|work|backlog)"
    ),
    (
        r"attack(?:s|ed)? by (?:bees|dogs|wolves|a dog|wasps|a bear|locusts)|counter ?attack(?:s|ed)? (?:and scored"
        r"|down the wing)"
    ),
    (
        r"(?:unexploded|suspected|wwii|ww2|old|dud|hoax|buried|abandoned) ~1 (?:bombs?|shells?|rockets?|missiles?"
        r"|ordnance|munitions?|rounds|warheads?|mortars?|grenades?)"
    ),
    (
        r"bomb (?:disposal|squad|shelters?|threats?|scares?|alerts?|hoax|craters?|found|detected|discovered|cyclone)"
        r"|(?:shell|bomb|missile|rocket|shells|bombs|rockets|missiles) (?:holes?|casings?|fragments?|parts?|debris"
        r"|remnants?)"
    ),
    (
        r"(?:forest|bush|wild|grass|house|camp|kitchen|electrical|warehouse|brush|crop|factory|vehicle|oil"
        r"|refinery) ?fires?|fire (?:brigade|fight\w+|service|trucks?|engines?|department|station|extinguish\w+|drill"
        r"|alarm|exit|hazard|break|risk|season|crews?|on board|suppression|prevention|safety|in the|at the)"
        r"|firefight(?:ers?|ing)|cease ?fire|on fire|caught fire"
    ),
    (
        rf"(?:neutrali[sz]|destroy|eliminat|dispos|detonat|blow|demolish|remov|clear|dismantl|defus|suppress|kill"
        rf"|blast)\w* ~4 {_CLEARED}|(?:spills?|locusts?|swarm\w*|uxos?"
        rf"|unexploded \w+)[^.!?\n]{{0,80}} (?:neutrali[sz]|destroy|eliminat|dispos|detonat)\w*(?: it| them"
        rf"| the swarms?)?|controlled (?:demolition|explosion|detonation|blast|burn)s?|eliminate (?:the )?(?:gap"
        rf"|double|extra|wait)\w*"
    ),
    (
        rf"(?:take|taking|took|taken) (?:out |all |the |our |your |\d+ |two |three |four |five |six |ten |these "
        rf"|those |more |remaining |other |local |elderly |sick |wounded |trapped )*{_RESCUED}(?: out)?"
    ),
    (
        rf"{_NATURE} ~3 (?:hit|hits|strike|strikes|struck|attack|destroy\w*|levell?ed|hitting|striking|flatten\w*"
        rf"|killed)|(?:{_DONE}|damaged) by (?:the |a |an |this |last )?~1 {_NATURE}"
    ),
    (
        r"(?:team|players?|striker|midfielder|batsm[ae]n|batters?|bowler|coach|match|league|cup|golf(?:ers?)?|tennis"
        r"|boxing|archer\w*|football\w*|cricket\w*|goalkeeper|derby|tournament) ~5 (?:strike|hit|attack|shoot|target"
        r"|kill)\w*"
    ),
    (
        r"(?:strike|hit|shoot|kick)(?:s|ing)? (?:the |a |an )?(?:ball|goal|penalt\w+|puck|home run|winner|six|four"
        r"|century|bullseye)"
    ),
    (
        r"(?:blasting|drilling) (?:works?|operations?|at the quarry|in the quarry)|quarry blast\w*|rock blasting"
        r"|rocket (?:launch|stage|test|body|science)|weather rockets?|sounding rockets?|hail rockets?|flare rockets?"
        r"|signal rockets?|rescue rockets?"
    ),
    (
        r"(?:gas|oil|sea|egg|snail|turtle|nut) shells?|shell (?:company|station|petrol|script)|mortar (?:and|mix"
        r"|joints?|for the)|bricks and mortar|bath bombs?"
    ),
)
_PROTECTING = (
    r"no ?strike (?:lists?|areas?|sites?|zones?|entit\w+|objects?|facilit\w+|category|status)|restricted target list",
    _SPARED,
    (
        rf"(?:avoid|refrain\w* from|stop|halt|cease|end|ban\w*|prohibit\w*|forbid\w*|forbidden|prevent\w*"
        rf"|protect(?:ed|ion)? ?~1 (?:from|against)|immune from|suspend\w*|abort|cancel\w*|call\w* off|pause"
        rf"|desist from|exempt\w* from|safe from|shield\w* from|spare\w* from|deny|renounce|condemn\w*|object to"
        rf"|protest\w*|cessation of|an end to|call for an end to|hold|without|off limits (?:to"
        rf"|for)) {_DET}{_ANY}(?:,? ?(?:or|and|,) ~1 {_ANY}){{0,3}}"
    ),
    (
        rf"no (?:further |more |air |such |military |armed |artillery |rocket |drone |missile "
        rf"|planned ){{0,3}}(?:{_NOUN}|{_ING})"
    ),
)
_SUFFERED = (
    (
        rf"(?:under|taking|receiving|incoming|hostile|came under|come under|coming under|comes under"
        rf"|sustained)(?: (?:heavy|intense|direct|constant|small arms|mortar|artillery|sniper|rocket|tank|enemy"
        rf"|hostile|air|drone|machine gun|effective|accurate|indirect|rifle|massive|fierce|repeated|continuous"
        rf"|missile|aerial|ground)){{0,2}} {_NOUN}"
    ),
    # With what it was done too: else "by two shells at" that place would be left, as if these were asked for.
    (
        rf"(?:was|were|been|being|got|is|are|have been|has been) {_DONE} by(?: (?:an?|one|two|three|four|five|six|seven"
        rf"|eight|nine|ten|several|many|some|multiple|at least|unknown|unidentified|your|their|hostile|incoming|stray"
        rf"|suspected|heavy|artillery|mortar|tank|cluster|unguided|\d+)){{0,3}} {_PLATFORM}"
    ),
    (
        rf"(?:was|were|been|being|got|getting|is|are|am|m|re|(?<!let )s|just|have|has|had|get) (?:\w+ly |just |now "
        rf"|again |also |hit and |all ){{0,2}}{_DONE}"
    ),
    rf"(?:may|might|could|we (?:will|would)|you (?:may|might|could)) be (?:\w+ly )?{_DONE}",
    rf"{_DONE} by",
    (
        rf"(?:{_ING}|{_DONE}|{_VERB}s?) (?:at |on )?(?:us|me|our ~2 (?:position|convoy|patrol|vehicles?|checkpoint"
        rf"|base|camp|people|men|troops|post|hospital|clinic|staff|team|column|aircraft|building|village|compound"
        rf"|office|drivers?|crew|side|observation|ambulances?|trucks?|forces|unit|location|area|town|home|houses"
        rf"|families|field|warehouse))(?! at once| immediately| now)"
    ),
    rf"(?:{_ING}|{_DONE}) (?:at |on )?(?:civilians|(?:the|a|your|this) ~1 (?:convoy|civilians|ambulances?))",
    rf"{_NOUN} (?:on|at|against|of|near) (?:us|me|our|my) ?\w*",
    (
        rf"{_NOUN}(?: ?{PLACE})? (?:were |was |are |is |have been |has been |had been |still |just |now "
        rf"|also )*(?:reported|heard|seen|observed|recorded|witnessed|under way|underway|ongoing|continu\w+"
        rf"|in progress|killed|injured|wounded|destroyed|damaged|occurred|happened|took place|landed|fell|started"
        rf"|began|caused|left|hit|struck|announced by|claimed|feared|possible|likely)"
    ),
    (
        rf"(?:reported|alleged|suspected|apparent|heard|hear|saw|see|seen|observed|witnessed|recorded|confirm\w*"
        rf"|reports?|reporting|investigat\w+|news|evidence|claims?|denies|denied|aftermath|victims?|survivors?|site"
        rf"|scene|result|because|warned?|warnings?|alerts?) (?:of |from |the |an? |about |that |on |by |two |three "
        rf"|several |many |multiple |heavy |loud |last night s |yesterday s |today s |new |another |possible "
        rf"|intense )*(?:{_NOUN}|{_ING})"
    ),
    (
        rf"(?:risk|threats?|danger|fear|fears|fearing|possible|possibility|probable|potential|imminent|expect\w*"
        rf"|anticipat\w*|exposed to|vulnerable to|in response to|since|after|following|during|rumou?rs?|chance"
        rf"|likelihood|pattern|history|case)(?: of| from)? (?:an? |the |further |more |new |another |imminent "
        rf"|possible |this |last |a second |being ){{0,3}}(?:{_NOUN}|{_ING}|{_DONE})"
    ),
)
_OTHERS = (
    (
        rf"{_THIRD} (?:\w+ly )?(?:(?:will|would|may|might|could|can|are|is|have|has|had|plan(?:s|ned|ning)? to"
        rf"|intend(?:s|ed)? to|threaten(?:s|ed|ing)? to|want(?:s|ed)? to|tr(?:y|ied|ying) to|going to|about to"
        rf"|preparing to|prepare to|said to|started|began|keeps?|kept|continues? to|continu\w+|just|now|again|be"
        rf"|still|reportedly|opened|planning to|trying to) ){{0,4}}(?:{_ANY}|fire|open fire|opened fire)"
    ),
    (
        rf"{_PLATFORM} (?:(?:are|is|have|has|had|just|now|keeps?|kept|were|was|again|continue to|reportedly|may have"
        rf"|that|which) ){{0,3}}(?:{_ING}|{_DONE}|hit|struck)(?! {_OBJECT} ~3 (?:now|immediately|asap))"
    ),
    rf"(?:when|if|in case) (?:you |we |they |it |there |of )?~3 (?:are |is |were |get |come )(?:{_ANY})",
    (
        r"(?:gunshots|shots|gunfire|explosions?|blasts?|impacts?|detonations?|small arms fire|shooting|mortar fire"
        r"|rocket fire|artillery fire|shellfire) (?:were |was |are )?(?:heard|reported|seen|near|close|around|at"
        r"|from|continu\w+|ongoing)"
    ),
    (
        r"(?:we|i|convoy|patrol|vehicle|ambulance|truck|our \w+) (?:have |has |had |ve )?(?:hit|struck) (?:a|an"
        r"|the) ~2 (?:mine|landmine|ied|tree|rock|wire|vehicle|car|bridge|animal|obstacle|barrier|wall|reef|sandbank"
        r"|ditch|pothole|cable)"
    ),
    (
        r"(?:live|range|exercise|training|practice|gunnery|demolition) (?:\w+ )?(?:firing|fire|shooting|bombing"
        r"|shelling|gunnery)|(?:firing|bombing|gunnery|training) (?:range|exercise|practice|area|point)|danger area"
        r"|simulated \w+"
    ),
)

ENGLISH = vocabulary(
    "en",
    pleading=ENGLISH_PLEAS,
    harmless=(*_PROTECTING, *_IDIOMS, *_SUFFERED, *_OTHERS),
    ordering=(
        *ENGLISH_HINTS,
        (
            rf"{_START}{_VERB}(?! (?:rounds?|fire|shells?|attacks?|strikes?|shelling|impacts?|explo\w+|land\w+|fell"
            rf"|falling|hits?|bombs?|sirens?|survivors?|victims?)\b)(?! ?[:,]? ?(?:on|at|near|by|in|reported|was|were"
            rf"|is|has|list|site|area)\b(?! (?:once|dawn|dusk|night|first light|will|the\b)))"
        ),
        rf"{_START}(?:{_NOUN_VERB}) (?:on |at )?(?:dawn|dusk|first light|once|will|sight)",
        (
            rf"{_MODAL} (?:\w+ly |now |also |then |just |first |re ){{0,2}}{_VERB}(?! (?:at|on|near"
            rf"|in) {PLACE}?\b(?:was|were))"
        ),
        rf"{_START}(?:shoot|aim) (?:at|on|to)",
        rf"(?:can|could|would|will) your \w+ {_VERB}",
        rf"{_PURE_VERB}",
        (
            rf"(?<!the )(?<!a )(?<!an )(?<!of )(?<!air )(?<!drone )(?<!this )(?<!that )(?:strike|attack|bomb|shell"
            rf"|kill|raid|ambush|shoot|blast|snipe) (?:the|that|this|these|those|it|them|him|her|everything|everyone"
            rf"|enemy|hostiles?|{PLACE})"
        ),
        (
            rf"(?:we|i|our \w+|my \w+|friendl(?:y|ies) ?\w*)(?: are| am| will be|ll be| re| m)? (?:now |about to "
            rf"|currently |going to |to |both )?(?:{_ING})"
        ),
        (
            rf"(?:start|begin|commence|continue|resume|keep|for|ready to|cleared for|proceed with|go ahead with"
            rf"|finish|repeat|recommend|consider|suggest|by) {_ING}"
        ),
        (
            rf"(?:to|must|should|shall|needs? to|has to|have to|is to|are to|ought to|wants?|want it|want them|gets?"
            rf"|has got to) be (?:\w+ly )?{_DONE}"
        ),
        (
            rf"(?:request\w*|needs?|needed|require\w*|want|order\w*|conduct|carry out|execute|launch|perform|deliver"
            rf"|plan|planned|planning|scheduled?|approved?|authori[sz]e\w*|call(?:ing)? (?:in|for)|commence|prepare"
            rf"|coordinate|mount|provide|send|repeat|stand ?by for|immediate|proposed|nominate\w*|tasked with|vector"
            rf"|allocate|ready for|cleared for|time for) (?:an? |the |another |one |two |immediate |urgent |second "
            rf"|further |your |some |more |precision |heavy |massive |follow up |emergency "
            rf"|additional ){{0,4}}{_ASKED}(?! (?:list|victim|survivor)\w*)"
        ),
        (
            rf"{_ASKED} (?:is |are )?(?:requested|needed|required|authori[sz]ed|approved|planned|scheduled|ordered"
            rf"|cleared|ready|go)"
        ),
        (
            r"targets?(?: (?:is|are|at|located|grid|coordinates|location|position|no|number|\d+|alpha|bravo|set"
            r"|package|description|data|list|near|on|building|area|reference|marked|designat\w+|confirmed|id|acquired"
            r"|elevation|type|folder|deck|nomination))*"
        ),
        (
            rf"(?:coordinates|grids?|location|position|place|point) (?:for|of) (?:the |a |your |our |my |next "
            rf"|tonight s |tomorrow s ){{0,2}}{_ASKED}"
        ),
        (
            r"targeting (?:data|coordinates|information|solution|package|pod|cell|grid|list|officer|request)?|tgts?"
            r"|hvts?|hvis?|hpts?|high value (?:individual|target)s?|military objectives?"
        ),
        (
            r"dmpis?|dpis?|d m p i|aim ?points?|aiming points?|desired (?:mean )?points? of impact|aim (?:at|for the"
            r"|here|your|the)|crosshairs?|gun sights?|take aim"
        ),
        (
            r"(?:nine|9) ?lin(?:e|er)s?(?! (?:medevac|casevac|evac\w*|uxo|med))|type [123] (?:control|bot|boc)"
            r"|ip to target|talk ?on to|jtac|fac ?a"
        ),
        (
            r"bda|bomb damage|battle ?damage|bhi|munitions? effects?|collateral damage estimate|cde|weaponeering"
            r"|probability of (?:kill|hit)|kill chain|kill ?box\w*"
        ),
        (
            r"fire missions?|call for fire|fire for effect|ffe|adjust fire|adjust(?:ing)? rounds?|cleared hot"
            r"|weapons? (?:free|tight|release)|gun target line|time on target|tot \d+|rounds complete|shot over"
            r"|splash over|danger close fire"
        ),
        (
            rf"(?:drop|dropping|release|use|employ|expend|deliver|launch|launching|fire|firing|send|put|putting|lob"
            rf"|hurl|load|allocate|assign|unleash|rain|dump|place|plant|throw)(?:s)? ~3 {_MUNITION}"
        ),
        (
            rf"{_MUNITION} (?:on|onto|against|for|into|to|away)(?: ~4 {PLACE}| the | it| them| that)"
            rf"|{_MUNITION} {PLACE}|(?:one|two|three|four|six|\d+) ?x? {_MUNITION} (?:on|at|onto) ~3 {PLACE}"
        ),
        (
            r"(?:put|get|need|drop|lay|bring|pour) (?:some |the |more |down |your |heavy ){0,2}(?:rounds|bombs|fire"
            r"|steel|iron|ordnance|warheads|lead|hell) (?:on|onto|down|upon)"
        ),
        (
            r"(?:take|taking|knock|wipe|blow|finish|light|shoot|smoke|blast|bring) (?:it |them |him |her |that |this "
            r"|those |these |everyone |everything |all of them |the ~3 )(?:\w+ )?(?:out|off|up|down|away)"
        ),
        (
            r"(?:send|blow|bomb|shell|turn) (?:it|them|him|that ~1 |the ~2 )(?:in)?to (?:hell|pieces|kingdom come"
            r"|bits|rubble|smithereens|dust|ashes|the stone age)|raze|(?:reduce|reduced) ~3 to (?:rubble|ash\w*)"
            r"|wipe ~4 off the map|level (?:the|that|this|it)(?! (?:ground|road|playing))"
        ),
        (
            r"laser (?:designat\w+|spot|code|mark|guid\w+)|(?:paint|lase|designate|mark|illuminate) (?:the |this "
            r"|that |it |them )(?:\w+ )?(?:for|with|target|building)|(?:sparkle|buddy lase)"
        ),
        (
            r"(?:do it|hit it|hit them|hit him|hit that|hit this|strike it|service it|smoke (?:it|them|him)"
            r"|waste (?:it|them|him)|get them|end (?:him|them))(?: now| hard| again| with| tonight| tomorrow"
            r"| immediately| asap| at| before| when)*"
        ),
        (
            rf"(?:want|wants|need|needs|like) (?:you to |your \w+ to |that |this |the |it |them |a "
            rf"|an )(?:\w+ ){{0,3}}(?:{_VERB}|{_DONE}|gone|dead)"
        ),
        (
            r"nanes(?:ite|ti|em) ~2 udar\w*|udar\w* po|unich?to[zj]h?\w*|porazi(?:t|te|m)|atak(?:ovat|uite|uyte|uem)"
            r"|obstrelya\w+|razbombi\w+|tsel|tseli|ogon po|ot?kro\w+ ogon|(?:bei|bey|bej)(?:te)? po|unicht\w+"
        ),
        (
            r"(?:i|u|o|e)(?:dri|drib|drub|qsif|qsuf|9sif|2sif|9suf)(?:u|o|oo|ou|b|bu|bo|boo|bou)?|dammir\w*"
            r"|istahdif\w*|hajim(?:u|oo|ou)?|(?:al |el )?hadaf|inqassif\w*|nedrob|nadrib|na2sof|niqsif"
        ),
    ),
    planning=(
        rf"{_NOUN} (?:will )?(?:on|onto|against|upon|of) ~5 {PLACE}|{_NOUN} {PLACE}",
        rf"(?:will|going to|about to|due to|set to|likely to) be (?:\w+ly )?{_DONE}",
        (
            rf"{_START}fire (?:at|on|upon)|{_START}{_NOUN_VERB}(?! ?(?:at|near|in|around|close|north|south|east|west"
            rf"|reported|by|from)\b)"
        ),
        (
            r"(?:strike|attack|bombing|assault) (?:package|mission|plan|sortie|window|time|order|coordinates"
            r"|aircraft|team|wave|run|force|group|request|route)s?"
        ),
    ),
    naming=(
        _NOUN,
        _ING,
        rf"{_DONE}",
        r"targets?|enemy|hostiles?|insurgents?|militants?|snipers?|gunm[ae]n|fighters? (?:gather|mass|hid)\w*",
        _MUNITION,
        r"lasing|lased|danger close|h hour|kill|aim(?:ed|ing)? at",
    ),
    telling=(
        (
            r"report\w*|heard|seen|saw|observ\w+|witness\w*|happened|occurred|took place|yesterday|last night"
            r"|this morning|earlier|hours? ago|minutes? ago|days? ago|today at|on the night"
        ),
        (
            r"wound\w+|injur\w+|casualt\w+|killed|dead|died|deaths?|victims?|survivors?|ambulances?|medevac|casevac"
            r"|help|sos|mayday|rescue\w*|trapped|burn(?:ing|s|ed)|smoke|medics?|doctors?|hospitali[sz]ed"
            r"|fire engines?|fire brigade|firefighters"
        ),
        (
            r"evacuat\w*|shelter|warn\w*|beware|danger\w*|caution|avoid|keep ~3 (?:away|clear|out|off)"
            r"|stay ~1 (?:away|clear|out|inside)|steer clear|do not enter|closed|no entry|alert|alarm|sirens?"
            r"|be advised|take cover|detour|divert\w*"
        ),
        (
            r"civilians?|our|us|we|incident|investigat\w+|condemn\w*|protest\w*|alleged\w*|claim\w*|denied|denies"
            r"|damage\w*|destroyed|aftermath|craters?|debris|continu\w+|ongoing|in progress|suspect\w*|fear\w*"
            r"|threat\w*|risk\w*|possible|possibly|rumou?r\w*|unexploded|uxo|eod|found|disposal|remnants?|landed|fell"
            r"|crashed|impact\w*|explod\w+|demining|clearance|cease ?fire|violation|breach|stop\w*|who|whose|yours"
            r"|responsib\w*|was|were|has been|have been|had"
        ),
    ),
)
