"""English."""

from __future__ import annotations

from typing import Any

PARTS = {
    "payment": r"(payment|charge|transaction|transfer|withdraw(a?l)?|purchase|order|debit|call|cash"
    r"|contract)s?\b",
    "never": r"(i|we)( have| definitely| know i| actually|.ve)? ?"
    r"(did not|didn.?t|not|never|haven.?t)",
    "valuable": r"(card|visa|mastercard|wallet|purse|phone|cellphone|mobile|sim|passport"
    r"|handbag)s?\b",
    "device": r"(plug|socket|outlet|cable|charger|router|adapter|battery|wire|kettle|lamp"
    r"|heater)s?\b",
    "body": r"(arm|leg|wrist|ankle|foot|hand|finger|hip|back|nose|rib|tooth|head|knee|shoulder|toe"
    r"|neck|eye|face|lip|tongue|skin|throat|mouth)",
    "furniture": r"(ceiling|shelf|mirror|balcony|railing|step|chair|ladder|cot|lift|elevator)\b",
    "child": r"(son|daughter|child|kid|baby|toddler|boy|girl|grandson|granddaughter|dog)",
    "self": r"(body|looks|skin|breasts|legs|religion|colou?r|accent|figure|wife|daughter)",
    "kin": r"(me|us|him|her|(my|our) (wife|husband|partner|son|daughter|child|mother|father"
    r"|friend))\b",
    "someone": r"(someone|somebody|people|a stranger|thief|thieves|hacker)( else| besides me)?"
    r"( has| have| is| are| may| might| could| must)*( had| been| be| have)*",
    "odd": r"(suspicious|shady|illegal|strange|unknown|unfamiliar|unusual|weird|mysterious|random)",
    "another": r"(another|an other|a different|some other|other) (customer|guest|client|user|person"
    r"|man|woman|family|subscriber|patient|tenant)",
    "paper": r"(name|address|data|details|number|phone|e?mail|information|invoice|bill|statement"
    r"|transaction|message|voicemail|booking|account|order|letter|room|card)s?\b",
    "want": r"(want|need|prefer|get me|give me|send|can i have|let me have)",
    "person": r"(human|person|people|agent|manager|supervisor|representative|someone|somebody"
    r"|anyone|anybody|assistant|advis[oe]r|staff|operator|owner|boss|colleague|employee|superior"
    r"|customer (service|care))\b",
}

