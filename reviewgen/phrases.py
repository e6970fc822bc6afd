"""Hold the phrases synthetic reviews are built from: written for this project, none taken from a review.

Lists are kept as text, one row a line: the items of a row stand between bars, and a row starts with the mood it belongs
to: `-` disappointed, `~` of two minds, `+` pleased. `*` rows have no mood. {} stands for a name.
"""

Moods = tuple[list[str], list[str], list[str]]
"""What may be said when disappointed, of two minds, pleased: index 0, 1, 2."""


def _rows(block: str, mark: str) -> list[str]:
    """Return all items of the rows that start with `mark`, in order."""
    rows = (line[1:] for line in block.strip().splitlines() if line.startswith(mark))
    return [item.strip() for row in rows for item in row.split("|")]


def _moods(block: str) -> Moods:
    return _rows(block, "-"), _rows(block, "~"), _rows(block, "+")


def _blocks(text: str) -> list[str]:
    return text.strip().split("\n\n")


# Before a subject: mostly nothing.
OPENINGS = [""] * 20 + [
    f"{words}, "
    for words in _rows(
        """
* to be fair | honestly | for me | as expected | in short | that said | looking back | I have to say | in my book
* without giving anything away | as far as I can tell
""",
        "*",
    )
]

# After a predicate: mostly nothing, or a phrase, or a clause set off by a comma.
TAILS = [""] * 24 + _rows(
    """
* from start to finish | more than I would have guessed | all the way through | even on a second viewing
* once the introductions are over | , at least for me | , and I was not the only one to notice
* , which I did not see coming | , and you feel it early on | , and my sister said the same
* , which says a lot about the makers | , plain and simple | , whatever the posters promise | , and that is rare
""",
    "*",
)

# A sentence is subject + predicate + tail, so within a block every phrase must fit every other (all are singular).
ASPECTS: list[tuple[list[str], Moods]] = [
    (_rows(block, "*"), _moods(block))
    for block in _blocks(
        """
* the story | the plot | the script | the central idea | the storyline
- goes nowhere | falls apart after half an hour | has holes you could park a bus in | feels borrowed and tired
- repeats itself until nobody cares | insults the audience
~ is fine without being memorable | starts well and then drifts | has one good turn and two bad ones
~ keeps you curious but rarely surprised | could have used another draft
+ is built with great care | keeps you guessing | trusts the viewer to keep up | pays off every small promise
+ takes a simple thought and makes it sing | never takes the easy road

* the acting | the cast | the lead performance | nearly every performance | the chemistry of the two leads
- is wooden | never rises above a school play | is painful to watch | looks bored by the material
- is all shouting and no feeling
~ is decent but uneven | works in the quiet scenes only | is better than the material | does the job
~ is hard to judge because so little is asked of it
+ is superb | carries every scene | feels lived in and true | is a joy to watch | deserves far more attention
+ finds humour in the darkest corner

* the pace | the pacing | the rhythm | the first half | the middle act
- is deadly slow | drags like a wet coat | made me look at my watch twice | kills whatever tension there was
- has no shape at all
~ is a little slow | takes patience | goes back and forth between brisk and sleepy | could lose fifteen minutes
~ settles down eventually
+ is perfect | never lets go | gives each scene the room it needs | moves like a good train ride
+ builds without hurry and without waste

* the camera work | the photography | the framing | the lighting | the look of it all
- is murky | is so shaky that I felt ill | looks like a cheap commercial | hides more than it shows
- has no idea where to point
~ is pretty but empty | is competent | has two or three lovely shots | calls attention to itself now and then
~ is what you would expect at this budget
+ is gorgeous | turns plain rooms into paintings | tells half the tale without a word | is worth the ticket alone
+ finds beauty in rain and concrete

* the music | the score | the soundtrack | the sound design | the theme song
- is far too loud | tells you what to feel every minute | belongs in a lift | drowns the actors | is forgettable
~ comes and goes | is pleasant enough | fits some scenes better than others | is used a bit too often | grows on you
+ is wonderful | stayed in my head for days | lifts the quiet moments | knows when to be silent
+ gives the whole thing a pulse

* the dialogue | the writing | most of the banter | the narration | every long conversation
- sounds like it was translated twice | explains what we already saw | made people in my row groan
- is one cliche after the other | never sounds like a human being
~ has its moments | is uneven | is sharp in one scene and flat in the next | gets by on charm
~ tries a little too hard
+ is sharp and funny | sounds like real people talking | is full of lines worth quoting | says much with little
+ crackles

* the ending | the last act | the finale | the final scene | the closing twist
- is a cheat | makes no sense | is rushed and silly | ruins what little came before | was obvious after ten minutes
~ left me undecided | is a bit convenient | will divide people | works if you do not think about it
~ arrives too soon
+ left me speechless | is exactly right | ties everything together | hit me harder than I expected
+ is brave and earned

* the direction | the staging | the tone | the editing | the use of silence
- is clumsy | changes every five minutes | shows no plan | is a mess | mistakes noise for drama
~ is safe | wobbles now and then | is solid if a bit plain | borrows from better films | is hit and miss
+ is confident | is precise without being cold | holds every thread | is bold | shows a very sure hand

* the main character | the villain | the friendship at the centre | the hero | the family at the heart of it
- is impossible to care about | has no reason to do anything | is a cardboard cut-out | is simply annoying
- changes mind whenever the script needs it
~ is sketched rather than drawn | is likeable but thin | deserved more scenes | takes a while to warm to
~ is interesting on paper
+ feels real | broke my heart a little | is one of the best I have seen in years | grows in a believable way
+ has more than one side

* the emotional side | the big speech | the last half hour | the message | the whole experience
- left me cold | is laid on with a shovel | is an ordeal | feels fake | is about as moving as a tax form
~ works on and off | is sincere if heavy-handed | is easier to admire than to love | will speak to some people
~ needed a lighter touch
+ moved me to tears | stays with you | made me call an old friend | is honest and warm | earns every smile

* the film | this one | the whole thing | the result | what we get
- is a waste of an evening | is one of the worst I have sat through | should have stayed in a drawer
- is not worth your money | fails at nearly everything it tries
~ is watchable | is neither good nor bad | is fine for a rainy Sunday | is worth one viewing | falls in the middle
+ is a small masterpiece | deserves every award | is worth your time | is among my favourites now
+ gets better every time | is a reminder of why I love going to the cinema
"""
    )
]

