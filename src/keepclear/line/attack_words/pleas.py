"""Calls for help: where the only position told is the caller's own, what is asked for is no attack on that position.

Each pattern holds the caller's plight and the caller's place, and is taken out with the place. Where no other place is
left, whatever else is asked for is flagged at most.
"""

from __future__ import annotations

from keepclear.line.attack_words.vocabulary import PLACE

__all__ = ["ARABIC_PLEAS", "ENGLISH_PLEAS", "FRENCH_PLEAS", "RUSSIAN_PLEAS", "TURKISH_PLEAS"]

_EN_PLIGHT = (
    r"(?:pinned(?: down)?|trapped|surrounded|encircled|besieged|cut off|overrun|under (?:heavy |direct |constant "
    r"|intense )?"
    r"(?:fire|attack|assault|siege|shelling)|stuck|out of ammunition|losing men|being (?:overrun|surrounded|attacked"
    r"|hit))"
)
_EN_OWN = (
    r"(?:we|i|our ~1 (?:base|post|patrol|convoy|camp|team|position|unit|men|people|troops|crew|checkpoint|outpost"
    r"|section"
    r"|platoon|squad|village|hospital)|my \w+)"
)
ENGLISH_PLEAS = (
    (
        rf"{_EN_OWN} (?:(?:are|is|am|re|m|have been|has been|were|was|still|now|completely|about to be|being|getting"
        rf") ){{0,3}}{_EN_PLIGHT}(?: by \w+(?: \w+)?)? ?,? ?(?:at|in|near|on|around|here)? ?:? ?(?:grid "
        rf"|position )?{PLACE}"
    ),
    (
        rf"{_EN_OWN} (?:at|in|near) (?:grid )?{PLACE} (?:(?:are|is|am|re|have been|has been|still"
        rf"|now) ){{0,3}}{_EN_PLIGHT}"
    ),
    (
        rf"(?:support|help|assistance|cover|gunships|reinforcements?)[^.!?\n]{{0,60}}(?:our|my) (?:own )?(?:position"
        rf"|location|grid"
        rf")(?: is| at| ,| :)? ?:? ?{PLACE}"
    ),
    (
        rf"(?:our|my) (?:own )?(?:position|location|grid)(?: is| at)? ?:? ?{PLACE}[^.!?\n]{{0,60}}(?:need"
        rf"|request\w*|send) "
        r"(?:\w+ ){0,3}(?:support|help|cover|reinforcements?)"
    ),
)

_RU_PLIGHT = (
    r"(?:прижа\w+|окружен\w*|в окружении|отрезан\w*|заблокирован\w*|зажа\w+|попали в засаду|под (?:\w+ )?(?:огнем"
    r"|обстрелом"
    r")|несем потери)"
)
RUSSIAN_PLEAS = (
    (
        rf"(?:нас|мы|наш\w* \w+|я|меня) (?:\w+ )?{_RU_PLIGHT}(?: \w+)? ?,? ?(?:в|у|на|около|возле|здесь)? ?(?:точке "
        rf"|районе "
        rf"|квадрате )?{PLACE}"
    ),
    (
        rf"(?:поддержк\w+|помощ\w+|прикры\w+|подкреплени\w+)[^.!?\n]{{0,60}}(?:наши? (?:позици\w+|координаты|место)"
        rf"|мы в) ?:? ?"
        rf"{PLACE}"
    ),
)

ARABIC_PLEAS = (
    (
        rf"(?:نحن|اننا|قواتنا|دوريتنا|جنودنا|موقعنا|رجالنا) (?:\w+ )?(?:محاصر\w*|عالق\w*|مطوق\w*|مقطوع\w*"
        rf"|تحت (?:ال)?(?:نار"
        rf"|نيران|قصف))(?: \w+)? ?،? ?(?:في|عند|قرب|علي)? ?{PLACE}"
    ),
    rf"(?:اسناد\w*|دعم\w*|تغطيه|تعزيزات|نجده|مسانده)[^.!?\n]{{0,60}}(?:موقعنا|مكاننا|احداثياتنا) ?:? ?{PLACE}",
)

TURKISH_PLEAS = (
    (
        rf"(?:noktasinda |mevkiinde )?(?:{PLACE} )(?:noktasinda |mevkiinde |yakininda "
        rf"|bolgesinde )?(?:\w+ )?(?:sikistik"
        r"|kusatildik|mahsur kaldik|cember\w* alindik|ates altindayiz|pusuya dustuk|sikisip kaldik)"
    ),
    rf"(?:sikistik|kusatildik|mahsur kaldik|ates altindayiz|pusuya dustuk) ?,? ?{PLACE}",
    rf"(?:destegi|destek|yardim|takviye)[^.!?\n]{{0,60}}(?:mevzimiz|konumumuz|yerimiz|koordinatimiz) ?:? ?{PLACE}",
)

_FR_PLIGHT = (
    r"(?:cloues?(?: au sol)?|encercles?|assieges?|coupes?|bloques?|pieges?|pris(?:es)? (?:au piege|a partie"
    r"|sous le feu)"
    r"|sous le feu|deborde[es]*|accules?)"
)
FRENCH_PLEAS = (
    (
        rf"(?:nous|notre \w+|nos \w+|je|on) (?:sommes |suis |est |sont "
        rf"|etes )?(?:\w+ )?{_FR_PLIGHT}(?: \w+ \w+)? ?,? ?(?:a|en"
        rf"|au|pres de|dans|vers)? ?{PLACE}"
    ),
    (
        rf"(?:appui|soutien|aide|secours|couverture|renforts?)[^.!?\n]{{0,60}}(?:notre|nos|ma) (?:position|coordonnees"
        rf"|emplacement"
        rf")(?: est| sont)? ?:? ?{PLACE}"
    ),
)