WORDS: dict[Any, str] = {
    "safety": r"""
        gas leak|gas smell|smell(s|ed|ing)? (of |like )?(gas|burning|burnt)\b|carbon monoxide
        on fire\b|(caught|catch|catches|catching|starts?|started) (a )?fire|in flames\b
        explo(d|sion)|flames (from|com|came|shot|out)
        smoke (is |was )?(com|came|from|out of|every|fill)
        (thick|black|white|see|saw|there is|there.s) smoke\b
        (start|began|begin)\w* (to smoke|smoking)|sparks (from|out|com|came|fl|when|in)
        (saw|see|throws|makes|made|gives) sparks|sparking\b
        <device> … (melt|burn|smok|swollen|(so|too|red|extremely) hot)|overheat
        (too|so) hot (to|that … ) ?touch|(electric|electrical) shock|electrocut
        (got|get|gives?|gave) … shock|(bare|exposed|live|loose|hanging) (wire|cable)s?
        (cables?|wires|power lines?|masts?|poles?) … (hang|fallen|fell|torn)
        fingers? (in|into|between) … (cable|wire|socket|blade)
        <furniture> … (fell|collaps|dropp|gave way|came loose|broke)|collapsed|tipped over|toppled
        shattered|asbestos|legionell|black mou?ld|mould in
        (stuck|trapped|locked) in (the|your|a) (lift|elevator|sauna|room|bathroom)|trapped under
        unconscious|unresponsive|passed out|faint(ed|ing|s)\b|not breathing
        breath(e|es|ing) (badly|heavi)
        (can.?t|cannot|could not|hardly|barely|trouble|difficult\w*) breath
        (does|is|did)( not|n.?t) mov(e|ing)\b|bleed(ing|s)\b
        (full of|covered in|losing|coughing) blood|blood (on|every)|injur(y|ed|ies)|concussion
        fractur|swollen|swell(s|ing)\b|dizzy\b|blister|rash\b
        (broke|sprained|twisted|burned|burnt|cut|hurt|scalded|hit) (my|his|her) <body>
        (burns|burned|burning|burnt) (in )?(my|his|her) <body>
        (hurt|cut|burned|burnt) (my|him|her)self
        (got|get|was|were|been|is|badly) (hurt|burned|burnt|scalded)\b
        (hot|boiling) (soup|water|coffee|tea|oil) (over|on) (my|me|him|her)
        spilled … over (my|me|him|her)|slipped (on|in|down|and|over|off)\b
        (tripped|fell) (over|down|off|on the|from)|rolled (out|off)
        (in|at) (the )?hospital\b … (after|because|with|since)|hospitali[sz]|emergency room
        (is|was|lies|am|are|ended up) (in|at) (the )?hospital
        (taken|rushed|brought) to (the |a )?hosp|ambulance|paramedic|heart attack|seizure
        drown(ed|ing)|anaphyla|epipen|hives\b|chok(ed|ing)\b|allergic (reaction|shock)
        poison(ed|ing)|salmonell|vomit|throwing up|threw up|diarrh
        (sick|ill) (after|since|all night)|<child> … swallow|swallowed (a|the|two|one|some)\b
        (saw|see|seen|went to|at|by|to) (the|a|our|my) doctor\b|doctor (says|said|told|thinks)
        emergency services|an emergency\b|bleach|chemical burn
        (piece|shard|splinter|bit)s? of (\w+ )?(glass|metal)|broken glass|glass in (my|the|our)\b
        dangerous|hazard|unsafe|life.threat|(could|might) have (been killed|died|hurt)
        (nearly|almost) (died|drowned|choked|fell|killed|burn)|suicid|kill (myself|himself|herself)
        (end|take) my (own )?life|self.?harm|want to die|(reason|wish) to (go on )?(live|living)\b
        better off dead|overdose|with a (gun|knife)\b|weapon|bomb (threat|in)
        (in|severe|terrible|bad|so much) pain\b|stomach (ache|pain|cramp)|cramps\b|stitches|nausea
        lost consciousness|(broke|cracked|chipped) … tooth
        (feel|feels|feeling|felt) (sick|ill|faint)\b|swelled|scald|boiling water
        (fell|falling|came down|crashed) (on|onto|into|from|off|down)\b
        (will|could|may|might|going to) fall\b|(nearly|almost) (hit|crushed|fainted|electrocuted)
        there (was|is|were) (\w+ )?smoke\b|(nobody|no one) would miss me
        nothing left (for me|to live)|better without me|no point in living|tired of living
        give up on life
    """,
    "legal": r"""
        lawyer|attorney|solicitor|law ?firm|lawsuit|litigat|barrister|legally (bound|liable)
        legal (action|steps|proceedings|advice|claim|team|notice|consequences|counsel)|prosecut
        su(e|ing) (you|the|your|them|for)\b|(will|to|i.ll|ll) sue\b|small claims|court (case|order)
        (take|taking|see|seeing) (you|this|them|it|the matter) (to|in) court|(go|going) to court
        press charges|claim(ing)? (for )?(damages|compensation)|ombudsman|watchdog
        (the|your|financial|telecom\w*|energy|banking|industry|state|data) regulator\b
        consumer (protection|right|association|organi|council)|trading standards
        better business bureau|(food|health|safety) inspect|equality (body|com|act)
        (food|health|safety|financial|supervisory|licensing) (\w+ )?(authority|department|agency)
        (report|complain|notify|inform|turn)\w* … (authorit(y|ies)\b|regulator|inspector)
        discriminat|liable|your (insurer|liability)|breach of contract|human rights
        because of (my|his|her|our|their) (wheelchair|disabilit|skin|colou?r|race|religion|guide)
    """,
    "fraud": r"""
        fraud|scam(s|med|mer|mers|ming)?\b|phish|smishing|identity theft|sim.?swap|imp[oe]ster
        (stole|stolen|cloned|copied|skimmed|hacked|taken) (my|our) (<valuable>|bag|account|identity)
        (was|been|being|is|got|were|had|as) … stolen|stolen (<valuable>|bag|identity)
        (<valuable>|bag|identity) (stolen|theft)|(someone|somebody) stole|robbed\b|mugged
        pickpocket|(lost|misplaced) (my|our|his|her) (\w+ ){0,2}<valuable>
        (can.?t|cannot|can not) (seem to )?find (my|our|his|her) (\w+ ){0,2}<valuable>
        lost (\w+ ){0,2}card\b
        <valuable> (is|was|has|got|went|that.s) (been |gone )?(lost|missing|gone\b|taken)
        hack(ed|er|ing) (my|into|account)|(been|was|is|got|were) (hacked|scammed|cloned|skimmed)
        compromised|una?u?thori[sz]ed|unrecogni[sz]ed
        without my (permission|knowledge|approv|authori)|(do|did|can|could)( not|n.?t) recogni[sz]e
        not recogni[sz](ed|ing)|not belong to me|(did not|didn.?t) (make|authori[sz]e|approve)
        never (made|authori[sz]ed|approved)
        <payment> … <never> (make|made|do\b|set up|perform|create|order|authori|approve)
        <payment> … <never> (sign|buy|bought)|<payment> … <never> (place|complete|withdraw|get\b)
        <payment> … … (never (been|bought|heard|visited|seen)|not mine\b|(is|are)n.?t mine|not buy)
        <payment> … (don.?t|do not|can.?t) (remember|recall)|know nothing about
        (know|knew) (nobody|no one)\b|(was|were|is|it.?s)(n.?t| not) me\b
        not (made|done|placed|ordered|authori[sz]ed) by me
        <someone> (us(ed|ing|es) my|utiliz|copied|access|logg?(ed|ing) in|got into|charg)
        <someone> (withdr|bought)
        <someone> (order|picked up (a|my)|opened an? |took|taken|taking money|mak(es|ing) trans)
        <someone> (made an? |chang\w+ my)
        <odd> (\w+ ){0,2}(<payment>|activity|merchant|device|log.?in|message|text)
        suspicious (mail|email)|forged|counterfeit|charged … another country|tricked|conned\b
        cheated out
        fake (mail|email|message|site|website|shop|call|invoice|sms|text|bank|product|profile)
        (trading|investment|crypto\w*) (site|platform|app|scheme)|dating (app|site)
        (makes|forces|forced|pressed|pressures|pressured) me … (pay|transfer|move|send|sign|give)
        (number|sim|account) … (moved|ported|opened) … (nobody|not ask|without|never|not me)
        (pretend|claim)\w* to be|said (he|she|they) (was|were) from|(read|gave|told) … the code
        (clicked|opened|tapped) … (entered|typed|gave|put in)|(to|at|with|told|inform) the police
        police report|know nothing (of|about)
        (has|have|got) my (card|bank|account) (details|number|data)
        uses my (data|details|name|identity)|never (signed|took out|agreed|applied)
        (wasn.?t|was not|not) (really )?from you\b|changed my (password|address|e?mail)
        took (my|our) <valuable>|(jewel\w*|laptop|dollars) … (gone\b|disappeared|stolen)
        emptied (my|our)
    """,
    "privacy": r"""
        gdpr|ccpa\b|data (breach|leak|protection)|right to be forgotten|leaked my|subject access
        my privacy|privacy (violation|breach|right|law|officer|complaint|concern)|personal data
        (violat|inva[ds]|breach)\w* … privacy|without my consent
        (delete|erase|remove) … my (personal )?(data|information|details)
        (erase|delete|know|access) (all|everything|what|any) … (about|on|of) me\b
        (stored|hold|store|keep|collected) (about|on) me\b|someone else.?s <paper>
        somebody else.?s <paper>|<paper> (and (the )?\w+ )?(of|for|from) <another>
        belonging to (someone|somebody) else|<another>s?… <paper>
        (messages|mails|letters|calls|bills) … (woman|man|person|people|customer)s? i do
        (hidden|secret|tiny|small) (camera|microphone|lens)|(being|been) (filmed|recorded|watched)
        camera (in|above|behind|inside) (the|my|our)|spy (cam|on)|spying|unlisted
        (reads?|reading|opened|opens|listens? to) my (\w+ )?(messages|mails?|letters|texts|calls)
        (opened|entered|came into|walked into|was in|broke into) (my|our) (door|room|flat|house)
        you (have )?(published|passed on|shared|sold|disclosed|gave|given|forwarded) … my <paper>
        what (else )?(do )?you (have|store|keep|know|hold) (about|on) me
        (passed|gave|given|sold) my <paper>
    """,
    "media": r"""
        journalist|reporter\b|the press\b|press (release|inquiry|enquiry|office|deadline)
        (for|to|of|with|from|in) (a|the|our|my|your) (\w+ )?newspapers?\b|goes to print|columnist
        (tv|television|radio) (station|crew|news|reporter|team)|radio (programme|program|show)
        (consumer|travel|food|lifestyle|test) (magazine|programme|program|column|show|blog)
        editor\b|article (about (you|your|this)|goes)|go(es|ing)? viral|went viral|go(ing)? public
        post(ing|ed)? (this|it|everything|the video|about (this|you)) (on|to|in|everywhere)
        all over (twitter|tiktok|facebook|instagram|youtube|reddit|social media|the internet)
        (thousand|million|\d+k?|my|our) (\w+ )?(followers|subscribers|readers|listeners|viewers)
        influencer|blogger|(my|our) (blog|vlog|podcast|column|(youtube )?channel)\b|documentary
        mak(e|ing) (this|it) public|any comment\b|views (on|since|already)
        (video|clip|thread) (about|of) (you|your)
        (tiktok|youtube|instagram|facebook|reddit) (video|post|story|views)
        on (tiktok|youtube|reddit)\b
    """,
    "harassment": r"""
        harass|assault|molest|threaten\w* (me|us|him|her|my|our|to)\b|racis[tm]|racial|sexis[tm]
        sexual|homophob|transphob|antisemit|grop(ed|ing)|stalk(ed|er|ing|s)?\b|intimidat
        verbally abus|abusive|insulted|bull(ied|ying)|creepy|touched <kin>|slur\b
        (inappropriate|lewd|obscene|unwanted) (\w+ )?(touch|comment|remark|behav|advance|joke)
        follow(ed|s) (me|us|her) (to|home|into|up|around|through|everywhere)
        knows? where (i|we|she) live
        (comment|remark|joke)s? (about|on) (my|her|his|our|their) (\w+.s )?<self>
        (pushed|shoved|slapped|punched|grabbed|kicked|hit) <kin>|turns up wherever
        (spat|shouted|yelled|screamed|swore) (at|on) <kin>
        (people|guests|customers|someone) like (us|me)\b … (not|n.?t) (welcome|wanted)
        called me (a|an|names|stupid)|foreigner
    """,
    "human": r"""
        (speak|talk|chat)(ing)? (directly |personally )?(to|with) (\w+ ){0,3}<person>
        (connect(ed)?( me)?|put me through|transfer me|discuss … ?) ?(to|with) (\w+ ){0,3}<person>
        contact(ing)? (an? |the |your |any )?<person>
        <want> (a |an |the |your |some )?(real |actual |live )*(human|person|manager|supervisor)\b
        <want> (a |an |the |your )?(live |human )*(agent|operator)\b|<want> (somebody|someone) who
        give me (somebody|someone)\b|(real|actual|live|breathing) (human|person|people|agent)\b
        human (being|agent|please|contact)|let me (talk|speak)
        (someone|somebody|anyone|anybody) (i can|to|who can|can) (talk|speak)
        (someone|somebody|manager|owner|colleague|human) … (call|ring|phone) me\b
        call me (back|asap|today|tomorrow|now|please|at|on my|when|about|as soon|urgent|immediate)
        (please|you|must|to|^) ?call me(?=[.!?,;]|$)|(ring|phone) me\b|call.?back\b
        give me a (call|ring)
        not (a|with a|to a|another|this|some) (bot|robot|machine|chatbot|computer|ai)\b
        (stop|enough|instead) … (bot|robot|machine|chatbot)s?\b|(stop|no more) … automat(ic|ed)
        (?:^|(?<=[.!] ))(agent|human|person|operator|representative|manager)(?=[.!?]|$)
        contact me (personally|by phone)
        (have|ask|let|want|like) (the |your )?(manager|owner|someone) (to )?(contact|call|write)
    """,
}