# What only films of one genre have (in the order of world.GENRES); said of it is what is said of direction.
GENRE_SUBJECTS = [
    _rows(block, "*")
    for block in _blocks(
        """
* the courtroom scene | the portrait of the town | the quarrel at dinner | the slow grief of it

* the timing of the jokes | the running gag | the slapstick | the wedding scene

* the suspense | the cat and mouse game | the interrogation | the chase across the roofs

* the dread | the monster | the cellar scene | the atmosphere of the house

* the world building | the ship design | the science | the first contact scene

* the stunt work | the desert crossing | the final battle | the treasure hunt

* the love story | the first kiss | the spark between them | the letter scene

* the heist | the portrait of the gang | the police work | the double cross
"""
    )
]

# Per genre: who (`-`) does what (`~`) and how it goes on (`+`).
PLOTS = [
    _moods(block)
    for block in _blocks(
        """
- A widowed teacher | A retired judge | A farmer's daughter | A nurse on night shift
~ comes home after twenty years | takes in a stranger | has to sell the family house | learns an old secret
+ and finds that forgiveness is expensive | while the town looks away | and nothing is simple after that

- A hopeless wedding singer | A clumsy clerk | A pair of rival bakers | A substitute teacher
~ is mistaken for somebody important | bets everything on a cooking contest | must share one tiny flat
~ inherits a hotel full of odd guests
+ and every lie needs two more | with a goat nobody asked for | and of course the in-laws arrive

- A tired translator | A witness without a name | A bank clerk | A pilot with a past
~ overhears a plan | wakes up with the wrong passport | has one night to find a missing file | is followed home
+ and trusts exactly the wrong person | before the clock runs out | while everybody lies

- A young couple | A choir on tour | A caretaker | A family of five
~ moves into a house by the marsh | opens a door that should stay shut | hears singing under the floor
~ gets lost in the fog
+ and one by one they stop answering | and the dog knows first | and the mirrors begin to lag

- A cargo crew | A botanist on a far moon | A retired robot | The last radio operator on Earth
~ answers a signal that is a century old | finds a garden where none can grow | is asked to forget a whole planet
~ loses an hour every day
+ and has to decide who is human | while the oxygen runs low | and the maths stops adding up

- A disgraced captain | An orphan with a lantern | A map maker | A reluctant princess
~ sets out for an island on no chart | steals a camel and a secret | is hired to cross the mountains in winter
~ joins a caravan of thieves
+ with half an army behind | and learns what courage costs | and the treasure is not what it seems

- A florist | A shy piano tuner | A divorced baker | An exchange student
~ keeps meeting the same stranger on the ferry | writes letters to the wrong address | agrees to a pretend engagement
~ misses the last train on purpose
+ and neither will say it first | until the summer is over | and the truth comes out at the worst moment

- A burnt-out inspector | A getaway driver | A small-time forger | A young lawyer
~ takes one last job | reopens a case nobody wants solved | finds a suitcase in the river | owes the wrong people
+ and the trail leads back home | while the city floods | and somebody in the team is talking
"""
    )
]

