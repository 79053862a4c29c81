"""Turkish: its negative forms are words of their own (vurmayın, edilmemeli), so that few prohibitions need be named."""

from __future__ import annotations

from keepclear.line.attack_words.hints import TURKISH_HINTS
from keepclear.line.attack_words.pleas import TURKISH_PLEAS
from keepclear.line.attack_words.vocabulary import PLACE, vocabulary

__all__ = ["TURKISH"]

# What ends a verb that is an order, a plan or a duty: vur, vurun, vuralım, vuracağız, vurulmalı, vurulacak, vurulsun.
_ET = (
    r"(?:et|edin|ediniz|edelim|edecegiz|edeceksiniz|ediyoruz|etmek|etmeliyiz|etmelisiniz|etmeye|edilmeli|edilmelidir"
    r"|edilecek|edilecektir|edilsin|edilmesi|etmesi)"
)
_VUR = (
    r"vur(?:un|unuz|alim|acagiz|uyoruz|mak|maya|maliyiz|malisiniz|ulmali|ulmalidir|ulacak|ulacaktir|ulsun|ulmasi|masi)?"
)

TURKISH = vocabulary(
    "tr",
    pleading=TURKISH_PLEAS,
    harmless=(
        (
            r"hedef(?:imiz|lenen|imizin|i)? (?:varis|kalkis|inis|tarih\w*|saat\w*|kitle\w*|nufus|bitis|baslangic"
            r"|sure\w*|hiz\w*|irtifa\w*|yukseklik|varmak|ulasmak|teslim\w*|dagitim\w*|asi\w*)|hedefimiz ~6 (?:varmak"
            r"|ulasmak|teslim etmek|dagitmak|tamamlamak|olmak)|hedef ?(?:degil\w*|olmamali\w*|olamaz|alinmamali\w*"
            r"|almayin\w*|alinmasin|alinamaz)|(?:askeri )?hedef(?:i|ler)? (?:degil\w*)"
        ),
        (
            r"(?:bize|bizi|uzerimize|mevzimize|konvoyumuza|devriyemize|noktamiza|kampimiza|koyumuze) ~3 (?:ates"
            r"|saldir\w+|vur\w+|bombal\w+|hedef)(?: \w+(?:lar|yor|di|ler|ti))?|(?:ates|saldiri|bombardiman|kusatma"
            r"|top atesi) altind\w+|(?:saldiri\w*|ates\w*|bombardiman\w*|pusu\w*) (?:ugra\w+|maruz \w+|dus\w+)"
            r"|vurulduk\w*|hedef oluyoruz|hedef alindik|hedef alindi"
        ),
        (
            r"(?:mayin\w*|patlamamis \w+|muhimmat\w*|el yapimi \w+|patlayici\w*|uyusturucu\w*|cekirge\w*"
            r"|tahrip) (?:\w+ |⌖ ){0,3}(?:imha|yok|etkisiz|patlat\w*)(?: \w+)?|kontrollu (?:imha|patlatma)"
        ),
        r"\w+(?:mayin|meyin|mayiniz|meyiniz|masin|mesin|mamali\w*|memeli\w*)",
        (
            r"ates ?kes\w*|ates (?:etmeyin|acmayin|acilmasin|edilmesin|edilmemeli\w*|edilmeyecek)|(?:atesi?"
            r"|saldiri\w*|bombardiman\w*|vurus\w*) (?:durdur\w*|kes\w*|son ver\w*|sonlandir\w*|onle\w*|engelle\w*"
            r"|kinam\w*)|(?:orman|ev|arac) (?:yangini|atesi)|kamp atesi|yildirim ~2 (?:vur|carp)\w*|(?:firtina|deprem"
            r"|sel|kasirga) ~3 vur\w*|kalp krizi|siber saldiri\w*|grev\w*|atis (?:poligon\w*|talimi|egitimi|sahasi)"
            r"|vurgu\w*|vurus|damga\w* vur\w*"
        ),
        (
            r"(?:onlar|teroristler|silahli kisiler|militanlar|eskiyalar|saldirganlar|kimligi belirsiz \w+"
            r"|dusman) ~3 (?:saldir\w*(?:yor|di|lar|ler|cak|bilir)\w*|ates ac\w*(?:ti|yor|lar)\w*|vur\w*(?:yor|du"
            r"|lar)\w*|bombal\w*(?:yor|di|lar)\w*)"
        ),
        (
            r"(?:vurulma|saldiri|bombalanma|ates) (?:riski|tehlikesi|tehdidi|ihtimali|ihbari|haberi|sesi|sesleri"
            r"|sonrasi|sonucu|nedeniyle|bildirildi|rapor edildi|duyuldu)|saldirilar (?:bildirildi|rapor edildi"
            r"|duyuldu|suruyor|devam ediyor)"
        ),
        (
            r"(?:mermi|roket|fuze|bomba|top|havan|sarapnel|mayin)\w* (?:\w+ |⌖ ){0,4}(?:dus\w+|isabet et\w+|patla(?:di"
            r"|dilar|yor)\w*"
            r"|yagiyor\w*|geliyor\w*)|(?:dustu|dusuyor|patladi|isabet etti)\w* ~1 (?:mermi|roket|fuze|bomba|top"
            r"|havan)\w*"
        ),
    ),
    ordering=(
        *TURKISH_HINTS,
        rf"(?:re )?{_VUR}",
        (
            r"(?:bombala|bombalayin|bombalayiniz|bombalayalim|bombalayacagiz|bombaliyoruz|bombalamak|bombalanmali\w*"
            r"|bombalanacak|bombalansin|bombalanmasi)"
        ),
        (
            rf"(?:imha|yok|taarruz|tahrip|etkisiz|bertaraf|infaz) {_ET}|etkisiz hale getir(?:in|elim|ecegiz|ilmeli\w*"
            rf"|ilecek|ilsin|mek)?|ortadan kaldir(?:in|alim|acagiz|ilmali\w*|ilacak|ilsin|mak)?"
        ),
        r"saldir(?:in|iniz|alim|acagiz|iyoruz|maya|mak|ilmali\w*|ilacak|ilsin)?",
        (
            rf"ates (?:ac|acin|aciniz|acalim|acacagiz|acmak|acilmali\w*|acilacak|acilsin|{_ET})|(?:topcu|havan|roket"
            rf"|top) atesi ?(?:talep|iste|ac|iste\w*|yap\w*|gerek\w*|lazim)?\w*|ates (?:gorev\w*|talebi|destegi"
            rf"|vazifesi)"
        ),
        (
            r"hedef(?!li|siz)(?:e|i|in|ler|leri|lere|lerin|imiz|iniz|de|ten)?(?: (?:al|alin|alalim|alinmali\w*"
            r"|alacagiz|alinacak|koordinat\w*))?|hedefle(?:yin|yelim|yecegiz|nmeli\w*)|nisan (?:al\w*|noktasi)"
            r"|nisangah\w*|hasar degerlendirme\w*|lazer(?:le)? isaretle\w*"
        ),
        (
            r"(?:hava (?:saldirisi|taarruzu|harekati|vurusu)|saldiri|bombardiman|taarruz|akin|baskin) ~2 (?:talep"
            r"|iste|duzenle|yap|planla|hazirla|baslat|gerek|lazim|icra)\w*|(?:oldur|oldurun|dusurun|havaya ucur(?:un"
            r"|alim|acagiz)?|patlatin|yikin|yerle bir ed\w+|haritadan silin|yak|yakin)"
        ),
        (
            r"(?:bomba|fuze|roket|muhimmat|mermi)\w* ~2 (?:atin|birakin|birak|gonderin|firlat\w*|atalim|atacagiz"
            r"|yagdir\w*)"
        ),
    ),
    planning=(
        (
            rf"(?:hava saldirisi|saldiri|bombardiman|taarruz|hava harekati|vurus)\w* (?:\w+ ){{0,3}}{PLACE}"
            rf"|{PLACE} ~3 (?:saldiri|bombardiman|taarruz)\w*"
        ),
    ),
    naming=(
        (
            r"saldiri\w*|bombardiman\w*|bomba(?:lar|yi|la\w*)?|ates|fuze\w*|roket\w*|dusman\w*|taarruz\w*|vurul\w+"
            r"|keskin nisanci\w*"
        ),
    ),
    telling=(
        (
            r"bildiril\w*|rapor\w*|haber\w*|duyul\w*|duyduk|gorul\w*|goruldu|dun|dun gece|bu sabah|saat once"
            r"|dakika once|oldu|meydana gel\w*|\w+(?:mis|mus)tir"
        ),
        r"yarali\w*|olu|olen\w*|oldu|sehit|yardim\w*|imdat|ambulans\w*|kurtar\w*|tahliye\w*|doktor\w*|yangin\w*|duman",
        (
            r"uyari\w*|dikkat|tehlike\w*|uzak dur\w*|kacinin|yaklasmayin|kapali|girmeyin|siginak\w*|sivil\w*|olay"
            r"|sorusturma|risk\w*|tehdit\w*|ihtimal\w*|muhtemel\w*|bize|bizi|bizim|biz|\w+imiza|\w+imize|hasar\w*"
            r"|patlamamis|bulundu|dustu|patladi|durdur\w*|ihlal\w*|kim\w*|sizin"
        ),
    ),
)