LEAD_LINES = _moods(
    """
- Poor {} has nothing to work with here. | I usually like {}, but not this time. | Even {} cannot save it.
- {} is badly miscast.
~ I am not sure {} was the right choice. | {} tries hard and sometimes gets there.
~ There is a good scene with {} in the middle.
+ {} has never been better. | I could watch {} read a phone book. | Give {} all the prizes.
+ It is {} who makes it unforgettable.
"""
)

DIRECTOR_LINES = _moods(
    """
- What was {} thinking? | I expected more from {}.
~ It is not the best of {}, nor the worst. | You can tell that {} is still learning.
+ With this one {} joins the greats. | I will see whatever {} makes next.
"""
)

TITLE_LINES = _moods(
    """
- I wanted to like {}. | Avoid {} if you can. | {} is two hours I will not get back.
~ {} sits somewhere in between. | I had mixed feelings about {}.
+ {} is a gem. | Do yourself a favour and see {}. | I saw {} twice in one week.
"""
)

SHORT = _moods(
    """
- Not for me. | What a bore. | Skip it. | I fell asleep. | Very weak. | Terrible, sorry. | Such a letdown.
- I want my money back. | No, just no.
~ It was okay. | Seen better, seen worse. | Fine, I guess. | Not bad. | A mixed bag. | Good for one evening.
~ Decent enough.
+ Loved it. | See it! | A real treat. | Wonderful. | What a ride. | Simply great. | I cried, I laughed.
+ Highly recommended. | Best of the year.
"""
)

SUMMARY_HEADS = _moods(
    """
- A complete waste of | Not worth | Nothing saves | Wrong about | A dull take on | Please, no more of | Let down by
~ Half in love with | Some good | An uneven mix of | Fair but forgettable | Almost gets | Two minds about
+ A triumph of | Pure | A love letter to | Finally some real | The best of | Simply beautiful | An hour and a half of
"""
)

EMOJI = _moods(
    """
- 👎 | 😴 | 😠 | 🤦
~ 🤷 | 😐 | 🤔
+ 😍 | 👍 | ❤️ | 🔥 | 😂 | 🎉
"""
)

CJK = _moods(
    """
- 剧情太无聊了，看到一半就睡着了。 | 完全不推荐。 | 期待を裏切られた。 | 너무 지루했어요.
~ 演员不错，但是节奏有点慢。 | 普通の映画でした。 | 그냥 그래요. | 可以看一次。
+ 非常感人，结局让我流泪。 | 强烈推荐！ | 音楽も映像も素晴らしかった。 | 정말 재미있었어요. | 年度最佳。
"""
)

SPOILERS = _rows(
    """
* The brother did it, and the letter in the coat gives it away. | When she turns out to be alive, the room gasped.
* He dies at the end, on the bridge, and she never learns why. | The whole trip was a dream of the old man.
* The money was in the piano all along. | They do not get together in the end, and that is the point.
""",
    "*",
)

SUMMARY_NOUNS = _rows(
    """
* style and story | suspense | character work | small town life | old-fashioned film making | heart and humour
* family drama | big ideas | quiet moments | clever dialogue | second chances | atmosphere | cinema | wit
* storytelling | loud music and long looks | brave choices
""",
    "*",
)

AFTERTHOUGHTS = _rows(
    """
* Edit: I saw it again and stand by this. | Edit: fixed a typo.
* Update after a second viewing: still the same verdict. | Edited to add that the extras are worth a look.
* Update: changed one sentence, my opinion is the same.
""",
    "*",
)

SUMMARY_ENDS = [""] * 6 + ["!", "...", ".", "!!", " (no spoilers)"]
